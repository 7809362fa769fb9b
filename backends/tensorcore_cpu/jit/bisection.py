"""Bisection of a sorted row without branches: the steps are the same for every number, so none is mispredicted."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["bisected", "bisection_code"]


def bisection_code(floating: bool, size: int, right: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(count, side, row, wanted, places)``: how many elements of ``row`` lie below each.

    With ``right``, how many do not lie above; both counts are at least 1. Elements are float32, float64 or int64.
    """
    code = Assembler(isa)
    count, row, wanted, places = x86.RDI, x86.RDX, x86.RCX, x86.R8
    for register in _SAVED:
        code.push(register)
    for register in (row, wanted, places):
        code.load_field(register, data_offset)
    # Each step waits for the one before, so several numbers go side by side.
    for width in (4 if floating else 2, 1):
        start = len(code.code)
        code.add_number(count, -width)
        fewer = code.jump(x86.LESS)
        _search(code, floating, size, right, width)
        code.add_number(wanted, width * size)
        code.add_number(places, width * 8)
        code.jump(None, start)
        code.land(fewer)
        code.add_number(count, width)
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()


_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)


def _search(code: Assembler, floating: bool, size: int, right: bool, width: int) -> None:
    """The places of the next ``width`` numbers."""
    side, row, wanted, places, left, half = x86.RSI, x86.RDX, x86.RCX, x86.R8, x86.R10, x86.R11
    lows, middles = (x86.RAX, x86.R9, x86.R13, x86.R14)[:width], (x86.RBX, x86.RBP, x86.R12, x86.R15)[:width]
    numbers, element = (x86.R13, x86.R14), x86.R12
    double = size == 8
    if floating:
        # Unordered counts as below: NaN lies above all.
        beyond = x86.NOT_ABOVE if right else x86.BELOW
    else:
        beyond = x86.NOT_GREATER if right else x86.LESS

    def step() -> None:
        """Let each low be its middle, if the number lies beyond the element before that."""
        for i, (low, middle) in enumerate(zip(lows, middles, strict=True)):
            address = Address(row, middle, size, -size)
            if floating:
                code.vector("load_first", double, width + i, 0, address)
                code.vector("compare_first", double, width + i, 0, i)
            else:
                code.load_element(element, address, size)
                code.compare(element, numbers[i])
            code.move_if(beyond, low, middle)

    for i, low in enumerate(lows):
        if floating:
            code.vector("load_first", double, i, 0, Address(wanted, offset=i * size))
        else:
            code.load_element(numbers[i], Address(wanted, offset=i * size), size)
        code.clear(low)
    code.move(left, side)
    # A place lies between its low and ``left`` behind that.
    halving = len(code.code)
    code.move(half, left)
    code.halve(half)
    single = code.jump(x86.EQUAL)
    code.subtract(left, half)
    for low, middle in zip(lows, middles, strict=True):
        code.move(middle, low)
        code.add_scaled(middle, half, 1)
    step()
    code.jump(None, halving)
    code.land(single)
    for low, middle in zip(lows, middles, strict=True):
        code.move(middle, low)
        code.add_number(middle, 1)
    step()
    for i, low in enumerate(lows):
        code.store_element(Address(places, offset=i * 8), low, 8)


@cache
def _program(kind: str, right: bool) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None or kind not in "fdlq":
        return None
    native = np.dtype(kind)
    return loaded(bisection_code(native.kind == "f", native.itemsize, right, best, offset), 3)


def bisected(row: Array, wanted: Array, right: bool) -> Array | None:
    """How many elements of the sorted ``row`` lie below each number wanted, or do not lie above; ``None`` for others.

    Neither is empty; NaN at the end of the row is for others too.
    """
    if not (row.flags.c_contiguous and wanted.flags.c_contiguous and row[-1] == row[-1]):
        return None
    program = _program(row.dtype.char, right)
    if program is None:
        return None
    places = np.empty(wanted.shape, np.int64)
    program(wanted.size, row.size, id(row), id(wanted), id(places))
    return places
