"""Fourier transforms by cuFFT, through CuPy."""

from __future__ import annotations

from tensorcore.backend.array_fft import FourierKernels
from tensorcore.backend.contract import Array


class TransformKernels(FourierKernels):
    """The part of the backend that transforms."""

    def fft_c2r(self, input: Array, *, dim: tuple[int, ...], norm: str, size: int) -> Array:
        # What cuFFT makes of imaginary parts where a real signal's spectrum has none is undefined; elsewhere they are
        # ignored. The transforms of the other dimensions come first, since they mix the parts.
        half = self.fft_c2c(input, dim=dim[:-1], norm=norm, forward=False)
        half = half.copy() if half is input else half
        rows = half.swapaxes(dim[-1], -1)
        rows[..., 0].imag = 0
        if size % 2 == 0:
            rows[..., size // 2].imag = 0
        return super().fft_c2r(half, dim=dim[-1:], norm=norm, size=size)
