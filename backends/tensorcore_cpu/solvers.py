"""Systems of linear equations by NumPy's LAPACK, stacks of matrices at once."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu import blas
from tensorcore_cpu.least_squares import LeastSquaresKernels

#: Unknowns of a triangular system that one call of LAPACK finds; the rest goes through matrix products.
_BLOCK: Final = 64

#: Sides from which on, and stacks up to which, a call of BLAS for each matrix is faster than one of NumPy for all.
_LOOPED, _FEW = 24, 16


class SolveKernels(LeastSquaresKernels):
    """The part of the backend that solves; singular matrices give NaN and leave the others of a stack as they are."""

    #: Of the backend.
    linalg_lu_factor_ex: Any

    def linalg_solve_ex(self, A: Array, B: Array) -> tuple[Array, Array]:
        try:
            return np.linalg.solve(A, B), np.zeros(A.shape[:-2], np.int32)
        except np.linalg.LinAlgError:
            regular, info = self._replaced(A)
        result = np.linalg.solve(regular, B)
        return np.where((info != 0)[..., None, None], np.nan, result).astype(result.dtype), info

    def linalg_inv_ex(self, A: Array) -> tuple[Array, Array]:
        try:
            return np.linalg.inv(A), np.zeros(A.shape[:-2], np.int32)
        except np.linalg.LinAlgError:
            regular, info = self._replaced(A)
        result = np.linalg.inv(regular)
        result[info != 0] = np.nan
        return result, info

    def _replaced(self, A: Array) -> tuple[Array, Array]:
        """The matrices with the identity in place of the singular ones, and where these have their first zero."""
        info = np.array(self.linalg_lu_factor_ex(A, pivot=True)[2])
        # LAPACK may round to a zero where another order of the same sums does not.
        info[(info == 0) & (np.linalg.slogdet(A)[0] == 0)] = A.shape[-1]
        regular = np.array(A)
        regular[info != 0] = np.eye(A.shape[-1], dtype=A.dtype)
        return regular, info

    def linalg_solve_triangular(self, A: Array, B: Array, *, upper: bool, unitriangular: bool) -> Array:
        lead = A.shape[:-2]
        if lead != B.shape[:-2]:
            lead = np.broadcast_shapes(lead, B.shape[:-2])
        out = np.empty((*lead, *B.shape[-2:]), B.dtype)
        out[...] = B
        side = A.shape[-1]
        if not out.size:
            return out
        count = math.prod(lead)
        if (side >= _LOOPED or count < _FEW) and blas.has_trsm(A.dtype):
            matrices = A if A.ndim == out.ndim and A.shape[:-2] == lead else np.broadcast_to(A, (*lead, side, side))
            blas.trsm(matrices.reshape(count, side, side), out.reshape(count, side, -1), upper, unitriangular)
            return out
        if side < _LOOPED:
            _substituted(A, out, upper, unitriangular)
        elif not upper:
            # Backwards in both directions it is an upper one, which LAPACK's general solver needs no pivots for.
            _upper_substituted(A[..., ::-1, ::-1], out[..., ::-1, :], unitriangular)
        else:
            _upper_substituted(A, out, unitriangular)
        return out

    def linalg_det(self, A: Array) -> Array:
        return np.asarray(np.linalg.det(A))

    def linalg_slogdet(self, A: Array) -> tuple[Array, Array]:
        sign, size = np.linalg.slogdet(A)
        return np.asarray(sign), np.asarray(size)


def _substituted(A: Array, out: Array, upper: bool, unit: bool) -> None:
    """Write the solution over the right-hand side ``out``, an unknown of all matrices of a large stack at a time."""
    *lead, side, columns = out.shape
    count = math.prod(lead)
    matrices = np.broadcast_to(A, (*lead, side, side)).reshape(count, side, side)
    # What belongs to one place of all matrices lies side by side.
    factors, found = (
        np.ascontiguousarray(np.moveaxis(x, 0, -1)) for x in (matrices, out.reshape(count, side, columns))
    )
    for step in range(side - 1, -1, -1) if upper else range(side):
        known = slice(step + 1, None) if upper else slice(0, step)
        row = found[step]
        if known.start != known.stop and known.start != side:
            row -= np.add.reduce(factors[step, known, None] * found[known], 0)
        if not unit:
            row /= factors[step, step]
    out[...] = np.moveaxis(found, -1, 0).reshape(out.shape)


def _upper_substituted(A: Array, out: Array, unit: bool) -> None:
    """Write the solution over the right-hand side ``out``, by blocks from the last."""
    side = A.shape[-1]
    for last in range(side, 0, -_BLOCK):
        first = max(last - _BLOCK, 0)
        part = out[..., first:last, :]
        if last < side:
            part -= A[..., first:last, last:] @ out[..., last:, :]
        part[...] = _upper_solved(A[..., first:last, first:last], part, unit)


def _upper_solved(A: Array, B: Array, unit: bool) -> Any:
    clean = np.triu(A, 1 if unit else 0)
    steps = np.arange(A.shape[-1])
    if unit:
        clean[..., steps, steps] = 1
    if clean[..., steps, steps].all():
        return np.linalg.solve(clean, B)
    out = np.array(B)
    for step in steps[::-1]:
        # A zero on the diagonal divides as it is, into inf and NaN.
        out[..., step, :] /= clean[..., step, step, None]
        out[..., :step, :] -= clean[..., :step, step, None] * out[..., step, None, :]
    return out
