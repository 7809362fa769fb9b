"""The kernels of Fourier transforms over the ``fft`` extension of the Array API standard."""

from __future__ import annotations

from typing import Any, Final

from tensorcore.backend.contract import Array, Kernel

#: The standard's ``norm`` for what a transform and its inverse are divided by.
_FORWARD: Final = {"none": "backward", "root": "ortho", "count": "forward"}
_INVERSE: Final = {"none": "forward", "root": "ortho", "count": "backward"}

#: How many dimensions are transformed in one call: libraries plan for up to three.
_AT_ONCE: Final = 3


class FourierKernels:
    """The part of a backend over an Array API namespace that transforms, where the namespace has the extension."""

    xp: Any
    #: The kernel of the op ``cat``.
    cat: Kernel

    def fft_library(self) -> Any:
        """What has the functions of the extension."""
        return self.xp.fft

    def fft_c2c(self, input: Array, *, dim: tuple[int, ...], norm: str, forward: bool) -> Array:
        library = self.fft_library()
        name = (_FORWARD if forward else _INVERSE)[norm]
        if len(dim) == 1:
            return (library.fft if forward else library.ifft)(input, axis=dim[0], norm=name)
        for start in range(0, len(dim), _AT_ONCE):
            transform = library.fftn if forward else library.ifftn
            input = transform(input, axes=dim[start : start + _AT_ONCE], norm=name)
        return input

    def fft_r2c(self, input: Array, *, dim: tuple[int, ...], norm: str, onesided: bool) -> Array:
        out = self.fft_library().rfft(input, axis=dim[-1], norm=_FORWARD[norm])
        if not onesided:
            out = self.fft_mirrored(out, dim[-1], input.shape[dim[-1]])
        return self.fft_c2c(out, dim=dim[:-1], norm=norm, forward=True)

    def fft_mirrored(self, half: Array, dim: int, size: int) -> Array:
        """The whole spectrum of ``size`` real elements along ``dim``, from its first half."""
        inner = half[(slice(None),) * dim + (slice(1, (size + 1) // 2), ...)]
        return self.cat(half, self.xp.conj(self.xp.flip(inner, axis=dim)), dim=dim)

    def fft_c2r(self, input: Array, *, dim: tuple[int, ...], norm: str, size: int) -> Array:
        half = self.fft_c2c(input, dim=dim[:-1], norm=norm, forward=False)
        return self.fft_library().irfft(half, n=size, axis=dim[-1], norm=_INVERSE[norm])
