"""Relaxed one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.categorical import Categorical, OverCategories
from tensorcore.distributions.transformed_distribution import TransformedDistribution, of_base
from tensorcore.distributions.transforms import ExpTransform
from tensorcore.distributions.utils import broadcast_all, clamp_probs
from tensorcore.tensor import Tensor

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(OverCategories):
    """Logarithms of what `RelaxedOneHotCategorical` draws.

    From Maddison, Mnih and Teh, "The concrete distribution", ICLR 2017, and Jang, Gu and Poole, "Categorical
    reparameterization with Gumbel-softmax", ICLR 2017.
    """

    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits, validate_args)
        self.temperature = temperature
        super().__init__(self._categorical.batch_shape, self.param_shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape, logits = self._extended_shape(sample_shape), self.logits
        gumbel = -(-clamp_probs(tc.rand(shape, dtype=logits.dtype, device=logits.device)).log()).log()
        return ((logits + gumbel) / self.temperature).log_softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        temperature = tc.as_tensor(self.temperature, dtype=logits.dtype, device=logits.device)
        k = logits.shape[-1]
        log_scale = tc.full_like(temperature, k).lgamma() + (k - 1) * temperature.log()
        return (logits - value * temperature).log_softmax(-1).sum(-1) + log_scale


class RelaxedOneHotCategorical(TransformedDistribution):
    """Points of a simplex near its corners, which `OneHotCategorical` draws, the nearer the lower ``temperature``.

    Example:
        >>> d = RelaxedOneHotCategorical(tc.tensor(0.5), tc.tensor([0.2, 0.8]))
        >>> d.event_shape, d.has_rsample
        (tensorcore.Size([2]), True)
    """

    arg_constraints: ClassVar[Any] = OverCategories.arg_constraints
    support = constraints.simplex
    has_rsample = True
    temperature = of_base("temperature")
    logits = of_base("logits")
    probs = of_base("probs")

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)
