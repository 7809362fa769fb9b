"""Set functions of the Array API standard."""

from __future__ import annotations

from typing import Any, NamedTuple

from tensorcore import functions
from tensorcore.array_api.spelling import tensors
from tensorcore.dtypes import int64
from tensorcore.ops.indexing import index, index_put, nonzero
from tensorcore.ops.movement import cat
from tensorcore.ops.reduction import sort
from tensorcore.tensor import Tensor

__all__ = ["isin", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


class UniqueAll(NamedTuple):
    """Distinct elements, where each was first, each element's place among them, and how often each is there."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """Distinct elements, and how often each is there."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """Distinct elements, and each element's place among them."""

    values: Tensor
    inverse_indices: Tensor


def _order(flat: Tensor) -> Tensor:
    """Places of the elements in ascending order, equals by place; complex numbers by real, then imaginary part."""
    if not flat.is_complex():
        return sort.emit(flat, dim=0, descending=False)[1]
    by_imaginary = sort.emit(flat.imag, dim=0, descending=False)[1]
    return index.emit(by_imaginary, sort.emit(index.emit(flat.real, by_imaginary), dim=0, descending=False)[1])


def _distinct(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The flattened elements in order; places of the first of each run of equals; places in order. NaNs are unequal."""
    flat = x.reshape(-1)
    order = _order(flat.detach())
    ordered = index.emit(flat, order)
    edge = ordered.new_ones((min(x.numel(), 1),)).bool()
    starts = cat([edge, ordered[1:] != ordered[:-1]])
    return index.emit(ordered, nonzero(starts).reshape(-1)), starts, order


def _inverse(x: Tensor, starts: Tensor, order: Tensor) -> Tensor:
    runs = starts.to(int64).cumsum(0) - 1
    return index_put.emit(runs, runs, order, accumulate=False).reshape(x.shape)


def _counts(firsts: Tensor, total: int) -> Tensor:
    ends = cat([firsts[1:], firsts.new_full((min(firsts.shape[0], 1),), total)])
    return ends - firsts


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """Whether each element of ``x1`` is in ``x2``, or with ``invert`` is not."""
    return functions.isin(*tensors("isin", x1, x2), invert=invert)


def unique_all(x: Tensor, /) -> UniqueAll:
    """The distinct elements in order, with first places, inverse and counts; every NaN is one of its own.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.unique_all(tc.tensor([3, 1, 3])).indices
        tensor([1, 0])
    """
    values, starts, order = _distinct(x)
    firsts = nonzero(starts).reshape(-1)
    return UniqueAll(values, index.emit(order, firsts), _inverse(x, starts, order), _counts(firsts, x.numel()))


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The distinct elements in order and how often each is there; every NaN is one of its own.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.unique_counts(tc.tensor([3, 1, 3])).counts
        tensor([1, 2])
    """
    values, starts, _ = _distinct(x)
    return UniqueCounts(values, _counts(nonzero(starts).reshape(-1), x.numel()))


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The distinct elements in order and each element's place among them; every NaN is one of its own.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.unique_inverse(tc.tensor([3, 1, 3])).inverse_indices
        tensor([1, 0, 1])
    """
    values, starts, order = _distinct(x)
    return UniqueInverse(values, _inverse(x, starts, order))


def unique_values(x: Tensor, /) -> Tensor:
    """The distinct elements in order; every NaN is one of its own.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.unique_values(tc.tensor([3, 1, 3]))
        tensor([1, 3])
    """
    return _distinct(x)[0]
