"""Reading and writing at integer indices against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

DTYPES = ("bool", "uint8", "int64", "float16", "float32", "float64", "complex64")


def sample(name: str, shape: tuple[int, ...]) -> Any:
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) % (2 if name == "bool" else 97)).astype(name)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize(
    ("shape", "indices"),
    [
        ((5,), ([4, 0, 0],)),
        ((5, 3), ([[1, 2], [0, 4]],)),
        ((5, 3), ([1, 2], [2, 0])),
        ((4, 3, 2), ([3, 3],)),
        ((4, 3), (2,)),
        ((4, 0), ([1, 2],)),
        ((4, 3), ([],)),
        ((0, 3), ([],)),
    ],
)
def test_index_and_index_put(backend: Any, given: Any, shown: Any, name: str, shape: Any, indices: Any) -> None:
    x = sample(name, shape)
    places = tuple(np.array(each, np.int64) for each in indices)
    found = shown(backend.index(given(x), *map(given, places)))
    np.testing.assert_array_equal(found, x[places])
    assert found.shape == x[places].shape
    value = sample(name, found.shape)
    for accumulate in (False, True):
        wanted = x.copy()
        if accumulate:
            np.add.at(wanted, places, value)
        else:
            wanted[places] = value
        array = given(x)
        put = backend.index_put(array, given(value), *map(given, places), accumulate=accumulate)
        np.testing.assert_array_equal(shown(put), wanted)
        np.testing.assert_array_equal(shown(array), x)


def test_index_of_a_view(backend: Any, given: Any, shown: Any) -> None:
    x = np.arange(12.0).reshape(3, 4)
    view = backend.permute(given(x), dims=(1, 0))
    np.testing.assert_array_equal(shown(backend.index(view, given(np.array([3, 1])))), x.T[[3, 1]])


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize(
    ("shape", "index", "dim"),
    [
        ((5,), [4, 0, 0], 0),
        ((3, 4), [[0, 2, 1, 0]], 0),
        ((3, 4), [[3], [0], [1]], 1),
        ((3, 4), [[3, 3], [0, 1]], 1),
        ((2, 3, 4), [[[1, 0]], [[1, 1]]], 0),
        ((3, 4), np.zeros((0, 4)), 0),
    ],
)
def test_gather_and_scatter(backend: Any, given: Any, shown: Any, name: str, shape: Any, index: Any, dim: int) -> None:
    x = sample(name, shape)
    index = np.array(index, np.int64)
    grid = list(np.indices(index.shape))
    grid[dim] = index
    places = tuple(grid)
    np.testing.assert_array_equal(shown(backend.gather(given(x), given(index), dim=dim)), x[places])
    src = sample(name, index.shape) + np.ones((), x.dtype)
    combine: dict[str, Any] = {"set": None, "sum": np.add, "prod": np.multiply}
    if x.dtype.kind != "c":
        combine.update(amax=np.maximum, amin=np.minimum)
    for reduce, ufunc in combine.items():
        wanted = x.copy()
        if ufunc is None:
            for place in np.ndindex(index.shape):
                wanted[tuple(each[place] for each in places)] = src[place]
        else:
            ufunc.at(wanted, places, src)
        array = given(x)
        found = backend.scatter(array, given(index), given(src), dim=dim, reduce=reduce)
        np.testing.assert_array_equal(shown(found), wanted, err_msg=reduce)
        np.testing.assert_array_equal(shown(array), x)


def test_scatter_of_views_and_nan(backend: Any, given: Any, shown: Any) -> None:
    x = backend.permute(given(np.arange(6.0).reshape(2, 3)), dims=(1, 0))
    found = backend.scatter(x, given(np.array([[2, 0]])), given(np.array([[np.nan, -1.0]])), dim=0, reduce="amax")
    np.testing.assert_array_equal(shown(found), [[0, 3], [1, 4], [np.nan, 5]])


@pytest.mark.parametrize("place", [-1, 3])
def test_indices_out_of_range(backend: Any, given: Any, place: int) -> None:
    x, index, value = given(np.zeros(3)), given(np.array([place])), given(np.zeros(1))
    said = f"index {place} is out of range for dimension 0 of side 3"
    with pytest.raises(IndexError, match=said):
        backend.index(x, index)
    with pytest.raises(IndexError, match=said):
        backend.index_put(x, value, index, accumulate=False)
    with pytest.raises(IndexError, match=said):
        backend.gather(x, index, dim=0)
    with pytest.raises(IndexError, match=said):
        backend.scatter(x, index, value, dim=0, reduce="set")


def test_arrays_of_indices_of_two_shapes(backend: Any, given: Any) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        backend.index(given(np.zeros((2, 2))), given(np.array([0])), given(np.array([0, 1])))


@pytest.mark.parametrize("x", [[0.0, -0.0, np.nan, 2.0], [[0, 1], [2, 0]], True, False, 0j, np.zeros((0, 3)), [[[1j]]]])
def test_nonzero_places(backend: Any, given: Any, shown: Any, x: Any) -> None:
    x = np.array(x)
    wanted = np.argwhere(x) if x.ndim else np.zeros((int(bool(x)), 0), np.int64)
    found = shown(backend.nonzero_places(given(x)))
    np.testing.assert_array_equal(found, wanted)
    assert (found.shape, found.dtype) == (wanted.shape, np.int64)
