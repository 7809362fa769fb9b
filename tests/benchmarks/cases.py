"""The cases, each written once and run with either library: what a case uses is spelled alike in both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """``make(library)`` returns what is timed; ``gate`` is the largest ratio allowed."""

    name: str
    make: Callable[[Any], Callable[[], Any]]
    gate: float | None = None


def _inputs(t: Any, *shape: int, grad: bool = False) -> tuple[Any, Any]:
    t.manual_seed(0)
    x, y = t.rand(*shape), t.rand(*shape)
    return x.requires_grad_(grad), y.requires_grad_(grad)


def _add(t: Any) -> Callable[[], Any]:
    x, y = _inputs(t, 32, 32)
    return lambda: x + y


def _expression(t: Any) -> Callable[[], Any]:
    x, y = _inputs(t, 32, 32, grad=True)
    return lambda: (x * y + y).sum().backward()


def _scale(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 32, 32)
    return lambda: x * 2.0


def _in_place(t: Any) -> Callable[[], Any]:
    x, y = _inputs(t, 32, 32)
    return lambda: x.add_(y)


def _chain(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 32, 32, grad=True)

    def run() -> None:
        y = x
        for _ in range(100):
            y = y * 1.01
        y.sum().backward()

    return run


def _slices(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 32, 32)
    return lambda: x[3:9, 1]


def _reshape(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 32, 32)
    return lambda: x.view(16, 64).transpose(0, 1)


def _unary(name: str, *shape: int) -> Callable[[Any], Callable[[], Any]]:
    def make(t: Any) -> Callable[[], Any]:
        x, _ = _inputs(t, *shape)
        return lambda: getattr(x, name)()

    return make


def _matmul(side: int) -> Callable[[Any], Callable[[], Any]]:
    def make(t: Any) -> Callable[[], Any]:
        x, y = _inputs(t, side, side)
        return lambda: x @ y

    return make


def _softmax(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 256, 1000)
    return lambda: t.softmax(x, -1)


def _cross_entropy(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 256, 1000, grad=True)
    target = t.arange(256)
    loss = t.nn.CrossEntropyLoss()
    return lambda: loss(x, target).backward()


def classifier(t: Any) -> Any:
    """The image classifier of the quickstart, at PyTorch's initial weights for seed 0."""
    t.manual_seed(0)
    return t.nn.Sequential(
        t.nn.Flatten(), t.nn.Linear(784, 512), t.nn.ReLU(), t.nn.Linear(512, 512), t.nn.ReLU(), t.nn.Linear(512, 10)
    )


def _step(optimizer: str, **options: Any) -> Callable[[Any], Callable[[], Any]]:
    def make(t: Any) -> Callable[[], Any]:
        model = classifier(t)
        loss_of = t.nn.CrossEntropyLoss()
        update = getattr(t.optim, optimizer)(model.parameters(), **options)
        x, y = t.rand(64, 1, 28, 28), t.randint(0, 10, (64,))

        def run() -> Any:
            update.zero_grad()
            loss = loss_of(model(x), y)
            loss.backward()
            update.step()
            return loss

        return run

    return make


def _compiled_step(t: Any) -> Callable[[], Any]:
    run = _step("SGD", lr=0.01)(t)
    # PyTorch's own compiler needs a C++ toolchain; the row shows what replaying gains over PyTorch as people run it.
    return t.compile(run) if t.__name__ == "tensorcore" else run


def _large_expression(t: Any) -> Callable[[], Any]:
    x, y = _inputs(t, 1000, 1000)
    return lambda: x * y + y


def _function(name: str, *args: Any, **options: Any) -> Callable[[Any], Callable[[], Any]]:
    def make(t: Any) -> Callable[[], Any]:
        x, _ = _inputs(t, 256, 1000)
        function = getattr(t.nn.functional, name)
        return lambda: function(x, *args, **options)

    return make


def _method(name: str, *args: Any) -> Callable[[Any], Callable[[], Any]]:
    def make(t: Any) -> Callable[[], Any]:
        x, _ = _inputs(t, 256, 1000)
        return lambda: getattr(x, name)(*args)

    return make


def _where(t: Any) -> Callable[[], Any]:
    x, y = _inputs(t, 256, 1000)
    condition = x < y
    return lambda: t.where(condition, x, y)


def _gelu_backward(t: Any) -> Callable[[], Any]:
    x, _ = _inputs(t, 256, 1000, grad=True)
    return lambda: t.nn.functional.gelu(x).sum().backward()


def _draw(name: str) -> Callable[[Any], Callable[[], Any]]:
    def make(t: Any) -> Callable[[], Any]:
        return lambda: getattr(t, name)(1000, 1000)

    return make


def _conv(t: Any) -> Callable[[], Any]:
    t.manual_seed(0)
    layer = t.nn.Conv2d(16, 32, 3, padding=1)
    x = t.rand(8, 16, 28, 28)
    return lambda: layer(x)


def cases() -> Iterator[Case]:
    """All cases, the gated ones first."""
    yield Case("x + y, 32×32", _add, gate=0.8)
    yield Case("(x*y + y).sum().backward(), 32×32", _expression, gate=0.8)
    yield Case("classifier step, SGD, batch 64", _step("SGD", lr=0.01), gate=1.0)
    yield Case("classifier step, Adam, batch 64", _step("Adam"))
    yield Case("classifier step, SGD, tc.compile", _compiled_step)
    yield Case("x * 2.0, 32×32", _scale)
    yield Case("x.add_(y), 32×32", _in_place)
    yield Case("chain of 100 muls and backward", _chain)
    yield Case("x[3:9, 1]", _slices)
    yield Case("x.view(16, 64).transpose(0, 1)", _reshape)
    yield Case("x.sum(), 32×32", _unary("sum", 32, 32))
    yield Case("x.exp(), 1 M", _unary("exp", 1000, 1000))
    yield Case("x.tanh(), 1 M", _unary("tanh", 1000, 1000))
    yield Case("x.relu(), 1 M", _unary("relu", 1000, 1000))
    yield Case("x.sum(), 1 M", _unary("sum", 1000, 1000))
    yield Case("x * y + y, 1 M", _large_expression)
    yield Case("rand, 1 M", _draw("rand"))
    yield Case("randn, 1 M", _draw("randn"))
    yield Case("x @ y, 256×256", _matmul(256))
    yield Case("x @ y, 1024×1024", _matmul(1024))
    yield Case("softmax, 256×1000", _softmax)
    yield Case("layer norm, 256×1000", _function("layer_norm", (1000,)))
    yield Case("clamp, 256×1000", _method("clamp", 0.2, 0.8))
    yield Case("topk, 256×1000", _method("topk", 5))
    yield Case("where, 256×1000", _where)
    yield Case("gelu, 256×1000", _function("gelu"))
    yield Case("gelu and backward, 256×1000", _gelu_backward)
    yield Case("dropout, 256×1000", _function("dropout", 0.1))
    yield Case("cross entropy and backward, 256×1000", _cross_entropy)
    yield Case("conv 3×3, 8×16×28×28 to 32", _conv)
