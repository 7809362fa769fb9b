"""What is drawn of an autograd graph: boxes and arrows, found without recursion."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tensorcore.autograd.edges import saved_names
from tensorcore.autograd.graph import FREED, Node, OpNode, SelectNode
from tensorcore.tensor import Tensor

__all__ = ["Box", "Drawing", "collect"]

#: What a box stands for.
OP, LEAF, PARAMETER, OUTPUT, SAVED = "op", "leaf", "parameter", "output", "saved"
#: A leaf used by more ops than this is drawn once for each.
_MOST_USES: Final = 3


@dataclass
class Box:
    """One box: what it stands for, and the lines in it."""

    kind: str
    lines: list[str]


@dataclass
class Drawing:
    """Boxes by number, and arrows from operand to result, as pairs of numbers with a text."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, kind: str, *lines: str) -> int:
        """Add a box and return its number."""
        self.boxes.append(Box(kind, [line for line in lines if line]))
        return len(self.boxes) - 1


def _shape(shape: Any) -> str:
    return "×".join(map(str, shape)) if len(shape) else "scalar"


def _title(node: Node) -> str:
    """What the user called: the op, or the custom function."""
    return node.op.name if isinstance(node, OpNode) else re.sub(r"Backward\d*$", "", node.name())


def collect(outputs: Iterable[Tensor], names: Mapping[int, str], saved: bool, limit: int) -> Drawing:
    """The graph below ``outputs``; leaves are called what ``names`` has by their id.

    Raises:
        ValueError: for an output without a graph, and for a graph of more than ``limit`` nodes.
    """
    drawing = Drawing()
    numbers: dict[int, int] = {}
    order: list[Any] = []
    waiting: list[Any] = []

    def number_of(edge: Any) -> int:
        node = edge.owner if isinstance(edge, SelectNode) else edge
        known = numbers.get(id(node))
        if known is not None:
            return known
        if isinstance(node, Node):
            if len(order) >= limit:
                raise ValueError(
                    f"viz.graph: the graph has more than {limit} nodes, too many to read; draw the loss of a part of "
                    "the model or of fewer steps, or give a higher max_nodes"
                )
            shapes = node.shape if isinstance(node.kind, tuple) else (node.shape,)
            shown = _shape(shapes[0]) if len(shapes) == 1 else f"{len(shapes)} outputs"
            made = drawing.add(OP, _title(node), shown)
            order.append(node)
            waiting.append(node)
        else:
            name = names.get(id(node), "")
            made = drawing.add(PARAMETER if name else LEAF, name or "leaf", _shape(node.shape))
        numbers[id(node)] = made
        return made

    for place, output in enumerate(outputs):
        if output._node is None:
            raise ValueError(f"viz.graph: output {place}, of shape {list(output.shape)}, has no graph to draw")
        edge = output._node if isinstance(output._node, Node) else output
        shown = drawing.add(OUTPUT, names.get(id(output), "") if edge is not output else "output", _shape(output.shape))
        if len(drawing.boxes[shown].lines) == 1:
            drawing.boxes[shown].lines.insert(0, "output")
        drawing.arrows.append((number_of(edge), shown, ""))
    while waiting:
        node = waiting.pop()
        own = numbers[id(node)]
        for edge in node.edges:
            if edge is not None:
                text = str(edge.index or "") if isinstance(edge, SelectNode) else ""
                drawing.arrows.append((number_of(edge), own, text))
        if saved:
            for label in _saved(node):
                drawing.arrows.append((drawing.add(SAVED, *label), own, ""))
    _repeat_leaves(drawing)
    return drawing


def _repeat_leaves(drawing: Drawing) -> None:
    """Draw a leaf that many ops use, as a weight of a recurrent network, at each of them."""
    uses: dict[int, int] = {}
    for start, _, _ in drawing.arrows:
        uses[start] = uses.get(start, 0) + 1
    taken: set[int] = set()
    for place, (start, end, text) in enumerate(drawing.arrows):
        box = drawing.boxes[start]
        if box.kind in (LEAF, PARAMETER) and uses[start] > _MOST_USES:
            if start in taken:
                drawing.arrows[place] = (drawing.add(box.kind, *box.lines), end, text)
            taken.add(start)


def _saved(node: Node) -> list[tuple[str, str]]:
    """(name, shape) of the tensors that a node keeps for backward."""
    if not isinstance(node, OpNode) or node.inputs is FREED:
        return []
    found = []
    for name in saved_names(node):
        value = getattr(node, name)
        if isinstance(value, Tensor):
            found.append((f"saved {name.removeprefix('_saved_')}", _shape(value.shape)))
    return found
