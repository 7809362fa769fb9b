"""Statistical functions of the Array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore.dtypes import INTEGER, DType, int64, uint64
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.ops import reduction
from tensorcore.ops.conversion import require_floating
from tensorcore.ops.movement import cat
from tensorcore.ops.record import REGISTRY
from tensorcore.shapes import normalize_dim, normalize_dims
from tensorcore.tensor import Tensor

__all__ = ["cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "std", "sum", "var"]

Axis = int | tuple[int, ...] | None


def accumulator(dtype: DType | None, x: Tensor) -> DType:
    """The dtype of a sum: integers count in the widest of their sign, unlike in PyTorch."""
    if dtype is not None or x.dtype.category > INTEGER:
        return dtype or x.dtype
    return uint64 if x.dtype.category == INTEGER and not x.dtype.is_signed else int64


def _cumulative(op: Any, x: Tensor, axis: int | None, dtype: DType | None, start: int | None, name: str) -> Tensor:
    if axis is None:
        if x.ndim != 1:
            raise ShapeError(f"{name}: axis is needed unless x has one dimension, got shape {list(x.shape)}")
        axis = 0
    if x.ndim == 0:
        raise ShapeError(f"{name}: a 0-d tensor has no dimension to run along")
    place = normalize_dim(axis, x.ndim, name)
    totals = op.emit(x, dim=place, dtype=accumulator(dtype, x))
    if start is None:
        return totals
    edge = (*x.shape[:place], 1, *x.shape[place + 1 :])
    return cat([totals.new_full(edge, start), totals], place)


def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: bool = False
) -> Tensor:
    """Running product along ``axis``, with ``include_initial`` after a one.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.cumulative_prod(tc.tensor([1, 2, 3]))
        tensor([1, 2, 6])
    """
    return _cumulative(reduction.cumprod, x, axis, dtype, 1 if include_initial else None, "cumulative_prod")


def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: DType | None = None, include_initial: bool = False
) -> Tensor:
    """Running sum along ``axis``, with ``include_initial`` after a zero.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.cumulative_sum(tc.tensor([1, 2, 3]), include_initial=True)
        tensor([0, 1, 3, 6])
    """
    return _cumulative(reduction.cumsum, x, axis, dtype, 0 if include_initial else None, "cumulative_sum")


def _extreme(op: Callable[..., Any], x: Tensor, axis: Axis, keepdims: bool, name: str) -> Tensor:
    dims = normalize_dims(axis, x.ndim, name)
    if 0 in [x.shape[d] for d in dims]:
        raise ShapeError(f"{name}: no elements to choose from: shape {list(x.shape)}, axis {axis}")
    # Without dimensions each element is its own extreme; the op's gradient rule takes () for all of them.
    return op(x, dim=dims, keepdim=keepdims) if dims or x.ndim == 0 else x.clone()


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest element over the dimensions ``axis`` (all by default, none for ``()``); NaN if one is."""
    return _extreme(reduction.amax.emit, x, axis, keepdims, "max")


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Smallest element over the dimensions ``axis`` (all by default, none for ``()``); NaN if one is."""
    return _extreme(reduction.amin.emit, x, axis, keepdims, "min")


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Average of the elements over the dimensions ``axis`` (all by default, none for ``()``)."""
    require_floating("mean", x.dtype)
    return REGISTRY["mean"].emit(x, dim=normalize_dims(axis, x.ndim, "mean"), keepdim=keepdims)


def prod(x: Tensor, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False) -> Tensor:
    """Product of the elements over the dimensions ``axis``; integers multiply in int64, unsigned ones in uint64."""
    dims = normalize_dims(axis, x.ndim, "prod")
    return reduction.prod.emit(x, dim=dims, keepdim=keepdims, dtype=accumulator(dtype, x))


def sum(x: Tensor, /, *, axis: Axis = None, dtype: DType | None = None, keepdims: bool = False) -> Tensor:
    """Sum of the elements over the dimensions ``axis``; integers count in int64, unsigned ones in uint64.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.sum(tc.tensor([200, 100], dtype=tc.uint8))
        tensor(300, dtype=tensorcore.uint64)
    """
    dims = normalize_dims(axis, x.ndim, "sum")
    return reduction.sum.emit(x, dim=dims, keepdim=keepdims, dtype=accumulator(dtype, x))


def _spread(name: str, x: Tensor, axis: Axis, correction: float, keepdims: bool) -> Tensor:
    if not x.is_floating_point():
        raise DTypeError(f"{name}: expected a real floating-point tensor, got {x.dtype}")
    # The op itself: PyTorch's function warns where too few elements are left, and takes () for all dimensions.
    return REGISTRY[name].emit(x, dim=normalize_dims(axis, x.ndim, name), keepdim=keepdims, correction=correction)


def std(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Standard deviation over the dimensions ``axis``, divided by the number of elements less ``correction``.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.std(tc.tensor([1.0, 3.0])), tc.std(tc.tensor([1.0, 3.0]))
        (tensor(1.), tensor(1.4142))
    """
    return _spread("std", x, axis, correction, keepdims)


def var(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Variance over the dimensions ``axis``, divided by the number of elements less ``correction``."""
    return _spread("var", x, axis, correction, keepdims)
