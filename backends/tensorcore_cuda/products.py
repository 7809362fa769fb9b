"""Matrix products: by CuPy, and while a graph is recorded, which CuPy refuses, by cuBLAS through nvmath.

How operands are described to cuBLAS is arithmetic on shapes and strides, apart from the calls: tested without a GPU.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array
from tensorcore.dtypes import BOOL, FLOATING, bool_, int32
from tensorcore.errors import BackendUnavailableError
from tensorcore_cuda.natives import NATIVE, dtype_of_native

__all__ = ["Cublas", "Matrices", "ProductKernels", "described"]

#: What NVIDIA recommends for Hopper.
_WORKSPACE: Final = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Matrices:
    """A stack of matrices as BLAS knows them.

    Attributes:
        transposed: whether rows, not columns, are the neighbours in memory that BLAS expects to be columns.
        leading: elements from one row (column) to the next.
        step: elements from one matrix to the next; 0 where one serves all.
    """

    transposed: bool
    leading: int
    step: int


def described(shape: Sequence[int], strides: Sequence[int], stack: Sequence[int]) -> Matrices | None:
    """A row-major operand of sides ``shape`` and ``strides`` in elements, its outer sides stretched to ``stack``.

    ``None`` where BLAS cannot be told: neither rows nor columns are contiguous, or the stack has no one step.
    """
    rows, columns = shape[-2:]
    down, across = strides[-2:]
    if (across == 1 or columns == 1) and (down >= max(1, columns) or rows == 1):
        transposed, leading = False, max(down if rows > 1 else columns, columns, 1)
    elif (down == 1 or rows == 1) and (across >= max(1, rows) or columns == 1):
        transposed, leading = True, max(across if columns > 1 else rows, rows, 1)
    else:
        return None
    lead = len(stack) - (len(shape) - 2)
    outer = [0] * lead + [0 if side == 1 else step for side, step in zip(shape[:-2], strides[:-2], strict=True)]
    step: int | None = None
    reach = 1
    for side, stride in zip(reversed(stack), reversed(outer), strict=True):
        if side == 1:
            continue
        if step is None:
            step = stride
        elif stride != step * reach:
            return None
        reach *= side
    return Matrices(transposed, leading, step or 0)


class Cublas:
    """cuBLAS with handles of its own, one per device and thread, which a recording takes.

    Raises:
        BackendUnavailableError: where nvmath is not installed.
    """

    def __init__(self, cupy: Any) -> None:
        try:
            from nvmath.bindings import cublas
        except ImportError as error:
            raise BackendUnavailableError(
                f"matmul: while a graph is recorded, products need nvmath-python: {error}; "
                'to install: pip install "tensorcore-framework[cuda13]"'
            ) from error
        self._cupy = cupy
        self._cublas = cublas
        self._handles: dict[tuple[int, int], int] = {}

    def prepare(self, device: int, stream: int) -> tuple[int, Any]:
        """A handle for recording ``stream``, and its workspace, of the recording's own memory."""
        key = (device, threading.get_ident())
        handle = self._handles.get(key)
        if handle is None:
            handle = self._handles[key] = self._cublas.create()
        workspace = self._cupy.cuda.alloc(_WORKSPACE)
        # In this order: a new stream takes the workspace away.
        self._cublas.set_stream(handle, stream)
        self._cublas.set_workspace(handle, workspace.ptr, _WORKSPACE)
        return handle, workspace

    def product(self, handle: int, a: Array, b: Array, out: Array, left: Matrices, right: Matrices) -> None:
        """``out = a @ b`` for a row-major ``out``: to BLAS, which counts by columns, the product of the other order."""
        rows, inner = a.shape[-2:]
        columns = b.shape[-1]
        kind = _DATA_TYPES[dtype_of_native(a.dtype).name]
        double = a.dtype in (np.dtype("float64"), np.dtype("complex128"))
        compute = self._cublas.ComputeType.COMPUTE_64F if double else self._cublas.ComputeType.COMPUTE_32F
        scale = a.dtype if a.dtype.kind == "c" else np.dtype("float64" if double else "float32")
        alpha, beta = np.ones((), scale), np.zeros((), scale)
        operation = self._cublas.Operation
        self._cublas.gemm_strided_batched_ex(
            handle,
            int(operation.T if right.transposed else operation.N),
            int(operation.T if left.transposed else operation.N),
            columns, rows, inner, alpha.ctypes.data,
            b.data.ptr, kind, right.leading, right.step,
            a.data.ptr, kind, left.leading, left.step, beta.ctypes.data,
            out.data.ptr, kind, max(1, columns), rows * columns,
            math.prod(out.shape[:-2]), int(compute), _DEFAULT_ALGORITHM,
        )  # fmt: skip


#: cudaDataType_t
_DATA_TYPES: Final = {
    "float32": 0, "float64": 1, "float16": 2, "complex64": 4, "complex128": 5, "bfloat16": 14,
}  # fmt: skip
#: cublasGemmAlgo_t: CUBLAS_GEMM_DEFAULT
_DEFAULT_ALGORITHM: Final = -1


class ProductKernels(ArrayModuleBackend):
    """Products of stacks of matrices."""

    runtime: Any
    cublas: Cublas | None = None

    def matmul(self, input: Array, other: Array) -> Array:
        dtype = dtype_of_native(input.dtype)
        if dtype.category == BOOL:
            # CuPy has no product of booleans: whether any pair is true.
            counts = self.matmul(self.cast(input, dtype=int32), self.cast(other, dtype=int32))
            return self.cast(counts, dtype=bool_)
        stack = np.broadcast_shapes(input.shape[:-2], other.shape[:-2])
        shape = (*stack, input.shape[-2], other.shape[-1])
        if input.shape[-1] == 0 or 0 in shape:
            return self.xp.zeros(shape, input.dtype)
        if dtype.category >= FLOATING and self.runtime.is_capturing():
            return self._recorded(input, other, stack, shape)
        return self.xp.matmul(input, other)

    def _recorded(self, a: Array, b: Array, stack: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        left, right = _described(a, stack), _described(b, stack)
        if left is None:
            a = self._row_major(a, stack)
            left = _described(a, stack)
        if right is None:
            b = self._row_major(b, stack)
            right = _described(b, stack)
        assert left is not None and right is not None
        out = self.xp.empty(shape, NATIVE[dtype_of_native(a.dtype)])
        blas = self.blas()
        handle, _ = self.runtime.prepared()
        blas.product(handle, a, b, out, left, right)
        return out

    def blas(self) -> Cublas:
        """cuBLAS for recordings."""
        if self.cublas is None:
            self.cublas = Cublas(self.xp)
        return self.cublas

    def prepare_recording(self, stream: Any) -> tuple[int, Any] | None:
        """Make ready for products while ``stream`` is recorded; making a handle then would be refused."""
        try:
            blas = self.blas()
        except BackendUnavailableError:
            # A recording without products works without nvmath, and the first product says what is missing.
            return None
        return blas.prepare(self.runtime.current_device(), self.runtime.stream_handle(stream))

    def _row_major(self, array: Array, stack: tuple[int, ...]) -> Array:
        stretched = self.xp.broadcast_to(array, (*stack, *array.shape[-2:]))
        return self.copy(stretched)


def _described(array: Array, stack: tuple[int, ...]) -> Matrices | None:
    return described(array.shape, [step // array.itemsize for step in array.strides], stack)
