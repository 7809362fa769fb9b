"""One step of a recurrent cell over all its sequences: the gates, the cell and the hidden state in one pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.rows import Layout, Rows, compiled_rows
from tensorcore_cpu.jit.vectors import Vector
from tensorcore_cpu.jit.x86 import Isa

__all__ = ["lstm_code", "lstm_gradient_code", "lstm_gradient_step", "lstm_step"]


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


def lstm_gradient_code(double: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(begin, end, width, i, f, g, o, before, cells, grad, inner)``.

    The gates, as activations made them, become the cotangents of what activations were given; ``inner``, the cotangent
    of the cell, becomes that of the cell before. ``grad`` is the cotangent of the hidden state.
    """
    layouts: tuple[Layout, ...] = (*("fourth",) * 4, *("matrix",) * 4)
    rows = Rows(layouts, double, isa.wide)
    body = rows.over_row()
    i, f, g, o, before, cell, grad, inner = map(body.input, range(8))
    squashed = LOWERINGS["tanh"](cell)
    here = grad * o * (1.0 - squashed * squashed) + inner
    body.store(0, here * g * (i * (1.0 - i)))
    body.store(1, here * before * (f * (1.0 - f)))
    body.store(2, here * i * (1.0 - g * g))
    body.store(3, grad * squashed * (o * (1.0 - o)))
    body.store(7, here * f)
    return compiled_rows(rows, isa, data_offset)


@cache
def _loaded(char: str, code: Callable[[bool, Isa, int], bytes], arrays: int) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None or char not in "fd":
        return None
    return loaded(code(char == "d", best, offset), 1 + arrays)


def lstm_step(char: str) -> Any:
    """The compiled step for a dtype by NumPy's letter, or ``None``."""
    return _loaded(char, lstm_code, 7)


def lstm_gradient_step(char: str) -> Any:
    """The compiled step of the gradient for a dtype by NumPy's letter, or ``None``."""
    return _loaded(char, lstm_gradient_code, 8)
