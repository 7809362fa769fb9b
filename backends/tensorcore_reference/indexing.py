"""Reading and writing parts: regular ones, and those that integer arrays name."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, Final

from tensorcore.dtypes import int64
from tensorcore_reference.arrays import Array, assign, copied, elements, packed, positions
from tensorcore_reference.real_functions import larger, smaller

__all__ = ["IndexingKernels"]


def _checked(indices: Array, side: int, dim: int) -> list[int]:
    """The indices into a dimension; raises IndexError for one outside it."""
    places = elements(indices)
    for place in places:
        if not 0 <= place < side:
            raise IndexError(f"index {place} is out of range for dimension {dim} of side {side}")
    return places


def _part(input: Array, index: tuple[int | slice, ...]) -> Array:
    """The view of a regular part: an int drops its dimension, a slice narrows it."""
    offset = input.offset
    shape: list[int] = []
    strides: list[int] = []
    for item, side, stride in zip(index, input.shape, input.strides, strict=True):
        if isinstance(item, int):
            offset += item * stride
            continue
        places = range(*item.indices(side))
        if places:
            offset += places[0] * stride
        shape.append(len(places))
        strides.append(places.step * stride)
    return input.seen(tuple(shape), tuple(strides), offset)


def _rows(input: Array, indices: tuple[Array, ...]) -> tuple[list[int], int]:
    """The rows that arrays of indices into the leading dimensions name, and the size of a row."""
    shape = indices[0].shape
    if any(each.shape != shape for each in indices):
        raise ValueError(f"arrays of indices differ in shape: {[list(each.shape) for each in indices]}")
    rows = [0] * math.prod(shape)
    for dim, each in enumerate(indices):
        side = input.shape[dim]
        rows = [row * side + place for row, place in zip(rows, _checked(each, side, dim), strict=True)]
    return rows, math.prod(input.shape[len(indices) :])


def _places(input: Array, index: Array, dim: int) -> list[int]:
    """Where in the buffer of ``input`` the elements lie that ``index`` names along ``dim``."""
    strides = input.strides
    elsewhere = positions(input.offset, index.shape, [0 if d == dim else stride for d, stride in enumerate(strides)])
    along = _checked(index, input.shape[dim], dim)
    return [start + place * strides[dim] for start, place in zip(elsewhere, along, strict=True)] if along else []


#: What `scatter` makes of the element there and the one that comes.
_REDUCTIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "set": lambda old, new: new,
    "sum": operator.add,
    "prod": operator.mul,
    "amax": larger,
    "amin": smaller,
}


class IndexingKernels:
    """Indices arrive counted from 0; one outside its dimension is an IndexError."""

    @staticmethod
    def basic_index(input: Array, *, index: tuple[int | slice, ...]) -> Array:
        return _part(input, index)

    @staticmethod
    def basic_index_put(input: Array, value: Array, *, index: tuple[int | slice, ...]) -> Array:
        result = copied(input)
        assign(_part(result, index), value)
        return result

    @staticmethod
    def index(input: Array, *indices: Array) -> Array:
        rows, size = _rows(input, indices)
        content = elements(input)
        values: list[Any] = []
        for row in rows:
            values += content[row * size : (row + 1) * size]
        return packed(values, input.dtype, indices[0].shape + input.shape[len(indices) :])

    @staticmethod
    def index_put(input: Array, value: Array, *indices: Array, accumulate: bool) -> Array:
        rows, size = _rows(input, indices)
        content = list(elements(input))
        come = elements(value, indices[0].shape + input.shape[len(indices) :])
        for number, row in enumerate(rows):
            old = slice(row * size, (row + 1) * size)
            new = come[number * size : (number + 1) * size]
            content[old] = map(operator.add, content[old], new) if accumulate else new
        return packed(content, input.dtype, input.shape)

    @staticmethod
    def gather(input: Array, index: Array, *, dim: int) -> Array:
        values = [input.buffer[place] for place in _places(input, index, dim)]
        return packed(values, input.dtype, index.shape)

    @staticmethod
    def scatter(input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
        result = copied(input)
        combine = _REDUCTIONS[reduce]
        content = result.buffer
        for place, value in zip(_places(result, index, dim), elements(src, index.shape), strict=True):
            content[place] = combine(content[place], value)
        return packed(content, input.dtype, input.shape)

    @staticmethod
    def nonzero_places(input: Array) -> Array:
        sides = input.shape
        values: list[int] = []
        count = 0
        for place, value in enumerate(elements(input)):
            if value:
                count += 1
                rest = place
                coordinates = []
                for side in reversed(sides):
                    rest, coordinate = divmod(rest, side)
                    coordinates.append(coordinate)
                values += reversed(coordinates)
        return packed(values, int64, (count, len(sides)))
