"""Elements as bytes and as Python numbers, against NumPy and ml_dtypes."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

from tensorcore.dtypes import ALL, bfloat16, by_name, float16, float32
from tensorcore.errors import DTypeError, RangeError
from tensorcore.host_data import decode, encode, nest, round_to

NATIVE = {d: np.dtype(ml_dtypes.bfloat16 if d is bfloat16 else d.name) for d in ALL}
FLOATS = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    1e-8,
    65504.0,
    65519.9,
    65520.0,
    -7e4,
    1e-45,
    3.4e38,
    1e39,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    1.00390625,
    1.01171875,
]


def by_dtype(*names):
    return pytest.mark.parametrize("dtype", [by_name(n) for n in names], ids=str)


@by_dtype("float16", "bfloat16", "float32", "float64")
def test_floats_round_as_numpys(dtype):
    with np.errstate(over="ignore"):
        # ml_dtypes rounds a float64 by way of float32, as the core does.
        expected = np.array(FLOATS, "float32" if dtype is bfloat16 else "float64").astype(NATIVE[dtype])
    assert bytes(encode(FLOATS, dtype)) == expected.tobytes()
    back = decode(expected.tobytes(), dtype)
    np.testing.assert_array_equal(back, expected.astype("float64"))
    assert list(map(math.copysign, [1] * 2, back[:2])) == [1, -1]


@by_dtype("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
def test_integers_wrap(dtype):
    values = [0, 1, -1, 127, 128, 255, 256, -129, 2**31, 2**32 + 5, 2**63, -(2**63), 2**64 - 1]
    expected = np.array([v % 2**64 for v in values], "uint64").astype(NATIVE[dtype])
    assert bytes(encode(values, dtype)) == expected.tobytes()
    assert decode(expected.tobytes(), dtype) == expected.tolist()


@by_dtype("uint8", "int8", "uint64", "int64")
def test_strictly_only_what_fits(dtype):
    limit = int(np.iinfo(dtype.name).max)
    assert decode(encode([limit], dtype, strict=True), dtype) == [limit]
    with pytest.raises(RangeError, match=rf"{limit + 1} does not fit into {dtype}, whose numbers go from"):
        encode([limit + 1], dtype, strict=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_integer_is_infinite(value):
    with pytest.raises(RangeError, match="does not fit"):
        encode([value], by_name("int32"))


def test_refusals():
    with pytest.raises(OverflowError, match="does not fit"):
        encode([2**64], by_name("int8"))
    for dtype in (float32, by_name("int8")):
        with pytest.raises(DTypeError, match=r"1j.*\.real"):
            encode([1j], dtype)


@by_dtype("bool", "complex64", "complex128")
def test_other_formats(dtype):
    values = [0, 1, 2.5, -1, True]
    expected = np.array(values).astype(NATIVE[dtype])
    assert bytes(encode(values, dtype)) == expected.tobytes() and decode(expected.tobytes(), dtype) == expected.tolist()


def test_huge_ints_become_infinite_floats():
    assert decode(encode([10**400, -(10**400), 1], float32), float32) == [math.inf, -math.inf, 1.0]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0), (0, 2), (1, 1, 2)])
def test_nesting_is_numpys(shape):
    flat = list(range(math.prod(shape)))
    assert nest(flat, shape) == np.array(flat, "int64").reshape(shape).tolist()


def test_rounding_of_one_number():
    assert round_to(0.1, float16) == float(np.float16(0.1)) and round_to(1e9, float16) == math.inf
