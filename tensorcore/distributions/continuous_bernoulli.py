"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import LogitsOrProbs, either
from tensorcore.distributions.exp_family import ExponentialFamily
from tensorcore.distributions.utils import (
    _log_bernoulli,
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
)
from tensorcore.tensor import Tensor

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(LogitsOrProbs, ExponentialFamily):
    """Distribution of [0, 1] of density proportional to ``probs ** x * (1 - probs) ** (1 - x)``.

    From Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders",
    NeurIPS 2019. Between the ``lims``, where the formulas cancel, their Taylor series about 1/2 are taken.

    Example:
        >>> ContinuousBernoulli(tc.tensor(0.5)).variance
        tensor(0.0833)
    """

    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0.0

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:  # fmt: skip
        name, param = either(probs, logits)
        self._lims = lims
        (param,) = broadcast_all(param)
        if name == "probs":
            if self._validate_args if validate_args is None else validate_args:
                self.probs = param
                self._require("parameter probs", param, constraints.unit_interval, "satisfy the constraint")
            probs = clamp_probs(param)
        else:
            logits = param
        self._broadcast_either(probs, logits, validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities, off 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _stable(self) -> tuple[Tensor, Tensor]:
        """Where the formulas are stable, and the probabilities with others in the place of those where they are not."""
        low, high = self._lims
        stable = (self.probs <= low) | (self.probs > high)
        return stable, tc.where(stable, self.probs, low)

    def _cont_bern_log_norm(self) -> Tensor:
        stable, p = self._stable()
        log_norm = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5).square()
        return tc.where(stable, log_norm, math.log(2) + (4 / 3 + 104 / 45 * x) * x)

    @property
    def mean(self) -> Tensor:
        stable, p = self._stable()
        x = self.probs - 0.5
        taylor = 0.5 + (1 / 3 + 16 / 45 * x.square()) * x
        return tc.where(stable, p / (2 * p - 1) + 1 / ((-p).log1p() - p.log()), taylor)

    @property
    def variance(self) -> Tensor:
        stable, p = self._stable()
        x = (self.probs - 0.5).square()
        taylor = 1 / 12 - (1 / 15 - 128 / 945 * x) * x
        value = p * (p - 1) / (1 - 2 * p).square() + 1 / ((-p).log1p() - p.log()).square()
        return tc.where(stable, value, taylor)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        u = tc.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype, device=self.probs.device)
        return self.icdf(u)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return _log_bernoulli(self.logits, value) + self._cont_bern_log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        stable, p = self._stable()
        inside = (p.pow(value) * (1 - p).pow(1 - value) + p - 1) / (2 * p - 1)
        inside = tc.where(stable, inside, value)
        return tc.where(value <= 0, 0.0, tc.where(value >= 1, 1.0, inside)).to(self.probs.dtype)

    def icdf(self, value: Tensor) -> Tensor:
        stable, p = self._stable()
        inside = ((-p + value * (2 * p - 1)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return tc.where(stable, inside, value)

    def entropy(self) -> Tensor:
        log_odds = (-self.probs).log1p() - self.probs.log()
        return self.mean * log_odds - self._cont_bern_log_norm() - (-self.probs).log1p()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        (x,) = natural_params
        low, high = (each - 0.5 for each in self._lims)
        stable = (x <= low) | (x > high)
        safe = tc.where(stable, x, low)
        taylor = 0.5 * x + x.square() / 24 - x.pow(4) / 2880
        return tc.where(stable, safe.expm1().abs().log() - safe.abs().log(), taylor)
