"""Capture: recording the kernel calls of one run of a function as a graph.

The function runs as always; an interceptor at the door notes each kernel call. Arrays are told apart by identity, so
views, aliases and tensors rebound by in-place ops need no care of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.sequence import next_sequence
from tensorcore.compile.graph import Graph, Step
from tensorcore.observation import plain_kernel

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


class _Current(threading.local):
    capture: Capture | None = None


_current = _Current()
_counting: Final = threading.Lock()
#: How many threads are recording: one look tells most that theirs is not.
recordings = 0


def active() -> bool:
    """Whether this thread is recording."""
    return recordings > 0 and _current.capture is not None


def guard(snapshot: Callable[[], Any]) -> None:
    """Make the program being recorded valid only while ``snapshot()`` returns what it returns now."""
    if _current.capture is not None:
        _current.capture.guards.append((snapshot, snapshot()))


def reading(tensor: Any, what: str) -> None:
    """Note that Python reads a tensor's values, which no graph can hold."""
    if _current.capture is not None:
        from tensorcore.tensor import user_line

        _current.capture.give_up(f"{what} reads a tensor's values at {user_line()}")


def consumed(node: Any) -> None:
    """Note that backward has gone through ``node`` while recording."""
    if _current.capture is not None:
        _current.capture.consumed[id(node)] = node


def grad_read(tensor: Any) -> None:
    """Note that ``tensor.grad`` is read; before it was written, the program depends on what it was."""
    capture = _current.capture
    if capture is not None and id(tensor) not in capture.grads:
        capture.grads[id(tensor)] = tensor
        held = tensor._grad
        capture.guards.append((lambda: tensor._grad is None, held is None))
        if held is not None:
            capture.holders[id(held._array)] = lambda: tensor._grad


def grad_written(tensor: Any) -> None:
    """Note that ``tensor.grad`` is set; each run must set it."""
    capture = _current.capture
    if capture is not None:
        capture.grads[id(tensor)] = tensor
        capture.written[id(tensor)] = tensor


class Capture:
    """The record of one run.

    Attributes:
        graph: the steps so far.
        sources: for each graph input, a function that returns the tensor it comes from.
        guards: pairs of a function and the value it must still return for the record to hold.
        reason: why the run cannot be replayed, or ``None``.
    """

    def __init__(self, arguments: list[Tensor]) -> None:
        self.graph = Graph()
        #: Nodes of a lower sequence number were made before the run.
        self.start = next_sequence()
        self.numbers: dict[int, int] = {}
        self.alive: list[Any] = []
        self.arguments = arguments
        self.sources: list[Callable[[], Any] | int] = []
        self.externals: list[tuple[Any, Any]] = []
        self.guards: list[tuple[Callable[[], Any], Any]] = []
        self.holders: dict[int, Callable[[], Any]] = {}
        self.grads: dict[int, Any] = {}
        self.written: dict[int, Any] = {}
        self.consumed: dict[int, Any] = {}
        self.reason: str | None = None
        for place, tensor in enumerate(arguments):
            if id(tensor._array) not in self.numbers:
                self._input(tensor._array, place)
                self.externals.append((tensor, tensor._array))

    def give_up(self, reason: str) -> None:
        """The run goes on, but will not be replayed."""
        self.reason = self.reason or reason

    def _input(self, array: Any, source: Callable[[], Any] | int) -> int:
        number = self._number(array)
        self.graph.inputs.append(number)
        self.sources.append(source)
        return number

    def _number(self, array: Any) -> int:
        number = self.graph.size
        self.graph.size += 1
        self.numbers[id(array)] = number
        # An array that died could hand its id to another.
        self.alive.append(array)
        return number

    def number_of(self, tensor: Tensor) -> int:
        """The number of a tensor's value; a tensor from outside becomes an input."""
        found = self.numbers.get(id(tensor._array))
        if found is not None:
            return found
        from tensorcore.tensor import root_of

        holder = self.holders.get(id(tensor._array))
        if holder is None:
            # A detached tensor or ``.data`` is an alias: what it shows is read from the tensor it was taken from.
            root = root_of(tensor)
            owner = root if root._array is tensor._array else tensor
            self.externals.append((owner, owner._array))

            def holder(owner: Any = owner) -> Any:
                return owner

        return self._input(tensor._array, holder)

    def __call__(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], proceed: Callable[[], Any]) -> Any:
        numbers = tuple(None if x is None else self.number_of(x) for x in inputs)
        targets = [x._array for x in inputs if x is not None]
        result = proceed()
        outs = result if isinstance(result, tuple) else (result,)
        kind = (
            attributes["kind"]
            if not inputs
            else inputs[0]._kind
            if op.promotes is None
            else inputs[op.promotes[0]]._kind
        )
        call = dict(attributes)
        if not inputs:
            del call["kind"]
            call.update(dtype=kind.dtype, index=kind.device.ordinal)
        made = []
        for out in outs:
            known = self.numbers.get(id(out._array))
            same = known is not None and any(out._array is array for array in targets)
            made.append(known if same else self._number(out._array))
        kernel = plain_kernel(kind.table[op][0])
        self.graph.steps.append(Step(op, kernel, numbers, call, tuple(made), tuple(out._kind for out in outs)))  # type: ignore[arg-type]
        return result


class recording:  # noqa: N801 - reads as what it does: ``with recording(capture):``
    """Record the kernel calls of this thread into ``capture`` inside the block."""

    def __init__(self, capture: Capture) -> None:
        from tensorcore.dispatch import intercept

        self.capture = capture
        self.door = intercept(capture)

    def __enter__(self) -> Capture:
        self.before = _current.capture
        _current.capture = self.capture
        _count(1)
        self.door.__enter__()
        return self.capture

    def __exit__(self, *exc: Any) -> None:
        self.door.__exit__(*exc)
        _count(-1)
        _current.capture = self.before


def _count(change: int) -> None:
    global recordings
    with _counting:
        recordings += change
