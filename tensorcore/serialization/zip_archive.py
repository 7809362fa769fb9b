"""The zip container of PyTorch's files: entries stored uncompressed, their data aligned to 64 bytes.

Written by an own writer, as the alignment needs control over every byte and nothing may seek (``save`` takes any object
with ``write``). Format: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14-16 (its end).
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import IO, Any, Final, NoReturn

from tensorcore.errors import CheckpointError
from tensorcore.serialization.files import describe_format, fill, map_file

__all__ = ["ZipReader", "ZipWriter"]

ALIGNMENT: Final = 64
#: Sizes and offsets from here on are written in the 64-bit fields of zip64.
ZIP64_FROM: Final = 0xFFFFFFFF
#: What the 32-bit fields hold where zip64's are meant.
_SEE_ZIP64: Final = 0xFFFFFFFF
_MANY_ENTRIES: Final = 0xFFFF
#: Flag "names are UTF-8"; 1 January 1980, the earliest date, as entries carry no time of their own.
_UTF8, _DATE = 0x800, 0x21


class ZipWriter:
    """Writes the entries of an archive, one after the other, to an object with ``write``."""

    def __init__(self, file: Any, folder: str, checksums: bool = True) -> None:
        self.file = file
        self.folder = folder
        self.checksums = checksums
        self.position = 0
        self.directory: list[bytes] = []

    def add(self, name: str, data: Any) -> None:
        """Write the bytes ``data`` as the entry ``folder/name``."""
        view = memoryview(data)
        self._begin(name, view.nbytes, zlib.crc32(view) if self.checksums else 0)
        self._write(view)

    def skip(self, name: str, size: int) -> None:
        """Leave ``size`` bytes empty as the entry ``folder/name``; a hole where the file can seek."""
        self._begin(name, size, 0)
        seekable = getattr(self.file, "seekable", None)
        if seekable is not None and seekable():
            self.file.seek(size, os.SEEK_CUR)
            self.position += size
            return
        while size:
            self._write(bytes(min(size, 1 << 20)))
            size -= min(size, 1 << 20)

    def _begin(self, name: str, size: int, crc: int) -> None:
        path, offset = f"{self.folder}/{name}".encode(), self.position
        wide = size >= ZIP64_FROM or offset >= ZIP64_FROM
        extra = struct.pack("<HHQQ", 1, 16, size, size) if wide else b""
        # The padding is an extra field of its own: 4 bytes of head, so it cannot be shorter.
        padding = -(offset + 30 + len(path) + len(extra) + 4) % ALIGNMENT
        extra += struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        version, short = (45, _SEE_ZIP64) if wide else (20, size)
        common = struct.pack("<HHHHHLLLH", version, _UTF8, 0, 0, _DATE, crc, short, short, len(path))
        self._write(b"PK\3\4" + common + struct.pack("<H", len(extra)) + path + extra)
        extra = struct.pack("<HHQQQ", 1, 24, size, size, offset) if wide else b""
        place = _SEE_ZIP64 if wide else offset
        tail = struct.pack("<HHHHLL", len(extra), 0, 0, 0, 0, place)
        self.directory.append(b"PK\1\2" + struct.pack("<H", version) + common + tail + path + extra)

    def close(self) -> None:
        """Write the directory."""
        start, count = self.position, len(self.directory)
        for record in self.directory:
            self._write(record)
        size = self.position - start
        if start >= ZIP64_FROM or size >= ZIP64_FROM or count >= _MANY_ENTRIES:
            end = self.position
            self._write(b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, size, start))
            self._write(b"PK\6\7" + struct.pack("<LQL", 0, end, 1))
            start, size = _SEE_ZIP64, _SEE_ZIP64
            count = _MANY_ENTRIES
        self._write(b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, count, count, size, start, 0))

    def _write(self, data: Any) -> None:
        self.file.write(data)
        self.position += len(data)


class ZipReader:
    """Reads entries of an archive, checking that each is stored whole, once, and unharmed.

    Raises:
        CheckpointError: if the file is no zip archive, is damaged, or holds no ``data.pkl``.
    """

    def __init__(self, file: IO[bytes], name: str, mapped: bool = False) -> None:
        import zipfile

        self.file = file
        self.name = name
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:
            # zipfile meets damage with half a dozen exception classes.
            self._refuse_unreadable(error)
        self.size = file.seek(0, os.SEEK_END)
        self.entries: dict[str, tuple[int, int, int]] = {}
        infos = archive.infolist()
        self.folder = infos[0].filename.split("/", 1)[0] if infos else ""
        names = [info.filename.removeprefix(self.folder + "/") for info in infos]
        if "data.pkl" not in names or "constants.pkl" in names:
            self._refuse_foreign(names)
        for info in infos:
            self._add(info)
        self._check_overlap()
        self.map: memoryview | None = self._mapping() if mapped else None

    def _add(self, info: Any) -> None:
        prefix = self.folder + "/"
        if not info.filename.startswith(prefix) or info.is_dir():
            return
        name = info.filename[len(prefix) :]
        if name in self.entries:
            raise CheckpointError(f"{self.name}: the archive holds {info.filename!r} twice")
        if info.compress_type or info.flag_bits & 1:
            how = "encrypted" if info.flag_bits & 1 else "compressed"
            raise CheckpointError(f"{self.name}: entry {info.filename!r} is {how}; PyTorch's are stored plainly")
        # A damaged directory can point before the file's begin.
        self.file.seek(max(info.header_offset, 0))
        head = b"" if info.header_offset < 0 else self.file.read(30)
        if len(head) < 30 or head[:4] != b"PK\3\4":
            raise CheckpointError(f"{self.name}: damaged: {info.filename!r} does not begin at {info.header_offset}")
        start = info.header_offset + 30 + sum(struct.unpack_from("<HH", head, 26))
        if info.compress_size != info.file_size or start + info.file_size > self.size:
            raise CheckpointError(
                f"{self.name}: truncated or damaged: entry {info.filename!r} of {info.file_size} bytes begins at "
                f"{start}, the file has {self.size}"
            )
        self.entries[name] = (start, info.file_size, info.CRC)

    def _check_overlap(self) -> None:
        # Entries over the same bytes make a small file that unpacks to a huge one.
        place = 0
        for name, (start, size, _) in sorted(self.entries.items(), key=lambda item: item[1]):
            if start < place:
                raise CheckpointError(f"{self.name}: damaged: entry {name!r} overlaps another")
            place = start + size

    def _mapping(self) -> memoryview:
        return memoryview(map_file(self.file))

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def length(self, name: str) -> int:
        """Bytes of an entry."""
        return self._entry(name)[1]

    def read(self, name: str) -> Any:
        """The bytes of an entry, writable; over the mapped file where it is mapped, else a checked copy."""
        start, size, crc = self._entry(name)
        if self.map is not None:
            return self.map[start : start + size]
        data = bytearray(size)
        self.file.seek(start)
        if fill(self.file, data) != size:
            raise CheckpointError(f"{self.name}: the file ends inside entry {name!r}")
        # PyTorch writes 0 where it is told to compute no checksums.
        if crc and zlib.crc32(data) != crc:
            raise CheckpointError(f"{self.name}: damaged: entry {name!r} does not match its checksum")
        return data

    def _entry(self, name: str) -> tuple[int, int, int]:
        try:
            return self.entries[name]
        except KeyError:
            raise CheckpointError(f"{self.name}: the archive has no entry {name!r:.80}") from None

    def _refuse_unreadable(self, error: Exception) -> NoReturn:
        self.file.seek(0)
        head = self.file.read(512)
        if head[:4] == b"PK\3\4":
            raise CheckpointError(
                f"{self.name}: begins as a zip archive, as PyTorch's files do, but is truncated or damaged: {error}"
            ) from None
        raise CheckpointError(f"{self.name}: expected a zip archive, found {describe_format(head)}") from None

    def _refuse_foreign(self, names: list[str]) -> NoReturn:
        if "constants.pkl" in names:
            found = "a TorchScript archive, which holds a program"
        elif any(name.endswith(".npy") for name in names):
            found = "a NumPy .npz archive; numpy.load reads it"
        elif "MANIFEST.MF" in names:
            found = "a Java archive"
        elif "[Content_Types].xml" in names:
            found = "an office document"
        else:
            found = f"a zip archive of {len(names)} entries, {', '.join(names[:3])!r:.120}"
        raise CheckpointError(f"{self.name}: no checkpoint: expected an archive with data.pkl, found {found}")
