"""Bad input to backward, and backward in several threads."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from function_programs import agree_on, collected, run_in_threads

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
