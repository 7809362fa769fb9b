"""Matrix factorisations: LAPACK's as far as NumPy offers them, the others by whole arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.errors import RangeError
from tensorcore_cpu import lapack
from tensorcore_cpu.stacks import REAL, loop

#: Columns eliminated one by one before their product updates the rest.
_PANEL = 8
#: Sides from which on, and stacks up to which, a call of LAPACK for each matrix is faster than whole arrays.
_LOOPED, _FEW = 24, 16


def _matrices(array: Array) -> Array:
    """The matrices of a stack, in one dimension."""
    return array.reshape(math.prod(array.shape[:-2]), *array.shape[-2:])


class FactorizationKernels:
    """Kernels of the decompositions; what fails in one matrix of a stack leaves the others as they are."""

    # ---------------------------------------------------------------- elimination

    def linalg_cholesky_ex(self, input: Array, *, upper: bool) -> tuple[Array, Array]:
        lead = input.shape[:-2]
        if input.size and input.shape[-1] >= _LOOPED and lapack.has("potrf", input.dtype):
            factor, info = lapack.potrf(_matrices(input), upper)
            factor, info = factor.reshape(input.shape), info.reshape(lead)
        else:
            found = loop("cholesky_up" if upper else "cholesky_lo", f"{input.dtype.char}->{input.dtype.char}")
            info = np.zeros(lead, np.int32)
            try:
                factor = np.linalg.cholesky(input, upper=upper) if found is None else found(input)
            except np.linalg.LinAlgError:
                factor, info = input, np.ones(1, np.int32)
        # Not every LAPACK takes NaN for what is not positive; what is infinite makes the product infinite or NaN.
        flat = factor.reshape(-1)
        if not info.any() and (np.isfinite(np.vdot(flat, flat)) or np.isfinite(factor).all()):
            return factor, info
        # Which columns of the others are done depends on the library's blocks; here it is those before the failure.
        whole = np.conj(np.swapaxes(input, -1, -2)) if upper else input
        out, info = np.tril(whole), np.zeros(lead, np.int32)
        flat, infos = _matrices(out), info.reshape(-1)
        for place in range(flat.shape[0]):
            infos[place] = _cholesky(flat[place])
        return (np.ascontiguousarray(np.conj(np.swapaxes(out, -1, -2))) if upper else out), info

    def linalg_lu_factor_ex(self, A: Array, *, pivot: bool) -> tuple[Array, Array, Array]:
        rows, columns = A.shape[-2:]
        k, lead = min(rows, columns), A.shape[:-2]
        if pivot and A.size and (k >= _LOOPED or math.prod(lead) < _FEW) and lapack.has("getrf", A.dtype):
            packed, places, info = lapack.getrf(_matrices(A))
            return packed.reshape(A.shape), places.reshape(*lead, k), info.reshape(lead)
        out = np.array(A, order="C")
        flat = _matrices(out)
        pivots = np.empty((flat.shape[0], k), np.int32)
        pivots[:] = np.arange(1, k + 1)
        _eliminate(flat, pivots, 0, k, pivot)
        if columns > k:
            flat[:, :, k:] = _unit_solved(flat[:, :, :k], flat[:, :, k:])
        zero = np.diagonal(flat, axis1=-2, axis2=-1) == 0
        info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if k else np.zeros(flat.shape[0])
        return out, pivots.reshape(*lead, k), info.astype(np.int32).reshape(lead)

    def pivot_permutation(self, pivots: Array, *, rows: int) -> Array:
        flat = pivots.reshape(math.prod(pivots.shape[:-1]), pivots.shape[-1]).astype(np.int64) - 1
        order = np.empty((flat.shape[0], rows), np.int64)
        order[:] = np.arange(rows)
        every = np.arange(flat.shape[0])
        for step in range(min(flat.shape[1], rows)):
            other = flat[:, step]
            order[every, other], order[:, step] = order[:, step].copy(), order[every, other]
        return order.reshape(*pivots.shape[:-1], rows)

    if lapack.has("hetrf", np.dtype(complex)):

        def linalg_ldl_factor_ex(self, input: Array, *, hermitian: bool) -> tuple[Array, Array, Array]:
            packed, pivots, info = lapack.sytrf(_matrices(input), hermitian)
            lead = input.shape[:-2]
            return packed.reshape(input.shape), pivots.reshape(*lead, input.shape[-1]), info.reshape(lead)

        def linalg_ldl_solve(self, LD: Array, pivots: Array, B: Array, *, hermitian: bool) -> Array:
            lead = np.broadcast_shapes(LD.shape[:-2], B.shape[:-2])
            stack, right = (np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in (LD, B))
            places = np.broadcast_to(pivots, (*lead, pivots.shape[-1])).reshape(math.prod(lead), pivots.shape[-1])
            _require_pairs(places)
            return lapack.sytrs(_matrices(stack), places, _matrices(right), hermitian).reshape(right.shape)

    # ---------------------------------------------------------------- orthogonal factors

    def geqrf(self, input: Array) -> tuple[Array, Array]:
        packed, tau = np.linalg.qr(input, mode="raw")
        return np.ascontiguousarray(np.swapaxes(packed, -1, -2)), tau

    def linalg_qr(self, A: Array, *, mode: str) -> tuple[Array, Array]:
        if mode == "r":
            return np.empty(0, A.dtype), np.linalg.qr(A, mode="r")
        wide = "D" if A.dtype.kind == "c" else "d"
        rows, columns = A.shape[-2:]
        whole = mode == "complete" and rows > columns
        raw = loop("qr_r_raw", f"{wide}->{wide}")
        product = loop("qr_complete" if whole else "qr_reduced", f"{wide}{wide}->{wide}")
        if raw is None or product is None or not A.size:
            Q, R = np.linalg.qr(A, mode=mode)
            return Q, R
        packed = A.astype(wide)
        Q = product(packed, raw(packed)).astype(A.dtype, copy=False)
        count = rows if whole else min(rows, columns)
        R = packed[..., :count, :].astype(A.dtype)
        np.copyto(R, 0, where=_below(count, columns))
        return Q, R

    # ---------------------------------------------------------------- spectra

    def linalg_eigh(self, input: Array, *, upper: bool) -> tuple[Array, ...]:
        char = input.dtype.char
        found = loop("eigh_up" if upper else "eigh_lo", f"{char}->{REAL.get(char)}{char}")
        if found is not None:
            return tuple(found(input))
        return _where_it_converges(lambda x: np.linalg.eigh(x, "U" if upper else "L"), input)

    def linalg_eigvalsh(self, input: Array, *, upper: bool) -> Array:
        return _where_it_converges(lambda x: (np.linalg.eigvalsh(x, "U" if upper else "L"),), input)[0]

    def linalg_eig(self, input: Array) -> tuple[Array, Array]:
        wide = np.result_type(input.dtype, np.complex64)
        values, vectors = np.linalg.eig(input)
        # Eigenvalues that happen to be real come as real numbers.
        return values.astype(wide, copy=False), vectors.astype(wide, copy=False)

    def linalg_eigvals(self, input: Array) -> Array:
        return np.linalg.eigvals(input).astype(np.result_type(input.dtype, np.complex64), copy=False)

    def linalg_svd(self, A: Array, *, full_matrices: bool) -> tuple[Array, ...]:
        char = A.dtype.char
        found = loop("svd_f" if full_matrices else "svd_s", f"{char}->{char}{REAL.get(char)}{char}")
        if found is not None:
            return tuple(found(A))
        return _where_it_converges(lambda x: np.linalg.svd(x, full_matrices), A)

    def linalg_svdvals(self, A: Array) -> Array:
        return _where_it_converges(lambda x: (np.linalg.svd(x, compute_uv=False),), A)[0]


@lru_cache(maxsize=64)
def _below(rows: int, columns: int) -> Array:
    """Where a matrix lies below its diagonal."""
    return np.tri(rows, columns, -1, dtype=bool)


def _require_pairs(pivots: Array) -> None:
    """Refuse negative pivots without a second one, after which LAPACK would read beyond the matrix."""
    negative = pivots < 0
    if not negative.any():
        return
    steps = np.arange(pivots.shape[-1])
    begin = np.maximum.accumulate(np.where(negative, 0, steps + 1), -1)
    opens = negative & ((steps - begin) % 2 == 0)
    if opens[:, -1].any() or (opens[:, :-1] & ~negative[:, 1:]).any():
        raise RangeError("linalg.ldl_solve: negative pivots come in pairs, as linalg.ldl_factor returns them")


def _where_it_converges(function: Callable[[Array], tuple[Array, ...]], stack: Array) -> tuple[Array, ...]:
    """``function`` of a stack of matrices; where LAPACK gives up on one, its parts are NaN."""
    try:
        return tuple(function(stack))
    except np.linalg.LinAlgError:
        pass
    found = []
    for each in _matrices(stack):
        try:
            found.append(tuple(function(each)))
        except np.linalg.LinAlgError:
            found.append(tuple(np.full_like(part, np.nan) for part in function(np.zeros_like(each))))
    lead = stack.shape[:-2]
    return tuple(np.stack(parts).reshape(*lead, *parts[0].shape) for parts in zip(*found, strict=True))


def _cholesky(out: Array) -> int:
    """Factorise one matrix in its lower triangle, column by column; the first order that fails, or 0."""
    for step in range(out.shape[0]):
        row = out[step, :step]
        pivot = (out[step, step] - np.vdot(row, row)).real
        if not pivot > 0:
            out[step, step] = pivot
            return step + 1
        out[step, step] = root = np.sqrt(pivot)
        out[step + 1 :, step] = (out[step + 1 :, step] - out[step + 1 :, :step] @ row.conj()) / root
    return 0


def _size(x: Array) -> Array:
    return np.abs(x.real) + np.abs(x.imag) if x.dtype.kind == "c" else np.abs(x)


def _unit_solved(lower: Array, right: Array) -> Array:
    """``inv(L) @ right`` for unit lower triangular L, stored with something else above its diagonal."""
    clean = np.tril(lower, -1)
    steps = np.arange(clean.shape[-1])
    clean[..., steps, steps] = 1
    return np.linalg.solve(clean, right)


def _eliminate(stack: Array, pivots: Array, begin: int, end: int, pivot: bool) -> None:
    """LU of the columns from ``begin`` to ``end``, in place, by halves (Toledo 1997); rows are exchanged whole."""
    if end - begin > _PANEL:
        middle = (begin + end) // 2
        _eliminate(stack, pivots, begin, middle, pivot)
        left = stack[:, begin:, begin:middle]
        top = stack[:, begin:middle, middle:end]
        top[...] = _unit_solved(left[:, : middle - begin], top)
        stack[:, middle:, middle:end] -= left[:, middle - begin :] @ top
        _eliminate(stack, pivots, middle, end, pivot)
        return
    every = np.arange(stack.shape[0])
    for step in range(begin, end):
        if pivot:
            places = _size(stack[:, step:, step]).argmax(-1) + step
            pivots[:, step] = places + 1
            if stack.shape[0] == 1:
                place = places[0]
                if place != step:
                    stack[0, [step, place]] = stack[0, [place, step]]
            else:
                stack[every, places], stack[:, step] = stack[:, step].copy(), stack[every, places]
        corner = stack[:, step : step + 1, step]
        column = stack[:, step + 1 :, step]
        column /= np.where(corner == 0, 1, corner)
        if step + 1 < end:
            stack[:, step + 1 :, step + 1 : end] -= column[..., None] * stack[:, step : step + 1, step + 1 : end]
