"""Order, vectorised: stable sorts of packed keys, the largest few behind a bound, places by partition.

NumPy sorts and partitions values in vector registers, but not places, and not stably. So keys that sort as the
elements do are joined with their places into one number of 64 bits, which a plain sort orders stably.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.places import gathered

#: Elements from which on packing pays.
_MANY = 1 << 9
#: Side, and elements for each one asked for, from which on `topk` looks for a bound; at most a quarter may pass it.
_LONG, _SHARE, _PASSING = 1 << 9, 16, 4
#: Elements asked for, and elements from which on each is looked for in one row.
_FEW, _SHORT = 8, 1 << 5
#: Elements of a row up to which what is done with Python's numbers counts.
_SINGLE = 1 << 14
_INT32_MAX = np.int32((1 << 31) - 1)


def as_rows(input: Array, dim: int) -> Array:
    """``input`` with ``dim`` last, contiguous."""
    return np.ascontiguousarray(input if dim == input.ndim - 1 else np.moveaxis(input, dim, -1))


def from_rows(rows: Array, dim: int) -> Array:
    """What `as_rows` made of an array, brought back."""
    return np.ascontiguousarray(rows if dim == rows.ndim - 1 else np.moveaxis(rows, -1, dim))


def _taken(rows: Array, places: Array) -> Array:
    # Of one row an index does it, which takes a tenth of the time.
    if rows.size == rows.shape[-1]:
        return rows.reshape(-1)[places.reshape(-1)].reshape(places.shape)
    found = gathered(rows, places, rows.ndim - 1)
    return np.take_along_axis(rows, places, -1) if found is None else found


def _keys(rows: Array, spare: int) -> Array | None:
    """int64 numbers that order as the elements do, equal where those are, with ``spare`` free bits; or ``None``."""
    native = rows.dtype
    if native == np.float32:
        # Adding 0 makes -0.0 equal to 0.0; negative numbers are ordered by their magnitude, the other way round.
        bits = np.add(rows, np.float32(0)).view(np.int32)
        keys = np.bitwise_xor(bits, (bits >> 31) & _INT32_MAX)
        missing = np.isnan(rows)
        if missing.any():
            keys[missing] = _INT32_MAX
        return keys.astype(np.int64) if spare <= 31 else None
    if native.kind not in "iub":
        return None
    if native.itemsize <= 4:
        return rows.astype(np.int64) if spare <= 31 else None
    low, high = int(rows.min()), int(rows.max())
    if (high - low).bit_length() + spare > 63:
        return None
    return np.subtract(rows, rows.dtype.type(low)).view(np.int64)


def _packed(rows: Array, descending: bool) -> Array | None:
    """Keys and places along the last dimension in one number, whose order is the stable one."""
    spare = max(rows.shape[-1] - 1, 1).bit_length()
    keys = _keys(rows, spare)
    if keys is None:
        return None
    if descending:
        np.invert(keys, out=keys)
    np.left_shift(keys, spare, out=keys)
    np.bitwise_or(keys, np.arange(rows.shape[-1]), out=keys)
    return keys


def _unpacked(packed: Array, side: int) -> Array:
    return np.bitwise_and(packed, (1 << max(side - 1, 1).bit_length()) - 1, out=packed)


def _stable(rows: Array, descending: bool) -> Array:
    """Places of the elements in order along the last dimension; equal ones keep theirs, NaN is largest."""
    side = rows.shape[-1]
    if rows.size >= _MANY:
        packed = _packed(rows, descending)
        if packed is not None:
            packed.sort(-1)
            return _unpacked(packed, side)
    if descending:
        # The reverse of the stable ascending order of the reversed elements.
        return np.subtract(side - 1, _stable(rows[..., ::-1], False)[..., ::-1])
    if rows.size < _MANY:
        return rows.argsort(-1, "stable")
    # Ordered unstably, which is vectorised; then runs of equals are ordered by place.
    places = np.argsort(rows, -1)
    values = _taken(rows, places)
    same = values[..., 1:] == values[..., :-1]
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        same |= missing[..., 1:] & missing[..., :-1]
    if not same.any():
        return places
    runs = np.zeros(rows.shape, np.int64)
    np.cumsum(~same, -1, out=runs[..., 1:])
    runs <<= max(side - 1, 1).bit_length()
    runs |= places
    runs.sort(-1)
    return _unpacked(runs, side)


def _places_of(rows: Array, values: Array, rank: Any) -> Array:
    """Where a stable sort finds ``values`` (..., 1), which stand at ``rank`` of the order of ``rows``."""
    missing = values != values
    equal = rows == values
    below = np.count_nonzero(rows < values, -1, keepdims=True)
    if missing.any():
        holes = rows != rows
        equal = np.where(missing, holes, equal)
        below = np.where(missing, rows.shape[-1] - np.count_nonzero(holes, -1, keepdims=True), below)
    nth = rank - below
    if not nth.any():
        return np.argmax(equal, -1, keepdims=True)
    found = np.cumsum(equal, -1, dtype=np.int32)
    return np.argmax(equal & (found == nth + 1), -1, keepdims=True)


class OrderKernels:
    """The part of the backend that orders."""

    def sort(self, input: Array, *, dim: int, descending: bool) -> tuple[Array, Array]:
        if input.size == 1:
            return input.copy(), np.zeros(input.shape, np.int64)
        rows = as_rows(input, dim)
        places = np.ascontiguousarray(_stable(rows, descending))
        return from_rows(_taken(rows, places), dim), from_rows(places, dim)

    def values_in_order(self, input: Array, *, dim: int) -> Array:
        return np.sort(input, dim)

    def distinct(self, row: Array) -> Array:
        first = np.empty(row.shape, bool)
        first[:1] = True
        np.not_equal(row[1:], row[:-1], first[1:])
        return row[first]

    def topk(self, input: Array, *, dim: int, k: int, largest: bool, sorted: bool) -> tuple[Array, Array]:
        if input.size == k == 1:
            return input.copy(), np.zeros(input.shape, np.int64)
        rows = as_rows(input, dim)
        places = None
        if rows.size >= _LONG << 3:
            places = _behind_bound(rows, k, largest)
        elif k <= _FEW and rows.size == rows.shape[-1] >= _SHORT and rows.dtype.kind == "f":
            places = _one_by_one(rows, k, largest)
        if places is None:
            places = np.ascontiguousarray(_stable(rows, largest)[..., :k])
        return from_rows(_taken(rows, places), dim), from_rows(places, dim)

    def kthvalue(self, input: Array, *, k: int, dim: int, keepdim: bool) -> tuple[Array, Array]:
        return _at_rank(input, dim, k - 1, keepdim)

    def median_along(self, input: Array, *, dim: int, keepdim: bool, skip: bool) -> tuple[Array, Array]:
        side = input.shape[dim]
        if input.dtype.kind == "f" and _may_miss(input) and np.isnan(input).any():
            rows = as_rows(input, dim)
            held = side - np.count_nonzero(np.isnan(rows), -1, keepdims=True)
            middle = np.maximum(held - 1, 0) // 2
            # Sorting puts NaN last: skipped, the middle is that of the others; else one NaN is the median.
            rank = middle if skip else np.where(held < side, held, middle)
            values = np.take_along_axis(np.sort(rows, -1), rank, -1)
            return _shaped(values, _places_of(rows, values, rank), dim, keepdim)
        return _at_rank(input, dim, (side - 1) // 2, keepdim)

    def mode(self, input: Array, *, dim: int, keepdim: bool) -> tuple[Array, Array]:
        rows = as_rows(input, dim)
        side = rows.shape[-1]
        ordered = np.sort(rows, -1)
        flat = ordered.reshape(-1)
        change = np.ones(flat.shape, bool)
        np.not_equal(flat[1:], flat[:-1], out=change[1:])
        change[::side] = True
        starts = np.flatnonzero(change)
        lengths = np.diff(starts, append=flat.size)
        row = starts // side
        longest = np.maximum.reduceat(lengths, np.flatnonzero(starts % side == 0))
        best = np.flatnonzero(lengths == longest[row])
        # The first of each row's longest runs, which is the smallest element.
        first = best[np.flatnonzero(np.diff(row[best], prepend=-1))]
        values = flat[starts[first]].reshape((*rows.shape[:-1], 1))
        last = side - 1 - np.argmax(np.flip(rows == values, -1), -1, keepdims=True)
        missing = values != values
        places = np.where(missing, np.argmax(rows != rows, -1, keepdims=True), last) if missing.any() else last
        return _shaped(values, places, dim, keepdim)


def _shaped(values: Array, places: Array, dim: int, keepdim: bool) -> tuple[Array, Array]:
    if not keepdim:
        return values[..., 0], places[..., 0]
    return from_rows(values, dim), from_rows(places, dim)


def _at_rank(input: Array, dim: int, rank: int, keepdim: bool) -> tuple[Array, Array]:
    if input.size == 1:
        values = input.copy()
        return _shaped(values, np.zeros(values.shape, np.int64), dim, keepdim)
    rows = as_rows(input, dim)
    if rows.size == rows.shape[-1] <= _SINGLE:
        return _at_rank_of_one(rows, dim, rank, keepdim)
    values = np.partition(rows, rank, -1)[..., rank : rank + 1]
    return _shaped(values, _places_of(rows, values, rank), dim, keepdim)


def _may_miss(input: Array) -> bool:
    """Whether there is NaN, or a sum that is (of infinities of both signs, as well)."""
    total = np.add.reduce(input, None)
    return bool(total != total)


def _at_rank_of_one(rows: Array, dim: int, rank: int, keepdim: bool) -> tuple[Array, Array]:
    """`_at_rank` of one row by its one value, in a third of the time; NaN counts as largest."""
    row = rows.reshape(-1)
    ordered = row.copy()
    ordered.partition(rank)
    value = ordered[rank]
    if value != value:
        equal = row != row
        below = row.size - int(np.count_nonzero(equal))
    else:
        equal = row == value
        below = int(np.count_nonzero(row < value))
    # The one of the equal elements that a stable sort finds there.
    place = equal.argmax() if rank == below else equal.nonzero()[0][rank - below]
    values = rows[..., place : place + 1].copy()
    places = np.empty(values.shape, np.int64)
    places.fill(place)
    return _shaped(values, places, dim, keepdim)


def _one_by_one(row: Array, k: int, largest: bool) -> Array | None:
    """Places of the ``k`` largest (or smallest) of one row, each looked for; ``None`` where that would take care."""
    left = row.reshape(-1).copy()
    if not largest:
        np.negative(left, out=left)
    places = np.empty(k, np.int64)
    for i in range(k):
        place = left.argmax()
        # NaN is the largest, also where the smallest are looked for; -inf may have been put there.
        if not -np.inf < left[place]:
            return None
        places[i] = place
        left[place] = -np.inf
    return places.reshape((*row.shape[:-1], k))


def _behind_bound(rows: Array, k: int, largest: bool) -> Array | None:
    """Places of the ``k`` largest (or smallest) of each row in stable order; ``None`` where sorting is the way.

    Each row is dealt out into classes; the k-th largest of the classes' maxima bounds the k largest elements from
    below, and in most rows few more than k reach it.
    """
    side = rows.shape[-1]
    if side < _LONG or not 0 < k * _SHARE <= side or rows.dtype.kind not in "iuf":
        return None
    flat = rows.reshape(-1, side)
    classes = min(side // 2, max(8 * k, 128, math.isqrt(side)))
    deep = side // classes
    reduce = np.maximum.reduce if largest else np.minimum.reduce
    tops = reduce(flat[:, : deep * classes].reshape(-1, deep, classes), 1)
    if tops.dtype.kind == "f" and np.isnan(tops).any():
        return None
    at = classes - k if largest else k - 1
    bound = np.partition(tops, at, -1)[:, at : at + 1]
    passing = np.flatnonzero(flat >= bound if largest else flat <= bound)
    if passing.size * _PASSING > flat.size:
        return None
    values = flat.reshape(-1)[passing]
    row = passing // side
    order = _stable(values, largest)
    if flat.shape[0] > 1:
        # By row, and within it as ordered: one number for both.
        spare = passing.size.bit_length()
        ranked = (row[order] << spare) | np.arange(passing.size)
        ranked.sort()
        order = order[ranked & ((1 << spare) - 1)]
    first = np.searchsorted(row, np.arange(flat.shape[0]))
    chosen = passing[order[first[:, None] + np.arange(k)]]
    # What lies outside the classes can be NaN, which is the largest of all.
    if largest and values.dtype.kind == "f" and np.isnan(flat[:, deep * classes :]).any():
        return None
    return (chosen - np.arange(flat.shape[0])[:, None] * side).reshape((*rows.shape[:-1], k))
