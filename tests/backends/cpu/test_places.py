"""Compiled loops over places on cpu: against NumPy on both instruction sets, and what they refuse."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

import tensorcore as tc
from tensorcore_cpu.jit import places
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.places import gathered, place_code, put_rows, row_code, scattered, shuffle_code, taken_rows
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
DTYPES = ["float32", "float64", "int64", "uint32", "int16", "uint8", "bool", "complex64", "float16"]

#: Shapes of the table and of the places, and the dimension.
SHAPES = [
    ((5,), (3,), 0), ((5,), (1,), 0), ((1,), (4,), 0), ((4, 7), (4, 9), 1), ((4, 7), (3, 9), 1), ((4, 7), (9, 7), 0),
    ((4, 7), (9, 3), 0), ((2, 3, 4), (2, 5, 4), 1), ((2, 3, 4), (1, 5, 2), 1), ((3, 2, 1), (3, 5, 1), 1),
    ((100,), (1000,), 0),
]  # fmt: skip


@pytest.fixture(params=[AVX2, AVX512] if BEST == AVX512 else [AVX2], ids=lambda isa: isa.name, autouse=True)
def chosen(request: Any, monkeypatch: Any) -> Any:
    """Each instruction set in turn, with no programs or plans left from the other."""
    cached = (places._place_program, places._row_program, places._shuffle_program, places._steps, places._row_steps)
    monkeypatch.setattr(places, "isa", lambda: request.param)
    for each in cached:
        each.cache_clear()
    yield request.param
    for each in cached:
        each.cache_clear()


def numbers(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Any:
    return (np.random.default_rng(seed).random(shape) * 100).astype(dtype)


def part(shape: tuple[int, ...], dim: int) -> tuple[slice, ...]:
    return tuple(slice(None) if d == dim else slice(side) for d, side in enumerate(shape))


@pytest.mark.parametrize("shape, its, dim", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_along_a_dimension(dtype, shape, its, dim):
    index = np.random.default_rng(1).integers(0, shape[dim], its)
    table, source = numbers(shape, dtype), numbers(its, dtype, 2)
    view = part(its, dim)
    np.testing.assert_array_equal(gathered(table, index, dim), np.take_along_axis(table[view], index, dim))
    grid = tuple(index if d == dim else steps for d, steps in enumerate(np.ogrid[tuple(map(slice, its))]))
    for values in (source, np.broadcast_to(source.reshape(-1)[0], its)):
        made, wanted = table.copy(), table.copy()
        assert scattered(made, index, values, dim, False)
        wanted[grid] = values
        np.testing.assert_array_equal(made, wanted)
        made, wanted = table.copy(), table.copy()
        if scattered(made, index, values, dim, True):
            np.add.at(wanted, grid, values)
            np.testing.assert_allclose(made, wanted, rtol=1e-5)
        else:
            assert dtype in ("bool", "complex64", "float16")


@pytest.mark.parametrize("width", [1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 64, 65, 100])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows(dtype, width):
    table, index = numbers((6, width), dtype), np.array([[5, 0, 3], [3, 3, 1]])
    rows = numbers((6, width), dtype, 1)
    np.testing.assert_array_equal(taken_rows(table, index), table[index])
    made, wanted = table.copy(), table.copy()
    assert put_rows(made, index.reshape(-1), rows, False)
    wanted[index.reshape(-1)] = rows
    np.testing.assert_array_equal(made, wanted)
    made, wanted = table.copy(), table.copy()
    if put_rows(made, index.reshape(-1), rows, True):
        np.add.at(wanted, index.reshape(-1), rows)
        np.testing.assert_allclose(made, wanted, rtol=1e-6)
    else:
        assert dtype in ("bool", "complex64", "float16", "int16", "uint8")


@pytest.mark.parametrize("wrong", [-1, 5, 2**62, -(2**63)])
def test_places_outside(wrong):
    table, index = numbers((5,), "float32"), np.array([1, wrong, 2])
    wide = numbers((5, 4), "float32")
    for call in (
        lambda: gathered(table, index, 0),
        lambda: scattered(table.copy(), index, numbers((3,), "float32"), 0, True),
        lambda: taken_rows(wide, index),
        lambda: put_rows(wide.copy(), index, numbers((3, 4), "float32"), True),
    ):
        with pytest.raises(IndexError, match="out of range for a side of 5"):
            call()


def test_what_numpy_has_to_do():
    table, index = numbers((4, 6), "float32"), np.zeros((4, 6), np.int64)
    assert gathered(table.T, index.T, 0) is None
    assert gathered(numbers((2, 3, 4), "float32"), np.zeros((2, 2, 4), np.int64), 2) is None
    assert gathered(numbers((3,), "complex128"), np.zeros(3, np.int64), 0) is None
    assert gathered(table, index[:0], 0) is None
    assert taken_rows(np.zeros((4, 0)), np.zeros(3, np.int64)) is None


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 1000])
def test_shuffle(count):
    words = np.random.default_rng(0).integers(0, 1 << 32, max(count - 1, 0), np.uint32)
    wanted = list(range(count))
    for place, word in enumerate(words.tolist()):
        other = place + word % (count - place)
        wanted[place], wanted[other] = wanted[other], wanted[place]
    assert list(places.shuffled(count, words)) == wanted


def test_a_refusal_leaves_memory_as_it_was():
    x = tc.zeros(4)
    for write in (
        lambda: x.scatter_(0, tc.tensor([0, 9]), 1.0),
        lambda: x.index_add_(0, tc.tensor([0, 9]), tc.ones(2)),
        lambda: x.__setitem__(tc.tensor([0, 9]), 1.0),
    ):
        with pytest.raises(IndexError):
            write()
        assert x.tolist() == [0] * 4


def test_memory_that_is_read_and_written():
    x = tc.arange(4)
    x.index_add_(0, tc.tensor([3, 2, 1, 0]), x)
    assert x.tolist() == [3] * 4
    x = tc.tensor([1, 2, 3, 0])
    x[x] = x.clone()
    assert x.tolist() == [0, 1, 2, 3]


def test_code_goes_through_blocks_rows_and_columns(chosen):
    program = loaded(place_code("get", 4, False, False, chosen, data_offset()), 3, ctypes.c_int)
    table, index = np.arange(24, dtype=np.float32), np.zeros(8, np.int64)
    out = np.full(10, -1, np.float32)
    steps = np.array([2, 2, 2, 48, 16, 4, 8])
    assert program(1, steps.ctypes.data, id(table), id(index), id(out)) == 0
    assert out.tolist() == [0, 1, 4, 5, 12, 13, 16, 17, -1, -1]
    assert row_code("get", 4, chosen, 16) and shuffle_code(chosen, 16)
