"""The reference backend: the contract over Python lists, and the kernels of all families."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tensorcore.backend.contract import Backend, Capabilities
from tensorcore.dtypes import DType
from tensorcore.host_data import decode, encode
from tensorcore.shapes import contiguous_strides
from tensorcore_reference.arrays import Array, assign, elements
from tensorcore_reference.elementwise import ElementwiseKernels
from tensorcore_reference.indexing import IndexingKernels
from tensorcore_reference.movement import MovementKernels
from tensorcore_reference.products import ProductKernels
from tensorcore_reference.reductions import ReductionKernels

__all__ = ["ReferenceBackend"]


class ReferenceBackend(ElementwiseKernels, ReductionKernels, MovementKernels, IndexingKernels, ProductKernels, Backend):
    """Every primitive in plain Python, one obvious definition each: the living specification, slow and right.

    Floats are computed in float64, sums are exactly rounded, and each result is rounded once to its dtype.

    Example:
        >>> from tensorcore import float32
        >>> from tensorcore_reference.backend import ReferenceBackend
        >>> backend = ReferenceBackend()
        >>> x = backend.ramp(start=0, step=0.5, count=4, dtype=float32, index=0)
        >>> backend.sum(backend.exp(x), dim=(0,), keepdim=False, dtype=float32).buffer
        [9.848691940307617]
    """

    name = "reference"
    array_type = Array

    _capabilities: Final = Capabilities()

    def capabilities(self, index: int) -> Capabilities:
        """All dtypes; arrays are mutable, views share memory."""
        return self._capabilities

    def from_host(self, data: Any, dtype: DType, shape: Sequence[int], index: int) -> Array:
        """A new array of the elements in the bytes ``data``."""
        shape = tuple(shape)
        return Array(decode(data, dtype), dtype, shape, contiguous_strides(shape))

    def to_host(self, array: Array) -> memoryview:
        """The elements as bytes, a copy."""
        data = encode(elements(array), array.dtype)
        return memoryview(data if isinstance(data, bytes) else data.tobytes())

    def dtype_of(self, array: Array) -> DType:
        """The dtype of ``array``."""
        return array.dtype

    def assign(self, target: Array, source: Array) -> Array:
        """Write ``source``, broadcast, into the memory of ``target``."""
        return assign(target, source)

    def item(self, array: Array, dtype: DType) -> bool | int | float | complex:
        """The one element as a Python number."""
        (value,) = elements(array)
        return value

    def strides(self, array: Array) -> tuple[int, ...]:
        """Strides in elements."""
        return array.strides

    def data_ptr(self, array: Array) -> int:
        """A number that arrays share exactly if they begin with the same element; a list has no address of one."""
        return id(array.buffer) + array.offset * array.dtype.itemsize
