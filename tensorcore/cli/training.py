"""Training a classifier: what `tensorcore train` and `tensorcore quickstart` do between reading and writing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.utils.data import DataLoader

__all__ = ["Epoch", "Score", "Settings", "evaluate", "fit"]

#: Steps between two looks at the loss; on a device that works ahead, each look waits for it.
_LOOK: Final = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    Attributes:
        epochs: passes over the data.
        batch_size: samples in a step.
        lr: learning rate of AdamW, at the start.
        schedule: ``"linear"``, down to zero at the end, or ``"constant"``.
        seed: seed of the initial weights and of the order of the samples.
        limit: how many of the training samples to use; ``None`` for all.
    """

    epochs: int = 5
    batch_size: int = 64
    lr: float = 1e-3
    schedule: str = "linear"
    seed: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Mean loss and share of right answers over ``count`` samples."""

    loss: float
    accuracy: float
    count: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training data: its number from 1, the mean loss, the share of right answers, its duration."""

    epoch: int
    loss: float
    accuracy: float
    seconds: float


def fit(model: Any, data: Any, settings: Settings, look: Callable[[int, int, Score], None]) -> list[Epoch]:
    """Train ``model`` on ``data``, samples of an input and a label, with cross-entropy and AdamW.

    ``look(epoch, step, score)`` is called now and then, and at the end of each epoch, with the mean since its start.

    Raises:
        RuntimeError: when the loss is no longer a finite number.
    """
    loss_fn = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=settings.lr)
    loader: DataLoader[Any] = DataLoader(data, batch_size=settings.batch_size, shuffle=True)
    steps = len(loader)
    end = 0.0 if settings.schedule == "linear" else 1.0
    scheduler = optim.lr_scheduler.LinearLR(optimizer, 1.0, end, total_iters=steps * settings.epochs)
    history = []
    model.train()
    for epoch in range(1, settings.epochs + 1):
        begin = time.perf_counter()
        tally = _Tally()
        for step, (inputs, labels) in enumerate(loader, 1):
            logits = model(inputs)
            loss = loss_fn(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            tally.add(loss.detach(), logits.detach(), labels)
            if step % _LOOK == 0 or step == steps:
                score = tally.score()
                if not math.isfinite(score.loss):
                    raise RuntimeError(f"the loss became {score.loss} in epoch {epoch}; lower --lr {settings.lr}")
                look(epoch, step, score)
        history.append(Epoch(epoch, score.loss, score.accuracy, time.perf_counter() - begin))
    return history


def evaluate(model: Any, data: Any, batch_size: int = 1000) -> Score:
    """The score of ``model``, put in evaluation mode, on all samples of ``data``."""
    loss_fn = nn.CrossEntropyLoss()
    tally = _Tally()
    model.eval()
    with tc.no_grad():
        loader: DataLoader[Any] = DataLoader(data, batch_size=batch_size)
        for inputs, labels in loader:
            logits = model(inputs)
            tally.add(loss_fn(logits, labels), logits, labels)
    return tally.score()


class _Tally:
    """Sums on the device, read when asked for."""

    def __init__(self) -> None:
        self.loss: Any = 0
        self.right: Any = 0
        self.count = 0

    def add(self, loss: Any, logits: Any, labels: Any) -> None:
        self.loss = self.loss + loss * len(labels)
        self.right = self.right + (logits.argmax(1) == labels).sum()
        self.count += len(labels)

    def score(self) -> Score:
        return Score(float(self.loss) / self.count, int(self.right) / self.count, self.count)
