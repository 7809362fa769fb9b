"""Convolution without laid-out windows: a block of output channels times a few vectors of columns stays in registers.

For each tap of the kernel the loop loads the columns from the padded input, at an offset that a table tells, and adds
them, times each output channel's weight, to the block. The table makes channels, dimensions and dilation one thing.
"""

from __future__ import annotations

import itertools
import math
from functools import cache, lru_cache, partial
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore_cpu import crew
from tensorcore_cpu.jit import x86
from tensorcore_cpu.jit.compiling import load_lanes, set_tail, store_lanes
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa
from tensorcore_cpu.kept import Kept

__all__ = ["correlated", "correlation_code"]

Ints = tuple[int, ...]

_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
#: Output channels of a block, by the vector registers there are, so that two vectors of sums each fit.
_CHANNELS: Final = {32: 12, 16: 6}
#: Weights of a group from which on laying windows out for a product is faster, by the vectors that rows fill at most
#: (float32: 512 channels of 7 x 7, 3 x 3, 125 GFLOP/s here and 146 there).
_MANY_WEIGHTS: Final = ((0.5, 1 << 15), (4, 1 << 20))
#: Bytes of padded images worked on at a time, which stay in the second-level cache (16 images of 64 channels, 56 x 56:
#: 52 GFLOP/s without, 180 with).
_LAID_BYTES: Final = 1 << 19
#: What the code is told, as int64: taps, columns, and bytes from a group of the input to the next, from one of the
#: output, from a channel of the output, and the bytes of a group's weights and of those of all.
_TAPS, _COLUMNS, _INPUT, _OUTPUT, _CHANNEL, _WEIGHTS, _ALL = (Address(x86.RSI, offset=8 * place) for place in range(7))


