"""The distribution of Fisher and Snedecor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Pointwise
from tensorcore.distributions.gamma import Gamma
from tensorcore.tensor import Tensor

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Pointwise):
    """F-distribution: the quotient of two chi-squared numbers over their degrees of freedom, ``df1`` and ``df2``.

    Example:
        >>> FisherSnedecor(1.0, 4.0).mean
        tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    df1: Tensor
    df2: Tensor

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self._broadcast(validate_args, df1=df1, df2=df2)
        self._gamma1 = Gamma(self.df1 * 0.5, self.df1, validate_args=validate_args)
        self._gamma2 = Gamma(self.df2 * 0.5, self.df2, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        df2 = tc.where(self.df2 <= 2, tc.nan, self.df2)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return tc.where(self.df1 <= 2, tc.nan, mode)

    @property
    def variance(self) -> Tensor:
        df2 = tc.where(self.df2 <= 4, tc.nan, self.df2)
        return 2 * df2.square() * (self.df1 + df2 - 2) / (self.df1 * (df2 - 2).square() * (df2 - 4))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        value = self._gamma1.rsample(sample_shape) / self._gamma2.rsample(sample_shape)
        return value.clamp(min=tc.finfo(value.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        log_norm = a.lgamma() + b.lgamma() - (a + b).lgamma()
        return a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p() - log_norm
