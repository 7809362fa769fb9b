"""What ``tensorcore.cuda`` asks of the backend behind the device ``cuda``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from tensorcore.devices import Device
from tensorcore.errors import DeviceError, PluginError

__all__ = ["DEVICE_TYPE", "DeviceRuntime", "device_index", "loaded", "runtime"]

#: The name users write, ``torch.cuda``'s device type.
DEVICE_TYPE: Final = "cuda"

#: A stream, event, graph or memory pool of the backend's own; the core hands it back and never looks inside.
Native = Any


class DeviceRuntime(Protocol):
    """Streams, events, memory and graphs of a device; a backend has one as its attribute ``runtime``.

    ``index`` is a device number, counted from 0. Streams and the current device are per thread.
    """

    def device_count(self) -> int:
        """Number of devices."""

    def current_device(self) -> int:
        """The device of this thread."""

    def set_device(self, index: int) -> None:
        """Make a device the one of this thread."""

    def device_properties(self, index: int) -> Mapping[str, Any]:
        """``name``, ``major``, ``minor``, ``total_memory`` and whatever else is known."""

    def can_access_peer(self, index: int, peer: int) -> bool:
        """Whether one device can read the memory of another."""

    def synchronize(self, index: int) -> None:
        """Wait for all work of a device."""

    def new_stream(self, index: int, priority: int) -> Native:
        """A new stream."""

    def external_stream(self, handle: int, index: int) -> Native:
        """A stream that somebody else made and destroys."""

    def current_stream(self, index: int) -> Native:
        """The stream on which this thread's kernels of a device run."""

    def default_stream(self, index: int) -> Native:
        """The stream that is current unless another is chosen."""

    def set_stream(self, stream: Native, index: int) -> None:
        """Make a stream current for this thread's kernels of a device."""

    def stream_handle(self, stream: Native) -> int:
        """The address that other libraries know the stream by."""

    def stream_priority(self, stream: Native) -> int:
        """Its priority; smaller numbers go first."""

    def stream_done(self, stream: Native) -> bool:
        """Whether all its work is done."""

    def synchronize_stream(self, stream: Native) -> None:
        """Wait for its work."""

    def stream_wait(self, stream: Native, event: Native) -> None:
        """Let later work of the stream wait for the event."""

    def new_event(self, index: int, timing: bool, blocking: bool, interprocess: bool) -> Native:
        """A new event."""

    def record_event(self, event: Native, stream: Native) -> None:
        """Let the event happen when the stream's work so far is done."""

    def event_done(self, event: Native) -> bool:
        """Whether it has happened."""

    def synchronize_event(self, event: Native) -> None:
        """Wait until it has happened."""

    def elapsed_milliseconds(self, start: Native, end: Native) -> float:
        """The time between two events."""

    def memory_statistics(self, index: int) -> Mapping[str, int]:
        """``allocated`` and ``reserved``, each also with ``_peak``, ``allocations``, ``refusals``, ``limit``."""

    def memory_info(self, index: int) -> tuple[int, int]:
        """Free and total bytes of a device, as its driver says."""

    def reset_peaks(self, index: int) -> None:
        """Count peaks from now on."""

    def release_cached_memory(self) -> None:
        """Give memory that no tensor uses back to the driver."""

    def limit_memory(self, fraction: float, index: int) -> None:
        """Refuse allocations beyond a fraction of the device's memory."""

    def new_pool(self) -> Native:
        """A memory pool for graphs."""

    def is_capturing(self) -> bool:
        """Whether this thread records kernels instead of running them."""

    def begin_capture(self, stream: Native, pool: Native) -> None:
        """Record the work of a stream from now on, with memory from ``pool``."""

    def end_capture(self, stream: Native) -> Native:
        """The graph of what was recorded."""

    def launch_graph(self, graph: Native, stream: Native) -> None:
        """Run a graph on a stream."""

    def graph_text(self, graph: Native) -> str:
        """A graph in the DOT language."""


def runtime() -> DeviceRuntime:
    """The runtime of the device ``cuda``.

    Raises:
        BackendUnavailableError: where there is none; the message gives the reason.
    """
    from tensorcore.plugins.host import host

    found = getattr(host.backend(DEVICE_TYPE), "runtime", None)
    if found is None:
        raise PluginError(f"the backend {DEVICE_TYPE!r} has no runtime for tensorcore.cuda; its author sets `runtime`")
    return cast(DeviceRuntime, found)


def loaded() -> DeviceRuntime | None:
    """The runtime if the device has been used, without starting it."""
    from tensorcore.plugins.host import host

    return runtime() if host.loaded(DEVICE_TYPE) is not None else None


def device_index(device: Any, optional: bool = True) -> int:
    """The number of a device given as int, name, `Device` or, where ``optional``, ``None`` for the current one.

    Raises:
        DeviceError: for a device of another type, or one that does not exist.
    """
    if device is None or (isinstance(device, (str, Device)) and Device(device).index is None):
        if device is not None and Device(device).type != DEVICE_TYPE:
            raise DeviceError(f"expected a {DEVICE_TYPE} device, got {str(device)!r}")
        if not optional:
            raise DeviceError(f"expected a device with an index, such as '{DEVICE_TYPE}:0', got {device!r}")
        return runtime().current_device()
    if isinstance(device, bool) or not hasattr(device, "__index__"):
        place = Device(device)
        if place.type != DEVICE_TYPE:
            raise DeviceError(f"expected a {DEVICE_TYPE} device, got {str(place)!r}")
        index = place.ordinal
    else:
        index = device.__index__()
    count = runtime().device_count()
    if not 0 <= index < count:
        raise DeviceError(f"device '{DEVICE_TYPE}:{index}' does not exist: there are {count} device(s)")
    return index
