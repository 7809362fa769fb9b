"""The multinomial distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.binomial import Binomial
from tensorcore.distributions.categorical import Categorical, OverCategories
from tensorcore.distributions.utils import broadcast_all
from tensorcore.tensor import Tensor

__all__ = ["Multinomial"]


class Multinomial(OverCategories):
    """How often each category comes in ``total_count`` draws of weights ``probs``, or logarithms of weights ``logits``.

    Example:
        >>> Multinomial(8, tc.tensor([1.0, 3.0])).mean
        tensor([2., 6.])
    """

    total_count: int

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError(
                f"Multinomial: total_count must be an int, one for the whole batch; got {type(total_count).__name__}"
            )
        self.total_count = total_count
        self._categorical = Categorical(probs, logits, validate_args)
        self._binomial = Binomial(total_count, self.probs, validate_args=validate_args)
        super().__init__(self._categorical.batch_shape, self.param_shape[-1:], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> constraints.Constraint:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self._binomial.mean

    @property
    def variance(self) -> Tensor:
        return self._binomial.variance

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = drawn.new_zeros(self._extended_shape(sample_shape))
        return counts.scatter_add(-1, drawn, tc.ones_like(drawn)).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        # What never comes, and did not, contributes 0, not 0 times -inf.
        logits = tc.where((value == 0) & (logits == -tc.inf), 0.0, logits)
        log_ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        return log_ways + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        n = tc.tensor(float(self.total_count), dtype=self._param.dtype, device=self._param.device)
        # The mean of log(k!) over the binomial distribution of each category.
        counts = self._binomial.enumerate_support(expand=False)[1:]
        mean_logs = (self._binomial.log_prob(counts).exp() * (counts + 1).lgamma()).sum((0, -1))
        return n * self._categorical.entropy() - (n + 1).lgamma() + mean_logs
