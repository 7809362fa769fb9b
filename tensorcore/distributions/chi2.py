"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorcore.distributions import constraints
from tensorcore.distributions.gamma import Gamma
from tensorcore.tensor import Tensor

__all__ = ["Chi2"]


class Chi2(Gamma):
    """Chi-squared distribution of ``df`` degrees of freedom, the gamma distribution of ``df / 2`` and rate 1/2.

    Example:
        >>> Chi2(3.0).mean
        tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Tensor:
        """Degrees of freedom."""
        return self.concentration * 2
