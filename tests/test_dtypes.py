"""dtypes, promotion between them, and their limits."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.dtypes import ALL, by_name

NATIVE = [dtype for dtype in ALL if dtype.name != "bfloat16"]
#: Pairs for which NumPy's table and PyTorch's differ: an integer leaves PyTorch's floats as they are.
LIKE_NUMPY = [
    (a, b)
    for a, b in itertools.product(NATIVE, NATIVE)
    if a.category == b.category and "uint64" not in {a.name, b.name}
]


@pytest.mark.parametrize(("first", "second"), LIKE_NUMPY, ids=lambda dtype: dtype.name)
def test_within_a_category_promotion_is_numpys(first, second):
    assert tc.promote_types(first, second).name == np.promote_types(first.name, second.name).name


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("int64", "float16", "float16"), ("bool", "uint8", "uint8"), ("int64", "complex64", "complex64"),
        ("float64", "complex64", "complex128"), ("float16", "bfloat16", "float32"), ("bfloat16", "int32", "bfloat16"),
        ("uint64", "uint32", "uint64"), ("uint64", "float16", "float16"), ("uint8", "int8", "int16"),
    ],
)  # fmt: skip
def test_promotion_by_pytorchs_rules(first, second, expected):
    for a, b in ((first, second), (second, first)):
        assert tc.promote_types(by_name(a), by_name(b)) is by_name(expected)


def test_no_dtype_holds_uint64_and_a_signed_integer():
    with pytest.raises(TypeError, match=r"uint64 and .*int32.*\.to\(dtype\)"):
        tc.promote_types(tc.uint64, tc.int32)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (tc.ones(2, dtype=tc.int8), tc.tensor(5), tc.int8), (tc.ones(2, dtype=tc.int8),
        tc.tensor(1.5, dtype=tc.float64), tc.float64),
        (tc.ones(2), tc.tensor(1.5, dtype=tc.float64), tc.float32), (tc.ones(2, dtype=tc.int8), 1.5, tc.float32),
        (tc.ones(2, dtype=tc.float16), 10**6, tc.float16), (tc.ones(2, dtype=tc.bool), 1, tc.int64),
        (tc.ones(2, dtype=tc.uint8), True, tc.uint8),
        (tc.ones(2, dtype=tc.float64), 1j, tc.complex128), (tc.tensor(1), tc.tensor(1.0, dtype=tc.float16), tc.float16),
        (2, 2.5, tc.float32),
    ],
)  # fmt: skip
def test_weak_operands(left, right, expected):
    assert tc.result_type(left, right) is expected
    if isinstance(left, tc.Tensor):
        assert (left + right).dtype is expected and (right + left).dtype is expected


@pytest.mark.parametrize("dtype", [d for d in NATIVE if d.category >= 2], ids=lambda dtype: dtype.name)
def test_limits_of_floats(dtype):
    ours, theirs = tc.finfo(dtype), np.finfo(dtype.name)
    assert (ours.bits, ours.eps, ours.max, ours.min) == (theirs.bits, theirs.eps, theirs.max, theirs.min)
    assert (ours.tiny, ours.resolution) == (theirs.tiny, pytest.approx(float(theirs.resolution), rel=1e-3))


@pytest.mark.parametrize("dtype", [d for d in ALL if d.category == 1], ids=lambda dtype: dtype.name)
def test_limits_of_integers(dtype):
    ours, theirs = tc.iinfo(dtype), np.iinfo(dtype.name)
    assert (ours.bits, ours.max, ours.min) == (theirs.bits, theirs.max, theirs.min)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tc.finfo(tc.int8),
        lambda: tc.iinfo(tc.float32),
        lambda: tc.set_default_dtype(tc.int64),
        lambda: by_name("float8"),
    ],
)
def test_refusals_name_what_was_given(call):
    with pytest.raises(TypeError, match=r"int8|float32|int64|float8"):
        call()


@pytest.mark.parametrize("dtype", ALL, ids=lambda dtype: dtype.name)
def test_each_exists_once(dtype):
    assert copy.deepcopy(dtype) is copy.copy(dtype) is pickle.loads(pickle.dumps(dtype)) is dtype
    assert repr(dtype) == f"tensorcore.{dtype.name}"
    assert dtype.bits == 8 * dtype.itemsize


def test_the_default_dtype():
    tc.set_default_dtype(tc.float64)
    assert {x.dtype for x in (tc.zeros(1), tc.tensor(1.0), tc.tensor([1]) / 2, tc.arange(2.0), tc.tensor(1).exp())} == {
        tc.float64
    }
    assert (tc.tensor(1j).dtype, tc.tensor([1]).float().dtype) == (tc.complex128, tc.float32)


def test_the_default_dtype_is_that_of_all_threads():
    import threading

    tc.set_default_dtype(tc.float64)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(tc.zeros(1).dtype))
    thread.start()
    thread.join()
    assert seen == [tc.float64]


@pytest.mark.parametrize(
    ("python", "dtype"), [(bool, tc.bool), (int, tc.int64), (float, tc.float64), (complex, tc.complex128)]
)
def test_python_types_stand_for_dtypes(python, dtype):
    assert tc.zeros(1, dtype=python).dtype is tc.ones(1).to(python).dtype is tc.tensor([1], dtype=python).dtype is dtype


def test_can_cast():
    assert tc.can_cast(tc.int64, tc.float16) and tc.can_cast(tc.float64, tc.float16)
    assert not tc.can_cast(tc.float32, tc.int64) and not tc.can_cast(tc.int8, tc.bool)
