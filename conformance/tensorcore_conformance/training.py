"""Whole programs: a training step recorded and replayed, and loss curves against another device's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tensorcore as tc
from tensorcore_conformance.arrays import from_numpy, to_numpy
from tensorcore_conformance.forward import ConformanceError, oracle_device

__all__ = ["compiled_checks", "training_checks"]

_STEPS = 12


def _data(device: str) -> tuple[Any, Any]:
    """Points in the plane in three classes, and one-hot targets."""
    rng = np.random.default_rng(3)
    label = rng.integers(0, 3, 30)
    angle = label * 2.0 + rng.uniform(0, 0.8, 30)
    points = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)
    return from_numpy(points, device), from_numpy(np.eye(3, dtype=np.float32)[label], device)


def _parameters(device: str) -> list[Any]:
    rng = np.random.default_rng(4)
    shapes = ((2, 8), (8,), (8, 3), (3,))
    made = [from_numpy(rng.uniform(-0.7, 0.7, shape).astype(np.float32), device) for shape in shapes]
    return [x.requires_grad_() for x in made]


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
                v.mul_(0.9).add_(g)
                p.sub_(v * 0.1)
        return loss.detach()

    return step


def _curve(device: str, compiled: bool) -> tuple[list[float], list[Any]]:
    parameters = _parameters(device)
    velocity = [tc.zeros_like(p) for p in parameters]
    step = _stepper(parameters, velocity)
    run = tc.compile(step, fullgraph=True) if compiled else step
    points, targets = _data(device)
    losses = [float(run(points, targets).item()) for _ in range(_STEPS)]
    return losses, [to_numpy(p) for p in parameters]


def compiled_checks(device: str) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """``tc.compile`` gives what eager execution gives."""
    yield "function", "float32", lambda: _compiled_function(device)
    yield "training step", "float32", lambda: _compiled_training(device)


def _compiled_function(device: str) -> None:
    def f(x: Any, y: Any) -> Any:
        return (x * 2 + y.exp()).sum(0), x.reshape(-1)[1:]

    fast = tc.compile(f, fullgraph=True)
    for turn in range(4):
        x, y = (
            from_numpy(np.random.default_rng(turn * 2 + i).uniform(-1, 1, (3, 4)).astype(np.float32), device)
            for i in range(2)
        )
        for got, wanted in zip(fast(x, y), f(x, y), strict=True):
            _close(f"call {turn} of a compiled function", to_numpy(got), to_numpy(wanted))


def _close(what: str, got: Any, wanted: Any) -> None:
    # Fused kernels may round less often.
    if not np.allclose(got, wanted, rtol=3e-5, atol=3e-6):
        raise ConformanceError(f"{what}: expected {np.asarray(wanted).tolist()}, got {np.asarray(got).tolist()}")


def _compiled_training(device: str) -> None:
    losses, parameters = _curve(device, True)
    eager, others = _curve(device, False)
    _close(f"losses of {_STEPS} compiled training steps, eager ones expected", losses, eager)
    for got, wanted in zip(parameters, others, strict=True):
        _close(f"parameters after {_STEPS} compiled training steps", got, wanted)


def training_checks(device: str) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Short trainings, whose losses must be those of another device."""
    yield "classifier", "float32", lambda: _same_curve(device)


def _same_curve(device: str) -> None:
    losses, _ = _curve(device, False)
    wanted, _ = _curve(oracle_device(device), False)
    if wanted[-1] >= wanted[0] / 2:
        raise ConformanceError(f"the training on {oracle_device(device)!r} does not learn: {wanted}")
    _close(f"losses of {_STEPS} training steps, those on {oracle_device(device)!r} expected", losses, wanted)
