"""Loops over places given by int64 numbers: gathering, scattering and shuffling, with the check of each place.

NumPy takes a pass for the check, several for the places in memory, and one for the elements; here it is one. A program
is specialized by the size of the elements and by what is done with them, and told at run time how far apart they lie.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final, Literal

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import NOT_BELOW, NOT_EQUAL, Address, Assembler, Isa

__all__ = [
    "gathered", "outside", "place_code", "put_rows", "row_code", "scattered", "shuffle_code", "shuffled", "taken_rows",
]  # fmt: skip

#: What is done at each place: read it, write it, or add to it, as floating point or as whole numbers.
Action = Literal["get", "set", "add_float", "add_whole"]

_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
#: Sizes of elements that general registers hold.
_SIZES: Final = (1, 2, 4, 8)


def _entered(code: Assembler, arrays: Sequence[int], data_offset: int) -> None:
    """Save the caller's registers and find the elements of the arrays that these registers hold."""
    for register in _SAVED:
        code.push(register)
    for register in arrays:
        code.load_field(register, data_offset)


def _left(code: Assembler, outside: Sequence[int]) -> bytes:
    """Return 0, or 1 for the jumps at ``outside``."""
    code.clear(x86.RAX)
    end = code.jump(None)
    for jump in outside:
        code.land(jump)
    code.load_number(x86.RAX, 1)
    code.land(end)
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()


