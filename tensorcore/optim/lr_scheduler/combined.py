"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from tensorcore.optim.lr_scheduler.schedule import LRScheduler, set_setting
from tensorcore.optim.optimizer import Optimizer

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Combined(LRScheduler):
    _schedulers: list[Any]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer, with the states of the schedules."""
        left_out = ("optimizer", "_schedulers")
        state = {name: value for name, value in self.__dict__.items() if name not in left_out}
        state["_schedulers"] = [schedule.state_dict() for schedule in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        state = dict(state_dict)
        saved = state.pop("_schedulers")
        self.__dict__.update(state)
        for schedule, each in zip(self._schedulers, saved, strict=True):
            schedule.load_state_dict(each)

    def _check_optimizers(self, optimizer: Optimizer, schedulers: Sequence[Any]) -> None:
        for place, schedule in enumerate(schedulers):
            if not hasattr(schedule, "optimizer"):
                raise TypeError(f"{type(self).__name__}: the scheduler at index {place} has no optimizer")
            if schedule.optimizer is not optimizer:
                raise ValueError(
                    f"{type(self).__name__} expects all schedulers to belong to the same optimizer, but the one at "
                    f"index {place} belongs to another"
                )


class SequentialLR(_Combined):
    """One schedule after the other, changing at the epochs ``milestones``.

    Raises:
        ValueError: if the schedules are none, belong to several optimizers, or do not fit the milestones.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0)
        >>> warm = tc.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=9)
        >>> down = tc.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
        >>> tc.optim.lr_scheduler.SequentialLR(optimizer, [warm, down], milestones=[9]).get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[Any], milestones: list[int], last_epoch: int = -1
    ) -> None:
        if not schedulers:
            raise ValueError("SequentialLR expects at least one scheduler to be chained, but got no scheduler")
        self._check_optimizers(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "SequentialLR expects the number of schedulers to be one more than the number of milestone points, but "
                f"got {len(schedulers)} schedulers and {len(milestones)} milestones"
            )
        self.optimizer = optimizer
        self._schedulers = schedulers
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        # Each schedule has set its own first learning rate; begin again, and let only the first one do so.
        for group in optimizer.param_groups:
            set_setting(group, "lr", group["initial_lr"])
        self.recursive_undo()
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Undo the steps that schedules, at any depth, made when they were made."""
        schedule = self if sched is None else sched
        if hasattr(schedule, "_schedulers"):
            for each in schedule._schedulers:
                self.recursive_undo(each)
        elif hasattr(schedule, "last_epoch"):
            schedule.last_epoch -= 1

    def step(self, epoch: int | None = None) -> None:
        """Move to the next epoch and set the learning rates."""
        self.last_epoch += 1
        place = bisect_right(self._milestones, self.last_epoch)
        schedule = self._schedulers[place]
        if place > 0 and self._milestones[place - 1] == self.last_epoch:
            schedule._update_lr(0)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()


class ChainedScheduler(_Combined):
    """Several schedules stepped together, each changing what the one before has set.

    Raises:
        ValueError: if the schedules are none or belong to several optimizers.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0)
        >>> parts = [tc.optim.lr_scheduler.ExponentialLR(optimizer, gamma) for gamma in (0.5, 0.5)]
        >>> schedule = tc.optim.lr_scheduler.ChainedScheduler(parts)
        >>> optimizer.step(), schedule.step(), schedule.get_last_lr()
        (None, None, [0.25])
    """

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler expects at least one scheduler to be chained, but got no scheduler")
        self.optimizer = optimizer or schedulers[0].optimizer
        self._check_optimizers(self.optimizer, schedulers)
        self._schedulers = list(schedulers)
        self._last_lr = self._lrs()

    def step(self, epoch: int | None = None) -> None:
        """Step all schedules."""
        for schedule in self._schedulers:
            schedule.step()
        self._last_lr = self._lrs()
