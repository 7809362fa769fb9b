"""Transforms of numbers, of vectors to simplices, and of vectors and matrices to factors of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.joined_transforms import CatTransform, StackTransform
from tensorcore.distributions.transform import (
    ComposeTransform,
    IndependentTransform,
    Plain,
    ReshapeTransform,
    Transform,
    identity_transform,
)
from tensorcore.distributions.utils import (
    _softplus,
    broadcast_all,
    tril_matrix_to_vec,
    vec_to_tril_matrix,
)
from tensorcore.errors import ShapeError
from tensorcore.ops.smooth_activation import logsigmoid
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "CatTransform",
    "ComposeTransform",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "ExpTransform",
    "IndependentTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "TanhTransform",
    "Transform",
    "identity_transform",
]


def _clamped(p: Tensor) -> Tensor:
    """Numbers of (0, 1), moved to where both logarithms are finite."""
    limits = tc.finfo(p.dtype)
    return p.clamp(min=limits.tiny, max=1 - limits.eps)


def _require_dims(op: Any, shape: Sequence[int], least: int) -> Size:
    if len(shape) < least:
        raise ShapeError(f"{type(op).__name__}: expected at least {least} dimensions, got shape {list(shape)}")
    return Size(shape)


# ------------------------------------------------------------------ of numbers


class ExpTransform(Plain):
    """``exp(x)``."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return x.exp()

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return x


class PowerTransform(Transform):
    """``x ** exponent`` of positive numbers."""

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        (self.exponent,) = broadcast_all(exponent)

    def _with_cache(self, cache_size: int) -> Transform:
        return PowerTransform(self.exponent, cache_size=cache_size)

    @property
    def sign(self) -> Any:
        return self.exponent.sign()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool((self.exponent == other.exponent).all())

    __hash__ = None

    def _call(self, x: Any) -> Any:
        return x.pow(self.exponent)

    def _inverse(self, y: Any) -> Any:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Sequence[int]) -> Any:
        return tc.broadcast_shapes(shape, self.exponent.shape)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        return tc.broadcast_shapes(shape, self.exponent.shape)


