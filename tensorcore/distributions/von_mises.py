"""The distribution of von Mises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Pointwise
from tensorcore.distributions.utils import lazy_property
from tensorcore.tensor import Tensor

__all__ = ["VonMises"]


def _log_i0(x: Tensor) -> Tensor:
    return tc.special.i0e(x).log() + x


class VonMises(Pointwise):
    """Distribution of angles of density ``exp(concentration * cos(x - loc)) / (2 * pi * i0(concentration))``.

    Angles are drawn from [-pi, pi); any are scored. Mean and variance are the circular ones.

    Example:
        >>> VonMises(1.0, 4.0).mean
        tensor(1.)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    loc: Tensor
    concentration: Tensor

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self._broadcast(validate_args, loc=loc, concentration=concentration)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 1 - tc.special.i1e(self.concentration) / tc.special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self.concentration * (value - self.loc).cos() - math.log(math.tau) - _log_i0(self.concentration)

    @lazy_property
    def _proposal_r(self) -> Tensor:
        """Parameter of the wrapped Cauchy distribution that envelopes this one."""
        kappa = self.concentration.to(tc.float64)
        tau = 1 + (1 + 4 * kappa.square()).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        return tc.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho.square()) / (2 * rho))

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """By the rejection of Best and Fisher (Applied Statistics 28 (1979), 152-157), in float64."""
        with tc.no_grad():
            r, loc, kappa = self._proposal_r, self.loc.to(tc.float64), self.concentration.to(tc.float64)
            shape = self._extended_shape(sample_shape)
            angle = tc.empty(shape, dtype=tc.float64, device=loc.device)
            left = tc.ones(shape, dtype=tc.bool, device=loc.device)
            while bool(left.any()):
                u1, u2, u3 = tc.rand((3, *shape), dtype=tc.float64, device=loc.device).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                good = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                # PyTorch, too, lets an element that was accepted be drawn again while others are not.
                angle = tc.where(good, (u3 - 0.5).sign() * f.acos(), angle)
                left = left & ~good
            return ((angle + math.pi + loc) % math.tau - math.pi).to(self.loc.dtype)
