"""Running sums and products by compiled loops."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.scans import running, running_extreme
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
each_isa = pytest.mark.parametrize("chosen", [AVX2, AVX512] if BEST == AVX512 else [AVX2], ids=lambda isa: isa.name)


@pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
@each_isa
@pytest.mark.parametrize("name, ufunc", [("add", np.add), ("mul", np.multiply)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(0, 3), (1, 1), (2, 3), (3, 4), (2, 5), (3, 7), (2, 8), (2, 9), (3, 15), (1, 16), (2, 17), (3, 300)]
)
def test_running_totals(chosen, name, ufunc, dtype, shape):
    x = np.random.default_rng(1).uniform(0.7, 1.3, shape).astype(dtype)
    out = np.full(x.size + 64, 7, dtype)
    running(name, dtype is np.float64, chosen)(0, *shape, id(out), id(x))
    wanted = ufunc.accumulate(x, 1, np.float64).astype(dtype)
    rtol = 1e-7 if dtype is np.float32 else 1e-13
    np.testing.assert_allclose(out[: x.size].reshape(shape), wanted, rtol=rtol)
    assert (out[x.size :] == 7).all()


def extremes(x, wins):
    """By the definition, one element after another."""
    values, places = x.copy(), np.zeros(x.shape, np.int64)
    for row, line in enumerate(x):
        place = 0
        for i, value in enumerate(line):
            place = i if value != value or wins(value, line[place]) else place
            values[row, i], places[row, i] = line[place], place
    return values, places


@pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
@each_isa
@pytest.mark.parametrize("name, wins", [("max", np.greater_equal), ("min", np.less_equal)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(
    "shape", [(0, 3), (3, 1), (2, 3), (3, 4), (2, 5), (3, 7), (2, 8), (2, 9), (3, 15), (1, 16), (2, 17), (40, 60)]
)
@pytest.mark.parametrize("special", [(), (np.nan,), (np.inf, -np.inf), (0.0, -0.0)])
def test_running_extremes(chosen, name, wins, dtype, shape, special):
    rng = np.random.default_rng(1)
    x = rng.integers(-9, 9, shape).astype(dtype)
    if special:
        x = np.where(rng.random(shape) < 0.2, rng.choice(np.array(special, dtype), shape), x)
    out, places = np.full(x.size + 64, 7, dtype), np.full(x.size + 64, 7)
    running_extreme(name, dtype is np.float64, chosen)(0, *shape, id(out), id(x), id(places))
    values, wanted = extremes(x, wins)
    np.testing.assert_array_equal(places[: x.size].reshape(shape), wanted)
    np.testing.assert_array_equal(out[: x.size].reshape(shape), values)
    assert (out[x.size :] == 7).all() and (places[x.size :] == 7).all()


@pytest.mark.parametrize("op", ["cumsum", "cumprod"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
@pytest.mark.parametrize("shape, dim", [((5,), 0), ((0,), 0), ((3, 0), 1), ((4, 19), 1), ((4, 19), 0), ((2, 3, 17), 2)])
def test_dimensions_and_dtypes(op, dtype, shape, dim):
    x = np.random.default_rng(2).integers(1, 3, shape).astype(dtype)
    made = getattr(tc.from_numpy(x), op)(dim)
    np.testing.assert_allclose(made.numpy(), getattr(np, op)(x, dim), rtol=1e-3 if dtype == "float16" else 1e-6)
    turned = getattr(tc.from_numpy(x.T.copy().T), op)(dim)
    np.testing.assert_array_equal(made.numpy(), turned.numpy())


def test_what_is_no_number_or_beyond_the_range():
    nan, inf = float("nan"), float("inf")
    np.testing.assert_array_equal(
        tc.tensor([1.0, inf, 2.0, -inf, 1.0, nan, *[1.0] * 20]).cumsum(0).numpy(),
        np.float32([1.0, inf, inf, *[nan] * 23]),
    )
    np.testing.assert_array_equal(
        tc.tensor([3e38, 3e38, 1.0, *[0.0] * 20]).cumsum(0).numpy(), np.float32([3e38, *[inf] * 22])
    )
    huge = tc.tensor([1e-200, 1e-200, 1e200, 1e200], dtype=tc.float64)
    assert huge.cumprod(0).tolist() == [1e-200, 0.0, 0.0, 0.0]


def test_long_float32_sums_are_those_of_float64():
    x = np.random.default_rng(3).random(100_001).astype(np.float32)
    made = tc.from_numpy(x).cumsum(0).numpy()
    if BEST is not None:
        np.testing.assert_allclose(made, np.cumsum(x, dtype=np.float64), rtol=1.2e-7)
