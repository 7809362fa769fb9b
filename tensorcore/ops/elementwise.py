"""Elementwise primitives: arithmetic, functions, comparison, bits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import FLOATING, INTEGER
from tensorcore.errors import DTypeError, RangeError
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import (
    bits,
    comparison,
    floating,
    integers,
    magnitude,
    number,
    ordering,
    real,
    real_floating,
    real_number,
    same,
)

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# A rule multiplies by the conjugate of the derivative, which for real numbers is the derivative (PyTorch's convention).

# ------------------------------------------------------------------ arithmetic


@primitive(rule=same, vjp=(lambda g: g, lambda g: g), operator="add", inplace=True, ulp=0)
def add(input: Tensor, other: Tensor, *, alpha: Any = 1) -> Tensor:
    """Sum ``input + alpha * other``, element by element; for booleans, or."""
    return add.emit(input, other if alpha == 1 else scaled("add", input, other, alpha))


@primitive(
    rule=number, vjp=(lambda g: g, lambda g: neg(g)), operator="sub", inplace=True, ulp=0,
    standard="subtract", aliases=("subtract",),
)  # fmt: skip
def sub(input: Tensor, other: Tensor, *, alpha: Any = 1) -> Tensor:
    """Difference ``input - alpha * other``, element by element."""
    return sub.emit(input, other if alpha == 1 else scaled("sub", input, other, alpha))


def scaled(op: str, input: Any, other: Any, alpha: Any) -> Any:
    """``other * alpha`` of ``add`` and ``sub``; integers take no fractions."""
    operands = [x.dtype.category if hasattr(x, "_kind") else 2 * isinstance(x, float) for x in (input, other)]
    if isinstance(alpha, float) and max(operands) < 2:
        raise DTypeError(f"{op}: alpha must be an integer for integer tensors, got {alpha!r}")
    return other * alpha


@primitive(
    rule=same, vjp=(lambda g, other: g * conj(other), lambda g, input: g * conj(input)), operator="mul", inplace=True,
    ulp=0, standard="multiply", aliases=("multiply",),
)  # fmt: skip
def mul(input: Tensor, other: Tensor) -> Tensor:
    """Product, element by element; for booleans, and."""


@primitive(
    rule=floating,
    vjp=(lambda g, other: div(g, conj(other)), lambda g, y, other: neg(g * conj(y)) / conj(other)),
    operator="truediv", inplace=True, ulp=1, standard="divide", aliases=("divide", "true_divide"),
)  # fmt: skip
def div(input: Tensor, other: Tensor, *, rounding_mode: str | None = None) -> Tensor:
    """Quotient, element by element; ``rounding_mode`` ``"trunc"`` or ``"floor"`` rounds it and keeps integers."""
    if rounding_mode is None:
        return div.emit(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        from tensorcore.ops.arithmetic import truncated_divide

        return truncated_divide(input, other)
    raise RangeError(f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}")


@primitive(rule=real_number, operator="floordiv", inplace=True, ulp=1)
def floor_divide(input: Tensor, other: Tensor) -> Tensor:
    """Quotient rounded down, element by element; integers are kept, and integer division by zero gives 0."""


@primitive(
    rule=real_number, vjp=(lambda g: g, lambda g, input, other: neg(g * floor_divide(input, other))), operator="mod",
    inplace=True, ulp=1,
)  # fmt: skip
def remainder(input: Tensor, other: Tensor) -> Tensor:
    """Remainder with the sign of the divisor, element by element; for integer division by zero, 0."""


def _pow_exponent_rule(g: Any, y: Any, input: Any, exponent: Any) -> Any:
    # 0**0 has the limit 0, not NaN, as d/d(exponent) along exponent >= 0.
    zero = logical_zero(input, exponent)
    return g * conj(where(zero, 0.0, y * log(where(zero, 1.0, input))))


def logical_zero(input: Any, other: Any) -> Any:
    """Where the base is zero and the exponent is not negative."""
    return eq(input, 0) & ge(other, 0) if not other.is_complex() else eq(input, 0) & ge(real_part(other), 0)


def real_part(input: Any) -> Any:
    """The real part of a complex tensor, a real tensor itself."""
    from tensorcore.ops.complex import real

    return real(input) if input.is_complex() else input


@primitive(
    rule=number,
    vjp=(
        lambda g, input, exponent: where(eq(exponent, 0), 0.0, g * conj(exponent * pow(input, exponent - 1))),
        _pow_exponent_rule,
    ),
    operator="pow", inplace=True, domain=(0.1, 4), ulp=8,
)  # fmt: skip
def pow(input: Tensor, exponent: Tensor) -> Tensor:
    """Power, element by element; raises DTypeError for integers to a negative number."""
    cls: Any = type(exponent)
    if (cls is int or cls is float) and hasattr(input, "_kind"):
        category = input._kind.dtype.category
        if category == INTEGER and cls is int and exponent < 0:
            raise DTypeError(f"pow: integers to a negative power are no integers, got {input.dtype} ** {exponent}")
        if category >= (INTEGER if cls is int else FLOATING):
            return constant_pow.emit(input, exponent=exponent)
    return pow.emit(input, exponent)


def _constant_pow_rule(g: Any, input: Any, exponent: Any) -> Any:
    if exponent == 0:
        return g * 0
    return g * conj(input * 2 if exponent == 2 else pow(input, exponent - 1) * exponent)


@composite(
    rule=number, vjp=_constant_pow_rule, namespaces=(), domain=(0.1, 4), ulp=8, shown="PowBackward0",
    samples=tuple({"shapes": ((3, 4),), "exponent": each} for each in (2, 3, 0.5, -1, -2.5, 0)),
)  # fmt: skip
def constant_pow(input: Tensor, exponent: float) -> Tensor:
    """Power with one exponent, a Python number; the common ones cost a product or a root."""
    return constant_pow.emit(input, exponent=exponent)


@constant_pow.expression
def _constant_pow(input: Any, *, exponent: float) -> Any:
    if exponent == 2:
        return mul.emit(input, input)
    if exponent == 3:
        return mul.emit(mul.emit(input, input), input)
    if input._kind.dtype.category >= FLOATING:
        if exponent == 0.5:
            return sqrt.emit(input)
        if exponent == -1:
            return div.emit(1.0, input)
    return pow.emit(input, exponent)


@primitive(rule=real, vjp=(lambda g, input, other: _share(g, input, other, gt),
                           lambda g, input, other: _share(g, other, input, gt)), ulp=0)  # fmt: skip
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element; NaN if either is."""


