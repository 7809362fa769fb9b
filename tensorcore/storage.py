"""Storages: the memory that a tensor and its views share, as bytes and as elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.dtypes import DType, get_default_dtype, uint8
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor, root_of, wrap

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "BFloat16Storage", "BoolStorage", "ByteStorage", "CharStorage", "ComplexDoubleStorage", "ComplexFloatStorage",
    "DoubleStorage", "FloatStorage", "HalfStorage", "IntStorage", "LongStorage", "ShortStorage", "Storage",
    "TypedStorage", "UntypedStorage", "is_storage",
]  # fmt: skip


def memory_of(tensor: Tensor) -> Tensor:
    """All elements of the memory that ``tensor`` shares, from the first, as a 1-d tensor over it."""
    from tensorcore.ops.conversion import severed
    from tensorcore.ops.strided import as_strided, lowest, reach

    root = root_of(tensor).detach()
    shape, own = tuple(root._array.shape), root.stride()
    first = lowest(shape, own)
    seen = as_strided.emit(root, size=(reach(shape, own) - first,), stride=(1,), shift=first, own=own)
    whole = wrap(seen._array, seen._kind)
    # Writes are counted, and on immutable devices brought, to the tensor whose memory it is.
    whole._view = (root, as_strided, seen._view[2]) if seen._view is not None else (root, severed, {})
    return whole


class _Memory:
    """What both kinds of storage are: a row of elements over the memory of tensors."""

    _row: Tensor

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._row.device

    @property
    def is_cuda(self) -> bool:
        """Whether the device is called ``cuda``."""
        return self._row.is_cuda

    is_sparse = False
    is_sparse_csr = False
    is_hpu = False
    #: The file that the memory is mapped from: none.
    filename = None

    def nbytes(self) -> int:
        """Bytes of the memory."""
        return self._row.nbytes

    def size(self) -> int:
        """Number of elements."""
        return self._row.numel()

    __len__ = size

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._row.itemsize

    def data_ptr(self) -> int:
        """Address of the first byte; 0 where the engine does not tell."""
        return self._row.data_ptr()

    def get_device(self) -> int:
        """Index of the device, or -1 on the CPU."""
        return self._row.get_device()

    def is_pinned(self, device: Any = None) -> bool:
        """Whether it is page-locked host memory."""
        return self._row.is_pinned()

    def is_shared(self) -> bool:
        """Whether the memory is shared between processes."""
        return False

    def share_memory_(self) -> Self:
        """The storage itself; a data loader's workers pass tensors through shared memory of their own."""
        return self

    def resizable(self) -> bool:
        """Whether `resize_` can change the size: never, tensors hold the memory as it is."""
        return False

    def resize_(self, size: int) -> Self:
        """The storage itself if it has this size; memory under tensors cannot grow or shrink.

        Raises:
            RuntimeError: for another size; `Tensor.resize_` gives a tensor other memory.
        """
        if size != self.size():
            raise RuntimeError(
                f"resize_: a storage of {self.size()} elements cannot be resized to {size}, as tensors hold its "
                "memory; use Tensor.resize_"
            )
        return self

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return list(self._row.tolist())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def fill_(self, value: Any) -> Self:
        """Set every element to ``value``."""
        self._row.fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> Self:
        """Copy the elements of another storage, of the same size."""
        if len(source) != self.size():
            raise ShapeError(f"copy_: a storage of {len(source)} elements does not fit into one of {self.size()}")
        self._row.copy_(source._row)
        return self

    def __copy__(self) -> Self:
        return self.clone()

    def clone(self) -> Self:
        """A copy of the memory."""
        return self._over(self._row.clone())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return memo.setdefault(id(self), self.clone())

    def cpu(self) -> Self:
        """The storage on the device ``cpu``."""
        return self._over(self._row.cpu())

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Self:
        """The storage on the device ``cuda``."""
        return self._over(self._row.cuda(device, non_blocking))

    def to(self, *, device: Any, non_blocking: bool = False) -> Self:
        """The storage on another device."""
        return self._over(self._row.to(device=device))

    def pin_memory(self, device: Any = None) -> Self:
        """A copy in page-locked host memory, as `Tensor.pin_memory` makes it."""
        return self._over(self._row.pin_memory(device))

    def _over(self, row: Tensor) -> Self:
        made = object.__new__(type(self))
        made._row = row
        return made

    def new(self) -> Self:
        """An empty storage of the same sort."""
        return self._over(self._row.new_empty(0))

    def _as(self, dtype: DType) -> TypedStorage:
        made = object.__new__(TypedStorage)
        made._row = self._row.to(dtype)
        return made

    def float(self) -> TypedStorage:
        """The elements converted to float32."""
        return self._as(dtypes.float32)

    def double(self) -> TypedStorage:
        """The elements converted to float64."""
        return self._as(dtypes.float64)

    def half(self) -> TypedStorage:
        """The elements converted to float16."""
        return self._as(dtypes.float16)

    def bfloat16(self) -> TypedStorage:
        """The elements converted to bfloat16."""
        return self._as(dtypes.bfloat16)

    def byte(self) -> TypedStorage:
        """The elements converted to uint8."""
        return self._as(dtypes.uint8)

    def char(self) -> TypedStorage:
        """The elements converted to int8."""
        return self._as(dtypes.int8)

    def short(self) -> TypedStorage:
        """The elements converted to int16."""
        return self._as(dtypes.int16)

    def int(self) -> TypedStorage:
        """The elements converted to int32."""
        return self._as(dtypes.int32)

    def long(self) -> TypedStorage:
        """The elements converted to int64."""
        return self._as(dtypes.int64)

    def bool(self) -> TypedStorage:
        """The elements converted to bool_."""
        return self._as(dtypes.bool_)

    def complex_float(self) -> TypedStorage:
        """The elements converted to complex64."""
        return self._as(dtypes.complex64)

    def complex_double(self) -> TypedStorage:
        """The elements converted to complex128."""
        return self._as(dtypes.complex128)

    def __str__(self) -> str:
        elements = "\n ".join(map(str, self.tolist()))
        return f" {elements}\n{self._described()}"

    __repr__ = __str__

    def _described(self) -> str:
        raise NotImplementedError


