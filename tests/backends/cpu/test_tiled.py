"""Large matrix products by compiled tiles, against NumPy's in a wider format."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tensorcore as tc
from tensorcore_cpu import crew, tiled
from tensorcore_cpu.jit.tiles import tiles

pytestmark = pytest.mark.skipif(tiles(False) is None, reason="tiles are for AVX-512")

#: Rows, terms and columns: one tile, less than one, some whole ones, and none of the sides a multiple of anything.
SIZES = [
    (8, 16, 48), (8, 1, 33), (15, 30, 16), (64, 64, 64), (20, 9, 10), (9, 5, 40), (16, 64, 96), (23, 50, 131),
    (300, 17, 48), (31, 800, 65), (9, 1550, 47),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    """Tiles for small products, too, and where BLAS would do."""
    monkeypatch.setattr(tiled, "LEAST", 0)
    monkeypatch.setattr(tiled, "_usable", lambda native: native.char in "fd")


def made(shape, dtype, layout, seed=0):
    """A matrix whose rows, whose columns, or of which neither lie without gaps."""
    numbers = np.random.default_rng(seed).standard_normal(shape[::-1] if layout == "columns" else shape).astype(dtype)
    if layout == "columns":
        return numbers.T
    if layout == "reversed":
        return np.ascontiguousarray(numbers[::-1])[::-1]
    if layout == "wide":
        return np.concatenate([numbers, numbers], 1)[:, : shape[1]]
    return numbers


def close(got, left, right):
    wide = left.astype(np.longdouble) @ right.astype(np.longdouble)
    bound = np.abs(left).astype(np.longdouble) @ np.abs(right).astype(np.longdouble)
    # The forward error bound of a sum in any order: Higham, Accuracy and Stability of Numerical Algorithms, 2002, 3.1.
    return bool((np.abs(got - wide) <= left.shape[1] * np.finfo(got.dtype).eps * bound).all())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "layouts", [("rows", "rows"), ("columns", "columns"), ("reversed", "wide"), ("wide", "reversed")], ids="-".join
)
def test_products(size, dtype, layouts):
    rows, terms, columns = size
    left, right = made((rows, terms), dtype, layouts[0]), made((terms, columns), dtype, layouts[1], 1)
    room = np.full((rows + 2, columns + 3), 7, dtype)
    out = room[1:-1, 1 : 1 + columns]
    assert tiled.into(out, left, right)
    assert close(out, left, right)
    # Nothing beside it is written.
    out[...] = 7
    assert (room == 7).all()


@pytest.mark.parametrize("shapes", [((3, 16, 20), (3, 20, 48)), ((2, 1, 16, 20), (3, 20, 48)), ((16, 20), (4, 20, 48))])
def test_stacks_broadcast(shapes):
    left, right = (np.random.default_rng(0).standard_normal(shape) for shape in shapes)
    out = np.empty((*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), 16, 48))
    assert tiled.into(out, left, right)
    np.testing.assert_allclose(out, left @ right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(64, 300), (400, 50)], ids=["by columns", "by rows"])
@pytest.mark.parametrize("stack", [0, 5])
def test_threads_give_what_one_gives(monkeypatch, shape, stack):
    left = np.random.default_rng(0).standard_normal((*[stack] * bool(stack), shape[0], 70))
    right = np.random.default_rng(1).standard_normal((*[stack] * bool(stack), 70, shape[1]))
    alone, shared = np.empty((2, *left.shape[:-1], shape[1]))
    assert tiled.into(alone, left, right)
    met = set()
    multiply = tiled._multiply
    monkeypatch.setattr(tiled, "_multiply", lambda *args: (met.add(threading.get_ident()), multiply(*args)))
    monkeypatch.setattr(crew, "SHARED", 2)
    monkeypatch.setattr(crew, "get_num_threads", lambda: 3)
    assert tiled.into(shared, left, right)
    assert len(met) == 3
    assert (alone == shared).all()


def test_what_is_no_number_stays_in_its_row_and_column():
    left, right = np.ones((16, 30), np.float32), np.ones((30, 96), np.float32)
    left[3, 4], right[5, 6] = np.nan, np.inf
    out = np.empty((16, 96), np.float32)
    assert tiled.into(out, left, right)
    expected = left @ right
    assert np.array_equal(out, expected, equal_nan=True)
    assert np.isfinite(out[4, 7])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (np.ones((16, 8), np.float16), np.ones((8, 48), np.float16)),
        (np.ones((16, 8), np.complex64), np.ones((8, 48), np.complex64)),
        (np.ones((16, 8), np.float32), np.ones((8, 96), np.float32)[:, ::2]),
        (np.ones((16, 8), np.float32), np.ones((8, 6), np.float32)),
        (np.ones((7, 8), np.float32), np.ones((8, 48), np.float32)),
    ],
    ids=["float16", "complex", "gaps", "narrow", "short"],
)
def test_others_are_left_to_blas(monkeypatch, left, right):
    out = np.zeros((len(left), right.shape[1]), left.dtype)
    assert not tiled.into(out, left, right)
    assert not out.any()


def test_gradients_of_large_products_are_right(monkeypatch):
    x, w = tc.randn(40, 60, dtype=tc.float64), tc.randn(50, 60, dtype=tc.float64)
    x.requires_grad_()
    w.requires_grad_()
    tc.nn.functional.linear(x, w).square().sum().backward()
    a, b = x.detach().numpy(), w.detach().numpy()
    np.testing.assert_allclose(x.grad.numpy(), 2 * (a @ b.T) @ b, rtol=1e-10)
    np.testing.assert_allclose(w.grad.numpy(), 2 * (a @ b.T).T @ a, rtol=1e-10)
