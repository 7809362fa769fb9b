"""Images and signals resized: nearest, linear, cubic, by Lanczos' filter and by area."""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, float32, int64, uint8
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.adaptive_pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from tensorcore.ops.creation import tensor
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
#: How many dimensions each mode resizes; ``None``: any.
_MODES: Final = {
    "nearest": None, "nearest-exact": None, "area": None, "linear": 1, "bilinear": 2, "bicubic": 2, "lanczos": 2,
    "trilinear": 3,
}  # fmt: skip
_PLAIN: Final = ("nearest", "nearest-exact", "area")
#: How far each smoothing filter reaches, in elements of the larger side.
_REACH: Final = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}
#: Keys' cubic convolution with the coefficient PyTorch uses.
_CUBIC: Final = -0.75


def _single(x: float) -> float:
    """``x`` rounded to float32, in which PyTorch counts nearest places whatever the dtype."""
    return float(struct.unpack("f", struct.pack("f", x))[0])


def _source(i: int, scale: float, align: bool, cubic: bool) -> float:
    if align:
        return i * scale
    place = (i + 0.5) * scale - 0.5
    return place if cubic else max(place, 0.0)


def _linear(side: int, out: int, scale: float, align: bool) -> tuple[list[list[int]], list[list[float]]]:
    places = [_source(i, scale, align, False) for i in range(out)]
    low = [min(int(place), side - 1) for place in places]
    high = [min(place + 1, side - 1) for place in low]
    share = [place - start for place, start in zip(places, low, strict=True)]
    return [low, high], [[1 - s for s in share], share]


def near_weight(t: Any) -> Any:
    """The weight in cubic interpolation of an element at distance ``t`` up to 1, a number or a tensor."""
    return ((_CUBIC + 2) * t - (_CUBIC + 3)) * t * t + 1


def far_weight(t: Any) -> Any:
    """The weight of an element at distance ``t`` from 1 to 2."""
    return ((_CUBIC * t - 5 * _CUBIC) * t + 8 * _CUBIC) * t - 4 * _CUBIC


def near_slope(t: Any) -> Any:
    """The derivative of `near_weight`."""
    return (3 * (_CUBIC + 2) * t - 2 * (_CUBIC + 3)) * t


def far_slope(t: Any) -> Any:
    """The derivative of `far_weight`."""
    return (3 * _CUBIC * t - 10 * _CUBIC) * t + 8 * _CUBIC


def _cubic(side: int, out: int, scale: float, align: bool) -> tuple[list[list[int]], list[list[float]]]:
    places = [_source(i, scale, align, True) for i in range(out)]
    start = [math.floor(place) for place in places]
    share = [place - floor for place, floor in zip(places, start, strict=True)]
    taps = [[min(max(floor + k, 0), side - 1) for floor in start] for k in (-1, 0, 1, 2)]
    weights = [
        [far_weight(t + 1) for t in share],
        [near_weight(t) for t in share],
        [near_weight(1 - t) for t in share],
        [far_weight(2 - t) for t in share],
    ]
    return taps, weights


def _smoothed(side: int, out: int, scale: float, mode: str) -> tuple[list[list[int]], list[list[float]]]:
    """Taps and weights of a filter widened by the scale when shrinking, so that no element is skipped."""
    support = _REACH[mode] * max(scale, 1.0)
    starts, rows = [], []
    for i in range(out):
        center = scale * (i + 0.5)
        first, last = max(int(center - support + 0.5), 0), min(int(center + support + 0.5), side)
        row = [_filter(abs((j - center + 0.5) / max(scale, 1.0)), mode) for j in range(first, last)]
        total = sum(row)
        starts.append(first)
        rows.append([weight / total for weight in row] if total else row)
    # Rows near the ends are shorter: their last taps weigh nothing.
    longest = max(map(len, rows))
    taps = [[min(first + k, side - 1) for first in starts] for k in range(longest)]
    return taps, [[row[k] if k < len(row) else 0.0 for row in rows] for k in range(longest)]


def _filter(t: float, mode: str) -> float:
    if mode == "bilinear":
        return max(1 - t, 0.0)
    if mode == "lanczos":
        # The sinc, windowed by one three times as wide: Duchon, Lanczos filtering in one and two dimensions, 1979.
        x = math.pi * t
        return 1.0 if t == 0 else 3 * math.sin(x) * math.sin(x / 3) / (x * x) if t < 3 else 0.0
    # The smoothing filter has the coefficient of Pillow, not that of plain cubic resizing.
    a = -0.5
    if t < 1:
        return ((a + 2) * t - (a + 3)) * t * t + 1
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a if t < 2 else 0.0


