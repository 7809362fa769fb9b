"""Every op has cases and an oracle, or a reason why not."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance.arrays import rounded_to
from tensorcore_conformance.budgets import compare, spacing
from tensorcore_conformance.oracles import oracle_of
from tensorcore_conformance.samples import ELSEWHERE, uncovered

#: Primitives that NumPy has no function for, and where they are checked.
NO_FUNCTION = {
    "assign": "every in-place form and indexed assignment runs through it",
    "random_words": "the random area compares draws with the reference device's",
}


def test_every_op_has_cases_or_is_checked_elsewhere():
    assert uncovered() == [], "give these records samples"


def test_every_primitive_has_numpy_for_an_oracle():
    assert {name for name, op in REGISTRY.items() if op.primitive and oracle_of(name) is None} == set(NO_FUNCTION)


def test_most_composites_have_numpy_for_an_oracle():
    # The others are compared with their own expression, in float64 on another device.
    users = [
        name
        for name, op in REGISTRY.items()
        if not op.primitive and op.paths and not op.random and name not in ELSEWHERE
    ]
    users = [name for name in users if not name.endswith("_")]
    assert sum(oracle_of(name) is not None for name in users) >= 0.6 * len(users)


@pytest.mark.parametrize("name", sorted(set(ELSEWHERE) & set(REGISTRY)))
def test_what_is_checked_elsewhere_says_where(name):
    assert len(ELSEWHERE[name]) > 10


# ------------------------------------------------------------------ comparison


def f32(*values):
    return np.array(values, np.float32)


def wide(*values):
    return np.array(values, np.float64)


@pytest.mark.parametrize(
    ("got", "expected", "passes"),
    [
        (f32(1.0), wide(1.0), True),
        (f32(1.0), wide(1.0 + 2.0**-24), True),
        (f32(1.0), wide(1.0 + 2.0**-23), False),
        (f32(np.nan), wide(np.nan), True),
        (f32(np.nan), wide(1.0), False),
        (f32(0.0), wide(np.nan), False),
        (f32(np.inf), wide(np.inf), True),
        (f32(-np.inf), wide(np.inf), False),
        (f32(np.inf), wide(1e39), True),
        (f32(3.4028235e38), wide(1e39), False),
        (f32(0.0), wide(-0.0), False),
        (f32(-0.0), wide(-0.0), True),
        (f32(1e-45), wide(1.4e-45), True),
        (f32(0.0), wide(1e-42), False),
        (f32(), wide(), True),
        (np.array(3, np.int8), np.array(3), True),
        (np.array(3, np.int8), np.array(259), True),
        (np.array(3, np.int8), np.array(4), False),
        (np.array([True, False]), np.array([True, True]), False),
    ],
)
def test_exact_results_are_compared_to_half_a_unit(got, expected, passes):
    dtype = tc.int8 if got.dtype.kind in "ib" else tc.float32
    budget = 0.5005 * spacing(expected, dtype) if got.dtype.kind == "f" else 0
    assert compare(got, expected, budget).passed is passes


def test_flushed_subnormal_numbers_pass_where_the_device_says_so():
    budget = 0.5 * spacing(wide(1e-42), tc.float32)
    assert compare(f32(0.0), wide(1e-42), budget, flushes=True).passed
    assert not compare(f32(0.0), wide(1e-30), budget, flushes=True).passed


@pytest.mark.parametrize("dtype", [tc.float16, tc.bfloat16, tc.float32, tc.float64])
def test_spacing_is_that_of_the_dtype(dtype):
    limits = tc.finfo(dtype)
    assert spacing(np.array(1.0), dtype) == limits.eps
    assert spacing(np.array(1.999), dtype) == limits.eps
    assert spacing(np.array(-2.0), dtype) == 2 * limits.eps
    assert spacing(np.array(0.0), dtype) == limits.eps * limits.tiny
    assert math.isfinite(spacing(np.array(np.inf), dtype))


def test_expected_values_are_rounded_once():
    # Just under the middle of two numbers of half precision, and on it in single precision.
    exact = np.array([25.77343747], np.longdouble)
    assert rounded_to(exact, np.float16) == np.float16(25.765625)
    assert compare(np.array([25.765625], np.float16), exact, spacing(exact, tc.float16)).passed


def test_the_message_says_where_and_by_how_much():
    message = compare(f32(1, 2, 3), wide(1, 2.5, 3), spacing(wide(1, 2.5, 3), tc.float32)).message
    assert message.startswith("1 of 3 elements differ; the worst, at [1]: expected 2.5, got 2.0; error 0.5 = ")
    assert "budget" in message and "ulp" in message
