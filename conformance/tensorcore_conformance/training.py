"""Whole programs: training curves against the same training written in NumPy, and steps recorded and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorcore as tc
from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore_conformance.arrays import from_numpy, native, to_numpy
from tensorcore_conformance.checks import Check, area_check
from tensorcore_conformance.forward import ConformanceError
from tensorcore_conformance.limits import Limits

__all__ = ["compile_area", "training_area"]

#: Steps of the compiled training, which is compared with eager execution.
_FEW = 12
#: How far a loss may be from float64's, relative and absolute, by dtype. The training is smooth and settles, so that
#: errors do not grow; on NumPy's float32 the largest is a tenth of this.
_BUDGETS = {"float32": 2e-5, "float64": 1e-12}
RATE, MOMENTUM = 0.1, 0.9


def _data() -> tuple[Any, Any]:
    """Points in the plane in three classes, and one-hot targets."""
    rng = np.random.default_rng(3)
    label = rng.integers(0, 3, 30)
    angle = label * 2.0 + rng.uniform(0, 0.8, 30)
    return np.stack([np.cos(angle), np.sin(angle)], 1), np.eye(3)[label]


def _start() -> list[Any]:
    rng = np.random.default_rng(4)
    # What float32 holds exactly, so that every dtype starts at the same place.
    return [
        rng.uniform(-0.7, 0.7, shape).astype(np.float32).astype(np.float64) for shape in ((2, 8), (8,), (8, 3), (3,))
    ]


def _numpy_curve(steps: int) -> tuple[list[float], list[Any]]:
    """The losses and last parameters in float64, with gradients written by hand."""
    points, targets = (x.astype(np.float32).astype(np.float64) for x in _data())
    parameters = _start()
    velocity = [np.zeros_like(p) for p in parameters]
    losses = []
    for _ in range(steps):
        first, bias, second, last = parameters
        hidden = np.tanh(points @ first + bias)
        scores = hidden @ second + last
        shifted = scores - scores.max(1, keepdims=True)
        exponents = np.exp(shifted)
        totals = exponents.sum(1, keepdims=True)
        losses.append(float((np.log(totals[:, 0]) - (shifted * targets).sum(1)).mean()))
        by_scores = (exponents / totals - targets) / len(points)
        by_hidden = (by_scores @ second.T) * (1 - hidden * hidden)
        found = [points.T @ by_hidden, by_hidden.sum(0), hidden.T @ by_scores, by_scores.sum(0)]
        velocity = [MOMENTUM * v + g for v, g in zip(velocity, found, strict=True)]
        parameters = [p - RATE * v for p, v in zip(parameters, velocity, strict=True)]
    return losses, parameters


def _loss(parameters: list[Any], points: Any, targets: Any) -> Any:
    first, bias, second, last = parameters
    scores = (points @ first + bias).tanh() @ second + last
    shifted = scores - scores.detach().amax(1, keepdim=True)
    return (shifted.exp().sum(1).log() - (shifted * targets).sum(1)).sum() / points.shape[0]


def _stepper(parameters: list[Any], velocity: list[Any]) -> Callable[[Any, Any], Any]:
    def step(points: Any, targets: Any) -> Any:
        loss = _loss(parameters, points, targets)
        gradients = tc.autograd.grad(loss, parameters)
        with tc.no_grad():
            for p, v, g in zip(parameters, velocity, gradients, strict=True):
                v.mul_(MOMENTUM).add_(g)
                p.sub_(v * RATE)
        return loss.detach()

    return step


def _curve(device: str, dtype: str, steps: int, compiled: bool = False) -> tuple[list[float], list[Any]]:
    parameters = [from_numpy(x.astype(native(dtype)), device).requires_grad_() for x in _start()]
    step = _stepper(parameters, [tc.zeros_like(p) for p in parameters])
    run = tc.compile(step, fullgraph=True) if compiled else step
    points, targets = (from_numpy(x.astype(np.float32).astype(native(dtype)), device) for x in _data())
    losses = [float(run(points, targets).item()) for _ in range(steps)]
    return losses, [to_numpy(p) for p in parameters]


def _module_curve(device: str, steps: int) -> list[float]:
    """The same training by ``nn``, ``optim`` and ``backward``."""
    import tensorcore.nn.functional as F  # the custom
    from tensorcore import nn, optim

    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 3)).to(device)
    with tc.no_grad():
        for p, x in zip(model.parameters(), (x.T if x.ndim == 2 else x for x in _start()), strict=False):
            p.copy_(from_numpy(np.ascontiguousarray(x).astype(np.float32), device))
    optimizer = optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    points, targets = _data()
    x = from_numpy(points.astype(np.float32), device)
    labels = from_numpy(targets.argmax(1).astype(np.int64), device)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.item()))
    return losses


# ------------------------------------------------------------------ areas


def compile_area(device: str, limits: Limits) -> Iterator[Check]:
    """``tc.compile`` gives what eager execution gives."""
    for name, run in (
        ("function", _compiled_function),
        ("outputs", _compiled_outputs),
        ("shapes", _compiled_shapes),
        ("training step", _compiled_training),
        ("numbers", _compiled_numbers),
        ("special", _compiled_special),
        ("kept", _compiled_kept),
        ("draws", _compiled_draws),
    ):
        yield area_check(device, "compile", name, "float32", partial(run, device))


def _compiled_function(device: str) -> None:
    def f(x: Any, y: Any) -> Any:
        return (x * 2 + y.exp()).sum(0), x.reshape(-1)[1:]

    fast = tc.compile(f, fullgraph=True)
    for turn in range(4):
        x, y = (_random(device, turn * 2 + i, (3, 4)) for i in range(2))
        for got, wanted in zip(fast(x, y), f(x, y), strict=True):
            _close(f"call {turn} of a compiled function", to_numpy(got), to_numpy(wanted))


def _compiled_outputs(device: str) -> None:
    """Operands and outputs of one shape, which a program must not take for each other, and an operand passed on."""

    def f(x: Any, y: Any) -> Any:
        total = x - y
        return total, y - x, total * y, x, total.exp()

    fast = tc.compile(f)
    for turn in range(3):
        x, y = (_random(device, turn * 2 + i, (3, 4)) for i in range(2))
        for place, (got, wanted) in enumerate(zip(fast(x, y), f(x, y), strict=True)):
            _close(f"output {place} of call {turn} of a compiled function", to_numpy(got), to_numpy(wanted))


def _random(device: str, seed: int, shape: tuple[int, ...]) -> Any:
    return from_numpy(np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32), device)


def _compiled_shapes(device: str) -> None:
    """A program is of the shapes and layouts it was recorded with; other ones are recorded anew."""

    def f(x: Any) -> Any:
        return (x * x + 1).sum(-1).sqrt()

    fast = tc.compile(f)
    for turn, shape in enumerate(((3, 4), (4, 3), (1, 4), (0, 4), (3, 4), (4,), (2, 3, 4), (3, 4))):
        x = _random(device, turn, shape)
        for label, y in (("", x), ("transposed ", x.transpose(0, -1) if len(shape) > 1 else x)):
            what = f"{label}shape {list(shape)} in a compiled function"
            _close(what, to_numpy(fast(y)), to_numpy(f(y)))


def _compiled_numbers(device: str) -> None:
    """Numbers, as tensors without dimensions and as Python's, are operands, not constants; whole ones stay exact."""

    def f(x: Any, scale: Any, shift: Any, n: Any) -> Any:
        return x * scale + shift, n * 2 + 1, x.sum() * scale

    fast = tc.compile(f)
    for turn in range(9):
        x, n = _random(device, turn, (3, 4)), from_numpy(np.arange(5) + 2**40 + turn, device)
        scale = from_numpy(np.array(1.5 + turn, np.float32), device)
        given = (x, scale, (0.25, -3.0)[turn // 5], n)
        for place, (got, wanted) in enumerate(zip(fast(*given), f(*given), strict=True)):
            if got.dtype is not wanted.dtype:
                raise ConformanceError(f"output {place} of call {turn}: expected {wanted.dtype}, got {got.dtype}")
            compare = np.array_equal if place == 1 else np.allclose
            if not compare(to_numpy(got), to_numpy(wanted)):
                raise ConformanceError(
                    f"output {place} of call {turn} of a compiled function of numbers: expected {wanted.tolist()}, "
                    f"got {got.tolist()}"
                )


def _compiled_special(device: str) -> None:
    """NaN, infinities, signed zeros and the largest numbers are what they are in eager execution."""

    def f(x: Any) -> Any:
        return x * 1, x + x, x.exp(), x.maximum(-x), tc.where(x > 0, x, x * 0), (x / x).abs()

    fast = tc.compile(f)
    array: Any = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 3e38, -1e-30, 100.0], np.float32)
    for _ in range(3):
        x = from_numpy(array, device)
        for place, (got, wanted) in enumerate(zip(fast(x), f(x), strict=True)):
            a, b = to_numpy(got), to_numpy(wanted)
            zeros = (a == 0) & (b == 0) & (np.signbit(a) != np.signbit(b)) & (place < 2)
            if not np.allclose(a, b, rtol=3e-6, equal_nan=True) or zeros.any():
                raise ConformanceError(
                    f"output {place} of a compiled function of {array.tolist()}: expected {b.tolist()}, "
                    f"got {a.tolist()}"
                )


