"""Eigenvalues of Hermitian matrices and singular values by Jacobi's rotations, many at a time, for stacks of matrices.

Columns i and i + n/2 are rotated together for every i; then the columns move on by one place as the players of a
tournament do, so that after n - 1 rounds, a sweep, every two have met. Brent and Luk, "The solution of singular-value
and symmetric eigenvalue problems on multiprocessor arrays" (1985); Demmel and Veselic, "Jacobi's method is more
accurate than QR" (1992).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tensorcore.dtypes import finfo
from tensorcore.levels import everywhere
from tensorcore.ops.decompositions import filled, identity, joined
from tensorcore.ops.joining import adjoint

#: Sweeps after which what has not converged is returned as it is; six to ten are usual.
_SWEEPS: Final = 40


def _next_round(half: int, like: Any) -> Any:
    """Where each column comes from when all but the first move on by one place."""
    from tensorcore.ops.creation import tensor

    first = [0, half, *range(1, half - 1)] if half > 1 else [0]
    second = [*range(half + 1, 2 * half), half - 1] if half > 1 else [1]
    return tensor(first + second, device=like.device)


def _rotation(a: Any, b: Any, c: Any) -> tuple[Any, Any, Any]:
    """Cosine, sine and phase that make [[a, c], [conj(c), b]] diagonal, by the smaller of the two angles."""
    size = c.abs()
    none = size == 0
    divisor = size.masked_fill(none, 1)
    slope = (b - a) / (divisor * 2)
    angle = 1 / (slope.abs() + (slope.square() + 1).sqrt())
    angle = angle.where(slope >= 0, -angle).masked_fill(none, 0)
    cosine = 1 / (angle.square() + 1).sqrt()
    phase = (c / divisor.to(c.dtype)).masked_fill(none, 1)
    return cosine.to(c.dtype).unsqueeze(-2), (angle * cosine).to(c.dtype).unsqueeze(-2), phase.conj().unsqueeze(-2)


def _turned(x: Any, cosine: Any, sine: Any, phase: Any) -> Any:
    """Columns i and i + n/2 of ``x`` rotated."""
    half = x.shape[-1] // 2
    left, right = x[..., :half], x[..., half:] * phase
    return joined([left * cosine - right * sine, left * sine + right * cosine], -1)


def _swept(size: int, like: Any, turn: Callable[[Any], None], unfinished: Callable[[], Any]) -> None:
    """Sweeps of rounds until nothing is ``unfinished``."""
    order = _next_round(size // 2, like)
    for _ in range(_SWEEPS):
        for _ in range(size - 1):
            turn(order)
        # NaN compares as finished, so that it ends the sweeps.
        if not bool(everywhere(unfinished()).any()):
            return


def eigen_of_hermitian(input: Any) -> tuple[Any, Any]:
    """Eigenvalues, rising, and orthonormal eigenvectors of (..., n, n) Hermitian matrices."""
    side, lead = input.shape[-1], tuple(input.shape[:-2])
    if input.numel() == 0:
        return filled((*lead, side), 0, input, input.dtype.to_real()), input.clone()
    # A row and column of zeros makes the side even; what is zero is never rotated.
    even = side + side % 2
    matrix, vectors = input, identity(even, even, input).expand((*lead, even, even))
    if even != side:
        matrix = joined([matrix, filled((*lead, side, 1), 0, input)], -1)
        matrix = joined([matrix, filled((*lead, 1, even), 0, input)], -2)
    half = even // 2
    limit = input.abs().amax((-2, -1)) * finfo(input.dtype).eps

    def turn(order: Any) -> None:
        nonlocal matrix, vectors
        diagonal = matrix.diagonal(0, -2, -1).real
        across = matrix[..., :half, half:].diagonal(0, -2, -1)
        rotation = _rotation(diagonal[..., :half], diagonal[..., half:], across)
        matrix = adjoint(_turned(adjoint(_turned(matrix, *rotation)), *rotation))
        matrix = matrix.index_select(-1, order).index_select(-2, order)
        vectors = _turned(vectors, *rotation).index_select(-1, order)

    _swept(even, input, turn, lambda: matrix.triu(1).abs().amax((-2, -1)) > limit)
    values, places = matrix.diagonal(0, -2, -1)[..., :side].real.sort(-1)
    vectors = vectors[..., :side, :side]
    return values, vectors.gather(-1, places.unsqueeze(-2).expand(vectors.shape))


def singular_parts(input: Any, full: bool) -> tuple[Any, Any, Any]:
    """(U, S, Vh) of (..., m, n) matrices, singular values falling; with ``full`` U and Vh are square."""
    from tensorcore.ops.orthogonal import linalg_qr

    rows, columns = input.shape[-2:]
    if rows < columns:
        U, S, Vh = singular_parts(adjoint(input), full)
        return adjoint(Vh), S, adjoint(U)
    if columns == 0:
        lead = tuple(input.shape[:-2])
        left = identity(rows, rows if full else 0, input).expand((*lead, rows, rows if full else 0))
        return left.clone(), filled((*lead, 0), 0, input, input.dtype.to_real()), filled((*lead, 0, 0), 0, input)
    Q, R = linalg_qr.emit(input, mode="complete" if full else "reduced")
    left, values, right = _one_sided(R[..., :columns, :])
    U = Q[..., :columns] @ left
    return (joined([U, Q[..., columns:]], -1) if full else U), values, right


def _one_sided(input: Any) -> tuple[Any, Any, Any]:
    """The parts of square matrices: columns are rotated until they are orthogonal."""
    from tensorcore.ops.orthogonal import linalg_qr

    side, lead = input.shape[-1], tuple(input.shape[:-2])
    even = side + side % 2
    # Squares of scaled elements neither overflow nor underflow.
    scale = input.abs().amax((-2, -1), True)
    scale = scale.masked_fill((scale == 0) | ~scale.isfinite(), 1)
    matrix, vectors = input / scale, identity(even, even, input).expand((*lead, even, even))
    if even != side:
        matrix = joined([matrix, filled((*lead, side, 1), 0, input)], -1)
    half, eps = even // 2, finfo(input.dtype).eps

    def turn(order: Any) -> None:
        nonlocal matrix, vectors
        squares = matrix.abs().square().sum(-2)
        across = (matrix[..., :half].conj() * matrix[..., half:]).sum(-2)
        rotation = _rotation(squares[..., :half], squares[..., half:], across)
        matrix = _turned(matrix, *rotation).index_select(-1, order)
        vectors = _turned(vectors, *rotation).index_select(-1, order)

    def unfinished() -> Any:
        inner = (adjoint(matrix) @ matrix).abs()
        sizes = inner.diagonal(0, -2, -1).sqrt()
        # Columns that are rounding errors of the largest have no direction.
        sizes = sizes.maximum(sizes.amax(-1, True) * (eps * side))
        bound = sizes.unsqueeze(-1) * sizes.unsqueeze(-2) * (eps * max(side, 4))
        return inner.triu(1) > bound

    _swept(even, input, turn, unfinished)
    matrix, vectors = matrix[..., :side], vectors[..., :side, :side]
    values, places = matrix.abs().square().sum(-2).sqrt().sort(-1, True)
    wide = places.unsqueeze(-2)
    vectors = vectors.gather(-1, wide.expand(vectors.shape))
    small = values <= values[..., :1] * (eps * side)
    units = matrix.gather(-1, wide.expand(matrix.shape)) / values.masked_fill(small, 1).unsqueeze(-2)
    # Where a singular value is zero any direction orthogonal to the others will do, which QR finds.
    Q, R = linalg_qr.emit(units.masked_fill(small.unsqueeze(-2), 0), mode="reduced")
    signs = R.diagonal(0, -2, -1).sgn()
    left = Q * signs.masked_fill(signs == 0, 1).unsqueeze(-2)
    return left, values * scale.squeeze(-1), adjoint(vectors)
