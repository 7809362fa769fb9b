"""What linear algebra asks of its operands, refused in the words of the op that asks."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import FLOATING, DType
from tensorcore.errors import DTypeError, ShapeError


def solvable(dtype: DType, op: str) -> tuple[DType, DType]:
    """dtype rule of what LAPACK computes: float32, float64, complex64 and complex128."""
    if dtype.category < FLOATING or dtype.itemsize < 4:
        raise DTypeError(f"{op}: expected float32, float64, complex64 or complex128, got a tensor of dtype {dtype}")
    return dtype, dtype


def require_floating(op: str, x: Any) -> None:
    """Refuse integers and bool."""
    if x.dtype.category < FLOATING:
        raise DTypeError(f"{op}: expected a floating-point or complex tensor, got a tensor of dtype {x.dtype}")


def require_matrix(op: str, name: str, x: Any) -> None:
    """Refuse what is no tensor, or has fewer than two dimensions."""
    if not hasattr(x, "_kind"):
        raise TypeError(f"{op}: {name} must be a tensor, got {type(x).__name__}")
    if len(x._array.shape) < 2:
        raise ShapeError(f"{op}: {name} must have at least 2 dimensions, got shape {list(x.shape)}")


def require_square(op: str, name: str, x: Any) -> None:
    """Refuse what is no matrix with as many rows as columns, or a stack of them."""
    require_matrix(op, name, x)
    rows, columns = x._array.shape[-2:]
    if rows != columns:
        raise ShapeError(
            f"{op}: {name} must be a square matrix or a stack of them, got shape {list(x.shape)}: "
            f"{rows} by {columns} matrices"
        )


def require_one_dtype(op: str, **tensors: Any) -> None:
    """Refuse tensors of different dtypes, which linear algebra does not promote."""
    dtypes = {name: x.dtype for name, x in tensors.items()}
    if len(set(dtypes.values())) > 1:
        met = ", ".join(f"{name} of {dtype}" for name, dtype in dtypes.items())
        raise DTypeError(f"{op}: expected tensors of one dtype, got {met}")
