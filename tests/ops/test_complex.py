"""Complex numbers against NumPy: parts, polar form, functions, and gradients by PyTorch's convention."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc

Z = np.array([[1 + 2j, -0.5 + 0.25j, 3j], [2.0, -1 - 1j, 0.3 - 2j]])
FUNCTIONS = [
    "exp",
    "log",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
    "square",
    "reciprocal",
    "abs",
    "angle",
    "conj",
    "neg",
    "isfinite",
    "isnan",
    "log2",
    "log10",
    "expm1",
    "log1p",
]
NUMPYS = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "neg": "negative",
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_functions(name, dtype):
    x = Z.astype(dtype)
    got, expected = getattr(tc, name)(tc.tensor(x)), getattr(np, NUMPYS.get(name, name))(x)
    assert got.dtype.name == expected.dtype.name
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5 if dtype == "complex64" else 1e-13)


@pytest.mark.parametrize(
    "operation",
    [
        "a + b",
        "a - b",
        "a * b",
        "a / b",
        "a ** b",
        "a == b",
        "a * 2.5",
        "2j / a",
        "a ** 2",
        "a @ b.T",
        "a.sum(0)",
        "a.prod()",
        "a.cumsum(1)",
        "a.mean()",
    ],
)
def test_arithmetic(operation):
    a, b = Z, Z[::-1] + 0.5
    expected = eval(operation, {"a": a, "b": b})
    got = eval(operation, {"a": tc.tensor(a), "b": tc.tensor(b.copy())})
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)


def test_parts():
    z = tc.tensor(Z)
    assert (
        z.real.tolist() == Z.real.tolist()
        and z.imag.tolist() == Z.imag.tolist()
        and tc.view_as_real(z).tolist() == np.stack([Z.real, Z.imag], -1).tolist()
    )
    assert (
        tc.view_as_complex(tc.view_as_real(z)).tolist() == Z.tolist()
        and tc.complex(z.real, z.imag).tolist() == Z.tolist()
    )
    np.testing.assert_allclose(tc.polar(z.abs(), z.angle()).numpy(), Z, rtol=1e-14)
    assert (
        z.mH.tolist() == Z.conj().T.tolist()
        and z.H.tolist() == z.adjoint().tolist() == Z.conj().T.tolist()
        and z.isreal().tolist() == np.isreal(Z).tolist()
    )
    x = tc.ones(2)
    assert x.real is x and x.conj() is x and tc.tensor([-1.0, 1.0]).angle().tolist() == [np.float32(np.pi), 0]


def test_infinite_parts_stay_apart():
    z = tc.complex(tc.tensor([float("inf")]), tc.tensor([1.0]))
    assert z.item() == complex(float("inf"), 1)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tc.ones(1).imag, RuntimeError, "imag.*float32"),
        (lambda: tc.complex(tc.ones(1), tc.ones(1, dtype=tc.float64)), TypeError, "one floating-point dtype"),
        (lambda: tc.view_as_complex(tc.ones(3)), RuntimeError, r"last side of 2, got shape \[3\]"),
        (lambda: tc.view_as_real(tc.ones(2)), RuntimeError, "float32"), (lambda: tc.tensor(1j) < 1, TypeError, "order"),
        (lambda: tc.tensor(1j) // 1, RuntimeError, "complex64"),
        (lambda: tc.tensor([1j]).round(), RuntimeError, "complex64"),
        (lambda: tc.tensor(1j).clamp(0), RuntimeError, "order"),
    ],
)  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


#: f(z) real-valued; the gradient is the conjugate of 2 df/dz (Wirtinger), as in PyTorch.
GRADIENTS = {
    "z.abs().sum()": lambda z: z / np.abs(z), "(z * z.conj()).real.sum()": lambda z: 2 * z,
    "z.real.sum()": lambda z: np.ones_like(z), "z.imag.sum()": lambda z: 1j * np.ones_like(z),
    "z.exp().real.sum()": lambda z: np.conj(np.exp(z)),
    "(z ** 3).imag.sum()": lambda z: 1j * np.conj(3 * z**2), "z.log().real.sum()": lambda z: np.conj(1 / z),
    "(1 / z).real.sum()": lambda z: np.conj(-1 / z**2), "tc.view_as_real(z)[..., 1].sum()": lambda z: 1j * np.ones_like(
    z), "z.angle().sum()": lambda z: 1j * z / np.abs(z) ** 2, "z.square().real.sum()": lambda z: np.conj(2 * z),
}  # fmt: skip


@pytest.mark.parametrize("function", GRADIENTS)
def test_gradients(function):
    z = tc.tensor(Z, requires_grad=True)
    eval(function, {"z": z, "tc": tc}).backward()
    np.testing.assert_allclose(z.grad.numpy(), GRADIENTS[function](Z), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_parts_are_kept_as_they_are(name, device):
    real, imag = [1.0, -0.0, float("inf"), float("nan")], [float("inf"), 1.0, float("nan"), -float("inf")]
    with tc.device(device):
        parts = (tc.tensor(each, dtype=getattr(tc, name)) for each in (real, imag))
        made = tc.complex(*parts)
    assert made.dtype is (tc.complex128 if name == "float64" else tc.complex64)
    assert repr(made.tolist()) == repr([complex(*pair) for pair in zip(real, imag, strict=True)])


def test_the_sign_of_nan_and_of_zero():
    x = tc.tensor([float("nan"), -float("nan"), -0.0, 0.0])
    assert tc.signbit(x).tolist() == [False, True, True, False]
