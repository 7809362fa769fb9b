"""Reading and writing at places that arrays name.

An index out of range is found before anything is read: a kernel looks for the first one, and the host waits for its
answer. While a graph is recorded nothing can be waited for, and such an index is left alone by the kernels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tensorcore.backend.array_module import ArrayModuleBackend
from tensorcore.backend.contract import Array
from tensorcore.dtypes import (
    BOOL,
    COMPLEX,
    FLOATING,
    DType,
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int32,
    int64,
)
from tensorcore_cuda.indexcode import COMBINED, combine_kernel, index_source, part_text, place_kernel
from tensorcore_cuda.natives import NATIVE, dtype_of_native
from tensorcore_cuda.plans import BLOCK, blocks

__all__ = ["IndexingKernels"]


class IndexingKernels(ArrayModuleBackend):
    """Places that come twice: writing keeps the last, sums of floats add in no fixed order."""

    library: Any
    runtime: Any

    # ---------------------------------------------------------------- bounds

    def _within(self, index: Array, side: int, dim: int) -> None:
        """Raise IndexError if an element of ``index`` lies outside [0, side)."""
        if index.size == 0 or self.runtime.is_capturing():
            return
        index = self.xp.ascontiguousarray(index)
        first = self.xp.full((), index.size, NATIVE[int64])
        self._run("tc_bounds", index.size, index, side, first, index.size)
        place = int(first)
        if place < index.size:
            found = int(index.reshape(-1)[place])
            raise IndexError(f"index {found} is out of range for dimension {dim} of side {side}")

    def _run(self, name: str, threads: int, *arguments: Any, text: str | None = None) -> None:
        kernel = self.library.get(name, lambda: index_source(part_text(name) if text is None else text))
        kernel((blocks(threads),), (BLOCK,), arguments)

    def _rows(self, sides: Sequence[int], indices: Sequence[Array]) -> Array:
        # The base class asks the device for the least and the largest of each, and waits four times.
        places = None
        for dim, (side, index) in enumerate(zip(sides, indices, strict=True)):
            self._within(index, side, dim)
            places = index if places is None else places * side + index
        assert places is not None
        return places

    # ---------------------------------------------------------------- reading

    def index(self, input: Array, *indices: Array) -> Array:
        for dim, each in enumerate(indices):
            self._within(each, input.shape[dim], dim)
        if indices[0].size == 0:
            return self.xp.empty((*indices[0].shape, *input.shape[len(indices) :]), input.dtype)
        return self.as_elements(self.bits(input)[indices], input.dtype)

    def gather(self, input: Array, index: Array, *, dim: int) -> Array:
        self._within(index, input.shape[dim], dim)
        return self.gather_checked(input, index, dim)

    def gather_checked(self, input: Array, index: Array, dim: int) -> Array:
        """`gather` with indices known to lie within."""
        if index.size == 0:
            return self.xp.empty(index.shape, input.dtype)
        cut = tuple(slice(None) if d == dim else slice(0, side) for d, side in enumerate(index.shape))
        return self.as_elements(self.xp.take_along_axis(self.bits(input)[cut], index, axis=dim), input.dtype)

    def nonzero_places(self, input: Array) -> Array:
        truth = input if input.dtype == NATIVE[bool_] else self.cast(input, dtype=bool_)
        if input.ndim == 0:
            return self.xp.zeros((int(truth), 0), NATIVE[int64])
        return self.xp.argwhere(truth).astype(NATIVE[int64], copy=False)

    # ---------------------------------------------------------------- writing

    def basic_index_put(self, input: Array, value: Array, *, index: tuple[Any, ...]) -> Array:
        out = self.copy(input)
        self.bits(out)[index] = self.bits(value)
        return out

    def index_put(self, input: Array, value: Array, *indices: Array, accumulate: bool) -> Array:
        rest = tuple(input.shape[len(indices) :])
        rows = math.prod(input.shape[: len(indices)])
        places = self._rows(input.shape[: len(indices)], indices).reshape(-1)
        table = self.row_major(input).reshape((rows, *rest))
        values = self.row_major(value).reshape((places.size, *rest))
        return self.combine(table, places, values, "sum" if accumulate else "set").reshape(input.shape)

    def scatter(self, input: Array, index: Array, src: Array, *, dim: int, reduce: str) -> Array:
        self._within(index, input.shape[dim], dim)
        # Every element is a row of its own; its place is the sum of its coordinates' steps.
        steps = [math.prod(input.shape[place + 1 :]) for place in range(input.ndim)]
        places = index * steps[dim]
        for place, side in enumerate(index.shape):
            if place != dim and side > 1:
                along = self.xp.arange(0, side * steps[place], steps[place], dtype=NATIVE[int64])
                places = places + along.reshape([-1 if d == place else 1 for d in range(index.ndim)])
        flat = self.row_major(input).reshape(-1)
        out = self.combine(flat, places.reshape(-1), self.row_major(src).reshape(-1), reduce)
        return out.reshape(input.shape)

    def combine(self, table: Array, places: Array, values: Array, reduce: str) -> Array:
        # The base class goes in rounds, each of which waits for the device.
        if reduce == "set":
            return self._placed(table, places, values)
        dtype = dtype_of_native(table.dtype)
        if dtype.category == COMPLEX and reduce != "sum":
            return super().combine(table, places, values, reduce)
        if dtype.category == COMPLEX:
            return self._summed_parts(table, places, values, dtype)
        wide = _combining_dtype(dtype)
        out = self.cast(table, dtype=wide) if wide is not dtype else self.copy(table)
        come = self.cast(values, dtype=wide) if wide is not dtype else self.xp.ascontiguousarray(values)
        if come.size and out.size:
            name, text = combine_kernel(reduce, wide)
            rows = self.xp.ascontiguousarray(places)
            count, columns = table.shape[0], math.prod(table.shape[1:])
            self._run(name, come.size, out, rows, come, count, columns, come.size, text=text)
        return self.cast(out, dtype=dtype) if wide is not dtype else out

    def _summed_parts(self, table: Array, places: Array, values: Array, dtype: DType) -> Array:
        # Complex numbers add by their parts, each a column of its own.
        part = NATIVE[dtype.to_real()]
        rows, columns = table.shape[0], math.prod(table.shape[1:])
        flat = self.xp.ascontiguousarray(table).reshape(rows, columns).view(part)
        come = self.xp.ascontiguousarray(values).reshape(places.shape[0], columns).view(part)
        return self.combine(flat, places, come, "sum").view(table.dtype).reshape(table.shape)

    def _placed(self, table: Array, places: Array, values: Array) -> Array:
        out = self.copy(table)
        values = self.xp.ascontiguousarray(self.bits(values))
        if values.size and out.size:
            rows = self.xp.ascontiguousarray(places)
            count, columns = table.shape[0], math.prod(table.shape[1:])
            last = self.xp.full((count,), -1, NATIVE[int64])
            self._run("tc_last", rows.size, rows, count, last, rows.size)
            name, text = place_kernel(out.itemsize)
            self._run(name, values.size, out, rows, last, values, count, columns, values.size, text=text)
        return out

    def put_rows(self, table: Array, rows: Array, values: Array) -> Array:
        table[rows] = values
        return table


def _combining_dtype(dtype: DType) -> DType:
    """The dtype in which elements of ``dtype`` are combined, which compare-and-swap takes; rounded or wrapped after."""
    if dtype.name in COMBINED:
        return dtype
    if dtype in (float16, bfloat16):
        return float32
    if dtype.category == FLOATING:
        return float64
    return int32 if dtype.category == BOOL or dtype.itemsize < 4 else int64
