"""Sums and products of floats: faster along contiguous sides; sums in blocks where NumPy adds columns one by one."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array

_FLOAT32 = np.dtype("float32")
_FAST = frozenset([_FLOAT32, np.dtype("float64")])

#: Elements from which on `einsum`, which takes 1 µs to start, is faster than ``add.reduce``.
_MANY = 1 << 13
#: Elements that are added in a vector's lanes before the partial sums are added by halves; as many more would cost
#: digits (1024: 1.6 units in the last place of a sum of float32 numbers from [0, 1), where halves alone are off by 1).
_RUN = 1 << 10
#: NumPy adds rows one by one, whose float32 errors grow with their number; from here on they are added in blocks.
_LONG_SIDE = 1024


def total(input: Array, dim: tuple[int, ...], native: Any, out: None = None, keepdim: bool = False) -> Array:
    """``np.add.reduce`` under its own parameters, of which ``out`` is not supported."""
    if input.size <= _LONG_SIDE or native not in _FAST:
        return np.add.reduce(input, dim, native, None, keepdim)
    if input.dtype == native and input.size >= _MANY and input.flags.c_contiguous:
        places = range(input.ndim) if dim is None else sorted([d % input.ndim for d in dim])
        lead = input.ndim - len(places)
        if places and places[0] == lead:
            side = math.prod(input.shape[lead:])
            if side:
                sums = _along_rows(input.reshape(-1, side))
                return sums.reshape(input.shape[:lead] + (1,) * len(places) * keepdim)
    if native == _FLOAT32 and dim and max([input.shape[d] for d in dim]) > _LONG_SIDE:
        input = _shortened(input, dim)
    return np.add.reduce(input, dim, native, None, keepdim)


def _along_rows(rows: Array) -> Array:
    """The sum of each row.

    `einsum` adds in vector registers (35 µs for a million float32 elements, ``add.reduce`` 120).
    """
    side = rows.shape[1]
    if side <= _RUN:
        return np.einsum("ij->i", rows)
    runs = side // _RUN
    parts = np.einsum("ijk->ij", rows[:, : runs * _RUN].reshape(-1, runs, _RUN))
    sums = np.add.reduce(parts, 1)
    return sums if side == runs * _RUN else np.add(sums, np.einsum("ij->i", rows[:, runs * _RUN :]), out=sums)


def _shortened(input: Array, dim: tuple[int, ...]) -> Array:
    """``input`` with the longest of the sides ``dim`` shortened to its square root, by sums of blocks."""
    if input.flags.c_contiguous and sorted(dim) == list(range(input.ndim - len(dim), input.ndim)):
        return input  # NumPy adds what lies in one run by halves
    place = max(dim, key=lambda d: input.shape[d])
    side = input.shape[place]
    block = math.isqrt(side)
    blocks = side // block
    at = (slice(None),) * place
    head = input[(*at, slice(0, blocks * block))]
    sums = np.add.reduce(head.reshape((*input.shape[:place], blocks, block, *input.shape[place + 1 :])), place + 1)
    rest = input[(*at, slice(blocks * block, side))]
    return np.concatenate((sums, rest), place) if rest.shape[place] else sums


def product(input: Array, dim: tuple[int, ...], native: Any, out: None = None, keepdim: bool = False) -> Array:
    """``np.multiply.reduce`` under its own parameters, of which ``out`` is not supported.

    NumPy multiplies a row one by one; here as many rows as fill vectors are multiplied first (40 µs for a million
    float32 elements, not 720).
    """
    if input.size < _MANY or not input.flags.c_contiguous:
        return np.multiply.reduce(input, dim, native, None, keepdim)
    places = range(input.ndim) if dim is None else sorted([d % input.ndim for d in dim])
    lead = input.ndim - len(places)
    side = math.prod(input.shape[lead:])
    if not places or places[0] != lead or side < _RUN >> 4:
        return np.multiply.reduce(input, dim, native, None, keepdim)
    width = min(_RUN, 1 << (side.bit_length() // 2))
    rows = input.reshape(-1, side)
    deep = side // width
    parts = np.multiply.reduce(rows[:, : deep * width].reshape(-1, deep, width), 1, native)
    made = np.multiply.reduce(parts, 1, native)
    if deep * width < side:
        made *= np.multiply.reduce(rows[:, deep * width :], 1, native)
    return made.reshape(input.shape[:lead] + (1,) * len(places) * keepdim)


#: Elements up to which it takes less to count those that hold than to begin a reduction.
_FEW: Final = 1 << 12


class ChoiceKernels:
    """The part of the backend that finds extremes' places and whether any or all elements hold."""

    # Methods and ufuncs: NumPy's functions of these names take 1 µs more.

    def argmax(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return input.argmax(dim, keepdims=keepdim)

    def argmin(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return input.argmin(dim, keepdims=keepdim)

    def any(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        if len(dim) == input.ndim and not keepdim and input.size < _FEW:
            return np.array(np.count_nonzero(input) > 0)
        return np.logical_or.reduce(input, dim, None, None, keepdim)

    def all(self, input: Array, *, dim: tuple[int, ...], keepdim: bool) -> Array:
        if len(dim) == input.ndim and not keepdim and input.size < _FEW:
            return np.array(np.count_nonzero(input) == input.size)
        return np.logical_and.reduce(input, dim, None, None, keepdim)
