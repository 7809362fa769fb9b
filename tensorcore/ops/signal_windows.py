"""Window functions: ``torch.signal.windows`` and the older ``torch.hann_window`` and its kin.

Each is a formula of ``(start + i) * step``, computed in float64 where the device has it and rounded once. A symmetric
window of M elements ends where it began; a periodic one is the symmetric one of M + 1 without its last element.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.devices import Device
from tensorcore.dtypes import COMPLEX, FLOATING, DType, float32, float64, get_default_dtype
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.memory_format import strided
from tensorcore.ops.creation import ones, ramp
from tensorcore.ops.elementwise import abs, cos, exp, sin, sqrt
from tensorcore.ops.record import REGISTRY, composite

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_WINDOWS: Final = ("signal.windows",)
_NUTTALL: Final = (0.3635819, 0.4891775, 0.1365995, 0.0106411)
_BLACKMAN: Final = (0.42, 0.5, 0.08)


class _Window:
    """Where a window is made: how many elements, of which dtype, on which device, symmetric or not."""

    def __init__(self, op: str, M: Any, sym: bool, dtype: Any, layout: Any, device: Any, requires_grad: bool) -> None:
        if not hasattr(M, "__index__"):
            raise TypeError(f"{op}: the window's length must be an int, got {M!r}")
        self.count: int = M.__index__()
        if self.count < 0:
            raise ShapeError(f"{op}: the window's length must not be negative, got {self.count}")
        if layout is not None and layout is not strided:
            raise RangeError(f"{op}: windows are strided tensors, got layout {layout}")
        self.dtype: DType = dtype or get_default_dtype()
        self.device = Device(device)
        self.requires_grad = requires_grad
        #: From the first element of a window to that which repeats it.
        self.span = self.count if self.count > 1 and not sym else max(self.count - 1, 0)

    def places(self, start: float, step: float) -> Any:
        """``start + step * i`` for each element i."""
        wide = float64 if float64 in self.device.capabilities.dtypes else float32
        return ramp(float(start), float(step), self.count, wide, self.device)

    def finished(self, values: Any) -> Tensor:
        made = values.to(self.dtype)
        return made.requires_grad_() if self.requires_grad else made

    def of_one(self) -> Tensor:
        return ones(self.count, dtype=self.dtype, device=self.device, requires_grad=self.requires_grad)


def _symmetric(op: str, M: Any, sym: bool, dtype: Any, layout: Any, device: Any, requires_grad: bool) -> _Window:
    if dtype is not None and dtype not in (float32, float64):
        raise RangeError(f"{op}: expected dtype float32 or float64, got {dtype}")
    return _Window(op, M, sym, dtype, layout, device, requires_grad)


def _older(op: str, count: Any, periodic: bool, dtype: Any, layout: Any, device: Any, requires_grad: bool) -> _Window:
    if dtype is not None and dtype.category not in (FLOATING, COMPLEX):
        raise DTypeError(f"{op}: expected a floating-point dtype, got {dtype}")
    return _Window(op, count, not periodic, dtype, layout, device, requires_grad)


def _cosines(at: _Window, weights: Sequence[float]) -> Tensor:
    """The sum of ``(-1)^k weights[k] cos(2 pi k i / span)`` over k."""
    if at.count < 2:
        return at.of_one()
    total: Any = None
    for k, weight in enumerate(weights):
        # The angle is reduced as a whole number of turns, exactly.
        part = cos(at.places(0, k) % at.span * (2 * math.pi / at.span)) * (-weight if k % 2 else weight)
        total = part if total is None else total + part
    return at.finished(total)


def _triangle(at: _Window) -> Tensor:
    return at.of_one() if at.count < 2 else at.finished(1 - abs(at.places(0, 1) * (2 / at.span) - 1))


def _kaiser(at: _Window, beta: float) -> Tensor:
    if at.count < 2:
        return at.of_one()
    i0 = REGISTRY["i0"].front
    ratio = at.places(0, 1) * (2 / at.span) - 1
    top = i0(at.places(beta, 0)[:1])
    return at.finished(i0(sqrt((1 - ratio * ratio).clamp(min=0)) * beta) / top)


# ------------------------------------------------------------------ torch.signal.windows

#: Short and long, symmetric and periodic.
_LENGTHS: Final = (
    {"shapes": (), "args": (7,)}, {"shapes": (), "args": (10,), "sym": False}, {"shapes": (), "args": (1,)},
)  # fmt: skip


@composite(namespaces=_WINDOWS, ulp=4, samples=({"shapes": (), "args": (7,), "a": (0.4, 0.5, 0.1)},))
def signal_windows_general_cosine(
    M: int, *, a: Sequence[float], sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A sum of cosines: ``a[0] - a[1] cos(t) + a[2] cos(2 t) - ...`` for t from 0 to a full turn.

    Raises:
        ValueError: without coefficients.

    Example:
        >>> tc.signal.windows.general_cosine(5, a=[0.46, 0.23, 0.31])
        tensor([0.5400, 0.1500, 1.0000, 0.1500, 0.5400])
    """
    at = _symmetric("general_cosine", M, sym, dtype, layout, device, requires_grad)
    if at.count > 1 and not isinstance(a, Iterable):
        raise TypeError(f"general_cosine: the coefficients a must be a list or tuple, got {a!r}")
    weights = tuple(a) if at.count > 1 else (1.0,)
    if not weights:
        raise RangeError("general_cosine: there must be at least one coefficient in a")
    return _cosines(at, weights)


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The window ``alpha - (1 - alpha) cos(t)``.

    Example:
        >>> tc.signal.windows.general_hamming(5, alpha=0.6)
        tensor([0.2000, 0.6000, 1.0000, 0.6000, 0.2000])
    """
    return _cosines(_symmetric("general_hamming", M, sym, dtype, layout, device, requires_grad), (alpha, 1 - alpha))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_hamming(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of Hamming, ``0.54 - 0.46 cos(t)``.

    Example:
        >>> tc.signal.windows.hamming(5)
        tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return _cosines(_symmetric("hamming", M, sym, dtype, layout, device, requires_grad), (0.54, 1 - 0.54))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_hann(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of von Hann, ``0.5 - 0.5 cos(t)``: a raised cosine that begins and ends at 0.

    Example:
        >>> tc.signal.windows.hann(5)
        tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _cosines(_symmetric("hann", M, sym, dtype, layout, device, requires_grad), (0.5, 0.5))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_blackman(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of Blackman, a sum of three cosines.

    Example:
        >>> tc.signal.windows.blackman(5)[1:]
        tensor([ 3.4000e-01,  1.0000e+00,  3.4000e-01, -1.3878e-17])
    """
    return _cosines(_symmetric("blackman", M, sym, dtype, layout, device, requires_grad), _BLACKMAN)


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_nuttall(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The minimal four-term window of Nuttall (1981).

    Example:
        >>> tc.signal.windows.nuttall(5)
        tensor([3.6280e-04, 2.2698e-01, 1.0000e+00, 2.2698e-01, 3.6280e-04])
    """
    return _cosines(_symmetric("nuttall", M, sym, dtype, layout, device, requires_grad), _NUTTALL)


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_bartlett(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle from 0 to 1 and back.

    Example:
        >>> tc.signal.windows.bartlett(5)
        tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _triangle(_symmetric("bartlett", M, sym, dtype, layout, device, requires_grad))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_cosine(
    M: int, *, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Half a period of a sine.

    Example:
        >>> tc.signal.windows.cosine(5)
        tensor([0.3090, 0.8090, 1.0000, 0.8090, 0.3090])
    """
    at = _symmetric("cosine", M, sym, dtype, layout, device, requires_grad)
    turn = math.pi / (at.span + 1)
    return at.finished(sin(at.places(turn / 2, turn)))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A decay ``exp(-|i - center| / tau)`` to both sides of ``center``, by default the middle.

    Raises:
        ValueError: if ``tau`` is not positive, or ``center`` is given for a symmetric window.

    Example:
        >>> tc.signal.windows.exponential(5, tau=2.0)
        tensor([0.3679, 0.6065, 1.0000, 0.6065, 0.3679])
    """
    at = _symmetric("exponential", M, sym, dtype, layout, device, requires_grad)
    if tau <= 0:
        raise RangeError(f"exponential: tau must be positive, got {tau}")
    if sym and center is not None:
        raise RangeError("exponential: a symmetric window has its center in the middle; give sym=False")
    middle = at.span / 2 if center is None else center
    return at.finished(exp(abs(at.places(-middle, 1)) * (-1 / tau)))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A bell ``exp(-(i - middle)² / (2 std²))``.

    Raises:
        ValueError: if ``std`` is not positive.

    Example:
        >>> tc.signal.windows.gaussian(5, std=2.0)
        tensor([0.6065, 0.8825, 1.0000, 0.8825, 0.6065])
    """
    at = _symmetric("gaussian", M, sym, dtype, layout, device, requires_grad)
    if std <= 0:
        raise RangeError(f"gaussian: std must be positive, got {std}")
    x = at.places(-at.span / 2, 1)
    return at.finished(exp(x * x * (-0.5 / (std * std))))


@composite(namespaces=_WINDOWS, ulp=4, samples=_LENGTHS)
def signal_windows_kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: DType | None = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of Kaiser: ``i0(beta sqrt(1 - x²)) / i0(beta)`` for x from -1 to 1.

    Raises:
        ValueError: if ``beta`` is negative.

    Example:
        >>> tc.signal.windows.kaiser(5)
        tensor([5.2773e-05, 2.1567e-01, 1.0000e+00, 2.1567e-01, 5.2773e-05])
    """
    at = _symmetric("kaiser", M, sym, dtype, layout, device, requires_grad)
    if beta < 0:
        raise RangeError(f"kaiser: beta must not be negative, got {beta}")
    return _kaiser(at, beta)


# ------------------------------------------------------------------ the older functions

_PERIODS: Final = (
    {"shapes": (), "args": (7,)}, {"shapes": (), "args": (10, False)}, {"shapes": (), "args": (1,)},
)  # fmt: skip


@composite(namespaces=("",), ulp=4, samples=_PERIODS)
def hann_window(
    window_length: int, periodic: bool = True, *, dtype: DType | None = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of von Hann, ``0.5 - 0.5 cos(t)``; without ``periodic`` it ends at 0.

    Example:
        >>> tc.hann_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _cosines(_older("hann_window", window_length, periodic, dtype, layout, device, requires_grad), (0.5, 0.5))


@composite(namespaces=("",), ulp=4, samples=_PERIODS)
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The window ``alpha - beta cos(t)``, by default of Hamming.

    Example:
        >>> tc.hamming_window(4)
        tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _cosines(
        _older("hamming_window", window_length, periodic, dtype, layout, device, requires_grad), (alpha, beta)
    )


@composite(namespaces=("",), ulp=4, samples=_PERIODS)
def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: DType | None = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of Blackman, a sum of three cosines.

    Example:
        >>> tc.blackman_window(4)[1:]
        tensor([0.3400, 1.0000, 0.3400])
    """
    return _cosines(_older("blackman_window", window_length, periodic, dtype, layout, device, requires_grad), _BLACKMAN)


@composite(namespaces=("",), ulp=4, samples=_PERIODS)
def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: DType | None = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle from 0 to 1 and back; with ``periodic`` its last 0 is left out.

    Example:
        >>> tc.bartlett_window(4)
        tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _triangle(_older("bartlett_window", window_length, periodic, dtype, layout, device, requires_grad))


@composite(namespaces=("",), ulp=4, samples=_PERIODS)
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: DType | None = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The window of Kaiser: ``i0(beta sqrt(1 - x²)) / i0(beta)`` for x from -1 to 1.

    Example:
        >>> tc.kaiser_window(4)
        tensor([5.2773e-05, 2.1567e-01, 1.0000e+00, 2.1567e-01])
    """
    return _kaiser(_older("kaiser_window", window_length, periodic, dtype, layout, device, requires_grad), beta)
