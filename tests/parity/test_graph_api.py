"""`autograd.graph`: nodes, edges, versions and module paths are those of PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from function_programs import agree_on, collected

PROGRAMS, program = collected()


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_programs(function):
    agree_on(function)


# ---------------------------------------------------------------------- nodes


@program
def names_and_next_functions(t):
    x = t.ones(2, requires_grad=True)
    y = (x * 2 + 1).exp().sum()
    found, node = [], y.grad_fn
    while node is not None and hasattr(node, "name"):
        found.append(type(node).__name__ if "Accumulate" in repr(node) else node.name())
        found.append([(other is None, index) for other, index in node.next_functions])
        node = node.next_functions[0][0] if node.next_functions else None
    return found[:-1], "AccumulateGrad" in found[-2]


@program
def indices_of_outputs(t):
    values, places = t.tensor([[3.0, 1.0, 2.0]], requires_grad=True).sort()
    y = values * 2
    (edge, index), _ = y.grad_fn.next_functions
    return edge is values.grad_fn, index, values.output_nr, places.requires_grad, edge.name()


@program
def several_outputs_have_one_node(t):
    q, r = t.linalg.qr(t.eye(2, requires_grad=True))
    return q.grad_fn is r.grad_fn, q.output_nr, r.output_nr, [i for _, i in (q @ r).grad_fn.next_functions]


@program
def accumulate_grad(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    node, index = y.grad_fn.next_functions[0]
    again = (x * 3).grad_fn.next_functions[0][0]
    return node.variable is x, node is again, index, node.next_functions, isinstance(node, t.autograd.graph.Node)


@program
def metadata_lasts(t):
    y = t.ones(2, requires_grad=True) * 2
    y.grad_fn.metadata["key"] = 3
    return y.grad_fn.metadata, y.grad_fn.requires_grad, isinstance(y.grad_fn, t.autograd.graph.Node)


@program
def sequence_numbers_grow(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    return y.grad_fn._sequence_nr() < (y + 1).grad_fn._sequence_nr()


@program
def what_nodes_save(t):
    x, w = t.tensor([1.0, 2.0], requires_grad=True), t.tensor([3.0, 4.0], requires_grad=True)
    node = (x * w).grad_fn
    soft = x.softmax(0).grad_fn
    return node._saved_self, node._saved_other, soft._saved_result, soft._saved_dim


@program
def what_nodes_need_not_save(t):
    return (t.ones(2, requires_grad=True) * t.ones(2)).grad_fn._saved_self


@program
def what_was_freed(t):
    y = t.ones(2, requires_grad=True).exp()
    y.sum().backward()
    return y.grad_fn._saved_result


@program
def an_attribute_that_is_none(t):
    return t.ones(2, requires_grad=True).exp().grad_fn._saved_nothing


# ---------------------------------------------------------------------- edges


@program
def edges_in_place_of_inputs(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    edges = [t.autograd.graph.get_gradient_edge(each) for each in (x, y)]
    return t.autograd.grad((y * 3).sum(), edges), [edge.output_nr for edge in edges]


@program
def edges_in_place_of_outputs(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    edge = t.autograd.graph.get_gradient_edge(y)
    t.autograd.backward(edge, t.ones(2))
    return x.grad


@program
def edges_of_one_output_of_several(t):
    x = t.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, _ = x.sort()
    edge = t.autograd.graph.get_gradient_edge(values)
    loss = (values * t.tensor([1.0, 2.0, 3.0])).sum()
    bare = t.autograd.graph.GradientEdge(values.grad_fn, 0)
    return t.autograd.grad(loss, [edge, bare, x], retain_graph=True), t.autograd.grad(edge, x, t.ones(3))


@program
def edges_of_scalars_need_no_gradient(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    return t.autograd.grad(t.autograd.graph.get_gradient_edge((x * 2).sum()), x)


@program
def edges_of_more_than_scalars_need_one(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    return t.autograd.grad(t.autograd.graph.get_gradient_edge(x * 2), x)


@program
def backward_into_an_edge(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    t.autograd.backward((x * 2).sum(), inputs=[t.autograd.graph.get_gradient_edge(x)])
    return x.grad


@program
def unused_edges(t):
    x, y = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    edge = t.autograd.graph.get_gradient_edge(y)
    loss = (x * 2).sum()
    return t.autograd.grad(loss, [x, edge], allow_unused=True)


@program
def edges_of_what_needs_no_grad(t):
    t.autograd.graph.get_gradient_edge(t.ones(2))


@program
def edges_go_together_with_tensors(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y, z = x * 2, (x * 3).sum()
    return t.autograd.grad([t.autograd.graph.get_gradient_edge(y), z], [x], [t.ones(2), None])


# ---------------------------------------------------------------------- versions and mutation


@program
def versions_are_raised(t):
    x, y = t.ones(2), t.ones(2)
    t.autograd.graph.increment_version(x)
    t.autograd.graph.increment_version([x, y])
    return x._version, y._version


@program
def a_raised_version_is_seen_by_backward(t):
    x, w = t.ones(2, requires_grad=True), t.ones(2)
    y = (x * w).sum()
    t.autograd.graph.increment_version(w)
    y.backward()


@program
def saved_tensors_may_change(t):
    with t.autograd.graph.allow_mutation_on_saved_tensors():
        x = t.full((2,), 2.0, requires_grad=True)
        w = t.full((2,), 3.0)
        y = x * w
        e = x.exp()
        loss = (y * e).sum()
        w.add_(1)
        w.zero_()
        y.mul_(0)
        e.detach().zero_()
        loss.backward()
    return x.grad, w


@program
def mutation_blocks_do_not_nest(t):
    with t.autograd.graph.allow_mutation_on_saved_tensors(), t.autograd.graph.allow_mutation_on_saved_tensors():
        pass


# ---------------------------------------------------------------------- places


@pytest.mark.parametrize(
    "path",
    ["autograd.grad_mode", "autograd.anomaly_mode", "autograd.profiler", "autograd.profiler_util", "autograd.graph",
     "autograd.function", "autograd.functional", "autograd.forward_ad", "autograd.variable", "profiler"],
)  # fmt: skip
def test_module_paths(path):
    from importlib import import_module

    theirs = import_module(f"torch.{path}")
    ours = import_module(f"tensorcore.{path}")
    missing = {name for name in getattr(theirs, "__all__", ()) if not hasattr(ours, name)}
    assert missing <= LEFT_OUT.get(path, set())


#: Names of PyTorch's that are about how it is built.
LEFT_OUT = {
    "autograd.grad_mode": {"enforce_grad_layout_policy"},
    "autograd.graph": {
        "region_activation_memory_budget", "set_override_stale_capture_stream",
        "set_warn_on_accumulate_grad_stream_mismatch",
    },
    "autograd.profiler_util": {"Kernel", "StringTable", "FormattedTimesMixin", "EventMetadata", "MemRecordsAcc"},
    "autograd.profiler": {"EnforceUnique", "KinetoStepTracker", "MemRecordsAcc"},
    "profiler": {"DeviceType", "ExecutionTraceObserver", "kineto_available"},
    "autograd.function": {"NestedIOFunction"},
    "autograd.variable": {"VariableMeta"},
}  # fmt: skip