@primitive(rule=real, vjp=(lambda g, input, other: _share(g, input, other, lt),
                           lambda g, input, other: _share(g, other, input, lt)), ulp=0)  # fmt: skip
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element; NaN if either is."""


def _share(g: Any, mine: Any, its: Any, wins: Any) -> Any:
    """The cotangent where this operand wins, half of it at ties."""
    return where(eq(mine, its), g * 0.5, where(wins(mine, its), g, 0.0))


@primitive(
    rule=real_floating,
    vjp=(
        lambda g, input, other: g * other / (input * input + other * other),
        lambda g, input, other: neg(g * input) / (input * input + other * other),
    ),
    inplace=True, ulp=4, aliases=("arctan2",),
)  # fmt: skip
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """Angle of the point (``other``, ``input``) in radians, in [-pi, pi]."""


@primitive(
    rule=number, vjp=lambda g: neg(g), operator="neg", inplace=True, ulp=0, standard="negative", aliases=("negative",)
)
def neg(input: Tensor) -> Tensor:
    """Negation of each element."""


@primitive(
    rule=magnitude, vjp=lambda g, input: g * sgn(input), operator="abs", inplace=True, ulp=2, aliases=("absolute",)
)
def abs(input: Tensor) -> Tensor:
    """Absolute value of each element; for complex numbers, the modulus."""


@primitive(rule=real, vjp=lambda g: g * 0, inplace=True, ulp=0)
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of each element; NaN gives 0 for integers' sake of PyTorch."""


def sgn(input: Any) -> Any:
    """`sign`, and for complex numbers the element over its modulus."""
    if not input.is_complex():
        return sign(input)
    size = abs(input)
    return input / where(eq(size, 0), 1.0, size)


# ------------------------------------------------------------------ functions


@primitive(rule=floating, vjp=lambda g, y: g * conj(y), inplace=True, ulp=4)
def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""


@primitive(rule=floating, vjp=lambda g, y: g * conj(y + 1), inplace=True, ulp=4,
           aliases=("special.expm1",))  # fmt: skip
