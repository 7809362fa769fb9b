"""The device that programs written for any accelerator use: the best one whose memory is not the host's."""

from __future__ import annotations

from typing import Any

from tensorcore.devices import Device

__all__ = ["current_accelerator", "current_device_index", "device_count", "is_available", "synchronize"]


def current_accelerator(check_available: bool = False) -> Device | None:
    """The available device of highest priority that has memory of its own; ``None`` on a machine without one.

    Example:
        >>> import tensorcore as tc
        >>> device = tc.accelerator.current_accelerator() or tc.device("cpu")
        >>> tc.zeros(1, device=device).device == device
        True
    """
    from tensorcore.plugins.host import host

    best = Device(host.default_backend())
    return None if best.backend.host_memory else best


def is_available() -> bool:
    """Whether there is an accelerator.

    Example:
        >>> import tensorcore as tc
        >>> tc.accelerator.is_available() == (tc.accelerator.current_accelerator() is not None)
        True
    """
    return current_accelerator() is not None


def device_count() -> int:
    """How many accelerators of one kind there are.

    Example:
        >>> import tensorcore as tc
        >>> tc.accelerator.device_count() > 0 or not tc.accelerator.is_available()
        True
    """
    found = current_accelerator()
    return 0 if found is None else found.backend.device_count()


def current_device_index() -> int:
    """The index of the accelerator in use: that of the default device where it is one, else 0.

    Example:
        >>> import tensorcore as tc
        >>> tc.accelerator.current_device_index()
        0
    """
    from tensorcore.devices import get_default_device

    return get_default_device().ordinal


def synchronize(device: Any = None) -> None:
    """Wait until the work queued on ``device`` (the accelerator by default) is done.

    Example:
        >>> import tensorcore as tc
        >>> tc.accelerator.synchronize()
    """
    found = current_accelerator() if device is None else Device(device)
    if found is not None:
        found.backend.synchronize(found.ordinal)
