"""Profiling sessions: from where to where a program is recorded, and what is done with what was."""

from __future__ import annotations

import functools
import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any, Self

from tensorcore.profiler.events import EventList, events_of
from tensorcore.profiler.modules import ModuleList, modules_of
from tensorcore.profiler.recorder import USER, Range, Recorder, active
from tensorcore.profiler.trace import write_trace

__all__ = [
    "ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule", "supported_activities",
    "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(Enum):
    """What is timed: the CPU, and devices that work on their own, for which each kernel is waited for."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be timed here, of the devices that have been used.

    Example:
        >>> import tensorcore as tc
        >>> tc.profiler.ProfilerActivity.CPU in tc.profiler.supported_activities()
        True
    """
    from tensorcore.plugins.host import host

    found = {ProfilerActivity.CPU}
    for state in host.states(load=False):
        if state.devices and host.backend(state.name).capabilities(0).asynchronous:
            found.add(ProfilerActivity.CUDA if state.name == "cuda" else ProfilerActivity.PrivateUse1)
    return found


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Which steps are recorded: after ``skip_first`` steps, in turn ``wait`` not, ``warmup`` thrown away, ``active``.

    Args:
        repeat: how often; 0 for as long as the program runs.
        skip_first_wait: if not 0, the first turn has no ``wait``.

    Raises:
        ValueError: for negative numbers, or nothing to record.

    Example:
        >>> import tensorcore as tc
        >>> plan = tc.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
        >>> [plan(step).name for step in range(5)]
        ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, repeat, skip_first, skip_first_wait) < 0 or active <= 0:
        raise ValueError(
            f"schedule: expected numbers of steps, at least one of them active, got wait={wait}, warmup={warmup}, "
            f"active={active}, repeat={repeat}, skip_first={skip_first}, skip_first_wait={skip_first_wait}"
        )
    turn = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise ValueError(f"schedule: a step is counted from 0, got {step}")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        if repeat and step // turn >= repeat:
            return ProfilerAction.NONE
        place = step % turn
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < turn - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """For ``on_trace_ready``: write each trace to a file of its own in a folder, for Perfetto or TensorBoard.

    Example:
        >>> import tensorcore as tc
        >>> with tc.profiler.profile(on_trace_ready=tc.profiler.tensorboard_trace_handler("traces")):
        ...     y = tc.ones(3) * 2
    """
    name = worker_name or f"{socket.gethostname()}_{os.getpid()}"

    def handle(profiler: Any) -> None:
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        profiler.export_chrome_trace(folder / f"{name}.{time.time_ns()}.pt.trace.json{'.gz' if use_gzip else ''}")

    return handle


