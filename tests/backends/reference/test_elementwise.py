"""Elementwise kernels against NumPy, over all dtypes and the numbers where functions break."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEXES = ("complex64", "complex128")
NUMBERS = INTEGERS + FLOATS + COMPLEXES
REALS = INTEGERS + FLOATS
BITS = ("bool", *INTEGERS)
EVERY = ("bool", *NUMBERS)

_FLOAT_EDGES = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -3.0, 1e-3, 10.0, -7.25, 90.0, -750.0, 6e4, 1e30, -1e30,
    1e300, 6e-8, 1e-40, 5e-324, math.inf, -math.inf, math.nan,
]  # fmt: skip
_PARTS = [0.0, 1.0, -1.0, 0.25, -2.5, 3.0, 1e-5]


def dtype_of(name: str) -> np.dtype[Any]:
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def edges(name: str) -> Any:
    """The numbers to test a dtype with."""
    dtype = dtype_of(name)
    if name == "bool":
        return np.array([False, True])
    if name in INTEGERS:
        info = np.iinfo(dtype)
        return np.array([0, 1, 2, 3, 5, 63, info.max, info.max - 1, info.min, info.min + 1, info.max // 3], dtype)
    if name in COMPLEXES:
        return np.array([complex(x, y) for x in _PARTS for y in _PARTS], dtype)
    with np.errstate(over="ignore"):
        return np.array(_FLOAT_EDGES).astype(dtype)


class Row(NamedTuple):
    """An op, NumPy's function, the dtypes it takes, and the budget in ULP of the result."""

    op: str
    oracle: Callable[..., Any]
    dtypes: tuple[str, ...]
    ulp: float = 0


def numpy_sign(x: Any) -> Any:
    return np.where(x != x, 0.0, np.sign(x)) if x.dtype.kind not in "biu" else np.sign(x)


def integer_pow(x: Any, y: Any) -> Any:
    if x.dtype.kind not in "iu":
        return np.power(x, y)
    exact = [
        pow(a, b, 1 << 64) if b >= 0 else (a if b % 2 else 1) if a in (1, -1) else 0
        for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)
    ]
    return np.array(exact, np.uint64).astype(x.dtype).reshape(x.shape) if len(exact) else x


FUNCTIONS = FLOATS + COMPLEXES
UNARY = [
    Row("neg", np.negative, NUMBERS),
    Row("abs", np.abs, NUMBERS, 1),
    Row("sign", numpy_sign, REALS),
    Row("exp", np.exp, FUNCTIONS, 2),
    Row("expm1", np.expm1, FUNCTIONS, 2),
    Row("log", np.log, FUNCTIONS, 2),
    Row("log1p", np.log1p, FLOATS, 2),
    Row("sqrt", np.sqrt, FUNCTIONS, 1),
    Row("sin", np.sin, FUNCTIONS, 2),
    Row("cos", np.cos, FUNCTIONS, 2),
    Row("tan", np.tan, FUNCTIONS, 2),
    Row("asin", np.arcsin, FUNCTIONS, 2),
    Row("acos", np.arccos, FUNCTIONS, 2),
    Row("atan", np.arctan, FUNCTIONS, 2),
    Row("sinh", np.sinh, FUNCTIONS, 2),
    Row("cosh", np.cosh, FUNCTIONS, 2),
    Row("tanh", np.tanh, FUNCTIONS, 2),
    Row("asinh", np.arcsinh, FUNCTIONS, 2),
    Row("acosh", np.arccosh, FUNCTIONS, 2),
    Row("atanh", np.arctanh, FUNCTIONS, 2),
    Row("floor", np.floor, REALS),
    Row("ceil", np.ceil, REALS),
    Row("trunc", np.trunc, REALS),
    Row("round", np.round, REALS),
    Row("conj_physical", np.conj, NUMBERS),
    Row("real_part", np.real, COMPLEXES),
    Row("imag_part", np.imag, COMPLEXES),
    Row("bitwise_not", np.invert, BITS),
]
BINARY = [
    Row("add", np.add, EVERY),
    Row("sub", np.subtract, NUMBERS),
    Row("mul", np.multiply, EVERY, 1),
    Row("div", np.divide, FUNCTIONS, 2),
    Row("floor_divide", np.floor_divide, REALS),
    Row("remainder", np.remainder, REALS),
    Row("pow", integer_pow, REALS, 2),
    Row("maximum", np.maximum, ("bool", *REALS)),
    Row("minimum", np.minimum, ("bool", *REALS)),
    Row("atan2", np.arctan2, FLOATS, 2),
    Row("eq", np.equal, EVERY),
    Row("ne", np.not_equal, EVERY),
    Row("lt", np.less, ("bool", *REALS)),
    Row("le", np.less_equal, ("bool", *REALS)),
    Row("gt", np.greater, ("bool", *REALS)),
    Row("ge", np.greater_equal, ("bool", *REALS)),
    Row("bitwise_and", np.bitwise_and, BITS),
    Row("bitwise_or", np.bitwise_or, BITS),
    Row("bitwise_xor", np.bitwise_xor, BITS),
    Row("bitwise_left_shift", np.left_shift, INTEGERS),
    Row("bitwise_right_shift", np.right_shift, INTEGERS),
]


