"""Gradients of strided convolutions' inputs against adding windows up, tap by tap."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tensorcore_cpu.layers import LayerKernels


def plain(grad, weight, size, stride, padding, dilation, groups):
    """One product for each tap, in float64, added where the tap read."""
    outs, per_group, *kernel = weight.shape
    reach = [max(n + 2 * p, (c - 1) * s + (k - 1) * d + 1) for n, p, c, s, k, d in
             zip(size, padding, grad.shape[2:], stride, kernel, dilation, strict=True)]  # fmt: skip
    out = np.zeros((len(grad), groups, per_group, *reach))
    given = grad.astype(np.float64).reshape(len(grad), groups, outs // groups, -1)
    for place in np.ndindex(*kernel):
        taps = weight[(..., *place)].astype(np.float64).reshape(groups, outs // groups, per_group)
        facts = zip(place, dilation, grad.shape[2:], stride, strict=True)
        at = tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in facts)
        product = np.einsum("ngoj,goc->ngcj", given, taps)
        out[(..., *at)] += product.reshape(*product.shape[:3], *grad.shape[2:])
    inside = tuple(slice(p, p + n) for p, n in zip(padding, size, strict=True))
    return out[(..., *inside)].reshape(len(grad), groups * per_group, *size)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [(1,), (2,), (3,), (10,), (2, 1), (2, 3), (3, 4), (2, 2, 2)])
def test_against_a_product_for_each_tap(stride, kernel, groups):
    dims, rng = len(stride), np.random.default_rng(0)
    size = (9, 8, 7)[-dims:]
    kernels, checked = LayerKernels(), 0
    for pad, spread in itertools.product((0, 1, 3), (1, 2, 3)):
        counts = [(n + 2 * pad - (kernel - 1) * spread - 1) // s + 1 for n, s in zip(size, stride, strict=True)]
        if min(counts) < 1:
            continue
        weight = rng.standard_normal((4, 16 // groups, *(kernel,) * dims)).astype(np.float32)
        grad = rng.standard_normal((2, 4, *counts)).astype(np.float32)
        facts = (size, stride, (pad,) * dims, (spread,) * dims, groups)
        named = dict(zip(("size", "stride", "padding", "dilation", "groups"), facts, strict=True))
        made = kernels.convolution_input_gradient(grad, weight, **named)
        wanted = plain(grad, weight, *facts)
        assert made.shape == wanted.shape and np.abs(made - wanted).max() < 1e-4, (pad, spread)
        checked += 1
    assert checked
