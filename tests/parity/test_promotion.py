"""Promotion against PyTorch: every pair of dtypes, tensors with dimensions and without, and Python numbers."""

from __future__ import annotations

import itertools
import operator

import pytest

torch = pytest.importorskip("torch")

from programs import agree  # noqa: E402

import tensorcore as tc  # noqa: E402

NAMES = [
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
#: What PyTorch refuses to promote with other integers; here they follow the Array API standard.
WIDE = {"uint16", "uint32", "uint64"}
PAIRS = [*itertools.product(NAMES, NAMES)]
OPERATORS = {
    name: getattr(operator, name)
    for name in ("add", "mul", "truediv", "eq", "lt", "pow", "floordiv", "mod", "and_", "sub")
}


def short(dtype):
    return str(dtype).split(".")[-1]


def result(call):
    """The dtype of a result, or the class of errors that it raises."""
    try:
        return short(call().dtype)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        return type(error)


def deliberate(op, ours, theirs, *operands):
    """Whether docs/differences.md records the difference: bool subtracted, no complex32, powers of bool."""
    if "complex32" in (theirs,) or (ours == "complex64" and "float16" in operands):
        return True
    return (op == "sub" and not isinstance(ours, type)) or (op == "pow" and operands[:2] == ("bool", True))


def wide(*names):
    """Whether PyTorch has no promotion for these, or lacks kernels for them."""
    return bool(WIDE.intersection(names))


@pytest.mark.parametrize("first", NAMES)
def test_promote_types(first):
    for second in NAMES:
        try:
            theirs = short(torch.promote_types(getattr(torch, first), getattr(torch, second)))
        except RuntimeError:
            assert wide(first, second)
            continue
        assert short(tc.promote_types(getattr(tc, first), getattr(tc, second))) == theirs, second


def test_wide_unsigned_pairs_follow_the_array_api_standard():
    expected = {
        ("uint16", "uint8"): "uint16", ("uint32", "uint16"): "uint32", ("uint64", "uint32"): "uint64",
        ("uint16", "int8"): "int32", ("uint16", "int32"): "int32", ("uint32", "int16"): "int64",
        ("uint32", "int64"): "int64",
    }  # fmt: skip
    for (first, second), wanted in expected.items():
        assert short(tc.promote_types(getattr(tc, first), getattr(tc, second))) == wanted
    for signed in ("int8", "int16", "int32", "int64"):
        with pytest.raises(TypeError, match=r"uint64.*\.to\(dtype\)"):
            tc.promote_types(tc.uint64, getattr(tc, signed))


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())])
def test_pairs_of_tensors(op, shapes):
    call = OPERATORS[op]
    ours = {name: tc.ones(2, dtype=getattr(tc, name)) for name in NAMES}
    theirs = {name: torch.ones(2, dtype=getattr(torch, name)) for name in NAMES}
    wrong = []
    for first, second in PAIRS:
        lefts = ours[first].reshape(2)[: shapes[0][0]] if shapes[0] else ours[first][0]
        rights = ours[second] if shapes[1] else ours[second][0]
        mine = result(lambda a=lefts, b=rights: call(a, b))
        lefts = theirs[first] if shapes[0] else theirs[first][0]
        rights = theirs[second] if shapes[1] else theirs[second][0]
        its = result(lambda a=lefts, b=rights: call(a, b))
        if isinstance(its, type):
            if wide(first, second):
                continue  # PyTorch lacks promotion or kernels; ours is richer
            its = its if not issubclass(its, NotImplementedError) else RuntimeError
            if not (isinstance(mine, type) and issubclass(mine, its)) and not deliberate(op, mine, its, first, second):
                wrong.append((first, second, mine, its))
        elif mine != its and not deliberate(op, mine, its, first, second):
            wrong.append((first, second, mine, its))
    assert not wrong, f"{op} {shapes}: (first, second, ours, PyTorch's): {wrong[:12]} ... {len(wrong)}"


NUMBERS = (True, 2, 2.5, 2j)


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("shape", [(2,), ()])
def test_tensors_with_python_numbers(op, shape):
    call = OPERATORS[op]
    wrong = []
    for name, number, left in itertools.product(NAMES, NUMBERS, (False, True)):
        mine, its = tc.ones(shape, dtype=getattr(tc, name)), torch.ones(shape, dtype=getattr(torch, name))
        ours = result(lambda a=mine, b=number, left=left: call(b, a) if left else call(a, b))
        theirs = result(lambda a=its, b=number, left=left: call(b, a) if left else call(a, b))
        if isinstance(theirs, type):
            if name in WIDE:
                continue
            theirs = theirs if not issubclass(theirs, NotImplementedError) else RuntimeError
            if not (isinstance(ours, type) and issubclass(ours, theirs)) and not deliberate(
                op, ours, theirs, name, number
            ):
                wrong.append((name, number, left, ours, theirs))
        elif ours != theirs and not deliberate(op, ours, theirs, name, number):
            wrong.append((name, number, left, ours, theirs))
    assert not wrong, f"(dtype, number, number first, ours, PyTorch's): {wrong[:12]} ... {len(wrong)}"


