"""Special functions by other ways than the library's: series, quadrature and identities in NumPy's long doubles.

Integrals of periodic functions, and of those that vanish doubly exponentially, are sums of equidistant values, which
converge geometrically (Trefethen, Weideman, The Exponentially Convergent Trapezoidal Rule, SIAM Review 56 (2014)).
Each is accurate where records draw their samples, not everywhere.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["SPECIAL_ORACLES"]

_LONG: Any = np.longdouble
_PI: Any = _LONG("3.14159265358979323846264338327950288")
_EULER: Any = _LONG("0.57721566490153286060651209008240243")
#: Bernoulli numbers B2, B4, ... as fractions.
_BERNOULLI = [
    _LONG(over) / _LONG(under)
    for over, under in (
        (1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510), (43867, 798), (-174611, 330),
    )
]  # fmt: skip


def _wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of long doubles, whatever the precision of the operands; integers and bool come as float64."""
    return lambda *arrays, **more: function(
        *(x.astype(_LONG) if isinstance(x, np.ndarray) else x for x in arrays), **more
    )


# ------------------------------------------------------------------ gamma and zeta


def _log_gamma(x: Any) -> Any:
    """Stirling's series after 40 steps of the recurrence; the reflection below 0."""
    y = np.where(np.isinf(x), 1, np.where(x < 0, 1 - x, x))
    product = sum(np.log(y + k) for k in range(40))
    z = y + 40
    series = sum(b / ((2 * j + 2) * (2 * j + 1) * z ** (2 * j + 1)) for j, b in enumerate(_BERNOULLI))
    result = (z - _LONG(0.5)) * np.log(z) - z + np.log(2 * _PI) / 2 + series - product
    reflected = np.log(_PI / np.abs(np.sin(_PI * (x - np.rint(x))))) - result
    return np.where(np.isinf(x), np.inf, np.where(x < 0, reflected, result))


def _zeta(s: Any, q: Any) -> Any:
    """40 terms and Euler and Maclaurin's formula, for q from 0 on."""
    z = q + 40
    factor, correction = s / z, 0.0
    for j, b in enumerate(_BERNOULLI):
        correction = correction + b / _factorial(2 * j + 2) * factor
        factor = factor * (s + 2 * j + 1) * (s + 2 * j + 2) / z**2
    total = sum((q + k) ** -s for k in range(40)) + z ** (1 - s) / (s - 1) + z**-s * (_LONG(0.5) + correction)
    return np.where(s < 1, np.nan, np.where(s == 1, np.inf, total))


def _factorial(n: int) -> Any:
    return np.prod(np.arange(1, n + 1, dtype=_LONG))


def _digamma(x: Any) -> Any:
    y = np.where(x < 0, 1 - x, x)
    z = y + 40
    series = sum(b / ((2 * j + 2) * z ** (2 * j + 2)) for j, b in enumerate(_BERNOULLI))
    result = np.log(z) - 1 / (2 * z) - series - sum(1 / (y + k) for k in range(40))
    result = np.where(x < 0, result - _PI / np.tan(_PI * (x - np.rint(x))), result)
    pole = np.where(x == 0, np.copysign(np.inf, -x), np.nan)
    return np.where((x <= 0) & (x == np.rint(x)), pole, result)


def _trigamma(x: Any) -> Any:
    result = _zeta(_LONG(2), np.where(x < 0, 1 - x, x))
    return np.where(x < 0, (_PI / np.sin(_PI * (x - np.rint(x)))) ** 2 - result, result)


def _polygamma(n: int, x: Any) -> Any:
    if n < 2:
        return _trigamma(x) if n else _digamma(x)
    return (-1) ** (n + 1) * _factorial(n) * _zeta(_LONG(n + 1), x)


def _multivariate(x: Any, p: int) -> Any:
    return sum(_log_gamma(x - _LONG(j) / 2) for j in range(p)) + _LONG(p * (p - 1)) / 4 * np.log(_PI)


