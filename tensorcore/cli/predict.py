"""``tensorcore predict``: what a trained model sees in image files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.text import Text

import tensorcore as tc
from tensorcore.cli.checkpoints import TrainedModel, load_model
from tensorcore.cli.console import console, print_json, print_table
from tensorcore.cli.main import UsageError
from tensorcore.errors import CheckpointError

__all__ = ["predict", "show_predictions"]


def show_predictions(
    checkpoint: Path,
    images: Sequence[Path],
    *,
    invert: bool,
    model: str | None,
    data: str | None,
    device: str | None,
    as_json: bool,
) -> None:
    """Print the probability of each class, for each image, the likeliest first."""
    from tensorcore.plugins.host import host

    for given, known, noun in ((model, host.models(), "model"), (data, host.datasets(), "data set")):
        if given is not None and given not in known:
            raise UsageError(f"unknown {noun} {given!r}; known: {', '.join(known) or 'none'}")
    with tc.device(device):
        trained = load_model(checkpoint, name=model, data=data)
        read, classes = _reader(checkpoint, trained)
        found = [predict(trained.model, read(path, invert=invert)) for path in images]
    for probabilities in found:
        if len(classes) != len(probabilities):
            raise CheckpointError(
                f"{checkpoint}: the model tells {len(probabilities)} classes apart, but {len(classes)} have names"
            )
    results = [_result(path, classes, each) for path, each in zip(images, found, strict=True)]
    if as_json:
        print_json(results)
        return
    for result in results:
        console().print(f"[bold]{escape(result['image'])}: {escape(result['label'])}[/bold]")
        print_table(("class", "probability", ""), _rows(result["probabilities"]))


def predict(model: Any, image: tc.Tensor) -> list[float]:
    """The probability of each class for one image."""
    with tc.no_grad():
        return model(image.unsqueeze(0)).softmax(1)[0].tolist()


def _reader(checkpoint: Path, trained: TrainedModel) -> tuple[Callable[..., tc.Tensor], Sequence[str]]:
    """What turns a file into an input of the model, and the names of the classes."""
    from tensorcore.plugins.host import host

    usual = host.models()[trained.name].datasets
    name = trained.data or (usual[0] if usual else "")
    if not name:
        raise CheckpointError(f"{checkpoint}: the file does not say what it was trained on; give --data")
    dataset = host.dataset(name)
    if not hasattr(dataset, "read_image"):
        raise UsageError(f"the data set {name!r} has no read_image(), so images cannot be made to fit it")
    return dataset.read_image, trained.classes or dataset.classes


def _result(path: Path, classes: Sequence[str], probabilities: list[float]) -> dict[str, Any]:
    index = max(range(len(classes)), key=probabilities.__getitem__)
    return {
        "image": str(path),
        "label": classes[index],
        "index": index,
        "probabilities": dict(zip(classes, probabilities, strict=True)),
    }


def _rows(probabilities: dict[str, float]) -> list[tuple[str, Text, str]]:
    ordered = sorted(probabilities.items(), key=lambda item: -item[1])
    return [(name, Text(f"{value:.2%}", justify="right"), "█" * round(30 * value)) for name, value in ordered]
