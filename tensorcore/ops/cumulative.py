"""Running extremes and logarithms of sums, areas under sampled curves, and their slopes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import BOOL, FLOATING, INTEGER, DType, get_default_dtype, int64
from tensorcore.errors import ArgumentError, DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import ramp
from tensorcore.ops.movement import cat, flip
from tensorcore.ops.ordering import flat_if_scalar, placed
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.returns import named
from tensorcore.ops.rules import real
from tensorcore.shapes import normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ALONG: Final = ({"shapes": ((3, 5),), "args": (1,)}, {"shapes": ((4, 3, 2),), "args": (0,)})


# ------------------------------------------------------------------ running extremes


def _running_rule(g: Any, y: Any, input_shape: tuple[int, ...], dim: int) -> Any:
    # One element may be the extreme of many places, so the cotangents are added up.
    return placed(g[0], y[1], input_shape, dim, "sum")


def _running(input: Any, dim: int, wins: Any) -> tuple[Any, Any]:
    """Hillis and Steele's scan: after step s every place holds the winner of the s places up to it."""
    side = input.shape[dim]
    lined = [side if d == dim else 1 for d in range(input.ndim)]
    values, places = input, ramp(0, 1, side, int64, input.device).reshape(lined).expand(input.shape)
    step = 1
    while step < side:
        early, late = ([x.narrow(dim, start, side - step) for x in (values, places)] for start in (0, step))
        # NaN wins against all, a later one of equals against the earlier, as in PyTorch.
        later = wins(late[0], early[0]) | e.ne(late[0], late[0])
        values, places = (
            cat([x.narrow(dim, 0, step), e.where(later, b, a)], dim)
            for x, a, b in zip((values, places), early, late, strict=True)
        )
        step *= 2
    return values, places


@composite(rule=real, vjp=_running_rule, outputs=2, samples=_ALONG, ulp=0)
def cummax(input: Tensor, dim: int) -> Any:
    """The largest element up to each place along ``dim`` and where it is, the last of equals, as (values, indices).

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.cummax(tc.tensor([1, 3, 2, 3]), 0).indices
        tensor([0, 1, 1, 3])
    """
    values, indices = flat_if_scalar(cummax, input, dim)
    return named("cummax", values=values, indices=indices)


@cummax.expression
def _cummax(input: Tensor, *, dim: int) -> tuple[Tensor, Tensor]:
    return _running(input, dim, e.ge)


@composite(rule=real, vjp=_running_rule, outputs=2, samples=_ALONG, ulp=0)
def cummin(input: Tensor, dim: int) -> Any:
    """The smallest element up to each place along ``dim`` and where it is, the last of equals, as (values, indices).

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.cummin(tc.tensor([2, 3, 1, 4]), 0).values
        tensor([2, 2, 1, 1])
    """
    values, indices = flat_if_scalar(cummin, input, dim)
    return named("cummin", values=values, indices=indices)


@cummin.expression
def _cummin(input: Tensor, *, dim: int) -> tuple[Tensor, Tensor]:
    return _running(input, dim, e.le)


# ------------------------------------------------------------------ running logarithm of a sum


