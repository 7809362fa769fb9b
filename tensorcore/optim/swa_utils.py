"""Averages of parameters: stochastic weight averaging (SWA) and exponential moving averages (EMA)."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import FLOATING, int64
from tensorcore.nn.modules.batchnorm import _BatchNorm
from tensorcore.nn.modules.module import Module
from tensorcore.ops.creation import tensor
from tensorcore.optim.lr_scheduler.schedule import LRScheduler, for_each_group, within_step
from tensorcore.optim.optimizer import Optimizer
from tensorcore.tensor import Tensor

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Any, Any, Any], Any]
MultiAverage = Callable[[Sequence[Any], Sequence[Any], Any], None]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The average ``decay * averaged + (1 - decay) * current``, for `AveragedModel`.

    Raises:
        ValueError: for a decay outside [0, 1].

    Example:
        >>> import tensorcore as tc
        >>> tc.optim.swa_utils.get_ema_avg_fn(0.5)(tc.tensor(1.0), tc.tensor(3.0), 1)
        tensor(2.)
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Average:
    """The mean of all models so far, for `AveragedModel`.

    Example:
        >>> import tensorcore as tc
        >>> tc.optim.swa_utils.get_swa_avg_fn()(tc.tensor(1.0), tc.tensor(4.0), 2)
        tensor(2.)
    """

    @no_grad()
    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """The average ``decay * averaged + (1 - decay) * current`` written into a list of tensors, for `AveragedModel`.

    Raises:
        ValueError: for a decay outside [0, 1].

    Example:
        >>> import tensorcore as tc
        >>> averaged = [tc.tensor(1.0)]
        >>> tc.optim.swa_utils.get_ema_multi_avg_fn(0.5)(averaged, [tc.tensor(3.0)], 1)
        >>> averaged
        [tensor(2.)]
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Sequence[Any], current_param_list: Sequence[Any], _: Any) -> None:
        for averaged, current in zip(ema_param_list, current_param_list, strict=True):
            if averaged.dtype.category >= FLOATING:
                averaged.lerp_(current, 1 - decay)
            else:
                averaged.copy_(averaged * decay + current * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> MultiAverage:
    """The mean of all models so far written into a list of tensors, for `AveragedModel`.

    Example:
        >>> import tensorcore as tc
        >>> averaged = [tc.tensor(1.0)]
        >>> tc.optim.swa_utils.get_swa_multi_avg_fn()(averaged, [tc.tensor(4.0)], 2)
        >>> averaged
        [tensor(2.)]
    """

    @no_grad()
    def swa_update(averaged_param_list: Sequence[Any], current_param_list: Sequence[Any], num_averaged: Any) -> None:
        weight = 1 / (float(num_averaged) + 1)
        for averaged, current in zip(averaged_param_list, current_param_list, strict=True):
            if averaged.dtype.category >= FLOATING:
                averaged.lerp_(current, weight)
            else:
                averaged.copy_(averaged + (current - averaged) * weight)

    return swa_update


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's (Izmailov et al. 2018).

    `update_parameters` takes the model in; the first time it is copied. The average is the mean of all, unless a
    function says otherwise: ``avg_fn(averaged, current, n_averaged)`` returns a tensor's new value,
    ``multi_avg_fn`` writes into a list of tensors. Neither is part of the ``state_dict``.

    Args:
        model: what to average.
        device: where the copy lies; by default where the model does.
        avg_fn: the average of one tensor.
        multi_avg_fn: the average of a list of tensors.
        use_buffers: whether buffers are averaged too; else they are those of the model.

    Raises:
        AssertionError: for both functions at once.

    Example:
        >>> import tensorcore as tc
        >>> model = tc.nn.Linear(1, 1)
        >>> average = tc.optim.swa_utils.AveragedModel(model)
        >>> for value in (1.0, 3.0):
        ...     _ = tc.nn.init.constant_(model.weight, value)
        ...     average.update_parameters(model)
        >>> average.module.weight.data
        tensor([[2.]])
    """

    n_averaged: Tensor

    def __init__(
        self, model: Module, device: Any = None, avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters that ``model`` has now into the average."""
        averaged, current = self._averaged(self.module), self._averaged(model)
        current = [value.to(mean.device) for mean, value in zip(averaged, current, strict=True)]
        with no_grad():
            if int(self.n_averaged) == 0:
                for mean, value in zip(averaged, current, strict=True):
                    mean.copy_(value)
            else:
                self._average(averaged, current)
            if not self.use_buffers:
                for mean, value in zip(self.module.buffers(), model.buffers(), strict=True):
                    mean.copy_(value)
            self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Any]:
        buffers = model.buffers() if self.use_buffers else ()
        return [each.detach() for each in itertools.chain(model.parameters(), buffers)]

    def _average(self, averaged: list[Any], current: list[Any]) -> None:
        if self.avg_fn is not None:
            for mean, value in zip(averaged, current, strict=True):
                mean.copy_(self.avg_fn(mean, value, self.n_averaged.to(mean.device)))
            return
        multi = self.multi_avg_fn or get_swa_multi_avg_fn()
        alike: dict[Any, tuple[list[Any], list[Any]]] = {}
        for mean, value in zip(averaged, current, strict=True):
            means, values = alike.setdefault((mean.device, mean.dtype), ([], []))
            means.append(mean)
            values.append(value)
        for (device, _), (means, values) in alike.items():
            multi(means, values, self.n_averaged.to(device))


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of a model's batch normalisations anew, by one pass over ``loader``.

    Batches are tensors, or tuples or lists that begin with one; ``device`` is where they are brought to.

    Example:
        >>> import tensorcore as tc
        >>> model = tc.nn.BatchNorm1d(1)
        >>> tc.optim.swa_utils.update_bn([tc.tensor([[1.0], [3.0]]), tc.tensor([[4.0], [4.0]])], model)
        >>> model.running_mean
        tensor([3.])
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    training, momenta = model.training, [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        # Without momentum the statistics are means of all batches.
        norm.momentum = None
    model.train()
    for batch in loader:
        input = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(input if device is None else input.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """From the learning rates there are to ``swa_lr`` in ``anneal_epochs`` epochs, then constant.

    Args:
        optimizer: whose learning rates it sets.
        swa_lr: the learning rate at the end, or one for each group.
        anneal_epochs: how many epochs it takes.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: the epoch to resume at.

    Raises:
        ValueError: for another strategy, or a number of epochs that is negative or no int.

    Example:
        >>> import tensorcore as tc
        >>> optimizer = tc.optim.SGD([tc.nn.Parameter(tc.zeros(1))], lr=1.0)
        >>> schedule = tc.optim.swa_utils.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
        >>> optimizer.step(), schedule.step(), schedule.get_last_lr()
        (None, None, [0.75])
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        rates = for_each_group("swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """The weight of ``swa_lr`` at the fraction ``t``."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    @within_step
    def get_lr(self) -> list[Any]:
        step = self._step_count - 1
        epochs = max(1, self.anneal_epochs)
        if self.anneal_epochs == 0:
            step = max(1, step)
        before = self.anneal_func(max(0, min(1, (step - 1) / epochs)))
        now = self.anneal_func(max(0, min(1, step / epochs)))
        rates = []
        for group, lr in zip(self.optimizer.param_groups, self._lrs(), strict=True):
            target = group["swa_lr"]
            # Where the annealing began, which other schedules may have changed since.
            start = target if before == 1 else (lr - before * target) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
