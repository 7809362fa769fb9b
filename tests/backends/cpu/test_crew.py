"""Work shared by threads: what one gives, all give; errors, interrupts and forks."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore_cpu import crew

SHARED = {
    "gelu": lambda x: F.gelu(x),
    "silu, with a cotangent": lambda x: tc.func.grad(lambda y: F.silu(y).sum())(x),
    "softmax": lambda x: x.softmax(-1),
    "log_softmax, with a cotangent": lambda x: tc.func.grad(lambda y: (y.log_softmax(-1) * y).sum())(x),
    "layer_norm": lambda x: F.layer_norm(x, x.shape[-1:], x[0], x[1]),
    "layer_norm, with a cotangent": lambda x: tc.func.grad(lambda y: F.layer_norm(y, y.shape[-1:]).square().sum())(x),
    "conv2d": lambda x: F.conv2d(x.view(7, 3, 107, 41), x[:2, :54].reshape(4, 3, 3, 3), padding=1),
}


@pytest.fixture
def eager(monkeypatch):
    """Three threads, and nothing too small for them."""
    monkeypatch.setattr(crew, "SHARED", 2)
    monkeypatch.setattr(crew, "WIDE", 0)
    monkeypatch.setattr(crew, "get_num_threads", lambda: 3)


@pytest.mark.parametrize("dtype", [tc.float32, tc.float64])
@pytest.mark.parametrize("name", SHARED)
def test_threads_give_what_one_gives(name, dtype, request):
    x = tc.randn(287, 321, dtype=dtype, generator=tc.Generator().manual_seed(0))
    alone = SHARED[name](x)
    request.getfixturevalue("eager")
    assert tc.equal(SHARED[name](x), alone)


def test_an_error_in_a_thread_reaches_the_caller():
    def fail():
        raise ValueError("met")

    ended = []
    with pytest.raises(ValueError, match="met"):
        crew.share([lambda: ended.append(1), fail, lambda: ended.append(2)])
    assert sorted(ended) == [1, 2]


def test_an_interrupt_waits_for_the_others():
    """What a thread still writes to must not be given back; and the next call must not take its end for its own."""
    ended = []

    def slow():
        time.sleep(0.2)
        ended.append(1)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew.share([interrupted, slow])
    assert ended == [1]
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        crew.share([lambda: None, slow])
    assert ended == [1, 1]
    crew.share([lambda: None, slow])
    assert ended == [1, 1, 1]


def test_who_comes_while_the_threads_are_taken_works_alone():
    met = []

    def inside():
        crew.share([lambda: met.append(threading.get_ident())] * 2)

    crew.share([inside, lambda: None])
    assert met == [threading.get_ident()] * 2


@pytest.mark.parametrize(("side", "step"), [(1, 1), (7, 1), (100, 64), (1000, 64), (64, 64)])
def test_parts_make_the_whole(side, step, eager):
    parts = crew.split(side, 1 << 30, step)
    assert [part.start for part in parts] == [0, *[part.stop for part in parts[:-1]]]
    assert parts[-1].stop == side
    assert len(parts) <= 3
    assert not any(part.start % step for part in parts)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_has_threads_of_its_own():
    crew.share([lambda: None] * 3)
    child = os.fork()
    if not child:
        met = []
        crew.share([lambda: met.append(1)] * 3)
        os._exit(0 if len(met) == 3 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
