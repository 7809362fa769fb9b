"""Distributions against PyTorch's: moments, densities, quantiles, divergences, their gradients, and draws."""

from __future__ import annotations

import warnings

import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")

from against_torch import TOLERANCE, T, V, same, weights_like  # noqa: E402

THINGS = ("mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "has_rsample", "has_enumerate_support")
METHODS = ("entropy", "perplexity", "enumerate_support")
OF_VALUES = ("log_prob", "cdf")
#: What is differentiated twice.
TWICE = ("log_prob", "cdf", "entropy", "mean", "variance")


class Made:
    """A parameter computed from a leaf that both libraries draw."""

    def __init__(self, leaf, function):
        self.leaf, self.function = leaf, function

    def __getattr__(self, name):
        return getattr(self.leaf, name)


def scale_tril(*shape, **facts):
    def function(x):
        diagonal = x.diagonal(dim1=-2, dim2=-1)
        return x.tril(-1) + (diagonal.abs() + 0.5).diag_embed()

    return Made(T(*shape, **facts), function)


def positive_definite(*shape, **facts):
    def function(x):
        factor = scale_tril().function(x)
        return factor @ factor.mT

    return Made(T(*shape, **facts), function)


def P(*shape, low=0.3, high=3.0, **facts):  # noqa: N802
    """Positive."""
    return T(*shape, low=low, high=high, **facts)


def U(*shape, low=0.05, high=0.95, **facts):  # noqa: N802
    """In the unit interval."""
    return T(*shape, low=low, high=high, **facts)


def F(*shape, **facts):  # noqa: N802
    """float32, PyTorch's GeneralizedPareto takes no other."""
    return T(*shape, dtype="float32", **facts)


def simplex(*shape, **facts):
    return Made(T(*shape, low=-1, high=1, grad=False, **facts), lambda x: x.softmax(-1))


COUNTS = V([[0.0], [1.0], [2.0], [5.0]], grad=False)
CORRELATION = V([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]], grad=False)
ONE_HOT = V([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], grad=False)
REAL, POSITIVE, UNIT = T(4, 1, 1), P(4, 1, 1), U(4, 1, 1)

