"""The geometric distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import LogitsOrProbs
from tensorcore.distributions.utils import _log_bernoulli, broadcast_all
from tensorcore.tensor import Tensor

__all__ = ["Geometric"]


class Geometric(LogitsOrProbs):
    """Number of failures before the first success, each trial succeeding with ``probs``, or log odds ``logits``.

    Example:
        >>> Geometric(0.25).mean
        tensor(3.)
    """

    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._broadcast_either(probs, logits, validate_args)
        if self._validate_args and probs is not None:
            self._require("parameter probs", self.probs, constraints.positive, "satisfy the constraint")

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return tc.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        probs = self.probs
        with tc.no_grad():
            u = tc.empty(self._extended_shape(sample_shape), dtype=probs.dtype, device=probs.device)
            return (u.uniform_(tc.finfo(u.dtype).tiny, 1).log() / (-probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # No failures are certain where every trial succeeds.
        failing = tc.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-failing).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return -_log_bernoulli(self.logits, self.probs) / self.probs
