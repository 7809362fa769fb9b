"""Settings of reading and writing checkpoints: checksums, byte order, mappings, and files without elements."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from types import TracebackType
from typing import Final

from tensorcore.errors import RangeError

__all__ = [
    "LoadEndianness", "get_crc32_options", "get_default_load_endianness", "get_default_mmap_options",
    "set_crc32_options", "set_default_load_endianness", "set_default_mmap_options", "skip_data",
]  # fmt: skip


class LoadEndianness(Enum):
    """The byte order taken for files that do not say theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class _Options:
    """What has been set."""

    __slots__ = ("checksums", "endianness", "mapping", "skipping")

    def __init__(self) -> None:
        self.checksums = True
        self.endianness: LoadEndianness | None = None
        #: ``mmap.MAP_PRIVATE``.
        self.mapping = 2
        self.skipping = False


current: Final = _Options()


def get_crc32_options() -> bool:
    """Whether `save` computes checksums of what it writes.

    Example:
        >>> import tensorcore as tc
        >>> tc.serialization.get_crc32_options()
        True
    """
    return current.checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Set whether `save` computes checksums; files without them are written faster, and damage goes unnoticed."""
    current.checksums = bool(compute_crc32)


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order taken for files that do not say theirs; little unless set.

    Example:
        >>> import tensorcore as tc
        >>> tc.serialization.get_default_load_endianness()
    """
    return current.endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order taken for files that do not say theirs, as PyTorch 1 wrote them.

    Raises:
        TypeError: for what is no `LoadEndianness`.
    """
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError(f"set_default_load_endianness: expected a LoadEndianness or None, got {endianness!r}")
    current.endianness = endianness


def unsaid_order() -> str:
    """The byte order of a file that does not say its own."""
    return {LoadEndianness.NATIVE: sys.byteorder, LoadEndianness.BIG: "big"}.get(
        current.endianness or LoadEndianness.LITTLE, "little"
    )


def get_default_mmap_options() -> int:
    """How ``load(..., mmap=True)`` maps files: ``mmap.MAP_PRIVATE`` unless set.

    Example:
        >>> import mmap
        >>> import tensorcore as tc
        >>> tc.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
        True
    """
    return current.mapping


class set_default_mmap_options:  # noqa: N801 - PyTorch's name
    """Set how ``load(..., mmap=True)`` maps files; in a ``with`` statement, for its block.

    With ``mmap.MAP_PRIVATE`` what a program writes into a tensor stays in its memory, with ``mmap.MAP_SHARED`` it
    changes the file.

    Raises:
        RangeError: for other flags.

    Example:
        >>> import mmap
        >>> import tensorcore as tc
        >>> with tc.serialization.set_default_mmap_options(mmap.MAP_SHARED):
        ...     tc.serialization.get_default_mmap_options() == mmap.MAP_SHARED
        True
    """

    def __init__(self, flags: int) -> None:
        import mmap

        private, shared = getattr(mmap, "MAP_PRIVATE", 2), getattr(mmap, "MAP_SHARED", 1)
        if flags not in (private, shared):
            raise RangeError(f"set_default_mmap_options: expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, got {flags!r}")
        self.previous = current.mapping
        current.mapping = flags

    def __enter__(self) -> None:
        """Keep the setting for the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Set what was set before."""
        current.mapping = self.previous


@contextmanager
def skip_data(materialize_fake_tensors: bool = False) -> Iterator[None]:
    """Within the block `save` leaves the places of elements empty, to be filled in later by other means.

    A file that can seek gets holes there, which take no room on most disks. `load` reads zeros.

    Example:
        >>> import io
        >>> import tensorcore as tc
        >>> file = io.BytesIO()
        >>> with tc.serialization.skip_data():
        ...     tc.save(tc.ones(2), file)
        >>> file.seek(0)
        0
        >>> tc.load(file)
        tensor([0., 0.])
    """
    before, current.skipping = current.skipping, True
    try:
        yield
    finally:
        current.skipping = before
