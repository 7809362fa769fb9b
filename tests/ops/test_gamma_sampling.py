"""Gamma and Dirichlet draws: their distributions, and how they move with their parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

import tensorcore as tc
from tensorcore.ops.gamma_sampling import gamma_slope, reparameterized_gamma

COUNT = 20_000


def derivative_of_quantile(a, share):
    """Of the logarithm of the number below which is ``share``, by the concentration: fourth-order differences."""
    h = 1e-3 * a
    f = {k: math.log(special.gammaincinv(a + k * h, share)) for k in (-2, -1, 1, 2)}
    return (f[-2] - 8 * f[-1] + 8 * f[1] - f[2]) / (12 * h)


@pytest.mark.parametrize("concentration", [0.05, 0.3, 0.9, 1.0, 1.5, 3.0, 10.0, 40.0, 500.0])
@pytest.mark.parametrize("share", [1e-3, 0.05, 0.4, 0.6, 0.95, 0.999])
def test_slope_keeps_the_share(concentration, share):
    logarithm = math.log(special.gammaincinv(concentration, share))
    found = gamma_slope(*(tc.tensor(x, dtype=tc.float64) for x in (concentration, logarithm))).item()
    assert math.isclose(found, derivative_of_quantile(concentration, share), rel_tol=1e-7)


def test_slope_of_numbers_below_every_dtype():
    a, logarithm = tc.tensor(1e-4, dtype=tc.float64), tc.tensor(-5000.0, dtype=tc.float64)
    # Where the share is x ** a / gamma(a + 1).
    assert math.isclose(gamma_slope(a, logarithm).item(), (special.digamma(1 + 1e-4) + 5000) / 1e-4, rel_tol=1e-12)


@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16, tc.float32])
def test_slope_of_narrow_dtypes(dtype):
    a, logarithm = tc.tensor([0.5, 3.0, 50.0], dtype=dtype), tc.tensor([-1.0, 1.0, 4.0], dtype=dtype)
    exact = gamma_slope(a.double(), logarithm.double())
    assert gamma_slope(a, logarithm).dtype is dtype
    assert tc.allclose(gamma_slope(a, logarithm).double(), exact, rtol=4 * tc.finfo(dtype).eps)


def test_slope_can_be_differentiated():
    a = tc.tensor([0.3, 0.8, 2.0, 9.0, 30.0, 30.0], dtype=tc.float64, requires_grad=True)
    x = tc.tensor([-1.5, 0.3, 1.2, 2.0, 3.6, 3.2], dtype=tc.float64, requires_grad=True)
    assert tc.autograd.gradcheck(gamma_slope.emit, (a, x))


@pytest.mark.parametrize("logarithmic", [False, True])
def test_second_derivative_follows_the_draw(logarithmic):
    """The move of the draw at a fixed share, twice: the share's quantile by the concentration."""
    a, share, h = 2.5, 0.7, 1e-2
    value = [special.gammaincinv(a + k * h, share) for k in (-2, -1, 0, 1, 2)]
    f = np.log(value) if logarithmic else np.array(value)
    concentration = tc.tensor(a, dtype=tc.float64, requires_grad=True)
    y = reparameterized_gamma.emit(concentration, tc.tensor(f[2]), logarithmic=logarithmic)
    (first,) = tc.autograd.grad(y, concentration, create_graph=True)
    (second,) = tc.autograd.grad(first, concentration)
    assert math.isclose(first.item(), (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * h), rel_tol=1e-6)
    assert math.isclose(second.item(), (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * h * h), rel_tol=1e-5)


@pytest.mark.parametrize("concentration", [0.02, 0.3, 1.0, 2.5, 40.0, 1e6])
def test_gamma_draws_are_gamma_distributed(concentration):
    tc.manual_seed(1)
    drawn = tc.standard_gamma(tc.full((COUNT,), concentration, dtype=tc.float64)).numpy()
    assert stats.kstest(drawn, stats.gamma(concentration).cdf).pvalue > 1e-3


