"""The binomial distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import LogitsOrProbs
from tensorcore.distributions.utils import _softplus
from tensorcore.tensor import Tensor

__all__ = ["Binomial"]


class Binomial(LogitsOrProbs):
    """Number of successes in ``total_count`` trials of probability ``probs``, or log odds ``logits``.

    Example:
        >>> Binomial(4, tc.tensor(0.5)).log_prob(tc.tensor([0.0, 2.0])).exp()
        tensor([0.0625, 0.3750])
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer, **LogitsOrProbs.arg_constraints
    }  # fmt: skip
    has_enumerate_support = True
    total_count: Tensor

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._broadcast_either(probs, logits, validate_args, total_count=total_count)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with tc.no_grad():
            return tc.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        log_ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return log_ways + value * self.logits - n * _softplus(self.logits)

    def _trials(self, what: str) -> int:
        """The number of trials, where it is the same for all."""
        most = int(self.total_count.max())
        if int(self.total_count.min()) != most:
            raise NotImplementedError(f"Binomial: {what} needs one total_count for the whole batch")
        return most

    def entropy(self) -> Tensor:
        self._trials("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = 1 + self._trials("enumerate_support")
        values = tc.arange(count, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(-1, *(1 for _ in self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
