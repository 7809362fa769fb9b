"""Elementwise primitives: sums, products, quotients, extremes, signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL
from tensorcore.errors import DTypeError, RangeError
from tensorcore.ops.comparison import eq, gt, lt, where
from tensorcore.ops.record import primitive
from tensorcore.ops.rules import floating, magnitude, number, real, real_floating, real_number, same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# A rule multiplies by the conjugate of the derivative, which for real numbers is the derivative (PyTorch's convention).


@primitive(rule=same, vjp=(lambda g: g, lambda g: g), operator="add", inplace=True, ulp=0)
def add(input: Tensor, other: Tensor, *, alpha: Any = 1) -> Tensor:
    """Sum ``input + alpha * other``, element by element; for booleans, or.

    Raises:
        ShapeError: if the shapes do not broadcast.
        DTypeError: for a fractional ``alpha`` of integers.

    Example:
        >>> tc.add(tc.tensor([1, 2]), tc.tensor([[10], [20]]), alpha=2)
        tensor([[21, 22],
                [41, 42]])
        >>> tc.tensor([True, False]) + tc.tensor([True, True])
        tensor([True, True])
    """
    return add.emit(input, other if alpha == 1 else scaled("add", input, other, alpha))


@primitive(
    rule=number, vjp=(lambda g: g, lambda g: neg(g)), operator="sub", inplace=True, ulp=0,
    standard="subtract", aliases=("subtract",),
)  # fmt: skip
def sub(input: Tensor, other: Tensor, *, alpha: Any = 1) -> Tensor:
    """Difference ``input - alpha * other``, element by element.

    Raises:
        ShapeError: if the shapes do not broadcast.
        DTypeError: for two bool tensors, or a fractional ``alpha`` of integers.

    Example:
        >>> tc.sub(tc.tensor([1.0, 2.0]), tc.tensor([10.0, 20.0]), alpha=0.5)
        tensor([-4., -8.])
        >>> 1 - tc.tensor([0, 1, 2])
        tensor([ 1,  0, -1])
    """
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
    """Product, element by element; for booleans, and.

    Raises:
        ShapeError: if the shapes do not broadcast.

    Example:
        >>> tc.mul(tc.tensor([[1], [2]]), tc.tensor([3, 4]))
        tensor([[3, 4],
                [6, 8]])
        >>> tc.tensor([1, 2]) * 0.5
        tensor([0.5000, 1.0000])
    """


@primitive(
    rule=floating,
    vjp=(lambda g, other: div(g, conj(other)), lambda g, y, other: neg(g * conj(y)) / conj(other)),
    operator="truediv", inplace=True, ulp=1, standard="divide", aliases=("divide", "true_divide"),
)  # fmt: skip
def div(input: Tensor, other: Tensor, *, rounding_mode: str | None = None) -> Tensor:
    """Quotient, element by element; ``rounding_mode`` ``"trunc"`` or ``"floor"`` rounds it and keeps integers.

    Without it, integers give the default dtype, and division by zero infinities or NaN.

    Raises:
        ShapeError: if the shapes do not broadcast.
        RangeError: for another ``rounding_mode``.

    Example:
        >>> tc.div(tc.tensor([7, -7]), 2)
        tensor([ 3.5000, -3.5000])
        >>> tc.div(tc.tensor([7, -7]), 2, rounding_mode="trunc"), tc.div(tc.tensor([7, -7]), 2, rounding_mode="floor")
        (tensor([ 3, -3]), tensor([ 3, -4]))
    """
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
    """Quotient rounded down, element by element; integers are kept, and integer division by zero gives 0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.floor_divide(tc.tensor([7, -7]), 2), tc.floor_divide(tc.tensor([7.5, -7.5]), 2)
        (tensor([ 3, -4]), tensor([ 3., -4.]))
    """


@primitive(
    rule=real_number, vjp=(lambda g: g, lambda g, input, other: neg(g * floor_divide(input, other))), operator="mod",
    inplace=True, ulp=1,
)  # fmt: skip
def remainder(input: Tensor, other: Tensor) -> Tensor:
    """Remainder with the sign of the divisor, element by element; for integer division by zero, 0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.remainder(tc.tensor([-3, 3]), 2), tc.remainder(tc.tensor([-3.5, 3.5]), -2)
        (tensor([1, 1]), tensor([-1.5000, -0.5000]))
    """


@primitive(rule=real, vjp=(lambda g, input, other: _share(g, input, other, gt),
                           lambda g, input, other: _share(g, other, input, gt)), ulp=0)  # fmt: skip
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element; NaN if either is.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.maximum(tc.tensor([1.0, float("nan"), 3.0]), tc.tensor([2.0, 0.0, -1.0]))
        tensor([2., nan, 3.])
    """


@primitive(rule=real, vjp=(lambda g, input, other: _share(g, input, other, lt),
                           lambda g, input, other: _share(g, other, input, lt)), ulp=0)  # fmt: skip
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element; NaN if either is.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.minimum(tc.tensor([1.0, float("nan"), 3.0]), tc.tensor([2.0, 0.0, -1.0]))
        tensor([ 1., nan, -1.])
    """


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
    """Angle of the point (``other``, ``input``) in radians, in [-pi, pi].

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.atan2(tc.tensor([0.0, 1.0, 0.0, -1.0]), tc.tensor([1.0, 1.0, -1.0, 0.0]))
        tensor([ 0.0000,  0.7854,  3.1416, -1.5708])
    """


@primitive(
    rule=number, vjp=lambda g: neg(g), operator="neg", inplace=True, ulp=0, standard="negative", aliases=("negative",)
)
def neg(input: Tensor) -> Tensor:
    """Negation of each element.

    Raises:
        DTypeError: for bool; use `logical_not`.

    Example:
        >>> tc.neg(tc.tensor([1, -2, 0])), -tc.tensor([200], dtype=tc.uint8)
        (tensor([-1,  2,  0]), tensor([56], dtype=tensorcore.uint8))
    """


@primitive(
    rule=magnitude, vjp=lambda g, input: g * sgn(input), operator="abs", inplace=True, ulp=2, aliases=("absolute",)
)
def abs(input: Tensor) -> Tensor:
    """Absolute value of each element; for complex numbers, the modulus.

    Example:
        >>> tc.abs(tc.tensor([-1.5, 2.0])), tc.abs(tc.tensor([3 - 4j]))
        (tensor([1.5000, 2.0000]), tensor([5.]))
    """


@primitive(rule=real, vjp=lambda g: g * 0, inplace=True, ulp=0)
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of each element; 0 for NaN, as in PyTorch.

    Raises:
        DTypeError: for complex numbers; use `sgn`.

    Example:
        >>> tc.sign(tc.tensor([-2.5, 0.0, 3.0, float("nan")]))
        tensor([-1.,  0.,  1.,  0.])
    """


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


@primitive(rule=same, vjp=lambda g: conj(g), ulp=0, standard="conj")
def conj_physical(input: Tensor) -> Tensor:
    """The complex conjugate of each element.

    Example:
        >>> tc.conj_physical(tc.tensor([1 + 2j, 3 - 1j])), tc.conj_physical(tc.tensor([1.0]))
        (tensor([1.-2.j, 3.+1.j]), tensor([1.]))
    """
    # Truth values are their own conjugates.
    return input if input._kind.dtype.category == BOOL else conj_physical.emit(input)


def real_part(input: Any) -> Any:
    """The real part of a complex tensor, a real tensor itself."""
    from tensorcore.ops.complex import real

    return real(input) if input.is_complex() else input
