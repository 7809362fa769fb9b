"""Student's t-distribution."""  # noqa: N999 - PyTorch's name

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Pointwise
from tensorcore.distributions.chi2 import Chi2
from tensorcore.distributions.utils import _standard_normal
from tensorcore.tensor import Tensor

__all__ = ["StudentT"]


class StudentT(Pointwise):
    """Student's t-distribution of ``df`` degrees of freedom, shifted by ``loc`` and scaled by ``scale``.

    Example:
        >>> StudentT(tc.tensor([1.0, 2.0, 4.0])).variance
        tensor([nan, inf, 2.])
    """

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive, "loc": constraints.real, "scale": constraints.positive
    }  # fmt: skip
    support = constraints.real
    has_rsample = True
    df: Tensor
    loc: Tensor
    scale: Tensor

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self._broadcast(validate_args, df=df, loc=loc, scale=scale)
        self._chi2 = Chi2(self.df, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return tc.where(self.df <= 1, tc.nan, self.loc)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.df > 2
        df = tc.where(finite, self.df, 3.0)
        value = tc.where(finite, self.scale.square() * df / (df - 2), tc.inf)
        return tc.where(self.df <= 1, tc.nan, value)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        x = _standard_normal(self._extended_shape(sample_shape), self.df.dtype, self.df.device)
        return self.loc + self.scale * x * (self._chi2.rsample(sample_shape) / self.df).rsqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y, df = (value - self.loc) / self.scale, self.df
        log_norm = self.scale.log() + 0.5 * (df * math.pi).log() + (df / 2).lgamma() - ((df + 1) / 2).lgamma()
        return -(df + 1) / 2 * (y.square() / df).log1p() - log_norm

    def entropy(self) -> Tensor:
        half, more = self.df / 2, (self.df + 1) / 2
        log_beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        return self.scale.log() + more * (more.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta
