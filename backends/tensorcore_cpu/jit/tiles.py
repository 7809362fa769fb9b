"""Products of large matrices in tiles that stay in registers, where BLAS leaves half of the vectors' width unused.

A tile of the result, eight rows of three vectors, is summed in 24 registers: each term broadcasts one number of the
left operand for each row and multiplies it with three vectors of the right one, which `copied` or `turned` has laid
out so that they follow one another. The left operand is read where it lies.

Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34 (3), 2008.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import isa, loaded
from tensorcore_cpu.jit.x86 import AVX512, Address, Assembler

__all__ = ["ROWS", "VECTORS", "Tiles", "tiles"]

#: Of a tile: rows, and vectors in each.
ROWS: Final = 8
VECTORS: Final = 3
_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
_RIGHT: Final = ROWS * VECTORS
_FACTOR: Final = _RIGHT + VECTORS
#: The mask registers of a tile's columns.
_MASKS: Final = (1, 2, 3)


class Tiles(NamedTuple):
    """Compiled functions, each of the address of its arguments (int64) and a number it does not read.

    Attributes:
        columns: of a tile.
        product: left, its strides by row and by term, right, result, its stride, rows, columns, terms, whether to add
            to the result, and the masks of the last tile's vectors.
        copied: source, its stride by term, result, terms, columns, masks as above.
        turned: source, its stride by column, result, terms (whole blocks of 16 bytes), columns (whole vectors), terms
            between the tiles of the result.
    """

    columns: int
    product: Any
    copied: Any
    turned: Any


@cache
def tiles(double: bool) -> Tiles | None:
    """The functions for float32 or float64; ``None`` without AVX-512."""
    if isa() != AVX512:
        return None
    size = 8 if double else 4
    return Tiles(
        VECTORS * AVX512.bytes // size,
        loaded(_product_code(double), 0),
        loaded(_copy_code(double), 0),
        loaded(_turn_code(double), 0),
    )


def _entered() -> Assembler:
    code = Assembler(AVX512)
    for register in _SAVED:
        code.push(register)
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


def _masks(code: Assembler, columns: int, left: int, first: int) -> None:
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
        code.load_element(x86.RAX, Address(x86.RDI, offset=8 * (first + place)), 8)
        code.set_mask(mask, x86.RAX)
    code.land(whole)


def _product_code(double: bool) -> bytes:
    code = _entered()
    size = 8 if double else 4
    width, columns = AVX512.bytes, VECTORS * AVX512.bytes // size
    by_row, by_term, stride = x86.RCX, x86.R8, x86.R9
    right, result, rows, left = x86.R10, x86.R11, x86.RSI, x86.RDX
    first, target = x86.RBP, x86.R15
    _fields(code, first, by_row, by_term, right, result, stride, rows, left)
    next_strip = len(code.code)
    _masks(code, columns, left, 10)
    code.load_element(first, Address(x86.RDI), 8)
    code.load_element(rows, Address(x86.RDI, offset=8 * 6), 8)
    code.move(target, result)
    next_tile = len(code.code)
    code.add_number(rows, -ROWS)
    short = code.jump(x86.LESS)
    _tile(code, double, ROWS)
    code.jump(None, next_tile)
    code.land(short)
    code.add_number(rows, ROWS)
    done = [code.jump(x86.EQUAL)]
    for count in range(ROWS - 1, 0, -1):
        code.load_number(x86.RAX, count)
        code.compare(rows, x86.RAX)
        other = code.jump(x86.NOT_EQUAL)
        _tile(code, double, count)
        done.append(code.jump(None))
        code.land(other)
    for each in done:
        code.land(each)
    code.load_element(x86.RAX, Address(x86.RDI, offset=8 * 8), 8)
    code.load_number(x86.RBX, VECTORS * width)
    code.multiply(x86.RAX, x86.RBX)
    code.add_scaled(right, x86.RAX, 1)
    code.add_number(result, VECTORS * width)
    code.add_number(left, -columns)
    code.jump(x86.GREATER, next_strip)
    return _left(code)


def _tile(code: Assembler, double: bool, count: int) -> None:
    width = AVX512.bytes
    by_row, by_term, stride, right = x86.RCX, x86.R8, x86.R9, x86.R10
    first, target, terms, term = x86.RBP, x86.R15, x86.RAX, x86.RBX
    groups = (x86.R12, x86.R13, x86.R14)[: -(-count // 3)]
    for total in range(count * VECTORS):
        code.vector("xor", double, total, total, total)
    code.move(groups[0], first)
    for before, group in pairwise(groups):
        code.move(group, before)
        code.add_scaled(group, by_row, 2)
        code.add_scaled(group, by_row, 1)
    code.move(term, right)
    code.load_element(terms, Address(x86.RDI, offset=8 * 8), 8)
    start = len(code.code)
    for place in range(VECTORS):
        code.vector("load", double, _RIGHT + place, 0, Address(term, offset=place * width))
    for row in range(count):
        group, step = divmod(row, 3)
        source = Address(groups[group], by_row, step) if step else Address(groups[group])
        factor = _FACTOR + row % 2
        code.vector("broadcast", double, factor, 0, source)
        for place in range(VECTORS):
            code.vector("fma231", double, row * VECTORS + place, factor, _RIGHT + place)
    for group in groups:
        code.add_scaled(group, by_term, 1)
    code.add_number(term, VECTORS * width)
    code.add_number(terms, -1)
    code.jump(x86.NOT_EQUAL, start)
    code.load_element(x86.RAX, Address(x86.RDI, offset=8 * 9), 8)
    code.test(x86.RAX)
    new = code.jump(x86.EQUAL)
    code.move(x86.RAX, target)
    for row in range(count):
        for place, mask in enumerate(_MASKS):
            there = Address(x86.RAX, offset=place * width)
            code.vector("load", double, _RIGHT + place, 0, there, mask=mask, zero=True)
            code.vector("add", double, row * VECTORS + place, row * VECTORS + place, _RIGHT + place)
        code.add_scaled(x86.RAX, stride, 1)
    code.land(new)
    for row in range(count):
        for place, mask in enumerate(_MASKS):
            there = Address(target, offset=place * width)
            code.vector("store", double, row * VECTORS + place, 0, there, mask=mask)
        code.add_scaled(target, stride, 1)
        code.add_scaled(first, by_row, 1)


def _copy_code(double: bool) -> bytes:
    code = _entered()
    size = 8 if double else 4
    width, columns = AVX512.bytes, VECTORS * AVX512.bytes // size
    source, stride, target, terms, left = x86.R10, x86.RCX, x86.R11, x86.R12, x86.RDX
    row, term = x86.RBX, x86.RSI
    _fields(code, source, stride, target, terms, left)
    next_strip = len(code.code)
    _masks(code, columns, left, 5)
    code.move(row, source)
    code.move(term, terms)
    start = len(code.code)
    for place, mask in enumerate(_MASKS):
        code.vector("load", double, place, 0, Address(row, offset=place * width), mask=mask, zero=True)
    for place in range(VECTORS):
        code.vector("store", double, place, 0, Address(target, offset=place * width))
    code.add_scaled(row, stride, 1)
    code.add_number(target, VECTORS * width)
    code.add_number(term, -1)
    code.jump(x86.NOT_EQUAL, start)
    code.add_number(source, VECTORS * width)
    code.add_number(left, -columns)
    code.jump(x86.GREATER, next_strip)
    return _left(code)


def _turn_code(double: bool) -> bytes:
    """Blocks of 16 bytes, four numbers of a column or two, of as many columns as a vector has lanes."""
    code = _entered()
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
        code.vector("store", double, register, 0, Address(into, offset=place * VECTORS * width))
    for base in bases:
        code.add_number(base, 16)
    code.add_number(into, block * VECTORS * width)
    code.add_number(term, -block)
    code.jump(x86.GREATER, start)
    # The next vector of the tile, or the first of the next.
    for _ in range(lanes // 8):
        code.add_scaled(source, stride, 8)
    code.add_number(target, width)
    code.add_number(vector, 1)
    code.load_number(x86.RAX, VECTORS)
    code.compare(vector, x86.RAX)
    same = code.jump(x86.LESS)
    code.clear(vector)
    code.load_element(x86.RAX, Address(x86.RDI, offset=8 * 5), 8)
    code.load_number(x86.RBX, VECTORS * width)
    code.multiply(x86.RAX, x86.RBX)
    code.add_scaled(target, x86.RAX, 1)
    code.add_number(target, -VECTORS * width)
    code.land(same)
    code.add_number(left, -lanes)
    code.jump(x86.GREATER, next_group)
    return _left(code)
