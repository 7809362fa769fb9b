"""The error function, its complement and inverse, and the normal distribution functions that are made of them.

W. J. Cody, Rational Chebyshev Approximations for the Error Function, Mathematics of Computation 23 (1969), 631-637:
one quotient of polynomials for each of |x| <= 15/32, |x| <= 4 and beyond, good to the last places of float64.
M. J. Wichura, Algorithm AS 241: The Percentage Points of the Normal Distribution, Applied Statistics 37 (1988),
477-484: three quotients for the inverse, as good.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import float32
from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import polynomial, precise, quotient, split_square
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


def _near(x: Any) -> Any:
    """erf for |x| <= 15/32."""
    square = x * x
    return x * (quotient(square, (_NEAR_OVER, _NEAR_UNDER)))


def _scaled_tail(size: Any) -> Any:
    """``exp(x * x) * erfc(x)`` for arguments from 15/32 on."""
    middle = e.minimum(size, 4.0)
    mid = quotient(middle, (_MIDDLE_OVER, _MIDDLE_UNDER))
    far = e.maximum(size, 4.0)
    inverse = 1 / (far * far)
    remainder = inverse * quotient(inverse, (_FAR_OVER, _FAR_UNDER))
    high = (1 / math.sqrt(math.pi) - remainder) / far
    return e.where(e.le(size, 4.0), mid, high)


def _tail(size: Any) -> Any:
    """erfc for arguments from 15/32 on."""
    size = e.minimum(size, _END)
    # exp(-x * x) from a part whose square is exact and a small rest, as rounding x * x would cost digits.
    coarse, rest = split_square(size)
    return e.exp(-coarse) * e.exp(-rest) * _scaled_tail(size)


#: ``exp(z * z) * erfc(z)`` for 0 <= z <= 10.2 in ``(z - 2.5) / (z + 2.5)``: a least-squares fit of its own, whose
#: weights were raised where the relative error was largest; off by at most 2.5e-9.
_SCALED: Final = (
    -3.746548331e-05, -0.000110653392, 0.0002365670535, 0.000868581896, -0.002645968285, -0.003992220083,
    0.03992312415, -0.1250331964, 0.2517131627, -0.3717367295, 0.2108063643,
)  # fmt: skip


def _single_tail(size: Any) -> Any:
    """erfc for float32 arguments from 0 on: one polynomial does for all of them."""
    size = e.minimum(size, 10.2)
    coarse, rest = split_square(size)
    return e.exp(-coarse) * e.exp(-rest) * polynomial((size - 2.5) / (size + 2.5), _SCALED)


def normal_share(x: Any) -> Any:
    """The standard normal distribution function, as `gelu` uses it."""
    if x.dtype is not float32:
        return erfc(x * -math.sqrt(0.5)) * 0.5
    # Far below zero the exponent's rounding costs relative accuracy where the share is next to nothing.
    size = e.minimum(e.abs(x), 14.4)
    middle = 2.5 * math.sqrt(2)
    tail = e.exp(size * size * -0.5) * polynomial((size - middle) / (size + middle), _SCALED) * 0.5
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
    """Error function of each element, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to it.

    >>> tc.erf(tc.tensor([0.0, -1.0, 10.0]))
    tensor([ 0.0000, -0.8427,  1.0000])
    """
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
    """One minus the error function of each element, accurate where that is close to one.

    >>> tc.erfc(tc.tensor([0.0, -1.0, 3.0]))
    tensor([1.0000e+00, 1.8427e+00, 2.2090e-05])
    """
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


# ------------------------------------------------------------------ scaled, inverse, normal distribution

#: Quotients of AS 241: for probabilities in the middle, in the tails, and far out there.
_INVERSE_MIDDLE: Final = (
    (
        2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
        1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080,
    ),
    (
        5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
        5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
    ),
)  # fmt: skip
_INVERSE_TAIL: Final = (
    (
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
        3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
    ),
    (
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
        6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1.0,
    ),
)  # fmt: skip
_INVERSE_END: Final = (
    (
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
        2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
    ),
    (
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
        1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
    ),
)  # fmt: skip


@composite(
    rule=real_floating, vjp=lambda g, y, input: g * (input * y * 2 - 2 / math.sqrt(math.pi)), namespaces=("special",),
    samples=_SAMPLES, ulp=16,
)  # fmt: skip
def special_erfcx(input: Tensor) -> Tensor:
    """`erfc` of each element times ``exp(x * x)``, which keeps it from vanishing.

    >>> tc.special.erfcx(tc.tensor([0.0, -1.0, 10.0]))
    tensor([1.0000, 5.0090, 0.0561])
    """
    return special_erfcx.emit(input)


@precise(special_erfcx)
def _erfcx(input: Tensor) -> Tensor:
    size = e.abs(input)
    coarse, rest = split_square(e.minimum(size, _END))
    grown = e.exp(coarse) * e.exp(rest)
    outer = _scaled_tail(e.maximum(size, _NEAR))
    near = grown * (1 - _near(e.maximum(e.minimum(input, _NEAR), -_NEAR)))
    return e.where(e.le(size, _NEAR), near, e.where(e.lt(input, 0), grown * 2 - outer, outer))


def _quantile(middle: Any, tail: Any) -> Any:
    """The normal quantile by AS 241, from ``p - 0.5`` and from the smaller of p and ``1 - p``."""
    center = middle * quotient(0.180625 - middle * middle, _INVERSE_MIDDLE)
    root = e.sqrt(-e.log(tail))
    beyond = quotient(e.minimum(root, 5.0) - 1.6, _INVERSE_TAIL)
    far = quotient(e.minimum(e.maximum(root, 5.0), 30.0) - 5.0, _INVERSE_END)
    outer = e.where(e.eq(tail, 0), math.inf, e.where(e.le(root, 5.0), beyond, far))
    outer = e.where(e.lt(middle, 0), -outer, outer)
    return e.where(e.le(e.abs(middle), 0.425), center, e.where(e.ge(tail, 0), outer, math.nan))


@composite(
    rule=real_floating,
    vjp=lambda g, y: g * e.exp(y * y) * (math.sqrt(math.pi) / 2),
    aliases=("special.erfinv",),
    inplace=True,
    samples=({"shapes": ((3, 4),), "domains": ((-0.99, 0.99),)},),
    ulp=6,
)
def erfinv(input: Tensor) -> Tensor:
    """The number whose `erf` each element is: infinite at -1 and 1, NaN beyond.

    >>> tc.erfinv(tc.tensor([0.0, 0.5, -1.0]))
    tensor([0.0000, 0.4769,   -inf])
    """
    return erfinv.emit(input)


@precise(erfinv)
def _erfinv(input: Tensor) -> Tensor:
    return _quantile(input * 0.5, 0.5 - e.abs(input) * 0.5) * math.sqrt(0.5)


@composite(
    rule=real_floating,
    vjp=lambda g, y: g * e.exp(y * y * 0.5) * math.sqrt(2 * math.pi),
    namespaces=("special",),
    samples=({"shapes": ((3, 4),), "domains": ((0.001, 0.999),)},),
    ulp=6,
)
def special_ndtri(input: Tensor) -> Tensor:
    """The standard normal quantile of each element: infinite at 0 and 1, NaN beyond.

    >>> tc.special.ndtri(tc.tensor([0.0, 0.5, 0.975]))
    tensor([  -inf, 0.0000, 1.9600])
    """
    return special_ndtri.emit(input)


@precise(special_ndtri)
def _ndtri(input: Tensor) -> Tensor:
    return _quantile(input - 0.5, e.minimum(input, 1 - input))


def _normal_tail(size: Any) -> Any:
    """The probability of what is larger than ``size``, not negative, under the standard normal distribution."""
    size = e.minimum(size, 1.5 * _END)
    coarse, rest = split_square(size)
    z = size * math.sqrt(0.5)
    tail = e.exp(coarse * -0.5) * e.exp(rest * -0.5) * _scaled_tail(e.maximum(z, _NEAR)) * 0.5
    return e.where(e.le(z, _NEAR), 0.5 - _near(e.minimum(z, _NEAR)) * 0.5, tail)


@composite(
    rule=real_floating, vjp=lambda g, input: g * e.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi)),
    namespaces=("special",), samples=_SAMPLES, ulp=8,
)  # fmt: skip
def special_ndtr(input: Tensor) -> Tensor:
    """The standard normal distribution function of each element, accurate far below 0.

    >>> tc.special.ndtr(tc.tensor([0.0, -1.96, 3.0]))
    tensor([0.5000, 0.0250, 0.9987])
    """
    return special_ndtr.emit(input)


@precise(special_ndtr)
def _ndtr(input: Tensor) -> Tensor:
    tail = _normal_tail(e.abs(input))
    return e.where(e.lt(input, 0), tail, 1 - tail)


@composite(
    rule=real_floating,
    # Bounded, as an infinite divisor would have NaN for the next derivative.
    vjp=lambda g, input: g * math.sqrt(2 / math.pi) / special_erfcx(e.maximum(input * -math.sqrt(0.5), -25.0)),
    namespaces=("special",), samples=_SAMPLES, ulp=8,
)  # fmt: skip
def special_log_ndtr(input: Tensor) -> Tensor:
    """Logarithm of the standard normal distribution function of each element, accurate at both ends.

    >>> tc.special.log_ndtr(tc.tensor([0.0, -1.96, 3.0]))
    tensor([-6.9315e-01, -3.6890e+00, -1.3508e-03])
    """
    return special_log_ndtr.emit(input)


@precise(special_log_ndtr)
def _log_ndtr(input: Tensor) -> Tensor:
    below = e.log(_scaled_tail(e.maximum(input * -math.sqrt(0.5), _NEAR)) * 0.5) - input * input * 0.5
    tail = _normal_tail(e.abs(input))
    return e.where(e.lt(input, -1.0), below, e.log1p(-e.where(e.lt(input, 0), 1 - tail, tail)))
