"""The base class of schedules."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tensorcore.optim.optimizer import Optimizer
from tensorcore.tensor import Tensor

__all__ = ["EPOCH_WARNING", "LRScheduler"]

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
    "Please use `scheduler.step()` to step the scheduler."
)


class LRScheduler:
    """Base class of schedules: sets the ``lr`` of each parameter group, first when made and then at every ``step``.

    A subclass defines ``get_lr``, which returns the learning rates for ``self.last_epoch``, usually from those the
    groups have; and, where there is a formula, ``_get_closed_form_lr``.

    Attributes:
        base_lrs: the learning rates that the groups started with.
        last_epoch: how many steps have been made.

    Raises:
        TypeError: if ``optimizer`` is none.
        KeyError: if it resumes (``last_epoch`` other than -1) and a group has no ``initial_lr``.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                lr = group["lr"]
                group.setdefault("initial_lr", lr.clone() if isinstance(lr, Tensor) else lr)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{place}] when resuming scheduler with "
                    f"last_epoch >= 0"
                )
        self.base_lrs = [_number(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._initial_step()

    def _initial_step(self) -> None:
        self._is_initial = True
        try:
            self._advance(None)
        finally:
            self._is_initial = False

    def get_last_lr(self) -> list[Any]:
        """The learning rates set last."""
        return self._last_lr

    def get_lr(self) -> list[float]:
        """The learning rates for ``last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch (or to ``epoch``) and set the learning rates."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite order, or "
                "the first value of the schedule is skipped",
                stacklevel=2,
            )
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, stacklevel=2)
        self._advance(epoch)

    def _advance(self, epoch: int | None) -> None:
        self._step_count += 1
        if epoch is None:
            self.last_epoch += 1
            values = self.get_lr()
        else:
            self.last_epoch = epoch
            closed = getattr(self, "_get_closed_form_lr", None)
            values = self.get_lr() if closed is None else closed()
        self._set(values)

    def _set(self, values: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_setting(group, "lr", lr)
        self._last_lr: list[Any] = [_copied(group["lr"]) for group in self.optimizer.param_groups]

    def _lrs(self) -> list[float]:
        """The learning rates that the groups have, as numbers."""
        return [_number(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name not in ("optimizer", "_is_initial")}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)


def set_setting(group: dict[str, Any], name: str, value: Any) -> None:
    """Set a group's setting; one that is a tensor is written into, so that recorded steps see it."""
    if isinstance(group.get(name), Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def cosine(start: float, end: float, done: float) -> float:
    """Half a cosine wave from ``start`` to ``end``, at the fraction ``done``."""
    return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)


def linear(start: float, end: float, done: float) -> float:
    """The straight line from ``start`` to ``end``, at the fraction ``done``."""
    return (end - start) * done + start
