"""Products of matrices by the shortest way into BLAS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.arithmetic import add_row
from tensorcore_cpu.jit.direct import refuse
from tensorcore_cpu.jit.products import small_product
from tensorcore_cpu.quiet import quiet2

__all__ = ["ProductKernels", "matrix_product"]

_empty: Final = np.empty


def matrix_product(native: Any, general: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The kernel of `matmul`: for two matrices compiled where they are small, or else NumPy's older function, which is
    sooner in BLAS."""
    of_matrices = quiet2(np.dot)
    program = None

    def kernel(input: Array, other: Array) -> Array:
        nonlocal program
        if program is None:
            program = small_product(native.char) if native.char in "fd" else refuse
        out: Array | None = program(_empty((input.shape[-2], other.shape[-1]), native), input, other)
        if out is not None:
            return out
        return of_matrices(input, other) if input.ndim == 2 == other.ndim else general(input, other)

    return kernel


class ProductKernels:
    """The part of the backend that overrides composites of products."""

    def linear(self, input: Array, weight: Array, bias: Array | None = None) -> Array:
        shape, native = input.shape, input.dtype
        flat = len(shape) == 2
        rows = input if flat else input.reshape(math.prod(shape[:-1]), shape[-1])
        program = small_product(native.char, True) if native.char in "fd" else refuse
        out: Array | None = program(_empty((rows.shape[0], weight.shape[0]), native), rows, weight)
        if out is None:
            out = np.dot(rows, weight.T)
        if bias is not None:
            add_row(out, bias)
        return out if flat else out.reshape(*shape[:-1], weight.shape[0])
