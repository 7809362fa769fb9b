"""The loader without worker processes: options, orders, lengths, errors."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.random import Generator
from tensorcore.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    get_worker_info,
)


class Count(IterableDataset[int]):
    def __init__(self, stop: int, promised: int | None = None) -> None:
        self.stop = stop
        self.promised = promised

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.stop))

    def __len__(self) -> int:
        if self.promised is None:
            raise TypeError("no length")
        return self.promised


def lists(loader: Any) -> list[Any]:
    return [batch.tolist() for batch in loader]


def test_batches_in_order() -> None:
    loader = DataLoader(range(5), batch_size=2)
    assert lists(loader) == lists(loader) == [[0, 1], [2, 3], [4]]
    assert (len(loader), len(iter(loader))) == (3, 3)


def test_drop_last() -> None:
    loader = DataLoader(range(5), batch_size=2, drop_last=True)
    assert lists(loader) == [[0, 1], [2, 3]]
    assert len(loader) == 2


def test_no_batches() -> None:
    assert list(DataLoader("ab", batch_size=None)) == ["a", "b"]
    assert list(DataLoader(range(3), batch_size=None, sampler=[2, 0])) == [2, 0]


def test_shuffle_follows_the_seed() -> None:
    loader = DataLoader(range(20), batch_size=20, shuffle=True)
    tc.manual_seed(3)
    first, second = lists(loader), lists(loader)
    tc.manual_seed(3)
    assert lists(loader) == first != second
    assert sorted(first[0]) == list(range(20))


def test_own_generator_leaves_the_default_one_alone() -> None:
    tc.manual_seed(0)
    expected = tc.rand(1).item()
    tc.manual_seed(0)
    lists(DataLoader(range(20), shuffle=True, generator=Generator().manual_seed(5)))
    assert tc.rand(1).item() == expected


def test_samplers() -> None:
    assert lists(DataLoader(range(9), sampler=[7, 1, 3], batch_size=2)) == [[7, 1], [3]]
    assert lists(DataLoader(range(9), batch_sampler=[[1, 2], [8]])) == [[1, 2], [8]]
    loader = DataLoader(range(9), batch_sampler=BatchSampler(SequentialSampler(range(4)), 3, False))
    assert (lists(loader), len(loader), loader.batch_size) == ([[0, 1, 2], [3]], 2, None)
    assert isinstance(DataLoader(range(9), shuffle=True).sampler, RandomSampler)


def test_keys_of_a_mapping() -> None:
    data = {"a": 1, "b": 2}
    assert lists(DataLoader(data, sampler=["b", "a"], batch_size=2)) == [[2, 1]]


def test_collate_fn() -> None:
    assert list(DataLoader(range(3), batch_size=2, collate_fn=sum)) == [1, 2]


def test_iterable() -> None:
    assert lists(DataLoader(Count(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(DataLoader(Count(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(3), batch_size=None)) == [0, 1, 2]
    assert list(DataLoader(Count(0), batch_size=2)) == []


@pytest.mark.parametrize(("size", "drop_last", "expected"), [(2, False, 3), (2, True, 2), (None, False, 5)])
def test_length_of_an_iterable(size: int | None, drop_last: bool, expected: int) -> None:
    assert len(DataLoader(Count(5, promised=5), batch_size=size, drop_last=drop_last)) == expected


def test_no_length_of_an_iterable() -> None:
    with pytest.raises(TypeError, match="no length"):
        len(DataLoader(Count(5)))


def test_more_samples_than_promised() -> None:
    loader = DataLoader(Count(3, promised=2), batch_size=None)
    assert list(loader) == [0, 1, 2]
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="length of Count was reported as 2 samples, but this is batch 3"):
        assert list(loader) == [0, 1, 2]


def test_not_in_a_worker() -> None:
    assert get_worker_info() is None


def test_two_iterators_at_once() -> None:
    loader = DataLoader(range(4), batch_size=2)
    pairs = list(zip(loader, loader, strict=True))
    assert [(a.tolist(), b.tolist()) for a, b in pairs] == [([0, 1], [0, 1]), ([2, 3], [2, 3])]


def test_errors_of_the_dataset_pass_through() -> None:
    class Broken:
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> int:
            raise KeyError(index)

    with pytest.raises(KeyError, match="0"):
        list(DataLoader(Broken()))


def test_pin_memory_is_accepted() -> None:
    (batch,) = DataLoader(TensorDataset(tc.ones(2)), batch_size=2, pin_memory=True, pin_memory_device="cuda")
    assert batch[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": -1}, "num_workers must be 0"),
        ({"timeout": -1}, "timeout must be 0"),
        ({"timeout": 1}, "timeout is for worker processes"),
        ({"prefetch_factor": 2}, "prefetch_factor is for worker processes"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor must be positive, got 0"),
        ({"persistent_workers": True}, "persistent_workers is for worker processes"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context is for worker processes"),
        ({"num_workers": 1, "multiprocessing_context": "thread"}, "must be one of .*'spawn'.*, got 'thread'"),
        ({"shuffle": True, "sampler": [0]}, "sampler option is mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
        ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler option is mutually exclusive"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler option is mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "mutually exclusive with drop_last"),
        ({"batch_size": 0}, "batch_size should be a positive integer"),
        ({"batch_size": 1.5}, "batch_size should be a positive integer"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataLoader(range(3), **options)


def test_a_context_of_another_type() -> None:
    with pytest.raises(TypeError, match="a start method's name or a context of multiprocessing, got 3"):
        DataLoader(range(3), num_workers=1, multiprocessing_context=3)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_an_iterable_has_its_own_order(options: dict[str, Any]) -> None:
    name = next(iter(options))
    with pytest.raises(ValueError, match=f"expected unspecified {name} option"):
        DataLoader(Count(3), **options)


@pytest.mark.parametrize(
    "name", ["batch_size", "sampler", "batch_sampler", "drop_last", "dataset", "persistent_workers"]
)
def test_what_cannot_be_changed_later(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot be set"):
        setattr(DataLoader(range(3)), name, None)


def test_iterators_are_not_pickled() -> None:
    with pytest.raises(TypeError, match="pickle the DataLoader"):
        pickle.dumps(iter(DataLoader(range(3))))
    assert lists(pickle.loads(pickle.dumps(DataLoader(range(3))))) == [[0], [1], [2]]
