"""PyTorch's files since version 1.6, without PyTorch: writing them, and the parts that reading needs.

A file is a zip archive: ``data.pkl``, a pickle in which tensors stand as calls of
``torch._utils._rebuild_tensor_v2`` on storages; ``data/N``, the elements of storage N; ``byteorder``; ``version``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from tensorcore.errors import CheckpointError
from tensorcore.serialization import options
from tensorcore.serialization.files import atomic_write, is_path
from tensorcore.serialization.locations import saved_location
from tensorcore.serialization.rebuilding import Rebuilder
from tensorcore.serialization.storages import StoragePlan
from tensorcore.serialization.zip_archive import ZipReader, ZipWriter

__all__ = ["rebuilder_of", "save"]

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
    archive = ZipWriter(file, "archive", checksums=options.current.checksums)
    archive.add("data.pkl", data)
    if order:
        archive.add("byteorder", order)
    for storage in plan.storages:
        if options.current.skipping:
            archive.skip(f"data/{storage.key}", storage.nbytes)
        else:
            archive.add(f"data/{storage.key}", storage.data())
    archive.add("version", _VERSION)
    foreign = {
        each.key: str(each.device)
        for each in plan.storages
        if each.device.type not in ("cpu", "cuda") and saved_location(each) == "cpu"
    }
    if foreign:
        import json

        archive.add(_DEVICES, json.dumps(foreign).encode())
    archive.close()


def rebuilder_of(archive: ZipReader, map_location: Any) -> Rebuilder:
    """What makes the tensors of an archive."""
    order = options.unsaid_order()
    if "byteorder" in archive:
        order = bytes(archive.read("byteorder")).decode("ascii", "replace")
    if order not in ("little", "big"):
        raise CheckpointError(f"{archive.name}: byte order is 'little' or 'big', found {order[:20]!r}")

    def source(key: str, nbytes: int) -> Callable[[], Any]:
        entry = f"data/{key}"
        if archive.length(entry) != nbytes:
            raise CheckpointError(
                f"storage {key[:80]!r} should take {nbytes} bytes, its entry has {archive.length(entry)}"
            )
        return lambda: archive.read(entry)

    return Rebuilder(source, map_location, order, _foreign_devices(archive))


def _foreign_devices(archive: ZipReader) -> dict[str, str]:
    if _DEVICES not in archive:
        return {}
    import json

    try:
        found = json.loads(bytes(archive.read(_DEVICES)))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{archive.name}: the entry {_DEVICES} is no JSON: {error}") from None
    if type(found) is not dict or any(type(value) is not str for value in found.values()):
        raise CheckpointError(f"{archive.name}: the entry {_DEVICES} maps storages to no devices")
    return found
