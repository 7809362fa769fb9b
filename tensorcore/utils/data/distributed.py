"""The sampler that gives each process of a distributed program its share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from tensorcore.utils.data.sampler import Sampler, permutation

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """The share of process ``rank`` among ``num_replicas`` in the indices of ``dataset``, of one length for all.

    Every epoch is shuffled by ``seed`` plus its number, which the program tells by `set_epoch`. What is missing for
    shares of one length is taken from the beginning again, or with ``drop_last`` left out. By default the group of
    processes (`tensorcore.distributed`) says how many there are and which this is.

    Raises:
        ValueError: for a ``rank`` outside [0, num_replicas), and where there is no group to ask.

    Example:
        >>> from tensorcore.utils.data import DistributedSampler
        >>> [list(DistributedSampler(range(5), num_replicas=2, rank=rank, shuffle=False)) for rank in (0, 1)]
        [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            from tensorcore.distributed import get_rank, get_world_size

            num_replicas = get_world_size() if num_replicas is None else num_replicas
            rank = get_rank() if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        from tensorcore.random.generator import Generator

        count = len(self.dataset)
        order: Any = range(count)
        if self.shuffle:
            order = permutation(count, Generator().manual_seed(self.seed + self.epoch))
        return itertools.islice(itertools.cycle(order), self.rank, self.total_size, self.num_replicas)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Have the next iteration shuffle for this epoch; without it, all have one order."""
        self.epoch = epoch
