"""The four operations, and sums over rows, for arrays so small that NumPy's call costs more than the elements."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.direct import Variant, direct
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.rows import Rows, compiled_rows
from tensorcore_cpu.jit.vectors import Body, contracted

__all__ = ["ARITHMETIC", "add_row", "arithmetic", "arithmetic_into", "scaled_and_shifted", "total_of_rows"]

ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
}  # fmt: skip

_empty: Final = np.empty
_zeros: Final = np.zeros


def arithmetic(name: str, native: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of an operation: compiled for small arrays beside one of the same shape, a row or a number."""
    program = None

    def kernel(input: Array, other: Array) -> Array:
        nonlocal program
        if program is None:
            program = _operation(name, native.char)
        out = program(_empty(input.shape, native), input, other)
        return plain(input, other) if out is None else out

    return kernel


def arithmetic_into(name: str, native: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of an operation that writes into ``out``, compiled for small arrays."""
    program = None

    def kernel(input: Array, other: Array, *, out: Array) -> Array:
        nonlocal program
        if program is None:
            program = _operation(name, native.char)
        # What owns its memory overlaps with no other array of its shape but itself.
        if other.base is None and input is out and program(out, input, other) is not None:
            return out
        return plain(input, other, out=out)

    return kernel


def add_row(matrix: Array, row: Array) -> None:
    """Add ``row`` to each row of ``matrix``, in its memory."""
    char = matrix.dtype.char
    if char not in "fd" or isa() is None or _operation("add", char)(matrix, matrix, row) is None:
        matrix += row


@cache
def _operation(name: str, char: str) -> Callable[..., Any]:
    """``function(out, input, other)``; it gives ``None`` where it does nothing."""
    best, offset = isa(), data_offset()
    assert best is not None and offset is not None
    operation, double = ARITHMETIC[name], char == "d"
    body = Body(double, best.wide)
    body.store(0, operation(body.input(1), body.input(2)))
    rows = Rows(("matrix", "matrix", "column"), double, best.wide)
    row = rows.over_row()
    row.store(0, operation(row.input(1), row.input(2)))
    return direct(
        Variant(loaded(elementwise(body, best, (), offset), 3), ("matrix", "matrix", "matrix")),
        Variant(loaded(elementwise(body, best, (2,), offset), 3), ("matrix", "matrix", "number")),
        Variant(loaded(compiled_rows(rows, best, offset), 3), ("matrix", "matrix", "column"), by_rows=True),
    )


#: Rows from which on they are summed otherwise: one after another, float32 would lose digits.
_FEW: Final = 64


def total_of_rows(native: Any) -> Callable[[Array], Array | None]:
    """The sum over the first dimension of a small matrix; ``None`` for what has to be summed otherwise."""
    program = None

    def kernel(input: Array) -> Array | None:
        nonlocal program
        shape = input.shape
        if len(shape) != 2 or shape[0] > _FEW:
            return None
        if program is None:
            program = _total(native.char)
        total: Array | None = program(_zeros(shape[1], native), input)
        return total

    return kernel


@cache
def _total(char: str) -> Callable[..., Any]:
    best, offset = isa(), data_offset()
    assert best is not None and offset is not None
    rows = Rows(("column", "matrix"), char == "d", best.wide)
    body = rows.over_row()
    body.store(0, body.input(0) + body.input(1))
    return direct(Variant(loaded(compiled_rows(rows, best, offset), 2), ("column", "matrix"), by_rows=True))


def scaled_and_shifted(out: Array, places: Array, factor: float, term: float) -> bool:
    """Whether ``places * factor + term``, rounded once, was put into ``out``: for float64 in row-major order."""
    if isa() is None:
        return False
    numbers = [np.asarray(each, out.dtype) for each in (factor, term)]
    _line()(0, out.size, id(out), id(places), *map(id, numbers))
    return True


@cache
def _line() -> Callable[..., Any]:
    best, offset = isa(), data_offset()
    assert best is not None and offset is not None
    body = Body(True, best.wide)
    body.store(0, body.input(1) * body.input(2) + body.input(3))
    return loaded(elementwise(contracted(body), best, (2, 3), offset), 4)
