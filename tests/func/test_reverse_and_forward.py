"""The transforms of derivatives: what they return, how they nest, and what they refuse."""

from __future__ import annotations

import pytest

import tensorcore as tc
import tensorcore.autograd.forward_ad as fwAD
from tensorcore.errors import DTypeError, ShapeError, TransformError
from tensorcore.func import grad, hessian, jacfwd, jacrev, jvp, linearize, vjp, vmap

X = tc.tensor([0.5, -1.0, 2.0], dtype=tc.float64)


def test_a_hundred_levels():
    f = lambda x: x.exp()  # noqa: E731
    for _ in range(6):
        f = grad(f)
    assert f(tc.tensor(1.0, dtype=tc.float64)).item() == pytest.approx(2.718281828459045)
    g = lambda x: x.exp()  # noqa: E731
    for _ in range(6):
        g = lambda x, g=g: jvp(g, (x,), (tc.ones_like(x),))[1]  # noqa: E731
    assert g(tc.tensor(1.0, dtype=tc.float64)).item() == pytest.approx(2.718281828459045)


def test_tangents_of_different_levels_are_not_confused():
    # The inner derivative of x * y by y is x, whose outer derivative is 1, not 2.
    one = tc.tensor(1.0)
    inner = lambda x: jvp(lambda y: x * y, (one,), (one,))[1]  # noqa: E731
    assert jvp(inner, (one,), (one,))[1].item() == 1.0
    assert grad(inner)(one).item() == 1.0
    assert grad(lambda x: x * grad(lambda y: x + y)(one))(one).item() == 1.0


def test_nothing_is_left_in_a_graph():
    assert not grad(lambda x: (x**2).sum())(X).requires_grad
    assert not vmap(grad(lambda x: x**2))(X).requires_grad
    assert not jvp(lambda x: x**2, (X,), (X,))[1].requires_grad
    y, pull = vjp(lambda x: x**2, X)
    assert not y.requires_grad
    assert not pull(X)[0].requires_grad
    assert X.grad is None


def test_parameters_outside_keep_their_graph():
    w = tc.tensor(3.0, dtype=tc.float64, requires_grad=True)
    for result in (
        grad(lambda x: (w * x**2).sum())(X).sum(), vmap(grad(lambda x: w * x**2))(X).sum(),
        jvp(lambda x: w * x**2, (X,), (tc.ones_like(X),))[1].sum(), jacrev(lambda x: w * x**2)(X).sum(),
        jacfwd(lambda x: w * x**2)(X).sum(), linearize(lambda x: w * x**2, X)[1](tc.ones_like(X)).sum(),
    ):  # fmt: skip
        (found,) = tc.autograd.grad(result, w)
        assert found.item() == pytest.approx((2 * X).sum().item())


def test_grad_mode_outside_does_not_matter():
    x = X.clone().requires_grad_()
    for mode in (tc.no_grad, tc.inference_mode):
        with mode():
            result = grad(lambda x: (x**2).sum())(x)
            assert tc.equal(result, 2 * X)
            assert not result.requires_grad
            assert tc.equal(jvp(lambda x: x.softmax(0), (X,), (X,))[1], jvp(lambda x: x.softmax(0), (X,), (X,))[1])


def test_pulling_back_again_and_again():
    _, pull = vjp(lambda x: (x**2, x.sum()), X)
    for factor in (1.0, 2.0):
        (found,) = pull((X * factor, X[0] * factor))
        assert tc.allclose(found, factor * (2 * X * X + X[0]))
    rows = vmap(lambda g: pull((g, tc.zeros((), dtype=tc.float64)))[0])(tc.eye(3, dtype=tc.float64))
    assert tc.allclose(rows, tc.diag(2 * X))


def test_functions_of_nothing_that_is_asked_for():
    y = tc.ones(2, dtype=tc.float64)
    assert tc.equal(jacrev(lambda x: y)(X), tc.zeros(2, 3, dtype=tc.float64))
    assert tc.equal(jacfwd(lambda x: y)(X), tc.zeros(2, 3, dtype=tc.float64))
    assert tc.equal(jvp(lambda x: y, (X,), (X,))[1], tc.zeros(2, dtype=tc.float64))
    assert tc.equal(linearize(lambda x: y, X)[1](X), tc.zeros(2, dtype=tc.float64))
    assert tc.equal(hessian(lambda x: x.sum())(X), tc.zeros(3, 3, dtype=tc.float64))