def _upper_gamma(a: Any, x: Any) -> Any:
    """The continued fraction above the mean, one less the series below."""
    factor = np.exp(a * np.log(x) - x - _log_gamma(a))
    tail = x - a + 1001
    for k in range(500, 0, -1):
        tail = x - a + (2 * k - 1) - k * (k - a) / tail
    return np.where(x > np.maximum(a, 1), factor / tail, 1 - _lower_series(a, x))


def _lower_series(a: Any, x: Any) -> Any:
    term = np.exp(a * np.log(x) - x - _log_gamma(a)) / a
    total = term
    for k in range(1, 400):
        term = term * x / (a + k)
        total = total + term
    return total


# ------------------------------------------------------------------ Bessel and Airy

_ANGLES = (np.arange(96, dtype=_LONG) + _LONG(0.5)) * _PI / 96
_STEPS = np.arange(-160, 161, dtype=_LONG) / 20


def _modified_first(x: Any, n: int, scaled: bool) -> Any:
    """The integral of DLMF 10.32.3."""
    wave = x[..., None] * np.cos(_ANGLES) - (np.abs(x)[..., None] if scaled else 0)
    # An odd function is 0 at 0, where the sum is a rounding error.
    return np.where((x == 0) & (n % 2 == 1), x, np.mean(np.exp(wave) * np.cos(n * _ANGLES), -1))


def _modified_second(x: Any, n: int, scaled: bool) -> Any:
    """The integral of DLMF 10.32.9."""
    steps = _STEPS
    fall = np.exp(-x[..., None] * (np.cosh(steps) - scaled)) * np.cosh(n * steps)
    return np.where(x > 0, np.sum(fall, -1) / 40, np.where(x == 0, np.inf, np.nan))


def _first(x: Any, n: int) -> Any:
    """The integral of DLMF 10.9.2."""
    return np.where((x == 0) & (n % 2 == 1), x, np.mean(np.cos(n * _ANGLES - x[..., None] * np.sin(_ANGLES)), -1))


def _second(x: Any, n: int) -> Any:
    return np.where(x > 0, _neumann(np.where(x > 0, x, 1), n), np.where(x == 0, -np.inf, np.nan))


def _neumann(x: Any, n: int) -> Any:
    """Neumann's expansion in functions of the first kind (DLMF 10.8.3), and its derivative, Y1 = -Y0'."""
    log = np.log(x / 2) + _EULER
    weights = {2 * k: _LONG((-1) ** k) / k for k in range(1, 30)}
    if n == 0:
        return 2 / _PI * log * _first(x, 0) - 4 / _PI * _sum_of_first(x, weights)
    slopes = {order + step: 0 * _PI for order in weights for step in (-1, 1)}
    for order, weight in weights.items():
        slopes[order - 1] += weight / 2
        slopes[order + 1] -= weight / 2
    return 2 / _PI * (log * _first(x, 1) - _first(x, 0) / x) + 4 / _PI * _sum_of_first(x, slopes)


def _sum_of_first(x: Any, weights: dict[int, Any]) -> Any:
    """The sum of functions of the first kind, by order, the orders' waves summed first."""
    even, odd = (sum(weight * wave(n * _ANGLES) for n, weight in weights.items()) for wave in (np.cos, np.sin))
    turns = x[..., None] * np.sin(_ANGLES)
    return np.mean(np.cos(turns) * even + np.sin(turns) * odd, -1)


def _airy(x: Any) -> Any:
    """The integral of DLMF 9.5.4, over the line through the saddle point."""
    height = np.sqrt(np.maximum(x, 1))[..., None]
    path = np.arange(-400, 401, dtype=_LONG) / 50 + 1j * height
    return np.sum(np.exp(1j * (path**3 / 3 + x[..., None] * path)).real, -1) / 100 / _PI


# ------------------------------------------------------------------ error function

#: A step of 0.4 makes the sum below err by ``exp(-(pi / 0.4) ** 2)``.
_STEP = _LONG("0.4")


