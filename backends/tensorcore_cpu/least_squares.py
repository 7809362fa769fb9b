"""Least squares by LAPACK: QR with pivoting where NumPy's wheels carry it, else singular values."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.blas import LETTERS, library

#: Columns that LAPACK's blocked QR works on at a time; its workspace holds as many.
_PANEL: Final = 64


@cache
def _gelsy(dtype: str) -> Callable[..., None] | None:
    """The Fortran routine for a dtype, or ``None``: integers have 64 bits and are passed by reference."""
    letter = LETTERS.get(dtype)
    found: Any = None if letter is None else getattr(library(), f"scipy_{letter}gelsy_64_", None)
    if found is not None:
        # Complex ones have a second, real workspace.
        found.restype, found.argtypes = None, (ctypes.c_void_p,) * (14 if letter in ("c", "z") else 13)
    return found


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])


def _by_pivoted_qr(function: Callable[..., None], stack: Array, right: Array, rcond: float) -> tuple[Array, Array]:
    """The shortest solutions for (count, m, n) and (count, m, k) matrices, and the ranks."""
    count, rows, columns = stack.shape
    width, tall, short = right.shape[-1], max(rows, columns), min(rows, columns)
    out = np.array(stack.swapaxes(-1, -2), order="C")
    # The solution takes the place of the right side, which has its columns one after another.
    both = np.zeros((count, width, tall), stack.dtype)
    both[..., :rows] = right.swapaxes(-1, -2)
    real = np.dtype(stack.dtype.char.lower())
    work = np.empty(short + max(2 * short + _PANEL * (columns + 1), short + _PANEL * width), stack.dtype)
    numbers = np.array([rows, columns, width, rows, tall, work.size, 0], np.int64)
    m, n, k, lead, longer, size, info = (_address(numbers) + 8 * place for place in range(7))
    ranks, free, bound = np.zeros(count, np.int64), np.zeros((count, columns), np.int64), np.full(1, rcond, real)
    half = np.empty(2 * columns, real)
    rest = (_address(work), size, *((_address(half),) if stack.dtype.kind == "c" else ()), info)
    first, second, third, fourth, fifth = map(_address, (out, both, free, ranks, bound))
    steps = (out.strides[0], both.strides[0], free.strides[0])
    for place in range(count):
        function(
            m, n, k, first + place * steps[0], lead, second + place * steps[1], longer, third + place * steps[2], fifth,
            fourth + 8 * place, *rest,
        )  # fmt: skip
    return np.ascontiguousarray(both[..., :columns].swapaxes(-1, -2)), ranks


class LeastSquaresKernels:
    """The part of the backend that minimises."""

    #: Of the backend.
    linalg_svd: Any

    def least_squares(self, A: Array, B: Array, *, rcond: float, values: bool) -> tuple[Array, Array, Array]:
        lead, function = A.shape[:-2], None if values else _gelsy(A.dtype.name)
        if function is not None and np.isfinite(A).all() and np.isfinite(B).all():
            count = math.prod(lead)
            stack, right = A.reshape(count, *A.shape[-2:]), B.reshape(count, *B.shape[-2:])
            solution, ranks = _by_pivoted_qr(function, stack, right, rcond)
            return solution.reshape(*lead, *solution.shape[1:]), ranks.reshape(lead), np.empty((*lead, 0), A.real.dtype)
        U, S, Vh = self.linalg_svd(A, full_matrices=False)
        held = ~(rcond * S[..., :1] >= S)  # what is NaN is held, so that it shows
        inverse = np.where(held, 1 / np.where(held, S, 1), 0).astype(S.dtype)
        solution = np.conj(np.swapaxes(Vh, -1, -2)) @ (inverse[..., None] * (np.conj(np.swapaxes(U, -1, -2)) @ B))
        return solution, np.asarray(held.sum(-1)), S if values else S[..., :0]
