"""What a node of the autograd graph costs: long, wide and deep graphs of small ops, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks.cases import Case

#: The largest ratio to PyTorch's time.
GATE = 0.8


def _chain(t: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    x = t.rand(8, 8, requires_grad=True)

    def run() -> None:
        y = x
        for _ in range(250):
            y = ((y * 0.9).sin() + x).tanh()
        y.sum().backward()
        x.grad = None

    return run


def _wide(t: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    x = t.rand(8, 8, requires_grad=True)

    def run() -> None:
        sum([x * (0.001 * i) for i in range(1000)]).sum().backward()
        x.grad = None

    return run


def _stacked(t: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    x = t.rand(8, 8, requires_grad=True)

    def run() -> None:
        t.stack([x.exp() for _ in range(1000)]).sum().backward()
        x.grad = None

    return run


def _deep(t: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    model = t.nn.Sequential(*[part for _ in range(50) for part in (t.nn.Linear(16, 16), t.nn.ReLU())])
    x = t.rand(4, 16)

    def run() -> None:
        model(x).sum().backward()
        for parameter in model.parameters():
            parameter.grad = None

    return run


def _recurrent(t: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    w, u = (t.rand(8, 16) - 0.5).requires_grad_(), (t.rand(16, 16) - 0.5).requires_grad_()
    b = t.zeros(16, requires_grad=True)
    steps = t.rand(200, 4, 8)

    def run() -> None:
        h = t.zeros(4, 16)
        for x in steps:
            h = t.tanh(x @ w + h @ u + b)
        h.sum().backward()
        w.grad = u.grad = b.grad = None

    return run


def cases() -> Iterator[Case]:
    """All cases."""
    yield Case("chain of 1,000 ops", _chain, GATE)
    yield Case("1,000 branches, added", _wide, GATE)
    yield Case("1,000 branches, stacked", _stacked, GATE)
    yield Case("MLP of 50 layers of 16, batch 4", _deep, GATE)
    yield Case("recurrent cell, 200 steps", _recurrent, GATE)
