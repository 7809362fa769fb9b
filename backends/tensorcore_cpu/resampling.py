"""Resizing along one dimension: rows as weighted sums of rows, or products with a matrix that is cut into blocks."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.ops.resampling import nearest_places, resampling_taps
from tensorcore_cpu.jit.blends import blended

#: Elements of the result that a block of the matrix gives: its rows are mostly zeros beyond.
_BLOCK: Final = 64


class _Matrix:
    """What each of ``out`` elements takes from those of a side."""

    def __init__(self, side: int, out: int, mode: str, scale: float, align: bool, antialias: bool, native: Any) -> None:
        taps, shares = resampling_taps(side, out, mode, scale, align, antialias)
        self.side = side
        self.places = np.ascontiguousarray(np.array(taps, np.int64).T)
        self.weights = np.array(np.array(shares, np.float64).T, native, order="C")
        #: Per block: elements of the result, those of the side they are made of, and the matrix between.
        self.blocks: list[tuple[slice, slice, Array]] = []
        for start in range(0, out, _BLOCK):
            part = slice(start, min(start + _BLOCK, out))
            places = self.places[part]
            source = slice(int(places.min()), int(places.max()) + 1)
            matrix = np.zeros((part.stop - start, source.stop - source.start), native)
            np.add.at(matrix, (np.arange(len(matrix))[:, None], places - source.start), self.weights[part])
            self.blocks.append((part, source, matrix))


@lru_cache(maxsize=256)
def _matrix(*facts: Any) -> _Matrix:
    return _Matrix(*facts)


@lru_cache(maxsize=256)
def _nearest(*facts: Any) -> Array:
    return np.array(nearest_places(*facts), np.int64)


class ResampleKernels:
    """The part of the backend that resizes."""

    #: Of the backend.
    index_select: Any

    def resampled_nearest(self, input: Array, *, dim: int, size: int, scale: float, exact: bool) -> Array:
        places = _nearest(input.shape[dim], size, scale, exact)
        return np.asarray(self.index_select(input, places, dim=dim))

    def resampled(
        self, input: Array, *, dim: int, size: int, mode: str, scale: float, align: bool, antialias: bool
    ) -> Array:
        shape = input.shape
        matrix = _matrix(shape[dim], size, mode, scale, align, antialias, input.dtype)
        target = (*shape[:dim], size, *shape[dim + 1 :])
        if not input.size:
            return np.empty(target, input.dtype)
        if dim == len(shape) - 1:
            flat = np.ascontiguousarray(input).reshape(-1)
            # A product with a matrix would spread what is infinite over elements that it has no part in.
            if math.isfinite(np.dot(flat, flat)):
                out = np.empty((flat.size // shape[dim], size), input.dtype)
                rows = flat.reshape(-1, shape[dim])
                for part, source, block in matrix.blocks:
                    np.matmul(rows[:, source], block.T, out=out[:, part])
                return out.reshape(target)
            return _added(input, matrix, dim)
        blocks = input.reshape(math.prod(shape[:dim]), shape[dim], -1)
        found = blended(blocks, matrix.places, matrix.weights)
        return _added(input, matrix, dim) if found is None else found.reshape(target)

    def resampled_gradient(
        self, grad: Array, *, dim: int, size: int, mode: str, scale: float, align: bool, antialias: bool
    ) -> Array:
        shape = grad.shape
        matrix = _matrix(size, shape[dim], mode, scale, align, antialias, grad.dtype)
        target = (*shape[:dim], size, *shape[dim + 1 :])
        out = np.zeros(target, grad.dtype)
        if not grad.size:
            return out
        flat = np.ascontiguousarray(grad).reshape(-1)
        if not math.isfinite(np.dot(flat, flat)):
            into, each = np.moveaxis(out, dim, 0), np.moveaxis(grad, dim, 0)
            for places, weights in zip(matrix.places.T, matrix.weights.T, strict=True):
                np.add.at(into, places, each * weights.reshape(-1, *(1,) * (grad.ndim - 1)))
        elif dim == len(shape) - 1:
            rows, sums = flat.reshape(-1, shape[dim]), out.reshape(-1, size)
            for part, source, block in matrix.blocks:
                sums[:, source] += rows[:, part] @ block
        else:
            lead = math.prod(shape[:dim])
            stack, total = flat.reshape(lead, shape[dim], -1), out.reshape(lead, size, -1)
            for part, source, block in matrix.blocks:
                total[:, source] += block.T @ stack[:, part]
        return out


def _added(x: Array, matrix: _Matrix, dim: int) -> Array:
    """The weighted sum of a copy for each tap."""
    tail = (1,) * (x.ndim - dim - 1)
    total = None
    for places, weights in zip(matrix.places.T, matrix.weights.T, strict=True):
        part = x.take(places, dim)
        part *= weights.reshape(-1, *tail)
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    return total
