"""One step of a recurrent cell over all its sequences: the gates, the cell and the hidden state in one pass."""

from __future__ import annotations

from functools import cache
from typing import Any

from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.rows import Layout, Rows, compiled_rows
from tensorcore_cpu.jit.vectors import Vector
from tensorcore_cpu.jit.x86 import Isa

__all__ = ["lstm_code", "lstm_step"]


def _sigmoid(x: Vector) -> Vector:
    return 1.0 / (LOWERINGS["exp"](-x) + 1.0)


def lstm_code(double: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(begin, end, width, i, f, g, o, before, cells, out)``.

    The gates are every fourth of rows of ``width``, and become what activations make of them.
    """
    layouts: tuple[Layout, ...] = (*("fourth",) * 4, *("matrix",) * 3)
    rows = Rows(layouts, double, isa.wide)
    body = rows.over_row()
    i, f, o = (_sigmoid(body.input(place)) for place in (0, 1, 3))
    g = LOWERINGS["tanh"](body.input(2))
    inner = f * body.input(4) + i * g
    for place, value in enumerate((i, f, g, o)):
        body.store(place, value)
    body.store(5, inner)
    body.store(6, o * LOWERINGS["tanh"](inner))
    return compiled_rows(rows, isa, data_offset)


@cache
def lstm_step(char: str) -> Any:
    """The compiled step for a dtype by NumPy's letter, or ``None``."""
    best, offset = isa(), data_offset()
    if best is None or offset is None or char not in "fd":
        return None
    return loaded(lstm_code(char == "d", best, offset), 8)
