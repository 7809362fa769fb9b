"""The functions that a checkpoint's pickle calls to make tensors and what belongs to them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from tensorcore.devices import Device
from tensorcore.dtypes import DType, uint8
from tensorcore.errors import CheckpointError, DeviceError
from tensorcore.memory_format import layout as Layout
from tensorcore.memory_format import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from tensorcore.serialization.allowed_globals import StorageType, is_tensor_class, storage_of
from tensorcore.serialization.locations import place
from tensorcore.serialization.named_results import named_results
from tensorcore.serialization.pickle_reader import Global
from tensorcore.serialization.storages import Storage
from tensorcore.tensor import Tensor, wrap

__all__ = ["Rebuilder"]

_LAYOUTS: Final = {
    f"torch.{each.name}": each for each in (strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc)
}


class Rebuilder:
    """The tensors of one file, over storages that are made when the pickle first names them.

    Args:
        source: ``source(key, nbytes)`` checks that the file has a storage of this key and size, and gives the function
            that reads it.
        map_location: as `load` takes it.
        order: "little" or "big", the byte order in the file.
        devices: locations by key, for devices that PyTorch does not know.
    """

    def __init__(
        self,
        source: Callable[[str, int], Callable[[], Any]],
        map_location: Any,
        order: str,
        devices: dict[str, str] | None = None,
    ) -> None:
        self.source = source
        self.map_location = map_location
        self.order = order
        self.devices = devices or {}
        self.storages: dict[str, Storage] = {}
        self.callers_error: Exception | None = None

    def table(self) -> dict[str, Callable[..., Any]]:
        """What the names of PyTorch's functions call."""
        return {
            "torch._utils._rebuild_tensor": self.tensor,
            "torch._utils._rebuild_tensor_v2": self.tensor,
            "torch._utils._rebuild_tensor_v3": self.typed_tensor,
            "torch._utils._rebuild_parameter": self.parameter,
            "torch._utils._rebuild_parameter_with_state": self.parameter,
            "torch._utils._rebuild_device_tensor_from_cpu_tensor": self.on_device,
            "torch._utils._rebuild_sparse_tensor": self.sparse_tensor,
            "torch._tensor._rebuild_from_type_v2": self.from_type,
            "torch.serialization._get_layout": self.layout,
            "torch._C.Generator": self.generator,
            **named_results(),
        }

    # ---------------------------------------------------------------- storages

    def storage(self, saved_id: Any) -> Storage:
        """The storage of ``("storage", class, key, location, number of elements)``; old files add which part of it."""
        if type(saved_id) is not tuple or len(saved_id) not in (5, 6) or saved_id[0] != "storage":
            raise CheckpointError("a persistent id is no ('storage', class, key, location, size)")
        _, kind, key, location, count, *rest = saved_id
        # Very old files number their storages.
        key = str(key) if type(key) is int else key
        if type(kind) is not StorageType or type(key) is not str or type(location) is not str or type(count) is not int:
            raise CheckpointError("a persistent id has parts of the wrong types")
        found = self.storages.get(key)
        if found is None:
            width = (kind.dtype or uint8).itemsize
            made = Storage(self.source(key, count * width), count * width, kind.dtype, Device("cpu"), self.order)
            found = self.storages[key] = self._placed(made, self.devices.get(key, location))
        elif found.dtype is not kind.dtype:
            raise CheckpointError(f"storage {key[:80]!r} is used with two dtypes, {found.dtype} and {kind.dtype}")
        return found if not rest or rest[0] is None else self._part(found, rest[0])

    def _part(self, whole: Storage, part: Any) -> Storage:
        """A storage that is a run of another's elements: (key, first element, number of elements)."""
        if type(part) is not tuple or len(part) != 3 or any(type(each) is not int for each in part[1:]):
            raise CheckpointError("a view of a storage is no (key, offset, size)")
        key, first, count = part
        name = f"part {key}"
        if name not in self.storages:
            self.storages[name] = whole.part(first, count)
        return self.storages[name]

    def _placed(self, made: Storage, location: str) -> Storage:
        try:
            moved = place(made, location, self.map_location)
            if not isinstance(moved, Storage):
                raise TypeError(f"load: map_location returned a {type(moved).__name__}, expected the storage or None")
            return moved
        except Exception as error:
            # A callable is the caller's own code: the file is not to blame.
            if callable(self.map_location) and not isinstance(error, DeviceError):
                self.callers_error = error
            raise

    def published(self, made: Any) -> Any:
        """``made`` with storages that were saved by themselves as PyTorch's programs know them."""
        alone = [each for each in self.storages.values() if not each.used]
        return _published(made, {}) if alone else made

    # ---------------------------------------------------------------- tensors

    def tensor(
        self, storage: Any, start: Any, shape: Any, strides: Any, requires_grad: Any = False, hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        """``torch._utils._rebuild_tensor_v2``; hooks are empty in all files."""
        dtype = storage_of(storage).dtype
        if dtype is None:
            raise CheckpointError("a tensor without a dtype lies in an untyped storage")
        return self._rebuild(storage, dtype, start, shape, strides, requires_grad, metadata)

    def typed_tensor(
        self, storage: Any, start: Any, shape: Any, strides: Any, requires_grad: Any, hooks: Any, dtype: Any,
        metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        """``torch._utils._rebuild_tensor_v3``, for dtypes that have no storage class."""
        if type(dtype) is not DType:
            raise CheckpointError(f"a tensor's dtype is a {type(dtype).__name__}")
        return self._rebuild(storage_of(storage), dtype, start, shape, strides, requires_grad, metadata)

    def _rebuild(
        self, storage: Storage, dtype: DType, start: Any, shape: Any, strides: Any, requires_grad: Any, metadata: Any
    ) -> Tensor:
        made = storage.tensor(dtype, start, tuple(shape), tuple(strides))
        if metadata:
            # Views that PyTorch marks instead of computing them: the conjugate, and the negative.
            if type(metadata) is not dict or not set(metadata) <= {"conj", "neg"}:
                raise CheckpointError(f"a tensor carries the unknown metadata {sorted(map(str, metadata))}")
            made = made.conj() if metadata.get("conj") else made
            made = -made if metadata.get("neg") else made
        made.requires_grad = bool(requires_grad)
        return made

    def parameter(self, data: Any, requires_grad: Any, hooks: Any = None, state: Any = None) -> Tensor:
        """``torch._utils._rebuild_parameter`` and the form with attributes."""
        from tensorcore.nn.parameter import Parameter

        if not isinstance(data, Tensor):
            raise CheckpointError(f"a parameter is made of a {type(data).__name__}")
        return _with_state(Parameter(data, bool(requires_grad)), state)

    def on_device(self, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:
        """``torch._utils._rebuild_device_tensor_from_cpu_tensor``, for devices without storages."""
        if not isinstance(data, Tensor) or type(dtype) is not DType or type(device) is not str:
            raise CheckpointError("a tensor of another device has parts of the wrong types")
        where = place(Storage(bytes, 0, None, Device("cpu"), self.order), device, self.map_location).device
        made = data.detach().to(where, dtype)
        made.requires_grad = bool(requires_grad)
        return made

    def from_type(self, function: Any, cls: Any, args: Any, state: Any) -> Tensor:
        """``torch._tensor._rebuild_from_type_v2``: a tensor of a subclass, or with attributes."""
        calls = (self.tensor, self.typed_tensor, self.parameter, self.sparse_tensor)
        call = function.call if type(function) is Global else function
        if call not in calls or type(args) is not tuple or not is_tensor_class(cls):
            raise CheckpointError("a tensor with attributes has parts of the wrong types")
        made = call(*args)
        if isinstance(cls, type) and not isinstance(made, cls):
            plain, made = made, wrap(made._array, made._kind, cls)
            made.requires_grad = plain.requires_grad
        return _with_state(made, state)

    def sparse_tensor(self, layout: Any, data: Any) -> Tensor:
        """``torch._utils._rebuild_sparse_tensor``, its indices checked."""
        from tensorcore import sparse

        if not isinstance(layout, Layout) or type(data) is not tuple or len(data) not in (3, 4):
            raise CheckpointError("a sparse tensor has parts of the wrong types")
        tensors = data[: 2 if layout is sparse_coo else 3]
        if not all(isinstance(part, Tensor) for part in tensors) or len(data) <= len(tensors):
            raise CheckpointError("a sparse tensor is not made of tensors")
        size = data[len(tensors)]
        if layout is sparse_coo:
            coalesced = bool(data[3]) if len(data) == 4 else None
            return sparse.sparse_coo_tensor(*tensors, size, check_invariants=True, is_coalesced=coalesced)
        lines, places, values = tensors
        return sparse.sparse_compressed_tensor(lines, places, values, size, layout=layout, check_invariants=True)

    # ---------------------------------------------------------------- what belongs to tensors

    def layout(self, name: Any) -> Layout:
        """``torch.serialization._get_layout``."""
        found = _LAYOUTS.get(name) if type(name) is str else None
        if found is None:
            raise CheckpointError(f"a layout called {name!r:.80} is not known")
        return found

    def generator(self, device: Any = None) -> Any:
        """``torch._C.Generator``, which the pickle gives its state."""
        from tensorcore.random import Generator

        if device is not None and type(device) is not Device:
            raise CheckpointError("a generator's device is no device")
        return Generator(device)


def _with_state(tensor: Tensor, state: Any) -> Tensor:
    """Give a tensor the attributes a user had set; its own are not a file's to set."""
    if state is None:
        return tensor
    # (attributes, slots), where a class has slots.
    parts = state if type(state) is tuple else (state,)
    for part in parts:
        if part is None:
            continue
        if type(part) is not dict or any(type(key) is not str for key in part):
            raise CheckpointError("a tensor's attributes are no dict of names")
        for key, value in part.items():
            if hasattr(type(tensor), key):
                raise CheckpointError(f"the file sets {key[:80]!r} of a tensor, which is the tensor's own")
            tensor.__dict__[key] = value
    return tensor


def _published(value: Any, seen: dict[int, Any]) -> Any:
    """``value`` with the storages in plain containers made public."""
    kind = type(value)
    if id(value) in seen:
        return seen[id(value)]
    if kind is Storage:
        seen[id(value)] = made = _public(value)
        return made
    if kind is tuple:
        return tuple(_published(each, seen) for each in value)
    if kind in (list, dict, OrderedDict):
        seen[id(value)] = value
        for key, each in list(enumerate(value) if kind is list else value.items()):
            value[key] = _published(each, seen)
    return value


def _public(storage: Storage) -> Any:
    from tensorcore.storage import TypedStorage, UntypedStorage

    dtype = storage.dtype or uint8
    row = storage.tensor(dtype, 0, (storage.size(),), (1,))
    made: Any = object.__new__(UntypedStorage if storage.dtype is None else TypedStorage)
    made._row = row
    return made
