"""Checkpoints: the state of a training in files that are there whole or not at all."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tensorcore as tc
from tensorcore_training.callbacks import Callback, is_better, monitored

if TYPE_CHECKING:
    from tensorcore_training.trainer import Trainer

__all__ = ["Checkpoint", "read_checkpoint", "read_latest", "write_checkpoint"]

_NAME: Final = re.compile(r"step-(\d{8,})\.pt")
_UNFINISHED: Final = ".unfinished"
_BEST: Final = "best.pt"


def write_checkpoint(path: Path, state: Any) -> None:
    """Write ``state`` so that, whenever the process or the machine ends, ``path`` is whole: as before, or as now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + _UNFINISHED)
    with open(unfinished, "wb") as file:
        tc.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Have the names in a folder reach the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _numbered(folder: Path) -> list[Path]:
    """The checkpoints of a folder, the latest first."""
    if not folder.is_dir():
        return []
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found, reverse=True)]


def read_latest(folder: Path) -> dict[str, Any] | None:
    """The state in the latest checkpoint of ``folder`` that can be read; ``None`` where there is no checkpoint.

    Raises:
        RuntimeError: where there are some and none can be read.
    """
    problem: Exception | None = None
    for path in _numbered(folder):
        try:
            return _read(path)
        except Exception as error:  # whatever a damaged file leads to
            problem = error
            warnings.warn(f"{path} cannot be read, an earlier one is taken: {error}", stacklevel=2)
    if problem is not None:
        raise RuntimeError(f"no checkpoint in {folder} can be read") from problem
    return None


def _read(path: Path) -> dict[str, Any]:
    return tc.load(path, map_location="cpu")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The state in a file, or in the latest checkpoint of a folder.

    Raises:
        FileNotFoundError: where there is none.
    """
    state = read_latest(path) if path.is_dir() else _read(path)
    if state is None:
        raise FileNotFoundError(f"{path} has no checkpoint")
    return state


class Checkpoint(Callback):
    """Writes the state of the training into ``folder``, after each epoch and every so many steps.

    A file is written under another name, flushed to the disk and renamed, so a process that is killed leaves the last
    one whole. ``Trainer.fit(..., resume=True)`` goes on from it as if nothing had been.

    Args:
        folder: made where it is missing.
        every: steps of the optimizer between two checkpoints; by default there is one after each epoch only.
        keep: how many of the latest to keep; ``None`` keeps all.
        best: the figure by which ``best.pt`` is kept besides, such as ``"validation_loss"``.
        mode: ``"min"``, ``"max"``, or ``"auto"``: lower is better for names with ``loss`` or ``error``.

    Raises:
        ValueError: for numbers that are not positive, or another mode.
    """

    def __init__(
        self,
        folder: str | Path,
        every: int | None = None,
        keep: int | None = 2,
        best: str | None = None,
        mode: str = "auto",
    ) -> None:
        for name, value in (("every", every), ("keep", keep)):
            if value is not None and value < 1:
                raise ValueError(f"Checkpoint: {name} must be positive, got {value}")
        is_better(0.0, None, "", mode)
        self.folder = Path(folder)
        self.every = every
        self.keep = keep
        self.best = best
        self.mode = mode
        self.best_value: float | None = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Make the folder, and remove what an ended process left unfinished.

        Raises:
            FileExistsError: where it has checkpoints of a training that this one does not go on with.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if trainer.steps == 0 and (found := _numbered(self.folder)):
            raise FileExistsError(
                f"{self.folder} has checkpoints of an earlier training, such as {found[0].name}; go on with it by "
                "fit(..., resume=True), or choose another folder"
            )
        for path in self.folder.glob(f"*{_UNFINISHED}"):
            path.unlink(missing_ok=True)

    def on_step_end(self, trainer: Trainer) -> None:
        """Write every so many steps."""
        if self.every is not None and trainer.steps % self.every == 0:
            self._write(trainer)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Write, and keep the best one."""
        better = False
        if self.best is not None:
            name, value = monitored(row, self.best, self)
            better = is_better(value, self.best_value, name, self.mode)
            self.best_value = value if better else self.best_value
        state = self._write(trainer)
        if better:
            write_checkpoint(self.folder / _BEST, state)

    def _write(self, trainer: Trainer) -> dict[str, Any]:
        state = trainer.state_dict()
        write_checkpoint(self.folder / f"step-{trainer.steps:08}.pt", state)
        for path in _numbered(self.folder)[self.keep :] if self.keep is not None else ():
            path.unlink(missing_ok=True)
        return state

    def state_dict(self) -> dict[str, Any]:
        """The best figure."""
        return {"best_value": self.best_value}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on comparing."""
        self.best_value = state["best_value"]
