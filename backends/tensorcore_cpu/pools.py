"""Kernels of pooling: dimension by dimension from the first, so that most of the work is on whole rows."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.ops.pooling_expressions import window_lengths

Ints = tuple[int, ...]
Index = tuple[Any, ...]


@lru_cache(maxsize=256)
def _plan(
    shape: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints
) -> tuple[Ints, Index, list[list[Index]]]:
    """The shape that windows need, where the input lies in it, and for each dimension what each place of them sees.

    The input's place is empty where the input is all they need.
    """
    sides = list(shape)
    inside: list[Any] = [...]
    parts = []
    for place, (side, k, s, p, d, n) in enumerate(
        zip(shape[2:], kernel, stride, padding, dilation, counts, strict=True)
    ):
        reach = (n - 1) * s + (k - 1) * d + 1
        sides[2 + place] = reach
        inside.append(slice(p, min(p + side, reach)))
        rest = (slice(None),) * (len(kernel) - 1 - place)
        starts = range(0, k * d, d)
        parts.append([(..., slice(start, start + (n - 1) * s + 1, s), *rest) for start in starts])
    enough = not any(padding) and all(reach <= side for reach, side in zip(sides, shape, strict=True))
    return tuple(sides), () if enough else tuple(inside), parts


def _pooled(input: Array, fill: Any, ufunc: Any, *facts: Ints) -> Array:
    """``ufunc`` over the elements of each window, ``fill`` around the input."""
    shape, inside, parts = _plan(input.shape, *facts)
    out = input
    if inside:
        out = np.full(shape, fill, input.dtype)
        # Windows may leave the last elements of a side out.
        target = out[inside]
        target[...] = input[(..., *(slice(side) for side in target.shape[2:]))]
    for indices in parts:
        first = out[indices[0]]
        if len(indices) == 1:
            out = first
            continue
        made = ufunc(first, out[indices[1]])
        for index in indices[2:]:
            ufunc(made, out[index], out=made)
        out = made
    return np.array(out, order="C") if out.base is not None or out is input else out


def _lowest(native: Any) -> Any:
    return -math.inf if native.kind == "f" else False if native.kind == "b" else np.iinfo(native).min


@lru_cache(maxsize=64)
def _lengths(native: Any, *facts: Any) -> Any:
    """What sums are divided by: a number, or an array where windows hold differently many elements."""
    total: Any = 1.0
    rest = len(facts[0])
    for held in window_lengths(*facts):
        rest -= 1
        total = total * (held[0] if len(set(held)) == 1 else np.array(held, native).reshape(-1, *(1,) * rest))
    return native.type(total) if isinstance(total, float) else total


class PoolKernels:
    """The part of the backend that pools."""

    def max_pool(
        self, input: Array, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints
    ) -> Array:
        fill = _lowest(input.dtype)
        return _pooled(input, fill, np.maximum, kernel, stride, padding, dilation, counts)

    def avg_pool(
        self, input: Array, *, kernel: Ints, stride: Ints, padding: Ints, counts: Ints, include_pad: bool,
        divisor: int | None,
    ) -> Array:  # fmt: skip
        out = _pooled(input, 0, np.add, kernel, stride, padding, (1,) * len(kernel), counts)
        if divisor is not None:
            return np.true_divide(out, out.dtype.type(divisor), out)
        lengths = _lengths(out.dtype, input.shape[2:], kernel, stride, padding, counts, include_pad)
        return np.true_divide(out, lengths, out)
