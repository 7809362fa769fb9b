"""Pooling as users call it: largest elements, averages and norms of sliding windows."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import int64
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.activation import relu
from tensorcore.ops.pooling_expressions import avg_pool, max_pool, max_pool_with_places, whole_averages
from tensorcore.ops.record import composite
from tensorcore.ops.windows import Ints, spatial

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_BOTH: Final = ("", "nn.functional")


def batched(op: str, input: Any, ndim: int, filled: int | None = None) -> tuple[Any, bool]:
    """The input with a batch dimension, and whether it came without; the last ``filled`` sides are not 0."""
    filled = ndim + 1 if filled is None else filled
    if input.ndim not in (ndim + 1, ndim + 2) or 0 in input._array.shape[input.ndim - filled :]:
        raise ShapeError(
            f"{op}: expected an input of {ndim + 2} dimensions, or {ndim + 1} without a batch, with no 0 among the "
            f"last {filled} sides; got shape {list(input.shape)}"
        )
    return (input, False) if input.ndim == ndim + 2 else (input.unsqueeze(0), True)


def _geometry(
    op: str, input: Any, ndim: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> dict[str, Ints]:
    kernel = spatial(op, "kernel_size", kernel_size, ndim)
    steps = kernel if stride is None or stride == [] or stride == () else spatial(op, "stride", stride, ndim)
    pads, spread = spatial(op, "padding", padding, ndim), spatial(op, "dilation", dilation, ndim)
    counts = _counts(op, tuple(input._array.shape), kernel, steps, pads, spread, bool(ceil_mode))
    return {"kernel": kernel, "stride": steps, "padding": pads, "dilation": spread, "counts": counts}


@lru_cache(maxsize=256)
def _counts(op: str, shape: Ints, kernel: Ints, steps: Ints, pads: Ints, spread: Ints, ceil_mode: bool) -> Ints:
    """How many windows each dimension has."""
    for name, values in (("kernel_size", kernel), ("stride", steps), ("dilation", spread)):
        if min(values) <= 0:
            raise RangeError(f"{op}: {name} must be positive, got {list(values)}")
    counts = []
    for side, k, s, p, d in zip(shape[2:], kernel, steps, pads, spread, strict=True):
        reach = (k - 1) * d + 1
        if p < 0 or p > reach // 2:
            raise RangeError(f"{op}: padding must be from 0 to half the kernel, {reach // 2}, got {list(pads)}")
        room = side + 2 * p - reach
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= side + p:
            # The last window must start within the input or the padding before it.
            count -= 1
        if count < 1:
            raise ShapeError(
                f"{op}: a kernel of {list(kernel)} does not fit into input of shape {list(shape)} "
                f"with padding {list(pads)}"
            )
        counts.append(count)
    return tuple(counts)


def _max(
    op: str,
    ndim: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    places: bool,
) -> Any:
    input, alone = batched(op, input, ndim)
    geometry = _geometry(op, input, ndim, kernel_size, stride, padding, dilation, ceil_mode)
    if not places:
        out = max_pool.emit(input, **geometry)
        return out.squeeze(0) if alone else out
    values, indices = max_pool_with_places.emit(input, **geometry)
    return (values.squeeze(0), indices.squeeze(0)) if alone else (values, indices)


def _avg(
    op: str,
    ndim: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    include: bool,
    divisor: int | None,
) -> Any:
    input, alone = batched(op, input, ndim)
    if divisor == 0:
        raise RangeError(f"{op}: divisor_override must not be 0")
    geometry = _geometry(op, input, ndim, kernel_size, stride, padding, 1, ceil_mode)
    del geometry["dilation"]
    if ndim == 3 and any(k > side for k, side in zip(geometry["kernel"], input._array.shape[2:], strict=True)):
        raise ShapeError(f"{op}: a kernel of {list(geometry['kernel'])} is larger than input {list(input.shape)}")
    pool: Any = whole_averages if input.dtype is int64 else avg_pool.emit
    out = pool(input, **geometry, include_pad=bool(include), divisor=divisor)
    return out.squeeze(0) if alone else out


def _samples(ndim: int) -> Any:
    sides = (6, 5, 4)[:ndim]
    return (
        {"shapes": ((2, 3, *sides),), "args": (2,)},
        {"shapes": ((3, *sides),), "kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    )


@composite(namespaces=_BOTH, samples=_samples(1), ulp=0)
def max_pool1d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """Largest element of each window of (N, C, L) or (C, L); with ``return_indices``, also its place.

    Args:
        kernel_size, stride: side of a window, and the step between windows, which is the side by default.
        padding: elements of minus infinity on both sides, at most half the kernel.
        dilation: step between the elements of a window.
        ceil_mode: whether a last window that does not fit as a whole counts.
        return_indices: whether to return also where along the side each largest element is.

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.
        RangeError: for padding of more than half the kernel.

    Example:
        >>> x = tc.tensor([[1.0, 3.0, 2.0, 0.0, 5.0]])
        >>> F.max_pool1d(x, 2), F.max_pool1d(x, 3, 2, return_indices=True)
        (tensor([[3., 2.]]), (tensor([[3., 5.]]), tensor([[1, 4]])))
    """
    return _max("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composite(namespaces=_BOTH, samples=_samples(2), ulp=0)
def max_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """Largest element of each window of (N, C, H, W) or (C, H, W); with ``return_indices``, also its place.

    Args:
        kernel_size, stride: sides of a window, and the steps between windows, which are the sides by
            default.
        padding: elements of minus infinity on both sides, at most half the kernel.
        dilation: step between the elements of a window.
        ceil_mode: whether last windows that do not fit as a whole count.
        return_indices: whether to return also where in the flattened sides each largest element is.

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.
        RangeError: for padding of more than half the kernel.

    Example:
        >>> x = tc.arange(16.0).reshape(1, 4, 4)
        >>> F.max_pool2d(x, 2)
        tensor([[[ 5.,  7.],
                 [13., 15.]]])
        >>> F.max_pool2d(x, 3, stride=2, padding=1)
        tensor([[[ 5.,  7.],
                 [13., 15.]]])
    """
    return _max("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composite(namespaces=_BOTH, samples=_samples(3), ulp=0)
def max_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """Largest element of each window of (N, C, D, H, W) or (C, D, H, W); with ``return_indices``, also its place.

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.
        RangeError: for padding of more than half the kernel.

    Example:
        >>> F.max_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), (2, 1, 2))
        tensor([[[[5.],
                  [7.]]]])
    """
    return _max("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@composite(namespaces=_BOTH, samples=_samples(1), ulp=8)
def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average of each window of (N, C, L) or (C, L).

    Zeros of the padding count as elements, unless ``count_include_pad`` is false. Averages of int64 are rounded towards
    zero.

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.

    Example:
        >>> x = tc.tensor([[2.0, 4.0, 6.0]])
        >>> F.avg_pool1d(x, 2, 1), F.avg_pool1d(x, 2, padding=1), F.avg_pool1d(x, 2, padding=1, count_include_pad=False)
        (tensor([[3., 5.]]), tensor([[1., 5.]]), tensor([[2., 5.]]))
    """
    return _avg("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@composite(namespaces=_BOTH, samples=_samples(2), ulp=8)
def avg_pool2d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Average of each window of (N, C, H, W) or (C, H, W).

    Zeros of the padding count as elements, unless ``count_include_pad`` is false; ``divisor_override`` takes the place
    of the count.

    Args:
        kernel_size, stride: sides of a window, and the steps between windows, which are the sides by
            default.
        padding: zeros on both sides, at most half the kernel.
        ceil_mode: whether last windows that do not fit as a whole count.

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.
        RangeError: for a ``divisor_override`` of 0.

    Example:
        >>> x = tc.arange(16.0).reshape(1, 4, 4)
        >>> F.avg_pool2d(x, 2)
        tensor([[[ 2.5000,  4.5000],
                 [10.5000, 12.5000]]])
        >>> F.avg_pool2d(x, 4, divisor_override=1)
        tensor([[[120.]]])
    """
    return _avg("avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@composite(namespaces=_BOTH, samples=_samples(3), ulp=8)
def avg_pool3d(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Average of each window of (N, C, D, H, W) or (C, D, H, W).

    Padding and ``divisor_override`` count as in `avg_pool2d`.

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.

    Example:
        >>> F.avg_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), (2, 2, 1))
        tensor([[[[3., 4.]]]])
    """
    return _avg("avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp(op: str, ndim: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    kernel = spatial(op, "kernel_size", kernel_size, ndim)
    mean = _avg(op, ndim, e.pow(input, norm_type), kernel, stride, 0, ceil_mode, True, None)
    return e.pow(e.sign(mean) * relu(e.abs(mean)) * math.prod(kernel), 1.0 / norm_type)


@composite(namespaces=("nn.functional",), samples=({"shapes": ((2, 3, 6),), "args": (2.0, 2)},), ulp=32)
def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``norm_type``-norm of each window of (N, C, L) or (C, L).

    Example:
        >>> F.lp_pool1d(tc.tensor([[3.0, 4.0, 0.0, 2.0]]), 2, 2)
        tensor([[5., 2.]])
    """
    return _lp("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@composite(namespaces=("nn.functional",), samples=({"shapes": ((2, 3, 6, 5),), "args": (2.0, 2)},), ulp=32)
def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``norm_type``-norm of each window of (N, C, H, W) or (C, H, W).

    Example:
        >>> F.lp_pool2d(tc.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 1, 2), F.lp_pool2d(tc.tensor([[[3.0, 4.0]]]), 2, (1, 2))
        (tensor([[[10.]]]), tensor([[[5.]]]))
    """
    return _lp("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


@composite(namespaces=("nn.functional",), samples=({"shapes": ((2, 3, 6, 5, 4),), "args": (2.0, 2)},), ulp=32)
def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``norm_type``-norm of each window of (N, C, D, H, W) or (C, D, H, W).

    Example:
        >>> F.lp_pool3d(tc.ones(1, 2, 2, 2), 3, 2)
        tensor([[[[2.]]]])
    """
    return _lp("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
