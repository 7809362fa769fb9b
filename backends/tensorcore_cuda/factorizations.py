"""Decompositions and spectra by cuSOLVER, through CuPy; those of general matrices by NumPy's LAPACK."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from tensorcore.backend.array_linalg import DecompositionKernels
from tensorcore.backend.contract import Array

#: Sides from which on, and stacks up to which, a call of cuSOLVER for each matrix is faster than whole arrays.
_LOOPED: Final = 24
_FEW: Final = 16


class FactorizationKernels(DecompositionKernels):
    """The part of the backend that factorises. Arrays without elements are left to NumPy, which takes them all."""

    _composed: Callable[..., Any]

    def _on_host(self, function: Callable[[Any], Any], x: Array) -> tuple[Array, ...]:
        """The parts that a function of NumPy's finds."""
        parts = function(x.get())
        return tuple(self.xp.asarray(part) for part in (parts if isinstance(parts, tuple) else (parts,)))

    def _in_rows(self, parts: tuple[Array, ...]) -> tuple[Array, ...]:
        """cuSOLVER's arrays have columns first."""
        return tuple(self.xp.ascontiguousarray(part) for part in parts)

    def linalg_cholesky_ex(self, input: Array, *, upper: bool) -> tuple[Array, Array]:
        from cupyx import errstate

        if not input.size:
            return input.copy(), self.xp.zeros(input.shape[:-2], np.int32)
        # By default CuPy returns whatever cuSOLVER left where it failed.
        with errstate(linalg="raise"):
            factor, info = super().linalg_cholesky_ex(input, upper=upper)
        return self.xp.ascontiguousarray(factor), info

    def linalg_lu_factor_ex(self, A: Array, *, pivot: bool) -> tuple[Array, ...]:
        from cupyx.scipy.linalg import lu_factor

        xp, k, lead = self.xp, min(A.shape[-2:]), A.shape[:-2]
        if not (pivot and A.size and k >= _LOOPED and math.prod(lead) < _FEW):
            return self._composed("linalg_lu_factor_ex", (A,), {"pivot": pivot})
        with warnings.catch_warnings():
            # Of singular matrices, which ``info`` names.
            warnings.simplefilter("ignore", RuntimeWarning)
            found = [lu_factor(each, check_finite=False) for each in A.reshape(-1, *A.shape[-2:])]
        packed = xp.stack([part for part, _ in found]).reshape(A.shape)
        pivots = xp.stack([part for _, part in found]).reshape(*lead, k).astype(np.int32) + np.int32(1)
        zero = xp.diagonal(packed, axis1=-2, axis2=-1) == 0
        info = xp.where(zero.any(-1), zero.argmax(-1) + 1, 0).astype(np.int32)
        return self._in_rows((packed, pivots, info))

    def linalg_qr(self, A: Array, *, mode: str) -> tuple[Array, ...]:
        if not A.size:
            Q, R = self._on_host(lambda x: tuple(np.linalg.qr(x, mode="reduced" if mode == "r" else mode)), A)
        else:
            Q, R = self.xp.linalg.qr(A, mode="reduced" if mode == "r" else mode)
        return self._in_rows((self.xp.zeros(0, A.dtype) if mode == "r" else Q, R))

    def linalg_eigh(self, input: Array, *, upper: bool) -> tuple[Array, ...]:
        if not input.size:
            return self._on_host(lambda x: tuple(np.linalg.eigh(x)), input)
        return self._in_rows(super().linalg_eigh(input, upper=upper))

    def linalg_eigvalsh(self, input: Array, *, upper: bool) -> Array:
        if not input.size:
            return self._on_host(np.linalg.eigvalsh, input)[0]
        return super().linalg_eigvalsh(input, upper=upper)

    def linalg_eig(self, input: Array) -> tuple[Array, Array]:
        wide = np.result_type(input.dtype, np.complex64)
        values, vectors = self._on_host(lambda x: tuple(np.linalg.eig(x.astype(wide))), input)
        return values, vectors

    def linalg_eigvals(self, input: Array) -> Array:
        wide = np.result_type(input.dtype, np.complex64)
        return self._on_host(lambda x: np.linalg.eigvals(x).astype(wide), input)[0]

    def linalg_svd(self, A: Array, *, full_matrices: bool) -> tuple[Array, ...]:
        if not A.size:
            return self._on_host(lambda x: tuple(np.linalg.svd(x, full_matrices)), A)
        return self._in_rows(super().linalg_svd(A, full_matrices=full_matrices))

    def linalg_svdvals(self, A: Array) -> Array:
        if not A.size:
            return self._on_host(lambda x: np.linalg.svd(x, compute_uv=False), A)[0]
        return self._where_finite(lambda x: self.xp.linalg.svd(x, compute_uv=False), A)[0]
