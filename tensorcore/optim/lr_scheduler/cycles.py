"""Schedules along waves: cosine annealing, with restarts, one cycle, many cycles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorcore.optim.lr_scheduler.schedule import (
    LRScheduler,
    cosine,
    for_each_group,
    linear,
    set_setting,
    within_step,
)
from tensorcore.optim.optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine wave from the initial learning rate to ``eta_min`` in ``T_max`` epochs.

    Source: Loshchilov and Hutter 2016.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0)
        >>> schedule = tc.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
        >>> optimizer.step(), schedule.step(), schedule.get_last_lr()
        (None, None, [0.5])
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    @within_step
    def get_lr(self) -> list[Any]:
        if self._is_initial:
            return self._lrs()
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # At the bottom of the wave, where the step of the recurrence would divide by zero.
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - self.eta_min) * rise for lr, base in zip(self._lrs(), self.base_lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / (
            1 + math.cos(math.pi * (self.last_epoch - 1) / self.T_max)
        )
        return [ratio * (lr - self.eta_min) + self.eta_min for lr in self._lrs()]

    def _get_closed_form_lr(self) -> list[Any]:
        return [cosine(base, self.eta_min, self.last_epoch / self.T_max) for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half cosine waves of ``T_0``, ``T_0 * T_mult``, ... epochs, each from the initial learning rate to ``eta_min``.

    Source: Loshchilov and Hutter 2016.

    Raises:
        ValueError: unless T_0 is positive and T_mult at least 1.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0)
        >>> schedule = tc.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
        >>> optimizer.step(), schedule.step(), schedule.get_last_lr()
        (None, None, [0.5])
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    @within_step
    def get_lr(self) -> list[Any]:
        return [cosine(base, self.eta_min, self.T_cur / self.T_i) for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Move to the next epoch, or to ``epoch``, which may lie between two."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        elif epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            cycle = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**cycle - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**cycle
        self.last_epoch = math.floor(epoch)
        self._set(self._get_lr())


class OneCycleLR(LRScheduler):
    """Up to ``max_lr`` and down to far below the start, momentum the other way, once (Smith and Topin 2017).

    It is stepped after every batch.

    Raises:
        ValueError: if the length of the cycle is not given, or a setting is out of range.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0, momentum=0.9)
        >>> tc.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2.0, total_steps=10, div_factor=4.0).get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: Any, total_steps: int | None = None, epochs: int | None = None,
        steps_per_epoch: int | None = None, pct_start: float = 0.3, anneal_strategy: str = "cos",
        cycle_momentum: bool = True, base_momentum: Any = 0.85, max_momentum: Any = 0.95, div_factor: float = 25.0,
        final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        _require_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _cycle_length(total_steps, epochs, steps_per_epoch)
        if not (isinstance(pct_start, float) and 0 <= pct_start <= 1):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        up = float(pct_start * self.total_steps) - 1
        names = ("initial_lr", "max_lr", "min_lr")
        momenta = ("max_momentum", "base_momentum", "max_momentum")
        if three_phase:
            phases: list[tuple[Any, ...]] = [
                (up, *names[:2], *momenta[:2]),
                (float(2 * pct_start * self.total_steps) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                (self.total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            phases = [(up, *names[:2], *momenta[:2]), (self.total_steps - 1, *names[1:], *momenta[1:])]
        self._schedule_phases: list[dict[str, Any]] = [
            dict(zip(("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum"), phase, strict=True))
            for phase in phases
        ]
        groups = optimizer.param_groups
        if last_epoch == -1:
            for group, highest in zip(groups, for_each_group("max_lr", optimizer, max_lr), strict=True):
                group["initial_lr"] = highest / div_factor
                group["max_lr"] = highest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _require_momentum(optimizer)
            self.use_beta1 = "betas" in optimizer.defaults
            if last_epoch == -1:
                lows = for_each_group("base_momentum", optimizer, base_momentum)
                highs = for_each_group("max_momentum", optimizer, max_momentum)
                for group, low, high in zip(groups, lows, highs, strict=True):
                    _set_momentum(group, high)
                    group["max_momentum"] = high
                    group["base_momentum"] = low
        super().__init__(optimizer, last_epoch)

    @within_step
    def get_lr(self) -> list[Any]:
        at = self.last_epoch
        if at > self.total_steps:
            raise ValueError(f"Tried to step {at} times. The specified number of total steps is {self.total_steps}")
        anneal = cosine if self._anneal_func_type == "cos" else linear
        values = []
        for group in self.optimizer.param_groups:
            start: float = 0
            for place, phase in enumerate(self._schedule_phases):
                end = phase["end_step"]
                if at <= end or place == len(self._schedule_phases) - 1:
                    done = (at - start) / (end - start)
                    lr = anneal(group[phase["start_lr"]], group[phase["end_lr"]], done)
                    if self.cycle_momentum:
                        momentum = anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], done)
                    break
                start = end
            values.append(lr)
            if self.cycle_momentum:
                _set_momentum(group, momentum)
        return values


def _cycle_length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        if total_steps <= 0 or not isinstance(total_steps, int):
            raise ValueError(f"Expected positive integer total_steps, but got {total_steps}")
        return total_steps
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    for name, value in (("epochs", epochs), ("steps_per_epoch", steps_per_epoch)):
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return epochs * steps_per_epoch


def _require_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def _require_momentum(optimizer: Optimizer) -> None:
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled; "
            f"{type(optimizer).__name__} has neither"
        )


