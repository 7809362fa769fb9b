"""Pooling to a given output size, by windows of nearly equal length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import int64
from tensorcore.errors import RangeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import tensor
from tensorcore.ops.indexing import gather
from tensorcore.ops.pooling import batched
from tensorcore.ops.pooling_expressions import avg_pool, max_pool, max_pool_with_places
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import argmax
from tensorcore.ops.rules import inexact
from tensorcore.ops.statistics import mean
from tensorcore.ops.windows import Ints, spatial

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_BOTH: Final = ("", "nn.functional")
_F: Final = ("nn.functional",)


def _target(op: str, output_size: Any, sides: Any) -> Ints:
    count = len(sides)
    if output_size is None:
        return tuple(sides)
    given = (output_size,) * count if hasattr(output_size, "__index__") else tuple(output_size)
    filled = (
        tuple(side if each is None else each for each, side in zip(given, sides, strict=False))
        if len(given) == count
        else given
    )
    sizes = spatial(op, "output_size", filled, count)
    if min(sizes) < 0:
        raise RangeError(f"{op}: output_size must not be negative, got {list(sizes)}")
    return sizes


def _bounds(side: int, count: int) -> list[tuple[int, int]]:
    """First and last + 1 of each of ``count`` windows that cover a side."""
    return [(i * side // count, -(-(i + 1) * side // count)) for i in range(count)]


def _even(sides: Any, sizes: Ints) -> dict[str, Ints] | None:
    """The windows as a plain pooling's, where all are of one length and lie side by side."""
    if 0 in sizes or any(side % size for side, size in zip(sides, sizes, strict=True)):
        return None
    kernel = tuple(side // size for side, size in zip(sides, sizes, strict=True))
    return {"kernel": kernel, "stride": kernel, "padding": (0,) * len(kernel), "counts": sizes}


def _gathered(x: Any, dim: int, bounds: list[tuple[int, int]]) -> tuple[Any, list[list[int]]]:
    """``x`` with ``dim`` as (windows, places of the longest); short windows repeat their last element."""
    longest = max(end - start for start, end in bounds)
    rows = [[min(start + k, end - 1) for k in range(longest)] for start, end in bounds]
    index = tensor([place for row in rows for place in row], dtype=int64, device=x.device)
    picked = x.index_select(dim, index)
    shape = tuple(x._array.shape)
    return picked.reshape((*shape[:dim], len(bounds), longest, *shape[dim + 1 :])), rows


def _average(op: str, ndim: int, input: Any, output_size: Any) -> Any:
    input, alone = batched(op, input, ndim, ndim)
    inexact(input.dtype, op)
    sides = input._array.shape[2:]
    sizes = _target(op, output_size, sides)
    even = _even(sides, sizes)
    if set(sizes) == {1}:
        out = mean.emit(input, dim=tuple(range(2, 2 + ndim)), keepdim=True)
    elif even is not None:
        out = avg_pool.emit(input, **even, include_pad=True, divisor=None)
    elif 0 in sizes:
        out = input.new_zeros((*input._array.shape[:2], *sizes)) + input.sum() * 0
    else:
        out = input
        for place, (side, size) in enumerate(zip(sides, sizes, strict=True)):
            if side != size:
                out = _average_along(out, 2 + place, _bounds(side, size))
    return out.squeeze(0) if alone else out


def _average_along(x: Any, dim: int, bounds: list[tuple[int, int]]) -> Any:
    laid, rows = _gathered(x, dim, bounds)
    kept = [[float(k < end - start) for k in range(len(rows[0]))] for start, end in bounds]
    tail = (1,) * (x.ndim - dim - 1)
    mask = tensor(kept, dtype=x.dtype, device=x.device).reshape((len(rows), len(rows[0]), *tail))
    lengths = tensor([float(end - start) for start, end in bounds], dtype=x.dtype, device=x.device).reshape((-1, *tail))
    return e.where(e.ne(mask, 0), laid, 0).sum(dim + 1) / lengths


def _largest(op: str, ndim: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    input, alone = batched(op, input, ndim, input.ndim - 1)
    sides = input._array.shape[2:]
    sizes = _target(op, output_size, sides)
    even = _even(sides, sizes)
    if even is not None:
        even["dilation"] = (1,) * ndim
        found = max_pool_with_places.emit(input, **even) if return_indices else (max_pool.emit(input, **even), None)
    elif 0 in sizes:
        empty = input.new_zeros((*input._array.shape[:2], *sizes))
        found = (empty + input.sum() * 0, empty.to(int64))
    else:
        found = _largest_unevenly(input, sides, sizes)
    values, indices = (None if x is None else x.squeeze(0) if alone else x for x in found)
    return (values, indices) if return_indices else values


def _largest_unevenly(input: Any, sides: Any, sizes: Ints) -> tuple[Any, Any]:
    laid = input
    tables: list[list[list[int]]] = []
    for place in reversed(range(len(sides))):
        laid, rows = _gathered(laid, 2 + place, _bounds(sides[place], sizes[place]))
        tables.insert(0, rows)
    # (N, C, windows, places, windows, places, ...) to (N, C, windows..., all places of a window).
    count = len(sides)
    order = (0, 1, *range(2, 2 + 2 * count, 2), *range(3, 3 + 2 * count, 2))
    lengths = [len(rows[0]) for rows in tables]
    flat = laid.permute(order).reshape((*input._array.shape[:2], *sizes, math.prod(lengths)))
    tap = argmax(flat, -1, True)
    values = gather(flat, flat.ndim - 1, tap).squeeze(-1)
    tap = tap.squeeze(-1)
    places = None
    for d, rows in enumerate(tables):
        at = e.remainder(e.floor_divide(tap, math.prod(lengths[d + 1 :])), lengths[d])
        first = tensor([row[0] for row in rows], dtype=int64, device=input.device).reshape(
            (-1,) + (1,) * (count - d - 1)
        )
        places = at + first if places is None else places * sides[d] + (at + first)
    return values, places


def _samples(ndim: int) -> Any:
    return ({"shapes": ((2, 3, *(6, 4, 4)[:ndim]),), "args": (2,)}, {"shapes": ((3, *(5, 7, 4)[:ndim]),), "args": (3,)})


@composite(namespaces=_BOTH, samples=_samples(1), ulp=8)
def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Averages of (N, C, L) or (C, L) over ``output_size`` windows.

    Raises:
        ShapeError: for fewer or more dimensions.

    Example:
        >>> F.adaptive_avg_pool1d(tc.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 3)
        tensor([[1.5000, 3.0000, 4.5000]])
    """
    return _average("adaptive_avg_pool1d", 1, input, output_size)


@composite(namespaces=_F, samples=_samples(2), ulp=8)
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Averages of (N, C, H, W) or (C, H, W) over ``output_size`` windows; None keeps a side.

    Raises:
        ShapeError: for fewer or more dimensions.

    Example:
        >>> F.adaptive_avg_pool2d(tc.arange(6.0).reshape(1, 2, 3), (1, None))
        tensor([[[1.5000, 2.5000, 3.5000]]])
    """
    return _average("adaptive_avg_pool2d", 2, input, output_size)


@composite(namespaces=_F, samples=_samples(3), ulp=8)
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Averages of (N, C, D, H, W) or (C, D, H, W) over ``output_size`` windows; None keeps a side.

    Raises:
        ShapeError: for fewer or more dimensions.

    Example:
        >>> F.adaptive_avg_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), (None, 1, 1)).flatten()
        tensor([1.5000, 5.5000])
    """
    return _average("adaptive_avg_pool3d", 3, input, output_size)


@composite(namespaces=_F, samples=_samples(1), ulp=0)
def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Largest elements of (N, C, L) or (C, L) over ``output_size`` windows; ``return_indices`` adds their places.

    Raises:
        ShapeError: for fewer or more dimensions.

    Example:
        >>> F.adaptive_max_pool1d(tc.tensor([[1.0, 5.0, 3.0, 4.0, 2.0]]), 2, return_indices=True)
        (tensor([[5., 4.]]), tensor([[1, 3]]))
    """
    return _largest("adaptive_max_pool1d", 1, input, output_size, return_indices)


@composite(namespaces=_F, samples=_samples(2), ulp=0)
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Largest elements of (N, C, H, W) or (C, H, W) over ``output_size`` windows; ``return_indices`` adds places.

    Raises:
        ShapeError: for fewer or more dimensions.

    Example:
        >>> F.adaptive_max_pool2d(tc.arange(12.0).reshape(1, 3, 4), (2, 1))
        tensor([[[ 7.],
                 [11.]]])
    """
    return _largest("adaptive_max_pool2d", 2, input, output_size, return_indices)


@composite(namespaces=_F, samples=_samples(3), ulp=0)
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Largest elements of (N, C, D, H, W) over ``output_size`` windows; ``return_indices`` adds their places.

    Raises:
        ShapeError: for fewer or more dimensions.

    Example:
        >>> F.adaptive_max_pool3d(tc.arange(8.0).reshape(1, 2, 2, 2), 1, return_indices=True)
        (tensor([[[[7.]]]]), tensor([[[[7]]]]))
    """
    return _largest("adaptive_max_pool3d", 3, input, output_size, return_indices)
