"""The largest singular values and the extreme eigenvalues of large matrices, without factorising them.

Halko, Martinsson and Tropp, "Finding structure with randomness: probabilistic algorithms for constructing approximate
matrix decompositions" (2011); Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block
preconditioned conjugate gradient method" (2001), with the orthonormalisation of Stathopoulos and Wu, "A block
orthogonalization procedure with constant synchronization requirements" (2002).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import finfo
from tensorcore.errors import ArgumentError, RangeError, ShapeError
from tensorcore.ops.decompositions import filled, identity, joined
from tensorcore.ops.joining import adjoint
from tensorcore.ops.matrix_checks import require_floating, require_matrix, require_square, solvable
from tensorcore.ops.orthogonal import linalg_qr
from tensorcore.ops.record import composite
from tensorcore.ops.spectra import linalg_eigh, linalg_svd

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

# ------------------------------------------------------------------ singular values


def _drawn(rows: int, columns: int, like: Any) -> Any:
    from tensorcore.ops.random import randn

    return randn(rows, columns, dtype=like.dtype, device=like.device)


def _range_of(A: Any, q: int, niter: int) -> Any:
    """An orthonormal basis of nearly the span of the first ``q`` left singular vectors."""
    basis = linalg_qr(A @ _drawn(A.shape[-1], q, A))[0]
    for _ in range(niter):
        basis = linalg_qr(adjoint(A) @ basis)[0]
        basis = linalg_qr(A @ basis)[0]
    return basis


def _truncated(A: Any, q: int, niter: int) -> tuple[Any, Any, Any]:
    if A.shape[-2] < A.shape[-1]:
        U, S, V = _truncated(adjoint(A), q, niter)
        return V, S, U
    basis = _range_of(A, q, niter)
    U, S, Vh = linalg_svd(adjoint(basis) @ A, full_matrices=False)
    return basis @ U, S, adjoint(Vh)


@composite(namespaces=("",), operands=("A",), random=True)
def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> Any:
    """(U, S, V) with about the ``q`` largest singular values of (..., m, n) matrices ``A``, or ``A - M``.

    The span is found by ``niter`` power iterations from random vectors: PyTorch's numbers for the same seed.

    Example:
        >>> U, S, V = tc.svd_lowrank(tc.eye(3) * 2, q=2)
        >>> S.round(decimals=4)
        tensor([2., 2.])
    """
    require_matrix("svd_lowrank", "A", A)
    solvable(A.dtype, "svd_lowrank")
    _require_iterations("svd_lowrank", niter)
    whole = A if M is None else A - M.broadcast_to(A.shape)
    return _truncated(whole, 6 if q is None else q, 2 if niter is None else niter)


def _require_iterations(op: str, niter: int | None) -> None:
    if niter is not None and niter < 0:
        raise RangeError(f"{op}: niter must not be negative, got {niter}")


@composite(namespaces=("",), operands=("A",), random=True)
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """(U, S, V) of the ``q`` principal components of (..., m, n) matrices of m samples; see `svd_lowrank`.

    ``q`` is min(6, m, n) by default; with ``center`` the mean of the rows is taken off first.

    Example:
        >>> U, S, V = tc.pca_lowrank(tc.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]]), q=1)
        >>> S
        tensor([1.4142])
    """
    require_matrix("pca_lowrank", "A", A)
    solvable(A.dtype, "pca_lowrank")
    rows, columns = A.shape[-2:]
    _require_iterations("pca_lowrank", niter)
    count = min(6, rows, columns) if q is None else q
    if not 0 <= count <= min(rows, columns):
        raise RangeError(f"pca_lowrank: q must be from 0 to min(m, n) = {min(rows, columns)}, got {q}")
    return _truncated(A - A.mean(-2, keepdim=True) if center else A, count, niter)


# ------------------------------------------------------------------ extreme eigenvalues


class _Search:
    """The state of a search for eigenpairs, which a ``tracker`` sees at each step, under PyTorch's names."""

    def __init__(self, A: Any, B: Any, X: Any, iK: Any, iparams: Any, fparams: Any, bparams: Any) -> None:
        self.A, self.B, self.iK = A, B, iK
        self.iparams, self.fparams, self.bparams = iparams, fparams, bparams
        self.ivars = {"istep": 0, "converged_count": 0}
        self.fvars: dict[str, float] = {}
        self.bvars = {"force_stop": False}
        self.tvars: dict[str, Any] = {}
        self.E: Any = None
        self.X, self.R, self.S = X, filled(X.shape, 0, X), X

    def weighed(self, x: Any) -> Any:
        """``B @ x``."""
        return x if self.B is None else self.B @ x

    def orthonormal(self, S: Any) -> Any:
        """A basis of the span of ``S`` that is orthonormal with respect to B; directions that are noise are dropped."""
        inner = adjoint(S) @ self.weighed(S)
        sizes = inner.diagonal(0, -2, -1).real
        scale = sizes.masked_fill(sizes <= 0, 1).rsqrt().to(S.dtype)
        weights, vectors = linalg_eigh(scale.unsqueeze(-1) * inner * scale)
        kept = (weights > weights[-1] * finfo(S.dtype).eps * S.shape[-1]).nonzero().squeeze(-1)
        basis = (S * scale) @ vectors[:, kept]
        return basis / weights[kept].sqrt().to(S.dtype)

    def extremes(self, S: Any, count: int) -> tuple[Any, Any]:
        """Ritz values and vectors in the span of ``S``, the wanted ones first."""
        # Twice, since once leaves an error as large as the condition of S.
        basis = self.orthonormal(self.orthonormal(S))
        values, vectors = linalg_eigh(adjoint(basis) @ (self.A @ basis))
        if self.bparams["largest"]:
            values, vectors = values.flip(-1), vectors.flip(-1)
        return values[:count], basis @ vectors[:, :count]

    def run(self, tracker: Callable[..., None] | None) -> None:
        """Steps until all pairs have converged, or as many as allowed."""
        count = self.iparams["n"]
        self.E, self.X = self.extremes(self.X, count)
        before: Any = None
        while True:
            self.R = self.A @ self.X - self.weighed(self.X) * self.E.to(self.X.dtype)
            norms = self.fvars["A_norm"] + self.E.abs() * self.fvars["B_norm"]
            sizes = self.R.abs().square().sum(-2).sqrt() / (self.X.abs().square().sum(-2).sqrt() * norms)
            self.tvars["rerr"] = sizes
            done = (sizes[: self.iparams["k"]] < self.fparams["tol"]).tolist()
            self.ivars["converged_count"] = done.index(False) if False in done else len(done)
            if tracker is not None:
                tracker(self)
            if all(done) or self.bvars["force_stop"] or self.ivars["istep"] == self.iparams["niter"]:
                return
            step = self.R if self.iK is None else self.iK @ self.R if hasattr(self.iK, "_array") else self.iK(self.R)
            self.S = joined([self.X, step] if before is None else [self.X, step, before], -1)
            old = self.X
            self.E, self.X = self.extremes(self.S, count)
            before = self.X - old @ (adjoint(old) @ self.weighed(self.X))
            self.ivars["istep"] += 1


