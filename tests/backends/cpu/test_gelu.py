"""`gelu` of float32 on cpu, against the normal distribution function of float64."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc
import tensorcore.nn.functional as F

#: Elements of one block of the kernel.
BLOCK = 1 << 14
X = np.linspace(-6, 12, 2 * BLOCK + 5, dtype=np.float32)


def share(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def slope(x: float) -> float:
    return share(x) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def slope_of(approximate: str, x: np.ndarray, device: str, dtype: tc.dtype = tc.float32) -> np.ndarray:
    x = tc.from_numpy(x).to(device, dtype).requires_grad_()
    F.gelu(x, approximate=approximate).sum().backward()
    return x.grad.cpu().numpy()


def test_values():
    expected = np.array([x * share(x) for x in X.tolist()])
    made = F.gelu(tc.from_numpy(X)).numpy()
    # Far below zero rounding the exponent costs digits, as it does in the expression.
    np.testing.assert_allclose(made, expected, rtol=1.5e-6, atol=0)


def test_slopes():
    np.testing.assert_allclose(slope_of("none", X, "cpu"), [slope(x) for x in X.tolist()], rtol=2e-6, atol=3e-7)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_float32_agrees_with_float64(approximate):
    wide = F.gelu(tc.from_numpy(X).double(), approximate=approximate).numpy()
    np.testing.assert_allclose(F.gelu(tc.from_numpy(X), approximate=approximate).numpy(), wide, rtol=0, atol=2e-6)
    wide = slope_of(approximate, X, "cpu", tc.float64)
    np.testing.assert_allclose(slope_of(approximate, X, "cpu"), wide, rtol=0, atol=2e-6)


@pytest.mark.parametrize("x, value, grad", [
    (0.0, 0.0, 0.5), (-0.0, 0.0, 0.5), (math.inf, math.inf, math.nan), (-math.inf, math.nan, math.nan),
    (math.nan, math.nan, math.nan),
    (3e38, 3e38, 1.0), (-3e38, 0.0, 0.0), (-20.0, 0.0, 0.0), (1e-45, 0.0, 0.5),
])  # fmt: skip
def test_edges(x, value, grad):
    x = tc.tensor([x], requires_grad=True)
    y = F.gelu(x)
    y.backward(tc.ones(1))
    assert y.item() == pytest.approx(value, nan_ok=True)
    assert x.grad.item() == pytest.approx(grad, nan_ok=True, abs=1e-7)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("shape", [(), (0, 3), (BLOCK,), (BLOCK + 1,), (2, BLOCK)])
def test_shapes(shape, approximate):
    x = tc.randn(shape)
    made = F.gelu(x, approximate=approximate)
    assert made.shape == shape and made.dtype is tc.float32
    assert made.tolist() == F.gelu(x.reshape(-1), approximate=approximate).reshape(shape).tolist()


def test_views_are_read_and_left_alone():
    x = tc.randn(40, 50)
    before = x.tolist()
    assert F.gelu(x.T).tolist() == F.gelu(x.T.contiguous()).tolist()
    y = x.clone().requires_grad_()
    F.gelu(y.T).backward(tc.ones(1, 1).expand(50, 40))
    np.testing.assert_array_equal(y.grad.numpy(), slope_of("none", x.numpy(), "cpu"))
    assert x.tolist() == before


@pytest.mark.parametrize("dtype, tolerance", [(tc.float16, 2**-10), (tc.bfloat16, 2**-7)])
def test_16_bit_floats(dtype, tolerance):
    x = tc.linspace(-3, 3, 100).to(dtype)
    made = F.gelu(x)
    assert made.dtype is dtype
    np.testing.assert_allclose(made.double().numpy(), F.gelu(x.double()).numpy(), rtol=tolerance)
