"""Kernels over the rows of matrices: passes over each row, with totals that later passes read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import Access, Emitter, join_lanes, set_tail
from tensorcore_cpu.jit.vectors import Body, Vector, contracted
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa

__all__ = ["Rows", "compiled_rows"]

#: How an array lies beside the rows: an element for each place (with ``pair`` and ``fourth``, every second or fourth
#: row of a matrix), for each column, for each row, or one for all.
Layout = Literal["matrix", "pair", "fourth", "column", "row", "number"]

#: Rows, or elements, from what belongs to one row to what belongs to the next.
_STRIDES: Final = {"matrix": 1, "pair": 2, "fourth": 4, "row": 1}
_IDENTITY: Final = {"add": 0.0, "mul": 1.0, "max": -math.inf, "min": math.inf, "or": 0.0}
_POINTERS: Final = (x86.RCX, x86.R8, x86.R9, x86.R10, x86.R11, x86.R13, x86.R14, x86.R15)
_SAVED: Final = (x86.RBX, x86.RBP, x86.R13, x86.R14, x86.R15)
#: Totals of a short body are kept in several registers, as an addition waits for the one before.
_UNROLLED: Final = 4
_SHORT: Final = 8


@dataclass(eq=False)
class Rows:
    """What is done with each row.

    Attributes:
        layouts: how each array lies.
        double: whether the elements are float64, else float32.
        scaling: see `Body`.
        steps: bodies in order; each with whether it runs over the row, or once on what passes have left.
        slots: how many values passes have left.
    """

    layouts: tuple[Layout, ...]
    double: bool
    scaling: bool
    steps: list[tuple[Body, bool]] = field(default_factory=list)
    slots: int = 0

    def over_row(self) -> Body:
        """A body that runs over the elements of the row."""
        self.steps.append((Body(self.double, self.scaling), True))
        return self.steps[-1][0]

    def once(self) -> Body:
        """A body that runs once a row, on numbers."""
        self.steps.append((Body(self.double, self.scaling), False))
        return self.steps[-1][0]

    def total(self, name: str, value: Vector) -> int:
        """Gather ``value`` over the row by ``add``, ``mul``, ``max``, ``min`` or ``or``; later bodies read the slot."""
        return self.keep(value, name)

    def keep(self, value: Vector, name: str = "keep") -> int:
        """Leave a number computed once for later bodies."""
        value.body.reductions.append((name, value.place, self.slots))
        self.slots += 1
        return self.slots - 1


def compiled_rows(rows: Rows, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(begin, end, columns, *arrays)``, which computes the rows from ``begin`` to ``end``."""
    code = Assembler(isa)
    size = 8 if rows.double else 4
    lanes = isa.bytes // size
    begin, remaining, columns, last, last_four = x86.RDI, x86.RSI, x86.RDX, x86.RDI, x86.RBX
    for register in _SAVED:
        code.push(register)
    assert len(rows.layouts) <= len(_POINTERS)
    accesses: dict[int, Access] = {}
    for array, (pointer, layout) in enumerate(zip(_POINTERS, rows.layouts, strict=False)):
        if array >= 3:
            code.load_pointer(pointer, 8 * (len(_SAVED) + array - 2))
        code.load_field(pointer, data_offset)
        accesses[array] = Access(pointer, layout in ("row", "number"))
    code.move(x86.RBX, begin)
    code.multiply(x86.RBX, columns)
    for access, layout in zip(accesses.values(), rows.layouts, strict=True):
        for _ in range(_STRIDES.get(layout, 0)):
            code.add_scaled(access.pointer, begin if layout == "row" else x86.RBX, size)
    code.subtract(remaining, begin)
    code.move(x86.RBP, columns)
    code.keep_bits(x86.RBP, lanes - 1)
    set_tail(code, x86.RDI, x86.RBP, rows.double)
    for register, count in ((last, lanes), (last_four, _UNROLLED * lanes)):
        code.move(register, columns)
        code.add_number(register, -count)
    reserved = code.add_number(x86.RSP, 0)
    writer = _Writer(code, rows, accesses, lanes)
    start = len(code.code)
    code.test(remaining)
    finished = code.jump(x86.EQUAL)
    for body, loops in rows.steps:
        writer.step(contracted(body), loops)
    for access, layout in zip(accesses.values(), rows.layouts, strict=True):
        if layout == "row":
            code.add_number(access.pointer, size)
        else:
            for _ in range(_STRIDES.get(layout, 0)):
                code.add_scaled(access.pointer, columns, size)
    code.add_number(remaining, -1)
    code.jump(None, start)
    code.land(finished)
    frame = writer.frame + writer.spilled * isa.bytes
    code.set_number(reserved, -frame)
    code.add_number(x86.RSP, frame)
    code.clear_upper()
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()


