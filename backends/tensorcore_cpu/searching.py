"""Searches, counts, running extremes and sums over segments, in NumPy's own loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType
from tensorcore_cpu.jit.bisection import bisected
from tensorcore_cpu.jit.places import scattered
from tensorcore_cpu.ordering import as_rows, from_rows
from tensorcore_cpu.sums import total

#: Elements looked for in a row from which on rows are searched one after another, not all at once by bisection.
_LONG_ROW = 64
#: Rows up to which they are searched one after another in any case.
_FEW_ROWS = 32
#: Side of the blocks of running extremes, and of rows from which on they pay.
_BLOCK, _BLOCKED = 256, 1 << 12
#: exp(x - largest) keeps its digits in float64 down to here.
_DEEPEST = 600.0
#: Elements of a slice from which on slices are accumulated one by one.
_WIDE = 1 << 8

_ONE = np.ones((), np.int64)
_REDUCED = {"sum": np.add, "mean": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
_NEUTRAL = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -np.inf, "min": np.inf}


class SearchKernels:
    """The part of the backend that searches, counts and accumulates."""

    #: Of the backend.
    natives: dict[DType, Any]

    def search(self, sequence: Array, input: Array, *, right: bool) -> Array:
        if sequence.ndim == 1 and sequence.size and input.size and sequence.dtype == input.dtype:
            found = bisected(sequence, input, right)
            if found is not None:
                return found
        side = "right" if right else "left"
        if sequence.dtype.kind == "f" and sequence.size and np.isnan(sequence).any():
            return _bisected(sequence, input, right)
        if sequence.ndim == 1:
            return np.asarray(np.searchsorted(sequence, input, side))
        many = input.shape[-1] < _LONG_ROW and math.prod(input.shape[:-1]) > _FEW_ROWS
        if many or not sequence.shape[-1] or not input.shape[-1]:
            return _bisected(sequence, input, right)
        out = np.empty(input.shape, np.int64)
        rows = (x.reshape(-1, x.shape[-1]) for x in (out, sequence, input))
        for made, held, wanted in zip(*rows, strict=True):
            made[:] = np.searchsorted(held, wanted, side)
        return out

    def counts(self, places: Array, *, minlength: int) -> Array:
        most = int(np.maximum.reduce(places.view(np.uint64))) if places.size else -1
        if most >= 1 << 63:
            raise IndexError(f"place {places.min()} is negative")
        out = np.zeros(max(most + 1, minlength), np.int64)
        if not places.size or scattered(out, places, _ONE, 0, True):
            return out
        return np.bincount(places, minlength=minlength)

    def weigh(self, places: Array, weights: Array, *, length: int) -> Array:
        if weights.dtype.kind == "c":
            parts = [self.weigh(places, part, length=length) for part in (weights.real, weights.imag)]
            return (parts[0] + 1j * parts[1]).astype(weights.dtype)
        alike = weights.strides == (0,) or not weights.size
        try:
            out = np.bincount(places, None if alike else weights, length)
        except ValueError:
            raise IndexError(f"place {places.min()} is out of range for a length of {length}") from None
        if out.shape[0] > length:
            raise IndexError(f"place {places.max()} is out of range for a length of {length}")
        if alike:
            if weights.size and weights[0] != 1:
                out = out.astype(weights.dtype if weights.dtype.kind in "iu" else np.float64) * weights[0]
            return out.astype(weights.dtype, copy=False)
        if weights.dtype.kind in "iu" and weights.dtype.itemsize == 8:
            # Sums in float64 would lose digits.
            out = np.zeros(length, weights.dtype)
            np.add.at(out, places, weights)
        return out.astype(weights.dtype, copy=False)

    def histogram_of_equal_bins(self, input: Array, *, bins: int, low: float, high: float) -> Array:
        number = input.dtype.type
        flat = input.reshape(-1)
        # With NaN both comparisons fail.
        if flat.size and not (np.minimum.reduce(flat) >= low and np.maximum.reduce(flat) <= high):
            inside = np.greater_equal(flat, number(low))
            inside &= np.less_equal(flat, number(high))
            flat = flat[inside]
        places = flat - number(low)
        places *= number(bins)
        places /= number(high) - number(low)
        whole = places.astype(np.intp)
        np.minimum(whole, bins - 1, out=whole)
        return np.bincount(whole, minlength=bins).astype(input.dtype)

    def nansum(self, input: Array, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Array:
        native = self.natives[dtype]
        out = total(input, dim, native, None, keepdim)
        # Most have none; then the sum, which any NaN would have reached, is the answer.
        if input.dtype.kind == "f" and np.isnan(out).any():
            out = total(np.where(np.isnan(input), input.dtype.type(0), input), dim, native, None, keepdim)
        return out

    def cumsum(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return _accumulated(np.add, input, dim, self.natives[dtype])

    def cumprod(self, input: Array, *, dim: int, dtype: DType) -> Array:
        return _accumulated(np.multiply, input, dim, self.natives[dtype])

    def cummax(self, input: Array, *, dim: int) -> tuple[Array, Array]:
        return _running(input, dim, np.maximum, np.greater_equal)

    def cummin(self, input: Array, *, dim: int) -> tuple[Array, Array]:
        return _running(input, dim, np.minimum, np.less_equal)

    def logcumsumexp(self, input: Array, *, dim: int) -> Array:
        if input.dtype.kind == "c":
            return _complex_logcumsumexp(input, dim)
        if not input.size:
            return input.copy()
        wide = input.astype(np.float64)
        top = np.max(wide, dim, keepdims=True)
        first = wide[(slice(None),) * dim + (slice(0, 1),)]
        # No sum is smaller than the first term; where that keeps its digits beside the largest, all are exact enough.
        if np.all(top - first < _DEEPEST):
            wide -= top
            np.exp(wide, out=wide)
            np.cumsum(wide, dim, out=wide)
            np.log(wide, out=wide)
            wide += top
        else:
            wide = np.logaddexp.accumulate(wide, dim)
        return wide.astype(input.dtype)

    def reduce_segments(self, data: Array, lengths: Array, *, reduce: str, axis: int, initial: float | None) -> Array:
        count = lengths.shape[-1]
        lead = data.shape[:axis]
        rows = data.reshape((math.prod(lead), *data.shape[axis:]))
        spans = lengths.reshape(rows.shape[0], count)
        ends = np.minimum(np.cumsum(spans, 1), rows.shape[1])
        # The segments of all rows, one after another, and between rows what belongs to none.
        start = _NEUTRAL[reduce] if initial is None else initial
        out = np.full((rows.shape[0] * count, *rows.shape[2:]), start, data.dtype)
        ufunc = _REDUCED[reduce]
        begins = np.concatenate((np.zeros_like(ends[:, :1]), ends[:, :-1]), 1) if count else ends
        held = (ends > begins).reshape(-1)
        if held.any() and out.size:
            shift = np.arange(rows.shape[0])[:, None] * rows.shape[1]
            bounds = np.stack(((begins + shift).reshape(-1)[held], (ends + shift).reshape(-1)[held]), 1).reshape(-1)
            flat = rows.reshape((-1, *rows.shape[2:]))
            keep = bounds if bounds[-1] < flat.shape[0] else bounds[:-1]
            totals = ufunc.reduceat(flat, keep, axis=0)[::2]
            out[held] = ufunc(out[held], totals) if initial is not None else totals
        if reduce == "mean":
            divisor = spans.reshape((-1, *[1] * (out.ndim - 1)))
            out /= np.maximum(divisor, 1).astype(data.dtype)
            if initial is None:
                out[divisor.reshape(-1) == 0] = np.nan
        return out.reshape((*lead, count, *data.shape[axis + 1 :]))


def _accumulated(ufunc: Any, input: Array, dim: int, native: Any) -> Array:
    """``ufunc.accumulate``, which walks along ``dim`` element by element, slice by slice where those are long."""
    if input.dtype.kind == "c" and np.dtype(native).kind != "c":
        input = input.real
    side = input.shape[dim]
    inner = input.size // max(side, 1)
    if dim == input.ndim - 1 or inner < _WIDE:
        return ufunc.accumulate(input, dim, native)
    out = np.empty(input.shape, native)
    made, rows = (np.moveaxis(x, dim, 0) for x in (out, input))
    made[0] = rows[0]
    for place in range(1, side):
        ufunc(made[place - 1], rows[place], out=made[place], dtype=native)
    return out


def _bisected(sequence: Array, input: Array, right: bool) -> Array:
    """All elements at once, so many steps as the side has bits."""
    side = sequence.shape[-1]
    low = np.zeros(input.shape, np.int64)
    if not side or not input.size:
        return low
    high = np.full(input.shape, side, np.int64)
    above = np.greater if right else np.greater_equal
    for _ in range(side.bit_length()):
        middle = (low + high) >> 1
        at = np.minimum(middle, side - 1)
        value = sequence[at] if sequence.ndim == 1 else np.take_along_axis(sequence, at, -1)
        # Asked this way round, a comparison with NaN goes on to the right.
        on = ~above(value, input) & (low < high)
        low, high = np.where(on, middle + 1, low), np.where(on, high, middle)
    return low


# ------------------------------------------------------------------ running extremes


def _running(input: Array, dim: int, ufunc: Any, holds: Any) -> tuple[Array, Array]:
    rows = as_rows(input, dim)
    kept = rows.dtype
    if kept.kind == "b":
        rows = rows.view(np.uint8)
    found = _in_blocks(rows, ufunc, holds) if rows.shape[-1] >= _BLOCKED else None
    values, places = _directly(rows, ufunc) if found is None else found
    return from_rows(values.view(kept), dim), from_rows(places, dim)


def _directly(rows: Array, ufunc: Any) -> tuple[Array, Array]:
    if not rows.size:
        return rows.copy(), np.zeros(rows.shape, np.int64)
    values = ufunc.accumulate(rows, -1)
    hit = rows == values
    if rows.dtype.kind == "f":
        hit |= rows != rows
    # Each place holds until the next one; a row's first element is always one.
    at = np.flatnonzero(hit)
    places = np.repeat(at % rows.shape[-1] if rows.ndim > 1 else at, np.diff(at, append=hit.size))
    return values, places.reshape(rows.shape)


def _in_blocks(rows: Array, ufunc: Any, holds: Any) -> tuple[Array, Array] | None:
    """As `_directly`, but most blocks hold no new extreme, so they are only filled; ``None`` where there is NaN."""
    side = rows.shape[-1]
    count = -(-side // _BLOCK)
    flat = rows.reshape(-1, side)
    if side % _BLOCK:
        # The last element again changes no extreme.
        flat = np.concatenate((flat, np.repeat(flat[:, -1:], count * _BLOCK - side, 1)), 1)
    blocks = flat.reshape(flat.shape[0], count, _BLOCK)
    tops = ufunc.reduce(blocks, -1)
    if tops.dtype.kind == "f" and np.isnan(tops).any():
        return None
    run = ufunc.accumulate(tops, -1)
    changed = np.ones(tops.shape, bool)
    changed[:, 1:] = holds(tops[:, 1:], run[:, :-1])
    row, block = np.nonzero(changed)
    values = np.repeat(run, _BLOCK, -1).reshape(blocks.shape)
    part = blocks[row, block]
    inner = ufunc.accumulate(part, -1)
    before = np.where(block == 0, part[:, 0], run[row, block - 1])[:, None]
    new = holds(inner, before)
    values[row, block] = np.where(new, inner, before)
    places = np.where((part == inner) & new, block[:, None] * _BLOCK + np.arange(_BLOCK), -1)
    places = np.maximum.accumulate(places, -1)
    ends = np.zeros(tops.shape, np.int64)
    ends[row, block] = places[:, -1]
    ends = np.maximum.accumulate(ends, -1)
    out = np.repeat(ends, _BLOCK, -1).reshape(blocks.shape)
    earlier = np.where(block == 0, 0, ends[row, block - 1])[:, None]
    out[row, block] = np.where(places < 0, earlier, places)
    return tuple(x.reshape(flat.shape)[:, :side].reshape(rows.shape) for x in (values, out))  # type: ignore[return-value]


def _complex_logcumsumexp(input: Array, dim: int) -> Array:
    """By doubling, as in the op's expression."""
    total = np.moveaxis(np.array(input), dim, -1)
    side, step = total.shape[-1], 1
    while step < side:
        a, b = total[..., : side - step].copy(), total[..., step:].copy()
        first = a.real >= b.real
        most, least = np.where(first, a, b), np.where(first, b, a)
        gap = np.where(a == b, 0, least - most)
        total[..., step:] = most + np.log(1 + np.exp(gap))
        step *= 2
    return np.ascontiguousarray(np.moveaxis(total, -1, dim))


__all__ = ["SearchKernels"]
