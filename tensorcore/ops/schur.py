"""Eigenvalues and eigenvectors of square matrices by the QR algorithm.

Francis, "The QR transformation" (1961), in complex arithmetic, with Wilkinson's shift: the eigenvalue of the last
two rows and columns that is nearer to the last element.
"""

from __future__ import annotations

from typing import Any, Final

from tensorcore.dtypes import finfo
from tensorcore.errors import LinAlgError
from tensorcore.ops.decompositions import counted, identity, joined
from tensorcore.ops.joining import adjoint

#: Steps for one eigenvalue before the matrix counts as one that does not converge; two or three are usual.
_STEPS: Final = 60


def eigen_of_general(input: Any) -> tuple[Any, Any]:
    """Complex eigenvalues and eigenvectors of length 1, their largest element real, of (..., n, n) matrices."""
    from tensorcore.ops.movement import stack

    matrix = input.to(input.dtype.to_complex())
    side, lead = matrix.shape[-1], tuple(matrix.shape[:-2])
    if matrix.numel() == 0:
        return matrix.reshape((*lead, side)), matrix.clone()
    forms = [_triangular(each) for each in matrix.reshape((-1, side, side)).unbind(0)]
    upper, basis = (stack(parts, 0) for parts in zip(*forms, strict=True))
    vectors = basis @ _of_triangular(upper)
    vectors = vectors / vectors.abs().square().sum(-2, True).sqrt()
    largest = vectors.gather(-2, vectors.abs().argmax(-2, True))
    vectors = vectors * (largest.conj() / largest.abs())
    values = upper.diagonal(0, -2, -1)
    return values.reshape((*lead, side)), vectors.reshape((*lead, side, side))


def _triangular(matrix: Any) -> tuple[Any, Any]:
    """Schur's form of one matrix: T upper triangular and Q unitary, ``matrix = Q @ T @ Q.mH``."""
    from tensorcore.ops.orthogonal import linalg_qr

    side = matrix.shape[-1]
    basis = identity(side, side, matrix)
    tolerance = finfo(matrix.dtype).eps * float(matrix.abs().square().sum().sqrt())
    end, steps = side, 0
    while end > 1:
        # A row that is negligible before its diagonal gives its eigenvalue.
        if float(matrix[end - 1, : end - 1].abs().amax()) <= tolerance:
            end, steps = end - 1, 0
            continue
        if steps == _STEPS:
            raise LinAlgError(f"linalg.eig: the QR algorithm did not converge in {_STEPS} steps for one eigenvalue")
        steps += 1
        shift = _shift(matrix[end - 2 : end, end - 2 : end].tolist(), steps)
        step = identity(end, end, matrix)
        Q, R = linalg_qr.emit(matrix[:end, :end] - step * shift, mode="reduced")
        beside = adjoint(Q) @ matrix[:end, end:]
        active = joined([R @ Q + step * shift, beside], -1)
        matrix = active if end == side else joined([active, matrix[end:]], -2)
        turned = basis[:, :end] @ Q
        basis = turned if end == side else joined([turned, basis[:, end:]], -1)
    return matrix.triu(), basis


def _shift(corner: list[list[complex]], steps: int) -> complex:
    (a, b), (c, d) = corner
    if steps % 10 == 0:
        # Rows that go round in a circle are pushed out of it.
        return d + 0.75 * (abs(c) + abs(b))
    middle = (a + d) / 2
    root = (((a - d) / 2) ** 2 + b * c) ** 0.5
    return min(middle + root, middle - root, key=lambda value: abs(value - d))


def _of_triangular(upper: Any) -> Any:
    """Eigenvectors of upper triangular matrices, in columns: row after row from below, for all columns at once."""
    side = upper.shape[-1]
    values = upper.diagonal(0, -2, -1)
    # Eigenvalues that coincide are taken apart by what rounding does to them.
    least = upper.abs().amax((-2, -1)).unsqueeze(-1) * finfo(upper.dtype).eps
    least = least.masked_fill(least == 0, 1).to(upper.dtype)
    columns = counted(side, upper)
    rows: list[Any] = []
    for step in range(side - 1, -1, -1):
        unit = (columns == step).to(upper.dtype).expand(values.shape)
        if rows:
            gaps = values[..., step : step + 1] - values
            gaps = gaps.where(gaps.abs() > least.abs(), least)
            found = -(upper[..., step : step + 1, step + 1 :] @ joined(rows, -2)).squeeze(-2) / gaps
            unit = found.where(columns > step, unit)
        rows.insert(0, unit.unsqueeze(-2))
    return joined(rows, -2)