@pytest.mark.parametrize("concentration", [0.3, 2.0, 25.0])
def test_gradients_are_those_of_the_means(concentration):
    """E[x] = a and E[log x] = digamma(a)."""
    tc.manual_seed(2)
    a = tc.full((COUNT,), concentration, dtype=tc.float64, requires_grad=True)
    x = tc.standard_gamma(a)
    (of_mean,) = tc.autograd.grad(x.sum(), a, retain_graph=True)
    (of_mean_log,) = tc.autograd.grad(x.log().sum(), a)
    assert abs(of_mean.mean().item() - 1) < 5 * of_mean.std().item() / math.sqrt(COUNT)
    expected = special.polygamma(1, concentration)
    assert abs(of_mean_log.mean().item() - expected) < 5 * of_mean_log.std().item() / math.sqrt(COUNT)


def test_dirichlet_draws_have_beta_marginals():
    tc.manual_seed(3)
    concentration = tc.tensor([0.1, 1.0, 5.0], dtype=tc.float64)
    drawn = tc.sample_dirichlet(concentration.expand(COUNT, 3))
    assert tc.allclose(drawn.sum(-1), tc.ones(COUNT, dtype=tc.float64))
    for place, a in enumerate(concentration.tolist()):
        assert stats.kstest(drawn[:, place].numpy(), stats.beta(a, 6.1 - a).cdf).pvalue > 1e-3


def test_dirichlet_gradients_are_those_of_the_mean():
    tc.manual_seed(4)
    concentration = tc.tensor([0.4, 1.0, 3.0], dtype=tc.float64, requires_grad=True)
    drawn = tc.sample_dirichlet(concentration.expand(COUNT, 3))
    mean = concentration / concentration.sum()
    for place in range(3):
        (found,) = tc.autograd.grad(drawn[:, place].mean(), concentration, retain_graph=True)
        (exact,) = tc.autograd.grad(mean[place], concentration, retain_graph=True)
        assert tc.allclose(found, exact, atol=0.01)


def test_tiny_concentrations_give_corners_of_the_simplex():
    """Where all gamma numbers are below the smallest of the dtype, their quotients still are not."""
    tc.manual_seed(5)
    drawn = tc.sample_dirichlet(tc.full((1000, 2), 1e-3))
    assert bool(((drawn > 0) & (drawn <= 1)).all()) and tc.allclose(drawn.max(-1).values, tc.ones(1000), atol=0.3)
    assert abs(drawn[:, 0].mean().item() - 0.5) < 0.1


@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16, tc.float32, tc.float64])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_shapes_and_dtypes(shape, dtype):
    a = tc.full(shape, 0.01, dtype=dtype, requires_grad=True)
    x = tc.standard_gamma(a)
    assert x.shape == a.shape and x.dtype is dtype and bool((x > 0).all())
    (gradient,) = tc.autograd.grad(x.sum(), a)
    assert gradient.shape == a.shape and bool(gradient.isfinite().all())


def test_infinite_and_huge_concentrations():
    drawn = tc.standard_gamma(tc.tensor([math.inf, 1e300, 1e-300], dtype=tc.float64))
    assert drawn[0] == math.inf and math.isclose(drawn[1].item(), 1e300) and 0 < drawn[2].item() < 1e-300


@pytest.mark.parametrize("op", [tc.standard_gamma, tc.sample_dirichlet])
def test_a_generator_repeats_its_draws(op):
    a = tc.tensor([0.5, 2.0])
    first, second = (op(a, generator=tc.Generator().manual_seed(6)) for _ in range(2))
    assert tc.equal(first, second) and not tc.equal(first, op(a))


@pytest.mark.parametrize(
    ("op", "value", "error", "words"),
    [
        (tc.standard_gamma, [1, 2], RuntimeError, "floating-point"),
        (tc.standard_gamma, [1.0, 0.0], ValueError, "positive"),
        (tc.standard_gamma, [math.nan], ValueError, "positive"),
        (tc.sample_dirichlet, [-1.0], ValueError, "positive"),
        (tc.sample_dirichlet, 1.0, RuntimeError, "0-d"),
    ],
)
def test_refusals(op, value, error, words):
    with pytest.raises(error, match=words):
        op(tc.tensor(value))
