"""Transport: batches from a worker process to its parent, the elements of tensors through shared memory.

A message is a pickle whose large tensors are replaced by places in a shared segment. Each batch under way has a
*slot*, and each slot a segment that is used again for the next batch in it, so that its pages are touched but once.
Where the backend can share host memory, the tensors of a batch lie in the segment itself, and the parent gives the slot
out again when they are gone. Hence nothing needs a lock, and a worker that dies leaves none held. A parent that keeps
many batches gets copies, so that shared memory holds only a few. Pickles that are large themselves go through the
segment too: what passes the pipe stays small, so a worker can run ahead of its parent.

Segments are mapped files in a directory of the parent, which removes it whatever became of the workers. It lies in
``/dev/shm`` where there is one; segments for which that has no room (64 MiB is usual in containers) lie in the
directory for temporary files. Their pages are reserved first, as a full file system would otherwise kill the process
that writes.
"""

from __future__ import annotations

import errno
import io
import mmap
import os
import pickle
import tempfile
import weakref
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Final

from tensorcore.shapes import contiguous_strides
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Inbox", "Outbox", "SharedDirectory"]

#: Bytes from which on elements, and pickles, go through shared memory.
_LARGE: Final = 2048
_ALIGNMENT: Final = 64
#: Bytes from which on the parent shares elements rather than copies them.
_WORTH_SHARING: Final = 65_536
#: Slots of a worker that may be shared with tensors of earlier batches.
_MOST_LENT: Final = 3
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
        except FileNotFoundError:
            raise ConnectionAbortedError(f"{self.first} is gone, and with it who reads from it") from None
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
        reason = os.strerror(error.errno or 0)
        raise OSError(error.errno, f"no room for {size} bytes of shared memory: {reason}", path) from None
    finally:
        os.close(descriptor)


def _attach(path: str) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR)
    try:
        return mmap.mmap(descriptor, 0)
    finally:
        os.close(descriptor)


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
        if not isinstance(obj, Tensor):
            return None
        if obj.grad_fn is not None:
            raise RuntimeError(
                "a tensor that requires gradients and is no leaf cannot go to another process, where its history is "
                "not; call detach() on it"
            )
        if type(obj) is not Tensor or obj.nbytes < _LARGE:
            return None
        kind = obj._kind
        data = memoryview(kind.backend.to_host(obj._array)).cast("B")
        place = self.set_aside(data)
        return (place, data.nbytes, tuple(obj._array.shape), kind.dtype, kind.device, obj.requires_grad)


class _Unpacker(pickle.Unpickler):
    """Reads such a pickle, with the elements shared or copied."""

    def __init__(self, file: io.BytesIO, memory: mmap.mmap | None, share: bool) -> None:
        super().__init__(file)
        self.memory = memory
        self.share = share
        self.blocks: list[weakref.ref[Any]] = []

    def persistent_load(self, pid: Any) -> Any:
        place, size, shape, dtype, device, requires_grad = pid
        assert self.memory is not None
        kind = device.kind(dtype)
        array = None
        if self.share and size >= _WORTH_SHARING:
            import ctypes

            # An object between the array and the map, whose end tells that the memory is free. A memoryview would not
            # do: NumPy's arrays pass over it and refer to the map.
            block = (ctypes.c_char * size).from_buffer(self.memory, place)
            strides = tuple(step * dtype.itemsize for step in contiguous_strides(shape))
            array = kind.backend.share_host(block, dtype, shape, strides)
            if array is not None:
                self.blocks.append(weakref.ref(block))
        if array is None:
            with memoryview(self.memory) as view:
                array = kind.backend.from_host(view[place : place + size], dtype, shape, device.ordinal)
        return wrap(array, kind).requires_grad_(requires_grad)


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
                os.unlink(path)
            self.made += 1
            # Batches vary a little in size: the next shall fit too.
            self.segments[slot] = self.directory.create(f"{self.name}-{self.made}", size + size // 4)
        return self.segments[slot]


class Inbox:
    """The parent's end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        #: The memory of slots by path.
        self.segments: dict[int, tuple[str, mmap.mmap]] = {}
        #: What tensors that were made in the memory of slots keep, for as long as they live.
        self.lent: dict[int, list[weakref.ref[Any]]] = {}

    def receive(self) -> tuple[int, int, int, Any]:
        """(epoch, task, slot, content) of the next message; an exception as content where unpickling raised it.

        Raises:
            EOFError, OSError: if the worker is gone.
        """
        epoch, task, slot, path, inline, place, size = self.connection.recv()
        unpacker = None
        try:
            memory = None if path is None else self._memory(slot, path)
            stream = inline if memory is None or inline is not None else memory[place : place + size]
            share = sum(map(self.is_lent, list(self.lent))) < _MOST_LENT
            unpacker = _Unpacker(io.BytesIO(stream), memory, share)
            return epoch, task, slot, unpacker.load()
        except Exception as error:
            return epoch, task, slot, error
        finally:
            if unpacker is not None and unpacker.blocks:
                self.lent[slot] = unpacker.blocks

    def is_lent(self, slot: int) -> bool:
        """Whether tensors still lie in the memory of ``slot``."""
        blocks = self.lent.get(slot)
        if blocks is None:
            return False
        if any(block() is not None for block in blocks):
            return True
        del self.lent[slot]
        return False

    def _memory(self, slot: int, path: str) -> mmap.mmap:
        known, memory = self.segments.get(slot, ("", None))
        if memory is None or known != path:
            memory = _attach(path)
            self.segments[slot] = (path, memory)
        return memory

    def close(self) -> None:
        """Let go of the pipe and the segments; a map ends with the last tensor in it."""
        self.connection.close()
        self.segments.clear()
        self.lent.clear()
