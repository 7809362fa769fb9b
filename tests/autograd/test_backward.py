"""backward and grad: accumulation, arguments, hooks, deep graphs, memory."""

from __future__ import annotations

import gc
import math
import weakref

import pytest

import tensorcore as tc
from tensorcore.autograd.graph import Node
from tensorcore.errors import DTypeError, InplaceError, ShapeError


def leaf(*values, dtype=tc.float64):
    return tc.tensor(values, dtype=dtype, requires_grad=True)


def test_gradients_are_added_up_over_uses_and_calls():
    x = leaf(1, 2)
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [3, 5]
    held = x.grad
    (x * 2).sum().backward()
    assert x.grad.tolist() == [5, 7]
    assert x.grad is held, "PyTorch adds into the same tensor"


def test_broadcasting_and_conversion_are_undone():
    row, column = leaf(1, 2, 3), tc.ones(2, 1, requires_grad=True)
    (row * column).sum().backward()
    assert (row.grad.tolist(), row.grad.dtype) == ([2, 2, 2], tc.float64)
    assert (column.grad.tolist(), column.grad.dtype) == ([[6], [6]], tc.float32)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0, 3)])
def test_odd_shapes(shape):
    x = tc.ones(shape, requires_grad=True)
    (x * 3).sum().backward()
    assert x.grad.shape == shape
    assert (x.grad == 3).all()


def test_grads_of_different_leaves_share_no_memory():
    x, y = leaf(1, 2), leaf(3, 4)
    seed = tc.ones(2, dtype=tc.float64)
    (x + y).backward(seed)
    x.grad.zero_()
    assert y.grad.tolist() == [1, 1]
    assert seed.tolist() == [1, 1]


def test_a_sum_reaches_leaves_in_full_shape():
    x = leaf(1, 2, 3)
    x.sum().backward()
    x.grad[0] = 7
    assert x.grad.tolist() == [7, 1, 1]


def test_a_uniform_cotangent_is_summed_over_broadcast_sides():
    x, b = tc.ones(4, 3, requires_grad=True), tc.ones(3, requires_grad=True)
    (x + b).sum().backward()
    assert b.grad.tolist() == [4, 4, 4]


def test_grad_leaves_grad_alone_and_can_be_differentiated():
    x = leaf(2.0)
    (first,) = tc.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = tc.autograd.grad(first.sum(), x)
    assert (first.item(), second.item(), x.grad) == (12, 12, None)


def test_grad_of_inner_tensors_and_only_what_is_asked():
    x, y = leaf(2.0), leaf(3.0)
    inner = x * y
    assert [g.item() for g in tc.autograd.grad((inner * inner).sum(), [inner, x], retain_graph=True)] == [12, 36]
    (inner * x).sum().backward(inputs=[y])
    assert (x.grad, y.grad.item()) == (None, 4)


def test_unused_inputs():
    x, y = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match=r"grad: input 1, of shape \[1\], was not used"):
        tc.autograd.grad((x * 2).sum(), [x, y])
    assert tc.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert tc.autograd.grad((x * 2).sum(), [x, y], materialize_grads=True)[1].tolist() == [0]


def test_batched_grads():
    x = leaf(1, 2)
    (rows,) = tc.autograd.grad(x * x, x, tc.eye(2, dtype=tc.float64), is_grads_batched=True)
    assert rows.tolist() == [[2, 0], [0, 4]]


def test_a_second_backward_needs_the_graph():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(
        RuntimeError, match=r"MulBackward0: backward through the graph a second time.*retain_graph=True"
    ):
        y.backward()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: tc.ones(2).sum().backward(), RuntimeError, "does not require grad and has no grad_fn"),
        (lambda: leaf(1, 2).backward(), RuntimeError, r"only for scalars, not for shape \[2\]"),
        (lambda: leaf(1, 2).backward(tc.ones(3)), ShapeError, r"gradient of shape \[3\] for an output of shape \[2\]"),
        (lambda: leaf(1, 2).backward(tc.ones(2, dtype=tc.int64)), DTypeError, "must be floating point or complex"),
        (lambda: leaf(1.0).backward(inputs=[]), RuntimeError, "inputs is empty"),
        (lambda: tc.autograd.grad(leaf(1.0).sum(), tc.ones(1)), RuntimeError, "input 0, .* does not require"),
        (lambda: tc.ones(2, dtype=tc.int64).requires_grad_(), DTypeError, "only floating-point and complex"),
        (lambda: setattr(leaf(1, 2), "grad", tc.ones(3)), ShapeError, r"\[3\].* does not fit a tensor of shape \[2\]"),
    ],
)  # fmt: skip
def test_bad_input(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_hooks_see_the_whole_gradient_once_and_may_replace_it():
    x = leaf(1.0)
    seen = []
    handle = x.register_hook(lambda g: seen.append(g.item()))
    inner = x * 2
    inner.register_hook(lambda g: g * 10)
    (inner * 3 + x).sum().backward()
    assert (seen, x.grad.item()) == ([61], 61)
    handle.remove()
    x.sum().backward()
    assert seen == [61]


def test_node_hooks_and_post_accumulate_hooks():
    x = leaf(1.0)
    y = x * 2
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + 1, None))
    done = []
    x.register_post_accumulate_grad_hook(lambda t: done.append(t.grad.item()))
    y.sum().backward()
    assert done == [3]


