"""Pictures of graphs as PNG, by matplotlib without a display."""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import Any

from tensorcore.viz.collecting import OP

__all__ = ["png"]


def png(picture: Any, dpi: int) -> bytes:
    """The picture in pixels, with the colours and curves of its SVG.

    Raises:
        RuntimeError: where matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise RuntimeError(
            "viz.graph: PNG needs matplotlib: pip install 'tensorcore-framework[plot]'; SVG needs nothing"
        )
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
    from matplotlib.path import Path as Curve

    from tensorcore.viz.picture import COLOURS, LEGEND

    placed, sizes, margin, top = picture.placed(), picture._sizes(), 16.0, 30.0
    kinds = [kind for kind in COLOURS if any(box.kind == kind for box in picture.drawing.boxes)]
    width = max(placed.width, sum(len(LEGEND[kind]) * 7 + 34 for kind in kinds)) + 2 * margin
    height = placed.height + 2 * margin + top
    # Agg draws at most 2**16 pixels a side.
    dpi = int(min(dpi, 60000 * 72 / max(width, height)))
    figure = Figure(figsize=(width / 72, height / 72), dpi=dpi)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left = (width - placed.width) / 2
    axes.set_xlim(-left, width - left)
    axes.set_ylim(height - margin - top, -margin - top)
    at = margin - left
    for kind in kinds:
        fill, border = COLOURS[kind]
        axes.add_patch(FancyBboxPatch((at, -top), 12, 12, "round,pad=0,rounding_size=3", fc=fill, ec=border, lw=1))
        axes.text(at + 17, -top + 6, LEGEND[kind], va="center", fontsize=9, family="monospace", color="#444444")
        at += len(LEGEND[kind]) * 7 + 34
    for (_, _, text), points in zip(picture.drawing.arrows, placed.paths, strict=True):
        (x, y), *rest = points
        corners, codes = [(x, y)], [Curve.MOVETO]
        for nx, ny in rest:
            half = (ny - y) / 2
            corners += [(x, y + half), (nx, ny - half), (nx, ny)]
            codes += [Curve.CURVE4] * 3
            x, y = nx, ny
        axes.add_patch(FancyArrowPatch(
            path=Curve(corners, codes), arrowstyle="-|>", mutation_scale=7, color="#7a8594", lw=0.9, fill=True
        ))  # fmt: skip
        if text:
            axes.text(x + 5, y - 8, text, fontsize=7, color="#7a8594", family="monospace")
    for box, (x, y), (wide, high) in zip(picture.drawing.boxes, placed.centres, sizes, strict=True):
        fill, border = COLOURS[box.kind]
        radius = 4 if box.kind == OP else high / 2 - 0.01
        style = f"round,pad=0,rounding_size={radius}"
        axes.add_patch(FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, style, fc=fill, ec=border, lw=1))
        first = y - (len(box.lines) - 1) * 15 / 2
        for line, text in enumerate(box.lines):
            look: dict[str, Any] = {"weight": "bold"} if not line else {"color": "#555555"}
            axes.text(
                x, first + 15 * line, text, ha="center", va="center_baseline", fontsize=10.5, family="monospace", **look
            )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
