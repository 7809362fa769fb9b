"""Running sums and products along rows, by sums over the lanes of a register."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import TAIL, set_tail
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa, Operand

__all__ = ["ScanKernels", "running"]

_IDENTITY: Final = {"add": 0.0, "mul": 1.0}
#: Vector registers.
_VALUE, _MOVED, _CARRY, _NEUTRAL, _LAST = range(5)
_ROWS, _COLUMNS, _OUT, _IN, _TAIL_COUNT, _LIMIT = x86.RSI, x86.RDX, x86.RCX, x86.R8, x86.R10, x86.R11


@cache
def running(name: str, double: bool, chosen: Isa | None = None) -> Callable[..., None]:
    """``program(begin, end, columns, out, x)``: running totals of each row by ``add`` or ``mul``, kept in float64.

    Hillis and Steele's scan over the lanes of a vector, then what the vectors before left in all lanes; only that one
    operation waits for the vector before.
    """
    best, offset = chosen or isa(), data_offset()
    assert best is not None and offset is not None
    return loaded(_Scan(name, double, best).code(offset), 3)


class _Scan:
    def __init__(self, name: str, double: bool, chosen: Isa) -> None:
        self.name, self.double, self.isa = name, double, chosen
        self.asm = Assembler(chosen)
        self.lanes = chosen.bytes // 8
        self.size = 8 if double else 4

    def code(self, data_offset: int) -> bytes:
        asm = self.asm
        for pointer in (_OUT, _IN):
            asm.load_field(pointer, data_offset)
        asm.move(x86.R9, _COLUMNS)
        asm.multiply(x86.R9, x86.RDI)
        for pointer in (_OUT, _IN):
            asm.add_scaled(pointer, x86.R9, self.size)
        asm.subtract(_ROWS, x86.RDI)
        asm.move(_TAIL_COUNT, _COLUMNS)
        asm.keep_bits(_TAIL_COUNT, self.lanes - 1)
        set_tail(asm, x86.RDI, _TAIL_COUNT, self.double)
        asm.move(_LIMIT, _COLUMNS)
        asm.add_number(_LIMIT, -self.lanes)
        self._vector("load", _NEUTRAL, 0, asm.constant(struct.pack("<d", _IDENTITY[self.name])))
        if self.isa.wide:
            self._vector("load", _LAST, 0, asm.constant(struct.pack("<q", self.lanes - 1)))
        row = len(asm.code)
        asm.test(_ROWS)
        finished = asm.jump(x86.EQUAL)
        self._vector("load", _CARRY, 0, _NEUTRAL)
        asm.clear(x86.RAX)
        start = len(asm.code)
        asm.compare(x86.RAX, _LIMIT)
        done = asm.jump(x86.GREATER)
        self._step(masked=False)
        asm.add_number(x86.RAX, self.lanes)
        asm.jump(None, start)
        asm.land(done)
        asm.compare(x86.RAX, _COLUMNS)
        whole = asm.jump(x86.EQUAL)
        self._step(masked=True)
        asm.land(whole)
        for pointer in (_OUT, _IN):
            asm.add_scaled(pointer, _COLUMNS, self.size)
        asm.add_number(_ROWS, -1)
        asm.jump(None, row)
        asm.land(finished)
        asm.clear_upper()
        asm.leave()
        return asm.finished()

    def _step(self, masked: bool) -> None:
        """One vector: its own totals, those with what came before, and what is left for the next."""
        self._load(masked)
        shift = 1
        while shift < self.lanes:
            self._move_up(shift)
            self._vector(self.name, _VALUE, _VALUE, _MOVED)
            shift *= 2
        if self.isa.wide:
            self._vector("permute_by", _MOVED, _LAST, _VALUE)
        else:
            self._vector("permute", _MOVED, 0, _VALUE, immediate=0b11111111)
        self._vector(self.name, _VALUE, _VALUE, _CARRY)
        self._vector(self.name, _CARRY, _CARRY, _MOVED)
        self._store(masked)

    def _move_up(self, lanes: int) -> None:
        """The lanes moved up by so many, with the neutral number below them."""
        if self.isa.wide:
            self._vector("align", _MOVED, _VALUE, _NEUTRAL, immediate=self.lanes - lanes)
        elif lanes == 1:
            self._vector("permute", _MOVED, 0, _VALUE, immediate=0b10010000)
            self._vector("blend", _MOVED, _MOVED, _NEUTRAL, immediate=0b0001)
        else:
            self._vector("permute_halves", _MOVED, _VALUE, _NEUTRAL, immediate=0x02)

    def _load(self, masked: bool) -> None:
        place = Address(_IN, x86.RAX, self.size)
        load = "load" if self.double else "widen"
        if self.isa.wide:
            self._vector(load, _VALUE, 0, place, mask=TAIL * masked, zero=masked)
        elif not masked:
            self._vector(load, _VALUE, 0, place)
        else:
            mask = self.isa.registers - 1
            self.asm.vector("load_masked", self.double, _VALUE, mask, place, narrow=not self.double)
            if not self.double:
                self._vector("widen", _VALUE, 0, _VALUE)

    def _store(self, masked: bool) -> None:
        place = Address(_OUT, x86.RAX, self.size)
        if not self.double:
            self._vector("narrow", _VALUE, 0, _VALUE)
        if masked and not self.isa.wide:
            mask = self.isa.registers - 1
            self.asm.vector("store_masked", self.double, _VALUE, mask, place, narrow=not self.double)
        else:
            self.asm.vector("store", self.double, _VALUE, 0, place, mask=TAIL * masked, narrow=not self.double)

    def _vector(self, name: str, register: int, second: int, operand: Operand, **more: Any) -> None:
        self.asm.vector(name, True, register, second, operand, **more)


class ScanKernels:
    """Kernels of one dtype by op name; ``plain`` is called for what is not a scan along contiguous rows."""

    native: Any
    double: bool

    def _scan(self, plain: Any, name: str) -> Any:
        # NumPy composes the name at each request, which takes longer than short rows.
        native, wanted, program = self.native, self.native.name, None

        def kernel(input: Any, *, dim: int, dtype: Any) -> Any:
            nonlocal program
            shape = input.shape
            if dim != len(shape) - 1 or dtype.name != wanted or not input.flags.c_contiguous or 0 in shape:
                return plain(input, dim=dim, dtype=dtype)
            program = program or running(name, self.double)
            out = np.empty(shape, native)
            program(0, out.size // shape[-1], shape[-1], id(out), id(input))
            return out

        return kernel

    def cumsum(self, plain: Any) -> Any:
        return self._scan(plain, "add")

    def cumprod(self, plain: Any) -> Any:
        # In another order products of float64 could leave the range on the way; those of float32 lie within float64's.
        return plain if self.double else self._scan(plain, "mul")
