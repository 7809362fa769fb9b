"""Hooks on tensors, nodes and modules: what they are given, in which order, and what they change."""

from __future__ import annotations

import contextlib

import pytest

pytest.importorskip("torch")

from function_programs import agree_on, collected

PROGRAMS, program = collected()


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_programs(function):
    agree_on(function)


# ---------------------------------------------------------------------- hooks


@program
def order_of_hooks_at_a_node(t):
    log = []
    y = t.ones(2, requires_grad=True) * 2
    y.grad_fn.register_prehook(lambda outputs: log.append(("before", [g.tolist() for g in outputs])))
    y.grad_fn.register_hook(lambda inputs, outputs: log.append(("after", [g is None for g in inputs], len(outputs))))
    y.register_hook(lambda g: log.append(("tensor", g.tolist())))
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return log, y.grad


@program
def order_of_hooks_at_a_leaf(t):
    log = []
    x = t.ones(2, requires_grad=True)
    node = (x * 1).grad_fn.next_functions[0][0]
    node.register_hook(lambda inputs, outputs: log.append(("after", inputs, outputs[0].tolist())))
    node.register_prehook(lambda outputs: log.append(("before", outputs[0].tolist())))
    x.register_post_accumulate_grad_hook(lambda leaf: log.append(("added", leaf.grad.tolist())))
    x.register_hook(lambda g: log.append(("tensor", g.tolist())))
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    return log


@program
def hooks_replace_gradients(t):
    x = t.ones(2, requires_grad=True)
    y = x * 2
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 3,))
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + 1, None))
    node = y.grad_fn.next_functions[0][0]
    node.register_prehook(lambda outputs: (outputs[0] * 100,))
    y.sum().backward()
    return x.grad


@program
def hooks_are_removed(t):
    x = t.ones(1, requires_grad=True)
    y = x * 2
    handles = [
        y.grad_fn.register_prehook(lambda g: (g[0] * 9,)),
        y.grad_fn.register_hook(lambda i, o: (i[0] * 9, None)),
    ]
    for handle in handles:
        handle.remove()
    y.backward()
    return x.grad


@program
def after_hooks_see_gradients_of_the_operands_shapes(t):
    seen = []
    x, b = t.ones(4, 3, requires_grad=True), t.ones(3, requires_grad=True)
    y = x + b
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append([tuple(g.shape) for g in (*inputs, *outputs)]))
    y.sum().backward()
    return seen


@program
def hooks_of_several_outputs_see_all_gradients(t):
    seen = []
    values, _ = t.tensor([3.0, 1.0], requires_grad=True).sort()
    values.grad_fn.register_hook(lambda inputs, outputs: seen.append((len(inputs), [g is None for g in outputs])))
    values.sum().backward()
    return seen


@program
def hooks_on_several_tensors(t):
    log = []
    a, b = (t.ones(2, requires_grad=True) for _ in range(2))
    c, d = a * b, a * b
    handle = t.autograd.graph.register_multi_grad_hook((a, b, c, d), lambda gs: log.append([g is not None for g in gs]))
    c.sum().backward(retain_graph=True)
    c.sum().backward(inputs=(a,), retain_graph=True)
    handle.remove()
    c.sum().backward()
    return log


@program
def hooks_on_the_first_of_several_tensors(t):
    log = []
    a, b = (t.ones(2, requires_grad=True) for _ in range(2))
    t.autograd.graph.register_multi_grad_hook((a, b), lambda g: log.append(g.tolist()), mode="any")
    (a * 2 + b * 2).sum().backward()
    (a * 2).sum().backward()
    return log


@program
def a_multi_hook_of_another_mode(t):
    t.autograd.graph.register_multi_grad_hook((t.ones(2, requires_grad=True),), print, mode="some")


@program
def callbacks_at_the_end(t):
    log = []
    x = t.ones(1, requires_grad=True)
    engine = t.autograd.Variable._execution_engine
    x.register_hook(lambda g: engine.queue_callback(lambda: log.append(("end", x.grad.tolist()))))
    (x * 2).backward()
    return log


@program
def callbacks_outside_backward(t):
    t.autograd.Variable._execution_engine.queue_callback(print)


@program
def a_hook_that_raises_leaves_the_mode_alone(t):
    x = t.ones(1, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: 1 / 0)
    with contextlib.suppress(ZeroDivisionError):
        y.backward()
    return t.is_grad_enabled(), x.grad