#: class -> [(parameters, values)]; the first of each is also used for divergences.
CASES = {
    "Bernoulli": [
        ({"probs": U(3)}, V([[0.0], [1.0]], grad=False)),
        ({"logits": T(2, 3)}, V([[0.0], [1.0]], grad=False)),
        ({"probs": V([0.0, 0.5, 1.0])}, V([0.0, 1.0, 1.0], grad=False)),
        ({"probs": 0.3}, V(1.0, grad=False)),
    ],
    "Beta": [
        ({"concentration1": P(3), "concentration0": P(3, seed=1)}, UNIT),
        ({"concentration1": P(2, 1), "concentration0": P(3)}, UNIT),
        ({"concentration1": 2.0, "concentration0": 0.5}, V(0.5)),
        ({"concentration1": V([0.5, 1.0, 2.0]), "concentration0": V([0.25, 1.0, 1.0])}, UNIT),
    ],
    "Binomial": [
        ({"total_count": 5, "probs": U(3)}, COUNTS),
        ({"total_count": V([[5], [7]], "int64"), "logits": T(3)}, V([[0.0], [2.0]], grad=False)),
    ],
    "Categorical": [
        ({"probs": P(3, 4)}, V([[0], [3]], "int64")),
        ({"logits": T(2, 3, 4)}, V([[0], [3]], "int64")),
        ({"logits": T(4)}, V(2, "int64")),
        ({"probs": V([0.0, 1.0, 3.0])}, V([1, 2, 1], "int64")),
    ],
    "Cauchy": [({"loc": T(3), "scale": P(3)}, REAL), ({"loc": T(2, 1), "scale": P(3)}, REAL)],
    "Chi2": [({"df": P(3)}, POSITIVE), ({"df": 3.0}, V(1.5))],
    "ContinuousBernoulli": [
        ({"probs": U(3)}, UNIT),
        ({"logits": T(2, 3)}, UNIT),
        ({"probs": V([0.4985, 0.4995, 0.5, 0.5005])}, U(3, 1)),
    ],
    "Dirichlet": [
        ({"concentration": P(3, 4)}, simplex(4)),
        ({"concentration": P(2, 1, 4, high=0.9)}, simplex(5, 4)),
    ],
    "Exponential": [({"rate": P(3)}, POSITIVE), ({"rate": 2.0}, V([0.0, 1.0]))],
    "FisherSnedecor": [
        ({"df1": P(3), "df2": P(3, seed=1)}, POSITIVE),
        ({"df1": V([1.0, 3.0, 5.0]), "df2": V([1.0, 3.0, 5.0])}, POSITIVE),
    ],
    "Gamma": [
        ({"concentration": P(3), "rate": P(3, seed=1)}, POSITIVE),
        ({"concentration": P(2, 1), "rate": 2.0}, POSITIVE),
    ],
    "GeneralizedPareto": [
        (
            {"loc": F(3, low=-2, high=-1), "scale": F(3, low=0.5, high=3), "concentration": F(3, low=0.1, high=0.4)},
            F(4, 1, 1, low=0.5, high=3),
        ),
        (
            {"loc": 0.0, "scale": 1.0, "concentration": V([0.0, -0.5, 1.5, 0.7], "float32")},
            F(4, 1, 1, low=0.5, high=1.9),
        ),
    ],
    "Geometric": [({"probs": U(3)}, COUNTS), ({"logits": T(2, 3)}, V([[0.0], [2.0]], grad=False))],
    "Gumbel": [({"loc": T(3), "scale": P(3)}, REAL), ({"loc": 0.5, "scale": 2.0}, V([1.0, -1.0]))],
    "HalfCauchy": [({"scale": P(3)}, POSITIVE)],
    "HalfNormal": [({"scale": P(3)}, POSITIVE)],
    "InverseGamma": [({"concentration": P(3), "rate": P(3, seed=1)}, POSITIVE)],
    "Kumaraswamy": [({"concentration1": P(3), "concentration0": P(3, seed=1)}, UNIT)],
    "LKJCholesky": [({"dim": 3, "concentration": P(2)}, CORRELATION), ({"dim": 3, "concentration": 0.7}, CORRELATION)],
    "Laplace": [({"loc": T(3), "scale": P(3)}, REAL)],
    "LogNormal": [({"loc": T(3), "scale": P(3)}, POSITIVE)],
    "LogisticNormal": [({"loc": T(2, 3), "scale": P(2, 3)}, simplex(5, 1, 4))],
    "LowRankMultivariateNormal": [
        ({"loc": T(3), "cov_factor": T(3, 2), "cov_diag": P(3)}, T(4, 3)),
        ({"loc": T(2, 1, 3), "cov_factor": T(2, 3, 2), "cov_diag": P(3)}, T(5, 1, 1, 3)),
    ],
    "Multinomial": [
        ({"total_count": 4, "probs": P(2, 3)}, V([[1.0, 1.0, 2.0], [4.0, 0.0, 0.0]], grad=False)),
        ({"total_count": 3, "logits": T(3)}, V([[1.0, 0.0, 2.0], [3.0, 0.0, 0.0]], grad=False)),
    ],
    "MultivariateNormal": [
        ({"loc": T(3), "covariance_matrix": positive_definite(3, 3)}, T(4, 3)),
        ({"loc": T(2, 1, 3), "scale_tril": scale_tril(4, 3, 3)}, T(5, 1, 1, 3)),
        ({"loc": T(2, 3), "precision_matrix": positive_definite(3, 3)}, T(2, 3)),
    ],
    "NegativeBinomial": [
        ({"total_count": P(3), "probs": U(3)}, COUNTS),
        ({"total_count": 3.0, "logits": T(2, 3)}, V([[0.0], [2.0]], grad=False)),
    ],
    "Normal": [
        ({"loc": T(3), "scale": P(3)}, REAL),
        ({"loc": T(2, 1), "scale": P(3)}, REAL),
        ({"loc": 0.5, "scale": 2.0}, V([0.0, 1.0])),
        ({"loc": T(3, dtype="float32"), "scale": P(3, dtype="float32")}, T(4, 1, dtype="float32")),
    ],
    "OneHotCategorical": [({"probs": P(3)}, ONE_HOT), ({"logits": T(2, 3)}, ONE_HOT)],
    "OneHotCategoricalStraightThrough": [({"logits": T(2, 3)}, ONE_HOT)],
    "Pareto": [
        ({"scale": P(3, high=0.9), "alpha": P(3, low=0.5, high=4)}, P(4, 1, 1, low=1)),
        ({"scale": 0.5, "alpha": V([0.5, 1.5, 3.0])}, P(4, 1, 1, low=1)),
    ],
    "Poisson": [({"rate": P(3)}, COUNTS), ({"rate": V([0.0, 2.5, 4.0])}, V([[0.0], [1.0]], grad=False))],
    "RelaxedBernoulli": [({"temperature": P(), "probs": U(3)}, UNIT), ({"temperature": P(), "logits": T(2, 3)}, UNIT)],
    "RelaxedOneHotCategorical": [
        ({"temperature": P(), "probs": P(3)}, simplex(5, 3)),
        ({"temperature": P(), "logits": T(2, 3)}, simplex(5, 1, 3)),
    ],
    "StudentT": [
        ({"df": P(3, low=2.5, high=6), "loc": T(3), "scale": P(3)}, REAL),
        ({"df": V([0.5, 1.0, 1.5, 2.0, 3.0])}, REAL),
    ],
    "Uniform": [
        ({"low": U(3, high=0.4), "high": U(3, low=0.5)}, U(4, 1, low=0.4, high=0.5)),
        ({"low": -1.0, "high": P(3)}, U(4, 1, high=0.2)),
    ],
    "VonMises": [({"loc": T(3), "concentration": P(3, high=8)}, REAL)],
    "Weibull": [({"scale": P(3), "concentration": P(3, low=1.2)}, POSITIVE)],
    "Wishart": [
        ({"df": P(2, low=4, high=6), "covariance_matrix": positive_definite(3, 3)}, positive_definite(4, 1, 3, 3)),
        ({"df": P(low=4, high=6), "scale_tril": scale_tril(2, 3, 3)}, positive_definite(4, 1, 3, 3)),
        ({"df": 5.5, "precision_matrix": positive_definite(3, 3)}, positive_definite(3, 3)),
    ],
}  # fmt: skip
CONFIGURATIONS = [(name, place) for name, cases in CASES.items() for place in range(len(cases))]
#: PyTorch's Bessel functions are approximations of single precision; its mode of Kumaraswamy's distribution is NaN.
#: It computes some constants in float32.
#: The formulas of ContinuousBernoulli cancel near 1/2.
ROUGH = {"VonMises": 1e-4, "Multinomial": 1e-6, "LKJCholesky": 1e-6, ("ContinuousBernoulli", 2): 1e-3}
NOT_THERE = {("Kumaraswamy", "mode")}


