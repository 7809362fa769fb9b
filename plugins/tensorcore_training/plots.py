"""Pictures of a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tensorcore_training.callbacks import History

__all__ = ["plot_confusion_matrix", "plot_history"]

_BOOKKEEPING: Final = ("epoch", "steps", "seconds")
_VALIDATION: Final = "validation_"


def _figure(columns: int, rows: int) -> Any:
    """A figure that needs no screen."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'tensorcore-framework[plot]'") from error
    figure = Figure(figsize=(4.5 * columns, 3.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plot_history(history: History, path: str | Path) -> None:
    """Draw each figure of ``history`` over the epochs, training and validation together, into a PNG.

    Raises:
        ImportError: without matplotlib.
        ValueError: for a history without epochs.
    """
    names = [name for name in history.names if name not in _BOOKKEEPING and isinstance(history[name][0], (int, float))]
    shown = list(dict.fromkeys(name.removeprefix(_VALIDATION) for name in names))
    if not shown:
        raise ValueError("plot_history: the history has no epochs")
    columns = min(len(shown), 3)
    figure = _figure(columns, -(-len(shown) // columns))
    axes = list(figure.subplots(-(-len(shown) // columns), columns, squeeze=False).flat)
    for place, name in zip(axes, shown, strict=False):
        for label, key in (("training", name), ("validation", _VALIDATION + name)):
            points = [(row["epoch"], row[key]) for row in history if key in row]
            if points:
                place.plot(*zip(*points, strict=True), marker=".", label=label)
        place.set(xlabel="epoch", title=name)
        place.xaxis.get_major_locator().set_params(integer=True)
        place.grid(alpha=0.3)
        if _VALIDATION + name in names and name in names:
            place.legend()
    for place in axes[len(shown) :]:
        place.remove()
    figure.savefig(path, format="png")


def plot_confusion_matrix(matrix: Any, path: str | Path, classes: list[str] | None = None) -> None:
    """Draw a confusion matrix, true classes by row, into a PNG.

    Raises:
        ImportError: without matplotlib.
        ValueError: for a matrix that is not square, or another number of names.
    """
    values = matrix.tolist()
    count = len(values)
    if any(len(row) != count for row in values) or (classes is not None and len(classes) != count):
        raise ValueError(f"plot_confusion_matrix: expected (C, C) and C names, got {list(matrix.shape)}, {classes}")
    side = max(1.0, count / 8)
    figure = _figure(1, 1)
    figure.set_size_inches(4.5 * side, 4.2 * side)
    place = figure.subplots()
    image = place.imshow(values, cmap="Blues")
    figure.colorbar(image, ax=place, shrink=0.8)
    names = classes or [str(number) for number in range(count)]
    place.set(xlabel="predicted", ylabel="true", xticks=range(count), yticks=range(count))
    place.set_xticklabels(names, rotation=45 if classes else 0, ha="right" if classes else "center")
    place.set_yticklabels(names)
    figure.savefig(path, format="png")
