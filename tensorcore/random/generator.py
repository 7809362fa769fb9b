"""Generators of random numbers: PyTorch's CPU stream for every device, and a key for counter-based draws."""

from __future__ import annotations

import math
import os
import struct
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tensorcore.devices import Device
from tensorcore.dtypes import uint8
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.levels import running
from tensorcore.random import philox
from tensorcore.random.mt19937 import LENGTH, MT19937, continued
from tensorcore.random.ticket import Ticket

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]

#: The seed of a generator that was given none, PyTorch's: a large prime with as many zeros as ones in binary.
_DEFAULT_SEED: Final = 67280421310721

# PyTorch's layout of a CPU generator's state, 5056 bytes: initial seed, words left in the block (from 624 down to 1),
# whether seeded, words used, 624 words of 64 bits; then three numbers of a polar method, of which PyTorch uses the
# second, the cached normal number, and whether it is valid; last a cached float32 normal number and its flag, which the
# CPU never sets. The third number, which PyTorch neither reads nor sets, carries the Philox offset: in PyTorch's own
# states it is 0.
_LAYOUT: Final = struct.Struct("<QiiQ4992sddqI4xfI")
#: What 624 words of 32 bits leave free in as many of 64.
_UPPER_HALVES: Final = int.from_bytes(b"\0\0\0\0\xff\xff\xff\xff" * LENGTH, "little")
_shuffle: Callable[[int, Any], Any] | None = None


def offer(shuffle: Callable[[int, Any], Any]) -> None:
    """Let permutations be shuffled by ``shuffle(count, words) -> numbers``, in a loop that is compiled.

    What it does with the ``count - 1`` words stands in `Generator._permutation`; ``numbers`` supports the buffer
    protocol, or is ``None`` where the loop cannot run. A backend may offer one when it is made.
    """
    global _shuffle
    _shuffle = shuffle


#: Pairs of normal numbers up to which words are joined here.
_FEW_PAIRS: Final = 8
#: From this many elements on PyTorch shuffles with 64-bit numbers, as 32 bits would be visibly skewed.
_WIDE_SHUFFLE: Final = (2**32 - 1) // 20


