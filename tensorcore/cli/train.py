"""``tensorcore train``: a model by name, trained on a data set by name, in a folder of its own."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import tensorcore as tc
from tensorcore.cli.checkpoints import save_json, save_model
from tensorcore.cli.console import console
from tensorcore.cli.main import UsageError
from tensorcore.cli.training import Epoch, Score, Settings, evaluate, fit
from tensorcore.utils.data import Subset

__all__ = ["Result", "Settings", "load_data", "run_training", "show_training"]

CHECKPOINT: Final = "model.safetensors"
METRICS: Final = "metrics.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """A finished run: the model, the data it was judged on, and the figures."""

    model: Any
    test: Any
    classes: tuple[str, ...]
    history: list[Epoch]
    score: Score
    seconds: float


def show_training(
    model: str,
    data: str | None,
    folder: Path,
    settings: Settings,
    *,
    data_root: Path | None,
    device: str | None,
    force: bool,
) -> None:
    """Train, print how it goes, and write the run's files."""
    data = choose_data(model, data)
    check_settings(settings)
    with tc.device(device) as place, run_folder(folder, force):
        result = run_training(model, data, settings, data_root)
        write_run(folder, result, model, data, settings, str(place))
    console().print(f"saved {escape(str(folder / CHECKPOINT))} and {METRICS}")


def choose_data(model: str, data: str | None) -> str:
    """The data set to train ``model`` on, by default its usual one.

    Raises:
        UsageError: for an unknown model or data set, or one that does not fit the other.
    """
    from tensorcore.plugins.host import host

    models, datasets = host.models(), host.datasets()
    problems = "".join(f"; {problem}" for problem in host.problems())
    if model not in models:
        raise UsageError(f"unknown model {model!r}; known: {', '.join(models) or 'none'}{problems}")
    fitting = models[model].datasets
    if data is None:
        if not fitting:
            raise UsageError(f"the model {model!r} has no usual data set; give --data, one of: {', '.join(datasets)}")
        return fitting[0]
    if data not in datasets:
        raise UsageError(f"unknown data set {data!r}; known: {', '.join(datasets) or 'none'}{problems}")
    if fitting and data not in fitting:
        raise UsageError(f"the model {model!r} does not fit the data set {data!r}; it fits: {', '.join(fitting)}")
    return data


def check_settings(settings: Settings) -> None:
    """Refuse what cannot be trained with.

    Raises:
        UsageError: for a learning rate that is not a positive number.
    """
    if not (settings.lr > 0 and math.isfinite(settings.lr)):
        raise UsageError(f"--lr must be a positive number, got {settings.lr}")


@contextmanager
def run_folder(folder: Path, force: bool) -> Iterator[None]:
    """The folder of a run, made before the work starts; one that was made and stayed empty is removed.

    Raises:
        RuntimeError: where it has the files of an earlier run and ``force`` is not set.
    """
    earlier = [name for name in (CHECKPOINT, METRICS) if (folder / name).exists()]
    if earlier and not force:
        raise RuntimeError(f"{folder} has {' and '.join(earlier)} of an earlier run; choose another --out, or --force")
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for each in made:
            try:
                each.rmdir()
            except OSError:
                break


def load_data(name: str, train: bool, root: Path | None) -> Any:
    """A data set by name; one that finds no files is told how to get them."""
    from tensorcore.plugins.host import host

    make = host.dataset(name)
    if root is not None:
        return make(root=root, train=train)
    try:
        return make(train=train)
    except TypeError as error:
        if "root" not in str(error):
            raise
        raise UsageError(f"the data set {name!r} comes without files; give their folder by --data-root") from None


def run_training(model: str, data: str, settings: Settings, data_root: Path | None = None) -> Result:
    """Train on the default device, printing a line for each epoch, and judge the model by the test data."""
    from tensorcore.plugins.host import host

    begin = time.perf_counter()
    place = tc.get_default_device()
    place.kind(tc.float32)  # an unusable device is told before the data is read
    train, test = (load_data(data, part, data_root) for part in (True, False))
    if settings.limit is not None and settings.limit < len(train):
        train = Subset(train, range(settings.limit))
    tc.manual_seed(settings.seed)
    made = host.model(model)()
    size = sum(parameter.numel() for parameter in made.parameters())
    screen = console()
    screen.print(
        f"{escape(model)}, {size:,} parameters, on {place}; "
        f"{escape(data)}, {len(train):,} training and {len(test):,} test samples"
    )
    history = _fit_with_bar(made, train, settings)
    score = evaluate(made, test)
    seconds = time.perf_counter() - begin
    screen.print(f"test accuracy {score.accuracy:.2%}, loss {score.loss:.4f}, after {seconds:.1f} s")
    return Result(made, test, tuple(getattr(test, "classes", ())), history, score, seconds)


def _fit_with_bar(model: Any, train: Any, settings: Settings) -> list[Epoch]:
    """Train under a bar where there is a terminal, with a line that stays for each epoch everywhere."""
    screen = console()
    steps = -(-len(train) // settings.batch_size)
    bar = Progress(
        TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[score]}"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    )
    begin = time.perf_counter()
    with bar:
        task = bar.add_task("", total=steps, epoch=1, epochs=settings.epochs, score="")

        def look(epoch: int, step: int, score: Score) -> None:
            nonlocal begin
            text = f"loss {score.loss:.4f}  accuracy {score.accuracy:.2%}"
            bar.update(task, completed=step, epoch=epoch, score=text)
            if step == steps:
                seconds, begin = time.perf_counter() - begin, time.perf_counter()
                bar.console.print(f"epoch {epoch}/{settings.epochs}  {text}  {seconds:.1f} s")

        return fit(model, train, settings, look)


def write_run(folder: Path, result: Result, model: str, data: str, settings: Settings, device: str) -> None:
    """Write the checkpoint and the metrics, each whole or not at all."""
    import platform

    save_model(
        folder / CHECKPOINT,
        result.model,
        name=model,
        data=data,
        classes=result.classes,
        epochs=settings.epochs,
        seed=settings.seed,
        test_accuracy=result.score.accuracy,
    )
    metrics = {
        "model": model,
        "dataset": data,
        "device": device,
        "settings": dataclasses.asdict(settings),
        "history": [dataclasses.asdict(epoch) for epoch in result.history],
        "test": dataclasses.asdict(result.score),
        "seconds": result.seconds,
        "tensorcore": tc.__version__,
        "python": platform.python_version(),
    }
    save_json(folder / METRICS, metrics)
