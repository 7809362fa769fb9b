"""The NumPy dtype objects that CuPy uses, for each dtype of tensors."""

from __future__ import annotations

from typing import Any, Final

import ml_dtypes
import numpy as np

from tensorcore.dtypes import ALL, DType, bfloat16
from tensorcore.errors import DTypeError

__all__ = ["NATIVE", "dtype_of_native"]

NATIVE: Final[dict[DType, Any]] = {
    dtype: np.dtype(ml_dtypes.bfloat16 if dtype is bfloat16 else dtype.name) for dtype in ALL
}
_DTYPES: Final = {native: dtype for dtype, native in NATIVE.items()}


def dtype_of_native(native: Any) -> DType:
    """The dtype of arrays of ``native``; raises DTypeError for one that tensors have not."""
    try:
        return _DTYPES[native]
    except KeyError:
        raise DTypeError(f"device 'cuda': tensors have no dtype for CuPy's {native}") from None
