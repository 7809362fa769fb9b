"""The rules of `kl_divergence` for the pairs of this package.

Most are cross entropy minus entropy: ``kl(p, q) = -E_p[log q(x)] - entropy(p)``. Those of two distributions of a class
are in Gil, "On Rényi divergence measures for continuous alphabet sources", 2011, and for Cauchy distributions in Chyzak
and Nielsen, arXiv:1905.10965.
"""

from __future__ import annotations

import math
from typing import Any

import tensorcore as tc
from tensorcore.distributions.bernoulli import Bernoulli
from tensorcore.distributions.beta import Beta
from tensorcore.distributions.binomial import Binomial
from tensorcore.distributions.categorical import Categorical
from tensorcore.distributions.cauchy import Cauchy
from tensorcore.distributions.continuous_bernoulli import ContinuousBernoulli
from tensorcore.distributions.covariance import half_log_det, mahalanobis
from tensorcore.distributions.dirichlet import Dirichlet
from tensorcore.distributions.exp_family import ExponentialFamily
from tensorcore.distributions.exponential import Exponential
from tensorcore.distributions.gamma import Gamma
from tensorcore.distributions.geometric import Geometric
from tensorcore.distributions.gumbel import Gumbel
from tensorcore.distributions.half_normal import HalfNormal
from tensorcore.distributions.independent import Independent
from tensorcore.distributions.kl import kl_divergence, register_kl
from tensorcore.distributions.laplace import Laplace
from tensorcore.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from tensorcore.distributions.multivariate_normal import MultivariateNormal
from tensorcore.distributions.normal import Normal
from tensorcore.distributions.one_hot_categorical import OneHotCategorical
from tensorcore.distributions.pareto import Pareto
from tensorcore.distributions.poisson import Poisson
from tensorcore.distributions.transformed_distribution import TransformedDistribution
from tensorcore.distributions.uniform import Uniform
from tensorcore.distributions.utils import _softplus, _sum_rightmost, euler_constant
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__: list[str] = []

# ------------------------------------------------------------------ where p reaches beyond q


def _infinite(p: Any, q: Any) -> Tensor:
    mean = p.loc if isinstance(p, (Normal, Laplace, Gumbel)) else p.mean
    return tc.full_like(mean.detach(), tc.inf)


for _p, _q in {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}.items():
    for _each in _q:
        register_kl(_p, _each)(_infinite)


# ------------------------------------------------------------------ cross entropies, by moments of p


def _log_gamma_norm(q: Any) -> Tensor:
    """Logarithm of the factor of a gamma density."""
    return q.concentration * q.rate.log() - q.concentration.lgamma()


def _cross_exponential(mean: Tensor, q: Any) -> Tensor:
    return q.rate * mean - q.rate.log()


def _cross_gamma(mean: Tensor, mean_log: Tensor, q: Any) -> Tensor:
    return q.rate * mean - (q.concentration - 1) * mean_log - _log_gamma_norm(q)


def _cross_normal(mean: Tensor, variance: Tensor, q: Any) -> Tensor:
    return (variance + (mean - q.loc).square()) / (2 * q.variance) + (q.variance * math.tau).log() / 2


def _cross_gumbel(mean: Tensor, mean_exp: Tensor, q: Any) -> Tensor:
    """``mean_exp`` is the mean of ``exp(-x / scale)``."""
    return (mean - q.loc) / q.scale + (q.loc / q.scale).exp() * mean_exp + q.scale.log()


def _cross_continuous_bernoulli(mean: Tensor, q: Any) -> Tensor:
    return -mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()


def _where_not(bad: Tensor, value: Tensor) -> Tensor:
    return tc.where(bad, tc.inf, value)


# ------------------------------------------------------------------ of one class


