"""Searching functions of the Array API standard."""

from __future__ import annotations

from typing import Any

from tensorcore.array_api.spelling import agreed
from tensorcore.dtypes import int64
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops import elementwise, indexing, reduction
from tensorcore.ops.record import REGISTRY
from tensorcore.shapes import normalize_dims
from tensorcore.tensor import Tensor

__all__ = ["argmax", "argmin", "count_nonzero", "nonzero", "searchsorted", "where"]


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Place of the largest element along ``axis`` (in the flattened tensor by default), the first of equals; int64."""
    return reduction.argmax(x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Place of the smallest element along ``axis`` (in the flattened tensor by default), the first of equals; int64."""
    return reduction.argmin(x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """How many elements are not zero over the dimensions ``axis`` (all by default); int64."""
    dims = normalize_dims(axis, x.ndim, "count_nonzero")
    return reduction.sum.emit(elementwise.ne(x, 0), dim=dims, keepdim=keepdims, dtype=int64)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Indices of the elements that are not zero, a tensor for each dimension.

    Raises:
        ShapeError: for a 0-d tensor, which has no dimensions; it is a ValueError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.nonzero(tc.tensor([[0, 7], [8, 0]]))
        (tensor([0, 1]), tensor([1, 0]))
    """
    if x.ndim == 0:
        raise ShapeError("nonzero: a 0-d tensor has no dimensions to give places in; reshape it to (1,)")
    return indexing.nonzero(x, as_tuple=True)


def searchsorted(x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None) -> Tensor:
    """Places in the sorted vector ``x1`` before which ``x2`` would be inserted: ``"left"`` or ``"right"`` of equals.

    Raises:
        RangeError: for another ``side``; it is a ValueError.
        ShapeError: if ``x1`` is no vector.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.searchsorted(tc.tensor([1, 3, 3, 5]), tc.tensor([3, 6]), side="right")
        tensor([3, 4])
    """
    if side not in ("left", "right"):
        raise RangeError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if x1.ndim != 1:
        raise ShapeError(f"searchsorted: x1 must be a vector, got shape {list(x1.shape)}")
    x1, x2 = agreed(x1, x2)
    return REGISTRY["searchsorted"](x1, x2, side=side, sorter=None if sorter is None else sorter.to(int64))


def where(condition: Tensor, x1: Any = None, x2: Any = None, /) -> Any:
    """``x1`` where ``condition``, else ``x2``; one of the two may be a number."""
    if x1 is None and x2 is None:
        # Not of the standard, but scikit-learn asks it of every namespace.
        return nonzero(condition)
    return elementwise.where(condition, *agreed(x1, x2))