@lru_cache(maxsize=256)
def resampling_taps(
    side: int, out: int, mode: str, scale: float, align: bool, antialias: bool
) -> tuple[list[list[int]], list[list[float]]]:
    """For each tap, which element of a side each of ``out`` elements takes, and how much it weighs."""
    if antialias:
        return _smoothed(side, out, scale, mode)
    return (_cubic if mode == "bicubic" else _linear)(side, out, scale, align)


_HALVED: Final = {"mode": "bilinear", "scale": 1.7, "align": False, "antialias": False}
_WIDE: Final = {"mode": "lanczos", "scale": 0.6, "align": False, "antialias": True}
_SMOOTHED: Final = {"mode": "bicubic", "scale": 1.7, "align": False, "antialias": True}


@composite(
    rule=inexact, namespaces=(), ulp=32,
    samples=({"shapes": ((2, 3, 6, 5),), "dim": 2, "size": 3, **_HALVED},
             {"shapes": ((2, 3, 5, 6),), "dim": 3, "size": 3, **_SMOOTHED},
             {"shapes": ((2, 3, 5, 6),), "dim": 3, "size": 10, **_WIDE}),
    vjp=lambda g, input_shape, dim, mode, scale, align, antialias: resampled_gradient.emit(
        g, dim=dim, size=input_shape[dim], mode=mode, scale=scale, align=align, antialias=antialias),
)  # fmt: skip
def resampled(input: Tensor, *, dim: int, size: int, mode: str, scale: float, align: bool, antialias: bool) -> Tensor:
    """``input`` with side ``size`` in ``dim``: each element the sum of some old ones, weighted by `resampling_taps`."""
    return resampled.emit(input, dim=dim, size=size, mode=mode, scale=scale, align=align, antialias=antialias)


def _shared(x: Any, dim: int, share: list[float]) -> Any:
    """``x`` with element i along ``dim`` times ``share[i]``."""
    return x * tensor(share, dtype=x.dtype, device=x.device).reshape((-1, *(1,) * (x.ndim - dim - 1)))


@resampled.expression
def _resampled(
    input: Any, *, dim: int, size: int, mode: str, scale: float, align: bool, antialias: bool
) -> Any:  # fmt: skip
    total = None
    for tap, share in zip(*resampling_taps(input.shape[dim], size, mode, scale, align, antialias), strict=True):
        part = _shared(input.index_select(dim, tensor(tap, dtype=int64, device=input.device)), dim, share)
        total = part if total is None else total + part
    return total


@composite(
    rule=inexact, namespaces=(), ulp=32,
    samples=({"shapes": ((2, 3, 3, 5),), "dim": 2, "size": 6, **_HALVED},
             {"shapes": ((2, 3, 5, 3),), "dim": 3, "size": 6, **_SMOOTHED}),
    vjp=lambda g, grad_shape, dim, mode, scale, align, antialias: resampled.emit(
        g, dim=dim, size=grad_shape[dim], mode=mode, scale=scale, align=align, antialias=antialias),
)  # fmt: skip
def resampled_gradient(
    grad: Tensor, *, dim: int, size: int, mode: str, scale: float, align: bool, antialias: bool
) -> Tensor:  # fmt: skip
    """Gradient of `resampled` with respect to an input of side ``size`` in ``dim``."""
    return resampled_gradient.emit(grad, dim=dim, size=size, mode=mode, scale=scale, align=align, antialias=antialias)


@resampled_gradient.expression
def _resampled_gradient(
    grad: Any, *, dim: int, size: int, mode: str, scale: float, align: bool, antialias: bool
) -> Any:  # fmt: skip
    shape = tuple(grad.shape)
    total = grad.new_zeros((*shape[:dim], size, *shape[dim + 1 :]))
    for tap, share in zip(*resampling_taps(size, shape[dim], mode, scale, align, antialias), strict=True):
        total = total.index_add(dim, tensor(tap, dtype=int64, device=grad.device), _shared(grad, dim, share))
    return total


@lru_cache(maxsize=256)
def nearest_places(side: int, out: int, scale: float, exact: bool) -> list[int]:
    """Which element of a side each of ``out`` elements is; with ``exact`` the one nearest to its middle."""
    scale = _single(scale)
    shift = 0.5 if exact else 0.0
    return [min(int(_single((i + shift) * scale)), side - 1) for i in range(out)]


def _index(like: Any, *facts: Any) -> Any:
    return tensor(nearest_places(*facts), dtype=int64, device=like.device)