def _scaled_complement(x: Any) -> Any:
    """``exp(x * x) * erfc(x)`` for x from 1/2 on: Chiarella and Reichel, Mathematics of Computation 22 (1968)."""
    total = 1 / x**2 + 2 * sum(np.exp(-((k * _STEP) ** 2)) / ((k * _STEP) ** 2 + x**2) for k in range(1, 30))
    pole = np.where(x < _PI / _STEP, 2 * np.exp(x**2) / (1 - np.exp(2 * _PI * np.minimum(x, 8) / _STEP)), 0)
    return _STEP * x / _PI * total + pole


def _scaled(x: Any) -> Any:
    """``exp(x * x) * erfc(x)`` of any x."""
    size = np.abs(x)
    near = np.minimum(size, 1)
    # Kummer's form of the Taylor series, whose terms are positive.
    term = 2 / np.sqrt(_PI) * near
    series = term
    for k in range(1, 40):
        term = term * 2 * near**2 / (2 * k + 1)
        series = series + term
    result = np.where(size < 1, np.exp(near**2) - series, _scaled_complement(np.maximum(size, 1)))
    return np.where(x < 0, 2 * np.exp(x**2) - result, result)


def _normal(x: Any) -> Any:
    tail = np.exp(-(x**2) / 2) * _scaled(np.abs(x) / np.sqrt(_LONG(2))) / 2
    return np.where(x > 0, 1 - tail, tail)


def _log_normal(x: Any) -> Any:
    below = -(x**2) / 2 + np.log(_scaled(np.abs(x) / np.sqrt(_LONG(2))) / 2)
    return np.where(x < 0, below, np.log1p(-_normal(-x)))


def _quantile(p: Any) -> Any:
    """Newton's steps from the standard library's quantile."""
    inside = np.where((p > 0) & (p < 1), p, 0.5)
    start = np.vectorize(statistics.NormalDist().inv_cdf, otypes=[np.float64])
    x = start(np.clip(inside.astype(np.float64), 1e-300, 1 - 2.0**-53)).astype(_LONG)
    for _ in range(3):
        x = x - (_normal(x) - inside) * np.sqrt(2 * _PI) * np.exp(x**2 / 2)
    return np.where(inside == p, x, np.where(p == 0, -np.inf, np.where(p == 1, np.inf, np.nan)))


def _error_inverse(x: Any) -> Any:
    inside = np.where(np.abs(x) < 1, x, 0)
    y = _quantile((1 + inside) / 2) / np.sqrt(_LONG(2))
    for _ in range(2):
        # Of the smaller side, whose digits are all there.
        size = np.abs(y)
        gap = np.exp(-(size**2)) * _scaled(size) - (1 - np.abs(inside))
        y = np.copysign(size + gap * np.sqrt(_PI) / 2 * np.exp(size**2), inside)
    # Near 0 the quantile sees no more of x than 1/2 + x does.
    y = np.where(np.abs(inside) < 1e-9, inside * np.sqrt(_PI) / 2, y)
    return np.where(inside == x, y, np.where(np.abs(x) == 1, x * np.inf, np.nan))


# ------------------------------------------------------------------ orthogonal polynomials


def _by_degree(polynomial: Callable[[Any, int], Any]) -> Callable[[Any, Any], Any]:
    """A polynomial of one degree, or of a degree for each element."""

    def oracle(x: Any, n: Any) -> Any:
        x, degrees = np.broadcast_arrays(x.astype(_LONG), n)
        out = np.zeros(x.shape, _LONG)
        for degree in np.unique(degrees):
            if degree >= 0:
                out = np.where(degrees == degree, polynomial(x, int(degree)), out)
        return out

    return oracle


def _series(module: Any, evaluate: Any) -> Callable[[Any, int], Any]:
    return lambda x, n: getattr(module, evaluate)(x, [0] * n + [1])


def _second_kind(x: Any, n: int) -> Any:
    if n < 0:
        return x * 0
    derivative = np.polynomial.chebyshev.chebder([0] * (n + 1) + [1])
    return np.polynomial.chebyshev.chebval(x, derivative) / (n + 1)


_KINDS: dict[str, Callable[[Any, int], Any]] = {
    "t": _series(np.polynomial.chebyshev, "chebval"),
    "u": _second_kind,
    "v": lambda x, n: _second_kind(x, n) - _second_kind(x, n - 1),
    "w": lambda x, n: _second_kind(x, n) + _second_kind(x, n - 1),
}


