"""Elementwise primitives: sums, products, quotients, extremes, signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.errors import DTypeError, RangeError
from tensorcore.ops.comparison import eq, gt, lt, where
from tensorcore.ops.record import primitive
from tensorcore.ops.rules import floating, magnitude, number, real, real_floating, real_number, same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# A rule multiplies by the conjugate of the derivative, which for real numbers is the derivative (PyTorch's convention).


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


# ------------------------------------------------------------------ complex parts


def conj(input: Any) -> Any:
    """The complex conjugate; a real tensor itself (gradient rules call it for every dtype)."""
    return input if input._kind.dtype.category < 3 else conj_physical(input)


@primitive(rule=number, vjp=lambda g: conj(g), ulp=0, standard="conj")
def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate of each element."""


def real_part(input: Any) -> Any:
    """The real part of a complex tensor, a real tensor itself."""
    from tensorcore.ops.complex import real

    return real(input) if input.is_complex() else input
