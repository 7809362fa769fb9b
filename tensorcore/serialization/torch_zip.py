"""PyTorch's files: `save` and `load`, without PyTorch.

A file is a zip archive: ``data.pkl``, a pickle in which tensors stand as calls of
``torch._utils._rebuild_tensor_v2`` on storages; ``data/N``, the elements of storage N; ``byteorder``; ``version``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import IO, Any, Final

from tensorcore.devices import Device
from tensorcore.dtypes import DType, uint8
from tensorcore.errors import CheckpointError, DeviceError
from tensorcore.serialization.allowed_globals import AllowedGlobals, StorageType, is_tensor_class, storage_of
from tensorcore.serialization.files import atomic_write, describe_format, is_path, name_of
from tensorcore.serialization.pickle_reader import Global, PickleReader
from tensorcore.serialization.storages import Storage, StoragePlan
from tensorcore.serialization.zip_archive import ZipReader, ZipWriter
from tensorcore.tensor import Tensor, wrap

__all__ = ["load", "save"]

#: Entry of the archive with the devices PyTorch does not know, by storage key; PyTorch ignores it.
_DEVICES: Final = ".data/devices"
#: PyTorch refuses versions that it does not know; this one dates from 2020 and is what it writes.
_VERSION: Final = b"3\n"


def save(
    obj: object,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Save an object with tensors in it to a file that `load` and ``torch.load`` read.

    ``f`` is a path or an object with ``write``. A file is written beside the path and takes its name when it is whole.
    Tensors that share memory are written once and share it again when loaded. Files are of pickle protocol 2 whatever
    ``pickle_protocol`` says, as PyTorch's reader asks.

    Raises:
        TypeError: for an object that cannot be pickled.
        CheckpointError: if the folder does not exist.

    Example:
        >>> import io
        >>> import tensorcore as tc
        >>> file = io.BytesIO()
        >>> tc.save({"weight": tc.ones(2), "step": 7}, file)
        >>> file.seek(0)
        0
        >>> tc.load(file)
        {'weight': tensor([1., 1.]), 'step': 7}
    """
    if getattr(pickle_module, "__name__", "pickle") != "pickle":
        raise ValueError(f"save: files are written without pickle; pickle_module={pickle_module!r} is not supported")
    if not _use_new_zipfile_serialization:
        raise ValueError("save: PyTorch's format before version 1.6 is not written; leave the zip format on")
    if not is_path(f) and not hasattr(f, "write"):
        raise TypeError(f"save: f must be a path or have a write method, got {type(f).__name__}")
    # The pickle first: what cannot be saved is told before a file is begun.
    plan = StoragePlan()
    data = _pickled(obj, plan)
    order = b"" if _disable_byteorder_record else sys.byteorder.encode()
    if is_path(f):
        with atomic_write(f, "save") as file:
            _write(file, data, plan, order)
    else:
        _write(f, data, plan, order)
        if hasattr(f, "flush"):
            f.flush()


def _pickled(obj: object, plan: StoragePlan) -> bytes:
    from tensorcore.serialization.pickle_writer import PickleWriter

    try:
        return PickleWriter(plan).dump(obj)
    except RecursionError:
        raise RecursionError("save: the object is nested too deeply, beyond sys.getrecursionlimit()") from None


def _write(file: Any, data: bytes, plan: StoragePlan, order: bytes) -> None:
    archive = ZipWriter(file, "archive")
    archive.add("data.pkl", data)
    if order:
        archive.add("byteorder", order)
    for storage in plan.storages:
        archive.add(f"data/{storage.key}", storage.data())
    archive.add("version", _VERSION)
    foreign = {each.key: str(each.device) for each in plan.storages if each.device.type not in ("cpu", "cuda")}
    if foreign:
        import json

        archive.add(_DEVICES, json.dumps(foreign).encode())
    archive.close()


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """What `save`, ``torch.save`` or ``save_file`` wrote, its tensors where they were or where ``map_location`` says.

    Nothing in the file is executed: tensors, containers, numbers and text are built, and any other class or
    function named in it is an error, unless `add_safe_globals` allows it.

    Args:
        f: a path, or a file object with ``read`` and ``seek``.
        map_location: a device for all tensors; a dict from saved to wanted devices; or a callable that gets a
            storage and the name of its device and returns the storage, moved where it is wanted, or ``None``.
        pickle_module: accepted for PyTorch's sake; must be ``pickle`` or ``None``.
        weights_only: accepted for PyTorch's sake; files are read the same way, executing nothing, whatever it is.
        mmap: map the file into memory instead of reading it; ``f`` must be a path. Checksums are not verified then.

    Raises:
        CheckpointError: for a file that is damaged, truncated, in another format, or names what is not allowed.
        DeviceError: for a saved device that is not there.

    Example:
        >>> import io
        >>> import tensorcore as tc
        >>> file = io.BytesIO()
        >>> tc.save([tc.arange(3)], file)
        >>> file.seek(0)
        0
        >>> tc.load(file, map_location="cpu", weights_only=True)
        [tensor([0, 1, 2])]
    """
    if getattr(pickle_module, "__name__", "pickle") != "pickle":
        raise ValueError(f"load: files are read without pickle; pickle_module={pickle_module!r} is not supported")
    if not (map_location is None or isinstance(map_location, str | Device | dict) or callable(map_location)):
        raise TypeError(f"load: map_location must be a device, a dict or a callable, got {type(map_location).__name__}")
    encoding = pickle_load_args.pop("encoding", "utf-8")
    if pickle_load_args:
        raise TypeError(f"load: unexpected arguments {', '.join(map(repr, pickle_load_args))}; encoding= is understood")
    if is_path(f):
        with open(f, "rb") as file:
            return _load(file, name_of(f), map_location, bool(mmap), encoding)
    if mmap:
        raise ValueError(f"load: mmap needs a path, got {name_of(f)}")
    if not hasattr(f, "read"):
        raise TypeError(f"load: f must be a path or a file object with read and seek, got {type(f).__name__}")
    seekable = getattr(f, "seekable", None)
    whole = f if hasattr(f, "seek") and (seekable is None or seekable()) else io.BytesIO(f.read())
    return _load(whole, name_of(f), map_location, False, encoding)


