"""Elementwise primitives: powers and functions; and those of basic arithmetic and comparison, for rules to use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import FLOATING, INTEGER
from tensorcore.errors import ArgumentError, DTypeError
from tensorcore.ops.basic_arithmetic import (
    abs,
    add,
    atan2,
    conj,
    conj_physical,
    div,
    floor_divide,
    maximum,
    minimum,
    mul,
    neg,
    real_part,
    remainder,
    scaled,
    sgn,
    sign,
    sub,
)
from tensorcore.ops.comparison import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    eq,
    ge,
    gt,
    le,
    lt,
    ne,
    where,
)
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import floating, number, real_number

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "conj", "conj_physical",
    "constant_pow", "cos", "cosh", "div", "eq", "exp", "expm1", "floor", "floor_divide", "ge", "gt", "le", "log",
    "log1p", "logical_zero", "lt", "maximum", "minimum", "mul", "ne", "neg", "pow", "real_part", "remainder",
    "round", "scaled", "sgn", "sign", "sin", "sinh", "sqrt", "sub", "tan", "tanh", "trunc", "where",
]  # fmt: skip

# A rule multiplies by the conjugate of the derivative, which for real numbers is the derivative (PyTorch's convention).

# ------------------------------------------------------------------ powers


def _pow_exponent_rule(g: Any, y: Any, input: Any, exponent: Any) -> Any:
    # 0**0 has the limit 0, not NaN, as d/d(exponent) along exponent >= 0.
    zero = logical_zero(input, exponent)
    return g * conj(where(zero, 0.0, y * log(where(zero, 1.0, input))))


def logical_zero(input: Any, other: Any) -> Any:
    """Where the base is zero and the exponent is not negative."""
    return eq(input, 0) & ge(other, 0) if not other.is_complex() else eq(input, 0) & ge(real_part(other), 0)


@primitive(
    rule=number,
    vjp=(
        lambda g, input, exponent: where(eq(exponent, 0), 0.0, g * conj(exponent * pow(input, exponent - 1))),
        _pow_exponent_rule,
    ),
    operator="pow", inplace=True, domain=(0.1, 4), ulp=8,
)  # fmt: skip
def pow(input: Tensor, exponent: Tensor) -> Tensor:
    """Power, element by element; negative numbers to a fractional power are NaN.

    Raises:
        DTypeError: for bool, and for integers to a negative number.

    Example:
        >>> tc.pow(tc.tensor([1, 2, 3]), 2), 2 ** tc.tensor([1.0, -1.0])
        (tensor([1, 4, 9]), tensor([2.0000, 0.5000]))
        >>> tc.tensor([4.0, -4.0, 0.0]) ** tc.tensor([0.5, 0.5, 0.0])
        tensor([2., nan, 1.])
    """
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


# ------------------------------------------------------------------ functions


@primitive(rule=floating, vjp=lambda g, y: g * conj(y), inplace=True, ulp=4)
def exp(input: Tensor) -> Tensor:
    """e to the power of each element.

    Example:
        >>> tc.exp(tc.tensor([0.0, 1.0, 100.0])), tc.exp(tc.tensor([-float("inf")]))
        (tensor([1.0000, 2.7183,    inf]), tensor([0.]))
    """


@primitive(rule=floating, vjp=lambda g, y: g * conj(y + 1), inplace=True, ulp=4,
           aliases=("special.expm1",))  # fmt: skip
def expm1(input: Tensor) -> Tensor:
    """exp(x) - 1, accurate near 0.

    Example:
        >>> tc.expm1(tc.tensor(1e-8)), tc.exp(tc.tensor(1e-8)) - 1
        (tensor(1.0000e-08), tensor(0.))
    """


@primitive(rule=floating, vjp=lambda g, input: g / conj(input), inplace=True, domain=(0.1, 8), ulp=4)
def log(input: Tensor) -> Tensor:
    """Natural logarithm of each element; NaN below 0.

    Example:
        >>> tc.log(tc.tensor([1.0, 10.0, 0.0, -1.0]))
        tensor([0.0000, 2.3026,   -inf,    nan])
    """


@primitive(rule=floating, vjp=lambda g, input: g / conj(input + 1), inplace=True, domain=(-0.9, 8), ulp=4,
           aliases=("special.log1p",))  # fmt: skip
def log1p(input: Tensor) -> Tensor:
    """log(1 + x), accurate near 0.

    Example:
        >>> tc.log1p(tc.tensor(1e-8)), tc.log(1 + tc.tensor(1e-8))
        (tensor(1.0000e-08), tensor(0.))
    """


@primitive(rule=floating, vjp=lambda g, y: g / conj(y * 2), inplace=True, domain=(0.1, 8), ulp=1)
def sqrt(input: Tensor) -> Tensor:
    """Square root of each element; NaN below 0.

    Example:
        >>> tc.sqrt(tc.tensor([4, 2, 0, -1])), tc.sqrt(tc.tensor([-1 + 0j]))
        (tensor([2.0000, 1.4142, 0.0000,    nan]), tensor([0.+1.j]))
    """


@primitive(rule=floating, vjp=lambda g, input: g * conj(cos(input)), inplace=True, ulp=4)
def sin(input: Tensor) -> Tensor:
    """Sine of each element, in radians.

    Example:
        >>> tc.sin(tc.tensor([0.0, 0.5, float("inf")]))
        tensor([0.0000, 0.4794,    nan])
    """


@primitive(rule=floating, vjp=lambda g, input: neg(g * conj(sin(input))), inplace=True, ulp=4)
def cos(input: Tensor) -> Tensor:
    """Cosine of each element, in radians.

    Example:
        >>> tc.cos(tc.tensor([0.0, 0.5, float("inf")]))
        tensor([1.0000, 0.8776,    nan])
    """


@primitive(rule=floating, vjp=lambda g, y: g * conj(y * y + 1), inplace=True, domain=(-1.4, 1.4), ulp=8)
def tan(input: Tensor) -> Tensor:
    """Tangent of each element, in radians.

    Example:
        >>> tc.tan(tc.tensor([0.0, 0.7854, 1.5]))
        tensor([ 0.0000,  1.0000, 14.1014])
    """


@primitive(
    rule=floating, vjp=lambda g, input: g * conj(pow(1 - input * input, -0.5)), inplace=True, domain=(-0.9, 0.9), ulp=4,
    aliases=("arcsin",),
)  # fmt: skip
def asin(input: Tensor) -> Tensor:
    """Inverse sine, in radians in [-pi/2, pi/2]; NaN outside [-1, 1].

    Example:
        >>> tc.asin(tc.tensor([-1.0, 0.5, 1.5]))
        tensor([-1.5708,  0.5236,     nan])
    """


@primitive(
    rule=floating, vjp=lambda g, input: neg(g * conj(pow(1 - input * input, -0.5))), inplace=True, domain=(-0.9, 0.9),
    ulp=4, aliases=("arccos",),
)  # fmt: skip
def acos(input: Tensor) -> Tensor:
    """Inverse cosine, in radians in [0, pi]; NaN outside [-1, 1].

    Example:
        >>> tc.acos(tc.tensor([-1.0, 0.5, 1.5]))
        tensor([3.1416, 1.0472,    nan])
    """


@primitive(rule=floating, vjp=lambda g, input: g / conj(input * input + 1), inplace=True, ulp=4, aliases=("arctan",))
def atan(input: Tensor) -> Tensor:
    """Inverse tangent, in radians in [-pi/2, pi/2].

    Example:
        >>> tc.atan(tc.tensor([-1.0, 0.0, float("inf")]))
        tensor([-0.7854,  0.0000,  1.5708])
    """


@primitive(rule=floating, vjp=lambda g, input: g * conj(cosh(input)), inplace=True, ulp=6)
def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine of each element.

    Example:
        >>> tc.sinh(tc.tensor([0.0, 1.0, -1.0, 100.0]))
        tensor([ 0.0000,  1.1752, -1.1752,     inf])
    """


