"""Events: what was recorded as a forest of calls, and sums over calls of the same op."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from tensorcore.profiler.recorder import BACKWARD, MODULE, USER, Range, Recorder
from tensorcore.profiler.tables import format_time, table

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "Interval"]


class Interval(NamedTuple):
    """From when to when, in microseconds since the recording began."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """Its length."""
        return self.end - self.start


class _Costs:
    """Times and bytes, and what PyTorch calls them; a part of events and of sums of events.

    Times are in microseconds. What a device took stands under ``device_``, and under ``cuda_`` as well.
    """

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    device_time_total: float
    self_device_time_total: float

    @property
    def cpu_time(self) -> float:
        """Time on the CPU of one call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self) -> float:
        """Time on the device of one call."""
        return self.device_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_total_str(self) -> str:
        """Time on the CPU, calls inside included, with its unit."""
        return format_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """Time on the CPU, calls inside not included, with its unit."""
        return format_time(self.self_cpu_time_total)

    @property
    def cpu_time_str(self) -> str:
        """Time on the CPU of one call, with its unit."""
        return format_time(self.cpu_time)

    @property
    def device_time_total_str(self) -> str:
        """Time on the device, with its unit."""
        return format_time(self.device_time_total)

    @property
    def self_device_time_total_str(self) -> str:
        """Time on the device, calls inside not included, with its unit."""
        return format_time(self.self_device_time_total)

    @property
    def device_time_str(self) -> str:
        """Time on the device of one call, with its unit."""
        return format_time(self.device_time)

    def __getattr__(self, name: str) -> Any:
        if "cuda" in name:
            return getattr(self, name.replace("cuda", "device"))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class FunctionEvent(_Costs):
    """One call of an op, a gradient rule, a module, or a range with a name.

    Attributes:
        name, key: what was called.
        scope: 0 for an op, 1 for a gradient rule, 6 for a module, 7 for a named range.
        time_range: from when to when.
        thread, fwd_thread: on which thread, and on which the forward op of a gradient rule ran; numbered from 0.
        sequence_nr: the number of the autograd node that an op made, or whose gradient rule it is; -1 without one.
        cpu_parent, cpu_children: the call it was made in, and those made in it.
        input_shapes, input_dtypes: of the operands.
        stack: the user's frames, innermost first.
        cpu_memory_usage, device_memory_usage: bytes allocated less bytes freed; with ``self_`` not in the calls inside.
        flops: floating-point operations; 0 where they are not counted.
        module: the module it was called in, as ``path (Class)``; ``""`` for none.
        is_user_annotation: whether it is a range with a name.
    """

    overload_name = ""
    is_async = is_remote = is_legacy = False
    node_id = -1
    count = 1

    def __init__(self, made: Range, number: int, thread: int, began: int) -> None:
        self.id = number
        self.name = self.key = self.trace_name = made.name
        self.category = made.category
        self.scope = {BACKWARD: 1, MODULE: 6, USER: 7}.get(made.category, 0)
        self.time_range = Interval((made.start - began) / 1000, (made.end - began) / 1000)
        self.thread = thread
        self.fwd_thread: int | None = None
        self.sequence_nr = -1 if made.sequence is None else made.sequence
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.input_shapes = made.shapes or []
        self.input_dtypes = made.dtypes or []
        self.stack = made.stack or []
        self.flops = made.flops
        self.module = made.module or ""
        self.is_user_annotation = made.category == USER
        self.device_type = made.device or "cpu"
        #: What the device took of it alone: a kernel's time from its start until the device was done.
        self.self_device_time_total = (made.end - made.start) / 1000 if made.wait else 0.0
        self.device_time_total = self.self_device_time_total
        self.wait = made.wait / 1000
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.self_cpu_memory_usage = self.self_device_memory_usage = 0
        self.cpu_memory_usage = self.device_memory_usage = 0

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} thread={self.thread} cpu_time={self.cpu_time_total_str} "
            f"self_cpu_time={self.self_cpu_time_total_str} input_shapes={self.input_shapes}>"
        )


_SUMMED = (
    "cpu_time_total", "self_cpu_time_total", "device_time_total", "self_device_time_total", "cpu_memory_usage",
    "self_cpu_memory_usage", "device_memory_usage", "self_device_memory_usage", "flops", "count",
)  # fmt: skip


