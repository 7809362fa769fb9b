"""Iteration with worker processes: tasks dealt out in turn, results collected in order."""

from __future__ import annotations

import itertools
import multiprocessing
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any

from tensorcore.utils.data.loader import LoaderIterator
from tensorcore.utils.data.worker import Ended, Failure, Job, Worker, Workers

if TYPE_CHECKING:
    from tensorcore.utils.data.loader import DataLoader

__all__ = ["ParallelIterator"]


class ParallelIterator(LoaderIterator):
    """Keeps ``prefetch_factor`` tasks a worker under way and yields their results.

    A worker answers its tasks in the order in which it got them, so the next result in order is the next message of
    the worker that has the next task. The processes end with the last batch (unless they are persistent), when one of
    them dies, or when the iterator is dropped.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self.in_order = loader.in_order
        self.persistent = loader.persistent_workers
        self.timeout = loader.timeout
        self.prefetched = (loader.prefetch_factor or 1) * loader.num_workers
        self.epoch = 0
        job = Job(
            loader.dataset, loader._batched, loader.collate_fn, loader.drop_last, self.base_seed, loader.worker_init_fn,
            loader.num_workers,
        )  # fmt: skip
        self.workers = Workers(loader.multiprocessing_context or multiprocessing.get_context(), job)
        # Not weakref.finalize: this runs before multiprocessing kills its processes at exit, and never in a fork.
        self._end = Finalize(self, self.workers.end, exitpriority=10)
        self._begin()

    @property
    def ended(self) -> bool:
        """Whether the processes are gone."""
        return not self._end.still_active()

    def restart(self, loader: DataLoader[Any]) -> None:
        """Begin the next epoch with the same processes."""
        self.indices = iter(self.index_sampler)
        self.promised = loader._promised
        self.yielded = 0
        self.epoch += 1
        for worker in self.workers.members:
            worker.forget()
        self._begin()

    def _begin(self) -> None:
        #: Who has the tasks that are not answered, in the order of the tasks.
        self.owners: dict[int, Worker] = {}
        self.tasks = itertools.count()
        self.turns = itertools.cycle(self.workers.members)
        for _ in range(self.prefetched):
            self._assign()

    def _assign(self) -> None:
        """Give the next task to the worker whose turn it is, if there is either."""
        worker = self._free_worker()
        if worker is None:
            return
        try:
            index = next(self.indices)
        except StopIteration:
            return
        task = next(self.tasks)
        worker.assign(self.epoch, task, index)
        self.owners[task] = worker

    def _free_worker(self) -> Worker | None:
        members = self.workers.members
        if self.in_order:
            return next((each for each in itertools.islice(self.turns, len(members)) if each.active), None)
        # Where order does not matter, a slow worker gets less to do.
        return min((each for each in members if each.active), key=lambda each: each.pending, default=None)

    def next_batch(self) -> Any:
        try:
            while self.owners:
                epoch, task, content = self._next_worker().receive(self.timeout)
                # Of an epoch that was broken off, answers may still come.
                if epoch != self.epoch or task not in self.owners:
                    continue
                worker = self.owners.pop(task)
                answered = 1
                if isinstance(content, Ended):
                    worker.active = False
                    # Its other tasks have nothing to give either.
                    vain = [other for other, owner in self.owners.items() if owner is worker]
                    for other in vain:
                        del self.owners[other]
                    answered += len(vain)
                for _ in range(answered):
                    self._assign()
                if not isinstance(content, Ended):
                    break
            else:
                if not self.persistent:
                    self.close()
                raise StopIteration
        except StopIteration:
            raise
        except BaseException:
            # Dead workers, a sampler's error or an interrupt leave the order in doubt.
            self.close()
            raise
        if isinstance(content, Failure):
            content.reraise()
        if isinstance(content, Exception):
            raise content
        return content

    def _next_worker(self) -> Worker:
        """The worker whose answer is to be read next."""
        if self.in_order:
            return next(iter(self.owners.values()))
        owners = {each.inbox.connection: each for each in self.owners.values()}
        ready = wait(list(owners), self.timeout or None)
        return owners[ready[0]] if ready else next(iter(owners.values()))  # type: ignore[index]

    def close(self) -> None:
        """End the worker processes."""
        self.owners.clear()
        if not self.ended:
            self._end()