@register_kl(Bernoulli, Bernoulli)
def _bernoulli_bernoulli(p: Any, q: Any) -> Tensor:
    ones = p.probs * (_softplus(-q.logits) - _softplus(-p.logits))
    ones = tc.where(p.probs == 0, 0.0, _where_not(q.probs == 0, ones))
    zeros = (1 - p.probs) * (_softplus(q.logits) - _softplus(p.logits))
    return ones + tc.where(p.probs == 1, 0.0, _where_not(q.probs == 1, zeros))


@register_kl(Beta, Beta)
def _beta_beta(p: Any, q: Any) -> Tensor:
    return _dirichlet_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _binomial_binomial(p: Any, q: Any) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("KL of Binomials is implemented where p.total_count is not below q.total_count")
    value = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return _where_not(p.total_count > q.total_count, value)


@register_kl(Categorical, Categorical)
def _categorical_categorical(p: Any, q: Any) -> Tensor:
    terms = _where_not(q.probs == 0, p.probs * (p.logits - q.logits))
    return tc.where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(Cauchy, Cauchy)
def _cauchy_cauchy(p: Any, q: Any) -> Tensor:
    return ((p.scale + q.scale).square() + (p.loc - q.loc).square()).log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return _cross_continuous_bernoulli(p.mean, q) - _cross_continuous_bernoulli(p.mean, p)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet_dirichlet(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    log_norms = total.lgamma() - b.sum(-1).lgamma() + (b.lgamma() - a.lgamma()).sum(-1)
    return log_norms + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential_exponential(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(ExponentialFamily, ExponentialFamily)
def _families(p: Any, q: Any) -> Tensor:
    if type(p) is not type(q):
        raise NotImplementedError(
            f"No KL(p || q) is implemented for {type(p).__name__} and {type(q).__name__}: Bregman divergences are of "
            "one exponential family"
        )
    natural, normalizer, gradients = p._normalizer_and_gradients()
    theirs = q._natural_params
    result = q._log_normalizer(*theirs) - normalizer
    for mine, other, gradient in zip(natural, theirs, gradients, strict=True):
        # A natural parameter may have fewer dimensions than an event.
        result = result - _sum_rightmost((other - mine) * gradient, mine.ndim - len(p.batch_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma_gamma(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    log_norms = b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma()
    return log_norms + (a - b) * a.digamma() + (q.rate - p.rate) * p.mean


@register_kl(Geometric, Geometric)
def _geometric_geometric(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbel_gumbel(p: Any, q: Any) -> Tensor:
    ratio, shift = p.scale / q.scale, (p.loc - q.loc) / q.scale
    mean_exp = ((1 + ratio).lgamma() - shift).exp()
    return shift + ratio * euler_constant + mean_exp - ratio.log() - (1 + euler_constant)


@register_kl(HalfNormal, HalfNormal)
def _half_normal_half_normal(p: Any, q: Any) -> Tensor:
    return _normal_normal(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent_independent(p: Any, q: Any) -> Tensor:
    dims = p.reinterpreted_batch_ndims
    if dims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "KL of Independent distributions needs as many reinterpreted dimensions in both, got "
            f"{dims} and {q.reinterpreted_batch_ndims}"
        )
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), dims)


@register_kl(Laplace, Laplace)
def _laplace_laplace(p: Any, q: Any) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return distance / q.scale + ratio * (-distance / p.scale).exp() - ratio.log() - 1


@register_kl(Normal, Normal)
def _normal_normal(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale).square()
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).square() - 1 - ratio.log())


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_one_hot(p: Any, q: Any) -> Tensor:
    return _categorical_categorical(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _pareto_pareto(p: Any, q: Any) -> Tensor:
    ratio = q.alpha / p.alpha
    value = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return _where_not(p.scale < q.scale, value)


@register_kl(Poisson, Poisson)
def _poisson_poisson(p: Any, q: Any) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed_transformed(p: Any, q: Any) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL of transformed distributions needs the same transforms and event_shape in both")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _uniform_uniform(p: Any, q: Any) -> Tensor:
    value = ((q.high - q.low) / (p.high - p.low)).log()
    return _where_not((q.low > p.low) | (q.high < p.high), value)


# ------------------------------------------------------------------ normal distributions of vectors


def _same_events(p: Any, q: Any) -> int:
    if p.event_shape != q.event_shape:
        raise ShapeError(f"KL of normal vectors: event_shape {list(p.event_shape)} and {list(q.event_shape)} differ")
    return int(p.event_shape[0])


def _squares(x: Tensor) -> Tensor:
    """The trace of ``x @ x.mT``."""
    return x.square().sum((-2, -1))


def _solved(factor: Tensor, right: Tensor) -> Tensor:
    """The trace of ``(factor @ factor.mT)^-1 @ right @ right.mT``."""
    batch = tc.broadcast_shapes(factor.shape[:-2], right.shape[:-2])
    factor, right = (x.expand(batch + x.shape[-2:]) for x in (factor, right))
    return _squares(tc.linalg.solve_triangular(factor, right, upper=False))


@register_kl(MultivariateNormal, MultivariateNormal)
def _normals(p: Any, q: Any) -> Tensor:
    n = _same_events(p, q)
    mine, theirs = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    log_dets = half_log_det(theirs) - half_log_det(mine)
    return log_dets + 0.5 * (_solved(theirs, mine) + mahalanobis(theirs, q.loc - p.loc) - n)


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _low_rank_normal(p: Any, q: Any) -> Tensor:
    n = _same_events(p, q)
    theirs = q._unbroadcasted_scale_tril
    diagonal = p._unbroadcasted_cov_diag.sqrt().diag_embed()
    trace = _solved(theirs, p._unbroadcasted_cov_factor) + _solved(theirs, diagonal)
    log_dets = 2 * half_log_det(theirs) - p._log_det()
    return 0.5 * (log_dets + trace + mahalanobis(theirs, q.loc - p.loc) - n)


def _low_rank_trace(q: Any, right: Tensor) -> Tensor:
    """The trace of the inverse of q's covariance times ``right @ right.mT``."""
    weighted = right * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)
    return _squares(weighted) - _squares(q._capacitance_part() @ right)


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _normal_low_rank(p: Any, q: Any) -> Tensor:
    n = _same_events(p, q)
    mine = p._unbroadcasted_scale_tril
    log_dets = q._log_det() - 2 * half_log_det(mine)
    return 0.5 * (log_dets + _low_rank_trace(q, mine) + q._mahalanobis(q.loc - p.loc) - n)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _low_ranks(p: Any, q: Any) -> Tensor:
    n = _same_events(p, q)
    diagonal = p._unbroadcasted_cov_diag
    trace = (diagonal / q._unbroadcasted_cov_diag).sum(-1) - _squares(
        q._capacitance_part() * diagonal.sqrt().unsqueeze(-2)
    )
    trace = trace + _low_rank_trace(q, p._unbroadcasted_cov_factor)
    return 0.5 * (q._log_det() - p._log_det() + trace + q._mahalanobis(q.loc - p.loc) - n)


# ------------------------------------------------------------------ of two classes, p from 0 to 1


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Beta, ContinuousBernoulli)
def _unit_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return _cross_continuous_bernoulli(p.mean, q) - p.entropy()


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Tensor:
    a = p.concentration1
    return _cross_gamma(p.mean, a.digamma() - (a + p.concentration0).digamma(), q) - p.entropy()


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Tensor:
    return _where_not((q.low > 0) | (q.high < 1), (q.high - q.low).log() - p.entropy())


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_bernoulli_uniform(p: Any, q: Any) -> Tensor:
    return _where_not((q.low > 0) | (q.high < 1), (q.high - q.low).log() - p.entropy())


# ------------------------------------------------------------------ of two classes, any p with these moments


@register_kl(Beta, Exponential)
@register_kl(ContinuousBernoulli, Exponential)
@register_kl(Gamma, Exponential)
def _mean_exponential(p: Any, q: Any) -> Tensor:
    return _cross_exponential(p.mean, q) - p.entropy()


@register_kl(Beta, Normal)
@register_kl(ContinuousBernoulli, Normal)
@register_kl(Exponential, Normal)
@register_kl(Gamma, Normal)
@register_kl(Gumbel, Normal)
@register_kl(Laplace, Normal)
@register_kl(Uniform, Normal)
def _moments_normal(p: Any, q: Any) -> Tensor:
    return _cross_normal(p.mean, p.variance, q) - p.entropy()


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Tensor:
    finite = p.alpha > 2
    a = tc.where(finite, p.alpha, 3.0)
    mean, variance = a * p.scale / (a - 1), p.scale.square() * a / ((a - 1).square() * (a - 2))
    return _where_not(~finite, _cross_normal(mean, variance, q) - p.entropy())


# ------------------------------------------------------------------ of two classes, p positive


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Tensor:
    return _cross_gamma(p.mean, -euler_constant - p.rate.log(), q) - p.entropy()


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Tensor:
    product = p.rate * q.scale
    return _cross_gumbel(p.mean, product / (product + 1), q) - p.entropy()


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Tensor:
    return _cross_gumbel(p.mean, (1 + 1 / (p.rate * q.scale)).pow(-p.concentration), q) - p.entropy()


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Tensor:
    finite = p.alpha > 1
    a = tc.where(finite, p.alpha, 2.0)
    return _where_not(~finite, _cross_exponential(a * p.scale / (a - 1), q) - p.entropy())


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Tensor:
    finite = p.alpha > 1
    a = tc.where(finite, p.alpha, 2.0)
    return _where_not(~finite, _cross_gamma(a * p.scale / (a - 1), p.scale.log() + 1 / a, q) - p.entropy())


# ------------------------------------------------------------------ of two classes, p of all numbers


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Tensor:
    mean_exp = (0.5 * (p.scale / q.scale).square() - p.loc / q.scale).exp()
    return _cross_gumbel(p.mean, mean_exp, q) - p.entropy()


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Tensor:
    shift = p.loc - q.loc
    ratio = shift / p.scale
    # The mean of abs(x - q.loc).
    distance = math.sqrt(2 / math.pi) * p.scale * (-0.5 * ratio.square()).exp() + shift * (ratio * math.sqrt(0.5)).erf()
    return (2 * q.scale).log() + distance / q.scale - p.entropy()


# ------------------------------------------------------------------ of two classes, p uniform


def _mean_log(low: Tensor, high: Tensor) -> Tensor:
    """The mean of log(x) over an interval."""
    return (tc.xlogy(high, high) - tc.xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Tensor:
    a, b = q.concentration1, q.concentration0
    mean_logs = (a - 1) * _mean_log(p.low, p.high) + (b - 1) * _mean_log(1 - p.high, 1 - p.low)
    value = a.lgamma() + b.lgamma() - (a + b).lgamma() - mean_logs - p.entropy()
    return _where_not((p.high > 1) | (p.low < 0), value)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return _where_not((p.high > 1) | (p.low < 0), _unit_continuous_bernoulli(p, q))


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Tensor:
    return _where_not(p.low < 0, _cross_exponential(p.mean, q) - p.entropy())


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Tensor:
    return _where_not(p.low < 0, _cross_gamma(p.mean, _mean_log(p.low, p.high), q) - p.entropy())


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Tensor:
    mean_exp = q.scale * ((-p.low / q.scale).exp() - (-p.high / q.scale).exp()) / (p.high - p.low)
    return _cross_gumbel(p.mean, mean_exp, q) - p.entropy()


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Tensor:
    log_norm = q.alpha.log() + q.alpha * q.scale.log()
    value = (q.alpha + 1) * _mean_log(p.low, p.high) - log_norm - p.entropy()
    return _where_not(p.low < q.scale, value)
