"""Composites with a kernel of their own: along rows, by attributes, and random numbers."""

from __future__ import annotations

import math
from typing import Any

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType, float32
from tensorcore.random.ticket import Ticket
from tensorcore_cuda.indexcode import index_source, part_text
from tensorcore_cuda.natives import NATIVE, dtype_of_native
from tensorcore_cuda.plans import BLOCK, blocks
from tensorcore_cuda.rowcode import ROW_THREADS, row_source

__all__ = ["FusedKernels", "signed"]


class FusedKernels(ArrayModuleBackend):
    """Kernels that replace the expression of a composite."""

    library: Any

    # ---------------------------------------------------------------- along rows

    def softmax(self, input: Array, *, dim: int) -> Array:
        return self._along_rows("softmax", dim, input)

    def log_softmax(self, input: Array, *, dim: int) -> Array:
        return self._along_rows("log_softmax", dim, input)

    def softmax_gradient(self, grad: Array, output: Array, *, dim: int) -> Array:
        return self._along_rows("softmax_gradient", dim, grad, output)

    def log_softmax_gradient(self, grad: Array, output: Array, *, dim: int) -> Array:
        return self._along_rows("log_softmax_gradient", dim, grad, output)

    def _along_rows(self, op: str, dim: int, *arrays: Array) -> Array:
        xp = self.xp
        shape = arrays[0].shape
        last = len(shape) - 1
        if dim != last:
            # Rows are made contiguous; a kernel down columns would save the copy.
            return xp.moveaxis(self._along_rows(op, last, *[xp.moveaxis(each, dim, -1) for each in arrays]), -1, dim)
        if 0 in shape:
            return xp.empty(shape, arrays[0].dtype)
        rows = [self.row_major(each) for each in arrays]
        out = xp.empty(shape, arrays[0].dtype)
        dtype = dtype_of_native(arrays[0].dtype)
        kernel = self.library.get(f"tc_{op}_{dtype.name}", lambda: row_source(op, dtype))
        columns = shape[-1]
        kernel((math.prod(shape[:-1]),), (ROW_THREADS,), (*rows, out, columns))
        return out

    # ---------------------------------------------------------------- chosen by an attribute

    def gelu(self, input: Array, *, approximate: str) -> Array:
        return self.compute(f"gelu_{approximate}", dtype_of_native(input.dtype))(input)

    def gelu_gradient(self, grad: Array, input: Array, *, approximate: str) -> Array:
        return self.compute(f"gelu_gradient_{approximate}", dtype_of_native(input.dtype))(grad, input)

    # ---------------------------------------------------------------- random numbers

    def philox_uniform(self, *, ticket: Ticket, shape: tuple[int, ...], dtype: DType, index: int) -> Array:
        # On the device, where the expression would send the key and run a hundred kernels.
        out = self.xp.empty(shape, NATIVE[float32])
        if out.size:
            kernel = self.library.get("tc_philox_uniform", lambda: index_source(part_text("tc_philox_uniform")))
            threads = -(-out.size // 4)
            kernel((blocks(threads),), (BLOCK,), (out, signed(ticket.key), signed(ticket.offset), out.size))
        return out


def signed(word: int) -> int:
    """The 64 bits of ``word`` as a signed number, as kernels take them."""
    word &= 2**64 - 1
    return word - 2**64 if word >= 2**63 else word
