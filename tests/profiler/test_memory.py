"""The memory ledger: what is noted, what is forgotten, and what errors say."""

from __future__ import annotations

import gc
import re

import pytest

import tensorcore as tc
from tensorcore.memory import largest_tensors
from tensorcore.memory import ledger as open_ledger


def test_results_are_noted_with_their_line_and_forgotten():
    x = tc.ones(100, 10)
    with open_ledger() as ledger:
        y = x.exp()
        (entry,) = ledger.entries()
        assert entry[:5] == (4000, (100, 10), "float32", "cpu", "exp")
        assert re.fullmatch(r".*test_memory\.py:\d+", entry.line)
        assert (ledger.live, ledger.peak, ledger.made) == (4000, 4000, 1)
        del y
        assert (ledger.live, ledger.peak, ledger.made) == (0, 4000, 1)
    x.exp()
    assert ledger.made == 1, "closed"


def test_views_and_in_place_ops_take_nothing():
    with open_ledger() as ledger:
        x = tc.zeros(10, 10)
        x[2:].t().reshape(-1)[3:]
        view = x[1:]
        x.add_(1)
        del x
        assert [entry.op for entry in ledger.entries()] == ["full"] and ledger.live == 400
        del view
    assert ledger.live == 0


def test_what_backward_keeps_is_seen():
    x = tc.ones(1000, requires_grad=True)
    with open_ledger() as ledger:
        y = x.exp().sum()
        assert ledger.live == 4004
        y.backward()
        assert ledger.live == 4 + 4000, "the gradient in place of what was kept"
        x.grad = None
    assert sorted(entry.bytes for entry in ledger.entries()) == [4]


def test_several_results_and_threads():
    with open_ledger() as ledger:
        values, places = tc.ones(8).sort()
        assert sorted(entry.dtype for entry in ledger.entries() if entry.op == "sort") == ["float32", "int64"]
    assert values.shape == places.shape


def test_the_largest_include_what_was_there_before():
    gc.collect()
    big = tc.zeros(1 << 19)
    with open_ledger() as ledger:
        noted = tc.zeros(1 << 18)
        first, second = ledger.largest(2)
    assert first.bytes == big.nbytes and first.op == "" and second.bytes == noted.nbytes and second.op == "full"
    assert largest_tensors(1)[0].bytes == big.nbytes
    x = tc.tensor([float(i) for i in range(3)])
    assert any(entry.shape == (3,) for entry in largest_tensors(100_000)) and x.shape == (3,)


def test_by_line_and_table():
    with open_ledger() as ledger:
        kept = [tc.zeros(100) for _ in range(3)]
        other = tc.zeros(1000)
    (largest, size, count), (_, second, three) = ledger.by_line()
    assert (size, count, second, three) == (4000, 1, 1200, 3) and "test_memory.py" in largest
    text = ledger.table(2)
    assert text.splitlines()[-1] == "live 5.08 KB, peak 5.08 KB, 4 made since the ledger was opened"
    assert str(ledger).count("full") >= 1 and len(kept) == 3 and other.numel() == 1000


def test_errors_for_want_of_memory_say_what_is_there():
    big = tc.zeros(1 << 19)
    with pytest.raises(tc.OutOfMemoryError, match=r"(?s)largest tensors alive:.*2\.00 MB.*tensorcore\.memory\.ledger"):
        tc.ones(5, 10**14)
    with open_ledger(), pytest.raises(tc.OutOfMemoryError) as caught:
        held = tc.zeros(1 << 19)
        tc.ones(5, 10**14)
    assert re.search(r"2\.00 MB: \[524288\] float32 on cpu by full at .*test_memory\.py:\d+", str(caught.value))
    assert "ledger()" not in str(caught.value) and held.nbytes == big.nbytes


@pytest.mark.parametrize("device", ["reference", "torch", "jax"])
def test_every_device(device):
    try:
        x = tc.ones(64, device=device)
    except RuntimeError:
        pytest.skip(f"no {device}")
    with open_ledger() as ledger:
        y = x.exp()
        assert [(entry.bytes, entry.device) for entry in ledger.entries() if entry.op == "exp"] == [(256, device)]
        del y
        assert not [entry for entry in ledger.entries() if entry.op == "exp"]


def test_ledgers_nest_but_each_opens_once():
    with open_ledger() as outer, open_ledger() as inner:
        x = tc.ones(3)
        with pytest.raises(RuntimeError, match="open already"), outer:
            pass
    assert outer.live == inner.live == x.nbytes


def test_compiled_functions_are_not_held():
    f = tc.compile(lambda x: (x * 2).exp())
    with open_ledger() as ledger:
        for _ in range(5):
            f(tc.ones(100))
        gc.collect()
        held = ledger.live
        for _ in range(5):
            f(tc.ones(100))
        assert ledger.live == held
