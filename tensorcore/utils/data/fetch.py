"""Fetching: the samples of one batch from a dataset, collated."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorcore.utils.data.collate import default_collate
from tensorcore.utils.data.dataset import IterableDataset, Rows
from tensorcore.utils.data.progress import is_stateful

__all__ = ["IterableFetcher", "MapFetcher", "_DatasetKind", "make_fetcher"]


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

    def state(self) -> dict[str, Any] | None:
        """The state of the dataset, where it can tell."""
        return {"dataset": self.dataset.state_dict()} if is_stateful(self.dataset) else None

    def resume(self, state: Mapping[str, Any] | None, batches: int, size: int | None) -> None:
        """Go on after ``batches`` batches, where ``state`` is what `state` returned."""
        if state is not None and is_stateful(self.dataset):
            self.dataset.load_state_dict(state["dataset"])


class IterableFetcher:
    """Fetches the next samples of an iterator."""

    def __init__(self, dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset = dataset
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

    def state(self) -> dict[str, Any] | None:
        """The states of the dataset and of the iterator over it, where one of them can tell."""
        parts = (("dataset", self.dataset), ("iterator", self.iterator))
        found = {name: part.state_dict() for name, part in parts if is_stateful(part)}
        return {**found, "ended": self.ended} if found else None

    def resume(self, state: Mapping[str, Any] | None, batches: int, size: int | None) -> None:
        """Go on after ``batches`` batches of ``size`` samples, where ``state`` is what `state` returned.

        Without a state the samples are passed over.
        """
        if state is None:
            for _ in itertools.islice(self.iterator, batches * (size or 1)):
                pass
            return
        if "dataset" in state and is_stateful(self.dataset):
            self.dataset.load_state_dict(state["dataset"])
            if self.iterator is not self.dataset:
                # What it was before may be in the iterator already.
                self.iterator = iter(self.dataset)
        if "iterator" in state and is_stateful(self.iterator):
            self.iterator.load_state_dict(state["iterator"])
        self.ended = state["ended"]


class _DatasetKind:
    """PyTorch's names for the kinds of datasets, as loaders of others ask for them."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
    ) -> MapFetcher | IterableFetcher:
        """The fetcher for a kind; an iterable dataset is asked for its iterator at once."""
        if kind == _DatasetKind.Iterable:
            return IterableFetcher(dataset, auto_collation, collate_fn, drop_last)
        return MapFetcher(dataset, auto_collation, collate_fn)


def make_fetcher(
    dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> MapFetcher | IterableFetcher:
    """The fetcher for ``dataset``."""
    kind = _DatasetKind.Iterable if isinstance(dataset, IterableDataset) else _DatasetKind.Map
    return _DatasetKind.create_fetcher(kind, dataset, batched, collate_fn, drop_last)
