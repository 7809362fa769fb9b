"""What NumPy says of decompositions and spectra; textbook eliminations, matrix by matrix, where it has none.

LAPACK computes in double precision at most, so operands of the oracle's precision are rounded to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["LINALG_ORACLES"]


def double(x: Any) -> Any:
    """``x`` in the precision LAPACK has."""
    return x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)


def _adjoint(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of one matrix, for stacks of them."""

    def oracle(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = double(x)
        flat = [function(matrix, *args, **kwargs) for matrix in x.reshape(int(np.prod(x.shape[:-2])), *x.shape[-2:])]
        if not flat:
            raise NotImplementedError
        lead = x.shape[:-2]
        return tuple(np.stack(part).reshape((*lead, *np.shape(part[0]))) for part in zip(*flat, strict=True))

    return oracle


def _lu(x: Any, *, pivot: bool = True) -> tuple[Any, Any, Any, Any]:
    """(packed, pivots, info, permutation matrix) by rows, as on paper."""
    out, rows = x.copy(), x.shape[0]
    order, pivots, info = np.arange(rows), [], 0
    for k in range(min(x.shape)):
        sizes = np.abs(out[k:, k].real) + np.abs(out[k:, k].imag)
        best = k + int(np.argmax(sizes)) if pivot else k
        pivots.append(best + 1)
        out[[k, best]], order[[k, best]] = out[[best, k]], order[[best, k]]
        if out[k, k] == 0:
            info = info or k + 1
            continue
        for i in range(k + 1, rows):
            out[i, k] /= out[k, k]
            out[i, k + 1 :] -= out[i, k] * out[k, k + 1 :]
    return out, np.array(pivots, np.int32), np.int32(info), np.eye(rows, dtype=x.dtype)[order].T


def _parts(packed: Any) -> tuple[Any, Any]:
    k = min(packed.shape[-2:])
    return np.tril(packed[..., :k], -1) + np.eye(packed.shape[-2], k), np.triu(packed[..., :k, :])


def _lu_unpack(packed: Any, pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    rows = packed.shape[-2]
    order = np.broadcast_to(np.arange(rows), (*packed.shape[:-2], rows)).copy()
    for place in np.ndindex(*pivots.shape):
        row = order[place[:-1]]
        a, b = place[-1], int(pivots[place]) - 1
        row[a], row[b] = row[b], row[a]
    matrix = np.swapaxes(np.eye(rows, dtype=packed.dtype)[order], -1, -2)
    empty = np.zeros(0, packed.dtype)
    return matrix if unpack_pivots else empty, *(_parts(packed) if unpack_data else (empty, empty))


def _permutation(pivots: Any, *, rows: int) -> Any:
    matrix = _lu_unpack(np.zeros((*pivots.shape[:-1], rows, 1)), pivots)[0]
    return np.argmax(matrix, -2)


def _cholesky(x: Any, upper: bool = False) -> Any:
    return np.linalg.cholesky(double(x), upper=upper)


def _geqrf(x: Any) -> Any:
    packed, tau = np.linalg.qr(double(x), mode="raw")
    return np.swapaxes(packed, -1, -2), tau


def _qr(x: Any, mode: str = "reduced") -> Any:
    x = double(x)
    return (np.zeros(0, x.dtype), np.linalg.qr(x, mode="r")) if mode == "r" else np.linalg.qr(x, mode=mode)


def _reflected(x: Any, tau: Any, other: Any) -> Any:
    """One reflector after the other, the last first, from the left."""
    out = double(other)
    for k in range(tau.shape[-1] - 1, -1, -1):
        v = np.tril(double(x), -1)[..., k : k + 1]
        v[..., k, 0] = 1
        out = out - tau[..., k, None, None] * v @ (_adjoint(v) @ out)
    return out


def _householder(x: Any, tau: Any) -> Any:
    return _reflected(x, tau, np.broadcast_to(np.eye(x.shape[-2])[:, : x.shape[-1]], x.shape).astype(x.dtype))


def _ormqr(x: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    rows = x.shape[-2]
    square = np.broadcast_to(np.eye(rows), (*x.shape[:-2], rows, rows)).astype(x.dtype)
    matrix = _reflected(x, tau, square)
    matrix = _adjoint(matrix) if transpose else matrix
    return matrix @ other if left else other @ matrix


def _svd(x: Any, full_matrices: bool = True, driver: Any = None) -> Any:
    return np.linalg.svd(double(x), full_matrices=full_matrices)


def _old_svd(x: Any, some: bool = True, compute_uv: bool = True) -> Any:
    U, S, Vh = np.linalg.svd(double(x), full_matrices=not some)
    return U, S, _adjoint(Vh)


#: PyTorch's signatures; the samples' observations take away what is free.
LINALG_ORACLES: dict[str, Callable[..., Any]] = {
    "linalg_cholesky": _cholesky,
    "linalg_cholesky_ex": lambda x, upper=False: (_cholesky(x, upper), np.zeros(x.shape[:-2], np.int32)),
    "cholesky": _cholesky,
    "linalg_lu_factor_ex": each(lambda x, pivot=True: _lu(x, pivot=pivot)[:3]),
    "linalg_lu_factor": each(lambda x, pivot=True: _lu(x, pivot=pivot)[:2]),
    "linalg_lu": each(lambda x, pivot=True: (_lu(x, pivot=pivot)[3], *_parts(_lu(x, pivot=pivot)[0]))),
    "lu": each(lambda x, pivot=True: _lu(x, pivot=pivot)[:2]),
    "lu_unpack": _lu_unpack,
    "pivot_permutation": _permutation,
    "geqrf": _geqrf,
    "linalg_householder_product": _householder,
    "orgqr": _householder,
    "ormqr": _ormqr,
    "linalg_qr": _qr,
    "qr": lambda x, some=True: _qr(x, "reduced" if some else "complete"),
    "linalg_eigh": lambda x, UPLO="L": np.linalg.eigh(double(x), UPLO),
    "linalg_eigvalsh": lambda x, UPLO="L": np.linalg.eigvalsh(double(x), UPLO),
    "linalg_eig": lambda x: np.linalg.eig(double(x).astype(np.complex128)),
    "linalg_eigvals": lambda x: np.linalg.eigvals(double(x).astype(np.complex128)),
    "linalg_svd": _svd,
    "linalg_svdvals": lambda x, driver=None: np.linalg.svd(double(x), compute_uv=False),
    "svd": _old_svd,
}
