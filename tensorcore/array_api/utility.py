"""Utility functions of the Array API standard."""

from __future__ import annotations

from tensorcore import functions
from tensorcore.array_api.spelling import agreed
from tensorcore.ops import reduction
from tensorcore.shapes import normalize_dims
from tensorcore.tensor import Tensor

__all__ = ["all", "any", "diff"]


def all(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true (not zero) over the dimensions ``axis`` (all by default, none for ``()``)."""
    return reduction.all.emit(x, dim=normalize_dims(axis, x.ndim, "all"), keepdim=keepdims)


def any(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Tensor:
    """Whether any element is true (not zero) over the dimensions ``axis`` (all by default, none for ``()``)."""
    return reduction.any.emit(x, dim=normalize_dims(axis, x.ndim, "any"), keepdim=keepdims)


def diff(
    x: Tensor, /, n: int = 1, *, axis: int = -1, prepend: Tensor | None = None, append: Tensor | None = None
) -> Tensor:
    """The ``n``-th differences of neighbours along ``axis``, ``prepend`` and ``append`` joined to ``x`` first."""
    # The standard has n by keyword alone; scikit-learn gives it by place.
    x, prepend, append = agreed(x, prepend, append)
    return functions.diff(x, n, axis, prepend, append)
