"""Storages: the flat runs of elements in a file that tensors are views of.

Reading rebuilds tensors over one memory where the backend can; writing finds out which tensors share memory.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tensorcore.autograd.mode import no_grad
from tensorcore.devices import Device
from tensorcore.dtypes import DType, uint8
from tensorcore.errors import CheckpointError
from tensorcore.serialization.elements import (
    copy_strided,
    extent,
    host_bytes,
    native,
    swap_bytes,
    tensor_from_host,
)
from tensorcore.shapes import contiguous_strides
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from tensorcore.devices import Kind

__all__ = ["Storage", "StoragePlan"]


class Storage:
    """The elements of one storage of a file, put on a device when the first tensor asks for them.

    Args:
        read: gives the bytes, writable; called once.
        nbytes: how many they are.
        dtype: format of the elements; ``None`` for untyped bytes, which each tensor reads its own way.
        device: where tensors over it go.
        order: "little" or "big", the byte order in the file.
    """

    def __init__(self, read: Callable[[], Any], nbytes: int, dtype: DType | None, device: Device, order: str) -> None:
        self._read = read
        self._nbytes = nbytes
        self.dtype = dtype
        self.device = device
        self._order = order
        self._data: Any = None
        #: Whether a tensor has been made of it.
        self.used = False
        self._flat: dict[DType, Tensor] = {}

    # What a callable ``map_location`` uses of PyTorch's storages.

    def cpu(self) -> Storage:
        """This storage on the CPU."""
        return self.to(device="cpu")

    def cuda(self, device: Any = None) -> Storage:
        """This storage on a CUDA device."""
        return self.to(device=f"cuda:{device}" if isinstance(device, int) else device or "cuda")

    def to(self, *, device: Any) -> Storage:
        """This storage on another device; to be called before tensors are made of it."""
        self.device = Device(device)
        return self

    def part(self, first: int, count: int) -> Storage:
        """A run of elements as a storage of its own.

        Raises:
            CheckpointError: if it reaches beyond this one.
        """
        width = (self.dtype or uint8).itemsize
        if first < 0 or count < 0 or (first + count) * width > self._nbytes:
            raise CheckpointError(f"elements {first} to {first + count} of a storage that has {self.size()}")

        def read() -> Any:
            return memoryview(self._bytes(self.dtype or uint8))[first * width : (first + count) * width]

        # In this machine's order: what is read is.
        return Storage(read, count * width, self.dtype, self.device, sys.byteorder)

    def nbytes(self) -> int:
        """Number of bytes."""
        return self._nbytes

    def size(self) -> int:
        """Number of elements."""
        return self._nbytes // (self.dtype or uint8).itemsize

    def tensor(self, dtype: DType, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
        """The tensor of ``shape`` whose first element is number ``start``, with strides in elements.

        Raises:
            CheckpointError: if it reaches beyond the storage.
        """
        self.used = True
        numbers = (start, *shape, *strides)
        if any(type(x) is not int or not 0 <= x < 2**63 for x in numbers) or len(shape) != len(strides):
            raise CheckpointError("a tensor's offset, shape or strides are no non-negative integers that fit together")
        count = self._nbytes // dtype.itemsize
        last = start + extent(shape, strides)
        if last > count:
            raise CheckpointError(
                f"a tensor of shape {list(shape)}, strides {list(strides)} and offset {start} needs {last} elements of "
                f"{dtype}, its storage has {count}"
            )
        if 0 in shape:
            return tensor_from_host(b"", dtype, shape, self.device)
        kind = self.device.kind(dtype)
        for make in (self._shared, self._viewed):
            made = make(kind, start, shape, strides)
            if made is not None:
                return made
        return self._copied(kind, start, shape, strides)

    def _bytes(self, dtype: DType) -> Any:
        if self._data is None:
            self._data = self._read()
            if not native(self._order):
                self._data = swap_bytes(self._data, self.dtype or dtype)
        return self._data

    def _shared(self, kind: Kind, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor | None:
        """A tensor over the bytes that were read, where the backend computes in host memory."""
        if not (kind.mutable and kind.views):
            return None
        width = kind.dtype.itemsize
        piece = memoryview(self._bytes(kind.dtype))[start * width : (start + extent(shape, strides)) * width]
        array = kind.backend.share_host(piece, kind.dtype, shape, tuple(step * width for step in strides))
        return None if array is None else wrap(array, kind)

    def _viewed(self, kind: Kind, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor | None:
        """A view of the whole storage on the device, where the strides are those of a part of a row-major block."""
        if not kind.views:
            return None
        order = sorted(range(len(shape)), key=lambda dim: (-strides[dim], -shape[dim]))
        # A dimension of stride 0 repeats one element; the strides of dimensions of one element mean nothing.
        long = [dim for dim in order if shape[dim] > 1 and strides[dim]]
        sides, steps = [shape[dim] for dim in long], [strides[dim] for dim in long]
        count = self._nbytes // kind.dtype.itemsize
        found = _block(count, start, sides, steps)
        if found is None:
            return None
        origin, block, places = found
        flat = self._flat.get(kind.dtype)
        if flat is None:
            data = memoryview(self._bytes(kind.dtype))[: count * kind.dtype.itemsize]
            flat = self._flat[kind.dtype] = tensor_from_host(data, kind.dtype, (count,), self.device)
        with no_grad():
            view = flat.narrow(0, origin, math.prod(block)).reshape(block)
            for dim, (place, side) in enumerate(zip(places, [*sides, 1], strict=True)):
                view = view.narrow(dim, place, side)
            view = view.reshape([1 if dim not in long else shape[dim] for dim in order])
            view = view.permute(*(order.index(dim) for dim in range(len(shape)))).expand(*shape)
        # A tensor of its own that only happens to share memory, as in PyTorch.
        return wrap(view._array, kind)

    def _copied(self, kind: Kind, start: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Tensor:
        data, width = self._bytes(kind.dtype), kind.dtype.itemsize
        row_major = contiguous_strides(shape)
        size = extent(shape, row_major)
        if strides == row_major:
            piece: Any = memoryview(data)[start * width : (start + size) * width]
        else:
            whole = memoryview(data)[: len(data) - len(data) % width]
            piece = bytearray(size * width)
            copy_strided(piece, 0, row_major, whole, start, strides, shape, width)
        return tensor_from_host(piece, kind.dtype, shape, self.device)


def _block(
    count: int, start: int, sides: list[int], steps: list[int]
) -> tuple[int, tuple[int, ...], tuple[int, ...]] | None:
    """The row-major block out of which a strided part is cut: its origin, its shape, and where the part begins in it.

    ``sides`` and ``steps`` go from the largest step to the smallest. The block has one dimension more, over
    the elements that the smallest step skips. ``None`` where there is no such block among ``count`` elements.
    """
    if any(outer % inner for outer, inner in pairwise(steps)):
        return None
    inner = [outer // step for outer, step in pairwise(steps)] + steps[-1:]
    # From the first element on, as of a packed tensor; or from the storage's begin, as of columns of a matrix.
    for origin in (start, 0):
        places, rest = [], start - origin
        for step in steps:
            places.append(rest // step)
            rest %= step
        places.append(rest)
        rows = [(count - origin) // steps[0]] if steps else []
        block = (*rows, *(inner or [count - origin]))
        if all(place + side <= room for place, side, room in zip(places, [*sides, 1], block, strict=True)):
            return origin, block, tuple(places)
    return None


class Slot:
    """A tensor to be written, and where it will lie: filled in by `StoragePlan.settle`."""

    def __init__(self, tensor: Tensor, alone: bool = False) -> None:
        self.tensor = tensor
        #: Whether it stands for a storage that is saved by itself.
        self.alone = alone
        self.storage: PlannedStorage
        self.start = 0
        self.strides: tuple[int, ...] = ()


class PlannedStorage:
    """A storage to be written, and the tensors over it."""

    def __init__(self, dtype: DType, device: Device) -> None:
        self.dtype = dtype
        self.device = device
        self.key = ""
        self.count = 0
        #: (tensor in the order of its memory, its strides there, its place) to fill the storage from.
        self.sources: list[tuple[Tensor, tuple[int, ...], int]] = []

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        return self.count * self.dtype.itemsize

    def data(self) -> Any:
        """The bytes, in native order."""
        for tensor, _, start in self.sources:
            if start == 0 and tensor.numel() == self.count and tensor.is_contiguous():
                return host_bytes(tensor)
        width = self.dtype.itemsize
        data = bytearray(self.count * width)
        for tensor, strides, start in self.sources:
            shape = tuple(tensor.shape)
            copy_strided(data, start, strides, host_bytes(tensor), 0, contiguous_strides(shape), shape, width)
        return data


class StoragePlan:
    """Collects tensors and lays out storages, so that memory they share is written once.

    Which tensors share memory is told by their addresses, so it does not matter how they came to share it.
    A tensor that shares with none takes only its own elements, also when it is a small view of something large.
    """

    def __init__(self) -> None:
        self.slots: dict[tuple[int, bool], Slot] = {}
        self.storages: list[PlannedStorage] = []

    def add(self, tensor: Tensor, alone: bool = False) -> Slot:
        """The slot of ``tensor``, which is kept alive until the file is written."""
        slot = self.slots.get((id(tensor), alone))
        if slot is None:
            slot = self.slots[id(tensor), alone] = Slot(tensor, alone)
        return slot

    def settle(self) -> None:
        """Give each slot its storage, offset and strides."""
        placed: dict[tuple[Device, DType], list[tuple[int, int, Slot]]] = {}
        same: dict[tuple[int, DType], Slot] = {}
        for slot in self.slots.values():
            tensor = slot.tensor
            strides = tuple(tensor.stride())
            address = tensor.data_ptr()
            if tensor.numel() and address and min(strides, default=0) >= 0:
                end = address + extent(tensor.shape, strides) * tensor.itemsize
                placed.setdefault((tensor.device, tensor.dtype), []).append((address, end, slot))
                continue
            # No address to compare: only the very same array counts as shared. Negative strides are laid out anew.
            twin = same.setdefault((id(tensor._array), tensor.dtype), slot)
            slot.strides = contiguous_strides(tensor.shape)
            if twin is not slot:
                slot.storage = twin.storage
                continue
            self._open(slot, tensor, slot.strides, tensor.numel())
        for spans in placed.values():
            spans.sort(key=lambda span: (span[0], -span[1]))
            begin = 0
            while begin < len(spans):
                limit, end = begin + 1, spans[begin][1]
                while limit < len(spans) and spans[limit][0] < end:
                    end = max(end, spans[limit][1])
                    limit += 1
                self._share(spans[begin:limit], end)
                begin = limit
        # Keys in the order in which the tensors were met, as PyTorch numbers them.
        for slot in self.slots.values():
            if not slot.storage.key:
                slot.storage.key = str(len(self.storages))
                self.storages.append(slot.storage)

    def _open(self, slot: Slot, source: Tensor, strides: tuple[int, ...], count: int) -> None:
        slot.storage = PlannedStorage(slot.tensor.dtype, slot.tensor.device)
        slot.storage.count = count
        slot.storage.sources.append((source, strides, 0))

    def _share(self, spans: list[tuple[int, int, Slot]], end: int) -> None:
        """One storage for tensors whose memory overlaps; a lone one with gaps is packed."""
        begin, _, first = spans[0]
        if len(spans) == 1:
            source, strides = _in_memory_order(first.tensor)
            if source.is_contiguous():
                first.strides = tuple(first.tensor.stride())
            else:
                source = first.tensor
                first.strides = strides = contiguous_strides(source.shape)
            self._open(first, source, strides, source.numel())
            return
        width = first.tensor.itemsize
        if any((address - begin) % width for address, _, _ in spans):
            # Offset by parts of an element, which no storage can say: each on its own.
            for address, limit, slot in spans:
                self._share([(address, limit, slot)], limit)
            return
        storage = PlannedStorage(first.tensor.dtype, first.tensor.device)
        storage.count = (end - begin) // width
        for address, _, slot in spans:
            slot.storage = storage
            slot.start = (address - begin) // width
            slot.strides = tuple(slot.tensor.stride())
            storage.sources.append((*_in_memory_order(slot.tensor), slot.start))


def _in_memory_order(tensor: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """A view of each element once, dimensions from the largest stride to the smallest, and its strides."""
    with no_grad():
        for dim, (side, step) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
            if side > 1 and step == 0:
                tensor = tensor.narrow(dim, 0, 1)
        strides = tensor.stride()
        order = sorted(range(tensor.dim()), key=lambda dim: (-strides[dim], -tensor.shape[dim]))
        return tensor.permute(*order), tuple(strides[dim] for dim in order)
