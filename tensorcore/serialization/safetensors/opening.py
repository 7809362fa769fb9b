"""A safetensors file whose tensors are read one by one, or in parts."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from tensorcore.devices import Device
from tensorcore.errors import ArgumentError, CheckpointError
from tensorcore.serialization.elements import native, swap_bytes, tensor_over
from tensorcore.serialization.files import map_file, name_of
from tensorcore.serialization.safetensors.format import Entry, read_header
from tensorcore.tensor import Tensor

__all__ = ["TensorSlice", "safe_open"]


class safe_open:  # noqa: N801 - the safetensors package's name
    """An open safetensors file, mapped into memory: what is not asked for is not read.

    Args:
        filename: the path.
        framework: accepted for the package's sake: "tc", "pt" or "torch".
        device: where tensors go; the default device unless given.

    Raises:
        CheckpointError: if the file is damaged, truncated, or no safetensors file.

    Example:
        >>> import os, tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import safe_open, save_file
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_file({"weight": tc.arange(6).reshape(2, 3)}, os.path.join(folder, "a.safetensors"))
        ...     with safe_open(os.path.join(folder, "a.safetensors")) as file:
        ...         file.keys(), file.get_slice("weight").get_shape(), file.get_slice("weight")[1]
        (['weight'], [2, 3], tensor([3, 4, 5]))
    """

    def __init__(self, filename: Any, framework: str = "tc", device: Any = None) -> None:
        if framework not in ("tc", "tensorcore", "pt", "torch", "pytorch"):
            raise ArgumentError(f"safe_open: framework is 'tc' or 'pt', got {framework!r}")
        self._name = name_of(filename)
        self._device = Device(device)
        with open(filename, "rb") as file:
            self._entries, self._metadata = read_header(file, self._name)
            self._begin = file.tell()
            self._whole = memoryview(map_file(file))

    def keys(self) -> list[str]:
        """The names of the tensors, sorted."""
        return sorted(self._entries)

    def offset_keys(self) -> list[str]:
        """The names of the tensors in the order in which they lie in the file."""
        return sorted(self._entries, key=lambda name: self._entries[name].start)

    def metadata(self) -> dict[str, str] | None:
        """The text metadata; ``None`` where there is none."""
        return self._metadata or None

    def get_tensor(self, name: str) -> Tensor:
        """A tensor, with memory of its own.

        Raises:
            CheckpointError: if there is none of this name.
        """
        return self.get_slice(name)._tensor(self._device).clone()

    def get_slice(self, name: str) -> TensorSlice:
        """A tensor that is read when it is indexed.

        Raises:
            CheckpointError: if there is none of this name.
        """
        entry = self._entries.get(name)
        if entry is None:
            from difflib import get_close_matches

            near = get_close_matches(str(name), self._entries, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CheckpointError(f"{self._name}: holds no tensor {name!r}{hint}")
        return TensorSlice(entry, self._whole[self._begin + entry.start : self._begin + entry.end], self._device)

    def __enter__(self) -> safe_open:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The mapping goes with the last tensor over it.
        self._whole = memoryview(b"")
        self._entries = {}


class TensorSlice:
    """A tensor in a file; indexing it gives the part as a tensor."""

    def __init__(self, entry: Entry, data: Any, device: Device) -> None:
        self._entry = entry
        self._data = data
        self._device = device

    def get_shape(self) -> list[int]:
        """The shape."""
        return list(self._entry.shape)

    def get_dtype(self) -> str:
        """The dtype as the format calls it: ``F32``."""
        from tensorcore.serialization.safetensors.format import NAMES

        return NAMES[self._entry.dtype]

    def _tensor(self, device: Device) -> Tensor:
        """All of it, over the mapped file where the device computes in host memory."""
        data = self._data if native("little") else swap_bytes(self._data, self._entry.dtype)
        return tensor_over(data, self._entry.dtype, self._entry.shape, device)

    def __getitem__(self, index: Any) -> Tensor:
        # Cut where the file is mapped, moved then.
        return self._tensor(Device("cpu"))[index].clone().to(self._device)
