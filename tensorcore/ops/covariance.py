"""Covariance and correlation of variables, each a row of observations."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, FLOATING, INTEGER
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.linalg import matmul
from tensorcore.ops.record import composite

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _weights(op: str, name: str, given: Any, category: int, wanted: str, count: int) -> Any:
    if given.ndim > 1 or given.numel() != count:
        raise ShapeError(
            f"{op}: {name} must be a vector of {count} elements, one for each observation, got shape "
            f"{list(given.shape)}"
        )
    if given.dtype.category != category:
        raise DTypeError(f"{op}: {name} must be of {wanted} dtype, got {given.dtype}")
    if count and bool(everywhere(e.lt(given, 0)).any().item()):
        raise RangeError(f"{op}: {name} must not be negative")
    return given.reshape((count,))


@composite(
    ulp=32,
    samples=({"shapes": ((3, 5),)}, {"shapes": ((5,),), "correction": 0}, {"shapes": ((2, 4),), "correction": 2}),
)
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """Covariance matrix of the rows of ``input``, or the variance of a vector.

    The sums of products are divided by the number of observations less ``correction``. ``fweights`` are how often each
    observation counts, integers; ``aweights`` how much, floating-point numbers.

    Raises:
        ShapeError: for more than two dimensions, and for weights that do not fit.
        DTypeError: for bool, and for weights of another kind.
        RangeError: for negative weights, and for weights that sum to zero.

    Example:
        >>> tc.cov(tc.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    return _covariance("cov", input, correction, fweights, aweights)


def _covariance(op: str, input: Any, correction: int, fweights: Any, aweights: Any) -> Any:
    if input.ndim > 2:
        raise ShapeError(f"{op}: expected at most 2 dimensions, got shape {list(input.shape)}")
    if input.dtype.category == BOOL:
        raise DTypeError(f"{op}: expected numbers, got a tensor of dtype {input.dtype}")
    rows = input if input.ndim == 2 else input.reshape((1, -1))
    count = rows.shape[1]
    weights = None
    if fweights is not None:
        weights = _weights(op, "fweights", fweights, INTEGER, "an integer", count)
    if aweights is not None:
        amounts = _weights(op, "aweights", aweights, FLOATING, "a floating-point", count)
        weights = amounts if weights is None else weights * amounts
    total: Any = count
    if weights is not None:
        total = weights.sum()
        if count and total.item() == 0:
            raise RangeError(f"{op}: the weights sum to zero")
    freedom: Any = total - correction
    if aweights is not None and correction != 0:
        freedom = total - correction * (weights * amounts).sum() / total
    level = float(freedom.item() if hasattr(freedom, "_kind") else freedom)
    if level <= 0:
        warnings.warn(f"{op}: no degrees of freedom: {level:g} are left", UserWarning, stacklevel=4)
        freedom = 0
    sums = (rows if weights is None else rows * weights).sum(1, True)
    if weights is None and not count:
        total = math.nan
    gap = rows - sums / total
    spread = e.conj(gap if weights is None else gap * weights).t()
    return (matmul(gap, spread.to(gap.dtype)) / freedom).squeeze()


@composite(ulp=64, samples=({"shapes": ((3, 5),)}, {"shapes": ((5,),)}))
def corrcoef(input: Tensor) -> Tensor:
    """Correlation coefficients (Pearson's) of the rows of ``input``: their covariances over their deviations.

    Raises:
        ShapeError: for more than two dimensions.

    Example:
        >>> tc.corrcoef(tc.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
        tensor([[ 1., -1.],
                [-1.,  1.]])
    """
    found = _covariance("corrcoef", input, 1, None, None)
    if found.ndim == 0:
        return found / found  # 1, or NaN where there is no variance
    root = e.sqrt(found.diagonal().real if found.is_complex() else found.diagonal())
    found = found / root.unsqueeze(1) / root.unsqueeze(0)
    if found.is_complex():
        from tensorcore.ops.complex import complex

        return complex(found.real.clamp(-1, 1), found.imag.clamp(-1, 1))
    return found.clamp(-1, 1)
