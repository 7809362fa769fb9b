"""The Bernoulli distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import LogitsOrProbs
from tensorcore.distributions.exp_family import ExponentialFamily
from tensorcore.distributions.utils import _log_bernoulli, _softplus
from tensorcore.tensor import Tensor

__all__ = ["Bernoulli"]


class Bernoulli(LogitsOrProbs, ExponentialFamily):
    """1 with the probability ``probs``, or of log odds ``logits``, else 0.

    Example:
        >>> Bernoulli(tc.tensor([0.25, 0.5])).log_prob(tc.tensor(1.0)).exp()
        tensor([0.2500, 0.5000])
    """

    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0.0

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._broadcast_either(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return tc.where(self.probs == 0.5, tc.nan, (self.probs >= 0.5).to(self.probs.dtype))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with tc.no_grad():
            return tc.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return _log_bernoulli(self.logits, value)

    def entropy(self) -> Tensor:
        return -_log_bernoulli(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = tc.arange(2, dtype=self._param.dtype, device=self._param.device)
        values = values.reshape(-1, *(1 for _ in self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.probs.logit(),)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        return _softplus(natural_params[0])