def made(lib, value, leaves):
    if isinstance(value, (T, Made)):
        leaf = (value.leaf if isinstance(value, Made) else value).make(lib)
        leaves.append(leaf)
        return value.function(leaf) if isinstance(value, Made) else leaf
    return value


def build(lib, name, parameters, leaves):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = {key: made(lib, value, leaves) for key, value in parameters.items()}
        return getattr(lib.distributions, name)(**arguments)


def outcome(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(), None
        except Exception as error:
            return None, error


def agree(ours, theirs, leaves, their_leaves, what, tolerance=None):
    """Both give the same values and gradients, or errors that the same `except` catches."""
    (mine, error), (its, their_error) = outcome(ours), outcome(theirs)
    if their_error is not None:
        kind = next(k for k in (NotImplementedError, ValueError, RuntimeError, Exception) if isinstance(their_error, k))
        assert isinstance(error, kind), f"{what}: {error!r} and {their_error!r}"
        return
    assert error is None, f"{what}: {error!r}"
    if not isinstance(its, torch.Tensor):
        assert mine == (tuple(its) if isinstance(its, tuple) else its), what
        return
    same(mine, its, what, tolerance)
    inputs = [leaf for leaf in leaves if leaf.requires_grad]
    their_inputs = [leaf for leaf in their_leaves if leaf.requires_grad]
    assert mine.requires_grad == its.requires_grad, what
    if not its.requires_grad:
        return
    try:
        wanted = slopes(torch, [its], their_inputs)
    except NotImplementedError:
        # Of the incomplete gamma function by its first argument.
        return
    found = slopes(tc, [mine], inputs)
    compare_slopes(found, wanted, f"{what}: gradient", tolerance)
    if what in TWICE:
        again, their_again = ([g for g in each if g is not None and g.requires_grad] for each in (found, wanted))
        if again and len(again) == len(their_again):
            wanted = slopes(torch, their_again, their_inputs)
            compare_slopes(slopes(tc, again, inputs), wanted, f"{what}: second gradient", tolerance)


def slopes(lib, outputs, inputs):
    weights = weights_like(lib, outputs)
    return lib.autograd.grad(outputs, inputs, weights, retain_graph=True, create_graph=True, allow_unused=True)


def compare_slopes(found, wanted, what, tolerance):
    for place, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if a is None or b is None:
            zero = a if b is None else b
            assert zero is None or not bool((zero != 0).any()), f"{what} {place}"
        elif bool(b.isfinite().all()):
            # PyTorch's trigamma function is good to eight digits.
            same(a, b, f"{what} {place}", tolerance or max(1e-7, 5 * TOLERANCE[a.dtype.name]))


@pytest.mark.parametrize(("name", "place"), CONFIGURATIONS)
def test_moments_and_densities(name, place):
    parameters, values = CASES[name][place]
    sides = []
    for lib in (tc, torch):
        leaves = []
        distribution = build(lib, name, parameters, leaves)
        sides.append((distribution, made(lib, values, leaves), leaves))
    (ours, value, leaves), (theirs, their_value, their_leaves) = sides
    assert repr(ours).replace("tensorcore", "torch") == repr(theirs) or "," in repr(theirs)

    def check(function, what):
        if (name, what) not in NOT_THERE:
            agree(
                lambda: function(ours, value), lambda: function(theirs, their_value), leaves, their_leaves,
                what, ROUGH.get((name, place), ROUGH.get(name)),
            )  # fmt: skip

    for what in THINGS:
        check(lambda d, x, what=what: getattr(d, what), what)
    for what in METHODS:
        check(lambda d, x, what=what: getattr(d, what)(), what)
    for what in OF_VALUES:
        check(lambda d, x, what=what: getattr(d, what)(x), what)
    check(lambda d, x: d.icdf(d.cdf(x).detach()), "icdf")
    check(lambda d, x: d.support.check(x), "support")
    check(lambda d, x: d.log_prob(x + 1000.5), "outside")
    check(lambda d, x: d.expand((5, *d.batch_shape)).log_prob(x), "expanded log_prob")
    check(lambda d, x: d.expand((5, *d.batch_shape)).mean, "expanded mean")


# ------------------------------------------------------------------ divergences

THEIRS = {(p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY}
PAIRS = sorted((p, q) for p, q in THEIRS if p in CASES and q in CASES)


def test_the_same_pairs_have_divergences():
    from tensorcore.distributions.kl import _REGISTRY

    ours = {(p.__name__, q.__name__) for p, q in _REGISTRY if p.__module__.startswith("tensorcore.")}
    assert ours == THEIRS


def reseeded(value, seed):
    if isinstance(value, Made):
        return Made(reseeded(value.leaf, seed), value.function)
    if isinstance(value, T) and value.values is None:
        return T(*value.shape, dtype=value.dtype, low=value.low, high=value.high, grad=value.grad, seed=seed)
    return value


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_divergences(p, q):
    sides = []
    for lib in (tc, torch):
        leaves = []
        first = build(lib, p, CASES[p][0][0], leaves)
        second = build(lib, q, {key: reseeded(value, 5) for key, value in CASES[q][0][0].items()}, leaves)
        sides.append((lib, first, second, leaves))
    (_, p1, q1, leaves), (_, p2, q2, their_leaves) = sides
    agree(
        lambda: tc.distributions.kl_divergence(p1, q1), lambda: torch.distributions.kl_divergence(p2, q2),
        leaves, their_leaves, f"kl({p}, {q})",
    )  # fmt: skip
