"""The data loader: batches of a dataset, made here or by worker processes."""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tensorcore.observation import recorders
from tensorcore.utils.data.collate import default_collate, default_convert
from tensorcore.utils.data.dataset import Dataset, IterableDataset
from tensorcore.utils.data.fetch import _DatasetKind, make_fetcher
from tensorcore.utils.data.pinning import can_pin, pin_memory
from tensorcore.utils.data.progress import Progress, state_of, take_up
from tensorcore.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

if TYPE_CHECKING:
    from tensorcore.random.generator import Generator

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)


class _Endless(Sampler[None]):
    """Stands for the indices of an iterable dataset, which has none."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Batches of the samples of ``dataset``, in order or shuffled, one process or several at work.

    The order for a seed is PyTorch's.

    Args:
        dataset: has ``__getitem__`` and ``__len__``, or is an `IterableDataset`.
        batch_size: samples a batch; ``None`` for single samples.
        shuffle: whether to draw a new order each time.
        sampler: the order, in place of ``shuffle``.
        batch_sampler: lists of indices, in place of all options above.
        num_workers: processes that make batches ahead; 0 makes them when asked for.
        collate_fn: makes a batch of a list of samples; `default_collate` by default, `default_convert` without batches.
        pin_memory: whether batches are brought into page-locked memory, where a device is available that reads it.
        drop_last: whether a last batch of fewer samples is left out.
        timeout: seconds to wait for a worker; 0 waits without end.
        worker_init_fn: called with its number in each worker, once it is seeded.
        multiprocessing_context: how processes start: a name such as ``"spawn"``, or a context of `multiprocessing`.
        generator: where orders and the workers' seeds are drawn.
        prefetch_factor: batches a worker makes ahead, 2 by default.
        persistent_workers: whether workers live on between epochs.
        pin_memory_device: the device that reads it; by default the accelerator, if there is one.
        in_order: whether batches come in the sampler's order, not in that in which they are ready.

    Raises:
        ValueError: for options that exclude one another or are out of range.
        TypeError: for a ``multiprocessing_context`` that is none.
        RuntimeError: on iteration, if a worker dies or the time is over; an exception in a worker is raised with its
            class and the worker's traceback.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.utils.data import DataLoader, TensorDataset
        >>> for x, y in DataLoader(TensorDataset(tc.arange(5) * 10, tc.arange(5)), batch_size=2):
        ...     print(x, y)
        tensor([ 0, 10]) tensor([0, 1])
        tensor([20, 30]) tensor([2, 3])
        tensor([40]) tensor([4])
    """

    dataset: Dataset[T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Any
    batch_sampler: Any
    prefetch_factor: int | None

    _fixed = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")
    # Programs that change a sampler after all unlock the loader by this name, `_DataLoader__initialized`.
    __initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"DataLoader: num_workers must be 0, for no worker processes, or more, got {num_workers}")
        if timeout < 0:
            raise ValueError(f"DataLoader: timeout must be 0, for none, or more, got {timeout}")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError("DataLoader: prefetch_factor is for worker processes, and num_workers is 0")
        if num_workers == 0 and persistent_workers:
            raise ValueError("DataLoader: persistent_workers is for worker processes, and num_workers is 0")
        if num_workers == 0 and timeout:
            raise ValueError("DataLoader: timeout is for worker processes, and num_workers is 0")
        if num_workers and prefetch_factor is None:
            prefetch_factor = 2
        elif num_workers and prefetch_factor is not None and prefetch_factor < 1:
            raise ValueError(f"DataLoader: prefetch_factor must be positive, got {prefetch_factor}")
        iterable = isinstance(dataset, IterableDataset)
        if iterable:
            _refuse_order(shuffle, sampler, batch_sampler)
        shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "DataLoader: batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("DataLoader: batch_size=None disables batches and is mutually exclusive with drop_last")
        order: Any = sampler
        if order is None:
            if iterable:
                order = _Endless()
            elif shuffle:
                order = RandomSampler(dataset, generator=generator)
            else:
                order = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(order, batch_size, drop_last)

        self.dataset = dataset
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = order
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._iterator: Any = None
        #: How far the latest epoch has come, and a state that the next is to begin with.
        self._progress: Progress | None = None
        self._saved: Mapping[str, Any] | None = None
        #: What ``len`` said of an iterable dataset, which may be wrong.
        self._promised: int | None = None
        self.__initialized = True

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__initialized and name in self._fixed:
            raise ValueError(f"DataLoader: {name} cannot be set after the loader is made; make another")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """The context in which worker processes start; ``None`` for the default one."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if not self.num_workers:
                raise ValueError("DataLoader: multiprocessing_context is for worker processes, and num_workers is 0")
            import multiprocessing
            from multiprocessing.context import BaseContext

            if isinstance(context, str):
                known = multiprocessing.get_all_start_methods()
                if context not in known:
                    raise ValueError(f"DataLoader: multiprocessing_context must be one of {known}, got {context!r}")
                context = multiprocessing.get_context(context)
            elif not isinstance(context, BaseContext):
                raise TypeError(
                    "DataLoader: multiprocessing_context must be a start method's name or a context of "
                    f"multiprocessing, got {context!r}"
                )
        self._context = context

    @property
    def _dataset_kind(self) -> int:
        return _DatasetKind.Iterable if isinstance(self.dataset, IterableDataset) else _DatasetKind.Map

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Iterator[T_co]:
        iterator: Any
        if not self.num_workers:
            iterator = LocalIterator(self)
        else:
            from tensorcore.utils.data.parallel import ParallelIterator

            iterator = self._iterator
            if iterator is None or iterator.ended:
                iterator = ParallelIterator(self)
            else:
                iterator.restart(self)
            if self.persistent_workers:
                self._iterator = iterator
        self._progress, self._saved = iterator.progress, None
        return iterator

    def state_dict(self) -> dict[str, Any]:
        """The position: what `load_state_dict` needs to go on after the batch that was yielded last.

        It can be saved with ``tc.save``. A dataset, an iterator over one or a sampler with ``state_dict`` and
        ``load_state_dict`` is asked for its state; others are passed over up to the position. Random numbers drawn in
        workers go on as well. The default generator, which the program shares, is not part of it: where later
        epochs are to be the same too, give the loader a ``generator`` or save ``tc.get_rng_state()``.

        Example:
            >>> from tensorcore.utils.data import DataLoader
            >>> loader = DataLoader(range(5), batch_size=2)
            >>> batches = iter(loader)
            >>> next(batches)
            tensor([0, 1])
            >>> other = DataLoader(range(5), batch_size=2)
            >>> other.load_state_dict(loader.state_dict())
            >>> list(other)
            [tensor([2, 3]), tensor([4])]
        """
        if self._saved is not None:
            return dict(self._saved)
        return state_of(self, self._progress)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Begin the next iteration at a position that `state_dict` returned, here or in another process.

        Without an iterable dataset the number of workers may be another one.

        Raises:
            ValueError: if it is no such position, or that of a loader of other generators or workers.
            RuntimeError: on iteration, if the sampler ends before it.
        """
        take_up(self, state_dict)
        self._iterator, self._progress, self._saved = None, None, state_dict

    def __getstate__(self) -> dict[str, Any]:
        # Iterators, and processes, stay here.
        return {**self.__dict__, "_iterator": None, "_progress": None}

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_sampler)
        length = self._promised = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


