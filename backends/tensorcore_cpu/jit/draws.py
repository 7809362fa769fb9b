"""Words of MT19937 and Philox, and the numbers made of them, compiled.

Each function here makes a program, of whole numbers and then ``id`` of each array, for the instruction set ``chosen``
or the machine's; there is to be one (see `isa`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Final

from tensorcore.random import philox
from tensorcore_cpu.jit.angles import sine_and_cosine
from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.rows import Layout, Rows, compiled_rows
from tensorcore_cpu.jit.vectors import FLOOR, GE, LT, Body, Vector, contracted
from tensorcore_cpu.jit.x86 import AVX2, Isa

__all__ = [
    "box_muller",
    "dropped",
    "exponential",
    "integers",
    "lane_order",
    "philox_words",
    "swapped",
    "twister",
    "uniform",
]

_LOW: Final = 0xFFFFFFFF
#: 2**52 and 2**84 as float64 numbers, whose lowest bits hold whole numbers.
_ONES, _UPPER = 0x4330000000000000, 0x4530000000000000

Program = Callable[..., None]
log = LOWERINGS["log"]


def _best(chosen: Isa | None) -> Isa:
    best = chosen or isa()
    assert best is not None
    return best


def _compiled(describe: Callable[[Body], None], double: bool, arrays: int, numbers: tuple[int, ...] = (),
              halves: tuple[int, ...] = (), chosen: Isa | None = None) -> Program:  # fmt: skip
    best, offset = _best(chosen), data_offset()
    assert offset is not None
    body = Body(double, best.wide)
    describe(body)
    return loaded(elementwise(contracted(body), best, numbers, offset, halves), arrays)


def _compiled_rows(describe: Callable[[Rows], None], double: bool, layouts: tuple[Layout, ...], chosen: Isa
                   ) -> Program:  # fmt: skip
    offset = data_offset()
    assert offset is not None
    rows = Rows(layouts, double, chosen.wide)
    describe(rows)
    return loaded(compiled_rows(rows, chosen, offset), 1 + len(layouts))


# ---------------------------------------------------------------------- words


@cache
def twister(chosen: Isa | None = None) -> Program:
    """``program(0, count, out, x[624:], x, x[1:], x[397:])``: the next words of state, and outputs.

    Word k + 624 of the sequence is made of the words k, k + 1 and k + 397; where blocks of 624 begin does not matter,
    and no vector reads what it writes itself. Matsumoto and Nishimura, 1998.
    """

    def describe(body: Body) -> None:
        first, second, middle = (body.input(array) for array in (2, 3, 4))
        both = (first & _word(body, 0x80000000)) | (second & _word(body, 0x7FFFFFFF))
        odd = _word(body, 0).sub_integer(second & _word(body, 1))
        y = middle ^ both.shift_right(1) ^ (odd & _word(body, 0x9908B0DF))
        body.store(1, y)
        y = y ^ y.shift_right(11)
        y = y ^ (y.shift_left(7) & _word(body, 0x9D2C5680))
        y = y ^ (y.shift_left(15) & _word(body, 0xEFC60000))
        body.store(0, y ^ y.shift_right(18))

    return _compiled(describe, False, 5, chosen=chosen)


@cache
def swapped(chosen: Isa | None = None) -> Program:
    """``program(0, count, out, x)``: the halves of words of 64 bits exchanged."""
    return _compiled(lambda body: body.store(0, _turned(body.input(1))), True, 2, chosen=chosen)


def _turned(x: Vector) -> Vector:
    return x.shift_left(32) | x.shift_right(32)


def _word(body: Body, bits: int) -> Vector:
    """The bits in each lane, of 32 or 64 bits."""
    return body.bits(bits & _LOW, bits)


def lane_order(lanes: int) -> list[int]:
    """The counters of the lanes such that `philox_words` stores words in the counters' order."""
    return [lane // 2 + lane % 2 * (lanes // 2) for lane in range(lanes)]


@cache
def philox_words(chosen: Isa | None = None) -> tuple[Program, int]:
    """``program(0, rows, lanes, out, out[2 * lanes:], counters, first, keys)``, and the lanes.

    Each row is one vector of 64-bit counters, as many as ``lanes``, to which ``first`` is added; their words, four
    each, are stored one after another. ``counters`` are those of `lane_order` in each row.
    """
    best = _best(chosen)

    def describe(rows: Rows) -> None:
        body = rows.over_row()
        counter = body.input(2).add_integer(body.input(3))
        key = [body.input(4, place) for place in range(2 * philox.ROUNDS)]
        factors = [_word(body, factor) for factor in philox.MULTIPLIERS]
        # Multiplications read the lower halves alone, so that what is in the upper ones does no harm.
        left = counter.multiply_words(factors[0])
        a, b, c, d = counter.shift_right(32) ^ key[0], _word(body, 0), left.shift_right(32) ^ key[1], left
        for i in range(1, philox.ROUNDS):
            left, right = a.multiply_words(factors[0]), c.multiply_words(factors[1])
            a = right.shift_right(32) ^ b ^ key[2 * i]
            c = left.shift_right(32) ^ d ^ key[2 * i + 1]
            b, d = right, left
        low = _word(body, _LOW)
        first, second = (a & low) | b.shift_left(32), (c & low) | d.shift_left(32)
        body.store(0, first.then("unpack_low", second))
        body.store(1, first.then("unpack_high", second))

    program = _compiled_rows(describe, True, ("pair", "pair", "matrix", "number", "number"), best)
    return program, best.bytes // 8


# ---------------------------------------------------------------------- numbers


def _fraction(x: Vector) -> Vector:
    """The number in [0, 1) of a word's lower 24 or 53 bits, times 2**24 or 2**53."""
    body = x.body
    if not body.double:
        return (x & _word(body, (1 << 24) - 1)).from_integer()
    x = x & _word(body, (1 << 53) - 1)
    upper = (x.shift_right(32) | _word(body, _UPPER)) - (2.0**84 + 2.0**52)
    return upper + ((x & _word(body, _LOW)) | _word(body, _ONES))


@cache
def uniform(double: bool, plain: bool, chosen: Isa | None = None) -> Program:
    """``program(0, count, out, words)``, or unless ``plain`` with two numbers behind: what to multiply by and to add.

    The first is over 2**24 or 2**53. Product and sum are rounded once.
    """
    unit = 2.0**-53 if double else 2.0**-24

    def describe(body: Body) -> None:
        x = _fraction(body.input(1))
        body.store(0, x * unit if plain else x.times_plus(body.input(2), body.input(3)))

    return _compiled(describe, double, 2 if plain else 4, () if plain else (2, 3), chosen=chosen)


@cache
def exponential(chosen: Isa | None = None) -> Program:
    """``program(0, count, out, words, factor)``: ``factor`` times the logarithms of 1 less fractions, in float64."""

    def describe(body: Body) -> None:
        # The difference is exact.
        body.store(0, log(1.0 - _fraction(body.input(1)) * 2.0**-53) * body.input(2))

    return _compiled(describe, True, 3, (2,), chosen=chosen)


@cache
def integers(chosen: Isa | None = None) -> tuple[Program, int]:
    """``program(begin, end, out, words, span, 1 / span, low)``, and of how many elements ``end`` is to be a multiple.

    ``low`` is an int64 number less the bits of 2.0**52, the other two are float64; ``span`` is below 2**31.
    """
    best = _best(chosen)

    def describe(body: Body) -> None:
        ones = _word(body, _ONES)
        x = (body.input(1) | ones) - 2.0**52
        span = body.input(2)
        # The quotient can be off by one, as its divisor's inverse is rounded; all products are exact.
        rest = (x * body.input(3)).round(FLOOR).then("fnmadd", span, x)
        rest = rest.compare(LT, 0.0).select(rest + span, rest)
        rest = rest.compare(GE, span).select(rest - span, rest)
        body.store(0, (rest + 2.0**52).add_integer(body.input(4)))

    program = _compiled(describe, True, 5, (2, 3, 4), (1,), chosen=best)
    return program, 1 if best.wide else best.bytes // 8


@cache
def box_muller(double: bool, chosen: Isa | None = None) -> Program:
    """``program(0, blocks, 8, out, out[8:], words, words[8:], std, mean)``: blocks of 16 normal numbers.

    The first eight uniform numbers of a block give radii, the last eight angles.
    """
    # Eight float32 numbers are one vector of AVX2's width.
    best = _best(chosen) if double else AVX2
    unit = 2.0**-53 if double else 2.0**-24

    def describe(rows: Rows) -> None:
        body = rows.over_row()
        radius = (log(1.0 - _fraction(body.input(2)) * unit) * -2.0).sqrt()
        # Rounded before it is taken modulo a quarter turn, as where each op is a pass of its own.
        sine, cosine = sine_and_cosine(_fraction(body.input(3)) * unit * (2.0 * math.pi))
        std, mean = body.input(4), body.input(5)
        body.store(0, (radius * cosine).times_plus(std, mean))
        body.store(1, (radius * sine).times_plus(std, mean))

    return _compiled_rows(describe, double, ("pair", "pair", "pair", "pair", "number", "number"), best)


@cache
def dropped(chosen: Isa | None = None) -> Program:
    """``program(0, count, out, numbers, words, x, keep, scale)``: uniform numbers; ``x`` scaled where they are kept.

    ``numbers`` may lie where ``words`` do.
    """

    def describe(body: Body) -> None:
        number = _fraction(body.input(2)) * 2.0**-24
        body.store(1, number)
        body.store(0, body.input(3) * (number.compare(LT, body.input(4)) & body.input(5)))

    return _compiled(describe, False, 6, (4, 5), chosen=chosen)
