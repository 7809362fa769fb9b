"""Gradient rules as straight programs of kernels.

A rule is written in ops on tensors. For operands of given kinds and shapes it calls the same kernels in the same order
each time, so once it has run for them, its second run is recorded (`tensorcore.compile.capture`) and becomes a function
that calls these kernels on arrays: what the rule spends on tensors, dispatch and checks is spent once. What cannot be
replayed so, or must be seen (second derivatives, hooks on saved tensors, profilers), runs by the rule as written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.graph import FREED, OpNode, clock

if TYPE_CHECKING:
    from tensorcore.autograd.graph import Plan
    from tensorcore.compile.capture import Capture
    from tensorcore.compile.graph import Step
    from tensorcore.ops.record import Op, Reads

#: ``pull(cotangent, node)``: the cotangents of the operands.
Pull = Callable[[Any, OpNode], Any]

#: Of so many signatures a plan keeps programs; a program whose shapes change at every step must not fill the memory.
_MOST: Final = 64
#: Elements beyond which nothing is to be gained, and the copies that recording takes would be felt.
_LARGEST: Final = 1 << 18


def by_rule(cotangent: Any, node: OpNode, *_: Any) -> Any:
    """The gradient rule as written."""
    return node.backward(cotangent, False)


def pull_of(op: Op, plan: Plan, needed: tuple[bool, ...]) -> Pull:
    """How the nodes of ``op`` whose operands need gradients as ``needed`` says run their rules."""
    if op.outputs != 1 or op.variadic or op.random:
        return by_rule
    reads = [
        each
        for place, each in enumerate(op.reads)
        if each and (callable(op.vjp) or needed[place : place + 1] != (False,))
    ]
    operands, parts = _signature(op, reads, len(needed))
    programs: dict[Any, Any] = {}
    head = ""
    if operands or plan.output:
        head = (
            "    inputs = node.inputs\n"
            "    if inputs is FREED or node.overwritten is not None:\n"
            "        return node.backward(g, False)\n"
            "    if clock.now != node.clock:\n"
            "        node._raise_if_stale(False)\n"
        )
        head += "".join(f"    x{place} = inputs[{place}]\n" for place in operands)
    given = "".join(f", x{place}" for place in operands)
    text = (
        "def pull(g, node):\n"
        f"{head}"
        "    try:\n"
        f"        key = (node.kind, {', '.join(parts)})\n"
        "        program = known(key)\n"
        "    except AttributeError:\n"
        "        # An operand was left out.\n"
        "        return node.backward(g, False)\n"
        "    except TypeError:\n"
        "        # An attribute that is no key, such as a slice: by the rule from now on.\n"
        "        node.plan.pull = by_rule\n"
        "        return node.backward(g, False)\n"
        f"    return learn(key, g, node{given}) if program is None else program(g, node{given})\n"
    )
    learner = _Learner(programs, operands)
    return _defined(text, "pull", FREED=FREED, clock=clock, known=programs.get, learn=learner, by_rule=by_rule)


def _signature(op: Op, reads: Iterable[Reads], count: int) -> tuple[list[int], list[str]]:
    """The operands that rules read, and the expressions of all that a program depends on."""
    index = {name: place for place, name in enumerate(op.operands)}
    operands = sorted({place for each in reads for place in each.inputs if place < count})
    names = {name for each in reads for name in each.names}
    parts = ["g._array.shape", *(f"x{place}._array.shape" for place in operands)]
    if "y" in names:
        parts.append("node.shape")
    for name in sorted(names - index.keys() - {"g", "y", "needs"}):
        base = name.removesuffix("_shape")
        if base != name and base in index:
            parts.append(f"node.shapes[{index[base]}]")
        else:
            parts.append(f"node.attributes[{name!r}].__class__, node.attributes[{name!r}]")
    return operands, parts


class _Learner:
    """Notes what rules do for signatures that come again."""

    def __init__(self, programs: dict[Any, Any], operands: list[int]) -> None:
        self.programs = programs
        self.operands = operands
        self.met: set[Any] = set()

    def __call__(self, key: tuple[Any, ...], g: Any, node: OpNode, *read: Any) -> Any:
        kind = node.kind
        if g._kind is not kind or kind.level is not None or kind.sparse or not _is_told_apart(key):
            return node.backward(g, False)
        if key not in self.met:
            if len(self.met) >= _MOST:
                self.met.clear()
                self.programs.clear()
            self.met.add(key)
            return node.backward(g, False)
        if max([math.prod(x._array.shape) for x in (g, *read)]) > _LARGEST:
            self.programs[key] = by_rule
            return node.backward(g, False)
        self.programs[key] = program = _noted(g, node, self.operands)
        # What was noted ran on copies, whose layout may differ, and with it the last bits.
        return program(g, node, *read)


def _is_told_apart(key: tuple[Any, ...]) -> bool:
    # Zeros of either sign are equal as keys, and NaN is unequal to itself.
    return not any([isinstance(part, (float, complex)) and (not part or part != part) for part in key])


def _noted(g: Any, node: OpNode, operands: list[int]) -> Any:
    """The program that does what the rule of ``node`` does."""
    from tensorcore.compile.capture import Capture, recording
    from tensorcore.ops.record import REGISTRY
    from tensorcore.tensor import wrap

    clone = REGISTRY["clone"].front
    kept, output = node.inputs, node.output
    # Arrays are told apart by identity: one that serves twice, or as a shared constant, is noted by copies.
    fresh = None if kept is None else tuple([None if x is None else clone(x) for x in kept])
    cotangent = clone(g)
    arguments = [cotangent, *(fresh[place] for place in operands)]  # type: ignore[index]
    if output is not None:
        arguments.append(clone(wrap(output, node.kind)))
    node.inputs = fresh
    node.output = None if output is None else arguments[-1]._array
    try:
        capture = Capture(arguments)
        with recording(capture):
            results = node.backward(cotangent, False)
    finally:
        node.inputs, node.output = kept, output
    try:
        return _Writer(capture, arguments, operands, output is not None).program(results)
    except _UnfitError:
        return by_rule


class _UnfitError(Exception):
    """The record of a rule cannot be replayed on other arrays."""


class _Writer:
    """Writes the function that replays a record."""

    def __init__(self, capture: Capture, arguments: list[Any], operands: list[int], output: bool) -> None:
        if capture.reason is not None or capture.written or capture.guards:
            raise _UnfitError
        self.capture = capture
        self.arguments = arguments
        names = ["g._array", *(f"x{place}._array" for place in operands), *(["node.output"] if output else [])]
        self.tensors = ["g", *(f"x{place}" for place in operands)]
        self.constants: dict[str, Any] = {}
        self.values: dict[int, str] = {}
        #: The value in whose memory another one lies.
        self.roots: dict[int, int] = {}
        for number, source in zip(capture.graph.inputs, capture.sources, strict=True):
            self.roots[number] = number
            if isinstance(source, int):
                self.values[number] = names[source]
            else:
                self.values[number] = self._constant(source)
        self.given = set(capture.graph.inputs)

    def _constant(self, source: Callable[[], Any]) -> str:
        tensor = source()
        # What is shared between uses never changes; of other tensors from outside nothing is known.
        if not any(tensor is each for each in tensor._kind.scalars.values()):
            raise _UnfitError
        return self._bound("c", tensor._array)

    def _bound(self, letter: str, value: Any) -> str:
        name = f"{letter}{len(self.constants)}"
        self.constants[name] = value
        return name

    def program(self, results: Any) -> Any:
        """A function of the cotangent, the node and the operands read that gives what the rule gives."""
        lines = [f"    if {' or '.join(self._checks())}:", "        return node.backward(g, False)", "    try:"]
        lines.extend(f"        {line}" for step in self._steps(results) for line in step)
        if lines[-1] == "    try:":
            lines.pop()
        else:
            lines += ["    except Exception:", "        return node.backward(g, False)"]
        given = "".join(f", {name}" for name in self.tensors[1:])
        back = self._results(results)
        lines.extend(f"    {line}" for line in back)
        text = f"def program(g, node{given}):\n" + "\n".join(lines) + "\n"
        from tensorcore.tensor import Tensor

        return _defined(text, "program", new=object.__new__, Tensor=Tensor, **self.constants)

    def _checks(self) -> Iterable[str]:
        for name, tensor in zip(self.tensors, self.arguments, strict=False):
            yield f"{name}._kind is not {self._bound('k', tensor._kind)}"

    def _steps(self, results: Any) -> Iterable[list[str]]:
        steps = self.capture.graph.steps
        last: dict[int, int] = {}
        for place, step in enumerate(steps):
            for number in (*step.inputs, *step.outputs):
                if number is not None:
                    last[number] = place
        for result in results:
            if result is not None:
                last[self._number(result)] = len(steps)
        names = (f"v{number}" for number in count())
        for place, step in enumerate(steps):
            yield self._step(step, [n for n, at in last.items() if at == place], names)

    def _step(self, step: Step, dying: list[int], names: Any) -> list[str]:
        if step.into is not None or step.op.random or step.op.name == "assign":
            raise _UnfitError
        operands = ["None" if number is None else self.values[number] for number in step.inputs]
        attributes = [f"{name}={self._attribute(value)}" for name, value in step.attributes.items()]
        call = f"{self._bound('f', step.kernel)}({', '.join([*operands, *attributes])})"
        # A value that is not needed any more leaves its name, and its memory, to the next.
        free = [self.values[n] for n in dying if n in self.values and n not in self.given]
        made = []
        for number in step.outputs:
            if number in self.roots:
                raise _UnfitError
            first = step.inputs[0] if step.op.view and step.inputs else None
            self.roots[number] = number if first is None else self.roots[first]
            self.values[number] = free.pop() if free else next(names)
            made.append(self.values[number])
        lines = [f"{', '.join(made)} = {call}"]
        if len(made) == 1:
            kind = step.kinds[0]
            if kind.array_type is not object:
                lines.append(f"if {made[0]}.__class__ is not {self._bound('t', kind.array_type)}:")
                lines.append(f"    {made[0]} = {self._bound('a', kind.as_array)}({made[0]})")
        lines.extend(f"{name} = None" for name in free)
        return lines

    def _attribute(self, value: Any) -> str:
        from tensorcore.random.ticket import Ticket
        from tensorcore.tensor import Tensor

        if isinstance(value, (Tensor, Ticket)):
            raise _UnfitError
        return repr(value) if value is None or value is True or value is False else self._bound("p", value)

    def _number(self, result: Any) -> int:
        try:
            return self.capture.numbers[id(result._array)]
        except (KeyError, AttributeError):
            raise _UnfitError from None

    def _results(self, results: Any) -> list[str]:
        lines, back, owned = [], [], set()
        for place, result in enumerate(results):
            if result is None:
                back.append("None")
                continue
            if result is self.arguments[0]:
                back.append("g")
                continue
            number = self._number(result)
            root = self.roots[number]
            view = "None"
            if root in self.given:
                # A view of the cotangent says so; one of what the node keeps must not be added into.
                if number in self.given or self.values[root] != "g._array" or result._view is None:
                    raise _UnfitError
                view = f"(g, {self._bound('o', result._view[1])}, {self._bound('w', result._view[2])})"
            elif root in owned:
                raise _UnfitError
            elif result._view is not None:
                # Stretched, its elements share memory: it must not be added into, either.
                view = self._bound("w", result._view)
            owned.add(root)
            name = f"r{place}"
            lines += [
                f"{name} = new(Tensor)",
                f"{name}._array = {self.values[number]}",
                f"{name}._kind = {self._bound('k', result._kind)}",
                f"{name}._node = None",
                f"{name}._view = {view}",
            ]
            back.append(name)
        return [*lines, f"return ({', '.join(back)},)"]


def _defined(text: str, name: str, **given: Any) -> Any:
    exec(compile(text, f"<{name}>", "exec"), given)
    return given[name]
