"""The headers of safetensors files: named tensors and text metadata, with nothing in it that could run.

A file is 8 bytes (the length of the header, little-endian), the header (JSON), and the elements of all tensors,
little-endian and row-major, one after the other without gaps. Specification:
https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

from tensorcore import dtypes
from tensorcore.dtypes import DType
from tensorcore.errors import CheckpointError, DTypeError
from tensorcore.serialization.elements import byte_count
from tensorcore.serialization.files import describe_format, name_of
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "header_of", "load_metadata", "parse_header", "read_header"]

#: The longest header that the specification's own reader takes.
MAX_HEADER: Final = 100_000_000

#: In the order in which the format's own writer puts tensors, last first.
NAMES: Final[dict[DType, str]] = {
    dtypes.bool_: "BOOL", dtypes.uint8: "U8", dtypes.int8: "I8", dtypes.int16: "I16", dtypes.uint16: "U16",
    dtypes.float16: "F16", dtypes.bfloat16: "BF16", dtypes.int32: "I32", dtypes.uint32: "U32", dtypes.float32: "F32",
    dtypes.complex64: "C64", dtypes.float64: "F64", dtypes.int64: "I64", dtypes.uint64: "U64",
}  # fmt: skip
_RANKS: Final = {dtype: rank for rank, dtype in enumerate(NAMES)}
_DTYPES: Final = {name: dtype for dtype, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor lies: ``start`` and ``end`` count bytes from the end of the header."""

    dtype: DType
    shape: tuple[int, ...]
    start: int
    end: int


def load_metadata(filename: Any) -> dict[str, str]:
    """The text metadata of a safetensors file; empty where it has none.

    Raises:
        CheckpointError: if the file is damaged, truncated, or no safetensors file.

    Example:
        >>> import os, tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_metadata, save_file
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_file({}, os.path.join(folder, "a.safetensors"), metadata={"epoch": "5"})
        ...     load_metadata(os.path.join(folder, "a.safetensors"))
        {'epoch': '5'}
    """
    with open(filename, "rb") as file:
        return read_header(file, name_of(filename))[1]


