"""Functions of the device ``cpu``, as of accelerators: programs written for any device find the same names here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorcore.devices import Device

__all__ = [
    "Stream", "StreamContext", "current_device", "current_stream", "device_count", "is_available", "is_initialized",
    "set_device", "stream", "synchronize",
]  # fmt: skip


class Stream:
    """A queue of work; on the CPU work is done when a call returns."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Stream) -> None:
        """Wait for the work of another stream: there is none left."""

    def synchronize(self) -> None:
        """Wait for the work: there is none left."""

    def record_event(self, event: Any = None) -> None:
        """Note a moment: all work before it is done."""

    def wait_event(self, event: Any) -> None:
        """Wait for a moment of another stream."""


_STREAM = Stream()


def current_device() -> str:
    """The name of the device.

    Example:
        >>> import tensorcore as tc
        >>> tc.cpu.current_device()
        'cpu'
    """
    return "cpu"


def current_stream(device: Any = None) -> Stream:
    """The one stream."""
    return _STREAM


def device_count() -> int:
    """How many there are: 1."""
    return 1


def is_available() -> bool:
    """Whether the device can be used."""
    return Device("cpu").backend is not None


def is_initialized() -> bool:
    """Whether the device is ready: always."""
    return True


def set_device(device: Any) -> None:
    """Choose the device: there is one."""


@contextmanager
def stream(stream: Stream | None) -> Iterator[None]:
    """Do the work of the block in a stream: the one there is."""
    yield


StreamContext = stream


def synchronize(device: Any = None) -> None:
    """Wait until the work is done: it is."""


def __getattr__(name: str) -> object:
    if name == "amp":
        from importlib import import_module

        return import_module("tensorcore.cpu.amp")
    raise AttributeError(f"module 'tensorcore.cpu' has no attribute {name!r}")
