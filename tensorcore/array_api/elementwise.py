"""Elementwise functions of the Array API standard."""

from __future__ import annotations

import math
from typing import Any, Final

from tensorcore import functions
from tensorcore.array_api.spelling import binary, unary
from tensorcore.ops import elementwise as e
from tensorcore.ops.record import REGISTRY
from tensorcore.tensor import Tensor

#: Functions whose op has the same name, of one array and of two.
_ONE: Final = (
    "abs acos acosh asin asinh atan atanh ceil conj cos cosh exp floor imag isfinite isinf isnan log log10 log1p "
    "log2 logical_not positive real reciprocal signbit sin sinh sqrt square tan tanh trunc"
)
_TWO: Final = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign floor_divide hypot "
    "logaddexp logical_and logical_or logical_xor maximum minimum nextafter pow remainder"
)
#: The others, with PyTorch's names.
_UNARY: Final = {"bitwise_invert": "bitwise_not", "negative": "neg"}
_BINARY: Final = {
    "divide": "div", "equal": "eq", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le",
    "multiply": "mul", "not_equal": "ne", "subtract": "sub",
}  # fmt: skip

DERIVED: Final = {
    **{name: unary(name, _UNARY.get(name, name)) for name in (*_ONE.split(), *_UNARY)},
    **{
        name: binary(name, _BINARY.get(name, name))
        for name in (*_TWO.split(), *_BINARY)
        if _BINARY.get(name, name) in REGISTRY
    },
}
globals().update(DERIVED)

__all__ = [*DERIVED, "clip", "expm1", "round", "sign"]


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
        >>> tc.array_api.expm1(tc.tensor([complex(float("inf"), 0.0), 1e-8j]))
        tensor([inf+0.0000e+00j, 0.+1.0000e-08j])
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
    return e.where(x == x, e.sgn(x), x) if x.is_floating_point() else e.sgn(x)
