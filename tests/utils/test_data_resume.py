"""Positions of a loader: an epoch that is left at any batch goes on the same in another loader."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
)

np = pytest.importorskip("numpy")


class Noisy(Dataset[Any]):
    """Samples with something drawn from every generator of the process."""

    def __len__(self) -> int:
        return 11

    def __getitem__(self, index: int) -> Any:
        return index, tc.rand(1).item(), random.gauss(0, 1), np.random.rand()


class Stream(IterableDataset[Any]):
    """Uneven shares of numbers: worker 0 has fewest."""

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        number, of = (0, 1) if info is None else (info.id, info.num_workers)
        return iter([(100 * number + i, tc.rand(1).item()) for i in range(3 + 4 * number if of > 1 else 9)])


class Counted(IterableDataset[int]):
    """Tells its own position, and counts how often it was asked for a sample."""

    def __init__(self) -> None:
        self.place = 0
        self.asked = 0

    def __iter__(self) -> Iterator[int]:
        while self.place < 10:
            self.place += 1
            self.asked += 1
            yield self.place
        self.place = 0

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


class Eager(Sampler[int]):
    """Draws when it is asked for an iterator, not when the first index is."""

    def __iter__(self) -> Iterator[int]:
        return iter(tc.randperm(11).tolist())

    def __len__(self) -> int:
        return 11


class Remembering(Sampler[int]):
    """Tells its own position; an order that cannot be drawn again."""

    def __init__(self) -> None:
        self.place = 0

    def __iter__(self) -> Iterator[int]:
        while self.place < 11:
            self.place += 1
            yield self.place - 1
        self.place = 0

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


def plain(batch: Any) -> Any:
    if isinstance(batch, tc.Tensor):
        return batch.tolist()
    return [plain(each) for each in batch] if isinstance(batch, (list, tuple)) else batch


def saved_and_loaded(state: Any) -> Any:
    """``state`` as a file without code would bring it back."""
    file = io.BytesIO()
    tc.save(state, file)
    file.seek(0)
    return tc.load(file)


def programs(make: Callable[[], DataLoader[Any]], place: int, begin: int = 0) -> tuple[list[Any], list[Any]]:
    """What comes after ``place`` batches of epoch ``begin``, and of one more epoch: gone on with, and resumed."""
    tc.manual_seed(3)
    random.seed(3)
    np.random.seed(3)
    loader = make()
    for _ in range(begin):
        list(loader)
    batches = iter(loader)
    for _ in range(place):
        next(batches)
    state = saved_and_loaded(loader.state_dict())
    here = (tc.get_rng_state(), random.getstate(), np.random.get_state())
    expected = [plain(list(batches)), plain(list(loader))]
    del batches, loader
    tc.set_rng_state(here[0])
    random.setstate(here[1])
    np.random.set_state(here[2])
    other = make()
    other.load_state_dict(state)
    return expected, [plain(list(other)), plain(list(other))]


ORDERS: dict[str, Callable[[], dict[str, Any]]] = {
    "sequential": lambda: {},
    "shuffled": lambda: {"shuffle": True},
    "own generator": lambda: {"shuffle": True, "generator": tc.Generator().manual_seed(8)},
    "with replacement": lambda: {"sampler": RandomSampler(range(11), True, 80), "generator": tc.Generator()},
    "more than there are": lambda: {"sampler": RandomSampler(range(11), False, 30, tc.Generator())},
    "subset": lambda: {"sampler": SubsetRandomSampler(range(9))},
    "weighted": lambda: {"sampler": WeightedRandomSampler([1.0] * 11, 15, generator=tc.Generator())},
    "eager": lambda: {"sampler": Eager()},
    "remembering": lambda: {"sampler": Remembering()},
    "batches": lambda: {"batch_sampler": BatchSampler(RandomSampler(range(11)), 4, False), "batch_size": 1},
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_orders(order: str, place: int) -> None:
    expected, resumed = programs(lambda: DataLoader(Noisy(), **{"batch_size": 3, **ORDERS[order]()}), place)
    assert resumed == expected


def forked(dataset: Any, workers: int = 2, **options: Any) -> DataLoader[Any]:
    return DataLoader(dataset, num_workers=workers, multiprocessing_context="fork", **options)


@pytest.mark.parametrize("order", ["shuffled", "own generator", "with replacement", "remembering"])
@pytest.mark.parametrize("place", [0, 1, 4, 6])
@pytest.mark.parametrize("drop_last", [False, True])
def test_orders_with_workers(order: str, place: int, drop_last: bool) -> None:
    # With drop_last, and the sixth batch not full, orders are exhausted by what is made ahead.
    def make() -> DataLoader[Any]:
        return forked(Noisy(), **{"batch_size": 2, "prefetch_factor": 3, "drop_last": drop_last, **ORDERS[order]()})

    expected, resumed = programs(make, place - drop_last if place else 0)
    assert resumed == expected


@pytest.mark.parametrize("place", [1, 3])
@pytest.mark.parametrize("prefetch_factor", [1, 3])
def test_persistent_workers_in_a_later_epoch(place: int, prefetch_factor: int) -> None:
    def make() -> DataLoader[Any]:
        return forked(Noisy(), batch_size=2, shuffle=True, persistent_workers=True, prefetch_factor=prefetch_factor)

    expected, resumed = programs(make, place, begin=2)
    assert resumed == expected


def test_persistent_workers_between_epochs() -> None:
    def make() -> DataLoader[Any]:
        return forked(Noisy(), batch_size=4, persistent_workers=True)

    loader = make()
    list(loader)
    state = saved_and_loaded(loader.state_dict())
    expected = plain(list(loader))
    other = make()
    other.load_state_dict(state)
    assert plain(list(other)) == expected


@pytest.mark.parametrize("place", range(0, 10, 3))
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_iterables(place: int, workers: int) -> None:
    def make() -> DataLoader[Any]:
        return forked(Stream(), workers, batch_size=2) if workers else DataLoader(Stream(), batch_size=1)

    expected, resumed = programs(make, place if workers == 3 else place % 2)
    assert resumed == expected


@pytest.mark.parametrize("place", [0, 4, 7])
@pytest.mark.parametrize("begin", [0, 2])
def test_iterables_with_persistent_workers(place: int, begin: int) -> None:
    # After seven batches worker 0 has ended.
    def make() -> DataLoader[Any]:
        return forked(Stream(), 3, batch_size=3, prefetch_factor=1, persistent_workers=True)

    expected, resumed = programs(make, place, begin)
    assert resumed == expected


@pytest.mark.parametrize("workers", [0, 2])
def test_datasets_that_tell_their_position(workers: int) -> None:
    data = Counted()
    loader = forked(data, workers, batch_size=3) if workers else DataLoader(data, batch_size=3)
    batches = iter(loader)
    first = [next(batches).tolist() for _ in range(2)]
    state = saved_and_loaded(loader.state_dict())
    expected = plain(list(batches))
    other_data = Counted()
    other = forked(other_data, workers, batch_size=3) if workers else DataLoader(other_data, batch_size=3)
    other.load_state_dict(state)
    assert plain(list(other)) == expected
    if not workers:
        assert first == [[1, 2, 3], [4, 5, 6]]
        assert other_data.asked == 4


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (2, 3), (3, 1)])
def test_another_number_of_workers(before: int, after: int) -> None:
    def make(workers: int) -> DataLoader[Any]:
        data = TensorDataset(tc.arange(20))
        generator = tc.Generator().manual_seed(5)
        if not workers:
            return DataLoader(data, 2, shuffle=True, generator=generator)
        return forked(data, workers, batch_size=2, shuffle=True, generator=generator)

    loader = make(before)
    batches = iter(loader)
    next(batches), next(batches), next(batches)
    state = loader.state_dict()
    expected = [plain(list(batches)), plain(list(loader))]
    other = make(after)
    other.load_state_dict(state)
    assert [plain(list(other)), plain(list(other))] == expected


def test_batches_out_of_order_come_once_each() -> None:
    loader = forked(range(40), batch_size=None, in_order=False, shuffle=True)
    batches = iter(loader)
    first = [next(batches) for _ in range(7)]
    other = forked(range(40), batch_size=None, in_order=False, shuffle=True)
    other.load_state_dict(loader.state_dict())
    assert sorted(first + list(other)) == list(range(40))


def test_distributed_sampler_keeps_its_epoch() -> None:
    def make() -> DataLoader[Any]:
        return DataLoader(range(20), 2, sampler=DistributedSampler(range(20), 2, 1))

    loader = make()
    loader.sampler.set_epoch(3)
    batches = iter(loader)
    next(batches)
    other = make()
    other.load_state_dict(loader.state_dict())
    assert plain(list(other)) == plain(list(batches))


def test_a_loop_that_is_left_can_be_gone_on_with() -> None:
    loader = forked(range(10), batch_size=2, shuffle=True)
    first = []
    for batch in loader:
        first.extend(batch.tolist())
        if len(first) == 4:
            break
    loader.load_state_dict(loader.state_dict())
    assert sorted(first + [each for batch in loader for each in batch.tolist()]) == list(range(10))


def test_a_position_that_is_loaded_is_told_until_it_is_used() -> None:
    loader = DataLoader(range(6), 2)
    next(iter(loader))
    other = DataLoader(range(6), 2)
    other.load_state_dict(loader.state_dict())
    third = DataLoader(range(6), 2)
    third.load_state_dict(other.state_dict())
    assert plain(list(third)) == [[2, 3], [4, 5]]
    assert plain(list(third)) == [[0, 1], [2, 3], [4, 5]]


def test_drawing_the_order_again_leaves_the_default_generator_alone() -> None:
    loader = DataLoader(range(6), 2, shuffle=True)
    next(iter(loader))
    state = loader.state_dict()
    before = tc.get_rng_state()
    loader.load_state_dict(state)
    list(loader)
    assert bool((tc.get_rng_state() == before).all())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda state: [], "expected what state_dict returned, got list"),
        (lambda state: {"a": 1}, r"expected what state_dict returned, got \['a'\]"),
        (lambda state: {**state, "version": 9}, "expected version 1, got 9"),
        (lambda state: {**state, "generators": [1]}, "a loader with 1 generators of its own, this one has 0"),
    ],
)
def test_bad_states(spoil: Callable[[Any], Any], message: str) -> None:
    loader = DataLoader(range(4))
    with pytest.raises(ValueError, match=message):
        loader.load_state_dict(spoil(loader.state_dict()))


def test_an_iterable_dataset_keeps_its_number_of_workers() -> None:
    loader = DataLoader(Stream())
    next(iter(loader))
    with pytest.raises(ValueError, match="the state is of 0 workers, this loader has 2"):
        forked(Stream()).load_state_dict(loader.state_dict())


def test_a_position_behind_the_end() -> None:
    loader = DataLoader(range(10))
    batches = iter(loader)
    for _ in range(8):
        next(batches)
    other = DataLoader(range(5))
    other.load_state_dict(loader.state_dict())
    with pytest.raises(RuntimeError, match="stands behind batch 8, but the sampler ends with batch 5"):
        iter(other)
