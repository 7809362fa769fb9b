"""Composites of elementwise arithmetic that programs use less often."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import COMPLEX, FLOATING, bool_, complex128, finfo, float64, get_default_dtype
from tensorcore.errors import DTypeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.arithmetic import isinf, isnan, signbit
from tensorcore.ops.record import composite
from tensorcore.ops.rules import floating, inexact, integers, real, real_floating, real_number

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ONE = ({"shapes": ((3, 4),)},)
_TWO = ({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 1), (4,))})


@composite(samples=_ONE, inplace=True, ulp=2)
def sgn(input: Tensor) -> Tensor:
    """The sign of each element; of a complex one, itself over its modulus."""
    return e.sgn(input)


@composite(samples=_TWO)
def rsub(input: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``."""
    return other - (input if alpha == 1 else input * alpha)


@composite(rule=inexact, samples=_TWO, inplace=True, ulp=3,
           vjp=(lambda g, y, input: g * _over(input, y), lambda g, y, other: g * _over(other, y)))  # fmt: skip
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """``sqrt(input ** 2 + other ** 2)``, without overflow."""
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
    """The size of ``input`` with the sign of ``other``."""
    size = e.abs(input)
    return e.where(signbit(other), -size, size)


@composite(rule=real_number, samples=_TWO, ulp=0)
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element; a number beats NaN."""
    return e.where(isnan(input), other, e.where(isnan(other), input, e.maximum(input, other)))


@composite(rule=real_number, samples=_TWO, ulp=0)
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element; a number beats NaN."""
    return e.where(isnan(input), other, e.where(isnan(other), input, e.minimum(input, other)))


@composite(rule=real, samples=_TWO, inplace=True, ulp=0)
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, and ``values`` at 0."""
    if input.dtype is not values.dtype:
        raise DTypeError(f"heaviside: expected tensors of one dtype, got {input.dtype} and {values.dtype}")
    step = (e.gt(input, 0)).to(input.dtype)
    return e.where(e.eq(input, 0), values, e.where(isnan(input), 0, step)).to(input.dtype)


@composite(
    rule=integers,
    samples=({"shapes": ((3, 4), (3, 4)), "dtypes": ("int64", "int64"), "domains": ((-50, 50), (-50, 50))},),
    inplace=True,
    ulp=0,
)
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """Greatest common divisor, element by element, not negative."""
    a, b = e.abs(input), e.abs(other)
    while bool(e.ne(b, 0).any().item()):
        done = e.eq(b, 0)
        a, b = e.where(done, a, b), e.where(done, 0, e.remainder(a, e.where(done, 1, b)))
    return a


@composite(
    rule=integers,
    samples=({"shapes": ((3, 4), (3, 4)), "dtypes": ("int64", "int64"), "domains": ((-50, 50), (-50, 50))},),
    inplace=True,
    ulp=0,
)
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """Least common multiple, element by element, not negative; 0 with 0."""
    divisor = gcd(input, other)
    return e.abs(e.floor_divide(input, e.where(e.eq(divisor, 0), 1, divisor)) * other)


@composite(samples=_ONE, inplace=True, ulp=0)
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """``nan`` (0) in place of NaN, the largest and smallest numbers, or those given, in place of the infinities."""
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
    """Whether each element is positive infinity."""
    return e.eq(input, math.inf) if input.dtype.category == FLOATING else e.ne(input, input)


@composite(rule=real, samples=_ONE, ulp=0)
def isneginf(input: Tensor) -> Tensor:
    """Whether each element is negative infinity."""
    return e.eq(input, -math.inf) if input.dtype.category == FLOATING else e.ne(input, input)


@composite(samples=_ONE, ulp=0)
def isreal(input: Tensor) -> Tensor:
    """Whether the imaginary part of each element is 0."""
    from tensorcore.ops.complex import imag
    from tensorcore.ops.creation import ones_like

    return e.eq(imag(input), 0) if input.dtype.category == COMPLEX else ones_like(input, dtype=bool_)


@composite(samples=_ONE, inplace=True, ulp=1)
def deg2rad(input: Tensor) -> Tensor:
    """Degrees in radians."""
    return input * (math.pi / 180)


@composite(samples=_ONE, inplace=True, ulp=1)
def rad2deg(input: Tensor) -> Tensor:
    """Radians in degrees."""
    return input * (180 / math.pi)


@composite(rule=real_floating, samples=_TWO, ulp=8)
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow."""
    # Differences of unsigned integers would wrap.
    input, other = (x if x.dtype.category >= FLOATING else x.to(get_default_dtype()) for x in (input, other))
    large = e.maximum(input, other)
    gap = e.neg(e.abs(input - other))
    # Of equal infinities the gap is NaN.
    return e.where(isinf(large) & e.eq(input, other), large, large + e.log1p(e.exp(gap)))


@composite(rule=real_floating, samples=_TWO, ulp=8)
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2 ** input + 2 ** other)``, without overflow."""
    scale = math.log(2)
    return logaddexp(input * scale, other * scale) * (1 / scale)


@composite(samples=({"shapes": ((3, 4),), "args": (2,), "domains": ((0.1, 4),)},), inplace=True, ulp=8)
def float_power(input: Any, exponent: Any) -> Tensor:
    """Power computed in float64, of complex numbers in complex128."""
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
    """``sin(pi * x) / (pi * x)``, and 1 at 0."""
    zero = e.eq(input, 0)
    scaled = e.where(zero, 1.0, input * math.pi)
    return e.where(zero, 1.0, e.sin(scaled) / scaled)
