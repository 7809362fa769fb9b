"""The Cauchy distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorcore as tc
from tensorcore.distributions.batched import LocationScale
from tensorcore.tensor import Tensor

__all__ = ["Cauchy"]


class Cauchy(LocationScale):
    """Cauchy distribution of median ``loc`` and half width at half maximum ``scale``; it has no mean.

    Example:
        >>> Cauchy(0.0, 1.0).icdf(tc.tensor([0.25, 0.5, 0.75]))
        tensor([-1.,  0.,  1.])
    """

    @property
    def mean(self) -> Tensor:
        return tc.full_like(self.loc, tc.nan)

    @property
    def variance(self) -> Tensor:
        return tc.full_like(self.loc, tc.inf)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        drawn = tc.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device).cauchy_()
        return self.loc + drawn * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - ((value - self.loc) / self.scale).square().log1p()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()