class SigmoidTransform(Plain):
    """``1 / (1 + exp(-x))``, kept off 0 and 1."""

    domain = constraints.real
    codomain = constraints.unit_interval
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return _clamped(x.sigmoid())

    def _inverse(self, y: Any) -> Any:
        y = _clamped(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return logsigmoid(x) + logsigmoid(-x)


class SoftplusTransform(Plain):
    """``log(1 + exp(x))``."""

    domain = constraints.real
    codomain = constraints.positive
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return _softplus(x)

    def _inverse(self, y: Any) -> Any:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return logsigmoid(x)


class TanhTransform(Plain):
    """``tanh(x)``; with ``cache_size=1`` results that round to 1 are inverted, too."""

    domain = constraints.real
    codomain = constraints.interval(-1.0, 1.0)
    bijective = True
    sign = +1

    def _call(self, x: Any) -> Any:
        return x.tanh()

    def _inverse(self, y: Any) -> Any:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        # 1 - tanh(x) ** 2 = 4 * exp(-2 * x) / (1 + exp(-2 * x)) ** 2, which does not cancel.
        return 2 * (math.log(2) - x - _softplus(-2 * x))


class AbsTransform(Plain):
    """``abs(x)``."""

    domain = constraints.real
    codomain = constraints.positive

    def _call(self, x: Any) -> Any:
        return x.abs()

    def _inverse(self, y: Any) -> Any:
        return y


class AffineTransform(Transform):
    """``loc + scale * x``, of events of ``event_dim`` dimensions."""

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.loc = loc
        self.scale = scale
        self._event_dim = event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraints.independent(constraints.real, self._event_dim) if self._event_dim else constraints.real

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self.domain

    def _with_cache(self, cache_size: int) -> Transform:
        return AffineTransform(self.loc, self.scale, self._event_dim, cache_size=cache_size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        pairs = ((self.loc, other.loc), (self.scale, other.scale))
        return all(bool(tc.as_tensor(a == b).all()) for a, b in pairs)

    __hash__ = None

    @property
    def sign(self) -> Any:
        scale: Any = self.scale
        return (scale > 0) - (scale < 0) if isinstance(scale, (int, float)) else scale.sign()

    def _call(self, x: Any) -> Any:
        return self.loc + self.scale * x

    def _inverse(self, y: Any) -> Any:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        shape, scale = x.shape, self.scale
        term = tc.full_like(x, math.log(abs(scale))) if isinstance(scale, Real) else scale.abs().log()
        if self._event_dim:
            term = term.expand(shape).flatten(-self._event_dim).sum(-1)
            shape = shape[: -self._event_dim]
        return term.expand(shape)

    def forward_shape(self, shape: Sequence[int]) -> Any:
        return tc.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        return self.forward_shape(shape)


class CumulativeDistributionTransform(Transform):
    """The cumulative distribution function of ``distribution``.

    Example:
        >>> from tensorcore.distributions import Normal
        >>> CumulativeDistributionTransform(Normal(0.0, 1.0))(tc.tensor(0.0))
        tensor(0.5000)
    """

    bijective = True
    codomain = constraints.unit_interval
    sign = +1

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        return self.distribution.support

    def _with_cache(self, cache_size: int) -> Transform:
        return CumulativeDistributionTransform(self.distribution, cache_size=cache_size)

    def _call(self, x: Any) -> Any:
        return self.distribution.cdf(x)

    def _inverse(self, y: Any) -> Any:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return self.distribution.log_prob(x)


# ------------------------------------------------------------------ to a simplex


class SoftmaxTransform(Plain):
    """``exp(x)`` over its sum; not bijective, its inverse being ``log(y)``."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Any) -> Any:
        return x.softmax(-1)

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def forward_shape(self, shape: Sequence[int]) -> Any:
        return _require_dims(self, shape, 1)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        return _require_dims(self, shape, 1)


class StickBreakingTransform(Plain):
    """A stick broken at the logistic function of each element in turn; the result has one more.

    Elements are shifted so that 0 breaks the stick into equal parts.

    Example:
        >>> StickBreakingTransform()(tc.zeros(3))
        tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _offset(self, x: Tensor, count: int) -> Tensor:
        """Logarithms of the number of parts still to come after each break."""
        return tc.arange(count, 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Any) -> Any:
        z = _clamped((x - self._offset(x, x.shape[-1])).sigmoid())
        one = x.new_ones((*x.shape[:-1], 1))
        return tc.cat([z, one], -1) * tc.cat([one, (1 - z).cumprod(-1)], -1)

    def _inverse(self, y: Any) -> Any:
        first = y[..., :-1]
        # The rest of the stick can round to 0.
        rest = (1 - first.cumsum(-1)).clamp(min=tc.finfo(y.dtype).tiny)
        return first.log() - rest.log() + self._offset(y, first.shape[-1])

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        shifted = x - self._offset(x, x.shape[-1])
        return (logsigmoid(-shifted) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Sequence[int]) -> Any:
        shape = _require_dims(self, shape, 1)
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        shape = _require_dims(self, shape, 1)
        return (*shape[:-1], shape[-1] - 1)


# ------------------------------------------------------------------ to matrices


class CorrCholeskyTransform(Transform):
    """Vectors of ``n * (n - 1) / 2`` to Cholesky factors of n x n correlation matrices.

    The hyperbolic tangents of the elements, in the rows of a lower triangle, break each row's length of 1 into squares
    (Stan reference manual, "Cholesky factors of correlation matrices"). The determinant is that of the elements below
    the diagonal.

    Example:
        >>> CorrCholeskyTransform()(tc.zeros(1))
        tensor([[1., 0.],
                [0., 1.]])
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        eps = tc.finfo(x.dtype).eps
        r = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - r.square()).sqrt().cumprod(-1)
        one = left.new_ones((*left.shape[:-1], 1))
        return (r + tc.eye(r.shape[-1], dtype=r.dtype, device=r.device)) * tc.cat([one, left[..., :-1]], -1)

    def _inverse(self, y: Any) -> Any:
        left = 1 - y.square().cumsum(-1)
        one = left.new_ones((*left.shape[:-1], 1))
        left = tril_matrix_to_vec(tc.cat([one, left[..., :-1]], -1), diag=-1)
        return (tril_matrix_to_vec(y, diag=-1) / left.sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        # What is left before an element is what the one before it leaves: the diagonal below tells it unshifted.
        left = tril_matrix_to_vec(1 - y.square().cumsum(-1), diag=-2)
        tanh_logdet = 2 * (math.log(2) - x - _softplus(-2 * x)).sum(-1)
        return 0.5 * left.log().sum(-1) + tanh_logdet

    def forward_shape(self, shape: Sequence[int]) -> Any:
        shape = _require_dims(self, shape, 1)
        n = round(math.sqrt(0.25 + 2 * shape[-1]) + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ShapeError(
                f"CorrCholeskyTransform: no matrix has {shape[-1]} elements below the diagonal; shape {list(shape)}"
            )
        return (*shape[:-1], n, n)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        *batch, rows, n = _require_dims(self, shape, 2)
        if rows != n:
            raise ShapeError(f"CorrCholeskyTransform: expected square matrices, got shape {list(shape)}")
        return (*batch, n * (n - 1) // 2)


class LowerCholeskyTransform(Plain):
    """Square matrices to lower triangular ones whose diagonals are the exponentials of the old."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Plain):
    """Square matrices to positive definite ones, whose Cholesky factors `LowerCholeskyTransform` gives."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Any) -> Any:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(tc.linalg.cholesky(y))
