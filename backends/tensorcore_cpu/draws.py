"""Random numbers: Philox in the cache, and NumPy's MT19937 for the core's large draws."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType
from tensorcore.random import philox
from tensorcore.random.ticket import Ticket

#: Counters worked on at a time; six arrays of them stay in the second-level cache (256,000 numbers: 3.8 ms with 1 Ki,
#: 1.5 with 4 Ki, 0.9 with 16 Ki, 2.5 with all).
_COUNTERS = 1 << 14
_HALF, _LOW, _BITS = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFF)
_FIRST, _SECOND = (np.uint64(factor) for factor in philox.MULTIPLIERS)

State = tuple[tuple[int, ...], int]


class DrawKernels:
    """The part of the backend that draws."""

    def philox_uniform(self, *, ticket: Ticket, shape: tuple[int, ...], dtype: DType, index: int) -> Array:
        count = math.prod(shape)
        blocks = philox.blocks_for(count)
        out = np.empty((blocks, 4), np.float32)
        keys = [(np.uint64(first), np.uint64(second)) for first, second in philox.schedule(ticket.key)]
        scratch = np.empty((6, min(blocks, _COUNTERS)), np.uint64)
        for start in range(0, blocks, _COUNTERS):
            part = out[start : start + _COUNTERS]
            rows = scratch[:, : len(part)]
            first = ticket.offset + start
            rows[0] = np.arange(first, first + len(part), dtype=np.uint64)
            _rounds(rows, keys)
            part.T[...] = np.bitwise_and(rows[:4], _BITS, out=rows[:4])
        out *= np.float32(2.0**-24)
        return out.reshape(-1)[:count].reshape(shape)


def _rounds(rows: Any, keys: list[tuple[Any, Any]]) -> None:
    """`philox.rounds` in place: of the counters in row 0, the four words in rows 0 to 3."""
    a, b, c, d, left, right = rows
    np.right_shift(a, _HALF, out=b)
    np.bitwise_and(a, _LOW, out=a)
    rows[2:4] = 0
    for first, second in keys:
        np.multiply(a, _FIRST, out=left)
        np.multiply(c, _SECOND, out=right)
        np.right_shift(right, _HALF, out=a)
        np.bitwise_xor(a, b, out=a)
        np.bitwise_xor(a, first, out=a)
        np.right_shift(left, _HALF, out=c)
        np.bitwise_xor(c, d, out=c)
        np.bitwise_xor(c, second, out=c)
        np.bitwise_and(right, _LOW, out=b)
        np.bitwise_and(left, _LOW, out=d)


class _Source(threading.local):
    """NumPy's generator, whose state is set before each draw."""

    def __init__(self) -> None:
        self.source = np.random.RandomState(np.random.MT19937(0))


_held: list[_Source] = []


def twister_words(state: State, count: int, bits: int) -> tuple[Any, State]:
    """The next ``count`` words of 32 or 64 bits from a state of MT19937, as a buffer, and the state after them."""
    if not _held:
        # NumPy loads its random module at first use, which takes longer than most draws.
        _held.append(_Source())
    source = _held[0].source
    source.set_state(("MT19937", np.array(state[0], np.uint32), state[1]))
    native = np.uint32 if bits == 32 else np.uint64
    # The legacy stream is frozen: one word for each 32 bits, the first one on top.
    out = source.randint(0, 1 << bits, count, native)
    _, words, used, *_ = source.get_state()
    return memoryview(out), (tuple(words.tolist()), int(used))
