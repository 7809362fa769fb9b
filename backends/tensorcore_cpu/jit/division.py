"""Remainders and whole quotients of floats, which NumPy computes element by element.

The remainder is ``a - q * b`` with q the quotient's whole part, in one rounding, exact while the format holds q
and its neighbours. The program leaves the largest quotient it met; where that is too large, NumPy does the work.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.rows import Layout, Rows, compiled_rows
from tensorcore_cpu.jit.vectors import EQ, LT, NE, TRUNC, Vector

__all__ = ["DIVISIONS", "Division"]

#: Quotients below this are exact, by the size of the elements.
_LARGEST: Final = {4: 2.0**22, 8: 2.0**51}
#: Elements below which NumPy's function takes less time.
_FEW: Final = 256


def _signs_differ(x: Vector, y: Vector) -> Vector:
    return (x.body.number(1.0) | (x ^ y).sign_bit).compare(LT, 0.0)


def _divided(rows: Rows, a: Vector, b: Vector) -> tuple[Vector, Vector, Vector]:
    """The quotient, its whole part towards zero, and the remainder with the sign of ``a``."""
    quotient = a / b
    rows.total("max", quotient.nan.select(0.0, quotient.size))
    whole = quotient.round(TRUNC)
    # An infinite divisor times 0 is no number.
    rest = whole.compare(EQ, 0.0).select(a, whole.then("fnmadd", b, a))
    # A quotient just below a whole number was rounded up to it: the remainder is then a little beyond 0.
    beyond = rest.compare(NE, 0.0) & _signs_differ(rest, a)
    step = b.size | a.sign_bit
    sign = a.body.number(1.0) | quotient.sign_bit
    return quotient, beyond.select(whole - sign, whole), beyond.select(rest + step, rest)


def _remainder(rows: Rows, a: Vector, b: Vector) -> Vector:
    _, _, rest = _divided(rows, a, b)
    result = _signs_differ(rest, b).select(rest + b, rest)
    # The Array API standard gives 0 the divisor's sign.
    return rest.compare(EQ, 0.0).select(b.sign_bit, result)


def _floor_divide(rows: Rows, a: Vector, b: Vector) -> Vector:
    quotient, whole, rest = _divided(rows, a, b)
    down = rest.compare(NE, 0.0) & _signs_differ(rest, b)
    result = down.select(whole - 1.0, whole)
    return result.compare(EQ, 0.0).select(quotient.sign_bit, result)


#: What each op computes of dividend and divisor.
DIVISIONS: Final[dict[str, Callable[[Rows, Vector, Vector], Vector]]] = {
    "remainder": _remainder,
    "floor_divide": _floor_divide,
}


class Division:
    """A kernel of `DIVISIONS` that leaves to ``plain`` what is small, broadcast, or divided by next to nothing."""

    def __init__(self, name: str, native: Any, plain: Callable[..., Any]) -> None:
        self.name, self.native, self.plain = name, native, plain
        self.largest = _LARGEST[native.itemsize]
        self.programs: dict[tuple[bool, bool], Callable[..., Any]] = {}

    def __call__(self, input: Any, other: Any) -> Any:
        numbers = (input.ndim == 0, other.ndim == 0)
        shape = other.shape if numbers[0] else input.shape
        if not (any(numbers) or input.shape == other.shape) or math.prod(shape) < _FEW:
            return self.plain(input, other)
        if not (input.flags.c_contiguous and other.flags.c_contiguous):
            return self.plain(input, other)
        program = self.programs.get(numbers)
        if program is None:
            program = self.programs[numbers] = self._compile(numbers)
        out, most = np.empty(shape, self.native), np.empty(1, self.native)
        program(0, 1, out.size, id(out), id(input), id(other), id(most))
        return out if most[0] < self.largest else self.plain(input, other)

    def _compile(self, numbers: tuple[bool, bool]) -> Callable[..., Any]:
        best, offset = isa(), data_offset()
        assert best is not None and offset is not None
        operands: list[Layout] = ["number" if number else "matrix" for number in numbers]
        rows = Rows(("matrix", *operands, "row"), self.native.itemsize == 8, best.wide)
        body = rows.over_row()
        body.store(0, DIVISIONS[self.name](rows, body.input(1), body.input(2)))
        body = rows.once()
        body.store(3, body.carried(0))
        return loaded(compiled_rows(rows, best, offset), 5)
