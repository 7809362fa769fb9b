"""Creation against NumPy: data of all kinds, constants, ranges, grids; and errors that name the place."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, "int64"), (1.5, "float32"), (True, "bool"), (1j, "complex64"), ([], "float32"), ([[]], "float32"),
        ([[], []], "float32"), ([1, 2.5], "float32"), ([True, 2], "int64"), ([1, 1j], "complex64"), (range(3), "int64"),
        ([range(2), (3, 4)], "int64"),
        ([np.float64(1.5)], "float64"), ([2.0, np.float64(1)], "float64"), (np.float64(1), "float64"),
        ([1, np.int8(1)], "int64"), ([np.int16(1)], "int16"), (np.array(3), "int64"),
        ([np.ones(2), np.zeros(2)], "float64"), ([[1], [2.5]], "float32"), ([np.float16(1), 2.0], "float32"),
    ],
    ids=repr,
)  # fmt: skip
def test_data(data, dtype):
    x = tc.tensor(data)
    expected = np.array(data)
    assert x.dtype.name == dtype and x.shape == expected.shape and x.tolist() == expected.tolist()


def test_lists_of_tensors():
    assert (
        tc.tensor([tc.tensor(1), 2.5]).tolist() == [1, 2.5]
        and tc.tensor([[tc.tensor(1), 2], [3, 4]]).shape == (2, 2)
        and tc.tensor([tc.ones(2), tc.zeros(2)]).shape == (2, 2)
    )
    x = tc.ones(2, requires_grad=True)
    assert (
        not tc.tensor(x).requires_grad
        and tc.tensor(x, requires_grad=True).is_leaf
        and tc.as_tensor(x) is x
        and tc.asarray(x) is x
        and tc.asarray(x, copy=True) is not x
    )


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        ([[1, 2], [3]], ValueError, r"\[1\] has 1 elements, expected 2"),
        ([[1, 2], 3], ValueError, r"\[1\] is a number"), ([1, [2]], ValueError, r"\[1\] is a list"),
        ([[[1], [2]], [[3], 4]], ValueError, r"\[1\]\[1\] is a number"),
        (["a"], TypeError, r"\[0\] is 'a' of type str"), ([[1, 2], [3, None]], TypeError, r"\[1\]\[1\] is None"),
        ("abc", TypeError, "got str"), (None, TypeError, "NoneType"), ({}, TypeError, "dict"),
        (object(), RuntimeError, "object"), (2**63, ValueError, "9223372036854775808 does not fit"),
        ((x for x in "a"), TypeError, "generator"), (np.array(["a"]), TypeError, "format"),
    ],
)  # fmt: skip
def test_what_is_no_data(data, error, says):
    with pytest.raises(error, match=says):
        tc.tensor(data)


@pytest.mark.parametrize(
    ("value", "dtype", "error"),
    [
        (300, "uint8", ValueError),
        (math.nan, "int32", RuntimeError),
        (1j, "float32", TypeError),
        (-129, "int8", RuntimeError),
    ],
)
def test_numbers_that_do_not_fit(value, dtype, error):
    for call in (
        lambda: tc.tensor([value], dtype=getattr(tc, dtype)),
        lambda: tc.full((2,), value, dtype=getattr(tc, dtype)),
    ):
        with pytest.raises(error, match="does not fit"):
            call()


@pytest.mark.parametrize("size", [(), (3,), (2, 3), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", [None, "int8", "bool", "complex64", "bfloat16"])
def test_constants(size, dtype):
    options = {} if dtype is None else {"dtype": getattr(tc, dtype)}
    for name, value in (("zeros", 0), ("ones", 1), ("empty", 0)):
        make = getattr(tc, name)
        for x in (
            make(size, **options),
            make(list(size), **options),
            make(tc.Size(size), **options),
            make(size=size, **options),
            *([make(*size, **options)] if size else []),
        ):
            assert (
                x.shape == size and x.dtype.name == (dtype or "float32") and x.tolist() == np.full(size, value).tolist()
            )
        like = getattr(tc, f"{name}_like")(tc.zeros(size, **options))
        assert like.shape == size and like.dtype.name == (dtype or "float32")
    x = tc.zeros(2, dtype=tc.int16)
    assert (
        x.new_zeros(size).shape == size
        and x.new_ones(2).dtype is x.new_tensor([1.5]).dtype is x.new_full((1,), 3).dtype is tc.int16
        and x.new_tensor([1.5], dtype=tc.float16).dtype is tc.float16
    )


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda: tc.zeros(-1), RuntimeError, r"zeros: negative side -1 in shape \[-1\]"),
    (lambda: tc.ones(1.5), TypeError, "ones: a shape is ints"), (lambda: tc.full((2,), "a"), TypeError, "number.*'a'"),
    (lambda: tc.zeros_like([1]), TypeError, "must be a tensor, got list"),
    (lambda: tc.zeros(2, dtype="float32"), TypeError, "dtype"),
    (lambda: tc.zeros(1, dtype=tc.int8, requires_grad=True), RuntimeError, "int8"),
    (lambda: tc.arange(0, 5, -1), ValueError, "does not lead"), (lambda: tc.arange(0, 5, 0), RuntimeError, "zero"),
    (lambda: tc.arange(math.inf), RuntimeError, "finite"), (lambda: tc.arange("a"), TypeError, "real number"),
    (lambda: tc.arange(), TypeError, "end"),
    (lambda: tc.linspace(0, 1, -1), RuntimeError, "negative"), (lambda: tc.linspace(0, 1, 2.5), TypeError, "steps"),
    (lambda: tc.eye(-1), RuntimeError, "negative"), (lambda: tc.ones(3).tril(), RuntimeError, r"tril: .*\[3\]"),
    (lambda: tc.meshgrid(tc.ones(2, 2)), RuntimeError, "at most 1"),
    (lambda: tc.meshgrid(tc.ones(2), indexing="z"), RuntimeError, "'z'"),
    (lambda: tc.ones(5, 10**14, device="cpu"), MemoryError, "no memory"),
])  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize(
    "args",
    [
        (5,),
        (1, 4),
        (0, 1, 0.25),
        (5, 0, -2),
        (0,),
        (1, 1),
        (1.5, 4),
        (0, 1, 0.1),
        (2.5,),
        (0, 10, 3),
        (-1.0, 1.0, 0.5),
        (2**53, 2**53 + 3),
        (1e-3, 2e-3, 3e-4),
    ],
)
@pytest.mark.parametrize("dtype", [None, "float64", "int16"])
def test_ranges(args, dtype):
    if dtype == "int16" and (any(isinstance(x, float) for x in args) or max(args) > 99):
        pytest.skip("PyTorch cuts the bounds first")
    x = tc.arange(*args, dtype=dtype and getattr(tc, dtype))
    expected = np.arange(*args).astype(dtype or ("float32" if any(isinstance(a, float) for a in args) else "int64"))
    assert x.dtype.name == expected.dtype.name
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("start", "end", "steps"),
    [(0, 1, 5), (0, 1, 1), (0, 1, 0), (1, 0, 3), (-1.5, 2, 7), (3, 3, 3), (0, 1, 100), (1j, 2, 3)],
)
def test_spaces(start, end, steps):
    expected = np.linspace(start, end, steps)
    np.testing.assert_allclose(tc.linspace(start, end, steps).numpy(), expected, rtol=1e-6, atol=1e-7)
    if not isinstance(start, complex):
        np.testing.assert_allclose(
            tc.logspace(start, end, steps, dtype=tc.float64).numpy(), np.logspace(start, end, steps), rtol=1e-14
        )
        assert tc.range(0, 2).tolist() == [0, 1, 2]


@pytest.mark.parametrize("diagonal", [-9, -1, 0, 1, 9])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 3, 3), (0, 3)])
def test_triangles(diagonal, shape):
    for x in (np.arange(math.prod(shape)).reshape(shape), np.ones(shape, bool), np.full(shape, math.inf)):
        for name in ("tril", "triu"):
            got = getattr(tc, name)(tc.tensor(x), diagonal)
            assert got.dtype.name == x.dtype.name and got.tolist() == getattr(np, name)(x, diagonal).tolist()
    if len(shape) == 2:
        assert tc.eye(*shape).tolist() == np.eye(*shape).tolist()
        assert (
            tc.tril_indices(*shape, diagonal).tolist()
            == np.array(np.tril_indices(shape[0], diagonal, shape[1])).tolist()
        )
        assert (
            tc.triu_indices(*shape, diagonal).tolist()
            == np.array(np.triu_indices(shape[0], diagonal, shape[1])).tolist()
        )


@pytest.mark.parametrize("indexing", ["ij", "xy"])
@pytest.mark.parametrize("sides", [(2,), (2, 3), (2, 3, 4), (1, 0)])
def test_grids(indexing, sides):
    arrays = [np.arange(side) for side in sides]
    got = tc.meshgrid(*map(tc.tensor, arrays), indexing=indexing)
    assert [g.tolist() for g in got] == [g.tolist() for g in np.meshgrid(*arrays, indexing=indexing)]
    assert tc.cartesian_prod(tc.tensor([1, 2]), tc.tensor([3, 4])).tolist() == [
        [1, 3],
        [1, 4],
        [2, 3],
        [2, 4],
    ] and tc.combinations(tc.tensor([1, 2, 3])).tolist() == [[1, 2], [1, 3], [2, 3]]
    assert tc.vander(tc.tensor([1.0, 2.0]), 3).tolist() == np.vander([1, 2], 3).tolist()


def test_numbers_too_great_for_the_dtype_become_infinite_without_a_warning():
    assert tc.full((2,), 70000.0, dtype=tc.float16).tolist() == [math.inf] * 2
    assert tc.full((2,), 1e300).tolist() == tc.zeros(2).fill_(1e300).tolist() == [math.inf] * 2
