"""Eigenvalues and singular values, with the vectors or without.

Gradients: Giles, "An extended collection of matrix derivative results" (2008); for complex vectors, whose phases are
free, Boeddeker et al., "On the computation of complex-valued gradients with application to statistically optimum
beamforming" (2017), and Wan and Zhang, "Automatic differentiation for complex valued SVD" (2019).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType
from tensorcore.errors import LinAlgError, RangeError
from tensorcore.levels import everywhere
from tensorcore.ops.jacobi import eigen_of_hermitian, singular_parts
from tensorcore.ops.joining import adjoint
from tensorcore.ops.matrix_checks import require_matrix, require_square, solvable
from tensorcore.ops.record import composite
from tensorcore.ops.returns import named
from tensorcore.ops.schur import eigen_of_general

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_LINALG: Final = ("linalg",)

#: How far from real a diagonal may be that must be real for a function that the phases do not change (PyTorch's).
_PHASE_TOLERANCE: Final = 1e-2


def _to_real(dtype: DType, op: str) -> tuple[DType, DType]:
    """As `solvable`, with a result that is real."""
    return solvable(dtype, op)[0], dtype.to_real()


def _to_complex(dtype: DType, op: str) -> tuple[DType, DType]:
    """As `solvable`, with a result that is complex."""
    return solvable(dtype, op)[0], dtype.to_complex()


def _diagonal(x: Any) -> Any:
    return x.diagonal(0, -2, -1)


def _gaps(values: Any) -> Any:
    """``values[j] - values[i]`` at (i, j), and 1 on the diagonal."""
    return values.unsqueeze(-2) - values.unsqueeze(-1) + _ones_on_diagonal(values)


def _ones_on_diagonal(values: Any) -> Any:
    from tensorcore.ops.decompositions import identity

    return identity(values.shape[-1], values.shape[-1], values)


def _require_free_phase(op: str, diagonal: Any) -> None:
    """Refuse the gradient of a function that changes with the vectors' phases, which nothing determines."""
    if bool((everywhere(diagonal.detach()).imag.abs() > _PHASE_TOLERANCE).any()):
        raise RuntimeError(
            f"{op}: complex vectors are determined up to a phase e^{{i phi}} each, and the function differentiated "
            "depends on it, so that its gradient is ill-defined"
        )


# ------------------------------------------------------------------ Hermitian


def _eigh_rule(g: Any, y: Any) -> Any:
    values, vectors = y
    inner = g[0].to(vectors.dtype).diag_embed()
    if 1 in g.arrived:
        turned = adjoint(vectors) @ g[1]
        if vectors.is_complex():
            _require_free_phase("linalg.eigh", _diagonal(turned))
        skew = (turned - adjoint(turned)) * 0.5
        inner = inner + (skew - _diagonal(skew).diag_embed()) / _gaps(values)
    return vectors @ inner @ adjoint(vectors)


_HERMITIAN: Final = (
    {"shapes": ((3, 3),), "prepare": ("hermitian",)},
    {"shapes": ((2, 4, 4),), "prepare": ("hermitian",), "args": ("U",)},
    {"shapes": ((1, 1),), "prepare": ("hermitian",)},
    {"shapes": ((2, 0, 0),)},
)
_HERMITIAN_VECTORS: Final = tuple({**sample, "observe": "spectral"} for sample in _HERMITIAN)


def _is_upper(op: str, UPLO: Any) -> bool:
    if not isinstance(UPLO, str) or UPLO.upper() not in ("L", "U"):
        raise RangeError(f"{op}: UPLO must be 'L' or 'U', which triangle is read, got {UPLO!r}")
    return UPLO.upper() == "U"


@composite(rule=solvable, vjp=(_eigh_rule,), outputs=2, namespaces=_LINALG, ulp=512, samples=_HERMITIAN_VECTORS)
def linalg_eigh(input: Tensor, UPLO: str = "L") -> Any:
    """Eigenvalues, real and rising, and orthonormal eigenvectors, in columns, of (..., n, n) Hermitian matrices.

    One triangle is read: the lower, or the upper with ``UPLO="U"``.

    Raises:
        RuntimeError: in backward, if the function depends on the phases of complex eigenvectors.

    Example:
        >>> tc.linalg.eigh(tc.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
        tensor([1., 2.])
    """
    require_square("linalg.eigh", "input", input)
    solvable(input.dtype, "linalg.eigh")
    values, vectors = linalg_eigh.emit(input, upper=_is_upper("linalg.eigh", UPLO))
    return named("linalg_eigh", eigenvalues=values, eigenvectors=vectors)


