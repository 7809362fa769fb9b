"""Dropout: what is dropped, by which numbers, and what flows back."""

from __future__ import annotations

import math

import pytest

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore.ops.drawing import philox_uniform
from tensorcore.random import default_generator


def drawn(*shape, p=0.5, device="cpu", function=F.dropout, **facts):
    tc.manual_seed(1)
    return function(tc.ones(*shape, device=device), p, True, **facts)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_and_the_scale(p):
    out = drawn(200, 100, p=p)
    values = set(out.reshape(-1).tolist())
    assert len(values) == 2 and 0.0 in values
    assert max(values) == pytest.approx(1 / (1 - p), rel=1e-6)
    dropped = float((out == 0).sum().item()) / 20000
    # Five standard deviations of a binomial share.
    assert abs(dropped - p) < 5 * math.sqrt(p * (1 - p) / 20000)


def test_the_mask_is_philox_below_the_kept_share():
    tc.manual_seed(3)
    numbers = philox_uniform(default_generator.ticket("philox", 12), (3, 4), tc.device("cpu").kind(tc.float32))
    tc.manual_seed(3)
    out = F.dropout(tc.ones(3, 4), 0.3)
    assert ((out != 0) == (numbers < 0.7)).all()


@pytest.mark.parametrize("function", [F.dropout, F.dropout1d, F.alpha_dropout, F.feature_alpha_dropout])
def test_devices_draw_the_same(function):
    on_cpu, on_reference = (drawn(2, 3, 4, device=device, function=function) for device in ("cpu", "reference"))
    assert tc.allclose(on_cpu, on_reference.to("cpu"))


def test_each_call_draws_afresh_and_a_seed_repeats():
    first, second = drawn(1000), F.dropout(tc.ones(1000))
    assert not tc.equal(first, second)
    assert tc.equal(first, drawn(1000))


def test_gradient_is_the_mask():
    x = tc.ones(50, 4, requires_grad=True)
    out = F.dropout(x, 0.5)
    out.sum().backward()
    assert tc.equal(x.grad, out.detach())


def test_second_derivative():
    x = tc.rand(6, dtype=tc.float64).requires_grad_()
    out = F.dropout(x * x, 0.5)
    (first,) = tc.autograd.grad(out.sum(), x, create_graph=True)
    (second,) = tc.autograd.grad(first.sum(), x)
    mask = (out.detach() != 0).to(tc.float64) * 2
    assert tc.allclose(second, mask * 2)


@pytest.mark.parametrize("function", [F.dropout, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout])
def test_evaluation_and_p_zero_give_the_input_itself(function):
    x = tc.ones(2, 3, 4)
    assert function(x, 0.5, training=False) is x
    assert function(x, 0.0, training=True) is x


@pytest.mark.parametrize("function", [F.dropout, F.dropout1d, F.alpha_dropout])
def test_p_one_drops_all(function):
    out = function(tc.tensor([[[1.0, math.inf]]]), 1.0, True)
    assert out[0, 0, 0] == 0 and out[0, 0, 1].isnan()


@pytest.mark.parametrize(
    ("function", "shape"),
    [(F.dropout1d, (8, 6, 5)), (F.dropout2d, (8, 6, 5, 2)), (F.dropout3d, (8, 6, 5, 2, 2)), (F.dropout2d, (8, 6, 5))],
)
def test_channels_are_dropped_whole(function, shape):
    out = drawn(*shape, function=function).reshape(8, 6, -1)
    assert (out.amax(-1) == out.amin(-1)).all()
    assert 0 < int((out.amax(-1) == 0).sum().item()) < 48


@pytest.mark.parametrize(("function", "shape"), [(F.dropout1d, (6, 5)), (F.dropout3d, (6, 5, 2, 2))])
def test_channels_without_a_batch(function, shape):
    out = drawn(*shape, function=function)
    assert tuple(out.shape) == shape
    flat = out.reshape(6, -1)
    assert (flat.amax(-1) == flat.amin(-1)).all()


def test_alpha_dropout_keeps_mean_and_variance():
    tc.manual_seed(0)
    x = tc.randn(100000)
    out = F.alpha_dropout(x, 0.3, True)
    assert abs(float(out.mean().item())) < 0.02
    assert abs(float(out.var().item()) - 1) < 0.03


def test_in_place():
    x = tc.ones(100)
    out = F.dropout(x, 0.5, inplace=True)
    assert out is x and (x == 0).any()


@pytest.mark.parametrize(
    "function", [F.dropout, F.dropout1d, F.dropout2d, F.dropout3d, F.alpha_dropout, F.feature_alpha_dropout]
)
@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_bad_probabilities(function, p):
    with pytest.raises(ValueError, match="probability"):
        function(tc.ones(2, 3, 4, 5), p, True)


def test_bad_shapes():
    with pytest.raises(RuntimeError, match="2 or 3 dimensions"):
        F.dropout1d(tc.ones(2, 3, 4, 5))
    with pytest.warns(UserWarning, match="3 or 4 dimensions"):
        F.dropout2d(tc.ones(2, 3))
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="at least 2"):
        F.dropout2d(tc.ones(3))


def test_a_compiled_step_draws_afresh():
    step = tc.compile(lambda x: F.dropout(x, 0.5))
    x = tc.ones(1000)
    tc.manual_seed(5)
    compiled = [step(x) for _ in range(3)]
    tc.manual_seed(5)
    eager = [F.dropout(x, 0.5) for _ in range(3)]
    assert all(tc.equal(a, b) for a, b in zip(compiled, eager, strict=True))
    assert not tc.equal(compiled[1], compiled[2])


def test_empty_and_half():
    assert F.dropout(tc.zeros(0, 3)).shape == (0, 3)
    assert F.dropout(tc.ones(4, dtype=tc.float16)).dtype is tc.float16


def test_rrelu_slopes():
    x = tc.full((1000,), -1.0)
    assert tc.allclose(F.rrelu(x), tc.full((1000,), -(1 / 8 + 1 / 3) / 2))
    slopes = -F.rrelu(x, 0.2, 0.4, training=True)
    assert bool((slopes >= 0.2).all()) and bool((slopes < 0.4).all()) and float(slopes.std().item()) > 0.04
    assert tc.equal(F.rrelu(-x, training=True), -x)
    with pytest.raises(RuntimeError, match="lower bound"):
        F.rrelu(x, 0.4, 0.2)


def test_gumbel_softmax_samples_the_distribution():
    tc.manual_seed(0)
    logits = tc.log(tc.tensor([0.2, 0.3, 0.5])).expand(20000, 3).clone().requires_grad_()
    sharp = F.gumbel_softmax(logits, hard=True)
    assert tc.allclose(sharp.sum(-1), tc.ones(20000))
    assert tc.allclose(sharp.detach().mean(0), tc.tensor([0.2, 0.3, 0.5]), atol=0.02)
    (sharp * tc.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert bool((logits.grad != 0).any())
