"""Distributions of transformed numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.distribution import Distribution
from tensorcore.distributions.independent import Independent
from tensorcore.distributions.transforms import ComposeTransform, Transform
from tensorcore.distributions.utils import _sum_rightmost
from tensorcore.errors import ShapeError
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = ["TransformedDistribution", "of_base"]


def of_base(name: str) -> Any:
    """A property: the base distribution's attribute ``name``."""
    return property(lambda self: getattr(self.base_dist, name), doc=f"The base distribution's `{name}`.")


class TransformedDistribution(Batched):
    """Distribution of ``f(x)``, x drawn from ``base_distribution`` and f being the ``transforms``, one after another.

    The density is that of x over the absolute determinant of f's Jacobian.

    Raises:
        ValueError: if ``transforms`` is neither a transform nor a list of them, or the base's events are too small.

    Example:
        >>> from tensorcore.distributions import Normal
        >>> from tensorcore.distributions.transforms import ExpTransform
        >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform()).cdf(tc.tensor(1.0))
        tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {}
    base_dist: Any
    transforms: list[Transform]

    def __init__(
        self, base_distribution: Distribution, transforms: Transform | list[Transform],
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(each, Transform) for each in self.transforms):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, got {transforms!r}")
        shape = base_distribution.batch_shape + base_distribution.event_shape
        base_event_dim = len(base_distribution.event_shape)
        transform = ComposeTransform(self.transforms)
        inner, outer = transform.domain.event_dim, transform.codomain.event_dim
        if len(shape) < inner:
            raise ShapeError(
                f"{type(self).__name__}: the transforms take events of {inner} dimensions, which the base "
                f"distribution's batch_shape + event_shape, {list(shape)}, does not have"
            )
        forward_shape = Size(transform.forward_shape(shape))
        # A transform with parameters of its own can be of a larger batch.
        needed = Size(transform.inverse_shape(forward_shape))
        if shape != needed:
            base_distribution = base_distribution.expand(needed[: len(needed) - base_event_dim])
        if inner > base_event_dim:
            base_distribution = Independent(base_distribution, inner - base_event_dim)
        self.base_dist = base_distribution
        # An event is as large as the transforms make it, or as what the base couples becomes.
        cut = len(forward_shape) - max(outer, base_event_dim + outer - inner)
        super().__init__(forward_shape[:cut], forward_shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        shape = Size(batch_shape) + self._event_shape
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> constraints.Constraint:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self._event_shape) - support.event_dim
        return constraints.independent(support, more) if more > 0 else support

    @property
    def has_rsample(self) -> bool:
        return bool(self.base_dist.has_rsample)

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with tc.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._forward(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        event_dim = len(self._event_shape)
        log_prob: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            inner = transform.domain.event_dim
            event_dim += inner - transform.codomain.event_dim
            log_prob = log_prob - _sum_rightmost(transform.log_abs_det_jacobian(x, y), event_dim - inner)
            y = x
        return log_prob + _sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))

    def _monotonize_cdf(self, value: Tensor) -> Tensor:
        """``value``, or ``1 - value`` where the transforms turn the order round."""
        sign = ComposeTransform(self.transforms).sign
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._forward(self.base_dist.icdf(self._monotonize_cdf(value)))
