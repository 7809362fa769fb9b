"""Transport: batches from a worker process to its parent, the elements of tensors through shared memory.

A message is a pickle whose large tensors are replaced by places in a shared segment. Each batch under way has a *slot*,
and each slot a segment that is used again for the next batch in it, so that its pages are touched but once. The parent
gives a slot out again only after it has copied the batch, hence nothing needs a lock, and a worker that dies leaves none
held. Pickles that are large themselves go through the segment too: what passes the pipe stays far below its capacity, so
a worker can run ahead of its parent.

Segments are mapped files in a directory of the parent, which removes it whatever became of the workers. It lies in
``/dev/shm`` where there is one, and segments for which that has no room (64 MiB is usual in containers) in the directory
for temporary files. Their pages are reserved first, as a full file system would otherwise kill the process that writes.
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import pickle
import tempfile
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Final

from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Inbox", "Outbox", "SharedDirectory"]

#: Bytes from which on elements, and pickles, go through shared memory.
_LARGE: Final = 2048
_ALIGNMENT: Final = 64
_MEMORY_FILES: Final = "/dev/shm"


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


@dataclass(frozen=True)
class SharedDirectory:
    """Where segments lie: a directory in memory, and one for what that has no room for."""

    first: str
    second: str

    @classmethod
    def make(cls) -> SharedDirectory:
        """A new directory, for this user only."""
        home = _MEMORY_FILES if os.access(_MEMORY_FILES, os.W_OK) else None
        first = tempfile.mkdtemp(prefix="tensorcore-", dir=home)
        return cls(first, os.path.join(tempfile.gettempdir(), os.path.basename(first)))

    def create(self, name: str, size: int) -> tuple[str, mmap.mmap]:
        """The path and the memory of a new segment.

        Raises:
            OSError: if there is no room for it.
        """
        try:
            return _create(os.path.join(self.first, name), size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.ENOMEM, errno.EDQUOT):
                raise
        os.makedirs(self.second, mode=0o700, exist_ok=True)
        return _create(os.path.join(self.second, name), size)

    def remove(self) -> None:
        """Remove the directory with all segments."""
        import shutil

        for path in {self.first, self.second}:
            shutil.rmtree(path, ignore_errors=True)


def _create(path: str, size: int) -> tuple[str, mmap.mmap]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.ftruncate(descriptor, size)
        return path, mmap.mmap(descriptor, size)
    except OSError as error:
        os.unlink(path)
        raise OSError(error.errno, f"no room for {size} bytes of shared memory: {os.strerror(error.errno or 0)}", path) from None
    finally:
        os.close(descriptor)


def _attach(path: str) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR)
    try:
        return mmap.mmap(descriptor, 0)
    finally:
        os.close(descriptor)


def _detach(memory: mmap.mmap) -> None:
    try:
        memory.close()
    except BufferError:
        # An engine still reads it; the mapping ends with its last reader.
        pass


class _Packer(ForkingPickler):
    """Pickles a message, setting the elements of large tensors aside."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.parts: list[tuple[int, memoryview]] = []
        self.size = 0

    def set_aside(self, part: memoryview) -> int:
        """Have ``part`` go through the segment; returns where in it."""
        place = self.size
        self.parts.append((place, part))
        self.size += _aligned(part.nbytes)
        return place

    def persistent_id(self, obj: Any) -> Any:
        # A tensor with a history is left to its own pickling, which refuses it.
        if type(obj) is not Tensor or obj.nbytes < _LARGE or obj.grad_fn is not None:
            return None
        kind = obj._kind
        data = memoryview(kind.backend.to_host(obj._array)).cast("B")
        place = self.set_aside(data)
        return (place, data.nbytes, tuple(obj._array.shape), kind.dtype, kind.device, obj.requires_grad)


class _Unpacker(pickle.Unpickler):
    """Reads such a pickle, copying the elements out of the segment."""

    def __init__(self, file: io.BytesIO, memory: memoryview) -> None:
        super().__init__(file)
        self.memory = memory

    def persistent_load(self, pid: Any) -> Any:
        place, size, shape, dtype, device, requires_grad = pid
        kind = device.kind(dtype)
        data = self.memory[place : place + size]
        tensor = wrap(kind.backend.from_host(data, dtype, shape, device.ordinal), kind)
        return tensor.requires_grad_(requires_grad)


class Outbox:
    """The worker's end."""

    def __init__(self, connection: Connection, directory: SharedDirectory, name: str) -> None:
        self.connection = connection
        self.directory = directory
        self.name = name
        self.made = 0
        self.segments: dict[int, tuple[str, mmap.mmap]] = {}

    def send(self, epoch: int, task: int, slot: int, content: Any) -> None:
        """Send ``content``, the result of ``task``, using ``slot``.

        Raises:
            Exception: whatever pickling raises, or OSError without room for it; nothing has been sent then.
        """
        file = io.BytesIO()
        packer = _Packer(file)
        packer.dump(content)
        stream = file.getbuffer()
        inline, place, path = None, 0, None
        if stream.nbytes > _LARGE:
            place = packer.set_aside(stream)
        else:
            inline = bytes(stream)
        if packer.size:
            path, memory = self._segment(slot, packer.size)
            for start, part in packer.parts:
                memory[start : start + part.nbytes] = part
        self.connection.send((epoch, task, slot, path, inline, place, stream.nbytes))

    def _segment(self, slot: int, size: int) -> tuple[str, mmap.mmap]:
        path, memory = self.segments.get(slot, ("", None))
        if memory is None or len(memory) < size:
            if memory is not None:
                del self.segments[slot]
                _detach(memory)
                os.unlink(path)
            self.made += 1
            # Batches vary a little in size: the next shall fit too.
            self.segments[slot] = self.directory.create(f"{self.name}-{self.made}", size + size // 4)
        return self.segments[slot]


class Inbox:
    """The parent's end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.segments: dict[int, tuple[str, mmap.mmap]] = {}

    def receive(self) -> tuple[int, int, int, Any]:
        """(epoch, task, slot, content) of the next message; an exception as content where unpickling raised it.

        Raises:
            EOFError, OSError: if the worker is gone.
        """
        epoch, task, slot, path, inline, place, size = self.connection.recv()
        try:
            with memoryview(b"" if path is None else self._memory(slot, path)) as memory:
                stream = memory[place : place + size] if inline is None else inline
                return epoch, task, slot, _Unpacker(io.BytesIO(stream), memory).load()
        except Exception as error:
            return epoch, task, slot, error

    def _memory(self, slot: int, path: str) -> mmap.mmap:
        known, memory = self.segments.get(slot, ("", None))
        if memory is None or known != path:
            if memory is not None:
                _detach(memory)
            memory = _attach(path)
            self.segments[slot] = (path, memory)
        return memory

    def close(self) -> None:
        """Let go of the pipe and the segments."""
        self.connection.close()
        for _, memory in self.segments.values():
            _detach(memory)
        self.segments.clear()