class record_function:  # noqa: N801 - PyTorch's name
    """Name a block of the program, or a function it decorates, in what a profiler records; without one it does nothing.

    Example:
        >>> import tensorcore as tc
        >>> with tc.profiler.profile() as prof, tc.profiler.record_function("doubling"):
        ...     y = tc.ones(3) * 2
        >>> "doubling" in [event.name for event in prof.events()]
        True
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self._open: list[list[tuple[Recorder, Range]]] = []

    def __enter__(self) -> Self:
        self._open.append([(recorder, recorder.open(self.name, USER)) for recorder in active])
        return self

    def __exit__(self, *exc: object) -> None:
        for recorder, made in reversed(self._open.pop()):
            recorder.close(made)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def named(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return named


def _always(step: int) -> ProfilerAction:
    return ProfilerAction.RECORD


class profile:  # noqa: N801 - PyTorch's name
    """Record what a program does, and how long it takes.

    A context manager; or `start` and `stop`. All threads are recorded. Kernels, expressions of ops that have none,
    gradient rules, steps of optimizers and `record_function` blocks are events; recording one takes one to two
    microseconds, and three to five with shapes, memory or stacks.

    Args:
        activities: what is timed, all that can be by default. With another than CPU, kernels on devices that work on
            their own are waited for, so that their times are known; the program then runs slower than without.
        schedule: which steps are recorded; the program calls `step` after each. All if not given.
        on_trace_ready: called with this profiler when a turn of the schedule, or the block, ends.
        record_shapes: keep shapes and dtypes of operands.
        profile_memory: follow the memory of results.
        with_stack: keep the user's frames.
        with_flops: count the operations of products, convolutions and arithmetic.
        with_modules: record the forward of modules; see `module_averages`.
        acc_events: keep the events of earlier turns of the schedule.

    Raises:
        ValueError: for an unknown activity.

    Example:
        >>> import tensorcore as tc
        >>> model = tc.nn.Linear(4, 2)
        >>> with tc.profiler.profile(with_modules=True) as prof:
        ...     model(tc.ones(3, 4)).sum().backward()
        >>> [row.name for row in prof.module_averages()]
        ['Linear']
        >>> "SumBackward0" in prof.key_averages().table(sort_by="cpu_time_total", row_limit=20)
        True
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: None = None,
        execution_trace_observer: None = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Callable[[], str] | None = None,
    ) -> None:
        # A device may first be used while it records.
        self._wait = activities is None
        self.activities = set(supported_activities() if activities is None else activities)
        if use_cuda:
            self.activities.add(ProfilerActivity.CUDA)
        for each in self.activities:
            if not isinstance(each, ProfilerActivity):
                raise ValueError(
                    f"profile: an activity is one of {', '.join(map(str, ProfilerActivity))}, got {each!r}"
                )
        if not self.activities:
            raise ValueError("profile: no activities; give ProfilerActivity.CPU, or leave them out")
        if execution_trace_observer is not None or experimental_config is not None:
            raise ValueError("profile: execution_trace_observer and experimental_config are PyTorch's own and not here")
        self.schedule = schedule or _always
        self.record_steps = schedule is not None
        self.on_trace_ready = on_trace_ready
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self.with_flops, self.with_modules, self.acc_events = with_flops, with_modules, acc_events
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._trace_id = custom_trace_id_callback
        self._metadata: dict[str, Any] = {}
        self._recorder: Recorder | None = None
        self._events: EventList | None = None
        self._kept: list[Any] = []
        self._step: record_function | None = None

    # ---------------------------------------------------------------- on and off

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin, with what the schedule says of step 0."""
        self.current_action = self.schedule(self.step_num)
        self._begin()
        self._open_step()

    def stop(self) -> None:
        """End; where something was recorded, ``on_trace_ready`` gets it."""
        self._close_step()
        if self.current_action is ProfilerAction.WARMUP:
            warnings.warn("profile: stopped in the warm-up, so nothing was recorded", stacklevel=3)
        recording = self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        self._end()
        if recording and self.on_trace_ready is not None:
            self.on_trace_ready(self)
        self.current_action = ProfilerAction.NONE

    def step(self) -> None:
        """Say that a step of the program is over, and do what the schedule says of the next."""
        self._close_step()
        before, self.step_num = self.current_action, self.step_num + 1
        self.current_action = after = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE or (
            before is ProfilerAction.RECORD and after in (ProfilerAction.NONE, ProfilerAction.WARMUP)
        ):
            self._end()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        elif before is ProfilerAction.WARMUP and after is not ProfilerAction.WARMUP:
            self._discard()
        self._begin()
        self._open_step()

    def _begin(self) -> None:
        if self.current_action is ProfilerAction.NONE or self._recorder is not None:
            return
        wait = self._wait or bool(self.activities - {ProfilerActivity.CPU})
        self._recorder = Recorder(
            shapes=self.record_shapes, memory=self.profile_memory, stacks=self.with_stack, flops=self.with_flops,
            modules=self.with_modules, wait=wait,
        )  # fmt: skip
        self._recorder.start()

    def _discard(self) -> None:
        if self._recorder is not None:
            self._recorder.stop()
            self._recorder = None

    def _end(self) -> None:
        recorder = self._recorder
        if recorder is None:
            return
        self._discard()
        if self.current_action is ProfilerAction.WARMUP and not recorder.ranges:
            return
        found = events_of(recorder)
        self._memory = [((t - recorder.began) / 1000, device, total) for t, _, device, _, _, total in recorder.memory]
        if self.acc_events and self._events is not None:
            found[:0] = self._events
        self._events = found

    def _open_step(self) -> None:
        if self.record_steps and self._recorder is not None:
            self._step = record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _close_step(self) -> None:
        if self._step is not None:
            self._step.__exit__()
            self._step = None

    # ---------------------------------------------------------------- what was recorded

    def events(self) -> EventList:
        """The events of the last turn, in the order in which they began.

        Raises:
            RuntimeError: before anything was recorded to its end.
        """
        if self._events is None:
            raise RuntimeError("profile: nothing has been recorded; ask after the block, or in on_trace_ready")
        return self._events

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Sums over calls of the same op; see `EventList.key_averages`."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def module_averages(self) -> ModuleList:
        """Sums over calls of the same module, forward and backward.

        Raises:
            RuntimeError: if modules were not recorded.
        """
        if not self.with_modules:
            raise RuntimeError("module_averages: modules were not recorded; profile with with_modules=True")
        return modules_of(self.events())

    def export_chrome_trace(self, path: Any) -> None:
        """Write the events, and the memory in use over time, as JSON for Perfetto; packed if ``path`` ends in .gz."""
        write_trace(path, self.events(), self._memory, self._metadata)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write the stacks with their costs for flame graphs; see `EventList.export_stacks`."""
        self.events().export_stacks(path, metric)

    def export_memory_timeline(self, path: Any, device: str | None = None) -> None:
        """Write ``[times, bytes in use]`` of a device, the first one by default, as JSON.

        Raises:
            RuntimeError: if memory was not followed.
        """
        if not self.profile_memory:
            raise RuntimeError("export_memory_timeline: memory was not followed; profile with profile_memory=True")
        self.events()
        device = device or (self._memory[0][1] if self._memory else "cpu")
        found = [(when, total) for when, where, total in self._memory if where == device]
        Path(path).write_text(json.dumps([[when for when, _ in found], [total for _, total in found]]), "utf-8")

    def add_metadata(self, key: str, value: str) -> None:
        """Note a text in the trace."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Note a value, given as JSON, in the trace."""
        self._metadata[key] = json.loads(value)

    def get_trace_id(self) -> str | None:
        """What ``custom_trace_id_callback`` gives."""
        return None if self._trace_id is None else self._trace_id()

    _memory: list[tuple[float, str, int]] = []  # noqa: RUF012 - replaced, never changed
