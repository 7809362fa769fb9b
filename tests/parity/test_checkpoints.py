"""Checkpoints and hooks on saved tensors: what is kept, computed again, drawn again and refused."""

from __future__ import annotations

from importlib import import_module

import pytest

pytest.importorskip("torch")

from function_programs import agree_on, collected

PROGRAMS, program = collected()
WAYS = [True, False]


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_programs(function):
    agree_on(function)


def of(t):
    return import_module(f"{t.__name__}.utils.checkpoint")


def leaf(t):
    return t.arange(4.0, requires_grad=True)


# ---------------------------------------------------------------------- both ways


def outputs_that_are_no_tensors(t, way):
    x = leaf(t)
    y = of(t).checkpoint(lambda a: (a * 2, a * a, 3), x, use_reentrant=way)
    (y[0] + y[1]).sum().backward()
    return x.grad, y[2]


def modes(t, way):
    log = []
    of(t).checkpoint(lambda a: (log.append(t.is_grad_enabled()), a * a)[1], leaf(t), use_reentrant=way).sum().backward()
    return log


def the_same_draws(t, way):
    t.manual_seed(0)
    log = []

    def draw(a):
        log.append(t.rand(4))
        return a * log[-1]

    of(t).checkpoint(draw, leaf(t), use_reentrant=way).sum().backward()
    return log, t.rand(2)


def other_draws(t, way):
    t.manual_seed(0)
    log = []

    def draw(a):
        log.append(t.rand(4))
        return a * log[-1]

    of(t).checkpoint(draw, leaf(t), use_reentrant=way, preserve_rng_state=False).sum().backward()
    return log, t.rand(2)


def nested(t, way):
    x = leaf(t)
    inner = lambda a: of(t).checkpoint(lambda b: b * b, a, use_reentrant=way) * 3  # noqa: E731
    of(t).checkpoint(inner, x, use_reentrant=way).sum().backward()
    return x.grad


def backward_twice(t, way):
    y = of(t).checkpoint(lambda a: a * a, leaf(t), use_reentrant=way)
    y.sum().backward()
    y.sum().backward()


def backward_twice_with_the_graph_kept(t, way):
    x = leaf(t)
    y = of(t).checkpoint(lambda a: a * a, x, use_reentrant=way)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return x.grad


def without_grad(t, way):
    with t.no_grad():
        return of(t).checkpoint(lambda a: a * a, leaf(t), use_reentrant=way).requires_grad


def errors_of_the_function(t, way):
    of(t).checkpoint(lambda a: 1 / 0, leaf(t), use_reentrant=way)


def keyword_arguments(t, way):
    x = leaf(t)
    of(t).checkpoint(lambda a, k=1: a * k, x, k=5, use_reentrant=way).sum().backward()
    return x.grad


def inputs_in_containers(t, way):
    x = leaf(t)
    of(t).checkpoint(lambda d: d["a"] * d["a"], {"a": x}, use_reentrant=way).sum().backward()
    return x.grad


def sequences(t, way):
    x = leaf(t)
    of(t).checkpoint_sequential([t.square, t.relu, t.neg], 3, x, use_reentrant=way).sum().backward()
    return x.grad


def too_many_segments(t, way):
    x = leaf(t)
    of(t).checkpoint_sequential([t.square, t.relu], 5, x, use_reentrant=way).sum().backward()
    return x.grad


def unknown_arguments_of_sequences(t, way):
    of(t).checkpoint_sequential([t.square], 1, leaf(t), use_reentrant=way, other=1)


def hooks_of_inputs(t, way):
    log = []
    x = leaf(t)
    x.register_hook(lambda g: log.append(g.tolist()))
    of(t).checkpoint(lambda a: a * a, x, use_reentrant=way).sum().backward()
    return log


