"""Gradients of a convolution's weights without laid-out windows: sums of channels times taps stay in registers.

Rows of the gradient are given the length of the input's padded rows, with zeros behind them. For each tap of the kernel
an image is then one run of products: of the gradient, and of the input from where the tap says. Strides put what
lies at equal remainders side by side first, so that they too become an offset.
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
from tensorcore_cpu.jit.compiling import join_lanes
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import Address, Assembler, Isa
from tensorcore_cpu.kept import Kept

__all__ = ["weight_gradient", "weight_gradient_code"]

Ints = tuple[int, ...]

_SAVED: Final = (x86.RBX, x86.RBP, x86.R12, x86.R13, x86.R14, x86.R15)
#: Output channels and taps of a block at most, by the vector registers there are: a sum for each pair, a vector of the
#: gradient for each channel, and one of the input.
_BLOCK: Final = {32: (4, 6), 16: (3, 4)}
#: Bytes of images laid out at a time: within the second-level cache.
_LAID_BYTES: Final = 3 << 18
#: What the code is told, as int64: blocks of taps and of channels, bytes of a row of the gradient, from a block of its
#: channels to the next, of a run, and from a run's end to the next image of gradient and input.
_TAP_BLOCKS, _CHANNEL_BLOCKS, _ROW, _CHANNELS, _RUN, _NEXT_GRADIENT, _NEXT_INPUT = (8 * place for place in range(7))
#: Where on the stack what has no register lies: images, the arrays' addresses, and how far loops have come.
_IMAGES, _INPUT, _GRADIENT, _TAPS, _TAP_BLOCKS_LEFT, _CHANNEL_BLOCKS_LEFT, _BLOCK_OF_GRADIENT, _FACTS = (
    Address(x86.RSP, offset=8 * place) for place in range(8)
)  # fmt: skip
_FRAME: Final = 64


def weight_gradient_code(channels: int, taps: int, double: bool, isa: Isa, data_offset: int) -> bytes:
    """Machine code of ``function(images, 0, out, gradient, input, taps, facts)``.

    ``out`` receives, for each block of taps and each block of channels, the sums of each channel and tap; behind the
    last of them is room for a vector. ``taps`` are offsets in bytes.
    """
    code = Assembler(isa)
    size = 8 if double else 4
    out, images, run_end, row, three_rows = x86.RBP, x86.RDI, x86.RCX, x86.RDX, x86.RSI
    gradient, input = x86.RAX, x86.RBX
    offsets = (x86.R8, x86.R9, x86.R10, x86.R11, x86.R12, x86.R13)
    next_gradient, next_input = x86.R14, x86.R15
    for register in _SAVED:
        code.push(register)
    for register in (x86.RDX, x86.RCX, x86.R8, x86.R9):
        code.load_field(register, data_offset)
    code.load_pointer(x86.R10, 8 * (len(_SAVED) + 1))
    code.load_field(x86.R10, data_offset)
    code.add_number(x86.RSP, -_FRAME)
    code.move(out, x86.RDX)
    for place, register in (
        (_IMAGES, images), (_GRADIENT, x86.RCX), (_INPUT, x86.R8), (_TAPS, x86.R9), (_FACTS, x86.R10),
    ):  # fmt: skip
        code.store_element(place, register, 8)
    for register, offset in ((row, _ROW), (next_gradient, _NEXT_GRADIENT), (next_input, _NEXT_INPUT)):
        code.load_element(register, Address(x86.R10, offset=offset), 8)
    code.move(three_rows, row)
    code.add_scaled(three_rows, row, 2)
    code.load_element(x86.RAX, Address(x86.R10, offset=_TAP_BLOCKS), 8)
    code.store_element(_TAP_BLOCKS_LEFT, x86.RAX, 8)

    next_taps = len(code.code)
    code.load_element(x86.RAX, _TAPS, 8)
    for tap, register in enumerate(offsets[:taps]):
        code.load_element(register, Address(x86.RAX, offset=8 * tap), 8)
    code.add_number(x86.RAX, 8 * taps)
    code.store_element(_TAPS, x86.RAX, 8)
    code.load_element(x86.RAX, _FACTS, 8)
    code.load_element(x86.RAX, Address(x86.RAX, offset=_CHANNEL_BLOCKS), 8)
    code.store_element(_CHANNEL_BLOCKS_LEFT, x86.RAX, 8)
    code.load_element(x86.RAX, _GRADIENT, 8)
    code.store_element(_BLOCK_OF_GRADIENT, x86.RAX, 8)

    next_channels = len(code.code)
    sums = [[channel * taps + tap for tap in range(taps)] for channel in range(channels)]
    rows = [channels * taps + channel for channel in range(channels)]
    column = rows[-1] + 1
    for register in itertools.chain(*sums):
        code.vector("xor", double, register, register, register)
    code.load_element(gradient, _BLOCK_OF_GRADIENT, 8)
    code.load_element(input, _INPUT, 8)
    code.load_element(images, _IMAGES, 8)

    next_image = len(code.code)
    code.load_element(run_end, _FACTS, 8)
    code.load_element(run_end, Address(run_end, offset=_RUN), 8)
    code.add_scaled(run_end, gradient, 1)
    start = len(code.code)
    places = (
        Address(gradient), Address(gradient, row), Address(gradient, row, 2), Address(gradient, three_rows),
    )  # fmt: skip
    for register, place in zip(rows, places, strict=False):
        code.vector("load", double, register, 0, place)
    for tap, offset in enumerate(offsets[:taps]):
        code.vector("load", double, column, 0, Address(input, offset))
        for channel, register in enumerate(rows):
            code.vector("fma231", double, sums[channel][tap], register, column)
    code.add_number(gradient, isa.bytes)
    code.add_number(input, isa.bytes)
    code.compare(gradient, run_end)
    code.jump(x86.NOT_EQUAL, start)
    code.add_scaled(gradient, next_gradient, 1)
    code.add_scaled(input, next_input, 1)
    code.add_number(images, -1)
    code.jump(x86.NOT_EQUAL, next_image)

    for register in itertools.chain(*sums):
        join_lanes(code, double, "add", register, column)
        # Of what is stored the first lane stays; the next sum covers the others.
        code.vector("store", double, register, 0, Address(out))
        code.add_number(out, size)
    code.load_element(x86.RAX, _FACTS, 8)
    code.load_element(x86.RAX, Address(x86.RAX, offset=_CHANNELS), 8)
    code.add_element(_BLOCK_OF_GRADIENT, x86.RAX, 8)
    for left, begin in ((_CHANNEL_BLOCKS_LEFT, next_channels), (_TAP_BLOCKS_LEFT, next_taps)):
        code.load_element(x86.RAX, left, 8)
        code.add_number(x86.RAX, -1)
        code.store_element(left, x86.RAX, 8)
        code.test(x86.RAX)
        code.jump(x86.NOT_EQUAL, begin)
    code.clear_upper()
    code.add_number(x86.RSP, _FRAME)
    for register in reversed(_SAVED):
        code.pop(register)
    code.leave()
    return code.finished()


@cache
def _program(channels: int, taps: int, double: bool, best: Isa) -> Any:
    offset = data_offset()
    assert offset is not None
    return loaded(weight_gradient_code(channels, taps, double, best, offset), 5)


_kept: Final = Kept()


class _Plan:
    """What is the same for all arrays of these shapes."""

    __slots__ = (
        "copies", "facts", "gradient", "input", "inside", "order", "program", "shape", "step", "sums", "taps",
    )  # fmt: skip

    def __init__(
        self, shape: Ints, grad: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int,
        size: int, best: Isa,
    ) -> None:  # fmt: skip
        batch, channels, *sides = shape
        outs, *counts = grad[1:]
        of_group, per_group, lanes = outs // groups, channels // groups, best.bytes // size
        reach = [(n - 1) * s + (k - 1) * d + 1 for n, s, k, d in zip(counts, stride, kernel, dilation, strict=True)]
        laid = [-(-side // s) for side, s in zip(reach, stride, strict=True)]
        pitches = [math.prod(laid[place + 1 :]) for place in range(len(laid))]
        plane = math.prod(laid)
        # For each tap the remainders of its place by the strides, and how far it is off.
        steps = [[k * d for k, d in zip(place, dilation, strict=True)] for place in np.ndindex(*kernel)]
        remainders = [tuple(e % s for e, s in zip(step, stride, strict=True)) for step in steps]
        phases = sorted(set(remainders))
        shifts = [
            phases.index(rest) * plane
            + sum(e // s * pitch for e, s, pitch in zip(step, stride, pitches, strict=True))
            for step, rest in zip(steps, remainders, strict=True)
        ]  # fmt: skip
        taps = [channel * len(phases) * plane + shift for channel in range(per_group) for shift in shifts]
        # What of the input goes where, for each phase.
        self.copies = [
            (phase, *self._copy(rest, sides, laid, stride, padding)) for phase, rest in enumerate(phases)
        ]  # fmt: skip
        most = _BLOCK[best.registers]
        channel_blocks, tap_blocks = -(-of_group // most[0]), -(-len(taps) // most[1])
        many, wide = -(-of_group // channel_blocks), -(-len(taps) // tap_blocks)
        self.program = _program(many, wide, size == 8, best)
        self.taps = np.array(taps + [0] * (tap_blocks * wide - len(taps)), np.int64) * size
        run = -(-(sum((n - 1) * pitch for n, pitch in zip(counts, pitches, strict=True)) + 1) // lanes) * lanes
        row = max(run, counts[0] * pitches[0])
        self.input = (groups, per_group, len(phases), *laid)
        self.gradient = (groups, channel_blocks * many, row)
        self.shape = (counts[0], *laid[1:])
        self.inside = (..., *(slice(n) for n in counts))
        input_image, gradient_image = math.prod(self.input), math.prod(self.gradient)
        told = (tap_blocks, channel_blocks, row, many * row, run, gradient_image - run, input_image - run)
        self.facts = np.array(told, np.int64) * np.array([1, 1, *[size] * 5])
        self.sums = (tap_blocks, channel_blocks, many, wide)
        self.order = (of_group, len(taps))
        self.step = max(1, min(batch, _LAID_BYTES // ((input_image + gradient_image) * size)))

    @staticmethod
    def _copy(rest: Ints, sides: list[int], laid: list[int], stride: Ints, padding: Ints) -> tuple[Any, Any]:
        """Slices of a phase's plane, and of the input, that belong together."""
        to, source = [], []
        for r, side, n, s, p in zip(rest, sides, laid, stride, padding, strict=True):
            first = max(-(-(p - r) // s), 0)
            last = max(min(-(-(side + p - r) // s), n), first)
            to.append(slice(first, last))
            begin = first * s + r - p
            source.append(slice(begin, begin + (last - first) * s, s))
        return (..., *to), (..., *source)


@lru_cache(maxsize=128)
def _plan(*facts: Any) -> _Plan:
    return _Plan(*facts)


def weight_gradient(
    input: Array, grad: Array, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Array | None:
    """(O, C / groups, *kernel) by the gradient (N, O, *counts) of a convolution of (N, C, *sides).

    ``None`` where it cannot be computed here: for other dtypes and processors, without elements, and where what is
    infinite would meet a zero that is none of the gradient's.
    """
    best, dtype = isa(), input.dtype
    if best is None or dtype.char not in "fd" or grad.dtype != dtype or not (input.size and grad.size):
        return None
    plan = _plan(input.shape, grad.shape, kernel, stride, padding, dilation, groups, dtype.itemsize, best)
    outs = grad.shape[1]
    of_group, depth = plan.order
    count = math.prod(plan.sums)
    parts = crew.split(len(input), grad.size * depth)
    found: list[Any] = [None] * len(parts)

    def some(place: int, images: slice) -> None:
        found[place] = _sums(plan, input[images], grad[images], groups, best.bytes // dtype.itemsize)

    crew.share([partial(some, place, images) for place, images in enumerate(parts)])
    total = found[0] if len(parts) == 1 else np.add.reduce(found, 0)
    blocks = total[:, :count].reshape(groups, *plan.sums)
    out = blocks.transpose(0, 2, 3, 1, 4).reshape(groups, -1, plan.sums[0] * plan.sums[3])[:, :of_group, :depth]
    if not np.isfinite(out).all():
        return None
    return np.ascontiguousarray(out).reshape(outs, input.shape[1] // groups, *kernel)


def _sums(plan: _Plan, input: Array, grad: Array, groups: int, lanes: int) -> Array:
    """What some images give for each group, block of taps and block of channels, and room for a vector behind."""
    dtype, batch = input.dtype, len(input)
    of_group = plan.order[0]
    sizes = [plan.step * math.prod(plan.input) + lanes, plan.step * math.prod(plan.gradient)]
    memory = _kept.zeros(plan, sum(sizes), dtype)
    laid = memory[: sizes[0] - lanes].reshape(plan.step, *plan.input)
    rows = memory[sizes[0] :].reshape(plan.step, *plan.gradient)
    ready = rows[:, :, :of_group, : math.prod(plan.shape)].reshape(plan.step, groups, of_group, *plan.shape)
    # The reshaped rows are a view: their last dimension alone is cut.
    target = ready[plan.inside]
    source = laid.reshape(plan.step, input.shape[1], *plan.input[2:])
    given = grad.reshape(batch, groups, of_group, *grad.shape[2:])
    sums = np.empty((groups, math.prod(plan.sums) + lanes), dtype)
    total: Any = None
    for start in range(0, batch, plan.step):
        part = input[start : start + plan.step]
        images = len(part)
        for phase, to, taken in plan.copies:
            source[:images, :, phase][to] = part[taken]
        target[:images] = given[start : start + images]
        for group in range(groups):
            arrays = (sums[group], rows[0, group], laid[0, group], plan.taps, plan.facts)
            plan.program(images, 0, *map(id, arrays))
        total = sums if total is None else total + sums
        if start + images < batch:
            sums = np.empty_like(sums)
    return np.asarray(total)
