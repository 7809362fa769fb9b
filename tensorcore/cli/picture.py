"""Pictures of what a model predicts, drawn by matplotlib without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import tensorcore as tc
from tensorcore.serialization.files import atomic_write

__all__ = ["check_matplotlib", "draw_predictions"]

_SIDE: Final = 5


def check_matplotlib() -> None:
    """Make sure of matplotlib before the work that ends in a picture.

    Raises:
        RuntimeError: where it is not installed; the message says what to type.
    """
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise RuntimeError("drawing needs matplotlib: pip install 'tensorcore-framework[plot]'")


def draw_predictions(path: Path, model: Any, data: Any, classes: Sequence[str]) -> None:
    """Write a PNG of the first 5×5 images of ``data``, each with what ``model`` takes it for, and what it is."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    images, labels = (tensor[: _SIDE * _SIDE] for tensor in data.tensors)
    with tc.no_grad():
        guesses = model(images).argmax(1).tolist()
    figure = Figure(figsize=(8, 9), layout="constrained")
    FigureCanvasAgg(figure)
    right = sum(guess == label for guess, label in zip(guesses, labels.tolist(), strict=True))
    figure.suptitle(f"Predictions: {right} of {len(guesses)} right")
    cells = figure.subplots(_SIDE, _SIDE).flat
    for cell, image, guess, label in zip(cells, images.tolist(), guesses, labels.tolist(), strict=False):
        cell.imshow(image[0], cmap="gray", vmin=0, vmax=1)
        cell.set_xticks([])
        cell.set_yticks([])
        colour = "tab:green" if guess == label else "tab:red"
        cell.set_title(f"{classes[guess]}\ntrue: {classes[label]}", fontsize=9, color=colour)
    with atomic_write(path, "draw_predictions") as file:
        figure.savefig(file, format="png")
