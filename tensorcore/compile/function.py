"""`tc.compile`: functions recorded once and replayed while what they were recorded for holds."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from tensorcore.autograd.graph import Node
from tensorcore.autograd.mode import mode
from tensorcore.compile.capture import Capture, active, recording
from tensorcore.devices import get_default_device
from tensorcore.dtypes import get_default_dtype
from tensorcore.tensor import Tensor, mark_changed, wrap

__all__ = ["compile"]

#: Recordings kept per function; a function called with ever new shapes stops being recorded.
LIMIT = 16


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None, backend: Any = None,
    mode: str | None = None, options: Any = None, disable: bool = False,
) -> Any:  # fmt: skip
    """Record a function (or module) that works on tensors, and replay the record on later calls.

    The first call runs as always, so that state which is made on first use (an optimiser's buffers) exists; the second
    is recorded; later ones replay. A whole training step can be one function: forward, backward, update, random draws.
    A new record is made when shapes, dtypes, devices, other arguments, a module's mode or an optimiser's settings
    change. What Python does besides calling ops is not repeated. A function that reads values of tensors (``.item()``)
    runs as always, with one warning that names the line; with ``fullgraph`` that is an error.

    The arguments are PyTorch's; ``dynamic``, ``backend``, ``mode`` and ``options`` are accepted and have no effect.

    Example:
        >>> import tensorcore as tc
        >>> @tc.compile
        ... def f(x):
        ...     return (x * 2 + 1).sum()
        >>> [f(tc.ones(3)).item() for _ in range(3)]
        [9.0, 9.0, 9.0]
    """
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, disable=disable)
    if not callable(model):
        raise TypeError(f"compile: expected a function or module, got {type(model).__name__}")
    return model if disable else Compiled(model, fullgraph)


class Compiled:
    """A function under `compile`; attributes are those of the function.

    Attributes:
        recordings: what has been recorded so far, for inspection (``recording.graph`` prints).
    """

    def __init__(self, function: Callable[..., Any], fullgraph: bool) -> None:
        self._function = function
        self._fullgraph = fullgraph
        self.recordings: dict[Any, list[Recording]] = {}
        self._seen: set[Any] = set()
        self._eager: set[Any] = set()
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if active():
            return self._function(*args, **kwargs)
        tensors: list[Tensor] = []
        key = (_signature((args, kwargs), tensors), mode.grad, get_default_dtype(), str(get_default_device()))
        try:
            if key in self._eager:
                return self._function(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"compile: an argument of {self!r} cannot be compared between calls: {error}") from None
        for recorded in self.recordings.get(key, ()):
            if recorded.holds():
                return recorded.replay(tensors)
        if key not in self._seen:
            self._seen.add(key)
            return self._function(*args, **kwargs)
        return self._record(key, tensors, args, kwargs)

    def _record(self, key: Any, tensors: list[Tensor], args: Any, kwargs: Any) -> Any:
        capture = Capture(tensors)
        with recording(capture):
            result = self._function(*args, **kwargs)
        recorded = None
        if capture.reason is None:
            recorded = Recording.finish(capture, result)
        if capture.reason is not None or recorded is None:
            self._eager.add(key)
            text = f"compile: {self!r} runs uncompiled: {capture.reason}"
            if self._fullgraph:
                raise RuntimeError(text)
            warnings.warn(text, stacklevel=3)
            return result
        kept = self.recordings.setdefault(key, [])
        kept.append(recorded)
        if len(kept) > LIMIT:
            self._eager.add(key)
            warnings.warn(
                f"compile: {self!r} runs uncompiled: recorded {LIMIT} times for one signature as its settings keep changing",
                stacklevel=3,
            )
        return result

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_function"), name)

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", None) or type(self._function).__name__
        return f"<compiled {name}>"


class Recording:
    """A lowered graph with where its inputs come from and where its results go."""

    def __init__(self, capture: Capture) -> None:
        self.graph = capture.graph
        self.guards = capture.guards
        self.sources = capture.sources
        self.structure: Any = None
        #: Tensors whose memory the run changes, each with the place of its new array among the outputs.
        self.writes: list[tuple[Callable[[], Any] | int, int, Any]] = []
        #: Leaves whose ``grad`` the run sets, with the place of the value, or -1 for ``None``.
        self.gradients: list[tuple[Tensor, int, Any]] = []

    @classmethod
    def finish(cls, capture: Capture, result: Any) -> Recording | None:
        """The recording of a run that returned ``result``; ``None``, with the reason noted, if it cannot be replayed."""
        made = cls(capture)
        outputs = capture.graph.outputs

        def give_back(tensor: Tensor) -> int:
            outputs.append(capture.number_of(tensor))
            return len(outputs) - 1

        def describe(value: Any) -> Any:
            if isinstance(value, Tensor):
                node = value._node
                if isinstance(node, Node) and id(node) not in capture.consumed:
                    capture.give_up("a result requires grad outside it; call backward inside the compiled function")
                known = next((p for p, t in enumerate(capture.arguments) if t is value), None)
                return ("argument", known) if known is not None else ("tensor", give_back(value), value._kind)
            if isinstance(value, (list, tuple)):
                items = [describe(each) for each in value]
                fields = hasattr(value, "_fields")
                return ("sequence", (lambda parts: type(value)(*parts)) if fields else type(value), items)
            if isinstance(value, dict):
                return ("dict", {name: describe(each) for name, each in value.items()})
            return ("constant", value)

        made.structure = describe(result)
        arguments = {id(t): place for place, t in enumerate(capture.arguments)}
        changed = {id(capture.alive[step.inputs[0]]) for step in capture.graph.steps if step.op.name == "assign"}  # type: ignore[index]
        for tensor, before in capture.externals:
            if tensor._array is not before or id(before) in changed:
                source = arguments.get(id(tensor), (lambda t=tensor: t))
                place = -1 if tensor._array is before else give_back(tensor)
                made.writes.append((source, place, tensor._kind))
        for tensor in capture.written.values():
            held = tensor.grad
            made.gradients.append((tensor, -1, None) if held is None else (tensor, give_back(held), held._kind))
        if capture.reason is not None:
            return None
        if not capture.graph.steps:
            capture.give_up("it calls no ops")
            return None
        backend = capture.graph.steps[0].kinds[0].backend
        made.program = backend.lower(capture.graph)
        made.shapes = [
            (source, tensor._kind, tuple(tensor._array.shape))
            for source, tensor in ((s, s()) for s in capture.sources if not isinstance(s, int))
        ]
        return made

    program: Callable[[list[Any]], list[Any]]
    shapes: list[tuple[Callable[[], Any], Any, tuple[int, ...]]]

    def holds(self) -> bool:
        """Whether everything it was recorded for is still so."""
        for source, kind, shape in self.shapes:
            tensor = source()
            if tensor is None or tensor._kind is not kind or tuple(tensor._array.shape) != shape:
                return False
        return all(snapshot() == value for snapshot, value in self.guards)

    def replay(self, tensors: list[Tensor]) -> Any:
        """Run the program on the arguments and on what it reads from outside."""
        arrays = [tensors[s]._array if isinstance(s, int) else s()._array for s in self.sources]
        results = self.program(arrays)
        for source, place, kind in self.writes:
            tensor = tensors[source] if isinstance(source, int) else source()
            mark_changed(tensor, "a compiled function")
            if place >= 0:
                tensor._array, tensor._kind = results[place], kind
        for leaf, place, kind in self.gradients:
            leaf.grad = None if place < 0 else wrap(results[place], kind)
        return self._build(self.structure, results, tensors)

    def _build(self, structure: Any, results: list[Any], tensors: list[Tensor]) -> Any:
        what, *rest = structure
        if what == "tensor":
            return wrap(results[rest[0]], rest[1])
        if what == "argument":
            return tensors[rest[0]]
        if what == "sequence":
            return rest[0]([self._build(each, results, tensors) for each in rest[1]])
        if what == "dict":
            return {name: self._build(each, results, tensors) for name, each in rest[0].items()}
        return rest[0]


def _signature(value: Any, tensors: list[Tensor]) -> Any:
    """What a recording depends on of the arguments; tensors are collected on the way."""
    if isinstance(value, Tensor):
        known = next((place for place, t in enumerate(tensors) if t is value), None)
        if known is not None:
            return ("same", known)
        tensors.append(value)
        return (value._kind, tuple(value._array.shape), value._node is not None, type(value))
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(_signature(each, tensors) for each in value))
    if isinstance(value, dict):
        return tuple((name, _signature(each, tensors)) for name, each in value.items())
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return (type(value), value)
    try:
        hash(value)
    except TypeError:
        return ("object", id(value))
    return value
