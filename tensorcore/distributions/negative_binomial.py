"""The negative binomial distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import LogitsOrProbs
from tensorcore.distributions.gamma import Gamma
from tensorcore.distributions.utils import lazy_property
from tensorcore.ops.smooth_activation import logsigmoid
from tensorcore.tensor import Tensor

__all__ = ["NegativeBinomial"]


class NegativeBinomial(LogitsOrProbs):
    """Number of successes of probability ``probs``, or log odds ``logits``, before ``total_count`` failures.

    Example:
        >>> NegativeBinomial(3.0, tc.tensor(0.5)).mean
        tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    total_count: Tensor

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._broadcast_either(probs, logits, validate_args, total_count=total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self) -> Gamma:
        return Gamma(self.total_count, (-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with tc.no_grad():
            return tc.poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        log_ways = (n + value).lgamma() - (1 + value).lgamma() - n.lgamma()
        # Without failures to wait for, 0 is certain.
        log_ways = tc.where(n + value == 0, 0.0, log_ways)
        return log_ways + n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
