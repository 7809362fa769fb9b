"""Programs of distributions, constraints and transforms, run on both libraries: values, gradients, draws, errors."""

from __future__ import annotations

import warnings

import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")

from against_torch import same, weights_like  # noqa: E402

#: p and q of one class with what the first configurations do not show.
MORE = [
    "t.kl_divergence(t.Bernoulli(V([0.0, 0.0, 0.5, 1.0, 1.0])), t.Bernoulli(V([0.0, 0.5, 0.0, 1.0, 0.5])))",
    "t.kl_divergence(t.Categorical(V([0.0, 0.5, 0.5])), t.Categorical(V([[0.2, 0.8, 0.0], [0.0, 0.5, 0.5]])))",
    "t.kl_divergence(t.Binomial(V([3.0, 4.0]), V([0.3, 0.3])), t.Binomial(V([3.0, 3.0]), V([0.5, 0.3])))",
    "t.kl_divergence(t.Binomial(2, V([0.3])), t.Binomial(3, V([0.5])))",
    "t.kl_divergence(t.Uniform(V([0.0, 0.2]), V([1.0, 0.5])), t.Uniform(V([0.1]), V([2.0])))",
    "t.kl_divergence(t.Pareto(V([0.5, 2.0]), V([3.0, 0.5])), t.Pareto(V([1.0]), V([2.0])))",
    "t.kl_divergence(t.Pareto(V([1.0, 2.0]), V([0.5, 1.5])), t.Normal(V([1.0]), V([2.0])))",
    "t.kl_divergence(t.Pareto(V([1.0, 2.0]), V([0.5, 1.5])), t.Exponential(V([1.0])))",
    "t.kl_divergence(t.Pareto(V([1.0, 2.0]), V([0.5, 1.5])), t.Gamma(V([1.0]), V([2.0])))",
    "t.kl_divergence(t.Uniform(V([-1.0, 0.5]), V([0.5, 2.0])), t.Beta(V([1.5]), V([2.0])))",
    "t.kl_divergence(t.Uniform(V([-1.0, 0.5]), V([0.5, 2.0])), t.Gamma(V([1.5]), V([2.0])))",
    "t.kl_divergence(t.Uniform(V([-1.0, 0.5]), V([0.5, 2.0])), t.Pareto(V([0.4]), V([2.0])))",
    "t.kl_divergence(t.Independent(t.Normal(V([0.0, 1.0]), 1.0), 1), t.Independent(t.Normal(V([1.0, 1.0]), 2.0), 1))",
    "t.kl_divergence(t.Independent(t.Normal(V([[0.0]]), 1.0), 1), t.Independent(t.Normal(V([[0.0]]), 1.0), 2))",
    "t.kl_divergence(t.LogNormal(V([0.0]), V([1.0])), t.LogNormal(V([1.0]), V([2.0])))",
    "t.kl_divergence(t.LogNormal(V([0.0]), V([1.0])), t.Weibull(V([1.0]), V([2.0])))",
    "t.kl_divergence(t.Chi2(V([1.5])), t.Gamma(V([1.0]), V([2.0])))",
    "t.kl_divergence(t.Normal(V([0.0]), V([1.0])), t.Poisson(V([1.0])))",
    "t.kl_divergence(t.Normal(V([0.0]), V([1.0])), t.StudentT(V([1.0])))",
    "t.kl_divergence(t.Wishart(V(5.0), lib.eye(2).double()), t.Wishart(V(4.0), 2 * lib.eye(2).double()))",
    "t.kl_divergence(t.HalfNormal(V([1.0])), t.HalfNormal(V([2.0])))",
    "t.MultivariateNormal(V([0.0, 1.0]), lib.eye(2).double()).expand((3,)).entropy()",
    "t.kl.kl_divergence(t.MultivariateNormal(V([0.0, 1.0]), lib.eye(2).double()), "
    "t.MultivariateNormal(V([0.0]), lib.eye(1).double()))",
]
# Derived from the log normaliser, where no closed form hides it.
MORE += [
    f"t.ExponentialFamily.entropy({made})"
    for made in (
        "t.Normal(V([0.5, 1.0]), V([1.0, 2.0]))", "t.Gamma(V([0.5, 1.0]), V([1.0, 2.0]))",
        "t.Dirichlet(V([0.5, 1.0]))", "t.Exponential(V([0.5, 1.0]))", "t.Bernoulli(V([0.5, 0.2]))",
        "t.ContinuousBernoulli(V([0.4, 0.2]))", "t.Wishart(V(5.0), lib.eye(2).double())", "t.Poisson(V([1.0]))",
    )
]  # fmt: skip
MORE += [
    f"families({p}, {q})"
    for p, q in (
        ("t.Normal(V([0.5, 1.0]), V([1.0, 2.0]))", "t.Normal(V([0.1]), V([2.5]))"),
        ("t.Gamma(V([0.5, 1.0]), V([1.0, 2.0]))", "t.Gamma(V([0.1]), V([2.5]))"),
        ("t.Beta(V([0.5, 1.0]), V([1.0, 2.0]))", "t.Beta(V([0.1]), V([2.5]))"),
        ("t.Dirichlet(V([0.5, 1.0]))", "t.Dirichlet(V([0.1, 2.5]))"),
        ("t.Poisson(V([0.5, 1.0]))", "t.Poisson(V([2.5]))"),
        ("t.Normal(V([0.5]), V([1.0]))", "t.Gamma(V([0.5]), V([1.0]))"),
    )
]

