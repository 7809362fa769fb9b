"""The base class of schedules."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

from tensorcore.optim.optimizer import Optimizer
from tensorcore.tensor import Tensor

__all__ = ["EPOCH_WARNING", "LRScheduler", "for_each_group", "set_setting", "within_step"]

EPOCH_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
    "Please use `scheduler.step()` to step the scheduler."
)


def within_step(get_lr: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """Decorator of ``get_lr``: it warns unless a step calls it, as it says what comes next, not what is."""

    @functools.wraps(get_lr)
    def checked(self: LRScheduler) -> list[Any]:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "get_lr computes the next learning rates; to get the last ones, please use `get_last_lr()`",
                stacklevel=2,
            )
        return get_lr(self)

    return checked


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

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for place, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{place}] when resuming scheduler with "
                    f"last_epoch >= 0: load the optimizer's state first, or leave last_epoch at -1"
                )
        self.base_lrs = [_copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        if optimizer._scheduled_step is None:
            # What it did before is not reckoned, nor what wraps its `step` now.
            optimizer._opt_called = False
            optimizer._scheduled_step = (vars(optimizer).get("step"),)
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_last_lr(self) -> list[Any]:
        """The learning rates set last."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The learning rates for ``last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch (or to ``epoch``) and set the learning rates."""
        if self._step_count == 1:
            if self.optimizer._scheduled_step != (vars(self.optimizer).get("step"),):
                warnings.warn(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization: "
                    "make sure that it is called before `lr_scheduler.step()`",
                    stacklevel=2,
                )
            elif not self.optimizer._opt_called:
                warnings.warn(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call them in the opposite "
                    "order, or the first value of the schedule is skipped",
                    stacklevel=2,
                )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_WARNING, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._set(self._get_lr() if closed is None else closed())

    def _get_lr(self) -> list[Any]:
        self._get_lr_called_within_step = True
        try:
            return self.get_lr()
        finally:
            self._get_lr_called_within_step = False

    def _set(self, values: list[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_setting(group, "lr", lr)
        self._last_lr: list[Any] = self._lrs()

    def _lrs(self) -> list[Any]:
        """The learning rates that the groups have; copies, where they are tensors."""
        return [_copied(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)


def set_setting(group: dict[str, Any], name: str, value: Any) -> None:
    """Set a group's setting; one that is a tensor is written into, so that recorded steps see it."""
    if isinstance(group.get(name), Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A setting for each group of the optimizer, from one for all or a list of them."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups: one entry for each of the {groups}, "
            f"got {len(value)}"
        )
    return list(map(_copied, value))


def cosine(start: Any, end: Any, done: float) -> Any:
    """Half a cosine wave from ``start`` to ``end``, at the fraction ``done``."""
    return end + (start - end) / 2.0 * (math.cos(math.pi * done) + 1)


def linear(start: Any, end: Any, done: float) -> Any:
    """The straight line from ``start`` to ``end``, at the fraction ``done``."""
    return (end - start) * done + start
