"""The inverse gamma distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.gamma import Gamma
from tensorcore.distributions.transformed_distribution import TransformedDistribution, of_base
from tensorcore.distributions.transforms import PowerTransform
from tensorcore.tensor import Tensor

__all__ = ["InverseGamma"]


class InverseGamma(TransformedDistribution):
    """Distribution of the reciprocal of a gamma number of ``concentration`` and ``rate``.

    Example:
        >>> InverseGamma(3.0, 4.0).mean
        tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True
    concentration = of_base("concentration")
    rate = of_base("rate")

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        super().__init__(base, PowerTransform(-base.rate.new_ones(())), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return tc.where(self.concentration > 1, self.rate / (self.concentration - 1), tc.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return tc.where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), tc.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()