def _load(file: IO[bytes], name: str, map_location: Any, mapped: bool, encoding: str) -> Any:
    begin = file.tell()
    head = file.read(512)
    if not isinstance(head, bytes):
        raise TypeError(f"load: {name} gives text; open it in binary mode, 'rb'")
    file.seek(begin)
    if head[:4] == b"PK\3\4":
        return _Checkpoint(ZipReader(file, name, mapped), map_location, encoding).load()
    if head[8:9] == b"{":
        from tensorcore.serialization.safetensors import read_tensors

        # The format keeps no devices.
        return read_tensors(file, name, Device(None) if map_location is None else _target(map_location, "cpu"))
    hint = ""
    if head[:1] == b"\x80" and describe_format(head).startswith("a PyTorch file"):
        hint = "; load it in PyTorch and save it again"
    file.seek(0, os.SEEK_END)
    raise CheckpointError(
        f"{name}: expected PyTorch's zip format or safetensors, found {describe_format(head)}{hint} "
        f"({file.tell() - begin} bytes); nothing was executed"
    )


def _target(map_location: Any, location: str) -> Device:
    """The device for what was saved on ``location``, where ``map_location`` is no callable."""
    if isinstance(map_location, dict):
        known = {str(key): value for key, value in map_location.items()}
        map_location = known.get(location)
    elif callable(map_location):
        map_location = None
    if map_location is not None:
        return Device(map_location)
    try:
        return Device(location)
    except DeviceError as error:
        hint = "map_location='cpu' puts it elsewhere"
        raise type(error)(f"load: a tensor was saved on {location!r}: {error}; {hint}") from None