UNARY = [
    "abs",
    "neg",
    "sign",
    "exp",
    "sqrt",
    "log",
    "sin",
    "floor",
    "ceil",
    "round",
    "trunc",
    "isnan",
    "isfinite",
    "logical_not",
    "square",
    "reciprocal",
    "rsqrt",
    "sigmoid",
    "tanh",
    "positive",
    "bitwise_not",
    "signbit",
    "conj",
    "angle",
    "frac",
    "real",
    "expm1",
    "sum",
    "prod",
    "mean",
    "amax",
    "argmax",
    "any",
    "all",
    "cumsum",
    "cumprod",
    "sort",
    "erf",
    "relu",
    "log2",
]


@pytest.mark.parametrize("name", UNARY)
def test_dtypes_of_results(name):
    wrong = []
    along = {"cumsum": (0,), "cumprod": (0,)}.get(name, ())

    def call(lib, dtype):
        made = getattr(lib, name)(lib.ones(2, dtype=getattr(lib, dtype)), *along)
        return made[0] if isinstance(made, tuple) else made

    # Truth is bool for every dtype, and bool has positions: docs/differences.md.
    other = {"any": "uint8", "all": "uint8", "argmax": "bool"}.get(name)
    for dtype in NAMES:
        if dtype == other:
            continue
        ours, theirs = result(lambda dtype=dtype: call(tc, dtype)), result(lambda dtype=dtype: call(torch, dtype))
        if isinstance(theirs, type):
            if dtype in WIDE:
                continue
            theirs = RuntimeError if issubclass(theirs, NotImplementedError) else theirs
            if not (isinstance(ours, type) and issubclass(ours, theirs)):
                wrong.append((dtype, ours, theirs))
        elif ours != theirs:
            wrong.append((dtype, ours, theirs))
    assert not wrong, f"(dtype, ours, PyTorch's): {wrong}"


