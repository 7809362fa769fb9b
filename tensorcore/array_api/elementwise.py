"""Elementwise functions of the Array API standard."""

from __future__ import annotations

import math
from typing import Any

from tensorcore import functions
from tensorcore.array_api import derived as _derived
from tensorcore.array_api.derived import *  # noqa: F403 - the ops
from tensorcore.ops import elementwise as e
from tensorcore.tensor import Tensor

__all__ = ["clip", "expm1", "round", "sign"]
__all__ += _derived.__all__


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """Each element brought between ``min`` and ``max``, numbers or tensors that broadcast; NaN spreads.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.clip(tc.arange(5), 1, 3)
        tensor([1, 1, 2, 3, 3])
    """
    low, high = (bound.to(x.dtype) if isinstance(bound, Tensor) else bound for bound in (min, max))
    if not isinstance(low, Tensor) and not isinstance(high, Tensor):
        return x.clone() if low is None and high is None else functions.clamp(x, low, high)
    raised = x if low is None else e.maximum(x, low)
    return raised if high is None else e.minimum(raised, high)


def expm1(x: Tensor, /) -> Tensor:
    """exp(x) - 1, accurate near 0; of infinite and NaN complex numbers what the standard says.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.expm1(tc.tensor([complex(float("inf"), 0.0), 0.5j]))
        tensor([    inf+0.0000j, -0.1224+0.4794j])
    """
    if not x.is_complex():
        return e.expm1(x)
    # exp(a + bi) - 1 = expm1(a) cos(b) - 2 sin(b / 2)^2 + i exp(a) sin(b), where nothing cancels.
    a, b = x.real, x.imag
    half = e.sin(b * 0.5)
    real = e.expm1(a) * e.cos(b) - half * half * 2 + 0.0
    imag = e.where(b == 0, b, e.exp(a) * e.sin(b))
    turning = (b == b) & (e.abs(b) != math.inf)
    real = e.where(turning, real, e.where(a == math.inf, a, e.where(a == -math.inf, -1.0, real)))
    return functions.complex(real, e.where((a == -math.inf) & ~turning, 0.0, imag))


def round(x: Tensor, /) -> Tensor:
    """The nearest integer, halves to even; of a complex number both parts are rounded.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.round(tc.tensor([0.5, 1.5, -2.7]))
        tensor([ 0.,  2., -3.])
    """
    return functions.complex(e.round(x.real), e.round(x.imag)) if x.is_complex() else e.round(x)


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1 by the sign of each element, NaN for NaN (PyTorch's is 0); a complex number over its modulus.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.sign(tc.tensor([-2.0, 0.0, float("nan")]))
        tensor([-1.,  0., nan])
    """
    # The op gives 0 for NaN, and keeps the signs of the parts of a complex zero.
    kept = x != x if x.is_floating_point() else x == 0
    return e.where(kept, x + 0, e.sgn(x)) if x.is_floating_point() or x.is_complex() else e.sgn(x)
