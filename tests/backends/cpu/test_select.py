"""Choices on cpu: `where`, bounds and what is made of them, on both sides of the thresholds, against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc
import tensorcore.nn.functional as F

NAN, INF = math.nan, math.inf
SIZES = [1, 100, 2047, 2048, (1 << 14) - 1, (1 << 14) + 1, 40_000]
DTYPES = [
    "bool",
    "int8",
    "int16",
    "int64",
    "uint8",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1e-45, -1e-45, 3e38]


def bits(x: tc.Tensor) -> bytes:
    return bytes(x._kind.backend.to_host(x._array))


def numbers(size: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal(size).astype("float32")
    x[: len(SPECIAL)] = SPECIAL[:size]
    return x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
def test_where_has_the_bits_of_what_is_chosen(size, dtype):
    dtype = getattr(tc, dtype)
    x, y = tc.from_numpy(numbers(size)).to(dtype), tc.from_numpy(numbers(size, 1)[::-1].copy()).to(dtype)
    condition = tc.from_numpy(np.random.default_rng(2).random(size) < 0.5)
    chosen = [a if c else b for c, a, b in zip(condition.tolist(), range(size), range(size, 2 * size), strict=True)]
    assert bits(tc.where(condition, x, y)) == bits(tc.cat([x, y])[tc.tensor(chosen)])


@pytest.mark.parametrize("x, y", [((), (50, 60)), ((50, 60), ()), ((), ()), ((60,), (50, 1)), ((1, 1), (50, 60))])
def test_where_broadcasts(x, y):
    condition, x, y = tc.rand(50, 60) < 0.5, tc.randn(x), tc.randn(y)
    expected = np.where(condition.numpy(), x.numpy(), y.numpy())
    np.testing.assert_array_equal(tc.where(condition, x, y).numpy(), expected)
    np.testing.assert_array_equal(
        tc.where(condition[0], x, y).numpy(), np.where(condition[0].numpy(), x.numpy(), y.numpy())
    )


def test_where_of_views():
    condition, x, y = tc.rand(60, 50) < 0.5, tc.randn(50, 60), tc.randn(60, 100)
    made = tc.where(condition, x.T, y[:, ::2])
    np.testing.assert_array_equal(made.numpy(), np.where(condition.numpy(), x.numpy().T, y.numpy()[:, ::2]))
    np.testing.assert_array_equal(tc.where(condition.T, x, x).numpy(), x.numpy())


@pytest.mark.parametrize("bound", [0.0, -1.5, INF, -INF, NAN])
@pytest.mark.parametrize("name", ["maximum", "minimum"])
@pytest.mark.parametrize("size", SIZES)
def test_bounds(size, name, bound):
    x = numbers(size)
    made = getattr(tc, name)(tc.from_numpy(x), tc.tensor(bound))
    np.testing.assert_array_equal(made.numpy(), getattr(np, name)(x, np.float32(bound)))


@pytest.mark.parametrize("slope", [0.0, 0.01, 1.0, 3.0, -0.5])
@pytest.mark.parametrize("size", [3, 40_000])
def test_leaky_relu(size, slope):
    x = np.concatenate((numbers(size), np.array([NAN, INF], "float32")))
    with np.errstate(all="ignore"):
        expected = np.where(x > 0, x, x * np.float32(slope))
    np.testing.assert_array_equal(F.leaky_relu(tc.from_numpy(x), slope).numpy(), expected)


def test_leaky_relu_of_one_number_and_of_complex_ones():
    assert F.leaky_relu(tc.tensor(-2.0), 0.5).item() == -1.0
    with pytest.raises((TypeError, RuntimeError)):
        F.leaky_relu(tc.tensor([1j]))


def test_sign_of_bool_and_integers():
    assert tc.sign(tc.tensor([True, False])).tolist() == [True, False]
    assert tc.sign(tc.tensor([-3, 0, 2])).tolist() == [-1, 0, 1]


@pytest.mark.parametrize("shape", [(), (5,), (3, 4000)])
def test_sign_of_nan_is_0(shape):
    x = tc.randn(shape)
    assert tc.sign(x).tolist() == np.sign(x.numpy()).tolist()
    assert bool((tc.sign(x * NAN) == 0).all())


@pytest.mark.parametrize("grad_shape", [(), (40, 1), (70,), (40, 70)])
def test_relu_passes_stretched_gradients(grad_shape):
    x, g = tc.randn(40, 70, requires_grad=True), tc.randn(grad_shape)
    F.relu(x).backward(g.expand(40, 70))
    expected = np.where(x.detach().numpy() > 0, np.broadcast_to(g.numpy(), (40, 70)), 0)
    np.testing.assert_array_equal(x.grad.numpy(), expected)
    x.grad = None
    F.relu(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), (x.detach().numpy() > 0).astype("float32"))


def test_relu_keeps_infinite_gradients_out_where_it_is_0():
    x = tc.tensor([-1.0, 1.0], requires_grad=True)
    F.relu(x).backward(tc.tensor([INF, INF]))
    assert x.grad.tolist() == [0.0, INF]
