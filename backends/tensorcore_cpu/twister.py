"""MT19937 in blocks: by a compiled loop, or for large draws by NumPy's generator where nothing is compiled."""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np

from tensorcore.random.mt19937 import LENGTH, MT19937, State
from tensorcore_cpu.jit import draws
from tensorcore_cpu.jit.executable import isa

__all__ = ["CompiledTwister", "LibraryTwister", "fastest"]

#: Blocks that are made at a time, whose words of state stay in the second-level cache.
_BLOCKS: Final = 52
#: Words from which on it pays to hand the state to NumPy's generator and to read it back.
_MANY: Final = 1 << 15


def fastest() -> type[MT19937]:
    """The fastest stream there is on this machine."""
    return LibraryTwister if isa() is None else CompiledTwister


class CompiledTwister(MT19937):
    """The words of a block are kept and handed out as parts of it."""

    __slots__ = ("_outputs", "_program", "_used", "_words")

    def __init__(self, seed: int) -> None:
        self._program = draws.twister()
        self.seed(seed)

    def words(self, count: int) -> Any:
        used = self._used
        end = used + count
        if end <= LENGTH:
            if count:
                self.untouched = False
                self._used = end
            return memoryview(self._outputs[used:end])
        self.untouched = False
        blocks = -(-end // LENGTH) - 1
        out = np.empty((blocks + 1) * LENGTH, np.uint32)
        out[:LENGTH] = self._outputs
        self._advance(blocks, out[LENGTH:])
        # What was handed out is never written again; a large draw's memory is not kept for its last block.
        self._outputs = out[-LENGTH:] if blocks == 1 else out[-LENGTH:].copy()
        self._used = end - blocks * LENGTH
        return memoryview(out[used:end])

    def words64(self, count: int) -> Any:
        words = self.words(2 * count).obj
        out = np.empty(count, np.uint64)
        draws.swapped()(0, count, id(out), id(words))
        return memoryview(out)

    def _advance(self, blocks: int, out: Any) -> None:
        """The next blocks of words, and their outputs into ``out``."""
        step = min(blocks, _BLOCKS) * LENGTH
        words = np.empty(LENGTH + step, np.uint32)
        words[:LENGTH] = self._words
        views = words[LENGTH:], words, words[1:], words[397:]
        addresses = [id(view) for view in views]
        for start in range(0, len(out), step):
            part = out[start : start + step]
            count = len(part)
            self._program(0, count, id(part), *addresses)
            words[:LENGTH] = words[count : count + LENGTH]
        self._words = words[:LENGTH].copy()

    @property
    def state(self) -> State:
        return self._words.astype("<u8").tobytes(), self._used

    @state.setter
    def state(self, value: State) -> None:
        data, used = value
        self._words = np.frombuffer(data, "<u8").astype(np.uint32)
        self._outputs = _tempered(self._words)
        self._used = used
        self.untouched = False


def _tempered(words: Any) -> Any:
    """The outputs of words of state."""
    y = words ^ words >> 11
    y ^= y << 7 & 0x9D2C5680
    y ^= y << 15 & 0xEFC60000
    return y ^ y >> 18


class _Source(threading.local):
    """NumPy's generator, whose state is set before each draw."""

    def __init__(self) -> None:
        self.source = np.random.RandomState(np.random.MT19937(0))


_held: list[_Source] = []


class LibraryTwister(MT19937):
    """Large draws are NumPy's: a third of the time of Python's own for a million words."""

    __slots__ = ()

    def words(self, count: int) -> Any:
        return super().words(count) if count < _MANY else self._draw(count, np.uint32)

    def words64(self, count: int) -> Any:
        return super().words64(count) if 2 * count < _MANY else self._draw(count, np.uint64)

    def _draw(self, count: int, native: Any) -> Any:
        if not _held:
            # NumPy loads its random module at first use, which takes longer than most draws.
            _held.append(_Source())
        source = _held[0].source
        data, used = self.state
        source.set_state(("MT19937", np.frombuffer(data, "<u8").astype(np.uint32), used))
        # The legacy stream is frozen: one word for each 32 bits, the first one on top.
        out = source.randint(0, 1 << 8 * np.dtype(native).itemsize, count, native)
        _, words, used, *_ = source.get_state()
        self.state = words.astype("<u8").tobytes(), int(used)
        return memoryview(out)
