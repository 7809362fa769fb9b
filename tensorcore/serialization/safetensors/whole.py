"""Reading and writing safetensors files and bytes whole."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import IO, Any

from tensorcore.devices import Device
from tensorcore.errors import CheckpointError
from tensorcore.serialization.elements import host_bytes, native, swap_bytes, tensor_over
from tensorcore.serialization.files import atomic_write, fill, map_file, name_of
from tensorcore.serialization.safetensors.format import header_of, read_header
from tensorcore.serialization.safetensors.sharing import refuse_sharing
from tensorcore.tensor import Tensor

__all__ = ["load", "load_file", "pieces", "read_tensors", "save", "save_file"]


def save_file(tensors: Mapping[str, Tensor], filename: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors by name to a safetensors file; a file of that name is replaced only by a whole one.

    ``metadata`` maps strings to strings.

    Raises:
        TypeError: for a value that is no tensor, or a name or metadata that is no string.
        DTypeError: for complex128, which the format has no name for.
        CheckpointError: if tensors share memory, or the folder does not exist.

    Example:
        >>> import os, tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_file, save_file
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.safetensors")
        ...     save_file({"bias": tc.tensor([1.0, 2.0])}, path, metadata={"step": "7"})
        ...     load_file(path)
        {'bias': tensor([1., 2.])}
    """
    written = pieces("save_file", tensors, metadata)
    with atomic_write(filename, "save_file") as file:
        for piece in written:
            file.write(piece)


def save(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes that `save_file` writes.

    Raises:
        TypeError, DTypeError, CheckpointError: as `save_file`.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load, save
        >>> load(save({"step": tc.tensor(3)}))
        {'step': tensor(3)}
    """
    return b"".join(pieces("save", tensors, metadata))


def pieces(op: str, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> Iterator[Any]:
    """The bytes of a file, one after the other; what cannot be saved is told at once."""
    header, order = header_of(tensors, metadata)
    refuse_sharing(op, tensors)
    return _pieces(header, [tensors[name] for name in order])


def _pieces(header: bytes, tensors: list[Tensor]) -> Iterator[Any]:
    yield header
    for tensor in tensors:
        data = host_bytes(tensor)
        yield data if native("little") else swap_bytes(data, tensor.dtype)


def load_file(filename: Any, device: Any = None, mmap: bool = False) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, on ``device`` or the default device.

    With ``mmap`` the file is mapped into memory: elements are read when they are first looked at.

    Raises:
        CheckpointError: if the file is damaged, truncated, or no safetensors file.
        DeviceError: for an unknown device.

    Example:
        >>> import os, tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_file, save_file
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_file({"step": tc.tensor(3)}, os.path.join(folder, "a.safetensors"))
        ...     load_file(os.path.join(folder, "a.safetensors"))["step"]
        tensor(3)
    """
    with open(filename, "rb") as file:
        return read_tensors(file, name_of(filename), Device(device), mmap)


def load(data: bytes, device: Any = None) -> dict[str, Tensor]:
    """The tensors in the bytes of a safetensors file.

    Raises:
        CheckpointError: if they are damaged, truncated, or no safetensors file.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load, save
        >>> load(save({"bias": tc.zeros(2)}))["bias"]
        tensor([0., 0.])
    """
    return read_tensors(io.BytesIO(data), "bytes", Device(device))


def read_tensors(file: IO[bytes], name: str, device: Device, mapped: bool = False) -> dict[str, Tensor]:
    """The tensors of an open safetensors file that starts at the current position."""
    entries, _ = read_header(file, name)
    begin = file.tell()
    whole = memoryview(map_file(file)) if mapped else None
    found = {}
    # In the order of the elements, so that the file is read from front to back.
    for key, entry in sorted(entries.items(), key=lambda item: item[1].start):
        data: Any
        if whole is not None:
            data = whole[begin + entry.start : begin + entry.end]
        else:
            file.seek(begin + entry.start)
            data = bytearray(entry.end - entry.start)
            if fill(file, data) != len(data):
                raise CheckpointError(
                    f"{name}: the file ends inside tensor {key!r}; it was cut short while it was read"
                )
        if not native("little"):
            data = swap_bytes(data, entry.dtype)
        found[key] = tensor_over(data, entry.dtype, entry.shape, device)
    return {key: found[key] for key in entries}
