"""What a backend is: conversions with the host, capabilities, and kernels found by the op's name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from tensorcore.dtypes import ALL, DType
from tensorcore.shapes import contiguous_strides

if TYPE_CHECKING:
    from tensorcore.compile.graph import Graph, Program
    from tensorcore.random.ticket import Ticket

#: The version of the contract this core speaks; it accepts plugins of this one and the one before.
CONTRACT_VERSION = 1

#: What each version asks of a backend written for the one before; ``docs/guides/write-a-backend.md`` lists the same.
CONTRACT_CHANGES: dict[int, str] = {
    1: "the first published version; before it, nothing was promised",
}

#: A native array of some backend. It has a ``shape`` (a tuple of ints) and is otherwise opaque.
Array = Any

#: ``kernel(*arrays, **attributes) -> array`` (or a tuple of arrays, as the op's record says).
Kernel = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a device of a backend can do.

    Attributes:
        dtypes: formats in which arrays can be made.
        mutable: whether arrays can be written in place (`Backend.assign` writes into its target).
        views: whether the kernels of view ops share memory with their operand.
        deterministic: whether the same call gives the same bits each time.
        subnormals: whether subnormal numbers are kept, not flushed to zero.
        asynchronous: whether kernels return before they have finished.
    """

    dtypes: frozenset[DType] = field(default_factory=lambda: frozenset(ALL))
    mutable: bool = True
    views: bool = True
    deterministic: bool = True
    subnormals: bool = True
    asynchronous: bool = False


class Backend(ABC):
    """An array engine behind one device name.

    A kernel is an attribute named as the op: ``add(self, input, other)``, or a plain callable wrapped in
    ``staticmethod``. The primitives are what a backend must have (``docs/reference/primitives.md`` lists them, with
    their signatures); a composite's name overrides its expression. Kernels receive native arrays of one dtype on one
    device, in the order of the record's operands (``None`` for an optional one left out), and the
    attributes by keyword. They never change an operand. They return arrays of the dtype the record's rule names.
    """

    #: The contract the class is written for.
    contract: ClassVar[int] = CONTRACT_VERSION

    #: The device name, as users write it.
    name: str

    #: Whether arrays live in host memory, so that reading them copies nothing between devices.
    host_memory: ClassVar[bool] = True

    #: Class of the native arrays; results of another type go through `as_array` (a NumPy scalar, say).
    array_type: type

    @abstractmethod
    def capabilities(self, index: int) -> Capabilities:
        """What device ``index`` can do."""

    @abstractmethod
    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        """A new array on device ``index`` holding a copy of ``data``.

        ``data`` is a bytes-like object: row-major elements in native byte order, one byte a bool, bfloat16
        as its 16 bits, complex as (real, imaginary).
        """

    @abstractmethod
    def to_host(self, array: Array) -> memoryview:
        """The elements of ``array`` in the format of `from_host`, as contiguous bytes; may share memory."""

    @abstractmethod
    def dtype_of(self, array: Array) -> DType:
        """The dtype of a native array; raises DTypeError for a format that tensors have not."""

    @abstractmethod
    def assign(self, target: Array, source: Array) -> Array:
        """Write ``source`` (same dtype, broadcastable) into ``target`` and return ``target``.

        An immutable backend returns a new array of the target's shape instead.
        """

    def device_count(self) -> int:
        """Number of devices behind this name."""
        return 1

    def current_index(self) -> int | None:
        """The device meant by the name without an index, where that can be chosen; ``None`` where it is always 0."""
        return None

    def upload(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        """As `from_host`, but may return before ``data``, if it is page-locked, has been read."""
        return self.from_host(data, dtype, shape, index)

    def move(self, array: Array, index: int) -> Array | None:
        """A copy of ``array`` on another device of this backend; ``None`` where it goes through host memory."""
        return None

    def pinned_memory(self, size: int) -> Any:
        """A writable buffer of ``size`` bytes of page-locked host memory, or ``None``."""
        return None

    def as_array(self, value: Any) -> Array:
        """A native array from what a kernel returned in its place."""
        return value

    def strides(self, array: Array) -> tuple[int, ...] | None:
        """Strides in elements; ``None`` where the engine has none (read as row-major)."""
        return None

    def is_contiguous(self, array: Array) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        shape, strides = array.shape, self.strides(array)
        if strides is None or 0 in shape:
            return True
        wanted = contiguous_strides(shape)
        return all(side == 1 or a == b for side, a, b in zip(shape, strides, wanted, strict=True))

    def data_ptr(self, array: Array) -> int:
        """Address of the first element; 0 where the engine does not tell."""
        return 0

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        """The one element of ``array`` as a Python number."""
        from tensorcore.host_data import decode

        return decode(self.to_host(array), dtype)[0]

    def to_list(self, array: Array, dtype: DType) -> Any:
        """The elements as nested lists of Python numbers; a number for an array without dimensions."""
        from tensorcore.host_data import decode, nest

        return nest(decode(self.to_host(array), dtype), array.shape)

    def share_host(self, data: Any, dtype: DType, shape: Sequence[int], strides: Sequence[int]) -> Array | None:
        """An array that shares the memory of the host buffer ``data`` (strides in bytes), or ``None``."""
        return None

    def reinterpret(self, array: Array, dtype: DType) -> Array | None:
        """An array that reads the memory of ``array`` as ``dtype``, the last side scaled by the sizes, or ``None``."""
        return None

    def to_numpy(self, array: Array) -> Any:
        """The array as ``numpy.ndarray`` sharing memory, or ``None`` where it cannot."""
        return None

    def from_dlpack(self, capsule_owner: Any, index: int, copy: bool | None) -> Array:
        """An array from an object with ``__dlpack__``; raises BufferError where the engine cannot."""
        raise BufferError(f"backend {self.name!r} does not import DLPack")

    def to_dlpack(self, array: Array, **options: Any) -> Any:
        """The DLPack capsule of ``array``; raises BufferError where the engine cannot."""
        raise BufferError(f"backend {self.name!r} does not export DLPack")

    def dlpack_device(self, array: Array) -> tuple[int, int]:
        """(device type, device id) of DLPack."""
        return (1, 0)

    def synchronize(self, index: int) -> None:
        """Wait until the work queued on device ``index`` is done."""

    def random_words(self, *, ticket: Ticket, shape: Sequence[int], dtype: DType, index: int) -> Array:
        """Kernel of the op ``random_words``: the numbers of ``ticket``, drawn on the host, as an array."""
        data = ticket.data
        if ticket.kind == "normal" and dtype.itemsize == 4:
            # Drawn in float64, which the device has not.
            from array import array

            data = array("f", memoryview(data).cast("B").cast("d"))
        return self.from_host(data, dtype, shape, index)

    def kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        """The kernel of op ``name`` for operands of ``dtype`` on device ``index``, or ``None``.

        Asked once per kind, when its table is filled. The default finds the attribute ``name``.
        """
        return getattr(self, name, None)

    def inplace_kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        """A kernel that takes ``out=``, an array of the result's shape that may be an operand, or ``None``."""
        return None

    def multi_tensor_kernel(self, name: str, dtype: DType, index: int) -> Kernel | None:
        """``kernel(rows, **attributes)`` of the update rule ``name`` for many parameters at once, or ``None``.

        A row is a list of the rule's operands, all of ``dtype`` and one shape but for numbers; results are written
        into the parameter and the state.
        """
        return None

    def lower(self, graph: Graph) -> Program:
        """Something that runs ``graph``; the default is an interpreter over the kernel tables."""
        from tensorcore.compile.interpreter import Interpreter

        return Interpreter(graph)
