"""Recorded programs as one program of XLA: `jax.jit` of the graph's steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from tensorcore.errors import DimensionError
from tensorcore.random.ticket import Ticket

if TYPE_CHECKING:
    from tensorcore.backend.contract import Array
    from tensorcore.compile.graph import Graph, Program, Step
    from tensorcore_array_api.jax_arrays import JaxBackend

#: Kernels whose result's shape depends on values, which no program of XLA can hold.
_UNTRACEABLE = frozenset(("nonzero_places",))


def lowered(backend: JaxBackend, graph: Graph, interpreted: Callable[[Graph], Program]) -> Program:
    """``graph`` compiled; run step by step where a step cannot be, or its arrays are on another device."""
    for step in graph.steps:
        draws = step.op.name != "random_words" and any(isinstance(each, Ticket) for each in step.attributes.values())
        if draws or step.op.name in _UNTRACEABLE or any(kind.backend is not backend for kind in step.kinds):
            return interpreted(graph)
    return _Program(backend, graph)


class _Program:
    """One call runs the graph.

    Numbers drawn on the host enter as arguments, so each run has fresh ones. Indices out of range cannot raise inside;
    the program returns whether there were any.
    """

    def __init__(self, backend: JaxBackend, graph: Graph) -> None:
        self._backend = backend
        self._graph = graph
        self._draws = [step for step in graph.steps if step.op.name == "random_words"]
        self._plan = [(step, step.op.name == "random_words") for step in graph.steps]
        self._run = jax.jit(self._trace)

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        drawn = [self._draw(step) for step in self._draws]
        outputs, violated = self._run(list(arrays), drawn)
        if violated is not None and bool(violated):
            names = sorted({step.op.name for step in self._graph.steps} & {"index", "index_put", "gather", "scatter"})
            raise DimensionError(
                f"compile: an index is out of range in {' or '.join(names)}; call the function uncompiled to see which"
            )
        return outputs

    def _draw(self, step: Step) -> Array:
        attributes = dict(step.attributes)
        attributes["ticket"] = attributes["ticket"].renew()
        return self._backend.random_words(**attributes)

    def _trace(self, arrays: list[Array], drawn: list[Array]) -> tuple[list[Array], Array | None]:
        values: list[Any] = [None] * self._graph.size
        for number, array in zip(self._graph.inputs, arrays, strict=True):
            values[number] = array
        fresh = iter(drawn)
        tracing = self._backend._tracing
        before, tracing.violations = tracing.violations, []
        try:
            for step, draws in self._plan:
                if draws:
                    values[step.outputs[0]] = next(fresh)
                    continue
                made = step.kernel(*[None if n is None else values[n] for n in step.inputs], **step.attributes)
                for number, array in zip(step.outputs, made if len(step.outputs) > 1 else (made,), strict=True):
                    values[number] = array
            violations = tracing.violations
        finally:
            tracing.violations = before
        outputs = [values[number] for number in self._graph.outputs]
        return outputs, jnp.any(jnp.stack(violations)) if violations else None
