"""Draws on cpu: the bits of the core's own, whatever their number."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.ops.drawing import (
    _exponential_by_ticket,
    _integers_by_ticket,
    _normal_by_ticket,
    _philox_uniform,
    _uniform_by_ticket,
    exponential_by_ticket,
    integers_by_ticket,
    normal_by_ticket,
    philox_uniform,
    uniform_by_ticket,
)
from tensorcore.ops.dropout import _dropout_by_ticket, dropout_by_ticket, masked_scale
from tensorcore.random import mt19937
from tensorcore.random.mt19937 import MT19937
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.twister import CompiledTwister, LibraryTwister

#: Counters of one block of the kernel.
BLOCK = 1 << 14
STREAMS = [LibraryTwister, *([CompiledTwister] if isa() is not None else [])]
each_stream = pytest.mark.parametrize("stream", STREAMS)
SHAPES = [(), (0,), (1,), (5,), (7,), (8,), (9,), (3, 7), (16,), (17,), (1000,)]


def kind_of(dtype):
    return tc.zeros((), dtype=dtype)._kind


def same(op, expression, kind, ticket, bound=0.0, **attributes):
    made = op.emit(kind=kind, ticket=ticket, **attributes)
    wanted = expression(kind=kind, ticket=ticket, **attributes)
    assert made.shape == wanted.shape and made.dtype is wanted.dtype and made.is_contiguous()
    np.testing.assert_allclose(made.numpy(), wanted.numpy(), rtol=bound, atol=bound)


# ------------------------------------------------------------------ numbers of words


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("low, span", [(0.0, 1.0), (-0.25, 0.5), (0.0, 3.0)])
@pytest.mark.parametrize("shape", SHAPES)
def test_uniform_has_the_bits_of_the_expression(shape, low, span, dtype):
    ticket = tc.Generator().manual_seed(3).ticket("words64" if dtype == "float64" else "words", tc.Size(shape).numel())
    same(uniform_by_ticket, _uniform_by_ticket, kind_of(getattr(tc, dtype)), ticket, shape=shape, low=low, span=span)


@pytest.mark.parametrize("span", [1, 2, 3, 10, 1000, 1 << 27, (1 << 28) - 1, 1 << 28, (1 << 63) + 5, 1 << 64])
@pytest.mark.parametrize("low", [0, -5, 2**62, -(2**63)])
def test_integers_have_the_bits_of_the_expression(span, low):
    for shape in SHAPES:
        ticket = tc.Generator().manual_seed(4).ticket("words" if span < 1 << 28 else "words64", tc.Size(shape).numel())
        same(integers_by_ticket, _integers_by_ticket, kind_of(tc.int64), ticket, shape=shape, low=low, span=span)


@pytest.mark.skipif(isa() is None, reason="nothing is compiled")
def test_integers_of_multiples_of_the_span():
    for span in (3, 7, 999_999_937 >> 2, (1 << 28) - 1):
        words = np.arange(0, 2**32, span * 1001, dtype=np.uint32)
        words = np.concatenate((words, words + np.uint32(1), words - np.uint32(1)))
        ticket = tc.Generator().ticket("words", 0)
        ticket.data, ticket.count = memoryview(words), words.size
        made = integers_by_ticket.emit(kind=kind_of(tc.int64), ticket=ticket, shape=words.shape, low=0, span=span)
        np.testing.assert_array_equal(made.numpy(), words.astype(np.int64) % span)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape, drawn", [((16,), 16), ((17,), 33), ((4, 8), 32), ((1000,), 1016), ((31,), 47)])
def test_normal_numbers_are_close_to_the_expression(shape, drawn, dtype):
    ticket = tc.Generator().manual_seed(5).ticket("words64" if dtype == "float64" else "words", drawn)
    same(
        normal_by_ticket, _normal_by_ticket, kind_of(getattr(tc, dtype)), ticket,
        1e-6 if dtype == "float32" else 1e-14, shape=shape, mean=0.5, std=2.0,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_waiting_times_are_those_of_the_expression(shape, dtype):
    ticket = tc.Generator().manual_seed(3).ticket("words64", tc.Size(shape).numel())
    bound = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-15}[dtype]
    kind = kind_of(getattr(tc, dtype))
    same(exponential_by_ticket, _exponential_by_ticket, kind, ticket, bound, shape=shape, rate=0.5)


# ------------------------------------------------------------------ Philox


@pytest.mark.parametrize("offset", [0, 1, 2**32 - 3, 2**63 - 5])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 7), (4 * BLOCK,), (4 * BLOCK + 1,), (2, 4 * BLOCK + 3)])
def test_philox_has_the_bits_of_the_expression(shape, offset):
    generator = tc.Generator().manual_seed(2**63 + 11)
    generator._offset = offset
    ticket = generator.ticket("philox", tc.Size(shape).numel())
    same(philox_uniform, _philox_uniform, kind_of(tc.float32), ticket, shape=shape)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("shape", [(1,), (3, 7), (4 * BLOCK + 9,)])
@pytest.mark.parametrize("channels", [False, True])
def test_dropout_is_that_of_the_expression(shape, dtype, channels):
    x = tc.linspace(-3, 3, tc.Size(shape).numel()).reshape(shape).to(getattr(tc, dtype))
    drawn = (*shape[:-1], 1) if channels else shape
    ticket = tc.Generator().manual_seed(1).ticket("philox", tc.Size(drawn).numel())
    attributes = {"ticket": ticket, "keep": 0.75, "scale": 1 / 0.75, "shape": drawn}
    made, mask = dropout_by_ticket.emit(x, **attributes)
    wanted, expected = _dropout_by_ticket(x, **attributes)
    np.testing.assert_array_equal(mask.numpy(), expected.numpy())
    np.testing.assert_allclose(made.numpy(), wanted.numpy(), rtol=2e-3 if dtype == "float16" else 1e-15)


def test_dropout_keeps_what_is_no_number():
    x = tc.tensor([float("nan"), float("inf"), -1.0]).repeat(50)
    ticket = tc.Generator().manual_seed(1).ticket("philox", 150)
    made, mask = dropout_by_ticket.emit(x, ticket=ticket, keep=0.5, scale=2.0, shape=(150,))
    np.testing.assert_array_equal(made.numpy(), masked_scale.emit(x, mask, scale=2.0).numpy())
    # A dropped infinity times 0 is NaN, as in PyTorch.
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(made.numpy(), x.numpy() * (mask.numpy() * np.float32(2)))


# ------------------------------------------------------------------ MT19937


@each_stream
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("drawn", [0, 1, 622, 623, 624, 1000])
@pytest.mark.parametrize("count", [0, 1, 2, 311, 624, 1249, 40_000])
def test_words_continue_the_stream_of_the_core(count, drawn, bits, stream):
    ours, theirs = stream(3), MT19937(3)
    assert list(ours.words(drawn)) == list(theirs.words(drawn))
    assert ours.untouched == theirs.untouched
    draw = (lambda each: each.words(count)) if bits == 32 else (lambda each: each.words64(count))
    assert list(draw(ours)) == list(draw(theirs))
    words, used = ours.state
    other = MT19937(0)
    other.state = words, used
    assert list(other.words(700)) == list(ours.words(700)) == list(theirs.words(700))
    assert ours.state == theirs.state


@each_stream
def test_what_was_drawn_is_not_written_again(stream):
    ours = stream(3)
    kept = [ours.words(count) for count in (5, 600, 100, 1, 5000, 3)]
    wanted = [list(each) for each in kept]
    ours.words(100_000)
    assert [list(each) for each in kept] == wanted


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
    monkeypatch.setattr(mt19937, "_fastest", MT19937)
    g = tc.Generator().manual_seed(1)
    alone = draw(g), tc.rand(3, generator=g)
    for a, b in zip(with_library, alone, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_stream_goes_on_by_a_faster_class(monkeypatch):
    monkeypatch.setattr(mt19937, "_fastest", MT19937)
    g, whole = (tc.Generator().manual_seed(1) for _ in range(2))
    first = tc.rand(700, generator=g)
    monkeypatch.undo()
    assert first.tolist() + tc.rand(700, generator=g).tolist() == tc.rand(1400, generator=whole).tolist()


def test_a_large_draw_is_not_untouched():
    g = tc.Generator().manual_seed(1)
    tc.rand(100_000, generator=g)
    other = tc.Generator()
    other.set_state(g.get_state())
    assert tc.rand(9, generator=g).tolist() == tc.rand(9, generator=other).tolist()