def _compiled_kept(device: str) -> None:
    """Results stay as they are when the program is called again, and so do its operands."""
    fast = tc.compile(lambda x, y: (x + y, x.exp(), (x * y).sum(0)))
    kept: list[tuple[Any, Any]] = []
    for turn in range(5):
        x, y = _random(device, turn, (3, 4)), _random(device, turn + 9, (3, 4))
        given = [to_numpy(x), to_numpy(y)]
        found = list(fast(x, y))
        kept += [(z, to_numpy(z)) for z in found]
        for z, before in (*zip((x, y), given, strict=True), *kept):
            if to_numpy(z).tobytes() != before.tobytes():
                raise ConformanceError(
                    f"call {turn} of a compiled function changed an operand or an earlier result: it was "
                    f"{before.tolist()} and is {to_numpy(z).tolist()}"
                )


def _compiled_draws(device: str) -> None:
    """A compiled function draws anew at each call, what eager execution draws."""

    def f(x: Any) -> Any:
        return x + tc.rand(5, device=device), tc.nn.functional.dropout(x, 0.5), tc.randn(20, device=device)

    drawn = []
    for run in (f, tc.compile(f)):
        tc.manual_seed(77)
        drawn.append([[to_numpy(y) for y in run(_random(device, 1, (5,)))] for _ in range(4)])
    for turn, (wanted, found) in enumerate(zip(*drawn, strict=True)):
        for place, (a, b) in enumerate(zip(wanted, found, strict=True)):
            _close(f"draw {place} of call {turn} of a compiled function", b, a)


