"""Fourier transforms, windows and short-time transforms by definition: products with a matrix of roots of unity."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FOURIER_ORACLES"]


def _matrix(n: int, forward: bool, like: Any) -> Any:
    """The transform of ``n`` elements as a matrix, from its definition, in the precision of ``like``."""
    real = np.real(like).dtype
    real = real if real.kind == "f" else np.dtype(np.float64)
    turns = np.outer(np.arange(n), np.arange(n)) % max(n, 1)
    angle = turns.astype(real) * (2 * np.arccos(real.type(-1)) / real.type(max(n, 1)))
    return np.cos(angle) + (-1j if forward else 1j) * np.sin(angle)


def _fitted(x: Any, side: int, axis: int) -> Any:
    rows = np.moveaxis(x, axis, 0)[:side]
    rows = np.concatenate([rows, np.zeros((side - rows.shape[0], *rows.shape[1:]), rows.dtype)])
    return np.moveaxis(rows, 0, axis)


def _transformed(x: Any, axis: int, n: int | None, norm: str | None, forward: bool) -> Any:
    n = x.shape[axis] if n is None else n
    x = _fitted(x if x.dtype.kind in "fc" else x.astype(np.float64), n, axis)
    y = np.moveaxis(np.tensordot(_matrix(n, forward, x), x, (1, axis)), 0, axis)
    divided = norm == "ortho" or (norm == "forward") == forward
    return y / (np.sqrt(np.real(y).dtype.type(n)) if norm == "ortho" else n) if divided else y


def _half(y: Any, axis: int) -> Any:
    return np.take(y, range(y.shape[axis] // 2 + 1), axis)


def _mirrored(x: Any, axis: int, size: int) -> Any:
    """The whole Hermitian signal of ``size`` elements of which ``x`` is the first half."""
    half = np.moveaxis(_fitted(x, size // 2 + 1, axis), axis, 0)
    return np.moveaxis(np.concatenate([half, np.conj(half[1 : (size + 1) // 2][::-1])]), 0, axis)


def _axes(x: Any, s: Any, dim: Any) -> list[tuple[int, int | None]]:
    if dim is None:
        dim = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    dim = (dim,) if isinstance(dim, int) else dim
    sides = [None] * len(dim) if s is None else [None if side == -1 else side for side in s]
    return list(zip(dim, sides, strict=True))


def _function(kind: str, forward: bool, standard: Any) -> Callable[..., Any]:
    """A transform of one form: ``whole`` to whole, ``real`` to half, or ``half`` to real; ``standard``: its ``dim``."""

    def oracle(x: Any, size: Any = None, dim: Any = standard, norm: Any = None, *, n: Any = None, s: Any = None) -> Any:
        size = next((each for each in (size, n, s) if each is not None), None)
        if isinstance(standard, int):
            size = None if size is None else (size,)
        *axes, (last, side) = _axes(x, size, dim)
        if kind == "half":
            side = 2 * (x.shape[last] - 1) if side is None else side
            # The mirror image is in all the dimensions, of which the others are transformed first.
            x = np.conj(x) if forward else x
            for axis, n in axes:
                x = _transformed(x, axis, n, "backward", False)
            y = _transformed(_mirrored(x, last, side), last, None, "backward", False).real
            count = y.dtype.type(math.prod([side, *(x.shape[axis] for axis, _ in axes)]))
            return _rescaled(y, count, norm, forward)
        y = _transformed(x, last, side, norm, forward)
        y = _half(y, last) if kind == "real" else y
        for axis, n in axes:
            y = _transformed(y, axis, n, norm, forward)
        return y

    return oracle


def _rescaled(y: Any, count: Any, norm: str | None, forward: bool) -> Any:
    """An inverse transform, divided by ``count`` already, under another norm."""
    if norm == "ortho":
        return y * np.sqrt(count)
    return y * count if (norm == "forward") != forward else y


def _frequencies(n: int, d: float = 1.0, *, half: bool) -> Any:
    return (np.fft.rfftfreq if half else np.fft.fftfreq)(n, d)


# ------------------------------------------------------------------ windows


def _older(formula: Callable[..., Any]) -> Callable[..., Any]:
    """A window by NumPy's symmetric one; the periodic one lacks the last element of the next longer."""

    def oracle(count: int, periodic: bool = True, *more: Any) -> Any:
        return formula(count + 1, *more)[:-1] if periodic and count > 1 else formula(count, *more)

    return oracle


def _newer(formula: Callable[..., Any]) -> Callable[..., Any]:
    def oracle(count: int, *, sym: bool = True, **more: Any) -> Any:
        return formula(count, **more) if sym or count < 2 else formula(count + 1, **more)[:-1]

    return oracle


def _cosines(count: int, a: Any) -> Any:
    turn = 2 * np.pi * np.arange(count) / max(count - 1, 1)
    return np.ones(count) if count < 2 else sum((-1) ** k * w * np.cos(k * turn) for k, w in enumerate(a))


