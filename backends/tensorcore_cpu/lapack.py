"""Factorisations of the LAPACK that NumPy's wheels carry in their OpenBLAS, which NumPy itself does not offer."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.blas import LETTERS, library

#: Columns that LAPACK's blocked LDL factorisation works on at a time; its workspace holds as many.
_PANEL: Final = 64


@cache
def _function(name: str, dtype: str) -> Callable[..., None] | None:
    """The Fortran routine ``name`` for a dtype, or ``None``: every argument is a pointer, integers have 64 bits."""
    letter = LETTERS.get(dtype)
    found: Any = None if letter is None else getattr(library(), f"scipy_{letter}{name}_64_", None)
    if found is not None:
        found.restype = None
    return found  # type: ignore[no-any-return]


def has(name: str, dtype: Any) -> bool:
    """Whether the routine ``name``, without its letter, can be called for arrays of a native dtype."""
    return _function(name, dtype.name) is not None


def _number(value: int) -> Any:
    return ctypes.byref(ctypes.c_int64(value))


def _columns_first(stack: Array) -> Array:
    """(count, columns, rows), a copy: each matrix as Fortran stores it."""
    return np.array(stack.swapaxes(-1, -2), order="C")


def getrf(stack: Array) -> tuple[Array, Array, Array]:
    """LU factors with partial pivoting of (count, m, n) matrices, their pivots, and the first zeros of U."""
    function = _function("getrf", stack.dtype.name)
    assert function is not None
    count, rows, columns = stack.shape
    out = _columns_first(stack)
    pivots = np.empty((count, min(rows, columns)), np.int64)
    info = np.zeros(count, np.int64)
    m, n, lead = _number(rows), _number(columns), _number(max(rows, 1))
    first, second, third = (x.ctypes.data for x in (out, pivots, info))
    for place in range(count):
        function(
            m, n, ctypes.c_void_p(first + place * out.strides[0]), lead,
            ctypes.c_void_p(second + place * pivots.strides[0]), ctypes.c_void_p(third + 8 * place),
        )  # fmt: skip
    return np.ascontiguousarray(out.swapaxes(-1, -2)), pivots.astype(np.int32), info.astype(np.int32)


def potrf(stack: Array, upper: bool) -> tuple[Array, Array]:
    """Cholesky factors of (count, n, n) matrices from one triangle, and the first minors not positive definite."""
    function = _function("potrf", stack.dtype.name)
    assert function is not None
    count, side, _ = stack.shape
    out = np.array(stack, order="C")
    info = np.zeros(count, np.int64)
    n, lead = _number(side), _number(max(side, 1))
    # To Fortran the rows are columns, and so the lower triangle the upper one of the conjugate matrix.
    triangle = ctypes.c_char_p(b"L" if upper else b"U")
    first, second = out.ctypes.data, info.ctypes.data
    for place in range(count):
        function(
            triangle, n, ctypes.c_void_p(first + place * out.strides[0]), lead, ctypes.c_void_p(second + 8 * place),
            ctypes.c_size_t(1),
        )  # fmt: skip
    return np.triu(out) if upper else np.tril(out), info.astype(np.int32)


def sytrf(stack: Array, hermitian: bool) -> tuple[Array, Array, Array]:
    """LDL factors of (count, n, n) matrices from their lower triangles, their pivots, and the first zeros of D."""
    function = _function("hetrf" if hermitian else "sytrf", stack.dtype.name)
    assert function is not None
    count, side, _ = stack.shape
    out = _columns_first(stack)
    pivots = np.empty((count, side), np.int64)
    info = np.zeros(count, np.int64)
    work = np.empty(max(side, 1) * _PANEL, stack.dtype)
    n, lead, size = _number(side), _number(max(side, 1)), _number(work.size)
    first, second, third = (x.ctypes.data for x in (out, pivots, info))
    for place in range(count):
        # After the arguments Fortran wants the length of each text among them.
        function(
            ctypes.c_char_p(b"L"), n, ctypes.c_void_p(first + place * out.strides[0]), lead,
            ctypes.c_void_p(second + place * pivots.strides[0]), ctypes.c_void_p(work.ctypes.data), size,
            ctypes.c_void_p(third + 8 * place), ctypes.c_size_t(1),
        )  # fmt: skip
    return np.tril(out.swapaxes(-1, -2)), pivots.astype(np.int32), info.astype(np.int32)
