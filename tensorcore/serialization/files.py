"""Files: writing that leaves the old file whole, and telling what a file is by its first bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

from tensorcore.errors import CheckpointError

if TYPE_CHECKING:
    from mmap import mmap

__all__ = ["LEGACY_MAGIC", "atomic_write", "describe_format", "fill", "is_path", "map_file", "name_of"]

#: How PyTorch's files from before version 1.6 begin: the pickle of a number.
LEGACY_MAGIC: Final = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."

#: First bytes of files that are met where a checkpoint was expected.
_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (LEGACY_MAGIC[:14], "a PyTorch file in the format before version 1.6"),
    (b"\x93NUMPY", "a NumPy array file; numpy.load reads it"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras or MATLAB)"),
    (b"GGUF", "a GGUF file (llama.cpp)"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with `git lfs pull`"),
    (b"<!DOCTYPE", "a web page, probably an error page saved by a download"),
    (b"<!doctype", "a web page, probably an error page saved by a download"),
    (b"<html", "a web page, probably an error page saved by a download"),
)


def is_path(f: Any) -> bool:
    """Whether ``f`` names a file, as opposed to being one."""
    return isinstance(f, str | bytes | os.PathLike)


def name_of(f: Any) -> str:
    """What to call ``f`` in an error message."""
    return os.fsdecode(f) if is_path(f) else str(getattr(f, "name", None) or f"a {type(f).__name__}")


def describe_format(head: bytes) -> str:
    """What a file that starts with ``head`` seems to be."""
    if not head:
        return "an empty file"
    for signature, description in _SIGNATURES:
        if head.startswith(signature):
            return description
    if len(head) > 1 and head[0] == 0x80 and head[1] <= 5:
        return f"a plain pickle of protocol {head[1]}"
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    return f"an unknown format that starts with {head[:16]!r}"


def fill(file: IO[bytes], data: bytearray) -> int:
    """Read into ``data``; returns how many bytes there were."""
    view, place = memoryview(data), 0
    readinto = getattr(file, "readinto", None)
    while place < len(data):
        if readinto is not None:
            count = readinto(view[place:]) or 0
        else:
            # A file object of a user's need have ``read`` only; in pieces, so as not to hold everything twice.
            piece = file.read(min(len(data) - place, 1 << 24))
            count = len(piece)
            view[place : place + count] = piece
        if not count:
            break
        place += count
    return place


def map_file(file: IO[bytes]) -> mmap:
    """The bytes of a file as memory, read from the disk when they are looked at.

    By default the pages are private: what a program writes into a tensor stays in its memory. Room for that is not
    set aside beforehand, so a file may be larger than the memory.
    """
    import mmap
    import sys

    from tensorcore.serialization.options import current

    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    # Python 3.13 names the flag; its number on Linux is older.
    unreserved = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)
    return mmap.mmap(file.fileno(), 0, flags=current.mapping | unreserved, prot=mmap.PROT_READ | mmap.PROT_WRITE)


@contextmanager
def atomic_write(path: Any, op: str) -> Iterator[IO[bytes]]:
    """A new file that replaces ``path`` when the block ends well and vanishes when it does not.

    The bytes go to a file in the same folder, reach the disk, and take the name in one step, so at every moment
    ``path`` is the old file or the new one, whole. A symbolic link stays one; its target is replaced. The permissions
    of a file that is replaced are kept. What is no regular file (a pipe, ``/dev/null``) is written directly.

    Raises:
        CheckpointError: if the folder does not exist.
    """
    # Following the link first, as replacing would otherwise put a file where the link was.
    target = os.path.realpath(os.fsdecode(path))
    try:
        mode: int | None = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(target, "wb") as direct:
            yield direct
        return
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise CheckpointError(f"{op}: the folder {folder!r} of {os.fsdecode(path)!r} does not exist")
    file, temporary = _create_beside(folder, name)
    try:
        with file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _create_beside(folder: str, name: str) -> tuple[IO[bytes], str]:
    while True:
        # Names are limited to 255 bytes on most file systems; the old name is there for people only.
        temporary = os.path.join(folder, f".{name[:48]}.{os.urandom(6).hex()}.tmp")
        try:
            # Mode "x" refuses a file that exists, and the process's umask applies as to any new file.
            return open(temporary, "xb"), temporary
        except FileExistsError:
            continue


def _sync_folder(folder: str) -> None:
    """Have the new name reach the disk, where folders can be synced (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems do not sync folders; the file itself is safe by now.
        pass
    finally:
        os.close(handle)
