"""Products of large matrices by compiled tiles, where BLAS leaves half of the processor's width unused.

OpenBLAS chooses its kernels by the processor's name, and for some that have AVX-512, or where
``OPENBLAS_CORETYPE`` says so, takes those for AVX2.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu import crew
from tensorcore_cpu.blas import uses_avx512
from tensorcore_cpu.jit.tiles import ROWS, VECTORS, Tiles, tiles

__all__ = ["into"]

#: Products of numbers from which on tiles are faster than BLAS, and from which on threads share them.
LEAST: Final = 1 << 20
SHARED: Final = 1 << 24
#: Terms, rows and columns worked on at a time (float32, a thousand of each: 175 GFLOP/s with 192 terms, 190 with 384
#: and 200 with 512, as fewer partial sums go to memory and back).
_TERMS, _HEIGHT, _WIDTH = 768, 256, 960


class _Workplace(threading.local):
    """The right operand as tiles read it, and the arguments of compiled functions; each thread has its own."""

    def __init__(self) -> None:
        self.arguments = np.zeros(16, np.int64)
        self.told = self.arguments.ctypes.data
        self.held: dict[Any, Array] = {}

    def room(self, count: int, native: Any) -> Array:
        """A kept array of ``count`` elements that begins on a boundary of 64 bytes."""
        found = self.held.get(native)
        if found is None or found.size < count:
            raw = np.zeros(count + 64 // native.itemsize, native)
            found = self.held[native] = raw[-raw.ctypes.data % 64 // native.itemsize :]
        return found


_workplace: Final = _Workplace()


@cache
def _functions(native: Any) -> Tiles | None:
    if native.char not in "fd" or uses_avx512():
        return None
    return tiles(native.char == "d")


def into(out: Array, left: Array, right: Array) -> bool:
    """Write the product of matrices, or stacks of them that broadcast, into ``out``; whether this is the way to do it.

    The rows of ``out`` have no gaps.
    """
    rows, terms = left.shape[-2:]
    columns = right.shape[-1]
    work = rows * terms * columns
    if work < LEAST or rows < ROWS:
        return False
    found = _functions(out.dtype)
    size = out.itemsize
    # Columns beyond whole tiles are computed and thrown away.
    if found is None or 3 * columns < 2 * -(-columns // found.columns) * found.columns:
        return False
    if size not in right.strides[-2:] or out.strides[-1] != size:
        return False
    if out.ndim == 2:
        _matrix(found, out, left, right, work)
    else:
        _stack(found, out, left, right, work)
    return True


def _hands(work: int) -> int:
    return min(crew.size(), work // (SHARED // 2)) if work >= SHARED else 1


def _matrix(found: Tiles, out: Array, left: Array, right: Array, work: int) -> None:
    rows, columns = out.shape
    hands = _hands(work)
    if hands < 2:
        _multiply(found, out, left, right)
    elif columns // found.columns >= 2 * hands or rows < 2 * ROWS * hands:
        # By columns each thread lays out what it reads; by rows all of them lay out the same.
        parts = _split(columns, hands, found.columns)
        crew.share([partial(_multiply, found, out[:, part], left, right[:, part]) for part in parts])
    else:
        parts = _split(rows, hands, ROWS)
        crew.share([partial(_multiply, found, out[part], left[part], right) for part in parts])


def _stack(found: Tiles, out: Array, left: Array, right: Array, work: int) -> None:
    outer = out.shape[:-2]
    left = np.broadcast_to(left, (*outer, *left.shape[-2:]))
    right = np.broadcast_to(right, (*outer, *right.shape[-2:]))
    places = list(np.ndindex(outer))
    hands = _hands(work * len(places))
    if len(places) < hands:
        for place in places:
            _matrix(found, out[place], left[place], right[place], work)
        return

    def some(part: slice) -> None:
        for place in places[part]:
            _multiply(found, out[place], left[place], right[place])

    crew.share([partial(some, part) for part in _split(len(places), hands, 1)])


def _split(side: int, hands: int, step: int) -> Iterator[slice]:
    each = -(-side // (step * hands)) * step
    return (slice(start, min(start + each, side)) for start in range(0, side, each))


def _multiply(found: Tiles, out: Array, left: Array, right: Array) -> None:
    (rows, terms), columns, native = left.shape, right.shape[1], out.dtype
    place = _workplace
    arguments, told = place.arguments, place.told
    at, by_row, by_term = left.ctypes.data, *left.strides
    start, (down, along) = right.ctypes.data, right.strides
    end, stride = out.ctypes.data, out.strides[0]
    step = math.ceil(terms / math.ceil(terms / _TERMS) / 16) * 16
    for column in range(0, columns, _WIDTH):
        wide = min(_WIDTH, columns - column)
        strips = -(-wide // found.columns)
        laid = place.room(strips * found.columns * min(step, terms), native)
        masks = _masks(wide, found.columns)
        for term in range(0, terms, step):
            deep = min(step, terms - term)
            if along == native.itemsize:
                source = start + term * down + column * along
                arguments[:8] = (source, down, laid.ctypes.data, deep, wide, *masks)
                found.copied(told, 0)
            else:
                _turn(found, laid, right[term : term + deep, column : column + wide])
            for row in range(0, rows, _HEIGHT):
                high = min(_HEIGHT, rows - row)
                arguments[:13] = (
                    at + row * by_row + term * by_term, by_row, by_term, laid.ctypes.data,
                    end + row * stride + column * native.itemsize, stride, high, wide, deep, term > 0, *masks,
                )  # fmt: skip
                found.product(told, 0)


def _turn(found: Tiles, laid: Array, right: Array) -> None:
    """Lay out columns whose terms follow one another; what fills no block of the compiled function by NumPy."""
    deep, wide = right.shape
    lanes, block = found.columns // VECTORS, 16 // right.itemsize
    terms, columns = deep - deep % block, wide - wide % lanes
    if terms and columns:
        place = _workplace
        place.arguments[:6] = (right.ctypes.data, right.strides[1], laid.ctypes.data, terms, columns, deep)
        found.turned(place.told, 0)
    strips = laid[: -(-wide // found.columns) * found.columns * deep].reshape(-1, deep, found.columns)
    if columns < wide:
        first = columns % found.columns
        strips[columns // found.columns, :, first : first + wide - columns] = right[:, columns:]
    if terms < deep:
        for number, strip in enumerate(strips):
            part = right[terms:, number * found.columns : min((number + 1) * found.columns, columns)]
            strip[terms:, : part.shape[1]] = part


@cache
def _masks(columns: int, each: int) -> tuple[int, ...]:
    """The lanes of the vectors of the last tile."""
    left = columns % each or each
    lanes = each // VECTORS
    return tuple([(1 << max(0, min(lanes, left - lanes * number))) - 1 for number in range(VECTORS)])
