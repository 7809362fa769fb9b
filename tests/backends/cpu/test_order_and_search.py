"""The vectorised kernels of order on sizes where their shortcuts are taken, against NumPy's plain functions."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc

RANDOM = np.random.default_rng(0)


def draws(kind, *shape):
    if kind == "ties":
        return RANDOM.integers(-4, 4, shape).astype(np.float32)
    if kind == "flawed":
        x = RANDOM.standard_normal(shape).astype(np.float32)
        x[RANDOM.random(shape) < 0.1] = np.nan
        x[RANDOM.random(shape) < 0.05] = -np.nan
        x[RANDOM.random(shape) < 0.1] = -0.0
        x[RANDOM.random(shape) < 0.1] = 0.0
        x[RANDOM.random(shape) < 0.05] = np.inf
        return x
    if kind == "flawed64":
        return draws("flawed", *shape).astype(np.float64)
    if kind == "wide":
        return RANDOM.integers(-(2**63), 2**63 - 1, shape)
    if kind == "unsigned":
        return RANDOM.integers(0, 2**64 - 1, shape, dtype=np.uint64)
    if kind == "bool":
        return RANDOM.random(shape) < 0.5
    return RANDOM.standard_normal(shape).astype(kind)


KINDS = ("float32", "float64", "float16", "ties", "flawed", "flawed64", "wide", "unsigned", "bool")
SHAPES = ((5000,), (6, 900), (900, 6))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("descending", [False, True])
def test_sorts_are_stable(kind, shape, descending):
    x = draws(kind, *shape)
    for dim in range(x.ndim):
        values, places = tc.sort(tc.from_numpy(x), dim=dim, descending=descending)
        expected = np.argsort(x, dim, kind="stable")
        if descending:
            expected = x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)
        np.testing.assert_array_equal(places.numpy(), expected)
        ordered = np.take_along_axis(x, expected, dim)
        np.testing.assert_array_equal(values.numpy(), ordered)
        np.testing.assert_array_equal(np.signbit(values.numpy()), np.signbit(ordered))


@pytest.mark.parametrize("shape", [*SHAPES, (7, 3000)])
@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("k", [1, 5])
def test_topk_is_the_head_of_a_stable_sort(kind, shape, largest, k):
    x = tc.from_numpy(draws(kind, *shape))
    for dim in range(x.ndim):
        for found, whole in zip(x.topk(k, dim, largest), x.sort(dim, largest), strict=True):
            np.testing.assert_array_equal(found.numpy(), whole.narrow(dim, 0, k).numpy())


@pytest.mark.parametrize("kind", [*KINDS[:6], "wide"])
@pytest.mark.parametrize("shape", [(2001,), (5, 400)])
def test_places_by_partition_are_those_of_a_stable_sort(kind, shape):
    x = tc.from_numpy(draws(kind, *shape))
    values, places = x.sort(-1)
    for k in (1, 150, shape[-1]):
        found = x.kthvalue(k)
        np.testing.assert_array_equal(found.values.numpy(), values.select(-1, k - 1).numpy())
        np.testing.assert_array_equal(found.indices.numpy(), places.select(-1, k - 1).numpy())
    rows = x.numpy().reshape(-1, shape[-1])
    held = (rows == rows).sum(-1)
    ranks = np.where(held < shape[-1], held, (shape[-1] - 1) // 2)
    for found, rank in ((x.median(-1), ranks), (x.nanmedian(-1), (held - 1) // 2)):
        for part, whole in zip(found, (values, places), strict=True):
            expected = np.take_along_axis(whole.numpy().reshape(rows.shape), rank[:, None], -1)
            np.testing.assert_array_equal(part.numpy().reshape(-1), expected[:, 0])


@pytest.mark.parametrize("kind", ["float32", "ties", "flawed", "wide", "bool", "rising", "falling"])
@pytest.mark.parametrize("shape", [(9001,), (3, 5000), (8192,), (300, 20)])
def test_running_extremes(kind, shape):
    if kind in ("rising", "falling"):
        x = np.arange(np.prod(shape)).reshape(shape) * (1 if kind == "rising" else -1)
    else:
        x = draws(kind, *shape)
    flat = x.astype(np.int8) if x.dtype == bool else x
    for name, ufunc in (("cummax", np.maximum), ("cummin", np.minimum)):
        values, places = getattr(tc, name)(tc.from_numpy(x), -1)
        expected = ufunc.accumulate(flat, -1)
        np.testing.assert_array_equal(values.numpy(), expected.astype(x.dtype))
        hit = (flat == expected) | (flat != flat)
        last = np.maximum.accumulate(np.where(hit, np.arange(shape[-1]), 0), -1)
        np.testing.assert_array_equal(places.numpy(), last)


@pytest.mark.parametrize("shape, dim", [((100_003,), None), ((40, 1009), 1), ((40, 1009), 0), ((2, 9, 1024), (1, 2))])
def test_products_in_any_order(shape, dim):
    x = RANDOM.uniform(0.99, 1.01, shape)
    np.testing.assert_allclose(tc.from_numpy(x).prod(dim).numpy(), np.prod(x, dim), rtol=1e-10)
    whole = RANDOM.integers(-3, 4, shape) | 1
    np.testing.assert_array_equal(tc.from_numpy(whole).prod(dim).numpy(), np.prod(whole, dim))


@pytest.mark.parametrize("shape", [(30, 400), (5, 20, 300), (300, 30)])
def test_running_sums_slice_by_slice(shape):
    x = RANDOM.standard_normal(shape)
    for dim in range(len(shape)):
        np.testing.assert_allclose(tc.from_numpy(x).cumsum(dim).numpy(), np.cumsum(x, dim), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(tc.from_numpy(x).cumprod(dim).numpy(), np.cumprod(x, dim), rtol=1e-12)


@pytest.mark.parametrize("steep", [1.0, 1e3])
def test_logarithms_of_running_sums_with_and_without_deep_terms(steep):
    x = RANDOM.standard_normal((3, 200)) * steep
    expected = np.logaddexp.accumulate(x, 1)
    np.testing.assert_allclose(tc.from_numpy(x).logcumsumexp(1).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("rows, side, wanted", [(1, 500, 2000), (4, 500, 100), (50, 30, 7)])
@pytest.mark.parametrize("right", [False, True])
def test_searches(rows, side, wanted, right):
    held = np.sort(RANDOM.integers(0, 100, (rows, side)), -1)
    sought = RANDOM.integers(-5, 105, (rows, wanted))
    found = tc.searchsorted(tc.from_numpy(held), tc.from_numpy(sought), right=right)
    expected = [np.searchsorted(a, b, "right" if right else "left") for a, b in zip(held, sought, strict=True)]
    np.testing.assert_array_equal(found.numpy(), expected)


def test_modes_of_rows():
    x = RANDOM.integers(0, 5, (40, 30))
    values, places = tc.from_numpy(x).mode(1)
    for row, value, place in zip(x, values.tolist(), places.tolist(), strict=True):
        counts = np.bincount(row)
        assert value == np.argmax(counts)
        assert place == np.flatnonzero(row == value)[-1]


def test_counts_of_places_out_of_range_are_refused():
    from tensorcore_cpu.backend import CpuBackend

    kernel = CpuBackend().weigh
    for place in (-1, 3):
        with pytest.raises(IndexError, match="out of range"):
            kernel(np.array([0, place]), np.ones(2), length=3)
