"""Composites of elementwise arithmetic that programs use less often."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, FLOATING, bool_, complex128, finfo, float64, get_default_dtype
from tensorcore.errors import DTypeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.arithmetic import isinf, isnan, signbit
from tensorcore.ops.record import composite
from tensorcore.ops.rules import bits, floating, inexact, real, real_floating
from tensorcore.shapes import broadcast_shapes

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ONE = ({"shapes": ((3, 4),)},)
_TWO = ({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 1), (4,))})


@composite(samples=_ONE, inplace=True, ulp=2)
def sgn(input: Tensor) -> Tensor:
    """The sign of each element; of a complex one, itself over its modulus.

    Example:
        >>> tc.sgn(tc.tensor([3 + 4j, 0j])), tc.sgn(tc.tensor([-2.0, 0.0]))
        (tensor([0.6000+0.8000j, 0.0000+0.0000j]), tensor([-1.,  0.]))
    """
    return e.sgn(input)


@composite(samples=_TWO)
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``.

    Example:
        >>> tc.rsub(tc.tensor([1.0, 2.0]), 10), tc.rsub(tc.tensor([1, 2]), tc.tensor([5, 5]), alpha=2)
        (tensor([9., 8.]), tensor([3, 1]))
    """
    return other - (input if alpha == 1 else input * alpha)


@composite(rule=inexact, samples=_TWO, inplace=True, ulp=3,
           vjp=(lambda g, y, input: g * _over(input, y), lambda g, y, other: g * _over(other, y)))  # fmt: skip
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """``sqrt(input ** 2 + other ** 2)``, without overflow.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.hypot(tc.tensor([3.0, 1e30]), tc.tensor([4.0, 1e30]))
        tensor([5.0000e+00, 1.4142e+30])
    """
    a, b = e.abs(input), e.abs(other)
    large, small = e.maximum(a, b), e.minimum(a, b)
    ratio = e.where(e.eq(small, large), 1.0, _over(small, large))
    size = large * e.sqrt(ratio * ratio + 1)
    return e.where(isinf(a) | isinf(b), math.inf, e.where(e.eq(large, 0), 0.0, size))


def _over(x: Any, y: Any) -> Any:
    """``x / y``, and 0 where ``y`` is 0."""
    zero = e.eq(y, 0)
    return e.where(zero, 0.0, e.div(x, e.where(zero, 1.0, y)))


@composite(
    rule=real_floating,
    samples=_TWO,
    inplace=True,
    ulp=0,
    vjp=(lambda g, y, input: g * _over(y, input), lambda g: g * 0),
)
def copysign(input: Tensor, other: Tensor) -> Tensor:
    """The size of ``input`` with the sign of ``other``.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.copysign(tc.tensor([1.5, -2.0, 3.0]), tc.tensor([-0.0, 0.0, -5.0]))
        tensor([-1.5000,  2.0000, -3.0000])
    """
    size = e.abs(input)
    return e.where(signbit(other), -size, size)


@composite(rule=real, samples=_TWO, ulp=0)
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element; a number beats NaN.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.fmax(tc.tensor([1.0, float("nan"), 3.0]), tc.tensor([2.0, 0.0, float("nan")]))
        tensor([2., 0., 3.])
    """
    return e.where(isnan(input), other, e.where(isnan(other), input, e.maximum(input, other)))


@composite(rule=real, samples=_TWO, ulp=0)
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element; a number beats NaN.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.fmin(tc.tensor([1.0, float("nan"), 3.0]), tc.tensor([2.0, 0.0, float("nan")]))
        tensor([1., 0., 3.])
    """
    return e.where(isnan(input), other, e.where(isnan(other), input, e.minimum(input, other)))