class _Writer:
    """Emits the steps of a row; rdx holds the columns, rdi and rbx where the last one and four vectors begin."""

    def __init__(self, code: Assembler, rows: Rows, accesses: Mapping[int, Access], lanes: int) -> None:
        self.code, self.rows, self.accesses, self.lanes = code, rows, accesses, lanes
        self.width = code.isa.bytes
        self.frame = rows.slots * self.width
        self.spilled = 0
        self.end = code.isa.registers - (not code.isa.wide)

    def step(self, body: Body, loops: bool) -> None:
        """One pass over the row, or one computation between passes."""
        if not loops:
            kept = tuple(range(self.end - len(body.reductions), self.end))
            self._emit(body, kept, len(kept), once=True)
            for register, (_, _, slot) in zip(kept, body.reductions, strict=True):
                self._vector("store", register, 0, Address(x86.RSP, offset=slot * self.width))
            return
        code, names = self.code, [name for name, _, _ in body.reductions]
        times = _UNROLLED if names and len(body.operations) <= _SHORT else 1
        totals = [tuple(range(self.end - (i + 1) * len(names), self.end - i * len(names))) for i in range(times)]
        taken = times * len(names)
        for registers in totals:
            for name, register in zip(names, registers, strict=True):
                self._vector("load", register, 0, code.constant(self._lane(_IDENTITY[name])))
        code.clear(x86.RAX)
        if times > 1:
            with _While(code, x86.RBX, times * self.lanes):
                for i, registers in enumerate(totals):
                    self._emit(body, registers, taken, shift=i * self.width)
        with _While(code, x86.RDI, self.lanes):
            self._emit(body, totals[0] if names else (), taken)
        code.compare(x86.RAX, x86.RDX)
        whole = code.jump(x86.EQUAL)
        self._emit(body, totals[0] if names else (), taken, masked=True)
        code.land(whole)
        for place, (name, _, slot) in enumerate(body.reductions):
            self._finish(name, [registers[place] for registers in totals], slot)

    def _finish(self, name: str, registers: list[int], slot: int) -> None:
        """Join partial totals, and the lanes of what they give, into each lane of the slot."""
        first, *others = registers
        for other in others:
            self._vector(name, first, first, other)
        # The totals lie in the last registers.
        join_lanes(self.code, self.rows.double, name, first, 0)
        self._vector("store", first, 0, Address(x86.RSP, offset=slot * self.width))

    def _emit(
        self, body: Body, totals: tuple[int, ...], taken: int, *, masked: bool = False, shift: int = 0,
        once: bool = False,
    ) -> None:  # fmt: skip
        reserved = taken + self.code.isa.registers - self.end
        emitter = Emitter(self.code, body, self.accesses, masked, totals, reserved, self.frame, shift)
        emitter.emit(keep=once)
        self.spilled = max(self.spilled, emitter.slots)

    def _lane(self, value: float) -> bytes:
        body = Body(self.rows.double, self.rows.scaling)
        return body.operations[body.number(value).place].lanes

    def _vector(self, name: str, register: int, second: int, operand: x86.Operand) -> None:
        self.code.vector(name, self.rows.double, register, second, operand)


class _While:
    """``while rax <= limit: ...; rax += step``"""

    def __init__(self, code: Assembler, limit: int, step: int) -> None:
        self.code, self.limit, self.step = code, limit, step

    def __enter__(self) -> None:
        self.start = len(self.code.code)
        self.code.compare(x86.RAX, self.limit)
        self.done = self.code.jump(x86.GREATER)

    def __exit__(self, *exc: object) -> None:
        self.code.add_number(x86.RAX, self.step)
        self.code.jump(None, self.start)
        self.code.land(self.done)
