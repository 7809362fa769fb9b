"""What a training leaves in files and shows on the screen."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore_training import Checkpoint, CSVLogger, History, TensorBoard, Trainer
from tensorcore_training.display import BarDisplay, Display, LineDisplay, figures, make_display
from tensorcore_training.metrics import Accuracy, ConfusionMatrix
from tensorcore_training.plots import plot_confusion_matrix

X = tc.linspace(-1, 1, 40).reshape(20, 2)
Y = (X.sum(1) > 0.1).long()


def fit(epochs: int, callbacks: Any = (), **options: Any) -> History:
    tc.manual_seed(3)
    model = nn.Linear(2, 2)
    trainer = Trainer(
        model, optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss(), metrics=[Accuracy(), ConfusionMatrix(2)]
    )
    return trainer.fit((X, Y), (X, Y), epochs, callbacks, batch_size=8, **{"progress": False, **options})


# ------------------------------------------------------------------ files


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "run.csv"
    history = fit(3, [CSVLogger(path)])
    rows = rows_of(path)
    assert list(rows[0]) == [
        "epoch", "steps", "loss", "accuracy", "lr", "validation_loss", "validation_accuracy"
    ]  # fmt: skip
    assert [float(row["loss"]) for row in rows] == history["loss"]
    fit(1, [CSVLogger(path)])
    assert len(rows_of(path)) == 1


def test_csv_drops_rows_that_came_after_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    whole = fit(4, [CSVLogger(tmp_path / "whole.csv")])
    fit(2, [CSVLogger(path), Checkpoint(tmp_path)])
    with open(path, "a") as file:
        file.write("3,9,0.5,1.0,0.1,0.5,1.0\n4,12,")
    history = fit(4, [CSVLogger(path), Checkpoint(tmp_path)], resume=True)
    assert path.read_text() == (tmp_path / "whole.csv").read_text()
    assert history.rows == whole.rows


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read() -> dict[str, list[tuple[int, float]]]:
        events = EventAccumulator(str(tmp_path / "events"))
        events.Reload()
        return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]}

    history = fit(2, [TensorBoard(tmp_path / "events", every=2), Checkpoint(tmp_path)])
    found = read()
    assert set(found) == {
        "train/step_loss", "train/loss", "train/accuracy", "train/lr", "validation/loss", "validation/accuracy"
    }  # fmt: skip
    assert [step for step, _ in found["train/step_loss"]] == [2, 4, 6]
    assert [value for _, value in found["validation/loss"]] == pytest.approx(history["validation_loss"])
    fit(3, [TensorBoard(tmp_path / "events", every=2), Checkpoint(tmp_path)], resume=True)
    assert [step for step, _ in read()["train/loss"]] == [3, 6, 9]


def test_without_tensorboard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer", None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        TensorBoard(tmp_path)


def test_pictures_of_confusion_matrices(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot_confusion_matrix(tc.tensor([[3, 1], [0, 4]]), tmp_path / "a.png", ["cat", "dog"])
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match=r"expected \(C, C\) and C names"):
        plot_confusion_matrix(tc.tensor([[3, 1], [0, 4]]), tmp_path / "b.png", ["cat"])


# ------------------------------------------------------------------ screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_for_each_epoch_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(2, progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert f"loss {history['loss'][1]:.4g}  accuracy" in lines[1]
    assert "\r" not in "".join(lines)
    assert "confusion" not in lines[0]


def test_one_line_that_is_written_over_on_a_terminal() -> None:
    screen = Terminal()
    display = LineDisplay(screen)
    display.begin(1, 2, 4)
    assert display.is_due()
    assert not display.is_due()
    display.update(1, {"loss": 0.123456})
    display.update(2, {"loss": 0.5})
    display.end({"loss": 0.25}, 1.0)
    display.begin(2, 2, None)
    display.update(1, {"loss": 0.5})
    display.close()
    assert screen.getvalue() == (
        "epoch 1/2  1/4  loss 0.1235\repoch 1/2  2/4  loss 0.5   \repoch 1/2  loss 0.25  1.0 s\n"
        "epoch 2/2  1  loss 0.5\n"
    )


def test_bars() -> None:
    rich = pytest.importorskip("rich.console")
    screen = Terminal()
    display = BarDisplay(rich.Console(file=screen, force_terminal=True, width=100))
    display.begin(1, 2, 4)
    assert display.is_due()
    assert not display.is_due()
    display.update(2, {"loss": 0.5, "[x]": 1})
    display.end({"loss": 0.25, "[x]": 1}, 1.0)
    display.close()
    text = screen.getvalue()
    assert "epoch 1/2  loss 0.25  [x] 1  1.0 s" in text
    assert "━" in text


def test_which_display(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(make_display(False)) is Display
    assert type(make_display(True)) is LineDisplay
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert type(make_display(True)) is LineDisplay
    assert figures({"loss": tc.tensor(0.5), "n": 3, "matrix": tc.ones(2, 2)}) == "loss 0.5  n 3"


# ------------------------------------------------------------------ commands


def test_commands(tmp_path: Path) -> None:
    typer = pytest.importorskip("typer")
    testing = pytest.importorskip("typer.testing")
    from tensorcore_training import commands, plugin

    app = typer.Typer()
    for spec in plugin.tensorcore_commands():
        app.command(spec.name)(getattr(commands, spec.target.partition(":")[2]))

    def run(*arguments: str) -> Any:
        return testing.CliRunner().invoke(app, arguments)

    fit(2, [Checkpoint(tmp_path)]).save(tmp_path / "h.json")
    for place in (tmp_path, tmp_path / "h.json", tmp_path / "step-00000006.pt"):
        result = run("history", str(place), "--plot", str(tmp_path / "h.png"))
        assert result.exit_code == 0, result.output
        assert [line.split("  ")[0] for line in result.output.splitlines()[:2]] == ["epoch 1", "epoch 2"]
        assert (tmp_path / "h.png").exists()
    assert run("history", str(tmp_path / "none")).exit_code == 2

    result = run("summary", "classifier", "1,1,28,28")
    assert result.exit_code == 0, result.output
    assert "parameters     669,706" in result.output
    assert json.loads(run("summary", "classifier", "1x784", "--json").output)["multiply_adds"] == 668_672
    assert run("summary", "classifier", "big").exit_code == 2
    assert run("summary", "nobody", "1").exit_code == 2
