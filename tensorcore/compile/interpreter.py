"""The default `Backend.lower`: a graph run step by step with the kernels that eager execution would use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.compile.passes import write_in_place
from tensorcore.random.ticket import Ticket

if TYPE_CHECKING:
    from tensorcore.backend.contract import Array
    from tensorcore.compile.graph import Graph, Step


class Interpreter:
    """Runs a graph with the kernels recorded, dropping each value after its last use."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        steps = write_in_place(graph)
        last: dict[int, int] = {}
        for place, step in enumerate(steps):
            for number in (*step.inputs, *step.outputs, *(step.into or ())):
                if number is not None:
                    last[number] = place
        kept = {*graph.outputs, *graph.inputs}
        self.plan = [
            (step, _draws(step), tuple(n for n, at in last.items() if at == place and n not in kept))
            for place, step in enumerate(steps)
        ]

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        values: list[Any] = [None] * self.graph.size
        for number, array in zip(self.graph.inputs, arrays, strict=True):
            values[number] = array
        for step, draws, dead in self.plan:
            attributes = step.attributes
            if draws:
                attributes = {n: v.renew() if isinstance(v, Ticket) else v for n, v in attributes.items()}
            if step.into is not None:
                out = [values[n] for n in step.into]
                step.kernel(
                    *[None if n is None else values[n] for n in step.inputs],
                    out=out[0] if step.op.outputs == 1 else out,
                    **attributes,
                )
                for number in dead:
                    values[number] = None
                continue
            made = step.kernel(*[None if n is None else values[n] for n in step.inputs], **attributes)
            if step.op.outputs == 1:
                kind = step.kinds[0]
                values[step.outputs[0]] = made if type(made) is kind.array_type else kind.as_array(made)
            else:
                for number, array in zip(step.outputs, made, strict=True):
                    values[number] = array
            for number in dead:
                values[number] = None
        return [values[number] for number in self.graph.outputs]


def _draws(step: Step) -> bool:
    return any(isinstance(value, Ticket) for value in step.attributes.values())
