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
from tensorcore_cpu.tiled import LEAST, into, laid_out

__all__ = ["ProductKernels", "matmul", "matrix_product", "multiplier"]

_empty: Final = np.empty


def matmul(left: Array, right: Array, out: Array | None = None) -> Array:
    """`numpy.matmul` of matrices or stacks of them, by the fastest way there is for large ones."""
    rows, terms = left.shape[-2:]
    if rows * terms * right.shape[-1] < LEAST and left.ndim == 2:
        return np.matmul(left, right, out=out)
    if left.ndim > 2 == right.ndim and out is None and left.flags.c_contiguous and left.size:
        # One product of many rows.
        return matmul(left.reshape(-1, terms), right).reshape(*left.shape[:-1], right.shape[1])
    if rows * terms * right.shape[-1] >= LEAST and left.dtype == right.dtype:
        if out is None:
            outer = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
            out = np.empty((*outer, rows, right.shape[-1]), left.dtype)
        if into(out, left, right):
            return out
    return np.matmul(left, right, out=out)


def multiplier(right: Array, rows: int) -> Callable[..., Array]:
    """``function(left, out, add=False)``: the product with ``right`` written, or added, to ``out``.

    It is for many products with matrices of at most ``rows`` rows.
    """
    laid = laid_out(right, rows)
    if laid is not None:
        return laid.times
    held = np.empty((rows, right.shape[1]), right.dtype)

    def times(left: Array, out: Array, add: bool = False) -> Array:
        if not add:
            return np.matmul(left, right, out=out)
        out += np.matmul(left, right, out=held[: len(left)])
        return out

    return times


def matrix_product(native: Any, general: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    """The kernel of `matmul`: for two matrices compiled where they are small, or else NumPy's older function, which is
    sooner in BLAS."""
    of_matrices = quiet2(np.dot)
    program = None
    tiled = native.char in "fd"

    def kernel(input: Array, other: Array) -> Array:
        nonlocal program
        if program is None:
            program = small_product(native.char) if native.char in "fd" else refuse
        out: Array | None = program(_empty((input.shape[-2], other.shape[-1]), native), input, other)
        if out is not None:
            return out
        if input.ndim != 2 or other.ndim != 2:
            return general(input, other)
        if tiled and input.size * other.shape[1] >= LEAST:
            out = _empty((input.shape[0], other.shape[1]), native)
            if into(out, input, other):
                return out
        return of_matrices(input, other)

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
            turned = weight.T
            out = matmul(rows, turned) if rows.size * len(weight) >= LEAST else np.dot(rows, turned)
        if bias is not None:
            add_row(out, bias)
        return out if flat else out.reshape(*shape[:-1], weight.shape[0])
