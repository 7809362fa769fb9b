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


def _pivot(a: Any, k: int) -> tuple[int, int]:
    """(row to exchange, columns of the pivot) of Bunch and Kaufman's choice in the symmetric matrix left from k on."""
    alpha = (1 + np.sqrt(17)) / 8
    size = np.abs(a.real) + np.abs(a.imag)
    beside = np.append(size[k + 1 :, k], 0.0)
    r = k + 1 + int(np.argmax(beside))
    if max(size[k, k], beside.max()) == 0 or size[k, k] >= alpha * beside.max():
        return k, 1
    across = np.delete(size[r, k:], r - k).max()
    if size[k, k] * across >= alpha * beside.max() ** 2:
        return k, 1
    return (r, 1) if size[r, r] >= alpha * across else (r, 2)


def _ldl(x: Any, *, hermitian: bool = False) -> tuple[Any, Any, Any]:
    """(packed, pivots, info) as LAPACK stores them; each step subtracts ``C inv(D) C^H`` (or ``C^T``) from the rest."""
    lower = np.tril(x, -1)
    a = lower + (_adjoint(lower) if hermitian else lower.T) + np.diag(np.diag(x).real if hermitian else np.diag(x))
    out, pivots, info, k = np.zeros_like(a), np.zeros(len(a), np.int32), 0, 0
    while k < len(a):
        other, width = _pivot(a, k)
        end, order = k + width, np.arange(len(a))
        order[[end - 1, other]] = order[[other, end - 1]]
        a[k:, k:] = a[np.ix_(order, order)][k:, k:]
        pivots[k:end] = other + 1 if width == 1 else -(other + 1)
        block, beside = a[k:end, k:end], a[end:, k:end].copy()
        out[k:end, k:end] = np.tril(block)
        if np.any(block):
            factor = np.linalg.solve(block.T, beside.T).T
            a[end:, end:] -= factor @ (_adjoint(beside) if hermitian else beside.T)
            out[end:, k:end] = factor
        else:
            info = info or k + 1
        k = end
    return out, pivots, np.int32(info)


def _ldl_solve(packed: Any, pivots: Any, right: Any, *, hermitian: bool = False) -> Any:
    """From the matrix itself, put together of exchanges and eliminations one by one."""
    packed, lead = double(packed), np.broadcast_shapes(packed.shape[:-2], right.shape[:-2])
    side = packed.shape[-1]
    out = np.zeros((*lead, *right.shape[-2:]), packed.dtype)
    right = np.broadcast_to(double(right), out.shape)
    packed, pivots = (np.broadcast_to(x, (*lead, *x.shape[len(x.shape) - n :])) for x, n in ((packed, 2), (pivots, 1)))
    for place in np.ndindex(*lead):
        D, whole, k = np.zeros((side, side), packed.dtype), np.eye(side, dtype=packed.dtype), 0
        while k < side:
            end = k + (1 if pivots[place][k] > 0 else 2)
            block = packed[place][k:end, k:end]
            strict = np.tril(block, -1)
            middle = np.diag(np.diag(block).real if hermitian else np.diag(block))
            D[k:end, k:end] = strict + middle + (_adjoint(strict) if hermitian else strict.T)
            order, step = np.arange(side), np.eye(side, dtype=packed.dtype)
            other = abs(int(pivots[place][k])) - 1
            order[[end - 1, other]] = order[[other, end - 1]]
            step[end:, k:end] = packed[place][end:, k:end]
            whole, k = whole @ np.eye(side)[order].T @ step, end
        A = whole @ D @ (_adjoint(whole) if hermitian else whole.T)
        out[place] = np.linalg.solve(A, right[place])
    return out


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
    "linalg_ldl_factor_ex": each(_ldl),
    "linalg_ldl_factor": each(lambda x, **more: _ldl(x, **more)[:2]),
    "linalg_ldl_solve": _ldl_solve,
    "linalg_eigh": lambda x, UPLO="L": np.linalg.eigh(double(x), UPLO),
    "linalg_eigvalsh": lambda x, UPLO="L": np.linalg.eigvalsh(double(x), UPLO),
    "linalg_eig": lambda x: np.linalg.eig(double(x).astype(np.complex128)),
    "linalg_eigvals": lambda x: np.linalg.eigvals(double(x).astype(np.complex128)),
    "linalg_svd": _svd,
    "linalg_svdvals": lambda x, driver=None: np.linalg.svd(double(x), compute_uv=False),
    "svd": _old_svd,
}
