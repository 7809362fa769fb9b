"""Settings of the process: threads, precision, determinism, warnings, defaults."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import set_default_dtype
from tensorcore.errors import RangeError
from tensorcore.inquiry import get_num_threads

if TYPE_CHECKING:
    from types import ModuleType

    from tensorcore.devices import Kind

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "get_device_module",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
]


class _Settings:
    """What has been set."""

    __slots__ = ("deterministic", "interop_threads", "matmul_precision", "warn_always", "warn_only")

    def __init__(self) -> None:
        self.deterministic = self.warn_only = self.warn_always = False
        self.interop_threads: int | None = None
        self.matmul_precision = "highest"


current: Final = _Settings()

# ------------------------------------------------------------------ threads and numbers


def get_num_interop_threads() -> int:
    """How many ops may run at a time by `set_num_interop_threads`; as many as processors unless set.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_num_interop_threads() > 0
        True
    """
    return current.interop_threads or get_num_threads()


def set_num_interop_threads(int: int) -> None:
    """Set how many ops may run at a time. It is a limit that is kept: ops of a program run one after another.

    Raises:
        RangeError: for a number below 1.
    """
    if int < 1:
        raise RangeError(f"set_num_interop_threads: expected at least 1 thread, got {int}")
    current.interop_threads = int


_PRECISIONS: Final = ("highest", "high", "medium")


def get_float32_matmul_precision() -> str:
    """How exact products of float32 matrices must be, as `set_float32_matmul_precision` says.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_float32_matmul_precision()
        'highest'
    """
    return current.matmul_precision


def set_float32_matmul_precision(precision: str) -> None:
    """Allow products of float32 matrices to be less exact: ``"highest"``, ``"high"`` or ``"medium"``.

    It permits, and does not ask: backends compute in full float32 where nothing else is faster.

    Raises:
        RangeError: for any other word.
    """
    if precision not in _PRECISIONS:
        raise RangeError(f"set_float32_matmul_precision: expected one of {', '.join(_PRECISIONS)}, got {precision!r}")
    current.matmul_precision = precision


def set_flush_denormal(mode: bool) -> bool:
    """Whether subnormal numbers can be flushed to zero: never, so nothing is set and the answer is false.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_flush_denormal(True)
        False
    """
    return False


# ------------------------------------------------------------------ determinism


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Refuse, or with ``warn_only`` warn of, ops whose result may differ from run to run.

    These are sums into places that come twice (`index_add`, `scatter_add`, `index_put` with ``accumulate``, ...) on
    devices whose `Capabilities.deterministic` is false. On the CPU every op is deterministic.

    Example:
        >>> import tensorcore as tc
        >>> tc.use_deterministic_algorithms(True)
        >>> tc.are_deterministic_algorithms_enabled()
        True
        >>> tc.use_deterministic_algorithms(False)
    """
    current.deterministic, current.warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms` is on."""
    return current.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether ops that are not deterministic warn only."""
    return current.warn_only


def get_deterministic_debug_mode() -> int:
    """0 (no check), 1 (a warning) or 2 (an error) for ops that are not deterministic."""
    return (1 if current.warn_only else 2) if current.deterministic else 0


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Set what `get_deterministic_debug_mode` gives, also as ``"default"``, ``"warn"`` or ``"error"``.

    Raises:
        TypeError: for what is neither an int nor a str.
        RuntimeError: for any other value.
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    modes = {0: 0, 1: 1, 2: 2, "default": 0, "warn": 1, "error": 2}
    if debug_mode not in modes:
        raise RuntimeError(
            f"set_deterministic_debug_mode: expected 0, 1, 2, 'default', 'warn' or 'error', got {debug_mode!r}"
        )
    mode = modes[debug_mode]
    use_deterministic_algorithms(mode > 0, warn_only=mode == 1)


def check_deterministic(op: str, kind: Kind) -> None:
    """Refuse or warn of ``op``, which adds in no fixed order on devices that are not deterministic, if asked to."""
    if current.deterministic and not kind.device.capabilities.deterministic:
        message = (
            f"{op}: on {str(kind.device)!r} sums into places that come twice are added in no fixed order, and "
            "use_deterministic_algorithms(True) is set"
        )
        if not current.warn_only:
            raise RuntimeError(message)
        warnings.warn(message, UserWarning, stacklevel=3)


# ------------------------------------------------------------------ warnings and defaults


def is_warn_always_enabled() -> bool:
    """Whether `set_warn_always` is on."""
    return current.warn_always


def set_warn_always(b: bool, /) -> None:
    """Give each of the library's warnings every time, not once a place.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_warn_always(False)
    """
    pattern = r"tensorcore(\.|$)"
    if b and not current.warn_always:
        warnings.filterwarnings("always", module=pattern)
    elif not b and current.warn_always:
        warnings.filters[:] = [  # type: ignore[index]
            each for each in warnings.filters if each[0] != "always" or getattr(each[3], "pattern", "") != pattern
        ]
    current.warn_always = bool(b)


def set_default_tensor_type(t: Any, /) -> None:
    """Set the default dtype, and where the type names one the default device, by an old type or its name.

    Raises:
        TypeError: for a type that is not of floating-point tensors.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_default_tensor_type(tc.DoubleTensor)
        >>> tc.zeros(1).dtype
        tensorcore.float64
        >>> tc.set_default_tensor_type("tensorcore.FloatTensor")
    """
    from tensorcore.devices import set_default_device
    from tensorcore.tensor_types import TensorType, type_named

    if isinstance(t, str):
        dtype, device = type_named(t)
    elif isinstance(t, TensorType):
        dtype, device = t.element, t.place
    else:
        raise TypeError(f"set_default_tensor_type: expected a type such as FloatTensor or its name, got {t!r}")
    if not dtype.is_floating_point:
        raise TypeError(f"set_default_tensor_type: only floating-point types can be the default, got {dtype}")
    set_default_dtype(dtype)
    if device is not None:
        set_default_device(device)


def get_device_module(device: Any = None) -> ModuleType:
    """The module of functions for a device: `tensorcore.cuda`, `tensorcore.cpu`; by default the accelerator's.

    Raises:
        RuntimeError: for a device without a module.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_device_module("cpu").is_available()
        True
    """
    import importlib

    from tensorcore import accelerator
    from tensorcore.devices import Device

    found = accelerator.current_accelerator() if device is None else Device(device)
    name = "cpu" if found is None else found.type
    if name not in ("cpu", "cuda"):
        raise RuntimeError(f"get_device_module: the device {name!r} has no module; cpu and cuda have")
    return importlib.import_module(f"tensorcore.{name}")