@pytest.mark.parametrize("shape", [(), (0,), (1, 0, 2), (2, 1)])
def test_shapes_of_jacobians(shape):
    x = tc.ones(shape, dtype=tc.float64)
    for jacobian in (jacrev, jacfwd):
        assert jacobian(lambda x: x.sin())(x).shape == (*shape, *shape)
        assert jacobian(lambda x: x.sum())(x).shape == shape
        if x.numel():
            assert jacobian(lambda x: x.sin(), chunk_size=1)(x).shape == (*shape, *shape)


def test_auxiliary_outputs_are_values():
    result, aux = jacfwd(lambda x: (x**2, {"x": x, "n": 3}), has_aux=True)(X)
    assert aux["n"] == 3
    assert tc.equal(aux["x"], X)
    assert tc.equal(result, tc.diag(2 * X))
    result, aux = jacrev(lambda x: (x**2, (x, "name")), has_aux=True)(X)
    assert aux[1] == "name"
    assert not aux[0].requires_grad


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grad(lambda x: x)(X), TransformError, r"0-d tensor, got shape \[3\]"),
        (lambda: grad(lambda x: (x.sum(), 1))(X), TransformError, "must return"),
        (lambda: grad(lambda x: x.sum(), has_aux=True)(X), TransformError, r"\(output, aux\)"),
        (lambda: grad(lambda x: x.sum())(tc.arange(3)), DTypeError, "int64"),
        (lambda: grad(lambda x: x.sum())(3.0), TransformError, "must be a tensor"),
        (lambda: grad(lambda x: x.sum(), argnums=(0, 0))(X), TransformError, "twice"),
        (lambda: grad(lambda x: x.sum(), argnums=())(X), TransformError, "empty"),
        (lambda: grad(lambda x: x.sum(), argnums="0")(X), TransformError, "argnums must be"),
        (lambda: vjp(lambda x: x, X)[1](X[:2]), ShapeError, r"\[2\], the output \[3\]"),
        (lambda: vjp(lambda x: (x, x), X)[1](X), TransformError, "like the outputs"),
        (lambda: jvp(lambda x: x, (X,), (X[:2],)), ShapeError, "tangent of shape"),
        (lambda: jvp(lambda x: x, (X,), (X.float(),)), DTypeError, "tangent of"),
        (lambda: jvp(lambda x: x, X, X), TransformError, "tuple"),
        (lambda: jvp(lambda x: x, (X,), ((X,),)), TransformError, "alike"),
        (lambda: jvp(lambda x: X, (X,), (X,), strict=True), TransformError, "depends on no input"),
        (lambda: linearize(lambda x: x, X)[1](X[:2]), TransformError, "tangent 0"),
    ],
)  # fmt: skip
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_values_can_be_read_in_forward_mode():
    def function(x):
        return x * 2 if x.sum().item() > 0 else -x

    assert tc.equal(jvp(function, (X,), (X,))[1], X * 2)
    assert tc.equal(grad(lambda x: function(x).sum())(X), tc.full_like(X, 2.0))


def test_writes_in_forward_mode():
    def function(x):
        y = tc.zeros(3, dtype=tc.float64)
        for i in range(3):
            y[i] = x[: i + 1].prod()
        y[1:].mul_(2)
        return y

    assert tc.allclose(jacfwd(function)(X), jacrev(function)(X))


def test_dual_tensors_show_both_parts():
    with fwAD.dual_level():
        x = fwAD.make_dual(tc.ones(2), tc.zeros(2))
        assert "primal=" in repr(x)
        assert fwAD.unpack_dual(x.detach()).tangent is None
        assert fwAD.unpack_dual(x * 2).tangent.tolist() == [0.0, 0.0]


def test_what_a_rule_leaves_is_in_nobodys_graph():
    matrix = tc.eye(3, dtype=tc.float64) * 2

    def along(x):
        # `solve` is transposed twice; its matrix is in the graph of x, its right side in none.
        return jvp(lambda a, b: tc.linalg.solve(a, b), (matrix * x, X), (matrix, X))[1].sum()

    result = grad(along)(tc.tensor(3.0, dtype=tc.float64))
    assert not result.requires_grad
    step = 1e-6
    numeric = (along(tc.tensor(3.0 + step, dtype=tc.float64)) - along(tc.tensor(3.0 - step, dtype=tc.float64))) / (
        2 * step
    )
    assert result.item() == pytest.approx(numeric.item(), rel=1e-6)


def test_jacobian_where_a_backward_reads_values():
    class Reads(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * (2 if g.sum().item() else 3)

    found = tc.autograd.functional.jacobian(Reads.apply, X)
    assert tc.equal(found, tc.eye(3, dtype=tc.float64) * 2)
    assert found.shape == (3, 3)
