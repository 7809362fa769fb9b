"""Conversion between dtypes against NumPy, the forms of ``to``, and reading memory as another dtype."""

from __future__ import annotations

import math

import ml_dtypes
import numpy as np
import pytest

import tensorcore as tc
from tensorcore.dtypes import ALL

NATIVE = {d: np.dtype(ml_dtypes.bfloat16 if d.name == "bfloat16" else d.name) for d in ALL}


@pytest.mark.parametrize("source", ALL, ids=str)
@pytest.mark.parametrize("target", ALL, ids=str)
def test_values(source, target):
    values = [0, 1, 2.75, 100] if source.category > 1 else [0, 1, 2, 100]
    x = np.array(values).astype(NATIVE[source])
    got = tc.tensor(values).to(source).to(target)
    expected = (x.real if source.category == 3 and target.category in (1, 2) else x).astype(NATIVE[target])
    assert (
        got.dtype is target
        and got.tolist() == expected.astype(complex if target.category == 3 else expected.dtype).tolist()
    )


def test_integers_wrap_and_floats_are_cut():
    assert (
        tc.tensor([300, -1, 256]).to(tc.uint8).tolist() == [44, 255, 0]
        and tc.tensor([2.9, -2.9]).to(tc.int64).tolist() == [2, -2]
        and tc.tensor([128]).to(tc.int8).tolist() == [-128]
    )


def test_rounding_to_16_bits():
    assert tc.tensor([65519.0, 65520.0, 1e-9]).half().tolist() == [65504, math.inf, 0] and tc.tensor(
        [1.00390625, 1.01171875]
    ).bfloat16().tolist() == [1.0, 1.015625]


def test_truth():
    assert tc.tensor([math.nan, 0.0, -0.0, math.inf, 1e-45]).bool().tolist() == [
        True,
        False,
        False,
        True,
        True,
    ] and tc.tensor([0j, 1j]).bool().tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        ("bfloat16", "bfloat16"),
        ("int", "int32"),
        ("long", "int64"),
        ("short", "int16"),
        ("char", "int8"),
        ("byte", "uint8"),
        ("bool", "bool"),
        ("cfloat", "complex64"),
        ("cdouble", "complex128"),
    ],
)
def test_shortcuts(name, dtype):
    x = tc.ones(2, dtype=tc.int32)
    y = getattr(x, name)()
    assert y.dtype.name == dtype and getattr(y, name)() is y


X = tc.ones(2)
FORMS = [
    ((tc.int8,), {}), (("cpu", tc.int8), {}), ((tc.device("cpu"), tc.int8), {}), ((tc.zeros(1, dtype=tc.int8),), {}),
    ((), {"dtype": tc.int8}), ((), {"device": "cpu", "dtype": tc.int8}), ((tc.int8, True), {}),
    ((tc.int8, False, True), {}), ((None, tc.int8), {}),
    ((tc.int8,), {"non_blocking": True, "copy": True}), ((tc.int8,), {"memory_format": tc.preserve_format}),
]  # fmt: skip


@pytest.mark.parametrize(("args", "options"), FORMS, ids=range(len(FORMS)))
def test_forms_of_to(args, options):
    assert X.to(*args, **options).dtype is tc.int8


def test_to_copies_only_where_it_must():
    assert all(
        X.to(*args, **options) is X
        for args, options in (
            ((tc.float32,), {}),
            (("cpu",), {}),
            ((), {}),
            ((X,), {}),
            ((), {"device": None, "dtype": None}),
        )
    )
    assert (
        X.to(tc.float32, copy=True) is not X
        and X.to("cpu", tc.float32, False, True) is not X
        and X.cpu() is X
        and X.type_as(X) is X
    )


@pytest.mark.parametrize(
    ("args", "error", "says"),
    [(("nowhere",), RuntimeError, "nowhere"), ((5.5,), TypeError, "5.5"), ((), TypeError, "float32")],
)
def test_bad_arguments_of_to(args, error, says):
    with pytest.raises(error, match=says):
        X.to(*args, **({} if args else {"dtype": "float32"}))


def test_gradients_come_back_in_their_own_dtype():
    x = tc.tensor([1.5, 2.5], requires_grad=True)
    (x.double() * 2 + x.half().double()).sum().backward()
    assert x.grad.dtype is tc.float32 and x.grad.tolist() == [3, 3] and not x.long().requires_grad
    z = tc.tensor([1.0], requires_grad=True)
    (z.to(tc.complex64) * (2 + 1j)).real.sum().backward()
    assert z.grad.tolist() == [2]


@pytest.mark.parametrize("target", ["int32", "int8", "float64", "uint16", "complex64", "float16"])
def test_memory_read_as_another_dtype(target):
    x = np.arange(8, dtype="float32").reshape(2, 4)
    y = tc.from_numpy(x).view(getattr(tc, target))
    expected = x.view(target)
    assert y.shape == expected.shape and y.numpy().tobytes() == expected.tobytes()
    y.zero_()
    assert not x.any()
    assert (
        tc.tensor(np.arange(8, dtype="float32").reshape(2, 4), device="reference").view(getattr(tc, target)).shape
        == expected.shape
    )


def test_memory_that_does_not_divide():
    with pytest.raises(RuntimeError, match="does not divide"):
        tc.zeros(3).view(tc.float64)
    with pytest.raises(RuntimeError, match=r"\[\]"):
        tc.tensor(1.0).view(tc.int8)