def _refuse_order(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    options = (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler))
    for name, value in options:
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}; "
                "an iterable dataset has its own order"
            )


class LoaderIterator:
    """What iterating over a loader shares, whoever makes the batches."""

    # It does not keep the loader, which may keep it: both, and their processes, then end when they are dropped.

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.dataset = loader.dataset
        self.index_sampler = loader._index_sampler
        self.progress = Progress(loader, saved=loader._saved)
        self.promised = loader._promised
        self.yielded = 0
        self.pin_device = loader.pin_memory_device or None
        self.pin = loader.pin_memory and can_pin(self.pin_device)

    def __iter__(self) -> LoaderIterator:
        return self

    def __len__(self) -> int:
        return len(self.index_sampler)

    def __next__(self) -> Any:
        if recorders:
            from tensorcore.profiler.session import record_function

            with record_function(f"enumerate(DataLoader)#{type(self).__name__}.__next__"):
                batch = self.next_batch()
        else:
            batch = self.next_batch()
        self.yielded += 1
        if self.promised is not None and self.yielded > self.promised:
            warnings.warn(
                f"DataLoader: the length of {type(self.dataset).__name__} was reported as {self.promised} samples, but "
                f"this is batch {self.yielded}; with workers, each yields the whole dataset unless it asks "
                "get_worker_info() for its share",
                stacklevel=2,
            )
        return pin_memory(batch, self.pin_device) if self.pin else batch

    def next_batch(self) -> Any:
        """The next batch; raises StopIteration at the end."""
        raise NotImplementedError

    def __reduce__(self) -> Any:
        raise TypeError(f"{type(self).__name__} cannot be pickled; pickle the DataLoader")


class LocalIterator(LoaderIterator):
    """Makes each batch when it is asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        progress = self.progress
        self.fetcher = make_fetcher(loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last)
        (share,) = progress.shares
        if share.batches:
            self.fetcher.resume(share.source, share.batches, loader.batch_size)
        #: Indices that the workers of a loaded state had under way.
        self.waiting = deque((task, index) for task, index, _ in progress.replay())
        progress.pending = {task: 0 for task, _ in self.waiting}
        progress.fetcher = self.fetcher

    def next_batch(self) -> Any:
        progress = self.progress
        try:
            if self.waiting:
                task, index = self.waiting.popleft()
                del progress.pending[task]
            else:
                _, index = progress.draw()
            batch = self.fetcher.fetch(index)
        except StopIteration:
            progress.finished = True
            raise
        progress.shares[0].batches += 1
        return batch
