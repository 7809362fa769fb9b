"""Custom functions inside transforms, with and without static methods of their own for them."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.func import grad, hessian, jacfwd, jacrev, jvp, vmap


class Cube(tc.autograd.Function):
    @staticmethod
    def forward(x, factor):
        return x**3 * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.save_for_forward(inputs[0])
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * x * ctx.factor * g, None


class Generated(Cube):
    generate_vmap_rule = True


class Mapped(Cube):
    calls = []  # noqa: RUF012

    @staticmethod
    def vmap(info, in_dims, x, factor):
        Mapped.calls.append((info.batch_size, info.randomness, in_dims))
        return Mapped.apply(x, factor), in_dims[0]


class Pushed(Generated):
    calls = []  # noqa: RUF012

    @staticmethod
    def jvp(ctx, t, factor):
        (x,) = ctx.saved_tensors
        Pushed.calls.append(1)
        return 3 * x * x * ctx.factor * t


class WithContext(tc.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x**3 * factor

    backward = Cube.backward


class SavesOutput(tc.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x, factor):
        return x.exp() * factor, x * 0

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output[0])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, _):
        return ctx.saved_tensors[0] * g, None


CUBES = (Cube, Generated, Mapped, Pushed, WithContext)
X = tc.tensor([-1.0, 0.5, 2.0], dtype=tc.float64)


def cubes(function):
    return lambda x: function.apply(x, 2.0)


@pytest.mark.parametrize("function", CUBES)
def test_derivatives_of_a_cube(function):
    f = cubes(function)
    assert tc.allclose(vmap(f)(X), 2 * X**3)
    assert tc.allclose(vmap(grad(f))(X), 6 * X**2)
    assert tc.allclose(grad(lambda x: vmap(f)(x).sum())(X), 6 * X**2)
    assert tc.allclose(vmap(grad(grad(f)))(X), 12 * X)
    assert tc.allclose(grad(lambda x: vmap(grad(f))(x).sum())(X), 12 * X)
    assert tc.allclose(jvp(f, (X,), (X,))[1], 6 * X**3)
    assert tc.allclose(jvp(lambda x: grad(lambda y: f(y).sum())(x), (X,), (X,))[1], 12 * X**2)
    assert tc.allclose(grad(lambda x: jvp(f, (x,), (tc.ones_like(x),))[1].sum())(X), 12 * X)
    assert tc.allclose(vmap(hessian(f))(X), 12 * X)
    assert tc.allclose(jacfwd(f)(X), tc.diag(6 * X**2))
    assert tc.allclose(jacrev(f)(X), tc.diag(6 * X**2))


def test_shared_operands_collect_what_all_examples_give():
    for function in (Cube, Generated, WithContext):

        class Product(function):
            @staticmethod
            def forward(*args):
                x, y = args[-2:]
                if len(args) == 3:
                    args[0].save_for_backward(x, y)
                return x * y

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx, g):
                x, y = ctx.saved_tensors
                return g * y, g * x

        if function is WithContext:
            Product.setup_context = tc.autograd.Function.setup_context
        shared = tc.tensor(3.0, dtype=tc.float64)
        assert grad(lambda s: vmap(lambda x: Product.apply(x, s))(X).sum())(shared).item() == X.sum().item()
        assert tc.equal(vmap(lambda x: grad(lambda s: Product.apply(x, s))(shared))(X), X)  # noqa: B023


def test_outputs_that_are_saved_and_not_differentiable():
    f = lambda x: SavesOutput.apply(x, 1.0)[0]  # noqa: E731
    assert tc.allclose(vmap(grad(grad(f)))(X), X.exp())
    assert tc.allclose(grad(lambda x: vmap(grad(f))(x).sum())(X), X.exp())
    assert not vmap(lambda x: SavesOutput.apply(x, 1.0)[1])(X.clone().requires_grad_()).requires_grad


def test_static_methods_are_told_what_is_mapped():
    Mapped.calls.clear()
    Pushed.calls.clear()
    vmap(cubes(Mapped), randomness="same")(X)
    assert Mapped.calls == [(3, "same", (0, None))]
    jvp(cubes(Pushed), (X,), (X,))
    assert Pushed.calls == [1]


def test_a_backward_without_rule_is_transposed_only_if_it_has_a_derivative():
    class Once(Cube):
        @staticmethod
        @tc.autograd.function.once_differentiable
        def backward(ctx, g):
            return Cube.backward(ctx, g)

    with pytest.raises(RuntimeError, match="once_differentiable"):
        jvp(cubes(Once), (X,), (X,))
