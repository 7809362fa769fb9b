"""Elementwise primitives: comparison, bits, choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorcore.errors import DTypeError
from tensorcore.ops.record import primitive
from tensorcore.ops.rules import bits, comparison, integers, ordering, same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# ------------------------------------------------------------------ comparison


@primitive(rule=comparison, operator="eq", inplace=True, ulp=0, standard="equal")
def eq(input: Tensor, other: Tensor) -> Tensor:
    """Whether equal, element by element.

    Example:
        >>> tc.eq(tc.tensor([1.0, 2.0, float("nan")]), tc.tensor([1.0, 3.0, float("nan")])), tc.tensor([1, 2]) == 1
        (tensor([ True, False, False]), tensor([ True, False]))
    """


@primitive(rule=comparison, operator="ne", inplace=True, ulp=0, standard="not_equal", aliases=("not_equal",))
def ne(input: Tensor, other: Tensor) -> Tensor:
    """Whether unequal, element by element.

    Example:
        >>> tc.ne(tc.tensor([1.0, 2.0, float("nan")]), tc.tensor([1.0, 3.0, float("nan")])), tc.tensor([1, 2]) != 1
        (tensor([False,  True,  True]), tensor([False,  True]))
    """


@primitive(rule=ordering, operator="lt", inplace=True, ulp=0, standard="less", aliases=("less",))
def lt(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input < other``, element by element.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.lt(tc.tensor([[1], [2]]), tc.tensor([1, 2, 3])), tc.tensor([1, 2]) < 1.5
        (tensor([[False,  True,  True],
                [False, False,  True]]), tensor([ True, False]))
    """


@primitive(rule=ordering, operator="le", inplace=True, ulp=0, standard="less_equal", aliases=("less_equal",))
def le(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input <= other``, element by element.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.le(tc.tensor([1.0, 2.0, float("nan")]), 1), tc.tensor([1, 2]) <= 1.5
        (tensor([ True, False, False]), tensor([ True, False]))
    """


@primitive(rule=ordering, operator="gt", inplace=True, ulp=0, standard="greater", aliases=("greater",))
def gt(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input > other``, element by element.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.gt(tc.tensor([1.0, 2.0, float("nan")]), 1), tc.tensor([1, 2]) > 1.5
        (tensor([False,  True, False]), tensor([False,  True]))
    """


@primitive(rule=ordering, operator="ge", inplace=True, ulp=0, standard="greater_equal", aliases=("greater_equal",))
def ge(input: Tensor, other: Tensor) -> Tensor:
    """Whether ``input >= other``, element by element.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> tc.ge(tc.tensor([1.0, 2.0, float("nan")]), 2), tc.tensor([1, 2]) >= 1.5
        (tensor([False,  True, False]), tensor([False,  True]))
    """


# ------------------------------------------------------------------ bits


@primitive(rule=bits, operator="and", inplace=True, ulp=0)
def bitwise_and(input: Tensor, other: Tensor) -> Tensor:
    """Bitwise and; for booleans, and.

    Raises:
        DTypeError: for floating-point and complex numbers.

    Example:
        >>> tc.bitwise_and(tc.tensor([12, -1]), 10), tc.tensor([True, False]) & True
        (tensor([ 8, 10]), tensor([ True, False]))
    """


@primitive(rule=bits, operator="or", inplace=True, ulp=0)
def bitwise_or(input: Tensor, other: Tensor) -> Tensor:
    """Bitwise or; for booleans, or.

    Raises:
        DTypeError: for floating-point and complex numbers.

    Example:
        >>> tc.bitwise_or(tc.tensor([12, -1]), 10), tc.tensor([True, False]) | True
        (tensor([14, -1]), tensor([True, True]))
    """


@primitive(rule=bits, operator="xor", inplace=True, ulp=0)
def bitwise_xor(input: Tensor, other: Tensor) -> Tensor:
    """Bitwise exclusive or; for booleans, unequal.

    Raises:
        DTypeError: for floating-point and complex numbers.

    Example:
        >>> tc.bitwise_xor(tc.tensor([12, -1]), 10), tc.tensor([True, False]) ^ True
        (tensor([  6, -11]), tensor([False,  True]))
    """


@primitive(rule=bits, operator="invert", inplace=True, ulp=0, standard="bitwise_invert", aliases=("bitwise_invert",))
def bitwise_not(input: Tensor) -> Tensor:
    """Bitwise not; for booleans, not.

    Raises:
        DTypeError: for floating-point and complex numbers.

    Example:
        >>> tc.bitwise_not(tc.tensor([0, 5])), ~tc.tensor([5], dtype=tc.uint8), ~tc.tensor([True])
        (tensor([-1, -6]), tensor([250], dtype=tensorcore.uint8), tensor([False]))
    """


@primitive(rule=integers, operator="lshift", inplace=True, domain=(0, 7), ulp=0)
def bitwise_left_shift(input: Tensor, other: Tensor) -> Tensor:
    """Bits of ``input`` shifted left by ``other`` places.

    Raises:
        DTypeError: for anything but integers.

    Example:
        >>> tc.bitwise_left_shift(tc.tensor([1, -3]), tc.tensor([4, 1])), tc.tensor([1, 2]) << 3
        (tensor([16, -6]), tensor([ 8, 16]))
    """


@primitive(rule=integers, operator="rshift", inplace=True, domain=(0, 7), ulp=0)
def bitwise_right_shift(input: Tensor, other: Tensor) -> Tensor:
    """Bits of ``input`` shifted right by ``other`` places; signed numbers keep their sign.

    Raises:
        DTypeError: for anything but integers.

    Example:
        >>> tc.bitwise_right_shift(tc.tensor([256, -3]), 1), tc.tensor([256, 1]) >> 3
        (tensor([128,  -2]), tensor([32,  0]))
    """


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
def where(condition: Tensor, input: Tensor | complex | None = None, other: Tensor | complex | None = None) -> Tensor:
    """``input`` where ``condition``, else ``other``; with ``condition`` alone, the places where it is true.

    Raises:
        DTypeError: if ``condition`` is neither bool nor uint8.

    Example:
        >>> x = tc.tensor([[1.0, -2.0], [-3.0, 4.0]])
        >>> tc.where(x > 0, x, 0.0)
        tensor([[1., 0.],
                [0., 4.]])
        >>> tc.where(x > 0)
        (tensor([0, 1]), tensor([0, 1]))
    """
    if input is None and other is None:
        from tensorcore.ops.indexing import nonzero

        return nonzero(condition, as_tuple=True)
    from tensorcore.dtypes import BOOL

    if condition.dtype.category != BOOL:
        if condition.dtype.name != "uint8":
            raise DTypeError(f"where: condition must be a bool tensor, got {condition.dtype}")
        condition = ne(condition, 0)
    return where.emit(condition, input, other)