def header_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> tuple[bytes, list[str]]:
    """The bytes before the first element, and the names in the order in which the elements follow."""
    import json

    for name, tensor in tensors.items():
        _check_name(name, tensor)
    # Wide elements first: every tensor then starts at a multiple of its element's size.
    order = sorted(tensors, key=lambda name: (-_RANKS[tensors[name].dtype], name))
    table: dict[str, Any] = {}
    if metadata is not None:
        for key, text in metadata.items():
            if type(key) is not str or type(text) is not str:
                raise TypeError(f"save_file: metadata maps strings to strings, got {key!r}: {text!r}")
        table["__metadata__"] = dict(metadata)
    offset = 0
    for name in order:
        tensor = tensors[name]
        shape = tuple(tensor.shape)
        end = offset + byte_count(shape, tensor.dtype)
        table[name] = {"dtype": NAMES[tensor.dtype], "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    try:
        encoded = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as error:
        raise TypeError(f"save_file: a name or metadata is no valid Unicode: {error}") from None
    encoded += b" " * (-len(encoded) % 8)
    if len(encoded) > MAX_HEADER:
        raise ValueError(f"save_file: the header takes {len(encoded)} bytes; readers accept at most {MAX_HEADER}")
    return struct.pack("<Q", len(encoded)) + encoded, order


def _check_name(name: Any, tensor: Any) -> None:
    if type(name) is not str:
        raise TypeError(f"save_file: names of tensors are strings, got {name!r}")
    if name == "__metadata__":
        raise ValueError("save_file: '__metadata__' is reserved by the format; choose another name")
    if not isinstance(tensor, Tensor):
        raise TypeError(f"save_file: expected a tensor for {name!r}, got {type(tensor).__name__}")
    if tensor.dtype not in NAMES:
        raise DTypeError(
            f"save_file: the format has no name for {tensor.dtype} of {name!r}, shape {list(tensor.shape)}; "
            "save tc.view_as_real(tensor), or use tc.save"
        )


def read_header(file: IO[bytes], name: str) -> tuple[dict[str, Entry], dict[str, str]]:
    """Entries and metadata of an open file, which stands at the first element afterwards.

    Raises:
        CheckpointError: if the file is damaged, truncated, or no safetensors file.
    """
    begin = file.tell()
    size = file.seek(0, os.SEEK_END) - begin
    file.seek(begin)
    head = file.read(8)
    length = int.from_bytes(head, "little")
    if len(head) < 8 or length > MAX_HEADER or 8 + length > size:
        _refuse(name, file, begin, size, length if len(head) == 8 else None)
    text = file.read(length)
    if text[:1] != b"{":
        _refuse(name, file, begin, size, length)
    return parse_header(text, size - 8 - length, name)


def _refuse(name: str, file: IO[bytes], begin: int, size: int, length: int | None) -> NoReturn:
    file.seek(begin)
    head = file.read(512)
    if size > 8 and head[8:9] == b"{" and length is not None:
        limit = f"the specification allows {MAX_HEADER}" if length > MAX_HEADER else f"the file has {size} in all"
        raise CheckpointError(f"{name}: a safetensors header of {length} bytes is announced, but {limit}")
    raise CheckpointError(
        f"{name}: no safetensors file (8 bytes of header length and a JSON header); it is {describe_format(head)}"
    )


def parse_header(text: bytes, data_size: int, name: str) -> tuple[dict[str, Entry], dict[str, str]]:
    """Entries and metadata of a header, checked against the ``data_size`` bytes that follow it.

    Raises:
        CheckpointError: naming the file ``name``, the tensor, and what is wrong with it.
    """
    import json

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(items)
        if len(table) < len(items):
            counts = Counter(key for key, _ in items)
            twice = next(key for key, count in counts.items() if count > 1)
            raise CheckpointError(f"{name}: the safetensors header has the key {twice!r} twice")
        return table

    try:
        table = json.loads(text.decode(), object_pairs_hook=pairs)
    except CheckpointError:
        raise
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{name}: the safetensors header is no JSON: {error}") from None
    if type(table) is not dict:
        raise CheckpointError(f"{name}: the safetensors header must be a JSON object, got {type(table).__name__}")
    metadata = table.pop("__metadata__", None)
    metadata = {} if metadata is None else metadata
    if type(metadata) is not dict or any(type(value) is not str for value in metadata.values()):
        raise CheckpointError(f"{name}: __metadata__ of the safetensors header must map strings to strings")
    entries = {key: _parse_entry(name, key, value) for key, value in table.items()}
    _check_cover(name, entries, data_size)
    return entries, metadata


def _parse_entry(name: str, key: str, value: Any) -> Entry:
    def wrong(reason: str) -> NoReturn:
        raise CheckpointError(f"{name}: tensor {key!r} of the safetensors header: {reason}")

    if type(value) is not dict or set(value) != {"dtype", "shape", "data_offsets"}:
        met = sorted(value) if type(value) is dict else type(value).__name__
        wrong(f"expected the keys dtype, shape and data_offsets, got {met}")
    dtype = _DTYPES.get(value["dtype"]) if type(value["dtype"]) is str else None
    if dtype is None:
        wrong(f"dtype {value['dtype']!r} is not known; known: {', '.join(_DTYPES)}")
    shape, offsets = value["shape"], value["data_offsets"]
    if not _is_naturals(shape):
        wrong(f"shape must be a list of at most 64 integers from 0 to 2**63 - 1, got {shape!r:.80}")
    if not _is_naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        wrong(f"data_offsets must be [start, end] with 0 <= start <= end, got {offsets!r:.80}")
    start, end = offsets
    if byte_count(shape, dtype) != end - start:
        wrong(
            f"shape {shape} of {dtype.name} takes {byte_count(shape, dtype)} bytes, "
            f"data_offsets [{start}, {end}] give {end - start}"
        )
    return Entry(dtype, tuple(shape), start, end)


def _is_naturals(value: Any) -> bool:
    return type(value) is list and len(value) <= 64 and all(type(x) is int and 0 <= x < 2**63 for x in value)


def _check_cover(name: str, entries: dict[str, Entry], data_size: int) -> None:
    """Every byte after the header belongs to exactly one tensor."""
    place, before = 0, "the header"
    for key, entry in _by_place(entries):
        if entry.start != place:
            fault = "overlaps" if entry.start < place else f"leaves {entry.start - place} unused bytes after"
            raise CheckpointError(f"{name}: tensor {key!r} starts at {entry.start} and {fault} {before}")
        place, before = entry.end, f"tensor {key!r}"
    if place > data_size:
        raise CheckpointError(f"{name}: truncated: the tensors take {place} bytes, {data_size} follow the header")
    if place < data_size:
        raise CheckpointError(f"{name}: {data_size - place} bytes follow the last tensor that belong to none")


def _by_place(entries: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    return iter(sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)))