INTS = ["uint8", "int8", "int16", "int32", "int64"]
PROGRAMS = [
    # weak numbers and 0-d tensors
    *(f"t.ones(2, dtype=t.{a}) * t.tensor(3, dtype=t.{b})" for a in INTS for b in ("int64", "float64", "complex128",
    "bool")),
    "t.tensor([1, 2]) + t.tensor(1.5, dtype=t.float64)", "t.tensor(1) + t.tensor(1.5, dtype=t.float16)",
    "(t.tensor([True]) + t.tensor(1, dtype=t.uint8)).dtype",
    "t.where(t.tensor([True, False]), 1, 2.5)", "t.where(t.tensor([True]), t.tensor([1]), 2.5)",
    "t.where(t.tensor([True]), 1.0, t.tensor([1.0], dtype=t.float64))",
    # the default dtype
    *(f"t.set_default_dtype(t.{d}); r = {x}; t.set_default_dtype(t.float32); r" for d in ("float64",
    "float16") for x in (
        "t.tensor(1.5)", "t.tensor([1]) / 2", "t.tensor([1]) + 1.5", "t.zeros(2)", "t.arange(2.0)",
        "t.tensor([1]).exp()", "t.tensor(1j)", "t.tensor([True]).mean(dtype=t.get_default_dtype())",
        "t.tensor([1]) * 1j", "t.linspace(0, 1, 3)", "t.eye(2)", "t.full((1,), 2.5)", "t.tensor([1, 2]).float()")),
    "t.set_default_dtype(t.int64)", "t.set_default_dtype('float32')",
    # integers wrap
    *(f"t.tensor([t.iinfo(t.{d}).max], dtype=t.{d}) + 1" for d in INTS),
    *(f"t.tensor([t.iinfo(t.{d}).min], dtype=t.{d}) - 1" for d in INTS),
    *(f"-t.tensor([t.iinfo(t.{d}).min], dtype=t.{d})" for d in INTS),
    *(f"t.tensor([t.iinfo(t.{d}).min], dtype=t.{d}).abs()" for d in INTS),
    *(f"t.tensor([t.iinfo(t.{d}).max], dtype=t.{d}) * 3" for d in INTS),
    *(f"t.tensor([3], dtype=t.{d}) ** 30" for d in INTS),
    "t.tensor([200], dtype=t.uint8) + 100", "t.tensor([1], dtype=t.uint8) - 2", "~t.tensor([1, 0], dtype=t.uint8)",
    "t.tensor([2**62]) * 4", "t.tensor([1], dtype=t.uint8) * 300",
    "t.tensor([1], dtype=t.int8) + 200", "t.tensor([300, -1]).to(t.uint8)", "t.tensor([2.9, -2.9]).to(t.int64)",
    "t.tensor([1]) + 2**63", "t.tensor([1]) + 2**70",
    "t.tensor(2**63)", "t.tensor(2**64)", "t.tensor([-2**63])", "t.tensor([300], dtype=t.uint8)",
    "t.tensor([-1], dtype=t.uint8)", "t.tensor(1e39)", "t.tensor(10**400)", "t.tensor(2**63 - 1).item()",
    "t.tensor(2**70, dtype=t.float32)", "t.full((1,), 300, dtype=t.uint8)", "t.full((1,), 2**63)",
    "t.tensor([1e40], dtype=t.float32)", "t.tensor([70000.0], dtype=t.float16)", "t.tensor([1.9], dtype=t.int32)",
    "t.tensor([1j], dtype=t.float32)", "t.tensor([float('nan')], dtype=t.int64)", "t.tensor([2], dtype=t.bool)",
    "t.tensor(-5, dtype=t.bool)",
    # true and floor division, powers
    "t.tensor([7, -7]) / 2", "t.tensor([7, -7]) // 2", "t.tensor([7, -7]) // 2.0", "7 // t.tensor([2, -2])",
    "t.tensor([2]) ** -1", "t.tensor([2]) ** t.tensor([-1])", "t.tensor([1, -1, 2, 0]) ** t.tensor([-1, -3, -1, 2])",
    "t.tensor([2]) ** 0.5", "2 ** t.tensor([3])", "2.0 ** t.tensor([3])", "t.tensor([2.0], dtype=t.float16) ** 2",
    "True + t.tensor([1])", "t.tensor([True]) + t.tensor([True])", "t.tensor([True]) * t.tensor([True])",
    "t.tensor([True]) - t.tensor([True])", "t.tensor([True]) - 1", "-t.tensor([True])", "+t.tensor([True])",
    "t.tensor([True]) / t.tensor([True])", "t.tensor([True, False]) ** t.tensor([True, False])",
    "t.result_type(t.tensor([1]), 1.0)", "t.result_type(t.tensor([1.0], dtype=t.float16), t.tensor(1.0))",
    "t.result_type(1, 1j)", "t.can_cast(t.float32, t.int64)", "t.can_cast(t.int64, t.float16)",
    "t.can_cast(t.int8, t.bool)",
    "t.finfo(t.bfloat16).eps", "t.finfo(t.float16).tiny", "t.finfo(t.float32).resolution", "t.finfo(t.float64).max",
    "t.iinfo(t.uint8).max", "t.finfo(t.int8)", "t.iinfo(t.float32)", "t.finfo(t.complex64).bits",
    "t.finfo().bits",
    "t.float32.itemsize, t.complex64.to_real(), t.float16.to_complex(), t.int8.is_signed, t.uint8.is_signed, "
        "t.bool.is_signed", "t.float32.is_floating_point, t.int8.is_complex",
    "t.finfo(t.bfloat16).resolution, t.finfo(t.float16).resolution, t.finfo(t.float64).resolution",
]  # fmt: skip


@pytest.mark.parametrize("source", PROGRAMS)
def test_program(source):
    try:
        agree(source)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "int64"])
@pytest.mark.parametrize(
    "call",
    ["x / -1", "-1 / x", "x / t.tensor(-1)", "t.atan2(x, t.tensor(-300))", "t.float_power(x, -1)", "t.copysign(x, -1)",
     "t.xlogy(x, 300)", "t.div(x, -2, rounding_mode='trunc')", "t.div(x, -2, rounding_mode='floor')", "t.fmod(x, 2)",
     "t.special.legendre_polynomial_p(x, -1)", "t.special.hermite_polynomial_h(-1, x)"],
)  # fmt: skip
def test_numbers_beyond_an_integer_dtype_become_floats_as_they_are(call, dtype):
    results = [eval(call, {"t": lib, "x": lib.tensor([1, 2, 3], dtype=getattr(lib, dtype))}) for lib in (tc, torch)]
    assert results[0].dtype.name == str(results[1].dtype).removeprefix("torch.")
    assert results[0].tolist() == pytest.approx(results[1].tolist(), rel=1e-6)
