"""Iteration with worker processes: tasks dealt out in turn, results collected in order."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any

from tensorcore.utils.data.loader import LoaderIterator
from tensorcore.utils.data.progress import Progress
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
            loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last, self.progress.base_seed,
            loader.worker_init_fn, loader.num_workers, loader.batch_size, self.progress.shares,
        )  # fmt: skip
        self.workers = Workers(loader.multiprocessing_context or multiprocessing.get_context(), job)
        # Not weakref.finalize: this runs before multiprocessing kills its processes at exit, and never in a fork.
        self._end = Finalize(self, self.workers.end, exitpriority=10)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def ended(self) -> bool:
        """Whether the processes are gone."""
        return not self._end.still_active()

    def restart(self, loader: DataLoader[Any]) -> None:
        """Begin the next epoch with the same processes."""
        self.progress = Progress(loader, self.progress)
        self.promised = loader._promised
        self.yielded = 0
        self.epoch += 1
        for worker in self.workers.members:
            worker.forget()
        self._begin()

    def _begin(self) -> None:
        progress, members = self.progress, self.workers.members
        for worker, share in zip(members, progress.shares, strict=True):
            worker.active = not share.ended
        for task, index, number in progress.replay():
            self._hand(task, index, members[number] if progress.same_workers else self._free_worker())
        for _ in range(self.prefetched - len(progress.pending)):
            self._assign()

    def _assign(self) -> None:
        """Give the next task to the worker whose turn it is, if there is either."""
        worker = self._free_worker()
        if worker is None:
            return
        try:
            task, index = self.progress.draw()
        except StopIteration:
            return
        self._hand(task, index, worker)

    def _hand(self, task: int, index: Any, worker: Worker | None) -> None:
        assert worker is not None
        worker.assign(self.epoch, task, index)
        self.progress.pending[task] = worker.number

    def _free_worker(self) -> Worker | None:
        progress, members = self.progress, self.workers.members
        if not self.in_order:
            # Where order does not matter, a slow worker gets less to do.
            return min((each for each in members if each.active), key=lambda each: each.pending, default=None)
        for _ in members:
            worker = members[progress.turn % len(members)]
            progress.turn = worker.number + 1
            if worker.active:
                return worker
        return None

    def next_batch(self) -> Any:
        progress = self.progress
        pending = progress.pending
        try:
            while pending and not self.ended:
                epoch, task, content = self._next_worker().receive(self.timeout)
                # Of an epoch that was broken off, answers may still come.
                if epoch != self.epoch or task not in pending:
                    continue
                number = pending.pop(task)
                share = progress.shares[number]
                if isinstance(content, tuple):
                    content, drawn, source = content
                    share.random = share.random if drawn is None else drawn
                    share.source = share.source if source is None else source
                share.batches += 1
                answered = 1
                if isinstance(content, Ended):
                    self.workers.members[number].active = False
                    share.ended = True
                    # Its other tasks have nothing to give either.
                    vain = [other for other, owner in pending.items() if owner == number]
                    for other in vain:
                        del pending[other]
                    answered += len(vain)
                for _ in range(answered):
                    self._assign()
                if not isinstance(content, Ended):
                    break
            else:
                progress.finished = not pending
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
        members, pending = self.workers.members, self.progress.pending
        if self.in_order:
            return members[next(iter(pending.values()))]
        owners = {members[each].inbox.connection: members[each] for each in pending.values()}
        ready = wait(list(owners), self.timeout or None)
        return owners[ready[0]] if ready else next(iter(owners.values()))  # type: ignore[index]

    def close(self) -> None:
        """End the worker processes."""
        if not self.ended:
            self._end()
