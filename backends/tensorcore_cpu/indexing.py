"""Reading and writing at places given by integer arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit.places import gathered, outside, put_rows, scattered, taken_rows
from tensorcore_cpu.quiet import quiet

_UFUNCS = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}
_ONE = np.ones((), np.int64)
#: Places up to which Python's own loops are faster than a reduction of NumPy's.
_FEW = 16


def _check(places: Array, side: int) -> None:
    """Raise IndexError unless all places lie within 0 to ``side - 1``; NumPy would count negative ones from the end."""
    count = places.size
    if count > _FEW:
        # As unsigned numbers, negative ones are the largest: one pass tells both.
        if np.maximum.reduce(places.view(np.uint64), None) < side:
            return
    elif not count:
        return
    else:
        few = places.ravel().tolist()
        if min(few) >= 0 and max(few) < side:
            return
    raise outside(places, side)


def _rows(sides: Sequence[int], indices: Sequence[Array]) -> Array:
    """Row-major places of index tuples within dimensions of these sides, checked."""
    places: Any = None
    for side, index in zip(sides, indices, strict=True):
        _check(index, side)
        places = index if places is None else places * side + index
    return places


def _spread(shape: tuple[int, ...], strides: Sequence[int], index: Array, dim: int) -> Array:
    """Places, in memory of these strides, of the elements that ``index`` names along ``dim``."""
    places = index * strides[dim] if strides[dim] != 1 else index
    ndim = index.ndim
    for d, side in enumerate(index.shape):
        if d != dim and side > 1:
            steps = np.arange(0, side * strides[d], strides[d]) if strides[d] else 0
            places = places + np.reshape(steps, [-1 if k == d else 1 for k in range(ndim)])
    return places


def _row_major(shape: tuple[int, ...]) -> list[int]:
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def _add_rows(table: Array, places: Array, values: Array) -> None:
    """Add row ``values[i]`` to row ``places[i]`` of ``table`` for each i."""
    if table.ndim == 1 or not places.size:
        np.add.at(table, places, values)
        return
    # `add.at` goes element by element for rows; sums of sorted runs go at the speed of `add`. 16-bit numbers are sorted
    # by digits, five times as fast.
    keys = places.astype(np.uint16) if table.shape[0] <= 1 << 16 else places
    order = keys.argsort(kind="stable")
    ordered, values = places.take(order), values.take(order, 0)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    if starts.size < order.size:
        ordered, values = ordered.take(starts), np.add.reduceat(values, starts, axis=0, dtype=table.dtype)
    table[ordered] += values


def _apart(array: Array, out: Array) -> Array:
    """``array``, or a copy where writing to ``out`` would change it on the way."""
    return array.copy() if np.may_share_memory(array, out) else array


@quiet
def _put(out: Array, value: Array, indices: Sequence[Array], accumulate: bool) -> None:
    """Write ``value``, or add it, to ``out`` at ``indices``, in NumPy's own loops."""
    sides = out.shape[: len(indices)]
    if not accumulate:
        for side, index in zip(sides, indices, strict=True):
            _check(index, side)
        out[tuple(indices)] = value
        return
    places = _rows(sides, indices)
    rest = out.shape[len(indices) :]
    if out.flags.c_contiguous:
        table = out.reshape((math.prod(sides), *rest))
    elif len(indices) == 1:
        table = out
    else:
        # The smaller dimensions may lie in any order as long as the rows are told apart by one index.
        np.add.at(out, tuple(indices), value)
        return
    places, rows = places.reshape(-1), value.reshape((places.size, *rest))
    if not put_rows(table, places, rows, True):
        _add_rows(table, places, rows)


@quiet
def _scatter(out: Array, index: Array, src: Array, dim: int, reduce: str) -> None:
    """Write ``src`` to ``out`` at ``index`` along ``dim``, or reduce it, in NumPy's own loops."""
    if not index.size:
        return
    if out.flags.c_contiguous:
        places: Any = _spread(index.shape, _row_major(out.shape), index, dim).reshape(-1)
        target, src = out.reshape(-1), np.ascontiguousarray(src).reshape(-1)
    else:
        grid = np.ogrid[tuple([slice(side) for side in index.shape])]
        places = tuple([index if d == dim else steps for d, steps in enumerate(grid)])
        target = out
    if reduce == "set":
        target[places] = src
    else:
        _UFUNCS[reduce].at(target, places, src)


