"""Systems of linear equations by cuSOLVER and cuBLAS, through CuPy."""

from __future__ import annotations

from tensorcore.backend.array_solving import SolvingKernels
from tensorcore.backend.contract import Array
from tensorcore.dtypes import int32
from tensorcore.shapes import broadcast_shapes


class SolverKernels(SolvingKernels):
    """The part of the backend that solves."""

    # CuPy's functions of creation take no device: they make arrays on the current one.
    def _constant(self, value: int, like: Array) -> Array:
        return self.xp.asarray(value, dtype=like.dtype)

    def _counted(self, count: int, like: Array) -> Array:
        return self.xp.arange(count)

    def linalg_solve_ex(self, A: Array, B: Array) -> tuple[Array, Array]:
        if A.size and B.size:
            return super().linalg_solve_ex(A, B)
        shape = (*broadcast_shapes(A.shape[:-2], B.shape[:-2]), *B.shape[-2:])
        return self.xp.zeros(shape, B.dtype), self.xp.zeros(A.shape[:-2], self.natives[int32])

    def linalg_solve_triangular(self, A: Array, B: Array, *, upper: bool, unitriangular: bool) -> Array:
        from cupyx.scipy.linalg import solve_triangular

        xp, lead = self.xp, broadcast_shapes(A.shape[:-2], B.shape[:-2])
        right = xp.broadcast_to(B, (*lead, *B.shape[-2:]))
        if not right.size:
            return xp.zeros(right.shape, B.dtype)
        wide = xp.broadcast_to(A, (*lead, *A.shape[-2:]))
        return xp.ascontiguousarray(solve_triangular(wide, right, lower=not upper, unit_diagonal=unitriangular))
