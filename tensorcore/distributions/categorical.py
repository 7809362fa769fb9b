"""The categorical distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched, either
from tensorcore.distributions.utils import lazy_property, logits_to_probs, probs_to_logits
from tensorcore.errors import ShapeError
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = ["Categorical", "OverCategories"]


class OverCategories(Batched):
    """Of a categorical distribution, whose parameters it shows."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _categorical: Categorical

    @property
    def probs(self) -> Tensor:
        """Probabilities of the categories."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """Shape of the parameter that was given."""
        return self._categorical.param_shape

    @property
    def _param(self) -> Tensor:
        return self._categorical._param


class Categorical(Batched):
    """Whole numbers from 0 to k - 1 with the weights ``probs``, or logarithms of weights ``logits``.

    Args:
        probs: of shape (*batch, k), not negative; they are divided by their sum.
        logits: of shape (*batch, k); they are shifted so that their exponentials add up to 1.

    Example:
        >>> Categorical(tc.tensor([1.0, 3.0])).probs
        tensor([0.2500, 0.7500])
    """

    arg_constraints: ClassVar[Any] = OverCategories.arg_constraints
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._given, param = either(probs, logits)
        if param.ndim < 1:
            raise ShapeError(f"Categorical: {self._given} must be at least one-dimensional, got a 0-d tensor")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = logits - logits.logsumexp(-1, keepdim=True)
        self._num_events = param.shape[-1]
        super().__init__(param.shape[:-1], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self) -> Tensor:
        """Logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities of the categories."""
        return logits_to_probs(self.logits)

    @property
    def _param(self) -> Tensor:
        return getattr(self, self._given)

    @property
    def param_shape(self) -> Size:
        """Shape of the parameter that was given."""
        return self._param.shape

    @property
    def mean(self) -> Tensor:
        return tc.full(self._batch_shape, tc.nan, dtype=self._param.dtype, device=self._param.device)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self.mean

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        rows = self.probs.detach().reshape(-1, self._num_events)
        drawn = tc.multinomial(rows, Size(sample_shape).numel(), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        place, log_probs = value.long().unsqueeze(-1), self.logits
        if value.shape != log_probs.shape[:-1]:
            place, log_probs = tc.broadcast_tensors(place, log_probs)
        return log_probs.gather(-1, place[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        # A category that never comes contributes 0, not 0 times -inf.
        return -(self.logits.clamp(min=tc.finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = tc.arange(self._num_events, device=self._param.device)
        values = values.reshape(-1, *(1 for _ in self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
