"""Solves on the device ``jax``: programs of XLA that find singular matrices without reading values."""

from __future__ import annotations

import jax.numpy as jnp
from jax.lax import linalg

from tensorcore.backend.contract import Array


def _solved(A: Array, B: Array, lower: bool, unit: bool) -> Array:
    return linalg.triangular_solve(A, B, left_side=True, lower=lower, unit_diagonal=unit)


def _stacked(A: Array, B: Array) -> tuple[Array, Array]:
    lead = jnp.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    return jnp.broadcast_to(A, (*lead, *A.shape[-2:])), jnp.broadcast_to(B, (*lead, *B.shape[-2:]))


class JaxSolving:
    """The part of the backend that solves systems of linear equations."""

    def linalg_solve_ex(self, A: Array, B: Array) -> tuple[Array, Array]:
        factors, _, order = linalg.lu(A)
        zero = jnp.diagonal(factors, axis1=-2, axis2=-1) == 0
        info = jnp.where(zero.any(-1), zero.argmax(-1) + 1, 0) if A.shape[-1] else jnp.zeros(A.shape[:-2])
        wide, right = _stacked(factors, B)
        rows = jnp.broadcast_to(order, wide.shape[:-1])[..., None]
        right = jnp.take_along_axis(right, rows, axis=-2)
        return _solved(wide, _solved(wide, right, True, True), False, False), info.astype(jnp.int32)

    def linalg_inv_ex(self, A: Array) -> tuple[Array, Array]:
        return self.linalg_solve_ex(A, jnp.broadcast_to(jnp.eye(A.shape[-1], dtype=A.dtype), A.shape))

    def linalg_solve_triangular(self, A: Array, B: Array, *, upper: bool, unitriangular: bool) -> Array:
        wide, right = _stacked(A, B)
        return _solved(wide, right, not upper, unitriangular)
