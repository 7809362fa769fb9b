"""Functions of the OpenBLAS that NumPy's wheels carry, which NumPy itself does not offer.

A NumPy built otherwise (on Apple's or Intel's library, say) may not have it: callers keep a way without.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array

#: The letter of each dtype in the names of BLAS.
LETTERS: Final = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}

#: CBLAS's numbers for rows first, the matrix on the left, transposition, triangles and their diagonals.
_ROWS_FIRST, _LEFT = 101, 141
_AS_IT_IS, _TRANSPOSED = 111, 112
_UPPER, _LOWER = 121, 122
_STORED, _ONES = 131, 132


@cache
def library() -> Any:
    """The library, already loaded by NumPy, or ``None``."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas64_*")):
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                continue
    return None


@cache
def uses_avx512() -> bool:
    """Whether its kernels are those for AVX-512; also where that is not known, as another library's may be."""
    name = getattr(library(), "scipy_openblas_get_corename64_", None)
    if name is None:
        return True
    name.restype = ctypes.c_char_p
    return name() not in (b"Haswell", b"Zen", b"Excavator", b"Sandybridge", b"Nehalem", b"Prescott")


def set_threads(count: int) -> None:
    """Let it use so many threads at most."""
    function = getattr(library(), "scipy_openblas_set_num_threads64_", None)
    if function is not None:
        function(ctypes.c_int(count))


@cache
def _trsm(dtype: str) -> tuple[Callable[..., None], Any] | None:
    """The function for triangular systems and its factor 1, or ``None``."""
    letter = LETTERS.get(dtype)
    function = None if letter is None else getattr(library(), f"scipy_cblas_{letter}trsm64_", None)
    if function is None:
        return None
    flag, side, pointer = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
    real = {"s": ctypes.c_float, "d": ctypes.c_double}.get(str(letter))
    function.restype = None
    function.argtypes = (*(flag,) * 5, side, side, real or pointer, pointer, side, pointer, side)
    # Complex factors are passed by reference; the array stays alive in this function's cache.
    return function, 1.0 if real else np.ones(1, dtype).ctypes


def has_trsm(dtype: Any) -> bool:
    """Whether `trsm` can be used for arrays of a native dtype."""
    return _trsm(dtype.name) is not None


def _laid_out(A: Array) -> tuple[Array, bool, int]:
    """The matrices with rows or columns one element apart, whether it is columns, and how far apart the others are."""
    size, side = A.itemsize, max(A.shape[-1], 1)
    for place, turned in ((-1, False), (-2, True)):
        step = A.strides[-3 - place]
        if A.strides[place] == size and step % size == 0 and step >= side * size:
            return A, turned, step // size
    return np.ascontiguousarray(A), False, side


def trsm(A: Array, B: Array, upper: bool, unit: bool) -> None:
    """Write X with ``A X = B`` over ``B``, row-major, for triangular A; both have dimensions (count, rows, columns)."""
    function, one = _trsm(A.dtype.name)  # type: ignore[misc] # `has_trsm` said so
    A, turned, lead = _laid_out(A)
    flags = (
        _ROWS_FIRST, _LEFT, _UPPER if upper != turned else _LOWER, _TRANSPOSED if turned else _AS_IT_IS,
        _ONES if unit else _STORED, B.shape[1], B.shape[2], one,
    )  # fmt: skip
    first, second = A.__array_interface__["data"][0], B.__array_interface__["data"][0]
    for place in range(B.shape[0]):
        function(*flags, first + place * A.strides[0], lead, second + place * B.strides[0], B.shape[2])