class Generator:
    """A source of random numbers with its own seed; draws from it give the same tensor on every device.

    The stream is that of PyTorch's CPU generator (MT19937), whatever ``device`` is. What runs inside a step, such as
    dropout, draws from Philox4x32-10 keyed by the seed. A generator may be used by several threads.

    Args:
        device: kept as `device`; the default device if ``None``.

    Example:
        >>> import tensorcore as tc
        >>> g = tc.Generator().manual_seed(0)
        >>> tc.rand(3, generator=g)
        tensor([0.4963, 0.7682, 0.0885])
    """

    def __init__(self, device: Any = None) -> None:
        self._device = None if device is None else Device(device)
        self._lock = threading.RLock()
        self._restart(_DEFAULT_SEED)

    @property
    def device(self) -> Device:
        """The device the generator was made for."""
        return Device(self._device)

    # ---------------------------------------------------------------- seeds

    def _restart(self, seed: int) -> None:
        with self._lock:
            self._seed = seed
            # Seeding fills 624 words, which the default generator need not do at import.
            self._twister: MT19937 | None = None
            self._next_normal: float | None = None
            self._offset = 0

    @property
    def _stream(self) -> MT19937:
        self._twister = stream = continued(self._twister, self._seed)
        return stream

    def manual_seed(self, seed: int) -> Generator:
        """Start again from ``seed`` and return the generator; negative seeds count from ``2**64`` down.

        Raises:
            TypeError: if ``seed`` is no int.
            RangeError: if it lies outside [-2**63, 2**64).

        Example:
            >>> import tensorcore as tc
            >>> tc.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
            True
        """
        if not hasattr(seed, "__index__"):
            raise TypeError(f"manual_seed: expected an int, got {type(seed).__name__}")
        number = seed.__index__()
        if not -(2**63) <= number < 2**64:
            raise RangeError(f"manual_seed: seed {number} is outside [-2**63, 2**64)")
        self._restart(number % 2**64)
        return self

    def seed(self) -> int:
        """Start again from a seed of the operating system's randomness, and return it.

        Example:
            >>> import tensorcore as tc
            >>> g = tc.Generator()
            >>> g.seed() == g.initial_seed()
            True
        """
        self._restart(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the generator last started from.

        Example:
            >>> import tensorcore as tc
            >>> tc.Generator().initial_seed()
            67280421310721
        """
        return self._seed

    # ---------------------------------------------------------------- states

    def _dump(self) -> bytes:
        with self._lock:
            words, used = self._stream.state
            untouched = self._stream.untouched
            cached = self._next_normal
            return _LAYOUT.pack(
                self._seed, 1 if untouched else LENGTH + 1 - used, 1, 0 if untouched else used, words,
                0.0, cached or 0.0, self._offset, cached is not None, 0.0, 0,
            )  # fmt: skip

    def _load(self, data: bytes) -> None:
        if len(data) != _LAYOUT.size:
            raise ShapeError(f"set_state: expected a state of {_LAYOUT.size} bytes, got {len(data)}")
        seed, left, seeded, used, words, _, cached, offset, valid, _, _ = _LAYOUT.unpack(data)
        untouched = used == 0 and left == 1
        sound = seeded == 1 and 0 <= used <= LENGTH and (untouched or left == LENGTH + 1 - used) and any(words)
        if not sound or int.from_bytes(words, "little") & _UPPER_HALVES:
            raise RuntimeError("set_state: the bytes are no state of an MT19937 generator")
        with self._lock:
            self._seed = seed
            self._stream.state = (words, LENGTH if untouched else used)
            self._stream.untouched = untouched
            self._next_normal = cached if valid else None
            self._offset = offset

    def get_state(self) -> Tensor:
        """The state as 5056 bytes, a uint8 tensor, in the layout of PyTorch's CPU generator: either reads the other's.

        Example:
            >>> import tensorcore as tc
            >>> g = tc.Generator()
            >>> state = g.get_state()
            >>> x = tc.rand(3, generator=g)
            >>> g.set_state(state)
            >>> bool((tc.rand(3, generator=g) == x).all())
            True
        """
        from tensorcore.ops.creation import frombuffer

        return frombuffer(self._dump(), dtype=uint8)

    def set_state(self, new_state: Tensor) -> None:
        """Continue from a state that `get_state` returned.

        Raises:
            DTypeError: if it is no uint8 tensor.
            ShapeError: if it does not hold 5056 bytes.
            RuntimeError: if the bytes are no state.
        """
        if not hasattr(new_state, "_kind") or new_state._kind.dtype is not uint8:
            got = getattr(new_state, "dtype", type(new_state).__name__)
            raise DTypeError(f"set_state: expected a uint8 tensor, got {got}")
        self._load(bytes(new_state._kind.backend.to_host(new_state._array)))

    def clone_state(self) -> Generator:
        """Another generator in the same state, which goes on by itself.

        Example:
            >>> import tensorcore as tc
            >>> g = tc.Generator().manual_seed(1)
            >>> bool((tc.rand(3, generator=g.clone_state()) == tc.rand(3, generator=g)).all())
            True
        """
        made = Generator(self._device)
        made._load(self._dump())
        return made

    def graphsafe_get_state(self) -> Generator:
        """The state as a generator (recorded programs draw by tickets, so any state is safe)."""
        return self.clone_state()

    def graphsafe_set_state(self, state: Generator) -> Generator:
        """Continue from the state of another generator; returns this one."""
        self._load(state._dump())
        return self

    def __reduce__(self) -> Any:
        return (_rebuild, (None if self._device is None else str(self._device), self._dump()))

    def __setstate__(self, state: Any) -> None:
        # What PyTorch's pickles give a generator: (seed, offset, state).
        if type(state) is not tuple or len(state) != 3:
            raise ShapeError("Generator: expected the state (seed, offset, tensor)")
        self.set_state(state[2])

    def __deepcopy__(self, memo: object) -> Generator:
        return self.clone_state()

    def __repr__(self) -> str:
        return f"<tensorcore.Generator seed={self._seed}>"

    # ---------------------------------------------------------------- draws

    def ticket(self, kind: str, count: int) -> Ticket:
        """Reserve ``count`` numbers of a kind that `Ticket` lists.

        Raises:
            ValueError: for an unknown kind or a negative count.

        Example:
            >>> import tensorcore as tc
            >>> g = tc.Generator()
            >>> g.ticket("philox", 9).offset, g.ticket("philox", 1).offset
            (0, 3)
        """
        if count < 0:
            raise ValueError(f"ticket: the count must not be negative, got {count}")
        if running.levels:
            from tensorcore.func.drawing import count_of_draws

            count = count_of_draws(kind, count)
        with self._lock:
            if kind == "words":
                return Ticket(self, kind, count, self._stream.words(count))
            if kind == "philox":
                offset = self._offset
                # Counters are signed on the device, so they wrap where int64 does.
                self._offset = (offset + philox.blocks_for(count)) & (2**63 - 1)
                return Ticket(self, kind, count, philox.packed(self._seed, offset), self._seed, offset)
            if kind == "words64":
                return Ticket(self, kind, count, self._stream.words64(count))
            if kind == "normal":
                return Ticket(self, kind, count, self._normals(count))
            if kind == "permutation":
                return Ticket(self, kind, count, self._permutation(count))
        raise ValueError(f"ticket: expected 'words', 'words64', 'normal', 'permutation' or 'philox', got {kind!r}")

    def _normals(self, count: int) -> array[float]:
        """Standard normal numbers, in pairs by Box and Muller; an odd one out is kept for the next call."""
        out = array("d")
        if count and self._next_normal is not None:
            out.append(self._next_normal)
            self._next_normal = None
        pairs = (count - len(out) + 1) // 2
        if pairs <= _FEW_PAIRS:
            halves = self._stream.words(4 * pairs).tolist()
            words = [high << 32 | low for high, low in zip(halves[0::2], halves[1::2], strict=True)]
        else:
            words = self._stream.words64(2 * pairs).tolist()
        unit = 2.0**-53
        mask = 2**53 - 1
        for first, second in zip(words[0::2], words[1::2], strict=True):
            radius = math.sqrt(-2.0 * math.log1p(-((second & mask) * unit)))
            theta = 2.0 * math.pi * ((first & mask) * unit)
            out.append(radius * math.cos(theta))
            out.append(radius * math.sin(theta))
        if len(out) > count:
            self._next_normal = out.pop()
        return out

    def _permutation(self, count: int) -> Any:
        if count >= _WIDE_SHUFFLE:
            return _inside_out(count, self._stream)
        if count < 2:
            return array("q", range(count))
        words = self._stream.words(count - 1)
        shuffled = None if _shuffle is None else _shuffle(count, words)
        if shuffled is not None:
            return shuffled
        order = list(range(count))
        left = count
        for place, word in enumerate(words):
            other = place + word % left
            left -= 1
            order[place], order[other] = order[other], order[place]
        return array("q", order)


def _inside_out(count: int, stream: MT19937) -> array[int]:
    """A permutation by the inside-out form of Fisher and Yates' shuffle, which needs 8 bytes an element and no more."""
    order = array("q", bytes(8)) * count
    step = 1 << 16
    for start in range(0, count, step):
        for place, word in enumerate(stream.words64(min(step, count - start)), start):
            other = word % (place + 1)
            order[place] = order[other]
            order[other] = place
    return order


def _rebuild(device: str | None, state: bytes) -> Generator:
    made = Generator(device)
    made._load(state)
    return made


#: The generator of all draws without ``generator=``; its first seed is the operating system's randomness.
default_generator: Final = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the default generator again from ``seed`` (truncated to an int) and return it.

    Raises:
        RangeError: if ``seed`` lies outside [-2**63, 2**64).

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> tc.rand(3)
        tensor([0.4963, 0.7682, 0.0885])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Start the default generator again from the operating system's randomness; returns the seed.

    Example:
        >>> import tensorcore as tc
        >>> tc.seed() == tc.initial_seed()
        True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator last started from.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(7)
        >>> tc.initial_seed()
        7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator, a uint8 tensor (see `Generator.get_state`).

    Example:
        >>> import tensorcore as tc
        >>> tc.get_rng_state().shape
        tensorcore.Size([5056])
    """
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator continue from a state that `get_rng_state` returned.

    Raises:
        RuntimeError: if it is no state.

    Example:
        >>> import tensorcore as tc
        >>> state = tc.get_rng_state()
        >>> x = tc.rand(2)
        >>> tc.set_rng_state(state)
        >>> bool((tc.rand(2) == x).all())
        True
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, device_type: str | None = None) -> Iterator[None]:
    """Restore the state of the default generator after the block; one stream serves all ``devices``.

    Example:
        >>> import tensorcore as tc
        >>> _ = tc.manual_seed(0)
        >>> with tc.random.fork_rng():
        ...     _ = tc.rand(100)
        >>> tc.rand(1)
        tensor([0.4963])
    """
    if not enabled:
        yield
        return
    state = default_generator._dump()
    try:
        yield
    finally:
        default_generator._load(state)
