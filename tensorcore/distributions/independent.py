"""Dimensions of a batch made dimensions of an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tensorcore.distributions import constraints
from tensorcore.distributions.batched import Batched
from tensorcore.distributions.distribution import Distribution
from tensorcore.distributions.utils import _sum_rightmost
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__ = ["Independent"]


class Independent(Batched):
    """``base_distribution`` whose last ``reinterpreted_batch_ndims`` dimensions of the batch belong to one event.

    Raises:
        ShapeError: if the batch has fewer dimensions.

    Example:
        >>> import tensorcore as tc
        >>> d = Independent(tc.distributions.Normal(tc.zeros(3), 1.0), 1)
        >>> d.batch_shape, d.event_shape
        (tensorcore.Size([]), tensorcore.Size([3]))
    """

    arg_constraints: ClassVar[Any] = {}
    base_dist: Any

    def __init__(
        self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None
    ) -> None:
        batch = base_distribution.batch_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ShapeError(
                f"Independent: reinterpreted_batch_ndims is {reinterpreted_batch_ndims}, but the base distribution's "
                f"batch_shape is {list(batch)}"
            )
        cut = len(batch) - reinterpreted_batch_ndims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(batch[:cut], batch[cut:] + base_distribution.event_shape, validate_args=validate_args)

    @property
    def has_rsample(self) -> bool:
        return bool(self.base_dist.has_rsample)

    @property
    def has_enumerate_support(self) -> bool:
        return self.reinterpreted_batch_ndims == 0 and bool(self.base_dist.has_enumerate_support)

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        result = self.base_dist.support
        more = self.reinterpreted_batch_ndims
        return constraints.independent(result, more) if more else result

    @property
    def mean(self) -> Tensor:
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        return _sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        return _sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError(
                "Independent: the events are combinations of the base distribution's, which are not enumerated"
            )
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
