"""Metrics beside scikit-learn's."""

from __future__ import annotations

from typing import Any

import pytest

import tensorcore as tc
from tensorcore_training import metrics

sklearn = pytest.importorskip("sklearn.metrics")

PAIRS = [
    ([0, 1, 2, 1, 0], [0, 1, 2, 2, 1]),
    ([0, 0, 0, 0], [1, 1, 2, 0]),
    ([2, 2, 2], [0, 0, 0]),
    ([3, 1, 1, 3, 0, 3], [3, 1, 0, 3, 0, 1]),
    ([1], [1]),
]
FUNCTIONS = [
    (metrics.precision, sklearn.precision_score, metrics.Precision),
    (metrics.recall, sklearn.recall_score, metrics.Recall),
    (metrics.f1_score, sklearn.f1_score, metrics.F1),
]


@pytest.mark.parametrize(("predicted", "true"), PAIRS)
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("place", range(3))
def test_class_scores(predicted: list[int], true: list[int], average: str, place: int) -> None:
    ours, theirs, gathered = FUNCTIONS[place]
    expected = theirs(true, predicted, average=average, zero_division=0)
    assert ours(tc.tensor(predicted), tc.tensor(true), average).item() == pytest.approx(expected, rel=1e-12)
    metric = gathered(4, average)
    for half in (slice(0, 2), slice(2, None)):
        metric.update(tc.tensor(predicted[half], dtype=tc.int64), tc.tensor(true[half], dtype=tc.int64))
    assert metric.compute() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("place", range(3))
def test_class_scores_of_each_class_and_of_two(place: int) -> None:
    ours, theirs, _ = FUNCTIONS[place]
    predicted, true = [0, 1, 2, 1, 0, 2], [0, 1, 2, 2, 1, 2]
    expected = theirs(true, predicted, average=None, labels=[0, 1, 2, 3], zero_division=0)
    assert ours(tc.tensor(predicted), tc.tensor(true), None, 4).tolist() == pytest.approx(list(expected))
    predicted, true = [0, 1, 1, 1, 0], [0, 1, 0, 1, 1]
    expected = theirs(true, predicted, zero_division=0)
    assert ours(tc.tensor(predicted).bool(), tc.tensor(true).bool(), "binary").item() == pytest.approx(expected)
    assert ours(tc.tensor([0]), tc.tensor([0]), "binary").item() == 0
    assert ours(tc.tensor([], dtype=tc.int64), tc.tensor([], dtype=tc.int64)).item() == 0


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
@pytest.mark.parametrize(("predicted", "true"), PAIRS)
def test_confusion_matrix(predicted: list[int], true: list[int], normalize: str | None) -> None:
    expected = sklearn.confusion_matrix(true, predicted, labels=range(4), normalize=normalize)
    ours = metrics.confusion_matrix(tc.tensor(predicted), tc.tensor(true), 4, normalize)
    assert ours.tolist() == expected.tolist()
    metric = metrics.ConfusionMatrix(4, normalize)
    assert metric.compute().sum().item() == 0
    metric.update(tc.nn.functional.one_hot(tc.tensor(predicted), 4).float(), tc.tensor(true))
    assert metric.compute().tolist() == expected.tolist()


@pytest.mark.parametrize("k", [1, 2, 4])
def test_top_k(k: int) -> None:
    scores, true = tc.rand(40, 5), tc.randint(5, (40,))
    expected = sklearn.top_k_accuracy_score(true.numpy(), scores.numpy(), k=k, labels=range(5))
    assert metrics.top_k_accuracy(scores, true, k).item() == pytest.approx(expected)
    metric = metrics.TopK(k)
    metric.update(scores[:7], true[:7])
    metric.update(scores[7:], true[7:])
    assert (metric.name, metric.compute()) == (f"top{k}", pytest.approx(expected))


@pytest.mark.parametrize("shape", [(30,), (6, 5), (2, 3, 5)])
def test_accuracy(shape: tuple[int, ...]) -> None:
    scores, true = tc.rand(shape[0], 3, *shape[1:]), tc.randint(3, shape)
    predicted = scores.argmax(1)
    expected = sklearn.accuracy_score(true.flatten().numpy(), predicted.flatten().numpy())
    assert metrics.accuracy(scores, true).item() == pytest.approx(expected)
    assert metrics.accuracy(predicted, true).item() == pytest.approx(expected)
    metric = metrics.Accuracy()
    metric.update(scores, true)
    assert metric.compute() == pytest.approx(expected)


def test_means() -> None:
    mean, running = metrics.Mean(), metrics.Running(3)
    assert mean.compute() != mean.compute()
    assert running.compute() != running.compute()
    mean.update(tc.tensor([1.0, 2.0]))
    mean.update(tc.zeros(0))
    mean.add(tc.tensor(9.0), weight=2)
    assert mean.compute() == (3 + 18) / 4
    for value in (100.0, tc.tensor(1.0), 2, tc.tensor([6.0])):
        running.add(value)
    assert running.compute() == 3
    # A long sum of float32 keeps its digits.
    mean.reset()
    for _ in range(2000):
        mean.add(tc.tensor(0.1))
    assert mean.compute() == pytest.approx(tc.tensor(0.1).item(), rel=1e-14)


@pytest.mark.parametrize("make", [metrics.Mean, metrics.Running])
def test_states(make: Any) -> None:
    first, second = make(), make()
    first.add(tc.tensor(2.0))
    second.load_state_dict(first.state_dict())
    first.add(4.0)
    second.add(4.0)
    assert first.compute() == second.compute() == 3
    assert getattr(first, "window", None) == getattr(second, "window", None)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy(tc.ones(3), tc.ones(3).long()), TypeError, r"scores of shape \(N, C, ...\)"),
        (lambda: metrics.accuracy(tc.ones(3).long(), tc.ones(2).long()), ValueError, r"shape \[3\], targets of \[2\]"),
        (lambda: metrics.accuracy(tc.ones(3, 2), tc.ones(3)), TypeError, "targets are classes"),
        (lambda: metrics.top_k_accuracy(tc.ones(3, 2), tc.ones(3).long(), 3), ValueError, "from 1 to the 2 classes"),
        (lambda: metrics.top_k_accuracy(tc.ones(3), tc.ones(3).long(), 1), ValueError, "expected scores"),
        (lambda: metrics.confusion_matrix(tc.tensor([5]), tc.tensor([0]), 3), ValueError, r"not within \[0, 3\)"),
        (lambda: metrics.confusion_matrix(tc.tensor([-1]), tc.tensor([0])), ValueError, "classes from -1 to 0"),
        (lambda: metrics.confusion_matrix(tc.tensor([0]), tc.tensor([0]), 1, "x"), ValueError, "normalize must be"),
        (lambda: metrics.recall(tc.tensor([2]), tc.tensor([0]), "binary"), ValueError, "is for two classes, got 3"),
        (lambda: metrics.recall(tc.tensor([2]), tc.tensor([0]), "best"), ValueError, "average must be one of"),
        (lambda: metrics.Running(0), ValueError, "window must be positive"),
        (lambda: metrics.Metric().compute(), NotImplementedError, "Metric has no compute"),
    ],
)
def test_refusals(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