@program
def backward_inside_a_hook(t):
    x, z = t.ones(1, requires_grad=True), t.ones(1, requires_grad=True)

    def inner(g):
        with t.enable_grad():
            (z * 5).backward()

    y = x * 2
    y.register_hook(inner)
    y.backward()
    return x.grad, z.grad


@program
def leaves_are_settled_as_soon_as_their_gradient_is_complete(t):
    log = []
    w, v = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    for name, x in (("w", w), ("v", v)):
        x.register_hook(lambda g, name=name: log.append(("hook", name)))
        x.register_post_accumulate_grad_hook(lambda x, name=name: log.append(("added", name, x.grad.tolist())))
    a = w * 2
    b = a * a
    c = b * w + v
    for name, x in (("a", a), ("b", b), ("c", c)):
        x.register_hook(lambda g, name=name: log.append(("hook", name)))
    (c + b).sum().backward()
    return log


@program
def parameters_are_settled_between_the_hooks_of_modules(t):
    log = []
    net = t.nn.Sequential(t.nn.Conv1d(1, 2, 2), t.nn.Tanh(), t.nn.Conv1d(2, 2, 2), t.nn.Linear(2, 1, bias=False))
    for name, parameter in net.named_parameters():
        parameter.register_post_accumulate_grad_hook(lambda p, name=name: log.append((name, p.grad is not None)))
    for place, module in enumerate(net):
        module.register_full_backward_hook(lambda m, gi, go, place=place: log.append(("module", place)))
    net(t.ones(3, 1, 4, requires_grad=True)).sum().backward()
    return log


@program
def leaves_that_are_outputs(t):
    log = []
    x = t.ones((), requires_grad=True)
    x.register_hook(lambda g: log.append("hook"))
    x.register_post_accumulate_grad_hook(lambda x: log.append(x.grad.item()))
    y = x * 2
    y.register_hook(lambda g: log.append("y"))
    t.autograd.backward([x, y])
    x.backward()
    t.autograd.grad(x * 3, x)
    (x * 3).backward(inputs=[x])
    return log


@program
def optimizers_that_step_in_backward(t):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 1)).double()
    with t.no_grad():
        for place, parameter in enumerate(net.parameters()):
            parameter.copy_(t.arange(parameter.numel(), dtype=t.float64).reshape(parameter.shape) / 7 - place / 2)
    optimizers = {p: t.optim.SGD([p], lr=0.1, momentum=0.9) for p in net.parameters()}

    def step(parameter):
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in net.parameters():
        parameter.register_post_accumulate_grad_hook(step)
    for _ in range(3):
        net(t.ones(2, 3, dtype=t.float64)).square().mean().backward()
    return [round(float(x), 9) for p in net.parameters() for x in p.flatten()], [p.grad for p in net.parameters()]


@program
def hooks_that_replace_before_the_gradient_is_added(t):
    x, y = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
    x.register_hook(lambda g: g * 10)

    def triple(y):
        y.grad.mul_(3)

    y.register_post_accumulate_grad_hook(triple)
    z = x * y
    (z * x + z).sum().backward()
    (x * y).sum().backward()
    return x.grad, y.grad


@program
def post_accumulate_hooks_return_nothing(t):
    x = t.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda x: x.grad)
    x.sum().backward()


#: What a hook may return in place of a gradient ``g``.
RETURNED = {
    "another": lambda g: g * 3, "fewer elements": lambda g: g[:1], "another shape": lambda g: g.reshape(2, 1),
    "another dtype": lambda g: g.double(), "a number": lambda g: 3, "a string": lambda g: "a", "a flag": lambda g: True,
    "a list": lambda g: [g], "a tuple": lambda g: (g,),
}  # fmt: skip


def on_an_inner_tensor(t, x, y, change):
    y.register_hook(change)


def on_a_leaf(t, x, y, change):
    x.register_hook(change)


def before_a_node(t, x, y, change):
    y.grad_fn.register_prehook(lambda gradients: (change(gradients[0]),))


def after_a_node(t, x, y, change):
    y.grad_fn.register_hook(lambda inner, outer: (change(inner[0]), None))


def after_a_node_too_few(t, x, y, change):
    y.grad_fn.register_hook(lambda inner, outer: (change(inner[0]),))


