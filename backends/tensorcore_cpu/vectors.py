"""Products of stacked vectors, and distances between rows."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array

#: Terms added one after the other before they join the total: a longer run of float32 would lose digits.
_RUN: Final = 64

#: Squared distances, over the squared lengths, below which their difference in float64 has lost a float32's digits.
_NEAR: Final = 1e-8


class VectorKernels:
    """The part of the backend that works on rows."""

    def vector_products(self, input: Array, other: Array, *, dim: int) -> Array:
        return np.asarray(np.vecdot(input, other, axis=dim))

    def linalg_cross(self, input: Array, other: Array, *, dim: int) -> Array:
        shape = list(input.shape)
        if input.shape != other.shape:
            shape = list(np.broadcast_shapes(input.shape, other.shape))
        out = np.empty(shape, input.dtype)
        place = dim - len(shape)
        at = [(..., k) + (slice(None),) * (-place - 1) for k in range(3)]
        for k, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
            part = out[at[k]]
            np.multiply(input[at[i]], other[at[j]], out=part)
            part -= input[at[j]] * other[at[i]]
        return out

    def cdist(self, x1: Array, x2: Array, *, p: float, mm: bool) -> Array:
        lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        if p == 2 and (mm or x1.dtype == np.float32) and x1.size and x2.size:
            return _euclidean(x1, x2, mm)
        out = np.zeros((*lead, x1.shape[-2], x2.shape[-2]), x1.dtype)
        gap = np.empty_like(out)
        part = np.zeros_like(out)
        for feature in range(x1.shape[-1]):
            np.subtract(x1[..., :, None, feature], x2[..., None, :, feature], out=gap)
            if p == math.inf:
                np.maximum(out, np.abs(gap, out=gap), out=out)
                continue
            if p == 0:
                part += gap != 0
            elif p == 2:
                part += np.multiply(gap, gap, out=gap)
            else:
                np.abs(gap, out=gap)
                part += gap if p == 1 else np.power(gap, x1.dtype.type(p), out=gap)
            if feature % _RUN == _RUN - 1:
                out += part
                part[...] = 0
        out += part
        if p == 2:
            return np.sqrt(out, out=out)
        return out if p in (0, 1, math.inf) else np.power(out, x1.dtype.type(1 / p), out=out)


def _euclidean(x1: Array, x2: Array, mm: bool) -> Any:
    """``|a|^2 + |b|^2 - 2 a b``; in float64, and near ones again from their differences, unless ``mm`` asks for it."""
    wide = x1.dtype if mm else np.dtype(np.float64)
    a, b = x1.astype(wide, copy=False), x2.astype(wide, copy=False)
    lengths = np.vecdot(a, a)[..., :, None] + np.vecdot(b, b)[..., None, :]
    squares = a @ np.swapaxes(b, -1, -2)
    squares *= -2
    squares += lengths
    if mm:
        np.maximum(squares, 0, out=squares)
    else:
        near = np.nonzero(~(squares >= _NEAR * lengths))  # and those that are NaN
        if near[0].size:
            *stack, rows, columns = near
            wide1, wide2 = (np.broadcast_to(x, (*squares.shape[:-2], *x.shape[-2:])) for x in (x1, x2))
            gap = wide1[(*stack, rows)].astype(wide) - wide2[(*stack, columns)]
            squares[near] = np.vecdot(gap, gap)
    return np.sqrt(squares, out=squares).astype(x1.dtype, copy=False)
