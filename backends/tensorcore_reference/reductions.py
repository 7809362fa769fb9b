"""Reductions, running totals and sorting: for each, a function of one list of Python numbers."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

from tensorcore.dtypes import COMPLEX, FLOATING, DType, bool_, int64
from tensorcore_reference.arrays import Array, copied, elements, moved_last, packed, rows_over
from tensorcore_reference.indexing import IndexingKernels
from tensorcore_reference.rounding import converted

__all__ = ["ReductionKernels"]

# ------------------------------------------------------------------ functions of one list


def float_sum(values: list[float]) -> float:
    """The sum, rounded once."""
    try:
        return math.fsum(values)
    except ValueError:
        # Infinities of both signs.
        return math.nan
    except OverflowError:
        # A partial sum lies beyond the largest float; the whole may not.
        return math.fsum([value * 2.0**-64 for value in values]) * 2.0**64


def complex_sum(values: list[complex]) -> complex:
    """The sum, each part rounded once."""
    return complex(float_sum([value.real for value in values]), float_sum([value.imag for value in values]))


def product(values: list[Any]) -> Any:
    """The product; computed in float64, or exactly for integers."""
    return reduce(operator.mul, values) if values else 1


def has_nan(values: list[Any]) -> bool:
    """Whether any is NaN, which is what differs from itself."""
    return any(map(operator.ne, values, values))


def largest(values: list[Any]) -> Any:
    """The largest; NaN if there is one."""
    return math.nan if has_nan(values) else max(values)


def smallest(values: list[Any]) -> Any:
    """The smallest; NaN if there is one."""
    return math.nan if has_nan(values) else min(values)


def place_of_largest(values: list[Any]) -> int:
    """The first place of the largest, or of NaN."""
    return nans(values)[0] if has_nan(values) else values.index(max(values))


def place_of_smallest(values: list[Any]) -> int:
    """The first place of the smallest, or of NaN."""
    return nans(values)[0] if has_nan(values) else values.index(min(values))


def nans(values: list[Any]) -> list[int]:
    """The places of NaN."""
    return [place for place, value in enumerate(values) if value != value]


def order(values: list[Any], descending: bool) -> list[int]:
    """The places in the order of their elements, equal ones as they come; NaN counts as larger than any number.

    Complex numbers are ordered by the real part, then by the imaginary part.
    """
    keys = [(value.real, value.imag) for value in values] if values and isinstance(values[0], complex) else values
    last = nans(values)
    places = [place for place, value in enumerate(values) if value == value]
    places.sort(key=keys.__getitem__, reverse=descending)
    return last + places if descending else places + last


# ------------------------------------------------------------------ kernels


def _reduced(
    function: Callable[[list[Any]], Any], input: Array, dims: tuple[int, ...], keepdim: bool, dtype: DType
) -> Array:
    shape = tuple(
        1 if place in dims else side for place, side in enumerate(input.shape) if keepdim or place not in dims
    )
    return packed([function(row) for row in rows_over(input, dims)], dtype, shape)


def _as(input: Array, dtype: DType) -> Array:
    """``input`` converted before it is reduced."""
    if input.dtype is dtype:
        return input
    return packed(converted(elements(input), input.dtype.category, dtype), dtype, input.shape)


def _along(function: Callable[[list[Any]], list[Any]], input: Array, dim: int, dtype: DType) -> Array:
    """An array of the operand's shape whose rows along ``dim`` are the ``function`` of the operand's."""
    moved = moved_last(input, (dim,))
    values = [value for row in rows_over(input, (dim,)) for value in function(row)]
    result = packed(values, dtype, moved.shape)
    back = list(range(len(moved.shape) - 1))
    back.insert(dim, len(back))
    return copied(result.seen(tuple(result.shape[d] for d in back), tuple(result.strides[d] for d in back)))


class ReductionKernels:
    """Reductions over dimensions, running totals, places of extremes, and order."""

    @staticmethod
    def sum(input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        function = complex_sum if dtype.category == COMPLEX else float_sum if dtype.category == FLOATING else sum
        return _reduced(function, _as(input, dtype), dim, keepdim, dtype)

    @staticmethod
    def prod(input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        return _reduced(product, _as(input, dtype), dim, keepdim, dtype)

    @staticmethod
    def amax(input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(largest, input, dim, keepdim, input.dtype)

    @staticmethod
    def amin(input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(smallest, input, dim, keepdim, input.dtype)

    @staticmethod
    def argmax(input: Array, *, dim: int, keepdim: bool) -> Array:
        return _reduced(place_of_largest, input, (dim,), keepdim, int64)

    @staticmethod
    def argmin(input: Array, *, dim: int, keepdim: bool) -> Array:
        return _reduced(place_of_smallest, input, (dim,), keepdim, int64)

    @staticmethod
    def any(input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(any, input, dim, keepdim, bool_)

    @staticmethod
    def all(input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        return _reduced(all, input, dim, keepdim, bool_)

    @staticmethod
    def cumsum(input: Array, *, dim: int, dtype: DType) -> Array:
        return _along(lambda row: list(itertools.accumulate(row)), _as(input, dtype), dim, dtype)

    @staticmethod
    def cumprod(input: Array, *, dim: int, dtype: DType) -> Array:
        return _along(lambda row: list(itertools.accumulate(row, operator.mul)), _as(input, dtype), dim, dtype)

    @staticmethod
    def sort(input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        indices = _along(lambda row: order(row, descending), input, dim, int64)
        return IndexingKernels.gather(input, indices, dim=dim), indices
