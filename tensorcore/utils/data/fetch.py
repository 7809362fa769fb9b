"""Fetching: the samples of one batch from a dataset, collated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorcore.utils.data.collate import default_collate
from tensorcore.utils.data.dataset import IterableDataset, Rows

__all__ = ["IterableFetcher", "MapFetcher", "make_fetcher"]


class MapFetcher:
    """Fetches from a dataset with indices."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any]) -> None:
        self.dataset = dataset
        self.batched = batched
        self.collate_fn = collate_fn

    def fetch(self, index: Any) -> Any:
        """The batch at a list of indices; without batches, the sample at one."""
        if not self.batched:
            return self.collate_fn(self.dataset[index])
        fetch_all = getattr(self.dataset, "__getitems__", None)
        samples = fetch_all(index) if fetch_all else [self.dataset[each] for each in index]
        if type(samples) is Rows and self.collate_fn is not default_collate:
            # A user's function is promised a list.
            samples = list(samples)
        return self.collate_fn(samples)


class IterableFetcher:
    """Fetches the next samples of an iterator."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.iterator = iter(dataset)
        self.batched = batched
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def fetch(self, index: Sequence[Any] | None) -> Any:
        """The next batch, of as many samples as ``index`` has places; raises StopIteration at the end."""
        if self.ended:
            raise StopIteration
        if not self.batched:
            return self.collate_fn(next(self.iterator))
        wanted = len(index)  # type: ignore[arg-type]
        samples = []
        for _ in range(wanted):
            try:
                samples.append(next(self.iterator))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < wanted):
            raise StopIteration
        return self.collate_fn(samples)


def make_fetcher(
    dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> MapFetcher | IterableFetcher:
    """The fetcher for the kind of ``dataset``; an iterable one is asked for its iterator at once."""
    if isinstance(dataset, IterableDataset):
        return IterableFetcher(dataset, batched, collate_fn, drop_last)
    return MapFetcher(dataset, batched, collate_fn)
