"""Logs: the figures of a training in a CSV file, and in event files for TensorBoard."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorcore as tc
from tensorcore_training.callbacks import Callback

if TYPE_CHECKING:
    from tensorcore_training.trainer import Trainer

__all__ = ["CSVLogger", "TensorBoard"]


def _scalars(row: Mapping[str, Any]) -> dict[str, float]:
    """The single figures of a row."""
    found = {}
    for name, value in row.items():
        if isinstance(value, tc.Tensor):
            if value.numel() != 1:
                continue
            value = value.item()
        if isinstance(value, (int, float)):
            found[name] = value
    return found


class CSVLogger(Callback):
    """Writes a row of figures after each epoch; columns are those of the first row.

    A training that goes on from a checkpoint first removes the rows that came after it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._columns: list[str] = []
        self._end: int | None = None
        self._file: Any = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Open the file, anew or where the checkpoint left it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        goes_on = self._end is not None and self.path.exists()
        self._file = open(self.path, "r+" if goes_on else "w", encoding="utf-8", newline="")  # noqa: SIM115
        if goes_on:
            self._file.truncate(self._end)
            self._file.seek(0, os.SEEK_END)
        else:
            self._columns = []

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Write a row."""
        values = {"epoch": trainer.epoch, "steps": trainer.steps, **_scalars(row)}
        writer = csv.writer(self._file, lineterminator="\n")
        if not self._columns:
            self._columns = list(values)
            writer.writerow(self._columns)
        writer.writerow([values.get(name, "") for name in self._columns])
        self._file.flush()
        self._end = self._file.tell()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def state_dict(self) -> dict[str, Any]:
        """The columns, and how long the file is."""
        return {"columns": list(self._columns), "end": self._end}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after the rows that were there."""
        self._columns, self._end = list(state["columns"]), state["end"]


class TensorBoard(Callback):
    """Writes event files into ``folder``: the figures of each epoch, the loss every so many steps.

    Figures of the training are tagged ``train/...``, those of the validation ``validation/...``. A training that goes
    on from a checkpoint has TensorBoard drop what came after it.

    Raises:
        ImportError: without the package ``tensorboard``.
    """

    def __init__(self, folder: str | Path, every: int = 10) -> None:
        try:
            from tensorboard.summary.writer import event_file_writer
        except ImportError as error:
            raise ImportError("TensorBoard needs the package tensorboard: pip install tensorboard") from error
        self._make = event_file_writer.EventFileWriter
        self.folder = Path(folder)
        self.every = every
        self._writer: Any = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Begin an event file."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        self._writer = self._make(str(self.folder))
        if trainer.steps:
            start = SessionLog(status=SessionLog.START)
            self._writer.add_event(Event(wall_time=time.time(), step=trainer.steps + 1, session_log=start))

    def on_step_end(self, trainer: Trainer) -> None:
        """Write the loss."""
        if trainer.steps % self.every == 0:
            self._write({"train/step_loss": float(trainer.loss_value)}, trainer.steps)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Write the figures."""
        tagged = {}
        for name, value in _scalars(row).items():
            part, _, rest = name.partition("validation_")
            tagged[f"validation/{rest}" if rest and not part else f"train/{name}"] = value
        self._write(tagged, trainer.steps)
        self._writer.flush()

    def _write(self, values: Mapping[str, float], step: int) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        parts = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=parts)))

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
