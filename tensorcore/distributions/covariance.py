"""Covariance matrices and their factors, in batches that broadcast."""

from __future__ import annotations

from typing import Any

import tensorcore as tc
from tensorcore.distributions.utils import lazy_property
from tensorcore.errors import ShapeError
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = ["ByMatrix", "given_matrix", "half_log_det", "mahalanobis", "matrix_vector", "precision_to_scale_tril"]


def matrix_vector(matrix: Tensor, vector: Tensor) -> Tensor:
    """Products of matrices and vectors."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def half_log_det(factor: Tensor) -> Tensor:
    """Logarithm of the determinant of a triangular factor, half of that of its square."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(factor: Tensor, vector: Tensor) -> Tensor:
    """Squared length of the solution x of ``factor @ x = vector``, the factor being lower triangular."""
    if factor.ndim == 2 and vector.ndim > 1:
        # One factor for all: the vectors are the columns of one right side.
        columns = vector.reshape(-1, vector.shape[-1]).T
        solved = tc.linalg.solve_triangular(factor, columns, upper=False)
        return solved.square().sum(0).reshape(vector.shape[:-1])
    return tc.linalg.solve_triangular(factor, vector.unsqueeze(-1), upper=False).square().sum((-2, -1))


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """Cholesky factor of the inverse: the flipped factor of the flipped matrix is upper triangular, and inverted."""
    flipped = tc.linalg.cholesky(precision.flip(-2, -1))
    upper = flipped.flip(-2, -1).mT
    identity = tc.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return tc.linalg.solve_triangular(upper, identity, upper=False)


def given_matrix(op: str, error: type[Exception], **matrices: Any) -> tuple[str, Tensor]:
    """The one matrix that is given, with its name.

    Raises:
        error: unless it is exactly one.
        ShapeError: if it has fewer than two dimensions.
    """
    given = {name: matrix for name, matrix in matrices.items() if matrix is not None}
    if len(given) != 1:
        raise error(f"{op}: exactly one of {', '.join(matrices)} must be given, got {', '.join(given) or 'none'}")
    ((name, matrix),) = given.items()
    if matrix.ndim < 2:
        raise ShapeError(f"{op}: {name} must be at least two-dimensional, got shape {list(matrix.shape)}")
    return name, matrix


class ByMatrix:
    """What distributions of a covariance matrix share: it, its inverse and its factor, computed when asked for."""

    _unbroadcasted_scale_tril: Tensor
    _batch_shape: Size

    def _factor(self, name: str, matrix: Tensor) -> None:
        """Keep the factor of the matrix that is given under ``name``, not expanded to the batch."""
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = tc.linalg.cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = precision_to_scale_tril(matrix)

    def _expanded(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + matrix.shape[-2:])

    @lazy_property
    def scale_tril(self) -> Tensor:
        """Cholesky factor of the covariance."""
        return self._expanded(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        factor = self._unbroadcasted_scale_tril
        return self._expanded(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """Inverse of the covariance."""
        return self._expanded(tc.cholesky_inverse(self._unbroadcasted_scale_tril))