#: How well gradients agree; PyTorch's trigamma function is good to eight digits.
GRADIENTS = {"float32": 1e-4, "float64": 1e-7}
NUMBERS = "V([-1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, INF, NAN])"
VECTORS = "V([[0.0, 1.0], [0.5, 0.5], [1.0, 1.0], [-0.5, 1.5], [0.0, 0.0], [2.0, 1.0]])"
MATRICES = "V([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [0.0, 1.0]], [[1.0, 0.0], [0.6, 0.8]]])"
CHECKS = [
    *(
        f"c.{made}.check({NUMBERS})"
        for made in (
            "boolean", "real", "positive", "nonnegative", "unit_interval", "nonnegative_integer", "positive_integer",
            "greater_than(1)", "greater_than_eq(1)", "less_than(1)", "interval(0, 1)", "half_open_interval(0, 1)",
            "integer_interval(0, 2)", "interval(V(0.0), V(1.0))", "independent(c.positive, 1)", "real_vector",
            "cat([c.positive, c.real], 0, [3, 6])", "stack([c.positive] * 9)",
            "MixtureSameFamilyConstraint(c.positive)",
            "dependent", "independent(c.positive, 3)",
        )
    ),
    *(f"c.{made}.check({VECTORS})" for made in ("one_hot", "simplex", "multinomial(2)", "real_vector")),
    *(
        f"c.{made}.check({MATRICES})"
        for made in ("lower_triangular", "lower_cholesky", "corr_cholesky", "square")
    ),
    *(
        f"c.{made}.check({MATRICES}[{place}:{place} + 1])"
        for made in ("symmetric", "positive_semidefinite", "positive_definite") for place in range(3)
    ),
    "c.square.check(V([[1.0, 2.0]]))", "c.symmetric.check(V([[1.0, 2.0]]))",
    "[str(x) for x in (c.positive, c.real, c.simplex, c.unit_interval, c.independent(c.real, 1), c.boolean)]",
    "[(x.event_dim, x.is_discrete) for x in (c.boolean, c.simplex, c.real_vector, c.corr_cholesky, c.multinomial(3))]",
    "c.is_dependent(c.dependent), c.is_dependent(t.Uniform.support), c.is_dependent(t.Normal.support)",
    "c.dependent.event_dim", "c.dependent(event_dim=2).event_dim", "c.dependent(event_dim=2).is_discrete",
    "t.Uniform.support.event_dim, t.Categorical.support.is_discrete", "t.TransformedDistribution.support.event_dim",
    "c.stack([c.simplex, c.real]).event_dim, c.stack([c.simplex], -1).event_dim, c.cat([c.simplex, c.real]).event_dim",
    "c.independent(1, 1)", "c.cat([1])", "c.cat([c.real], lengths=[1, 2])", "c.Constraint().check(1)",
]  # fmt: skip

