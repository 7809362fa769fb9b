"""Areas about the process: threads, work in the background, and one process against another."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

import tensorcore as tc
import tensorcore.nn.functional as F  # the custom
from tensorcore import autograd
from tensorcore.devices import Device
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, to_numpy
from tensorcore_conformance.checks import Check, area_check
from tensorcore_conformance.forward import ConformanceError, Measured
from tensorcore_conformance.limits import Limits

__all__ = ["async_area", "determinism_area", "digests", "threads_area"]

#: Small programs of a device: each returns tensors that depend on its seed alone.
Program = Callable[[str, int], list[Any]]


def drawn(device: str, seed: int, *shape: int) -> Tensor:
    return from_numpy(np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32), device)


def _elementwise(device: str, seed: int) -> list[Any]:
    x, y = drawn(device, seed, 17, 9), drawn(device, seed + 1, 9)
    return [(x * y + x.exp()).tanh(), (x > y).to(tc.float32).sum(0), x.maximum(y).abs().sqrt()]


def _reductions(device: str, seed: int) -> list[Any]:
    x = drawn(device, seed, 31, 33)
    return [x.sum(), x.sum(1), x.mean(0), x.amax(1), x.argmax(0), x.cumsum(1), x.sort(1)[0], x.softmax(1)]


def _products(device: str, seed: int) -> list[Any]:
    a, b = drawn(device, seed, 33, 65), drawn(device, seed + 1, 65, 7)
    image, weight = drawn(device, seed, 2, 3, 9, 9), drawn(device, seed + 1, 4, 3, 3, 3)
    return [a @ b, F.conv2d(image, weight, padding=1), F.layer_norm(a, (65,))]


def _gradients(device: str, seed: int) -> list[Any]:
    a, b = (drawn(device, seed + i, *shape).requires_grad_() for i, shape in enumerate(((9, 8), (8, 5))))
    loss = ((a @ b).tanh().softmax(-1).log() * drawn(device, seed + 3, 9, 5)).sum()
    return list(autograd.grad(loss, [a, b]))


def _writes(device: str, seed: int) -> list[Any]:
    x = drawn(device, seed, 6, 5)
    x[1:3].mul_(2).add_(1)
    x[:, ::2] = 0
    x.index_add_(0, from_numpy(np.array([0, 0, 5]), device), drawn(device, seed + 1, 3, 5))
    return [x]


def _draws(device: str, seed: int) -> list[Any]:
    """Numbers of a generator of its own, which other threads do not move."""
    own = tc.Generator(device="cpu" if not _has_generators(device) else device).manual_seed(seed)
    rest = {"generator": own, "device": device}
    return [tc.rand(20, **rest), tc.randint(0, 99, (20,), **rest), tc.randn(33, **rest), tc.randperm(15, **rest)]


@cache
def _program(device: str) -> Callable[..., Any]:
    """One compiled function for all callers of a device."""
    return tc.compile(lambda x, y: ((x * y).exp().sum(0), x - y))


def _replayed(device: str, seed: int) -> list[Any]:
    return list(_program(device)(drawn(device, seed, 12, 7), drawn(device, seed + 1, 12, 7)))


def _ordered(device: str, seed: int) -> list[Any]:
    x, at = drawn(device, seed, 9, 40), from_numpy(np.random.default_rng(seed).integers(0, 9, 30), device)
    sums = tc.zeros(9, 40, device=device).index_add(0, at, x[at])
    return [*x.sort(1), *x.topk(3, 0), x[at, at], x.gather(0, at[None]), sums, x.unique()]


def _has_generators(device: str) -> bool:
    try:
        tc.Generator(device=device)
    except Exception:
        return False
    return True


PROGRAMS: dict[str, Program] = {
    "elementwise": _elementwise,
    "reductions": _reductions,
    "products": _products,
    "gradients": _gradients,
    "writes": _writes,
    "draws": _draws,
    "replayed": _replayed,
    "ordered": _ordered,
}


def arrays_of(program: Program, device: str, seed: int) -> list[Any]:
    return [to_numpy(x.detach()) for x in program(device, seed)]


def differ(what: str, got: list[Any], wanted: list[Any], exact: bool) -> str:
    for place, (a, b) in enumerate(zip(got, wanted, strict=True)):
        same = a.tobytes() == b.tobytes() if exact else np.allclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
        if a.shape != b.shape or not same:
            return f"{what}, result {place}: expected {b.reshape(-1)[:8].tolist()}, got {a.reshape(-1)[:8].tolist()}"
    return ""


# ------------------------------------------------------------------ threads

THREADS, ROUNDS = 4, 6


def threads_area(device: str, limits: Limits) -> Iterator[Check]:
    """Programs in several threads at once give what each gives alone."""
    for name, program in PROGRAMS.items():
        yield area_check(device, "threads", name, "float32", partial(_in_threads, device, program))
    yield area_check(device, "threads", "handed over", "float32", partial(_handed_over, device))


def _in_threads(device: str, program: Program) -> None:
    exact = Device(device).capabilities.deterministic
    alone = [arrays_of(program, device, seed) for seed in range(THREADS)]
    found: list[str] = []
    ready = threading.Barrier(THREADS)

    def work(seed: int) -> None:
        try:
            ready.wait(60)
            for turn in range(ROUNDS):
                text = differ(f"thread {seed}, turn {turn}", arrays_of(program, device, seed), alone[seed], exact)
                if text:
                    found.append(text)
                    return
        except BaseException as error:
            found.append(f"thread {seed}: {type(error).__name__}: {error}")

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        _run([threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)])
    finally:
        sys.setswitchinterval(switch)
    if found:
        raise ConformanceError(f"{THREADS} threads at once: {found[0]}")


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _handed_over(device: str) -> None:
    """What one thread makes another reads, and a third runs backward through."""
    made: dict[str, Any] = {}

    def make() -> None:
        made["x"] = drawn(device, 1, 50, 3).requires_grad_()
        made["y"] = (made["x"] * 2).exp().sum()

    def back() -> None:
        made["y"].backward()

    for work in (make, back):
        _run([threading.Thread(target=work)])
    if "y" not in made or made["x"].grad is None:
        raise ConformanceError("a graph made in one thread gave no gradient in another")
    x = to_numpy(made["x"].detach()).astype(np.float64)
    got = to_numpy(made["x"].grad)
    if not np.allclose(got, 2 * np.exp(2 * x), rtol=1e-5):
        raise ConformanceError(f"a gradient in another thread: expected {(2 * np.exp(2 * x))[0]}, got {got[0]}")


# ------------------------------------------------------------------ work in the background


def async_area(device: str, limits: Limits) -> Iterator[Check]:
    """Results do not depend on when the device computes them: what is read is done, what is overwritten was used."""
    for name, run in (
        ("host buffer", _host_buffer), ("queue", _queue), ("write after read", _write_after_read),
        ("read after write", _read_after_write), ("freed operands", _freed_operands),
    ):  # fmt: skip
        yield area_check(device, "async", name, "float32", partial(run, device))


_SIZE = 1 << 16


def _expect(what: str, got: Tensor, wanted: Any) -> None:
    array = to_numpy(got)
    wanted = np.broadcast_to(np.asarray(wanted, np.float32), array.shape)
    if not np.array_equal(array, wanted):
        at = int(np.argmax(array.reshape(-1) != wanted.reshape(-1)))
        raise ConformanceError(f"{what}: expected {wanted.reshape(-1)[at]} at {at}, got {array.reshape(-1)[at]}")


def _host_buffer(device: str) -> None:
    place = Device(device)
    data = np.full(_SIZE, 3, np.float32)
    for _ in range(3):
        data[:] = 3
        array = place.backend.from_host(memoryview(data).cast("B"), tc.float32, (_SIZE,), place.ordinal)
        data[:] = np.nan
        got = np.frombuffer(bytes(place.backend.to_host(array)), np.float32)
        if not (got == 3).all():
            raise ConformanceError(
                "from_host: the buffer was overwritten after the call, and the array changed with it"
            )


def _queue(device: str) -> None:
    x = from_numpy(np.zeros(_SIZE, np.float32), device)
    y = x
    for _ in range(100):
        y = y + 1
    _expect("100 additions in a row, read at once", y, 100)


def _write_after_read(device: str) -> None:
    x = from_numpy(np.ones(_SIZE, np.float32), device)
    kept = []
    for turn in range(10):
        kept.append(x * 2 + turn)
        x.fill_(float("nan"))
        x.fill_(1)
    x.fill_(float("nan"))
    for turn, y in enumerate(kept):
        _expect("a result whose operand was overwritten after the call", y, 2 + turn)


def _read_after_write(device: str) -> None:
    x = from_numpy(np.zeros(_SIZE, np.float32), device)
    for turn in range(10):
        x.add_(1)
        y = x.clone()
        seen = float(x[-1].item())
        if seen != turn + 1:
            raise ConformanceError(f"item() after {turn + 1} in-place additions: expected {turn + 1}, got {seen}")
        _expect("a clone after in-place additions", y, turn + 1)
    for sign in (-10, 10, -10):
        _expect("in-place negation, read at once", x.neg_(), sign)
    _expect("in-place exp, read at once", x.mul_(0).exp_(), 1)


def _freed_operands(device: str) -> None:
    """Operands that nothing holds any more are used before their memory is given to others, full of NaN."""
    results, junk = [], []
    for turn in range(10):
        x = from_numpy(np.full(_SIZE, turn, np.float32), device)
        results.append((x + 1) * 2)
        del x
        junk.append(from_numpy(np.full(_SIZE, np.nan, np.float32), device))
    for turn, y in enumerate(results):
        _expect("a result whose operands were freed after the call", y, 2 * (turn + 1))


# ------------------------------------------------------------------ one process and another


def determinism_area(device: str, limits: Limits) -> Iterator[Check]:
    """The same program gives the same bits again, and in another process, where the device says so."""
    if not Device(device).capabilities.deterministic:
        return
    for name, program in PROGRAMS.items():
        yield area_check(device, "determinism", f"again/{name}", "float32", partial(_again, device, program))
    yield area_check(device, "determinism", "another process", "float32", partial(_elsewhere, device))


def _again(device: str, program: Program) -> None:
    first = arrays_of(program, device, 5)
    for turn in range(3):
        text = differ(f"run {turn + 2}", arrays_of(program, device, 5), first, True)
        if text:
            raise ConformanceError(f"the device calls itself deterministic; {text}")


def digests(device: str) -> dict[str, str]:
    """A digest of the bits that each program gives, its results one after the other."""
    return {
        f"{name}/{place}": hashlib.sha256(array.tobytes()).hexdigest()[:16]
        for name, program in PROGRAMS.items()
        for place, array in enumerate(arrays_of(program, device, 5))
    }


def _elsewhere(device: str) -> Measured:
    code = (
        "import json, sys; from tensorcore_conformance.process_areas import digests; "
        "print('\\n' + json.dumps(digests(sys.argv[1])))"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "97"}
    done = subprocess.run(
        [sys.executable, "-c", code, device], env=environment, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        if f"unknown device {Device(device).type!r}" in done.stderr:
            return Measured(oracle="registered by hand")
        raise ConformanceError(f"another process ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    there, here = json.loads(done.stdout.splitlines()[-1]), digests(device)
    differ = [name for name, digest in here.items() if there.get(name) != digest]
    if differ:
        raise ConformanceError(f"the device calls itself deterministic; another process gives other bits in {differ}")
    return Measured()
