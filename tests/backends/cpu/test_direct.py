"""Compiled functions called as built-in ones: what they take, what they leave to others, and that they hold nothing."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorcore_cpu.jit import arithmetic, direct
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.products import small_product

pytestmark = pytest.mark.skipif(isa() is None, reason="no machine code on this processor")

OPERATIONS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide}
SPECIAL = [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e-42, 3e38]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("char", "fd")
@pytest.mark.parametrize(
    "shapes", [((3, 17), (3, 17)), ((2, 3, 5), (5,)), ((4, 9), ()), ((), ()), ((7,), (7,)), ((2, 0), (2, 0))]
)
def test_operations(name, char, shapes):
    values = np.resize(np.array(SPECIAL, char), 200)
    first, second = (np.resize(values[offset:], shape) for shape, offset in zip(shapes, (0, 4), strict=True))
    out = np.empty(shapes[0], char)
    given_back = arithmetic._operation(name, char)(out, first, second)
    assert given_back is out
    with np.errstate(all="ignore"):
        wanted = OPERATIONS[name](first, second)
    assert out.tobytes() == wanted.tobytes() or np.array_equal(np.nan_to_num(out, nan=7), np.nan_to_num(wanted, nan=7))
    assert np.array_equal(np.signbit(out[~np.isnan(out)]), np.signbit(wanted[~np.isnan(wanted)]))


@pytest.mark.parametrize(
    "second",
    [np.ones((3, 4), "f").T, np.ones((4, 6), "f")[:, ::2], np.ones((4, 1), "f"), np.ones((1, 3), "f"), np.ones(4, "f"),
     np.ones((4, 3, 1), "f"), np.ones(1, "f"), np.broadcast_to(np.float32(1), (4, 3))],
    ids=["transposed", "strided", "column", "row", "vector", "three sides", "one element", "expanded"],
)  # fmt: skip
def test_others_are_refused(second):
    out = np.full((4, 3), 5, "f")
    assert arithmetic._operation("add", "f")(out, np.ones((4, 3), "f"), second) is None
    assert (out == 5).all()


def test_large_arrays_are_refused():
    side = direct.LARGEST + 1
    assert arithmetic._operation("add", "f")(np.empty(side, "f"), np.ones(side, "f"), np.ones(side, "f")) is None


def test_references():
    out, first, second, other = np.empty((2, 2), "f"), np.ones((2, 2), "f"), np.ones((2, 2), "f"), np.ones(3, "f")
    add = arithmetic._operation("add", "f")
    before = [sys.getrefcount(each) for each in (out, first, second, other)]
    none = sys.getrefcount(None)
    for _ in range(1000):
        add(out, first, second)
        add(out, first, other)
    assert [sys.getrefcount(each) for each in (out, first, second, other)] == before
    assert abs(sys.getrefcount(None) - none) < 100


def test_sum_into_overlapping_memory():
    memory = np.arange(8, dtype="f")
    plain = np.add
    kernel = arithmetic.arithmetic_into("add", memory.dtype, plain)
    target = memory[1:]
    kernel(target, memory[:-1], out=target)
    assert memory.tolist() == [0, 1, 3, 5, 7, 9, 11, 13]


def _laid(values, layout):
    if layout == "columns":
        return np.asfortranarray(values)
    if layout == "apart":
        return np.repeat(np.repeat(values, 2, 0), 3, 1)[::2, ::3]
    if layout == "backwards":
        return np.ascontiguousarray(values[::-1])[::-1]
    return values


LAYOUTS = st.sampled_from(["rows", "columns", "apart", "backwards"])
SIDES = st.integers(1, 40)


@settings(max_examples=300, deadline=None)
@given(SIDES, SIDES, SIDES, LAYOUTS, LAYOUTS, st.sampled_from("fd"), st.booleans(), st.integers(0, 2**32 - 1))
def test_products(rows, terms, columns, left, right, char, turned, seed):
    random = np.random.default_rng(seed)
    first = _laid(random.standard_normal((rows, terms)).astype(char), left)
    second = _laid(random.standard_normal((terms, columns)).astype(char), right)
    out = np.full((rows, columns), np.nan, char)
    made = small_product(char, turned)(out, first, second.T if turned else second)
    if rows * terms * columns > 1 << 13:
        assert made is None
    if made is None:
        assert np.isnan(out).all()
        return
    wanted = first.astype("d") @ second.astype("d")
    scale = np.abs(first).astype("d") @ np.abs(second).astype("d")
    assert (np.abs(out - wanted) <= terms * np.finfo(char).eps * scale).all()


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((0, 3), (3, 2)), ((2, 0), (0, 2)), ((1, 2, 3), (3, 2))])
def test_misfits_and_empty_products_are_refused(shapes):
    out = np.empty((2, 2), "f")
    assert small_product("f")(out, *[np.ones(shape, "f") for shape in shapes]) is None


@pytest.mark.parametrize("terms", [1, 5])
def test_special_values_of_products(terms):
    first = np.resize(np.array([np.inf, 1.0, np.nan, 0.0, -np.inf], "f"), (3, terms))
    second = np.resize(np.array([0.0, 2.0, -1.0], "f"), (terms, 4))
    out = np.empty((3, 4), "f")
    with np.errstate(all="ignore"):
        wanted = first @ second
    assert small_product("f")(out, first, second) is out
    assert np.array_equal(out, wanted, equal_nan=True)
