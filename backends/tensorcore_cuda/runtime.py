"""What ``tensorcore.cuda`` asks for (`tensorcore.cuda.runtime.DeviceRuntime`), by CuPy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tensorcore_cuda.memory import CountedPool

__all__ = ["CupyRuntime"]


class _Recording(threading.local):
    #: Of the recording under way in this thread: the allocator's context, the stream, and what it was prepared with.
    context: Any = None
    stream: Any = None
    prepared: Any = None


class _Foreign:
    """A stream's address under the protocol by which CuPy takes it."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.handle


class CupyRuntime:
    """Devices, streams, events, memory and graphs; the current device and streams are CuPy's, shared with its users."""

    def __init__(self, cupy: Any) -> None:
        self.cupy = cupy
        self._cuda = cupy.cuda
        self._driver = cupy.cuda.runtime
        self._count = int(self._driver.getDeviceCount())
        self._properties: dict[int, dict[str, Any]] = {}
        self._recording = _Recording()
        #: Called with the stream before it is recorded, when memory is the recording's already.
        self.before_capture: Callable[[Any], Any] = lambda stream: None
        self.memory = CountedPool(cupy, cupy.get_default_memory_pool(), self._count)
        self.memory.install()

    # ---------------------------------------------------------------- devices

    def device_count(self) -> int:
        return self._count

    def current_device(self) -> int:
        return int(self._driver.getDevice())

    def set_device(self, index: int) -> None:
        self._cuda.Device(index).use()

    def device_properties(self, index: int) -> dict[str, Any]:
        found = self._properties.get(index)
        if found is None:
            raw = self._driver.getDeviceProperties(index)
            name = raw["name"]
            found = self._properties[index] = {
                "name": name.decode() if isinstance(name, bytes) else str(name),
                "major": int(raw["major"]),
                "minor": int(raw["minor"]),
                "total_memory": int(raw["totalGlobalMem"]),
                "multi_processor_count": int(raw["multiProcessorCount"]),
                "max_threads_per_multi_processor": int(raw["maxThreadsPerMultiProcessor"]),
                "shared_memory_per_block": int(raw["sharedMemPerBlock"]),
                "regs_per_multiprocessor": int(raw["regsPerMultiprocessor"]),
                "warp_size": int(raw["warpSize"]),
                "L2_cache_size": int(raw["l2CacheSize"]),
                "is_integrated": int(raw["integrated"]),
                "is_multi_gpu_board": int(raw["isMultiGpuBoard"]),
            }
        return found

    def can_access_peer(self, index: int, peer: int) -> bool:
        return index != peer and bool(self._driver.deviceCanAccessPeer(index, peer))

    def synchronize(self, index: int) -> None:
        with self._cuda.Device(index):
            self._driver.deviceSynchronize()

    # ---------------------------------------------------------------- streams

    def new_stream(self, index: int, priority: int) -> Any:
        with self._cuda.Device(index):
            # As PyTorch's: the default stream does not wait for it.
            return self._cuda.Stream(non_blocking=True, priority=priority)

    def external_stream(self, handle: int, index: int) -> Any:
        with self._cuda.Device(index):
            return self._cuda.Stream.from_external(_Foreign(handle))

    def current_stream(self, index: int) -> Any:
        return self._cuda.get_current_stream(index)

    def default_stream(self, index: int) -> Any:
        return self._cuda.Stream.null

    def set_stream(self, stream: Any, index: int) -> None:
        # CuPy wants the stream's device to be current.
        with self._cuda.Device(index):
            stream.use()

    def stream_handle(self, stream: Any) -> int:
        return int(stream.ptr)

    def stream_priority(self, stream: Any) -> int:
        return int(stream.priority)

    def stream_done(self, stream: Any) -> bool:
        return bool(stream.done)

    def synchronize_stream(self, stream: Any) -> None:
        stream.synchronize()

    def stream_wait(self, stream: Any, event: Any) -> None:
        stream.wait_event(event)

    # ---------------------------------------------------------------- events

    def new_event(self, index: int, timing: bool, blocking: bool, interprocess: bool) -> Any:
        with self._cuda.Device(index):
            return self._cuda.Event(block=blocking, disable_timing=not timing, interprocess=interprocess)

    def record_event(self, event: Any, stream: Any) -> None:
        event.record(stream)

    def event_done(self, event: Any) -> bool:
        return bool(event.done)

    def synchronize_event(self, event: Any) -> None:
        event.synchronize()

    def elapsed_milliseconds(self, start: Any, end: Any) -> float:
        return float(self._cuda.get_elapsed_time(start, end))

    # ---------------------------------------------------------------- memory

    def memory_statistics(self, index: int) -> dict[str, int]:
        return self.memory.statistics(index)

    def memory_info(self, index: int) -> tuple[int, int]:
        with self._cuda.Device(index):
            free, total = self._driver.memGetInfo()
        return int(free), int(total)

    def reset_peaks(self, index: int) -> None:
        self.memory.reset_peaks(index)

    def release_cached_memory(self) -> None:
        self.memory.release()
        self.cupy.get_default_pinned_memory_pool().free_all_blocks()

    def limit_memory(self, fraction: float, index: int) -> None:
        self.memory.limit(fraction, index)

    def new_pool(self) -> Any:
        return self._cuda.MemoryPool()

    # ---------------------------------------------------------------- graphs

    def is_capturing(self) -> bool:
        return self._recording.stream is not None

    def begin_capture(self, stream: Any, pool: Any) -> None:
        recording = self._recording
        if recording.stream is not None:
            raise RuntimeError("a recording is under way in this thread already")
        # What is recorded keeps its addresses: its memory comes from a pool that lives as long as the graph.
        context = self._cuda.using_allocator(pool.malloc)
        context.__enter__()
        try:
            prepared = self.before_capture(stream)
            stream.begin_capture()
        except BaseException:
            context.__exit__(None, None, None)
            raise
        recording.context, recording.stream, recording.prepared = context, stream, prepared

    def prepared(self) -> Any:
        """What `before_capture` returned for the recording under way."""
        return self._recording.prepared

    def end_capture(self, stream: Any) -> Any:
        recording = self._recording
        context = recording.context
        recording.context = recording.stream = recording.prepared = None
        try:
            return stream.end_capture()
        finally:
            context.__exit__(None, None, None)

    def launch_graph(self, graph: Any, stream: Any) -> None:
        graph.launch(stream)

    def graph_text(self, graph: Any) -> str:
        return str(graph.debug_dot_str())
