"""Streams, on which kernels run in order, and events, by which streams wait for one another."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from tensorcore.cuda.runtime import DEVICE_TYPE, device_index, runtime
from tensorcore.devices import Device

__all__ = [
    "Event",
    "ExternalStream",
    "Stream",
    "StreamContext",
    "current_stream",
    "default_stream",
    "set_stream",
    "stream",
]


class Stream:
    """A queue of kernels that run one after another; those of different streams may overlap.

    Args:
        device: its device, the current one by default.
        priority: smaller numbers go first; 0 is the lowest.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        index = device_index(device)
        self._set(runtime().new_stream(index, priority), index)

    def _set(self, native: Any, index: int) -> None:
        self._native = native
        self.device_index = index
        self._contexts: list[StreamContext] = []

    @classmethod
    def _of(cls, native: Any, index: int) -> Stream:
        made = object.__new__(Stream)
        made._set(native, index)
        return made

    @property
    def device(self) -> Device:
        """The device on which its kernels run."""
        return Device(DEVICE_TYPE, self.device_index)

    @property
    def cuda_stream(self) -> int:
        """The address other libraries know it by (``cudaStream_t``)."""
        return runtime().stream_handle(self._native)

    @property
    def priority(self) -> int:
        """Its priority; smaller numbers go first."""
        return runtime().stream_priority(self._native)

    def query(self) -> bool:
        """Whether all its work is done."""
        return runtime().stream_done(self._native)

    def synchronize(self) -> None:
        """Wait until all its work is done."""
        runtime().synchronize_stream(self._native)

    def wait_event(self, event: Event) -> None:
        """Let later work wait for ``event``; one never recorded has happened."""
        event.wait(self)

    def wait_stream(self, stream: Stream) -> None:
        """Let later work wait for what ``stream`` has been given so far."""
        self.wait_event(stream.record_event())

    def record_event(self, event: Event | None = None) -> Event:
        """Record ``event``, or a new one, behind the work given so far, and return it."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def __enter__(self) -> Stream:
        context = StreamContext(self)
        context.__enter__()
        self._contexts.append(context)
        return self

    def __exit__(self, *exc: Any) -> None:
        self._contexts.pop().__exit__(*exc)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Stream):
            return NotImplemented
        return (self.device_index, self.cuda_stream) == (other.device_index, other.cuda_stream)

    def __hash__(self) -> int:
        return hash((self.device_index, self.cuda_stream))

    def __repr__(self) -> str:
        return f"<tensorcore.cuda.Stream device={self.device} cuda_stream={self.cuda_stream:#x}>"


class ExternalStream(Stream):
    """A stream of another library, by its address; it is not destroyed with this object."""

    def __init__(self, stream_ptr: int, device: Any = None) -> None:
        index = device_index(device)
        self._set(runtime().external_stream(stream_ptr, index), index)


class Event:
    """A point in a stream's work that can be waited for and timed.

    Args:
        enable_timing: whether `elapsed_time` works.
        blocking: whether `synchronize` sleeps instead of spinning.
        interprocess: whether other processes can use it.
    """

    def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
        self._options = (enable_timing, blocking, interprocess)
        # Made when it is first recorded, as it belongs to the device of the stream.
        self._native: Any = None
        self._index = -1

    def record(self, stream: Stream | None = None) -> None:
        """Let it happen when the work given so far to ``stream``, the current one by default, is done."""
        stream = current_stream() if stream is None else stream
        if self._native is None:
            self._native = runtime().new_event(stream.device_index, *self._options)
            self._index = stream.device_index
        elif self._index != stream.device_index:
            raise RuntimeError(
                f"Event.record: the event belongs to '{DEVICE_TYPE}:{self._index}', the stream to '{stream.device}'"
            )
        runtime().record_event(self._native, stream._native)

    def wait(self, stream: Stream | None = None) -> None:
        """Let later work of ``stream``, the current one by default, wait for it."""
        if self._native is not None:
            stream = current_stream() if stream is None else stream
            runtime().stream_wait(stream._native, self._native)

    def query(self) -> bool:
        """Whether it has happened; one never recorded has."""
        return self._native is None or runtime().event_done(self._native)

    def synchronize(self) -> None:
        """Wait until it has happened."""
        if self._native is not None:
            runtime().synchronize_event(self._native)

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to ``end_event``.

        Raises:
            ValueError: if either is without timing.
            RuntimeError: if either has not been recorded.
        """
        if not (self._options[0] and end_event._options[0]):
            raise ValueError("Event.elapsed_time: both events must be made with enable_timing=True")
        if self._native is None or end_event._native is None:
            raise RuntimeError("Event.elapsed_time: both events must be recorded first")
        return runtime().elapsed_milliseconds(self._native, end_event._native)

    def __repr__(self) -> str:
        state = "uninitialized" if self._native is None else f"on '{DEVICE_TYPE}:{self._index}'"
        return f"<tensorcore.cuda.Event {state}>"


class StreamContext:
    """A block in which this thread's kernels run on ``stream``, and its device is current; ``None`` changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> Stream | None:
        stream = self.stream
        if stream is not None:
            engine = runtime()
            self._device = engine.current_device()
            if self._device != stream.device_index:
                engine.set_device(stream.device_index)
            self._before = engine.current_stream(stream.device_index)
            engine.set_stream(stream._native, stream.device_index)
        return stream

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream = self.stream
        if stream is not None:
            engine = runtime()
            engine.set_stream(self._before, stream.device_index)
            if self._device != stream.device_index:
                engine.set_device(self._device)


def stream(stream: Stream | None) -> StreamContext:
    """A block in which kernels run on ``stream``.

    Example:
        >>> import tensorcore as tc
        >>> with tc.cuda.stream(None):
        ...     tc.ones(1)
        tensor([1.])
    """
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Make ``stream`` the current one of its device, and the device the current one; `stream` undoes it by itself."""
    if stream is not None:
        runtime().set_device(stream.device_index)
        runtime().set_stream(stream._native, stream.device_index)


def current_stream(device: Any = None) -> Stream:
    """The stream on which this thread's kernels of a device run.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    index = device_index(device)
    return Stream._of(runtime().current_stream(index), index)


def default_stream(device: Any = None) -> Stream:
    """The stream that is current unless another is chosen.

    Raises:
        BackendUnavailableError: where CUDA is not available.
    """
    index = device_index(device)
    return Stream._of(runtime().default_stream(index), index)
