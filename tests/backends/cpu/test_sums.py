"""Sums on cpu: against float64 and exact arithmetic, on both sides of each threshold."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc

SIDES = [1, 2, 1023, 1024, 1025, 8191, 8192, 8193, 20_000]


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", SIDES)
def test_all_of_a_vector(side, dtype):
    x = np.abs(numbers(side, dtype=dtype))
    exact = math.fsum(x.tolist())
    assert tc.from_numpy(x).sum().item() == pytest.approx(exact, rel=4 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, 1, 2, -1, (1, 2), (2, 1), (0, 2), (0, 1, 2), ()])
@pytest.mark.parametrize("shape", [(3, 50, 70), (4, 5, 3000), (3000, 5, 2), (2, 3000, 3)])
def test_dims(shape, dim, keepdim):
    x = np.abs(numbers(*shape))
    dims = tuple(range(3)) if dim in (None, ()) else dim
    made = tc.from_numpy(x).sum(dim, keepdim)
    expected = x.astype("float64").sum(dims, keepdims=keepdim)
    assert made.shape == expected.shape and made.dtype is tc.float32
    np.testing.assert_allclose(made.numpy(), expected, rtol=8e-7)


@pytest.mark.parametrize("view", [lambda x: x.T, lambda x: x[:, ::2], lambda x: x[1:, 5:], lambda x: x.T[5:]])
def test_of_views(view):
    x = np.abs(numbers(300, 400))
    for dim in (0, 1):
        made = view(tc.from_numpy(x)).sum(dim)
        np.testing.assert_allclose(made.numpy(), view(x.astype("float64")).sum(dim), rtol=8e-7)


@pytest.mark.parametrize("side", [100, 10_000])
@pytest.mark.parametrize(
    "inside, expected",
    [([math.inf], math.inf), ([math.inf, -math.inf], math.nan), ([math.nan], math.nan), ([3e38, 3e38], math.inf)],
)
def test_what_is_not_finite(side, inside, expected):
    x = tc.zeros(side)
    x[7 : 7 + len(inside)] = tc.tensor(inside)
    assert x.sum().item() == pytest.approx(expected, nan_ok=True)


def test_a_sum_is_the_same_each_time_and_wherever_it_lies_in_memory():
    x = numbers(100_001)
    sums = {tc.from_numpy(x[start : start + 99_000].copy()).sum().item() for start in [0] * 5}
    sums |= {tc.from_numpy(np.concatenate(([np.float32(0)] * k, x[:99_000]))[k:]).sum().item() for k in range(1, 9)}
    assert len(sums) == 1


@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16])
def test_16_bit_floats_are_added_in_float32(dtype):
    assert tc.ones(40_000, dtype=dtype).sum().item() == pytest.approx(40_000, rel=2**-8)


def test_integers_are_added_in_int64():
    assert tc.full((10_000,), 2**31 - 1, dtype=tc.int32).sum().item() == 10_000 * (2**31 - 1)


def test_empty_sides():
    assert tc.zeros(0, 10_000).sum(1).shape == (0,)
    assert tc.zeros(10_000, 0).sum(1).tolist() == [0.0] * 10_000


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("shape, dim", [((5,), 0), ((3, 17), 1), ((3, 17), 0), ((10_001,), 0), ((2, 3, 40), (1, 2))])
def test_sums_of_sizes_and_of_what_is_a_number(shape, dim, dtype):
    x = np.random.default_rng(1).standard_normal(shape).astype(dtype)
    made = tc.linalg.vector_norm(tc.from_numpy(x), 1, dim)
    wanted = np.abs(x.astype(np.float64)).sum(dim)
    rtol = 2e-3 if dtype is np.float16 else 1e-5
    np.testing.assert_allclose(made.numpy(), wanted, rtol=rtol)
    x.reshape(-1)[::4] = np.nan
    np.testing.assert_allclose(
        tc.from_numpy(x).nansum(dim).numpy(), np.nansum(x.astype(np.float64), dim), rtol=rtol, atol=2e-3
    )
    x.reshape(-1)[1] = np.inf
    assert np.isinf(tc.from_numpy(x).nansum().numpy()) and tc.from_numpy(x).nansum(dim).isinf().any()
    assert tc.full((9,), float("nan")).nansum().item() == 0.0
