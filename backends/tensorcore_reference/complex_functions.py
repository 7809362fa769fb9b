"""Functions of Python complex numbers by C99's Annex G: where `cmath` raises, they give infinities and NaN."""

from __future__ import annotations

import cmath
import math

from tensorcore_reference import real_functions as real

_NAN = complex(math.nan, math.nan)


def _scaled(factor: float, part: float) -> float:
    """``factor * part`` where an infinite factor leaves a zero part zero."""
    return math.copysign(1.0, factor) * part if part == 0 else factor * part


# ------------------------------------------------------------------ arithmetic


def divide(x: complex, y: complex) -> complex:
    try:
        return x / y
    except ZeroDivisionError:
        return complex(real.divide(x.real, 0.0), real.divide(x.imag, 0.0))


def power(x: complex, y: complex) -> complex:
    if y == 0:
        return complex(1.0)
    if x == 0:
        return complex(0.0) if y.real > 0 else _NAN
    try:
        return x**y
    except (OverflowError, ZeroDivisionError):
        return exp(y * log(x))


def modulus(x: complex) -> float:
    return math.hypot(x.real, x.imag)


# ------------------------------------------------------------------ exponentials and logarithms


def exp(x: complex) -> complex:
    try:
        return cmath.exp(x)
    except OverflowError:
        # In two steps, as a small cosine or sine can bring a part back into range.
        half = real.exp(x.real / 2)
        return complex(_scaled(half, _scaled(half, math.cos(x.imag))), _scaled(half, _scaled(half, math.sin(x.imag))))
    except ValueError:
        return complex(math.inf, math.nan) if x.real == math.inf else _NAN


def expm1(x: complex) -> complex:
    if not (math.isfinite(x.real) and math.isfinite(x.imag)) or x.real > 700:
        return exp(x) - 1
    # exp(a)cos(b) - 1, without cancellation near 0.
    sine = math.sin(x.imag / 2)
    growth = math.expm1(x.real)
    return complex(growth * math.cos(x.imag) - 2 * sine * sine, (growth + 1) * math.sin(x.imag))


def log(x: complex) -> complex:
    try:
        return cmath.log(x)
    except ValueError:
        return complex(-math.inf, math.atan2(x.imag, x.real))


def log1p(x: complex) -> complex:
    if modulus(x) < 0.5:
        return complex(0.5 * math.log1p(x.real * (2 + x.real) + x.imag * x.imag), math.atan2(x.imag, 1 + x.real))
    return log(complex(1 + x.real, x.imag))


# ------------------------------------------------------------------ hyperbolic functions, and the others turned by i


def cosh(x: complex) -> complex:
    try:
        return cmath.cosh(x)
    except OverflowError:
        return complex(_scaled(real.cosh(x.real), math.cos(x.imag)), _scaled(real.sinh(x.real), math.sin(x.imag)))
    except ValueError:
        # The imaginary part is infinite.
        if x.real == 0:
            return complex(math.nan, 0.0)
        return complex(math.inf, math.nan) if math.isinf(x.real) else _NAN


def sinh(x: complex) -> complex:
    try:
        return cmath.sinh(x)
    except OverflowError:
        return complex(_scaled(real.sinh(x.real), math.cos(x.imag)), _scaled(real.cosh(x.real), math.sin(x.imag)))
    except ValueError:
        return complex(x.real, math.nan) if x.real == 0 or math.isinf(x.real) else _NAN


def tanh(x: complex) -> complex:
    if x.real == 0 and x.imag != x.imag:
        return x
    try:
        return cmath.tanh(x)
    except ValueError:
        return complex(x.real, math.nan) if x.real == 0 else _NAN


def atanh(x: complex) -> complex:
    try:
        return cmath.atanh(x)
    except ValueError:
        return complex(math.copysign(math.inf, x.real), x.imag)


def cos(x: complex) -> complex:
    return cosh(complex(-x.imag, x.real))


def sin(x: complex) -> complex:
    turned = sinh(complex(-x.imag, x.real))
    return complex(turned.imag, -turned.real)


def tan(x: complex) -> complex:
    turned = tanh(complex(-x.imag, x.real))
    return complex(turned.imag, -turned.real)


def atan(x: complex) -> complex:
    turned = atanh(complex(-x.imag, x.real))
    return complex(turned.imag, -turned.real)
