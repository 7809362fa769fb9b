"""Datasets: samples by index, samples by iteration, and combinations of both."""

from __future__ import annotations

import bisect
import itertools
import math
import operator
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tensorcore.dtypes import int64

if TYPE_CHECKING:
    from tensorcore.random.generator import Generator
    from tensorcore.tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by index: a subclass has ``__getitem__`` and, for the default samplers, ``__len__``.

    It may also have ``__getitems__(indices)``, which returns the samples of a whole batch at once.

    Example:
        >>> from tensorcore.utils.data import Dataset
        >>> class Squares(Dataset):
        ...     def __getitem__(self, index):
        ...         return index**2
        >>> Squares()[3]
        9
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__, which a dataset needs")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Samples in the order of iteration: a subclass has ``__iter__``.

    With worker processes each has a copy and yields all of it, unless it asks `get_worker_info` for its share.

    Example:
        >>> from tensorcore.utils.data import DataLoader, IterableDataset
        >>> class Countdown(IterableDataset):
        ...     def __iter__(self):
        ...         return iter([3, 2, 1])
        >>> list(DataLoader(Countdown(), batch_size=2))
        [tensor([3, 2]), tensor([1])]
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__, which an iterable dataset needs")

    def __add__(self, other: Dataset[Any]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class Rows(Sequence[tuple[Any, ...]]):
    """Some samples of a `TensorDataset`, which `default_collate` fetches with one op per tensor.

    To all others it is the sequence of the samples.
    """

    def __init__(self, dataset: TensorDataset, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Rows(self.dataset, self.indices[place])
        return self.dataset[self.indices[place]]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        # Not by Sequence's way, which takes an IndexError of the dataset for the end.
        return (self.dataset[index] for index in self.indices)

    def collated(self) -> list[Tensor]:
        """The batch that collating the samples gives."""
        indices = self.indices
        count = len(indices)
        start = indices[0]
        end = start + count
        # Neighbours are copied in one piece; a copy, as the caller may change its batch.
        if start >= 0 and indices[-1] == end - 1 and end <= len(self.dataset) and list(indices) == [*range(start, end)]:
            return [tensor[start:end].clone() for tensor in self.dataset.tensors]
        return self._gathered()

    def _gathered(self) -> list[Tensor]:
        from tensorcore.ops.creation import tensor as make
        from tensorcore.ops.indexing import take

        # Indices that need no wrapping around go to the primitive, which is several times faster.
        fetch = take.emit if min(self.indices) >= 0 else operator.getitem
        places: dict[Any, Tensor] = {}
        columns = []
        for tensor in self.dataset.tensors:
            device = tensor.device
            if device not in places:
                places[device] = make(self.indices, dtype=int64, device=device)
            columns.append(fetch(tensor, places[device]))
        return columns


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Tensors of one length; a sample is their rows at one index.

    Raises:
        AssertionError: for tensors whose first sides differ.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data import TensorDataset
        >>> TensorDataset(tc.eye(2), tc.tensor([5, 6]))[1]
        (tensor([0., 1.]), tensor(6))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ValueError("TensorDataset: expected at least one tensor")
        if any(tensor.size(0) != tensors[0].size(0) for tensor in tensors):
            met = ", ".join(str(list(tensor.shape)) for tensor in tensors)
            raise AssertionError(f"TensorDataset: the tensors differ in their first side: shapes {met}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
        # A subclass that changes what a sample is must see each index; so must whatever is no plain int.
        if type(self).__getitem__ is TensorDataset.__getitem__ and all(type(index) is int for index in indices):
            return Rows(self, indices)
        return [self[index] for index in indices]

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


def _fetch_all(dataset: Any, indices: Sequence[Any]) -> Sequence[Any]:
    """The samples at ``indices``, by ``__getitems__`` where the dataset has it."""
    fetch = getattr(dataset, "__getitems__", None)
    if not callable(fetch):
        return [dataset[index] for index in indices]
    samples: Sequence[Any] = fetch(indices)
    if len(samples) != len(indices):
        raise ValueError(
            f"{type(dataset).__name__}.__getitems__ returned {len(samples)} samples for {len(indices)} indices"
        )
    return samples


class StackDataset(Dataset[Any]):
    """Datasets of one length side by side; a sample is the tuple, or with names the dict, of theirs.

    Raises:
        ValueError: for datasets of different lengths, none, or both named and unnamed ones.

    Example:
        >>> from tensorcore.utils.data import StackDataset
        >>> StackDataset(image=[7, 8], label=["a", "b"])[1]
        {'image': 8, 'label': 'b'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset: datasets are either all named or all unnamed")
        parts = args or tuple(kwargs.values())
        if not parts:
            raise ValueError("StackDataset: expected at least one dataset")
        self._length = len(parts[0])
        if any(len(part) != self._length for part in parts):
            raise ValueError(f"StackDataset: the datasets differ in length: {[len(part) for part in parts]}")
        self.datasets = args or kwargs

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: Sequence[Any]) -> list[Any]:
        if type(self).__getitem__ is not StackDataset.__getitem__:
            return [self[index] for index in indices]
        if isinstance(self.datasets, dict):
            columns = [_fetch_all(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*[_fetch_all(dataset, indices) for dataset in self.datasets], strict=True))

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Raises:
        AssertionError: for no dataset, or an iterable one.

    Example:
        >>> from tensorcore.utils.data import ConcatDataset
        >>> ConcatDataset([[1, 2], [3]])[2]
        3
    """

    datasets: list[Any]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Lengths of the sequences, each added to those before."""
        return list(itertools.accumulate(len(each) for each in sequence))

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: expected at least one dataset")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"ConcatDataset: {type(dataset).__name__} is iterable and has no indices; use ChainDataset"
                )
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def _locate(self, index: int) -> tuple[int, int]:
        if index < 0:
            if -index > len(self):
                raise ValueError(f"ConcatDataset: index {index} is out of range for length {len(self)}")
            index += len(self)
        elif index >= len(self):
            raise IndexError(f"ConcatDataset: index {index} is out of range for length {len(self)}")
        part = bisect.bisect_right(self.cumulative_sizes, index)
        return part, index - (self.cumulative_sizes[part - 1] if part else 0)

    def __getitem__(self, index: int) -> T_co:
        part, place = self._locate(index)
        return self.datasets[part][place]


class ChainDataset(IterableDataset[Any]):
    """Iterable datasets one after the other.

    Raises:
        AssertionError: on iteration, for a dataset that is not iterable.

    Example:
        >>> from tensorcore.utils.data import ChainDataset, IterableDataset
        >>> class Count(IterableDataset):
        ...     def __iter__(self):
        ...         return iter(range(2))
        >>> list(ChainDataset([Count(), Count()]))
        [0, 1, 0, 1]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(
                    f"ChainDataset: {type(dataset).__name__} is no IterableDataset; use ConcatDataset for indexed ones"
                )
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``.

    Example:
        >>> from tensorcore.utils.data import Subset
        >>> list(Subset("abcd", [3, 0]))
        ['d', 'a']
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: Sequence[int]) -> Sequence[Any]:
        # What a subclass makes of a sample, usually a transform, must not be passed over.
        if type(self).__getitem__ is not Subset.__getitem__:
            return [self[index] for index in indices]
        return _fetch_all(self.dataset, [self.indices[index] for index in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset[Any]]:
    """Split ``dataset`` at random into subsets of ``lengths``, or of fractions that add up to 1.

    Fractions are rounded down, and what remains goes to the first subsets, one sample each.

    Raises:
        ValueError: for a fraction outside [0, 1], or lengths that do not add up to that of the dataset.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data import random_split
        >>> parts = random_split(range(10), [0.7, 0.3], generator=tc.Generator().manual_seed(0))
        >>> [len(part) for part in parts]
        [7, 3]
    """
    from tensorcore.utils.data.sampler import permutation

    total = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for place, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"random_split: fraction {fraction} at place {place} is not between 0 and 1")
        counts = [math.floor(total * fraction) for fraction in lengths]
        for place in range(total - sum(counts)):
            counts[place % len(counts)] += 1
        for place, count in enumerate(counts):
            if not count:
                warnings.warn(f"random_split: the subset at place {place} is empty", stacklevel=2)
    else:
        counts = list(lengths)  # type: ignore[arg-type]
    if sum(counts) != total:
        raise ValueError(
            f"random_split: the lengths {list(lengths)} add up to {sum(counts)}, the dataset has {total} samples"
        )
    order = permutation(total, generator)
    return [
        Subset(dataset, order[end - count : end])
        for end, count in zip(itertools.accumulate(counts), counts, strict=True)
    ]
