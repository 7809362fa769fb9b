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
