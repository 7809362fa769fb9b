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


_POINTER: Final = ctypes.c_void_p
#: The arguments of the routines: pointers, and at the end the length of a text among them.
_ARGUMENTS: Final = {
    "getrf": (_POINTER,) * 6,
    "potrf": (ctypes.c_char_p, *(_POINTER,) * 4, ctypes.c_size_t),
    "sytrf": (ctypes.c_char_p, *(_POINTER,) * 7, ctypes.c_size_t),
    "hetrf": (ctypes.c_char_p, *(_POINTER,) * 7, ctypes.c_size_t),
    "sytrs": (ctypes.c_char_p, *(_POINTER,) * 8, ctypes.c_size_t),
    "hetrs": (ctypes.c_char_p, *(_POINTER,) * 8, ctypes.c_size_t),
}


@cache
def _function(name: str, dtype: str) -> Callable[..., None] | None:
    """The Fortran routine ``name`` for a dtype, or ``None``: integers have 64 bits and are passed by reference."""
    letter = LETTERS.get(dtype)
    found: Any = None if letter is None else getattr(library(), f"scipy_{letter}{name}_64_", None)
    if found is not None:
        found.restype, found.argtypes = None, _ARGUMENTS[name]
    return found  # type: ignore[no-any-return]


def has(name: str, dtype: Any) -> bool:
    """Whether the routine ``name``, without its letter, can be called for arrays of a native dtype."""
    return _function(name, dtype.name) is not None


def _address(array: Array) -> int:
    # `array.ctypes.data` takes four times as long.
    return int(array.__array_interface__["data"][0])


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
    sides = np.array((rows, columns, max(rows, 1)), np.int64)
    first, second, third, side = _address(out), _address(pivots), _address(info), _address(sides)
    step, stride = out.strides[0], pivots.strides[0]
    for place in range(count):
        function(
            side, side + 8, first + place * step, side + 16, second + place * stride, third + 8 * place
        )  # fmt: skip
    return np.ascontiguousarray(out.swapaxes(-1, -2)), pivots.astype(np.int32), info.astype(np.int32)


def potrf(stack: Array, upper: bool) -> tuple[Array, Array]:
    """Cholesky factors of (count, n, n) matrices from one triangle, and the first minors not positive definite."""
    function = _function("potrf", stack.dtype.name)
    assert function is not None
    out = np.array(stack, order="C")
    info = np.zeros(len(out), np.int64)
    sides = np.array(max(out.shape[-1], 1), np.int64)
    first, second, side, step = _address(out), _address(info), _address(sides), out.strides[0]
    # To Fortran the rows are columns, and so the lower triangle the upper one of the conjugate matrix.
    triangle = b"L" if upper else b"U"
    for place in range(len(out)):
        function(triangle, side, first + place * step, side, second + 8 * place, 1)
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
    sides = np.array((max(side, 1), work.size), np.int64)
    first, second, third, number = _address(out), _address(pivots), _address(info), _address(sides)
    space, step, stride = _address(work), out.strides[0], pivots.strides[0]
    for place in range(count if side else 0):
        function(
            b"L", number, first + place * step, number, second + place * stride, space, number + 8, third + 8 * place, 1
        )  # fmt: skip
    return np.tril(out.swapaxes(-1, -2)), pivots.astype(np.int32), info.astype(np.int32)


def sytrs(stack: Array, pivots: Array, right: Array, hermitian: bool) -> Array:
    """X (count, n, k) of ``A @ X = right``, from what `sytrf` makes of A."""
    function = _function("hetrs" if hermitian else "sytrs", stack.dtype.name)
    assert function is not None
    factors, places, out = _columns_first(stack), np.array(pivots, np.int64, order="C"), _columns_first(right)
    count, columns, side = out.shape
    sides = np.array((side, columns, max(side, 1), 0), np.int64)
    first, second, third, number = _address(factors), _address(places), _address(out), _address(sides)
    steps = factors.strides[0], places.strides[0], out.strides[0]
    for place in range(count if out.size else 0):
        function(
            b"L", number, number + 8, first + place * steps[0], number + 16, second + place * steps[1],
            third + place * steps[2], number + 16, number + 24, 1,
        )  # fmt: skip
    return np.ascontiguousarray(out.swapaxes(-1, -2))
