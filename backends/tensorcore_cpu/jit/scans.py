"""Running sums, products and extremes along rows, by scans over the lanes of a register."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import TAIL, set_tail
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.vectors import GE, LE, UNORDERED
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa, Operand

__all__ = ["ScanKernels", "running", "running_extreme"]

_IDENTITY: Final = {"add": 0.0, "mul": 1.0, "max": -math.inf, "min": math.inf}
#: Vector registers; those behind the first five are for places of extremes.
_VALUE, _MOVED, _CARRY, _NEUTRAL, _LAST, _PLACE, _MOVED_PLACE, _CARRY_PLACE, _HERE, _WINS, _KEPT = range(11)
_ROWS, _COLUMNS, _OUT, _IN, _PLACES, _LIMIT = x86.RSI, x86.RDX, x86.RCX, x86.R8, x86.R9, x86.R11
#: Mask registers of comparisons.
_BETTER, _MISSING = 1, 3


@cache
def running(name: str, double: bool, chosen: Isa | None = None) -> Callable[..., None]:
    """``program(begin, end, columns, out, x)``: running totals of each row by ``add`` or ``mul``, kept in float64.

    Hillis and Steele's scan over the lanes of a vector, then what the vectors before left in all lanes; only that one
    operation waits for the vector before.
    """
    best, offset = chosen or isa(), data_offset()
    assert best is not None and offset is not None
    return loaded(_Scan(name, double, best).code(offset), 3)


@cache
def running_extreme(name: str, double: bool, chosen: Isa | None = None) -> Callable[..., None]:
    """``program(begin, end, columns, out, x, places)``: of each row the running ``max`` or ``min``, and where it is.

    The last of equals, and of several NaN, which win against all.
    """
    best, offset = chosen or isa(), data_offset()
    assert best is not None and offset is not None
    return loaded(_ExtremeScan(name, double, best).code(offset), 4)


class _Scan:
    def __init__(self, name: str, double: bool, chosen: Isa) -> None:
        self.name, self.double, self.isa = name, double, chosen
        self.asm = Assembler(chosen)
        self.lanes = chosen.bytes // 8
        self.size = 8 if double else 4
        #: The arrays' addresses, and the sizes of their elements.
        self.pointers = {_OUT: self.size, _IN: self.size}

    def code(self, data_offset: int) -> bytes:
        asm = self.asm
        for pointer in self.pointers:
            asm.load_field(pointer, data_offset)
        asm.move(x86.RAX, _COLUMNS)
        asm.multiply(x86.RAX, x86.RDI)
        for pointer, size in self.pointers.items():
            asm.add_scaled(pointer, x86.RAX, size)
        asm.subtract(_ROWS, x86.RDI)
        asm.move(x86.R10, _COLUMNS)
        asm.keep_bits(x86.R10, self.lanes - 1)
        set_tail(asm, x86.RDI, x86.R10, self.double)
        asm.move(_LIMIT, _COLUMNS)
        asm.add_number(_LIMIT, -self.lanes)
        self._vector("load", _NEUTRAL, 0, asm.constant(struct.pack("<d", _IDENTITY[self.name])))
        if self.isa.wide:
            self._vector("load", _LAST, 0, asm.constant(struct.pack("<q", self.lanes - 1)))
        row = len(asm.code)
        asm.test(_ROWS)
        finished = asm.jump(x86.EQUAL)
        self._begin()
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
        for pointer, size in self.pointers.items():
            asm.add_scaled(pointer, _COLUMNS, size)
        asm.add_number(_ROWS, -1)
        asm.jump(None, row)
        asm.land(finished)
        asm.clear_upper()
        asm.leave()
        return asm.finished()

    def _begin(self) -> None:
        """What a row begins with."""
        self._vector("load", _CARRY, 0, _NEUTRAL)

    def _step(self, masked: bool) -> None:
        """One vector: its own totals, those with what came before, and what is left for the next."""
        self._load(masked)
        shift = 1
        while shift < self.lanes:
            self._move_up(_MOVED, _VALUE, shift)
            self._vector(self.name, _VALUE, _VALUE, _MOVED)
            shift *= 2
        self._spread_last(_MOVED, _VALUE)
        self._vector(self.name, _VALUE, _VALUE, _CARRY)
        self._vector(self.name, _CARRY, _CARRY, _MOVED)
        self._store(masked)

    def _move_up(self, target: int, source: int, lanes: int) -> None:
        """The lanes moved up by so many, with the neutral number below them."""
        if self.isa.wide:
            self._vector("align", target, source, _NEUTRAL, immediate=self.lanes - lanes)
        elif lanes == 1:
            self._vector("permute", target, 0, source, immediate=0b10010000)
            self._vector("blend", target, target, _NEUTRAL, immediate=0b0001)
        else:
            self._vector("permute_halves", target, source, _NEUTRAL, immediate=0x02)

    def _spread_last(self, target: int, source: int) -> None:
        """The last lane in all lanes."""
        if self.isa.wide:
            self._vector("permute_by", target, _LAST, source)
        else:
            self._vector("permute", target, 0, source, immediate=0b11111111)

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


class _ExtremeScan(_Scan):
    """The same with pairs of a value and its place, of which the later wins unless the earlier is better."""

    def __init__(self, name: str, double: bool, chosen: Isa) -> None:
        super().__init__(name, double, chosen)
        self.pointers[_PLACES] = 8

    def _begin(self) -> None:
        super()._begin()
        for register, places in ((_HERE, range(self.lanes)), (_CARRY_PLACE, [0] * self.lanes)):
            lanes = self.asm.constant(struct.pack(f"<{self.lanes}q", *places))
            self._vector("load", register, 0, lanes)

    def _step(self, masked: bool) -> None:
        self._load(masked)
        self._vector("load", _PLACE, 0, _HERE)
        self._vector("add_integer", _HERE, _HERE, self.asm.constant(struct.pack("<q", self.lanes)))
        shift = 1
        while shift < self.lanes:
            self._move_up(_MOVED, _VALUE, shift)
            # Below lie any places: what the neutral number is compared with wins.
            self._move_up(_MOVED_PLACE, _PLACE, shift)
            self._win(_MOVED, _MOVED_PLACE, _VALUE, _PLACE)
            self._vector("load", _VALUE, 0, _MOVED)
            self._vector("load", _PLACE, 0, _MOVED_PLACE)
            shift *= 2
        for source, target in ((_VALUE, _WINS), (_PLACE, _KEPT)):
            self._spread_last(target, source)
        self._vector("load", _MOVED, 0, _CARRY)
        self._vector("load", _MOVED_PLACE, 0, _CARRY_PLACE)
        self._win(_MOVED, _MOVED_PLACE, _VALUE, _PLACE)
        # The next vector waits for this alone.
        self._win(_CARRY, _CARRY_PLACE, _WINS, _KEPT)
        self._vector("load", _VALUE, 0, _MOVED)
        self._store(masked)
        place = Address(_PLACES, x86.RAX, 8)
        if masked and not self.isa.wide:
            self._vector("store_masked", _MOVED_PLACE, self._wide_mask(), place)
        else:
            self._vector("store", _MOVED_PLACE, 0, place, mask=TAIL * masked)

    def _wide_mask(self) -> int:
        """The register with the tail's mask for lanes of 64 bits."""
        mask = self.isa.registers - 1
        if not self.double:
            self._vector("widen_integers", _LAST, 0, mask)
            return _LAST
        return mask

    def _win(self, value: int, place: int, later: int, later_place: int) -> None:
        """Replace an earlier value and its place by the later ones, where those are not worse, or NaN."""
        predicate = GE if self.name == "max" else LE
        if self.isa.wide:
            self._vector("compare", _BETTER, later, value, immediate=predicate)
            self._vector("compare", _MISSING, later, later, immediate=UNORDERED)
            for mask in (_BETTER, _MISSING):
                self._vector("load", value, 0, later, mask=mask)
                self._vector("load", place, 0, later_place, mask=mask)
            return
        better, missing = 11, 12
        self._vector("compare", better, later, value, immediate=predicate)
        self._vector("compare", missing, later, later, immediate=UNORDERED)
        self._vector("or", better, better, missing)
        self._vector("select", value, value, later, immediate=better << 4)
        self._vector("select", place, place, later_place, immediate=better << 4)


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

    def _extremes(self, plain: Any, name: str) -> Any:
        native, program = self.native, None

        def kernel(input: Any, *, dim: int) -> Any:
            nonlocal program
            shape = input.shape
            if dim != len(shape) - 1 or not input.flags.c_contiguous or 0 in shape:
                return plain(input, dim=dim)
            program = program or running_extreme(name, self.double)
            out, places = np.empty(shape, native), np.empty(shape, np.int64)
            program(0, out.size // shape[-1], shape[-1], id(out), id(input), id(places))
            return out, places

        return kernel

    def cummax(self, plain: Any) -> Any:
        return self._extremes(plain, "max")

    def cummin(self, plain: Any) -> Any:
        return self._extremes(plain, "min")
