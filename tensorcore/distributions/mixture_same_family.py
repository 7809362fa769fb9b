"""Mixtures of distributions of one family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.categorical import Categorical
from tensorcore.distributions.distribution import Distribution
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Batched):
    """Mixture of the distributions along the last dimension of a batch.

    Args:
        mixture_distribution: a `Categorical`, which draws the component.
        component_distribution: of a batch whose last dimension are the components.

    Raises:
        ValueError: for other classes, or batches that do not fit.

    Example:
        >>> from tensorcore.distributions import Normal
        >>> mixture = MixtureSameFamily(Categorical(tc.ones(2)), Normal(tc.tensor([-1.0, 3.0]), 1.0))
        >>> mixture.mean
        tensor(1.)
    """

    arg_constraints: ClassVar[Any] = {}
    has_rsample = False

    def __init__(
        self, mixture_distribution: Categorical, component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        for value, kind in ((mixture_distribution, Categorical), (component_distribution, Distribution)):
            if not isinstance(value, kind):
                raise ValueError(f"MixtureSameFamily: expected a {kind.__name__}, got {type(value).__name__}")
        mixture, components = mixture_distribution.batch_shape, component_distribution.batch_shape
        count = mixture_distribution.param_shape[-1]
        sides = zip(reversed(mixture), reversed(components[:-1]), strict=False)
        if components[-1:] != (count,) or any(1 not in (i, j) and i != j for i, j in sides):
            raise ShapeError(
                f"MixtureSameFamily: {count} components of batch_shape {list(mixture)} were to be mixed, but the "
                f"component distribution's batch_shape is {list(components)}"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(components[:-1], component_distribution.event_shape, validate_args=validate_args)

    @property
    def mixture_distribution(self) -> Categorical:
        """What draws the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def _weighted(self, value: Tensor) -> Tensor:
        """The mean of ``value``, of the components' batch and events."""
        probs, events = self._mixture_distribution.probs, len(self._event_shape)
        return (probs.reshape(probs.shape + (1,) * events) * value).sum(-1 - events)

    def _padded(self, value: Tensor) -> Tensor:
        """With a dimension for the components."""
        return value.unsqueeze(-1 - len(self._event_shape))

    @property
    def mean(self) -> Tensor:
        return self._weighted(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        between = (self._component_distribution.mean - self._padded(self.mean)).square()
        return self._weighted(self._component_distribution.variance) + self._weighted(between)

    def cdf(self, value: Tensor) -> Tensor:
        return (self._component_distribution.cdf(self._padded(value)) * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        log_probs = self._component_distribution.log_prob(self._padded(value))
        return (log_probs + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with tc.no_grad():
            place = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            dim = place.ndim
            place = place.reshape((*place.shape, 1, *(1 for _ in self._event_shape)))
            place = place.expand((*place.shape[: dim + 1], *self._event_shape))
            return drawn.gather(dim, place).squeeze(dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self.mixture_distribution},\n  {self.component_distribution})"
