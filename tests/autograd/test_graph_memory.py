"""Deep graphs and long trainings: no recursion, nothing kept, no cycles that wait for the garbage collector."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import tracemalloc
import weakref
from pathlib import Path

import pytest

import tensorcore as tc
from tensorcore.utils.checkpoint import checkpoint

DEEP = 1_000_000
#: MiB that a million nodes do not fit into, and bytes that hundreds of steps which keep anything exceed.
FREED, FLAT = 120, 8 * 1024


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@contextlib.contextmanager
def without_collector():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_small_stack(function):
    """Run in a thread that has room for little recursion in C, under a limit that allows little in Python."""
    failed = []
    # The first tensor of a process loads the backend, which recurs deeper.
    tc.ones(1)

    def run():
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(120)
        try:
            function()
        except BaseException as error:
            failed.append(error)
        finally:
            sys.setrecursionlimit(limit)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    if failed:
        raise failed[0]


def chain(depth):
    x = tc.ones(1, requires_grad=True)
    y = x
    for _ in range(depth):
        y = y * 1.0
    return x, y


@pytest.mark.slow
@pytest.mark.parametrize("backward", [False, True])
def test_a_million_nodes_deep(backward):
    chain(1000)[1].backward()
    start = resident()

    def run():
        x, y = chain(DEEP)
        assert resident() - start > FREED
        if backward:
            y.backward()
            assert x.grad.item() == 1
        del y

    with without_collector():
        in_small_stack(run)
        assert resident() - start < FREED


def test_deep_graphs_of_other_nodes():
    class Same(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g

    steps = {
        "custom functions": Same.apply,
        "several outputs": lambda y: y.split(1)[0],
        "views": lambda y: y.view(1),
        "sums": lambda y: y + y * 0,
    }

    def run():
        for name, step in steps.items():
            x = tc.ones(1, requires_grad=True)
            y = x * 1
            for _ in range(3000):
                y = step(y)
            y.sum().backward()
            assert x.grad.item() == 1, name
            del y

    in_small_stack(run)


def training(kind):
    """A step of training of one kind, as a function."""
    tc.manual_seed(0)
    model = tc.nn.Sequential(tc.nn.Linear(8, 8), tc.nn.Tanh(), tc.nn.Dropout(0.1), tc.nn.Linear(8, 1))
    optimizer = tc.optim.Adam(model.parameters(), lr=1e-3)
    x, kept = tc.rand(4, 8), []

    def loss_of():
        out = model(x)
        if kind == "hooks":
            out.register_hook(lambda g: g * 1)
            out.retain_grad()
            out = tc.utils.checkpoint.checkpoint(tc.tanh, out, use_reentrant=False)
        loss = (out**2).mean()
        if kind == "second order":
            found = tc.autograd.grad(loss, list(model.parameters()), create_graph=True)
            loss = loss + sum([(g**2).sum() for g in found])
        if kind == "transforms":
            loss = loss + tc.func.vmap(tc.func.grad(lambda row: (row**2).sum()))(x).mean()
        return loss

    def step():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        if kind == "leaking":
            kept.append(loss_of())
        if kind == "cycles":
            loss.itself = [loss]

    return step


def growth(step, steps):
    """What ``steps`` steps leave: the number of objects in cycles, and bytes that are still there without these."""
    for _ in range(50):
        step()
    tracemalloc.start()
    try:
        with without_collector():
            for _ in range(50):
                step()
            # It also empties the interpreter's lists of free objects.
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(steps):
                step()
            cycles = gc.collect()
            return cycles, tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["plain", "hooks", "second order"])
def test_training_leaves_memory_flat(kind):
    cycles, left = growth(training(kind), 200)
    assert cycles == 0 and left < FLAT


def test_transforms_leave_memory_flat():
    cycles, left = growth(training("transforms"), 200)
    assert cycles == 0 and left < FLAT


class Cube(tc.autograd.Function):
    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.saved_tensors[0] ** 2 * g


class MappedCube(Cube):
    generate_vmap_rule = True


def hooked(x):
    y = x.clone().requires_grad_()
    z = y * 2
    z.retain_grad()
    tc.autograd.graph.register_multi_grad_hook((y, z), lambda gradients: None)
    y.register_post_accumulate_grad_hook(lambda leaf: None)
    z.sum().backward()


def checkpointed(x):
    y = x.clone().requires_grad_()
    inner = lambda a: checkpoint(lambda b: b.sin().exp(), a, use_reentrant=False)  # noqa: E731
    checkpoint(inner, y, use_reentrant=False).sum().backward()


def noticed(x):
    layer = tc.nn.Linear(2, 2)
    layer.register_full_backward_hook(lambda module, inner, outer: None)
    layer(x.clone().requires_grad_()).sum().backward()


def dual(x):
    with tc.autograd.forward_ad.dual_level():
        tc.autograd.forward_ad.unpack_dual(tc.autograd.forward_ad.make_dual(x, x).sin())


func = tc.func
#: Programs on a tensor of shape (3, 2) whose memory must be free as soon as they are done.
PROGRAMS = {
    "vmap": lambda x: func.vmap(func.vmap(lambda a: a * 2))(x),
    "containers": lambda x: func.vmap(lambda d: {"b": [d["a"] * 2]}, in_dims=({"a": 0},), chunk_size=2)({"a": x}),
    "vjp": lambda x: func.vjp(lambda a: a**2, x)[1](x),
    "jvp": lambda x: func.jvp(lambda a: a**2, (x,), (x,)),
    "linearize": lambda x: func.linearize(lambda a: a**2, x)[1](x),
    "jacobians": lambda x: (func.jacrev(lambda a: a**2)(x), func.jacfwd(lambda a: a**2)(x)),
    "hessian": lambda x: func.hessian(lambda a: (a**3).sum())(x[0]),
    "custom": lambda x: (func.grad(lambda a: Cube.apply(a).sum())(x), func.jvp(Cube.apply, (x,), (x,))),
    "custom, by example": lambda x: func.vmap(func.grad(lambda a: Cube.apply(a).sum()))(x),
    "custom, generated": lambda x: func.vmap(func.grad(lambda a: MappedCube.apply(a).sum()))(x),
    "custom, outside": lambda x: Cube.apply(x.clone().requires_grad_()).sum().backward(),
    "ops by example": lambda x: func.vmap(func.grad(lambda a, m: a.masked_scatter(m, a * 2).sum()))(x, x > 0),
    "draws": lambda x: func.vmap(tc.nn.functional.dropout, randomness="different")(x),
    "functional": lambda x: tc.autograd.functional.hessian(lambda a: (a**2).sum(), x[0]),
    "forward_ad": dual,
    "checkpoints": checkpointed,
    "hooks": hooked,
    "hooks of modules": noticed,
    "checks": lambda x: tc.autograd.gradgradcheck(lambda a: a**2, (x.double().requires_grad_(),)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_waits_for_the_garbage_collector(name):
    x = tc.randn(3, 2)
    for _ in range(3):
        PROGRAMS[name](x)
    with without_collector():
        PROGRAMS[name](x)
        assert gc.collect() == 0


def test_gradients_that_a_hook_lets_go_are_freed_before_the_next_ones_are_there():
    net = tc.nn.Sequential(*[tc.nn.Linear(4, 4) for _ in range(6)])
    alive, most = weakref.WeakSet(), []

    def step(parameter):
        alive.add(parameter.grad)
        most.append(len(alive))
        parameter.grad = None

    for parameter in net.parameters():
        parameter.register_post_accumulate_grad_hook(step)
    with without_collector():
        net(tc.ones(2, 4)).sum().backward()
        assert len(alive) == 0
    assert len(most) == 12
    assert max(most) <= 3, "the weight and bias of one layer, and what is being handed on"


def test_what_is_kept_would_be_seen():
    assert growth(training("leaking"), 200)[1] > FLAT
    assert growth(training("cycles"), 200)[0] > 200


@pytest.mark.slow
def test_ten_thousand_steps_leave_memory_flat():
    step = training("plain")
    step()
    start = resident()
    cycles, left = growth(step, 10_000)
    assert cycles == 0 and left < FLAT
    assert resident() - start < 16
