"""Exponentials times a number, in one pass: the gradient of cross entropy but for its targets."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.vectors import Body, contracted

__all__ = ["scaled_powers"]


@cache
def _program(double: bool) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None:
        return None
    body = Body(double, best.wide)
    body.store(0, LOWERINGS["exp"](body.input(1)) * body.input(2))
    return loaded(elementwise(contracted(body), best, (2,), offset), 3)


def scaled_powers(input: Array, factor: Array) -> Array | None:
    """``exp(input) * factor`` for a ``factor`` of one number, or ``None`` for arrays that NumPy has to go through."""
    dtype = input.dtype
    program = _program(dtype.char == "d") if dtype.char in "fd" and input.flags.c_contiguous else None
    if program is None:
        return None
    factor = np.asarray(factor, dtype)
    out = np.empty(input.shape, dtype)
    program(0, out.size, id(out), id(input), id(factor))
    return out
