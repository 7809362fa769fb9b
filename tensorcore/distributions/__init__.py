"""Probability distributions, as ``torch.distributions``: parameters and samples are tensors, with gradients."""

from tensorcore.distributions import constraint_registry, constraints, kl, kl_rules, transforms, utils  # noqa: F401 - the rules register themselves
from tensorcore.distributions.bernoulli import Bernoulli
from tensorcore.distributions.beta import Beta
from tensorcore.distributions.binomial import Binomial
from tensorcore.distributions.categorical import Categorical
from tensorcore.distributions.cauchy import Cauchy
from tensorcore.distributions.chi2 import Chi2
from tensorcore.distributions.constraint_registry import biject_to, transform_to
from tensorcore.distributions.continuous_bernoulli import ContinuousBernoulli
from tensorcore.distributions.dirichlet import Dirichlet
from tensorcore.distributions.distribution import Distribution
from tensorcore.distributions.exp_family import ExponentialFamily
from tensorcore.distributions.exponential import Exponential
from tensorcore.distributions.fishersnedecor import FisherSnedecor
from tensorcore.distributions.gamma import Gamma
from tensorcore.distributions.generalized_pareto import GeneralizedPareto
from tensorcore.distributions.geometric import Geometric
from tensorcore.distributions.gumbel import Gumbel
from tensorcore.distributions.half_cauchy import HalfCauchy
from tensorcore.distributions.half_normal import HalfNormal
from tensorcore.distributions.independent import Independent
from tensorcore.distributions.inverse_gamma import InverseGamma
from tensorcore.distributions.kl import kl_divergence, register_kl
from tensorcore.distributions.kumaraswamy import Kumaraswamy
from tensorcore.distributions.laplace import Laplace
from tensorcore.distributions.lkj_cholesky import LKJCholesky
from tensorcore.distributions.log_normal import LogNormal
from tensorcore.distributions.logistic_normal import LogisticNormal
from tensorcore.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from tensorcore.distributions.mixture_same_family import MixtureSameFamily
from tensorcore.distributions.multinomial import Multinomial
from tensorcore.distributions.multivariate_normal import MultivariateNormal
from tensorcore.distributions.negative_binomial import NegativeBinomial
from tensorcore.distributions.normal import Normal
from tensorcore.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from tensorcore.distributions.pareto import Pareto
from tensorcore.distributions.poisson import Poisson
from tensorcore.distributions.relaxed_bernoulli import RelaxedBernoulli
from tensorcore.distributions.relaxed_categorical import RelaxedOneHotCategorical
from tensorcore.distributions.studentT import StudentT
from tensorcore.distributions.transformed_distribution import TransformedDistribution
from tensorcore.distributions.transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from tensorcore.distributions.uniform import Uniform
from tensorcore.distributions.von_mises import VonMises
from tensorcore.distributions.weibull import Weibull
from tensorcore.distributions.wishart import Wishart

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Binomial",
    "CatTransform",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ComposeTransform",
    "ContinuousBernoulli",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "IndependentTransform",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "LowerCholeskyTransform",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "StudentT",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "constraint_registry",
    "constraints",
    "identity_transform",
    "kl",
    "kl_divergence",
    "register_kl",
    "transform_to",
    "transforms",
    "utils",
]
