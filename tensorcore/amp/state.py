"""Whether autocast is on, by type of device and thread, and the functions that ask for it and set it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.dtypes import DType, bfloat16, float16

__all__ = [
    "autocast_decrement_nesting",
    "autocast_increment_nesting",
    "clear_autocast_cache",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
    "set_autocast_gpu_dtype",
]


class _State(threading.local):
    """What a thread has set; which devices are on, and in which dtype, is `mode.autocast`, where ops look."""

    nesting = 0
    caching = True

    def __init__(self) -> None:
        self.dtypes: dict[str, DType] = {"cpu": bfloat16}
        #: Casts of parameters in this region, by the parameter's id: what it was cast from, and the result.
        self.casts: dict[Any, tuple[Any, ...]] = {}


state: Final = _State()


def _known(device_type: Any, function: str) -> str:
    """The type of a device, if it is one."""
    from tensorcore.devices import Device

    if not isinstance(device_type, str):
        raise TypeError(f"{function}: argument 'device_type' must be str, not {type(device_type).__name__}")
    return Device(device_type).type


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast works on devices of a type: on all there are.

    Raises:
        DeviceError: for a type of device that there is not.

    Example:
        >>> import tensorcore as tc
        >>> tc.amp.is_autocast_available("cpu")
        True
    """
    return bool(_known(device_type, "is_autocast_available"))


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on in this thread for devices of a type.

    Example:
        >>> import tensorcore as tc
        >>> with tc.autocast("cpu"):
        ...     tc.is_autocast_enabled("cpu"), tc.is_autocast_enabled("cuda")
        (True, False)
    """
    return _known(device_type, "is_autocast_enabled") in mode.autocast


def set_autocast_enabled(*args: Any, **kwargs: Any) -> None:
    """Switch autocast, by ``(device_type, enabled)``, or ``(enabled)`` for ``"cuda"``, in this thread.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_autocast_enabled("cpu", False)
    """
    names = ("enabled",) if len(args) + len(kwargs) == 1 else ("device_type", "enabled")
    given = dict(zip(names, args, strict=False)) | kwargs
    if set(given) != set(names) or len(args) + len(kwargs) > 2:
        raise TypeError("set_autocast_enabled: expected (device_type, enabled) or (enabled)")
    if not isinstance(given["enabled"], bool):
        raise TypeError(f"set_autocast_enabled: argument 'enabled' must be bool, not {type(given['enabled']).__name__}")
    device_type = _known(given.get("device_type", "cuda"), "set_autocast_enabled")
    switch(device_type, given["enabled"])


def switch(device_type: str, enabled: bool) -> None:
    """Switch autocast for devices of a type in this thread."""
    others = {name: dtype for name, dtype in mode.autocast.items() if name != device_type}
    if enabled:
        from tensorcore.amp.casting import install

        install()
        others[device_type] = get_autocast_dtype(device_type)
    mode.autocast = others


def get_autocast_dtype(device_type: str) -> DType:
    """The lower-precision dtype of autocast for devices of a type: bfloat16 on ``cpu``, else float16, unless set.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_autocast_dtype("cpu")
        tensorcore.bfloat16
    """
    return state.dtypes.get(_known(device_type, "get_autocast_dtype"), float16)


def set_autocast_dtype(device_type: str, dtype: DType) -> None:
    """Set the lower-precision dtype of autocast for devices of a type in this thread.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_autocast_dtype("cpu", tc.bfloat16)
    """
    if not isinstance(dtype, DType):
        raise TypeError(f"set_autocast_dtype: argument 'dtype' must be a dtype, not {type(dtype).__name__}")
    device_type = _known(device_type, "set_autocast_dtype")
    state.dtypes[device_type] = dtype
    if device_type in mode.autocast:
        mode.autocast = {**mode.autocast, device_type: dtype}


def is_autocast_cache_enabled() -> bool:
    """Whether casts of parameters are kept within a region."""
    return state.caching


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set whether casts of parameters are kept within a region."""
    state.caching = bool(enabled)


def clear_autocast_cache() -> None:
    """Forget the casts of parameters that were kept."""
    state.casts.clear()


def autocast_increment_nesting() -> int:
    """Count one region more; returns how many this thread is in."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """Count one region less; returns how many this thread is in."""
    state.nesting -= 1
    return state.nesting


def _old(function: Callable[..., Any], shown: str, device_type: str, instead: str) -> Callable[..., Any]:
    """One of the names of old, each for one type of device, which warns."""
    name = shown.partition("(")[0]

    def call(*args: Any) -> Any:
        warnings.warn(
            f"tensorcore.{shown} is deprecated. Please use tensorcore.{instead} instead.",
            DeprecationWarning,
            stacklevel=2,
        )
        return function(device_type, *args)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"``{instead}``; deprecated, as in PyTorch."
    return call


def _old_names() -> dict[str, Callable[..., Any]]:
    made: dict[str, Callable[..., Any]] = {}
    for name, device_type in (("cpu", "cpu"), ("gpu", "cuda")):
        made[f"get_autocast_{name}_dtype"] = _old(
            get_autocast_dtype, f"get_autocast_{name}_dtype()", device_type, f"get_autocast_dtype('{device_type}')"
        )
        made[f"set_autocast_{name}_dtype"] = _old(
            set_autocast_dtype, f"set_autocast_{name}_dtype(dtype)", device_type,
            f"set_autocast_dtype('{device_type}', dtype)",
        )  # fmt: skip
    made["is_autocast_cpu_enabled"] = _old(
        is_autocast_enabled, "is_autocast_cpu_enabled()", "cpu", "is_autocast_enabled('cpu')"
    )
    made["set_autocast_cpu_enabled"] = _old(
        set_autocast_enabled, "set_autocast_cpu_enabled(enabled)", "cpu", "set_autocast_enabled('cpu', enabled)"
    )
    return made


get_autocast_cpu_dtype: Callable[[], DType]
get_autocast_gpu_dtype: Callable[[], DType]
is_autocast_cpu_enabled: Callable[[], bool]
set_autocast_cpu_dtype: Callable[[DType], None]
set_autocast_cpu_enabled: Callable[[bool], None]
set_autocast_gpu_dtype: Callable[[DType], None]
globals().update(_old_names())
