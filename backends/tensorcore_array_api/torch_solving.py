"""Solves on the device ``torch``, by functions that tell which matrix is singular."""

from __future__ import annotations

import torch

from tensorcore.backend.contract import Array


class TorchSolving:
    """The part of the backend that solves systems of linear equations."""

    def linalg_solve_ex(self, A: Array, B: Array) -> tuple[Array, Array]:
        # As many dimensions as the matrices have, lest the right side be taken for vectors.
        right = B.expand(*A.shape[: max(A.ndim - B.ndim, 0)], *B.shape)
        result, info = torch.linalg.solve_ex(A, right)
        return result, info

    def linalg_inv_ex(self, A: Array) -> tuple[Array, Array]:
        inverse, info = torch.linalg.inv_ex(A)
        return inverse, info

    def linalg_solve_triangular(self, A: Array, B: Array, *, upper: bool, unitriangular: bool) -> Array:
        return torch.linalg.solve_triangular(A, B, upper=upper, unitriangular=unitriangular)
