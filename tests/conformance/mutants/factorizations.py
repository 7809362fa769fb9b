"""Faults of linear algebra: triangles, signs, vectors that do not belong to their values, swallowed errors."""

from __future__ import annotations

import numpy as np

from tests.conformance.mutants.table import after, before, forced, mutant, on, through

mutant(
    "solve_other_triangle",
    "linalg_solve_triangular",
    "values",
    "takes the lower triangle for the upper",
    forced(upper=lambda up: not up),
)
mutant(
    "solve_reads_the_diagonal",
    "linalg_solve_triangular",
    "values",
    "ignores ``unitriangular``",
    forced(unitriangular=False),
)
mutant("cholesky_is_upper", "linalg_cholesky_ex", "values", "returns the upper factor", forced(upper=True))
mutant(
    "cholesky_swallows_errors",
    "linalg_cholesky_ex",
    "cholesky of negative",
    "says success for indefinite matrices",
    after(np.zeros_like, 1),
    subject="errors",
)
mutant(
    "inverse_swallows_errors",
    "linalg_inv_ex",
    "inverse of singular",
    "says success for singular matrices",
    after(np.zeros_like, 1),
    subject="errors",
)
mutant("det_without_sign", "linalg_det", "values", "forgets the rows exchanged", after(np.abs))
mutant("svd_sign_of_u", "linalg_svd", "values", "changes the sign of U but not of Vh", after(np.negative, 0))
mutant(
    "svd_permutes_vectors", "linalg_svd", "values", "reverses the columns of U", after(lambda u: u[..., ::-1].copy(), 0)
)
mutant("svd_full_always", "linalg_svd", "values", "ignores ``full_matrices``", forced(full_matrices=True))
mutant(
    "eigh_transposed",
    "linalg_eigh",
    "values",
    "returns eigenvectors in rows",
    after(lambda v: v.swapaxes(-1, -2).copy(), 1),
)
mutant(
    "eigh_descends",
    "linalg_eigh",
    "values",
    "puts the largest eigenvalue first",
    lambda k: lambda x, **asked: tuple(y[..., ::-1].copy() for y in k(x, **asked)),
)
mutant("eigh_conjugates_vectors", "linalg_eigh", "values", "conjugates complex eigenvectors", after(np.conjugate, 1))
mutant("qr_sign_of_r", "linalg_qr", "values", "changes the sign of R but not of Q", after(np.negative, 1))
mutant("lu_counts_from_zero", "linalg_lu_factor_ex", "values", "counts pivots from 0", after(lambda p: p - 1, 1))
mutant(
    "cross_reversed", "linalg_cross", "values", "swaps its operands", lambda k: lambda x, y, **asked: k(y, x, **asked)
)
mutant(
    "cdist_by_products",
    "cdist",
    "far",
    "subtracts squares, without digits for close points",
    on(
        "f",
        lambda k: (
            lambda x, y, *, p, mm: (
                k(x, y, p=p, mm=mm)
                if p != 2
                else np.sqrt(
                    np.maximum(
                        (x * x).sum(-1)[..., :, None] + (y * y).sum(-1)[..., None, :] - 2 * (x @ y.swapaxes(-1, -2)), 0
                    )
                ).astype(x.dtype)
            )
        ),
    ),
)
mutant(
    "solve_in_float32", "linalg_solve_ex", "values", "computes float64 in float32", on("float64", through("float32"))
)
mutant("inverse_of_adjoint", "linalg_inv_ex", "values", "transposes", before(lambda x: x.swapaxes(-1, -2)))
