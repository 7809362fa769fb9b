"""The reference backend's array: a strided view over a flat list, and how its elements are read and written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorcore.dtypes import DType
from tensorcore.errors import ShapeError
from tensorcore.shapes import broadcast_shapes, contiguous_strides
from tensorcore_reference.rounding import rounded

__all__ = [
    "Array", "assign", "broadcast", "copied", "elements", "expanded", "moved_last", "packed", "positions", "rows_over",
    "split",
]  # fmt: skip


class Array:
    """Elements of one dtype in a list, seen through a shape, strides and an offset (both in elements).

    Views share the list. Every number in it is exactly representable in the dtype: ``bool``, ``int``, ``float`` or
    ``complex`` by the dtype's category. Strides are never negative.
    """

    __slots__ = ("__weakref__", "base", "buffer", "dtype", "offset", "shape", "strides")

    def __init__(
        self, buffer: list[Any], dtype: DType, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0,
        base: Array | None = None,
    ) -> None:  # fmt: skip
        self.buffer = buffer
        #: The array that the list was made for, of a view.
        self.base = base
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset

    def seen(self, shape: tuple[int, ...], strides: tuple[int, ...], offset: int | None = None) -> Array:
        """The same memory through another shape and other strides."""
        start = self.offset if offset is None else offset
        return Array(self.buffer, self.dtype, shape, strides, start, self if self.base is None else self.base)

    def __repr__(self) -> str:
        return f"<reference array of {self.dtype.name}, shape {list(self.shape)}: {elements(self)}>"


def packed(values: list[Any], dtype: DType, shape: Sequence[int]) -> Array:
    """A new row-major array of ``values``, each rounded or wrapped to ``dtype``."""
    shape = tuple(shape)
    return Array(rounded(values, dtype), dtype, shape, contiguous_strides(shape))


def copied(array: Array) -> Array:
    """A row-major copy."""
    shape = array.shape
    return Array(list(elements(array)), array.dtype, shape, contiguous_strides(shape))


def broadcast(*arrays: Array) -> tuple[int, ...]:
    """The common shape of operands; raises ValueError where there is none."""
    shape = arrays[0].shape
    if all(array.shape == shape for array in arrays):
        return shape
    try:
        return tuple(broadcast_shapes(*(array.shape for array in arrays)))
    except ShapeError as misfit:
        # A plain ValueError: the dispatcher adds the op's name.
        raise ValueError(str(misfit)) from None


def expanded(array: Array, shape: tuple[int, ...]) -> Array:
    """A view with sides of 1 stretched to ``shape``, by strides of 0."""
    if array.shape == shape:
        return array
    lead = len(shape) - len(array.shape)
    if lead < 0 or any(old not in (1, new) for old, new in zip(array.shape, shape[lead:], strict=True)):
        raise ValueError(f"shape {list(array.shape)} does not stretch to {list(shape)}")
    stretched = (
        0 if old != new else stride for old, new, stride in zip(array.shape, shape[lead:], array.strides, strict=True)
    )
    return array.seen(shape, (0,) * lead + tuple(stretched))


def positions(offset: int, shape: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Places in the buffer of all elements, in row-major order."""
    places = [offset]
    for side, stride in zip(shape, strides, strict=True):
        if side != 1:
            steps = range(0, side * stride, stride) if stride else (0,) * side
            places = [place + step for place in places for step in steps]
    return places


def _runs(array: Array) -> tuple[list[int], int, int]:
    """The elements as evenly spaced runs, as long as the strides allow: (where they start, length, step)."""
    sides = [(side, stride) for side, stride in zip(array.shape, array.strides, strict=True) if side != 1]
    if not sides:
        return [array.offset], 1, 1
    length, step = sides.pop()
    while sides and sides[-1][1] == length * step:
        length *= sides.pop()[0]
    return positions(array.offset, [side for side, _ in sides], [stride for _, stride in sides]), length, step


def elements(array: Array, shape: tuple[int, ...] | None = None) -> list[Any]:
    """The elements in row-major order, broadcast to ``shape``.

    It is the buffer itself where that is what it holds, so the caller only reads it.
    """
    if shape is not None and shape != array.shape:
        array = expanded(array, shape)
    if 0 in array.shape:
        return []
    buffer = array.buffer
    starts, length, step = _runs(array)
    if step == 0:
        return [value for start in starts for value in (buffer[start],) * length]
    if len(starts) == 1 and step == 1 and length == len(buffer):
        return buffer
    if length == 1:
        return [buffer[start] for start in starts]
    values: list[Any] = []
    for start in starts:
        values += buffer[start : start + length * step : step]
    return values


def assign(target: Array, source: Array) -> Array:
    """Write the elements of ``source``, broadcast, into the memory of ``target``."""
    values = elements(source, target.shape)
    if 0 in target.shape:
        return target
    if any(stride == 0 and side > 1 for side, stride in zip(target.shape, target.strides, strict=True)):
        raise ValueError(f"elements of the target of shape {list(target.shape)} share memory; it cannot be written to")
    buffer = target.buffer
    if values is buffer:
        # The source is the whole buffer seen in order, the target the same memory in another: read before writing.
        values = list(values)
    starts, length, step = _runs(target)
    for number, start in enumerate(starts):
        buffer[start : start + length * step : step] = values[number * length : (number + 1) * length]
    return target


def split(values: list[Any], size: int, count: int) -> list[list[Any]]:
    """``values`` cut into ``count`` consecutive lists of ``size``."""
    if count == 1:
        return [values]
    return [values[number * size : (number + 1) * size] for number in range(count)]


def moved_last(array: Array, dims: tuple[int, ...]) -> Array:
    """A view with the dimensions ``dims`` behind the others."""
    order = [place for place in range(len(array.shape)) if place not in dims]
    order += dims
    return array.seen(tuple(array.shape[d] for d in order), tuple(array.strides[d] for d in order))


def rows_over(array: Array, dims: tuple[int, ...]) -> list[list[Any]]:
    """For each place in the dimensions that are not in ``dims``, the elements over those that are."""
    count = math.prod(side for place, side in enumerate(array.shape) if place not in dims)
    size = math.prod(array.shape[d] for d in dims)
    return split(elements(moved_last(array, dims)), size, count) if count else []
