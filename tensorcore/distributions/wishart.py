"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.chi2 import Chi2
from tensorcore.distributions.covariance import ByMatrix, given_matrix, half_log_det
from tensorcore.distributions.exp_family import ExponentialFamily
from tensorcore.errors import RangeError
from tensorcore.tensor import Tensor

__all__ = ["Wishart"]


class Wishart(ByMatrix, Batched, ExponentialFamily):
    """Distribution of sums of outer products of ``df`` normal vectors of a covariance, for real ``df``, too.

    Args:
        df: degrees of freedom, more than n - 1.
        covariance_matrix: positive definite, of shape (*batch, n, n).
        precision_matrix: its inverse.
        scale_tril: its Cholesky factor.

    Raises:
        AssertionError: unless exactly one matrix is given.
        RangeError: if ``df`` is too small.

    Example:
        >>> Wishart(tc.tensor(3.0), scale_tril=tc.eye(2)).mean
        tensor([[3., 0.],
                [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0.0

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(
        self, df: Any, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None, validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        name, matrix = given_matrix(
            "Wishart", AssertionError, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )  # fmt: skip
        df = tc.as_tensor(df, dtype=None if isinstance(df, Tensor) else matrix.dtype, device=matrix.device)
        n = matrix.shape[-1]
        batch_shape = tc.broadcast_shapes(matrix.shape[:-2], df.shape)
        self.df = df.expand(batch_shape)
        setattr(self, name, matrix.expand(*batch_shape, -1, -1))
        least = float(df.min())
        if not least > n - 1:
            raise RangeError(f"Wishart: df must be greater than n - 1 = {n - 1}, got {least}")
        if least < n:
            warnings.warn(
                f"Wishart: df = {least} is below n = {n}; singular samples are likely between n - 1 and n", stacklevel=2
            )
        super().__init__(batch_shape, matrix.shape[-2:], validate_args=validate_args)
        self._factor(name, matrix)
        self._chi2 = Chi2(self.df.unsqueeze(-1) - tc.arange(n, dtype=df.dtype, device=df.device))

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._event_shape[-1] - 1
        return tc.where(factor <= 0, tc.nan, factor)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        covariance = self.covariance_matrix
        diagonal = covariance.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (covariance.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett(self, sample_shape: Sequence[int]) -> Tensor:
        """By Bartlett's decomposition: roots of chi-squared numbers on the diagonal, normal ones below."""
        roots = self._chi2.rsample(sample_shape).sqrt()
        below = tc.randn((*roots.shape, roots.shape[-1]), dtype=roots.dtype, device=roots.device).tril(-1)
        factor = self._unbroadcasted_scale_tril @ (
            below + roots.clamp(min=tc.finfo(roots.dtype).eps).diag_embed()
        )  # fmt: skip
        return factor @ factor.mT

    def rsample(self, sample_shape: Sequence[int] = (), max_try_correction: int | None = None) -> Tensor:
        """Draws with gradients; singular ones are drawn again, up to ``max_try_correction`` (10) times.

        Raises no error where some stay singular, which is likely for ``df`` below n: `log_prob` may be -inf for them.
        """
        sample = self._bartlett(sample_shape)
        for attempt in range(10 if max_try_correction is None else max_try_correction):
            singular = tc.linalg.cholesky_ex(sample.detach()).info != 0
            if not bool(singular.any()):
                break
            if attempt == 0:
                warnings.warn("Wishart: a singular sample was drawn, and is drawn again", stacklevel=2)
            sample = tc.where(singular[..., None, None], self._bartlett(sample_shape), sample)
        return sample

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        nu, n, factor = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        trace = tc.cholesky_solve(value, factor).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_norm = nu * (n * math.log(2) / 2 + half_log_det(factor)) + (nu / 2).mvlgamma(n)
        return (nu - n - 1) / 2 * tc.linalg.slogdet(value).logabsdet - trace / 2 - log_norm

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        halves = tc.arange(n, dtype=nu.dtype, device=nu.device) / 2
        digammas = ((nu / 2).unsqueeze(-1) - halves).digamma().sum(-1)
        log_det = n * math.log(2) / 2 + half_log_det(self._unbroadcasted_scale_tril)
        return (n + 1) * log_det + (nu / 2).mvlgamma(n) - (nu - n - 1) / 2 * digammas + nu * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        x, y = natural_params
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        return half * (n * math.log(2) - tc.linalg.slogdet(-2 * x).logabsdet) + half.mvlgamma(n)
