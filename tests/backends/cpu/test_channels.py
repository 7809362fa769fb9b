"""Compiled batch normalisation and its gradient against their definitions, on both instruction sets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tensorcore_cpu.jit import channels
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
ISAS = [AVX2, AVX512] if BEST == AVX512 else [AVX2]
PROGRAMS = (channels._statistics, channels._normalized, channels._gradient_sums, channels._gradient)


@pytest.fixture(params=ISAS, ids=lambda isa: isa.name)
def chosen(request, monkeypatch):
    monkeypatch.setattr(channels, "isa", lambda: request.param)
    for program in PROGRAMS:
        program.cache_clear()
    yield
    for program in PROGRAMS:
        program.cache_clear()


def defined(x, grad, weight, bias, eps):
    """Result, mean, variance and the three gradients, in float64."""
    x, grad = x.astype(np.float64), grad.astype(np.float64)
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *(1,) * (x.ndim - 2))
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    unit, w, b = (x - mean) / np.sqrt(variance + eps), weight.reshape(shape), bias.reshape(shape)
    along, level = (grad * unit).mean(axes, keepdims=True), grad.mean(axes, keepdims=True)
    slope = (grad - level - unit * along) * w / np.sqrt(variance + eps)
    return unit * w + b, mean.ravel(), variance.ravel(), slope, (grad * unit).sum(axes), grad.sum(axes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("level", [0.0, 300.0])
@pytest.mark.parametrize("shape", [(1, 1, 8), (3, 2, 3, 3), (2, 5, 16, 16), (4, 3, 17), (2, 2, 5, 5, 5), (1, 2, 700)])
def test_against_the_definition(chosen, shape, level, dtype):
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(shape) + level).astype(dtype)
    grad, weight, bias = (rng.standard_normal(s).astype(dtype) for s in (shape, shape[1], shape[1]))
    made = channels.normalized_channels(x, weight, bias, 1e-5)
    # Each with what the others found.
    made += channels.normalized_channels_gradient(grad, x, made[1], made[2], weight, 1e-5)
    unit = np.finfo(dtype).eps
    for found, wanted in zip(made, defined(x, grad, weight, bias, 1e-5), strict=True):
        assert found.dtype == dtype and found.shape == wanted.shape
        # An input of a level far from 0 has the rounding of that level in it; sums have that of their terms.
        slack = 64 * unit * (1 + level) * max(1.0, np.abs(wanted).max()) * math.sqrt(x.size)
        assert np.abs(found - wanted).max() <= slack


def test_without_weight_and_bias(chosen):
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    plain, given = (channels.normalized_channels(x, *parts, 1e-5) for parts in ((None, None), (ones, zeros)))
    assert all((a == b).all() for a, b in zip(plain, given, strict=True))
    grads = [channels.normalized_channels_gradient(x, x, *plain[1:], weight, 1e-5) for weight in (None, ones)]
    assert all((a == b).all() for a, b in zip(*grads, strict=True))


def test_what_is_no_number_stays_in_its_channel():
    x = np.ones((2, 3, 4, 4), np.float32)
    x[0, 1, 2, 2] = np.nan
    out, mean, variance = channels.normalized_channels(x, None, None, 1e-5)
    assert np.isnan(out[:, 1]).all() and np.isnan([mean[1], variance[1]]).all()
    assert (out[:, [0, 2]] == 0).all() and (variance[[0, 2]] == 0).all()


def test_other_arrays_are_left_to_numpy():
    x = np.ones((4, 3, 4, 4), np.float32)
    for other in (x.astype(np.float16), x[:, :, :2, :2], x[..., :1, :1].copy(), x[:0], x.swapaxes(0, 1)[:, ::2]):
        assert channels.normalized_channels(other, None, None, 1e-5) is None
    part = np.ones(3, np.float32)
    assert channels.normalized_channels_gradient(x[..., ::-1], x, part, part, None, 1e-5) is None
    assert channels.normalized_channels(x, part.astype(np.float64), None, 1e-5) is None
