"""Channels rearranged: into pixels, out of pixels, between groups; and windows laid out as columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import int64
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.creation import full
from tensorcore.ops.indexing import scatter
from tensorcore.ops.movement import reshape
from tensorcore.ops.pooling import batched
from tensorcore.ops.record import composite
from tensorcore.ops.windows import Ints, embedded, fold_windows, spatial, window_count, windows

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_BOTH: Final = ("", "nn.functional")


@composite(namespaces=_BOTH, samples=({"shapes": ((2, 8, 2, 3),), "args": (2,)},), ulp=0)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C * r * r, H, W) as (..., C, H * r, W * r).

    Raises:
        ShapeError: if r * r does not divide the channels.

    Example:
        >>> F.pixel_shuffle(tc.arange(4).reshape(4, 1, 1), 2)
        tensor([[[0, 1],
                 [2, 3]]])
    """
    r = upscale_factor
    if input.ndim < 3 or r <= 0 or input.shape[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle: expected at least 3 dimensions and channels that divide by {r} * {r}, "
            f"got {list(input.shape)}"
        )
    *lead, channels, height, width = input.shape
    parts = input.reshape((math.prod(lead), channels // (r * r), r, r, height, width)).permute(0, 1, 4, 2, 5, 3)
    return parts.reshape((*lead, channels // (r * r), height * r, width * r))


@composite(namespaces=_BOTH, samples=({"shapes": ((2, 2, 4, 6),), "args": (2,)},), ulp=0)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H * r, W * r) as (..., C * r * r, H, W).

    Raises:
        ShapeError: if r does not divide the sides.

    Example:
        >>> F.pixel_unshuffle(tc.arange(4).reshape(1, 2, 2), 2).flatten()
        tensor([0, 1, 2, 3])
    """
    r = downscale_factor
    if input.ndim < 3 or r <= 0 or input.shape[-1] % r or input.shape[-2] % r:
        raise ShapeError(
            f"pixel_unshuffle: expected at least 3 dimensions and sides that divide by {r}, got {list(input.shape)}"
        )
    *lead, channels, height, width = input.shape
    parts = input.reshape((math.prod(lead), channels, height // r, r, width // r, r)).permute(0, 1, 3, 5, 2, 4)
    return parts.reshape((*lead, channels * r * r, height // r, width // r))


@composite(
    namespaces=_BOTH, aliases=("native_channel_shuffle",), samples=({"shapes": ((2, 6, 3),), "args": (2,)},), ulp=0
)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, *sides) with the channels of ``groups`` groups dealt out in turn.

    Raises:
        ShapeError: if ``groups`` does not divide the channels.

    Example:
        >>> F.channel_shuffle(tc.arange(6.0).reshape(1, 6, 1, 1), 2).flatten()
        tensor([0., 3., 1., 4., 2., 5.])
    """
    if input.ndim < 3 or groups <= 0 or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: expected at least 3 dimensions and channels that divide by groups={groups}, "
            f"got {list(input.shape)}"
        )
    batch, channels, *sides = input.shape
    return input.reshape((batch, groups, channels // groups, *sides)).transpose(1, 2).reshape(input.shape)


# ------------------------------------------------------------------ windows as columns


def _arguments(op: str, **given: Any) -> list[Ints]:
    found = []
    for name, value in given.items():
        pair = spatial(op, name, value, 2)
        if min(pair) < (0 if name == "padding" else 1):
            raise RangeError(f"{op}: {name} is too small, got {list(pair)}")
        found.append(pair)
    return found


@composite(
    namespaces=_F,
    samples=(
        {"shapes": ((2, 3, 5, 6),), "kernel_size": 2},
        {"shapes": ((3, 5, 6),), "kernel_size": (3, 2), "padding": 1},
    ),
    ulp=0,
)
def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Windows of (N, C, H, W) or (C, H, W) as columns: (N, C * KH * KW, windows).

    Raises:
        ShapeError: for fewer or more dimensions, or where the kernel does not fit.

    Example:
        >>> F.unfold(tc.arange(9.0).reshape(1, 3, 3), 2)
        tensor([[0., 1., 3., 4.],
                [1., 2., 4., 5.],
                [3., 4., 6., 7.],
                [4., 5., 7., 8.]])
    """
    x, alone = batched("unfold", input, 2)
    kernel, spread, pads, step = _arguments(
        "unfold", kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    x = embedded(x, [(p, p) for p in pads], (1, 1))
    count, channels, *sides = x._array.shape
    counts = [window_count(*each) for each in zip(sides, kernel, step, spread, strict=True)]
    if min(counts) < 1:
        raise ShapeError(f"unfold: a kernel of {list(kernel)} does not fit into input of shape {list(input.shape)}")
    laid = windows.emit(x, kernel=kernel, stride=step, dilation=spread).contiguous()
    columns = reshape.emit(laid, shape=(count, channels * math.prod(kernel), math.prod(counts)))
    return columns.squeeze(0) if alone else columns


@composite(namespaces=_F, samples=({"shapes": ((2, 12, 20),), "output_size": (5, 6), "kernel_size": 2},), ulp=8)
def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """The sum of columns (N, C * KH * KW, windows) where their windows lie in (N, C, *output_size).

    Raises:
        ShapeError: if the columns are not those of ``output_size``.

    Example:
        >>> F.fold(tc.ones(4, 4), (3, 3), 2)
        tensor([[[1., 2., 1.],
                 [2., 4., 2.],
                 [1., 2., 1.]]])
    """
    size, kernel, spread, pads, step = _arguments(
        "fold", output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
    )
    if input.ndim not in (2, 3) or input.shape[-2] % math.prod(kernel):
        raise ShapeError(
            f"fold: expected (N, C * {math.prod(kernel)}, windows) or without the N, got shape {list(input.shape)}"
        )
    x = input if input.ndim == 3 else input.unsqueeze(0)
    padded = tuple(side + 2 * p for side, p in zip(size, pads, strict=True))
    counts = tuple(window_count(*each) for each in zip(padded, kernel, step, spread, strict=True))
    if min(counts) < 1 or math.prod(counts) != x.shape[2]:
        raise ShapeError(f"fold: output_size {list(size)} has {list(counts)} windows, input {x.shape[2]} columns")
    laid = x.reshape((x.shape[0], x.shape[1] // math.prod(kernel), *kernel, *counts))
    out = fold_windows.emit(laid, size=padded, kernel=kernel, stride=step, dilation=spread)
    out = embedded(out, [(-p, -p) for p in pads], (1, 1))
    return out if input.ndim == 3 else out.squeeze(0)


def _unpooled(
    op: str, ndim: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    kernel = spatial(op, "kernel_size", kernel_size, ndim)
    step = kernel if stride is None else spatial(op, "stride", stride, ndim)
    pads = spatial(op, "padding", padding, ndim)
    if ndim == 3 and min(step) <= 0:
        raise RangeError(f"{op}: stride must be positive, got {list(step)}")
    if indices.dtype is not int64 or indices.shape != input.shape:
        raise ShapeError(
            f"{op}: expected int64 indices of the shape of input, {list(input.shape)}; got {indices.dtype} of shape "
            f"{list(indices.shape)}"
        )
    x, alone = batched(op, input, ndim)
    smallest = [(side - 1) * s + k - 2 * p for side, k, s, p in zip(x.shape[2:], kernel, step, pads, strict=True)]
    size = smallest if output_size is None else [int(side) for side in output_size][-ndim:]
    for side, usual, s in zip(size, smallest, step, strict=True):
        if side < 0 or (output_size is not None and not usual - s < side < usual + s):
            raise ShapeError(f"{op}: output_size {size} is too far from {smallest}, what the windows cover")
    lead = tuple(x.shape[:2])
    zeros = full.emit(kind=x._kind, shape=(*lead, math.prod(size)), value=0.0 if x.is_floating_point() else 0)
    if 0 not in size:
        zeros = scatter(zeros, 2, indices.reshape((*lead, -1)), x.reshape((*lead, -1)))
    out = zeros.reshape((*lead, *size))
    return out.squeeze(0) if alone else out


@composite(namespaces=_F, operands=("input", "indices"))
def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """What `max_pool1d` found put back to its places, zeros elsewhere.

    Example:
        >>> values, indices = F.max_pool1d(tc.tensor([[1.0, 3.0, 4.0, 2.0]]), 2, return_indices=True)
        >>> F.max_unpool1d(values, indices, 2)
        tensor([[0., 3., 4., 0.]])
    """
    return _unpooled("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@composite(namespaces=_F, operands=("input", "indices"))
def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """What `max_pool2d` found put back to its places, zeros elsewhere.

    Example:
        >>> values, indices = F.max_pool2d(tc.tensor([[[1.0, 3.0], [4.0, 2.0]]]), (1, 2), return_indices=True)
        >>> F.max_unpool2d(values, indices, (1, 2))
        tensor([[[0., 3.],
                 [4., 0.]]])
    """
    return _unpooled("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@composite(namespaces=_F, operands=("input", "indices"))
def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """What `max_pool3d` found put back to its places, zeros elsewhere.

    Example:
        >>> values, indices = F.max_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), 2, return_indices=True)
        >>> F.max_unpool3d(values, indices, 2).flatten()
        tensor([0., 0., 0., 0., 0., 0., 0., 7.])
    """
    return _unpooled("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
