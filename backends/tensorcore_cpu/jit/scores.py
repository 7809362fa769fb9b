"""Scores of attention to weights: each row's softmax in place, and the logarithm of the sum of its exponentials."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.rows import Rows, compiled_rows
from tensorcore_cpu.jit.vectors import EQ

__all__ = ["weighed"]


@cache
def _program(char: str) -> Any:
    """``function(0, rows, columns, scores, logarithms)``, or ``None``."""
    best, offset = isa(), data_offset()
    if best is None or offset is None or char not in "fd":
        return None
    rows = Rows(("matrix", "row"), char == "d", best.wide)
    top = rows.total("max", rows.over_row().input(0))
    body = rows.once()
    # Where all is masked there is nothing to keep in range.
    level = rows.keep(body.carried(top).compare(EQ, -math.inf).select(0.0, body.carried(top)))
    body = rows.over_row()
    power = LOWERINGS["exp"](body.input(0) - body.carried(level))
    body.store(0, power)
    total = rows.total("add", power)
    body = rows.once()
    empty = body.carried(total).compare(EQ, 0.0)
    inverse = rows.keep(empty.select(0.0, 1.0 / body.carried(total)))
    body.store(1, empty.select(math.inf, LOWERINGS["log"](body.carried(total)) + body.carried(level)))
    body = rows.over_row()
    body.store(0, body.input(0) * body.carried(inverse))
    return loaded(compiled_rows(rows, best, offset), 3)


def weighed(scores: Array) -> Array | None:
    """Turn each row of ``scores``, new and in row-major order, into weights; their logarithms (..., 1).

    A row that is -inf throughout becomes zeros, and its logarithm infinite. ``None``, with nothing done, where there
    is no compiled code.
    """
    program = _program(scores.dtype.char)
    if program is None or not scores.size:
        return None
    logs = np.empty((*scores.shape[:-1], 1), scores.dtype)
    program(0, logs.size, scores.shape[-1], id(scores), id(logs))
    return logs
