"""Floating-point operations of the kernels that dominate: products, convolutions, and arithmetic element by element."""

from __future__ import annotations

from math import prod
from typing import Any, Final

__all__ = ["flops_of"]

#: Kernels that compute one operation for each element of the result.
_ONE_EACH: Final = frozenset(("add", "sub", "mul", "div", "neg", "maximum", "minimum", "relu"))


def flops_of(name: str, arrays: Any, attributes: Any, result: Any) -> int:
    """Operations of a kernel, a multiplication and an addition counted as two; 0 where they are not counted.

    Products take two for each element of the result and of what is summed over; convolutions two for each element of
    the result and each weight that goes into it, and so do their gradients.
    """
    if name in _ONE_EACH:
        return prod(result.shape)
    if name in ("matmul", "mm", "bmm"):
        return 2 * prod(result.shape) * arrays[0].shape[-1]
    if name == "linear":
        return prod(result.shape) * (2 * arrays[1].shape[-1] + (arrays[2] is not None))
    if name == "addmm":
        return prod(result.shape) * (2 * arrays[1].shape[-1] + 1)
    if name == "convolution_of":
        return prod(result.shape) * (2 * prod(arrays[1].shape[1:]) + (arrays[2] is not None))
    if name == "convolution_input_gradient":
        return 2 * prod(arrays[0].shape) * prod(arrays[1].shape[1:])
    if name == "convolution_weight_gradient":
        return 2 * prod(arrays[1].shape) * prod(result.shape[1:])
    if name == "attention":
        # Queries by keys, and what they weigh by values.
        query, key, value = arrays[:3]
        return 2 * prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])
    return 0
