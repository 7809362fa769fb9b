"""Conversions between float16 and float32, which NumPy makes element by element."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.vectors import Body

__all__ = ["converted"]

#: Elements from which on a call pays.
_FEW: Final = 256


@cache
def _program(to_half: bool) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None:
        return None
    body = Body(False, best.wide)
    body.store(0, body.input(1))
    return loaded(elementwise(body, best, (), offset, {0} if to_half else {1}), 2), best.bytes // 4


def converted(array: Any, native: Any) -> Any:
    """``array.astype(native)``, where one of the two is float16 and the other float32; ``None`` for others."""
    kinds = (array.dtype.char, native.char)
    if array.size < _FEW or kinds not in (("f", "e"), ("e", "f")) or not array.flags.c_contiguous:
        return None
    found = _program(kinds[1] == "e")
    if found is None:
        return None
    program, lanes = found
    out = np.empty(array.shape, native)
    whole = out.size - out.size % lanes
    program(0, whole, id(out), id(array))
    out.reshape(-1)[whole:] = array.reshape(-1)[whole:]
    return out
