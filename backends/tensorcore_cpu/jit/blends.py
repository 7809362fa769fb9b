"""Rows that are weighted sums of a few others: what resizing does along every dimension but the last."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import load_lanes, set_tail, store_lanes
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["blend_code", "blended"]

_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
#: Registers for the rows that one row is made of.
_SOURCES: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13)


def blend_code(taps: int, double: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(blocks, rows, out, input, places, weights, facts)``.

    ``places`` holds for each row, as int64, the offsets in bytes of the ``taps`` rows of the input's block that it is
    made of, ``weights`` a number for each; ``facts`` are the columns and the bytes of a block of the input, as int64.
    """
    code = Assembler(isa)
    size = 8 if double else 4
    lanes = isa.bytes // size
    block, rows, out, image, places, weights = x86.RDI, x86.RSI, x86.RDX, x86.RCX, x86.R8, x86.R9
    place, weight, left, columns, column = x86.R10, x86.R11, x86.R15, x86.R14, x86.RAX
    for register in _SAVED:
        code.push(register)
    for register in (out, image, places, weights):
        code.load_field(register, data_offset)
    code.load_pointer(place, 8 * (len(_SAVED) + 1))
    code.load_field(place, data_offset)
    code.load_element(columns, Address(place), 8)
    code.load_element(weight, Address(place, offset=8), 8)
    # On the stack: the bytes of a block.
    code.push(weight)
    code.move(x86.RBX, columns)
    code.keep_bits(x86.RBX, lanes - 1)
    set_tail(code, x86.RAX, x86.RBX, double)
    next_block = len(code.code)
    code.move(place, places)
    code.move(weight, weights)
    code.move(left, rows)
    next_row = len(code.code)
    for number, source in enumerate(_SOURCES[:taps]):
        code.load_element(source, Address(place, offset=8 * number), 8)
        code.add_scaled(source, image, 1)
        code.vector("broadcast", double, 2 + number, 0, Address(weight, offset=size * number))
    code.add_number(place, 8 * taps)
    code.add_number(weight, size * taps)

    def blend(masked: bool) -> None:
        for number, source in enumerate(_SOURCES[:taps]):
            address = Address(source, column, size)
            load_lanes(code, double, 1, address, masked)
            if number:
                code.vector("fma231", double, 0, 1, 2 + number)
            else:
                code.vector("mul", double, 0, 1, 2)
        store_lanes(code, double, 0, Address(out, column, size), masked)

    code.clear(column)
    code.add_number(columns, -lanes)
    start = len(code.code)
    code.compare(column, columns)
    done = code.jump(x86.GREATER)
    blend(False)
    code.add_number(column, lanes)
    code.jump(None, start)
    code.land(done)
    code.add_number(columns, lanes)
    code.compare(column, columns)
    whole = code.jump(x86.EQUAL)
    blend(True)
    code.land(whole)
    code.add_scaled(out, columns, size)
    code.add_number(left, -1)
    code.jump(x86.NOT_EQUAL, next_row)
    code.load_pointer(column, 0)
    code.add_scaled(image, column, 1)
    code.add_number(block, -1)
    code.jump(x86.NOT_EQUAL, next_block)
    code.clear_upper()
    code.add_number(x86.RSP, 8)
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()


@cache
def _program(taps: int, double: bool) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None or taps > len(_SOURCES):
        return None
    return loaded(blend_code(taps, double, best, offset), 5)


def blended(input: Array, places: Array, weights: Array) -> Array | None:
    """(blocks, side, columns) to (blocks, rows, columns), each row the sum of the rows at ``places[row]``, weighted.

    ``None`` where that cannot be done: for other dtypes than float32 and float64, or too many places a row.
    """
    rows, taps = places.shape
    dtype = input.dtype
    program = _program(taps, dtype.itemsize == 8) if dtype.char in "fd" and weights.dtype == dtype else None
    blocks, side, columns = input.shape
    if program is None or not (input.size and rows):
        return None
    input = np.ascontiguousarray(input)
    out = np.empty((blocks, rows, columns), dtype)
    step = columns * dtype.itemsize
    offsets, told = places * step, np.array((columns, side * step), np.int64)
    program(blocks, rows, *map(id, (out, input, offsets, weights, told)))
    return out
