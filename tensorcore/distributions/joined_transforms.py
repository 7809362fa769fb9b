"""Transforms of the parts of a tensor, side by side along a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.transform import Transform
from tensorcore.distributions.utils import _sum_rightmost
from tensorcore.tensor import Tensor

__all__ = ["CatTransform", "StackTransform"]


class _Parts(Transform):
    """Transforms for the parts of a tensor along ``dim``."""

    def __init__(self, tseq: Sequence[Transform], dim: int, cache_size: int) -> None:
        super().__init__(cache_size=cache_size)
        for each in tseq:
            if not isinstance(each, Transform):
                raise AssertionError(f"{type(self).__name__}: expected Transforms, got {each!r}")
        self.transforms = [each.with_cache(cache_size) for each in tseq] if cache_size else list(tseq)
        self.dim = dim

    def _length(self) -> int:
        return len(self.transforms)

    def _require(self, x: Tensor) -> Tensor:
        if not -x.ndim <= self.dim < x.ndim or x.shape[self.dim] != self._length():
            raise AssertionError(
                f"{type(self).__name__}: expected {self._length()} elements along dimension {self.dim}, "
                f"got shape {list(x.shape)}"
            )
        return x

    @property
    def bijective(self) -> bool:
        return all(each.bijective for each in self.transforms)


class CatTransform(_Parts):
    """The transforms of ``tseq`` on parts of ``lengths`` along ``dim``, as `cat` joins them.

    Example:
        >>> from tensorcore.distributions.transforms import AbsTransform, ExpTransform
        >>> CatTransform([ExpTransform(), AbsTransform()], lengths=[1, 2])(tc.tensor([0.0, -1.0, -2.0]))
        tensor([1., 1., 2.])
    """

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0
    ) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(f"CatTransform: {len(self.transforms)} transforms for {len(self.lengths)} lengths")

    @property
    def event_dim(self) -> int:
        return max(each.event_dim for each in self.transforms)

    @property
    def length(self) -> int:
        """Elements along the dimension, in all."""
        return sum(self.lengths)

    def _length(self) -> int:
        return self.length

    def _with_cache(self, cache_size: int) -> Transform:
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _split(self, x: Tensor) -> Any:
        return self._require(x).split(self.lengths, self.dim)

    def _call(self, x: Any) -> Any:
        return tc.cat([f(part) for f, part in zip(self.transforms, self._split(x), strict=True)], self.dim)

    def _inverse(self, y: Any) -> Any:
        return tc.cat([f.inv(part) for f, part in zip(self.transforms, self._split(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        terms = [
            _sum_rightmost(f.log_abs_det_jacobian(a, b), self.event_dim - f.event_dim)
            for f, a, b in zip(self.transforms, self._split(x), self._split(y), strict=True)
        ]
        dim = (self.dim if self.dim < 0 else self.dim - x.ndim) + self.event_dim
        # Parts along a dimension of the batch stay apart; those of an event add up.
        return tc.cat(terms, dim) if dim < 0 else sum(terms[1:], terms[0])

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.cat([each.domain for each in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.cat([each.codomain for each in self.transforms], self.dim, self.lengths)


class StackTransform(_Parts):
    """The transforms of ``tseq``, one for each place along ``dim``, as `stack` joins them.

    Example:
        >>> from tensorcore.distributions.transforms import AbsTransform, ExpTransform
        >>> StackTransform([ExpTransform(), AbsTransform()])(tc.tensor([[0.0], [-1.0]]))
        tensor([[1.],
                [1.]])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)

    def _with_cache(self, cache_size: int) -> Transform:
        return StackTransform(self.transforms, self.dim, cache_size)

    def _split(self, x: Tensor) -> Any:
        return self._require(x).unbind(self.dim)

    def _call(self, x: Any) -> Any:
        return tc.stack([f(part) for f, part in zip(self.transforms, self._split(x), strict=True)], self.dim)

    def _inverse(self, y: Any) -> Any:
        return tc.stack([f.inv(part) for f, part in zip(self.transforms, self._split(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        parts = zip(self.transforms, self._split(x), self._split(y), strict=True)
        return tc.stack([f.log_abs_det_jacobian(a, b) for f, a, b in parts], self.dim)

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.stack([each.domain for each in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.stack([each.codomain for each in self.transforms], self.dim)
