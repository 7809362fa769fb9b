"""Fourier transforms where there is no FFT, and without SciPy; the parity tests compare the rest with PyTorch."""

from __future__ import annotations

import cmath
import random
import sys

import numpy as np
import pytest

import tensorcore as tc
from tensorcore_cpu import fourier


def by_definition(x, forward):
    sign, n = (-1 if forward else 1), len(x)
    return [
        sum(v * cmath.exp(sign * 2j * cmath.pi * (j * k % n) / n) for j, v in enumerate(x)) / (1 if forward else n)
        for k in range(n)
    ]


# Small, powers of two, many factors, primes below and above the largest radix, and products of those.
@pytest.mark.parametrize("n", [1, 2, 3, 8, 16, 17, 30, 61, 64, 67, 120, 134, 169])
@pytest.mark.parametrize("forward", [True, False])
def test_the_expression_of_every_length(n, forward):
    draw = random.Random(n)
    x = [complex(draw.uniform(-1, 1), draw.uniform(-1, 1)) for _ in range(n)]
    transform = tc.fft.fft if forward else tc.fft.ifft
    got = transform(tc.tensor(x, dtype=tc.complex128, device="reference")).tolist()
    assert max(abs(a - b) for a, b in zip(got, by_definition(x, forward), strict=True)) < 1e-12


def test_quarters_of_a_turn_are_exact():
    got = tc.fft.fft(tc.tensor([1.0, 2.0, 3.0, 4.0], device="reference"))
    assert got.tolist() == [10, -2 + 2j, -2, -2 - 2j]


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "rfftn", "irfftn"])
def test_on_cpu_without_scipy(name, monkeypatch):
    x = tc.arange(60.0, dtype=tc.float64).reshape(3, 4, 5).sin()
    with_scipy = getattr(tc.fft, name)(x)
    monkeypatch.setitem(sys.modules, "scipy.fft", None)
    fourier._library.cache_clear()
    try:
        assert fourier._library() is np.fft
        assert (getattr(tc.fft, name)(x) - with_scipy).abs().max() < 1e-12
    finally:
        fourier._library.cache_clear()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tc.fft.fft(tc.ones(3), n=0), r"fft: cannot transform 0 elements, dimension 0 of shape \[3\]"),
        (lambda: tc.fft.fft(tc.ones(3), norm="orth"), "fft: norm must be 'backward', 'ortho' or 'forward', got 'orth'"),
        (lambda: tc.fft.rfft(tc.ones(3) * 1j), "rfft: expected a real tensor, got tensorcore.complex64"),
        (lambda: tc.fft.irfft(tc.ones(1)), "irfft: the result would have 0 elements along dimension 0"),
        (lambda: tc.fft.fft(tc.ones(3, dtype=tc.float16)), "fft: got a tensor of dtype tensorcore.float16"),
        (lambda: tc.fft.fftn(tc.ones(2, 3), s=(2,), dim=(0, 1)), "fftn: s and dim must have the same length"),
        (lambda: tc.stft(tc.ones(9), 4), "stft: return_complex must be given for real inputs"),
        (lambda: tc.istft(tc.ones(3, 4), 4), "istft: expected a complex input"),
        (lambda: tc.nn.functional.grid_sample(tc.ones(1, 1, 2, 2), tc.ones(2, 1, 1, 2), align_corners=True),
         r"grid_sample: the batches must agree, got input of shape \[1, 1, 2, 2\] and grid of shape \[2, 1, 1, 2\]"),
    ],
)  # fmt: skip
def test_errors_say_what_was_met_and_expected(call, words):
    with pytest.raises(RuntimeError, match=words):
        call()