class UntypedStorage(_Memory):
    """The bytes of memory that tensors share: ``x.untyped_storage()``, or new ones, zeros: ``UntypedStorage(8)``.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([1, 2], dtype=tc.uint8)
        >>> x.untyped_storage()[1] = 7
        >>> x
        tensor([1, 7], dtype=tensorcore.uint8)
    """

    def __init__(self, size: Any = 0, *, device: Any = None) -> None:
        from tensorcore.ops.creation import tensor, zeros

        made = zeros(size, dtype=uint8, device=device) if hasattr(size, "__index__") else None
        self._row = tensor(list(size), dtype=uint8, device=device) if made is None else made

    @classmethod
    def of(cls, tensor: Tensor) -> UntypedStorage:
        """The storage of a tensor."""
        made = object.__new__(cls)
        made._row = _read(memory_of(tensor), uint8)
        return made

    def untyped(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._over(self._row[index])
        return self._row[_checked(index, self.size())].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._row[index if isinstance(index, slice) else _checked(index, self.size())] = value

    def byteswap(self, dtype: DType) -> None:
        """Reverse the bytes of each element of ``dtype``, of complex numbers those of each part."""
        width = dtype.itemsize // (2 if dtype.is_complex else 1)
        if width > 1:
            self._row.copy_(self._row.reshape(-1, width).flip(1).reshape(-1))

    def type(self, dtype: str | None = None) -> str:
        """The name of the class."""
        return "tensorcore.storage.UntypedStorage"

    @classmethod
    def from_buffer(cls, buffer: Any, byte_order: str = "native", *, dtype: DType = uint8) -> UntypedStorage:
        """The bytes of a bytes-like object, as they are."""
        from tensorcore.ops.creation import frombuffer

        made = object.__new__(cls)
        made._row = frombuffer(bytes(buffer), dtype=uint8)
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and _same(self._row, other._row)

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.nbytes()))

    def _described(self) -> str:
        return f"[tensorcore.storage.UntypedStorage(device={self.device}) of size {len(self)}]"


