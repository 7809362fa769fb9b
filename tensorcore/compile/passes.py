"""Passes over a graph: each takes the steps and returns better ones that compute the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorcore.compile.graph import Graph, Step


def write_in_place(graph: Graph) -> list[Step]:
    """Let an op whose results are only assigned write them where they go, where the backend has such a kernel.

    ``v5 = add(v1, v2); v1 = assign(v1, v5)`` becomes ``add(v1, v2, out=v1)``. The assignments must follow the op at
    once, so that nothing can read the targets, or a view of them, in between.
    """
    uses: dict[int, int] = {number: 2 for number in graph.outputs}
    for step in graph.steps:
        for number in step.inputs:
            if number is not None:
                uses[number] = uses.get(number, 0) + 1
    steps: list[Step] = []
    place = 0
    while place < len(graph.steps):
        step = graph.steps[place]
        into = _targets(step, graph.steps[place + 1 : place + 1 + len(step.outputs)], uses)
        writer = None if into is None else step.kinds[0].writer(step.op)
        if writer is None:
            steps.append(step)
            place += 1
        else:
            steps.append(replace(step, kernel=writer, outputs=(), into=into))
            place += 1 + len(step.outputs)
    return steps


def _targets(step: Step, following: list[Step], uses: dict[int, int]) -> tuple[int, ...] | None:
    """Where the steps right behind ``step`` assign its results, if that is all that is done with them."""
    if step.op.name == "assign" or len(following) < len(step.outputs) or not step.inputs:
        return None
    targets = []
    for number, kind, assignment in zip(step.outputs, step.kinds, following, strict=True):
        target = assignment.inputs[0] if assignment.op.name == "assign" else None
        if target is None or assignment.inputs[1] != number or uses[number] != 1 or assignment.kinds[0] is not kind:
            return None
        if kind is not step.kinds[0]:
            return None
        targets.append(target)
    return tuple(targets)
