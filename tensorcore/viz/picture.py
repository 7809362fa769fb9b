"""`graph`: an autograd graph as a picture or a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from tensorcore.tensor import Tensor
from tensorcore.viz.collecting import LEAF, OP, OUTPUT, PARAMETER, SAVED, Drawing, collect
from tensorcore.viz.layout import Placed, place

__all__ = ["GraphPicture", "graph"]

FORMATS: Final = ("svg", "png", "mermaid", "dot", "text")
#: Fill and border of a box, by what it stands for; colours that are told apart in grey too.
COLOURS: Final = {
    OP: ("#eef2f7", "#5b6b80"), LEAF: ("#d3ecd6", "#3f8a4b"), PARAMETER: ("#cfe3fa", "#2b6cb0"),
    OUTPUT: ("#fde3c3", "#b7651b"), SAVED: ("#fbf6cf", "#a08f1c"),
}  # fmt: skip
LEGEND: Final = {OP: "op", LEAF: "leaf", PARAMETER: "parameter", OUTPUT: "output", SAVED: "saved tensor"}
_FONT: Final = 12
_LINE: Final = 15
_MARGIN: Final = 16


def graph(
    outputs: Tensor | Sequence[Tensor],
    params: Any = None,
    format: str = "svg",
    *,
    saved: bool = False,
    max_nodes: int = 1000,
) -> GraphPicture:
    """Draw the autograd graph below a loss.

    Boxes are ops with the shape of their result, leaves, and the output; arrows go from operands to results.

    Args:
        outputs: one or more tensors with a graph.
        params: names of leaves: a module, ``named_parameters()``, or a dict from name to tensor.
        format: ``"svg"``, ``"png"`` (by matplotlib), ``"mermaid"``, ``"dot"`` or ``"text"``; what ``str`` gives, and
            `GraphPicture.save` writes where the file's ending does not say.
        saved: draw what nodes keep for backward.
        max_nodes: refuse larger graphs.

    Raises:
        ValueError: for an unknown format, for tensors without a graph, and for graphs of more than ``max_nodes`` nodes.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.ones(3, 2, requires_grad=True)
        >>> loss = (tc.ones(4, 3) @ w).relu().sum()
        >>> print(tc.viz.graph(loss, {"w": w}, format="text"))
        output  scalar
        └─ sum  scalar
           └─ relu  4×2
              └─ matmul  4×2
                 └─ w  3×2
    """
    if format not in FORMATS:
        raise ValueError(f"viz.graph: format must be one of {', '.join(FORMATS)}, got {format!r}")
    tensors = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    return GraphPicture(collect(tensors, _names(params), saved, max_nodes), format)


def _names(params: Any) -> dict[int, str]:
    if params is None:
        return {}
    if hasattr(params, "named_parameters"):
        params = params.named_parameters()
    pairs: Iterable[tuple[str, Any]] = params.items() if isinstance(params, Mapping) else params
    return {id(tensor): name for name, tensor in pairs}


class GraphPicture:
    """A graph as drawn by `graph`; notebooks show it.

    Attributes:
        drawing: its boxes and arrows.
        format: what ``str`` gives.
    """

    def __init__(self, drawing: Drawing, format: str) -> None:
        self.drawing = drawing
        self.format = format
        self._placed: Placed | None = None

    # ---------------------------------------------------------------- layout

    def _sizes(self) -> list[tuple[float, float]]:
        return [
            (max(len(line) for line in box.lines) * _FONT * 0.6 + 16, len(box.lines) * _LINE + 8)
            for box in self.drawing.boxes
        ]

    def placed(self) -> Placed:
        """Where the boxes go."""
        if self._placed is None:
            light = {number for number, box in enumerate(self.drawing.boxes) if box.kind not in (OP, OUTPUT)}
            self._placed = place(self._sizes(), [(a, b) for a, b, _ in self.drawing.arrows], light)
        return self._placed

    # ---------------------------------------------------------------- pictures

    def to_svg(self) -> str:
        """The picture as SVG."""
        placed, sizes = self.placed(), self._sizes()
        kinds = [kind for kind in COLOURS if any(box.kind == kind for box in self.drawing.boxes)]
        legend = sum(len(LEGEND[kind]) * 7 + 34 for kind in kinds)
        width, height = max(placed.width, legend) + 2 * _MARGIN, placed.height + 2 * _MARGIN + 26
        left = _MARGIN + max(0.0, (legend - placed.width) / 2)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" '
            f'font-size="{_FONT}">',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0 8 4 0 8z" fill="#7a8594"/></marker></defs>',
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        ]
        at = float(_MARGIN)
        for kind in kinds:
            fill, border = COLOURS[kind]
            parts.append(f'<rect x="{at:.1f}" y="8" width="12" height="12" rx="3" fill="{fill}" stroke="{border}"/>')
            parts.append(f'<text x="{at + 17:.1f}" y="18" fill="#444444">{LEGEND[kind]}</text>')
            at += len(LEGEND[kind]) * 7 + 34
        parts.append(f'<g transform="translate({left:.1f} {_MARGIN + 26})">')
        for (_, _, text), path in zip(self.drawing.arrows, placed.paths, strict=True):
            parts.append(f'<path d="{_curve(path)}" fill="none" stroke="#7a8594" marker-end="url(#tip)"/>')
            if text:
                x, y = path[-1]
                parts.append(f'<text x="{x + 5:.1f}" y="{y - 5:.1f}" font-size="10" fill="#7a8594">{text}</text>')
        for box, (x, y), (wide, high) in zip(self.drawing.boxes, placed.centres, sizes, strict=True):
            fill, border = COLOURS[box.kind]
            parts.append(
                f'<rect x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}" '
                f'rx="{high / 2 if box.kind != OP else 4:.1f}" fill="{fill}" stroke="{border}"/>'
            )
            top = y - (len(box.lines) - 1) * _LINE / 2 + _FONT * 0.35
            for line, text in enumerate(box.lines):
                style = ' font-weight="bold"' if not line else ' fill="#555555"'
                parts.append(
                    f'<text x="{x:.1f}" y="{top + line * _LINE:.1f}" text-anchor="middle"{style}>{escape(text)}</text>'
                )
        return "\n".join([*parts, "</g>", "</svg>"]) + "\n"

    def to_png(self, dpi: int = 110) -> bytes:
        """The picture as PNG, by matplotlib.

        Raises:
            RuntimeError: where matplotlib is not installed.
        """
        from tensorcore.viz.raster import png

        return png(self, dpi)

    # ---------------------------------------------------------------- texts

    def to_mermaid(self) -> str:
        """The graph in Mermaid's language."""
        shapes = {OP: ("[", "]"), LEAF: ("([", "])"), PARAMETER: ("([", "])"), OUTPUT: ("([", "])"), SAVED: (">", "]")}
        lines = ["flowchart TD"]
        for number, box in enumerate(self.drawing.boxes):
            begin, end = shapes[box.kind]
            text = "<br>".join(escape(line).replace("&quot;", "#quot;") for line in box.lines)
            lines.append(f'  n{number}{begin}"{text}"{end}:::{box.kind}')
        lines += [f"  n{a} -->{f'|{text}|' if text else ''} n{b}" for a, b, text in self.drawing.arrows]
        lines += [f"  classDef {kind} fill:{fill},stroke:{border}" for kind, (fill, border) in COLOURS.items()]
        return "\n".join(lines) + "\n"

    def to_dot(self) -> str:
        """The graph in Graphviz's language."""
        lines = ["digraph {", '  node [shape=box style="rounded,filled" fontname="monospace" fontsize=11]']
        for number, box in enumerate(self.drawing.boxes):
            fill, border = COLOURS[box.kind]
            text = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in box.lines)
            lines.append(f'  n{number} [label="{text}" fillcolor="{fill}" color="{border}"]')
        lines += [f"  n{a} -> n{b}{f' [label={text}]' if text else ''}" for a, b, text in self.drawing.arrows]
        return "\n".join([*lines, "}"]) + "\n"

    def to_text(self) -> str:
        """The graph as a tree of lines from the outputs to the leaves; what stands higher up is not repeated."""
        operands: dict[int, list[int]] = {}
        for start, end, _ in self.drawing.arrows:
            operands.setdefault(end, []).append(start)
        boxes = self.drawing.boxes
        lines: list[str] = []
        shown: set[int] = set()
        roots = [number for number, box in enumerate(boxes) if box.kind == OUTPUT]
        waiting = [(root, "", "") for root in reversed(roots)]
        while waiting:
            number, before, under = waiting.pop()
            repeated = number in shown and bool(operands.get(number))
            lines.append(before + "  ".join(boxes[number].lines) + (" (above)" if repeated else ""))
            if repeated:
                continue
            shown.add(number)
            below = operands.get(number, [])
            for each in reversed(below):
                last = each is below[-1]
                waiting.append((each, under + ("└─ " if last else "├─ "), under + ("   " if last else "│  ")))
        return "\n".join(lines)

    # ---------------------------------------------------------------- giving it away

    def render(self, format: str | None = None) -> str | bytes:
        """The graph in a format: bytes for PNG, else text.

        Raises:
            ValueError: for an unknown format.
        """
        wanted = self.format if format is None else format
        if wanted not in FORMATS:
            raise ValueError(f"render: format must be one of {', '.join(FORMATS)}, got {wanted!r}")
        made: Callable[[], str | bytes] = getattr(self, f"to_{wanted}")
        return made()

    def save(self, path: Any) -> Path:
        """Write the graph in the format of the file's ending (.svg, .png, .mmd, .dot, .txt), and return the path."""
        target = Path(path)
        endings = {".svg": "svg", ".png": "png", ".mmd": "mermaid", ".dot": "dot", ".gv": "dot", ".txt": "text"}
        made = self.render(endings.get(target.suffix.lower()))
        if isinstance(made, bytes):
            target.write_bytes(made)
        else:
            target.write_text(made, "utf-8")
        return target

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_png_(self) -> bytes | None:
        return self.to_png() if self.format == "png" else None

    def __str__(self) -> str:
        return repr(self) if self.format == "png" else str(self.render())

    def __repr__(self) -> str:
        return f"<graph of {len(self.drawing.boxes)} boxes and {len(self.drawing.arrows)} arrows>"


def _curve(path: Sequence[tuple[float, float]]) -> str:
    """A smooth line through the points, vertical at each."""
    (x, y), *rest = path
    parts = [f"M{x:.1f} {y:.1f}"]
    for nx, ny in rest:
        half = (ny - y) / 2
        parts.append(f"C{x:.1f} {y + half:.1f} {nx:.1f} {ny - half:.1f} {nx:.1f} {ny:.1f}")
        x, y = nx, ny
    return "".join(parts)
