"""Images sampled at the points of a grid: `affine_grid` and `grid_sample`."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops.creation import ones, ramp, zeros
from tensorcore.ops.elementwise import abs, floor, where
from tensorcore.ops.elementwise import round as rounded
from tensorcore.ops.movement import cat, stack
from tensorcore.ops.precision import widened
from tensorcore.ops.ranges import linspace
from tensorcore.ops.record import composite
from tensorcore.ops.resampling import far_weight, near_weight
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
#: In the order of the numbers that `grid_sampler` takes.
_MODES: Final = ("bilinear", "nearest", "bicubic")
_PADDINGS: Final = ("zeros", "border", "reflection")


def _aligned(op: str, align_corners: bool | None) -> bool:
    if align_corners is None:
        warnings.warn(
            f"{op}: align_corners is False unless given; before PyTorch 1.3 it was True", UserWarning, stacklevel=3
        )
    return bool(align_corners)


# ------------------------------------------------------------------ grids from affine maps


@composite(namespaces=("",), samples=({"shapes": ((2, 2, 3),), "size": (2, 1, 3, 4), "align_corners": True},), ulp=16)
def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """`nn.functional.affine_grid` without its warnings.

    Example:
        >>> tc.affine_grid_generator(tc.eye(2, 3).unsqueeze(0), (1, 1, 1, 2), True)
        tensor([[[[-1.,  0.],
                  [ 1.,  0.]]]])
    """
    sides = tuple(size)
    count = len(sides) - 2
    if count not in (2, 3):
        raise NotImplementedError(f"affine_grid: size must be (N, C, H, W) or (N, C, D, H, W), got {list(sides)}")
    if theta.dtype.category != FLOATING:
        raise RangeError(f"affine_grid: theta must be of a floating-point dtype, got {theta.dtype}")
    if tuple(theta.shape) != (sides[0], count, count + 1):
        raise ShapeError(
            f"affine_grid: size {list(sides)} takes theta of shape {[sides[0], count, count + 1]}, got "
            f"{list(theta.shape)}"
        )
    if min(sides) <= 0:
        raise ShapeError(f"affine_grid: the sides must be positive, got {list(sides)}")
    # The last dimension of an image is the first coordinate.
    lines = [_line(side, align_corners, theta) for side in sides[2:]]
    shapes = [[-1 if d == place else 1 for d in range(count)] for place in range(count)]
    points = [line.reshape(shape).expand(sides[2:]) for line, shape in zip(lines, shapes, strict=True)]
    base = stack([*points[::-1], ones(sides[2:], dtype=theta.dtype, device=theta.device)], -1)
    return (base.reshape(1, -1, count + 1) @ theta.transpose(1, 2)).reshape((sides[0], *sides[2:], count))


def _line(side: int, align: bool, like: Any) -> Any:
    """Evenly spaced numbers from -1 to 1: the centres of the first and last element, or their outer edges."""
    if side == 1:
        return zeros(1, dtype=like.dtype, device=like.device)
    edge = 1.0 if align else (side - 1) / side
    return linspace(-edge, edge, side, dtype=like.dtype, device=like.device)


@composite(
    namespaces=_F, ulp=16,
    samples=(
        {"shapes": ((2, 2, 3),), "size": (2, 1, 3, 4), "align_corners": False},
        {"shapes": ((2, 3, 4),), "size": (2, 1, 3, 1, 2), "align_corners": True},
    ),
)  # fmt: skip
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The points, for `grid_sample`, to which affine maps (N, 2, 3) take those of an image of ``size`` (N, C, H, W).

    Maps (N, 3, 4) take volumes (N, C, D, H, W). Coordinates go from -1 to 1, between the centres of the outermost
    elements with ``align_corners``, else between their edges.

    Raises:
        ValueError: if theta is no batch of such maps or the size is not positive.

    Example:
        >>> tc.nn.functional.affine_grid(tc.eye(2, 3).unsqueeze(0), (1, 1, 1, 2), align_corners=False)
        tensor([[[[-0.5000,  0.0000],
                  [ 0.5000,  0.0000]]]])
    """
    if align_corners and 1 in tuple(size)[2:]:
        warnings.warn("affine_grid: with align_corners a side of 1 lies at 0, its centre", UserWarning, stacklevel=2)
    return affine_grid_generator(theta, size, _aligned("affine_grid", align_corners))