@primitive(rule=floating, vjp=lambda g, input: g * conj(sinh(input)), inplace=True, ulp=6)
def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine of each element.

    Example:
        >>> tc.cosh(tc.tensor([0.0, 1.0, -1.0, 100.0]))
        tensor([1.0000, 1.5431, 1.5431,    inf])
    """


@primitive(rule=floating, vjp=lambda g, y: g * conj(1 - y * y), inplace=True, ulp=4)
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent of each element.

    Example:
        >>> tc.tanh(tc.tensor([0.0, 0.5, -100.0]))
        tensor([ 0.0000,  0.4621, -1.0000])
    """


@primitive(
    rule=floating, vjp=lambda g, input: g * conj(pow(input * input + 1, -0.5)), inplace=True, ulp=6,
    aliases=("arcsinh",),
)  # fmt: skip
def asinh(input: Tensor) -> Tensor:
    """Inverse hyperbolic sine of each element.

    Example:
        >>> tc.asinh(tc.tensor([0.0, 1.0, -1.0]))
        tensor([ 0.0000,  0.8814, -0.8814])
    """


@primitive(
    rule=floating, vjp=lambda g, input: g * conj(pow(input * input - 1, -0.5)), inplace=True, domain=(1.1, 8), ulp=6,
    aliases=("arccosh",),
)  # fmt: skip
def acosh(input: Tensor) -> Tensor:
    """Inverse hyperbolic cosine of each element; NaN below 1.

    Example:
        >>> tc.acosh(tc.tensor([1.0, 2.0, 0.5]))
        tensor([0.0000, 1.3170,    nan])
    """


