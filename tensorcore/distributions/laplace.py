"""The Laplace distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorcore as tc
from tensorcore.distributions.batched import LocationScale
from tensorcore.tensor import Tensor

__all__ = ["Laplace"]


class Laplace(LocationScale):
    """Laplace distribution of density ``exp(-abs(x - loc) / scale) / (2 * scale)``.

    Example:
        >>> Laplace(0.0, 1.0).entropy()
        tensor(1.6931)
    """

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.square()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        u = tc.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device)
        # Without the end of the interval, whose logarithm is infinite.
        u.uniform_(tc.finfo(u.dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        distance = value - self.loc
        return 0.5 - 0.5 * distance.sign() * (-distance.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        u = value - 0.5
        return self.loc - self.scale * u.sign() * (-2 * u.abs()).log1p()

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
