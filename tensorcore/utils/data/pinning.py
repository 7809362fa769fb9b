"""Batches brought into page-locked host memory, as ``DataLoader(pin_memory=True)`` asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorcore.tensor import Tensor

__all__ = ["can_pin", "pin_memory"]


def can_pin(device: str | None) -> bool:
    """Whether ``device``, by default the accelerator, is available to read page-locked memory."""
    from tensorcore import cuda
    from tensorcore.errors import BackendUnavailableError
    from tensorcore.plugins.host import host

    if device is None:
        return cuda.is_available()
    try:
        host.backend(device.split(":")[0])
    except BackendUnavailableError:
        return False
    return True


def pin_memory(data: Any, device: str | None = None) -> Any:
    """``data`` with its tensors pinned: within containers, and of objects with a ``pin_memory`` method.

    Where no device reads page-locked memory, tensors stay as they are.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data.pinning import pin_memory
        >>> pin_memory({"x": [tc.ones(2), "name"]})
        {'x': [tensor([1., 1.]), 'name']}
    """
    if isinstance(data, Tensor):
        return data.pin_memory(device)
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, Mapping):
        pinned = {key: pin_memory(value, device) for key, value in data.items()}
        return pinned if type(data) is dict else type(data)(pinned)  # type: ignore[call-arg]
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(each, device) for each in data))
    if isinstance(data, (list, tuple)):
        return type(data)(pin_memory(each, device) for each in data)
    return data
