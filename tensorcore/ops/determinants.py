"""Determinants of square matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.decompositions import identity, linalg_lu_factor_ex
from tensorcore.ops.joining import adjoint
from tensorcore.ops.linalg import matmul
from tensorcore.ops.matrix_checks import require_square, solvable
from tensorcore.ops.movement import cat, flip, ones_like
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.reduction import cumprod
from tensorcore.ops.returns import named
from tensorcore.ops.solving import linalg_inv_ex

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_SAMPLES: Final = tuple(
    {"shapes": (shape,), "prepare": ("well_conditioned",)} for shape in ((3, 3), (2, 4, 4), (1, 1), (0, 0), (2, 0, 0))
)


def _scaled(scale: Any, matrix: Any) -> Any:
    return e.mul.emit(scale[..., None, None], matrix)


def _by_singular_values(A: Any) -> Any:
    """The adjoint of the adjugate of A, for any rank: ``A = U S V^H`` has ``conj(det(U V^H)) U adj(S) V^H``."""
    U, S, Vh = REGISTRY["linalg_svd"](A, full_matrices=False)
    edge = ones_like(S[..., :1])
    before = cumprod(cat([edge, S[..., :-1]], -1), -1)
    after = flip(cumprod(cat([edge, flip(S[..., 1:], (-1,))], -1), -1), (-1,))
    turn = e.conj(linalg_det.emit(U) * linalg_det.emit(Vh))
    return _scaled(turn, matmul(U * (before * after).unsqueeze(-2), Vh))


def _det_rule(g: Any, y: Any, A: Any) -> Any:
    singular = e.eq(y, 0)
    count = int(everywhere(singular).sum().item())
    if count == 0:
        return _scaled(g * e.conj(y), adjoint(linalg_inv_ex.emit(A)[0]))
    adjugate = _by_singular_values(A)
    if count < everywhere(y).numel():
        one = e.where(singular[..., None, None], identity(A._array.shape[-1], A._array.shape[-1], A), A)
        regular = _scaled(e.conj(y), adjoint(linalg_inv_ex.emit(one)[0]))
        adjugate = e.where(singular[..., None, None], adjugate, regular)
    return _scaled(g, adjugate)


def _diagonal_and_turns(A: Any) -> tuple[Any, Any]:
    """The diagonal of the upper factor, and 1 or -1 as the rows change places an even or odd number of times."""
    from tensorcore.ops.creation import ramp

    LU, pivots, _ = linalg_lu_factor_ex.emit(A, pivot=True)
    steps = ramp(1, 1, A._array.shape[-1], pivots.dtype, A.device)
    odd = e.ne(pivots, steps).sum(-1) % 2
    return REGISTRY["diagonal"](LU, 0, -2, -1), 1 - 2 * odd.to(A.dtype)


@composite(rule=solvable, vjp=(_det_rule,), namespaces=("linalg",), ulp=64, samples=_SAMPLES)
def linalg_det(A: Tensor) -> Tensor:
    """Determinants of the matrices A of shape (*, n, n), by LU decomposition.

    The gradient is that of the polynomial, also where a matrix is singular.

    Raises:
        ShapeError: where A is not square.
        DTypeError: for integers and 16-bit floats.

    Example:
        >>> tc.linalg.det(tc.tensor([[2.0, 1.0], [0.0, 4.0]]))
        tensor(8.)
    """
    require_square("linalg.det", "A", A)
    return linalg_det.emit(A)


@linalg_det.expression
def _det(A: Tensor) -> Any:
    diagonal, turns = _diagonal_and_turns(A)
    return diagonal.prod(-1) * turns


@composite(ulp=64, samples=_SAMPLES)
def det(input: Tensor) -> Tensor:
    """`linalg.det`.

    Example:
        >>> tc.tensor([[2.0, 1.0], [0.0, 4.0]]).det()
        tensor(8.)
    """
    require_square("det", "input", input)
    return linalg_det.emit(input)


def _slogdet_rule(g: Any, y: Any, A: Any) -> Any:
    along, size = g
    if A.is_complex():
        # The sign turns by the imaginary part of the trace that the logarithm grows by the real part of.
        size = size - (e.conj(along) * y[0]).imag * 1j
    return _scaled(size, adjoint(linalg_inv_ex.emit(A)[0]))


@composite(rule=solvable, vjp=(_slogdet_rule,), outputs=2, namespaces=("linalg",), ulp=64, samples=_SAMPLES)
def linalg_slogdet(A: Tensor) -> Any:
    """(sign, logabsdet): the determinant is ``sign * exp(logabsdet)``, neither of which overflows.

    ``sign`` is 1, -1 or 0 (for complex matrices, a number of modulus 1 or 0); singular matrices have ``logabsdet``
    -inf.

    Raises:
        ShapeError: where A is not square.
        DTypeError: for integers and 16-bit floats.

    Example:
        >>> tc.linalg.slogdet(tc.tensor([[-1.0, 1.0], [0.0, 1.0]])).sign
        tensor(-1.)
    """
    require_square("linalg.slogdet", "A", A)
    sign, logabsdet = linalg_slogdet.emit(A)
    return named("linalg_slogdet", sign=sign, logabsdet=logabsdet)


@linalg_slogdet.expression
def _slogdet(A: Tensor) -> Any:
    diagonal, turns = _diagonal_and_turns(A)
    return e.sgn(diagonal).prod(-1) * turns, e.log(e.abs(diagonal)).sum(-1)


@composite(ulp=64, samples=_SAMPLES)
def slogdet(input: Tensor) -> Any:
    """`linalg.slogdet`.

    Example:
        >>> tc.slogdet(tc.eye(3)).logabsdet
        tensor(0.)
    """
    require_square("slogdet", "input", input)
    sign, logabsdet = linalg_slogdet.emit(input)
    return named("slogdet", sign=sign, logabsdet=logabsdet)


@composite(ulp=64, samples=_SAMPLES)
def logdet(input: Tensor) -> Tensor:
    """Logarithm of the determinant: -inf where that is 0, NaN where it is negative (complex for complex matrices).

    Example:
        >>> tc.logdet(tc.eye(3))
        tensor(0.)
    """
    require_square("logdet", "input", input)
    solvable(input.dtype, "logdet")
    sign, logabsdet = linalg_slogdet.emit(input)
    if input.is_complex():
        return e.log(sign) + logabsdet
    return e.where(e.eq(sign, -1), math.nan, logabsdet)