X, POSITIVE, UNIT = "V([-2.0, -0.1, 0.0, 0.7, 30.0])", "V([0.1, 0.5, 1.0, 2.0])", "V([0.1, 0.25, 0.5, 0.9])"
SQUARE = "V([[[0.5, 2.0], [-1.0, -0.3]], [[1.0, 0.0], [3.0, 1.5]]])"
TRANSFORMS = [
    ("f.ExpTransform()", X), ("f.SigmoidTransform()", X), ("f.SoftplusTransform()", X),
    ("f.TanhTransform()", X[:-7] + "])"),
    ("f.PowerTransform(2)", POSITIVE), ("f.PowerTransform(V([0.5, -1.0, 2.0, 3.0]))", POSITIVE),
    ("f.AbsTransform()", X),
    ("f.AffineTransform(1.0, -2.0)", X), ("f.AffineTransform(V([1.0]), V([0.5, 2.0, 1.0, 1.0, -1.0]))", X),
    ("f.AffineTransform(1.0, V([0.5, 2.0, 1.0, 1.0, -1.0]), event_dim=1)", X), ("f.AffineTransform(1, 2, 1)", X),
    ("f.SoftmaxTransform()", POSITIVE), ("f.StickBreakingTransform()", X[:-7] + "])"),
    ("f.CorrCholeskyTransform()", "V([[0.5, -1.0, 0.3], [2.0, 0.0, -0.1]])"), ("f.LowerCholeskyTransform()", SQUARE),
    ("f.PositiveDefiniteTransform()", SQUARE), ("f.identity_transform", X),
    ("f.ComposeTransform([f.ExpTransform(), f.AffineTransform(1.0, 2.0), f.PowerTransform(2)])", X),
    ("f.ComposeTransform([f.AffineTransform(1.0, 2.0), f.StickBreakingTransform()])", X[:-7] + "])"),
    ("f.IndependentTransform(f.ExpTransform(), 1)", X), ("f.ReshapeTransform((2, 2), (4,))", SQUARE),
    ("f.CatTransform([f.ExpTransform(), f.AffineTransform(0.0, 2.0)], lengths=[2, 3])", X),
    ("f.CatTransform([f.ExpTransform(), f.identity_transform], -1)", SQUARE),
    ("f.StackTransform([f.ExpTransform(), f.AffineTransform(0.0, 2.0)], 1)", SQUARE),
    ("f.CumulativeDistributionTransform(t.Normal(V(0.5), V(2.0)))", X[:-7] + "])"),
    ("f.ExpTransform().inv", POSITIVE), ("f.StickBreakingTransform().inv", "V([0.2, 0.3, 0.5])"),
    *((f"{registry}(c.{made})", X) for registry in ("t.biject_to", "t.transform_to") for made in (
        "real", "positive", "nonnegative", "greater_than(1.0)", "greater_than_eq(V(2.0))", "less_than(1.0)",
        "interval(-1.0, 3.0)", "half_open_interval(V(1.0), V(2.0))", "unit_interval", "independent(c.positive, 1)",
        "stack([c.positive, c.real, c.unit_interval, c.real, c.real])", "cat([c.positive, c.real], 0, [3, 2])",
        "lower_cholesky",
    )),
    ("t.biject_to(c.simplex)", POSITIVE), ("t.transform_to(c.simplex)", POSITIVE), ("t.biject_to(c.corr_cholesky)",
    "V([0.1, 0.2, 0.3])"),
    ("t.transform_to(c.lower_cholesky)", SQUARE), ("t.transform_to(c.positive_definite)", SQUARE),
    ("t.biject_to(c.boolean)", X),
]  # fmt: skip
PROGRAMS = [
    *CHECKS, *MORE,
    *(f"({made})({x})" for made, x in TRANSFORMS),
    *(f"g = {made}; g.inv(g({x}))" for made, x in TRANSFORMS),
    *(f"g = {made}; x = {x}; g.log_abs_det_jacobian(x, g(x))" for made, x in TRANSFORMS),
    *(f"g = {made}; g.bijective, g.domain.event_dim, g.codomain.event_dim" for made, x in TRANSFORMS),
    *(
        f"g = {made}; x = {x}; tuple(g.forward_shape(x.shape)), tuple(g.inverse_shape(g(x).shape))"
        for made, x in TRANSFORMS
    ),
    *(f"({made}).sign" for made, x in TRANSFORMS if "Stack" not in made),
    "f.ExpTransform() == f.ExpTransform(), f.ExpTransform() == f.AbsTransform()",
    "f.ExpTransform().inv == f.ExpTransform().inv, f.ExpTransform().inv == f.ExpTransform()",
    "f.AffineTransform(1, 2) == f.AffineTransform(1, 2), f.AffineTransform(1, 2) == f.AffineTransform(1, V(3.0))",
    "f.PowerTransform(2) == f.PowerTransform(2), f.PowerTransform(2) == f.PowerTransform(3)",
    "f.CorrCholeskyTransform() == f.CorrCholeskyTransform(), f.TanhTransform() == f.TanhTransform()",
    "g = f.ExpTransform(); g.inv.inv is g, g.inv is g.inv, str(g), str(g.inv)",
    "g = f.ExpTransform(cache_size=1); x = V([1.0]); g.inv(g(x)) is x, g(x) is g(x), g.with_cache() is g",
    "g = f.ComposeTransform([f.TanhTransform(), f.ExpTransform()]).with_cache(); x = V([20.0]); g.inv(g(x)) is x",
    "g = f.StackTransform([f.ExpTransform(), f.TanhTransform()], cache_size=1); x = V([1.0, 2.0]); g.inv(g(x)) is x",
    *(f"f.{made}.with_cache()._cache_size" for made in (
        "AffineTransform(1, 2)", "PowerTransform(2)", "IndependentTransform(f.ExpTransform(), 1)",
        "ReshapeTransform((2,), (1, 2))", "CatTransform([f.ExpTransform()])", "ExpTransform().inv",
        "CumulativeDistributionTransform(t.Normal(0.0, 1.0))", "StackTransform([f.ExpTransform()])",
    )),
    "f.ExpTransform(2)", "f.ReshapeTransform((2,), (3,))", "f.ReshapeTransform((2,), (2, 1)).forward_shape((3,))",
    "f.ReshapeTransform((2,), (2, 1)).inverse_shape((2,))", "f.CorrCholeskyTransform().forward_shape((2,))",
    "f.CorrCholeskyTransform().inverse_shape((2, 3))", "f.StickBreakingTransform().forward_shape(())",
    "f.CatTransform([f.ExpTransform()])(V([1.0, 2.0]))", "f.CatTransform([1])",
    "f.StackTransform([f.ExpTransform()])(V([1.0, 2.0]))",
    "f.IndependentTransform(f.ExpTransform(), 2)(V([1.0]))", "f.StickBreakingTransform().event_dim",
    "f.PositiveDefiniteTransform().event_dim", "f.Transform()(V(1.0))", "t.biject_to.register(1, None)(2)",
    # utils
    "t.utils.broadcast_all(V([1.0, 2.0]), 3, V([[1.0]]))", "t.utils.broadcast_all(1, 2.5)",
    "t.utils.broadcast_all('a')",
    "t.utils.clamp_probs(V([0.0, 0.3, 1.0]))", "t.utils.probs_to_logits(V([0.0, 0.3, 1.0]))",
    "t.utils.probs_to_logits(V([0.0, 0.3, 1.0]), is_binary=True)", "t.utils.logits_to_probs(V([0.0, 0.3, 1.0]))",
    "t.utils.logits_to_probs(V([0.0, 0.3, 1.0]), is_binary=True)",
    *(f"t.utils.tril_matrix_to_vec({MATRICES}, {diag})" for diag in (-3, -2, -1, 0, 1, 2)),
    *(f"t.utils.vec_to_tril_matrix(V([[1.0, 2.0, 3.0]]), {diag})" for diag in (-1, 0)),
    "t.utils.vec_to_tril_matrix(V([1.0, 2.0]))",
    "t.utils.vec_to_tril_matrix(V([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 1)",
    # made of others
    *(f"d = {made}; {what}" for made in (
        "t.TransformedDistribution(t.Normal(V([0.0, 1.0]), V([1.0, 2.0])), "
        "[f.ExpTransform(), f.AffineTransform(0.5, 2.0)])",
        "t.TransformedDistribution(t.Normal(V([0.0, 1.0]), V([1.0, 2.0])), f.AffineTransform(0.5, V([[-2.0], [1.0]])))",
        "t.TransformedDistribution(t.Normal(V([[0.0, 1.0]]), V([1.0, 2.0])), f.StickBreakingTransform())",
        "t.TransformedDistribution(t.Normal(V([0.0, 1.0]), V([1.0, 2.0])), [])",
        "t.TransformedDistribution(t.Uniform(V([0.0, 0.1]), V([1.0, 0.9])), "
        "[f.SigmoidTransform().inv, f.TanhTransform()])",
        "t.Independent(t.Normal(V([[0.0, 1.0]]), V([1.0, 2.0])), 1)", "t.Independent(t.Bernoulli(V([0.5, 0.2])), 0)",
        "t.Independent(t.MultivariateNormal(V([[0.0, 1.0]]), lib.eye(2).double()), 1)",
        "t.MixtureSameFamily(t.Categorical(V([0.3, 0.7])), t.Normal(V([0.0, 1.0]), V([1.0, 2.0])))",
        "t.MixtureSameFamily(t.Categorical(V([[0.3, 0.7], [0.5, 0.5]])), "
        "t.Independent(t.Normal(V([[[0.0], [1.0]]]), V([[[1.0]], [[2.0]]])), 1))",
        "t.MixtureSameFamily(t.Categorical(logits=V([[0.3, 0.7]])), t.Normal(V([[0.0, 1.0]]), V([1.0, 2.0])))",
    ) for what in (
        "tuple(d.batch_shape), tuple(d.event_shape), d.has_rsample, d.has_enumerate_support", "d.mean",
        "d.variance", "d.stddev",
        "d.entropy()", "lib.manual_seed(3); d.sample((3,))", "lib.manual_seed(3); d.rsample((3,))",
        "lib.manual_seed(3); d.log_prob(d.sample((3,)))", "lib.manual_seed(3); d.cdf(d.sample((3,)))",
        "d.icdf(V(0.3))",
        "lib.manual_seed(3); d.support.check(d.sample((3,)))",
        "lib.manual_seed(3); d.expand((4, *d.batch_shape)).sample()",
        "d = d.expand((4, *d.batch_shape)); tuple(d.batch_shape), tuple(d.event_shape)", "d.enumerate_support()",
    )),
    # errors
    "t.Normal(V([0.0]), V([-1.0]))", "t.Normal(V([NAN]), V([1.0]))", "t.Normal(0.0, -1.0, validate_args=False).scale",
    "t.Normal(V([0.0, 1.0]), V([1.0, 1.0, 1.0]))", "t.Normal('a', 1.0)", "t.Uniform(1.0, 0.0)", "t.Bernoulli(1.5)",
    "t.Bernoulli()", "t.Bernoulli(0.5, 0.5)", "t.Categorical(V(0.5))", "t.Categorical(V([-1.0, 2.0]))",
    "t.Beta(-1.0, 1.0)",
    "t.Dirichlet(V(1.0))", "t.Dirichlet(V([0.0, 1.0]))", "t.Binomial(-1, V([0.5]))", "t.Geometric(0.0)",
    "t.Poisson(-1.0)",
    "t.Multinomial(V([1.0]), V([0.5, 0.5]))", "t.MultivariateNormal(V(0.0), lib.eye(2))",
    "t.MultivariateNormal(V([0.0]))",
    "t.MultivariateNormal(V([0.0, 0.0]), -lib.eye(2).double())", "t.MultivariateNormal(V([0.0]), V([1.0]))",
    "t.MultivariateNormal(V([0.0]), V([[1.0]]), V([[1.0]]))",
    "t.LowRankMultivariateNormal(V([0.0]), V([0.0]), V([1.0]))",
    "t.LowRankMultivariateNormal(V([0.0]), V([[0.0], [1.0]]), V([1.0]))", "t.LKJCholesky(1)",
    "t.LKJCholesky(3, -1.0)",
    "t.Wishart(V(1.0), lib.eye(3).double())", "t.Wishart(V(3.0))", "t.Independent(t.Normal(0.0, 1.0), 1)",
    "t.MixtureSameFamily(t.Normal(0.0, 1.0), t.Normal(0.0, 1.0))", "t.MixtureSameFamily(t.Categorical(V([1.0])), 1)",
    "t.MixtureSameFamily(t.Categorical(V([0.5, 0.5])), t.Normal(V([0.0, 1.0, 2.0]), 1.0))",
    "t.VonMises(V(0.0), V(-1.0))",
    "t.MixtureSameFamily(t.Categorical(lib.ones(2, 2)), t.Normal(lib.zeros(3, 2), 1.0))",
    "t.TransformedDistribution(t.Normal(0.0, 1.0), 3)", "t.TransformedDistribution(t.Normal(0.0, 1.0), [3])",
    "t.TransformedDistribution(t.Normal(0.0, 1.0), f.StickBreakingTransform())", "t.Gamma(V([1.0]), V([0.0]))",
    "t.Normal(0.0, 1.0).log_prob(1.0)", "t.Normal(V([0.0, 1.0]), 1.0).log_prob(V([0.0, 1.0, 2.0]))",
    "t.Dirichlet(V([0.5, 1.0])).log_prob(V([0.1, 0.2, 0.7]))", "t.Exponential(1.0).log_prob(V(-1.0))",
    "t.Distribution().batch_shape[:]",
    "t.Distribution(validate_args=False).mean", "t.Distribution(validate_args=False).sample()",
    "t.Normal(0.0, 1.0).expand((2, 3)).loc",
    "t.Distribution(validate_args=False).expand((2,))", "t.Distribution.set_default_validate_args(3)",
    "t.Normal(0.0, 1.0).sample_n(2).shape[0]",
    "t.Binomial(V([1.0, 2.0]), V([0.5])).entropy()", "t.Binomial(V([1.0, 2.0]), V([0.5])).enumerate_support()",
    "t.register_kl(1, t.Normal)", "t.Categorical(V([0.5, 0.5])).log_prob(V(2.0))",
    "t.Normal(0.0, 1.0).enumerate_support()",
    "t.GeneralizedPareto(0.0, 1.0, -0.5).log_prob(lib.tensor(3.0))",
    "class Mine(t.Normal):\n    def __init__(self, x):\n        super().__init__(x, 1.0)\n"
    "Mine(V([0.0])).expand((2, 1))",
    "class Mine(t.Normal): pass\ntype(Mine(V([0.0]), 1.0).expand((2, 1))).__name__",
    # moments and divergences of singular cases
    "t.Categorical(V([0.0, 1.0])).entropy()", "t.Categorical(logits=V([-INF, 0.0])).entropy()",
    "t.Multinomial(3, V([0.5, 0.5])).expand((2,)).mean",
    "t.Multinomial(2, logits=V([-INF, 0.0])).log_prob(V([0.0, 2.0]))", "t.Geometric(V([1.0])).log_prob(V([0.0]))",
    "t.NegativeBinomial(V([0.0]), V([0.5])).log_prob(V([0.0]))", "t.Poisson(V([0.0])).log_prob(V([0.0]))",
    "t.Uniform(0.0, 1.0).log_prob(V([0.0, 1.0]))",
    "t.Uniform(0.0, 1.0, validate_args=False).log_prob(V([-1.0, 2.0]))",
    "t.Uniform(0.0, 1.0, validate_args=False).cdf(V([-1.0, 2.0]))", "t.Dirichlet(V([[0.5, 0.5], [2.0, 1.0]])).mode",
    "t.Beta(V([0.5, 2.0]), V([0.5, 3.0])).mode", "t.HalfNormal(1.0, validate_args=False).log_prob(V([-1.0]))",
    "t.Laplace(V(0.0), V(1.0)).icdf(V([0.0, 0.5, 1.0]))", "t.Normal(V(0.0), V(1.0)).icdf(V([0.0, 0.5, 1.0]))",
]  # fmt: skip

