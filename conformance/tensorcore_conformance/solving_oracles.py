"""What NumPy says of solves, determinants, norms, functions of matrices and distances.

Elimination is written out, matrix by matrix, in the precision of the operands; what needs singular values is computed
by LAPACK, in double precision at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

__all__ = ["SOLVING_ORACLES"]


def _double(x: Any) -> Any:
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def _adjoint(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


# ------------------------------------------------------------------ elimination


def _eliminated(A: Any, B: Any) -> tuple[Any, Any]:
    """(X, determinant) of one system, by Gauss and Jordan."""
    side = A.shape[0]
    table, determinant = np.concatenate([A, B], 1), A.dtype.type(1)
    for k in range(side):
        best = k + int(np.argmax(np.abs(table[k:, k])))
        if best != k:
            table[[k, best]], determinant = table[[best, k]], -determinant
        determinant = determinant * table[k, k]
        table[k] = table[k] / table[k, k]
        others = [i for i in range(side) if i != k]
        table[others] -= np.outer(table[others, k], table[k])
    return table[:, side:], determinant


def _stacked(A: Any, B: Any) -> tuple[Any, Any]:
    lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    A, B = np.broadcast_to(A, lead + A.shape[-2:]), np.broadcast_to(B, lead + B.shape[-2:])
    X, determinants = np.empty(B.shape, B.dtype), np.empty(lead, A.dtype)
    for place in np.ndindex(*lead):
        X[place], determinants[place] = _eliminated(A[place], B[place])
    return X, determinants


def _solve(A: Any, B: Any, left: bool = True) -> Any:
    vector = B.ndim == 1 or B.shape == A.shape[:-1]
    right = B[..., None] if vector else B
    if left:
        X = _stacked(A, right)[0]
    else:
        X = np.swapaxes(_stacked(np.swapaxes(A, -1, -2), np.swapaxes(right, -1, -2))[0], -1, -2)
    return X[..., 0] if vector else X


def _half(A: Any, upper: bool, unit: bool) -> Any:
    out = np.triu(A) if upper else np.tril(A)
    if unit:
        out[..., range(A.shape[-1]), range(A.shape[-1])] = 1
    return out


def _triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    T = _half(A, upper, unitriangular)
    if left:
        return _stacked(T, B)[0]
    return np.swapaxes(_stacked(np.swapaxes(T, -1, -2), np.swapaxes(B, -1, -2))[0], -1, -2)


def _triangular_solve(B: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False) -> Any:
    T = _half(A, upper, unitriangular)
    X = _stacked(np.swapaxes(T, -1, -2) if transpose else T, B)[0]
    return X, np.broadcast_to(A, X.shape[:-2] + A.shape[-2:])


def _inv(A: Any) -> Any:
    return _stacked(A, np.broadcast_to(np.eye(A.shape[-1], dtype=A.dtype), A.shape))[0]


def _det(A: Any) -> Any:
    return _stacked(A, A[..., :0])[1]


def _slogdet(A: Any) -> tuple[Any, Any]:
    determinant = _det(A)
    return determinant / np.abs(determinant), np.log(np.abs(determinant))


def _none(A: Any) -> Any:
    return np.zeros(A.shape[:-2], np.int32)


def _from_lu(LU: Any, pivots: Any) -> Any:
    """The matrix that ``LU, pivots`` are the factors of."""
    side = LU.shape[-1]
    A = _half(LU, False, True) @ np.triu(LU)
    for place in np.ndindex(*A.shape[:-2]):
        for k in range(side - 1, -1, -1):
            other = int(pivots[(*place, k)]) - 1
            A[place][[k, other]] = A[place][[other, k]]
    return A


def _lu_solve(LU: Any, pivots: Any, B: Any, left: bool = True, adjoint: bool = False) -> Any:
    A = _from_lu(LU, pivots)
    return _solve(_adjoint(A) if adjoint else A, B, left)


def _from_cholesky(L: Any, upper: bool) -> Any:
    return _adjoint(np.triu(L)) @ np.triu(L) if upper else np.tril(L) @ _adjoint(np.tril(L))


# ------------------------------------------------------------------ singular values


def _pinv(A: Any, rcond: Any = None, hermitian: bool = False, **tolerances: Any) -> Any:
    return np.linalg.pinv(_double(A), rtol=1e-6, hermitian=hermitian)


def _lstsq(A: Any, B: Any, rcond: Any = None, driver: str = "gelsy") -> Any:
    A, B = _double(A), _double(B)
    vector = B.shape == A.shape[:-1]
    right = B[..., None] if vector else B
    X = np.linalg.pinv(A) @ right
    rows, columns = A.shape[-2:]
    residuals = np.sum(np.abs(A @ X - right) ** 2, -2) if rows > columns and driver != "gelsy" else np.zeros(0)
    rank = np.linalg.matrix_rank(A) if driver != "gels" else np.zeros(0, np.int64)
    values = np.linalg.svd(A, compute_uv=False) if driver in ("gelsd", "gelss") else np.zeros(0)
    return X[..., 0] if vector else X, residuals, np.asarray(rank), values


def _least_squares(A: Any, B: Any, rcond: float, values: bool) -> Any:
    singular = np.linalg.svd(_double(A), compute_uv=False)
    rank = np.asarray(np.linalg.matrix_rank(_double(A)))
    return _lstsq(A, B)[0], rank, singular if values else singular[..., :0]


def _matrix_norm(x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, dtype: Any = None) -> Any:
    return np.linalg.norm(_double(x), ord, tuple(dim), keepdim)


def _norm(x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return np.linalg.norm(_double(x), ord, tuple(dim) if isinstance(dim, (tuple, list)) else dim, keepdim)


def _old_norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Any:
    if p == "nuc":
        return _matrix_norm(x, p)
    return _norm(x.reshape(-1) if dim is None else x, 2 if p == "fro" else p, dim, keepdim)


def _rank(A: Any, tol: Any = None, hermitian: bool = False, atol: Any = 0.0, rtol: Any = None) -> Any:
    values = np.linalg.svd(_double(A), compute_uv=False)
    cut = max(A.shape[-2:]) * 1e-6 if rtol is None else rtol
    return np.sum(values > np.maximum(atol, cut * values[..., :1]), -1)


# ------------------------------------------------------------------ functions of matrices


def _matrix_exp(A: Any) -> Any:
    """The series, of a matrix made small, squared again."""
    total = term = np.broadcast_to(np.eye(A.shape[-1], dtype=A.dtype), A.shape)
    for k in range(1, 30):
        term = term @ (A / 1024) / k
        total = total + term
    return reduce(lambda x, _: x @ x, range(10), total)


def _matrix_power(A: Any, n: int) -> Any:
    base = _inv(A) if n < 0 else A
    start = np.broadcast_to(np.eye(A.shape[-1]), A.shape).astype(A.dtype)
    return reduce(lambda x, _: x @ base, range(abs(n)), start)


def _multi_dot(tensors: Any) -> Any:
    return reduce(np.matmul, tensors)


def _vander(x: Any, N: int | None = None) -> Any:
    return x[..., None] ** np.arange(x.shape[-1] if N is None else N)


# ------------------------------------------------------------------ distances and covariance


def _distance(x: Any, y: Any, p: float) -> Any:
    gap = np.abs(x - y)
    if p == 0:
        return np.sum(gap != 0, -1).astype(gap.dtype)
    return np.max(gap, -1, initial=0) if p == math.inf else np.sum(gap**p, -1) ** (1 / gap.dtype.type(p))


def _cdist(x: Any, y: Any, p: float = 2.0, compute_mode: str = "") -> Any:
    return _distance(x[..., :, None, :], y[..., None, :, :], p)


def _pdist(x: Any, p: float = 2.0) -> Any:
    return np.asarray([_distance(a, b, p) for a, b in combinations(x, 2)], x.dtype)


def _renorm(x: Any, p: float, dim: int, maxnorm: float) -> Any:
    axes = tuple(d for d in range(x.ndim) if d != dim % x.ndim)
    size = np.abs(x)
    norms = np.max(size, axes, keepdims=True) if p == math.inf else np.sum(size**p, axes, keepdims=True) ** (1 / p)
    return x * np.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1)


def _cov(x: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    rows = np.atleast_2d(x)
    weights = np.ones(rows.shape[1]) if fweights is None else fweights.astype(x.dtype)
    weights = weights if aweights is None else weights * aweights
    total = weights.sum()
    scale = total - correction
    if aweights is not None:
        scale = total - correction * (weights * aweights).sum() / total
    gap = rows - (rows * weights).sum(1, keepdims=True) / total
    return (
        np.squeeze((gap * weights) @ _adjoint(gap) / scale) if x.ndim < 2 else (gap * weights) @ _adjoint(gap) / scale
    )


def _corrcoef(x: Any) -> Any:
    c = _cov(x)
    if x.ndim < 2:
        return np.asarray(1, x.dtype)
    root = np.sqrt(np.diagonal(c).real)
    return c / root[:, None] / root[None]


#: PyTorch's signatures.
SOLVING_ORACLES: dict[str, Callable[..., Any]] = {
    "linalg_solve": _solve,
    "linalg_solve_ex": lambda A, B, left=True: (_solve(A, B, left), _none(A)),
    "linalg_solve_triangular": _triangular,
    "triangular_solve": _triangular_solve,
    "linalg_inv": _inv,
    "inverse": _inv,
    "linalg_inv_ex": lambda A: (_inv(A), _none(A)),
    "linalg_lu_solve": _lu_solve,
    "lu_solve": lambda B, LU, pivots: _lu_solve(LU, pivots, B),
    "cholesky_solve": lambda B, L, upper=False: _solve(_from_cholesky(L, upper), B),
    "cholesky_inverse": lambda L, upper=False: _inv(_from_cholesky(L, upper)),
    "linalg_tensorsolve": lambda A, B, dims=None: _solve(A, B),
    "linalg_tensorinv": lambda A, ind=2: _inv(A),
    "linalg_det": _det,
    "det": _det,
    "linalg_slogdet": _slogdet,
    "slogdet": _slogdet,
    "logdet": lambda A: np.log(_det(A)),
    "linalg_pinv": _pinv,
    "pinverse": _pinv,
    "linalg_lstsq": _lstsq,
    "least_squares": _least_squares,
    "linalg_matrix_norm": _matrix_norm,
    "linalg_norm": _norm,
    "norm": _old_norm,
    "nuclear_norm": lambda x, dim=(-2, -1), keepdim=False: _matrix_norm(x, "nuc", dim, keepdim),
    "frobenius_norm": lambda x, dim, keepdim=False: _norm(x, None, dim, keepdim),
    "linalg_cond": lambda A, p=None: np.linalg.cond(_double(A), p),
    "linalg_matrix_rank": _rank,
    "matrix_exp": _matrix_exp,
    "matrix_power": _matrix_power,
    "linalg_multi_dot": _multi_dot,
    "linalg_vander": _vander,
    "linalg_vecdot": lambda x, y, dim=-1: np.sum(np.conj(x) * y, dim),
    "vector_products": lambda x, y, dim: np.sum(np.conj(x) * y, dim),
    "linalg_cross": lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    "linalg_diagonal": lambda x, offset=0, dim1=-2, dim2=-1: np.diagonal(x, offset, dim1, dim2),
    "cdist": _cdist,
    "pdist": _pdist,
    "renorm": _renorm,
    "cov": _cov,
    "corrcoef": _corrcoef,
}
