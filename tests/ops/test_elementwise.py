"""Elementwise primitives against NumPy: special values, every dtype, integer and sign rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc

ODD = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-8, 3e38, -3e38, 1e-45, math.inf, -math.inf, math.nan]
UNARY = ["abs", "neg", "sign", "floor", "ceil", "trunc", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "square", "isnan", "isinf", "isfinite",
    "signbit", "logical_not", "reciprocal", "exp2", "log2", "log10", "deg2rad", "rad2deg", "sinc"]  # fmt: skip
NUMPYS = {"neg": "negative", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "sub": "subtract", "mul": "multiply", "div": "divide",
          "atan2": "arctan2", "eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater",
          "ge": "greater_equal", "pow": "power"}  # fmt: skip
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "atan2",
    "floor_divide",
    "remainder",
    "fmod",
    "pow",
    "logical_and",
    "logical_or",
    "logical_xor",
    "hypot",
    "copysign",
    "logaddexp",
]


def numpys(name):
    return getattr(np, NUMPYS.get(name, name))


def check(ours, theirs, rtol=2e-6):
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=rtol, atol=0, equal_nan=True)


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("name", UNARY)
def test_functions_at_special_values(name, dtype):
    if (name, dtype) == ("sinc", "float16"):
        pytest.skip("pi in 16 bits is no zero of the sine")
    x = np.array(ODD).astype(dtype)
    expected = numpys(name)(x.astype("float64") if dtype == "float16" else x)
    if name == "sign":
        expected = np.nan_to_num(expected)  # PyTorch's sign of NaN is 0
    if dtype == "float16" and expected.dtype != bool:
        expected = expected.astype(dtype)
    got = getattr(tc, name)(tc.tensor(x))
    assert got.dtype.name == (dtype if expected.dtype != bool else "bool")
    check(got, expected, {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}[dtype])


@pytest.mark.parametrize("name", BINARY)
def test_pairs_of_special_values(name):
    x = np.array(ODD, "float32")
    expected = numpys(name)(x[:, None], x[None, :])
    if name == "floor_divide":
        # PyTorch's quotient by zero or of infinity is the true one, and of a finite number by infinity 0 or -1.
        pytest.skip("by PyTorch's rule, in tests/parity")
    if name == "remainder":
        finite = np.isfinite(x)
        check(
            tc.remainder(tc.tensor(x[finite])[:, None], tc.tensor(x[finite])),
            numpys(name)(x[finite][:, None], x[finite]),
        )
        return
    got = getattr(tc, name)(tc.tensor(x)[:, None], tc.tensor(x)[None, :])
    check(got, expected, 4e-6)


INTEGERS = ["uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize(
    "name",
    [
        "add",
        "sub",
        "mul",
        "maximum",
        "minimum",
        "floor_divide",
        "remainder",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "eq",
        "lt",
        "gcd",
        "lcm",
        "fmod",
    ],
)
def test_extreme_integers(name, dtype):
    info = np.iinfo(dtype)
    x = np.array([0, 1, 2, 3, 7, info.max, info.max - 1, info.min, info.min + 1], dtype)
    y = x[x != 0]
    if dtype[0] == "i" and name in ("floor_divide", "remainder", "fmod", "gcd", "lcm"):
        x, y = x[x != info.min], y[y != info.min]  # beyond the range
    if name == "lcm":
        x, y = x[np.abs(x) < 100], y[np.abs(y) < 100]
    got = getattr(tc, name)(tc.tensor(x)[:, None], tc.tensor(y)[None, :])
    expected = numpys(name)(x[:, None], y[None, :])
    assert got.dtype.name == expected.dtype.name
    np.testing.assert_array_equal(np.asarray(got), expected)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_division_by_zero_gives_zero(dtype):
    x = tc.tensor([5, 0, 1], dtype=getattr(tc, dtype))
    assert (x // 0).tolist() == (x % 0).tolist() == (x // tc.zeros_like(x)).tolist() == [0, 0, 0]


def test_true_division_of_integers():
    assert (tc.tensor([7, -7]) / 2).tolist() == [3.5, -3.5] and (tc.tensor([1]) / 0).tolist() == [math.inf]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (7, 3),
        (-7, 3),
        (7, -3),
        (-7, -3),
        (6.5, 2.0),
        (-6.5, 2.0),
        (6.5, -2.0),
        (-6.0, 2.0),
        (5.0, math.inf),
        (-5.0, math.inf),
        (5.0, -math.inf),
    ],
)
def test_quotients_and_remainders_have_pythons_signs(x, y):
    a, b = (
        tc.tensor(x, dtype=tc.float64 if isinstance(x, float) else None),
        tc.tensor(y, dtype=tc.float64 if isinstance(y, float) else None),
    )
    assert (a % b).item() == x % y and (a // b).item() == x // y and tc.fmod(a, b).item() == math.fmod(x, y)
    assert (
        tc.div(a, b, rounding_mode="trunc").item() == math.trunc(x / y)
        and tc.div(a, b, rounding_mode="floor").item() == x // y
    )


@pytest.mark.parametrize(
    ("x", "exponent", "expected"),
    [
        ([2, -2, 0], 3, [8, -8, 0]),
        ([1, -1, 2, -2], tc.tensor([-1, -1, -1, -3]), [1, -1, 0, 0]),
        ([-1, -1], tc.tensor([-2, -3]), [1, -1]),
        ([3], 40, [3**40 % 2**64 - 2**64]),
        ([0], 0, [1]),
    ],
)
def test_powers_of_integers(x, exponent, expected):
    assert (tc.tensor(x) ** exponent).tolist() == expected


def test_halves_go_to_the_even_neighbour():
    assert tc.tensor([0.5, 1.5, 2.5, -0.5, -1.5]).round().tolist() == [0, 2, 2, 0, -2]
    x = np.array([1.2345, -1.2355, 1250.0, 1350.0])
    for decimals in (2, 1, -2):
        check(tc.round(tc.tensor(x), decimals=decimals), np.round(x, decimals), 1e-15)


def test_shifts_and_bits():
    x = np.array([-8, 7, 1], "int32")
    assert (
        (tc.tensor(x) >> 1).tolist() == (x >> 1).tolist()
        and (tc.tensor(x) << 2).tolist() == (x << 2).tolist()
        and (~tc.tensor(x)).tolist() == (~x).tolist()
    )
    assert (~tc.tensor([True, False])).tolist() == [False, True] and (
        tc.tensor([200], dtype=tc.uint8) << 1
    ).tolist() == [144]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tc.ones(2) + tc.ones(3), RuntimeError, r"add: shapes \[2\] and \[3\]"),
        (lambda: -tc.tensor([True]), RuntimeError, r"neg: .*tensorcore.bool"),
        (lambda: tc.tensor([True]) - tc.tensor([True]), TypeError, "sub: .*logical_"),
        (lambda: tc.tensor([1.0]) & tc.tensor([1.0]), TypeError, "bitwise_and: .*float32.*integer or bool"),
        (lambda: tc.tensor([1j]) < 1, TypeError, "lt: .*complex64.*order"),
        (lambda: tc.maximum(tc.tensor([1j]), tc.tensor([1j])), RuntimeError, "maximum: .*complex64"),
        (lambda: tc.tensor([1.0]) << 1, TypeError, "bitwise_left_shift: .*float32"),
        (lambda: tc.div(tc.ones(1), 2, rounding_mode="up"), ValueError, "rounding_mode.*'up'"),
        (lambda: tc.ones(1) + "a", TypeError, "unsupported operand"),
        (lambda: tc.add(1, 2), TypeError, "add: expected a tensor"),
        (lambda: tc.exp("a"), TypeError, "exp: expected a tensor.*str"),
        (lambda: tc.add(tc.tensor([1]), 1, alpha=0.5), TypeError, "alpha.*0.5"),
        (lambda: tc.tensor([2]) ** -1, RuntimeError, "negative power"),
        (lambda: tc.where(tc.ones(2), 1, 2), TypeError, "where: condition.*float32"),
        (lambda: tc.where(tc.tensor([True]), tc.ones(2), tc.ones(3)), RuntimeError, "where"),
        (lambda: tc.tensor([1]) + 2**70, OverflowError, "int64"),
        (lambda: tc.tensor([1]) + None, TypeError, "unsupported operand"),
    ],
)  # fmt: skip
def test_errors_name_the_op_and_what_it_met(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_where_broadcasts_and_promotes():
    x, y = np.arange(3.0, dtype="float32"), np.arange(2)[:, None]
    got = tc.where(tc.tensor(x) > 1, tc.tensor(x), tc.tensor(y))
    assert got.dtype is tc.float32 and got.tolist() == np.where(x > 1, x, y).tolist()
    assert [p.tolist() for p in tc.where(tc.tensor([[0, 1], [2, 0]]) > 0)] == [[0, 1], [1, 0]] and tc.ones(2).where(
        tc.tensor([True, False]), 5.0
    ).tolist() == [1, 5]