@composite(rule=real, samples=_TWO, inplace=True, ulp=0)
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, and ``values`` at 0.

    Example:
        >>> tc.heaviside(tc.tensor([-1.5, 0.0, 2.0]), tc.tensor(0.5))
        tensor([0.0000, 0.5000, 1.0000])
    """
    if input.dtype is not values.dtype:
        raise DTypeError(f"heaviside: expected tensors of one dtype, got {input.dtype} and {values.dtype}")
    step = (e.gt(input, 0)).to(input.dtype)
    return e.where(e.eq(input, 0), values, e.where(isnan(input), 0, step)).to(input.dtype)


@composite(
    rule=bits,
    samples=({"shapes": ((3, 4), (3, 4)), "dtypes": ("int64", "int64"), "domains": ((-50, 50), (-50, 50))},),
    inplace=True,
    ulp=0,
)
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """Greatest common divisor, element by element, not negative.

    Raises:
        DTypeError: for anything but integers.

    Example:
        >>> tc.gcd(tc.tensor([12, -18, 0]), tc.tensor([18, 12, 5]))
        tensor([6, 6, 5])
    """
    from tensorcore.promotion import promoted

    shape, dtype = broadcast_shapes(input.shape, other.shape), promoted("gcd", (input, other))
    a, b = (e.abs(x.to(dtype)).expand(shape) for x in (input, other))
    while bool(everywhere(e.ne(b, 0)).any().item()):
        done = e.eq(b, 0)
        a, b = e.where(done, a, b), e.where(done, 0, e.remainder(a, e.where(done, 1, b)))
    return a


@composite(
    rule=bits,
    samples=({"shapes": ((3, 4), (3, 4)), "dtypes": ("int64", "int64"), "domains": ((-50, 50), (-50, 50))},),
    inplace=True,
    ulp=0,
)
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """Least common multiple, element by element, not negative; 0 with 0.

    Raises:
        DTypeError: for anything but integers.

    Example:
        >>> tc.lcm(tc.tensor([4, -6, 0]), tc.tensor([6, 4, 5]))
        tensor([12, 12,  0])
    """
    divisor = gcd(input, other)
    other = other.to(divisor.dtype)
    return e.abs(e.floor_divide(input, e.where(e.eq(divisor, 0), 1, divisor)) * other)


@composite(samples=_ONE, inplace=True, ulp=0)
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """``nan`` (0) in place of NaN, the largest and smallest numbers, or those given, in place of the infinities.

    Example:
        >>> x = tc.tensor([float("nan"), float("inf"), -float("inf"), 1.5])
        >>> tc.nan_to_num(x, nan=2.0, posinf=9.0), tc.nan_to_num(x)[1]
        (tensor([ 2.0000e+00,  9.0000e+00, -3.4028e+38,  1.5000e+00]), tensor(3.4028e+38))
    """
    if input.dtype.category < FLOATING:
        return input.clone()
    if input.dtype.category == COMPLEX:
        from tensorcore.ops.complex import complex, imag, real

        return complex(nan_to_num(real(input), nan, posinf, neginf), nan_to_num(imag(input), nan, posinf, neginf))
    limits = finfo(input.dtype)
    out = e.where(isnan(input), 0.0 if nan is None else nan, input)
    out = e.where(e.eq(out, math.inf), limits.max if posinf is None else posinf, out)
    return e.where(e.eq(out, -math.inf), limits.min if neginf is None else neginf, out)


@composite(rule=real, samples=_ONE, ulp=0)
def isposinf(input: Tensor) -> Tensor:
    """Whether each element is positive infinity.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.isposinf(tc.tensor([float("inf"), -float("inf"), 1.0])), tc.isposinf(tc.tensor([3]))
        (tensor([ True, False, False]), tensor([False]))
    """
    return e.eq(input, math.inf) if input.dtype.category == FLOATING else e.ne(input, input)


@composite(rule=real, samples=_ONE, ulp=0)
def isneginf(input: Tensor) -> Tensor:
    """Whether each element is negative infinity.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.isneginf(tc.tensor([float("inf"), -float("inf"), 1.0])), tc.isneginf(tc.tensor([3]))
        (tensor([False,  True, False]), tensor([False]))
    """
    return e.eq(input, -math.inf) if input.dtype.category == FLOATING else e.ne(input, input)


@composite(samples=_ONE, ulp=0)
def isreal(input: Tensor) -> Tensor:
    """Whether the imaginary part of each element is 0.

    Example:
        >>> tc.isreal(tc.tensor([1 + 0j, 1j])), tc.isreal(tc.tensor([2.0]))
        (tensor([ True, False]), tensor([True]))
    """
    from tensorcore.ops.complex import imag
    from tensorcore.ops.creation import ones_like

    return e.eq(imag(input), 0) if input.dtype.category == COMPLEX else ones_like(input, dtype=bool_)


@composite(samples=_ONE, inplace=True, ulp=1)
def deg2rad(input: Tensor) -> Tensor:
    """Degrees in radians.

    Example:
        >>> tc.deg2rad(tc.tensor([0, 90, 180, -45]))
        tensor([ 0.0000,  1.5708,  3.1416, -0.7854])
    """
    return input * (math.pi / 180)


@composite(samples=_ONE, inplace=True, ulp=1)
def rad2deg(input: Tensor) -> Tensor:
    """Radians in degrees.

    Example:
        >>> tc.rad2deg(tc.tensor([0.0, 3.14159265, -1.0]))
        tensor([  0.0000, 180.0000, -57.2958])
    """
    return input * (180 / math.pi)


def _share(input: Any, other: Any) -> Any:
    """``exp(input) / (exp(input) + exp(other))``, the slope of `logaddexp`; 1/2 for equal infinities."""
    from tensorcore.ops.smooth_activation import sigmoid

    gap = e.sub(input, other)
    return sigmoid(e.where(isinf(input) & e.eq(input, other), 0.0, gap))


@composite(
    rule=real_floating, samples=_TWO, ulp=8,
    vjp=(lambda g, input, other: g * _share(input, other), lambda g, input, other: g * _share(other, input)),
)  # fmt: skip
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow.

    Example:
        >>> tc.logaddexp(tc.tensor([0.0, 100.0, -float("inf")]), tc.tensor([0.0, 100.0, -float("inf")]))
        tensor([  0.6931, 100.6931,     -inf])
    """
    # Differences of unsigned integers would wrap.
    input, other = (x if x.dtype.category >= FLOATING else x.to(get_default_dtype()) for x in (input, other))
    large = e.maximum(input, other)
    gap = e.neg(e.abs(input - other))
    # Of equal infinities the gap is NaN.
    return e.where(isinf(large) & e.eq(input, other), large, large + e.log1p(e.exp(gap)))


