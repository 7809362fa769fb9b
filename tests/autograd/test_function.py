"""Custom differentiable functions."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import InplaceError


class Exponential(tc.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class Parts(tc.autograd.Function):
    @staticmethod
    def forward(x, factor):
        return x * factor, (x > 0).to(tc.int64), x * 2

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, first, _, second):
        return first * ctx.factor + second * 2, None


def test_first_and_second_derivative():
    x = tc.tensor(1.5, dtype=tc.float64, requires_grad=True)
    y = Exponential.apply(x)
    (g,) = tc.autograd.grad(y, x, create_graph=True)
    (h,) = tc.autograd.grad(g, x)
    assert g.item() == h.item() == y.item()
    assert repr(y.grad_fn) == "<ExponentialBackward>"


def test_several_outputs_and_setup_context():
    x = tc.tensor([1.0, -1.0], requires_grad=True)
    scaled, positive, doubled = Parts.apply(x, 3)
    assert (scaled.requires_grad, positive.requires_grad) == (True, False)
    doubled.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [2, 2]
    (scaled.sum() + doubled.sum()).backward()
    assert x.grad.tolist() == [7, 7]


def test_without_grad_nothing_is_recorded():
    assert Exponential.apply(tc.ones(1)).grad_fn is None
    with tc.no_grad():
        assert Exponential.apply(tc.ones(1, requires_grad=True)).grad_fn is None


def test_saved_tensors_are_checked_and_freed():
    x = tc.ones(1, requires_grad=True)
    w = tc.ones(1)

    class Scale(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0], None

    y = Scale.apply(x, w)
    w.add_(1)
    with pytest.raises(InplaceError, match=r"ScaleBackward: a saved tensor .* changed in place by add_"):
        y.backward()
    y = Scale.apply(x, w)
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_wrong_number_of_gradients():
    class Wrong(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    y = Wrong.apply(tc.ones(1, requires_grad=True), tc.ones(1))
    with pytest.raises(RuntimeError, match="WrongBackward: backward returned 1 gradients, forward had 2 inputs"):
        y.backward()


def test_an_input_returned_as_it_is():
    class Same(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = tc.ones(1, requires_grad=True)
    Same.apply(x).sum().backward()
    assert x.grad.tolist() == [5]
    assert x.is_leaf
