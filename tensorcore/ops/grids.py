"""Images sampled at the points of a grid: `affine_grid` and `grid_sample`."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import ones, ramp, zeros
from tensorcore.ops.movement import cat, stack
from tensorcore.ops.precision import widened
from tensorcore.ops.ranges import linspace
from tensorcore.ops.record import composite
from tensorcore.ops.resampling import far_slope, far_weight, near_slope, near_weight
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


# ------------------------------------------------------------------ places and weights

# These take `xp`, where the functions are found: this package's `elementwise`, or NumPy for the kernels on cpu.


def _clipped(xp: Any, x: Any, top: float) -> Any:
    """``x`` within 0 and ``top``; NaN gives 0."""
    return xp.where(x > 0, xp.where(x < top, x, float(top)), 0.0)


def _reflected(xp: Any, x: Any, side: int, align: bool) -> tuple[Any, Any]:
    """``x`` thrown back and forth between the centres of the outermost elements, or their edges; and the slope."""
    low, span = (0.0, side - 1) if align else (-0.5, side)
    if span == 0:
        return x * 0.0, x * 0.0
    away = xp.abs(x - low)
    rest, forward = away % span, xp.floor(away / span) % 2 == 0
    return xp.where(forward, rest, span - rest) + low, xp.where(forward == (x >= low), 1.0, -1.0)


def _padded(xp: Any, x: Any, side: int, padding: str, align: bool) -> Any:
    """Coordinates outside brought inside, but for zeros."""
    if padding == "zeros":
        return x
    return _clipped(xp, _reflected(xp, x, side, align)[0] if padding == "reflection" else x, side - 1)


def _placed(x: Any, side: int, align: bool) -> Any:
    """Coordinates from -1 to 1 as places from 0 to ``side - 1``."""
    return (x + 1) * ((side - 1) / 2) if align else (x + 1) * (side / 2) - 0.5


def taps(xp: Any, x: Any, side: int, mode: str, padding: str, align: bool) -> list[tuple[Any, Any, Any]]:
    """What coordinates are interpolated from along one dimension: index, whether it is inside, and weight (or None)."""
    x = _placed(x, side, align)
    if mode == "bicubic":
        low = xp.floor(x)
        t = x - low
        weights: Any = (far_weight(t + 1), near_weight(t), near_weight(1 - t), far_weight(2 - t))
        places = [_padded(xp, low + k, side, padding, align) for k in (-1, 0, 1, 2)]
    else:
        x = _padded(xp, x, side, padding, align)
        low = xp.floor(x) if mode == "bilinear" else xp.round(x)
        places, weights = ([low, low + 1], (1 - (x - low), x - low)) if mode == "bilinear" else ([low], (None,))
    return [
        (_whole(_clipped(xp, place, side - 1)), (place >= 0) & (place <= side - 1), weight)
        for place, weight in zip(places, weights, strict=True)
    ]


def slopes(xp: Any, x: Any, side: int, mode: str, padding: str, align: bool) -> list[Any]:
    """The derivatives of the weights of `taps` by the coordinates."""
    scale = (side - 1) / 2 if align else side / 2
    x = _placed(x, side, align)
    if mode == "bicubic":
        t = x - xp.floor(x)
        return [far_slope(t + 1) * scale, near_slope(t) * scale, near_slope(1 - t) * -scale, far_slope(2 - t) * -scale]
    slope: Any = scale
    if padding != "zeros":
        x, turn = _reflected(xp, x, side, align) if padding == "reflection" else (x, 1.0)
        slope = xp.where((x > 0) & (x < side - 1), scale * turn, 0.0)
    return [-slope, slope]


def corners(xp: Any, axes: Sequence[Any], sides: Sequence[int], images: Any, outside: int) -> Iterator[Any]:
    """For each choice of a tap along each dimension: its numbers, the flat index, and the product of the weights.

    The index is that of an element of ``images``, by number, or ``outside``.
    """

    def descend(dim: int, choice: tuple[int, ...], place: Any, inside: Any, weight: Any) -> Iterator[Any]:
        if dim == len(axes):
            yield choice, xp.where(inside, place, outside), weight
            return
        place = place * sides[dim]
        for number, (index, within, share) in enumerate(axes[dim]):
            yield from descend(
                dim + 1, (*choice, number), place + index, within if inside is None else inside & within,
                share if weight is None else weight * share,
            )  # fmt: skip

    return descend(0, (), images, None, None)


def _whole(x: Any) -> Any:
    """Numbers as indices: float32 tells no elements of an image apart beyond 2**24."""
    return x.to(int64) if hasattr(x, "_kind") else x.astype("int64")


def product_without(axes: list[list[tuple[Any, Any, Any]]], choice: Sequence[int], dim: int) -> Any:
    """The product of the weights along all dimensions but ``dim``."""
    others = [axis[number][2] for place, (axis, number) in enumerate(zip(axes, choice, strict=True)) if place != dim]
    return math.prod(others[1:], start=others[0])


# ------------------------------------------------------------------ sampling


def _rows(x: Any) -> Any:
    """A row of channels for each element of (N, C, *sides)."""
    return x.movedim(1, -1).reshape(-1, x.shape[1])


def _axes(grid: Any, sides: Sequence[int], mode: str, padding: str, align: bool) -> tuple[Any, Any, Any]:
    """Points by dimension of the image, the taps of each, and the numbers of their images."""
    count = math.prod(grid.shape[1:-1])
    # The last dimension of an image is the first coordinate.
    flat = grid.reshape(-1, len(sides))
    points = [flat[:, -1 - place] for place in range(len(sides))]
    images = ramp(0, 1, grid.shape[0], int64, grid.device).reshape(-1, 1)
    laid = [taps(e, x, side, mode, padding, align) for x, side in zip(points, sides, strict=True)]
    return points, laid, images.expand(grid.shape[0], count).reshape(-1)


_CASES: Final = tuple(
    {"mode": mode, "padding": padding, "align": align}
    for (mode, padding), align in zip(itertools.product(_MODES, _PADDINGS), itertools.cycle((False, True)))
)
_IMAGES: Final = ((2, 3, 4, 5), (2, 3, 2, 2), (2, 3, 3, 2))
_VOLUMES: Final = ((2, 2, 3, 4, 2), (2, 2, 2, 1, 3), (2, 2, 2, 2, 1))


def _cases(images: Sequence[str], **more: Any) -> tuple[dict[str, Any], ...]:
    """Cases whose operands are images, grids and values at the points, in the order of their names."""
    place = {"image": 0, "grid": 1, "values": 2}
    domains = tuple((-1.4, 1.4) if name == "grid" else None for name in images)
    plain = {"shapes": tuple(_IMAGES[place[name]] for name in images), "domains": domains}
    deep = {"shapes": tuple(_VOLUMES[place[name]] for name in images), "domains": domains, **_CASES[2]}
    shown = [dict.fromkeys(more, shape[2:]) for shape in (_IMAGES[0], _VOLUMES[0])]
    return ({**plain, **shown[0], **_CASES[0]}, {**deep, **shown[1]}, *({**plain, **shown[0], **c} for c in _CASES[1:]))


@composite(
    rule=inexact, namespaces=(), ulp=64, samples=_cases(("image", "grid")), shown="GridSamplerBackward0",
    vjp=(
        lambda g, input_shape, grid, mode, padding, align: grid_image_gradient.emit(
            g, grid, sides=tuple(input_shape[2:]), mode=mode, padding=padding, align=align
        ),
        lambda g, input, grid, mode, padding, align: grid_point_gradient.emit(
            g, input, grid, mode=mode, padding=padding, align=align
        ),
    ),
)  # fmt: skip
def grid_values(input: Tensor, grid: Tensor, *, mode: str, padding: str, align: bool) -> Tensor:
    """The values of images (N, C, *sides) at the points (N, *points, len(sides)) of a grid, as (N, C, *points)."""
    return grid_values.emit(input, grid, mode=mode, padding=padding, align=align)


@grid_values.expression
@widened
def _grid_values(input: Any, grid: Any, *, mode: str, padding: str, align: bool) -> Any:
    batch, channels, *sides = input.shape
    _, axes, images = _axes(grid, sides, mode, padding, align)
    # One more row, of zeros, stands for all that lies outside.
    rows = cat([_rows(input), zeros(1, channels, dtype=input.dtype, device=input.device)])
    total: Any = None
    for _, index, weight in corners(e, axes, sides, images, rows.shape[0] - 1):
        values = rows[index] if weight is None else rows[index] * weight.unsqueeze(1)
        total = values if total is None else total + values
    return total.reshape((batch, *grid.shape[1:-1], channels)).movedim(-1, 1).contiguous()


@composite(
    rule=inexact, namespaces=(), ulp=64, samples=_cases(("values", "grid"), sides=True),
    vjp=(
        lambda g, grid, mode, padding, align: grid_values.emit(g, grid, mode=mode, padding=padding, align=align),
        lambda g, grad, grid, mode, padding, align: grid_point_gradient.emit(
            grad, g, grid, mode=mode, padding=padding, align=align
        ),
    ),
)  # fmt: skip
def grid_image_gradient(
    grad: Tensor, grid: Tensor, *, sides: tuple[int, ...], mode: str, padding: str, align: bool
) -> Tensor:  # fmt: skip
    """Gradient of `grid_values` with respect to its input, of these sides."""
    return grid_image_gradient.emit(grad, grid, sides=sides, mode=mode, padding=padding, align=align)


@grid_image_gradient.expression
@widened
def _grid_image_gradient(grad: Any, grid: Any, *, sides: Any, mode: str, padding: str, align: bool) -> Any:
    batch, channels = grad.shape[:2]
    _, axes, images = _axes(grid, sides, mode, padding, align)
    rows, area = _rows(grad), batch * math.prod(sides)
    total = zeros(area + 1, channels, dtype=grad.dtype, device=grad.device)
    for _, index, weight in corners(e, axes, sides, images, area):
        total = total.index_add(0, index, rows if weight is None else rows * weight.unsqueeze(1))
    return total[:area].reshape((batch, *sides, channels)).movedim(-1, 1).contiguous()


@composite(rule=inexact, namespaces=(), ulp=64, samples=_cases(("values", "image", "grid")))
def grid_point_gradient(grad: Tensor, input: Tensor, grid: Tensor, *, mode: str, padding: str, align: bool) -> Tensor:
    """Gradient of `grid_values` with respect to its grid."""
    return grid_point_gradient.emit(grad, input, grid, mode=mode, padding=padding, align=align)


@grid_point_gradient.expression
@widened
def _grid_point_gradient(grad: Any, input: Any, grid: Any, *, mode: str, padding: str, align: bool) -> Any:
    if mode == "nearest":
        return zeros(grid.shape, dtype=grid.dtype, device=grid.device)
    channels, *sides = input.shape[1:]
    points, axes, images = _axes(grid, sides, mode, padding, align)
    steep = [slopes(e, x, side, mode, padding, align) for x, side in zip(points, sides, strict=True)]
    rows = cat([_rows(input), zeros(1, channels, dtype=input.dtype, device=input.device)])
    grads, totals = _rows(grad), [zeros(1, dtype=grad.dtype, device=grad.device)] * len(sides)
    for choice, index, _ in corners(e, axes, sides, images, rows.shape[0] - 1):
        along = (grads * rows[index]).sum(1)
        for dim, number in enumerate(choice):
            totals[dim] = totals[dim] + along * steep[dim][number] * product_without(axes, choice, dim)
    return stack(totals[::-1], -1).reshape(grid.shape)


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
