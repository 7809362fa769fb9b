"""The log-normal distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorcore.distributions import constraints
from tensorcore.distributions.normal import Normal
from tensorcore.distributions.transformed_distribution import TransformedDistribution, of_base
from tensorcore.distributions.transforms import ExpTransform
from tensorcore.tensor import Tensor

__all__ = ["LogNormal"]


class LogNormal(TransformedDistribution):
    """Distribution of numbers whose logarithm is normal, of mean ``loc`` and standard deviation ``scale``.

    Example:
        >>> LogNormal(0.0, 1.0).mean
        tensor(1.6487)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.positive
    has_rsample = True
    loc = of_base("loc")
    scale = of_base("scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return (self.loc + self.scale.square() / 2).exp()

    @property
    def mode(self) -> Tensor:
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        square = self.scale.square()
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc
