"""Rows in reverse order, a vector at a time; NumPy copies backwards element by element."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["reversal_code", "reversed_rows"]

#: Elements of a row from which on a call pays.
_FEW = 64


def reversal_code(size: int, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(rows, columns, target, source)``: rows of elements of 4 or 8 bytes turned around."""
    code = Assembler(isa)
    rows, columns, target, source = x86.RDI, x86.RSI, x86.RDX, x86.RCX
    place, last, behind, element = x86.RAX, x86.R8, x86.R9, x86.R10
    lanes = isa.bytes // size
    # Elements of 8 bytes are two of 4 that stay side by side.
    words = np.arange(isa.bytes // 4, dtype=np.int32)
    order = words[::-1] if size == 4 else words.reshape(-1, 2)[::-1].reshape(-1)
    for register in (target, source):
        code.load_field(register, data_offset)
    code.vector("load", False, 1, 0, code.constant(np.ascontiguousarray(order).tobytes()))
    code.move(last, columns)
    code.add_number(last, -lanes)
    next_row = len(code.code)
    # What is read runs down from the row's end.
    code.move(behind, source)
    code.add_scaled(behind, columns, size)
    code.clear(place)
    next_vector = len(code.code)
    code.compare(place, last)
    done = code.jump(x86.GREATER)
    code.add_number(behind, -isa.bytes)
    code.vector("permute_by", False, 0, 1, Address(behind))
    code.vector("store", False, 0, 0, Address(target, place, size))
    code.add_number(place, lanes)
    code.jump(None, next_vector)
    code.land(done)
    next_element = len(code.code)
    code.compare(place, columns)
    whole = code.jump(x86.NOT_BELOW)
    code.add_number(behind, -size)
    code.load_element(element, Address(behind), size)
    code.store_element(Address(target, place, size), element, size)
    code.add_number(place, 1)
    code.jump(None, next_element)
    code.land(whole)
    code.add_scaled(target, columns, size)
    code.add_scaled(source, columns, size)
    code.add_number(rows, -1)
    code.jump(x86.NOT_EQUAL, next_row)
    code.clear_upper()
    code.leave()
    return code.finished()


@cache
def _program(size: int) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None or size not in (4, 8):
        return None
    return loaded(reversal_code(size, best, offset), 2)


def reversed_rows(array: Array) -> Array | None:
    """A row-major array of 1 dimension or more with its last one turned around; ``None`` for others, and short rows."""
    columns = array.shape[-1]
    if columns < _FEW or not array.size or not array.flags.c_contiguous:
        return None
    program = _program(array.itemsize)
    if program is None:
        return None
    out = np.empty(array.shape, array.dtype)
    program(array.size // columns, columns, id(out), id(array))
    return out
