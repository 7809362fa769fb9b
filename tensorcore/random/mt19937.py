"""MT19937, the generator of PyTorch's CPU stream, at the speed of the interpreter's own C implementation.

Python's ``random.Random`` is MT19937 too, seeded in another way; given PyTorch's initial state it yields PyTorch's
words.
"""

from __future__ import annotations

import sys
from array import array
from typing import Any, Final

__all__ = ["MT19937", "continued", "offer"]

#: Words of state (n of Matsumoto and Nishimura, 1998).
LENGTH: Final = 624
_MASK: Final = 0xFFFFFFFF
#: Words per call of the C generator: small enough that its big integer stays in the cache.
_CHUNK: Final = 1 << 14

#: 624 words as little-endian integers of 64 bits, which is how PyTorch keeps them, and how many have been used.
State = tuple[bytes, int]


class MT19937:
    """The 32-bit Mersenne Twister; `words`, `words64` and `state` are what a faster one overrides (see `offer`).

    Example:
        >>> from tensorcore.random.mt19937 import MT19937
        >>> list(MT19937(5489).words(3))
        [3499211612, 581869302, 3890346734]
    """

    __slots__ = ("_source", "untouched")

    #: Whether no word was drawn since seeding: PyTorch's states tell it apart from a used-up block.
    untouched: bool

    def __init__(self, seed: int) -> None:
        from random import Random

        self._source = Random(0)
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Start from the lower 32 bits of ``seed``, by Knuth's linear congruence (``init_genrand``)."""
        self.state = (_packed(self._seeded(seed)), LENGTH)
        self.untouched = True

    @staticmethod
    def _seeded(seed: int) -> tuple[int, ...]:
        word = seed & _MASK
        words = [word]
        for place in range(1, LENGTH):
            word = (1812433253 * (word ^ (word >> 30)) + place) & _MASK
            words.append(word)
        return tuple(words)

    def words(self, count: int) -> Any:
        """The next ``count`` outputs of 32 bits, an array or a memoryview."""
        out = array("I")
        if count:
            self.untouched = False
        while count > 0:
            step = min(count, _CHUNK)
            # The first word of getrandbits is its least significant one.
            out.frombytes(self._source.getrandbits(32 * step).to_bytes(4 * step, "little"))
            count -= step
        if sys.byteorder == "big":
            out.byteswap()
        return out

    def words64(self, count: int) -> Any:
        """The next ``count`` outputs of 64 bits, of two words each, the upper one first."""
        words = self.words(2 * count)
        if sys.byteorder == "little":
            words[0::2], words[1::2] = words[1::2], words[0::2]
        out = array("Q")
        out.frombytes(words.tobytes())
        return out

    @property
    def state(self) -> State:
        """The words of state and how many of them have been used."""
        _, numbers, _ = self._source.getstate()
        return _packed(numbers[:LENGTH]), numbers[LENGTH]

    @state.setter
    def state(self, value: State) -> None:
        data, used = value
        words = array("Q", data)
        if sys.byteorder == "big":
            words.byteswap()
        self._source.setstate((3, (*words, used), None))
        self.untouched = False


def _packed(words: tuple[int, ...]) -> bytes:
    data = array("Q", words)
    if sys.byteorder == "big":
        data.byteswap()
    return data.tobytes()


_fastest: type[MT19937] = MT19937


def offer(stream: type[MT19937]) -> None:
    """Let draws be made by ``stream``, a faster class of the same words, from the next draw of each generator on.

    Its `words` and `words64` return what supports the buffer protocol. A backend may offer one when it is made.
    """
    global _fastest
    _fastest = stream


def continued(stream: MT19937 | None, seed: int) -> MT19937:
    """``stream`` by the fastest class there is, or a new one from ``seed``."""
    if type(stream) is _fastest:
        return stream
    made = _fastest(seed)
    if stream is not None:
        made.state, made.untouched = stream.state, stream.untouched
    return made
