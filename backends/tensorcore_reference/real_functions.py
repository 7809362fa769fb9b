"""Functions of Python floats and ints by IEEE 754: where Python raises, they give infinities and NaN."""

from __future__ import annotations

import math

# ------------------------------------------------------------------ arithmetic of floats


def divide(x: float, y: float) -> float:
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0 or x != x:
            return math.nan
        return math.copysign(math.inf, x) * math.copysign(1.0, y)


def floor_divide(x: float, y: float) -> float:
    if y == 0 or not math.isfinite(x) or y != y:
        # fmod(inf, y) is NaN, and so is what is derived from it.
        return divide(x, y) if y == 0 else math.nan
    rest = math.fmod(x, y)
    quotient = divide(x - rest, y)
    if rest != 0 and (rest < 0) != (y < 0):
        quotient -= 1.0
    if quotient == 0:
        return math.copysign(0.0, x) * math.copysign(1.0, y)
    # The subtraction above makes it whole but for rounding.
    return nearest(quotient)


def remainder(x: float, y: float) -> float:
    try:
        rest = math.fmod(x, y)
    except ValueError:
        return math.nan
    if rest == 0:
        return math.copysign(0.0, y)
    return rest + y if (rest < 0) != (y < 0) else rest


def power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and _is_odd(y) else math.inf
    except ValueError:
        if x != 0:
            return math.nan
        return math.copysign(math.inf, x) if _is_odd(y) else math.inf


def _is_odd(y: float) -> bool:
    return math.isfinite(y) and math.fmod(y, 2.0) in (1.0, -1.0)


def larger(x: float, y: float) -> float:
    return x if x >= y or x != x else y


def smaller(x: float, y: float) -> float:
    return x if x <= y or x != x else y


def sign(x: float) -> float:
    return float((x > 0) - (x < 0))


# ------------------------------------------------------------------ rounding to whole numbers


def floor(x: float) -> float:
    # copysign keeps -0.0, and gives ceil(-0.5) the sign IEEE 754 asks for.
    return math.copysign(math.floor(x), x) if math.isfinite(x) else x


def ceil(x: float) -> float:
    return math.copysign(math.ceil(x), x) if math.isfinite(x) else x


def trunc(x: float) -> float:
    return math.copysign(math.trunc(x), x) if math.isfinite(x) else x


def nearest(x: float) -> float:
    return math.copysign(round(x), x) if math.isfinite(x) else x


# ------------------------------------------------------------------ exponentials and logarithms


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def expm1(x: float) -> float:
    try:
        return math.expm1(x)
    except OverflowError:
        return math.inf


def log(x: float) -> float:
    try:
        return math.log(x)
    except ValueError:
        return -math.inf if x == 0 else math.nan


def log1p(x: float) -> float:
    try:
        return math.log1p(x)
    except ValueError:
        return -math.inf if x == -1 else math.nan


def sqrt(x: float) -> float:
    try:
        return math.sqrt(x)
    except ValueError:
        return math.nan


# ------------------------------------------------------------------ trigonometric and hyperbolic functions


def sin(x: float) -> float:
    return math.sin(x) if math.isfinite(x) else math.nan


def cos(x: float) -> float:
    return math.cos(x) if math.isfinite(x) else math.nan


def tan(x: float) -> float:
    return math.tan(x) if math.isfinite(x) else math.nan


def asin(x: float) -> float:
    return math.asin(x) if -1 <= x <= 1 else math.nan


def acos(x: float) -> float:
    return math.acos(x) if -1 <= x <= 1 else math.nan


def sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def cosh(x: float) -> float:
    try:
        return math.cosh(x)
    except OverflowError:
        return math.inf


def acosh(x: float) -> float:
    return math.acosh(x) if x >= 1 else math.nan


def atanh(x: float) -> float:
    if -1 < x < 1:
        return math.atanh(x)
    return math.copysign(math.inf, x) if x in (-1.0, 1.0) else math.nan


# ------------------------------------------------------------------ integers, before they wrap


def integer_floor_divide(x: int, y: int) -> int:
    return x // y if y else 0


def integer_remainder(x: int, y: int) -> int:
    return x % y if y else 0


def integer_power(x: int, y: int) -> int:
    if y >= 0:
        # Enough of the power to be right modulo 2**bits of any format.
        return pow(x, y, 1 << 64)
    if x in (1, -1):
        return x if y % 2 else 1
    return 0


def integer_sign(x: int) -> int:
    return (x > 0) - (x < 0)


def left_shift(x: int, y: int) -> int:
    return x << y if 0 <= y < 64 else 0


def right_shift(x: int, y: int) -> int:
    # Shifting by less than nothing counts as shifting everything out.
    return x >> y if y >= 0 else x >> 64
