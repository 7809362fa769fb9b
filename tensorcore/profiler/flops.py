"""Floating-point operations of the ops that dominate: products, convolutions, and arithmetic element by element."""

from __future__ import annotations

from math import prod
from typing import Any, Final

__all__ = ["flops_of"]

#: Ops that compute one operation for each element of the result.
_ONE_EACH: Final = frozenset(("add", "sub", "mul", "div", "neg", "maximum", "minimum", "relu"))
#: Convolutions by where the channels of the result stand in the weight.
_CONVOLUTIONS: Final = frozenset(("conv1d", "conv2d", "conv3d"))
_TRANSPOSED: Final = frozenset(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"))


def flops_of(name: str, arrays: Any, attributes: Any, result: Any) -> int:
    """Operations that an op does, a multiplication and an addition counted as two; 0 where it is not counted.

    Products take ``2 m n k`` for each pair of matrices, convolutions two for each element of the result and each weight
    that goes into it.
    """
    if name in _ONE_EACH:
        return prod(result.shape)
    if name in _CONVOLUTIONS:
        return 2 * prod(result.shape) * prod(arrays[1].shape[1:])
    if name in _TRANSPOSED:
        return 2 * prod(arrays[0].shape) * prod(arrays[1].shape[1:])
    if name == "matmul":
        inner = arrays[0].shape[-1]
        return 2 * prod(result.shape) * inner
    if name == "linear":
        return 2 * prod(result.shape) * arrays[1].shape[-1] + (prod(result.shape) if arrays[2] is not None else 0)
    if name == "addmm":
        return 2 * prod(result.shape) * arrays[1].shape[-1] + prod(result.shape)
    return 0
