"""One row per family of ops, from one element to ten million, each written once and run with either library."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

#: What is timed: ``setup(library, count)`` returns a function of no arguments.
Setup = Callable[[Any, int], Callable[[], Any]]

SIZES = (1, 1_000, 100_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Family:
    """A family's representative op; ``largest`` limits the elements where PyTorch needs seconds or gigabytes."""

    name: str
    setup: Setup
    largest: int = 10_000_000

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(size for size in SIZES if size <= self.largest)


def _drawn(t: Any, *shape: int) -> Any:
    t.manual_seed(0)
    return t.rand(*shape)


def _of(function: Callable[..., Any], *shapes: Callable[[int], tuple[int, ...]]) -> Setup:
    """``function(library, *tensors)`` of uniform numbers in these shapes (one row of all elements by default)."""

    def setup(t: Any, count: int) -> Callable[[], Any]:
        tensors = [_drawn(t, *shape(count)) for shape in shapes or (_row,)]
        return lambda: function(t, *tensors)

    return setup


def _with(prepare: Callable[[Any, int], tuple[Any, ...]], function: Callable[..., Any]) -> Setup:
    """``function(library, *prepare(library, count))``, of which only the function is timed."""

    def setup(t: Any, count: int) -> Callable[[], Any]:
        prepared = prepare(t, count)
        return lambda: function(t, *prepared)

    return setup


def _row(count: int) -> tuple[int, ...]:
    return (count,)


def _square(count: int) -> tuple[int, ...]:
    side = max(1, math.isqrt(count))
    return (side, side)


