"""Composites of arithmetic, bounds, kinds of number and logic, against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc

INF, NAN = math.inf, math.nan
X = np.array([-3.0, -0.5, -0.0, 0.0, 0.5, 2.0, INF, -INF, NAN])


def check(ours, theirs):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-14, equal_nan=True)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-1.0, 1.0),
        (None, 1.0),
        (0.0, None),
        (1.0, -1.0),
        (np.full(9, -1.0), np.linspace(-1, 1, 9)),
        (np.array(0.0), None),
    ],
)
def test_clamp(low, high):
    given = [tc.tensor(x) if isinstance(x, np.ndarray) else x for x in (low, high)]
    check(tc.clamp(tc.tensor(X), *given), np.clip(X, low, high))
    check(tc.tensor(X).clip_(*given), np.clip(X, low, high))


def test_clamp_spreads_nan_bounds_and_keeps_its_gradient_inside():
    assert all(map(math.isnan, tc.ones(2).clamp(min=NAN).tolist())) and math.isnan(
        tc.ones(2).clamp(max=tc.tensor([NAN, 1.0]))[0].item()
    )
    x = tc.tensor([-1.0, 0.0, 0.5, 1.0, 2.0], requires_grad=True)
    x.clamp(0, 1).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]
    with pytest.raises(RuntimeError, match="at least one"):
        x.clamp()


def test_bounds_promote():
    assert (
        tc.tensor([1, 5]).clamp(1.5).dtype is tc.float32
        and tc.tensor([1, 5]).clamp(2, 3).tolist() == [2, 3]
        and tc.tensor([1, 5], dtype=tc.int8).clamp(tc.tensor(2)).dtype is tc.int8
    )


@pytest.mark.parametrize(
    "name",
    ["isnan", "isinf", "isfinite", "signbit", "isposinf", "isneginf", "isreal", "nan_to_num", "square", "logical_not"],
)
def test_of_one(name):
    check(getattr(tc, name)(tc.tensor(X)), getattr(np, name)(X))
    check(getattr(tc, name)(tc.tensor([1, 0])), getattr(np, name)(np.array([1, 0])))


@pytest.mark.parametrize("options", [{}, {"nan": 5.0}, {"posinf": 1.0, "neginf": -1.0}])
def test_nan_to_num(options):
    check(tc.nan_to_num(tc.tensor(X), **options), np.nan_to_num(X, **options))


@pytest.mark.parametrize("equal_nan", [False, True])
def test_isclose(equal_nan):
    a, b = X[:, None], np.concatenate([X, X + 1e-9])[None, :]
    for options in ({}, {"rtol": 0.1}, {"atol": 0.6}, {"rtol": 0, "atol": 0}):
        got = tc.isclose(tc.tensor(a), tc.tensor(b), equal_nan=equal_nan, **options)
        check(got, np.isclose(a, b, equal_nan=equal_nan, **{"rtol": 1e-5, "atol": 1e-8, **options}))
    assert tc.allclose(tc.ones(2), tc.ones(2) + 1e-9) and not tc.allclose(tc.ones(2), tc.zeros(2))
    with pytest.raises(TypeError, match="one dtype"):
        tc.isclose(tc.ones(1), tc.ones(1, dtype=tc.int8))


def test_equal():
    assert (
        tc.equal(tc.tensor([1, 2]), tc.tensor([1.0, 2.0]))
        and not tc.equal(tc.ones(2), tc.ones(1))
        and not tc.equal(tc.tensor([NAN]), tc.tensor([NAN]))
    )


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.75, 1.0])
def test_lerp_is_exact_at_both_ends(weight):
    a, b = tc.tensor([1e8, -3.0]), tc.tensor([1.0, 7.0])
    for w in (weight, tc.tensor(weight)):
        got = tc.lerp(a, b, w)
        if weight in (0, 1):
            assert got.tolist() == (b if weight else a).tolist()
        else:
            np.testing.assert_allclose(got.numpy(), a.numpy() + weight * (b.numpy() - a.numpy()), rtol=1e-6)


def test_fused_products():
    a, b, c = (tc.tensor(np.arange(1.0, 4) + i) for i in range(3))
    check(tc.addcmul(a, b, c, value=0.5), a.numpy() + 0.5 * b.numpy() * c.numpy())
    check(a.clone().addcdiv_(b, c, value=2), a.numpy() + 2 * b.numpy() / c.numpy())
    assert tc.rsub(a, 10).tolist() == [9, 8, 7] and tc.rsub(a, b, alpha=2).tolist() == [0, -1, -2]


def test_logic_by_truth():
    a, b = np.array([0.0, 2.0, NAN, 0.0]), np.array([0, 0, 3, 5])
    for name in ("logical_and", "logical_or", "logical_xor"):
        check(getattr(tc, name)(tc.tensor(a), tc.tensor(b)), getattr(np, name)(a, b))


def test_hypot_neither_overflows_nor_underflows():
    big = tc.tensor([3e300, 1e-300, 0.0, INF, 0.0, -5.0], dtype=tc.float64)
    other = tc.tensor([4e300, 1e-300, 0.0, NAN, 7.0, 12.0], dtype=tc.float64)
    check(tc.hypot(big, other), np.hypot(big.numpy(), other.numpy()))
    x = tc.zeros(2, requires_grad=True)
    tc.hypot(x, tc.tensor([0.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [0, 0]


@pytest.mark.parametrize("invert", [False, True])
def test_isin(invert):
    x = np.array([[1, 2], [3, 4]])
    assert (
        tc.isin(tc.tensor(x), tc.tensor([2, 4, 9]), invert=invert).tolist()
        == np.isin(x, [2, 4, 9], invert=invert).tolist()
    )
    assert tc.isin(tc.tensor(x), 3).any() and bool(tc.isin(3, tc.tensor(x)))


def test_functions_take_out():
    out = tc.zeros(3)
    assert tc.add(tc.ones(3), 1, out=out) is out and out.tolist() == [2, 2, 2]
    assert (
        tc.mul(tc.ones(3), tc.ones(3), out=out) is out
        and tc.sum(tc.ones(2, 3), 0, out=out).tolist() == [2, 2, 2]
        and tc.cat([tc.ones(2), tc.zeros(1)], out=out).tolist() == [1, 1, 0]
    )
    empty = tc.empty(0)
    assert tc.exp(tc.zeros(2), out=empty) is empty and empty.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="int64"):
        tc.add(tc.ones(3), 1, out=tc.zeros(3, dtype=tc.int64))
    with pytest.raises(RuntimeError, match=r"\[2\].*\[3\]"):
        tc.add(tc.ones(3), 1, out=tc.zeros(2))
