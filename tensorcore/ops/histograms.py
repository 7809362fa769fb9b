"""How often numbers occur: `bincount`, and histograms in one or several dimensions."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, INTEGER, bfloat16, float16, float32, float64, int64
from tensorcore.errors import ArgumentError, DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import zeros
from tensorcore.ops.indexing import as_places, scatter
from tensorcore.ops.indexing import index as pick
from tensorcore.ops.movement import expand
from tensorcore.ops.precision import widened
from tensorcore.ops.ranges import linspace
from tensorcore.ops.record import composite
from tensorcore.ops.returns import named
from tensorcore.ops.searching import search
from tensorcore.shapes import whole_number

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


@composite(
    namespaces=(), operands=("places", "weights"), promotes=("weights",), ulp=4,
    samples=({"shapes": ((6,), (6,)), "dtypes": ("int64", None), "domains": ((0, 4), None), "length": 5},),
)  # fmt: skip
def weigh(places: Tensor, weights: Tensor, *, length: int) -> Tensor:
    """Sums of the ``weights`` of each of the ``places``, int64 numbers from 0 to ``length - 1``; both of shape (N)."""
    return weigh.emit(places, weights, length=length)


@weigh.expression
def _weigh(places: Tensor, weights: Tensor, *, length: int) -> Tensor:
    totals = zeros((length,), dtype=weights.dtype, device=weights.device)
    return scatter.emit(totals, places, weights, dim=0, reduce="sum")


def _unweighted(places: Any) -> Any:
    return expand(places._kind.scalar(1), places.shape)


@composite(
    operands=("input", "weights"), ulp=4, by_example="constant",
    samples=({"shapes": ((6,),), "dtypes": ("int64",), "domains": ((0, 4),), "minlength": 5},),
)  # fmt: skip
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each number from 0 to the greatest in ``input`` occurs in it, or the sum of the ``weights`` there.

    Args:
        input: a vector of integers that are not negative.
        weights: of its shape; their sums are float32 for float32, else float64.
        minlength: how many numbers are counted at least.

    Raises:
        ShapeError: for other shapes.
        DTypeError: unless ``input`` is of an integer dtype.
        RangeError: for negative numbers.

    Example:
        >>> tc.bincount(tc.tensor([0, 2, 2]), minlength=4)
        tensor([1, 0, 2, 0])
    """
    if input.ndim != 1 or (weights is not None and weights.shape != input.shape):
        met = f"{list(input.shape)}" + (f" and weights of {list(weights.shape)}" if weights is not None else "")
        raise ShapeError(f"bincount: expected a vector, and weights of its shape, got {met}")
    if input.dtype.category != INTEGER:
        raise DTypeError(f"bincount: expected an integer dtype, got {input.dtype}")
    if minlength < 0:
        raise RangeError(f"bincount: minlength must not be negative, got {minlength}")
    if weights is not None:
        most = _greatest(input)
        given = weights.detach() if weights.dtype is float32 else weights.detach().to(float64)
        return weigh.emit(as_places(input), given, length=builtins.max(most + 1, minlength))
    from tensorcore.compile.capture import reading

    reading(input, "bincount")
    try:
        return counts.emit(as_places(input), minlength=minlength)
    except DimensionError:
        _greatest(input)
        raise


def _greatest(input: Any) -> int:
    """The greatest number, -1 for none."""
    least, most = (input.amin().item(), input.amax().item()) if input.numel() else (0, -1)
    if least < 0:
        raise RangeError(f"bincount: the numbers must not be negative, got {least}")
    return int(most)


@composite(
    namespaces=(), ulp=0,
    samples=({"shapes": ((6,),), "dtypes": ("int64",), "domains": ((0, 4),), "minlength": 5},
             {"shapes": ((0,),), "dtypes": ("int64",), "minlength": 0}),
)  # fmt: skip
def counts(places: Tensor, *, minlength: int) -> Tensor:
    """How often each number from 0 to the greatest in the int64 vector ``places`` occurs; kernels refuse others."""
    return counts.emit(places, minlength=minlength)


@counts.expression
def _counts(places: Tensor, *, minlength: int) -> Tensor:
    return weigh.emit(places, _unweighted(places), length=builtins.max(_greatest(places) + 1, minlength))


# ------------------------------------------------------------------ equal bins


def _bounds(op: str, input: Any, low: float, high: float) -> tuple[float, float]:
    """The range of the bins: that of the elements where none is given, and never empty."""
    if low == high and input.numel():
        low, high = float(input.amin().item()), float(input.amax().item())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RangeError(f"{op}: the range of the bins [{low}, {high}] must be finite")
    return (low - 1, high + 1) if low == high else (low, high)