class _Checkpoint:
    """One archive being read."""

    def __init__(self, archive: ZipReader, map_location: Any, encoding: str) -> None:
        self.archive = archive
        self.map_location = map_location
        self.encoding = encoding
        self.order = bytes(archive.read("byteorder")).decode("ascii", "replace") if "byteorder" in archive else "little"
        if self.order not in ("little", "big"):
            raise CheckpointError(f"{archive.name}: byte order is 'little' or 'big', found {self.order[:20]!r}")
        self.storages: dict[str, Storage] = {}
        self.callers_error: Exception | None = None
        self.devices = self._foreign_devices()

    def _foreign_devices(self) -> dict[str, str]:
        if _DEVICES not in self.archive:
            return {}
        import json

        try:
            found = json.loads(bytes(self.archive.read(_DEVICES)))
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{self.archive.name}: the entry {_DEVICES} is no JSON: {error}") from None
        if type(found) is not dict or any(type(value) is not str for value in found.values()):
            raise CheckpointError(f"{self.archive.name}: the entry {_DEVICES} maps storages to no devices")
        return found

    def load(self) -> Any:
        rebuild: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": self.rebuild_tensor,
            "torch._utils._rebuild_tensor_v2": self.rebuild_tensor,
            "torch._utils._rebuild_tensor_v3": self.rebuild_typed_tensor,
            "torch._utils._rebuild_parameter": self.rebuild_parameter,
            "torch._utils._rebuild_parameter_with_state": self.rebuild_parameter,
            "torch._utils._rebuild_device_tensor_from_cpu_tensor": self.rebuild_on_device,
            "torch._tensor._rebuild_from_type_v2": self.rebuild_from_type,
        }
        allowed = AllowedGlobals(rebuild)
        data = bytes(self.archive.read("data.pkl"))
        reader = PickleReader(data, allowed.find, self.storage, allowed.trusts, self.encoding)
        try:
            return reader.load()
        except CheckpointError as error:
            if self.callers_error is not None:
                raise self.callers_error from None
            raise CheckpointError(f"{self.archive.name}: {error}") from error.__cause__

    def storage(self, saved_id: Any) -> Storage:
        """The storage of a persistent id ``("storage", class, key, location, number of elements)``."""
        if type(saved_id) is not tuple or len(saved_id) != 5 or saved_id[0] != "storage":
            raise CheckpointError("a persistent id is no ('storage', class, key, location, size)")
        _, kind, key, location, count = saved_id
        if type(kind) is not StorageType or type(key) is not str or type(location) is not str or type(count) is not int:
            raise CheckpointError("a persistent id has parts of the wrong types")
        found = self.storages.get(key)
        if found is not None:
            if found.dtype is not kind.dtype:
                raise CheckpointError(f"storage {key[:80]!r} is used with two dtypes, {found.dtype} and {kind.dtype}")
            return found
        entry = f"data/{key}"
        nbytes = count * (kind.dtype or uint8).itemsize
        if self.archive.length(entry) != nbytes:
            raise CheckpointError(
                f"storage {key[:80]!r} should take {nbytes} bytes, its entry has {self.archive.length(entry)}"
            )
        location = self.devices.get(key, location)
        device = Device("cpu") if callable(self.map_location) else _target(self.map_location, location)
        made = Storage(lambda: self.archive.read(entry), nbytes, kind.dtype, device, self.order)
        if callable(self.map_location):
            made = self._moved(made, location)
        self.storages[key] = made
        return made

    def _moved(self, made: Storage, location: str) -> Storage:
        try:
            moved = self.map_location(made, location)
            if moved is None:
                made.device = _target(None, location)
                return made
            if not isinstance(moved, Storage):
                raise TypeError(f"load: map_location returned a {type(moved).__name__}, expected the storage or None")
            return moved
        except Exception as error:
            # The caller's own code failed, not the file.
            self.callers_error = error
            raise

    # ---------------------------------------------------------------- what the pickle may call

    def rebuild_tensor(
        self, storage: Any, start: Any, shape: Any, strides: Any, requires_grad: Any = False, hooks: Any = None,
        metadata: Any = None,
    ) -> Tensor:  # fmt: skip
        """``torch._utils._rebuild_tensor_v2``; hooks are empty in all files."""
        dtype = storage_of(storage).dtype
        if dtype is None:
            raise CheckpointError("a tensor without a dtype lies in an untyped storage")
        return self._rebuild(storage, dtype, start, shape, strides, requires_grad, metadata)

    def rebuild_typed_tensor(
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

    def rebuild_parameter(self, data: Any, requires_grad: Any, hooks: Any = None, state: Any = None) -> Tensor:
        """``torch._utils._rebuild_parameter`` and the form with attributes."""
        from tensorcore.nn.parameter import Parameter

        if not isinstance(data, Tensor):
            raise CheckpointError(f"a parameter is made of a {type(data).__name__}")
        return self._with_state(Parameter(data, bool(requires_grad)), state)

    def rebuild_on_device(self, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Tensor:
        """``torch._utils._rebuild_device_tensor_from_cpu_tensor``, for devices without storages."""
        if not isinstance(data, Tensor) or type(dtype) is not DType or type(device) is not str:
            raise CheckpointError("a tensor of another device has parts of the wrong types")
        made = data.detach().to(_target(self.map_location, device), dtype)
        made.requires_grad = bool(requires_grad)
        return made

    def rebuild_from_type(self, function: Any, cls: Any, args: Any, state: Any) -> Tensor:
        """``torch._tensor._rebuild_from_type_v2``: a tensor of a subclass, or with attributes."""
        calls: dict[str, Callable[..., Tensor]] = {
            "torch._utils._rebuild_tensor_v2": self.rebuild_tensor,
            "torch._utils._rebuild_tensor_v3": self.rebuild_typed_tensor,
            "torch._utils._rebuild_parameter": self.rebuild_parameter,
        }
        call = calls.get(function.name) if type(function) is Global else None
        if call is None or type(args) is not tuple or not is_tensor_class(cls):
            raise CheckpointError("a tensor with attributes has parts of the wrong types")
        made = call(*args)
        if isinstance(cls, type) and type(made) is not cls:
            plain, made = made, wrap(made._array, made._kind, cls)
            made.requires_grad = plain.requires_grad
        return self._with_state(made, state)

    def _with_state(self, tensor: Tensor, state: Any) -> Tensor:
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
