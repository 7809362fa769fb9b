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
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0,") as caught:
        gradcheck(Cube.apply, (x,))
    text = str(caught.value)
    assert "numerical:tensor([[ 0.7500," in text and "analytical:tensor([[ 0.7600," in text
    assert "output element 0 (of shape [2], whose last step is CubeBackward) by input element 0" in text
    assert "is 0.76 by backward, 0.7" in text and "correct its backward" in text
    assert not gradcheck(Cube.apply, (x,), raise_exception=False)
    assert gradcheck(Cube.apply, (x,), atol=0.02)


def test_gradient_that_is_missing_or_nan_is_found():
    with pytest.raises(GradcheckError, match="expected to be zero: no output requires grad, but output 0 changes"):
        gradcheck(lambda x: x.detach() * 2, (leaf(2),))
    with pytest.raises(GradcheckError, match="nan"):
        gradcheck(lambda x: (x * 0).sqrt(), (leaf(2),))


def test_fast_mode_shows_whole_jacobians(monkeypatch):
    x = tc.tensor([0.5, 2.0], dtype=tc.float64, requires_grad=True)
    monkeypatch.setattr(Cube, "error", 0.01)
    with pytest.raises(GradcheckError, match="mismatch for output 0 with respect to input 0") as caught:
        gradcheck(Cube.apply, x, fast_mode=True)
    text = str(caught.value)
    assert "projections" in text and "analytical:\ntensor([[ 0.7600," in text and "is 0.76 by backward" in text


def test_message_counts_arguments_and_outputs_as_they_come(monkeypatch):
    monkeypatch.setattr(Cube, "error", 0.01)
    with pytest.raises(GradcheckError, match="for output 1 with respect to input 2,"):
        gradcheck(lambda n, y, x: (y * n, Cube.apply(x)), (2, leaf(2), leaf(2)))
    with pytest.raises(GradcheckError, match=r"(?s)gradgradcheck: Jacobian mismatch.*from 1 on are the grad_out"):
        gradgradcheck(lambda x: x * x.detach(), leaf(2))


def test_narrow_dtypes_are_named(monkeypatch):
    with pytest.warns(UserWarning, match="float32"), pytest.raises(GradcheckError, match="check in float64"):
        gradcheck(lambda x: x.exp(), leaf(2, dtype=tc.float32))


def test_forward_mode_names_jvp():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * g

        @staticmethod
        def jvp(ctx, v):
            return v

    with pytest.raises(GradcheckError, match=r"(?s)computed with forward mode mismatch.*correct its jvp"):
        gradcheck(Square.apply, leaf(2), check_forward_ad=True)


@pytest.mark.parametrize("device", ["reference", "jax", "array_api_strict"])
@pytest.mark.parametrize("fast", [False, True])
def test_every_device(device, fast):
    pytest.importorskip("jax" if device == "jax" else "pytest")
    x = tc.tensor([[0.5, 1.5]], dtype=tc.float64, device=device, requires_grad=True)
    z = tc.tensor([0.5 + 1j, 1.5 - 1j], dtype=tc.complex128, device=device, requires_grad=True)
    assert gradcheck(lambda x, z: z.conj() * x.exp(), (x, z), check_forward_ad=True, fast_mode=fast)
    assert gradgradcheck(lambda x: x.sin().sum(), x, check_fwd_over_rev=True, fast_mode=fast)
    assert not gradcheck(lambda x: x * x.detach(), x, fast_mode=fast, raise_exception=False)
    assert x.tolist() == [[0.5, 1.5]]


def test_inputs_are_put_back_when_the_function_fails():
    x = leaf(2)
    before, calls = x.tolist(), []

    def failing(x):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("third call")
        return x * 2

    with pytest.raises(RuntimeError, match="third call"):
        gradcheck(failing, x)
    assert x.tolist() == before


def test_backward_leaves_cotangents_as_they_were():
    x = tc.tensor([1.5, 2.0], requires_grad=True)
    g = tc.tensor([1j, 2 + 1j])
    first = tc.autograd.grad(tc.complex(x, x * x), x, g, retain_graph=True)[0].tolist()
    assert first == [3, 6] and g.tolist() == [1j, 2 + 1j]


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
