"""The multivariate normal distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.covariance import ByMatrix, given_matrix, half_log_det, mahalanobis, matrix_vector
from tensorcore.distributions.utils import _standard_normal
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__ = ["MultivariateNormal"]


class MultivariateNormal(ByMatrix, Batched):
    """Normal distribution of vectors, of mean ``loc`` and one of three matrices.

    Args:
        loc: of shape (*batch, n).
        covariance_matrix: positive definite, of shape (*batch, n, n).
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor, which takes the least work.

    Raises:
        ValueError: unless exactly one matrix is given.

    Example:
        >>> MultivariateNormal(tc.zeros(2), scale_tril=tc.eye(2)).log_prob(tc.zeros(2))
        tensor(-1.8379)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        if loc.ndim < 1:
            raise ShapeError("MultivariateNormal: loc must be at least one-dimensional, got a 0-d tensor")
        name, matrix = given_matrix(
            "MultivariateNormal", ValueError, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )  # fmt: skip
        batch_shape = tc.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(*batch_shape, -1, -1))
        self.loc = loc.expand(*batch_shape, -1)
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args=validate_args)
        self._factor(name, matrix)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.square().sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        noise = _standard_normal(self._extended_shape(sample_shape), self.loc.dtype, self.loc.device)
        return self.loc + matrix_vector(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        distance = mahalanobis(factor, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(math.tau) + distance) - half_log_det(factor)

    def entropy(self) -> Tensor:
        half = half_log_det(self._unbroadcasted_scale_tril)
        return (0.5 * self._event_shape[0] * (1 + math.log(math.tau)) + half).expand(self._batch_shape)