#: What is drawn through PyTorch's stream: the same seed gives the same numbers.
DRAWN = [
    "t.Normal({f}([0.5, 1.0]), {f}([1.0, 2.0]))", "t.Normal({f}(0.0), {f}(1.0))",
    "t.Uniform({f}([0.5, 1.0]), {f}([1.0, 2.0]))",
    "t.Bernoulli({f}([0.3, 0.7]))", "t.Bernoulli(logits={f}([[0.3], [0.7]]))",
    "t.Categorical({f}([[0.3, 0.7], [1.0, 1.0]]))",
    "t.Categorical(logits={f}([0.3, 0.7, 0.1]))", "t.OneHotCategorical({f}([0.3, 0.7]))",
    "t.Cauchy({f}([0.5]), {f}([1.0, 2.0]))",
    "t.OneHotCategoricalStraightThrough({f}([0.3, 0.7]))", "t.Multinomial(5, {f}([[0.3, 0.7], [1.0, 1.0]]))",
    "t.Exponential({f}([1.0, 2.0]))",
    "t.Geometric({f}([0.3, 0.7]))", "t.Laplace({f}([0.5]), {f}([1.0, 2.0]))",
    "t.Gumbel({f}([0.5]), {f}([1.0, 2.0]))", "t.HalfNormal({f}([1.0, 2.0]))",
    "t.HalfCauchy({f}([1.0, 2.0]))", "t.LogNormal({f}([0.5]), {f}([1.0, 2.0]))",
    "t.LogisticNormal({f}([0.5, 1.0]), {f}([1.0, 2.0]))",
    "t.Kumaraswamy({f}([0.5]), {f}([1.0, 2.0]))", "t.Pareto({f}([0.5]), {f}([1.0, 2.0]))",
    "t.Weibull({f}([0.5]), {f}([1.0, 2.0]))",
    "t.MultivariateNormal({f}([0.5, 1.0]), {f}([[2.0, 0.5], [0.5, 1.0]]))", "t.ContinuousBernoulli({f}([0.3, 0.5]))",
    "t.LowRankMultivariateNormal({f}([0.5, 1.0]), {f}([[2.0], [0.5]]), {f}([1.0, 2.0]))",
    "t.VonMises({f}([0.5, 1.0]), {f}([1.0, 20.0]))",
    "t.RelaxedBernoulli({f}(0.7), {f}([0.3, 0.7]))", "t.RelaxedOneHotCategorical({f}(0.7), {f}([0.3, 0.7]))",
    "t.RelaxedOneHotCategorical({f}(0.7), logits={f}([0.3, 0.7]))",
    "t.GeneralizedPareto({f}([0.5]), {f}([1.0, 2.0]), {f}([0.2]))",
    "t.MixtureSameFamily(t.Categorical({f}([0.3, 0.7])), t.Normal({f}([0.5, 10.0]), {f}([1.0, 2.0])))",
]  # fmt: skip
DRAWS = [
    f"lib.manual_seed(7); {made.replace('{f}', f)}.{what}({shape})"
    for made in DRAWN
    for f in ("S", "V")
    for what, shape in (("sample", ""), ("sample", "(20, 3)"), ("rsample", "(4,)"))
]


