"""The error function and its complement, by the rational approximations of Cody.

W. J. Cody, Rational Chebyshev Approximations for the Error Function, Mathematics of Computation 23 (1969), 631-637:
one quotient of polynomials for each of |x| <= 15/32, |x| <= 4 and beyond, good to the last places of float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import float32
from tensorcore.ops import elementwise as e
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.rules import real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# Coefficients of the quotients, highest power first.
_NEAR_OVER: Final = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_UNDER: Final = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_MIDDLE_OVER: Final = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_MIDDLE_UNDER: Final = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_FAR_OVER: Final = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_FAR_UNDER: Final = (
    1.0,
    2.56852019228982242,
    1.87295284992346725,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_NEAR: Final = 0.46875
#: From here on erfc is 0 in float64.
_END: Final = 27.3


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    first, *rest = coefficients
    total = x * first + rest[0] if first != 1 else x + rest[0]
    for coefficient in rest[1:]:
        total = total * x + coefficient
    return total


def _near(x: Any) -> Any:
    """erf for |x| <= 15/32."""
    square = x * x
    return x * (_polynomial(square, _NEAR_OVER) / _polynomial(square, _NEAR_UNDER))


def _tail(size: Any) -> Any:
    """erfc for arguments from 15/32 on."""
    size = e.minimum(size, _END)
    middle = e.minimum(size, 4.0)
    mid = _polynomial(middle, _MIDDLE_OVER) / _polynomial(middle, _MIDDLE_UNDER)
    far = e.maximum(size, 4.0)
    inverse = 1 / (far * far)
    remainder = inverse * (_polynomial(inverse, _FAR_OVER) / _polynomial(inverse, _FAR_UNDER))
    high = (1 / math.sqrt(math.pi) - remainder) / far
    # exp(-x * x) from a part whose square is exact and a small rest, as rounding x * x would cost digits.
    coarse = e.floor(size * 16) / 16
    rest = (size - coarse) * (size + coarse)
    return e.exp(-coarse * coarse) * e.exp(-rest) * e.where(e.le(size, 4.0), mid, high)


#: ``exp(z * z) * erfc(z)`` for 0 <= z <= 10.2 in ``(z - 2.5) / (z + 2.5)``: a least-squares fit of its own, whose
#: weights were raised where the relative error was largest; off by at most 2.5e-9.
_SCALED: Final = (
    -3.746548331e-05, -0.000110653392, 0.0002365670535, 0.000868581896, -0.002645968285, -0.003992220083,
    0.03992312415, -0.1250331964, 0.2517131627, -0.3717367295, 0.2108063643,
)  # fmt: skip


def _single_tail(size: Any) -> Any:
    """erfc for float32 arguments from 0 on: one polynomial does for all of them."""
    size = e.minimum(size, 10.2)
    coarse = e.floor(size * 16) / 16
    rest = (size - coarse) * (size + coarse)
    return e.exp(-coarse * coarse) * e.exp(-rest) * _polynomial((size - 2.5) / (size + 2.5), _SCALED)


def normal_share(x: Any) -> Any:
    """The standard normal distribution function, as `gelu` uses it."""
    if x.dtype is not float32:
        return erfc(x * -math.sqrt(0.5)) * 0.5
    # Far below zero the exponent's rounding costs relative accuracy where the share is next to nothing.
    size = e.minimum(e.abs(x), 14.4)
    middle = 2.5 * math.sqrt(2)
    tail = e.exp(size * size * -0.5) * _polynomial((size - middle) / (size + middle), _SCALED) * 0.5
    return e.where(e.gt(x, 0), 1 - tail, tail)


_SAMPLES: Final = ({"shapes": ((3, 4),)}, {"shapes": ((),)}, {"shapes": ((0, 2),)})


def _slope(g: Any, input: Any, factor: float) -> Any:
    return g * e.exp(-(input * input)) * factor


@composite(
    rule=real_floating,
    vjp=lambda g, input: _slope(g, input, 2 / math.sqrt(math.pi)),
    namespaces=("", "Tensor", "special"),
    inplace=True,
    samples=_SAMPLES,
    ulp=4,
)
def erf(input: Tensor) -> Tensor:
    """Error function of each element, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to it."""
    return erf.emit(input)


@erf.expression
@widened
def _erf(input: Tensor) -> Tensor:
    size = e.abs(input)
    tail = _single_tail(size) if input.dtype is float32 else _tail(e.maximum(size, _NEAR))
    outer = (0.5 - tail) + 0.5
    return e.where(e.le(size, _NEAR), _near(input), e.where(e.lt(input, 0), -outer, outer))


@composite(
    rule=real_floating,
    vjp=lambda g, input: _slope(g, input, -2 / math.sqrt(math.pi)),
    namespaces=("", "Tensor", "special"),
    inplace=True,
    samples=_SAMPLES,
    ulp=16,
)
def erfc(input: Tensor) -> Tensor:
    """One minus the error function of each element, accurate where that is close to one."""
    return erfc.emit(input)


@erfc.expression
@widened
def _erfc(input: Tensor) -> Tensor:
    size = e.abs(input)
    if input.dtype is float32:
        tail = _single_tail(size)
        return e.where(e.lt(input, 0), 2 - tail, tail)
    tail = _tail(e.maximum(size, _NEAR))
    return e.where(e.le(size, _NEAR), 1 - _near(input), e.where(e.lt(input, 0), 2 - tail, tail))