# ------------------------------------------------------------------ sampling


def _clipped(x: Any, top: float) -> Any:
    """``x`` within 0 and ``top``, without gradient from these on; NaN gives 0."""
    return where(x > 0, where(x < top, x, float(top)), 0.0)


def _reflected(x: Any, side: int, align: bool) -> Any:
    """``x`` thrown back and forth between the centres of the outermost elements, or between their edges."""
    low, span = (0.0, side - 1) if align else (-0.5, side)
    if span == 0:
        return x * 0.0
    away = abs(x - low)
    rest = away % span
    return where(floor(away / span) % 2 == 0, rest, span - rest) + low


def _padded(x: Any, side: int, padding: str, align: bool) -> Any:
    """Coordinates outside brought inside, but for zeros."""
    if padding == "zeros":
        return x
    return _clipped(_reflected(x, side, align) if padding == "reflection" else x, side - 1)


def _taps(x: Any, side: int, mode: str, padding: str, align: bool) -> list[tuple[Any, Any]]:
    """Along one dimension: the places, as floats, that a coordinate is interpolated from, and their weights."""
    x = (x + 1) * ((side - 1) / 2) if align else (x + 1) * (side / 2) - 0.5
    if mode == "nearest":
        # A weight of 1 that has a gradient of 0, as in PyTorch.
        weight = where(ones(x.shape, dtype=bool, device=x.device), 1.0, x) if x.requires_grad else None
        return [(rounded(_padded(x.detach(), side, padding, align)), weight)]
    if mode == "bilinear":
        x = _padded(x, side, padding, align)
        low = floor(x.detach())
        share = x - low
        return [(low, 1 - share), (low + 1, share)]
    low = floor(x.detach())
    t = x - low
    weights = (far_weight(t + 1), near_weight(t), near_weight(1 - t), far_weight(2 - t))
    return [(_padded(low + k, side, padding, align), weight) for k, weight in zip((-1, 0, 1, 2), weights, strict=True)]


_CASES: Final = tuple(
    {"shapes": ((2, 3, 4, 5), (2, 3, 2, 2)), "domains": (None, (-1.4, 1.4)), "mode": mode, "padding": padding,
     "align": align}
    for (mode, padding), align in zip(itertools.product(_MODES, _PADDINGS), itertools.cycle((False, True)))
)  # fmt: skip
_VOLUME: Final = {
    "shapes": ((2, 2, 3, 4, 2), (2, 2, 2, 1, 3)), "domains": (None, (-1.4, 1.4)), "mode": "bilinear",
    "padding": "reflection", "align": True,
}  # fmt: skip


@composite(rule=inexact, namespaces=(), ulp=64, samples=(_CASES[0], _VOLUME, *_CASES[1:]))
def grid_values(input: Tensor, grid: Tensor, *, mode: str, padding: str, align: bool) -> Tensor:
    """The values of images (N, C, *sides) at the points (N, *points, len(sides)) of a grid, as (N, C, *points)."""
    return grid_values.emit(input, grid, mode=mode, padding=padding, align=align)


@grid_values.expression
@widened
def _grid_values(input: Any, grid: Any, *, mode: str, padding: str, align: bool) -> Any:
    batch, channels, *sides = input.shape
    points = tuple(grid.shape[1:-1])
    count = batch * math.prod(points)
    flat = grid.reshape(count, len(sides))
    # The last dimension of an image is the first coordinate.
    axes = [_taps(flat[:, -1 - place], side, mode, padding, align) for place, side in enumerate(sides)]
    # A row of channels for each element of the images, and one of zeros for all that lies outside.
    rows = input.movedim(1, -1).reshape(-1, channels)
    rows = cat([rows, zeros(1, channels, dtype=input.dtype, device=input.device)])
    area = math.prod(sides)
    first = ramp(0, area, batch, int64, input.device).reshape(batch, 1).expand(batch, math.prod(points)).reshape(-1)
    total: Any = None
    for taps in itertools.product(*axes):
        place, inside, weight = None, None, None
        for (at, share), side in zip(taps, sides, strict=True):
            index = _clipped(at, side - 1).to(int64)
            within = (at >= 0) & (at <= side - 1)
            place = index if place is None else place * side + index
            inside = within if inside is None else inside & within
            weight = share if weight is None else weight * share
        values = rows[where(inside, place + first, batch * area)]
        values = values if weight is None else values * weight.unsqueeze(1)
        total = values if total is None else total + values
    return total.reshape((batch, *points, channels)).movedim(-1, 1).contiguous()


