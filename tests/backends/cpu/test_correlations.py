"""Compiled convolutions of cpu against plain loops over taps, on both instruction sets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tensorcore_cpu.jit import correlations
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
ISAS = [AVX2, AVX512] if BEST == AVX512 else [AVX2]


def plain(x, weight, bias, stride, padding, dilation, groups):
    """One product per tap, in float64."""
    dims = x.ndim - 2
    padded = np.pad(x.astype(np.float64), [(0, 0), (0, 0), *((p, p) for p in padding)])
    facts = zip(padded.shape[2:], weight.shape[2:], stride, dilation, strict=True)
    counts = [(side - (k - 1) * d - 1) // s + 1 for side, k, s, d in facts]
    of_group, per_group = len(weight) // groups, weight.shape[1]
    out = np.zeros((len(x), len(weight), *counts)) + bias.reshape(-1, *(1,) * dims)
    for channel, place in itertools.product(range(len(weight)), np.ndindex(*weight.shape[1:])):
        each = zip(place[1:], counts, stride, dilation, strict=True)
        at = tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, n, s, d in each)
        source = padded[(slice(None), channel // of_group * per_group + place[0], *at)]
        out[:, channel] += source * float(weight[(channel, *place)])
    return out


@pytest.mark.parametrize("chosen", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("step, pad, spread", [(1, 1, 1), (2, 0, 1), (3, 2, 2), (1, 0, 3)])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_correlations_against_a_product_for_each_tap(monkeypatch, chosen, dtype, dims, step, pad, spread):
    monkeypatch.setattr(correlations, "isa", lambda: chosen)
    correlations._plan.cache_clear()
    correlations._program.cache_clear()
    drawn = np.random.default_rng(0)
    for columns, (outs, channels, groups) in itertools.product(
        (7, 8, 9, 15, 16, 17, 32, 33, 50), ((1, 1, 1), (10, 4, 2), (6, 6, 6), (27, 2, 1))
    ):
        sides = (*(8, 7)[: dims - 1], columns)
        x = drawn.standard_normal((2, channels, *sides)).astype(dtype)
        weight = drawn.standard_normal((outs, channels // groups, *(3,) * dims)).astype(dtype)
        bias = drawn.standard_normal(outs).astype(dtype)
        facts = ((step,) * dims, (pad,) * dims, (spread,) * dims, groups)
        made = correlations.correlated(x, weight, bias, *facts)
        depth = math.prod(weight.shape[1:])
        wanted = plain(x, weight, bias, *facts)
        assert made.dtype == dtype and made.shape == wanted.shape
        assert np.abs(made - wanted).max() <= 8 * depth * np.finfo(dtype).eps
    correlations._plan.cache_clear()
    correlations._program.cache_clear()


def test_correlations_leave_other_arrays_to_numpy():
    ones = ((1,), (0,), (1,), 1)
    whole = np.ones((1, 1, 5), np.int64), np.ones((1, 1, 3), np.int64)
    assert correlations.correlated(*whole, None, *ones) is None
    empty = np.ones((0, 1, 5), np.float32), np.ones((1, 1, 3), np.float32)
    assert correlations.correlated(*empty, None, *ones) is None


def test_correlations_of_views_and_infinities():
    x = np.zeros((2, 40, 3), np.float32).swapaxes(1, 2)
    x[0, 1, 20] = np.inf
    weight = np.zeros((3, 1, 4), np.float32).T
    weight[2, 0, 1] = 2
    made = correlations.correlated(x[:, 1:2], weight, None, (1,), (1,), (1,), 1)
    with np.errstate(invalid="ignore"):
        assert made[0, 2, 20] == np.inf and np.isnan(made[0, 0, 19:22]).all() and not made[1].any()