class IndexKernels:
    """The part of the backend that reads and writes at places given by integer arrays."""

    def assign(self, target: Array, source: Array) -> Array:
        # Where strides differ NumPy reads what it has just written.
        if target.strides != source.strides and np.may_share_memory(target, source):
            source = source.copy()
        target[...] = source
        return target

    def from_front(self, places: Array, *, side: int) -> Array:
        count = places.size
        if not count or (min(places.ravel().tolist()) if count <= _FEW else np.minimum.reduce(places, None)) >= 0:
            return places
        return np.where(places < 0, places + side, places)

    def index(self, input: Array, *indices: Array) -> Array:
        if len(indices) == 1:
            found = taken_rows(input, indices[0])
            if found is not None:
                return found
            _check(indices[0], input.shape[0])
            # Checked already; of the modes this is the fastest. `take` would copy all of what is not row-major.
            return input.take(indices[0], 0, mode="wrap") if input.flags.c_contiguous and input.size else input[indices]
        places = _rows(input.shape[: len(indices)], indices)
        if input.flags.c_contiguous and input.size:
            return input.reshape((-1, *input.shape[len(indices) :])).take(places, 0, mode="wrap")
        return input[indices]

    def embedding(self, input: Array, weight: Array, *, padding_idx: int | None, scale_grad_by_freq: bool) -> Array:
        return self.index(weight, input)

    def index_select(self, input: Array, index: Array, *, dim: int) -> Array:
        found = None if dim else taken_rows(input, index)
        if found is not None:
            return found
        _check(index, input.shape[dim])
        rest = math.prod(input.shape[dim + 1 :])
        if rest >= _FEW or not input.flags.c_contiguous or not input.size or not dim:
            return input.take(index, dim)
        # Single elements: their places are made faster than `take` steps through the rows.
        places = (np.arange(0, input.size // rest, input.shape[dim])[:, None] + index).reshape(-1)
        shape = (*input.shape[:dim], index.size, *input.shape[dim + 1 :])
        return input.reshape((-1, rest)).take(places, 0, mode="wrap").reshape(shape)

    def index_put(self, input: Array, value: Array, *indices: Array, accumulate: bool) -> Array:
        out = np.array(input, order="C")
        if len(indices) != 1 or not put_rows(out, indices[0], value, accumulate):
            _put(out, value, indices, accumulate)
        return out

    def put_part(self, input: Array, value: Array, *, index: tuple[Any, ...], out: Array) -> None:
        """`basic_index_put` in the memory of ``out``."""
        if out is not input:
            np.copyto(out, input)
        out[index] = value

    def put_into(self, input: Array, value: Array, *indices: Array, accumulate: bool, out: Array) -> None:
        """`index_put` in the memory of ``out``."""
        # Checked first, so that a refusal leaves the memory as it was.
        for side, index in zip(out.shape, indices, strict=False):
            _check(index, side)
        if out is not input:
            np.copyto(out, input)
        value = _apart(value, out)
        if len(indices) != 1 or not put_rows(out, _apart(indices[0], out), value, accumulate):
            _put(out, value, indices, accumulate)

    def gather(self, input: Array, index: Array, *, dim: int) -> Array:
        found = gathered(input, index, dim)
        if found is not None:
            return found
        _check(index, input.shape[dim])
        if not input.size:
            return np.empty(index.shape, input.dtype)
        if not input.flags.c_contiguous:
            input = np.ascontiguousarray(input[tuple([
                slice(None) if d == dim else slice(side) for d, side in enumerate(index.shape)
            ])])  # fmt: skip
        places = _spread(index.shape, _row_major(input.shape), index, dim)
        return input.reshape(-1).take(places, mode="wrap")

    def scatter(self, input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
        out = np.array(input, order="C")
        if reduce not in ("set", "sum") or not scattered(out, index, src, dim, reduce == "sum"):
            _check(index, out.shape[dim])
            _scatter(out, index, src, dim, reduce)
        return out

    def scatter_into(self, input: Array, index: Array, src: Array, *, dim: int, reduce: str, out: Array) -> None:
        """`scatter` in the memory of ``out``."""
        # Checked first, so that a refusal leaves the memory as it was.
        _check(index, out.shape[dim])
        if out is not input:
            np.copyto(out, input)
        index, src = _apart(index, out), _apart(src, out)
        if reduce not in ("set", "sum") or not scattered(out, index, src, dim, reduce == "sum"):
            _scatter(out, index, src, dim, reduce)

    def one_hot(self, tensor: Array, *, num_classes: int) -> Array:
        out = np.zeros((*tensor.shape, num_classes), np.int64)
        rows, places = out.reshape(-1, num_classes), tensor.reshape(-1, 1)
        if not scattered(rows, places, _ONE, 1, False):
            _check(places, num_classes)
            rows[np.arange(len(rows)), places[:, 0]] = 1
        return out

    def nonzero_places(self, input: Array) -> Array:
        if input.ndim == 1:
            return np.flatnonzero(input)[:, None]
        if input.ndim == 0:
            return np.zeros((int(bool(input)), 0), np.int64)
        return np.argwhere(input)
