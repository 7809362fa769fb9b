"""Linear algebra extension of the Array API standard, on matrices and stacks of them."""

from __future__ import annotations

from typing import Any

from tensorcore import linalg
from tensorcore.array_api.linear_algebra import matmul, matrix_transpose, tensordot, vecdot
from tensorcore.array_api.spelling import agreed
from tensorcore.array_api.statistical import accumulator
from tensorcore.dtypes import DType
from tensorcore.errors import ShapeError
from tensorcore.ops import elementwise, reduction
from tensorcore.ops.views import broadcast_tensors
from tensorcore.shapes import normalize_dim, normalize_dims
from tensorcore.tensor import Tensor

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The lower triangular L with ``x = L @ L.mH``, or with ``upper`` the U with ``x = U.mH @ U``."""
    return linalg.cholesky(x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Cross product of vectors of 3 elements along ``axis``; other dimensions broadcast.

    Raises:
        ShapeError: if a side along ``axis`` is not 3; it is a ValueError.
    """
    x1, x2 = agreed(x1, x2)
    for x in (x1, x2):
        if x.ndim == 0 or x.shape[normalize_dim(axis, x.ndim, "cross")] != 3:
            raise ShapeError(
                f"cross: the sides along axis {axis} must be 3, got shapes {list(x1.shape)} and {list(x2.shape)}"
            )
    return linalg.cross(*broadcast_tensors(x1, x2), dim=axis)


def det(x: Tensor, /) -> Tensor:
    """Determinant of each matrix."""
    return linalg.det(x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The ``offset``-th diagonal of each matrix, counted upwards from the main one."""
    return x.diagonal(offset, -2, -1)


def eig(x: Tensor, /) -> Any:
    """Eigenvalues and eigenvectors of each matrix, complex, as (eigenvalues, eigenvectors)."""
    return linalg.eig(x)


def eigh(x: Tensor, /) -> Any:
    """Eigenvalues, ascending, and eigenvectors of each Hermitian matrix, as (eigenvalues, eigenvectors)."""
    return linalg.eigh(x)


def eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of each matrix, complex."""
    return linalg.eigvals(x)


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of each Hermitian matrix, ascending."""
    return linalg.eigvalsh(x)


def inv(x: Tensor, /) -> Tensor:
    """Inverse of each matrix."""
    return linalg.inv(x)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Norm of each matrix: ``"fro"``, ``"nuc"``, 1, 2, inf or the negative of one of these numbers."""
    return linalg.matrix_norm(x, ord, (-2, -1), keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """Each square matrix multiplied ``n`` times with itself; the inverse for negative ``n``."""
    return linalg.matrix_power(x, n)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values of each matrix exceed ``rtol`` times the largest; int64."""
    return linalg.matrix_rank(x, rtol=rtol)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Products of every pair of elements of two vectors."""
    x1, x2 = agreed(x1, x2)
    return x1.outer(x2)


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """Pseudoinverse of each matrix; singular values up to ``rtol`` times the largest count as zero."""
    return linalg.pinv(x, rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> Any:
    """Each matrix as a product of orthonormal columns and a triangle, as (Q, R); ``mode`` may be ``"complete"``."""
    return linalg.qr(x, mode)


def slogdet(x: Tensor, /) -> Any:
    """Sign, and logarithm of the absolute value, of each matrix's determinant, as (sign, logabsdet)."""
    return linalg.slogdet(x)


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The solution y of ``x1 @ y = x2``: ``x2`` is one vector, or matrices."""
    x1, x2 = agreed(x1, x2)
    if x2.ndim == 1:
        return linalg.solve(x1, x2.unsqueeze(-1)).squeeze(-1)
    # PyTorch takes a stack of vectors for what could be one; with as many dimensions as x1, x2 is none.
    missing = max(x1.ndim - x2.ndim, 0)
    return linalg.solve(x1, x2.reshape((1,) * missing + tuple(x2.shape)))


def svd(x: Tensor, /, *, full_matrices: bool = True) -> Any:
    """Each matrix as ``(U * S) @ Vh`` with orthonormal U and Vh and S descending, as (U, S, Vh)."""
    return linalg.svd(x, full_matrices)


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values of each matrix, descending."""
    return linalg.svdvals(x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: DType | None = None) -> Tensor:
    """Sum of the ``offset``-th diagonal of each matrix; integers count in int64, unsigned ones in uint64."""
    parts = diagonal(x, offset=offset)
    return reduction.sum.emit(parts, dim=(parts.ndim - 1,), keepdim=False, dtype=accumulator(dtype, x))


def vector_norm(
    x: Tensor, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """The ``ord``-norm of the elements over the dimensions ``axis`` (all by default, none for ``()``)."""
    if axis == ():
        return elementwise.ne(x, 0).to(x.dtype.to_real()) if ord == 0 else elementwise.abs(x)
    return linalg.vector_norm(x, ord, normalize_dims(axis, x.ndim, "vector_norm"), keepdims)
