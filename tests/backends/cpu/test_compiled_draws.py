"""The programs behind draws, by each instruction set, against NumPy's generator and wider formats."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore.random import philox
from tensorcore_cpu.jit import draws
from tensorcore_cpu.jit.angles import sine_and_cosine
from tensorcore_cpu.jit.compiling import elementwise
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.vectors import Body, contracted
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
each_isa = pytest.mark.parametrize("chosen", [AVX2, AVX512] if BEST == AVX512 else [AVX2], ids=lambda isa: isa.name)


@each_isa
@pytest.mark.parametrize("blocks", [1, 3])
def test_words_of_the_twister(chosen, blocks):
    size = 624 * blocks
    source = np.random.RandomState(5)
    words, out = np.empty(624 + size, np.uint32), np.empty(size, np.uint32)
    words[:624] = source.get_state()[1]
    arrays = out, words[624:], words, words[1:], words[397:]
    draws.twister(chosen)(0, size, *map(id, arrays))
    np.testing.assert_array_equal(out, source.randint(0, 1 << 32, size, np.uint32))
    np.testing.assert_array_equal(words[-624:], source.get_state()[1])


@each_isa
@pytest.mark.parametrize("offset", [0, 2**32 - 7, 2**63 - 3])
def test_words_of_philox(chosen, offset):
    program, lanes = draws.philox_words(chosen)
    rows, key = 5, 0x123456789ABCDEF1
    counters = np.add.outer(np.arange(rows) * lanes, draws.lane_order(lanes)).astype(np.int64)
    first, keys = np.array(offset, np.int64), np.array(philox.schedule(key), np.int64)
    out = np.full(4 * rows * lanes + 64, 7, np.uint32)
    second = out[2 * lanes :]
    program(0, rows, lanes, *map(id, (out, second, counters, first, keys)))
    wanted = [word for i in range(rows * lanes) for word in philox.block(key, offset + i)]
    assert out[:-64].tolist() == wanted
    assert (out[-64:] == 7).all()


@each_isa
@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100])
def test_fractions(chosen, double, size):
    words = np.random.default_rng(size).integers(0, 2**63, size + 3).astype(np.uint64 if double else np.uint32)
    words[:3] = 0, ~words.dtype.type(0), 1
    native, digits = (np.float64, 53) if double else (np.float32, 24)
    out = np.full(size + 67, 7, native)
    draws.uniform(double, True, chosen)(0, size + 3, id(out), id(words))
    np.testing.assert_array_equal(out[: size + 3], (words & words.dtype.type(2**digits - 1)) * native(2.0**-digits))
    assert (out[size + 3 :] == 7).all()


@each_isa
def test_halves_are_exchanged(chosen):
    words = np.random.default_rng(1).integers(0, 2**63, 11).astype(np.uint64)
    out = np.empty_like(words)
    draws.swapped(chosen)(0, 11, id(out), id(words))
    np.testing.assert_array_equal(out.view(np.uint32).reshape(-1, 2)[:, ::-1].reshape(-1), words.view(np.uint32))


@each_isa
@pytest.mark.parametrize("span", [1, 2, 3, 10, 1000, (1 << 28) - 1])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64])
def test_remainders(chosen, span, count):
    program, multiple = draws.integers(chosen)
    count = count // multiple * multiple
    words = np.arange(count, dtype=np.uint32) * np.uint32(span)
    words[: count // 2] = np.random.default_rng(1).integers(0, 2**32, count // 2)
    whole = np.full(count + 64, 7)
    out = whole[:count]
    low = np.array(-5 - 0x4330000000000000)
    numbers = np.array(float(span)), np.array(1 / span), low
    program(0, words.size, id(out), id(words), *map(id, numbers))
    np.testing.assert_array_equal(out, words.astype(np.int64) % span - 5)
    assert (whole[count:] == 7).all()


@each_isa
@pytest.mark.parametrize("double", [False, True])
def test_sine_and_cosine_against_a_wider_format(chosen, double):
    native = np.float64 if double else np.float32
    quarters = np.arange(-5, 6) * (np.pi / 2)
    angles = np.concatenate((np.linspace(-8, 8, 20_001), quarters, quarters + 1e-6, [0.0, -0.0, 1e-30])).astype(native)
    made = np.empty((2, angles.size), native)
    body = Body(double, chosen.wide)
    sine, cosine = sine_and_cosine(body.input(2))
    body.store(0, sine)
    body.store(1, cosine)
    sines, cosines = made
    program = loaded(elementwise(contracted(body), chosen, (), data_offset()), 3)
    program(0, angles.size, id(sines), id(cosines), id(angles))
    wide = angles.astype(np.longdouble)
    for got, wanted in ((sines, np.sin(wide)), (cosines, np.cos(wide))):
        assert np.abs(got - wanted).max() <= 1.5 * np.finfo(native).epsneg
        away = np.abs(wanted) > 1e-3
        error = np.abs(got - wanted) / np.spacing(np.abs(wanted).astype(native))
        assert error[away].max() <= 1.5


@each_isa
@pytest.mark.parametrize("double", [False, True])
def test_normal_numbers(chosen, double):
    native, digits, blocks = (np.float64, 53, 40) if double else (np.float32, 24, 40)
    words = np.random.default_rng(1).integers(0, 2**63, 16 * blocks).astype(np.uint64 if double else np.uint32)
    # Radii of 0, and the largest one.
    words[0], words[1] = 0, 2**digits - 1
    out = np.full(16 * blocks + 64, 7, native)
    second, angles, std, mean = out[8:], words[8:], np.array(2, native), np.array(0.5, native)
    draws.box_muller(double, chosen)(0, blocks, 8, *map(id, (out, second, words, angles, std, mean)))
    unit = ((words & words.dtype.type(2**digits - 1)) * native(2.0**-digits)).reshape(-1, 2, 8)
    radius = np.sqrt(-2 * np.log1p(-unit[:, 0].astype(np.longdouble)))
    theta = (unit[:, 1] * native(2 * np.pi)).astype(np.longdouble)
    wanted = np.stack([radius * np.cos(theta), radius * np.sin(theta)], 1).reshape(-1) * 2 + 0.5
    np.testing.assert_allclose(out[:-64], wanted.astype(np.float64), rtol=0, atol=32 * np.finfo(native).eps)
    assert (out[-64:] == 7).all()
