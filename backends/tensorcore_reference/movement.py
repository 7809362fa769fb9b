"""Views, joining and reordering; creation, copies and conversion."""

from __future__ import annotations

import math
from typing import Any

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType
from tensorcore.shapes import contiguous_strides
from tensorcore_reference.arrays import Array, copied, elements, expanded, packed, positions
from tensorcore_reference.rounding import converted, rounded

__all__ = ["MovementKernels"]


def viewed_strides(shape: tuple[int, ...], strides: tuple[int, ...], sides: tuple[int, ...]) -> tuple[int, ...] | None:
    """Strides that show the elements under the shape ``sides`` in place, or ``None`` where a copy is needed."""
    if 0 in shape:
        return contiguous_strides(sides)
    # Runs of dimensions that lie evenly, as [elements, stride]: within one, any sides fit.
    runs: list[list[int]] = []
    for side, stride in zip(shape, strides, strict=True):
        if side == 1:
            continue
        if runs and runs[-1][1] == side * stride:
            runs[-1] = [runs[-1][0] * side, stride]
        else:
            runs.append([side, stride])
    found: list[int] = []
    left, step = 1, 1
    for side in reversed(sides):
        if side != 1 and left == 1:
            left, step = runs.pop()
        if left % side:
            return None
        found.append(step)
        left //= side
        step *= side
    return tuple(reversed(found))


class MovementKernels:
    """What changes where elements are, or makes them, and not what they are."""

    # ------------------------------------------------------------------ views

    @staticmethod
    def reshape(input: Array, *, shape: tuple[int, ...]) -> Array:
        if math.prod(shape) != math.prod(input.shape):
            raise ValueError(f"shape {list(shape)} does not hold the elements of shape {list(input.shape)}")
        strides = viewed_strides(input.shape, input.strides, shape)
        return copied(input).seen(shape, contiguous_strides(shape)) if strides is None else input.seen(shape, strides)

    @staticmethod
    def permute(input: Array, *, dims: tuple[int, ...]) -> Array:
        return input.seen(tuple(input.shape[d] for d in dims), tuple(input.strides[d] for d in dims))

    @staticmethod
    def expand(input: Array, *, shape: tuple[int, ...]) -> Array:
        return expanded(input, shape)

    @staticmethod
    def alias(input: Array) -> Array:
        return input.seen(input.shape, input.strides)

    @staticmethod
    def as_strided(
        input: Array, *, size: tuple[int, ...], stride: tuple[int, ...], shift: int, own: tuple[int, ...]
    ) -> Array:
        return input.seen(size, stride, input.offset + shift)

    # ------------------------------------------------------------------ copies

    @staticmethod
    def copy(input: Array) -> Array:
        return copied(input)

    @staticmethod
    def cast(input: Array, *, dtype: DType) -> Array:
        return packed(converted(elements(input), input.dtype.category, dtype), dtype, input.shape)

    @staticmethod
    def flip(input: Array, *, dims: tuple[int, ...]) -> Array:
        if 0 in input.shape:
            return copied(input)
        # From the far end of each dimension, backwards.
        start = input.offset + sum((input.shape[d] - 1) * input.strides[d] for d in dims)
        strides = [-stride if d in dims else stride for d, stride in enumerate(input.strides)]
        return packed(
            [input.buffer[place] for place in positions(start, input.shape, strides)], input.dtype, input.shape
        )

    @staticmethod
    def cat(*tensors: Array, dim: int) -> Array:
        first = tensors[0]
        for part in tensors:
            if part.shape[:dim] + part.shape[dim + 1 :] != first.shape[:dim] + first.shape[dim + 1 :]:
                raise ValueError(f"shapes {list(first.shape)} and {list(part.shape)} do not join along {dim}")
        parts = [(elements(part), math.prod(part.shape[dim:])) for part in tensors]
        values: list[Any] = []
        for row in range(math.prod(first.shape[:dim])):
            for content, size in parts:
                values += content[row * size : (row + 1) * size]
        side = sum(part.shape[dim] for part in tensors)
        return packed(values, first.dtype, (*first.shape[:dim], side, *first.shape[dim + 1 :]))

    # ------------------------------------------------------------------ creation

    @staticmethod
    def full(*, shape: tuple[int, ...], value: complex, dtype: DType, index: int) -> Array:
        content = rounded([value], dtype) * math.prod(shape)
        return Array(content, dtype, shape, contiguous_strides(shape))

    @staticmethod
    def ramp(*, start: complex, step: complex, count: int, dtype: DType, index: int) -> Array:
        values = [start + step * i for i in range(count)]
        return packed(converted(values, _category(values), dtype), dtype, (count,))


def _category(values: list[Any]) -> int:
    """The category of Python numbers."""
    types = set(map(type, values))
    return COMPLEX if complex in types else FLOATING if float in types else INTEGER if int in types else BOOL