def expm1(input: Tensor) -> Tensor:
    """exp(x) - 1, accurate near 0."""


@primitive(rule=floating, vjp=lambda g, input: g / conj(input), inplace=True, domain=(0.1, 8), ulp=4)
def log(input: Tensor) -> Tensor:
    """Natural logarithm of each element; NaN below 0."""


@primitive(rule=floating, vjp=lambda g, input: g / conj(input + 1), inplace=True, domain=(-0.9, 8), ulp=4,
           aliases=("special.log1p",))  # fmt: skip
def log1p(input: Tensor) -> Tensor:
    """log(1 + x), accurate near 0."""


@primitive(rule=floating, vjp=lambda g, y: g / conj(y * 2), inplace=True, domain=(0.1, 8), ulp=1)
def sqrt(input: Tensor) -> Tensor:
    """Square root of each element; NaN below 0."""


@primitive(rule=floating, vjp=lambda g, input: g * conj(cos(input)), inplace=True, ulp=4)
def sin(input: Tensor) -> Tensor:
    """Sine of each element, in radians."""


@primitive(rule=floating, vjp=lambda g, input: neg(g * conj(sin(input))), inplace=True, ulp=4)
def cos(input: Tensor) -> Tensor:
    """Cosine of each element, in radians."""


@primitive(rule=floating, vjp=lambda g, y: g * conj(y * y + 1), inplace=True, domain=(-1.4, 1.4), ulp=8)
def tan(input: Tensor) -> Tensor:
    """Tangent of each element, in radians."""


@primitive(
    rule=floating, vjp=lambda g, input: g * conj(pow(1 - input * input, -0.5)), inplace=True, domain=(-0.9, 0.9), ulp=4,
    aliases=("arcsin",),
)  # fmt: skip
def asin(input: Tensor) -> Tensor:
    """Inverse sine, in radians in [-pi/2, pi/2]; NaN outside [-1, 1]."""


@primitive(
    rule=floating, vjp=lambda g, input: neg(g * conj(pow(1 - input * input, -0.5))), inplace=True, domain=(-0.9, 0.9),
    ulp=4, aliases=("arccos",),
)  # fmt: skip
def acos(input: Tensor) -> Tensor:
    """Inverse cosine, in radians in [0, pi]; NaN outside [-1, 1]."""


@primitive(rule=floating, vjp=lambda g, input: g / conj(input * input + 1), inplace=True, ulp=4, aliases=("arctan",))
def atan(input: Tensor) -> Tensor:
    """Inverse tangent, in radians in [-pi/2, pi/2]."""


@primitive(rule=floating, vjp=lambda g, input: g * conj(cosh(input)), inplace=True, ulp=6)
def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine of each element."""


@primitive(rule=floating, vjp=lambda g, input: g * conj(sinh(input)), inplace=True, ulp=6)
def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine of each element."""


@primitive(rule=floating, vjp=lambda g, y: g * conj(1 - y * y), inplace=True, ulp=4)
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent of each element."""


@primitive(
    rule=floating, vjp=lambda g, input: g * conj(pow(input * input + 1, -0.5)), inplace=True, ulp=6,
    aliases=("arcsinh",),
)  # fmt: skip
def asinh(input: Tensor) -> Tensor:
    """Inverse hyperbolic sine of each element."""


@primitive(
    rule=floating, vjp=lambda g, input: g * conj(pow(input * input - 1, -0.5)), inplace=True, domain=(1.1, 8), ulp=6,
    aliases=("arccosh",),
)  # fmt: skip
def acosh(input: Tensor) -> Tensor:
    """Inverse hyperbolic cosine of each element; NaN below 1."""


@primitive(
    rule=floating, vjp=lambda g, input: g / conj(1 - input * input), inplace=True, domain=(-0.9, 0.9), ulp=6,
    aliases=("arctanh",),
)  # fmt: skip
def atanh(input: Tensor) -> Tensor:
    """Inverse hyperbolic tangent of each element; NaN outside [-1, 1]."""


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0)
def floor(input: Tensor) -> Tensor:
    """Largest integer not above each element."""


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0)
def ceil(input: Tensor) -> Tensor:
    """Smallest integer not below each element."""


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0, aliases=("fix",))
def trunc(input: Tensor) -> Tensor:
    """Each element without its fraction."""


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0, aliases=("special.round",))
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Nearest integer, halves to even; with ``decimals``, to that many decimal places."""
    if decimals == 0 or not input.is_floating_point():
        return round.emit(input)
    scale = math.pow(10.0, -decimals if decimals < 0 else decimals)
    return round.emit(input / scale) * scale if decimals < 0 else round.emit(input * scale) / scale


