"""The Weibull distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.exponential import Exponential
from tensorcore.distributions.transformed_distribution import TransformedDistribution
from tensorcore.distributions.transforms import AffineTransform, PowerTransform
from tensorcore.distributions.utils import broadcast_all, euler_constant
from tensorcore.tensor import Tensor

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """Weibull distribution of survival function ``exp(-(x / scale) ** concentration)``.

    Example:
        >>> Weibull(1.0, 1.0).variance
        tensor(1.)
    """

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(tc.ones_like(self.scale), validate_args=validate_args)
        transforms = [
            PowerTransform(exponent=self.concentration_reciprocal),
            AffineTransform(loc=0, scale=self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    @property
    def concentration_reciprocal(self) -> Tensor:
        """``1 / concentration``."""
        return self.concentration.reciprocal()

    @property
    def mean(self) -> Tensor:
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        power = self.concentration_reciprocal
        return self.scale * (1 - power).pow(power)

    @property
    def variance(self) -> Tensor:
        power = self.concentration_reciprocal
        return self.scale.square() * ((1 + 2 * power).lgamma().exp() - (2 * (1 + power).lgamma()).exp())

    def entropy(self) -> Tensor:
        power = self.concentration_reciprocal
        return euler_constant * (1 - power) + (self.scale * power).log() + 1
