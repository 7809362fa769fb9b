"""The IDX format of the MNIST family: a tensor of one element type in a file, plain or compressed with gzip.

Two zero bytes, one byte for the element type, one for the number of dimensions, each dimension as a big-endian
32-bit integer, then the elements, big-endian and row-major. Source: yann.lecun.com/exdb/mnist.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from typing import IO, Any, Final

import tensorcore as tc
from tensorcore_vision.errors import FileFormatError

__all__ = ["read_idx"]

#: Element types by their byte: dtype, and the array code for swapping bytes.
_TYPES: Final = {
    0x08: (tc.uint8, "B"),
    0x09: (tc.int8, "b"),
    0x0B: (tc.int16, "h"),
    0x0C: (tc.int32, "i"),
    0x0D: (tc.float32, "f"),
    0x0E: (tc.float64, "d"),
}

_GZIP: Final = b"\x1f\x8b"
_PIECE: Final = 1 << 20


def read_idx(path: str | os.PathLike[str], shape: Sequence[int | None] | None = None) -> tc.Tensor:
    """The tensor in an IDX file, on the default device.

    Args:
        path: the file, plain or compressed with gzip, whatever its name.
        shape: the shape it must have, with ``None`` for a side of any length; ``None`` accepts every shape.

    Raises:
        FileNotFoundError: where there is no such file.
        FileFormatError: for a file that is truncated, too long, damaged, of another format, or of another shape.

    Example:
        >>> import pathlib
        >>> from tensorcore_vision.idx import read_idx
        >>> _ = pathlib.Path("labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
        >>> read_idx("labels-idx1-ubyte")
        tensor([7, 9], dtype=tensorcore.uint8)
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            return _read(file, name, shape)
        try:
            with gzip.open(file) as unpacked:
                return _read(unpacked, name, shape)
        except EOFError:
            raise FileFormatError(f"{name}: the compressed file is truncated") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FileFormatError(f"{name}: the compressed file is damaged: {error}") from None


def _read(file: IO[bytes] | gzip.GzipFile, name: str, shape: Sequence[int | None] | None) -> tc.Tensor:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise FileFormatError(
            f"{name}: no IDX file: it should start with two zero bytes, an element type and a number of dimensions, "
            f"but starts with {magic!r}" if magic else f"{name}: no IDX file: it is empty"
        )  # fmt: skip
    dtype, code = _TYPES[magic[2]]
    head = file.read(4 * magic[3])
    if len(head) < 4 * magic[3]:
        raise FileFormatError(f"{name}: truncated: the file ends inside its header")
    sides = struct.unpack(f">{magic[3]}I", head)
    if shape is not None and not _fits(sides, shape):
        wanted = ", ".join("N" if side is None else str(side) for side in shape)
        raise FileFormatError(f"{name}: expected elements of shape [{wanted}], the file has {list(sides)}")
    size = math.prod(sides) * dtype.itemsize
    # One byte more than announced, so that a file that goes on is noticed.
    data = _read_up_to(file, size + 1)
    if len(data) != size:
        fault = "truncated" if len(data) < size else "too long"
        found = str(len(data)) if len(data) < size else "more"
        raise FileFormatError(
            f"{name}: {fault}: {dtype.name} elements of shape {list(sides)} take {size} bytes, "
            f"{found} follow the header"
        )
    return tc.frombuffer(_native(data, code), dtype=dtype).reshape(sides)


def _fits(sides: Sequence[int], shape: Sequence[int | None]) -> bool:
    pairs = zip(sides, shape, strict=False)
    return len(sides) == len(shape) and all(want is None or side == want for side, want in pairs)


def _read_up_to(file: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    # In pieces: a damaged header may announce more than there is memory for.
    data = bytearray()
    while len(data) < size:
        piece = file.read(min(_PIECE, size - len(data)))
        if not piece:
            break
        data += piece
    return data


def _native(data: bytearray, code: str) -> Any:
    if sys.byteorder == "big" or code in "bB":
        return data
    elements = array(code, data)
    elements.byteswap()
    return elements
