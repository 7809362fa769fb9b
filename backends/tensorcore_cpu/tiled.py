"""Products of large matrices by compiled tiles, where BLAS leaves half of the processor's width unused.

OpenBLAS chooses its kernels by the processor's name, and for some that have AVX-512, or where
``OPENBLAS_CORETYPE`` says so, takes those for AVX2.
"""

from __future__ import annotations

import ctypes
import math
import struct
import threading
from functools import cache, partial
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu import crew
from tensorcore_cpu.blas import uses_avx512
from tensorcore_cpu.jit.tiles import ROWS, Tiles, lanes_of_last, tiles_for

__all__ = ["Laid", "into", "laid_out"]

#: Products of numbers from which on tiles are faster than BLAS.
LEAST: Final = 1 << 19
#: Terms, rows and columns worked on at a time (float32, a thousand of each: 175 GFLOP/s with 192 terms, 190 with 384
#: and 200 with 512, as fewer partial sums go to memory and back).
_TERMS, _HEIGHT, _WIDTH = 768, 256, 960


_NUMBERS: Final = struct.Struct("=16q")


class _Workplace(threading.local):
    """The right operand as tiles read it, and the numbers for compiled functions; each thread has its own."""

    def __init__(self) -> None:
        self._numbers = ctypes.create_string_buffer(_NUMBERS.size)
        self._told = ctypes.addressof(self._numbers)
        self._held: dict[Any, Array] = {}

    def tell(self, *numbers: int) -> int:
        """The address of some numbers, which the next call writes over."""
        _NUMBERS.pack_into(self._numbers, 0, *numbers, *_ZEROS[len(numbers) :])
        return self._told

    def room(self, count: int, native: Any) -> Array:
        """A kept array of at least ``count`` elements that begins on a boundary of 64 bytes."""
        found = self._held.get(native)
        if found is None or found.size < count:
            raw = np.zeros(count + 64 // native.itemsize, native)
            found = self._held[native] = raw[-raw.ctypes.data % 64 // native.itemsize :]
        return found


_ZEROS: Final = (0,) * 16
_workplace: Final = _Workplace()


@cache
def _usable(native: Any) -> bool:
    return native.char in "fd" and not uses_avx512()


def _tiles(native: Any, columns: int) -> Tiles | None:
    """The functions for results of so many columns; ``None`` where another way is faster."""
    found = tiles_for(native.itemsize == 8, columns) if _usable(native) else None
    # Columns beyond whole tiles are computed and thrown away.
    return None if found is None or 5 * columns < 3 * -(-columns // found.columns) * found.columns else found


def into(out: Array, left: Array, right: Array) -> bool:
    """Write the product of matrices, or stacks of them that broadcast, into ``out``; whether this is the way to do it.

    The rows of ``out`` have no gaps.
    """
    rows, terms = left.shape[-2:]
    columns = right.shape[-1]
    work = rows * terms * columns
    if work < LEAST or rows < ROWS:
        return False
    found, size = _tiles(out.dtype, columns), out.itemsize
    if found is None:
        return False
    if size not in right.strides[-2:] or out.strides[-1] != size:
        return False
    if out.ndim == 2 and work < crew.SHARED:
        _multiply(found, out, left, right)
    elif out.ndim == 2:
        _matrix(found, out, left, right, work)
    else:
        _stack(found, out, left, right, work)
    return True


def _matrix(found: Tiles, out: Array, left: Array, right: Array, work: int) -> None:
    rows, columns = out.shape
    hands = crew.hands(work)
    if columns // found.columns >= 2 * hands or rows < 2 * ROWS * hands:
        # By columns each thread lays out what it reads; by rows all of them lay out the same.
        parts = crew.split(columns, work, found.columns)
        crew.share([partial(_multiply, found, out[:, part], left, right[:, part]) for part in parts])
    else:
        parts = crew.split(rows, work, ROWS)
        crew.share([partial(_multiply, found, out[part], left[part], right) for part in parts])


def _stack(found: Tiles, out: Array, left: Array, right: Array, work: int) -> None:
    outer = out.shape[:-2]
    left = np.broadcast_to(left, (*outer, *left.shape[-2:]))
    right = np.broadcast_to(right, (*outer, *right.shape[-2:]))
    places = list(np.ndindex(outer))
    if len(places) < crew.hands(work * len(places)):
        for place in places:
            _matrix(found, out[place], left[place], right[place], work)
        return

    def some(part: slice) -> None:
        for place in places[part]:
            _multiply(found, out[place], left[place], right[place])

    crew.share([partial(some, part) for part in crew.split(len(places), work * len(places))])


def _multiply(found: Tiles, out: Array, left: Array, right: Array) -> None:
    (rows, terms), columns, size = left.shape, right.shape[1], out.itemsize
    tell = _workplace.tell
    by_row, by_term = left.strides
    down, along = right.strides
    stride = out.strides[0]
    step = terms if terms <= _TERMS else math.ceil(terms / math.ceil(terms / _TERMS) / 16) * 16
    for column in range(0, columns, _WIDTH):
        wide = min(_WIDTH, columns - column)
        laid = _workplace.room(-(-wide // found.columns) * found.columns * step, out.dtype)
        masks = lanes_of_last(wide, found.columns, found.vectors)
        for term in range(0, terms, step):
            deep = min(step, terms - term)
            if along == size:
                told = tell(term * down + column * along, down, 0, deep, wide, *masks)
                found.copied(told, 0, id(laid), id(right))
            else:
                _turn(found, laid, right[term : term + deep, column : column + wide])
            for row in range(0, rows, _HEIGHT):
                told = tell(
                    row * by_row + term * by_term, by_row, by_term, 0, row * stride + column * size, stride,
                    min(_HEIGHT, rows - row), wide, deep, term > 0, *masks,
                )  # fmt: skip
                found.product(told, 0, id(out), id(left), id(laid))


class Laid:
    """A matrix laid out once, for products with several on its left."""

    def __init__(self, found: Tiles, right: Array) -> None:
        terms, columns = right.shape
        size = right.itemsize
        self._found, self._shape = found, (columns, terms)
        self._masks = lanes_of_last(columns, found.columns, found.vectors)
        self._laid = np.zeros(-(-columns // found.columns) * found.columns * terms, right.dtype)
        if right.strides[1] == size:
            told = _workplace.tell(0, right.strides[0], 0, terms, columns, *self._masks)
            found.copied(told, 0, id(self._laid), id(right))
        else:
            _turn(found, self._laid, right)

    def times(self, left: Array, out: Array, add: bool = False) -> Array:
        """The product with ``left`` written, or added, to ``out``, whose rows have no gaps."""
        told = _workplace.tell(
            0, *left.strides, 0, 0, out.strides[0], len(left), *self._shape, add, *self._masks
        )  # fmt: skip
        self._found.product(told, 0, id(out), id(left), id(self._laid))
        return out


def laid_out(right: Array, rows: int) -> Laid | None:
    """``right`` for products with matrices of about so many rows, where this is the way to multiply them."""
    terms, columns = right.shape
    found = _tiles(right.dtype, columns) if rows * right.size >= LEAST and rows >= ROWS else None
    if found is None or terms > _TERMS or columns > _WIDTH or right.itemsize not in right.strides:
        return None
    return Laid(found, right)


def _turn(found: Tiles, laid: Array, right: Array) -> None:
    """Lay out columns whose terms follow one another; what fills no block of the compiled function by NumPy."""
    deep, wide = right.shape
    lanes, block = found.columns // found.vectors, 16 // right.itemsize
    terms, columns = deep - deep % block, wide - wide % lanes
    if terms and columns:
        told = _workplace.tell(0, right.strides[1], 0, terms, columns, deep)
        found.turned(told, 0, id(laid), id(right))
    if (terms, columns) == right.shape:
        return
    strips = laid[: -(-wide // found.columns) * found.columns * deep].reshape(-1, deep, found.columns)
    if columns < wide:
        first = columns % found.columns
        strips[columns // found.columns, :, first : first + wide - columns] = right[:, columns:]
    if terms < deep:
        for number, strip in enumerate(strips):
            part = right[terms:, number * found.columns : min((number + 1) * found.columns, columns)]
            strip[terms:, : part.shape[1]] = part