def _refined(A: Any, B: Any, value: Any, vector: Any) -> tuple[Any, Any]:
    """One Newton step on ``A x = B x e`` with ``x^H B x = 1``, which carries the gradients of A and B."""
    from tensorcore.ops.solving import linalg_solve

    weighed = vector if B is None else B @ vector
    fixed = weighed.detach().unsqueeze(-1)
    shifted = A.detach() - value * (identity(A.shape[-1], A.shape[-1], A) if B is None else B.detach())
    corner = filled((1, 1), 0, A)
    bordered = joined([joined([shifted, -fixed], -1), joined([adjoint(fixed), corner], -1)], -2)
    residual = A @ vector - weighed * value
    excess = ((vector.conj() * weighed).sum() - 1) * 0.5
    moved = linalg_solve(bordered, joined([residual, excess.unsqueeze(-1)], -1))
    return value - moved[-1].real, vector - moved[:-1]


_METHODS: Final = (None, "basic", "ortho")


@composite(namespaces=("",), operands=("A",), random=True)
def lobpcg(
    A: Tensor, k: int | None = None, B: Tensor | None = None, X: Tensor | None = None, n: int | None = None,
    iK: Tensor | None = None, niter: int | None = None, tol: float | None = None, largest: bool | None = None,
    method: str | None = None, tracker: Any = None, ortho_iparams: Any = None, ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> Any:  # fmt: skip
    """``k`` extreme eigenvalues and their vectors of (..., m, m) Hermitian ``A``, or of pairs with a definite ``B``.

    Arguments are PyTorch's: ``X`` first guesses, or ``n`` random ones; ``iK`` a preconditioner, as a matrix or a
    function; at most ``niter`` steps (1000) until residuals are below ``tol``; ``largest`` (the default) or smallest.
    ``method`` names variants that are one here, and the ``ortho_`` parameters tune what is not iterated here.

    Raises:
        RangeError: if there are fewer than three rows for each eigenvalue.

    Example:
        >>> tc.lobpcg(tc.diag(tc.tensor([1.0, 2.0, 3.0, 7.0])))[0]
        tensor([7.])
    """
    from tensorcore.autograd.mode import mode, no_grad

    require_square("lobpcg", "A", A)
    require_floating("lobpcg", A)
    solvable(A.dtype, "lobpcg")
    if method not in _METHODS:
        raise RangeError(f"lobpcg: method must be 'basic' or 'ortho', got {method!r}")
    for name, given in (("iparams", ortho_iparams), ("fparams", ortho_fparams), ("bparams", ortho_bparams)):
        if given is not None and not isinstance(given, dict):
            raise ArgumentError(f"lobpcg: ortho_{name} must be a dict, got {type(given).__name__}")
    side, lead = A.shape[-1], tuple(A.shape[:-2])
    count = (1 if k is None else k) if X is None else X.shape[-1] if k is None else k
    guesses = (count if n is None else n) if X is None else X.shape[-1]
    if side < 3 * guesses:
        raise RangeError(f"lobpcg: needs 3 rows for each of the {guesses} eigenpairs sought, got shape {list(A.shape)}")
    if X is not None and tuple(X.shape) != (*lead, side, guesses):
        raise ShapeError(f"lobpcg: expected X of shape {[*lead, side, guesses]}, got {list(X.shape)}")
    iparams = {"m": side, "n": guesses, "k": count, "niter": 1000 if niter is None else niter}
    fparams = {"tol": finfo(A.dtype).eps ** 0.5 if tol is None else tol}
    bparams = {"largest": True if largest is None else largest}
    needs = mode.grad and (A.requires_grad or (B is not None and B.requires_grad))
    values, vectors = [], []
    for place in range(math.prod(lead)):
        matrix, other = _at(A, place), None if B is None else _at(B, place)
        with no_grad():
            start = _drawn(side, guesses, A) if X is None else _at(X, place)
            search = _Search(matrix, other, start, iK, iparams, fparams, bparams)
            search.fvars["A_norm"] = _size(matrix @ start) / _size(start)
            search.fvars["B_norm"] = _size(search.weighed(start)) / _size(start)
            search.run(tracker)
        found, space = search.E[:count], search.X[:, :count]
        if needs:
            pairs = [_refined(matrix, other, found[i].to(A.dtype), space[:, i]) for i in range(count)]
            found = joined([value.real.reshape(1) for value, _ in pairs], 0)
            space = joined([vector.unsqueeze(-1) for _, vector in pairs], -1)
        values.append(found)
        vectors.append(space)
    if not values:
        return filled((*lead, count), 0, A, A.dtype.to_real()), filled((*lead, side, count), 0, A)
    return joined(values, 0).reshape((*lead, count)), joined(vectors, 0).reshape((*lead, side, count))


def _size(x: Any) -> float:
    return float(x.abs().square().sum().sqrt())


def _at(x: Any, place: int) -> Any:
    return x.reshape((-1, *x.shape[-2:]))[place]
