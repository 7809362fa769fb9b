"""What `autograd.graph` has beyond PyTorch's behaviour (that is compared in tests/parity), and what it refuses."""

from __future__ import annotations

import gc
import weakref

import pytest

import tensorcore as tc
from tensorcore.autograd.graph import before_changes, watchers
from tensorcore.autograd.graph import get_gradient_edge as edge_of
from tensorcore.errors import DeviceError, DTypeError


def leaf(*values):
    return tc.tensor(values, requires_grad=True)


def test_the_node_of_a_leaf_is_the_same_while_it_is_held_and_keeps_no_leaf_alive():
    x = leaf(1.0)
    node = (x * 2).grad_fn.next_functions[0][0]
    assert node is edge_of(x).node and node.variable is x
    gone = weakref.ref(x)
    del node, x
    gc.collect()
    assert gone() is None


def test_an_edge_keeps_the_graph_but_not_the_tensor():
    x = leaf(2.0)
    y = x * x
    edge, gone = edge_of(y), weakref.ref(y)
    del y
    assert gone() is None
    assert tc.autograd.grad(edge, x, tc.ones(1))[0].tolist() == [4]


def test_unused_edges_can_be_materialised():
    x, y = leaf(1.0), leaf(1.0, 2.0)
    found = tc.autograd.grad(x * 2, [x, edge_of(y), edge_of(y * 2)], materialize_grads=True)
    assert [g.tolist() for g in found] == [[2], [0, 0], [0, 0]]
    with pytest.raises(RuntimeError, match=r"input 1, of shape \[2\], was not used"):
        tc.autograd.grad(x * 2, [x, edge_of(y)])


def test_gradients_in_a_multi_hook_come_with_several_runs_at_once():
    seen = []
    a, b = leaf(1.0), leaf(1.0)

    def nested(g):
        with tc.enable_grad():
            (a * 10 + b * 10).backward()

    y = a * 2
    handle = tc.autograd.graph.register_multi_grad_hook([a, b], lambda gs: seen.append([g.item() for g in gs]))
    y.register_hook(nested)
    (y + b).backward()
    assert seen == [[10, 10], [2, 1]]
    with handle:
        pass
    (a + b).backward()
    assert len(seen) == 2


def test_saved_views_and_outputs_may_change_inside_the_block():
    with tc.autograd.graph.allow_mutation_on_saved_tensors() as context:
        w, x = tc.arange(4.0), tc.ones(2, requires_grad=True)
        y = x * w[1:3]
        z = y.exp()
        w[0:2] = 9.0
        z.mul_(0)
        y.add_(5)
        z.sum().backward()
    assert x.grad.tolist() == [0, 0] and not before_changes and not watchers
    with tc.autograd.graph.allow_mutation_on_saved_tensors() as context:
        x.grad = None
        w = tc.arange(4.0)
        y = (x * w[1:3]).sum()
        w[0:2] = 9.0
        y.backward(retain_graph=True)
        context.clear()
    assert x.grad.tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="outside the block"):
        y.backward()


def test_hooks_keep_what_they_are_given_whatever_happens_to_the_original():
    x, w = leaf(1.0), tc.ones(1)
    with tc.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = x * w
        z = y.exp()
    w.zero_()
    z.detach().zero_()
    z.backward()
    assert x.grad.item() == pytest.approx(2.7182817)


@pytest.mark.parametrize("names", ["pair", "variadic"])
def test_saved_attributes(names):
    x = leaf(1.0, 2.0)
    if names == "pair":
        node = (x * x).grad_fn
        assert node._saved_self is x and node._saved_other is x and "_saved_other" in dir(node)
    else:
        node = tc.linalg.multi_dot([tc.ones(2, 2, requires_grad=True)] * 3).grad_fn
        assert all(hasattr(node, name) for name in dir(node) if name.startswith("_saved"))
        joined = tc.block_diag(x, x).grad_fn
        assert all(hasattr(joined, name) for name in dir(joined) if name.startswith("_saved"))
    with pytest.raises(AttributeError, match="it keeps"):
        _ = node._saved_dim
    assert not hasattr(node, "_saved_wrong") and "_saved_dim" not in dir(node)


def test_packed_tensors_are_unpacked_for_those_who_look():
    x = leaf(1.0, 2.0)
    with tc.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t / 2):
        node = (x.exp() * x).grad_fn
        (exp, _), _ = node.next_functions
    assert node._saved_other.tolist() == [1, 2] and exp._saved_result.tolist() == pytest.approx([2.71828, 7.38906])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: edge_of(tc.ones(2)), RuntimeError, r"shape \[2\] that does not require grad"),
        (lambda: tc.autograd.backward(leaf(1.0) * 2, inputs=[edge_of(leaf(1.0) * 2)]), RuntimeError, "has no grad"),
        (lambda: tc.autograd.backward([leaf(1.0) * 2], [tc.ones(1)] * 2), RuntimeError, "1 outputs but 2 gradients"),
        (lambda: (leaf(1.0) * 2).backward(tc.ones(1, device="reference")), DeviceError, "on 'reference' for"),
        (lambda: (leaf(1.0) * 2).backward(tc.ones(1, dtype=tc.int32)), DTypeError, "floating point or complex"),
        (lambda: setattr(leaf(1.0), "grad", 3), TypeError, "expected a tensor or None, got int"),
        (
            lambda: tc.autograd.graph.register_multi_grad_hook([tc.ones(1)], print),
            RuntimeError,
            "does not require grad",
        ),
        (lambda: tc.autograd.graph.register_multi_grad_hook([], print, mode="one"), ValueError, "'all' or 'any'"),
        (lambda: tc.autograd.Variable._execution_engine.queue_callback(print), RuntimeError, "during a backward pass"),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_callbacks_belong_to_their_own_backward():
    log = []
    x, z = leaf(1.0), leaf(1.0)
    engine = tc.autograd.Variable._execution_engine

    def outer(g):
        engine.queue_callback(lambda: log.append("outer"))
        with tc.enable_grad():
            z.register_hook(lambda g: engine.queue_callback(lambda: log.append("inner")))
            (z * 2).backward()

    y = x * 2
    y.register_hook(outer)
    y.backward()
    assert log == ["inner", "outer"]


def test_multithreading_is_accepted():
    with tc.autograd.set_multithreading_enabled(False):
        assert not tc.autograd.is_multithreading_enabled()
    assert tc.autograd.is_multithreading_enabled()