def _shifted(polynomial: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    return lambda x, n: polynomial(2 * x - 1, n)


def _frexp(x: Any) -> tuple[Any, Any]:
    mantissa, exponent = np.frexp(x)
    return mantissa, exponent.astype(np.int32)


def _logit(x: Any, eps: float | None = None) -> Any:
    x = x if eps is None else np.clip(x, eps, 1 - eps)
    return np.log(x) - np.log1p(-x)


SPECIAL_ORACLES: dict[str, Callable[..., Any]] = {
    "lgamma": _wide(_log_gamma),
    "digamma": _wide(_digamma),
    "trigamma": _wide(_trigamma),
    "polygamma": lambda n, x: _polygamma(n, x.astype(_LONG)),
    "polygamma_of": lambda x, n: _polygamma(n, x.astype(_LONG)),
    "mvlgamma": _wide(_multivariate),
    "special_zeta": _wide(_zeta),
    "igamma": _wide(lambda a, x: np.where(x > np.maximum(a, 1), 1 - _upper_gamma(a, x), _lower_series(a, x))),
    "igammac": _wide(_upper_gamma),
    "i0": _wide(lambda x: _modified_first(x, 0, False)),
    "special_i0e": _wide(lambda x: _modified_first(x, 0, True)),
    "special_i1": _wide(lambda x: _modified_first(x, 1, False)),
    "special_i1e": _wide(lambda x: _modified_first(x, 1, True)),
    "special_modified_bessel_i0": _wide(lambda x: _modified_first(x, 0, False)),
    "special_modified_bessel_i1": _wide(lambda x: _modified_first(x, 1, False)),
    "special_modified_bessel_k0": _wide(lambda x: _modified_second(x, 0, False)),
    "special_modified_bessel_k1": _wide(lambda x: _modified_second(x, 1, False)),
    "special_scaled_modified_bessel_k0": _wide(lambda x: _modified_second(x, 0, True)),
    "special_scaled_modified_bessel_k1": _wide(lambda x: _modified_second(x, 1, True)),
    "special_bessel_j0": _wide(lambda x: _first(x, 0)),
    "special_bessel_j1": _wide(lambda x: _first(x, 1)),
    "special_bessel_y0": _wide(lambda x: _second(x, 0)),
    "special_bessel_y1": _wide(lambda x: _second(x, 1)),
    "special_spherical_bessel_j0": _wide(lambda x: np.where(x == 0, 1, np.sin(x) / np.where(x == 0, 1, x))),
    "special_airy_ai": _wide(_airy),
    "special_erfcx": _wide(_scaled),
    "erfinv": _wide(_error_inverse),
    "special_ndtr": _wide(_normal),
    "special_log_ndtr": _wide(_log_normal),
    "special_ndtri": _wide(_quantile),
    "special_xlog1py": _wide(lambda x, y: np.where((x == 0) & (y == y), 0, x * np.log1p(y))),
    "special_entr": _wide(lambda x: np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(np.where(x > 0, x, 1))))),
    "logit": _wide(_logit),
    "frexp": _frexp,
    # Of the wide operand; a step of the narrow one is the budget of one unit.
    "nextafter": lambda x, y: np.nextafter(x, y.astype(x.dtype)),
    "ldexp": lambda x, y: x * 2.0**y,
    "special_hermite_polynomial_h": _by_degree(_series(np.polynomial.hermite, "hermval")),
    "special_hermite_polynomial_he": _by_degree(_series(np.polynomial.hermite_e, "hermeval")),
    "special_laguerre_polynomial_l": _by_degree(_series(np.polynomial.laguerre, "lagval")),
    "special_legendre_polynomial_p": _by_degree(_series(np.polynomial.legendre, "legval")),
    **{f"special_chebyshev_polynomial_{kind}": _by_degree(made) for kind, made in _KINDS.items()},
    **{f"special_shifted_chebyshev_polynomial_{kind}": _by_degree(_shifted(made)) for kind, made in _KINDS.items()},
}