def _middle(count: int) -> Any:
    return np.arange(count) - (count - 1) / 2


# ------------------------------------------------------------------ short-time transforms


def _framed(x: Any, size: int, step: int) -> Any:
    return np.stack([x[..., i : i + size] for i in range(0, x.shape[-1] - size + 1, step)], -2)


def _overlapped(x: Any, length: int, step: int) -> Any:
    out = np.zeros((*x.shape[:-2], length), x.dtype)
    for i in range(x.shape[-2]):
        out[..., i * step : i * step + x.shape[-1]] += x[..., i, :]
    return out


def _box(n_fft: int, width: int | None, like: Any) -> Any:
    width = n_fft if width is None else width
    out = np.zeros(n_fft, np.real(like).dtype)
    start = (n_fft - width) // 2
    out[start : start + width] = 1
    return out


def _stft(
    x: Any, n_fft: int, hop_length: Any = None, win_length: Any = None, *, pad_mode: str = "reflect",
    normalized: bool = False, onesided: bool = True, return_complex: bool = True,
) -> Any:  # fmt: skip
    x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(n_fft // 2, n_fft // 2)], pad_mode)  # type: ignore[call-overload]
    if x.dtype.kind == "c" or x.dtype.kind not in "f":
        raise NotImplementedError("real signals only")
    frames = _framed(x, n_fft, hop_length or n_fft // 4) * _box(n_fft, win_length, x)
    y = _transformed(frames, frames.ndim - 1, None, "ortho" if normalized else None, True)
    return np.swapaxes(_half(y, y.ndim - 1) if onesided else y, -1, -2)


def _istft(
    x: Any, n_fft: int, hop_length: Any = None, win_length: Any = None, *, center: bool = True,
    normalized: bool = False, onesided: bool = True, length: Any = None,
) -> Any:  # fmt: skip
    step = hop_length or n_fft // 4
    x = np.swapaxes(x, -1, -2)[..., : n_fft // 2 + 1]
    whole = _mirrored(x, x.ndim - 1, n_fft)
    whole[..., 0] = whole[..., 0].real
    frames = _transformed(whole, x.ndim - 1, None, "ortho" if normalized else None, False).real
    box = _box(n_fft, win_length, x)
    total = n_fft + step * (frames.shape[-2] - 1)
    signal = _overlapped(frames * box, total, step)
    covered = _overlapped(np.broadcast_to(box, frames.shape[-2:]), total, step)
    start = n_fft // 2 if center else 0
    stop = total - start if length is None else start + length
    return signal[..., start:stop] / covered[start:stop]


_FORMS: dict[str, tuple[str, bool]] = {
    "fft": ("whole", True), "ifft": ("whole", False), "rfft": ("real", True), "irfft": ("half", False),
    "hfft": ("half", True), "ihfft": ("real", False),
}  # fmt: skip

FOURIER_ORACLES: dict[str, Callable[..., Any]] = {
    **{
        f"fft_{name}{end}": _function(kind, forward, standard)
        for name, (kind, forward) in _FORMS.items()
        for end, standard in (("", -1), ("2", (-2, -1)), ("n", None))
    },
    "fft_fftfreq": lambda n, d=1.0: _frequencies(n, d, half=False),
    "fft_rfftfreq": lambda n, d=1.0: _frequencies(n, d, half=True),
    "fft_fftshift": lambda x, dim=None: np.fft.fftshift(x, dim),
    "fft_ifftshift": lambda x, dim=None: np.fft.ifftshift(x, dim),
    "framed": _framed,
    "overlapped": _overlapped,
    "stft": _stft,
    "istft": _istft,
    # windows
    "hann_window": _older(np.hanning),
    "hamming_window": _older(np.hamming),
    "blackman_window": _older(np.blackman),
    "bartlett_window": _older(np.bartlett),
    "kaiser_window": _older(lambda count, beta=12.0: np.kaiser(count, beta)),
    "signal_windows_hann": _newer(np.hanning),
    "signal_windows_hamming": _newer(np.hamming),
    "signal_windows_blackman": _newer(np.blackman),
    "signal_windows_bartlett": _newer(np.bartlett),
    "signal_windows_kaiser": _newer(lambda count, beta=12.0: np.kaiser(count, beta)),
    "signal_windows_general_cosine": _newer(_cosines),
    "signal_windows_general_hamming": _newer(lambda count, alpha=0.54: _cosines(count, (alpha, 1 - alpha))),
    "signal_windows_nuttall": _newer(lambda count: _cosines(count, (0.3635819, 0.4891775, 0.1365995, 0.0106411))),
    "signal_windows_cosine": _newer(lambda count: np.sin(np.pi * (np.arange(count) + 0.5) / count)),
    "signal_windows_exponential": _newer(lambda count, tau=1.0: np.exp(-np.abs(_middle(count)) / tau)),
    "signal_windows_gaussian": _newer(lambda count, std=1.0: np.exp(-((_middle(count) / std) ** 2) / 2)),
}
