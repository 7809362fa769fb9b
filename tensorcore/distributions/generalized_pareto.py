"""The generalised Pareto distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Pointwise
from tensorcore.tensor import Tensor

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Pointwise):
    """Generalised Pareto distribution, of survival function ``(1 + c * z) ** (-1 / c)``, or ``exp(-z)`` for c = 0.

    z is ``(x - loc) / scale`` and c the ``concentration``.

    Example:
        >>> GeneralizedPareto(0.0, 1.0, 0.5).cdf(tc.tensor(2.0))
        tensor(0.7500)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real
    }  # fmt: skip
    has_rsample = True
    loc: Tensor
    scale: Tensor
    concentration: Tensor

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self._broadcast(validate_args, loc=loc, scale=scale, concentration=concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        c = self.concentration
        upper = tc.where(c < 0, self.loc - self.scale / tc.where(c < 0, c, -1.0), tc.inf)
        return constraints.interval(self.loc, upper)

    def _nearly(self) -> tuple[Tensor, Tensor]:
        """Where the concentration counts as 0, and the concentration with 1 there."""
        zero = tc.isclose(self.concentration, tc.zeros_like(self.concentration))
        return zero, tc.where(zero, 1.0, self.concentration)

    @property
    def mean(self) -> Tensor:
        valid = self.concentration < 1
        return tc.where(valid, self.loc + self.scale / (1 - tc.where(valid, self.concentration, 0.5)), tc.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        valid = self.concentration < 0.5
        c = tc.where(valid, self.concentration, 0.25)
        return tc.where(valid, self.scale.square() / ((1 - c).square() * (1 - 2 * c)), tc.nan)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(tc.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, c = self._nearly()
        power = 1 / c + 1
        # For c = -1 the density is constant up to the end, where the logarithm is infinite.
        decay = tc.where(power == 0, power, power * (c * z).log1p())
        return -self.scale.log() - tc.where(zero, z, decay)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """Logarithm of the probability of what is above ``value``."""
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, c = self._nearly()
        return tc.where(zero, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """Logarithm of `cdf`."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        zero, c = self._nearly()
        log_survival = (-value).log1p()
        z = tc.where(zero, -log_survival, (-c * log_survival).expm1() / c)
        return self.loc + self.scale * z

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
