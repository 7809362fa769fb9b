"""Reductions and running totals against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc

X = np.random.default_rng(0).normal(size=(2, 3, 4))
DIMS = [None, 0, -1, (0, 2), (1,), (0, 1, 2), [-1, 0]]
NUMPYS = {"amax": "max", "amin": "min"}


@pytest.mark.parametrize("name", ["sum", "prod", "amax", "amin", "any", "all", "mean"])
@pytest.mark.parametrize("dim", DIMS, ids=str)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    "make",
    [lambda x: x, lambda x: x.T, lambda x: (x * 3).astype("int32"), lambda x: x > 0],
    ids=["rows", "strided", "int", "bool"],
)
def test_over_dimensions(name, dim, keepdim, make):
    x = make(X)
    if name == "mean" and x.dtype.kind != "f":
        pytest.skip("PyTorch takes means of floats alone")
    got = getattr(tc, name)(tc.tensor(x), dim=() if dim is None and name[:2] == "am" else dim, keepdim=keepdim)
    expected = getattr(np, NUMPYS.get(name, name))(
        x, axis=tuple(dim) if isinstance(dim, list) else dim, keepdims=keepdim
    )
    if name in ("sum", "prod") and x.dtype.kind in "ib":
        expected = expected.astype("int64")
    assert got.dtype.name == expected.dtype.name and got.shape == expected.shape
    np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-13)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize(
    "x",
    [X, X.T, np.array([3, 1, 3, 1]), np.array([1.0, math.nan, 5.0, math.nan]), np.array([math.inf, -math.inf])],
    ids=range(5),
)
def test_positions(name, x):
    assert getattr(tc, name)(tc.tensor(x)).item() == getattr(np, name)(x)
    for dim in range(-x.ndim, x.ndim):
        np.testing.assert_array_equal(np.asarray(getattr(tc, name)(tc.tensor(x), dim)), getattr(np, name)(x, dim))
        assert getattr(tc, name)(tc.tensor(x), dim, True).shape == getattr(np, name)(x, dim, keepdims=True).shape


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize(
    "x",
    [X, X.T, np.arange(1, 6, dtype="int8"), np.array([True, True]), np.zeros((0, 2)), np.array([1.0, math.nan, 2.0])],
    ids=range(6),
)
def test_running_totals(name, x):
    for dim in range(-x.ndim, x.ndim):
        got, expected = getattr(tc, name)(tc.tensor(x), dim), getattr(np, name)(x, dim)
        assert got.dtype.name == expected.dtype.name
        np.testing.assert_allclose(np.asarray(got), expected, rtol=1e-13)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "x",
    [
        X,
        X.T,
        np.array([3, 1, 3, 1, 2]),
        np.array([2.0, math.nan, -math.inf, math.nan, 1.0]),
        np.array([True, False, True]),
        np.zeros((0,)),
    ],
    ids=range(6),
)
def test_sort_is_stable_and_puts_nan_last(x, descending):
    values, places = tc.sort(tc.tensor(x), 0, descending)
    numbers = x.astype("float64") if x.dtype == bool else x
    key = np.where(np.isnan(numbers), np.inf, -numbers) if descending and not np.isnan(numbers).any() else numbers
    order = np.argsort(key, 0, kind="stable")
    if descending and np.isnan(numbers).any():
        order = np.argsort(np.where(np.isnan(numbers), -np.inf, -np.nan_to_num(numbers, neginf=-np.inf)), kind="stable")
    np.testing.assert_array_equal(np.asarray(places), order)
    np.testing.assert_array_equal(np.asarray(values), np.take_along_axis(x, order, 0))


def test_dtypes_of_sums():
    assert tc.ones(2, dtype=tc.uint8).sum().dtype is tc.ones(2, dtype=tc.bool).sum().dtype is tc.int64
    assert (
        tc.tensor([1.9, 2.9]).sum(dtype=tc.int64).item() == 3
        and tc.tensor([250, 250], dtype=tc.uint8).sum().item() == 500
    )
    assert tc.ones(3, dtype=tc.int8).sum(dtype=tc.float16).dtype is tc.float16


def test_sums_of_16_bit_floats_do_not_stall():
    assert (
        tc.ones(4096, dtype=tc.float16).sum().item() == 4096 and tc.ones(4096, dtype=tc.bfloat16).sum().item() == 4096
    )
    assert tc.full((1000,), 100.0, dtype=tc.float16).mean().item() == 100


def test_long_float32_sums_stay_accurate():
    x = np.full((100_000, 3), 0.1, "float32")
    np.testing.assert_allclose(tc.tensor(x).sum(0).numpy(), x.astype("float64").sum(0), rtol=1e-5)
    np.testing.assert_allclose(tc.tensor(x).sum().item(), x.astype("float64").sum(), rtol=1e-5)


@pytest.mark.parametrize(("name", "neutral"), [("sum", 0), ("prod", 1), ("any", False), ("all", True)])
def test_of_nothing(name, neutral):
    assert (
        getattr(tc.zeros(0), name)().item() == neutral
        and getattr(tc.zeros(0, 3), name)(0).tolist() == [neutral] * 3
        and getattr(tc.zeros(0, 3), name)(1).shape == (0,)
    )


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tc.zeros(0).amax(), RuntimeError, r"amax: no elements.*\[0\]"),
        (lambda: tc.zeros(2, 0).amin(1), IndexError, r"\[2, 0\].*\(1,\)"),
        (lambda: tc.zeros(0).argmax(), IndexError, "argmax"),
        (lambda: tc.ones(2).sum(1), IndexError, "sum: dimension 1"),
        (lambda: tc.ones(2, 2).sum((0, 0)), RuntimeError, "sum: .*twice"),
        (lambda: tc.ones(2).sum("a"), TypeError, "sum: dim"),
        (lambda: tc.tensor([1j]).amax(), TypeError, "amax: .*complex64"),
        (lambda: tc.tensor([1j]).sort(), TypeError, "sort: .*complex64"),
        (lambda: tc.ones(2).cumsum(), TypeError, "dim"), (lambda: tc.ones(2).cumsum(1), IndexError, "cumsum"),
        (lambda: tc.ones(2).sum(dim=0, axis=0), TypeError, "same argument"),
    ],
)  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_ties_share_the_gradient():
    x = tc.tensor([1.0, 3.0, 3.0], requires_grad=True)
    x.amax().backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]


@pytest.mark.parametrize("x", [[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 0.0, 4.0]])
def test_products_with_zeros_have_gradients(x):
    a = tc.tensor(x, dtype=tc.float64, requires_grad=True)
    a.prod().backward()
    assert a.grad.tolist() == [math.prod(x[:i] + x[i + 1 :]) for i in range(3)]
