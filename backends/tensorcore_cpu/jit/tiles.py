"""Products of large matrices in tiles that stay in registers, where BLAS leaves half of the vectors' width unused.

A tile of the result, eight rows of three vectors, is summed in 24 registers: each term broadcasts one number of the
left operand for each row and multiplies it with three vectors of the right one, which `copied` or `turned` has laid
out so that they follow one another. The left operand is read where it lies.

Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34 (3), 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import AVX512, Address, Assembler

__all__ = ["ROWS", "Tiles", "lanes_of_last", "tiles", "tiles_for"]

#: Rows of a tile.
ROWS: Final = 8
#: Vectors in a row of a tile at most; all sums and the vectors of a term fit the registers.
_MOST: Final = 3
#: Time for a sum in tiles of so many vectors, against the widest.
_PACE: Final = {1: 1.25, 2: 1.07, 3: 1.0}
_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
#: The mask registers of a tile's columns.
_MASKS: Final = (1, 2, 3)
#: Places of the arguments of `Tiles.product`, which its code also counts in.
_LEFT, _BY_ROW, _BY_TERM, _RIGHT, _RESULT, _STRIDE, _ROWS, _COLUMNS, _TERMS, _ADDED, _LAST, _ROWS_LEFT, _TARGET = (
    Address(x86.RDI, offset=8 * place) for place in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14)
)  # fmt: skip


class Tiles(NamedTuple):
    """Compiled functions of the address of numbers (int64), a number not read, and NumPy's arrays.

    Arrays begin as many bytes from their first element as the numbers say; so are strides told.

    Attributes:
        vectors: in a row of a tile.
        columns: of a tile.
        product: of the result, left and what `copied` or `turned` gave; where left begins, its strides by row and by
            term, 0, where the result begins, its stride, rows, columns, terms, whether to add to the result, and the
            masks of the last tile's vectors. There is room for 16 numbers, some of which it changes.
        copied: of the result and right; where right begins, its stride by term, 0, terms, columns, masks as above.
        turned: of the result and right; where right begins, its stride by column, 0, terms (whole blocks of 16 bytes),
            columns (whole vectors), terms between the tiles of the result.
    """

    vectors: int
    columns: int
    product: Any
    copied: Any
    turned: Any


@cache
def lanes_of_last(columns: int, tile: int, vectors: int) -> tuple[int, ...]:
    """The masks of the vectors of the last tile, for so many columns, and of a tile."""
    lanes = tile // vectors
    left = columns % tile or tile
    return tuple([(1 << max(0, min(lanes, left - lanes * place))) - 1 for place in range(_MOST)])


@cache
def tiles(double: bool, vectors: int = _MOST) -> Tiles | None:
    """The functions for float32 or float64 and tiles of so many vectors; ``None`` without AVX-512."""
    if isa() != AVX512:
        return None
    return Tiles(
        vectors,
        vectors * AVX512.bytes // (8 if double else 4),
        loaded(_Product(double, vectors).finished(), 3),
        loaded(_copy_code(double, vectors), 2),
        loaded(_turn_code(double, vectors), 2),
    )


@cache
def tiles_for(double: bool, columns: int) -> Tiles | None:
    """The functions whose tiles waste least on a result of so many columns."""
    lanes = AVX512.bytes // (8 if double else 4)
    best = min(_PACE, key=lambda vectors: -(-columns // (vectors * lanes)) * vectors * _PACE[vectors])
    return tiles(double, best)


def _entered(*begins: Address) -> Assembler:
    """The beginning of a function: the addresses of its arrays' elements are added to the numbers."""
    code = Assembler(AVX512)
    for register in _SAVED:
        code.push(register)
    offset = data_offset()
    assert offset is not None
    for begin, register in zip(begins, (x86.RDX, x86.RCX, x86.R8), strict=False):
        code.load_field(register, offset)
        code.add_element(begin, register, 8)
    return code


def _left(code: Assembler) -> bytes:
    code.clear_upper()
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()


def _fields(code: Assembler, *registers: int) -> None:
    """Load the arguments, whose address is in rdi."""
    for place, register in enumerate(registers):
        code.load_element(register, Address(x86.RDI, offset=8 * place), 8)


def _masks(code: Assembler, columns: int, left: int, last: Address) -> None:
    """Choose the lanes of a tile that has ``left`` (a register) columns: all, or those that the arguments name."""
    code.load_number(x86.RAX, columns)
    code.compare(left, x86.RAX)
    partial = code.jump(x86.LESS)
    code.load_number(x86.RAX, -1)
    for mask in _MASKS:
        code.set_mask(mask, x86.RAX)
    whole = code.jump(None)
    code.land(partial)
    for place, mask in enumerate(_MASKS):
        code.load_element(x86.RAX, last._replace(offset=last.offset + 8 * place), 8)
        code.set_mask(mask, x86.RAX)
    code.land(whole)