def cases(rows: list[Row]) -> list[Any]:
    return [pytest.param(row, name, id=f"{row.op}-{name}") for row in rows for name in row.dtypes]


def expected(row: Row, operands: tuple[Any, ...]) -> Any:
    """NumPy's answer: in the wider format for floats, rounded to the operands' dtype."""
    dtype = operands[0].dtype
    wide = {
        "float16": np.float64, "bfloat16": np.float64, "float32": np.float64, "float64": np.longdouble,
        "complex64": np.complex128, "complex128": np.clongdouble,
    }.get(dtype.name)  # fmt: skip
    with np.errstate(all="ignore"):
        result = row.oracle(*(x if wide is None else x.astype(wide) for x in operands))
        if wide is None or result.dtype.kind == "b":
            return result
        if result.dtype.kind == "f" and dtype.kind == "c":
            dtype = np.dtype(f"float{dtype.itemsize * 4}")
        return result.astype(dtype)


def assert_close(found: Any, wanted: Any, ulp: float, said: str) -> None:
    assert found.dtype == wanted.dtype, said
    assert found.shape == wanted.shape, said
    if found.dtype.kind == "c":
        # The budget is relative to the modulus: a part may be tiny beside the other.
        with np.errstate(invalid="ignore"):
            budget = ulp * np.finfo(wanted.dtype).eps * np.maximum(np.abs(wanted), np.finfo(wanted.dtype).tiny)
            off = (found != wanted) & ~(np.abs(found - wanted) <= budget)
        assert not off.any(), f"{said}: {found[off][:5]} but NumPy says {wanted[off][:5]}"
        return
    equal = (found == wanted) | ((found != found) & (wanted != wanted))
    if ulp and not equal.all():
        near = found.astype(np.float64), wanted.astype(np.float64)
        with np.errstate(all="ignore"):
            spacing = np.abs(near[1]) * float(ml_dtypes.finfo(wanted.dtype).eps)
            equal |= np.abs(near[0] - near[1]) <= ulp * np.maximum(
                spacing, float(ml_dtypes.finfo(wanted.dtype).smallest_subnormal)
            )
    assert equal.all(), f"{said}: {found[~equal][:5]} but NumPy says {wanted[~equal][:5]}"
    if found.dtype.kind not in "biu":
        zeros = (wanted == 0) & (np.signbit(found) != np.signbit(wanted))
        assert not zeros.any(), f"{said}: a zero of the wrong sign"


@pytest.mark.parametrize(("row", "name"), cases(UNARY))
def test_unary(backend: Any, given: Any, shown: Any, row: Row, name: str) -> None:
    x = edges(name)
    assert_close(shown(getattr(backend, row.op)(given(x))), expected(row, (x,)), row.ulp, f"{row.op} of {x}")


@pytest.mark.parametrize(("row", "name"), cases(BINARY))
def test_binary(backend: Any, given: Any, shown: Any, row: Row, name: str) -> None:
    x, y = np.meshgrid(edges(name), edges(name))
    if row.op in ("maximum", "minimum"):
        # Which zero is the larger is not specified.
        x, y = np.abs(x) if x.dtype.kind not in "biu" else x, y
        y = np.where(y == 0, np.zeros((), y.dtype), y)
    if row.op == "div" and name in COMPLEXES:
        x, y = x[y != 0], y[y != 0]
    found = shown(getattr(backend, row.op)(given(x), given(y)))
    assert_close(found, expected(row, (x, y)), row.ulp, f"{row.op} of {name}")


@pytest.mark.parametrize("name", EVERY)
def test_where(backend: Any, given: Any, shown: Any, name: str) -> None:
    x = edges(name)
    condition = np.arange(x.size) % 3 == 0
    found = shown(backend.where(given(condition), given(x), given(x[:1].reshape(()))))
    assert found.tobytes() == np.where(condition, x, x[0]).tobytes()


