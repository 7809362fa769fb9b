"""The logistic-normal distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorcore.distributions import constraints
from tensorcore.distributions.normal import Normal
from tensorcore.distributions.transformed_distribution import TransformedDistribution
from tensorcore.distributions.transforms import StickBreakingTransform
from tensorcore.tensor import Tensor

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Distribution of points of a simplex, broken like a stick at the logistic function of normal numbers.

    Args:
        loc: means, of shape (*batch, k); an event has k + 1 parts.
        scale: standard deviations.

    Example:
        >>> import tensorcore as tc
        >>> LogisticNormal(tc.zeros(3), tc.ones(3)).event_shape
        tensorcore.Size([4])
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        base = base if base.batch_shape else base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """Means of the normal numbers."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """Standard deviations of the normal numbers."""
        return self.base_dist.base_dist.scale