@composite(namespaces=("",), ulp=64, samples=({"shapes": ((2, 3, 4, 5), (2, 3, 2, 2)), "args": (0, 0, True)},))
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:  # fmt: skip
    """`nn.functional.grid_sample` with its modes by number: bilinear, nearest, bicubic; zeros, border, reflection.

    Example:
        >>> tc.grid_sampler(tc.arange(4.0).reshape(1, 1, 2, 2), tc.zeros(1, 1, 1, 2), 0, 0, True)
        tensor([[[[1.5000]]]])
    """
    for name, number in (("interpolation_mode", interpolation_mode), ("padding_mode", padding_mode)):
        if number not in (0, 1, 2):
            raise RangeError(f"grid_sample: {name} must be 0, 1 or 2, got {number!r}")
    inexact(input.dtype, "grid_sample")
    if grid.dtype is not input.dtype:
        raise DTypeError(f"grid_sample: input and grid must have one dtype, got {input.dtype} and {grid.dtype}")
    shapes = f"got input of shape {list(input.shape)} and grid of shape {list(grid.shape)}"
    count = input.ndim - 2
    if count not in (2, 3):
        raise ShapeError(f"grid_sample: expected input (N, C, H, W) or (N, C, D, H, W), {shapes}")
    if grid.ndim != input.ndim or grid.shape[-1] != count:
        raise ShapeError(f"grid_sample: expected a grid of {input.ndim} dimensions, the last of side {count}, {shapes}")
    if grid.shape[0] != input.shape[0]:
        raise ShapeError(f"grid_sample: the batches must agree, {shapes}")
    if 0 in input.shape[2:]:
        raise ShapeError(f"grid_sample: the images must not be empty, {shapes}")
    mode = _MODES[interpolation_mode]
    if mode == "bicubic" and count == 3:
        raise ShapeError(f"grid_sample: mode 'bicubic' takes images (N, C, H, W), {shapes}")
    return grid_values.emit(input, grid, mode=mode, padding=_PADDINGS[padding_mode], align=bool(align_corners))


@composite(
    namespaces=_F, ulp=64,
    samples=(
        {"shapes": ((2, 3, 4, 5), (2, 3, 2, 2)), "domains": (None, (-1.4, 1.4)), "align_corners": False},
        {"shapes": ((1, 2, 3, 4, 2), (1, 2, 2, 1, 3)), "mode": "nearest", "padding_mode": "border",
         "align_corners": True},
    ),
)  # fmt: skip
def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """The values of images (N, C, H, W) at the points (N, H', W', 2) of a grid, as (N, C, H', W'); volumes likewise.

    A point is (x, y), each from -1 to 1: the centres of the outermost elements with ``align_corners``, else their
    edges. ``mode`` is "bilinear", "nearest" or, for images, "bicubic"; outside, the image is "zeros", goes on as at its
    "border", or by "reflection".

    Raises:
        ValueError: for another mode, or shapes that do not fit.

    Example:
        >>> image = tc.arange(4.0).reshape(1, 1, 2, 2)
        >>> tc.nn.functional.grid_sample(image, tc.tensor([[[[-1.0, -1.0], [1.0, 0.0]]]]), align_corners=True)
        tensor([[[[0., 2.]]]])
    """
    for name, given, known in (("mode", mode, _MODES), ("padding_mode", padding_mode, _PADDINGS)):
        if given not in known:
            raise RangeError(f"grid_sample: {name} must be one of {', '.join(map(repr, known))}, got {given!r}")
    align = _aligned("grid_sample", align_corners)
    return grid_sampler(input, grid, _MODES.index(mode), _PADDINGS.index(padding_mode), align)
