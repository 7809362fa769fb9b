"""Draws on cpu: from a generator's words to the numbers in one compiled pass."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType, by_name
from tensorcore.ops.drawing import BLOCK, WIDE_RANGE
from tensorcore.random import philox
from tensorcore.random.ticket import Ticket
from tensorcore_cpu.jit import draws
from tensorcore_cpu.jit.executable import isa

#: The kernels that are compiled.
NAMES: Final = (
    "dropout_by_ticket", "exponential_by_ticket", "integers_by_ticket", "normal_by_ticket", "philox_uniform",
    "uniform_by_ticket",
)  # fmt: skip
#: Philox counters worked on at a time; four words of each stay in the second-level cache.
_COUNTERS: Final = 1 << 14
_FLOAT32, _INT64 = np.dtype(np.float32), np.dtype(np.int64)
#: What `draws.integers` subtracts: the bits of 2.0**52.
_ONES: Final = 0x4330000000000000

Shape = tuple[int, ...]


class DrawKernels:
    """The part of the backend that draws, by compiled loops; where nothing is compiled, the core's expressions do."""

    #: Of the backend.
    natives: dict[DType, Any]

    def drop_draws(self) -> None:
        """Leave the draws to the core where nothing is compiled."""
        if isa() is None:
            for name in NAMES:
                setattr(self, name, None)

    def uniform_by_ticket(
        self, *, ticket: Ticket, shape: Shape, low: float, span: float, dtype: DType, index: int
    ) -> Array:
        double = dtype.itemsize == 8
        plain = low == 0.0 and span == 1.0
        program = draws.uniform(double, plain)
        words = np.asarray(ticket.data)
        out = np.empty(shape, np.float64 if double else np.float32)
        if plain:
            program(0, out.size, id(out), id(words))
        else:
            factor, term = _numbers(out.dtype, span * (2.0**-53 if double else 2.0**-24), low)
            program(0, out.size, id(out), id(words), id(factor), id(term))
        return out

    def normal_by_ticket(
        self, *, ticket: Ticket, shape: Shape, mean: float, std: float, dtype: DType, index: int
    ) -> Array:
        double = dtype.itemsize == 8
        words = np.asarray(ticket.data)
        out = np.empty(shape, np.float64 if double else np.float32)
        row = out.reshape(-1)
        if ticket.kind == "normal":
            words = words * std if std != 1.0 else words
            row[:] = words + mean if mean != 0.0 else words
            return out
        program = draws.box_muller(double)
        scale, shift = _numbers(out.dtype, std, mean)
        parts = [(row, words, row.size // BLOCK)]
        if row.size % BLOCK:
            parts.append((row[-BLOCK:], words[-BLOCK:], 1))
        half = BLOCK // 2
        for numbers, source, blocks in parts:
            second, angles = numbers[half:], source[half:]
            program(0, blocks, half, id(numbers), id(second), id(source), id(angles), id(scale), id(shift))
        return out

    def exponential_by_ticket(self, *, ticket: Ticket, shape: Shape, rate: float, dtype: DType, index: int) -> Array:
        words, out = np.asarray(ticket.data), np.empty(shape)
        (factor,) = _numbers(out.dtype, -1.0 / rate)
        draws.exponential()(0, out.size, id(out), id(words), id(factor))
        native = self.natives[dtype]
        return out if out.dtype == native else out.astype(native)

    def integers_by_ticket(
        self, *, ticket: Ticket, shape: Shape, low: int, span: int, dtype: DType, index: int
    ) -> Array:
        words = np.asarray(ticket.data)
        size = words.size
        if span >= WIDE_RANGE:
            if span == 1 << 64:
                return words.view(_INT64).reshape(shape)
            # The sum wraps to what int64 holds of it.
            return ((words % np.uint64(span)).view(_INT64) + np.int64(low)).reshape(shape)
        program, lanes = draws.integers()
        numbers = _span(low, span)
        out = np.empty(shape, _INT64)
        if size < lanes:
            # Without mask registers the program computes whole vectors.
            padded, wide = np.empty(lanes, np.uint32), np.empty(lanes, _INT64)
            padded[:size] = words
            program(0, lanes, id(wide), id(padded), *map(id, numbers))
            return wide[:size].reshape(shape)
        program(0, size - size % lanes, id(out), id(words), *map(id, numbers))
        if size % lanes:
            program(size - lanes, size, id(out), id(words), *map(id, numbers))
        return out

    # ---------------------------------------------------------------- Philox

    def philox_uniform(self, *, ticket: Ticket, shape: Shape, dtype: DType, index: int) -> Array:
        program = draws.uniform(False, True)
        out = np.empty(shape, _FLOAT32)
        row = out.reshape(-1)
        for start, words in _philox(ticket, row.size):
            part = row[start:]
            program(0, words.size, id(part), id(words))
        return out

    def dropout_by_ticket(
        self, input: Array, *, ticket: Ticket, keep: float, scale: float, shape: Shape
    ) -> tuple[Array, Array]:
        if input.dtype != _FLOAT32 or input.shape != shape or not input.flags.c_contiguous:
            numbers = self.philox_uniform(ticket=ticket, shape=shape, dtype=by_name("float32"), index=0)
            mask = np.less(numbers, np.float32(keep))
            return self.masked_scale(input, mask, scale=scale), mask
        out, mask = np.empty(shape, _FLOAT32), np.empty(shape, np.bool_)
        source, made, kept = input.reshape(-1), out.reshape(-1), mask.reshape(-1)
        program = draws.dropped()
        bound, factor = _numbers(_FLOAT32, keep, scale)
        for start, words in _philox(ticket, source.size):
            count = words.size
            end = start + count
            numbers = words.view(_FLOAT32)
            given, part = source[start:end], made[start:end]
            program(0, count, id(part), id(numbers), id(words), id(given), id(bound), id(factor))
            np.less(numbers, bound, out=kept[start:end])
        return out, mask

    def masked_scale(self, input: Array, mask: Array, *, scale: float) -> Array:
        if mask.size < input.size or scale == 1:
            return input * (mask.astype(input.dtype) * input.dtype.type(scale))
        # In one pass where the mask is as large: the product with 1 or 0 is exact.
        out = np.multiply(input, mask, dtype=input.dtype)
        return np.multiply(out, input.dtype.type(scale), out=out)


@lru_cache(1024)
def _numbers(native: Any, *values: float) -> list[Any]:
    """Arrays of one number each."""
    return [np.array(value, native) for value in values]


@lru_cache(1024)
def _span(low: int, span: int) -> list[Any]:
    return [*_numbers(np.float64, span, 1 / span), np.array(_wrapped(low - _ONES))]


def _wrapped(value: int) -> np.int64:
    """What int64 holds of ``value``."""
    return np.int64((value + 2**63) % 2**64 - 2**63)


@cache
def _counters(rows: int, lanes: int) -> Any:
    """Whole numbers for `draws.philox_words`."""
    return np.add.outer(np.arange(rows) * lanes, draws.lane_order(lanes)).astype(np.int64)


@lru_cache(64)
def _keys(key: int) -> Any:
    return np.array(philox.schedule(key), np.int64)


def _philox(ticket: Ticket, count: int) -> Any:
    """The ticket's ``count`` words in parts: (place of the first, words); a part is overwritten by the next."""
    program, lanes = draws.philox_words()
    keys = _keys(ticket.key)
    step = 4 * _COUNTERS
    counters = _counters(_COUNTERS // lanes, lanes)
    words = np.empty(-(-min(count, step) // (4 * lanes)) * 4 * lanes, np.uint32)
    second = words[2 * lanes :]
    for start in range(0, count, step):
        part = min(step, count - start)
        # Beyond 2**63 the counters are signed, as they are on a device.
        first = np.array(_wrapped(ticket.offset + start // 4))
        program(0, -(-part // (4 * lanes)), lanes, id(words), id(second), id(counters), id(first), id(keys))
        yield start, words[:part]
