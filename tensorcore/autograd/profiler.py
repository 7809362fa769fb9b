"""PyTorch's older profiler: the same recording, with ``enabled`` and without schedules."""

from __future__ import annotations

from typing import Any, NoReturn

from tensorcore.profiler import session
from tensorcore.profiler.events import EventList, FunctionEvent, FunctionEventAvg
from tensorcore.profiler.recorder import active
from tensorcore.profiler.session import ProfilerActivity, record_function

__all__ = [
    "EventList", "FunctionEvent", "FunctionEventAvg", "ProfilerActivity", "emit_itt", "emit_nvtx", "load_nvprof",
    "parse_nvprof_trace", "profile", "record_function",
]  # fmt: skip


class profile:  # noqa: N801 - PyTorch's name
    """Record the block; the arguments that are not here choose how PyTorch records and have no effect.

    Example:
        >>> import tensorcore as tc
        >>> with tc.autograd.profiler.profile() as prof:
        ...     y = tc.ones(3) * 2
        >>> [event.name for event in prof.function_events if event.name == "mul"]
        ['mul']
    """

    def __init__(
        self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None,
        record_shapes: bool = False, with_flops: bool = False, profile_memory: bool = False, with_stack: bool = False,
        with_modules: bool = False, use_kineto: bool = False, use_cpu: bool = True, **ignored: Any,
    ) -> None:  # fmt: skip
        self.enabled = enabled
        activities = {ProfilerActivity.CPU} | ({ProfilerActivity.CUDA} if use_cuda or use_device else set())
        self._session = session.profile(
            activities=activities, record_shapes=record_shapes, with_flops=with_flops, profile_memory=profile_memory,
            with_stack=with_stack, with_modules=with_modules,
        )  # fmt: skip

    def __enter__(self) -> profile | None:
        """Begin; ``None`` where it is not enabled."""
        if not self.enabled:
            return None
        self._session.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.enabled:
            self._session.stop()

    @property
    def function_events(self) -> EventList:
        """What was recorded."""
        return self._session.events()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds on the CPU, over all events."""
        return self.function_events.self_cpu_time_total

    def __getattr__(self, name: str) -> Any:
        # Tables, sums and files are those of the events.
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._session if name == "export_chrome_trace" else self.function_events
        return getattr(found, name)

    def __str__(self) -> str:
        return "<unfinished profile>" if active else str(self.function_events)


def _absent(name: str, instead: str) -> NoReturn:
    raise NotImplementedError(f"{name}: there is no such marker of another maker's profiler here; {instead}")


class emit_nvtx:  # noqa: N801 - PyTorch's name
    """PyTorch's markers for Nsight; not here.

    Raises:
        NotImplementedError: always, with what to use.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        _absent("emit_nvtx", "use tensorcore.profiler.profile, or CuPy's cupyx.profiler.time_range on cuda")


class emit_itt:  # noqa: N801 - PyTorch's name
    """PyTorch's markers for VTune; not here.

    Raises:
        NotImplementedError: always, with what to use.
    """

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        _absent("emit_itt", "use tensorcore.profiler.profile")


def load_nvprof(path: str) -> NoReturn:
    """PyTorch's reader of nvprof's files; not here.

    Raises:
        NotImplementedError: always, with what to use.
    """
    _absent("load_nvprof", "nvprof's files are read by NVIDIA's tools")


def parse_nvprof_trace(path: str) -> NoReturn:
    """PyTorch's reader of nvprof's files; not here.

    Raises:
        NotImplementedError: always, with what to use.
    """
    _absent("parse_nvprof_trace", "nvprof's files are read by NVIDIA's tools")
