"""dtype rules: from the promoted dtype of the operands to the dtype the kernel computes in and the result's.

A rule is ``rule(dtype, op) -> (operands, result)``; it raises DTypeError for what the op refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, bool_, get_default_dtype, int64
from tensorcore.errors import DTypeError

Rule = Callable[[DType, str], tuple[DType, DType]]


def _refuse(op: str, dtype: DType, expected: str) -> DTypeError:
    return DTypeError(f"{op}: got a tensor of dtype {dtype}, expected {expected}")


def same(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype, kept."""
    return dtype, dtype


def number(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype but bool, kept."""
    if dtype.category == BOOL:
        raise _refuse(op, dtype, "a number; for booleans use the logical_ or bitwise_ ops")
    return dtype, dtype


def real(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype that is not complex, kept."""
    if dtype.category == COMPLEX:
        raise _refuse(op, dtype, "a real dtype (complex numbers have no order)")
    return dtype, dtype


def real_number(dtype: DType, op: str) -> tuple[DType, DType]:
    """Integers and floating point, kept."""
    if dtype.category not in (INTEGER, FLOATING):
        raise _refuse(op, dtype, "an integer or floating-point dtype")
    return dtype, dtype


def floating(dtype: DType, op: str) -> tuple[DType, DType]:
    """Floating point and complex, kept; integers and bool become the default dtype."""
    dtype = dtype if dtype.category >= FLOATING else get_default_dtype()
    return dtype, dtype


def floating_number(dtype: DType, op: str) -> tuple[DType, DType]:
    """As `floating`, without bool."""
    return floating(number(dtype, op)[0], op)


def real_floating(dtype: DType, op: str) -> tuple[DType, DType]:
    """As `floating`, without complex."""
    if dtype.category == COMPLEX:
        raise _refuse(op, dtype, "a real dtype")
    return floating(dtype, op)


def inexact(dtype: DType, op: str) -> tuple[DType, DType]:
    """Real floating point, kept; everything else is refused."""
    if dtype.category != FLOATING:
        raise _refuse(op, dtype, "a real floating-point dtype")
    return dtype, dtype


def bits(dtype: DType, op: str) -> tuple[DType, DType]:
    """Integers and bool, kept."""
    if dtype.category > INTEGER:
        raise _refuse(op, dtype, "an integer or bool dtype")
    return dtype, dtype


def integers(dtype: DType, op: str) -> tuple[DType, DType]:
    """Integers, kept."""
    if dtype.category != INTEGER:
        raise _refuse(op, dtype, "an integer dtype")
    return dtype, dtype


def comparison(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype, to bool."""
    return dtype, bool_


def ordering(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype with an order, to bool."""
    real(dtype, op)
    return dtype, bool_


def magnitude(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype; complex gives the dtype of its parts."""
    return number(dtype, op)[0], dtype.to_real()


def position(dtype: DType, op: str) -> tuple[DType, DType]:
    """Any dtype with an order, to int64."""
    real(dtype, op)
    return dtype, int64


def attribute(dtype: DType, op: str) -> tuple[DType, DType | None]:
    """Any dtype; the result's is the attribute ``dtype``."""
    return dtype, None
