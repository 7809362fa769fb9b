"""Resizing on cpu: compiled rows on both instruction sets, and what is infinite stays where it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.nn.functional import interpolate
from tensorcore_cpu.jit import blends
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
ISAS = [AVX2, AVX512] if BEST == AVX512 else [AVX2]


@pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
@pytest.mark.parametrize("chosen", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("taps", [1, 2, 3, 4])
def test_rows_are_weighted_sums(monkeypatch, chosen, dtype, taps):
    monkeypatch.setattr(blends, "isa", lambda: chosen)
    blends._program.cache_clear()
    drawn = np.random.default_rng(0)
    for columns in (1, 7, 8, 9, 15, 16, 17, 33):
        x = drawn.standard_normal((3, 5, columns)).astype(dtype)
        places, weights = drawn.integers(0, 5, (7, taps)), drawn.standard_normal((7, taps)).astype(dtype)
        made = blends.blended(x, places, weights)
        wanted = np.einsum("rk,brkc->brc", weights.astype(np.float64), x[:, places].astype(np.float64))
        assert np.abs(made - wanted).max() <= 8 * np.abs(wanted).max() * np.finfo(dtype).eps
    blends._program.cache_clear()


def test_more_taps_than_registers_are_left_to_others():
    assert blends.blended(np.ones((1, 9, 2)), np.zeros((3, 9), np.int64), np.ones((3, 9))) is None


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
def test_an_infinite_element_reaches_its_neighbours_alone(mode, antialias):
    x = tc.zeros(1, 1, 200, 200, requires_grad=True)
    with tc.no_grad():
        x[0, 0, 20, 30] = math.inf
    out = interpolate(x, (70, 90), mode=mode, antialias=antialias)
    assert not out[0, 0, 20:].isinf().any() and not out[0, 0, 20:].isnan().any()
    assert not out[0, 0, :, 40:].isnan().any()
    (grad,) = tc.autograd.grad(out, x, out.detach().nan_to_num(0, 1, 1))
    assert grad.isfinite().all()
    (grad,) = tc.autograd.grad(interpolate(x, (70, 90), mode=mode, antialias=antialias), x, out.detach())
    assert grad[0, 0, 100:, 100:].isfinite().all() and not grad.isfinite().all()