@primitive(
    rule=floating, vjp=lambda g, input: g / conj(1 - input * input), inplace=True, domain=(-0.9, 0.9), ulp=6,
    aliases=("arctanh",),
)  # fmt: skip
def atanh(input: Tensor) -> Tensor:
    """Inverse hyperbolic tangent of each element; NaN outside [-1, 1].

    Example:
        >>> tc.atanh(tc.tensor([0.0, 0.5, 1.0, 2.0]))
        tensor([0.0000, 0.5493,    inf,    nan])
    """


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0)
def floor(input: Tensor) -> Tensor:
    """Largest integer not above each element, in the same dtype; integers are kept.

    Raises:
        DTypeError: for bool and complex numbers.

    Example:
        >>> tc.floor(tc.tensor([1.7, -1.2])), tc.floor(tc.tensor([3]))
        (tensor([ 1., -2.]), tensor([3]))
    """


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0)
def ceil(input: Tensor) -> Tensor:
    """Smallest integer not below each element, in the same dtype; integers are kept.

    Raises:
        DTypeError: for bool and complex numbers.

    Example:
        >>> tc.ceil(tc.tensor([1.2, -1.7])), tc.ceil(tc.tensor([3]))
        (tensor([ 2., -1.]), tensor([3]))
    """


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0, aliases=("fix",))
def trunc(input: Tensor) -> Tensor:
    """Each element without its fraction, in the same dtype; integers are kept.

    Raises:
        DTypeError: for bool and complex numbers.

    Example:
        >>> tc.trunc(tc.tensor([1.7, -1.7]))
        tensor([ 1., -1.])
    """


@primitive(rule=real_number, vjp=lambda g: g * 0, inplace=True, ulp=0, aliases=("special.round",))
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Nearest integer, halves to even; with ``decimals``, to that many decimal places.

    Raises:
        DTypeError: for bool and complex numbers.

    Example:
        >>> tc.round(tc.tensor([0.5, 1.5, 2.5, -0.5])), tc.round(tc.tensor([1.234, 15.0]), decimals=2)
        (tensor([0., 2., 2., -0.]), tensor([ 1.2300, 15.0000]))
        >>> tc.round(tc.tensor([1234.0]), decimals=-2)
        tensor([1200.])
    """
    if decimals == 0 or not input.is_floating_point():
        return round.emit(input)
    if not hasattr(decimals, "__index__"):
        raise ArgumentError(f"round: decimals must be an int, got {type(decimals).__name__} {decimals!r:.60}")
    scale = math.pow(10.0, -decimals if decimals < 0 else decimals)
    return round.emit(input / scale) * scale if decimals < 0 else round.emit(input * scale) / scale
