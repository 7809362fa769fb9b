"""Relaxed Bernoulli numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import LogitsOrProbs
from tensorcore.distributions.transformed_distribution import TransformedDistribution, of_base
from tensorcore.distributions.transforms import SigmoidTransform
from tensorcore.distributions.utils import _softplus, broadcast_all, clamp_probs, probs_to_logits
from tensorcore.tensor import Tensor

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(LogitsOrProbs):
    """Log odds of what `RelaxedBernoulli` draws (Maddison, Mnih and Teh, "The concrete distribution", ICLR 2017)."""

    support = constraints.real
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._broadcast_either(probs, logits, validate_args)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape, probs = self._extended_shape(sample_shape), self.probs
        u = tc.rand(shape, dtype=probs.dtype, device=probs.device)
        noise = probs_to_logits(u, is_binary=True)
        return (noise + probs_to_logits(clamp_probs(probs).expand(shape), is_binary=True)) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        temperature = tc.as_tensor(self.temperature, dtype=logits.dtype, device=logits.device)
        difference = logits - value * temperature
        return temperature.log() + difference - 2 * _softplus(difference)


class RelaxedBernoulli(TransformedDistribution):
    """Numbers of (0, 1) near 0 and 1, which `Bernoulli` draws, the nearer the lower ``temperature``.

    Example:
        >>> RelaxedBernoulli(tc.tensor(2.0), tc.tensor(0.25)).log_prob(tc.tensor(0.5))
        tensor(0.4055)
    """

    arg_constraints: ClassVar[Any] = LogitsOrProbs.arg_constraints
    support = constraints.unit_interval
    has_rsample = True
    temperature = of_base("temperature")
    logits = of_base("logits")
    probs = of_base("probs")

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)