def place_code(action: Action, size: int, single: bool, near: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(side, steps, table, index, other)``, which returns whether a place is outside.

    ``steps`` is the address of seven int64 numbers: how many blocks of rows of columns of places there are, the bytes
    in ``table`` from block to block, row to row and column to column, and those from place to place. ``other`` has an
    element for each place, or if ``single`` one for all. If ``near``, columns are 0 bytes apart and places ``size``.
    """
    code = Assembler(isa)
    side, steps, table, index, other = x86.RDI, x86.RSI, x86.RDX, x86.RCX, x86.R8
    blocks, rows, row, place, column, element = x86.R9, x86.R10, x86.R11, x86.RAX, x86.RBP, x86.R13
    start, width, stride = x86.RBX, x86.R12, x86.R14
    _entered(code, (table, index, other), data_offset)
    floating = action == "add_float"
    moved = Address(start, place, size if near else 1)
    its = Address(other) if single else Address(other, column, size)

    def load(address: Address) -> None:
        if floating:
            code.vector("load_first", size == 8, 0, 0, address)
        else:
            code.load_element(element, address, size)

    code.load_element(blocks, Address(steps), 8)
    code.load_element(stride, Address(steps, offset=40), 8)
    code.load_element(width, Address(steps, offset=48), 8)
    if single:
        load(its)
    next_block = len(code.code)
    code.load_element(rows, Address(steps, offset=8), 8)
    code.move(row, table)
    next_row = len(code.code)
    code.move(start, row)
    # The columns are counted up to 0 from the ends of what is read for them.
    code.load_element(column, Address(steps, offset=16), 8)
    code.add_scaled(index, column, 8)
    if not single:
        code.add_scaled(other, column, size)
    code.negate(column)
    next_column = len(code.code)
    code.load_element(place, Address(index, column, 8), 8)
    code.compare(place, side)
    outside = code.jump(NOT_BELOW)
    if not near:
        code.multiply(place, width)
    if action == "get":
        load(moved)
        code.store_element(its, element, size)
    else:
        if not single:
            load(its)
        if action == "set":
            code.store_element(moved, element, size)
        elif action == "add_whole":
            code.add_element(moved, element, size)
        else:
            code.vector("add_first", size == 8, 1, 0, moved)
            code.vector("store_first", size == 8, 1, 0, moved)
    if not near:
        code.add_scaled(start, stride, 1)
    code.add_number(column, 1)
    code.jump(NOT_EQUAL, next_column)
    code.load_element(place, Address(steps, offset=32), 8)
    code.add_scaled(row, place, 1)
    code.add_number(rows, -1)
    code.jump(NOT_EQUAL, next_row)
    code.load_element(place, Address(steps, offset=24), 8)
    code.add_scaled(table, place, 1)
    code.add_number(blocks, -1)
    code.jump(NOT_EQUAL, next_block)
    return _left(code, [outside])


def row_code(action: Action, size: int, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(side, steps, table, index, other)`` as `place_code`'s, with a row at each place.

    ``steps`` is the address of two int64 numbers: how many places, and how many elements in a row.
    """
    code = Assembler(isa)
    side, steps, table, index, other = x86.RDI, x86.RSI, x86.RDX, x86.RCX, x86.R8
    places, columns, last, place, column, element = x86.R9, x86.R10, x86.R11, x86.RAX, x86.RBP, x86.R13
    row, width = x86.RBX, x86.R12
    _entered(code, (table, index, other), data_offset)
    lanes = isa.bytes // size
    code.load_element(places, Address(steps), 8)
    code.load_element(columns, Address(steps, offset=8), 8)
    code.clear(width)
    code.add_scaled(width, columns, size)
    code.move(last, columns)
    code.add_number(last, -lanes)
    next_row = len(code.code)
    code.load_element(place, Address(index), 8)
    code.compare(place, side)
    outside = code.jump(NOT_BELOW)
    code.multiply(place, width)
    code.move(row, table)
    code.add_scaled(row, place, 1)
    target, source = (other, row) if action == "get" else (row, other)
    put, got = Address(target, column, size), Address(source, column, size)
    double = size == 8
    code.clear(column)
    next_vector = len(code.code)
    code.compare(column, last)
    done = code.jump(x86.GREATER)
    code.vector("load", double, 0, 0, got)
    if action == "add_float":
        code.vector("add", double, 0, 0, put)
    elif action == "add_whole":
        code.vector("add_integer", double, 0, 0, put)
    code.vector("store", double, 0, 0, put)
    code.add_number(column, lanes)
    code.jump(None, next_vector)
    code.land(done)
    next_column = len(code.code)
    code.compare(column, columns)
    whole = code.jump(NOT_BELOW)
    if action == "add_float":
        code.vector("load_first", double, 0, 0, got)
        code.vector("add_first", double, 0, 0, put)
        code.vector("store_first", double, 0, 0, put)
    else:
        code.load_element(element, got, size)
        (code.add_element if action == "add_whole" else code.store_element)(put, element, size)
    code.add_number(column, 1)
    code.jump(None, next_column)
    code.land(whole)
    code.add_scaled(other, width, 1)
    code.add_number(index, 8)
    code.add_number(places, -1)
    code.jump(NOT_EQUAL, next_row)
    code.clear_upper()
    return _left(code, [outside])


def shuffle_code(isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(count, 0, order, words)``: ``order[i]`` changes places with one of those from i on.

    With which is told by the remainder of the 32-bit ``words[i]`` by how many there are; the last one stays.
    """
    code = Assembler(isa)
    left, order, words = x86.RDI, x86.R9, x86.RCX
    first, second, other = x86.R10, x86.R11, x86.RDX
    # The remainder comes in the register in which the array did.
    code.move(order, x86.RDX)
    for register in (order, words):
        code.load_field(register, data_offset)
    code.add_number(left, -1)
    empty = code.jump(x86.NOT_GREATER)
    start = len(code.code)
    code.load_element(x86.RAX, Address(words), 4)
    code.add_number(left, 1)
    code.clear(other)
    code.divide(left)
    code.load_element(first, Address(order), 8)
    code.load_element(second, Address(order, other, 8), 8)
    code.store_element(Address(order, other, 8), first, 8)
    code.store_element(Address(order), second, 8)
    code.add_number(words, 4)
    code.add_number(order, 8)
    code.add_number(left, -2)
    code.jump(x86.GREATER, start)
    code.land(empty)
    code.leave()
    return code.finished()


# ------------------------------------------------------------------ what kernels call


@cache
def _place_program(action: Action, size: int, single: bool, near: bool) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None or size not in _SIZES:
        return None
    return loaded(place_code(action, size, single, near, best, offset), 3, ctypes.c_int)


@cache
def _row_program(action: Action, size: int) -> Any:
    best, offset = isa(), data_offset()
    if best is None or offset is None or size not in _SIZES:
        return None
    return loaded(row_code(action, size, best, offset), 3, ctypes.c_int)


@cache
def _shuffle_program() -> Any:
    best, offset = isa(), data_offset()
    return None if best is None or offset is None else loaded(shuffle_code(best, offset), 2)


class _Steps:
    """A program, the numbers it is told, and the side that places are checked against."""

    __slots__ = ("address", "numbers", "program", "side")

    def __init__(self, program: Any, side: int, *numbers: int) -> None:
        self.program, self.side = program, side
        self.numbers = (ctypes.c_int64 * len(numbers))(*numbers)
        self.address = ctypes.addressof(self.numbers)


@lru_cache(maxsize=512)
def _steps(
    action: Action, size: int, single: bool, shape: tuple[int, ...], places: tuple[int, ...], dim: int
) -> _Steps | None:
    """How to go through row-major arrays of these shapes, or ``None``, if it takes more than three loops."""
    fits = shape[1:dim] == places[1:dim] and shape[dim + 2 :] == places[dim + 2 :]
    if not fits or 0 in places:
        return None
    outer, inner, its = math.prod(places[:dim]), math.prod(shape[dim + 1 :]), math.prod(places[dim + 1 :])
    block = shape[dim] * inner * size
    near = inner == 1
    program = _place_program(action, size, single, near)
    if program is None:
        return None
    if near:
        return _Steps(program, shape[dim], 1, outer, places[dim], 0, block, 0, size)
    return _Steps(program, shape[dim], outer, places[dim], its, block, 0, size, inner * size)


@lru_cache(maxsize=512)
def _row_steps(action: Action, size: int, shape: tuple[int, ...], count: int) -> _Steps | None:
    program = _row_program(action, size)
    rest = math.prod(shape[1:])
    return None if program is None or not count or not rest else _Steps(program, shape[0], count, rest)


def outside(places: Array, side: int) -> IndexError:
    """What is said of places that do not all lie in a dimension of ``side`` elements."""
    return IndexError(f"indices from {places.min()} to {places.max()} are out of range for a side of {side}")


def gathered(table: Array, index: Array, dim: int) -> Array | None:
    """Elements of ``table`` at places ``index`` along ``dim``; ``None`` for arrays that NumPy has to go through.

    Raises:
        IndexError: if a place is out of range.
    """
    if not (table.flags.c_contiguous and index.flags.c_contiguous):
        return None
    steps = _steps("get", table.itemsize, False, table.shape, index.shape, dim)
    if steps is None:
        return None
    out = np.empty(index.shape, table.dtype)
    if steps.program(steps.side, steps.address, id(table), id(index), id(out)):
        raise outside(index, steps.side)
    return out


def scattered(table: Array, index: Array, source: Array, dim: int, add: bool) -> bool:
    """Write ``source``, or add it, to ``table`` at places ``index`` along ``dim``; whether that was possible.

    Raises:
        IndexError: if a place is out of range; what comes before it has been written.
    """
    if not (table.flags.c_contiguous and index.flags.c_contiguous):
        return False
    single = not any(source.strides)
    action = _action(table.dtype, add)
    if action is None or not (single or source.flags.c_contiguous):
        return False
    steps = _steps(action, table.itemsize, single, table.shape, index.shape, dim)
    if steps is None:
        return False
    if steps.program(steps.side, steps.address, id(table), id(index), id(source)):
        raise outside(index, steps.side)
    return True


def _action(native: Any, add: bool) -> Action | None:
    """What is done with elements of NumPy's ``native``; ``None`` where the registers have no such addition."""
    if not add:
        return "set"
    kind = native.kind
    if kind in "iu":
        return "add_whole"
    return "add_float" if kind == "f" and native.itemsize > 2 else None


def taken_rows(table: Array, index: Array) -> Array | None:
    """``table[index]`` of row-major arrays, else ``None``.

    Raises:
        IndexError: if a place is out of range.
    """
    if not (table.flags.c_contiguous and index.flags.c_contiguous):
        return None
    shape = table.shape
    steps = (
        _steps("get", table.itemsize, False, shape, (index.size,), 0)
        if len(shape) == 1
        else _row_steps("get", table.itemsize, shape, index.size)
    )
    if steps is None:
        return None
    out = np.empty((*index.shape, *shape[1:]), table.dtype)
    if steps.program(steps.side, steps.address, id(table), id(index), id(out)):
        raise outside(index, steps.side)
    return out


def put_rows(table: Array, places: Array, rows: Array, add: bool) -> bool:
    """Write row ``rows[i]``, or add it, to row ``places[i]`` of ``table``, one after another; whether it was possible.

    Raises:
        IndexError: if a place is out of range; what comes before it has been written.
    """
    if not (table.flags.c_contiguous and places.flags.c_contiguous):
        return False
    action = _action(table.dtype, add)
    if table.ndim == 1:
        single = not any(rows.strides)
        if action is None or not (single or rows.flags.c_contiguous):
            return False
        steps = _steps(action, table.itemsize, single, table.shape, (places.size,), 0)
    else:
        # Whole numbers of a byte or two have no addition of whole vectors here.
        if action is None or not rows.flags.c_contiguous or (action == "add_whole" and table.itemsize < 4):
            return False
        steps = _row_steps(action, table.itemsize, table.shape, places.size)
    if steps is None:
        return False
    if steps.program(steps.side, steps.address, id(table), id(places), id(rows)):
        raise outside(places, steps.side)
    return True


def shuffled(count: int, words: Any) -> Any:
    """The int64 numbers below ``count`` in the order that ``count - 1`` words of 32 bits choose, or ``None``."""
    program = _shuffle_program()
    if program is None:
        return None
    order = np.arange(count)
    drawn = np.frombuffer(words, np.uint32) if count > 1 else order
    program(count, 0, id(order), id(drawn))
    return memoryview(order)
