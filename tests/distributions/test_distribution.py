"""The base class, expanding, validation and its words, and distributions on other devices and in compiled programs."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys

import pytest

import tensorcore as tc
from tensorcore import distributions as d
from tensorcore.distributions import constraints

NAMES = sorted(
    name for name in d.__all__ if isinstance(getattr(d, name), type) and issubclass(getattr(d, name), d.Distribution)
)


def test_the_package_is_imported_when_first_used():
    program = (
        "import sys, tensorcore as tc; assert 'tensorcore.distributions' not in sys.modules; tc.distributions.Normal"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_every_class_has_a_module_and_a_docstring(name):
    kind = getattr(d, name)
    assert kind.__doc__ and kind.__module__.startswith("tensorcore.distributions.")


@pytest.fixture
def normal():
    return d.Normal(tc.tensor([0.0, 1.0]), tc.tensor([[1.0], [2.0]]))


def test_shapes(normal):
    assert normal.batch_shape == (2, 2) and normal.event_shape == ()
    assert normal.sample((3,)).shape == normal.sample([3]).shape == (3, 2, 2)
    assert normal.sample().shape == (2, 2) and normal.sample((0,)).shape == (0, 2, 2)


def test_samples_have_no_gradient_and_rsamples_have():
    loc = tc.zeros(3, requires_grad=True)
    normal = d.Normal(loc, 1.0)
    assert not normal.sample().requires_grad and normal.rsample().requires_grad


def test_expanding_keeps_validation_and_shares_parameters(normal):
    expanded = d.Normal(normal.loc, normal.scale, validate_args=False).expand((5, 2, 2))
    assert expanded._validate_args is False and expanded.batch_shape == (5, 2, 2)
    assert expanded.loc.stride()[0] == 0
    assert normal.expand((5, 2, 2))._validate_args


def test_expanding_a_subclass_that_fills_its_own_instance():
    class Scaled(d.Normal):
        def __init__(self, loc, factor):
            self.factor = factor
            super().__init__(loc, 1.0)

        def expand(self, batch_shape, _instance=None):
            new = self._get_checked_instance(Scaled, _instance)
            new.factor = self.factor.expand(batch_shape)
            return super().expand(batch_shape, _instance=new)

    expanded = Scaled(tc.zeros(2), tc.ones(2)).expand((3, 2))
    assert type(expanded) is Scaled and expanded.factor.shape == expanded.loc.shape == (3, 2)


def test_lazy_parameters_are_computed_once_and_with_gradients():
    probs = tc.tensor([0.2, 0.7], requires_grad=True)
    bernoulli = d.Bernoulli(probs)
    assert "logits" not in vars(bernoulli)
    with tc.no_grad():
        logits = bernoulli.logits
    assert logits is bernoulli.logits and logits.requires_grad
    assert bernoulli.expand((3, 2)).logits.shape == (3, 2)


def test_multinomial_entropy_of_an_expanded_batch():
    multinomial = d.Multinomial(3, tc.tensor([0.3, 0.7]))
    assert tc.allclose(multinomial.expand((2,)).mean, multinomial.mean.expand(2, 2))


@pytest.mark.parametrize("name", ["Normal", "Gamma", "Categorical", "Independent"])
def test_copies_and_pickles(name):
    made = {
        "Normal": lambda: d.Normal(tc.zeros(2), 1.0),
        "Gamma": lambda: d.Gamma(tc.ones(2), 1.0),
        "Categorical": lambda: d.Categorical(logits=tc.zeros(2)),
        "Independent": lambda: d.Independent(d.Normal(tc.zeros(2), 1.0), 1),
    }[name]()
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(again) is type(made) and again.batch_shape == made.batch_shape
        assert tc.equal(again.mean.nan_to_num(), made.mean.nan_to_num())


# ------------------------------------------------------------------ words

SAID = [
    (lambda: d.Normal(tc.zeros(3), tc.tensor([1.0, -2.0, 0.0])), "parameter scale.*shape \\(3,\\).*Normal.*"
     "GreaterThan\\(lower_bound=0.0\\), but 2 of 3 do not; the first, at \\[1\\], is -2.0"),
    (lambda: d.Normal(0.0, math.nan), "parameter scale.*1 of 1 do not; the first, at \\[\\], is nan"),
    (lambda: d.Dirichlet(tc.tensor([[1.0, 1.0], [1.0, -1.0]])), "at \\[1\\], is \\[1.0, -1.0\\]"),
    (lambda: d.Uniform(tc.tensor([0.0, 2.0]), 1.0), "parameter low.*at \\[1\\], is 2.0"),
    (lambda: d.Exponential(1.0).log_prob(tc.tensor([[1.0, -1.0]])),
     "value.*within the support.*at \\[0, 1\\], is -1.0"),
    (lambda: d.Binomial(tc.tensor([1.0, 5.0]), tc.tensor(0.5)).log_prob(tc.tensor(3.0)), "at \\[0\\], is 3.0"),
    (lambda: d.MultivariateNormal(tc.zeros(2), tc.tensor([[1.0, 2.0], [2.0, 1.0]])),
     "covariance_matrix.*PositiveDefinite"),
    (lambda: d.Normal(tc.zeros(2), 1.0).log_prob(tc.zeros(3)), "shape \\[3\\].*batch_shape \\+ event_shape, \\[2\\]"),
    (lambda: d.Dirichlet(tc.ones(2)).log_prob(tc.ones(3)), "event, \\[2\\], got shape \\[3\\]"),
    (lambda: d.Normal(0.0, 1.0).log_prob(1.0), "must be a tensor, got float"),
    (lambda: d.Bernoulli(0.1, 0.2), "not both; got both"),
    (lambda: d.Independent(d.Normal(0.0, 1.0), 1), "batch_shape is \\[\\]"),
    (lambda: d.MixtureSameFamily(d.Categorical(tc.ones(2)), d.Normal(tc.zeros(3), 1.0)), "2 components.*\\[3\\]"),
    (lambda: d.LowRankMultivariateNormal(tc.zeros(2), tc.zeros(3, 1), tc.ones(2)), "cov_factor \\[3, 1\\]"),
    (lambda: d.biject_to(constraints.boolean), "Boolean"),
    (lambda: d.kl_divergence(d.Normal(0.0, 1.0), d.Cauchy(0.0, 1.0)), "Normal and q of Cauchy"),
    (lambda: d.Poisson(1.0).rsample(), "Poisson does not define rsample"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "words"), SAID)
def test_errors_say_what_was_met(program, words):
    with pytest.raises((ValueError, NotImplementedError), match=f"(?s){words}"):
        program()


def test_validation_can_be_switched_off_for_all():
    try:
        d.Distribution.set_default_validate_args(False)
        assert d.Normal(0.0, -1.0).scale.item() == -1
        with pytest.raises(ValueError, match="scale"):
            d.Normal(0.0, -1.0, validate_args=True)
    finally:
        d.Distribution.set_default_validate_args(__debug__)


def test_a_distribution_without_constraints_or_support_warns():
    class Bare(d.Distribution):
        def log_prob(self, value):
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="Bare has no arg_constraints"):
        bare = Bare()
    with pytest.warns(UserWarning, match="Bare has no support"):
        bare.log_prob(tc.tensor(0.0))
    with pytest.warns(FutureWarning, match="sample_n"):
        assert d.Normal(0.0, 1.0).sample_n(2).shape == (2,)


def test_wishart_warns_of_few_degrees_of_freedom():
    with pytest.warns(UserWarning, match="singular"):
        d.Wishart(tc.tensor(1.5), tc.eye(2))


def test_ambiguous_divergences_warn():
    class P(d.Normal):
        pass

    class Q(d.Normal):
        pass

    d.register_kl(P, d.Normal)(lambda p, q: "first")
    d.register_kl(d.Normal, Q)(lambda p, q: "second")
    try:
        with pytest.warns(RuntimeWarning, match="register_kl\\(P, Q\\)"):
            assert d.kl_divergence(P(0.0, 1.0), Q(0.0, 1.0)) == "first"
        d.register_kl(P, Q)(lambda p, q: "third")
        assert d.kl_divergence(P(0.0, 1.0), Q(0.0, 1.0)) == "third"
    finally:
        for pair in ((P, d.Normal), (d.Normal, Q), (P, Q)):
            del d.kl._REGISTRY[pair]
        d.kl._FOUND.clear()


# ------------------------------------------------------------------ values by hand, and gradients PyTorch cuts


def test_mode_of_kumaraswamy():
    """Where the density ``a * b * x ** (a - 1) * (1 - x ** a) ** (b - 1)`` is largest."""
    a, b = tc.tensor(2.0, dtype=tc.float64), tc.tensor(3.0, dtype=tc.float64)
    made = d.Kumaraswamy(a, b)
    grid = tc.linspace(0.001, 0.999, 9981, dtype=tc.float64)
    assert abs(grid[made.log_prob(grid).argmax()].item() - made.mode.item()) < 2e-4


def test_entropies_of_exponential_families_have_gradients():
    rate = tc.tensor([0.5, 2.0], dtype=tc.float64, requires_grad=True)
    exponential = d.Exponential(rate)
    (found,) = tc.autograd.grad(d.ExponentialFamily.entropy(exponential).sum(), rate)
    assert tc.allclose(found, -1 / rate)


def test_divergence_of_a_batch_of_wishart_distributions():
    df = tc.tensor([4.0, 6.0], dtype=tc.float64)
    p, q = d.Wishart(df, tc.eye(2).double()), d.Wishart(df + 1, 2 * tc.eye(2).double())
    one_by_one = [
        d.kl_divergence(d.Wishart(x, tc.eye(2).double()), d.Wishart(x + 1, 2 * tc.eye(2).double())) for x in df
    ]
    assert tc.allclose(d.kl_divergence(p, q), tc.stack(one_by_one))


# ------------------------------------------------------------------ elsewhere


@pytest.mark.parametrize("device", ["reference", "array_api_strict"])
def test_other_devices_draw_and_score_the_same(device):
    results = []
    for place in ("cpu", device):
        tc.manual_seed(0)
        concentration = tc.tensor([0.5, 3.0], device=place, requires_grad=True)
        gamma = d.Gamma(concentration, tc.tensor(2.0, device=place))
        drawn = gamma.rsample((2,))
        assert str(drawn.device).startswith(place)
        (gradient,) = tc.autograd.grad(gamma.log_prob(drawn).sum(), concentration)
        results.append((drawn.cpu(), gradient.cpu()))
    for a, b in zip(*results, strict=True):
        assert tc.allclose(a, b, rtol=1e-5)


def test_scores_in_a_compiled_program():
    @tc.compile
    def loss(x, loc, scale):
        return d.kl_divergence(d.Normal(loc, scale), d.Normal(0.0, 1.0)).sum() - d.Normal(loc, scale).log_prob(x).sum()

    x, loc, scale = tc.randn(4), tc.randn(4), tc.rand(4) + 0.5
    for _ in range(3):
        eager = d.kl_divergence(d.Normal(loc, scale), d.Normal(0.0, 1.0)).sum() - d.Normal(loc, scale).log_prob(x).sum()
        assert tc.allclose(loss(x, loc, scale), eager)


def test_scores_under_transforms_of_functions():
    x, logits = tc.randn(5), tc.randn(3, 4)
    mapped = tc.func.vmap(lambda value: d.Normal(0.0, 1.0).log_prob(value))(x)
    assert tc.allclose(mapped, d.Normal(0.0, 1.0).log_prob(x))
    mapped = tc.func.vmap(lambda each: d.Categorical(logits=each).entropy())(logits)
    assert tc.allclose(mapped, d.Categorical(logits=logits).entropy())
    slope = tc.func.grad(lambda scale: d.Normal(0.0, scale).log_prob(x).sum())(tc.tensor(1.0))
    assert tc.allclose(slope, (x.square() - 1).sum(), atol=1e-5)


def test_draws_in_a_compiled_program():
    program = tc.compile(lambda loc: d.Normal(loc, 1.0).rsample((2,)))
    loc = tc.randn(3)
    results = []
    for function in (program, lambda loc: d.Normal(loc, 1.0).rsample((2,))):
        tc.manual_seed(0)
        results.append([function(loc) for _ in range(3)])
    assert all(tc.equal(a, b) for a, b in zip(*results, strict=True))
