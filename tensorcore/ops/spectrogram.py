"""Short-time Fourier transforms: a signal cut into frames that overlap, each transformed, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops.complex import view_as_real
from tensorcore.ops.creation import ones
from tensorcore.ops.elementwise import add
from tensorcore.ops.fourier import fft_c2c, fft_c2r, fft_r2c
from tensorcore.ops.movement import cat
from tensorcore.ops.padding import pad
from tensorcore.ops.record import composite
from tensorcore.ops.rules import same
from tensorcore.ops.views import squeeze
from tensorcore.ops.windows import embedded

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: Below this sum of squared windows the inverse would divide by nearly nothing.
_LEAST_ENVELOPE: Final = 1e-11

# ------------------------------------------------------------------ frames


def _resized(x: Any, side: int) -> Any:
    return embedded(x, [(0, side - x.shape[-1])], (1,))


@composite(
    rule=same, namespaces=(), ulp=0,
    vjp=lambda g, input_shape, step: overlapped.emit(g, length=input_shape[-1], step=step),
    samples=({"shapes": ((2, 11),), "size": 4, "step": 3}, {"shapes": ((9,),), "size": 2, "step": 3}),
)  # fmt: skip
def framed(input: Tensor, *, size: int, step: int) -> Tensor:
    """Frames of ``size`` elements, ``step`` apart, of (*, length) as (*, count, size), as a copy or a view."""
    return framed.emit(input, size=size, step=step)


@framed.expression
def _framed(input: Any, *, size: int, step: int) -> Any:
    # Frames are runs of blocks of `step` elements, so that as many copies are made as blocks make a frame.
    *lead, length = input.shape
    count, blocks = (length - size) // step + 1, -(-size // step)
    cut = _resized(input, (count - 1 + blocks) * step).reshape((*lead, count - 1 + blocks, step))
    return cat([cut.narrow(-2, i, count) for i in range(blocks)], -1).narrow(-1, 0, size)


@composite(
    rule=same, namespaces=(), ulp=8,
    # Frames that share memory are no cotangents that could be added to in place.
    vjp=lambda g, input_shape, step: framed.emit(g, size=input_shape[-1], step=step).clone(),
    samples=({"shapes": ((2, 3, 4),), "length": 11, "step": 3}, {"shapes": ((3, 2),), "length": 9, "step": 3}),
)  # fmt: skip
def overlapped(input: Tensor, *, length: int, step: int) -> Tensor:
    """The sum of frames (*, count, size), ``step`` apart, in a signal (*, length)."""
    return overlapped.emit(input, length=length, step=step)


@overlapped.expression
def _overlapped(input: Any, *, length: int, step: int) -> Any:
    *lead, count, size = input.shape
    blocks = -(-size // step)
    cut = _resized(input, blocks * step).reshape((*lead, count, blocks, step))
    total: Any = None
    for i in range(blocks):
        laid = embedded(cut.select(-2, i), [(i, blocks - 1 - i), (0, 0)], (1, 1))
        total = laid if total is None else add.emit(total, laid)
    return _resized(total.reshape((*lead, (count - 1 + blocks) * step)), length)


# ------------------------------------------------------------------ the transforms


def _check(op: str, n_fft: int, hop: int, width: int, window: Any) -> None:
    if hop <= 0:
        raise RangeError(f"{op}: hop_length must be positive, got {hop}")
    if not 0 < width <= n_fft:
        raise RangeError(f"{op}: win_length must be from 1 to n_fft = {n_fft}, got {width}")
    if window is not None and tuple(window.shape) != (width,):
        raise ShapeError(f"{op}: window must have win_length = {width} elements, got shape {list(window.shape)}")


def _centered(window: Any, n_fft: int) -> Any:
    """A window with zeros on both sides, to ``n_fft`` elements."""
    left = (n_fft - window.shape[0]) // 2
    return embedded(window, [(left, n_fft - window.shape[0] - left)], (1,))


@composite(
    operands=("input",), ulp=64,
    samples=(
        {"shapes": ((2, 16),), "n_fft": 8, "return_complex": True},
        {"shapes": ((15,),), "n_fft": 6, "hop_length": 2, "win_length": 5, "return_complex": True,
         "pad_mode": "constant", "normalized": True, "onesided": False},
    ),
)  # fmt: skip
def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, pad_mode: str = "reflect", normalized: bool = False,
    onesided: bool | None = None, return_complex: bool | None = None, align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """Fourier transforms of the frames of a signal (length) or (batch, length), as (batch, frequencies, frames).

    Frames of ``n_fft`` elements begin ``hop_length`` (a quarter of it) apart; ``window`` (``win_length``) scales each.
    With ``center`` the signal is padded so that frame t is centred at ``t * hop_length``; without it,
    ``align_to_window`` lets the first window, not the first frame, begin at 0. ``return_complex=False`` gives parts in
    a last dimension of side 2.

    Raises:
        RuntimeError: if a length, the window or the arguments together do not fit, or ``return_complex`` is missing.

    Example:
        >>> tc.stft(tc.ones(8), 4, window=tc.ones(4), return_complex=True).real[0]
        tensor([4., 4., 4., 4., 4., 4., 4., 4., 4.])
    """
    if center and align_to_window is not None:
        raise RangeError("stft: align_to_window has a meaning with center=False only")
    wave = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None and not wave:
        raise RangeError("stft: return_complex must be given for real inputs; True gives a complex tensor")
    if input.dtype.category < FLOATING:
        raise DTypeError(f"stft: expected a floating-point or complex input, got {input.dtype}")
    if input.ndim not in (1, 2):
        raise ShapeError(f"stft: expected a signal (length) or (batch, length), got shape {list(input.shape)}")
    x = input if input.ndim == 2 else input.unsqueeze(0)
    if center:
        x = squeeze(pad(x.unsqueeze(0), (n_fft // 2, n_fft // 2), pad_mode), 0)
    length = x.shape[-1]
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    if not 0 < n_fft <= length:
        raise RangeError(f"stft: n_fft must be from 1 to the {length} elements of the signal, got {n_fft}")
    _check("stft", n_fft, hop, width, window)
    if align_to_window:
        left = (n_fft - width) // 2
        x = embedded(x, [(left, n_fft - width - left)], (1,))
    frames = framed.emit(x, size=n_fft, step=hop)
    if window is not None or width < n_fft:
        scale = ones(width, dtype=input.dtype, device=input.device) if window is None else window
        frames = frames * _centered(scale, n_fft)
    norm = "root" if normalized else "none"
    if not frames.is_complex():
        out = fft_r2c.emit(frames, dim=(2,), norm=norm, onesided=onesided is None or onesided)
    elif onesided:
        raise RangeError("stft: a complex input or window has no spectrum of which half is enough; use onesided=False")
    else:
        out = fft_c2c.emit(frames, dim=(2,), norm=norm, forward=True)
    out = out.transpose(1, 2)
    out = out if input.ndim == 2 else out[0]
    return view_as_real(out) if return_complex is False else out


@composite(
    operands=("input",), ulp=64,
    samples=({"shapes": ((2, 5, 7),), "dtypes": ("complex64",), "n_fft": 8},
             {"shapes": ((5, 7),), "dtypes": ("complex128",), "n_fft": 5, "hop_length": 2, "win_length": 4,
              "center": False, "normalized": True, "length": 12, "onesided": False}),
)  # fmt: skip
def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None,
    window: Tensor | None = None, center: bool = True, normalized: bool = False, onesided: bool | None = None,
    length: int | None = None, return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal whose `stft` is nearest to ``input``, (frequencies, frames) or (batch, frequencies, frames).

    Frames are added where they overlap and divided by the sum of the squared windows (Griffin and Lim 1984).
    ``length`` cuts the result or extends it by zeros.

    Raises:
        RuntimeError: if shapes or arguments do not fit, or the windows leave an element uncovered.

    Example:
        >>> x = tc.arange(8.0)
        >>> w = tc.ones(4)
        >>> tc.istft(tc.stft(x, 4, window=w, return_complex=True), 4, window=w)
        tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    if input.dtype.category != COMPLEX:
        raise DTypeError(f"istft: expected a complex input, as stft gives with return_complex=True, got {input.dtype}")
    if input.ndim not in (2, 3) or 0 in input.shape:
        raise DimensionError(
            f"istft: expected (frequencies, frames) or (batch, frequencies, frames), none empty, got shape "
            f"{list(input.shape)}"
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    height, count = input.shape[-2:]
    half = height != n_fft if onesided is None else onesided
    if height != (n_fft // 2 + 1 if half else n_fft):
        raise ShapeError(
            f"istft: onesided={half} with n_fft={n_fft} takes {n_fft // 2 + 1 if half else n_fft} frequencies, got "
            f"input of shape {list(input.shape)}"
        )
    _check("istft", n_fft, hop, width, window)
    if hop > width:
        raise RangeError(f"istft: hop_length {hop} beyond win_length {width} leaves elements uncovered")
    if return_complex and half:
        raise RangeError("istft: half a spectrum stands for a real signal; give onesided=False for a complex one")
    if not return_complex and window is not None and window.is_complex():
        raise RangeError("istft: a complex window gives a complex signal; use return_complex=True")
    x = (input if input.ndim == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "root" if normalized else "count"
    if return_complex:
        frames = fft_c2c.emit(x, dim=(2,), norm=norm, forward=False)
    else:
        frames = fft_c2r.emit(x.narrow(2, 0, n_fft // 2 + 1), dim=(2,), norm=norm, size=n_fft)
    scale = ones(width, dtype=input.dtype.to_real(), device=input.device) if window is None else window
    scale = _centered(scale, n_fft)
    total = n_fft + hop * (count - 1)
    signal = overlapped.emit(frames * scale, length=total, step=hop)
    envelope = overlapped.emit((scale * scale).expand(1, count, n_fft), length=total, step=hop)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else total - start
    kept = max(min(stop, total) - start, 0)
    if kept == 0:
        raise RangeError(f"istft: no element is left of a signal of {total} from {start} to {stop}")
    envelope = envelope.narrow(1, start, kept)
    if envelope.abs().min().item() < _LEAST_ENVELOPE:
        raise RangeError(
            "istft: the windows, added where they overlap, leave an element uncovered; use a window without zeros at "
            "its ends, a smaller hop_length, or center=True"
        )
    out = _resized(signal.narrow(1, start, kept) / envelope, stop - start)
    return out if input.ndim == 3 else out[0]