def test_retain_grad():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    (y * 3).sum().backward()
    assert (y.grad.item(), y.retains_grad, x.retains_grad) == (3, True, False)


def test_graph_attributes():
    x = leaf(1.0)
    y = x * 2
    assert (x.is_leaf, x.grad_fn, y.is_leaf, repr(y.grad_fn)) == (True, None, False, "<MulBackward0>")
    assert [repr(node) for node, _ in y.grad_fn.next_functions] == ["<AccumulateGrad>", "None"]


def test_a_graph_of_100_000_nodes():
    x = y = leaf(1.0)
    for _ in range(100_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.item() == 1
    del y


def test_a_graph_is_freed_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = leaf(1.0)
        y = (x.exp() * x).tanh().sum()
        node = weakref.ref(y.grad_fn)
        y.backward()
        del y
        assert node() is None
        z = x.exp().sigmoid() if hasattr(x, "sigmoid") else x.exp()
        node = weakref.ref(z.grad_fn)
        del z
        assert node() is None, "an op that keeps its output must not keep itself alive"
    finally:
        gc.enable()


def test_what_no_gradient_needs_is_not_kept():
    x, constant = leaf(1.0), tc.ones(1, dtype=tc.float64)
    node = (x * constant).grad_fn
    assert node.inputs[0] is None
    assert node.inputs[1] is constant
    assert (x + constant).grad_fn.inputs is None


def test_values_needed_for_backward_must_not_change():
    x, w = leaf(1.0), tc.ones(1, dtype=tc.float64)
    y = (x * w).sum()
    w.add_(1)
    with pytest.raises(
        InplaceError, match=r"MulBackward0: its operand 'other', of shape \[1\].*add_ at .*test_backward.py:\d+"
    ):
        y.backward()
    y = x.exp()
    z = y.sum()
    y.detach().zero_()
    with pytest.raises(InplaceError, match=r"exp: its output.*zero_|fill_ at"):
        z.backward()


def test_changes_that_nothing_needs_are_allowed():
    x = leaf(1.0)
    y = x + 1
    y.mul_(2)
    y.sum().backward()
    assert x.grad.item() == 2


def test_in_place_on_leaves():
    x = leaf(1.0)
    with pytest.raises(InplaceError, match="a leaf tensor that requires grad cannot be changed in place"):
        x.add_(1)
    with pytest.raises(InplaceError, match="a view of a leaf"):
        x[:].add_(1)
    with tc.no_grad():
        x.add_(1)
    assert x.tolist() == [2]


def test_in_place_on_views_reaches_the_base():
    x = leaf(1, 2, 3)
    y = x * 1
    y[1:].mul_(10)
    (y * y).sum().backward()
    assert y.tolist() == [1, 20, 30]
    assert x.grad.tolist() == [2, 400, 600]


def test_versions():
    x = tc.ones(3)
    view = x[1:]
    view.add_(1)
    x.zero_()
    assert (x._version, view._version, view._base is x) == (2, 2, True)


def test_detach_and_data():
    x = leaf(1.0)
    y = (x * 2).detach()
    assert (y.requires_grad, y.is_leaf) == (False, True)
    x.data.mul_(5)
    assert x.tolist() == [5]
    x.data = tc.tensor([7.0], dtype=tc.float64)
    assert (x.tolist(), x.requires_grad) == ([7], True)


def test_second_derivatives_of_several_outputs():
    x = tc.tensor([[3.0, 1.0, 2.0]], dtype=tc.float64, requires_grad=True)
    values, _ = x.sort(dim=1)
    (g,) = tc.autograd.grad((values**3)[:, :2].sum(), x, create_graph=True)
    (h,) = tc.autograd.grad(g.sum(), x)
    assert g.tolist() == [[0, 3, 12]]
    assert h.tolist() == [[0, 6, 12]]


def test_nodes_are_ordered_by_age():
    x = leaf(1.0)
    y = x * 2
    z = y * 3
    assert isinstance(y.grad_fn, Node)
    assert y.grad_fn.sequence < z.grad_fn.sequence


def test_views_taken_before_a_change_follow_it():
    x = leaf(1, 2, 3)
    y = x * 1
    late, mine = y[1:], y[:2]
    mine.mul_(10)
    y[2] = 7
    assert late.tolist() == [20, 7]
    (late * late).sum().backward()
    assert x.grad.tolist() == [0, 400, 0]


@pytest.mark.parametrize(
    ("change", "slope"),
    [
        (lambda y: y.sin_(), lambda v: math.cos(v)),
        (lambda y: y.clamp_(0.2, 0.8), lambda v: float(0.2 <= v <= 0.8)),
        (lambda y: y.square_(), lambda v: 2 * v),
        (lambda y: y.fmod_(0.3), lambda v: 1.0),
        (lambda y: tc.nn.functional.leaky_relu(y, 0.5, inplace=True), lambda v: 1.0 if v > 0 else 0.5),
    ],
    ids=["primitive", "bounds", "rule", "expression", "function"],
)
def test_in_place_ops_keep_what_they_overwrite(change, slope):
    x = leaf(0.1, 0.5, 0.9, -0.4)
    y = x * 1
    change(y)
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([slope(v) for v in x.tolist()])
