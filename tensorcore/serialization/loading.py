"""`load`: finds out what a file is and reads it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import IO, Any, Final

from tensorcore.devices import Device
from tensorcore.errors import ArgumentError, CheckpointError
from tensorcore.serialization.allowed_globals import AllowedGlobals
from tensorcore.serialization.files import LEGACY_MAGIC, describe_format, is_path, name_of
from tensorcore.serialization.locations import check_map_location, place
from tensorcore.serialization.options import current
from tensorcore.serialization.pickle_reader import PickleReader
from tensorcore.serialization.rebuilding import Rebuilder
from tensorcore.serialization.storages import Storage
from tensorcore.serialization.torch_zip import rebuilder_of
from tensorcore.serialization.zip_archive import ZipReader

__all__ = ["get_unsafe_globals_in_checkpoint", "load"]

#: The only modules of a pickle's kind whose reader is known to be needed for nothing.
_PLAIN: Final = ("pickle", "_pickle")


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

    Unless ``weights_only`` is false, nothing in the file is executed: tensors, containers, numbers and text are built,
    and any other class or function named in it is an error, unless `add_safe_globals` allows it. Files of all versions
    of PyTorch since 0.4 are read, and safetensors files.

    Args:
        f: a path, or a file object with ``read`` and ``seek``.
        map_location: a device for all tensors; a dict from saved to wanted devices; or a callable that gets a
            storage and the name of its device and returns the storage, moved where it is wanted, or ``None``.
        pickle_module: a module whose ``Unpickler`` reads the file; implies ``weights_only=False``.
        weights_only: ``False`` makes whatever the file asks for, running the code that it names: for files that you
            trust. Modules and other objects saved whole need it.
        mmap: map the file into memory instead of reading it; ``f`` must be a path. Elements are read from the disk when
            they are first looked at, and checksums are not verified.
        pickle_load_args: ``encoding`` of Python 2's strings; others for the ``Unpickler``.

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
        >>> tc.load(file, map_location="cpu")
        [tensor([0, 1, 2])]
    """
    if weights_only is None:
        weights_only = pickle_module is None
    if weights_only and pickle_module is not None and getattr(pickle_module, "__name__", "") not in _PLAIN:
        raise CheckpointError(
            f"load: weights_only=True runs nothing, so it takes no pickle_module, got {pickle_module!r}"
        )
    if pickle_module is not None and not hasattr(pickle_module, "Unpickler"):
        raise ArgumentError(f"load: pickle_module must be a module with an Unpickler, got {pickle_module!r}")
    check_map_location(map_location)
    known = ("encoding",) if weights_only else ("encoding", "errors", "fix_imports", "buffers")
    strange = [name for name in pickle_load_args if name not in known]
    if strange:
        raise TypeError(f"load: unexpected arguments {', '.join(map(repr, strange))}; known: {', '.join(known)}")
    reading = _Reading(map_location, weights_only, pickle_module, {"encoding": "utf-8", **pickle_load_args})
    if is_path(f):
        # A shared mapping writes to the file.
        with open(f, "r+b" if mmap and current.mapping == 1 else "rb") as file:
            return reading.read(file, name_of(f), bool(mmap))
    if mmap:
        raise ValueError(f"load: mmap needs a path, got {name_of(f)}")
    if not hasattr(f, "read"):
        raise TypeError(f"load: f must be a path or a file object with read and seek, got {type(f).__name__}")
    seekable = getattr(f, "seekable", None)
    whole = f if hasattr(f, "seek") and (seekable is None or seekable()) else io.BytesIO(f.read())
    return reading.read(whole, name_of(f), False)


class _Reading:
    """One call of `load`."""

    def __init__(self, map_location: Any, weights_only: bool, pickle_module: Any, arguments: dict[str, Any]) -> None:
        self.map_location = map_location
        self.weights_only = weights_only
        self.pickle_module = pickle_module
        self.arguments = arguments

    def read(self, file: IO[bytes], name: str, mapped: bool) -> Any:
        """The object in a file."""
        head = _head(file, name)
        if head[:4] == b"PK\3\4":
            archive = ZipReader(file, name, mapped)
            return self.made(name, bytes(archive.read("data.pkl")), rebuilder_of(archive, self.map_location))
        if head.startswith(LEGACY_MAGIC):
            if mapped:
                raise CheckpointError(f"{name}: PyTorch's format before version 1.6 cannot be mapped; leave mmap out")
            # With it come tables of opcodes, which new files do not need.
            from tensorcore.serialization.torch_legacy import LegacyFile

            old = LegacyFile(file, name)
            return self.made(name, old.pickle, old.rebuilder(self.map_location))
        if head[8:9] == b"{":
            from tensorcore.serialization.safetensors import read_tensors

            # The format keeps no devices.
            device = Device(None)
            if self.map_location is not None:
                device = place(Storage(bytes, 0, None, Device("cpu"), "little"), "cpu", self.map_location).device
            return read_tensors(file, name, device, mapped)
        begin = file.tell()
        size = file.seek(0, os.SEEK_END) - begin
        raise CheckpointError(
            f"{name}: expected PyTorch's format or safetensors, found {describe_format(head)} ({size} bytes); "
            "nothing was executed"
        )

    def made(self, name: str, data: bytes, rebuilder: Rebuilder) -> Any:
        """What a pickle makes with the tensors of a file."""
        allowed = AllowedGlobals(rebuilder.table())
        try:
            made = self.unpickled(data, allowed, rebuilder.storage)
        except CheckpointError as error:
            if rebuilder.callers_error is not None:
                raise rebuilder.callers_error from None
            raise type(error)(f"{name}: {error}") from error.__cause__
        return rebuilder.published(made)

    def unpickled(self, data: bytes, allowed: AllowedGlobals, storage: Callable[[Any], Any]) -> Any:
        """What a pickle makes."""
        if self.weights_only:
            return PickleReader(data, allowed.find, storage, allowed.trusts, self.arguments["encoding"]).load()
        from tensorcore.serialization.unpickling import unpickle

        return unpickle(data, allowed.own_names(), storage, self.pickle_module, **self.arguments)


def _head(file: IO[bytes], name: str) -> bytes:
    begin = file.tell()
    head = file.read(512)
    if not isinstance(head, bytes):
        raise TypeError(f"load: {name} gives text; open it in binary mode, 'rb'")
    file.seek(begin)
    return head


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The classes and functions that a file names and `load` would refuse; nothing is executed.

    Raises:
        CheckpointError: for a file that is damaged, truncated or in another format.

    Example:
        >>> import fractions, io
        >>> import tensorcore as tc
        >>> file = io.BytesIO()
        >>> tc.save(fractions.Fraction(1, 3), file)
        >>> file.seek(0)
        0
        >>> tc.serialization.get_unsafe_globals_in_checkpoint(file)
        ['fractions.Fraction']
    """
    from tensorcore.serialization.pickle_scan import scan

    if is_path(f):
        with open(f, "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    head = _head(f, name_of(f))
    if head[:4] == b"PK\3\4":
        data = bytes(ZipReader(f, name_of(f)).read("data.pkl"))
    elif head.startswith(LEGACY_MAGIC):
        from tensorcore.serialization.torch_legacy import LegacyFile

        data = LegacyFile(f, name_of(f)).pickle
    else:
        raise CheckpointError(f"{name_of(f)}: expected PyTorch's format, found {describe_format(head)}")
    table = AllowedGlobals(Rebuilder(lambda key, nbytes: bytes, None, "little").table()).table
    return [name for name in scan(io.BytesIO(data)).names if name not in table]
