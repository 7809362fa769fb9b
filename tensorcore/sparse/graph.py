"""Steps of the autograd graph between sparse tensors and their values.

Sparse ops are written in dense ones on the values: `values_of` leads from a sparse tensor into its values,
`with_values` and `from_values` back. Each is one step with the other as its gradient, so derivatives of any order
follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.autograd.graph import LEAF, Node, clock, current_node
from tensorcore.autograd.mode import mode
from tensorcore.autograd.sequence import next_sequence
from tensorcore.compile.capture import reading
from tensorcore.dtypes import FLOATING
from tensorcore.sparse.arrays import Coordinates, coordinates, flattened, wrapped
from tensorcore.tensor import Tensor

__all__ = ["Step", "from_values", "recorded", "values_at", "values_of", "with_values", "without_graph"]

Rule = Callable[[Any], Any]


class Step(Node):
    """One step with one output; ``rule(g)`` gives the cotangents of its operands."""

    __slots__ = ("clock", "rule", "shown")

    def __init__(self, shown: str, inputs: Sequence[Tensor], rule: Rule, out: Tensor) -> None:
        self.shown = shown
        self.rule: Rule | None = rule
        self.kind = out._kind
        self.shape = out._array.shape
        self.clock = clock.now
        self.hooks = None
        self.post_hooks = None
        self.overwritten = None
        nodes = [current_node(x) for x in inputs]
        self.edges = tuple([x if node is LEAF else node for x, node in zip(inputs, nodes, strict=True)])
        self.sequence = next_sequence()

    def name(self) -> str:
        return self.shown

    def backward(self, cotangent: Any, create_graph: bool) -> tuple[Any, ...]:
        if self.rule is None:
            raise RuntimeError(
                f"{self.shown}: backward through the graph a second time: what it saved was freed by the first "
                "backward; pass retain_graph=True there to keep it"
            )
        results = self.rule(cotangent)
        return results if isinstance(results, tuple) else (results,)

    def release(self) -> None:
        self.rule = None


def recorded(shown: str, inputs: Sequence[Tensor], out: Tensor, rule: Rule) -> Tensor:
    """``out``, made of ``inputs`` by a step called ``shown``, with a node where one is needed."""
    if mode.grad and out._kind.dtype.category >= FLOATING and any(x._node is not None for x in inputs):
        out._node = Step(shown, inputs, rule, out)
    return out


class without_graph:  # noqa: N801 - used as a statement
    """Leave the graph for a block."""

    def __enter__(self) -> None:
        self.before = mode.grad
        mode.grad = False

    def __exit__(self, *exc: object) -> None:
        mode.grad = self.before


def values_of(x: Tensor, shown: str = "ValuesBackward0") -> Tensor:
    """The values of a sparse tensor as a dense tensor in its graph."""
    array: Any = x._array
    reading(x, "the use of a sparse tensor")
    return recorded(shown, (x,), array.values.detach(), lambda g: with_values(x, g))


def with_values(x: Tensor, values: Tensor, shown: str = "SparseCooTensorWithDimsAndTensorsBackward0") -> Tensor:
    """A sparse tensor with the places of ``x`` and other values."""
    array: Any = x._array
    out = wrapped(array.with_values(values.detach()))
    return recorded(shown, (values,), out, lambda g: values_at(g, out))


def from_values(
    indices: Tensor, values: Tensor, shape: Sequence[int], coalesced: bool = False,
    shown: str = "SparseCooTensorWithDimsAndTensorsBackward0",
) -> Tensor:  # fmt: skip
    """A COO tensor of values in the graph."""
    out = coordinates(indices, values.detach(), tuple(shape), coalesced)
    return recorded(shown, (values,), out, lambda g: values_at(g, out))


def values_at(source: Tensor, pattern: Tensor) -> Tensor:
    """The elements of ``source``, dense or sparse, at the places of the sparse tensor ``pattern``; zeros elsewhere."""
    from tensorcore.sparse.conversion import as_coordinates, coalesced, to_coo

    where: Any = as_coordinates(pattern)._array
    sides, places = where.sides, flattened(where.indices, where.sides) if where.sides else None
    if not source._kind.sparse:
        if places is None:
            return source.unsqueeze(0).expand((where.values.shape[0], *source.shape))
        if source.shape != where.shape:
            source = source.expand(where.shape)
        return source.reshape((-1, *where.shape[len(sides) :])).index_select(0, places)
    found: Any = to_coo(source)
    array: Coordinates = found._array
    if _same_places(array, where):
        return values_of(found)
    if array.indices.shape[0] != len(sides):
        from tensorcore.sparse.conversion import to_dense

        return values_at(to_dense(found), pattern)
    found = coalesced(found)
    array, values = found._array, values_of(found)
    if not values.shape[0] or places is None:
        return values.sum(0, keepdim=True).expand(where.values.shape) if places is None else where.values * 0
    from tensorcore.ops.searching import searchsorted

    held = flattened(array.indices, sides)
    at = searchsorted(held, places).clamp(max=held.shape[0] - 1)
    hit = held.index_select(0, at) == places
    picked = values.index_select(0, at)
    return picked.where(hit.reshape((-1, *(1,) * (picked.ndim - 1))), picked.new_zeros(()))


def _same_places(one: Any, other: Any) -> bool:
    """Whether the coordinates of two arrays are the same tensor, each place once or in the same order."""
    return one.indices is other.indices and one.coalesced
