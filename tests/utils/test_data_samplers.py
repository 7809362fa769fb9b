"""Samplers; that random orders are PyTorch's is tested in the parity tests."""

from __future__ import annotations

from typing import Any

import pytest

import tensorcore as tc
from tensorcore.random import Generator
from tensorcore.utils.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_sequential() -> None:
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    assert len(SequentialSampler("")) == 0


def test_random_is_a_permutation() -> None:
    sampler = RandomSampler(range(50), generator=seeded())
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert list(RandomSampler(range(50), generator=seeded())) == first


@pytest.mark.parametrize("wanted", [1, 7, 10, 25])
def test_random_with_a_number_of_samples(wanted: int) -> None:
    drawn = list(RandomSampler(range(10), num_samples=wanted, generator=seeded()))
    assert len(drawn) == wanted
    assert all(drawn.count(i) in (wanted // 10, wanted // 10 + 1) for i in range(10))
    assert len(list(RandomSampler(range(10), replacement=True, num_samples=wanted))) == wanted


def test_random_follows_the_length_of_its_data() -> None:
    data = [1]
    sampler = RandomSampler(data)
    data.extend([2, 3])
    assert (len(sampler), len(list(sampler))) == (3, 3)


def test_subset_random() -> None:
    assert sorted(SubsetRandomSampler([7, 5, 9])) == [5, 7, 9]
    assert list(SubsetRandomSampler([])) == []


def test_weighted() -> None:
    drawn = list(WeightedRandomSampler([0.0, 1.0, 3.0], 1000, generator=seeded()))
    assert drawn.count(0) == 0
    assert 200 < drawn.count(1) < 300
    assert sorted(WeightedRandomSampler(tc.ones(4), 4, replacement=False)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("size", "drop_last", "expected"),
    [
        (2, False, [[0, 1], [2, 3], [4]]),
        (2, True, [[0, 1], [2, 3]]),
        (5, True, [[0, 1, 2, 3, 4]]),
        (6, True, []),
        (6, False, [[0, 1, 2, 3, 4]]),
    ],
)
def test_batches(size: int, drop_last: bool, expected: list[list[int]]) -> None:
    sampler = BatchSampler(SequentialSampler(range(5)), size, drop_last)
    assert list(sampler) == expected
    assert len(sampler) == len(expected)


def test_no_order() -> None:
    with pytest.raises(NotImplementedError, match="Sampler has no __iter__"):
        iter(Sampler())


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: RandomSampler([]), ValueError, "should be a positive integer value, but got num_samples=0"),
        (lambda: RandomSampler("ab", num_samples=0), ValueError, "num_samples=0"),
        (lambda: RandomSampler("ab", num_samples=1.5), ValueError, "num_samples=1.5"),  # type: ignore[arg-type]
        (lambda: RandomSampler("ab", replacement=1), TypeError, "replacement should be a boolean value"),  # type: ignore[arg-type]
        (lambda: WeightedRandomSampler([1.0], -1), ValueError, "num_samples=-1"),
        (lambda: WeightedRandomSampler([1.0], True), ValueError, "num_samples=True"),
        (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, r"weights have shape \(1, 1\)"),  # type: ignore[list-item]
        (lambda: WeightedRandomSampler([1.0], 1, None), ValueError, "replacement=None"),  # type: ignore[arg-type]
        (lambda: BatchSampler([0], 0, False), ValueError, "batch_size=0"),
        (lambda: BatchSampler([0], True, False), ValueError, "batch_size=True"),
        (lambda: BatchSampler([0], 1, 0), ValueError, "drop_last=0"),  # type: ignore[arg-type]
    ],
)
def test_bad_options(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()