def run(lib, source):
    leaves = []

    def tensor(values, dtype=lib.float64):
        leaves.append(lib.tensor(values, dtype=dtype, requires_grad=True))
        return leaves[-1]

    t = lib.distributions
    kl = t.kl._KL_REGISTRY if lib is torch else t.kl._REGISTRY
    scope = {
        "lib": lib, "t": t, "c": t.constraints, "f": t.transforms, "V": tensor,
        "S": lambda values: tensor(values, lib.float32), "INF": float("inf"), "NAN": float("nan"),
    }  # fmt: skip
    scope["families"] = kl[t.ExponentialFamily, t.ExponentialFamily]
    *before, last = source.rsplit("\n", 1) if "class" in source else source.split("; ")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in before:
            exec(each, scope)
        return eval(last, scope), leaves


def outputs(value):
    if isinstance(value, (list, tuple)):
        return [out for each in value for out in outputs(each)]
    return [value]


@pytest.mark.parametrize("source", [*PROGRAMS, *DRAWS], ids=lambda source: source.replace("\n", " "))
def test_programs_agree(source):
    try:
        theirs, their_leaves = run(torch, source)
    except Exception as error:
        classes = (NotImplementedError, AssertionError, TypeError, ValueError, RuntimeError, Exception)
        kind = next(each for each in classes if isinstance(error, each))
        with pytest.raises(kind) as raised:
            run(tc, source)
        assert str(raised.value)
        return
    ours, leaves = run(tc, source)
    mine, its = outputs(ours), outputs(theirs)
    assert len(mine) == len(its)
    for a, b in zip(mine, its, strict=True):
        same(a, b, source, 1e-5 if "VonMises" in source else None)
    pairs = [(a, b) for a, b in zip(mine, its, strict=True) if isinstance(b, torch.Tensor) and b.requires_grad]
    if any(each in source for each in ("amil", "(t.Wishart")):
        # PyTorch's exponential families cut the graph at their parameters.
        return
    for a, b in pairs:
        found = tc.autograd.grad([a], leaves, weights_like(tc, [a]), retain_graph=True, allow_unused=True)
        wanted = torch.autograd.grad([b], their_leaves, weights_like(torch, [b]), retain_graph=True, allow_unused=True)
        for one, other in zip(found, wanted, strict=True):
            if one is None or other is None:
                zero = one if other is None else other
                assert zero is None or not bool((zero != 0).any()), source
            elif bool(other.isfinite().all()):
                same(one, other, f"gradient of {source}", GRADIENTS[one.dtype.name])
