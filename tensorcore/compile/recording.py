"""A recorded run that can be replayed: lowered graphs, where their inputs come from and where results go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore.autograd.graph import LEAF, Node, SelectNode, clock, described
from tensorcore.autograd.sequence import next_sequence
from tensorcore.compile.capture import Capture, recording
from tensorcore.errors import InplaceError
from tensorcore.tensor import Tensor, mark_changed, root_of, wrap

#: Where a tensor comes from at each run: the place of an argument, or a function that returns it.
Source = int | Callable[[], Any]


def _resolve(source: Source, arguments: list[Tensor]) -> Any:
    return arguments[source] if isinstance(source, int) else source()


class Recording:
    """The record of one run of a function."""

    def __init__(self, capture: Capture, result: Any) -> None:
        self.graph = capture.graph
        self.guards = capture.guards
        self.sources = capture.sources
        #: Tensors whose memory the run changes: (source, place of the new array among the outputs or -1, kind).
        self.writes: list[tuple[Source, int, Any]] = []
        #: Leaves whose ``grad`` the run sets: (leaf, place of the value or -1 for ``None``, kind).
        self.gradients: list[tuple[Tensor, int, Any]] = []
        self.backward: Backward | None = None
        self._capture = capture
        self._live: list[Tensor] = []
        self.structure = self._describe(result)
        self._note_writes()
        for tensor in capture.written.values():
            held = tensor.grad
            self.gradients.append((tensor, -1, None) if held is None else (tensor, self._give_back(held), held._kind))
        if self._live and capture.reason is None:
            self.backward = Backward(capture, self._live)
            capture.graph.outputs.extend(self.backward.saved)
        if not capture.graph.steps:
            capture.give_up("it calls no ops")
        if capture.reason is None:
            self.program = capture.graph.steps[0].kinds[0].backend.lower(capture.graph)
            self.shapes = [
                (source, tensor._kind, tuple(tensor._array.shape), tensor._node is not None)
                for source, tensor in ((s, s()) for s in capture.sources if not isinstance(s, int))
            ]
        del self._capture, self._live

    def _give_back(self, tensor: Tensor) -> int:
        self._capture.graph.outputs.append(self._capture.number_of(tensor))
        return len(self._capture.graph.outputs) - 1

    def _describe(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, Tensor):
            place = next((p for p, t in enumerate(self._capture.arguments) if t is value), None)
            if place is not None:
                return ("argument", place)
            live = None
            if isinstance(value._node, Node) and id(value._node) not in self._capture.consumed:
                live = len(self._live)
                self._live.append(value)
            return ("tensor", self._give_back(value), value._kind, live)
        if isinstance(value, (list, tuple)):
            kind = type(value)
            build = (lambda parts: kind(*parts)) if hasattr(value, "_fields") else kind
            return ("sequence", build, [self._describe(each) for each in value])
        if isinstance(value, dict):
            return ("dict", {name: self._describe(each) for name, each in value.items()})
        return ("constant", value)

    def _note_writes(self) -> None:
        capture = self._capture
        arguments = {id(t): place for place, t in enumerate(capture.arguments)}
        assigned = {step.inputs[0] for step in capture.graph.steps if step.op.name == "assign"}
        changed = {id(capture.alive[number]) for number in assigned if number is not None}
        for tensor, before in capture.externals:
            if tensor._array is not before or id(before) in changed:
                source: Source = arguments.get(id(tensor), lambda held=tensor: held)
                place = -1 if tensor._array is before else self._give_back(tensor)
                self.writes.append((source, place, tensor._kind))

    def holds(self) -> bool:
        """Whether everything it was recorded for is still so."""
        for source, kind, shape, needs_grad in self.shapes:
            tensor = source()
            if tensor is None or tensor._kind is not kind or tuple(tensor._array.shape) != shape:
                return False
            if (tensor._node is not None) is not needs_grad:
                return False
        return all(snapshot() == value for snapshot, value in self.guards)

    def replay(self, arguments: list[Tensor]) -> Any:
        """Run the program on the arguments and on what it reads from outside."""
        now = clock.now
        results = self.program([_resolve(source, arguments)._array for source in self.sources])
        for source, place, kind in self.writes:
            tensor = _resolve(source, arguments)
            mark_changed(tensor, "a compiled function")
            if place >= 0:
                tensor._array, tensor._kind = results[place], kind
        for leaf, place, kind in self.gradients:
            leaf.grad = None if place < 0 else wrap(results[place], kind)
        node = None
        if self.backward is not None:
            node = ReplayNode(self.backward, results[len(results) - len(self.backward.saved) :], arguments, now)
        return self._build(self.structure, results, arguments, node)

    def _build(self, structure: tuple[Any, ...], results: list[Any], arguments: list[Tensor], node: Any) -> Any:
        what, *rest = structure
        if what == "tensor":
            out = wrap(results[rest[0]], rest[1])
            if rest[2] is not None:
                out._node = SelectNode(node, rest[2], out._array.shape, out._kind)
            return out
        if what == "argument":
            return arguments[rest[0]]
        if what == "sequence":
            return rest[0]([self._build(each, results, arguments, node) for each in rest[1]])
        if what == "dict":
            return {name: self._build(each, results, arguments, node) for name, each in rest[0].items()}
        return rest[0]


class _Continuation(Capture):
    """Records a backward pass; values of the forward run it uses become inputs by their numbers there."""

    def __init__(self, cotangents: list[Tensor], forward: Capture) -> None:
        super().__init__(cotangents)
        self.forward = forward
        #: (number here, number in the forward graph)
        self.taken: dict[int, int] = {}

    def number_of(self, tensor: Tensor) -> int:
        known = self.forward.numbers.get(id(tensor._array))
        if known is not None and id(tensor._array) not in self.numbers:
            number = self._number(tensor._array)
            self.taken[number] = known
            return number
        return super().number_of(tensor)


class Backward:
    """The backward pass of a recording whose results require grad.

    Attributes:
        saved: numbers in the forward graph of the values it needs.
        sources: the tensors that get gradients.
    """

    def __init__(self, forward: Capture, outputs: list[Tensor]) -> None:
        from tensorcore.autograd.engine import grad
        from tensorcore.ops.creation import zeros_like

        arguments = {id(t): place for place, t in enumerate(forward.arguments)}
        wanted: list[Tensor] = []
        self.sources: list[Source] = []
        for tensor, _ in forward.externals:
            node = tensor._node
            if node is LEAF or (isinstance(node, Node) and node.sequence < forward.start):
                wanted.append(tensor)
                self.sources.append(arguments.get(id(tensor), lambda held=tensor: held))  # type: ignore[misc]
        cotangents = [zeros_like(out).detach() for out in outputs]
        capture = _Continuation(cotangents, forward)
        with recording(capture):
            found = grad(outputs, wanted, cotangents, retain_graph=True, allow_unused=True)
        graph = capture.graph
        self.places = [None if g is None else self._output(capture, g) for g in found]
        self.kinds = tuple(out._kind for out in outputs)
        self.shapes = tuple(tuple(out._array.shape) for out in outputs)
        self.gradient_kinds = [None if g is None else g._kind for g in found]
        self.constants = capture.sources[len(cotangents) :]
        self.saved = list(capture.taken.values())
        #: Whether the values of these tensors, not only their gradients, are needed.
        self.reads = [forward.numbers[id(tensor._array)] in self.saved for tensor in wanted]
        graph.inputs.extend(capture.taken)
        if capture.reason is not None:
            forward.give_up(capture.reason)
        self.program = forward.graph.steps[0].kinds[0].backend.lower(graph)

    @staticmethod
    def _output(capture: Capture, tensor: Tensor) -> int:
        capture.graph.outputs.append(capture.number_of(tensor))
        return len(capture.graph.outputs) - 1


class ReplayNode(Node):
    """The step of a replayed function in the autograd graph."""

    __slots__ = ("arrays", "clock", "plan", "released", "watched")

    def __init__(self, plan: Backward, arrays: list[Any], arguments: list[Tensor], now: int) -> None:
        self.plan = plan
        self.arrays = arrays
        self.clock = max(now, clock.now)
        self.sequence = next_sequence()
        self.hooks = None
        self.post_hooks = None
        self.overwritten = None
        self.released = False
        self.kind = plan.kinds
        self.shape = plan.shapes
        self.watched = [_resolve(source, arguments) for source in plan.sources]
        self.edges = tuple(t if t._node is LEAF else t._node for t in self.watched)

    def name(self) -> str:
        return "CompiledBackward"

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...]:
        if create_graph:
            raise RuntimeError(
                "a compiled function has no second derivative: call the function uncompiled for create_graph"
            )
        if self.released:
            raise RuntimeError(
                "compiled function: backward through the graph a second time: what it saved was freed by the first; "
                "pass retain_graph=True there"
            )
        for tensor, read in zip(self.watched, self.plan.reads, strict=True):
            mark = root_of(tensor)._changed
            if read and mark is not None and mark[0] > self.clock:
                raise InplaceError(
                    f"compiled function: an operand of shape {list(tensor.shape)} was changed in place by "
                    f"{described(mark)} "
                    "before backward; change a copy"
                )
        plan = self.plan
        given = [cotangent[place]._array for place in range(len(plan.kinds))]
        constants = [_resolve(source, [])._array for source in plan.constants]
        results = plan.program([*given, *constants, *self.arrays])
        return tuple(
            None if place is None or kind is None else wrap(results[place], kind)
            for place, kind in zip(plan.places, plan.gradient_kinds, strict=True)
        )

    def release(self) -> None:
        self.released = True
        self.arrays = []
