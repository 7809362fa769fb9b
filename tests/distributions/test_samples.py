"""Draws that are no part of PyTorch's stream, against SciPy's distribution functions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

import tensorcore as tc
from tensorcore import distributions as d

COUNT = 20_000
CONTINUOUS = [
    (lambda: d.Gamma(2.0, 3.0), stats.gamma(2, scale=1 / 3)),
    (lambda: d.Gamma(0.2, 3.0), stats.gamma(0.2, scale=1 / 3)),
    (lambda: d.Chi2(3.0), stats.chi2(3)),
    (lambda: d.Beta(0.5, 2.0), stats.beta(0.5, 2)),
    (lambda: d.Beta(30.0, 2.0), stats.beta(30, 2)),
    (lambda: d.StudentT(4.0, 1.0, 2.0), stats.t(4, 1, 2)),
    (lambda: d.FisherSnedecor(3.0, 5.0), stats.f(3, 5)),
    (lambda: d.InverseGamma(2.0, 3.0), stats.invgamma(2, scale=3)),
    (lambda: d.Weibull(2.0, 1.5), stats.weibull_min(1.5, scale=2)),
    (lambda: d.VonMises(0.5, 2.0), stats.vonmises(2, 0.5)),
    (lambda: d.GeneralizedPareto(0.5, 2.0, -0.3), stats.genpareto(-0.3, 0.5, 2)),
]
DISCRETE = [
    (lambda: d.Poisson(2.5), stats.poisson(2.5)),
    (lambda: d.Poisson(60.0), stats.poisson(60)),
    (lambda: d.Binomial(7, tc.tensor(0.3)), stats.binom(7, 0.3)),
    (lambda: d.Binomial(200, tc.tensor(0.3)), stats.binom(200, 0.3)),
    (lambda: d.NegativeBinomial(4.0, tc.tensor(0.3)), stats.nbinom(4, 0.7)),
    (lambda: d.Geometric(0.3), stats.geom(0.3, loc=-1)),
]


@pytest.mark.parametrize(("made", "exact"), CONTINUOUS)
def test_continuous(made, exact):
    tc.manual_seed(0)
    drawn = made().sample((COUNT,)).double().numpy()
    assert stats.kstest(drawn, exact.cdf).pvalue > 1e-3


@pytest.mark.parametrize(("made", "exact"), DISCRETE)
def test_discrete(made, exact):
    tc.manual_seed(0)
    drawn = made().sample((COUNT,)).numpy()
    assert (drawn == np.floor(drawn)).all() and drawn.min() >= 0
    low, high = int(exact.ppf(0.001)), int(exact.ppf(0.999))
    observed = [np.sum(drawn <= low), *(np.sum(drawn == k) for k in range(low + 1, high)), np.sum(drawn >= high)]
    expected = COUNT * np.array([exact.cdf(low), *(exact.pmf(k) for k in range(low + 1, high)), exact.sf(high - 1)])
    assert stats.chisquare(observed, expected).pvalue > 1e-3


@pytest.mark.parametrize("concentration", [0.6, 1.0, 4.0])
@pytest.mark.parametrize("dim", [2, 4])
def test_correlations_of_lkj(dim, concentration):
    """Each correlation is 2 * x - 1, x of the beta distribution of concentration - 1 + dim / 2 twice."""
    tc.manual_seed(0)
    factor = d.LKJCholesky(dim, concentration).sample((5000,)).double()
    correlations = factor @ factor.mT
    assert tc.allclose(correlations.diagonal(dim1=-2, dim2=-1), tc.ones(5000, dim, dtype=tc.float64), atol=1e-5)
    a = concentration - 1 + dim / 2
    for i in range(dim):
        for j in range(i):
            x = (correlations[:, i, j].numpy() + 1) / 2
            assert stats.kstest(x, stats.beta(a, a).cdf).pvalue > 1e-4


def test_wishart_moments():
    tc.manual_seed(0)
    scale = tc.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=tc.float64)
    wishart = d.Wishart(tc.tensor([5.0, 8.5], dtype=tc.float64), scale)
    drawn = wishart.sample((COUNT,))
    assert bool((tc.linalg.eigvalsh(drawn) > 0).all())
    assert tc.allclose(drawn.mean(0), wishart.mean, rtol=0.03)
    assert tc.allclose(drawn.var(0), wishart.variance, rtol=0.06)


def test_nearly_singular_wishart_draws_are_drawn_again():
    tc.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = d.Wishart(tc.tensor(2.05), tc.eye(3)).rsample((500,))
    assert drawn.shape == (500, 3, 3) and bool((tc.linalg.cholesky_ex(drawn).info == 0).all())


def test_a_mixture_of_one_shape_draws_a_component_for_each_of_the_batch():
    tc.manual_seed(0)
    components = d.Normal(tc.tensor([[-100.0, 100.0]] * 3), 1.0)
    drawn = d.MixtureSameFamily(d.Categorical(tc.tensor([0.5, 0.5])), components).sample((200,))
    assert drawn.shape == (200, 3)
    assert 0 < ((drawn > 0).sum(-1) == 1).sum().item() < 200


#: Class and arguments, with the integer statistics of which the mean is a smooth function of the parameters.
GRADIENTS = [
    (lambda x: d.Gamma(x, 2.0), 1.5), (lambda x: d.Gamma(2.0, x), 1.5), (lambda x: d.Beta(x, 2.0), 0.7),
    (lambda x: d.Beta(2.0, x), 0.7), (lambda x: d.StudentT(5.0, x), 0.3), (lambda x: d.Chi2(x), 2.5),
    (lambda x: d.FisherSnedecor(3.0, x), 9.0),
    (lambda x: d.InverseGamma(x, 1.0), 4.0), (lambda x: d.Weibull(x, 2.0), 1.0), (lambda x: d.Kumaraswamy(x, 2.0), 1.5),
]  # fmt: skip


@pytest.mark.parametrize(("made", "at"), GRADIENTS)
def test_gradients_of_draws_are_those_of_the_mean(made, at):
    tc.manual_seed(0)
    x = tc.tensor(at, dtype=tc.float64, requires_grad=True)
    distribution = made(x)
    drawn = distribution.rsample((COUNT,))
    (found,) = tc.autograd.grad(drawn.mean(), x)
    (exact,) = tc.autograd.grad(made(x).mean, x, allow_unused=True)
    assert abs(found.item() - exact.item()) < 0.05 * (1 + abs(exact.item()))