PLACES = (on_an_inner_tensor, on_a_leaf, before_a_node, after_a_node, after_a_node_too_few)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("kind", RETURNED)
def test_what_hooks_return(kind, place):
    def run(t):
        x = t.ones(2, requires_grad=True)
        y = x * 2
        place(t, x, y, RETURNED[kind])
        y.sum().backward()
        return x.grad

    agree_on(run)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("kind", RETURNED)
def test_what_hooks_of_modules_return(kind, before):
    def run(t):
        x, net = t.ones(2, requires_grad=True), t.nn.Tanh()
        if before:
            net.register_full_backward_pre_hook(lambda m, outer: [RETURNED[kind](g) for g in outer])
        else:
            net.register_full_backward_hook(lambda m, inner, outer: [RETURNED[kind](g) for g in inner])
        net(x * 0).sum().backward()
        return x.grad

    agree_on(run)


# ---------------------------------------------------------------------- modules


@program
def order_of_backward_hooks_of_modules(t):
    log = []
    net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Tanh(), t.nn.Linear(2, 1))
    for name, module in net.named_modules():
        module.register_full_backward_pre_hook(lambda m, go, name=name: log.append(("before", name)))
        module.register_full_backward_hook(
            lambda m, gi, go, name=name: log.append(("after", name, [g is None for g in gi], [g is None for g in go]))
        )
        module.register_forward_pre_hook(lambda m, args, name=name: log.append(("forward", name)))
        module.register_forward_hook(lambda m, args, out, name=name: log.append(("done", name)))
    net(t.ones(3, 2, requires_grad=True)).sum().backward()
    return log


@program
def backward_hooks_of_modules_in_order_of_registration(t):
    log = []
    net = t.nn.Tanh()
    net.register_full_backward_hook(lambda m, gi, go: log.append("first"))
    net.register_full_backward_hook(lambda m, gi, go: log.append("second"))
    net.register_full_backward_hook(lambda m, gi, go: log.append("before"), prepend=True)
    net(t.ones(2, requires_grad=True)).sum().backward()
    return log


@program
def module_hooks_replace_and_are_removed(t):
    net, x = t.nn.Tanh(), t.zeros(2, requires_grad=True)
    handle = net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    net.register_full_backward_pre_hook(lambda m, go: (go[0] + 1,))
    net(x).sum().backward()
    first = x.grad.clone()
    handle.remove()
    net(x).sum().backward()
    return first, x.grad


@program
def backward_hooks_of_a_module_used_twice(t):
    log = []
    net = t.nn.Tanh()
    net.register_full_backward_hook(lambda m, gi, go: log.append(go[0].tolist()))
    x = t.zeros(1, requires_grad=True)
    net(net(x) * 2).sum().backward()
    return log


@program
def backward_hooks_with_frozen_parameters(t):
    log = []
    net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Linear(2, 1))
    for parameter in net[0].parameters():
        parameter.requires_grad_(False)
    for index, module in enumerate(net):
        module.register_full_backward_hook(lambda m, gi, go, index=index: log.append((index, [g is None for g in gi])))
    net(t.ones(1, 2)).sum().backward()
    return log


@program
def global_backward_hooks_come_first(t):
    from importlib import import_module

    log = []
    module = import_module(f"{t.__name__}.nn.modules.module")
    handles = [
        module.register_module_full_backward_hook(lambda m, gi, go: log.append("all")),
        module.register_module_full_backward_pre_hook(lambda m, go: log.append("all before")),
    ]
    net = t.nn.Tanh()
    net.register_full_backward_hook(lambda m, gi, go: log.append("own"))
    net.register_full_backward_pre_hook(lambda m, go: log.append("own before"))
    net(t.ones(2, requires_grad=True)).sum().backward()
    for handle in handles:
        handle.remove()
    return log


@program
def backward_hooks_need_tensors_as_inputs(t):
    class Scale(t.nn.Module):
        def forward(self, x, factor, *, bias=None):
            return {"y": x * factor} if bias is None else x * factor + bias

    log = []
    net = Scale()
    net.register_full_backward_hook(lambda m, gi, go: log.append((len(gi), len(go))))
    x = t.ones(2, requires_grad=True)
    net(x, 2.0, bias=x).sum().backward()
    return log, x.grad
