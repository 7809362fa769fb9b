"""NumPy's LAPACK loops over stacks of matrices, called without the functions of `numpy.linalg` around them.

Those take 3 to 10 µs a call, which for small matrices is most of it. What fails leaves NaN in its matrix alone. The
module is NumPy's own: where it lacks a loop, `loop` is ``None``, and callers take the function.
"""

from __future__ import annotations

from functools import cache
from typing import Any

try:
    from numpy.linalg import _umath_linalg
except ImportError:  # another NumPy
    _umath_linalg = None  # type: ignore[assignment]


@cache
def loop(name: str, types: str) -> Any:
    """The loop ``name``, if it has one of these types, such as ``"f->ff"``."""
    found = getattr(_umath_linalg, name, None)
    return found if types in getattr(found, "types", ()) else None


#: NumPy's letters of the dtypes, and of the real numbers that belong to them.
REAL = {"f": "f", "d": "d", "F": "f", "D": "d"}