def _rows(count: int) -> tuple[int, ...]:
    """Rows of up to 1000 elements."""
    side = min(count, 1000)
    return (max(1, count // side), side)


def _stack(count: int) -> tuple[int, ...]:
    """A stack of 16×16 matrices, or one smaller."""
    return (max(1, count // 256), *_square(min(count, 256)))


def _image(count: int, channels: int = 16) -> tuple[int, ...]:
    """A batch of images of 28×28 and ``channels`` channels, or one smaller."""
    channels = min(channels, count)
    side = min(28, max(1, math.isqrt(count // channels)))
    return (max(1, count // (channels * side * side)), channels, side, side)


def _indices(t: Any, count: int, high: int) -> Any:
    t.manual_seed(1)
    return t.randint(0, high, (count,))


def _definite(t: Any, count: int) -> tuple[Any, ...]:
    x = _drawn(t, *_stack(count))
    return (x @ x.mT + t.eye(x.shape[-1]) * x.shape[-1],)


def _trained(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function and the gradient of its first tensor."""

    def run(t: Any, x: Any, *rest: Any) -> Any:
        return t.autograd.grad(function(t, x, *rest).sum(), x)

    return run


def _grad(shape: Callable[[int], tuple[int, ...]]) -> Callable[[Any, int], tuple[Any, ...]]:
    return lambda t, count: (_drawn(t, *shape(count)).requires_grad_(),)


def _layer(make: Callable[[Any, int], Any], shape: Callable[[int], tuple[int, ...]]) -> Setup:
    """A layer made for the tensor's second side, called without gradients."""

    def setup(t: Any, count: int) -> Callable[[], Any]:
        x = _drawn(t, *shape(count))
        layer = make(t, x.shape[1])

        def run() -> Any:
            with t.no_grad():
                return layer(x)

        return run

    return setup


def _convolution(dims: int, transposed: bool = False) -> Setup:
    def shape(count: int) -> tuple[int, ...]:
        channels = min(8, count)
        side = max(1, min({1: 256, 2: 32, 3: 12}[dims], round((count // channels) ** (1 / dims))))
        return (max(1, count // (channels * side**dims)), channels, *(side,) * dims)

    name = f"Conv{'Transpose' * transposed}{dims}d"
    return _layer(lambda t, channels: getattr(t.nn, name)(channels, 8, 3, padding=1), shape)


def _attention(t: Any, count: int) -> tuple[Any, ...]:
    length = min(64, max(1, count // 32))
    shape = (max(1, count // (length * 32)), length, min(32, count))
    return (_drawn(t, *shape),)


def _targets(t: Any, count: int) -> tuple[Any, ...]:
    rows, side = _rows(count)
    return _drawn(t, rows, side).requires_grad_(), _indices(t, rows, side)


def _complex(t: Any, count: int) -> tuple[Any, ...]:
    return (t.complex(_drawn(t, count), _drawn(t, count)),)


def _recurrent(t: Any, count: int) -> Callable[[], Any]:
    length, width = max(1, min(100, count // 32)), min(32, count)
    x = _drawn(t, length, max(1, count // (length * width)), width)
    layer = t.nn.LSTM(width, 32)

    def run() -> Any:
        with t.no_grad():
            return layer(x)[0]

    return run


def families() -> Iterator[Family]:
    """All families."""
    yield Family("creation: zeros", lambda t, n: lambda: t.zeros(n))
    yield Family("creation: arange", lambda t, n: lambda: t.arange(n))
    yield Family("creation: linspace", lambda t, n: lambda: t.linspace(0, 1, n))
    yield Family("arithmetic: x + x * y", _of(lambda t, x, y: x + x * y, _row, _row))
    yield Family("arithmetic: x % 0.3", _of(lambda t, x: x % 0.3))
    yield Family("arithmetic: x // 0.3", _of(lambda t, x: x // 0.3))
    yield Family("arithmetic: x ** 1.7", _of(lambda t, x: x**1.7))
    yield Family("functions: exp", _of(lambda t, x: x.exp()))
    yield Family("functions: log1p", _of(lambda t, x: x.log1p()))
    yield Family("functions: sin", _of(lambda t, x: x.sin()))
    yield Family("functions: tanh, gradient", _with(_grad(_row), _trained(lambda t, x: x.tanh())))
    yield Family("special: erf", _of(lambda t, x: x.erf()))
    yield Family("special: lgamma", _of(lambda t, x: x.lgamma()))
    yield Family("special: i0", _of(lambda t, x: t.special.i0(x)))
    yield Family("comparison: x > y", _of(lambda t, x, y: x > y, _row, _row))
    yield Family("choice: where", _of(lambda t, x, y: t.where(x > 0.5, x, y), _row, _row))
    yield Family("choice: clamp", _of(lambda t, x: x.clamp(0.2, 0.8)))
    yield Family("bits: x & y", _with(lambda t, n: (_indices(t, n, 1000), _indices(t, n, 999)), lambda t, x, y: x & y))
    yield Family("complex: z * z.conj()", _with(_complex, lambda t, z: z * z.conj()))
    yield Family("conversion: to float16", _of(lambda t, x: x.half()))
    yield Family("conversion: to int64", _of(lambda t, x: (x * 9).long()))
    yield Family("reduction: sum", _of(lambda t, x: x.sum()))
    yield Family("reduction: mean of columns", _of(lambda t, x: x.mean(0), _rows))
    yield Family("reduction: max of rows", _of(lambda t, x: x.max(-1), _rows))
    yield Family("reduction: prod of rows", _of(lambda t, x: x.prod(-1), _rows))
    yield Family("reduction: std", _of(lambda t, x: x.std()))
    yield Family("reduction: logsumexp of rows", _of(lambda t, x: x.logsumexp(-1), _rows))
    yield Family("reduction: argmax of rows", _of(lambda t, x: x.argmax(-1), _rows))
    yield Family("reduction: norm", _of(lambda t, x: x.norm()))
    yield Family("cumulative: cumsum", _of(lambda t, x: x.cumsum(-1), _rows))
    yield Family("sorting: sort", _of(lambda t, x: x.sort(), _rows))
    yield Family("sorting: topk", _of(lambda t, x: x.topk(min(5, x.shape[-1])), _rows))
    yield Family("sorting: median of rows", _of(lambda t, x: x.median(-1), _rows))
    yield Family(
        "searching: searchsorted",
        _with(lambda t, n: (t.linspace(0, 1, 1000), _drawn(t, n)), lambda t, x, y: t.searchsorted(x, y)),
    )
    yield Family("searching: unique", _with(lambda t, n: (_indices(t, n, 1000),), lambda t, x: x.unique()), 1_000_000)
    yield Family("searching: nonzero", _of(lambda t, x: (x > 0.5).nonzero()))
    yield Family("searching: bincount", _with(lambda t, n: (_indices(t, n, 1000),), lambda t, x: x.bincount()))
    yield Family("searching: histc", _of(lambda t, x: x.histc(64)))
    yield Family("shape: transpose and copy", _of(lambda t, x: x.mT.contiguous(), _square))
    yield Family("shape: view and select", _of(lambda t, x: x.view(-1)[None, :, None], _row))
    yield Family("shape: cat", _of(lambda t, x, y: t.cat((x, y)), _row, _row))
    yield Family("shape: stack", _of(lambda t, x, y: t.stack((x, y), -1), _row, _row))
    yield Family("shape: roll", _of(lambda t, x: x.roll(3)))
    yield Family("shape: flip", _of(lambda t, x: x.flip(0)))
    yield Family("shape: repeat", _of(lambda t, x: x.repeat(3)))
    yield Family(
        "shape: pad, reflect", _of(lambda t, x: t.nn.functional.pad(x, (x.shape[-1] // 2,) * 2, mode="reflect"), _rows)
    )
    yield Family("shape: tril", _of(lambda t, x: x.tril(), _square))
    yield Family("shape: unfold", _of(lambda t, x: t.nn.functional.unfold(x, 3, padding=1), _image), 1_000_000)
    yield Family("indexing: x[indices]", _with(lambda t, n: (_drawn(t, n), _indices(t, n, n)), lambda t, x, i: x[i]))
    yield Family("indexing: x[mask]", _of(lambda t, x: x[x > 0.5]))
    yield Family(
        "indexing: gather",
        _with(
            lambda t, n: (_drawn(t, *_rows(n)), _indices(t, n, min(n, 1000)).view(_rows(n))),
            lambda t, x, i: x.gather(-1, i),
        ),
    )
    yield Family(
        "indexing: index_add",
        _with(
            lambda t, n: (_drawn(t, min(n, 1000)), _indices(t, n, min(n, 1000)), _drawn(t, n)),
            lambda t, x, i, y: x.index_add(0, i, y),
        ),
    )
    yield Family(
        "indexing: scatter_add",
        _with(
            lambda t, n: (_drawn(t, *_rows(n)), _indices(t, n, min(n, 1000)).view(_rows(n)), _drawn(t, *_rows(n))),
            lambda t, x, i, y: x.scatter_add(-1, i, y),
        ),
    )
    yield Family(
        "indexing: one_hot",
        _with(lambda t, n: (_indices(t, max(1, n // 100), min(n, 100)),), lambda t, i: t.nn.functional.one_hot(i, 100)),
    )
    yield Family("products: matmul", _of(lambda t, x, y: x @ y, _square, _square))
    yield Family("products: bmm", _of(lambda t, x: x @ x, _stack))
    yield Family("products: einsum", _of(lambda t, x: t.einsum("bij,bkj->bik", x, x), _stack))
    yield Family("linalg: solve", _with(_definite, lambda t, a: t.linalg.solve(a, a)), 1_000_000)
    yield Family("linalg: cholesky", _with(_definite, lambda t, a: t.linalg.cholesky(a)), 1_000_000)
    yield Family("linalg: qr", _with(_definite, lambda t, a: t.linalg.qr(a)), 1_000_000)
    yield Family("linalg: svd", _with(_definite, lambda t, a: t.linalg.svd(a)), 100_000)
    yield Family("linalg: eigh", _with(_definite, lambda t, a: t.linalg.eigh(a)), 100_000)
    yield Family("linalg: det", _with(_definite, lambda t, a: t.linalg.det(a)), 1_000_000)
    yield Family("fft: rfft", _of(lambda t, x: t.fft.rfft(x), _rows))
    yield Family("fft: fft2", _of(lambda t, x: t.fft.fft2(x), _stack))
    for dims in (1, 2, 3):
        yield Family(f"convolution: {dims}d", _convolution(dims))
    yield Family("convolution: transposed 2d", _convolution(2, transposed=True))
    yield Family("pooling: max 2d", _of(lambda t, x: t.nn.functional.max_pool2d(x, min(2, x.shape[-1])), _image))
    yield Family("pooling: average 2d", _of(lambda t, x: t.nn.functional.avg_pool2d(x, min(2, x.shape[-1])), _image))
    yield Family("pooling: adaptive to 1", _of(lambda t, x: t.nn.functional.adaptive_avg_pool2d(x, 1), _image))
    yield Family(
        "resizing: bilinear",
        _of(lambda t, x: t.nn.functional.interpolate(x, scale_factor=2, mode="bilinear"), _image),
        1_000_000,
    )
    yield Family("activation: relu, gradient", _with(_grad(_row), _trained(lambda t, x: t.relu(x))))
    yield Family("activation: gelu, gradient", _with(_grad(_row), _trained(lambda t, x: t.nn.functional.gelu(x))))
    yield Family("softmax of rows", _of(lambda t, x: t.softmax(x, -1), _rows))
    yield Family("normalization: layer", _of(lambda t, x: t.nn.functional.layer_norm(x, x.shape[-1:]), _rows))
    yield Family("normalization: batch 2d", _layer(lambda t, c: t.nn.BatchNorm2d(c).eval(), _image))
    yield Family(
        "attention", _with(_attention, lambda t, x: t.nn.functional.scaled_dot_product_attention(x, x, x)), 1_000_000
    )
    yield Family(
        "loss: cross entropy, gradient", _with(_targets, _trained(lambda t, x, y: t.nn.functional.cross_entropy(x, y)))
    )
    yield Family("loss: mse", _of(lambda t, x, y: t.nn.functional.mse_loss(x, y), _row, _row))
    yield Family("recurrent: LSTM", _recurrent, 1_000_000)
    yield Family(
        "embedding",
        _with(
            lambda t, n: (_indices(t, max(1, n // 64), 1000), _drawn(t, 1000, 64)),
            lambda t, i, w: t.nn.functional.embedding(i, w),
        ),
    )
    yield Family("random: rand", lambda t, n: lambda: t.rand(n))
    yield Family("random: randn", lambda t, n: lambda: t.randn(n))
    yield Family("random: randint", lambda t, n: lambda: t.randint(0, 10, (n,)))
    yield Family("random: randperm", lambda t, n: lambda: t.randperm(n), 1_000_000)
    yield Family("random: dropout", _of(lambda t, x: t.nn.functional.dropout(x, 0.1)))
    yield Family(
        "random: multinomial", _with(lambda t, n: (_drawn(t, *_rows(n)),), lambda t, x: t.multinomial(x, 1)), 1_000_000
    )