class _Product:
    """The code of `Tiles.product`; what the loop over terms does not need lies with the arguments."""

    #: Addresses of every third row of a tile.
    _GROUPS: Final = (x86.R12, x86.R13, x86.R14)

    def __init__(self, double: bool, vectors: int) -> None:
        self.code = _entered(_RESULT, _LEFT, _RIGHT)
        self.double, self.vectors = double, vectors
        self.size = 8 if double else 4
        self.width = vectors * AVX512.bytes

    def finished(self) -> bytes:
        code, columns = self.code, self.width // self.size
        first, rows, left = x86.RBP, x86.RSI, x86.RDX
        next_strip = len(code.code)
        code.load_element(left, _COLUMNS, 8)
        _masks(code, columns, left, _LAST)
        code.load_element(rows, _ROWS, 8)
        code.store_element(_ROWS_LEFT, rows, 8)
        code.load_element(x86.RAX, _RESULT, 8)
        code.load_element(first, _LEFT, 8)
        code.store_element(_TARGET, x86.RAX, 8)
        next_tile = len(code.code)
        code.load_element(rows, _ROWS_LEFT, 8)
        code.add_number(rows, -ROWS)
        code.store_element(_ROWS_LEFT, rows, 8)
        short = code.jump(x86.LESS)
        self._tile(ROWS)
        code.jump(None, next_tile)
        code.land(short)
        code.add_number(rows, ROWS)
        done = [code.jump(x86.EQUAL)]
        for count in range(ROWS - 1, 0, -1):
            code.load_number(x86.RAX, count)
            code.compare(rows, x86.RAX)
            other = code.jump(x86.NOT_EQUAL)
            self._tile(count)
            done.append(code.jump(None))
            code.land(other)
        for each in done:
            code.land(each)
        code.load_element(x86.RAX, _TERMS, 8)
        code.load_number(x86.RBX, self.width)
        code.multiply(x86.RAX, x86.RBX)
        code.add_element(_RIGHT, x86.RAX, 8)
        code.add_element(_RESULT, x86.RBX, 8)
        code.load_element(left, _COLUMNS, 8)
        code.add_number(left, -columns)
        code.store_element(_COLUMNS, left, 8)
        code.test(left)
        code.jump(x86.GREATER, next_strip)
        return _left(code)

    def _tile(self, count: int) -> None:
        """``count`` rows of a tile; rbp holds where they begin and is moved on."""
        code, first, by_row = self.code, x86.RBP, x86.RCX
        for total in range(count * self.vectors):
            self._vector("xor", total, total, total)
        code.load_element(by_row, _BY_ROW, 8)
        groups = self._GROUPS[: -(-count // 3)]
        code.move(groups[0], first)
        for before, group in pairwise(groups):
            code.move(group, before)
            code.add_scaled(group, by_row, 2)
            code.add_scaled(group, by_row, 1)
        self._terms(count, groups)
        for _ in range(count):
            code.add_scaled(first, by_row, 1)
        self._stored(count)

    def _terms(self, count: int, groups: Sequence[int]) -> None:
        code, by_row, by_term, term, terms = self.code, x86.RCX, x86.R8, x86.RBX, x86.RAX
        right = count * self.vectors
        code.load_element(by_term, _BY_TERM, 8)
        code.load_element(term, _RIGHT, 8)
        code.load_element(terms, _TERMS, 8)
        start = len(code.code)
        for place in range(self.vectors):
            self._vector("load", right + place, 0, Address(term, offset=place * AVX512.bytes))
        for row in range(count):
            group, step = divmod(row, 3)
            factor = right + self.vectors + row % 2
            source = Address(groups[group], by_row, step) if step else Address(groups[group])
            self._vector("broadcast", factor, 0, source)
            for place in range(self.vectors):
                self._vector("fma231", row * self.vectors + place, factor, right + place)
        for group in groups:
            code.add_scaled(group, by_term, 1)
        code.add_number(term, self.width)
        code.add_number(terms, -1)
        code.jump(x86.NOT_EQUAL, start)

    def _stored(self, count: int) -> None:
        code, target, stride, there = self.code, x86.RDX, x86.RBX, x86.RSI
        held, masks = count * self.vectors, _MASKS[: self.vectors]
        code.load_element(target, _TARGET, 8)
        code.load_element(stride, _STRIDE, 8)
        code.load_element(x86.RAX, _ADDED, 8)
        code.test(x86.RAX)
        new = code.jump(x86.EQUAL)
        code.move(there, target)
        for row in range(count):
            for place, mask in enumerate(masks):
                source = Address(there, offset=place * AVX512.bytes)
                self.code.vector("load", self.double, held + place, 0, source, mask=mask, zero=True)
                self._vector("add", row * self.vectors + place, row * self.vectors + place, held + place)
            code.add_scaled(there, stride, 1)
        code.land(new)
        for row in range(count):
            for place, mask in enumerate(masks):
                source = Address(target, offset=place * AVX512.bytes)
                self.code.vector("store", self.double, row * self.vectors + place, 0, source, mask=mask)
            code.add_scaled(target, stride, 1)
        code.store_element(_TARGET, target, 8)

    def _vector(self, name: str, register: int, second: int, operand: x86.Operand) -> None:
        self.code.vector(name, self.double, register, second, operand)


def _copy_code(double: bool, vectors: int) -> bytes:
    code = _entered(_BY_TERM, _LEFT)
    size = 8 if double else 4
    width, columns = AVX512.bytes, vectors * AVX512.bytes // size
    source, stride, target, terms, left = x86.R10, x86.RCX, x86.R11, x86.R12, x86.RDX
    row, term = x86.RBX, x86.RSI
    _fields(code, source, stride, target, terms, left)
    next_strip = len(code.code)
    _masks(code, columns, left, Address(x86.RDI, offset=8 * 5))
    code.move(row, source)
    code.move(term, terms)
    start = len(code.code)
    for place, mask in enumerate(_MASKS[:vectors]):
        code.vector("load", double, place, 0, Address(row, offset=place * width), mask=mask, zero=True)
    for place in range(vectors):
        code.vector("store", double, place, 0, Address(target, offset=place * width))
    code.add_scaled(row, stride, 1)
    code.add_number(target, vectors * width)
    code.add_number(term, -1)
    code.jump(x86.NOT_EQUAL, start)
    code.add_number(source, vectors * width)
    code.add_number(left, -columns)
    code.jump(x86.GREATER, next_strip)
    return _left(code)


def _turn_code(double: bool, vectors: int) -> bytes:
    """Blocks of 16 bytes, four numbers of a column or two, of as many columns as a vector has lanes."""
    code = _entered(_BY_TERM, _LEFT)
    size, width = (8 if double else 4), AVX512.bytes
    lanes, block = width // size, 16 // size
    stride, target, left, vector = x86.RCX, x86.RDX, x86.RSI, x86.R9
    bases = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)[: -(-lanes // 3)]
    source, terms, term, into = x86.R10, x86.R11, x86.RAX, x86.R8
    _fields(code, source, stride, target, terms, left)
    for mask in range(4):
        code.load_number(x86.RAX, ((1 << block) - 1) << block * mask)
        code.set_mask(1 + mask, x86.RAX)
    code.clear(vector)
    next_group = len(code.code)
    code.move(bases[0], source)
    for before, base in pairwise(bases):
        code.move(base, before)
        code.add_scaled(base, stride, 2)
        code.add_scaled(base, stride, 1)
    code.move(into, target)
    code.move(term, terms)
    start = len(code.code)
    for register in range(block):
        for quarter in range(4):
            group, step = divmod(quarter * block + register, 3)
            place = Address(bases[group], stride, step) if step else Address(bases[group])
            code.vector("quarter", double, register, 0, place, mask=1 + quarter, zero=not quarter)
    if double:
        made = [(6, "unpack_low", 0, 1), (7, "unpack_high", 0, 1)]
    else:
        for name, low in (("interleave_low", 8), ("interleave_high", 10)):
            code.vector(name, False, low, 0, 1)
            code.vector(name, False, low + 1, 2, 3)
        made = [(4, "unpack_low", 8, 9), (5, "unpack_high", 8, 9), (6, "unpack_low", 10, 11)]
        made.append((7, "unpack_high", 10, 11))
    for place, (register, name, one, other) in enumerate(made):
        code.vector(name, True, register, one, other)
        code.vector("store", double, register, 0, Address(into, offset=place * vectors * width))
    for base in bases:
        code.add_number(base, 16)
    code.add_number(into, block * vectors * width)
    code.add_number(term, -block)
    code.jump(x86.GREATER, start)
    # The next vector of the tile, or the first of the next.
    for _ in range(lanes // 8):
        code.add_scaled(source, stride, 8)
    code.add_number(target, width)
    code.add_number(vector, 1)
    code.load_number(x86.RAX, vectors)
    code.compare(vector, x86.RAX)
    same = code.jump(x86.LESS)
    code.clear(vector)
    code.load_element(x86.RAX, Address(x86.RDI, offset=8 * 5), 8)
    code.load_number(x86.RBX, vectors * width)
    code.multiply(x86.RAX, x86.RBX)
    code.add_scaled(target, x86.RAX, 1)
    code.add_number(target, -vectors * width)
    code.land(same)
    code.add_number(left, -lanes)
    code.jump(x86.GREATER, next_group)
    return _left(code)