def correlation_code(channels: int, paired: bool, double: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(count, 0, out, input, weight, bias, taps, rows, facts)``.

    ``count`` groups of all images are computed, ``channels`` of each. ``weight`` holds for each group and tap a number
    for each of the channels, ``bias`` for each group and channel. ``taps`` are offsets in bytes; ``rows`` are pairs of
    offsets of a row of the input and of the output. If ``paired``, rows have at most one vector and come by twos.
    """
    return _Writer(channels, paired, double, isa, data_offset).code.finished()


class _Writer:
    def __init__(self, channels: int, paired: bool, double: bool, isa: Isa, data_offset: int) -> None:
        self.code = code = Assembler(isa)
        self.channels, self.paired, self.double, self.isa = channels, paired, double, isa
        self.size = 8 if double else 4
        self.lanes = isa.bytes // self.size
        self.data_offset = data_offset
        for register in _SAVED:
            code.push(register)
        facts, weight, bias, taps = x86.RSI, x86.R8, x86.R9, x86.R10
        out, image, row, row_end = x86.RDX, x86.RCX, x86.R11, x86.R15
        for register in (out, image, weight, bias):
            code.load_field(register, data_offset)
        # Where the first group's begin; the weights are on top.
        code.push(bias)
        code.push(weight)
        self._argument(taps, 0)
        self._argument(facts, 2)
        # The taps are counted up to 0 from their end.
        code.load_element(x86.RAX, _TAPS, 8)
        code.add_scaled(taps, x86.RAX, 8)
        # The last vector of a row has from one to all of its lanes.
        code.load_element(x86.RBX, _COLUMNS, 8)
        code.add_number(x86.RBX, -1)
        code.keep_bits(x86.RBX, self.lanes - 1)
        code.add_number(x86.RBX, 1)
        set_tail(code, x86.RAX, x86.RBX, double)
        next_image = len(code.code)
        self._argument(row, 1)
        # The first pair of rows tells how many bytes of pairs follow.
        code.load_element(row_end, Address(row), 8)
        code.add_number(row, 16)
        code.add_scaled(row_end, row, 1)
        next_row = len(code.code)
        code.load_element(x86.RBX, Address(row), 8)
        code.add_scaled(x86.RBX, image, 1)
        code.load_element(x86.RBP, Address(row, offset=8), 8)
        code.add_scaled(x86.RBP, out, 1)
        if paired:
            code.load_element(x86.R12, Address(row, offset=16), 8)
            code.add_scaled(x86.R12, image, 1)
            self._tile((Address(x86.RBX, x86.R14), Address(x86.R12, x86.R14)), (True, True))
        else:
            self._columns()
        code.add_number(row, 32 if paired else 16)
        code.compare(row, row_end)
        code.jump(x86.NOT_EQUAL, next_row)
        step = x86.RAX
        for pointer, address in ((image, _INPUT), (out, _OUTPUT), (weight, _WEIGHTS)):
            code.load_element(step, address, 8)
            code.add_scaled(pointer, step, 1)
        code.add_number(bias, channels * self.size)
        # Behind the weights of the last group come those of the first.
        code.load_pointer(x86.R14, 0)
        code.load_element(step, _ALL, 8)
        code.add_scaled(x86.R14, step, 1)
        code.compare(weight, x86.R14)
        inside = code.jump(x86.NOT_EQUAL)
        code.load_pointer(weight, 0)
        code.load_pointer(bias, 8)
        code.land(inside)
        code.add_number(x86.RDI, -1)
        code.jump(x86.NOT_EQUAL, next_image)
        code.clear_upper()
        code.add_number(x86.RSP, 16)
        for register in reversed(_SAVED):
            code.pop(register)
        code.leave()

    def _argument(self, register: int, place: int) -> None:
        """Load the address of the elements of the array ``place``, of those that come on the stack."""
        self.code.load_pointer(register, 8 * (2 + len(_SAVED) + 1 + place))
        self.code.load_field(register, self.data_offset)

    def _columns(self) -> None:
        code, left, both = self.code, x86.R12, 2 * self.lanes
        first, second = Address(x86.RBX, x86.R14), Address(x86.RBX, x86.R14, offset=self.isa.bytes)
        code.load_element(left, _COLUMNS, 8)
        start = len(code.code)
        code.add_number(left, -both)
        tail = code.jump(x86.NOT_GREATER)
        self._tile((first, second), (False, False))
        code.add_number(x86.RBX, 2 * self.isa.bytes)
        code.add_number(x86.RBP, 2 * self.isa.bytes)
        code.jump(None, start)
        code.land(tail)
        code.add_number(left, self.lanes)
        narrow = code.jump(x86.NOT_GREATER)
        self._tile((first, second), (False, True))
        end = code.jump(None)
        code.land(narrow)
        self._tile((first,), (True,))
        code.land(end)

    def _tile(self, sources: tuple[Address, ...], masked: tuple[bool, ...]) -> None:
        """Sums of all channels for vectors of columns, each at its source plus the tap's offset; and their stores."""
        code, width = self.code, len(sources)
        sums = [[channel * width + place for place in range(width)] for channel in range(self.channels)]
        columns = [self.channels * width + place for place in range(width)]
        factor = columns[-1] + 1
        weight, offset, tap = x86.R13, x86.R14, x86.RAX
        for channel, (first, *others) in enumerate(sums):
            self._vector("broadcast", first, 0, Address(x86.R9, offset=channel * self.size))
            for other in others:
                self._vector("load", other, 0, first)
        code.move(weight, x86.R8)
        code.load_element(tap, _TAPS, 8)
        code.negate(tap)
        start = len(code.code)
        code.load_element(offset, Address(x86.R10, tap, 8), 8)
        for register, source, part in zip(columns, sources, masked, strict=True):
            load_lanes(self.code, self.double, register, source, part)
        for channel, registers in enumerate(sums):
            self._vector("broadcast", factor, 0, Address(weight, offset=channel * self.size))
            for total, column in zip(registers, columns, strict=True):
                self._vector("fma231", total, factor, column)
        code.add_number(weight, self.channels * self.size)
        code.add_number(tap, 1)
        code.jump(x86.NOT_EQUAL, start)
        code.load_element(weight, _CHANNEL, 8)
        for place, part in enumerate(masked):
            if place == 0 or self.paired:
                code.move(offset, x86.RBP)
            if place and self.paired:
                code.load_element(offset, Address(x86.R11, offset=24), 8)
                code.add_scaled(offset, x86.RDX, 1)
            if self.paired:
                self._stored([registers[place : place + 1] for registers in sums], (part,))
        if not self.paired:
            self._stored(sums, masked)

    def _stored(self, sums: list[list[int]], masked: tuple[bool, ...]) -> None:
        for channel, registers in enumerate(sums):
            if channel:
                self.code.add_scaled(x86.R14, x86.R13, 1)
            for place, (register, part) in enumerate(zip(registers, masked, strict=True)):
                store_lanes(self.code, self.double, register, Address(x86.R14, offset=place * self.isa.bytes), part)

    def _vector(self, name: str, register: int, second: int, operand: x86.Operand) -> None:
        self.code.vector(name, self.double, register, second, operand)


@cache
def _program(channels: int, paired: bool, double: bool) -> Any:
    best, offset = isa(), data_offset()
    assert best is not None and offset is not None
    return loaded(correlation_code(channels, paired, double, best, offset), 7)


class _Plan:
    """What is the same for all arrays of these shapes."""

    __slots__ = ("around", "blocks", "columns", "counts", "inside", "made", "padded", "phases", "rows", "step", "taps")

    def __init__(
        self, shape: Ints, weight: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int, size: int, best: Isa
    ) -> None:
        batch, channels, *sides = shape
        outs, per_group, *kernel = weight
        around = [side + 2 * p for side, p in zip(sides, padding, strict=True)]
        facts = zip(around, kernel, stride, dilation, strict=True)
        self.counts = tuple((side - (k - 1) * d - 1) // s + 1 for side, k, s, d in facts)
        # With a stride in the last dimension, columns of the same remainder lie side by side.
        self.phases = stride[-1]
        wide = -(-around[-1] // self.phases)
        self.padded = (batch, channels, *around[:-1], wide * self.phases)
        self.around = any(padding)
        self.step = max(1, _LAID_BYTES // (size * math.prod(self.padded[1:])))
        self.inside = (..., *(slice(p, p + side) for p, side in zip(padding, sides, strict=True)))
        row = wide * self.phases
        steps = [row * math.prod(around[place + 1 : -1]) for place in range(len(sides) - 1)]
        plane = row * math.prod(around[:-1])
        taps = [
            channel * plane
            + sum(k * d * step for k, d, step in zip(place, dilation, steps, strict=False))
            + place[-1] * dilation[-1] % self.phases * wide
            + place[-1] * dilation[-1] // self.phases
            for channel in range(per_group)
            for place in itertools.product(*map(range, kernel))
        ]
        # Rows that would leave vectors half empty are taken together, with what is beside the image between them.
        lanes, last = best.bytes // size, self.counts[-1]
        merged = len(sides) > 1 and stride[-2:] == (1, 1) and 4 * last < 3 * -(-last // lanes) * lanes
        lead = self.counts[: -1 - merged]
        self.columns = (self.counts[-2] - 1) * row + last if merged else last
        #: The result as it is written, cut to `counts` afterwards.
        self.made = (*self.counts[:-1], row) if merged else self.counts
        starts = np.zeros(lead, np.int64)
        for place, (side, s, step) in enumerate(zip(lead, stride, steps, strict=False)):
            starts += (np.arange(side) * (s * step)).reshape(-1, *(1,) * (len(lead) - place - 1))
        rows = np.stack((starts.reshape(-1), np.arange(starts.size) * math.prod(self.made[len(lead) :])), 1)
        paired = self.columns * size <= best.bytes and len(rows) > 1
        if paired and len(rows) % 2:
            rows = np.concatenate((rows, rows[-1:]))
        rows *= size
        self.rows = np.concatenate(([[rows.nbytes, 0]], rows))
        self.taps = np.array(taps, np.int64) * size
        of_group = outs // groups
        most = _CHANNELS[best.registers]
        count = -(-of_group // most)
        bounds = [place * of_group // count for place in range(count + 1)]
        area = math.prod(self.made) * size
        self.blocks = []
        for first, last in itertools.pairwise(bounds):
            part = len(taps) * (last - first) * size
            told = (len(taps), self.columns, plane * per_group * size, area * of_group, area, part, part * groups)
            program = _program(last - first, paired, size == 8)
            self.blocks.append((first, last, program, np.array(told, np.int64)))

    def laid(self, images: Array) -> Array:
        """Some images with zeros around them, columns of the same remainder by the stride side by side."""
        if not self.around and self.phases == 1:
            return np.ascontiguousarray(images)
        count = min(self.step, self.padded[0])
        laid = _kept.zeros(self, count * math.prod(self.padded[1:]), images.dtype).reshape(count, *self.padded[1:])
        laid = laid[: len(images)]
        laid[self.inside] = images
        if self.phases > 1:
            laid = np.ascontiguousarray(laid.reshape(*laid.shape[:-1], -1, self.phases).swapaxes(-1, -2))
        return laid


_kept: Final = Kept()


@lru_cache(maxsize=128)
def _plan(*facts: Any) -> _Plan:
    return _Plan(*facts)


def correlated(
    input: Array, weight: Array, bias: Array | None, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array | None:
    """(N, C, *sides) correlated with (O, C / groups, *kernel), or ``None`` where it cannot be or does not pay."""
    best, dtype = isa(), input.dtype
    if best is None or dtype.char not in "fd" or weight.dtype != dtype or not (input.size and weight.size):
        return None
    size = dtype.itemsize
    plan = _plan(input.shape, weight.shape, stride, padding, dilation, groups, size, best)
    filled = plan.columns * size / best.bytes
    if any(filled <= vectors and weight.size >= groups * many for vectors, many in _MANY_WEIGHTS):
        return None
    batch, outs = len(input), len(weight)
    of_group, depth = outs // groups, plan.taps.size
    out = np.empty((batch, outs, *plan.counts), dtype)
    start = np.zeros(outs, dtype) if bias is None else bias
    by_group, starts = weight.reshape(groups, of_group, depth), start.reshape(groups, of_group)
    cut = plan.made != plan.counts
    blocks = []
    for first, last, program, told in plan.blocks:
        factors = np.array(by_group[:, first:last].swapaxes(1, 2), order="C")
        blocks.append((first, program, factors, np.ascontiguousarray(starts[:, first:last]), told))

    def some(images: slice) -> None:
        # All blocks of channels while the images are in the second-level cache.
        for begin in range(images.start, images.stop, plan.step):
            these = slice(begin, min(begin + plan.step, images.stop))
            laid = plan.laid(input[these])
            made = np.empty((len(laid), outs, *plan.made), dtype) if cut else out[these]
            for first, program, factors, begins, told in blocks:
                arrays = (made[:, first:], laid, factors, begins, plan.taps, plan.rows, told)
                program(len(laid) * groups, 0, *map(id, arrays))
            if cut:
                out[these] = made[..., : plan.counts[-1]]

    crew.share([partial(some, part) for part in crew.split(batch, out.size * depth)])
    return out
