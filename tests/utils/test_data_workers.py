"""The loader with worker processes: results, seeds, errors."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.random import Generator
from tensorcore.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info
from tensorcore.utils.data.transport import SharedDirectory

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="these tests start workers by fork"
)


class Computed(Dataset[Any]):
    """Samples that a function computes in the worker."""

    def __init__(self, function: Callable[[int], Any], length: int = 8) -> None:
        self.function = function
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.function(index)


class Share(IterableDataset[int]):
    """The numbers below ``stop`` that fall to this worker, or all of them."""

    def __init__(self, stop: int, divided: bool = True) -> None:
        self.stop = stop
        self.divided = divided

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        if info is None or not self.divided:
            return iter(range(self.stop))
        return iter(range(info.id, self.stop, info.num_workers))


def identity(index: int) -> int:
    return index


def loader(dataset: Any, num_workers: int = 2, **options: Any) -> DataLoader[Any]:
    return DataLoader(dataset, num_workers=num_workers, multiprocessing_context="fork", **options)


def lists(batches: Any) -> list[Any]:
    return [batch.tolist() for batch in batches]


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the condition did not come true")


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    gc.collect()
    assert multiprocessing.active_children() == []


# ------------------------------------------------------------------ results


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("options", [{"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}])
def test_batches_are_those_without_workers(workers: int, options: dict[str, Any]) -> None:
    data = TensorDataset(tc.arange(20.0).reshape(10, 2), tc.arange(10))
    expected = [[part.tolist() for part in batch] for batch in DataLoader(data, **options)]
    assert [[part.tolist() for part in batch] for batch in loader(data, workers, **options)] == expected


def test_slow_samples_do_not_change_the_order() -> None:
    def slow_first(index: int) -> int:
        time.sleep(0.1 if index == 0 else 0)
        return index

    assert lists(loader(Computed(slow_first), batch_size=2)) == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_out_of_order_batches_come_when_ready(tmp_path: Path) -> None:
    def waits_for_the_last(index: int) -> int:
        if index == 0:
            wait_until((tmp_path / "seven").exists)
        if index == 7:
            (tmp_path / "seven").touch()
        return index

    batches = loader(Computed(waits_for_the_last), batch_size=None, in_order=False, prefetch_factor=1)
    drawn = list(batches)
    assert sorted(drawn) == list(range(8))
    assert drawn[0] != 0


@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
@pytest.mark.parametrize("dtype", ["float32", "bool", "bfloat16", "complex128", "int8"])
def test_elements_of_any_size_and_dtype(size: int, dtype: str) -> None:
    def sample(index: int) -> Any:
        return (tc.arange(size) + index).to(getattr(tc, dtype))

    (batch,) = loader(Computed(sample, 2), 1, batch_size=2)
    assert batch.dtype == getattr(tc, dtype)
    assert bool((batch == tc.stack((sample(0), sample(1)))).all())


def test_batches_of_growing_size() -> None:
    sides = [10, 10_000, 20, 300_000, 5]
    batches = list(loader(Computed(lambda i: tc.full((sides[i],), float(i)), 5), 1, batch_size=None, prefetch_factor=1))
    assert [len(batch) for batch in batches] == sides
    # Earlier batches are copies, which later ones in the same segment do not overwrite.
    assert all(bool((batch == i).all()) for i, batch in enumerate(batches))


@pytest.mark.parametrize("kept", [0, 1, 2, 100])
def test_batches_that_are_kept_stay_as_they_are(kept: int) -> None:
    batches: list[Any] = []
    for number, batch in enumerate(loader(Computed(lambda i: tc.full((50_000,), float(i)), 60), batch_size=None)):
        assert bool((batch == number).all())
        batches.append(batch)
        batch.add_(0.5)
        del batches[: max(len(batches) - kept, 0)]
        assert all(bool((each == each[0]).all()) for each in batches)
    numbers = [each[0].item() for each in batches]
    assert numbers == [i + 0.5 for i in range(60)][len(range(60)) - len(numbers) :]


def test_views_keep_the_memory_of_a_batch() -> None:
    heads = []
    for batch in loader(Computed(lambda i: tc.full((50_000,), float(i)), 40), 1, batch_size=None):
        heads.append(batch[10:12].numpy())
    assert [head.tolist() for head in heads] == [[i, i] for i in range(40)]


def test_few_slots_are_used_again() -> None:
    batches = iter(loader(Computed(lambda i: tc.full((50_000,), float(i)), 60), 1, batch_size=None))
    (worker,) = batches.workers.members  # type: ignore[attr-defined]
    for batch in batches:
        assert len(batch) == 50_000
    assert worker.slots <= 4


def test_a_large_batch_without_tensors() -> None:
    texts = list(loader(Computed(lambda i: str(i) * 300_000, 4), batch_size=None, prefetch_factor=4))
    assert [text[:1] + str(len(text)) for text in texts] == ["0300000", "1300000", "2300000", "3300000"]


def test_containers_and_requires_grad() -> None:
    def sample(index: int) -> Any:
        return {"x": tc.ones(1000, requires_grad=True), "names": ["a", index], "nothing": None}

    first, second = loader(Computed(sample, 2), batch_size=None)
    assert first["x"].requires_grad
    assert (first["names"], second["names"], first["nothing"]) == (["a", 0], ["a", 1], None)


def test_views_and_empty_tensors() -> None:
    base = tc.arange(10_000).reshape(100, 100)
    views = [base.t(), base[:, ::3], tc.zeros(0, 5), tc.tensor(3), base[0].expand(50, 100)]
    for view, got in zip(views, loader(Computed(views.__getitem__, 5), batch_size=None), strict=True):
        assert got.tolist() == view.tolist()
        assert got.shape == view.shape


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="tells files apart by /proc")
def test_more_room_than_the_memory_file_system_has(monkeypatch: pytest.MonkeyPatch) -> None:
    # Reserving fails in the first directory as it does in a full file system.
    shared = SharedDirectory.make()
    real = os.posix_fallocate

    def full(descriptor: int, offset: int, size: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(shared.first + os.sep):
            raise OSError(28, "No space left on device")
        real(descriptor, offset, size)

    monkeypatch.setattr(os, "posix_fallocate", full)
    path, memory = shared.create("a", 5000)
    try:
        assert path.startswith(shared.second + os.sep)
        assert len(memory) == 5000
    finally:
        memory.close()
        shared.remove()
    assert not os.path.exists(shared.first)
    assert not os.path.exists(shared.second)


def test_no_room_at_all_is_an_error_in_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="no room for 5040 bytes of shared memory"):
        list(loader(Computed(lambda i: tc.ones(1000)), batch_size=None))


# ------------------------------------------------------------------ seeds and worker info


def test_workers_know_who_they_are() -> None:
    def facts(index: int) -> Any:
        info = get_worker_info()
        assert info is not None
        return info.id, info.num_workers, info.seed, len(info.dataset), os.getpid()

    drawn = list(loader(Computed(facts, 4), batch_size=None))
    assert [each[:2] for each in drawn] == [[0, 2], [1, 2], [0, 2], [1, 2]]
    assert drawn[1][2] == drawn[0][2] + 1
    assert {each[3] for each in drawn} == {4}
    assert len({each[4] for each in drawn} | {os.getpid()}) == 3


def test_workers_draw_differently_and_reproducibly() -> None:
    def draws(index: int) -> Any:
        return [random.random(), tc.rand(1).item()]

    def run() -> list[Any]:
        return list(loader(Computed(draws, 4), batch_size=None, generator=Generator().manual_seed(7)))

    first = run()
    assert first == run()
    assert len({tuple(each) for each in first}) == 4


def test_numpy_is_seeded_where_it_is_used() -> None:
    numpy = pytest.importorskip("numpy")

    def run() -> list[float]:
        data = Computed(lambda i: numpy.random.rand(), 4)
        return list(loader(data, batch_size=None, generator=Generator().manual_seed(7)))

    first = run()
    assert first == run()
    assert len(set(first)) == 4


def test_worker_init_fn() -> None:
    started: list[int] = []

    def init(number: int) -> None:
        started.append(number)

    drawn = list(loader(Computed(lambda i: list(started), 4), batch_size=None, worker_init_fn=init))
    assert drawn == [[0], [1], [0], [1]]
    assert started == []


# ------------------------------------------------------------------ iterable datasets


def test_iterable_with_shares() -> None:
    assert lists(loader(Share(7), batch_size=2)) == [[0, 2], [1, 3], [4, 6], [5]]
    assert lists(loader(Share(7), batch_size=2, drop_last=True)) == [[0, 2], [1, 3], [4, 6]]
    assert sorted(loader(Share(7), 3, batch_size=None)) == list(range(7))


def test_iterable_without_shares_comes_once_a_worker() -> None:
    assert list(loader(Share(3, divided=False), batch_size=None)) == [0, 0, 1, 1, 2, 2]


def test_iterable_with_very_uneven_workers() -> None:
    class Uneven(IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            info = get_worker_info()
            assert info is not None
            return iter(range(0 if info.id == 0 else 30))

    for in_order in (True, False):
        assert list(loader(Uneven(), 2, batch_size=None, prefetch_factor=3, in_order=in_order)) == list(range(30))


# ------------------------------------------------------------------ errors


class ArgumentsError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(one, two)


def fail(error: Exception) -> Callable[[int], Any]:
    def function(index: int) -> Any:
        if index == 2:
            raise error
        return index

    return function


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (ValueError("bad sample"), ValueError),
        (KeyError("bad sample"), KeyError),
        (ArgumentsError(1, 2), RuntimeError),
        (UnicodeDecodeError("utf8", b"", 0, 1, "bad sample"), RuntimeError),
        (StopIteration("bad sample"), RuntimeError),
        (type("Local", (ValueError,), {})("bad sample"), RuntimeError),
        (tc.zeros, TypeError),
    ],
)
def test_errors_keep_their_class_and_traceback(error: Any, raised: type[Exception]) -> None:
    batches = iter(loader(Computed(fail(error)), batch_size=2))
    assert next(batches).tolist() == [0, 1]
    with pytest.raises(raised) as caught:
        next(batches)
    text = str(caught.value)
    name = type(error).__name__ if isinstance(error, Exception) else "TypeError"
    assert text.startswith(f"Caught {name} in DataLoader worker process 1.\nOriginal Traceback")
    assert "in function\n    raise error" in text
    # The others are not lost.
    assert lists(batches) == [[4, 5], [6, 7]]


def test_errors_in_worker_init_fn() -> None:
    def init(number: int) -> None:
        raise ValueError(f"no start for {number}")

    with pytest.raises(ValueError, match="no start for 0"):
        list(loader(Computed(identity), worker_init_fn=init))


def test_errors_in_iter_of_an_iterable() -> None:
    class Broken(IterableDataset[int]):
        def __iter__(self) -> Iterator[int]:
            raise ValueError("no stream")

    with pytest.raises(ValueError, match="no stream"):
        list(loader(Broken()))


def test_a_sample_that_cannot_be_sent() -> None:
    with pytest.raises((AttributeError, TypeError, RuntimeError), match="on sending a batch"):
        list(loader(Computed(lambda i: lambda: i), batch_size=None))


@pytest.mark.parametrize("size", [1, 1000])
def test_a_tensor_with_a_history_cannot_be_sent(size: int) -> None:
    with pytest.raises(RuntimeError, match="no leaf cannot go to another process"):
        list(loader(Computed(lambda i: tc.ones(size, requires_grad=True) * 2), batch_size=None))


class Unreadable:
    def __reduce__(self) -> Any:
        return (refuse, ())


def refuse() -> None:
    raise ValueError("cannot be read")


def test_a_sample_that_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        list(loader(Computed(lambda i: Unreadable()), batch_size=None))


def test_an_error_in_the_sampler() -> None:
    def order() -> Iterator[int]:
        yield from (0, 1, 2, 3, 4, 5)
        raise ValueError("no more order")

    with pytest.raises(ValueError, match="no more order"):
        list(loader(Computed(identity), sampler=order(), batch_size=None))
