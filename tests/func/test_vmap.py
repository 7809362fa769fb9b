"""What `vmap` does beyond the ops: writes in place, views, draws, values, errors, leaks."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict, defaultdict, namedtuple

import pytest

import tensorcore as tc
from tensorcore.errors import InplaceError, TransformError
from tensorcore.func import grad, jvp
from tensorcore.utils.checkpoint import checkpoint


def test_writes_reach_the_tensor_that_was_mapped():
    x = tc.arange(6.0).reshape(3, 2)
    tc.vmap(lambda a: a.mul_(2))(x)
    assert x.tolist() == [[0.0, 2.0], [4.0, 6.0], [8.0, 10.0]]
    tc.vmap(lambda a: a[1].zero_(), in_dims=0)(x)
    assert x[:, 1].tolist() == [0.0, 0.0, 0.0]
    tc.vmap(lambda a: a.add_(1), in_dims=1)(x)
    assert x.tolist() == [[1.0, 1.0], [5.0, 1.0], [9.0, 1.0]]


def test_writes_through_views_are_seen_by_other_views():
    def function(a):
        b = a.clone()
        first, last = b[0], b.reshape(2, 2)[1]
        b[0] = 7.0
        last.add_(100)
        return first + b.sum()

    x = tc.arange(8.0).reshape(2, 4)
    assert tc.vmap(function)(x).tolist() == [function(row).item() for row in x]


def test_gradients_flow_through_writes():
    def function(a):
        y = tc.zeros_like(a)
        y[1:] = a[:-1] * 3
        y.mul_(a)
        return y.sum()

    x = tc.arange(6.0, dtype=tc.float64).reshape(2, 3)
    wanted = tc.stack([grad(function)(row) for row in x])
    assert tc.equal(tc.vmap(grad(function))(x), wanted)
    assert tc.equal(grad(lambda x: tc.vmap(function)(x).sum())(x), wanted)
    tangent = jvp(tc.vmap(function), (x,), (tc.ones_like(x),))[1]
    assert tangent.tolist() == wanted.sum(1).tolist()


@pytest.mark.parametrize("write", ["a.add_(b)", "a.copy_(b)", "a.mul_(b)", "a.__setitem__(0, b[0])"])
def test_shared_tensors_refuse_values_that_differ(write):
    shared = tc.zeros(2)
    with pytest.raises(InplaceError, match=r"vmap: .*shape is"):
        tc.vmap(lambda b: eval(write, {"a": shared, "b": b}))(tc.ones(3, 2))
    assert shared.tolist() == [0.0, 0.0]


def test_shared_tensors_take_values_that_all_share():
    shared = tc.zeros(2)
    tc.vmap(lambda b: (shared.add_(1), b)[1])(tc.ones(3, 2))
    assert shared.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: a.item(), "Python number"), (lambda a: a if a > 0 else -a, "tc.where"),
        (lambda a: float(a), "number"),
        (lambda a: a.reshape(1).tolist(), "values of a tensor are read"), (lambda a: a.numpy(), "values"),
        (lambda a: tc.nonzero(a), "topk"), (lambda a: a[a > 0], "shape of a result"),
        (lambda a: tc.rand(2), "randomness='different'"),
        (lambda a: tc.nn.functional.dropout(a), "randomness error mode"),
        (lambda a: 1, "must return tensors, got int"),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_says_what_to_do(function, message):
    with pytest.raises(TransformError, match=message):
        tc.vmap(function)(tc.ones(3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tc.vmap(lambda a: a, 2)(tc.ones(2, 2)), r"in_dim 2 is for .* 2 dimensions, of shape \[2, 2\]"),
        (lambda: tc.vmap(lambda a, b: a)(tc.ones(2), tc.ones(3)), "different numbers of examples, 2 and 3"),
        (lambda: tc.vmap(lambda a: a, None)(tc.ones(2)), "at least one in_dim must be an int"),
        (lambda: tc.vmap(lambda a: a)([1.0]), "is no tensor; give None"),
        (lambda: tc.vmap(lambda a: a, ({"x": 0},))({"y": tc.ones(2)}), "does not fit"),
        (lambda: tc.vmap(lambda a: a, "0")(tc.ones(2)), "in_dims must be"),
        (lambda: tc.vmap(lambda a: a, out_dims=(0, 0))(tc.ones(2)), "out_dims"),
        (lambda: tc.vmap(lambda a: a, out_dims=None)(tc.ones(2)), "differs between examples"),
        (lambda: tc.vmap(lambda a: a, randomness="some"), "'error', 'different' or 'same'"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(call, message):
    with pytest.raises(TransformError, match=message):
        call()


def test_a_tensor_that_escaped_is_refused():
    kept = []
    tc.vmap(lambda a: (kept.append(a), a)[1])(tc.ones(3))
    with pytest.raises(TransformError, match="after vmap had returned"):
        kept[0] + tc.ones(2)


def test_an_error_inside_leaves_no_level_behind():
    with pytest.raises(ZeroDivisionError):
        tc.vmap(lambda a: 1 / 0)(tc.ones(2))
    assert tc.rand(2).shape == (2,)


def test_repr_names_the_level():
    shown = []
    tc.vmap(lambda a: (shown.append(repr(a)), a)[1], in_dims=1)(tc.ones(2, 3))
    assert shown[0].startswith("BatchedTensor(lvl=1, bdim=1, value=\n    tensor([[1., 1., 1.],")


@pytest.mark.parametrize("randomness", ["same", "different"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda a: tc.rand(4), lambda a: tc.rand_like(a), lambda a: tc.nn.functional.dropout(tc.ones(64)),
        lambda a: tc.nn.functional.dropout(a.expand(64)),
        lambda a: tc.nn.functional.alpha_dropout(a.expand(64), training=True),
        lambda a: tc.randperm(50), lambda a: tc.bernoulli(tc.full((64,), 0.5)), lambda a: a.new_zeros(4).uniform_(),
        lambda a: tc.multinomial(tc.ones(100), 8), lambda a: tc.nn.functional.rrelu(-tc.ones(8), training=True),
    ],
)  # fmt: skip
def test_draws(draw, randomness):
    got = tc.vmap(draw, randomness=randomness)(tc.ones(3, 1))
    assert tc.equal(got[0], got[1]) == (randomness == "same")
    nested = tc.vmap(tc.vmap(draw, randomness=randomness), randomness="different")(tc.ones(2, 3, 1))
    assert not tc.equal(nested[0], nested[1])
    assert tc.equal(nested[0, 0], nested[0, 1]) == (randomness == "same")


def test_mapped_draws_are_those_of_all_examples():
    got = tc.vmap(lambda a: tc.rand(2, generator=generator), randomness="different")
    generator = tc.Generator().manual_seed(3)
    assert tc.equal(got(tc.ones(4)), tc.rand(4, 2, generator=tc.Generator().manual_seed(3)))


def test_compiled():
    x, w = tc.randn(5, 3), tc.randn(3, 2)
    step = tc.compile(lambda x, w: tc.vmap(grad(lambda w, a: (a @ w).sin().sum()), (None, 0))(w, x))
    wanted = tc.vmap(grad(lambda w, a: (a @ w).sin().sum()), (None, 0))(w, x)
    for _ in range(3):
        assert tc.allclose(step(x, w), wanted)
    assert tc.allclose(step(x + 1, w), tc.vmap(grad(lambda w, a: (a @ w).sin().sum()), (None, 0))(w, x + 1))


def test_importing_the_package_imports_no_transform():
    code = "import sys, tensorcore; print([m for m in sys.modules if m.startswith('tensorcore.func.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_containers_come_back_as_they_were():
    pair = namedtuple("pair", "a b")
    x = tc.ones(3, 2)
    got = tc.vmap(lambda p: pair({"z": p.b}, [p.a.sum()]))(pair(x, x * 2))
    assert type(got) is pair
    assert got.a["z"].tolist() == (x * 2).tolist()
    assert got.b[0].tolist() == [2.0] * 3
    for made in (OrderedDict(a=x), defaultdict(list, a=x)):
        assert type(tc.vmap(lambda d: d)(made)) is type(made)


@pytest.mark.filterwarnings("ignore:detect_anomaly")
def test_anomaly_mode_looks_at_all_examples():
    x = tc.tensor([1.0, 0.0, 4.0])
    with tc.autograd.detect_anomaly():
        assert tc.vmap(grad(lambda a: a * a))(x).tolist() == [2.0, 0.0, 8.0]
        with pytest.raises(RuntimeError, match="nan"):
            tc.vmap(grad(lambda a: (a * 0).sqrt() * 0))(x)


def test_checkpoints():
    x = tc.randn(3, 4, dtype=tc.float64)

    def function(a):
        return checkpoint(lambda a: (a * a).sin().sum(), a, use_reentrant=False)

    wanted = 2 * x * (x * x).cos()
    assert tc.allclose(tc.vmap(grad(function))(x), wanted)
    assert tc.allclose(grad(lambda x: tc.vmap(function)(x).sum())(x), wanted)


def test_out_is_refused():
    with pytest.raises(InplaceError, match="transform"):
        tc.vmap(lambda a: tc.add(a, 1, out=tc.empty(2)))(tc.ones(3, 2))
