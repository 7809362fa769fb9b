"""Loops over the elements of many sets of arrays in one call: update rules of optimizers."""

from __future__ import annotations

from typing import Final

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import Access, loop
from tensorcore_cpu.jit.vectors import Body
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["MOST", "rows_of_arrays"]

#: Registers that must be as they were when the function returns; the first two hold the row and how many are left.
_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
_ROW, _LEFT = _SAVED[:2]
#: Registers that hold the addresses of the row's arrays, and of the numbers that all rows share.
_POINTERS: Final = (x86.RDX, x86.R8, x86.R9, x86.R10, x86.R11, x86.R12, x86.R13, x86.R14, x86.R15)
_NUMBERS: Final = x86.RCX
#: How many arrays a row can have.
MOST: Final = len(_POINTERS)


def rows_of_arrays(body: Body, isa: Isa, arrays: int, data_offset: int) -> bytes:
    """Machine code of ``function(rows, 0, table, numbers)`` under the System V calling convention.

    The table, an array of integers of 64 bits, has in each row the number of elements and ``arrays`` NumPy arrays by
    their ids; they are the arrays 1, 2, ... of the body. Array 0 has the numbers, an element for each.
    """
    code = Assembler(isa)
    for register in _SAVED:
        code.push(register)
    reserved = code.add_number(x86.RSP, 0)
    code.move(_LEFT, x86.RDI)
    code.move(_ROW, x86.RDX)
    code.load_field(_ROW, data_offset)
    code.load_field(_NUMBERS, data_offset)
    accesses = {0: Access(_NUMBERS, number=True)}
    first = len(code.code)
    code.test(_LEFT)
    finished = code.jump(x86.EQUAL)
    for place, pointer in enumerate(_POINTERS[:arrays]):
        code.load_element(pointer, Address(_ROW, offset=8 * (place + 1)), 8)
        code.load_field(pointer, data_offset)
        accesses[1 + place] = Access(pointer)
    code.clear(x86.RAX)
    code.load_element(x86.RSI, Address(_ROW), 8)
    slots = isa.bytes * loop(code, body, accesses)
    code.add_number(_ROW, 8 * (arrays + 1))
    code.add_number(_LEFT, -1)
    code.jump(None, first)
    code.land(finished)
    code.clear_upper()
    code.set_number(reserved, -slots)
    code.add_number(x86.RSP, slots)
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()