# ------------------------------------------------------------------ complex parts


def conj(input: Any) -> Any:
    """The complex conjugate; a real tensor itself (gradient rules call it for every dtype)."""
    return input if input._kind.dtype.category < 3 else conj_physical(input)


@primitive(rule=number, vjp=lambda g: conj(g), ulp=0, standard="conj")
def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate of each element."""


# ------------------------------------------------------------------ comparison


@primitive(rule=comparison, operator="eq", inplace=True, ulp=0, standard="equal")
def eq(input: Tensor, other: Tensor) -> Tensor:
    """Whether equal, element by element."""


@primitive(rule=comparison, operator="ne", inplace=True, ulp=0, standard="not_equal", aliases=("not_equal",))
def ne(input: Tensor, other: Tensor) -> Tensor:
    """Whether unequal, element by element."""


@primitive(rule=ordering, operator="lt", inplace=True, ulp=0, standard="less", aliases=("less",))
def lt(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input < other``, element by element."""


@primitive(rule=ordering, operator="le", inplace=True, ulp=0, standard="less_equal", aliases=("less_equal",))
def le(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input <= other``, element by element."""


@primitive(rule=ordering, operator="gt", inplace=True, ulp=0, standard="greater", aliases=("greater",))
def gt(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input > other``, element by element."""


@primitive(rule=ordering, operator="ge", inplace=True, ulp=0, standard="greater_equal", aliases=("greater_equal",))
def ge(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input >= other``, element by element."""


# ------------------------------------------------------------------ bits


@primitive(rule=bits, operator="and", inplace=True, ulp=0)
def bitwise_and(input: Tensor, other: Tensor) -> Tensor:
    """Bitwise and; for booleans, and."""


@primitive(rule=bits, operator="or", inplace=True, ulp=0)
def bitwise_or(input: Tensor, other: Tensor) -> Tensor:
    """Bitwise or; for booleans, or."""


@primitive(rule=bits, operator="xor", inplace=True, ulp=0)
def bitwise_xor(input: Tensor, other: Tensor) -> Tensor:
    """Bitwise exclusive or; for booleans, unequal."""


@primitive(rule=bits, operator="invert", inplace=True, ulp=0, standard="bitwise_invert", aliases=("bitwise_invert",))
def bitwise_not(input: Tensor) -> Tensor:
    """Bitwise not; for booleans, not."""


@primitive(rule=integers, operator="lshift", inplace=True, domain=(0, 7), ulp=0)
def bitwise_left_shift(input: Tensor, other: Tensor) -> Tensor:
    """Bits of ``input`` shifted left by ``other`` places."""


@primitive(rule=integers, operator="rshift", inplace=True, domain=(0, 7), ulp=0)
def bitwise_right_shift(input: Tensor, other: Tensor) -> Tensor:
    """Bits of ``input`` shifted right by ``other`` places; signed numbers keep their sign."""


# ------------------------------------------------------------------ choice


@primitive(
    rule=same,
    vjp=(None, lambda g, condition: where(condition, g, 0), lambda g, condition: where(condition, 0, g)),
    operands=("condition", "input", "other"), promotes=("input", "other"), ulp=0,
    samples=(
        {"shapes": ((3, 4), (3, 4), (3, 4)), "dtypes": ("bool", None, None)},
        {"shapes": ((4,), (3, 1), ()), "dtypes": ("bool", None, None)},
    ), namespaces=("",),
)  # fmt: skip
def where(condition: Tensor, input: Tensor | None = None, other: Tensor | None = None) -> Tensor:
    """``input`` where ``condition``, else ``other``; with ``condition`` alone, the places where it is true."""
    if input is None and other is None:
        from tensorcore.ops.indexing import nonzero

        return nonzero(condition, as_tuple=True)
    from tensorcore.dtypes import BOOL

    if condition.dtype.category != BOOL:
        if condition.dtype.name != "uint8":
            raise DTypeError(f"where: condition must be a bool tensor, got {condition.dtype}")
        condition = ne(condition, 0)
    return where.emit(condition, input, other)
