"""`topk` on cpu gives what a stable sort gives, ties and NaN included."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc


def check(x: tc.Tensor, k: int, dim: int, largest: bool) -> None:
    values, places = x.topk(k, dim, largest)
    ordered, order = x.sort(dim, descending=largest, stable=True)
    np.testing.assert_array_equal(values.numpy(), ordered.narrow(dim, 0, k).numpy())
    np.testing.assert_array_equal(places.numpy(), order.narrow(dim, 0, k).numpy())
    assert places.dtype is tc.int64 and values.dtype is x.dtype


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 5, 25, 100])
@pytest.mark.parametrize(
    "shape, dim", [((100,), 0), ((40, 100), 1), ((40, 100), -1), ((100, 40), 0), ((3, 100, 20), 1)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "float16"])
def test_what_is_chosen(dtype, shape, dim, k, largest):
    x = (tc.randn(shape) * 50).to(getattr(tc, dtype)) if dtype != "uint8" else tc.randint(0, 256, shape, dtype=tc.uint8)
    check(x, k, dim, largest)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("special", [math.nan, math.inf, -math.inf, 0.0])
@pytest.mark.parametrize("count", [1, 4, 5, 6, 100])
def test_ties_and_what_is_not_finite(count, special, largest):
    x = tc.randn(40, 100)
    x[7, :count] = special
    x[8, -count:] = special
    check(x, 5, 1, largest)


@pytest.mark.parametrize("largest", [True, False])
def test_ties_within_what_is_chosen(largest):
    x = tc.randint(0, 2000, (40, 100)).float()
    x[:, 10:13] = 1e4 if largest else -1e4
    check(x, 5, 1, largest)


def test_views_and_gradients():
    x = tc.randn(100, 40)
    check(x.T, 3, 1, True)
    y = tc.randn(40, 100, requires_grad=True)
    values, places = y.topk(2, 1)
    values.sum().backward()
    expected = np.zeros((40, 100), "float32")
    np.put_along_axis(expected, places.numpy(), 1, 1)
    np.testing.assert_array_equal(y.grad.numpy(), expected)


@pytest.mark.parametrize("shape", [(1000,), (1, 1000), (1, 1), (1,), (40,)])
@pytest.mark.parametrize("values", [
    [], [float("nan")], [float("-inf")] * 36, [float("inf"), float("-inf")], [2.0, 2.0, 2.0], [0.0, -0.0, 0.0],
])  # fmt: skip
def test_one_row(shape, values):
    x = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    x[..., : min(len(values), x.shape[-1])] = values[: x.shape[-1]]
    order = np.argsort(x.reshape(-1), kind="stable")
    for k in (1, 5, 8, 9):
        for largest in (True, False):
            if k <= x.size:
                made = tc.from_numpy(x).topk(k, largest=largest)
                falling = x.size - 1 - np.argsort(x.reshape(-1)[::-1], kind="stable")[::-1]
                wanted = (falling if largest else order)[:k]
                assert made.indices.reshape(-1).tolist() == wanted.tolist()
                np.testing.assert_array_equal(made.values.numpy().reshape(-1), x.reshape(-1)[wanted])
                assert made.values.shape == made.indices.shape == (*shape[:-1], k)
    middle = (x.size - 1) // 2
    for made, place in ((tc.from_numpy(x).kthvalue(middle + 1), order[middle]), (tc.from_numpy(x).median(-1), None)):
        missing = np.isnan(x).any() and place is None
        place = int(np.isnan(x).argmax()) if missing else int(order[middle])
        assert made.indices.reshape(-1).tolist() == [place]
        np.testing.assert_array_equal(made.values.numpy().reshape(-1), x.reshape(-1)[[place]])
        assert made.values.shape == shape[:-1]
    kept = tc.from_numpy(x).median(-1, keepdim=True)
    assert kept.values.shape == kept.indices.shape == (*shape[:-1], 1)
