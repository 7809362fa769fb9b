"""Datasets and their combinations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.random import Generator
from tensorcore.utils.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)


class Count(IterableDataset[int]):
    def __init__(self, stop: int) -> None:
        self.stop = stop

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.stop))

    def __len__(self) -> int:
        return self.stop


def test_what_a_subclass_must_have() -> None:
    with pytest.raises(NotImplementedError, match="Dataset has no __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="IterableDataset has no __iter__"):
        iter(IterableDataset())


# ------------------------------------------------------------------ TensorDataset


def make() -> TensorDataset:
    return TensorDataset(tc.arange(12.0).reshape(6, 2), tc.arange(6), tc.tensor([True, False] * 3))


def test_tensor_dataset_rows() -> None:
    data = make()
    assert len(data) == 6
    x, y, z = data[-1]
    assert x.tolist() == [10.0, 11.0]
    assert (y.item(), z.item()) == (5, False)
    assert data[1:3][1].tolist() == [1, 2]


@pytest.mark.parametrize(
    "indices", [[0], [1, 2, 3], [0, 1, 2, 3, 4, 5], [5, 0, 0], [-1, -2], [2, 1], [-1, 0, 1], [0, 2]]
)
def test_batches_by_index_equal_collated_samples(indices: list[int]) -> None:
    data = make()
    fast = default_collate(data.__getitems__(indices))
    slow = default_collate([data[index] for index in indices])
    assert [each.tolist() for each in fast] == [each.tolist() for each in slow]
    assert [each.dtype for each in fast] == [each.dtype for each in slow]
    assert all(each.is_contiguous() for each in fast)


@pytest.mark.parametrize("indices", [[0, 1], [1, 0]])
def test_batches_do_not_share_memory_with_the_dataset(indices: list[int]) -> None:
    data = make()
    default_collate(data.__getitems__(indices))[0].zero_()
    assert data.tensors[0].tolist() == tc.arange(12.0).reshape(6, 2).tolist()


@pytest.mark.parametrize("indices", [[0, 6], [6, 7], [-7]])
def test_batches_outside_the_dataset(indices: list[int]) -> None:
    with pytest.raises(IndexError):
        default_collate(make().__getitems__(indices))


def test_batches_keep_gradients() -> None:
    x = tc.ones(4, requires_grad=True)
    for batch in DataLoader(TensorDataset(x), batch_size=3):
        (batch[0] * 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0] * 4


def test_rows_are_a_sequence_of_samples() -> None:
    rows = make().__getitems__([4, 1])
    assert len(rows) == 2
    assert [sample[1].item() for sample in rows] == [4, 1]
    assert rows[-1][1].item() == 1
    assert [sample[1].item() for sample in rows[:1]] == [4]


def test_a_subclass_decides_what_a_sample_is() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: Any) -> Any:
            return super().__getitem__(index)[1] * 2

    (batch,) = DataLoader(Doubled(*make().tensors), batch_size=6)
    assert batch.tolist() == [0, 2, 4, 6, 8, 10]


def test_other_collate_functions_get_a_list_of_samples() -> None:
    seen: list[Any] = []
    list(DataLoader(make(), batch_size=4, collate_fn=seen.append))
    assert [type(batch) for batch in seen] == [list, list]
    assert [sample[1].item() for sample in seen[0]] == [0, 1, 2, 3]


def test_tensors_of_different_lengths() -> None:
    with pytest.raises(AssertionError, match=r"differ in their first side: shapes \[2\], \[3, 1\]"):
        TensorDataset(tc.ones(2), tc.ones(3, 1))
    with pytest.raises(ValueError, match="at least one tensor"):
        TensorDataset()


# ------------------------------------------------------------------ combinations


def test_concat() -> None:
    data = ConcatDataset(["ab", "", "c"])
    assert list(data) == ["a", "b", "c"]
    assert [data[i] for i in (-1, -3)] == ["c", "a"]
    assert data.cumulative_sizes == [2, 2, 3]
    with pytest.raises(IndexError, match="index 3 is out of range for length 3"):
        data[3]
    with pytest.raises(ValueError, match="index -4 is out of range for length 3"):
        data[-4]


def test_plus_concatenates() -> None:
    both = make() + make()
    assert isinstance(both, ConcatDataset)
    assert len(both) == 12
    chained = Count(2) + Count(1)
    assert isinstance(chained, ChainDataset)
    assert (list(chained), len(chained)) == ([0, 1, 0], 3)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: ConcatDataset([]), AssertionError, "at least one dataset"),
        (lambda: ConcatDataset([Count(2)]), AssertionError, "Count is iterable and has no indices"),
        (lambda: list(ChainDataset(["ab"])), AssertionError, "str is no IterableDataset"),
        (lambda: len(ChainDataset(["ab"])), AssertionError, "str is no IterableDataset"),
        (lambda: StackDataset(), ValueError, "at least one dataset"),
        (lambda: StackDataset("ab", "c"), ValueError, r"differ in length: \[2, 1\]"),
        (lambda: StackDataset("ab", x="cd"), ValueError, "all named or all unnamed"),
        (lambda: random_split("abc", [1, 1]), ValueError, r"lengths \[1, 1\] add up to 2, the dataset has 3"),
        (lambda: random_split("abc", [1.5, -0.5]), ValueError, "fraction 1.5 at place 0 is not between 0 and 1"),
    ],
)
def test_bad_combinations(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_stack() -> None:
    data = StackDataset("ab", make().__getitems__([3, 5]))
    assert len(data) == 2
    assert data[1][0] == "b"
    assert [row[0] for row in data.__getitems__([1, 0])] == ["b", "a"]
    named = StackDataset(letter="ab", row=Subset(make(), [3, 5]))
    (batch,) = DataLoader(named, batch_size=2)
    assert batch["letter"] == ["a", "b"]
    assert batch["row"][1].tolist() == [3, 5]


def test_a_batch_of_the_wrong_length() -> None:
    class Short(Dataset[int]):
        def __getitems__(self, indices: list[int]) -> list[int]:
            return indices[:1]

        def __len__(self) -> int:
            return 2

    with pytest.raises(ValueError, match=r"Short.__getitems__ returned 1 samples for 2 indices"):
        StackDataset(Short(), Short()).__getitems__([0, 1])


def test_subset() -> None:
    data = Subset(Subset(make(), [5, 3, 1]), [2, 0])
    assert [data[i][1].item() for i in range(len(data))] == [1, 5]
    (batch,) = DataLoader(data, batch_size=2)
    assert batch[1].tolist() == [1, 5]
    assert Subset(make(), [5, 3, 1])[[0, 2]][1].tolist() == [5, 1]


def test_a_subset_that_transforms() -> None:
    class Negated(Subset[Any]):
        def __getitem__(self, idx: Any) -> Any:
            return -super().__getitem__(idx)[1]

    (batch,) = DataLoader(Negated(make(), [4, 2]), batch_size=2)
    assert batch.tolist() == [-4, -2]


def test_random_split() -> None:
    parts = random_split(range(10), [3, 7], generator=Generator().manual_seed(1))
    assert [len(part) for part in parts] == [3, 7]
    assert sorted(x for part in parts for x in part) == list(range(10))
    assert [len(part) for part in random_split(range(10), [0.35, 0.35, 0.3])] == [4, 3, 3]
    with pytest.warns(UserWarning, match="the subset at place 1 is empty"):
        random_split(range(1), [0.5, 0.5])