@linalg_eigh.expression
def _eigh(input: Any, *, upper: bool) -> Any:
    triangle = input.triu(1) if upper else input.tril(-1)
    diagonal = _diagonal(input).real.to(input.dtype)
    return eigen_of_hermitian(triangle + adjoint(triangle) + diagonal.diag_embed())


@composite(rule=_to_real, namespaces=_LINALG, ulp=256, samples=_HERMITIAN)
def linalg_eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues, real and rising, of (..., n, n) Hermitian matrices; see `linalg.eigh`.

    Example:
        >>> tc.linalg.eigvalsh(tc.tensor([[2.0, 0.0], [0.0, 1.0]]))
        tensor([1., 2.])
    """
    require_square("linalg.eigvalsh", "input", input)
    return linalg_eigvalsh.emit(input, upper=_is_upper("linalg.eigvalsh", UPLO))


@linalg_eigvalsh.expression
def _eigvalsh(input: Any, *, upper: bool) -> Any:
    return linalg_eigh.emit(input, upper=upper)[0]


# ------------------------------------------------------------------ general


def _eig_rule(g: Any, y: Any) -> Any:
    from tensorcore.ops.solving import linalg_solve

    values, vectors = y
    inner = g[0].diag_embed()
    if 1 in g.arrived:
        turned = adjoint(vectors) @ g[1]
        along = _diagonal(turned)
        _require_free_phase("linalg.eig", along)
        # Eigenvectors keep their length 1.
        across = turned - (adjoint(vectors) @ vectors) * along.real.to(vectors.dtype).unsqueeze(-2)
        inner = inner + (across - _diagonal(across).diag_embed()) / _gaps(values).conj()
    return linalg_solve(adjoint(vectors), inner @ adjoint(vectors))


_GENERAL: Final = (
    {"shapes": ((3, 3),), "prepare": ("well_conditioned",), "observe": "ordered"},
    {"shapes": ((2, 4, 4),), "prepare": ("well_conditioned",), "observe": "ordered"},
    {"shapes": ((2, 0, 0),)},
)


def _require_finite(op: str, x: Any) -> None:
    x = everywhere(x.detach())
    total = x.abs().sum().item()
    if not math.isfinite(total) and not bool(x.isfinite().all()):
        raise LinAlgError(f"{op}: input tensor should not contain infs or NaNs")


@composite(rule=solvable, vjp=(_eig_rule,), outputs=2, namespaces=_LINALG, ulp=512, samples=_GENERAL)
def linalg_eig(input: Tensor) -> Any:
    """Eigenvalues and eigenvectors, in columns of length 1, of (..., n, n) matrices; complex, in no certain order.

    Raises:
        LinAlgError: if an element is infinite or NaN.
        RuntimeError: in backward, if the function depends on the phases of the eigenvectors.

    Example:
        >>> tc.linalg.eig(tc.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
        tensor([2.+0.j, 1.+0.j])
    """
    require_square("linalg.eig", "input", input)
    solvable(input.dtype, "linalg.eig")
    _require_finite("linalg.eig", input)
    values, vectors = linalg_eig.emit(input)
    return named("linalg_eig", eigenvalues=values, eigenvectors=vectors)


@linalg_eig.expression
def _eig(input: Any) -> Any:
    return eigen_of_general(input)


@composite(rule=_to_complex, namespaces=_LINALG, ulp=256, samples=_GENERAL)
def linalg_eigvals(input: Tensor) -> Tensor:
    """Eigenvalues of (..., n, n) matrices; complex, in no certain order.

    Raises:
        LinAlgError: if an element is infinite or NaN.

    Example:
        >>> tc.linalg.eigvals(tc.tensor([[0.0, 1.0], [-1.0, 0.0]])).imag.abs()
        tensor([1., 1.])
    """
    require_square("linalg.eigvals", "input", input)
    solvable(input.dtype, "linalg.eigvals")
    _require_finite("linalg.eigvals", input)
    return linalg_eigvals.emit(input)


@linalg_eigvals.expression
def _eigvals(input: Any) -> Any:
    return linalg_eig.emit(input)[0]


# ------------------------------------------------------------------ singular values


def _svd_rule(g: Any, y: Any) -> Any:
    k = y[1].shape[-1]
    # Vectors beyond the singular values are any basis of the rest; as in PyTorch what comes through them is dropped.
    U, S, Vh = y[0][..., :k], y[1], y[2][..., :k, :]
    inner = g[1].to(U.dtype).diag_embed()
    if 0 not in g.arrived and 2 not in g.arrived:
        return U @ inner @ Vh
    gU, gV, V = g[0][..., :k], adjoint(g[2][..., :k, :]), adjoint(Vh)
    turned, other = adjoint(U) @ gU, Vh @ gV
    wide = S.to(U.dtype)
    gaps = _gaps(S.square())
    inner = inner + _skew(turned) / gaps * wide.unsqueeze(-2) + wide.unsqueeze(-1) * (_skew(other) / gaps)
    if U.is_complex():
        _require_free_phase("linalg.svd", _diagonal(turned) + _diagonal(other))
        phases = (_diagonal(turned).imag - _diagonal(other).imag) * 0.5
        inner = inner + (phases.to(U.dtype) * 1j / wide).diag_embed()
    grad = U @ inner @ Vh
    if U.shape[-2] > k:
        grad = grad + ((gU - U @ turned) / wide.unsqueeze(-2)) @ Vh
    if V.shape[-2] > k:
        grad = grad + (U / wide.unsqueeze(-2)) @ adjoint(gV - V @ other)
    return grad


def _skew(x: Any) -> Any:
    """``x - x.mH`` without its diagonal."""
    return (x - adjoint(x)) - (_diagonal(x) - _diagonal(x).conj()).diag_embed()


_RECTANGULAR: Final = (
    {"shapes": ((4, 3),), "prepare": ("well_conditioned",)},
    {"shapes": ((2, 3, 3),), "prepare": ("well_conditioned",)},
    {"shapes": ((3, 5),), "prepare": ("well_conditioned",)},
    {"shapes": ((0, 3),)},
    {"shapes": ((2, 3, 0),)},
)
_THIN: Final = tuple({**sample, "observe": "singular", "full_matrices": False} for sample in _RECTANGULAR)


def _require_driver(op: str, driver: Any, x: Any) -> None:
    if driver is None:
        return
    if x._kind.backend.host_memory:
        raise RangeError(f"{op}: driver= chooses between the methods of GPUs; on {x.device} there is one")
    if driver not in ("gesvd", "gesvdj", "gesvda"):
        raise RangeError(f"{op}: driver must be None, 'gesvd', 'gesvdj' or 'gesvda', got {driver!r}")


def _require_converged(op: str, values: Any) -> None:
    values = everywhere(values)
    # One number is finite only if all are; that it is not may be the sum's overflow.
    if math.isfinite(values.sum().item()):
        return
    bad = ~values.isfinite()
    if not bool(bad.any()):
        return
    first = bad.any(-1).reshape(-1).tolist().index(True)
    where = f"(Batch element {first}): " if values.ndim > 1 else ""
    raise LinAlgError(
        f"{op}: {where}The algorithm failed to converge because the input matrix contained non-finite values."
    )


@composite(
    rule=solvable, vjp=(_svd_rule,), outputs=3, namespaces=_LINALG, ulp=512,
    samples=(*_THIN, {"shapes": ((4, 4),), "prepare": ("well_conditioned",), "observe": "singular"}),
)  # fmt: skip
def linalg_svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """(U, S, Vh) of (..., m, n) matrices ``U @ diag(S) @ Vh``: orthonormal columns, values falling, orthonormal rows.

    Without ``full_matrices`` U has min(m, n) columns and Vh as many rows. ``driver`` is taken
    on devices with memory of their own, as in PyTorch, and has no effect.

    Raises:
        LinAlgError: if a matrix holds what is not finite.
        RuntimeError: in backward, if the function depends on the phases of complex vectors.

    Example:
        >>> tc.linalg.svd(tc.tensor([[0.0, 2.0], [1.0, 0.0]])).S
        tensor([2., 1.])
    """
    return _svd_of("linalg.svd", A, full_matrices, driver)


def _svd_of(op: str, A: Any, full: bool, driver: Any = None) -> Any:
    require_matrix(op, "A", A)
    solvable(A.dtype, op)
    _require_driver(op, driver, A)
    U, S, Vh = linalg_svd.emit(A, full_matrices=bool(full))
    _require_converged(op, S.detach())
    return named("linalg_svd", U=U, S=S, Vh=Vh)


@linalg_svd.expression
def _svd(A: Any, *, full_matrices: bool) -> Any:
    return singular_parts(A, full_matrices)


@composite(rule=_to_real, namespaces=_LINALG, ulp=256, samples=_RECTANGULAR)
def linalg_svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Singular values of (..., m, n) matrices, falling.

    Raises:
        LinAlgError: if a matrix holds what is not finite.

    Example:
        >>> tc.linalg.svdvals(tc.tensor([[0.0, 2.0], [1.0, 0.0]]))
        tensor([2., 1.])
    """
    require_matrix("linalg.svdvals", "A", A)
    solvable(A.dtype, "linalg.svdvals")
    _require_driver("linalg.svdvals", driver, A)
    values: Tensor = linalg_svdvals.emit(A)
    _require_converged("linalg.svdvals", values.detach())
    return values


@linalg_svdvals.expression
def _svdvals(A: Any) -> Any:
    return linalg_svd.emit(A, full_matrices=False)[1]


@composite(
    rule=solvable, outputs=3, ulp=512,
    samples=({"shapes": ((4, 3),), "prepare": ("well_conditioned",), "observe": "magnitudes"},),
)  # fmt: skip
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """(U, S, V), V not transposed, under its old name; `linalg.svd` gives its adjoint.

    Without ``some`` U and V are square; without ``compute_uv`` they are square and zero, and have no gradient.

    Example:
        >>> tc.svd(tc.tensor([[0.0, 2.0], [1.0, 0.0]])).S
        tensor([2., 1.])
    """
    from tensorcore.ops.decompositions import filled

    if not compute_uv:
        require_matrix("svd", "input", input)
        rows, columns = input.shape[-2:]
        lead = tuple(input.shape[:-2])
        values = linalg_svdvals(input)
        return named(
            "svd", U=filled((*lead, rows, rows), 0, input), S=values, V=filled((*lead, columns, columns), 0, input)
        )
    U, S, Vh = _svd_of("svd", input, not some)
    return named("svd", U=U, S=S, V=adjoint(Vh))


# ------------------------------------------------------------------ what PyTorch took out


def _removed(name: str, instead: str, namespaces: tuple[str, ...] = ("", "Tensor")) -> None:
    def refuse(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{name}: PyTorch has taken it out; use {instead}")

    refuse.__name__ = name
    refuse.__doc__ = (
        f"What PyTorch has taken out for {instead}.\n\n    Raises:\n        NotImplementedError: always.\n\n"
        f"    Example:\n        >>> tc.{name}(tc.ones(2, 2))\n"
        "        Traceback (most recent call last):\n            ...\n"
        f"        NotImplementedError: {name}: PyTorch has taken it out; use {instead}\n    "
    )
    composite(namespaces=namespaces, samples=({"shapes": ((2, 2),)},))(refuse)


_removed("eig", "linalg.eig(A), whose results are complex, or linalg.eigvals(A)")
_removed("symeig", "linalg.eigh(A) or linalg.eigvalsh(A), which read the lower triangle unless UPLO='U'")
_removed("lstsq", "linalg.lstsq(A, B), whose arguments are the other way round")
_removed("solve", "linalg.solve(A, B), whose arguments are the other way round")
_removed("matrix_rank", "linalg.matrix_rank(A), where symmetric= is called hermitian=", ("",))
