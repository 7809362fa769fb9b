"""Draws on cpu: the bits of the core's own, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.ops.drawing import _philox_uniform, philox_uniform
from tensorcore.random import mt19937
from tensorcore.random.mt19937 import MT19937
from tensorcore_cpu.draws import twister_words

#: Counters of one block of the kernel.
BLOCK = 1 << 14


@pytest.mark.parametrize("offset", [0, 1, 2**32 - 3, 2**63 - 5])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 7), (4 * BLOCK,), (4 * BLOCK + 1,), (2, 4 * BLOCK + 3)])
def test_philox_has_the_bits_of_the_expression(shape, offset):
    generator = tc.Generator().manual_seed(2**63 + 11)
    generator._offset = offset
    ticket = generator.ticket("philox", tc.Size(shape).numel())
    kind = tc.zeros(())._kind
    made = philox_uniform(ticket, shape, kind)
    assert made.shape == shape and made.dtype is tc.float32
    assert bool((made == _philox_uniform(ticket=ticket, shape=shape, kind=kind)).all())


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 1000])
@pytest.mark.parametrize("count", [1, 2, 311, 624, 40_000])
def test_words_continue_the_stream_of_the_core(count, drawn, bits, monkeypatch):
    ours, theirs = MT19937(3), MT19937(3)
    ours.words(drawn), theirs.words(drawn)
    made, ours.state = twister_words(ours.state, count, bits)
    monkeypatch.setattr(mt19937, "_draw", None)
    expected = theirs.words(count) if bits == 32 else theirs.words64(count)
    assert list(made) == list(expected)
    assert list(ours.words(700)) == list(theirs.words(700))


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: tc.rand(50_001, generator=g),
        lambda g: tc.rand(50_001, generator=g, dtype=tc.float64),
        lambda g: tc.randn(50_001, generator=g),
        lambda g: tc.randint(0, 10, (50_001,), generator=g),
        lambda g: tc.randperm(50_001, generator=g),
    ],
)
def test_large_draws_are_those_of_the_core_alone(draw, monkeypatch):
    g = tc.Generator().manual_seed(1)
    with_library = draw(g), tc.rand(3, generator=g)
    monkeypatch.setattr(mt19937, "_draw", None)
    g = tc.Generator().manual_seed(1)
    alone = draw(g), tc.rand(3, generator=g)
    for a, b in zip(with_library, alone, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_large_draw_is_not_untouched():
    g = tc.Generator().manual_seed(1)
    tc.rand(100_000, generator=g)
    other = tc.Generator()
    other.set_state(g.get_state())
    assert tc.rand(9, generator=g).tolist() == tc.rand(9, generator=other).tolist()
