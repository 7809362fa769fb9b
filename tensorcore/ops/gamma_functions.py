"""The logarithm of the gamma function, its derivatives, and the Hurwitz zeta function.

Below 3 the argument is shifted to [1, 2] by the recurrence (DLMF 5.5.1, 5.5.2), where a quotient of polynomials gives
the function over its zeros; from 3 on the series of Stirling (DLMF 5.11) is replaced by a quotient in its variable;
below 0 the reflection formulas hold (DLMF 5.5.3, 5.5.4, 5.15.6).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import RangeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import (
    HUGE,
    as_int,
    cotangent_of_pi,
    from_integer,
    no_derivative,
    polynomial,
    precise,
    quotient,
    sine_of_pi,
)
from tensorcore.ops.record import composite
from tensorcore.ops.rules import real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: ``lgamma(1 + v) / (v * (v - 1))`` for 0 <= v <= 1, and Stirling's remainder ``x * R(x)`` in ``1 / x ** 2``, x >= 3.
_LOG_NEAR: Final = (
    (
        0.01012591901600107, 3.7139118371985287, 100.41946234794717, 882.1798339281278, 3412.7697130055208,
        6429.042278694039, 5780.546052937258, 1983.6828973321562,
    ),
    (
        1.0, 44.6602347172534, 592.5006579275408, 3419.6249096207416, 9918.802924666406, 15088.05344910308,
        11474.71787756272, 3436.6407877557385,
    ),
)  # fmt: skip
_LOG_FAR: Final = (
    (
        0.06012297817926373, 1.1510019206900282, 3.008062024046678, 2.2058655684750175, 0.5354075575352986,
        0.03748179034313839,
    ),
    (
        1.0, 14.830309251937205, 36.92798365581452, 26.68076596873901, 6.439883406560832, 0.44978148411766067,
    ),
)  # fmt: skip
#: ``digamma(1 + v)`` over its distance from the zero, and ``x * x * (log(x) - 1 / (2 * x) - digamma(x))``.
_DIGAMMA_NEAR: Final = (
    (
        0.009046368655949653, 4.825261246705904, 165.7712541835364, 1796.1584092051896, 8063.776155703845,
        15507.506994556841, 10382.499726323436,
    ),
    (
        1.0, 50.65929676673064, 756.6044902160774, 4741.662414961413, 13809.29021462068, 18078.047576759822,
        8303.474611372065,
    ),
)  # fmt: skip
_DIGAMMA_FAR: Final = (
    (
        0.041585272646151396, 0.8106026556761146, 2.2237162615484634, 1.883957374667433, 0.6113400299423045,
        0.07804232609579567, 0.0032140286291913412,
    ),
    (
        1.0, 11.783553521633886, 28.705126100069023, 23.30746566411042, 7.4282802462700595, 0.9403647475045775,
        0.0385683435502961,
    ),
)  # fmt: skip
#: ``polygamma(1, 1 + v)``, and ``x ** 3 * (polygamma(1, x) - 1 / x - 1 / (2 * x * x))``.
_TRIGAMMA_NEAR: Final = (
    (
        1.0076678330451626e-07, 0.9999981007089029, 9.356597980928914, 35.71226123345551, 69.32589307933782,
        68.53198356338174, 27.86355440932985,
    ),
    (
        1.0, 9.85657937912423, 40.47401052944697, 87.91946856251207, 105.78228429043092, 66.41925246839894,
        16.93900987941588,
    ),
)  # fmt: skip
_TRIGAMMA_FAR: Final = (
    (
        0.06263627225884504, 1.0754862190856562, 2.544215768293407, 1.8819294466004057, 0.540803701210272,
        0.06191017238518384, 0.0023105298686113573,
    ),
    (
        1.0, 8.714923912740865, 17.240769417216935, 11.904425059951388, 3.3176884871193955, 0.3742336701534364,
        0.013863179211668143,
    ),
)  # fmt: skip
#: The zero of digamma less 1, as two numbers.
_ZERO: Final = (0.46163214496836236, -1.5522348162858677e-17)
#: ``B(2 * j) / (2 * j)!``, j from 1 on: the terms of Euler and Maclaurin's formula.
_BERNOULLI: Final = (
    0.08333333333333333, -0.001388888888888889, 3.306878306878307e-05, -8.267195767195768e-07, 2.08767569878681e-08,
    -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13, 8.586062056277845e-15,
    -2.174868698558062e-16,
)  # fmt: skip
#: How many terms are summed before the formula takes over: with ten Bernoulli numbers it then errs by under 1e-17.
_SUMMED: Final = 8

_SAMPLES: Final = ({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "domains": ((0.1, 30),)})


def _sides(x: Any) -> tuple[Any, Any, Any]:
    """Where ``x`` is negative; it or its reflection ``1 - x``, not negative; and ``x`` less its nearest integer."""
    bounded = e.maximum(x, -HUGE)
    negative = e.lt(bounded, 0)
    return negative, e.where(negative, 1 - bounded, bounded), from_integer(bounded)


def _fraction(x: Any) -> Any:
    """What 1 is exceeded by after the shift of an ``x`` below 3 to [1, 2]."""
    small = e.minimum(x, 3.0)
    return small - e.floor(small)


def stirling(inverse: Any) -> Any:
    """What the logarithm of the gamma function has beyond ``(x - 1/2) * log(x) - x + log(2 * pi) / 2``, x >= 3."""
    return inverse * quotient(inverse * inverse, _LOG_FAR)


def log_gamma_of_next(v: Any) -> Any:
    """``lgamma(1 + v)`` for v in [0, 1], without adding 1."""
    return v * (v - 1) * quotient(v, _LOG_NEAR)


def log_gamma(x: Any) -> Any:
    """lgamma of numbers that are not negative."""
    v = _fraction(x)
    far, low = e.ge(x, 3.0), e.lt(x, 1.0)
    log = e.log(e.where(far | low, x, e.maximum(x - 1, 1.0)))
    near = log_gamma_of_next(v) + e.where(low, -log, log)
    size = e.maximum(x, 3.0)
    beyond = (size - 0.5) * (log - 1) + (0.5 * math.log(2 * math.pi) - 0.5) + stirling(1 / size)
    return e.where(far, beyond, near)


@composite(
    rule=real_floating,
    vjp=lambda g, input: g * digamma(input),
    aliases=("special.gammaln",),
    inplace=True,
    samples=_SAMPLES,
    ulp=6,
)
def lgamma(input: Tensor) -> Tensor:
    """Logarithm of the absolute value of the gamma function of each element; infinity at 0 and the negative integers.

    Near a zero below 0 the error is a few units in the last place of 1, not of the result.

    >>> tc.lgamma(tc.tensor([0.5, 1.0, 4.0]))
    tensor([0.5724, 0.0000, 1.7918])
    """
    return lgamma.emit(input)


@precise(lgamma)
def _lgamma(input: Tensor) -> Tensor:
    negative, x, rest = _sides(input)
    result = log_gamma(x)
    return e.where(negative, -e.log(e.abs(sine_of_pi(rest)) * (1 / math.pi)) - result, result)


@composite(
    rule=real_floating,
    vjp=lambda g, input: g * polygamma(1, input),
    aliases=("special.digamma", "special.psi"),
    inplace=True,
    samples=_SAMPLES,
    ulp=8,
)
def digamma(input: Tensor) -> Tensor:
    """Derivative of `lgamma`; at 0 the infinity of the opposite sign, NaN at the negative integers.

    >>> tc.digamma(tc.tensor([0.5, 1.0, 4.0]))
    tensor([-1.9635, -0.5772,  1.2561])
    """
    return digamma.emit(input)


@precise(digamma)
def _digamma(input: Tensor) -> Tensor:
    negative, x, rest = _sides(input)
    v = _fraction(x)
    far, low, high = e.ge(x, 3.0), e.lt(x, 1.0), e.ge(x, 2.0)
    inverse = 1 / e.where(far, x, e.where(low, -x, e.maximum(x - 1, 1.0)))
    near = ((v - _ZERO[0]) - _ZERO[1]) * quotient(v, _DIGAMMA_NEAR) + e.where(low | high, inverse, 0.0)
    square = e.where(far, inverse, 0.0) * inverse
    result = e.where(far, e.log(x) - inverse * 0.5 - square * quotient(square, _DIGAMMA_FAR), near)
    reflected = result - cotangent_of_pi(rest) * math.pi
    return e.where(negative, e.where(e.eq(rest, 0), math.nan, reflected), result)


# ------------------------------------------------------------------ higher derivatives


@composite(
    rule=real_floating,
    vjp=lambda g, input, n: g * polygamma(n + 1, input),
    namespaces=("", "special"),
    samples=tuple({"shapes": ((3, 4),), "order": ("n", 0), "n": n, "domains": ((0.1, 9),)} for n in range(5)),
    ulp=16,
)
def polygamma(n: int, input: Tensor) -> Tensor:
    """The derivative of order ``n`` of `digamma`, of each element.

    Sums and Euler and Maclaurin's formula (DLMF 25.11.43 for the zeta function) from order 2 on.

    >>> tc.polygamma(1, tc.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])

    Raises:
        RangeError: if ``n`` is negative.
        TypeError: if ``n`` is no int.
    """
    n = as_int("polygamma", "n", n)
    if n < 0:
        raise RangeError(f"polygamma: n, the order of the derivative, must not be negative, got {n}")
    return polygamma.emit(input, n=n) if n else digamma.emit(input)


@precise(polygamma)
def _polygamma(input: Tensor, *, n: int) -> Tensor:
    if n < 2:
        return trigamma(input) if n else digamma(input)
    negative, x, rest = _sides(input)
    # The reflection takes the same derivative of pi / tan(pi * x), a polynomial of the cotangent.
    sign = -1.0 if n % 2 == 0 else 1.0
    result = _zeta_of_order(x, n + 1) * (sign * _factorial(n))
    cotangent = cotangent_of_pi(rest)
    terms = _cotangent_derivative(n)
    powers = polynomial(cotangent * cotangent, terms[::-2]) * (cotangent if n % 2 == 0 else 1.0)
    return e.where(negative, e.where(e.eq(rest, 0), sign * math.inf, -sign * result - powers), result)


@composite(namespaces=(), aliases=("Tensor.polygamma",), samples=({"shapes": ((3, 4),), "args": (1,)},), ulp=16)
def polygamma_of(input: Tensor, n: int) -> Tensor:
    """`polygamma`, as the method of the tensor.

    >>> tc.tensor([1.0, 0.5]).polygamma(1)
    tensor([1.6449, 4.9348])
    """
    return polygamma(n, input)


@composite(namespaces=("Tensor",))
def polygamma_(input: Tensor, n: int) -> Tensor:
    """`polygamma` in place.

    >>> tc.tensor([1.0, 0.5]).polygamma_(1)
    tensor([1.6449, 4.9348])
    """
    from tensorcore.ops.inplace import write

    return write(input, polygamma(n, input), "polygamma_")


def _factorial(n: int) -> float:
    return float(math.factorial(n)) if n <= 170 else math.inf


@composite(
    rule=real_floating, vjp=lambda g, input: g * polygamma(2, input), namespaces=(), samples=_SAMPLES, ulp=16,
    shown="PolygammaBackward0",
)  # fmt: skip
def trigamma(input: Tensor) -> Tensor:
    """`polygamma` of order 1, which the gradient of `digamma` is made of."""
    return trigamma.emit(input)


@precise(trigamma)
def _trigamma(input: Tensor) -> Tensor:
    negative, x, rest = _sides(input)
    v = _fraction(x)
    far, low, high = e.ge(x, 3.0), e.lt(x, 1.0), e.ge(x, 2.0)
    inverse = 1 / e.where(far | low, x, e.maximum(x - 1, 1.0))
    square = inverse * inverse
    near = quotient(v, _TRIGAMMA_NEAR) + e.where(low, square, e.where(high, -square, 0.0))
    square = e.where(far, square, 0.0)
    result = e.where(far, inverse + square * (inverse * quotient(square, _TRIGAMMA_FAR) + 0.5), near)
    sine = math.pi / sine_of_pi(rest)
    return e.where(negative, sine * sine - result, result)


def _cotangent_derivative(n: int) -> list[float]:
    """Coefficients, lowest first, of the derivative of order ``n`` of ``pi / tan(pi * x)`` in the cotangent."""
    terms = [0, 1]
    for _ in range(n):
        slopes = [place * term for place, term in enumerate(terms)][1:]
        terms = [-(a + b) for a, b in zip([*slopes, 0, 0], [0, 0, *slopes], strict=True)]
    try:
        return [float(term) * math.pi ** (n + 1) for term in terms]
    except OverflowError:
        return [math.copysign(math.inf, term) if term else 0.0 for term in terms]


def _zeta_of_order(x: Any, s: int) -> Any:
    """The Hurwitz zeta function of an integer order, x >= 0."""
    end = x + _SUMMED
    inverse = 1 / end
    rising, terms = 1.0, []
    for j, bernoulli in enumerate(_BERNOULLI):
        # s * (s + 1) * ... * (s + 2 * j), of one factor more than the terms have even powers of 1 / x.
        rising *= s if j == 0 else float((s + 2 * j - 1) * (s + 2 * j))
        terms.append(bernoulli * rising)
    tail = 1 / (s - 1) + inverse * (inverse * polynomial(inverse * inverse, terms[::-1]) + 0.5)
    tail = e.pow(end, 1.0 - s) * tail
    for k in range(_SUMMED - 1, -1, -1):
        tail = tail + e.pow(x + k, -float(s))
    return tail


# ------------------------------------------------------------------ multivariate, zeta


@composite(
    rule=real_floating,
    vjp=lambda g, input, p: g * _summed(digamma, input, p),
    aliases=("special.multigammaln",),
    inplace=True,
    samples=tuple({"shapes": ((3, 4),), "domains": ((3, 9),), "p": p} for p in (1, 2, 5)),
    ulp=16,
)
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """Logarithm of the multivariate gamma function of dimension ``p`` (DLMF 35.3.4), of each element.

    >>> tc.mvlgamma(tc.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])

    Raises:
        RangeError: if ``p`` is below 1.
        TypeError: if ``p`` is no int.
    """
    p = as_int("mvlgamma", "p", p)
    if p < 1:
        raise RangeError(f"mvlgamma: p, the dimension, must be at least 1, got {p}")
    return mvlgamma.emit(input, p=p)


@precise(mvlgamma)
def _mvlgamma(input: Tensor, *, p: int) -> Tensor:
    return _summed(lgamma, input, p) + p * (p - 1) / 4 * math.log(math.pi)


def _summed(function: Any, x: Any, p: int) -> Any:
    total = function(x)
    for j in range(1, p):
        total = total + function(x - j / 2)
    return total


@composite(
    rule=real_floating,
    vjp=(lambda: no_derivative("zeta", "input"), lambda g, input, other: -g * input * special_zeta(input + 1, other)),
    namespaces=("special",),
    samples=({"shapes": ((3, 4), (3, 4)), "domains": ((1.5, 6), (0.2, 9))},
             {"shapes": ((3, 1), (4,)), "domains": ((1.5, 6), (0.2, 9))}),
    ulp=16,
)  # fmt: skip
def special_zeta(input: Tensor, other: Tensor) -> Tensor:
    """Hurwitz zeta function: the sum of ``(other + k) ** -input`` over k from 0 on, by Euler and Maclaurin's formula.

    For ``other`` below 0 and integer orders the sum over all integers is taken apart (DLMF 25.11.4). Infinite for order
    1 and where ``other`` is 0 or a negative integer, NaN for orders below 1. PyTorch knows no derivative by ``input``.

    >>> tc.special.zeta(tc.tensor([2.0, 4.0]), tc.tensor([1.0, 0.5]))
    tensor([ 1.6449, 16.2348])
    """
    return special_zeta.emit(input, other)


@precise(special_zeta)
def _zeta(input: Tensor, other: Tensor) -> Tensor:
    order, x = input, other
    negative = e.lt(x, 0)
    rest = from_integer(e.maximum(x, -HUGE))
    whole = _positive_zeta(order, e.where(negative, rest + 1, x))
    odd = e.ne(e.remainder(order, 2.0), 0)
    mirrored = _positive_zeta(order, 1 - rest) - _positive_zeta(order, 1 - e.minimum(x, 0.0))
    below = e.pow(rest, -order) + whole + e.where(odd, -mirrored, mirrored)
    result = e.where(negative, e.where(e.eq(order, e.floor(order)), below, math.nan), whole)
    pole = e.eq(order, 1) | (e.le(x, 0) & e.eq(rest, 0))
    return e.where(e.lt(order, 1), math.nan, e.where(pole & e.eq(x, x), math.inf, result))


def _positive_zeta(order: Any, x: Any) -> Any:
    end = x + _SUMMED
    inverse = 1 / end
    square = inverse * inverse
    # Orders so large leave one term only; bounded, the factors of the others do not overflow.
    s = e.minimum(order, 1e15)
    correction = square * 0.0
    for j in range(len(_BERNOULLI) - 1, 0, -1):
        correction = (correction + _BERNOULLI[j]) * ((s + (2 * j - 1)) * (s + 2 * j)) * square
    correction = (correction + _BERNOULLI[0]) * s * inverse
    power = e.pow(end, 1 - order)
    total = e.where(e.eq(power, 0), 0.0, power * (1 / (s - 1) + inverse * (correction + 0.5)))
    for k in range(_SUMMED - 1, -1, -1):
        total = total + e.pow(x + k, -order)
    return total
