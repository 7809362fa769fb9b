"""Metrics: functions of predictions and targets, and objects that gather them over batches.

Predictions are classes, integers of shape (N, ...), or scores, floats of shape (N, C, ...), of which the highest
counts. Averages, and 0 where a denominator is 0, are scikit-learn's. Counts are kept on the device and read when they
are asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import tensorcore as tc

__all__ = [
    "F1",
    "Accuracy",
    "ConfusionMatrix",
    "Mean",
    "Metric",
    "Precision",
    "Recall",
    "Running",
    "TopK",
    "accuracy",
    "confusion_matrix",
    "f1_score",
    "precision",
    "recall",
    "top_k_accuracy",
]

Tensor = tc.Tensor
_AVERAGES: Final = ("macro", "micro", "weighted", "binary", None)


def _classes(op: str, predictions: Tensor, targets: Tensor) -> Tensor:
    """The predicted classes, of the shape of ``targets``."""
    if predictions.is_floating_point() and predictions.ndim == targets.ndim + 1:
        predictions = predictions.argmax(1)
    elif predictions.is_floating_point():
        raise TypeError(
            f"{op}: float predictions are scores of shape (N, C, ...) for targets of shape (N, ...); got "
            f"{list(predictions.shape)} for {list(targets.shape)}; compare probabilities of two classes to a threshold"
        )
    if predictions.shape != targets.shape:
        raise ValueError(f"{op}: predictions of shape {list(predictions.shape)}, targets of {list(targets.shape)}")
    if targets.is_floating_point():
        raise TypeError(f"{op}: targets are classes, integers or bools; got {targets.dtype}")
    return predictions


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    """``part / whole``, 0 where ``whole`` is 0."""
    return tc.where(whole == 0, 0.0, part / whole.clamp(min=1))


def accuracy(predictions: Tensor, targets: Tensor) -> Tensor:
    """Share of right predictions, a float64 0-d tensor; NaN of no predictions.

    Raises:
        TypeError, ValueError: for predictions that do not fit ``targets``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import accuracy
        >>> accuracy(tc.tensor([[0.1, 0.9], [0.8, 0.2]]), tc.tensor([1, 1])).item()
        0.5
    """
    return (_classes("accuracy", predictions, targets) == targets).to(tc.float64).mean()


def top_k_accuracy(scores: Tensor, targets: Tensor, k: int = 5) -> Tensor:
    """Share of targets of shape (N,) among the ``k`` highest of ``scores`` of shape (N, C).

    Raises:
        ValueError: for other shapes, or a ``k`` outside [1, C].

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import top_k_accuracy
        >>> top_k_accuracy(tc.tensor([[0.1, 0.5, 0.4], [0.8, 0.2, 0.0]]), tc.tensor([2, 2]), k=2).item()
        0.5
    """
    return _among_top(scores, targets, k).to(tc.float64).mean()


def _among_top(scores: Tensor, targets: Tensor, k: int) -> Tensor:
    if scores.ndim != 2 or targets.shape != scores.shape[:1]:
        raise ValueError(
            f"top_k_accuracy: expected scores (N, C) and targets (N,), got {list(scores.shape)}, {list(targets.shape)}"
        )
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"top_k_accuracy: k must be from 1 to the {scores.shape[1]} classes, got {k}")
    return (scores.topk(k, 1).indices == targets.unsqueeze(1)).any(1)


def confusion_matrix(
    predictions: Tensor, targets: Tensor, num_classes: int | None = None, normalize: str | None = None
) -> Tensor:
    """How often each class, by row, was predicted as each, by column: int64 of shape (C, C).

    Args:
        predictions: classes, or scores.
        targets: the true classes, from 0 on.
        num_classes: C; by default as many as scores or classes show.
        normalize: ``"true"``, ``"pred"`` or ``"all"`` divides by the sums of rows, of columns or of all.

    Raises:
        ValueError: for another ``normalize``, and for classes outside [0, C).

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import confusion_matrix
        >>> confusion_matrix(tc.tensor([0, 1, 1]), tc.tensor([0, 0, 1]))
        tensor([[1, 1],
                [0, 1]])
    """
    if normalize not in (None, "true", "pred", "all"):
        raise ValueError(f"confusion_matrix: normalize must be 'true', 'pred', 'all' or None, got {normalize!r}")
    found = _classes("confusion_matrix", predictions, targets).reshape(-1).to(tc.int64)
    true = targets.reshape(-1).to(tc.int64)
    highest = int(tc.cat([found, true]).max()) if true.numel() else -1
    lowest = int(tc.cat([found, true]).min()) if true.numel() else 0
    scores = predictions.shape[1] if predictions.is_floating_point() else 0
    count = num_classes if num_classes is not None else max(scores, highest + 1)
    if lowest < 0 or highest >= count:
        raise ValueError(f"confusion_matrix: classes from {lowest} to {highest} are not within [0, {count})")
    matrix = tc.bincount(true * count + found, minlength=count * count).reshape(count, count)
    return _normalized(matrix, normalize)


def _normalized(matrix: Tensor, normalize: str | None) -> Tensor:
    if normalize is None:
        return matrix
    exact = matrix.to(tc.float64)
    sums = {"true": lambda: exact.sum(1, keepdim=True), "pred": lambda: exact.sum(0, keepdim=True), "all": exact.sum}
    return _ratio(exact, sums[normalize]())


def _score(matrix: Tensor, average: str | None, rule: Callable[[Tensor, Tensor, Tensor], Tensor], op: str) -> Tensor:
    """A figure of the classes of ``matrix``, ``rule(hits, predicted, true)``, averaged."""
    if average not in _AVERAGES:
        raise ValueError(f"{op}: average must be one of {_AVERAGES}, got {average!r}")
    exact = matrix.to(tc.float64)
    hits, predicted, true = exact.diagonal(), exact.sum(0), exact.sum(1)
    if average == "micro":
        return rule(hits.sum(), predicted.sum(), true.sum())
    each = rule(hits, predicted, true)
    if average is None:
        return each
    if average == "binary":
        if len(each) > 2:
            raise ValueError(f"{op}: average='binary' is for two classes, got {len(each)}; choose another average")
        return each[1] if len(each) == 2 else tc.zeros((), dtype=tc.float64)
    if average == "weighted":
        return _ratio((each * true).sum(), true.sum())
    # As scikit-learn does, classes that appear nowhere do not count.
    seen = (predicted + true) > 0
    return _ratio((each * seen).sum(), seen.sum().to(tc.float64))


def _precision(hits: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
    return _ratio(hits, predicted)


def _recall(hits: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
    return _ratio(hits, true)


def _f1(hits: Tensor, predicted: Tensor, true: Tensor) -> Tensor:
    return _ratio(2 * hits, predicted + true)


def precision(
    predictions: Tensor, targets: Tensor, average: str | None = "macro", num_classes: int | None = None
) -> Tensor:
    """Share of right ones among the predictions of a class, averaged over classes.

    Args:
        predictions: classes, or scores.
        targets: the true classes.
        average: ``"macro"`` the mean of classes that appear, ``"weighted"`` by their number, ``"micro"`` of all
            predictions together, ``"binary"`` that of class 1, ``None`` one for each class.
        num_classes: number of classes; by default as many as scores or classes show.

    Raises:
        ValueError: for another ``average``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import precision
        >>> precision(tc.tensor([0, 1, 1, 1]), tc.tensor([0, 1, 1, 0]), average=None)
        tensor([1.0000, 0.6667], dtype=tensorcore.float64)
    """
    return _score(confusion_matrix(predictions, targets, num_classes), average, _precision, "precision")


def recall(
    predictions: Tensor, targets: Tensor, average: str | None = "macro", num_classes: int | None = None
) -> Tensor:
    """Share of a class that was predicted as such, averaged over classes; arguments as of `precision`.

    Raises:
        ValueError: for another ``average``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import recall
        >>> recall(tc.tensor([0, 1, 1, 1]), tc.tensor([0, 1, 1, 0])).item()
        0.75
    """
    return _score(confusion_matrix(predictions, targets, num_classes), average, _recall, "recall")


def f1_score(
    predictions: Tensor, targets: Tensor, average: str | None = "macro", num_classes: int | None = None
) -> Tensor:
    """Harmonic mean of precision and recall of each class, averaged over classes; arguments as of `precision`.

    Raises:
        ValueError: for another ``average``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import f1_score
        >>> f1_score(tc.tensor([0, 1, 1, 1]), tc.tensor([0, 1, 1, 0]), average="binary").item()
        0.8
    """
    return _score(confusion_matrix(predictions, targets, num_classes), average, _f1, "f1_score")


class Metric:
    """Gathers a figure over batches: a subclass has `reset`, `update` and `compute`.

    What `reset` sets as attributes, tensors and numbers, is the state.
    """

    #: The name under which a trainer reports it.
    name = "metric"

    def reset(self) -> None:
        """Begin anew."""
        raise NotImplementedError(f"{type(self).__name__} has no reset, which a metric needs")

    def update(self, predictions: Any, targets: Any) -> None:
        """Take in a batch."""
        raise NotImplementedError(f"{type(self).__name__} has no update, which a metric needs")

    def compute(self) -> Any:
        """The figure of all batches so far, a float or a tensor."""
        raise NotImplementedError(f"{type(self).__name__} has no compute, which a metric needs")

    def _state_names(self) -> list[str]:
        return [name for name in vars(self) if name.startswith("_")]

    def state_dict(self) -> dict[str, Any]:
        """What was gathered, for `load_state_dict`."""
        return {name: list(value) if isinstance(value := getattr(self, name), deque) else value
                for name in self._state_names()}  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        for name, value in state.items():
            known = getattr(self, name, None)
            setattr(self, name, deque(value, known.maxlen) if isinstance(known, deque) else value)


class Mean(Metric):
    """Mean of values, weighted by the size of their batches.

    Example:
        >>> from tensorcore_training.metrics import Mean
        >>> mean = Mean()
        >>> mean.add(1.0, weight=3)
        >>> mean.add(5.0)
        >>> mean.compute()
        2.0
    """

    name = "mean"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._total: Any = 0.0
        self._weight: Any = 0

    def add(self, value: Any, weight: float = 1) -> None:
        """Take in a value, a number or a tensor of one element."""
        # In float64: a mean of many float32 losses would lose digits.
        value = value.detach().to(tc.float64) if isinstance(value, Tensor) else value
        self._total = self._total + value * weight
        self._weight = self._weight + weight

    def update(self, predictions: Any, targets: Any = None) -> None:
        """Take in each element of ``predictions`` with the same weight."""
        self.add(predictions.to(tc.float64).mean() if predictions.numel() else 0.0, predictions.numel())

    def compute(self) -> float:
        """The mean; NaN of nothing."""
        return float(self._total) / float(self._weight) if self._weight else float("nan")


class Accuracy(Mean):
    """Share of right predictions.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import Accuracy
        >>> metric = Accuracy()
        >>> metric.update(tc.tensor([[0.1, 0.9], [0.8, 0.2]]), tc.tensor([1, 1]))
        >>> metric.compute()
        0.5
    """

    name = "accuracy"

    def update(self, predictions: Any, targets: Any = None) -> None:
        """Take in predictions, classes or scores, and their targets."""
        right = (_classes("accuracy", predictions, targets) == targets).sum()
        self._total = self._total + right
        self._weight += targets.numel()


class TopK(Mean):
    """Share of targets among the ``k`` highest scores.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import TopK
        >>> metric = TopK(2)
        >>> metric.update(tc.tensor([[0.1, 0.5, 0.4]]), tc.tensor([2]))
        >>> metric.compute()
        1.0
    """

    def __init__(self, k: int = 5) -> None:
        self.k = k
        self.name = f"top{k}"
        super().__init__()

    def update(self, predictions: Any, targets: Any = None) -> None:
        """Take in scores of shape (N, C) and targets of shape (N,)."""
        self._total = self._total + _among_top(predictions, targets, self.k).sum()
        self._weight += targets.numel()


class ConfusionMatrix(Metric):
    """How often each class, by row, was predicted as each, by column.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_training.metrics import ConfusionMatrix
        >>> metric = ConfusionMatrix(2)
        >>> metric.update(tc.tensor([0, 1, 1]), tc.tensor([0, 0, 1]))
        >>> metric.compute()
        tensor([[1, 1],
                [0, 1]])
    """

    name = "confusion_matrix"

    def __init__(self, num_classes: int, normalize: str | None = None) -> None:
        self.num_classes = num_classes
        self.normalize = normalize
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._matrix: Any = 0

    def update(self, predictions: Any, targets: Any) -> None:
        """Take in predictions, classes or scores, and their targets."""
        self._matrix = confusion_matrix(predictions, targets, self.num_classes) + self._matrix

    def matrix(self) -> Tensor:
        """The counts, int64 of shape (C, C)."""
        side = self.num_classes
        return self._matrix if isinstance(self._matrix, Tensor) else tc.zeros(side, side, dtype=tc.int64)

    def compute(self) -> Any:
        """The matrix, divided as ``normalize`` says."""
        return _normalized(self.matrix(), self.normalize)


class _ClassScore(ConfusionMatrix):
    """A figure of the confusion matrix, averaged over classes."""

    _rule: Callable[[Tensor, Tensor, Tensor], Tensor]

    def __init__(self, num_classes: int, average: str | None = "macro") -> None:
        super().__init__(num_classes)
        self.average = average

    def compute(self) -> Any:
        """The figure, a float; with ``average=None`` a tensor with one for each class."""
        score = _score(self.matrix(), self.average, type(self)._rule, self.name)
        return score if self.average is None else score.item()


class Precision(_ClassScore):
    """Share of right ones among the predictions of a class, averaged as `precision` says."""

    name = "precision"
    _rule = staticmethod(_precision)


class Recall(_ClassScore):
    """Share of a class that was predicted as such, averaged as `precision` says."""

    name = "recall"
    _rule = staticmethod(_recall)


class F1(_ClassScore):
    """Harmonic mean of precision and recall of each class, averaged as `precision` says."""

    name = "f1"
    _rule = staticmethod(_f1)


class Running(Metric):
    """Mean of the last ``window`` values.

    Example:
        >>> from tensorcore_training.metrics import Running
        >>> running = Running(2)
        >>> for value in (1.0, 2.0, 4.0):
        ...     running.add(value)
        >>> running.compute()
        3.0
    """

    name = "running"

    def __init__(self, window: int = 100) -> None:
        if window < 1:
            raise ValueError(f"Running: window must be positive, got {window}")
        self.window = window
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._values: deque[Any] = deque(maxlen=self.window)

    def add(self, value: Any) -> None:
        """Take in a value, a number or a tensor of one element."""
        self._values.append(value.detach() if isinstance(value, Tensor) else value)

    def update(self, predictions: Any, targets: Any = None) -> None:
        """Take in the mean of ``predictions``."""
        self.add(predictions.to(tc.float64).mean())

    def compute(self) -> float:
        """The mean; NaN of nothing."""
        return sum(map(float, self._values)) / len(self._values) if self._values else float("nan")
