"""Custom functions: what they may return, save, mark and change, in both libraries."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from function_programs import agree_on, collected

PROGRAMS, program = collected()


@pytest.mark.parametrize("function", PROGRAMS, ids=lambda function: function.__name__)
def test_programs(function):
    agree_on(function)


def leaves(t):
    return t.ones(2, requires_grad=True), t.full((2,), 3.0, requires_grad=True)


def function(t, forward, backward, **methods):
    """A custom function of these static methods."""
    found = {"forward": forward, "backward": backward, **methods}
    return type(
        "Own",
        (t.autograd.Function,),
        {name: staticmethod(each) if callable(each) else each for name, each in found.items() if each is not None},
    )


def square(t):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.note = "kept"
        return x * x

    return function(t, forward, lambda ctx, g: 2 * ctx.saved_tensors[0] * g)


# ---------------------------------------------------------------------- what backward returns

#: Of one gradient ``g``, for a function of one input and of two.
RETURNED = {
    "nothing": lambda t, g: None,
    "a tensor": lambda t, g: g,
    "a tuple of one": lambda t, g: (g,),
    "a tuple of two": lambda t, g: (g, g),
    "a tensor and nothing": lambda t, g: (g, None),
    "nothings at the end": lambda t, g: (g, None, None),
    "one too many": lambda t, g: (g, g, g),
    "a number": lambda t, g: 3,
    "a tuple of a number": lambda t, g: (3,),
    "a list": lambda t, g: [g],
    "another dtype": lambda t, g: g.double(),
    "a complex one": lambda t, g: g * 1j,
    "fewer elements": lambda t, g: g[:1],
    "no dimension": lambda t, g: g.sum(),
    "another dimension in front": lambda t, g: g.unsqueeze(0),
    "another dimension behind": lambda t, g: g.unsqueeze(1),
    "more to be summed": lambda t, g: g.expand(5, 2),
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", RETURNED)
def test_what_backward_returns(kind, count):
    def run(t):
        x, w = leaves(t)
        own = function(t, lambda ctx, *xs: xs[0] * 2, lambda ctx, g: RETURNED[kind](t, g))
        own.apply(*(x, w)[:count]).sum().backward()
        return x.grad, w.grad

    agree_on(run)


# ---------------------------------------------------------------------- what forward returns

MADE = {
    "nothing": lambda t, x: None,
    "a number": lambda t, x: 3,
    "a list": lambda t, x: [x * 2],
    "a dict": lambda t, x: {"a": x * 2},
    "an empty tuple": lambda t, x: (),
    "a tensor and a number": lambda t, x: (x * 2, 3),
    "a tensor and nothing": lambda t, x: (x * 2, None),
    "two tensors": lambda t, x: (x * 2, x * 3),
    "its input": lambda t, x: x,
    "its input twice": lambda t, x: (x, x),
    "its input detached": lambda t, x: x.detach(),
    "its input as data": lambda t, x: x.data,
    "integers": lambda t, x: t.ones(2, dtype=t.int64),
    "a tensor and integers": lambda t, x: (x * 2, t.ones(2, dtype=t.int64)),
}


@pytest.mark.parametrize("kind", MADE)
def test_what_forward_returns(kind):
    def run(t):
        log = []

        def backward(ctx, *gs):
            log.append([None if g is None else g.tolist() for g in gs])
            return gs[0]

        x, _ = leaves(t)
        made = function(t, lambda ctx, x: MADE[kind](t, x), backward).apply(x)
        parts = made if isinstance(made, (tuple, list)) else [made]
        facts = [(y.requires_grad, y.is_leaf) if isinstance(y, t.Tensor) else str(type(y)) for y in parts]
        if not isinstance(parts, dict) and len(parts) and isinstance(parts[0], t.Tensor) and parts[0].requires_grad:
            parts[0].sum().backward()
        return facts, log, x.grad

    agree_on(run)


# ---------------------------------------------------------------------- steps


@program
def the_step_shows_what_ctx_has(t):
    x, _ = leaves(t)
    node = square(t).apply(x).grad_fn
    return (
        node.name(), type(node).__name__, node.saved_tensors, node.needs_input_grad, node.note, len(node.next_functions)
    )  # fmt: skip


@program
def saved_tensors_are_gone_after_backward(t):
    y = square(t).apply(leaves(t)[0])
    y.sum().backward()
    return y.grad_fn.saved_tensors


@program
def names_of_the_module(t):
    from importlib import import_module

    module = import_module(f"{t.__name__}.autograd.function")
    x, _ = leaves(t)
    own = square(t)
    node = own.apply(x).grad_fn
    return (
        isinstance(own, module.FunctionMeta), isinstance(node, module.BackwardCFunction),
        issubclass(own, module.Function), issubclass(module.InplaceFunction, module.Function),
        callable(module.FunctionCtx), own._backward_cls is type(node),
    )  # fmt: skip


@program
def instances_are_not_called(t):
    square(t)()(leaves(t)[0])


@program
def vjp_in_place_of_backward(t):
    x, _ = leaves(t)
    function(t, lambda ctx, x: x * 2, None, vjp=lambda ctx, g: g * 2).apply(x).sum().backward()
    return x.grad


@program
def vjp_and_backward(t):
    own = function(t, lambda ctx, x: x * 2, lambda ctx, g: g * 2, vjp=lambda ctx, g: g * 2)
    own.apply(leaves(t)[0]).sum().backward()


@program
def without_a_backward(t):
    function(t, lambda ctx, x: x * 2, None).apply(leaves(t)[0]).sum().backward()


@program
def without_a_forward(t):
    function(t, None, lambda ctx, g: g).apply(leaves(t)[0])


@program
def keyword_arguments(t):
    square(t).apply(x=leaves(t)[0])


@program
def errors_of_backward(t):
    function(t, lambda ctx, x: x * 2, lambda ctx, g: 1 / 0).apply(leaves(t)[0]).sum().backward()


# ---------------------------------------------------------------------- what is saved


@program
def only_tensors_are_saved(t):
    def forward(ctx, x):
        ctx.save_for_backward(3)
        return x * 2

    function(t, forward, lambda ctx, g: g).apply(leaves(t)[0])


@program
def nothing_and_inner_results_are_saved(t):
    log = []

    def forward(ctx, x):
        ctx.save_for_backward(x, None, x * 2)
        return x * 2

    def backward(ctx, g):
        a, b, c = ctx.saved_tensors
        log.append((b is None, c.tolist(), a.requires_grad, c.requires_grad))
        return g

    function(t, forward, backward).apply(leaves(t)[0]).sum().backward()
    return log


def exponential(t):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    return function(t, forward, lambda ctx, g: ctx.saved_tensors[0] * g)


@program
def a_saved_output_changed_in_place(t):
    y = exponential(t).apply(leaves(t)[0])
    y.add_(1)
    y.sum().backward()


@program
def a_saved_output_of_two_changed_in_place(t):
    def forward(ctx, x):
        y, z = x.exp(), x * 2
        ctx.save_for_backward(y, z)
        return y, z

    y, z = function(t, forward, lambda ctx, g, h: ctx.saved_tensors[0] * g + h).apply(leaves(t)[0])
    z.add_(1)
    y.sum().backward()


@program
def an_output_that_is_not_saved_changed_in_place(t):
    x, _ = leaves(t)
    y = square(t).apply(x)
    y.add_(1).mul_(y.detach())
    y.sum().backward()
    return x.grad


@program
def third_derivatives(t):
    x, _ = leaves(t)
    y = exponential(t).apply(x)
    for _ in range(3):
        (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return ((y - x.exp()).abs() < 1e-6).all(), y.requires_grad


@program
def once_differentiable(t):
    from importlib import import_module

    once = import_module(f"{t.__name__}.autograd.function").once_differentiable
    x, _ = leaves(t)
    own = function(t, lambda ctx, x: x * 2, once(lambda ctx, g: g * 2))
    own.apply(x).sum().backward()
    (g,) = t.autograd.grad(own.apply(x).sum(), x, create_graph=True)
    g.sum().backward()


# ---------------------------------------------------------------------- marks


def doubling(t):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    return function(t, forward, lambda ctx, g: g * 2)


@program
def dirty_inputs(t):
    x, _ = leaves(t)
    y = x * 1
    z = doubling(t).apply(y)
    (y * 3).sum().backward()
    return z is y, x.grad, y.grad_fn.name(), y._version


@program
def dirty_leaves(t):
    doubling(t).apply(leaves(t)[0])


@program
def dirty_views(t):
    x, _ = leaves(t)
    y = x * 1
    doubling(t).apply(y[:1])
    y.sum().backward()
    return x.grad, y


@program
def dirty_without_grad(t):
    y = t.ones(2)
    return doubling(t).apply(y) is y, y, y.requires_grad, y._version


@program
def dirty_and_needed_elsewhere(t):
    y = leaves(t)[0] * 1
    z = y * y
    doubling(t).apply(y)
    z.sum().backward()


@program
def dirty_and_not_returned(t):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x * 2

    function(t, forward, lambda ctx, g: g).apply(leaves(t)[0] * 1)


@program
def outputs_without_gradient(t):
    log = []

    def forward(ctx, x):
        y, places, z = x * 2, (x > 0).long(), x * 3
        ctx.mark_non_differentiable(places, z)
        return y, places, z

    def backward(ctx, g, of_places, h):
        log.append(h.tolist())
        return g * 2

    x, _ = leaves(t)
    y, places, z = function(t, forward, backward).apply(x)
    y.sum().backward()
    return [each.requires_grad for each in (y, places, z)], log, x.grad


@program
def gradients_that_are_not_made(t):
    log = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def backward(ctx, g, h):
        log.append((g is None, h is None))
        return g

    x, _ = leaves(t)
    function(t, forward, backward).apply(x)[0].sum().backward()
    return log, x.grad


@program
def needs_and_modes(t):
    log = []

    def forward(ctx, x, w):
        log.append((ctx.needs_input_grad, t.is_grad_enabled()))
        return x * w

    def backward(ctx, g):
        log.append((ctx.needs_input_grad, t.is_grad_enabled()))
        return g, g

    function(t, forward, backward).apply(leaves(t)[0], t.ones(2)).sum().backward()
    return log


# ---------------------------------------------------------------------- transforms


def scaled(t, **methods):
    def setup(ctx, inputs, output):
        x, ctx.factor = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    return function(t, lambda x, k: x * k, lambda ctx, g: (g * ctx.factor, None), setup_context=setup, **methods)


@program
def with_setup_context(t):
    x, _ = leaves(t)
    scaled(t).apply(x, 4).sum().backward()
    return x.grad, t.func.grad(lambda a: scaled(t).apply(a, 4).sum())(x.detach())


@program
def with_a_rule_for_vmap(t):
    log = []

    def vmap(info, in_dims, x, k):
        log.append((info.batch_size, info.randomness, in_dims))
        return x * k, in_dims[0]

    own = scaled(t, vmap=vmap)
    return t.vmap(lambda a: own.apply(a, 2))(t.ones(3, 2)), log


@program
def with_a_generated_rule_for_vmap(t):
    own = scaled(t, generate_vmap_rule=True)
    x = t.ones(3, 2)
    outside = x.clone().requires_grad_()
    t.vmap(lambda a: own.apply(a, 2))(outside).sum().backward()
    return (
        t.vmap(lambda a: own.apply(a, 2))(x), t.vmap(t.func.grad(lambda a: own.apply(a, 2).sum()))(x), outside.grad
    )  # fmt: skip


@program
def with_a_jvp(t):
    def jvp(ctx, along, none):
        return along * ctx.factor

    return t.func.jvp(lambda a: scaled(t, jvp=jvp).apply(a, 2), (t.ones(2),), (t.ones(2),))
