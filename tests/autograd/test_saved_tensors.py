"""Hooks on saved tensors, and checkpoints made of them."""

from __future__ import annotations

import threading
import weakref

import pytest

import tensorcore as tc
from tensorcore.autograd.graph import watchers
from tensorcore.autograd.saved import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks
from tensorcore.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def model(seed=0):
    tc.manual_seed(seed)
    layers = [tc.nn.Linear(4, 8), tc.nn.ReLU(), tc.nn.Dropout(0.5), tc.nn.Linear(8, 3), tc.nn.Tanh()]
    return tc.nn.Sequential(*layers)


def gradients(run, net, x):
    x = x.detach().requires_grad_()
    net.zero_grad()
    state = tc.get_rng_state()
    run(x).sum().backward()
    tc.set_rng_state(state)
    return [x.grad, *(p.grad for p in net.parameters())]


def test_hooks_see_what_is_saved_and_decide_what_comes_back():
    seen = []
    x, w = tc.tensor([1.0, 2.0], requires_grad=True), tc.tensor([3.0, 4.0], requires_grad=True)

    def pack(t):
        seen.append(t.tolist())
        return t * 2

    with saved_tensors_hooks(pack, lambda t: t / 2):
        y = ((x * w).tanh() * x).sum()
    plain = ((x * w).tanh() * x).sum()
    first = tc.autograd.grad(y, (x, w), create_graph=True)
    wanted = tc.autograd.grad(plain, (x, w), create_graph=True)
    for a, b in zip(first, wanted, strict=True):
        assert a.tolist() == pytest.approx(b.tolist())
    second = tc.autograd.grad(sum(g.sum() for g in first), (x, w))
    for a, b in zip(second, tc.autograd.grad(sum(g.sum() for g in wanted), (x, w)), strict=True):
        assert a.tolist() == pytest.approx(b.tolist(), rel=1e-4)
    assert [3.0, 4.0] in seen and not watchers


def test_a_changed_value_changes_the_gradient():
    x = tc.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: t.detach(), lambda t: t * 10):
        y = x.exp().log() * x
    y.backward()
    assert x.grad.item() != pytest.approx(6.0)


def test_inner_hooks_count_and_other_threads_have_none():
    counts = {"outer": 0, "inner": 0, "thread": 0}

    def hooks(name):
        def pack(t):
            counts[name] += 1
            return t

        return saved_tensors_hooks(pack, lambda t: t)

    x = tc.ones(2, requires_grad=True)
    with hooks("outer"):
        with hooks("inner"):
            x.exp()
        thread = threading.Thread(target=lambda: x.exp())
        thread.start()
        thread.join()
        x.exp()
    assert counts == {"outer": 1, "inner": 1, "thread": 0}


def test_functions_of_users_are_packed_too():
    class Cube(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    x = tc.tensor([2.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: t.tolist(), lambda v: tc.tensor(v)):
        y = Cube.apply(x)
    y.backward()
    assert x.grad.item() == 12


def test_saving_on_the_host_frees_the_device_memory():
    x = tc.ones(3, device="array_api_strict", requires_grad=True)
    with save_on_cpu():
        hidden = x.exp()
        y = hidden.sin()
    array = weakref.ref(hidden._array)
    assert type(y.grad_fn).__name__ == "PackedNode"
    del hidden
    assert array() is None
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([tc.cos(tc.tensor(1.0).exp()).item() * tc.tensor(1.0).exp().item()] * 3)


def test_bad_hooks():
    x = tc.ones(1, requires_grad=True)
    with saved_tensors_hooks(lambda t: t, lambda t: None):
        y = x.exp()
    with pytest.raises(TypeError, match="unpack_hook must return a tensor, got NoneType"):
        y.backward()
    with disable_saved_tensors_hooks("not now"), pytest.raises(RuntimeError, match="not now"), save_on_cpu():
        pass
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x.exp()
    y.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_checkpoint_has_the_gradients_of_the_plain_run(use_reentrant):
    net, x = model(), tc.randn(5, 4)
    made = gradients(lambda x: checkpoint(net, x, use_reentrant=use_reentrant), net, x)
    for a, b in zip(made, gradients(net, net, x), strict=True):
        assert a.tolist() == b.tolist()


@pytest.mark.parametrize("segments", [1, 2, 5])
@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_sequence_of_checkpoints(segments, use_reentrant):
    net, x = model(), tc.randn(5, 4)
    made = gradients(lambda x: checkpoint_sequential(net, segments, x, use_reentrant=use_reentrant), net, x)
    for a, b in zip(made, gradients(net, net, x), strict=True):
        assert a.tolist() == b.tolist()


def test_only_the_inputs_are_kept():
    alive = []

    def part(x):
        hidden = x.exp()
        alive.append(weakref.ref(hidden))
        return hidden.sin().exp()

    x = tc.ones(3, requires_grad=True)
    y = checkpoint(part, x, use_reentrant=False)
    assert alive[0]() is None
    y.sum().backward()
    assert len(alive) == 2


def test_nested_checkpoints_and_second_derivatives():
    def inner(x):
        return x.exp() * x

    def outer(x):
        return checkpoint(inner, x, use_reentrant=False).sin() * x

    x = tc.tensor([0.3, 0.7], requires_grad=True)
    made = tc.autograd.grad(checkpoint(outer, x, use_reentrant=False).sum(), x, create_graph=True)[0]
    wanted = tc.autograd.grad((inner(x).sin() * x).sum(), x, create_graph=True)[0]
    assert made.tolist() == pytest.approx(wanted.tolist())
    again = tc.autograd.grad(made.sum(), x)[0]
    assert again.tolist() == pytest.approx(tc.autograd.grad(wanted.sum(), x)[0].tolist(), rel=1e-4)


def test_a_function_that_computes_something_else_the_second_time():
    calls = []

    def part(x):
        calls.append(1)
        return (x if len(calls) == 1 else x[:1]).exp().sum()

    x = tc.ones(3, requires_grad=True)
    y = checkpoint(part, x, use_reentrant=False, debug=True)
    with pytest.raises(CheckpointError, match=r"saved tensor 0 .* was \[3\] .* and is \[1\]"):
        y.backward()


def test_arguments_that_do_not_go_together():
    x = tc.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant=False"):
        checkpoint(tc.exp, x)
    with pytest.raises(ValueError, match="no keyword arguments, got out"):
        checkpoint(tc.exp, x, use_reentrant=True, out=None)
    with pytest.raises(ValueError, match="determinism_check must be"):
        checkpoint(tc.exp, x, use_reentrant=False, determinism_check="x")
    with pytest.raises(ValueError, match="1 to 2 segments, got 3"):
        checkpoint_sequential([tc.exp, tc.sin], 3, x, use_reentrant=False)
    with pytest.warns(UserWarning, match="none of the inputs requires grad"):
        checkpoint(tc.exp, x.detach(), use_reentrant=True)