@composite(
    namespaces=(), ulp=0,
    samples=({"shapes": ((2, 3, 4, 5),), "dim": 3, "size": 7, "scale": 5 / 7, "exact": False},
             {"shapes": ((2, 3, 6),), "dim": 2, "size": 4, "scale": 1.5, "exact": True}),
    vjp=lambda g, input_shape, dim, size, scale, exact: g.new_zeros(tuple(input_shape)).index_add(
        dim, _index(g, input_shape[dim], size, scale, exact), g),
)  # fmt: skip
def resampled_nearest(input: Tensor, *, dim: int, size: int, scale: float, exact: bool) -> Tensor:
    """``input`` with side ``size`` in ``dim``: each element the one that `nearest_places` names."""
    return resampled_nearest.emit(input, dim=dim, size=size, scale=scale, exact=exact)


@resampled_nearest.expression
def _resampled_nearest(input: Any, *, dim: int, size: int, scale: float, exact: bool) -> Any:
    return input.index_select(dim, _index(input, input.shape[dim], size, scale, exact))


def _rounded(x: Any) -> Any:
    """The nearest bytes, halves upwards."""
    return (x + 0.5).floor().clamp(0, 255)


def _told(given: Any) -> Any:
    """A size or factor, or some, as what can be looked up."""
    return tuple(given) if isinstance(given, list) else given


@lru_cache(maxsize=1024)
def _plan(
    shape: tuple[int, ...], size: Any, scale_factor: Any, mode: str, align: bool | None, recompute: bool | None,
    antialias: bool,
) -> tuple[tuple[int, ...], tuple[tuple[int, int, float], ...]]:  # fmt: skip
    """The new sides, and the steps: dimension, new side, elements of the old side for one of the new.

    Raises:
        NotImplementedError, ShapeError, RangeError: as `interpolate`.
    """
    if mode not in _MODES:
        raise NotImplementedError(f"interpolate: mode must be one of {', '.join(map(repr, _MODES))}, got {mode!r}")
    if mode in _PLAIN and align is not None:
        raise RangeError(f"interpolate: align_corners has no meaning for mode {mode!r}")
    count = len(shape) - 2
    if isinstance(size, tuple) and len(size) != count:
        raise ShapeError(
            f"interpolate: expected a size for each side of an input (N, C, *sides), got size={list(size)} and input "
            f"of shape {list(shape)}"
        )
    if (size is None) == (scale_factor is None):
        raise RangeError("interpolate: exactly one of size and scale_factor must be given")
    if size is not None and recompute:
        raise RangeError("interpolate: recompute_scale_factor is meaningless with size")
    if isinstance(scale_factor, tuple) and len(scale_factor) != count:
        raise RangeError(
            f"interpolate: scale_factor has {len(scale_factor)} numbers; input of shape {list(shape)} needs {count}"
        )
    if antialias and (mode not in _REACH or count != 2):
        raise RangeError(
            f"interpolate: antialias needs images (N, C, H, W) and a mode of {', '.join(map(repr, _REACH))}, got "
            f"{mode!r} and shape {list(shape)}"
        )
    if count not in (1, 2, 3) or _MODES[mode] not in (None, count):
        raise NotImplementedError(f"interpolate: mode {mode!r} does not resize an input of shape {list(shape)}")
    if mode == "lanczos" and (align or not antialias):
        raise RangeError(
            "interpolate: mode 'lanczos' takes antialias=True and align_corners=False, got "
            f"{antialias=}, align_corners={align}"
        )
    if 0 in shape[1:]:
        raise ShapeError(f"interpolate: only the batch may be empty, got input of shape {list(shape)}")
    sizes, factors = _sizes(shape, size, scale_factor, recompute)
    steps = []
    for place, new in reversed(list(enumerate(sizes))):
        side = shape[2 + place]
        if align:
            scale = (side - 1) / (new - 1) if new > 1 else 0.0
        else:
            scale = side / new if factors is None else 1 / factors[place]
        # PyTorch's linear modes keep a dimension whose side stays, whatever its scale.
        if side != new or (scale != 1 and (antialias or not mode.endswith("linear"))):
            steps.append((2 + place, new, float(scale)))
    return sizes, tuple(steps)


def _sizes(shape: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool | None) -> tuple[tuple[int, ...], Any]:
    count = len(shape) - 2
    factors = None
    if size is not None:
        sizes = size if isinstance(size, tuple) else (size,) * count
    else:
        factors = scale_factor if isinstance(scale_factor, tuple) else (scale_factor,) * count
        sizes = tuple(math.floor(side * float(f)) for side, f in zip(shape[2:], factors, strict=True))
    if not all(hasattr(side, "__index__") for side in sizes):
        raise TypeError(f"interpolate: size must be an int or ints, got {size!r}")
    if any(int(side) <= 0 for side in sizes):
        raise ShapeError(
            f"interpolate: output sides must be positive, got {list(sizes)} for input of shape {list(shape)}"
        )
    return tuple(int(side) for side in sizes), None if recompute else factors


