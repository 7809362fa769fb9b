"""Philox4x32-10, the counter-based generator of what is drawn inside a step (Salmon et al., SC11, section 3.3).

A counter of four words and a key of two give four words, whatever was drawn before: elements are independent of
one another, so any device computes them in any order with the same bits.
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Any, Final

__all__ = ["MULTIPLIERS", "block", "blocks_for", "packed", "rounds", "schedule"]

_MASK: Final = 0xFFFFFFFF
MULTIPLIERS: Final = (0xD2511F53, 0xCD9E8D57)
#: What is added to the key after each round: the golden ratio and sqrt(3) - 1, as fractions of 2**32.
_WEYL: Final = (0x9E3779B9, 0xBB67AE85)
ROUNDS: Final = 10


def blocks_for(count: int) -> int:
    """How many counter values give ``count`` words."""
    return -(-count // 4)


def schedule(key: int) -> list[tuple[int, int]]:
    """The two key words of each round, for a key of 64 bits."""
    low, high = key & _MASK, key >> 32 & _MASK
    return [((low + i * _WEYL[0]) & _MASK, (high + i * _WEYL[1]) & _MASK) for i in range(ROUNDS)]


def rounds(counter: tuple[Any, Any, Any, Any], keys: Any) -> tuple[Any, Any, Any, Any]:
    """The four output words for four counter words: Python ints, or int64 tensors of words below 2**32.

    In int64 the product of two words wraps; its halves are right all the same, as the shift's copies of the sign are
    masked away.
    """
    a, b, c, d = counter
    for first, second in keys:
        left = a * MULTIPLIERS[0]
        right = c * MULTIPLIERS[1]
        a = ((right >> 32) & _MASK) ^ b ^ first
        c = ((left >> 32) & _MASK) ^ d ^ second
        b = right & _MASK
        d = left & _MASK
    return a, b, c, d


def block(key: int, offset: int) -> tuple[int, int, int, int]:
    """The four words of counter block ``offset`` under ``key``, both of 64 bits.

    Example:
        >>> from tensorcore.random.philox import block
        >>> [f"{word:08x}" for word in block(0, 0)]
        ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    return rounds((offset & _MASK, offset >> 32 & _MASK, 0, 0), schedule(key))


def packed(key: int, offset: int) -> array[int]:
    """The first counter block and the rounds' keys as 21 int64, what a device needs to compute the words."""
    return array("q", (offset, *_key_words(key)))


@lru_cache(64)
def _key_words(key: int) -> tuple[int, ...]:
    return tuple(word for pair in schedule(key) for word in pair)
