"""Samplers: the order in which a loader asks a dataset for its samples.

Random ones consume the same numbers of the same generators as PyTorch's, so they give the same order for the same seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tensorcore.dtypes import float64, int64

if TYPE_CHECKING:
    from tensorcore.random.generator import Generator
    from tensorcore.tensor import Tensor

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


def draw_seed(generator: Generator | None = None) -> int:
    """A seed of 63 bits, what PyTorch draws with ``torch.empty((), dtype=torch.int64).random_()``."""
    from tensorcore.random.generator import default_generator

    return int((generator or default_generator).ticket("words64", 1).data[0]) & (2**63 - 1)


def permutation(count: int, generator: Generator | None = None) -> list[int]:
    """The numbers of ``randperm(count)``, which never leave the host."""
    from tensorcore.random.generator import default_generator

    return list((generator or default_generator).ticket("permutation", count).data)


def _require_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class Sampler(Generic[T_co]):
    """Indices, or lists of them, in some order: a subclass has ``__iter__`` and may have ``__len__``.

    Example:
        >>> from tensorcore.utils.data import Sampler
        >>> class Backwards(Sampler):
        ...     def __iter__(self):
        ...         return iter([2, 1, 0])
        >>> list(Backwards())
        [2, 1, 0]
    """

    def __init__(self, data_source: Sized | None = None) -> None:
        # PyTorch once took the data here, and subclasses still pass it.
        pass

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} has no __iter__, which a sampler needs")


class SequentialSampler(Sampler[int]):
    """The indices of ``data_source`` in ascending order.

    Example:
        >>> from tensorcore.utils.data import SequentialSampler
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of ``data_source`` in random order, or ``num_samples`` of them drawn with ``replacement``.

    Raises:
        TypeError: if ``replacement`` is no bool.
        ValueError: if ``num_samples`` is not positive.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data import RandomSampler
        >>> list(RandomSampler("abcdef", generator=tc.Generator().manual_seed(0)))
        [2, 5, 3, 0, 1, 4]
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _require_positive("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """Number of indices; that of the data, which may change, where none was given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        from tensorcore.random.generator import Generator

        count, wanted = len(self.data_source), self.num_samples
        generator = self.generator
        if generator is None:
            generator = Generator().manual_seed(draw_seed())
        if self.replacement:
            # PyTorch draws 32 at a time, which shows in what a shared generator gives next.
            for start in range(0, wanted, 32):
                yield from _below(count, min(32, wanted - start), generator)
            return
        for _ in range(wanted // count):
            yield from permutation(count, generator)
        # PyTorch shuffles once more even when nothing of it is used.
        yield from permutation(count, generator)[: wanted % count]

    def __len__(self) -> int:
        return self.num_samples


def _below(limit: int, count: int, generator: Generator) -> list[int]:
    """The numbers of ``randint(limit, (count,))``; from a range of 2**28 on PyTorch takes 64 bits for each."""
    words = generator.ticket("words" if limit < 1 << 28 else "words64", count).data
    return [int(word) % limit for word in words]


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data import SubsetRandomSampler
        >>> list(SubsetRandomSampler([10, 20, 30], generator=tc.Generator().manual_seed(0)))
        [30, 10, 20]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in permutation(len(self.indices), self.generator):
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """``num_samples`` indices drawn with probabilities proportional to ``weights``, one-dimensional.

    Raises:
        ValueError: for weights of other dimensions, a ``num_samples`` that is not positive, or a ``replacement`` that
            is no bool.

    Example:
        >>> from tensorcore.utils.data import WeightedRandomSampler
        >>> list(WeightedRandomSampler([0.0, 0.0, 1.0], 4))
        [2, 2, 2, 2]
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        from tensorcore.ops.creation import as_tensor

        _require_positive("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        tensor = as_tensor(weights, dtype=float64)
        if tensor.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(tensor.shape)}")
        self.weights = tensor
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        from tensorcore.ops.discrete_draws import multinomial

        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.to(int64).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices of another sampler; the last is shorter, or with ``drop_last`` left out.

    Raises:
        ValueError: for a ``batch_size`` that is not positive, or no bool as ``drop_last``.

    Example:
        >>> from tensorcore.utils.data import BatchSampler
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        _require_positive("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