@composite(
    namespaces=_F,
    ulp=32,
    samples=(
        {"shapes": ((2, 3, 4, 5),), "scale_factor": 2.0},
        {"shapes": ((2, 3, 4, 5),), "size": (7, 3), "mode": "bilinear"},
        {"shapes": ((2, 3, 4, 5),), "size": (7, 3), "mode": "bicubic", "align_corners": True},
        {"shapes": ((2, 3, 6),), "size": 4, "mode": "linear"},
        {"shapes": ((2, 3, 4, 5),), "size": (3, 9), "mode": "lanczos", "antialias": True},
    ),
)
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(N, C, *sides) resized to ``size`` or by ``scale_factor``.

    ``mode`` is one of ``"nearest"``, ``"nearest-exact"``, ``"linear"``, ``"bilinear"``, ``"bicubic"``,
    ``"trilinear"``, ``"lanczos"`` and ``"area"``.

    Args:
        size, scale_factor: the new sides, or the factors of the old ones; one number, or one for each side.
        align_corners: whether the outermost elements keep their places, for linear and cubic modes.
        recompute_scale_factor: whether the factors are those of the rounded sizes rather than as given.
        antialias: whether to widen the filter when shrinking, for ``"bilinear"`` and ``"bicubic"``; ``"lanczos"`` does.

    Raises:
        NotImplementedError: if ``mode`` does not fit the dimensions.
        ShapeError: if ``size`` does not.
        RangeError: for arguments that do not go together.

    Example:
        >>> x = tc.tensor([[[1.0, 3.0]]])
        >>> F.interpolate(x, 4), F.interpolate(x, scale_factor=2, mode="linear")
        (tensor([[[1., 1., 3., 3.]]]), tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]]))
        >>> F.interpolate(x, 4, mode="linear", align_corners=True)
        tensor([[[1.0000, 1.6667, 2.3333, 3.0000]]])
    """
    align, smooth = bool(align_corners), bool(antialias)
    sizes, steps = _plan(
        tuple(input._array.shape), _told(size), _told(scale_factor), mode, align_corners, recompute_scale_factor, smooth
    )
    if mode == "area":
        pool: Any = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[input.ndim - 3]
        return pool(input, sizes)
    out: Any = input
    if mode in _PLAIN:
        for dim, new, scale in steps:
            out = resampled_nearest.emit(out, dim=dim, size=new, scale=scale, exact=mode == "nearest-exact")
        return out if steps else input.clone()
    # Images of bytes are computed in float32 and rounded after each dimension, as in PyTorch (not with align_corners).
    of_bytes = input.dtype is uint8 and mode in _REACH
    if of_bytes:
        out = input.to(float32)
    elif input.dtype.category != FLOATING:
        raise NotImplementedError(f"interpolate: mode {mode!r} expects a floating-point input, got {input.dtype}")
    for dim, new, scale in steps:
        out = resampled.emit(out, dim=dim, size=new, mode=mode, scale=scale, align=align, antialias=smooth)
        if of_bytes and (smooth or not align):
            out = _rounded(out)
    if of_bytes:
        out = _rounded(out).to(uint8)
    return out if out is not input else input.clone()


@composite(namespaces=_F)
def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """`interpolate` by its old name, with a warning.

    Example:
        >>> F.upsample(tc.tensor([[[1.0, 3.0]]]), scale_factor=2)
        tensor([[[1., 1., 3., 3.]]])
    """
    return interpolate(input, size, scale_factor, mode, align_corners)


@composite(namespaces=_F)
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode ``"nearest"``, with a warning.

    Example:
        >>> F.upsample_nearest(tc.tensor([[[[1.0, 3.0]]]]), scale_factor=2)
        tensor([[[[1., 1., 3., 3.],
                  [1., 1., 3., 3.]]]])
    """
    return interpolate(input, size, scale_factor, "nearest")


@composite(namespaces=_F)
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode ``"bilinear"`` and aligned corners, with a warning.

    Example:
        >>> F.upsample_bilinear(tc.tensor([[[[1.0, 3.0]]]]), (1, 3))
        tensor([[[[1., 2., 3.]]]])
    """
    return interpolate(input, size, scale_factor, "bilinear", True)