# ------------------------------------------------------------------ special values of complex functions

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("op", "z", "real", "imag"),
    [
        ("exp", complex(1000, 0.0), INF, 0.0),
        ("exp", complex(1000, 2), -INF, INF),
        ("exp", complex(709.9, math.pi / 2), 1.0, INF),
        ("exp", complex(-INF, INF), 0.0, 0.0),
        ("exp", complex(INF, INF), INF, NAN),
        ("exp", complex(1, INF), NAN, NAN),
        ("log", complex(0.0, 0.0), -INF, 0.0),
        ("log", complex(-0.0, 0.0), -INF, math.pi),
        ("log", complex(INF, NAN), INF, NAN),
        ("log1p", complex(-1, 0.0), -INF, 0.0),
        ("log1p", complex(1e-20, 0.0), 1e-20, 0.0),
        ("expm1", complex(1e-20, 0.0), 1e-20, 0.0),
        ("expm1", complex(800, 0.0), INF, 0.0),
        ("cosh", complex(-800, 0.0), INF, -0.0),
        ("cosh", complex(INF, INF), INF, NAN),
        ("cosh", complex(1, INF), NAN, NAN),
        ("sinh", complex(800, 1), INF, INF),
        ("sinh", complex(0.0, INF), 0.0, NAN),
        ("tanh", complex(INF, 1), 1.0, 0.0),
        ("tanh", complex(0.0, INF), 0.0, NAN),
        ("tanh", complex(0.0, NAN), 0.0, NAN),
        ("tanh", complex(1, INF), NAN, NAN),
        ("atanh", complex(1, 0.0), INF, 0.0),
        ("atan", complex(0.0, 1), 0.0, INF),
        ("sin", complex(0.0, 800), 0.0, INF),
        ("cos", complex(INF, 0.0), NAN, 0.0),
        ("tan", complex(0.0, 800), 0.0, 1.0),
        ("sqrt", complex(-1, -0.0), 0.0, -1.0),
        ("acos", complex(2, 0.0), 0.0, -1.3169578969248166),
    ],
)
def test_complex_special_values(
    backend: Any, given: Any, shown: Any, op: str, z: complex, real: float, imag: float
) -> None:
    found = complex(shown(getattr(backend, op)(given(np.array(z)))))
    for part, wanted in ((found.real, real), (found.imag, imag)):
        if op == "exp" and wanted == 1.0:
            assert math.isfinite(part), found
            continue
        assert part == pytest.approx(wanted, nan_ok=True), found
        assert wanted != 0 or math.copysign(1, part) == math.copysign(1, wanted), found


@pytest.mark.parametrize(
    ("op", "x", "y", "wanted"),
    [
        ("pow", 0j, 0j, "(1+0j)"),
        ("pow", 0j, 2 + 1j, "0j"),
        ("pow", 0j, -1 + 0j, "(nan+nanj)"),
        ("pow", 1e200 + 0j, 3 + 0j, "(inf+0j)"),
        ("div", 1 + 0j, 0j, "(inf+nanj)"),
        ("div", -1 + 2j, 0j, "(-inf+infj)"),
        ("div", 0j, 0j, "(nan+nanj)"),
    ],
)
def test_complex_pairs(backend: Any, given: Any, op: str, x: complex, y: complex, wanted: str) -> None:
    (found,) = getattr(backend, op)(given(np.array(x)), given(np.array(y))).buffer
    assert repr(found) == wanted


def test_abs_of_a_complex_number_does_not_overflow(backend: Any, given: Any) -> None:
    assert backend.abs(given(np.array([3e300 + 4e300j, complex(INF, NAN), complex(1e308, 1.7e308)]))).buffer == [
        pytest.approx(5e300), INF, INF,
    ]  # fmt: skip


def test_complex_power(backend: Any, given: Any, shown: Any) -> None:
    x = np.array([1 + 2j, -3 + 0.5j, 2j, -1 + 0j])
    y = np.array([2 + 0j, 0.5 + 1j, -1 + 0j, 0.5 + 0j])
    np.testing.assert_allclose(shown(backend.pow(given(x), given(y))), x**y, rtol=1e-14)


# ------------------------------------------------------------------ broadcasting and misuse


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((), ()),
        ((3,), ()),
        ((), (0,)),
        ((3, 1), (4,)),
        ((2, 1, 3), (5, 1)),
        ((0, 3), (1, 3)),
        ((1, 1), (2, 3, 4)),
        ((1,), (1,)),
    ],
)
def test_broadcasting(backend: Any, given: Any, shown: Any, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    x = np.arange(math.prod(left), dtype=np.float32).reshape(left)
    y = np.arange(math.prod(right), dtype=np.float32).reshape(right) * 100
    found = shown(backend.add(given(x), given(y)))
    np.testing.assert_array_equal(found, x + y)
    assert found.shape == (x + y).shape


@pytest.mark.parametrize(("left", "right"), [((2,), (3,)), ((0,), (2,)), ((2, 3), (3, 2))])
def test_shapes_that_do_not_broadcast(backend: Any, given: Any, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="do not broadcast"):
        backend.mul(given(np.zeros(left)), given(np.zeros(right)))
    with pytest.raises(ValueError, match="do not broadcast"):
        backend.where(given(np.zeros(left, bool)), given(np.zeros(right)), given(np.zeros(())))


def test_an_op_that_the_dtype_has_not(backend: Any, given: Any) -> None:
    with pytest.raises(TypeError, match=r"not defined for tensorcore\.bool"):
        backend.sub(given(np.array(True)), given(np.array(True)))


def test_operands_are_not_changed(backend: Any, given: Any) -> None:
    x = given(np.array([1.0, 2.0]))
    backend.add(x, x)
    backend.neg(x)
    backend.conj_physical(x).buffer[0] = 9.0
    assert x.buffer == [1.0, 2.0]