def _inexact_or_complex(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category <= INTEGER:
        raise DTypeError(f"{op}: got a tensor of dtype {dtype}, expected floating point or complex")
    return dtype, dtype


def _logcumsumexp_rule(g: Any, y: Any, input: Any, dim: int) -> Any:
    """``exp(x_i) * sum(g_j * exp(-y_j) for j >= i)``, by logarithms, so that nothing overflows."""
    if input.is_complex():
        tail = flip(flip(g * e.conj(e.exp(-y)), (dim,)).cumsum(dim), (dim,))
        return tail * e.conj(e.exp(input))

    def reversed_total(part: Any) -> Any:
        positive = e.gt(part, 0)
        logs = e.where(positive, e.log(e.where(positive, part, 1)) - y, -math.inf)
        return e.exp(flip(logcumsumexp(flip(logs, (dim,)), dim), (dim,)) + input)

    return reversed_total(g) - reversed_total(-g)


@composite(rule=_inexact_or_complex, vjp=_logcumsumexp_rule, samples=_ALONG, ulp=16)
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """Logarithm of the running sum of the exponentials along ``dim``, without overflow.

    Raises:
        DTypeError: for integers and bool.

    Example:
        >>> tc.logcumsumexp(tc.tensor([0.0, 0.0, 1000.0]), 0)
        tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    place = normalize_dim(dim, input.ndim, "logcumsumexp")
    if input.ndim == 0:
        return logcumsumexp.emit(input.reshape((1,)), dim=0).reshape(())
    return logcumsumexp.emit(input, dim=place)


@logcumsumexp.expression
@widened
def _logcumsumexp(input: Tensor, *, dim: int) -> Tensor:
    side, total, step = input.shape[dim], input, 1
    while step < side:
        sums = _log_of_sum(total.narrow(dim, 0, side - step), total.narrow(dim, step, side - step))
        total = cat([total.narrow(dim, 0, step), sums], dim)
        step *= 2
    return total


def _log_of_sum(a: Any, b: Any) -> Any:
    complex_ = a.is_complex()
    first = e.ge(a.real, b.real) if complex_ else e.ge(a, b)
    # A comparison with NaN is false, so NaN on either side reaches the sum below.
    most, least = e.where(first, a, b), e.where(first, b, a)
    same = e.eq(a, b)  # infinities have no difference
    gap = e.where(same, 0, least - most)
    return most + (e.log(1 + e.exp(gap)) if complex_ else e.log1p(e.exp(gap)))


# ------------------------------------------------------------------ areas by the trapezoidal rule


def _check_distance(op: str, dx: Any) -> None:
    if hasattr(dx, "_array") and dx.numel() != 1:
        raise ArgumentError(f"{op}: dx must be a number, got a tensor of shape {list(dx.shape)}")


def _trapezoids(op: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """The areas between neighbouring samples, along which dimension."""
    if x is not None and dx is not None:
        raise TypeError(f"{op}: x and dx were both given; dx is for samples at equal distances")
    _check_distance(op, dx)
    if y.ndim == 0:
        raise DimensionError(f"{op}: expected samples along a dimension, got a 0-d tensor")
    if BOOL in [each.dtype.category for each in (y, x) if each is not None]:
        raise DTypeError(f"{op}: expected numbers, got a tensor of dtype bool")
    place = normalize_dim(dim, y.ndim, op)
    side = y.shape[place]
    if side == 0:
        return None, place
    y = _unwrapped(y)
    ends = y.narrow(place, 1, side - 1) + y.narrow(place, 0, side - 1)
    if x is None:
        return ends * (1 if dx is None else dx) / 2.0, place
    if x.ndim == 0 or (x.ndim > 1 and x.ndim < y.ndim - place):
        raise ShapeError(f"{op}: x of shape {list(x.shape)} does not fit samples of shape {list(y.shape)}")
    along = 0 if x.ndim == 1 else place + x.ndim - y.ndim
    if x.shape[along] != side:
        raise ShapeError(
            f"{op}: expected one x for each of the {side} samples along dimension {place}, got x of shape "
            f"{list(x.shape)} and y of shape {list(y.shape)}"
        )
    steps = _unwrapped(x).diff(dim=along)
    if x.ndim == 1:
        steps = steps.reshape((side - 1,) + (1,) * (y.ndim - place - 1))
    return ends * steps / 2.0, place


def _unwrapped(x: Any) -> Any:
    """Whole numbers in int64, where sums and differences of narrower ones and of unsigned ones do not wrap."""
    return x.to(int64) if x.dtype.category == INTEGER else x


def _nothing(y: Any, shape: tuple[int, ...]) -> Any:
    return y.new_zeros(shape, dtype=y.dtype if y.dtype.category >= FLOATING else get_default_dtype())


_AREAS: Final = (
    {"shapes": ((3, 5),)},
    {"shapes": ((3, 5),), "dim": 0, "dx": 0.5},
    {"shapes": ((3, 5), (5,))},
    {"shapes": ((3, 5), (3, 5)), "dim": 0},
)


@composite(namespaces=("",), aliases=("trapz",), samples=_AREAS, ulp=16)
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Area under the samples ``y`` along ``dim`` by the trapezoidal rule.

    Args:
        x: where the samples are: one number for each along ``dim``, or a tensor that broadcasts with ``y``.
        dx: their distance, where it is the same everywhere (1 by default).

    Raises:
        DTypeError: for bool.
        ShapeError: if ``x`` does not fit ``y``.
        TypeError: if both ``x`` and ``dx`` are given.

    Example:
        >>> tc.trapezoid(tc.tensor([1.0, 5.0, 10.0]), dx=2)
        tensor(21.)
    """
    if x is None and y.ndim and y.dtype.category != BOOL:
        _check_distance("trapezoid", dx)
        place = normalize_dim(dim, y.ndim, "trapezoid")
        side = y.shape[place]
        if side:
            # Two sums: no tensor of the areas is made.
            ends = sum(y.narrow(place, 1, side - 1), place) + sum(y.narrow(place, 0, side - 1), place)
            return ends * (1 if dx is None else dx) / 2.0
    areas, place = _trapezoids("trapezoid", y, x, dx, dim)
    if areas is None:
        return _nothing(y, tuple(side for d, side in enumerate(y.shape) if d != place))
    return sum(areas, place + areas.ndim - y.ndim)


@composite(namespaces=("",), samples=_AREAS, ulp=16)
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """Running area under the samples ``y`` along ``dim`` by the trapezoidal rule, one element fewer than samples.

    Takes ``x`` and ``dx``, and raises, as `trapezoid` does.

    Example:
        >>> tc.cumulative_trapezoid(tc.tensor([1.0, 5.0, 10.0]))
        tensor([ 3.0000, 10.5000])
    """
    areas, place = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    if areas is None:
        return _nothing(y, tuple(y.shape))
    return areas.cumsum(place + areas.ndim - y.ndim)


# ------------------------------------------------------------------ slopes


@composite(
    namespaces=("",), operands=("input",), ulp=16,
    samples=(
        {"shapes": ((4, 5),)},
        {"shapes": ((4, 5),), "dim": 1, "edge_order": 2, "spacing": 0.5},
        {"shapes": ((4, 5),), "spacing": (2.0, 3.0)},
    ),
)  # fmt: skip
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """Slope of the samples ``input`` along each dimension of ``dim`` (all by default), a tensor for each.

    Inside by central differences of second order, also where the distances differ; at the edges by one-sided ones of
    the order ``edge_order``, 1 or 2 (Fornberg's coefficients, Math. Comp. 51, 1988).

    Args:
        spacing: the distance of samples, 1 by default; or one for each dimension; or for each a 1-d tensor of where
            they are.

    Raises:
        DTypeError: for bool and unsigned integers.
        RangeError: for another ``edge_order``, or too few samples.
        ShapeError: if ``spacing`` does not fit.

    Example:
        >>> tc.gradient(tc.tensor([4.0, 1.0, 1.0, 16.0]))
        (tensor([-3.0000, -1.5000,  7.5000, 15.0000]),)
    """
    if edge_order not in (1, 2):
        raise RangeError(f"gradient: edge_order must be 1 or 2, got {edge_order!r}")
    if input.dtype.category == BOOL or (input.dtype.category == INTEGER and not input.dtype.is_signed):
        raise DTypeError(f"gradient: expected a signed dtype, as slopes may be negative; got {input.dtype}")
    if hasattr(spacing, "_array"):
        raise TypeError(
            "gradient: spacing must be a number, or a sequence of numbers or of 1-d tensors; got one tensor"
        )
    dims = normalize_dims(dim, input.ndim, "gradient")
    spacing = 1 if spacing is None else spacing
    steps = list(spacing) if isinstance(spacing, (tuple, list)) else [spacing] * len(dims)
    if len(steps) != len(dims):
        raise ShapeError(f"gradient: expected a spacing for each of the dimensions {dims}, got {len(steps)}")
    for place in dims:
        if input.ndim == 0 or input.shape[place] < edge_order + 1:
            raise RangeError(
                f"gradient: edge_order={edge_order} takes at least {edge_order + 1} samples along each dimension, got "
                f"shape {list(input.shape)}"
            )
    return tuple(_slope(input, step, place, edge_order) for step, place in zip(steps, dims, strict=True))


def _slope(input: Any, spacing: Any, place: int, edge_order: int) -> Any:
    side = input.shape[place]

    def at(index: int, count: int = 1) -> Any:
        return input.narrow(place, index if index >= 0 else side + index, count)

    if hasattr(spacing, "_array"):
        if tuple(spacing.shape) != (side,):
            raise ShapeError(
                f"gradient: expected places of shape [{side}] along dimension {place}, got {list(spacing.shape)}"
            )
        gaps = spacing.diff().reshape([side - 1 if d == place else 1 for d in range(input.ndim)])
        left, right = gaps.narrow(place, 0, side - 2), gaps.narrow(place, 1, side - 2)
        weights = (-right / (left * (left + right)), (right - left) / (left * right), left / (right * (left + right)))
        inner = weights[0] * at(0, side - 2) + weights[1] * at(1, side - 2) + weights[2] * at(2, side - 2)
        first, last = gaps.narrow(place, 0, 1), gaps.narrow(place, side - 2, 1)
        second = gaps.narrow(place, 1, 1) if side > 2 else None
        before = gaps.narrow(place, side - 3, 1) if side > 2 else None
    else:
        inner = (at(2, side - 2) - at(0, side - 2)) / (2 * spacing)
        first = second = last = before = spacing
    if edge_order == 1:
        return cat([(at(1) - at(0)) / first, inner, (at(-1) - at(-2)) / last], place)
    head = _edge(first, second, at(0), at(1), at(2))
    tail = -_edge(last, before, at(-1), at(-2), at(-3))
    return cat([head, inner, tail], place)


def _edge(near: Any, far: Any, x: Any, y: Any, z: Any) -> Any:
    """Slope at ``x``, of second order, from the next samples at the distances ``near`` and ``near + far``."""
    both = near + far
    return -(2 * near + far) / (near * both) * x + both / (near * far) * y - near / (far * both) * z


__all__ = ["cummax", "cummin", "cumulative_trapezoid", "gradient", "logcumsumexp", "trapezoid"]