class FunctionEventAvg(_Costs):
    """The sum of events of one key; times and bytes are totals, those named without ``_total`` per call."""

    overload_name = ""
    is_async = is_remote = is_legacy = False
    node_id = -1

    def __init__(self) -> None:
        self.key = ""
        self.input_shapes: Any = ""
        self.stack: list[str] = []
        self.scope = 0
        self.module = ""
        self.device_type = "cpu"
        self.is_user_annotation = False
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []
        self.flops = 0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.device_memory_usage = self.self_device_memory_usage = 0
        for name in _SUMMED:
            setattr(self, name, 0)

    def add(self, other: Any) -> FunctionEventAvg:
        """Add an event, or another sum; returns this one."""
        if not self.key:
            for name in ("key", "scope", "module", "device_type", "is_user_annotation", "stack", "cpu_parent"):
                setattr(self, name, getattr(other, name))
            self.cpu_children = list(other.cpu_children)
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list[Any]):
    """A list of events, or of sums of events, which prints as a table."""

    def __init__(
        self, events: Iterable[Any] = (), *, profile_memory: bool = False, with_flops: bool = False,
        use_device: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(events)
        self.profile_memory, self.with_flops, self.use_device = profile_memory, with_flops, use_device

    def _like(self, events: Iterable[Any]) -> EventList:
        made = (self.profile_memory, self.with_flops, self.use_device)
        return EventList(events, profile_memory=made[0], with_flops=made[1], use_device=made[2])

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds on the CPU, over all."""
        return sum(event.self_cpu_time_total for event in self)

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Sums over events of the same name (and shapes of the operands, and innermost frames of the user)."""
        groups: dict[Any, FunctionEventAvg] = defaultdict(FunctionEventAvg)
        for event in self:
            shapes = str(event.input_shapes) if group_by_input_shapes else ""
            stack = tuple(event.stack[:group_by_stack_n])
            found = groups[(event.key, event.scope == 7, shapes, stack)].add(event)
            found.input_shapes, found.stack = (event.input_shapes if group_by_input_shapes else ""), list(stack)
        return self._like(groups.values())

    def total_average(self) -> FunctionEventAvg:
        """The sum of all."""
        total = FunctionEventAvg()
        for event in self:
            total.add(event)
        total.key = "Total"
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
        top_level_events_only: bool = False, time_unit: str | None = None,
    ) -> str:  # fmt: skip
        """The events as a table to print.

        Args:
            sort_by: ``cpu_time_total``, ``self_cpu_time_total``, ``cpu_time``, ``device_time_total``,
                ``self_cpu_memory_usage``, ``count`` and the like, largest first; as they come if not given.
            row_limit: rows shown at most; -1 for all.
            top_level_events_only: leave out what was called inside something else.
            time_unit: ``"s"``, ``"ms"`` or ``"us"`` for all times; each in its own if not given.

        Raises:
            AttributeError: for an unknown ``sort_by``.
        """
        return table(
            self, sort_by, row_limit, (max_name_column_width, max_shapes_column_width, max_src_column_width), header,
            top_level_events_only, time_unit,
        )  # fmt: skip

    def export_chrome_trace(self, path: Any) -> None:
        """Write the events as JSON for Perfetto and Chrome's tracing page."""
        from tensorcore.profiler.trace import write_trace

        write_trace(path, self)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write one line ``frame;frame;... microseconds`` for each stack, for flame graphs.

        Raises:
            ValueError: for another metric than the self times.
        """
        from tensorcore.profiler.trace import write_stacks

        write_stacks(path, self, metric)

    def supported_export_stacks_metrics(self) -> list[str]:
        """What `export_stacks` takes as its metric."""
        return ["self_cpu_time_total", "self_cuda_time_total", "self_device_time_total"]

    def __str__(self) -> str:
        return self.table()


def events_of(recorder: Recorder) -> EventList:
    """What a recorder has recorded, as events in the order in which they began, parents and costs filled in."""
    threads: dict[int, int] = {}
    ranges = sorted(recorder.ranges, key=lambda made: (made.start, -made.end))
    events = []
    open_by_thread: dict[int, list[tuple[int, FunctionEvent]]] = defaultdict(list)
    forward: dict[int, FunctionEvent] = {}
    for number, made in enumerate(ranges):
        event = FunctionEvent(made, number, threads.setdefault(made.thread, len(threads)), recorder.began)
        events.append(event)
        stack = open_by_thread[made.thread]
        while stack and stack[-1][0] < made.end:
            stack.pop()
        if stack:
            event.cpu_parent = stack[-1][1]
            event.cpu_parent.cpu_children.append(event)
        stack.append((made.end, event))
        if event.sequence_nr >= 0 and event.scope != 1:
            forward[event.sequence_nr] = event
    for event in events:
        if event.scope == 1 and event.sequence_nr in forward:
            event.fwd_thread = forward[event.sequence_nr].thread
    _attribute_memory(recorder, events, threads)
    for event in reversed(events):
        # Children come later, so theirs are known. Waiting for the device is not the CPU's time.
        children = event.cpu_children
        event.wait += sum(child.wait for child in children)
        event.cpu_time_total = event.time_range.elapsed_us() - event.wait
        event.self_cpu_time_total = event.cpu_time_total - sum(child.cpu_time_total for child in children)
        event.device_time_total += sum(child.device_time_total for child in children)
        for side in ("cpu", "device"):
            own = getattr(event, f"self_{side}_memory_usage")
            setattr(event, f"{side}_memory_usage", own + sum(getattr(c, f"{side}_memory_usage") for c in children))
    device = next((event.device_type for event in events if event.wait), None)
    return EventList(
        events, profile_memory=recorder.with_memory, with_flops=recorder.with_flops,
        use_device=None if device is None else device.partition(":")[0],
    )  # fmt: skip


def _attribute_memory(recorder: Recorder, events: list[FunctionEvent], threads: dict[int, int]) -> None:
    """Each change of memory belongs to the innermost range of its thread and time."""
    by_thread: dict[int, list[FunctionEvent]] = defaultdict(list)
    for event in events:
        by_thread[event.thread].append(event)
    changes: dict[int, list[tuple[float, bool, int]]] = defaultdict(list)
    for time, thread, _, hosted, change, _ in recorder.memory:
        changes[threads.get(thread, -1)].append(((time - recorder.began) / 1000, hosted, change))
    for place, found in changes.items():
        waiting, stack = iter(by_thread.get(place, ())), []
        following = next(waiting, None)
        for moment, hosted, change in sorted(found, key=lambda each: each[0]):
            while following is not None and following.time_range.start <= moment:
                stack.append(following)
                following = next(waiting, None)
            while stack and stack[-1].time_range.end < moment:
                stack.pop()
            if stack:
                name = "self_cpu_memory_usage" if hosted else "self_device_memory_usage"
                setattr(stack[-1], name, getattr(stack[-1], name) + change)
