"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.cauchy import Cauchy
from tensorcore.distributions.transformed_distribution import TransformedDistribution, of_base
from tensorcore.distributions.transforms import AbsTransform
from tensorcore.tensor import Tensor

__all__ = ["HalfCauchy"]


class HalfCauchy(TransformedDistribution):
    """Distribution of the size of a Cauchy number of median 0 and width ``scale``.

    Example:
        >>> HalfCauchy(1.0).cdf(tc.tensor(1.0))
        tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    scale = of_base("scale")

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return tc.full_like(self.scale, tc.inf)

    @property
    def mode(self) -> Tensor:
        return tc.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value = tc.as_tensor(value, dtype=self.scale.dtype, device=self.scale.device)
        return tc.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -tc.inf)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
