"""Arrays made by rule: constants, ranges, diagonals and triangles."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.dtypes import FLOATING, DType
from tensorcore_cpu.jit.arithmetic import scaled_and_shifted
from tensorcore_cpu.quiet import quiet2

_BITS = {1: np.dtype("int8"), 2: np.dtype("int16"), 4: np.dtype("int32"), 8: np.dtype("int64")}
#: Ranges up to which the steps are kept.
_SHORT = 1 << 12
#: Rows of a triangle that share one mask.
_ROWS = 64


#: Numbers beyond the largest become infinity.
_fill = quiet2(np.ndarray.fill)


def filled(shape: tuple[int, ...], native: Any, value: Any) -> Array:
    """A new array of one number."""
    if not value and type(value) is not complex and math.copysign(1, value) > 0:
        # The system's own zeros, where memory is new.
        return np.zeros(shape, native)
    out: Any = np.empty(shape, native)
    _fill(out, value)
    return out


@lru_cache(maxsize=16)
def _mask(rows: int, columns: int, diagonal: int, lower: bool, width: int) -> Array:
    """All bits of the elements on this side of a diagonal."""
    steps = np.arange(rows)[:, None] + diagonal
    kept = np.arange(columns) <= steps if lower else np.arange(columns) >= steps
    return -kept.astype(_BITS[width])


@lru_cache(maxsize=16)
def _from_both_ends(count: int) -> Array:
    """Steps from the first of so many numbers, and in the second half back from the last."""
    places = np.arange(count, dtype=np.float64)
    places[count // 2 :] -= count - 1
    return places


class CreationKernels:
    """The part of the backend that makes arrays by rule; `natives` are NumPy's dtypes."""

    natives: dict[DType, Any]

    def full(self, *, shape: tuple[int, ...], value: Any, dtype: DType, index: int) -> Array:
        return filled(shape, self.natives[dtype], value)

    def ramp(self, *, start: Any, step: Any, count: int, dtype: DType, index: int) -> Array:
        native = self.natives[dtype]
        if step == 0 and native.kind == "f":
            return filled((count,), native, float(start))
        if isinstance(start, int) and isinstance(step, int):
            steps = np.arange(count)
        else:
            steps = np.arange(count, dtype=np.float64)
        if step != 1:
            steps *= step
        if start:
            steps += start
        return steps if steps.dtype == native else steps.astype(native)

    def linspace(self, *, start: Any, end: Any, count: int, dtype: DType, index: int) -> Array:
        native = self.natives[dtype]
        # From both ends, so that both are exact and the numbers are symmetric.
        half = count // 2
        places = _from_both_ends(count) if count <= _SHORT else _from_both_ends.__wrapped__(count)
        step = (end - start) / (count - 1)
        # To the last bit as PyTorch's: a step of this precision, and one rounding of product and sum, or for the
        # narrower dtypes a rounding of each.
        if native.char == "d":
            out = np.empty(count, native)
            parts = ((out[:half], places[:half], start), (out[half:], places[half:], end))
            if all([scaled_and_shifted(part, each, step, bound) for part, each, bound in parts]):
                return out
        elif dtype.category == FLOATING:
            start, end, sides = native.type(start), native.type(end), native.type(count - 1)
            step = (end - start) / sides
            if native.itemsize == 4:
                step, start, end = float(step), float(start), float(end)
            else:
                places = places.astype(native)
        scaled = places * step
        out = np.empty(count, native) if native.kind == "f" else scaled
        np.add(scaled[:half], start, out[:half])
        np.add(scaled[half:], end, out[half:])
        return out if out.dtype == native else out.astype(native)

    def eye(self, *, n: int, m: int, dtype: DType, index: int) -> Array:
        out = np.zeros((n, m), self.natives[dtype])
        out.reshape(-1)[: m * m : m + 1] = 1
        return out

    def tril(self, input: Array, *, diagonal: int) -> Array:
        return self._triangle(input, diagonal, True)

    def triu(self, input: Array, *, diagonal: int) -> Array:
        return self._triangle(input, diagonal, False)

    def _triangle(self, input: Array, diagonal: int, lower: bool) -> Array:
        rows, columns = input.shape[-2:]
        bits = _BITS.get(input.itemsize)
        if bits is None:
            return (np.tril if lower else np.triu)(input, diagonal)
        if not input.flags.c_contiguous:
            input = np.ascontiguousarray(input)
        if rows * columns <= 1 << 16:
            return (input.view(bits) & _mask(rows, columns, diagonal, lower, input.itemsize)).view(input.dtype)
        out = np.zeros(input.shape, input.dtype)
        for top in range(0, rows, _ROWS):
            bottom = min(top + _ROWS, rows)
            # Columns before `first` are on the lower side in all rows, those from `last` on in none.
            first = min(max(top + diagonal + lower, 0), columns)
            last = min(max(bottom + diagonal, 0), columns)
            part = slice(0, first) if lower else slice(last, columns)
            out[..., top:bottom, part] = input[..., top:bottom, part]
            if last > first:
                edge = (..., slice(top, bottom), slice(first, last))
                mask = _mask(bottom - top, last - first, top + diagonal - first, lower, input.itemsize)
                out[edge].view(bits)[...] = input[edge].view(bits) & mask
        return out

    def clear_triangle(self, input: Array, *, diagonal: int, lower: bool, out: Array) -> None:
        """`tril` or `triu` in the memory of ``out``, of which only what becomes zero is written."""
        if out is not input:
            np.copyto(out, input)
        rows, columns = out.shape[-2:]
        for top in range(0, rows, _ROWS):
            bottom = min(top + _ROWS, rows)
            first = min(max(top + diagonal + lower, 0), columns)
            last = min(max(bottom + diagonal, 0), columns)
            out[..., top:bottom, slice(last, columns) if lower else slice(0, first)] = 0
            if last > first:
                kept = _mask(bottom - top, last - first, top + diagonal - first, lower, 1)
                np.copyto(out[..., top:bottom, first:last], False, where=kept == 0)

    def diagonal(self, input: Array, *, offset: int, dim1: int, dim2: int) -> Array:
        seen = input.diagonal(offset, dim1, dim2)
        # NumPy marks it as not to be written to.
        if input.flags.writeable:
            seen.flags.writeable = True
        return seen

    def diag_embed(self, input: Array, *, offset: int, dim1: int, dim2: int) -> Array:
        side = input.shape[-1] + abs(offset)
        rest = iter(input.shape[:-1])
        shape = tuple([side if d in (dim1, dim2) else next(rest) for d in range(input.ndim + 1)])
        out = np.zeros(shape, input.dtype)
        self.diagonal(out, offset=offset, dim1=dim1, dim2=dim2)[...] = input
        return out
