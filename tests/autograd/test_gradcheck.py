"""Gradients checked against differences: right ones pass, and each kind of wrong one is found."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.autograd import Function, Variable, gradcheck, gradgradcheck
from tensorcore.autograd.function import once_differentiable
from tensorcore.autograd.gradcheck import GradcheckError


def leaf(*shape, dtype=tc.float64):
    return tc.randn(*shape, dtype=dtype, requires_grad=True)


class Cube(Function):
    """x ** 3 with a gradient that is off by ``error``, and noise that changes with each backward pass."""

    error = 0.0
    noise = 0.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (3 * x**2 + Cube.error + Cube.noise * tc.rand_like(x))


@pytest.mark.parametrize(
    ("function", "inputs"),
    [
        (tc.sin, (leaf(3),)),
        (tc.matmul, (leaf(2, 3), leaf(3, 2))),
        (lambda x, y: (x * y, x.sum(), x > 0), (leaf(2, 1), leaf(3))),
        (lambda x, n: x**n, (leaf(2), 3)),
        (lambda x: x, (leaf(0),)),
        (lambda x: x * 2, leaf()),
        (lambda x: x.detach() * 0 + 1, (leaf(2),)),
        (lambda x: x * x.conj(), (leaf(2, dtype=tc.complex128),)),
        (lambda x: x.abs(), (leaf(2, dtype=tc.complex128),)),
    ],
)
def test_right_gradients_pass(function, inputs):
    assert gradcheck(function, inputs)


def test_second_derivatives():
    assert gradgradcheck(lambda x, y: (x**3 * y, y.exp()), (leaf(2), leaf(2)))
    assert gradgradcheck(lambda x: x.tanh(), leaf(2), tc.ones(2, dtype=tc.float64, requires_grad=True))


def test_wrong_gradient_is_found(monkeypatch):
    x = tc.tensor([0.5, 2.0], dtype=tc.float64, requires_grad=True)
    monkeypatch.setattr(Cube, "error", 0.01)
    with pytest.raises(
        GradcheckError, match=r"output 0 of shape \[2\] with respect to input 0 .*: .*element 0 by input"
    ):
        gradcheck(Cube.apply, (x,))
    assert not gradcheck(Cube.apply, (x,), raise_exception=False)
    assert gradcheck(Cube.apply, (x,), atol=0.02)


def test_gradient_that_is_missing_or_nan_is_found():
    with pytest.raises(GradcheckError, match="mismatch"):
        gradcheck(lambda x: x.detach() * 2, (leaf(2),))
    with pytest.raises(GradcheckError, match="nan"):
        gradcheck(lambda x: (x * 0).sqrt(), (leaf(2),))


def test_noise_is_found(monkeypatch):
    monkeypatch.setattr(Cube, "noise", 1e-9)
    with pytest.raises(GradcheckError, match="not reproducible"):
        gradcheck(Cube.apply, (leaf(2),))
    assert gradcheck(Cube.apply, (leaf(2),), nondet_tol=1e-6)


def test_inputs_are_judged():
    with pytest.raises(ValueError, match="none of the inputs requires grad"):
        gradcheck(tc.sin, (tc.ones(2),))
    with pytest.warns(UserWarning, match="float64"):
        gradcheck(lambda x: x * 2, (leaf(2, dtype=tc.float32),), atol=0.1)


def test_variable_is_a_leaf_that_shares_memory():
    x = tc.ones(2, requires_grad=True)
    plain, leaf = Variable(x * 2), Variable(x.detach(), requires_grad=True)
    assert not plain.requires_grad and leaf.requires_grad and leaf.is_leaf
    assert isinstance(x, Variable) and not isinstance(3, Variable)
    leaf.data[0] = 5
    assert x.tolist() == [5, 1]
    with pytest.raises(TypeError, match="list"):
        Variable([1.0])


def test_once_differentiable_runs_once():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            assert not tc.is_grad_enabled()
            return 2 * ctx.saved_tensors[0] * g

    x = tc.tensor([3.0], requires_grad=True)
    Square.apply(x).sum().backward()
    assert x.grad.tolist() == [6]
    (first,) = tc.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    assert first.requires_grad
    with pytest.raises(RuntimeError, match=r"Square.*once_differentiable"):
        first.sum().backward()
