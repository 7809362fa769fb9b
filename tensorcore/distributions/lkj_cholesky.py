"""The distribution of correlation matrices of Lewandowski, Kurowicka and Joe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.beta import Beta
from tensorcore.distributions.utils import broadcast_all
from tensorcore.errors import RangeError
from tensorcore.tensor import Tensor

__all__ = ["LKJCholesky"]


class LKJCholesky(Batched):
    """Cholesky factors of ``dim`` x ``dim`` correlation matrices of density proportional to their determinant's power.

    The power is ``concentration - 1``, so 1 is the uniform distribution (Lewandowski, Kurowicka and Joe, "Generating
    random correlation matrices based on vines and extended onion method", J. Multivariate Analysis 100 (2009)).

    Raises:
        RangeError: for a ``dim`` below 2.

    Example:
        >>> LKJCholesky(2, 1.0).log_prob(tc.eye(2)).exp()
        tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise RangeError(f"LKJCholesky: dim must be at least 2, got {dim}")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)
        # Squared lengths of the rows below the diagonal (section 3.2), the first of which is replaced.
        offset = tc.arange(dim, dtype=self.concentration.dtype, device=self.concentration.device)
        offset = 0.5 * (offset - 1).clamp(min=0)
        marginal = (self.concentration + 0.5 * (dim - 2)).unsqueeze(-1)
        self._beta = Beta(offset + 0.5, marginal - offset, validate_args=validate_args)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        with tc.no_grad():
            squares = self._beta.sample(sample_shape).unsqueeze(-1)
            shape = self._extended_shape(sample_shape)
            noise = tc.randn(shape, dtype=squares.dtype, device=squares.device).tril(-1)
            length = tc.linalg.vector_norm(noise, dim=-1, keepdim=True)
            # The first row has nothing below the diagonal.
            below = squares.sqrt() * noise / tc.where(length == 0, 1.0, length)
            rest = (1 - below.square().sum(-1)).clamp(min=tc.finfo(below.dtype).tiny)
            return below + rest.sqrt().diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        # The determinant's power times the Jacobian of the factor: exponents of the diagonal but for its first.
        order = tc.arange(self.dim - 2, -1, -1, dtype=self.concentration.dtype, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + order
        unnormalized = (order * value.diagonal(dim1=-2, dim2=-1)[..., 1:].log()).sum(-1)
        # Page 1999.
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        return unnormalized - (0.5 * n * math.log(math.pi) + (alpha - 0.5).mvlgamma(n) - n * alpha.lgamma())
