"""Reading of PyTorch's files before version 1.6: pickles one after the other, then the elements of the storages.

The pickles: a magic number, the version of the format, facts of the machine that wrote it, the object, and the keys of
the storages in the order in which they follow. Of each storage there are the number of elements, in 8 bytes, and the
elements, all little-endian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, Final, NoReturn

from tensorcore.errors import CheckpointError
from tensorcore.serialization.allowed_globals import storage_dtype
from tensorcore.serialization.files import LEGACY_MAGIC, fill
from tensorcore.serialization.pickle_reader import PickleReader
from tensorcore.serialization.pickle_scan import Name, scan
from tensorcore.serialization.rebuilding import Rebuilder

__all__ = ["LegacyFile"]

_VERSION: Final = 1001


class LegacyFile:
    """A file whose storages have been found but not read; its position is after the last of them.

    Raises:
        CheckpointError: if it is truncated or damaged.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file = file
        self.name = name
        begin = file.tell()
        size = file.seek(0, 2)
        file.seek(begin + len(LEGACY_MAGIC))
        version = self._plain()
        if version != _VERSION:
            raise CheckpointError(f"{name}: version {_VERSION} of PyTorch's old format is read, found {version!r:.40}")
        # The byte order that it tells of is the writing machine's; the elements are little-endian in any case.
        self._plain()
        self.pickle, ids = self._next()
        keys = self._plain()
        if type(keys) is not list or not all(type(key) in (str, int) for key in keys):
            raise CheckpointError(f"{name}: damaged: the keys of the storages are no list of strings")
        #: key -> (place of the first element, bytes).
        self.places: dict[str, tuple[int, int]] = {}
        self._find_storages([str(key) for key in keys], _widths(ids), size)

    def rebuilder(self, map_location: Any) -> Rebuilder:
        """What makes the tensors."""
        return Rebuilder(self._source, map_location, "little")

    def _find_storages(self, keys: list[str], widths: dict[str, int], size: int) -> None:
        place = self.file.tell()
        for key in keys:
            if key not in widths or key in self.places:
                raise CheckpointError(
                    f"{self.name}: damaged: storage {key[:80]!r} belongs to no tensor, or comes twice"
                )
            self.file.seek(place)
            nbytes = int.from_bytes(self.file.read(8), "little") * widths[key]
            self.places[key] = (place + 8, nbytes)
            place += 8 + nbytes
            if place > size:
                raise CheckpointError(f"{self.name}: truncated: the file ends inside storage {key[:80]!r}")
        self.file.seek(place)
        self.end = place

    def _source(self, key: str, nbytes: int) -> Callable[[], Any]:
        place, found = self.places.get(key, (0, -1))
        if found != nbytes:
            raise CheckpointError(f"storage {key[:80]!r} should take {nbytes} bytes, the file has {max(found, 0)}")

        def read() -> bytearray:
            data = bytearray(nbytes)
            self.file.seek(place)
            if fill(self.file, data) != nbytes:
                raise CheckpointError(f"the file ends inside storage {key[:80]!r}; it was cut short while it was read")
            self.file.seek(self.end)
            return data

        return read

    def _next(self) -> tuple[bytes, list[Any]]:
        """The next pickle, found without being run, and the persistent ids in it."""
        begin = self.file.tell()
        try:
            found = scan(self.file)
        except CheckpointError as error:
            raise CheckpointError(f"{self.name}: {error}") from None
        end = self.file.tell()
        self.file.seek(begin)
        return self.file.read(end - begin), found.ids

    def _plain(self) -> Any:
        """The next pickle's value, which names nothing."""

        def refuse(*_: Any) -> NoReturn:
            raise CheckpointError(f"{self.name}: damaged: a part that should hold plain data names something")

        return PickleReader(self._next()[0], refuse, refuse, lambda kind: False).load()


def _widths(ids: list[Any]) -> dict[str, int]:
    """Bytes of an element of each storage that the pickle names."""
    widths = {}
    for each in ids:
        if type(each) is tuple and len(each) in (5, 6) and each[0] == "storage" and isinstance(each[1], Name):
            dtype = storage_dtype(each[1])
            widths[str(each[2])] = dtype.itemsize if dtype is not None else 1
    return widths