BOTH = (
    outputs_that_are_no_tensors, modes, the_same_draws, other_draws, nested, backward_twice,
    backward_twice_with_the_graph_kept, without_grad, errors_of_the_function, keyword_arguments, inputs_in_containers,
    sequences, too_many_segments, unknown_arguments_of_sequences, hooks_of_inputs,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", BOTH, ids=lambda function: function.__name__)
def test_both_ways(function, way):
    agree_on(lambda t: function(t, way))


# ---------------------------------------------------------------------- without reentry


@program
def second_derivatives(t):
    x = leaf(t)
    (g,) = t.autograd.grad(of(t).checkpoint(lambda a: a**3, x, use_reentrant=False).sum(), x, create_graph=True)
    return t.autograd.grad(g.sum(), x)


@program
def early_stop(t):
    log = []

    def run(a):
        log.append("start")
        b = a * a
        log.append("end")
        return b

    for early in (True, False):
        of(t).checkpoint(run, leaf(t), use_reentrant=False, early_stop=early).sum().backward()
    with of(t).set_checkpoint_early_stop(False):
        of(t).checkpoint(run, leaf(t), use_reentrant=False).sum().backward()
    return log


@program
def contexts(t):
    from contextlib import contextmanager

    log = []

    @contextmanager
    def noted(name):
        log.append(name)
        yield

    pair = lambda: (noted("first"), noted("again"))  # noqa: E731
    of(t).checkpoint(lambda a: a * a, leaf(t), use_reentrant=False, context_fn=pair).sum().backward()
    return log


@program
def contexts_with_reentry(t):
    of(t).checkpoint(lambda a: a * a, leaf(t), use_reentrant=True, context_fn=lambda: (1, 2))


@program
def unknown_checks_of_determinism(t):
    of(t).checkpoint(lambda a: a * a, leaf(t), use_reentrant=False, determinism_check="what")


def changing(t, first, second, **options):
    calls = []

    def run(a):
        calls.append(1)
        return first(a) if len(calls) == 1 else second(a)

    x = leaf(t)
    of(t).checkpoint(run, x, use_reentrant=False, **options).sum().backward()
    return x.grad


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "second", [lambda a: a * 1, lambda a: a[:2] * a[:2] * a[:2], lambda a: (a.double() ** 2).float() ** 2]
)
def test_another_computation_the_second_time_is_an_error(second, debug):
    import tensorcore as tc

    with pytest.raises(tc.utils.checkpoint.CheckpointError, match=r"must compute the same|in the recomputation"):
        changing(tc, lambda a: a * a * a, second, debug=debug)


@program
def inputs_changed_in_place(t):
    x = leaf(t) * 1
    y = of(t).checkpoint(lambda a: a.exp(), x, use_reentrant=False)
    x.add_(1)
    y.sum().backward()


@program
def leaves_changed_in_place(t):
    x = leaf(t)
    y = of(t).checkpoint(lambda a: a.exp(), x, use_reentrant=False)
    with t.no_grad():
        x.add_(1)
    y.sum().backward()


@program
def inputs_changed_by_the_function(t):
    of(t).checkpoint(lambda a: a.add_(1).exp(), leaf(t) * 1, use_reentrant=False).sum().backward()


@program
def inputs_go_through_the_hooks_around(t):
    log = []
    x = leaf(t)
    with t.autograd.graph.saved_tensors_hooks(lambda a: (log.append(a.tolist()), a * 2)[1], lambda a: a / 2):
        y = of(t).checkpoint(lambda a: a * a * a, x, use_reentrant=False)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x), log


@program
def inputs_are_kept_on_the_host(t):
    x, w = leaf(t), t.full((4,), 2.0, requires_grad=True)
    with t.autograd.graph.save_on_cpu():
        y = of(t).checkpoint(lambda a, b: (a * b) * (a * b), x, w, use_reentrant=False)
    y.sum().backward()
    return x.grad, w.grad


@program
def what_older_programs_call(t):
    x = leaf(t)
    (y, other) = of(t).detach_variable((x, 3))
    return y.requires_grad, y.is_leaf, y is x, other, of(t).check_backward_validity([x])


@program
def detached_variables_come_in_tuples(t):
    of(t).detach_variable([leaf(t)])


# ---------------------------------------------------------------------- hooks on saved tensors


@program
def hooks_that_pack_into_arrays(t):
    x = leaf(t)
    with t.autograd.graph.saved_tensors_hooks(lambda a: a.numpy(), t.from_numpy):
        y = x.square()
    y.sum().backward()
    return x.grad


@program
def hooks_that_unpack_no_tensor(t):
    with t.autograd.graph.saved_tensors_hooks(lambda a: a, lambda a: 3):
        y = leaf(t).exp()
    y.sum().backward()


@program
def hooks_that_raise(t):
    with t.autograd.graph.saved_tensors_hooks(lambda a: 1 / 0, lambda a: a):
        leaf(t).exp()


@program
def hooks_that_are_refused(t):
    with t.autograd.graph.disable_saved_tensors_hooks("not here"), t.autograd.graph.save_on_cpu():
        pass
