"""Products of small matrices, where finding the way into BLAS costs more than the product."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import join_lanes, load_lanes, set_tail, store_lanes
from tensorcore_cpu.jit.direct import refuse
from tensorcore_cpu.jit.executable import Fields, builtin, give_back, give_none, isa, layout
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["small_product"]

#: Products of elements up to which this is faster than BLAS (float32, AVX-512: at 16 x 16 x 16 a third of the time).
_MOST: Final = 1 << 13

_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)


@cache
def small_product(char: str, turned: bool = False) -> Any:
    """``function(out, left, right)``: the product of two small matrices in ``out``, or nothing done and ``None``.

    If ``turned``, it is given the transpose of the right one. ``out`` is a new array of the product's shape. Of the
    operands one side at least must have neighbours next to each other: the columns of ``right``, or the terms of each
    sum in both.
    """
    best, here = isa(), layout()
    if best is None or here is None:
        return refuse
    return builtin(_Writer(char == "d", turned, best, here).code.finished()) or refuse


class _Writer:
    """The code: the operands' sides and strides are read and checked, then one of two loops is run.

    Registers: rbx the arguments; rdi, rsi, rdx the rows, the terms of each sum and the columns; rcx and r8 the strides
    of the left operand, r9 and rbp those of the right; r10, r12 and r11 the elements of left, right and out.
    """

    def __init__(self, double: bool, turned: bool, isa: Isa, here: Fields) -> None:
        self.code = code = Assembler(isa)
        self.double, self.isa = double, isa
        self.size = 8 if double else 4
        self.lanes = isa.bytes // self.size
        self.refusals: list[int] = []
        for register in _SAVED:
            code.push(register)
        code.move(x86.RBX, x86.RSI)
        self._read(here, turned)
        code.load_number(x86.RAX, self.size)
        code.compare(x86.RBP, x86.RAX)
        scattered = code.jump(x86.NOT_EQUAL)
        self._by_columns()
        self._end()
        code.land(scattered)
        code.compare(x86.R9, x86.RAX)
        self._refuse_if(x86.NOT_EQUAL)
        code.compare(x86.R8, x86.RAX)
        self._refuse_if(x86.NOT_EQUAL)
        self._by_terms()
        self._end()
        for refusal in self.refusals:
            code.land(refusal)
        give_none(code, _SAVED)

    def _refuse_if(self, condition: int) -> None:
        self.refusals.append(self.code.jump(condition))

    def _end(self) -> None:
        self.code.clear_upper()
        self.code.load_element(x86.RAX, Address(x86.RBX), 8)
        give_back(self.code, _SAVED)

    def _read(self, here: Fields, turned: bool) -> None:
        code, array, sides, scratch = self.code, x86.R13, x86.R14, x86.RAX
        for place, (rows, columns), (down, along), data in (
            (1, (x86.RDI, x86.RSI), (x86.RCX, x86.R8), x86.R10), (2, (x86.R15, x86.RDX), (x86.R9, x86.RBP), x86.R12),
        ):  # fmt: skip
            if place == 2 and turned:
                rows, columns, down, along = columns, rows, along, down
            code.load_element(array, Address(x86.RBX, offset=8 * place), 8)
            code.load_element(sides, Address(array, offset=here.ndim), 4)
            code.load_number(scratch, 2)
            code.compare(sides, scratch)
            self._refuse_if(x86.NOT_EQUAL)
            code.load_element(sides, Address(array, offset=here.sides), 8)
            code.load_element(rows, Address(sides), 8)
            code.load_element(columns, Address(sides, offset=8), 8)
            code.load_element(sides, Address(array, offset=here.strides), 8)
            code.load_element(down, Address(sides), 8)
            code.load_element(along, Address(sides, offset=8), 8)
            code.load_element(data, Address(array, offset=here.data), 8)
        code.compare(x86.R15, x86.RSI)
        self._refuse_if(x86.NOT_EQUAL)
        code.load_element(x86.R11, Address(x86.RBX), 8)
        code.load_element(x86.R11, Address(x86.R11, offset=here.data), 8)
        # A side that is large alone must not make the product wrap around.
        for side in (x86.RDI, x86.RSI, x86.RDX):
            code.load_number(scratch, _MOST)
            code.compare(side, scratch)
            self._refuse_if(x86.GREATER)
        code.move(x86.R13, x86.RDI)
        code.multiply(x86.R13, x86.RSI)
        code.multiply(x86.R13, x86.RDX)
        code.test(x86.R13)
        self._refuse_if(x86.EQUAL)
        code.compare(x86.R13, scratch)
        self._refuse_if(x86.GREATER)

    # ------------------------------------------------------------------ neighbouring columns on the right

    def _by_columns(self) -> None:
        """A vector of columns of two rows, or one, at a time: a term of the left operand times a row of the right."""
        code = self.code
        code.move(x86.R13, x86.RDX)
        code.keep_bits(x86.R13, self.lanes - 1)
        set_tail(code, x86.RAX, x86.R13, self.double)
        start = len(code.code)
        code.add_number(x86.RDI, -2)
        single = code.jump(x86.LESS)
        self._rows(2)
        code.jump(None, start)
        code.land(single)
        code.add_number(x86.RDI, 1)
        done = code.jump(x86.LESS)
        self._rows(1)
        code.land(done)

    def _rows(self, count: int) -> None:
        code, column, left = self.code, x86.R13, x86.R14
        code.move(column, x86.R12)
        code.move(left, x86.RDX)
        start = len(code.code)
        code.add_number(left, -self.lanes)
        tail = code.jump(x86.LESS)
        self._tile(count, masked=False)
        code.add_number(column, self.isa.bytes)
        code.add_number(x86.R11, self.isa.bytes)
        code.jump(None, start)
        code.land(tail)
        code.add_number(left, self.lanes)
        whole = code.jump(x86.EQUAL)
        self._tile(count, masked=True)
        code.add_scaled(x86.R11, left, self.size)
        code.land(whole)
        for _ in range(count):
            code.add_scaled(x86.R10, x86.RCX, 1)
        for _ in range(count - 1):
            code.add_scaled(x86.R11, x86.RDX, self.size)

    def _tile(self, count: int, *, masked: bool) -> None:
        code, terms, row, term = self.code, x86.RAX, x86.R15, x86.RBP
        columns, factor = count, count + 1
        for total in range(count):
            self._vector("xor", total, total, total)
        code.move(row, x86.R10)
        code.move(term, x86.R13)
        code.move(terms, x86.RSI)
        start = len(code.code)
        load_lanes(self.code, self.double, columns, Address(term), masked)
        for total in range(count):
            self._vector("broadcast", factor, 0, Address(row, x86.RCX, 1) if total else Address(row))
            self._vector("fma231", total, factor, columns)
        code.add_scaled(row, x86.R8, 1)
        code.add_scaled(term, x86.R9, 1)
        code.add_number(terms, -1)
        code.jump(x86.NOT_EQUAL, start)
        for total in range(count):
            target = Address(x86.R11, x86.RDX, self.size) if total else Address(x86.R11)
            store_lanes(self.code, self.double, total, target, masked)

    # ------------------------------------------------------------------ neighbouring terms on both sides

    def _by_terms(self) -> None:
        """One element at a time: a row of the left operand times a column of the right, which lies like a row."""
        code, column, left, term, last, rest = self.code, x86.R13, x86.R14, x86.RAX, x86.R15, x86.R8
        total, first, second, turned = 0, 1, 2, 3
        code.move(rest, x86.RSI)
        code.keep_bits(rest, self.lanes - 1)
        code.move(x86.R13, rest)
        set_tail(code, x86.RAX, x86.R13, self.double)
        code.move(last, x86.RSI)
        code.add_number(last, -self.lanes)
        next_row = len(code.code)
        code.move(column, x86.R12)
        code.move(left, x86.RDX)
        next_column = len(code.code)
        self._vector("xor", total, total, total)
        code.clear(term)
        start = len(code.code)
        code.compare(term, last)
        done = code.jump(x86.GREATER)
        self._vector("load", first, 0, Address(x86.R10, term, self.size))
        self._vector("fma231", total, first, Address(column, term, self.size))
        code.add_number(term, self.lanes)
        code.jump(None, start)
        code.land(done)
        code.test(rest)
        whole = code.jump(x86.EQUAL)
        load_lanes(self.code, self.double, first, Address(x86.R10, term, self.size), masked=True)
        load_lanes(self.code, self.double, second, Address(column, term, self.size), masked=True)
        self._vector("fma231", total, first, second)
        code.land(whole)
        join_lanes(code, self.double, "add", total, turned)
        self._vector("store_first", total, 0, Address(x86.R11))
        code.add_number(x86.R11, self.size)
        code.add_scaled(column, x86.RBP, 1)
        code.add_number(left, -1)
        code.jump(x86.NOT_EQUAL, next_column)
        code.add_scaled(x86.R10, x86.RCX, 1)
        code.add_number(x86.RDI, -1)
        code.jump(x86.NOT_EQUAL, next_row)

    def _vector(self, name: str, register: int, second: int, operand: x86.Operand) -> None:
        self.code.vector(name, self.double, register, second, operand)
