"""Compiled gradients of a convolution's weights against a product for each tap, on both instruction sets."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tensorcore_cpu import kept
from tensorcore_cpu.jit import weight_gradients
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.x86 import AVX2, AVX512
from tensorcore_cpu.layers import LayerKernels

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
ISAS = [AVX2, AVX512] if BEST == AVX512 else [AVX2]


@pytest.fixture
def chosen(request, monkeypatch):
    monkeypatch.setattr(weight_gradients, "isa", lambda: request.param)
    weight_gradients._plan.cache_clear()
    yield request.param
    weight_gradients._plan.cache_clear()


def plain(x, grad, kernel, stride, padding, dilation, groups):
    """One product for each tap, in float64."""
    padded = np.pad(x.astype(np.float64), [(0, 0), (0, 0), *((p, p) for p in padding)])
    outs, per_group = grad.shape[1], x.shape[1] // groups
    given = grad.astype(np.float64).reshape(len(x), groups, outs // groups, -1)
    out = np.zeros((outs, per_group, *kernel))
    for place in np.ndindex(*kernel):
        facts = zip(place, dilation, grad.shape[2:], stride, strict=True)
        at = tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in facts)
        seen = padded[(..., *at)].reshape(len(x), groups, per_group, -1)
        out[(..., *place)] = np.einsum("ngoj,ngcj->goc", given, seen).reshape(outs, per_group)
    return out


def drawn(dtype, batch, channels, outs, sides, kernel, step, pad, spread):
    rng = np.random.default_rng(0)
    counts = [(n + 2 * pad - (k - 1) * spread - 1) // step + 1 for n, k in zip(sides, kernel, strict=True)]
    x = rng.standard_normal((batch, channels, *sides)).astype(dtype)
    return x, rng.standard_normal((batch, outs, *counts)).astype(dtype)


@pytest.mark.parametrize("chosen", ISAS, ids=lambda isa: isa.name, indirect=True)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("step, pad, spread", [(1, 1, 1), (2, 0, 1), (3, 2, 2), (1, 0, 3), (2, 3, 2)])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_against_a_product_for_each_tap(chosen, dtype, dims, step, pad, spread):
    for columns, (outs, channels, groups) in itertools.product(
        (7, 8, 9, 16, 17, 33), ((1, 1, 1), (10, 4, 2), (6, 6, 6), (5, 3, 1))
    ):
        sides, kernel = (*(8, 7)[: dims - 1], columns), (3, 2, 3)[-dims:]
        x, grad = drawn(dtype, 3, channels, outs, sides, kernel, step, pad, spread)
        facts = (kernel, (step,) * dims, (pad,) * dims, (spread,) * dims, groups)
        made, wanted = weight_gradients.weight_gradient(x, grad, *facts), plain(x, grad, *facts)
        assert made.dtype == dtype and made.shape == wanted.shape
        terms = 3 * math.prod(grad.shape[2:])
        assert np.abs(made - wanted).max() <= 4 * terms * np.finfo(dtype).eps


@pytest.mark.parametrize("chosen", ISAS, ids=lambda isa: isa.name, indirect=True)
def test_images_that_are_laid_out_in_several_parts(chosen, monkeypatch):
    monkeypatch.setattr(weight_gradients, "_LAID_BYTES", 1 << 14)
    x, grad = drawn(np.float32, 7, 4, 6, (12, 12), (3, 3), 1, 1, 1)
    facts = ((3, 3), (1, 1), (1, 1), (1, 1), 1)
    assert np.abs(weight_gradients.weight_gradient(x, grad, *facts) - plain(x, grad, *facts)).max() < 1e-3


def test_layouts_beyond_what_is_kept(monkeypatch):
    monkeypatch.setattr(kept, "_MOST", 0)
    x, grad = drawn(np.float64, 2, 3, 2, (6, 5), (2, 2), 2, 1, 1)
    facts = ((2, 2), (2, 2), (1, 1), (1, 1), 1)
    assert np.abs(weight_gradients.weight_gradient(x, grad, *facts) - plain(x, grad, *facts)).max() < 1e-12


def test_an_earlier_call_leaves_nothing_behind():
    """Memory is kept from call to call: what was there must not be taken for padding."""
    facts = ((3,), (1,), (1,), (1,), 1)
    x, grad = drawn(np.float32, 2, 3, 4, (9,), (3,), 1, 1, 1)
    first = weight_gradients.weight_gradient(x, grad, *facts)
    weight_gradients.weight_gradient(*drawn(np.float32, 5, 7, 8, (31,), (3,), 1, 1, 1), *facts)
    assert (weight_gradients.weight_gradient(x, grad, *facts) == first).all()


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_infinite_meets_no_zero_of_the_padding(value):
    x, grad = drawn(np.float32, 2, 1, 1, (4, 5), (3, 3), 1, 1, 1)
    x[0, 0, 1, 0] = value
    facts = ((3, 3), (1, 1), (1, 1), (1, 1), 1)
    assert weight_gradients.weight_gradient(x, grad, *facts) is None
    names = ("kernel", "stride", "padding", "dilation", "groups")
    made = LayerKernels().convolution_weight_gradient(x, grad, **dict(zip(names, facts, strict=True)))
    # The element at the left edge is no right neighbour of any.
    assert np.isfinite(made[0, 0, :, 2]).all() and not np.isfinite(made[0, 0, :, :2]).any()


def test_other_arrays_are_left_to_numpy():
    facts = ((3,), (1,), (0,), (1,), 1)
    for shape, dtype in (((1, 1, 5), np.int64), ((0, 1, 5), np.float32), ((1, 1, 5), np.float16)):
        assert weight_gradients.weight_gradient(np.ones(shape, dtype), np.ones((*shape[:2], 3), dtype), *facts) is None
