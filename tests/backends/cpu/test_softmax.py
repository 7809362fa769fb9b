"""Softmax on cpu: with and without the maximum taken off, the same to the last digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc

INF = math.inf


def expected(x: np.ndarray, dim: int) -> np.ndarray:
    powers = np.exp(x.astype("float64") - x.astype("float64").max(dim, keepdims=True))
    return powers / powers.sum(dim, keepdims=True)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("scale, shift", [(1, 0), (5, 0), (1, 19), (1, -15), (1, 60), (1, -60), (100, 0), (1, 3e38)])
@pytest.mark.parametrize("shape", [(3, 5), (40, 300), (300, 40)])
def test_values(shape, scale, shift, dim):
    x = np.random.default_rng(0).uniform(-scale, scale, shape).astype("float32") + np.float32(shift)
    made = tc.softmax(tc.from_numpy(x), dim).numpy()
    np.testing.assert_allclose(made, expected(x, dim), rtol=4e-6, atol=1e-30)


@pytest.mark.parametrize("row, shares", [
    ([0.0, -INF], [1.0, 0.0]), ([-INF, -INF], [math.nan] * 2), ([INF, 0.0], [math.nan, math.nan]),
    ([math.nan, 0.0], [math.nan] * 2), ([20.0, -85.0], [1.0, math.exp(-105)]), ([-20.0, 20.0], [math.exp(-40), 1.0]),
    ([-0.0, 0.0], [0.5, 0.5]),
])  # fmt: skip
def test_edges(row, shares):
    made = tc.softmax(tc.tensor(row), 0).tolist()
    assert made == pytest.approx(shares, nan_ok=True, rel=1e-6, abs=1e-40)
    # PyTorch's answer for infinity: nothing but NaN in that row, and the others untouched.
    assert tc.softmax(tc.tensor([row, [1.0, 1.0]]), 1)[1].tolist() == [0.5, 0.5]


def test_a_row_without_a_maximum_near_zero_takes_all_rows_off_the_short_way():
    x = tc.tensor([[1.0, 2.0], [1000.0, 1001.0]])
    np.testing.assert_allclose(tc.softmax(x, 1).numpy(), expected(x.numpy(), 1), rtol=1e-6)
