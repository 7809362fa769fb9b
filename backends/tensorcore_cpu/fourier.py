"""Fourier transforms by SciPy where it is installed, else by NumPy."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tensorcore.backend.array_fft import FourierKernels
from tensorcore.backend.contract import Array


@cache
def _library() -> Any:
    try:
        import scipy.fft
    except ImportError:
        return np.fft
    return scipy.fft


@cache
def _pocketfft() -> Any:
    """PocketFFT itself, as SciPy carries it, or ``None``: the functions around it take 2 to 5 µs a call."""
    try:
        from scipy.fft._pocketfft import pypocketfft
    except ImportError:
        return None
    return pypocketfft if all(hasattr(pypocketfft, name) for name in ("c2c", "r2c", "c2r")) else None


#: What a result is divided by, as PocketFFT numbers it.
_NORMS: Final = {"none": 0, "root": 1, "count": 2}


#: Elements from which on NumPy mirrors half a spectrum faster than PocketFFT (100 × 1000: 145 µs in all, or 205).
_LARGE: Final = 1 << 13


class TransformKernels(FourierKernels):
    """The part of the backend that transforms."""

    def fft_c2c(self, input: Array, *, dim: tuple[int, ...], norm: str, forward: bool) -> Array:
        library = _pocketfft()
        if library is None or not dim or not input.size:
            return super().fft_c2c(input, dim=dim, norm=norm, forward=forward)
        return library.c2c(input, dim, forward, _NORMS[norm], None, 1)

    def fft_r2c(self, input: Array, *, dim: tuple[int, ...], norm: str, onesided: bool) -> Array:
        library = _pocketfft()
        if library is None or not input.size:
            return super().fft_r2c(input, dim=dim, norm=norm, onesided=onesided)
        if onesided or (len(dim) == 1 and input.size >= _LARGE):
            half = library.r2c(input, dim, True, _NORMS[norm], None, 1)
            return half if onesided else self.fft_mirrored(half, dim[-1], input.shape[dim[-1]])
        # Of a real array, c2c would compute one half and mirror all of it, which makes zeros of the first column -0.
        return library.c2c(input.astype(np.result_type(input.dtype, np.complex64)), dim, True, _NORMS[norm], None, 1)

    def fft_c2r(self, input: Array, *, dim: tuple[int, ...], norm: str, size: int) -> Array:
        library = _pocketfft()
        if library is None or not input.size:
            return super().fft_c2r(input, dim=dim, norm=norm, size=size)
        return library.c2r(input, dim, size, False, _NORMS[norm], None, 1)

    def fft_library(self) -> Any:
        # Both run PocketFFT, and SciPy transforms several rows at once: 64 rows of 1,024 complex64 elements take it
        # 97 µs against 191, 8 images of 256 by 256 0.7 ms against 3.3. It is imported when something is transformed.
        return _library()

    def fft_mirrored(self, half: Array, dim: int, size: int) -> Array:
        # Into one new array: joining makes three.
        out = np.empty((*half.shape[:dim], size, *half.shape[dim + 1 :]), half.dtype)
        rows, source = out.swapaxes(dim, -1), half.swapaxes(dim, -1)
        rows[..., : size // 2 + 1] = source
        np.conjugate(source[..., (size - 1) // 2 : 0 : -1], out=rows[..., size // 2 + 1 :])
        return out

    def framed(self, input: Array, *, size: int, step: int) -> Array:
        return sliding_window_view(input, size, -1)[..., ::step, :]

    def overlapped(self, input: Array, *, length: int, step: int) -> Array:
        *lead, count, size = input.shape
        blocks = -(-size // step)
        rows = np.zeros((*lead, max(count - 1 + blocks, -(-length // step)), step), input.dtype)
        for i in range(blocks):
            part = input[..., i * step : (i + 1) * step]
            rows[..., i : i + count, : part.shape[-1]] += part
        return rows.reshape(*lead, -1)[..., :length]
