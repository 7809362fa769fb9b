"""Elementwise ops as operations on vectors, by the op's name.

`exp`, `log`, `log1p`, `expm1` and `tanh` follow the argument reductions and polynomials of FreeBSD's msun (fdlibm by
Sun Microsystems, 1993) and of Cephes (Moshier, 1992); a result is within 2 units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from tensorcore_cpu.jit.vectors import CEIL, EQ, FLOOR, GE, GT, LE, LT, NE, NEAREST, TRUNC, Vector

__all__ = ["LOWERINGS"]

#: ``lowering(*operands, **attributes)``
LOWERINGS: Final[dict[str, Callable[..., Vector]]] = {}


def _lowers(name: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        LOWERINGS[name] = function
        return function

    return register


LOWERINGS.update(
    add=lambda a, b: a + b,
    sub=lambda a, b: a - b,
    mul=lambda a, b: a * b,
    div=lambda a, b: a / b,
    neg=lambda x: -x,
    abs=lambda x: x.size,
    sqrt=lambda x: x.sqrt(),
    floor=lambda x: x.round(FLOOR),
    ceil=lambda x: x.round(CEIL),
    trunc=lambda x: x.round(TRUNC),
    round=lambda x: x.round(NEAREST),
    eq=lambda a, b: a.compare(EQ, b),
    ne=lambda a, b: a.compare(NE, b),
    lt=lambda a, b: a.compare(LT, b),
    le=lambda a, b: a.compare(LE, b),
    gt=lambda a, b: a.compare(GT, b),
    ge=lambda a, b: a.compare(GE, b),
    where=lambda mask, yes, no: mask.select(yes, no),
)
#: Ops on conditions.
LOGICAL: Final[dict[str, Callable[..., Vector]]] = {
    "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b,
    "bitwise_xor": lambda a, b: a ^ b,
    "bitwise_not": lambda a: a.inverted(),
    "where": lambda mask, yes, no: mask.select(yes, no),
}


@_lowers("maximum")
def _maximum(a: Vector, b: Vector) -> Vector:
    # The instruction gives the second operand where either is NaN.
    return a.nan.select(a, a.max(b))


@_lowers("minimum")
def _minimum(a: Vector, b: Vector) -> Vector:
    return a.nan.select(a, a.min(b))


@_lowers("sign")
def _sign(x: Vector) -> Vector:
    one = x.body.number(1.0)
    return x.compare(NE, 0.0).select(x.nan.select(0.0, one | x.sign_bit), 0.0)


def _polynomial(x: Vector, coefficients: Sequence[float]) -> Vector:
    """Horner's rule, the highest power's coefficient first."""
    total = x.body.number(coefficients[0])
    for coefficient in coefficients[1:]:
        total = total.times_plus(x, coefficient)
    return total


# ---------------------------------------------------------------------- powers of two

_LN2: Final = {False: (0.693359375, -2.12194440e-4), True: (6.93145751953125e-1, 1.42860682030941723212e-6)}
#: exp(r) = 1 + r + r * r * P(r) for |r| <= ln(2) / 2; float64: the Taylor series.
_EXP: Final = {
    False: (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1),
    True: tuple(1 / math.factorial(n) for n in range(13, 1, -1)),
}


def _power_of_two(n: Vector) -> Vector:
    """``2 ** n`` for whole numbers within the range of exponents."""
    # Adding 1.5 * 2**23 leaves the number in the lowest bits.
    body = n.body
    shifted = n + (1.5 * 2.0**52 if body.double else 1.5 * 2.0**23)
    return shifted.shift_left(52 if body.double else 23).add_integer(body.number(1.0))


def _scaled(x: Vector, n: Vector) -> Vector:
    """``x * 2 ** n``, rounded once but for subnormal results on older processors."""
    if x.body.scaling:
        return x.then("scale", n)
    half = (n * 0.5).round(NEAREST)
    return x * _power_of_two(half) * _power_of_two(n - half)


def _reduced(x: Vector) -> tuple[Vector, Vector]:
    """(n, r) with ``x = n * ln(2) + r`` and |r| at most half of ln(2)."""
    high, low = _LN2[x.body.double]
    n = (x * (1 / math.log(2))).round(NEAREST)
    return n, n.times_plus(-low, n.times_plus(-high, x))


def _exp_less_one(r: Vector) -> Vector:
    return _polynomial(r, _EXP[r.body.double]).times_plus(r * r, r)


@_lowers("exp")
def _exp(x: Vector) -> Vector:
    body = x.body
    # Beyond these the result is infinity or 0; NaN, as second operand, stays.
    low, high = (-746.0, 710.0) if body.double else (-105.0, 89.0)
    x = body.number(low).max(body.number(high).min(x))
    n, r = _reduced(x)
    return _scaled(_exp_less_one(r) + 1.0, n)


@_lowers("exp2")
def _exp2(x: Vector) -> Vector:
    body = x.body
    low, high = (-1076.0, 1025.0) if body.double else (-151.0, 129.0)
    x = body.number(low).max(body.number(high).min(x))
    n = x.round(NEAREST)
    return _scaled(_exp_less_one((x - n) * math.log(2)) + 1.0, n)


@_lowers("expm1")
def _expm1(x: Vector) -> Vector:
    body = x.body
    low, high = (-40.0, 710.0) if body.double else (-20.0, 89.0)
    clamped = body.number(low).max(body.number(high).min(x))
    n, r = _reduced(clamped)
    # Half of it, as 2 ** n alone may overflow.
    half = _power_of_two(n - 1.0)
    result = half.times_plus(_exp_less_one(r), half - 0.5) * 2.0
    return x.compare(EQ, 0.0).select(x, result)


@_lowers("tanh")
def _tanh(x: Vector) -> Vector:
    size = x.size
    # (e - 1) / (e + 1) with e = exp(2 |x|); from 22 on that is 1 in either precision, and NaN stays.
    grown = _expm1(x.body.number(22.0).min(size) * 2.0)
    return (grown / (grown + 2.0)) | x.sign_bit


# ---------------------------------------------------------------------- logarithms

_LOG: Final = {
    False: (0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693),
    True: (
        1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
        2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01,
    ),
}  # fmt: skip
_LN2_LOG: Final = {
    False: (6.9313812256e-01, 9.0580006145e-06),
    True: (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}


def _split(x: Vector) -> tuple[Vector, Vector]:
    """(k, m) with ``x = 2 ** k * m`` and m between the square roots of 1/2 and 2, for positive finite x."""
    body = x.body
    bits, tiny, lift = (52, 2.0**-1022, 54) if body.double else (23, 2.0**-126, 25)
    small = x.compare(LT, tiny)
    x = small.select(x * 2.0**lift, x)
    root = body.bits(0x3F3504F3, 0x3FE6A09E667F3BCD)
    offset = body.bits(0x3F800000 - 0x3F3504F3, 0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    moved = x.add_integer(offset)
    # An exponent in the lowest bits of 2 ** 23 (2 ** 52) is a number.
    whole = 2.0**bits
    exponent = (moved.shift_right(bits) | body.number(whole)) - (whole + (1023.0 if body.double else 127.0))
    mantissa = (moved & body.bits((1 << 23) - 1, (1 << 52) - 1)).add_integer(root)
    return small.select(exponent - float(lift), exponent), mantissa


def _log_of_parts(k: Vector, f: Vector, correction: Vector | float = 0.0) -> Vector:
    """``k * ln(2) + log(1 + f) + correction``."""
    high, low = _LN2_LOG[f.body.double]
    s = f / (f + 2.0)
    z = s * s
    rest = _polynomial(z, _LOG[f.body.double]) * z
    half_square = f * f * 0.5
    inner = s.times_plus(half_square + rest, k.times_plus(low, correction))
    return k.times_plus(high, f - (half_square - inner))


def _guarded(x: Vector, result: Vector, pole: float) -> Vector:
    """The logarithm's values at the pole, below it, at infinity and NaN."""
    result = x.compare(LT, math.inf).select(result, x)
    return x.compare(GT, pole).select(result, x.compare(EQ, pole).select(-math.inf, x.nan.select(x, math.nan)))


@_lowers("log")
def _log(x: Vector) -> Vector:
    k, m = _split(x)
    return _guarded(x, _log_of_parts(k, m - 1.0), 0.0)


@_lowers("log1p")
def _log1p(x: Vector) -> Vector:
    u = x + 1.0
    k, m = _split(u)
    # What rounding 1 + x lost, over it.
    lost = x.compare(GE, 1.0).select((u - x) * -1.0 + 1.0, x - (u - 1.0)) / u
    result = _log_of_parts(k, m - 1.0, lost)
    return x.compare(EQ, 0.0).select(x, _guarded(x, result, -1.0))
