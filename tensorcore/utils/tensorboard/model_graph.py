"""The ops of a model, grouped by its modules, for TensorBoard's graph view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tensorcore.autograd import graph
from tensorcore.errors import ArgumentError
from tensorcore.tensor import Tensor
from tensorcore.utils.tensorboard.protocol import messages

__all__ = ["graph_of"]


def graph_of(model: Any, inputs: Any) -> Any:
    """The graph of one call of ``model``, as the message ``GraphDef``: ops, parameters and inputs.

    What is shown is what autograd records, so ops without gradients (comparisons, indices) are not.

    Raises:
        ArgumentError: where nothing of the output depends on parameters or floating-point inputs.
    """
    found = _Call(model)
    given = inputs if isinstance(inputs, tuple | list) else (inputs,)
    leaves = [_leaf(each) for each in given]
    outputs = found.run(leaves)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    names |= {id(leaf): f"input_{place}" for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)}
    return _Drawing(found.scopes, names).draw(outputs)


def _leaf(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    made = value.detach().clone()
    if made.is_floating_point() or made.is_complex():
        made.requires_grad_(True)
    return made


class _Call:
    """A call of a model that notes which module each node is made in."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.scopes: dict[int, str] = {}
        #: Nodes are kept, so that no id is reused.
        self.nodes: list[Any] = []
        self.path: list[str] = [type(model).__name__]

    def run(self, inputs: list[Any]) -> list[Tensor]:
        """The tensors that come out."""
        handles = []
        for name, module in self.model.named_modules():
            if name:
                label = f"{type(module).__name__}[{name.rpartition('.')[2]}]"
                handles.append(module.register_forward_pre_hook(lambda *_, label=label: self.path.append(label)))
                handles.append(module.register_forward_hook(lambda *_: self._leave()))
        graph.watchers.append(self._note)
        try:
            return list(_tensors(self.model(*inputs)))
        finally:
            graph.watchers.remove(self._note)
            for handle in handles:
                handle.remove()

    def _leave(self) -> None:
        self.path.pop()

    def _note(self, node: Any) -> None:
        self.nodes.append(node)
        self.scopes[id(node)] = "/".join(self.path)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)


def _key(node: Any) -> int:
    """What a node of autograd is told by: those of leaves are made anew whenever they are asked for."""
    return id(getattr(node, "variable", node))


class _Drawing:
    """The message being made."""

    def __init__(self, scopes: dict[int, str], names: dict[int, str]) -> None:
        self.scopes = scopes
        self.names = names
        self.made: dict[int, Any] = {}
        self.used: dict[str, int] = {}
        self.m = messages()
        self.nodes: list[Any] = []

    def draw(self, outputs: list[Tensor]) -> Any:
        """The graph below ``outputs``."""
        ends = [each for each in outputs if each.grad_fn is not None]
        if not ends:
            raise ArgumentError("add_graph: no output depends on parameters or inputs through ops that have gradients")
        for place, output in enumerate(ends):
            end = self._node(f"output_{place}", "IO Node", tuple(output.shape))
            end.input.append(self._of(output.grad_fn))
        waiting: list[Any] = [output.grad_fn for output in ends]
        seen: dict[int, Any] = {}
        while waiting:
            node = waiting.pop()
            if _key(node) in seen:
                continue
            seen[_key(node)] = node
            for below, place in node.next_functions:
                if below is None:
                    continue
                name = self._of(below)
                self.made[_key(node)].input.append(f"{name}:{place}" if place else name)
                waiting.append(below)
        versions = self.m.VersionDef(producer=22)
        return self.m.GraphDef(node=self.nodes, versions=versions)

    def _of(self, node: Any) -> str:
        """The name of a node of autograd, which is drawn when first met."""
        known = self.made.get(_key(node))
        if known is None:
            variable = getattr(node, "variable", None)
            if variable is not None:
                name = self.names.get(id(variable), "tensor")
                kind = "IO Node" if name.startswith("input_") else "Parameter"
                known = self._node(name.replace(".", "/"), kind, tuple(variable.shape))
            else:
                title = node.name().partition("Backward")[0]
                shape = node.shape if not isinstance(node.kind, tuple) else node.shape[0]
                known = self._node(f"{self.scopes.get(id(node), '')}/{title}".lstrip("/"), title, tuple(shape))
            self.made[_key(node)] = known
        return str(known.name)

    def _node(self, name: str, op: str, shape: tuple[int, ...]) -> Any:
        count = self.used[name] = self.used.get(name, -1) + 1
        m = self.m
        sides = m.TensorShapeProto(dim=[m.TensorShapeProto.Dim(size=side) for side in shape])
        shapes = m.AttrValue(list=m.AttrValue.ListValue(shape=[sides]))
        made = m.NodeDef(name=f"{name}_{count}" if count else name, op=op, attr={"_output_shapes": shapes})
        self.nodes.append(made)
        return made
