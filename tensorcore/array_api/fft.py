"""Fourier transforms: the fft extension of the Array API standard."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore import fft as transforms
from tensorcore.dtypes import DType
from tensorcore.tensor import Tensor

__all__ = [
    "fft",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfftn",
    "rfft",
    "rfftfreq",
    "rfftn",
]


def _along_one(name: str) -> Callable[..., Tensor]:
    def transform(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
        return getattr(transforms, name)(x, n, axis, norm)

    return _documented(transform, name)


def _along_several(name: str) -> Callable[..., Tensor]:
    def transform(
        x: Tensor, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
    ) -> Tensor:
        return getattr(transforms, name)(x, s, axes, norm)

    return _documented(transform, name)


def _shift(name: str) -> Callable[..., Tensor]:
    def shift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
        return getattr(transforms, name)(x, axes)

    return _documented(shift, name)


def _frequencies(name: str) -> Callable[..., Tensor]:
    def frequencies(n: int, /, *, d: float = 1.0, dtype: DType | None = None, device: Any = None) -> Tensor:
        return getattr(transforms, name)(n, d, dtype=dtype, device=device)

    return _documented(frequencies, name)


def _documented(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    summary = (getattr(transforms, name).__doc__ or "").partition("\n")[0]
    places = "axes" if "axes" in function.__code__.co_varnames else "axis"
    function.__doc__ = re.sub(r"\bdim\b", places, re.sub(r"\binput\b", "x", summary))
    return function


fft = _along_one("fft")
ifft = _along_one("ifft")
rfft = _along_one("rfft")
irfft = _along_one("irfft")
hfft = _along_one("hfft")
ihfft = _along_one("ihfft")
fftn = _along_several("fftn")
ifftn = _along_several("ifftn")
rfftn = _along_several("rfftn")
irfftn = _along_several("irfftn")
fftshift = _shift("fftshift")
ifftshift = _shift("ifftshift")
fftfreq = _frequencies("fftfreq")
rfftfreq = _frequencies("rfftfreq")
