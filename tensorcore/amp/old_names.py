"""The names that PyTorch deprecates, by device: ``cuda.amp.autocast``, ``cpu.amp.GradScaler`` and their kin."""

from __future__ import annotations

import warnings
from typing import Any

from tensorcore.amp.autocast_mode import autocast, custom_bwd, custom_fwd
from tensorcore.amp.grad_scaler import GradScaler
from tensorcore.dtypes import DType

__all__ = ["autocast_of", "custom_bwd_of", "custom_fwd_of", "grad_scaler_of"]


def _warn(device: str, name: str, instead: str) -> None:
    warnings.warn(
        f"`tensorcore.{device}.amp.{name}(args...)` is deprecated. Please use `tensorcore.amp.{name}({instead})` "
        "instead.",
        FutureWarning,
        stacklevel=3,
    )


def autocast_of(device: str, default: DType) -> type[autocast]:
    """The class ``autocast`` of a device, whose default is ``default``."""

    class Autocast(autocast):
        __doc__ = f"``tensorcore.autocast({device!r}, ...)``; deprecated, as in PyTorch."

        def __init__(self, enabled: bool = True, dtype: DType = default, cache_enabled: bool = True) -> None:
            _warn(device, "autocast", f"{device!r}, args...")
            super().__init__(device, dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)

    Autocast.__name__ = Autocast.__qualname__ = "autocast"
    Autocast.__module__ = f"tensorcore.{device}.amp.autocast_mode"
    return Autocast


def grad_scaler_of(device: str) -> type[GradScaler]:
    """The class ``GradScaler`` of a device."""

    class Scaler(GradScaler):
        __doc__ = f"``tensorcore.amp.GradScaler({device!r}, ...)``; deprecated, as in PyTorch."

        def __init__(
            self, init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
            growth_interval: int = 2000, enabled: bool = True,
        ) -> None:  # fmt: skip
            _warn(device, "GradScaler", f"{device!r}, args...")
            super().__init__(device, init_scale, growth_factor, backoff_factor, growth_interval, enabled)

    Scaler.__name__ = Scaler.__qualname__ = "GradScaler"
    Scaler.__module__ = f"tensorcore.{device}.amp.grad_scaler"
    return Scaler


def custom_fwd_of(device: str) -> Any:
    """The decorator ``custom_fwd`` of a device."""

    def deprecated(fwd: Any = None, *, cast_inputs: DType | None = None) -> Any:
        _warn(device, "custom_fwd", f"args..., device_type={device!r}")
        return custom_fwd(fwd, device_type=device, cast_inputs=cast_inputs)

    deprecated.__name__ = deprecated.__qualname__ = "custom_fwd"
    deprecated.__doc__ = f"``tensorcore.amp.custom_fwd(..., device_type={device!r})``; deprecated, as in PyTorch."
    return deprecated


def custom_bwd_of(device: str) -> Any:
    """The decorator ``custom_bwd`` of a device."""

    def deprecated(bwd: Any) -> Any:
        _warn(device, "custom_bwd", f"args..., device_type={device!r}")
        return custom_bwd(bwd, device_type=device)

    deprecated.__name__ = deprecated.__qualname__ = "custom_bwd"
    deprecated.__doc__ = f"``tensorcore.amp.custom_bwd(..., device_type={device!r})``; deprecated, as in PyTorch."
    return deprecated
