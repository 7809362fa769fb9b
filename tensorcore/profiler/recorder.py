"""Recording: which ops, gradient rules, modules and named ranges ran when, on which thread, with which memory."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from time import perf_counter_ns as clock
from typing import Any, Final

from tensorcore.autograd import graph
from tensorcore.observation import Observer, memory_owner, nbytes, observe, recorders, stop_observing
from tensorcore.profiler.flops import flops_of
from tensorcore.tensor import Tensor

__all__ = ["Range", "Recorder", "active"]

#: The recorders that are recording, in all threads.
active: Final[list[Recorder]] = recorders

#: A range is a kernel or the expression of a composite, a gradient rule, a module's forward, or what the user named.
OP, BACKWARD, MODULE, USER = "cpu_op", "backward", "module", "user_annotation"


class Range:
    """A piece of time on one thread."""

    __slots__ = (
        "category", "device", "dtypes", "end", "flops", "module", "name", "sequence", "shapes", "stack", "start",
        "thread", "wait",
    )  # fmt: skip

    def __init__(self, name: str, category: str, start: int, thread: int) -> None:
        self.name = name
        self.category = category
        self.start = start
        self.end = start
        self.thread = thread
        #: Time within it spent waiting for the device, and the device.
        self.wait = 0
        self.device: str | None = None
        #: Number of the autograd node it made, or whose gradient rule it is.
        self.sequence: int | None = None
        self.shapes: list[Any] | None = None
        self.dtypes: list[str] | None = None
        self.stack: list[str] | None = None
        self.module: str | None = None
        self.flops = 0


class _Thread(threading.local):
    def __init__(self) -> None:
        self.last: Range | None = None
        self.modules: list[tuple[Any, str, Range]] = []
        self.steps: list[Range] = []


class Recorder(Observer):
    """Records from `start` to `stop`.

    Attributes:
        ranges: in the order in which they ended.
        memory: (time, thread, device, whether it is host memory, change in bytes, bytes in use since the start).
        node_modules: the module in whose forward a node was made, by the node's number.
        began, ended: in nanoseconds; ``ended`` is ``None`` while it records.
    """

    def __init__(
        self, *, shapes: bool = False, memory: bool = False, stacks: bool = False, flops: bool = False,
        modules: bool = False, wait: bool = False,
    ) -> None:  # fmt: skip
        self.with_shapes, self.with_memory, self.with_stacks = shapes or flops, memory, stacks
        self.with_flops, self.with_modules, self.wait = flops, modules, wait
        self.ranges: list[Range] = []
        self.memory: list[tuple[int, int, str, bool, int, int]] = []
        self.node_modules: dict[int, str] = {}
        self.began = 0
        self.ended: int | None = 0
        self._thread = _Thread()
        self._alive: dict[int, Any] = {}
        self._in_use: dict[str, int] = {}
        self._handles: list[Any] = []
        self._paths: dict[int, dict[int, str]] = {}

    # ---------------------------------------------------------------- on and off

    def start(self) -> None:
        """Record from now on."""
        observe(self)
        graph.watchers.append(self._note_node)
        graph.enclosers.append(self._enclose)
        if self.with_modules:
            self._watch_modules()
        self._watch_optimizers()
        active.append(self)
        self.ended = None
        self.began = clock()

    def stop(self) -> None:
        """Record no more."""
        self.ended = clock()
        if self not in active:
            return
        active.remove(self)
        stop_observing(self)
        graph.watchers.remove(self._note_node)
        graph.enclosers.remove(self._enclose)
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._alive.clear()
        self._paths.clear()

    def _watch_modules(self) -> None:
        from tensorcore.nn.modules import hooks

        everywhere, before = hooks.everywhere, hooks.everywhere.used
        self._handles += [
            hooks.register_module_forward_pre_hook(self._enter_module),
            hooks.register_module_forward_hook(self._leave_module, always_call=True),
            _Undo(lambda: setattr(everywhere, "used", before or bool(everywhere.forward or everywhere.forward_pre))),
        ]

    def _watch_optimizers(self) -> None:
        if "tensorcore.optim.optimizer" in sys.modules:
            from tensorcore.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

            self._handles += [
                register_optimizer_step_pre_hook(self._enter_step), register_optimizer_step_post_hook(self._leave_step)
            ]  # fmt: skip

    # ---------------------------------------------------------------- ranges

    def open(self, name: str, category: str) -> Range:
        """A range that begins now; `close` ends it."""
        made = Range(name, category, clock(), threading.get_ident())
        if self.with_stacks and category != MODULE:
            made.stack = user_stack()
        modules = self._thread.modules
        if modules:
            made.module = modules[-1][1]
        return made

    def close(self, made: Range) -> None:
        """End a range, unless the recording has ended before it."""
        if self.ended is None:
            made.end = clock()
            self.ranges.append(made)
            self._thread.last = made

    def kernel(self, op: Any, kind: Any, kernel: Callable[..., Any]) -> Callable[..., Any]:
        name = op.name
        backend, device, index = kind.backend, str(kind.device), kind.device.ordinal
        wait = self.wait and backend.capabilities(index).asynchronous
        hosted, dtype_of = backend.host_memory, backend.dtype_of
        plain = not (self.with_shapes or self.with_memory or self.with_stacks or wait)
        local, ranges = self._thread, self.ranges
        ident = threading.get_ident

        def timed(*arrays: Any, **attributes: Any) -> Any:
            if self.ended is not None:
                return kernel(*arrays, **attributes)
            made = Range(name, OP, clock(), ident())
            result = kernel(*arrays, **attributes)
            made.end = clock()
            if local.modules:
                made.module = local.modules[-1][1]
            if not plain:
                if wait:
                    backend.synchronize(index)
                    launched, made.end = made.end, clock()
                    made.wait = made.end - launched
                    made.device = device
                if self.with_shapes:
                    made.shapes = [[] if x is None else list(x.shape) for x in arrays]
                    made.dtypes = ["" if x is None else dtype_of(x).name for x in arrays]
                    if self.with_flops:
                        made.flops = flops_of(name, arrays, attributes, result)
                if self.with_stacks:
                    made.stack = user_stack()
                if self.with_memory:
                    self._allocated(result, arrays, attributes, kind, device, hosted, made.end)
            ranges.append(made)
            local.last = made
            return result

        return timed

    def expression(self, op: Any, body: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*inputs: Any, **attributes: Any) -> Any:
            if self.ended is not None:
                return body(*inputs, **attributes)
            made = self.open(op.name, OP)
            if self.with_shapes:
                made.shapes = [list(x.shape) if isinstance(x, Tensor) else [] for x in inputs]
                made.dtypes = [x.dtype.name if isinstance(x, Tensor) else "" for x in inputs]
            try:
                return body(*inputs, **attributes)
            finally:
                self.close(made)

        return timed

    def _note_node(self, node: Any) -> None:
        """The node belongs to the range that ended last, if that is of its op."""
        local = self._thread
        last = local.last
        if last is not None and last.name == node.op.name and last.sequence is None:
            last.sequence = node.sequence
        if local.modules:
            self.node_modules[node.sequence] = local.modules[-1][1]

    def _enclose(self, node: Any, run: Callable[[], Any]) -> Any:
        made = self.open(node.name(), BACKWARD)
        made.sequence = node.sequence
        made.module = self.node_modules.get(node.sequence)
        try:
            return run()
        finally:
            self.close(made)

    # ---------------------------------------------------------------- modules and steps

    def _enter_module(self, module: Any, args: Any) -> None:
        modules = self._thread.modules
        root = modules[0][0] if modules else module
        paths = self._paths.get(id(root))
        if paths is None:
            paths = self._paths[id(root)] = {id(each): path for path, each in root.named_modules()}
        path = paths.get(id(module), "")
        kind = type(module).__name__
        label = f"{path} ({kind})" if path else kind
        made = self.open(label, MODULE)
        made.module = label
        modules.append((module, label, made))

    def _leave_module(self, module: Any, args: Any, output: Any) -> None:
        modules = self._thread.modules
        while modules:
            entered, _, made = modules.pop()
            self.close(made)
            if entered is module:
                break

    def _enter_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        name = type(optimizer).__name__
        self._thread.steps.append(self.open(f"Optimizer.step#{name}.step", USER))

    def _leave_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._thread.steps:
            self.close(self._thread.steps.pop())

    # ---------------------------------------------------------------- memory

    def _allocated(
        self, result: Any, arrays: Any, attributes: Any, kind: Any, device: str, hosted: bool, now: int
    ) -> None:
        given = {id(memory_owner(x)) for x in arrays if x is not None}
        for array in result if isinstance(result, (tuple, list)) else (result,):
            owner = memory_owner(array)
            key = id(owner)
            if key in given or key in self._alive or "out" in attributes or not hasattr(owner, "shape"):
                continue
            size = nbytes(owner, kind)
            thread = threading.get_ident()

            def freed(_: Any, key: int = key, size: int = size) -> None:
                if self._alive.pop(key, None) is not None and self.ended is None:
                    self._change(clock(), threading.get_ident(), device, hosted, -size)

            try:
                self._alive[key] = weakref.ref(owner, freed)
            except TypeError:
                # A scalar of the engine's own: it becomes an array on the way.
                continue
            self._change(now, thread, device, hosted, size)

    def _change(self, now: int, thread: int, device: str, hosted: bool, change: int) -> None:
        total = self._in_use[device] = self._in_use.get(device, 0) + change
        self.memory.append((now, thread, device, hosted, change, total))


class _Undo:
    """Something to be done at the end, in the shape of a handle."""

    def __init__(self, remove: Callable[[], None]) -> None:
        self.remove = remove


_own: Final[dict[str, bool]] = {}


def user_stack() -> list[str]:
    """``file(line): function`` of the frames outside the library, innermost first."""
    frame: Any = sys._getframe(2)
    found = []
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        own = _own.get(name)
        if own is None:
            own = _own[name] = name.partition(".")[0].startswith("tensorcore")
        if not own:
            found.append(f"{frame.f_code.co_filename}({frame.f_lineno}): {frame.f_code.co_name}")
        frame = frame.f_back
    return found