def _close(what: str, got: Any, wanted: Any) -> None:
    # Fused kernels may round less often.
    if np.shape(got) != np.shape(wanted) or not np.allclose(got, wanted, rtol=3e-5, atol=3e-6):
        raise ConformanceError(f"{what}: expected {np.asarray(wanted).tolist()}, got {np.asarray(got).tolist()}")


def _compiled_training(device: str) -> None:
    losses, parameters = _curve(device, "float32", _FEW, True)
    eager, others = _curve(device, "float32", _FEW)
    _close(f"losses of {_FEW} compiled training steps, eager ones expected", losses, eager)
    for got, wanted in zip(parameters, others, strict=True):
        _close(f"parameters after {_FEW} compiled training steps", got, wanted)


def training_area(device: str, limits: Limits) -> Iterator[Check]:
    """Trainings of `Limits.steps` steps, whose losses must be those of the same training in NumPy and float64."""
    able = Device(device).capabilities.dtypes
    for dtype in _BUDGETS:
        if dtypes.by_name(dtype) in able:
            run = partial(_same_curve, device, dtype, limits.steps)
            yield area_check(device, "training", f"classifier/{dtype}", dtype, run)
    yield area_check(device, "training", "modules/float32", "float32", partial(_same_modules, device, limits.steps))
    for name in _OPTIMIZERS:
        run = partial(_same_updates, device, name, min(limits.steps, _UPDATES))
        yield area_check(device, "training", f"updates/{name}", "float32", run)


#: Shapes of parameters: many, of which some have one element, some share a shape.
_SHAPES = ((3, 4), (1,), (), (5,), (3, 4), (2, 2, 2), (1, 1), (6,), (2, 5))
#: Steps of the updates: more than seven bits count.
_UPDATES = 130