class TypedStorage(_Memory):
    """The elements of memory that tensors share: ``x.storage()``.

    PyTorch names it the old way, and gives a warning; `UntypedStorage` is the new one.
    """

    def __init__(
        self, *args: Any, wrap_storage: UntypedStorage | None = None, dtype: DType | None = None, device: Any = None,
    ) -> None:  # fmt: skip
        from tensorcore.ops.creation import tensor, zeros

        dtype = dtype or type(self)._element or get_default_dtype()
        if wrap_storage is not None:
            self._row = _read(wrap_storage._row, dtype)
        elif args and isinstance(args[0], Sequence):
            self._row = tensor(list(args[0]), dtype=dtype, device=device)
        else:
            self._row = zeros(args[0] if args else 0, dtype=dtype, device=device)

    #: The dtype of the old classes, such as FloatStorage.
    _element: DType | None = None

    @classmethod
    def of(cls, tensor: Tensor) -> TypedStorage:
        """The storage of a tensor."""
        made = object.__new__(cls)
        made._row = memory_of(tensor)
        if made._row.dtype is not tensor.dtype:
            made._row = _read(made._row, tensor.dtype)
        return made

    @property
    def dtype(self) -> DType:
        """Format of the elements."""
        return self._row.dtype

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage.of(self._row)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("TypedStorage: slices are of untyped storages; use .untyped()[...] or a tensor")
        return self._row[_checked(index, self.size())].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._row[index if isinstance(index, slice) else _checked(index, self.size())] = value

    def type(self, dtype: DType | None = None) -> Any:
        """The name of the old class; given a dtype, a copy converted to it."""
        return f"tensorcore.{self.pickle_storage_type()}" if dtype is None else self._as(dtype)

    def pickle_storage_type(self) -> str:
        """The name of the old class, such as ``FloatStorage``."""
        return storage_type(self.dtype).__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedStorage) and self.dtype is other.dtype and _same(self._row, other._row)

    def __hash__(self) -> int:
        return hash((self.data_ptr(), self.nbytes()))

    def _described(self) -> str:
        return f"[tensorcore.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


def _same(a: Tensor, b: Tensor) -> bool:
    return root_of(a) is root_of(b) or (a.data_ptr() == b.data_ptr() != 0 and a.nbytes == b.nbytes)


def _checked(index: Any, size: int) -> int:
    place = index.__index__()
    if not -size <= place < size:
        raise IndexError(f"storage: index {place} is out of range for {size} elements")
    return place


def _read(row: Tensor, dtype: DType) -> Tensor:
    """The memory of a 1-d tensor as another dtype, as far as whole elements go."""
    from tensorcore.ops.conversion import reinterpret

    if dtype is row.dtype:
        return row
    whole = row.nbytes // dtype.itemsize * dtype.itemsize // row.itemsize
    return reinterpret(row[:whole] if whole < row.numel() else row, dtype)


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is a storage.

    Example:
        >>> import tensorcore as tc
        >>> tc.is_storage(tc.zeros(1)), tc.is_storage(tc.zeros(1).untyped_storage())
        (False, True)
    """
    return isinstance(obj, _Memory)


class _OldStorage(type):
    """The class of the old classes: storages of their dtype count as instances."""

    dtype: DType

    def __new__(cls, name: str, dtype: DType) -> _OldStorage:
        made = super().__new__(cls, name, (TypedStorage,), {"_element": dtype, "__doc__": f"Storages of {dtype.name}."})
        made.__module__ = "tensorcore"
        return made

    def __init__(cls, name: str, dtype: DType) -> None:
        super().__init__(name, (), {})

    def __call__(cls, *args: Any, **kwargs: Any) -> TypedStorage:
        return TypedStorage(*args, dtype=cls._element, **kwargs)  # type: ignore[attr-defined]

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls._element  # type: ignore[attr-defined]


FloatStorage = Storage = _OldStorage("FloatStorage", dtypes.float32)
DoubleStorage = _OldStorage("DoubleStorage", dtypes.float64)
HalfStorage = _OldStorage("HalfStorage", dtypes.float16)
BFloat16Storage = _OldStorage("BFloat16Storage", dtypes.bfloat16)
ByteStorage = _OldStorage("ByteStorage", dtypes.uint8)
CharStorage = _OldStorage("CharStorage", dtypes.int8)
ShortStorage = _OldStorage("ShortStorage", dtypes.int16)
IntStorage = _OldStorage("IntStorage", dtypes.int32)
LongStorage = _OldStorage("LongStorage", dtypes.int64)
BoolStorage = _OldStorage("BoolStorage", dtypes.bool_)
ComplexFloatStorage = _OldStorage("ComplexFloatStorage", dtypes.complex64)
ComplexDoubleStorage = _OldStorage("ComplexDoubleStorage", dtypes.complex128)
_OLD = (
    FloatStorage, DoubleStorage, HalfStorage, BFloat16Storage, ByteStorage, CharStorage, ShortStorage, IntStorage,
    LongStorage, BoolStorage, ComplexFloatStorage, ComplexDoubleStorage,
)  # fmt: skip


def storage_type(dtype: DType) -> Any:
    """The old class of storages of ``dtype``; `TypedStorage` for dtypes that have none."""
    return next((each for each in _OLD if each._element is dtype), TypedStorage)  # type: ignore[attr-defined]
