"""Bad input to backward, and backward in several threads."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from function_programs import agree_on, collected, run_in_threads

import tensorcore as tc

PROGRAMS, program = collected()


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_programs(function):
    agree_on(function)


# ---------------------------------------------------------------------- errors


@program
def backward_twice(t):
    y = (t.ones(2, requires_grad=True) ** 2).sum()
    y.backward()
    y.backward()


@program
def backward_through_a_part_that_was_freed(t):
    x = t.ones(2, requires_grad=True)
    shared = x.exp()
    shared.sum().backward()
    (shared * 2).sum().backward()


@program
def backward_twice_where_nothing_was_saved(t):
    x = t.ones(2, requires_grad=True)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def backward_of_more_than_a_scalar(t):
    (t.ones(2, requires_grad=True) * 2).backward()


@program
def backward_of_a_single_element(t):
    x = t.ones(1, 1, requires_grad=True)
    (x * 2).backward()
    return x.grad


@program
def a_gradient_of_another_shape(t):
    (t.ones(2, requires_grad=True) * 2).backward(t.ones(3))


@program
def a_gradient_of_another_dtype(t):
    x = t.ones(2, requires_grad=True)
    (x * 2).backward(t.ones(2, dtype=t.float64))
    return x.grad


@program
def no_graph(t):
    t.ones(1).backward()


@program
def a_leaf_changed_in_place(t):
    t.ones(1, requires_grad=True).add_(1)


@program
def a_leaf_changed_after_its_use(t):
    x = t.ones(1, requires_grad=True)
    y = x**2
    with t.no_grad():
        x.add_(1)
    y.backward()


@program
def a_gradient_set_to_another_shape(t):
    t.ones(2, requires_grad=True).grad = t.ones(3)


@program
def a_gradient_set_to_no_tensor(t):
    t.ones(2, requires_grad=True).grad = 3


@program
def a_hook_on_what_needs_no_grad(t):
    t.ones(2).register_hook(print)


@program
def a_post_accumulate_hook_on_no_leaf(t):
    (t.ones(2, requires_grad=True) * 2).register_post_accumulate_grad_hook(print)


@program
def inputs_that_are_empty(t):
    (t.ones(1, requires_grad=True) * 2).backward(inputs=[])


@program
def inputs_that_need_no_grad(t):
    t.autograd.grad(t.ones(1, requires_grad=True) * 2, t.ones(1))


@program
def inputs_that_are_not_used(t):
    t.autograd.grad(t.ones(1, requires_grad=True) * 2, t.ones(1, requires_grad=True))


@program
def batched_gradients(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    return t.autograd.grad(x**2, x, t.eye(2), is_grads_batched=True)


@program
def no_inputs(t):
    t.autograd.grad(t.ones(1, requires_grad=True) * 2, [])


@program
def unused_inputs_that_are_materialised_and_refused(t):
    x = t.ones(1, requires_grad=True)
    t.autograd.grad(x * 2, x, materialize_grads=True, allow_unused=False)


@program
def complex_scalars_without_a_gradient(t):
    (t.ones(2, dtype=t.complex64, requires_grad=True) * 2).sum().backward()


@program
def complex_gradients_of_real_outputs(t):
    (t.ones(2, requires_grad=True) * 2).backward(t.ones(2, dtype=t.complex64))


@program
def real_gradients_of_complex_outputs(t):
    (t.ones(2, dtype=t.complex64, requires_grad=True) * 2).backward(t.ones(2))


@program
def a_tensor_as_its_own_gradient(t):
    x = t.ones(2, requires_grad=True)
    x.grad = x


@program
def a_gradient_is_deleted(t):
    x = t.ones(2, requires_grad=True)
    x.sum().backward()
    del x.grad
    return x.grad


@program
def data_that_is_no_tensor(t):
    t.ones(2, requires_grad=True).data = 3


# ---------------------------------------------------------------------- changes in place


@program
def views_of_no_grad(t):
    y = t.ones(2, requires_grad=True) * 1
    with t.no_grad():
        view = y[:1]
    view.mul_(2)


@program
def views_of_leaves_of_no_grad(t):
    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        view = x.view(2, 1)
    view.mul_(2)


@program
def views_of_no_grad_where_nothing_is_recorded(t):
    x = t.ones(2, requires_grad=True)
    with t.no_grad():
        x.view(2, 1).mul_(2)
    x.detach()[:1].mul_(2)
    return x


@program
def changes_of_data_are_not_noticed(t):
    x, w = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    y = x * w
    x.data.mul_(3)
    y.sum().backward()
    return x._version, w.grad


@pytest.mark.parametrize("change", ["zero_()", "fill_(3.0)", "uniform_()", "gt_(0.5)", "bernoulli_(0.5)"])
def test_what_is_overwritten_has_no_gradient(change):
    def run(t):
        x = t.ones(2, requires_grad=True)
        y = x * 1
        exec(f"y.{change}")
        y.sum().backward()
        return y.requires_grad, x.grad

    agree_on(run)


# ---------------------------------------------------------------------- modes


@program
def generators_without_grad(t):
    x = t.ones(2, requires_grad=True)

    @t.no_grad()
    def steps():
        got = yield t.is_grad_enabled()
        yield (x * got).requires_grad
        return 5

    made = steps()
    found = [next(made), t.is_grad_enabled(), made.send(3), t.is_grad_enabled()]
    try:
        next(made)
    except StopIteration as end:
        found.append(end.value)
    return found


@program
def generators_catch_what_is_thrown(t):
    log = []

    @t.no_grad()
    def steps():
        try:
            yield 1
        except ValueError:
            log.append(t.is_grad_enabled())
            yield 2
        finally:
            log.append(("closed", t.is_grad_enabled()))

    made = steps()
    log.extend([next(made), made.throw(ValueError()), t.is_grad_enabled()])
    made.close()
    return log


@program
def inference_mode_ends_inside(t):
    x = t.ones(2, requires_grad=True)
    found = []
    with t.inference_mode():
        with t.inference_mode(False):
            found.append(((x * 2).requires_grad, t.is_inference_mode_enabled()))
        found.append((t.is_grad_enabled(), t.is_inference_mode_enabled()))
    with t.no_grad(), t.inference_mode(False):
        found.append(t.is_grad_enabled())
    return found


def test_reading_grad_of_no_leaf_warns():
    y = tc.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match=r"grad: of a tensor that MulBackward0 made is None.*retain_grad\(\)"):
        assert y.grad is None
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]


def test_backward_that_is_to_be_differentiated_warns_of_cycles():
    with pytest.warns(UserWarning, match=r"create_graph=True.*use autograd.grad"):
        tc.ones(1, requires_grad=True).square().backward(create_graph=True)


# ---------------------------------------------------------------------- threads


@program
def threads_with_graphs_of_their_own(t):
    x = t.ones(64, requires_grad=True)

    def work():
        for _ in range(20):
            (x * x).sum().backward()

    run_in_threads(work)
    return x.grad[0]


@program
def threads_with_one_graph(t):
    x = t.ones(64, requires_grad=True)
    y = (x.exp() * x).sum()
    run_in_threads(lambda: y.backward(retain_graph=True))
    return (x.grad / 4).sum() - (2 * t.ones(64).exp()).sum() < 1e-3


@program
def grad_mode_is_a_threads_own(t):
    found = []
    with t.no_grad():
        run_in_threads(lambda: found.append(t.is_grad_enabled()), 1)
    return found