@composite(rule=real_floating, samples=_TWO, ulp=8)
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2 ** input + 2 ** other)``, without overflow.

    Example:
        >>> tc.logaddexp2(tc.tensor([0.0, 100.0]), tc.tensor([0.0, 100.0]))
        tensor([  1., 101.])
    """
    scale = math.log(2)
    return logaddexp(input * scale, other * scale) * (1 / scale)


@composite(
    operands=("input",), inplace=True, ulp=8, samples=({"shapes": ((3, 4),), "args": (2,), "domains": ((0.1, 4),)},)
)
def float_power(input: Any, exponent: Any) -> Tensor:
    """Power computed in float64, of complex numbers in complex128.

    Example:
        >>> tc.float_power(tc.tensor([1, 2, 3]), -2), tc.float_power(2, tc.tensor([0.5]))
        (tensor([1.0000, 0.2500, 0.1111], dtype=tensorcore.float64), tensor([1.4142], dtype=tensorcore.float64))
    """
    pair = [x.to(complex128 if x.is_complex() else float64) if hasattr(x, "_kind") else x for x in (input, exponent)]
    return e.pow(*pair)


@composite(
    rule=floating,
    samples=({"shapes": ((3, 4),), "domains": ((0.1, 3),)},),
    inplace=True,
    ulp=8,
    aliases=("special.sinc",),
)
def sinc(input: Tensor) -> Tensor:
    """``sin(pi * x) / (pi * x)``, and 1 at 0.

    Example:
        >>> tc.sinc(tc.tensor([0.0, 0.5, 1.5]))
        tensor([ 1.0000,  0.6366, -0.2122])
    """
    zero = e.eq(input, 0)
    scaled = e.where(zero, 1.0, input * math.pi)
    return e.where(zero, 1.0, e.sin(scaled) / scaled)
