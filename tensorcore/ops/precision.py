"""16-bit floats in composites: computed in float32 and rounded once, as fused kernels do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorcore.dtypes import FLOATING, float32


def _wide(x: Any) -> Any:
    kind = getattr(x, "_kind", None)
    if kind is None or kind.dtype.itemsize != 2 or kind.dtype.category != FLOATING:
        return x
    return x.to(float32)


def widened(body: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of an expression: where its first operand is a 16-bit float, it is computed in float32."""

    @functools.wraps(body)
    def expression(first: Any, *rest: Any, **attributes: Any) -> Any:
        dtype = first._kind.dtype
        if dtype.itemsize != 2 or dtype.category != FLOATING:
            return body(first, *rest, **attributes)
        result = body(first.to(float32), *map(_wide, rest), **attributes)
        if isinstance(result, tuple):
            # What comes beside the result is kept for gradients, which lose less by float32.
            return (result[0].to(dtype), *result[1:])
        return result.to(dtype)

    return expression
