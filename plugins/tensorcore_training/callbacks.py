"""Callbacks: what a trainer tells of its course, and what is made of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorcore as tc

if TYPE_CHECKING:
    from tensorcore_training.trainer import Trainer

__all__ = ["Callback", "EarlyStopping", "History", "LearningRate", "is_better", "monitored"]


class Callback:
    """Told by a `Trainer` of what happens; a subclass takes up what it needs.

    What `state_dict` returns goes into checkpoints: numbers, texts, tensors and containers of them.
    """

    def on_fit_begin(self, trainer: Trainer) -> None:
        """The training begins, or goes on from a checkpoint whose state is loaded."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """An epoch begins; not told where one is gone on with."""

    def on_step_end(self, trainer: Trainer) -> None:
        """The optimizer has stepped."""

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """An epoch has ended, with these figures; others may be added for the callbacks that follow."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """The training ends, also by an error."""

    def state_dict(self) -> dict[str, Any]:
        """What the callback needs to go on."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""


def is_better(value: float, best: float | None, name: str, mode: str, min_delta: float = 0.0) -> bool:
    """Whether ``value`` of the figure ``name`` is better than ``best``, by more than ``min_delta``."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"mode must be 'auto', 'min' or 'max', got {mode!r}")
    if math.isnan(value):
        return False
    if best is None:
        return True
    lower = mode == "min" or (mode == "auto" and ("loss" in name or "error" in name))
    return value < best - min_delta if lower else value > best + min_delta


def monitored(row: Mapping[str, Any], name: str | None, owner: Callback) -> tuple[str, float]:
    """The figure that ``owner`` watches: by default the validation loss, without validation the loss."""
    name = name or ("validation_loss" if "validation_loss" in row else "loss")
    if name not in row:
        raise ValueError(f"{type(owner).__name__}: there is no figure {name!r}; there are: {', '.join(row)}")
    return name, float(row[name])


class History(Callback):
    """The figures of each epoch, and the loss of each step.

    Attributes:
        rows: a dict for each epoch, with ``epoch``, ``steps``, ``loss``, the metrics, ``lr`` and ``validation_...``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training import Trainer
        >>> model = tc.nn.Linear(2, 1)
        >>> trainer = Trainer(model, tc.optim.SGD(model.parameters(), lr=0.1), tc.nn.MSELoss())
        >>> history = trainer.fit((tc.zeros(8, 2), tc.ones(8, 1)), epochs=3, batch_size=4, progress=False)
        >>> len(history["loss"]), len(history.losses)
        (3, 6)
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._losses: list[float] = []
        #: Losses that are not read yet: on a device that works ahead, reading waits for it.
        self._unread: list[Any] = []

    @property
    def losses(self) -> list[float]:
        """The loss of each step."""
        if self._unread:
            self._losses.extend(float(each) for each in self._unread)
            self._unread.clear()
        return self._losses

    @property
    def names(self) -> list[str]:
        """The figures there are."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, name: str) -> list[Any]:
        if not any(name in row for row in self.rows):
            raise KeyError(f"{name}; there are: {', '.join(self.names)}")
        return [row[name] for row in self.rows if name in row]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"History({len(self.rows)} epochs: {', '.join(self.names)})"

    def on_step_end(self, trainer: Trainer) -> None:
        """Keep the loss."""
        self._unread.append(trainer.loss_value)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Keep the figures."""
        plain = {name: value.tolist() if isinstance(value, tc.Tensor) else value for name, value in row.items()}
        self.rows.append({"epoch": trainer.epoch, "steps": trainer.steps, **plain})
        _ = self.losses

    def save(self, path: str | Path) -> None:
        """Write the figures as JSON."""
        Path(path).write_text(json.dumps({"rows": self.rows, "losses": self.losses}, indent=1), "utf-8")

    @classmethod
    def load(cls, path: str | Path) -> History:
        """The history that `save` wrote."""
        history = cls()
        history.load_state_dict(json.loads(Path(path).read_text("utf-8")))
        return history

    def plot(self, path: str | Path) -> None:
        """Draw the figures over the epochs into a PNG; see `plot_history`."""
        from tensorcore_training.plots import plot_history

        plot_history(self, path)

    def state_dict(self) -> dict[str, Any]:
        """The figures and losses."""
        return {"rows": [dict(row) for row in self.rows], "losses": list(self.losses)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on after these figures."""
        self.rows = [dict(row) for row in state["rows"]]
        self._losses = list(state["losses"])
        self._unread = []


class EarlyStopping(Callback):
    """Ends the training when a figure has not become better for ``patience`` epochs.

    Args:
        monitor: the figure; by default ``"validation_loss"``, without validation ``"loss"``.
        patience: epochs to wait.
        min_delta: by how much it must become better.
        mode: ``"min"``, ``"max"``, or ``"auto"``: lower is better for names with ``loss`` or ``error``.
        restore_best: whether to give the model the parameters of its best epoch at the end.
    """

    def __init__(
        self,
        monitor: str | None = None,
        patience: int = 3,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best: bool = False,
    ) -> None:
        is_better(0.0, None, "", mode)
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = mode
        self.restore_best = restore_best
        self.best: float | None = None
        self.best_epoch = 0
        self.waited = 0
        self._model: dict[str, Any] | None = None

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Compare the figure with the best one."""
        name, value = monitored(row, self.monitor, self)
        if is_better(value, self.best, name, self.mode, self.min_delta):
            self.best, self.best_epoch, self.waited = value, trainer.epoch, 0
            if self.restore_best:
                self._model = {key: each.detach().clone() for key, each in trainer.model.state_dict().items()}
            return
        self.waited += 1
        trainer.should_stop = trainer.should_stop or self.waited >= self.patience

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Do not go on where a resumed training had ended."""
        trainer.should_stop = trainer.should_stop or (self.best is not None and self.waited >= self.patience)

    def on_fit_end(self, trainer: Trainer) -> None:
        """Give the model its best parameters."""
        if self._model is not None:
            trainer.model.load_state_dict(self._model)

    def state_dict(self) -> dict[str, Any]:
        """The best figure, and the parameters then."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, "model": self._model}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on waiting."""
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self._model = state["model"]


class LearningRate(Callback):
    """Steps a scheduler of `tensorcore.optim.lr_scheduler` after each epoch, or each step of the optimizer.

    `ReduceLROnPlateau` gets the figure ``monitor``, by default the validation loss, without validation the loss.

    Raises:
        ValueError: for another ``every``, or `ReduceLROnPlateau` after each step.
    """

    def __init__(self, scheduler: Any, every: str = "epoch", monitor: str | None = None) -> None:
        if every not in ("epoch", "step"):
            raise ValueError(f"LearningRate: every must be 'epoch' or 'step', got {every!r}")
        self.scheduler = scheduler
        self.every = every
        self.monitor = monitor
        self._plateau = isinstance(scheduler, tc.optim.lr_scheduler.ReduceLROnPlateau)
        if self._plateau and every == "step":
            raise ValueError("LearningRate: ReduceLROnPlateau looks at the figures of an epoch; use every='epoch'")

    def on_step_end(self, trainer: Trainer) -> None:
        """Step where it is after each step."""
        if self.every == "step":
            self.scheduler.step()

    def on_epoch_end(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """Step where it is after each epoch."""
        if self._plateau:
            self.scheduler.step(monitored(row, self.monitor, self)[1])
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """The scheduler's."""
        return {"scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the scheduler."""
        self.scheduler.load_state_dict(state["scheduler"])
