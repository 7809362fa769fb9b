"""Reductions, running totals and sorting against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tensorcore import dtypes

INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
FLOATS = ("float16", "float32", "float64")
COMPLEXES = ("complex64", "complex128")
INF, NAN = math.inf, math.nan


def sample(name: str, shape: tuple[int, ...]) -> Any:
    generator = np.random.default_rng(0)
    if name in COMPLEXES:
        return (generator.normal(size=shape) + 1j * generator.normal(size=shape)).astype(name)
    if name in FLOATS:
        return generator.normal(size=shape).astype(name)
    return generator.integers(0, 2 if name == "bool" else 100, size=shape).astype(name)


DIMS = [
    ((3, 4), (0, 1)),
    ((3, 4), (0,)),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4), (1,)),
    ((), ()),
    ((3, 1), ()),
    ((0, 3), (0,)),
    ((0, 3), (1,)),
]


@pytest.mark.parametrize("name", ("bool", *INTEGERS, *FLOATS, *COMPLEXES))
@pytest.mark.parametrize(("shape", "dim"), DIMS)
@pytest.mark.parametrize("keepdim", (False, True))
def test_sum_prod_any_all(
    backend: Any, given: Any, shown: Any, name: str, shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool
) -> None:
    x = sample(name, shape)
    total = dtypes.int64 if x.dtype.kind in "biu" else dtypes.by_name(name)
    wide = {"f": np.float64, "c": np.complex128}.get(x.dtype.kind, np.int64)
    for op, oracle in (("sum", np.sum), ("prod", np.prod)):
        found = shown(getattr(backend, op)(given(x), dim=dim, keepdim=keepdim, dtype=total))
        wanted = np.asarray(oracle(x.astype(wide), axis=dim, keepdims=keepdim)).astype(total.name)
        np.testing.assert_allclose(found, wanted, rtol=1e-3 if name == "float16" else 1e-6, atol=1e-14)
        assert found.shape == wanted.shape
    for op, oracle in (("any", np.any), ("all", np.all)):
        found = shown(getattr(backend, op)(given(x), dim=dim, keepdim=keepdim))
        np.testing.assert_array_equal(found, oracle(x, axis=dim, keepdims=keepdim))
        assert found.dtype == np.bool_


@pytest.mark.parametrize("name", ("bool", *INTEGERS, *FLOATS))
@pytest.mark.parametrize(("shape", "dim"), [case for case in DIMS if 0 not in case[0]])
def test_extremes(
    backend: Any, given: Any, shown: Any, name: str, shape: tuple[int, ...], dim: tuple[int, ...]
) -> None:
    x = sample(name, shape)
    for keepdim in (False, True):
        for op, oracle in (("amax", np.max), ("amin", np.min)):
            found = shown(getattr(backend, op)(given(x), dim=dim, keepdim=keepdim))
            np.testing.assert_array_equal(found, oracle(x, axis=dim, keepdims=keepdim))
            assert found.dtype == x.dtype
        if len(dim) == 1:
            for op, oracle in (("argmax", np.argmax), ("argmin", np.argmin)):
                found = shown(getattr(backend, op)(given(x), dim=dim[0], keepdim=keepdim))
                np.testing.assert_array_equal(found, oracle(x, axis=dim[0], keepdims=keepdim))
                assert found.dtype == np.int64


def total_of(backend: Any, given: Any, values: list[Any], dtype: dtypes.DType = dtypes.float64) -> Any:
    (found,) = backend.sum(given(np.array(values)), dim=(0,), keepdim=False, dtype=dtype).buffer
    return found


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([], 0.0),
        ([0.1] * 10, 1.0),
        ([1e16, 1.0, -1e16], 1.0),
        ([1e308, 1e308, -1e308], 1e308),
        ([1e308, 1e308], INF),
        ([INF, 1.0], INF),
        ([INF, -INF], NAN),
        ([NAN, INF], NAN),
        ([5e-324, 5e-324], 1e-323),
    ],
)
def test_sums_are_rounded_once(backend: Any, given: Any, values: list[float], wanted: float) -> None:
    assert total_of(backend, given, values) == pytest.approx(wanted, rel=0, abs=0, nan_ok=True)


def test_sums_convert_before_they_add(backend: Any, given: Any) -> None:
    assert total_of(backend, given, [1.9, 1.9], dtypes.int64) == 2
    assert total_of(backend, given, [True, True, True], dtypes.int64) == 3
    assert total_of(backend, given, [200, 100], dtypes.uint8) == 44
    assert total_of(backend, given, [2, 0], dtypes.bool_) is True
    assert total_of(backend, given, [2**63 - 1, 1], dtypes.int64) == -(2**63)
    assert total_of(backend, given, [1, 2], dtypes.complex64) == 3 + 0j


def test_float16_sums_do_not_stall(backend: Any, given: Any) -> None:
    x = given(np.ones(4096, np.float16))
    assert backend.sum(x, dim=(0,), keepdim=False, dtype=dtypes.float16).buffer == [4096.0]


@pytest.mark.parametrize(
    ("values", "largest", "smallest", "at_largest", "at_smallest"),
    [
        ([1.0, NAN, 3.0, NAN], NAN, NAN, 1, 1),
        ([-INF, INF, INF], INF, -INF, 1, 0),
        ([2.0, 2.0, 1.0, 1.0], 2.0, 1.0, 0, 2),
        ([-INF], -INF, -INF, 0, 0),
    ],
)
def test_extremes_of_special_values(
    backend: Any, given: Any, values: list[float], largest: float, smallest: float, at_largest: int, at_smallest: int
) -> None:
    x = given(np.array(values))
    assert backend.amax(x, dim=(0,), keepdim=False).buffer == [pytest.approx(largest, nan_ok=True)]
    assert backend.amin(x, dim=(0,), keepdim=False).buffer == [pytest.approx(smallest, nan_ok=True)]
    assert backend.argmax(x, dim=0, keepdim=False).buffer == [at_largest]
    assert backend.argmin(x, dim=0, keepdim=False).buffer == [at_smallest]


def test_nan_counts_as_true(backend: Any, given: Any) -> None:
    assert backend.all(given(np.array([NAN, 1.0])), dim=(0,), keepdim=False).buffer == [True]


@pytest.mark.parametrize("name", ("bool", *INTEGERS, *FLOATS, *COMPLEXES))
@pytest.mark.parametrize(
    ("shape", "dim"), [((5,), 0), ((3, 4), 0), ((2, 3, 4), 1), ((2, 3, 4), 2), ((0, 3), 0), ((3, 0), 0)]
)
def test_running_totals(backend: Any, given: Any, shown: Any, name: str, shape: tuple[int, ...], dim: int) -> None:
    x = sample(name, shape)
    total = dtypes.int64 if x.dtype.kind in "biu" else dtypes.by_name(name)
    for op, oracle in (("cumsum", np.cumsum), ("cumprod", np.cumprod)):
        found = shown(getattr(backend, op)(given(x), dim=dim, dtype=total))
        wanted = oracle(x.astype({"f": float, "c": complex}.get(x.dtype.kind, int)), axis=dim).astype(total.name)
        np.testing.assert_allclose(found, wanted, rtol=1e-3 if name == "float16" else 1e-6, atol=1e-14)


@pytest.mark.parametrize("name", ("bool", *INTEGERS, *FLOATS, *COMPLEXES))
@pytest.mark.parametrize(
    ("shape", "dim"), [((7,), 0), ((4, 3), 0), ((2, 5, 3), 1), ((0,), 0), ((2, 0), 1), ((0, 2), 1)]
)
def test_sort(backend: Any, given: Any, shown: Any, name: str, shape: tuple[int, ...], dim: int) -> None:
    x = sample(name, shape)
    values, indices = backend.sort(given(x), dim=dim, descending=False)
    np.testing.assert_array_equal(shown(indices), np.argsort(x, axis=dim, kind="stable"))
    np.testing.assert_array_equal(shown(values), np.sort(x, axis=dim))


def test_sort_is_stable_and_nan_is_largest(backend: Any, given: Any) -> None:
    x = given(np.array([2.0, NAN, 1.0, 2.0, -INF, NAN, 0.0, -0.0]))
    assert backend.sort(x, dim=0, descending=False)[1].buffer == [4, 6, 7, 2, 0, 3, 1, 5]
    assert backend.sort(x, dim=0, descending=True)[1].buffer == [1, 5, 0, 3, 2, 6, 7, 4]


def test_reductions_of_views(backend: Any, given: Any, shown: Any) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    view = backend.permute(given(x), dims=(2, 0, 1))
    found = backend.sum(view, dim=(1,), keepdim=False, dtype=dtypes.float64)
    np.testing.assert_array_equal(shown(found), x.transpose(2, 0, 1).sum(1))
    stretched = backend.expand(given(x[:1, :, :1]), shape=(2, 3, 4))
    np.testing.assert_array_equal(
        shown(backend.cumsum(stretched, dim=2, dtype=dtypes.float64)),
        np.cumsum(np.broadcast_to(x[:1, :, :1], (2, 3, 4)), 2),
    )