def _momentum(p: Any, g: Any, state: dict[str, Any], step: int, rate: float) -> Any:
    state["v"] = 0.9 * state.get("v", 0) + (g if step == 1 else 0.8 * g)
    return p - rate * state["v"]


def _nesterov(p: Any, g: Any, state: dict[str, Any], step: int, rate: float) -> Any:
    state["v"] = 0.9 * state.get("v", 0) + g
    return p - rate * (g + 0.9 * state["v"])


def _adam(p: Any, g: Any, state: dict[str, Any], step: int, rate: float) -> Any:
    # Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["v"] = 0.99 * state.get("v", 0) + 0.01 * g * g
    return p - rate * (state["m"] / (1 - 0.9**step)) / (np.sqrt(state["v"] / (1 - 0.99**step)) + 1e-3)


#: Optimizers: how one is made, and its rule in NumPy.
_OPTIMIZERS: dict[str, tuple[Callable[[Any], Any], Callable[..., Any]]] = {
    "momentum": (lambda given: tc.optim.SGD(given, lr=0.1, momentum=0.9, dampening=0.2), _momentum),
    "nesterov": (lambda given: tc.optim.SGD(given, lr=0.1, momentum=0.9, nesterov=True), _nesterov),
    "adam": (lambda given: tc.optim.Adam(given, lr=0.1, betas=(0.9, 0.99), eps=1e-3), _adam),
}


def _same_updates(device: str, name: str, steps: int) -> None:
    """Many parameters under a rate that falls, against the rule in NumPy."""
    make, rule = _OPTIMIZERS[name]
    rng = np.random.default_rng(6)
    exact: list[Any] = [rng.uniform(-1, 1, shape).astype(np.float32).astype(np.float64) for shape in _SHAPES]
    parameters = [tc.nn.Parameter(from_numpy(np.asarray(p, np.float32), device)) for p in exact]
    optimizer, states = make(parameters), [{} for _ in exact]  # type: ignore[var-annotated]
    for step in range(1, steps + 1):
        rate = 0.02 / (1 + step / 30)
        optimizer.param_groups[0]["lr"] = rate
        for place, p in enumerate(parameters):
            p.grad = p.detach() * (0.5 + 0.25 * place)
        optimizer.step()
        for place, p in enumerate(exact):
            exact[place] = rule(p, p * (0.5 + 0.25 * place), states[place], step, rate)
    for place, (got, wanted) in enumerate(zip(parameters, exact, strict=True)):
        if not np.allclose(to_numpy(got.detach()), wanted, rtol=1e-3, atol=2e-5):
            raise ConformanceError(
                f"parameter {place} of {len(exact)}, shape {list(wanted.shape)}, after {steps} steps of {name}: "
                f"expected {wanted.tolist()} (NumPy in float64), got {got.tolist()}"
            )


def _same_curve(device: str, dtype: str, steps: int) -> None:
    wanted, parameters = _numpy_curve(steps)
    losses, met = _curve(device, dtype, steps)
    _along(f"the training in {dtype}", losses, wanted, _BUDGETS[dtype])
    for place, (got, exact) in enumerate(zip(met, parameters, strict=True)):
        if not np.allclose(got, exact, rtol=50 * _BUDGETS[dtype], atol=50 * _BUDGETS[dtype]):
            raise ConformanceError(
                f"parameter {place} after {steps} steps in {dtype}: expected {exact.tolist()}, got {got.tolist()}"
            )


def _same_modules(device: str, steps: int) -> None:
    losses = _module_curve(device, steps)
    _along("the training by nn, optim and backward", losses, _numpy_curve(steps)[0], _BUDGETS["float32"])


def _along(what: str, losses: list[float], wanted: list[float], budget: float) -> None:
    """The curve must be the oracle's at each step, and it must go down."""
    for step, (got, exact) in enumerate(zip(losses, wanted, strict=True)):
        if not abs(got - exact) <= budget * (1 + abs(exact)):
            shown = ", ".join(f"{x:.9g}" for x in losses[max(0, step - 2) : step + 1])
            raise ConformanceError(
                f"losses of {what}, step {step} of {len(losses)}: expected {exact:.9g} (NumPy in float64), "
                f"got {got:.9g}; error {abs(got - exact):.3g}, "
                f"budget {budget * (1 + abs(exact)):.3g}; the last ones were {shown}"
            )