def _set_momentum(group: dict[str, Any], value: float) -> None:
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class CyclicLR(LRScheduler):
    """Up and down between ``base_lr`` and ``max_lr``, momentum the other way, for ever (Smith 2015).

    It is stepped after every batch.

    Raises:
        ValueError: for an unknown mode, or an optimizer without momentum that is to be cycled.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0, momentum=0.9)
        >>> schedule = tc.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=2)
        >>> optimizer.step(), schedule.step(), schedule.get_last_lr()
        (None, None, [0.5])
    """

    def __init__(
        self, optimizer: Optimizer, base_lr: Any, max_lr: Any, step_size_up: int = 2000,
        step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle", cycle_momentum: bool = True,
        base_momentum: float = 0.8, max_momentum: float = 0.9, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        _require_optimizer(optimizer)
        groups = optimizer.param_groups
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, lr in zip(groups, base_lrs, strict=True):
                set_setting(group, "lr", lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        up, down = float(step_size_up), float(step_size_up if step_size_down is None else step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            _require_momentum(optimizer)
            self.use_beta1 = "betas" in optimizer.defaults
            self.base_momentums = for_each_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = for_each_group("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                for group, low, high in zip(groups, self.base_momentums, self.max_momentums, strict=True):
                    _set_momentum(group, high)
                    group["max_momentum"] = high
                    group["base_momentum"] = low
        super().__init__(optimizer, last_epoch)
        # Not those of an earlier schedule.
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The amplitude in cycle (or, by ``scale_mode``, iteration) ``x``."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / (2.0 ** (x - 1)) if self.mode == "triangular2" else self.gamma**x

    @within_step
    def get_lr(self) -> list[Any]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                _set_momentum(group, high - (high - low) * height * scale)
        return [
            base + (highest - base) * height * scale for base, highest in zip(self.base_lrs, self.max_lrs, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer and a function given as ``scale_fn``."""
        state = super().state_dict()
        custom = state.pop("_scale_fn_custom")
        state["_scale_fn_custom"] = custom.__dict__.copy() if hasattr(custom, "__dict__") else None
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; a function given as ``scale_fn`` stays that of this schedule."""
        state = dict(state_dict)
        saved = state.pop("_scale_fn_custom", None)
        if saved and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(saved)
        self.__dict__.update(state)
