"""The multivariate normal distribution of low-rank covariance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.covariance import half_log_det, mahalanobis, matrix_vector
from tensorcore.distributions.utils import _standard_normal, lazy_property
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Batched):
    """Normal distribution of vectors of covariance ``cov_factor @ cov_factor.mT + diag(cov_diag)``.

    Densities take the work of the rank alone: with the capacitance ``C = I + W^T D^-1 W`` of the factor W and the
    diagonal D, ``det(W W^T + D) = det(C) det(D)`` and ``(W W^T + D)^-1 = D^-1 - D^-1 W C^-1 W^T D^-1`` (Woodbury).

    Args:
        loc: means, of shape (*batch, n).
        cov_factor: of shape (*batch, n, rank).
        cov_diag: positive, of shape (*batch, n).

    Raises:
        ShapeError: if the shapes do not fit.

    Example:
        >>> d = LowRankMultivariateNormal(tc.zeros(2), tc.tensor([[1.0], [0.0]]), tc.ones(2))
        >>> d.covariance_matrix
        tensor([[2., 0.],
                [0., 1.]])
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        shapes = f"loc {list(loc.shape)}, cov_factor {list(cov_factor.shape)}, cov_diag {list(cov_diag.shape)}"
        event_shape = loc.shape[-1:]
        if not event_shape or cov_factor.shape[-2:-1] != event_shape or cov_diag.shape[-1:] != event_shape:
            raise ShapeError(
                "LowRankMultivariateNormal: expected loc (*batch, n), cov_factor (*batch, n, rank) and cov_diag "
                f"(*batch, n), got {shapes}"
            )
        try:
            batch_shape = tc.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except ShapeError as error:
            raise ShapeError(f"LowRankMultivariateNormal: the batches of {shapes} do not broadcast") from error
        self.loc = loc.expand(batch_shape + event_shape)
        self.cov_factor = cov_factor.expand(batch_shape + cov_factor.shape[-2:])
        self.cov_diag = cov_diag.expand(batch_shape + event_shape)
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        weighted = cov_factor.mT / cov_diag.unsqueeze(-2)
        identity = tc.eye(cov_factor.shape[-1], dtype=cov_factor.dtype, device=cov_factor.device)
        self._capacitance_tril = tc.linalg.cholesky(weighted @ cov_factor + identity)
        super().__init__(batch_shape, event_shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.cov_factor.square().sum(-1) + self.cov_diag

    @lazy_property
    def scale_tril(self) -> Tensor:
        """Cholesky factor of the covariance."""
        root = self.cov_diag.sqrt().unsqueeze(-1)
        scaled = self.cov_factor / root
        identity = tc.eye(self._event_shape[0], dtype=root.dtype, device=root.device)
        return root * tc.linalg.cholesky(scaled @ scaled.mT + identity)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """Inverse of the covariance."""
        part = self._capacitance_part().expand(*self._batch_shape, -1, -1)
        return self.cov_diag.reciprocal().diag_embed() - part.mT @ part

    def _capacitance_part(self) -> Tensor:
        """A of ``D^-1 - A^T A``, the inverse of the covariance."""
        weighted = self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)
        return tc.linalg.solve_triangular(self._capacitance_tril, weighted, upper=False)

    def _log_det(self) -> Tensor:
        """Logarithm of the determinant of the covariance."""
        return 2 * half_log_det(self._capacitance_tril) + self._unbroadcasted_cov_diag.log().sum(-1)

    def _mahalanobis(self, x: Tensor) -> Tensor:
        """``x^T (W W^T + D)^-1 x``."""
        scaled = x / self._unbroadcasted_cov_diag
        projected = matrix_vector(self._unbroadcasted_cov_factor.mT, scaled)
        return (x * scaled).sum(-1) - mahalanobis(self._capacitance_tril, projected)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        along = _standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc.dtype, self.loc.device)
        rest = _standard_normal(shape, self.loc.dtype, self.loc.device)
        return self.loc + matrix_vector(self._unbroadcasted_cov_factor, along) + self.cov_diag.sqrt() * rest

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        constant = self._event_shape[0] * math.log(math.tau)
        return -0.5 * (constant + self._log_det() + self._mahalanobis(value - self.loc))

    def entropy(self) -> Tensor:
        constant = self._event_shape[0] * (1 + math.log(math.tau))
        return (0.5 * (constant + self._log_det())).expand(self._batch_shape)
