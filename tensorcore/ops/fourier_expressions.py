"""Discrete Fourier transforms in other ops, for backends without an FFT: O(n log n) for every length.

A length is split into radices of at most 16, each a product with a small matrix (Cooley and Tukey 1965); one with a
large prime factor becomes a convolution whose length is a power of two (Bluestein 1970). Roots of unity are computed
in float64 where the device has it, from exponents reduced as integers, so that the error grows with log n alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from tensorcore.dtypes import DType, float32, float64, int64
from tensorcore.ops.complex import complex, conj
from tensorcore.ops.creation import ramp, tensor, zeros
from tensorcore.ops.elementwise import cos, sin
from tensorcore.ops.movement import cat, flip
from tensorcore.ops.windows import embedded

#: Largest radix chosen where a length has several divisors.
_RADIX: Final = 16
#: Largest prime that is a radix: beyond it three transforms of a power of two cost less than the product.
_LARGEST_PRIME: Final = 64


def transformed(x: Any, dims: Sequence[int], forward: bool) -> Any:
    """The unscaled transform of a complex tensor along ``dims``."""
    for dim in dims:
        if x.shape[dim] > 1:
            x = _along_last(x.movedim(dim, -1), forward).movedim(-1, dim)
    return x.contiguous()


def mirrored(half: Any, dim: int, size: int) -> Any:
    """The spectrum of ``size`` elements of a real signal along ``dim``, from its first ``size // 2 + 1``."""
    rest = half.narrow(dim, 1, (size - 1) // 2)
    return cat([half, conj(flip(rest, (dim,)))], dim)


def _radix(n: int) -> int:
    """The factor of ``n`` split off first: ``n`` itself where it is small; 0 where Bluestein's way is shorter."""
    if n <= _RADIX:
        return n
    for divisor in range(_RADIX, 1, -1):
        if n % divisor == 0:
            return divisor
    return next((prime for prime in range(_RADIX + 1, _LARGEST_PRIME) if n % prime == 0), 0)


def _along_last(x: Any, forward: bool) -> Any:
    *lead, n = x.shape
    radix = _radix(n)
    if radix == 0:
        return _by_convolution(x, forward)
    first = _numbers(radix, x)
    matrix = _roots(first.unsqueeze(1) * first, radix, forward, x.dtype)
    if radix == n:
        return x @ matrix
    rest = n // radix
    twiddles = _roots(first.unsqueeze(1) * _numbers(rest, x), n, forward, x.dtype)
    parts = (matrix @ x.reshape((*lead, radix, rest))) * twiddles
    return _along_last(parts, forward).transpose(-1, -2).reshape((*lead, n))


def _by_convolution(x: Any, forward: bool) -> Any:
    """With jk = (j² + k² - (k - j)²) / 2, the transform is a convolution with a chirp, between two products with it."""
    n = x.shape[-1]
    length = 1 << (2 * n - 2).bit_length()
    numbers = _numbers(n, x)
    chirp = _roots(numbers * numbers, 2 * n, forward, x.dtype)
    back = conj(chirp)
    gap = zeros(length - 2 * n + 1, dtype=x.dtype, device=x.device)
    kernel = cat([back, gap, flip(back[1:], (0,))])
    spectrum = _along_last(embedded(x * chirp, [(0, length - n)], (1,)), True) * _along_last(kernel, True)
    return _along_last(spectrum, False)[..., :n] * (chirp * (1 / length))


def _numbers(count: int, like: Any) -> Any:
    return ramp(0, 1, count, int64, like.device)


def _roots(exponents: Any, order: int, forward: bool, dtype: DType) -> Any:
    """The powers of the ``order``-th root of unity, clockwise if ``forward``; exact at quarters of a turn."""
    real = float64 if float64 in exponents.device.capabilities.dtypes else float32
    quarters = exponents % order * 4
    angles = (quarters % order).to(real) * (math.pi / (2 * order))
    turns = tensor([1, 1j, -1, -1j], dtype=real.to_complex(), device=exponents.device)
    roots = turns[quarters // order] * complex(cos(angles), sin(angles))
    return (conj(roots) if forward else roots).to(dtype)
