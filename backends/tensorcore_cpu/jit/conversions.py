"""Conversions between float32 and the floats of 16 bits, which NumPy makes element by element."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["conversion_code", "converted"]

#: The characters that NumPy has for float32 and float16, and ml_dtypes for bfloat16.
_FLOAT, _HALF, _BRAIN = "f", "e", "E"
#: The comparison that holds for NaN alone.
_UNORDERED: Final = 3


def conversion_code(kinds: tuple[str, str], isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(0, count, target, source)`` from one kind to the other, for a vector or more."""
    code = Assembler(isa)
    place, last, target, source = x86.RDI, x86.RSI, x86.RDX, x86.RCX
    for register in (target, source):
        code.load_field(register, data_offset)
    code.add_number(last, -(isa.bytes // 4))
    start = len(code.code)
    if kinds[0] == _FLOAT:
        code.vector("load", False, 0, 0, Address(source, place, 4))
        if kinds[1] == _HALF:
            code.vector("to_half", False, 0, 0, Address(target, place, 2), immediate=0)
        else:
            _round(code)
            _store_words(code, Address(target, place, 2))
    else:
        if kinds[0] == _HALF:
            code.vector("from_half", False, 0, 0, Address(source, place, 2))
        else:
            code.vector("from_words", False, 0, 0, Address(source, place, 2))
            code.vector("shift_left", False, 0, 0, 0, immediate=16)
        code.vector("store", False, 0, 0, Address(target, place, 4))
    code.compare(place, last)
    done = code.jump(x86.EQUAL)
    code.add_number(place, isa.bytes // 4)
    code.compare(place, last)
    # The last vector may overlap the one before.
    code.move_if(x86.GREATER, place, last)
    code.jump(None, start)
    code.land(done)
    code.clear_upper()
    code.leave()
    return code.finished()


def _round(code: Assembler) -> None:
    """The upper halves of the numbers in vector 0, rounded to even, as 32 bits in vector 2; NaN becomes a quiet one."""

    def each(number: int) -> x86.Constant:
        return code.constant(number.to_bytes(4, "little"))

    code.vector("shift_right", False, 1, 0, 0, immediate=16)
    code.vector("and", False, 2, 1, each(1))
    code.vector("add_integer", False, 2, 2, 0)
    code.vector("add_integer", False, 2, 2, each(0x7FFF))
    code.vector("shift_right", False, 2, 0, 2, immediate=16)
    if code.isa.wide:
        code.vector("compare", False, 1, 0, 0, immediate=_UNORDERED)
        code.vector("or", False, 2, 1, each(0x40), mask=1)
    else:
        code.vector("compare", False, 3, 0, 0, immediate=_UNORDERED)
        code.vector("or", False, 1, 1, each(0x40))
        code.vector("select", False, 2, 2, 1, immediate=3 << 4)


def _store_words(code: Assembler, address: Address) -> None:
    """Store the lower halves of the lanes of vector 2."""
    if code.isa.wide:
        code.vector("to_words", False, 2, 0, address)
    else:
        # Packing works in each half of the register; the quarters that hold the result come together.
        code.vector("pack_words", False, 2, 2, 2)
        code.vector("permute_quarters", False, 2, 0, 2, immediate=0b1000)
        code.vector("store", False, 2, 0, address, narrow=True)


#: Elements from which on a call pays.
_FEW: Final = {(_FLOAT, _HALF): 256, (_HALF, _FLOAT): 256, (_BRAIN, _FLOAT): 256, (_FLOAT, _BRAIN): 4096}


@cache
def _program(kinds: tuple[str, str]) -> Any:
    best, offset = isa(), data_offset()
    return None if best is None or offset is None else loaded(conversion_code(kinds, best, offset), 2)


def converted(array: Any, native: Any) -> Any:
    """``array.astype(native)``, where one of the two is float32 and the other has 16 bits; ``None`` for others."""
    kinds = (array.dtype.char, native.char)
    few = _FEW.get(kinds)
    if few is None or array.size < few or not array.flags.c_contiguous:
        return None
    program = _program(kinds)
    if program is None:
        return None
    out = np.empty(array.shape, native)
    program(0, out.size, id(out), id(array))
    return out