@composite(
    operands=("input",), ulp=0, by_example="constant",
    samples=({"shapes": ((3, 4),), "args": (5,)}, {"shapes": ((20,),), "bins": 4, "min": -2, "max": 3}),
)  # fmt: skip
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of ``bins`` bins of equal width from ``min`` to ``max``, in the input's dtype.

    Without a range, that of the elements; elements outside, and NaN, do not count; ``max`` lies in the last bin.

    Raises:
        RangeError: if ``bins`` is not positive, or the range is not finite or the wrong way round.
        DTypeError: unless the input is floating point.

    Example:
        >>> tc.histc(tc.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
        tensor([0., 2., 1., 0.])
    """
    if input.dtype.category != FLOATING:
        raise DTypeError(f"histc: expected a real floating-point dtype, got {input.dtype}")
    if bins <= 0:
        raise RangeError(f"histc: bins must be positive, got {bins}")
    if min > max:
        raise RangeError(f"histc: max must not be below min, got min={min} and max={max}")
    low, high = _bounds("histc", input.detach(), float(min), float(max))
    return histogram_of_equal_bins.emit(input.detach(), bins=int(bins), low=low, high=high)


@composite(namespaces=(), samples=({"shapes": ((20,),), "bins": 4, "low": -2.0, "high": 3.0},), ulp=0)
def histogram_of_equal_bins(input: Tensor, *, bins: int, low: float, high: float) -> Tensor:
    """How many elements lie in each of ``bins`` bins between ``low`` and ``high``."""
    return histogram_of_equal_bins.emit(input, bins=bins, low=low, high=high)


@histogram_of_equal_bins.expression
@widened
def _histogram_of_equal_bins(input: Tensor, *, bins: int, low: float, high: float) -> Tensor:
    flat = input.reshape(-1)
    inside = e.ge(flat, low) & e.le(flat, high)
    number = e.floor((e.where(inside, flat, low) - low) * bins / (high - low))
    # What lies outside falls into one bin more, which is left out.
    places = e.where(inside, e.minimum(number.to(int64), bins - 1), bins)
    return weigh.emit(places, _unweighted(places), length=bins + 1).narrow(0, 0, bins).to(input.dtype)


# ------------------------------------------------------------------ any bins


def _range(op: str, low: Any, high: Any, axis: int) -> tuple[float, float]:
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RangeError(f"{op}: the range [{low}, {high}] of dimension {axis} must be finite")
    if low > high:
        raise RangeError(f"{op}: the range [{low}, {high}] of dimension {axis} is the wrong way round")
    return (low - 0.5, high + 0.5) if low == high else (float(low), float(high))


def _edges(op: str, points: Any, bins: Any, range: Sequence[float] | None, axis: int) -> Any:
    """The edges of the bins of one dimension of ``points`` (N, dimensions)."""
    if hasattr(bins, "_array"):
        if bins.ndim != 1 or not bins.shape[0]:
            raise ShapeError(f"{op}: edges must have 1 dimension and an element, got shape {list(bins.shape)}")
        if bins.dtype is not points.dtype:
            raise DTypeError(f"{op}: edges must have the dtype of the input, got {bins.dtype} and {points.dtype}")
        return bins.detach()
    if whole_number(bins, op, "bins") <= 0:
        raise RangeError(f"{op}: the number of bins must be positive, got {bins} for dimension {axis}")
    if range is not None:
        low, high = range
    elif points.shape[0] == 0:
        low, high = 0.0, 1.0
    else:
        column = points.select(1, axis)
        low, high = column.min().item(), column.max().item()
    low, high = _range(op, low, high, axis)
    return linspace(low, high, int(bins) + 1, dtype=points.dtype, device=points.device)


def _between(column: Any, edge: Any, side: int, held: Any) -> Any:
    """The number of the bin of equal width, guessed and then held to the ``edge`` of either side of it."""
    first, last = edge.select(0, 0), edge.select(0, side)
    share = (e.where(held, column, first) - first) * side / (last - first)
    guess = e.minimum(share.to(int64), side - 1)
    guess = guess - e.lt(column, pick.emit(edge, guess)).to(int64)
    guess = e.maximum(guess, 0)
    return e.minimum(guess + e.ge(column, pick.emit(edge, guess + 1)).to(int64), side - 1)


def _counted(points: Any, edges: list[Any], even: list[bool], weight: Any, density: bool) -> Any:
    """The histogram of the rows of ``points``, of as many dimensions as they have columns; ``even``: of equal bins."""
    sides = [edge.shape[0] - 1 for edge in edges]
    places: Any = 0
    inside: Any = None
    for axis, (edge, side) in enumerate(zip(edges, sides, strict=True)):
        column = points.select(1, axis).contiguous()
        last = edge.select(0, side)
        held = e.ge(column, edge.select(0, 0)) & e.le(column, last)
        inside = held if inside is None else inside & held
        number = _between(column, edge, side, held) if even[axis] else search.emit(edge, column, right=True) - 1
        places = places * side + e.where(e.eq(column, last), side - 1, number)
    total = math.prod(sides)
    places = e.where(inside, places, total)
    weights = weight if weight is not None else expand(points._kind.scalar(1), places.shape)
    counts = weigh.emit(places, weights, length=total + 1).narrow(0, 0, total).reshape(sides)
    if density:
        counts = counts / counts.sum()
        for axis, edge in enumerate(edges):
            counts = counts / edge.diff().reshape([-1 if d == axis else 1 for d in builtins.range(len(sides))])
    return counts


def _wide(input: Any, bins: Any) -> tuple[Any, Any]:
    """An input of 16 bits, and its edges, as float32."""
    return input.to(float32), bins.to(float32) if hasattr(bins, "_array") and bins.dtype is input.dtype else bins


def _checked(op: str, input: Any, weight: Any, shape: Any) -> Any:
    if input.dtype not in (float32, float64):
        raise DTypeError(f"{op}: expected an input of float32 or float64, got {input.dtype}")
    if weight is None:
        return None
    if weight.dtype is not input.dtype:
        raise DTypeError(f"{op}: weight must have the dtype of the input, got {weight.dtype} and {input.dtype}")
    if tuple(weight.shape) != tuple(shape):
        raise ShapeError(f"{op}: expected a weight of shape {list(shape)}, got {list(weight.shape)}")
    return weight.detach().reshape(-1)


@composite(
    operands=("input",), ulp=4, by_example="constant",
    samples=(
        {"shapes": ((12,),), "dtypes": ("float32",), "args": (4,)},
        {"shapes": ((3, 4),), "dtypes": ("float32",), "args": (3,), "range": (-2.0, 2.0), "density": True},
    ),
)  # fmt: skip
def histogram(
    input: Tensor,
    bins: Any = 100,
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many elements, or what ``weight``, lies in each bin, and the bins' edges, as (hist, bin_edges).

    Args:
        input: of a floating-point dtype and any shape; 16 bits are counted as float32.
        bins: how many of equal width; or their rising edges, a 1-d tensor. The last bin holds its upper edge.
        range: (low, high) of bins of equal width; that of the elements by default.
        weight: of the input's shape and dtype, what each element counts.
        density: whether the result is divided so that its integral is 1.

    Raises:
        DTypeError: for another dtype, or edges or weights of another one than the input's.
        ShapeError: for a weight of another shape.
        RangeError: if the range is not finite or the wrong way round, or ``bins`` is not positive.

    Example:
        >>> tc.histogram(tc.tensor([1.0, 2.0, 1.0]), 2).hist
        tensor([2., 1.])
    """
    if input.dtype in (float16, bfloat16):
        parts = histogram(*_wide(input, bins), range=range, weight=None if weight is None else weight.to(float32),
                          density=density)  # fmt: skip
        return named("histogram", **{name: x.to(input.dtype) for name, x in parts._asdict().items()})
    weights = _checked("histogram", input, weight, input.shape)
    if hasattr(bins, "_array") and range is not None:
        raise TypeError("histogram: range is for a number of bins; edges were given")
    points = input.detach().reshape(-1, 1)
    edges = _edges("histogram", points, bins, range, 0)
    return named(
        "histogram", hist=_counted(points, [edges], [not hasattr(bins, "_array")], weights, density), bin_edges=edges
    )


@composite(
    namespaces=("",), operands=("input",), ulp=4, by_example="constant",
    samples=({"shapes": ((12, 2),), "dtypes": ("float32",), "args": ((3, 2),), "observe": "flat"},),
)  # fmt: skip
def histogramdd(
    input: Tensor,
    bins: Any,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """`histogram` of points, the rows of ``input``, in as many dimensions as they have coordinates.

    Args:
        input: (..., dimensions), float32 or float64.
        bins: how many for each dimension, or a number for all; or for each a tensor of edges.
        range: (low, high, low, high, ...), a pair for each dimension.
        weight: of the leading sides of the input, what each point counts.
        density: whether the result is divided so that its integral is 1.

    Returns:
        (hist, bin_edges), the second a tuple with the edges of each dimension.

    Raises:
        As `histogram`; ShapeError unless there are bins for each dimension.

    Example:
        >>> tc.histogramdd(tc.tensor([[0.0, 0.0], [1.0, 1.0]]), 2).hist
        tensor([[1., 0.],
                [0., 1.]])
    """
    op = "histogramdd"
    if input.ndim < 2:
        raise ShapeError(f"{op}: expected points, of at least 2 dimensions, got shape {list(input.shape)}")
    axes = input.shape[-1]
    if isinstance(bins, str):
        raise ArgumentError(f"{op}: bins must be a number, or a sequence of numbers or of tensors, got str {bins!r}")
    weights = _checked(op, input, weight, input.shape[:-1])
    each = [bins] * axes if hasattr(bins, "__index__") and not hasattr(bins, "_array") else list(bins)
    if len(each) != axes:
        raise ShapeError(f"{op}: expected bins for each of the {axes} dimensions, got {len(each)}")
    if range is not None and len(range) != 2 * axes:
        raise ShapeError(f"{op}: expected a range of {2 * axes} numbers, a pair for each dimension, got {len(range)}")
    points = input.detach().reshape(-1, axes)
    ranges: list[Any] = [None if range is None else range[2 * a : 2 * a + 2] for a in builtins.range(axes)]
    edges = [_edges(op, points, *given, axis) for axis, given in enumerate(zip(each, ranges, strict=True))]
    return named(
        op,
        hist=_counted(points, edges, [not hasattr(given_bins, "_array") for given_bins in each], weights, density),
        bin_edges=tuple(edges),
    )


__all__: Final = ["bincount", "histc", "histogram", "histogramdd"]
