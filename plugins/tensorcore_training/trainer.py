"""The trainer: the loop over epochs and batches, what it reports, and its state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import tensorcore as tc
from tensorcore import nn, optim
from tensorcore.utils.data import DataLoader, TensorDataset, randomness
from tensorcore_training.batches import concatenated, inputs_of, moved, split
from tensorcore_training.callbacks import Callback, History
from tensorcore_training.checkpoints import Checkpoint
from tensorcore_training.display import make_display
from tensorcore_training.metrics import Mean, Metric

__all__ = ["Trainer"]

_VERSION = 1


class Trainer:
    """Trains ``model`` with ``optimizer`` on what ``loss(outputs, targets)`` gives for batches of inputs and targets.

    Args:
        model: called with the inputs of a batch; a tuple of them is passed as arguments, a dict by names.
        optimizer: one of `tensorcore.optim`; LBFGS gets a closure.
        loss: a function or module of outputs and targets.
        metrics: gathered in training and validation, by name or under their own names.
        step: in place of ``loss``, ``step(model, batch)``, which returns the loss, or loss, outputs and targets.
        accumulate: batches whose gradients are averaged before the optimizer steps.
        clip_norm: the norm that all gradients together are held to.
        clip_value: the magnitude that each element of a gradient is held to.
        autocast: makes the context in which the forward pass runs, such as
            ``lambda: tc.autocast("cpu", dtype=tc.bfloat16)``.
        scaler: a gradient scaler of `tensorcore.amp`.
        device: where batches go; by default where the model's first parameter is.

    Attributes:
        epoch: the current epoch, from 1.
        epochs: the last one.
        batch: batches of the epoch that are done.
        steps: steps of the optimizer that are done, in all epochs.
        loss_value: loss of the latest step, a tensor.
        should_stop: a callback sets it to end the training after the epoch.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training import Trainer
        >>> x = tc.linspace(-1, 1, 64).unsqueeze(1)
        >>> model = tc.nn.Linear(1, 1)
        >>> trainer = Trainer(model, tc.optim.SGD(model.parameters(), lr=0.5), tc.nn.MSELoss())
        >>> history = trainer.fit((x, 3 * x + 1), epochs=20, progress=False)
        >>> [round(value.item(), 2) for value in model.parameters()]
        [3.0, 1.0]
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer,
        loss: Callable[[Any, Any], Any] | None = None,
        *,
        metrics: Mapping[str, Metric] | Sequence[Metric] = (),
        step: Callable[[nn.Module, Any], Any] | None = None,
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
        scaler: Any = None,
        device: Any = None,
    ) -> None:
        if (loss is None) == (step is None):
            raise ValueError("Trainer: give either loss or step")
        if accumulate < 1:
            raise ValueError(f"Trainer: accumulate must be positive, got {accumulate}")
        if isinstance(optimizer, optim.LBFGS) and (accumulate > 1 or scaler is not None):
            raise ValueError("Trainer: LBFGS evaluates a batch several times, without accumulate and scaler")
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = dict(metrics) if isinstance(metrics, Mapping) else {each.name: each for each in metrics}
        if "loss" in self.metrics or len(self.metrics) < len(metrics):
            raise ValueError("Trainer: metrics need different names, none of them 'loss'")
        self.custom_step = step
        self.accumulate = accumulate
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.autocast = autocast
        self.scaler = scaler
        self._device = device
        self.epoch = self.epochs = self.batch = self.steps = 0
        self.loss_value: Any = None
        self.should_stop = False
        self.callbacks: list[Callback] = []
        self._tally = Mean()
        self._loader: Any = None

    @property
    def device(self) -> Any:
        """Where batches go."""
        if self._device is not None:
            return tc.device(self._device)
        first = next(iter(self.model.parameters()), None)
        return tc.get_default_device() if first is None else first.device

    # ------------------------------------------------------------------ training

    def fit(
        self,
        train: Any,
        validation: Any = None,
        epochs: int = 1,
        callbacks: Iterable[Callback] = (),
        *,
        batch_size: int = 64,
        progress: bool = True,
        resume: bool | str | Path = False,
    ) -> History:
        """Train until ``epochs`` epochs are done, and return the history.

        Args:
            train: a `DataLoader` or another iterable of batches; of a data set, or a tuple of tensors, a shuffling
                loader is made.
            validation: what the model is evaluated on after each epoch, likewise.
            epochs: the epoch to end with; a second call goes on after the first.
            callbacks: told of what happens, in this order, checkpoints last.
            batch_size: for a loader that is made.
            progress: whether to show how it goes: a bar on a terminal, a line for each epoch elsewhere.
            resume: go on from the latest checkpoint of the `Checkpoint` callback, if it has one, or from that of a
                file or folder. Everything is as if the training had not ended in between, to the last bit.

        Raises:
            FileNotFoundError: for a ``resume`` path without a checkpoint.
            ValueError: for ``resume=True`` without a `Checkpoint` callback.
        """
        loader = self._loader = _loader(train, batch_size, shuffle=True)
        given = list(callbacks)
        history = next((each for each in given if isinstance(each, History)), None) or self._own_history()
        ordered = [history, *(each for each in given if each is not history)]
        # What a checkpoint holds includes what the others made of the same step.
        self.callbacks = sorted(ordered, key=lambda each: isinstance(each, Checkpoint))
        self.epochs = epochs
        self.should_stop = False
        if resume:
            self._resume(resume)
        display = make_display(progress)
        with ExitStack() as stack:
            stack.callback(display.close)
            for callback in self.callbacks:
                callback.on_fit_begin(self)
                stack.callback(callback.on_fit_end, self)
            while (self.epoch < epochs or self.batch) and not self.should_stop:
                self._run_epoch(loader, validation, batch_size, display)
        return history

    def _own_history(self) -> History:
        return next((each for each in self.callbacks if isinstance(each, History)), None) or History()

    def _run_epoch(self, loader: Any, validation: Any, batch_size: int, display: Any) -> None:
        begin = time.perf_counter()
        total = _length(loader)
        if not self.batch:
            self.epoch += 1
            self._tally.reset()
            for metric in self.metrics.values():
                metric.reset()
            for callback in self.callbacks:
                callback.on_epoch_begin(self)
        display.begin(self.epoch, self.epochs, total)
        self.model.train()
        for group in self._groups(loader, total):
            self._step(group, len(group))
            for callback in self.callbacks:
                callback.on_step_end(self)
            if display.is_due():
                display.update(self.batch, self._report())
        row = {**self._report(), "lr": self.optimizer.param_groups[0]["lr"]}
        if not self.batch:
            raise ValueError("Trainer.fit: the training data gave no batch")
        if validation is not None:
            row.update({f"validation_{name}": value for name, value in self.evaluate(validation, batch_size).items()})
        self.batch = 0
        for callback in self.callbacks:
            callback.on_epoch_end(self, row)
        display.end(row, time.perf_counter() - begin)

    def _groups(self, loader: Any, total: int | None) -> Iterator[list[Any]]:
        """The batches of each step that is left of the epoch."""
        group: list[Any] = []
        for batch in _after(loader, self.batch):
            group.append(batch)
            if len(group) == self.accumulate:
                yield group
                group = []
        if group:
            yield group

    def _step(self, batches: list[Any], count: int) -> None:
        """One step of the optimizer, with gradients averaged over ``batches``."""
        mean: Any = 0.0

        def closure() -> Any:
            nonlocal mean
            self.optimizer.zero_grad()
            mean = 0.0
            for batch in batches:
                loss, outputs, targets, size = self._forward(moved(batch, self.device))
                scaled = loss / count if count > 1 else loss
                (scaled if self.scaler is None else self.scaler.scale(scaled)).backward()
                mean = mean + scaled.detach()
                gathered.append((loss.detach(), outputs, targets, size))
            if self.scaler is not None and (self.clip_norm is not None or self.clip_value is not None):
                self.scaler.unscale_(self.optimizer)
            self._clip()
            return mean

        gathered: list[Any] = []
        if isinstance(self.optimizer, optim.LBFGS):
            self.optimizer.step(closure)
            del gathered[1:]
        else:
            closure()
            if self.scaler is None:
                self.optimizer.step()
            else:
                self.scaler.step(self.optimizer)
                self.scaler.update()
        self.optimizer.zero_grad()
        for loss, outputs, targets, size in gathered:
            self._tally.add(loss, size)
            _update(self.metrics, outputs, targets)
        self.loss_value = gathered[0][0] if len(gathered) == 1 else mean
        self.batch += len(batches)
        self.steps += 1

    def _forward(self, batch: Any) -> tuple[Any, Any, Any, int]:
        """Loss, outputs, targets and size of a batch."""
        with self.autocast():
            if self.custom_step is not None:
                made = self.custom_step(self.model, batch)
                loss, outputs, targets = made if isinstance(made, tuple) else (made, None, None)
                inputs = inputs_of(batch)
            else:
                inputs, targets = split(batch)
                outputs = _called(self.model, inputs)
                loss = self.loss(outputs, targets)  # type: ignore[misc]
        return loss, outputs, targets, _size(inputs)

    def _clip(self) -> None:
        parameters = [each for group in self.optimizer.param_groups for each in group["params"]]
        if self.clip_value is not None:
            nn.utils.clip_grad_value_(parameters, self.clip_value)
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(parameters, self.clip_norm)

    def _report(self) -> dict[str, Any]:
        return {"loss": self._tally.compute(), **{name: each.compute() for name, each in self.metrics.items()}}

    # ------------------------------------------------------------------ use

    def evaluate(self, data: Any, batch_size: int = 64) -> dict[str, Any]:
        """The mean loss and the metrics over ``data``, with the model in evaluation mode and without gradients."""
        tally = Mean()
        kept = {name: each.state_dict() for name, each in self.metrics.items()}
        for metric in self.metrics.values():
            metric.reset()
        device = self.device
        with _evaluating(self.model):
            for batch in _loader(data, batch_size):
                loss, outputs, targets, size = self._forward(moved(batch, device))
                tally.add(loss, size)
                _update(self.metrics, outputs, targets)
        found = {"loss": tally.compute(), **{name: each.compute() for name, each in self.metrics.items()}}
        for name, metric in self.metrics.items():
            metric.load_state_dict(kept[name])
        return found

    def predict(self, data: Any, batch_size: int = 64) -> Any:
        """The outputs of the model for all of ``data``, in evaluation mode, joined along the first dimension.

        Of batches that are pairs the first part is the input.
        """
        device = self.device
        with _evaluating(self.model), self.autocast():
            outputs = [_called(self.model, moved(inputs_of(batch), device)) for batch in _loader(data, batch_size)]
        return concatenated(outputs)

    # ------------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """All that the course of the training depends on: model, optimizer, generators, position, callbacks."""
        return {
            "version": _VERSION,
            "epoch": self.epoch,
            "batch": self.batch,
            "steps": self.steps,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if self.scaler is None else self.scaler.state_dict(),
            "random": tc.frombuffer(bytearray(randomness.read()), dtype=tc.uint8),
            "loader": self._loader.state_dict() if isinstance(self._loader, DataLoader) else None,
            "tally": self._tally.state_dict(),
            "metrics": {name: each.state_dict() for name, each in self.metrics.items()},
            "callbacks": {_key(self.callbacks, each): each.state_dict() for each in self.callbacks},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned, in the next `fit`.

        Raises:
            ValueError: if it is no such state.
        """
        if not isinstance(state, Mapping) or state.get("version") != _VERSION or "callbacks" not in state:
            raise ValueError("Trainer.load_state_dict: expected what Trainer.state_dict returned")
        self.epoch, self.batch, self.steps = state["epoch"], state["batch"], state["steps"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scaler is not None and state["scaler"] is not None:
            self.scaler.load_state_dict(state["scaler"])
        self._tally.load_state_dict(state["tally"])
        for name, metric in self.metrics.items():
            if name in state["metrics"]:
                metric.load_state_dict(state["metrics"][name])
        for callback in self.callbacks:
            if (key := _key(self.callbacks, callback)) in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][key])
        if isinstance(self._loader, DataLoader) and state["loader"] is not None:
            self._loader.load_state_dict(state["loader"])
        randomness.restore(bytes(state["random"].tolist()))

    def _resume(self, place: bool | str | Path) -> None:
        from tensorcore_training.checkpoints import read_checkpoint, read_latest

        if place is True:
            saver = next((each for each in self.callbacks if isinstance(each, Checkpoint)), None)
            if saver is None:
                raise ValueError("Trainer.fit: resume=True needs a Checkpoint callback; or give a file or folder")
            state = read_latest(saver.folder)
        else:
            state = read_checkpoint(Path(str(place)))
        if state is not None:
            self.load_state_dict(state)


def _update(metrics: Mapping[str, Metric], outputs: Any, targets: Any) -> None:
    if outputs is not None:
        with tc.no_grad():
            for metric in metrics.values():
                metric.update(outputs.detach() if isinstance(outputs, tc.Tensor) else outputs, targets)


def _key(callbacks: Sequence[Callback], callback: Callback) -> str:
    """The name of a callback in a state: its class, numbered where there are several."""
    name = type(callback).__name__
    alike = [each for each in callbacks if type(each).__name__ == name]
    return name if len(alike) == 1 else f"{name}-{next(i for i, each in enumerate(alike) if each is callback)}"


def _called(model: Any, inputs: Any) -> Any:
    if isinstance(inputs, (tuple, list)):
        return model(*inputs)
    return model(**inputs) if isinstance(inputs, dict) else model(inputs)


def _size(inputs: Any) -> int:
    """Number of samples: the first side of the first tensor."""
    while isinstance(inputs, (tuple, list, dict)) and inputs:
        inputs = next(iter(inputs.values() if isinstance(inputs, dict) else inputs))
    return len(inputs) if isinstance(inputs, tc.Tensor) and inputs.ndim else 1


def _loader(data: Any, batch_size: int, shuffle: bool = False) -> Any:
    """An iterable of batches: ``data`` itself, or a loader of a data set or of a tuple of tensors."""
    if isinstance(data, tuple) and data and all(isinstance(each, tc.Tensor) for each in data):
        data = TensorDataset(*data)
    if not isinstance(data, DataLoader) and hasattr(data, "__getitem__") and not isinstance(data, (list, tuple)):
        return DataLoader(data, batch_size=batch_size, shuffle=shuffle)
    return data


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return None


def _after(loader: Any, done: int) -> Iterator[Any]:
    """The batches after ``done`` ones; a `DataLoader` is there already."""
    batches = iter(loader)
    if not isinstance(loader, DataLoader):
        for _ in zip(range(done), batches, strict=False):
            pass
    return batches


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Within it ``model`` is in evaluation mode, and no graph is kept."""
    modes = [(each, each.training) for each in model.modules()]
    model.eval()
    try:
        with tc.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training
