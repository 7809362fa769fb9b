"""The area about memory: what calls, graphs, refusals, writes and programs leave behind, which is nothing."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorcore as tc
import tensorcore.nn.functional as F  # the custom
from tensorcore.devices import Device
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy
from tensorcore_conformance.checks import Check, area_check
from tensorcore_conformance.forward import ConformanceError, Measured
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.process_areas import PROGRAMS, Program, arrays_of, differ, drawn

__all__ = ["memory_area"]

#: Bytes that a program may leave behind in 40 rounds of results of 1 MiB: some, for pools that grow, not all.
_LEFT = 24 << 20


def memory_area(device: str, limits: Limits) -> Iterator[Check]:
    """Memory comes back: arrays die with their tensors, graphs with their results, and rounds do not add up."""
    for name, run in (
        ("graph", _graph_released), ("error", _error_released), ("gradient", _gradient_released), ("rounds", _rounds),
        ("refusals", _refusals_released), ("writes", _writes_released), ("compiled", _compiled_released),
        ("shapes", _shapes_released),
    ):  # fmt: skip
        yield area_check(device, "memory", name, "float32", partial(run, device))
    for name, program in PROGRAMS.items():
        yield area_check(device, "memory", f"calls/{name}", "float32", partial(_many_calls, device, program))


def _watched(*tensors: Tensor) -> list[Any]:
    try:
        return [weakref.ref(x._array) for x in tensors]
    except TypeError:  # arrays of this engine cannot be watched
        return [weakref.ref(x) for x in tensors]


def _must_be_gone(what: str, watched: list[Any], device: str) -> None:
    Device(device).backend.synchronize(Device(device).ordinal)
    if any(each() is not None for each in watched):
        gc.collect()
    kept = sum(each() is not None for each in watched)
    if kept:
        raise ConformanceError(f"{what}: {kept} of {len(watched)} arrays are still alive")


def _graph_released(device: str) -> None:
    def run() -> list[Any]:
        x = drawn(device, 1, 40, 3).requires_grad_()
        middle = (x * 2).exp()
        y = (middle * middle).sum()
        return _watched(x.detach(), middle.detach(), y.detach())

    run()
    _must_be_gone("a graph that backward never ran through, its result dropped", run(), device)


def _error_released(device: str) -> None:
    def run() -> list[Any]:
        x, y = drawn(device, 1, 40, 3), drawn(device, 2, 40, 4)
        watched = _watched(x, y)
        try:
            x + y
        except Exception:
            return watched
        raise ConformanceError("shapes (40, 3) and (40, 4) were added")

    run()
    _must_be_gone("the operands of a refused call", run(), device)


#: Calls that are refused, on ``x`` of shape (40, 3) and ``at``, which holds 99.
_REFUSED: tuple[Callable[[Any, Any], Any], ...] = (
    lambda x, at: x[at],
    lambda x, at: x @ x,
    lambda x, at: x.index_select(0, at),
    lambda x, at: x.gather(0, at[None].expand(1, 3)),
    lambda x, at: x.index_put((at,), x[:1]),
    lambda x, at: x.scatter(0, at[None].expand(1, 3), x),
    lambda x, at: F.embedding(at, x),
    lambda x, at: tc.cat([x, x[:, :2]]),
    lambda x, at: tc.linalg.inv(x[:3] * 0),
)


def _refusals_released(device: str) -> None:
    for call in _REFUSED:

        def run(call: Any = call) -> list[Any]:
            x, at = drawn(device, 1, 40, 3), from_numpy(np.array([99]), device)
            watched = _watched(x, at)
            with contextlib.suppress(Exception):
                call(x, at)
            return watched

        _must_be_gone("the operands of a refused call", [each for _ in range(3) for each in run()], device)


def _writes_released(device: str) -> None:
    x, mask = drawn(device, 1, 40, 3), from_numpy(np.arange(40) % 3 == 0, device)

    def run(turn: int) -> list[Any]:
        y, at = drawn(device, turn, 40, 3), from_numpy(np.arange(40), device)
        watched = _watched(y, at)
        x.copy_(y)
        x[1:] = y[:-1]
        x[at] = y
        x[mask] = y[mask]
        x.add_(y).mul_(y[:1]).index_add_(0, at, y)
        return watched

    _must_be_gone("the sources of writes", [each for turn in range(3) for each in run(turn)], device)


def _compiled_released(device: str) -> None:
    program = tc.compile(lambda x, y: ((x + y).exp(), x * y))

    def run(turn: int) -> list[Any]:
        x, y = drawn(device, turn, 40, 3), drawn(device, turn + 9, 40, 3)
        return _watched(x, y, *program(x, y))

    for turn in range(3):
        run(turn)
    _must_be_gone(
        "operands and results of a compiled function", [each for turn in range(3) for each in run(turn)], device
    )


def _shapes_released(device: str) -> None:
    """Operands of many shapes, each met once: a cache by shape holds them all."""

    def run(side: int) -> list[Any]:
        x = drawn(device, side, side, 3)
        y = (x.exp() @ x.t()).tanh().softmax(-1) + x.sum(1)
        return _watched(x, y, x.sort(0)[0], x.amax(1), x.cumsum(0), F.layer_norm(x, (3,)), x[x[:, 0] > 0])

    watched = [each for side in range(40, 48) for each in run(side)]
    Device(device).backend.synchronize(Device(device).ordinal)
    gc.collect()
    kept = sum(each() is not None for each in watched)
    if kept > len(watched) // 14:  # what one shape holds may be a cache's last
        raise ConformanceError(f"operands and results of eight shapes: {kept} of {len(watched)} arrays are still alive")


#: Rounds of calls until one leaves fewer objects than this for each call: caches fill slowly, leaks never end.
_WARM, _ROUNDS, _CALLS, _OBJECTS = 15, 30, 12, 1.8


def _many_calls(device: str, program: Program) -> None:
    """Calls leave no objects behind, however small, and the last gives what the first gave."""
    first = [arrays_of(program, device, 5) for _ in range(_WARM)][-1]
    left = []
    gc.freeze()  # what is there already need not be looked through again and again
    try:
        for _ in range(_ROUNDS):
            gc.collect()
            before = sys.getallocatedblocks()
            for _ in range(_CALLS):
                program(device, 5)
            Device(device).backend.synchronize(Device(device).ordinal)
            gc.collect()
            left.append(sys.getallocatedblocks() - before)
            if left[-1] <= _OBJECTS * _CALLS:
                break
    finally:
        gc.unfreeze()
    if left[-1] > _OBJECTS * _CALLS:
        raise ConformanceError(f"rounds of {_CALLS} calls left {left[-3:]} objects behind, at last")
    text = differ(
        f"call {_ROUNDS * _CALLS}", arrays_of(program, device, 5), first, Device(device).capabilities.deterministic
    )
    if text:
        raise ConformanceError(text)


def _gradient_released(device: str) -> None:
    def run() -> list[Any]:
        x = drawn(device, 1, 40, 3).requires_grad_()
        y = (x.exp() * 2).sum()
        y.backward()
        grad = x.grad
        watched = _watched(x.detach(), y.detach(), grad)
        x.grad = None
        return watched

    run()
    _must_be_gone("leaf, loss and gradient after backward", run(), device)


def _resident() -> int | None:
    """Bytes of this process in memory, where the system tells."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _give_back() -> None:
    """Let the C library return free memory to the system, where it can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _rounds(device: str) -> Measured | None:
    def turn(number: int) -> None:
        x = from_numpy(np.full(1 << 18, number, np.float32), device)
        y = (x + 1).exp().sum() + (x * 2).amax()
        y.item()

    for number in range(8):
        turn(number)
    gc.collect()
    # What earlier work freed and the allocator kept would take in what is left behind now.
    _give_back()
    before = _resident()
    if before is None:
        return Measured(oracle="not offered")
    for number in range(40):
        turn(number)
    Device(device).backend.synchronize(Device(device).ordinal)
    gc.collect()
    _give_back()
    left = (_resident() or 0) - before
    if left > _LEFT:
        raise ConformanceError(
            f"40 rounds over arrays of 1 MiB left {left >> 20} MiB behind; {_LEFT >> 20} are allowed"
        )
    return None
