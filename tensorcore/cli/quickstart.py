"""``tensorcore quickstart``: the image classifier from data to picture, in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.markup import escape

import tensorcore as tc
from tensorcore.cli.checkpoints import load_model
from tensorcore.cli.console import console
from tensorcore.cli.picture import check_matplotlib, draw_predictions
from tensorcore.cli.train import CHECKPOINT, METRICS, run_folder, run_training, write_run
from tensorcore.cli.training import Settings, evaluate

__all__ = ["show_quickstart"]

MODEL: Final = "classifier"
DATA: Final = "fashion-mnist"
OWN_FOLDER: Final = Path("runs/quickstart")
PICTURE: Final = "predictions.png"


def show_quickstart(
    out: Path | None, *, device: str | None, epochs: int, seed: int, limit: int | None, force: bool
) -> None:
    """Train, save, load back, compare, draw; in the folder of its own it may be run again and again.

    Raises:
        RuntimeError: where the model loaded back is not as accurate as the one saved, and where another folder has
            the files of an earlier run and ``force`` is not set.
    """
    check_matplotlib()
    folder = OWN_FOLDER if out is None else out
    settings = Settings(epochs=epochs, seed=seed, limit=limit)
    screen = console()
    with tc.device(device) as place, run_folder(folder, force=force or out is None):
        result = run_training(MODEL, DATA, settings)
        write_run(folder, result, MODEL, DATA, settings, str(place))
        checkpoint = folder / CHECKPOINT
        loaded = load_model(checkpoint)
        again = evaluate(loaded.model, result.test)
        if again != result.score:
            raise RuntimeError(
                f"{checkpoint}: loaded back, the model has accuracy {again.accuracy}, not {result.score.accuracy}"
            )
        screen.print(f"saved {escape(str(checkpoint))}; loaded back, its test accuracy is the same")
        draw_predictions(folder / PICTURE, loaded.model, result.test, loaded.classes)
    screen.print(f"drew {escape(str(folder / PICTURE))}; the figures are in {escape(str(folder / METRICS))}")
