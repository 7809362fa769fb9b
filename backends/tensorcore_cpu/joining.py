"""Joining, repeating and turning: new arrays filled by slices of the old, without NumPy's own functions in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.creating import filled
from tensorcore_cpu.jit.reversal import reversed_rows

_BACKWARDS = slice(None, None, -1)


class JoinKernels:
    """The part of the backend that puts arrays side by side."""

    def cat(self, *tensors: Array, dim: int) -> Array:
        return np.concatenate(tensors, dim)

    def stack(self, *tensors: Array, dim: int) -> Array:
        first = tensors[0]
        shape = first.shape
        if dim == 0 and shape:
            return np.concatenate(tensors).reshape(len(tensors), *shape)
        out = np.empty((*shape[:dim], len(tensors), *shape[dim:]), first.dtype)
        before = (slice(None),) * dim
        for place, array in enumerate(tensors):
            out[(*before, place)] = array
        return out

    def flip(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        # PyTorch copies; a view with negative strides would surprise those who read strides.
        turned = reversed_rows(input) if dims and dims == (input.ndim - 1,) else None
        if turned is not None:
            return turned
        return input[tuple([_BACKWARDS if d in dims else slice(None) for d in range(input.ndim)])].copy()

    def roll(self, input: Array, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Array:
        if not dims:
            return _rolled(input.reshape(-1), sum(shifts), 0).reshape(input.shape)
        for shift, dim in zip(shifts, dims, strict=True):
            input = _rolled(input, shift, dim)
        return input

    def repeat(self, input: Array, *, times: tuple[int, ...]) -> Array:
        shape = (1,) * (len(times) - input.ndim) + input.shape
        pairs: list[int] = []
        wide: list[int] = []
        for count, side in zip(times, shape, strict=True):
            pairs += (1, side)
            wide += (count, side)
        out = np.empty(wide, input.dtype)
        out[...] = input.reshape(pairs)
        return out.reshape([count * side for count, side in zip(times, shape, strict=True)])

    def placed_in(self, input: Array, *, index: tuple[Any, ...], shape: tuple[int, ...], value: Any) -> Array:
        out = filled(shape, input.dtype, int(value) if input.dtype.kind in "iub" else value)
        out[index] = input
        return out

    def extended(
        self, input: Array, *, dim: int, before: int, after: int, crop: tuple[int, int], mode: str
    ) -> Array:  # fmt: skip
        side = input.shape[dim]
        kept = side - crop[0] - crop[1]
        out = np.empty((*input.shape[:dim], before + kept + after, *input.shape[dim + 1 :]), input.dtype)
        lead = (slice(None),) * dim

        def put(start: int, count: int, source: slice) -> None:
            if count:
                out[(*lead, slice(start, start + count))] = input[(*lead, source)]

        put(before, kept, slice(crop[0], crop[0] + kept))
        last = before + kept
        if mode == "reflect":
            put(0, before, slice(before, 0, -1))
            put(last, after, slice(side - 2, side - 2 - after if side - 2 - after >= 0 else None, -1))
        elif mode == "circular":
            put(0, before, slice(side - before, side))
            put(last, after, slice(0, after))
        else:
            put(0, before, slice(0, 1))
            put(last, after, slice(side - 1, side))
        return out


def _rolled(source: Array, shift: int, dim: int) -> Array:
    out: Any = np.empty(source.shape, source.dtype)
    side = source.shape[dim]
    if side:
        cut = shift % side
        lead = (slice(None),) * dim
        out[(*lead, slice(cut, None))] = source[(*lead, slice(None, side - cut))]
        if cut:
            out[(*lead, slice(None, cut))] = source[(*lead, slice(side - cut, None))]
    return out
