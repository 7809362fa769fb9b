"""The generators of random numbers of a process: tensorcore's, Python's, and NumPy's if the program uses it."""

from __future__ import annotations

import random
import struct
import sys
from typing import Any, Final

__all__ = ["read", "restore", "seed"]

#: State of a Mersenne twister as Python and NumPy have it: words, place in them, cached normal number and its flag.
_TWISTER: Final = struct.Struct("<2496sI?d")


def _numpy() -> Any:
    return sys.modules.get("numpy")


def seed(base_seed: int, number: int) -> None:
    """Seed worker ``number`` as PyTorch does: forked copies would draw alike."""
    from tensorcore.random.generator import manual_seed

    random.seed(base_seed + number)
    manual_seed(base_seed + number)
    if (numpy := _numpy()) is not None:
        sequence = numpy.random.SeedSequence([number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0])
        numpy.random.seed(sequence.generate_state(4))


def read() -> bytes:
    """All states, as bytes."""
    from tensorcore.random.generator import default_generator

    _, state, cached = random.getstate()
    parts = [
        default_generator._dump(),
        _TWISTER.pack(struct.pack("<624I", *state[:-1]), state[-1], cached is not None, cached or 0.0),
    ]
    if (numpy := _numpy()) is not None:
        kind, words, place, valid, number = numpy.random.get_state()
        if kind == "MT19937":
            parts.append(_TWISTER.pack(words.astype("<u4").tobytes(), place, bool(valid), number))
    return b"".join(parts)


def restore(data: bytes) -> None:
    """Go on from states that `read` returned."""
    from tensorcore.random.generator import default_generator

    own = len(default_generator._dump())
    default_generator._load(data[:own])
    words, place, valid, number = _TWISTER.unpack_from(data, own)
    random.setstate((3, (*struct.unpack("<624I", words), place), number if valid else None))
    if len(data) > own + _TWISTER.size and (numpy := _numpy()) is not None:
        words, place, valid, number = _TWISTER.unpack_from(data, own + _TWISTER.size)
        numpy.random.set_state(("MT19937", numpy.frombuffer(words, "<u4"), place, int(valid), number))
