"""Training: `Trainer`, its callbacks, metrics and plots, made of the public API."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorcore_training.callbacks import Callback as Callback
    from tensorcore_training.callbacks import EarlyStopping as EarlyStopping
    from tensorcore_training.callbacks import History as History
    from tensorcore_training.callbacks import LearningRate as LearningRate
    from tensorcore_training.checkpoints import Checkpoint as Checkpoint
    from tensorcore_training.logs import CSVLogger as CSVLogger
    from tensorcore_training.logs import TensorBoard as TensorBoard
    from tensorcore_training.plots import plot_history as plot_history
    from tensorcore_training.trainer import Trainer as Trainer

# Registering the plugin imports this package, and shall import nothing else.
_HOMES = {
    "CSVLogger": "logs",
    "Callback": "callbacks",
    "Checkpoint": "checkpoints",
    "EarlyStopping": "callbacks",
    "History": "callbacks",
    "LearningRate": "callbacks",
    "TensorBoard": "logs",
    "Trainer": "trainer",
    "plot_history": "plots",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"tensorcore_training.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
