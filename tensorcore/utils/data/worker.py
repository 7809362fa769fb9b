"""Worker processes: what runs in them, and what the parent holds of each."""

from __future__ import annotations

import pickle
import signal
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, Final

from tensorcore.utils.data import randomness
from tensorcore.utils.data.fetch import IterableFetcher, make_fetcher
from tensorcore.utils.data.progress import Share
from tensorcore.utils.data.transport import Inbox, Outbox, SharedDirectory
from tensorcore.utils.data.worker_info import WorkerInfo, set_worker_info

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Ended", "Failure", "Job", "Worker", "Workers"]


class Ended:
    """The result of a worker whose iterable dataset has no more samples."""


class Failure:
    """An exception on its way from a worker: its class, where that can be sent, and its traceback as text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind: type[BaseException] | None = type(error)
        self.name = type(error).__name__
        self.where = where
        self.text = "".join(traceback.format_exception(error))
        try:
            pickle.dumps(self.kind)
        except Exception:  # a class made inside a function
            self.kind = None

    def reraise(self) -> None:
        """Raise it here: an exception of the same class, whose message has the traceback of the worker."""
        message = f"Caught {self.name} in {self.where}.\nOriginal {self.text}"
        kind = self.kind or RuntimeError
        if issubclass(kind, (StopIteration, StopAsyncIteration)):
            # It would end the loop over the loader without a word.
            kind = RuntimeError
        if issubclass(kind, KeyError):
            raise kind(_Verbatim(message)) from None
        try:
            error = kind(message)
        except Exception:  # a class that takes other arguments
            error = RuntimeError(message)
        raise error from None


class _Verbatim(str):
    """A text that stays readable in a KeyError, which shows the ``repr`` of its argument."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Job:
    """What a worker is started with."""

    dataset: Any
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    worker_init_fn: Callable[[int], None] | None
    num_workers: int
    batch_size: int | None
    #: What each worker has done before, in another process.
    shares: Sequence[Share]

    def run(
        self, number: int, tasks: Connection, results: Connection, stop: Connection, shared: SharedDirectory
    ) -> None:
        """Work on tasks until told to stop, or until the parent is gone."""
        # A forked process has the parent's ends too, and while one is open nobody sees that the parent is gone.
        for connection in list(_parents_ends):
            connection.close()
        try:
            self._serve(number, tasks, Outbox(results, shared, str(number)), stop)
        except KeyboardInterrupt:
            # It went to the whole group of processes, and the parent shows it.
            return
        except (EOFError, ConnectionError):
            pass  # the parent is gone, or about to end its workers
        # A parent that was killed cannot do it, and the last worker to end leaves nothing behind.
        shared.remove()

    def _serve(self, number: int, tasks: Connection, outbox: Outbox, stop: Connection) -> None:
        where = f"DataLoader worker process {number}"
        fetcher: Any = None
        failed: Failure | None = None
        current = None
        known = unsaid = None
        try:
            self._prepare(number)
            known = randomness.read()
        except Exception as error:
            failed = Failure(error, where)
        while stop not in wait([tasks, stop]):
            epoch, task, slot, index = tasks.recv()
            try:
                if epoch != current and failed is None:
                    # The state of an epoch that is gone on with; another begins with the numbers after it.
                    share = self.shares[number] if current is None else Share()
                    share = share if epoch == 0 else Share(start=share.random)
                    fetcher, current = self._fetcher(share), epoch
                content = failed or fetcher.fetch(index)
            except StopIteration as error:
                content = Ended() if isinstance(fetcher, IterableFetcher) else Failure(error, where)
            except Exception as error:
                content = Failure(error, where)
            try:
                # Where the worker stands after this batch, for who goes on from it; what stays the same is not said.
                if (drawn := randomness.read()) != known:
                    known = unsaid = drawn
                source = fetcher.state() if fetcher is not None else None
                outbox.send(epoch, task, slot, (content, unsaid, source))
                unsaid = None
            except ConnectionError:
                raise
            except Exception as error:
                failure = Failure(error, f"{where}, on sending a batch")
                outbox.send(epoch, task, slot, (failure, unsaid, None))
            content = None  # a batch is freed before the next is made

    def _fetcher(self, share: Share) -> Any:
        # What the dataset draws when it is asked for an iterator, it draws again.
        if share.start is not None:
            randomness.restore(share.start)
        fetcher = make_fetcher(self.dataset, self.batched, self.collate_fn, self.drop_last)
        if share.batches:
            fetcher.resume(share.source, share.batches, self.batch_size)
            if share.random is not None:
                randomness.restore(share.random)
        return fetcher

    def _prepare(self, number: int) -> None:
        randomness.seed(self.base_seed, number)
        set_worker_info(WorkerInfo(number, self.num_workers, self.base_seed + number, self.dataset))
        if self.worker_init_fn is not None:
            self.worker_init_fn(number)


#: The parent's ends of all pipes to workers.
_parents_ends: Final[weakref.WeakSet[Connection]] = weakref.WeakSet()

#: Bytes that a pipe surely has room for.
_ROOM: Final = 16_000

#: Seconds that a worker may take to stop before it is made to.
_PATIENCE: Final = 5.0


class Worker:
    """A worker process as its parent sees it."""

    def __init__(self, context: Any, job: Job, number: int, stop: Connection, shared: SharedDirectory) -> None:
        self.number = number
        task_reader, self.tasks = context.Pipe(duplex=False)
        result_reader, result_writer = context.Pipe(duplex=False)
        _parents_ends.update((self.tasks, result_reader))
        self.inbox = Inbox(result_reader)
        self.free_slots: list[int] = []
        self.slots = 0
        #: Tasks, pickled, that wait until the pipe has room for them, with their slots.
        self.queue: deque[tuple[int, Any]] = deque()
        #: Sizes of the tasks that were sent and not yet answered.
        self.unanswered: deque[int] = deque()
        #: Whether it may have more samples.
        self.active = True
        self.process = context.Process(
            target=job.run,
            args=(number, task_reader, result_writer, stop, shared),
            name=f"DataLoader-{number}",
            daemon=True,
        )
        try:
            self.process.start()
        except BaseException:
            self.tasks.close()
            self.inbox.close()
            raise
        finally:
            task_reader.close()
            result_writer.close()

    @property
    def pending(self) -> int:
        """Number of tasks given and not yet answered."""
        return len(self.queue) + len(self.unanswered)

    def assign(self, epoch: int, task: int, index: Any) -> None:
        """Hand the worker a task; the first of another epoch has it start over."""
        slot = next((each for each in self.free_slots if not self.inbox.is_lent(each)), None)
        if slot is None:
            slot = self.slots
            self.slots += 1
        else:
            self.free_slots.remove(slot)
        self.queue.append((slot, ForkingPickler.dumps((epoch, task, slot, index))))
        self._send_queued()

    def forget(self) -> None:
        """Take back the tasks that were not sent; there may be samples again."""
        self.free_slots.extend(slot for slot, _ in self.queue)
        self.queue.clear()
        self.active = True

    def _send_queued(self) -> None:
        # Only what the pipe has room for is sent: if this process waited for room while the worker waits for its
        # answers to be read, both would wait for ever.
        while self.queue:
            _, message = self.queue[0]
            if self.unanswered and sum(self.unanswered) + len(message) > _ROOM:
                return
            self.queue.popleft()
            self.unanswered.append(len(message))
            try:
                self.tasks.send_bytes(message)
            except ConnectionError:
                raise self.death() from None

    def receive(self, timeout: float) -> tuple[int, int, Any]:
        """(epoch, task, content) of the next result, waited for without end if ``timeout`` is 0.

        The content is (batch, states of generators if they have changed, state of the dataset), or an exception.

        Raises:
            RuntimeError: if the worker has died, or the time is over.
        """
        try:
            if timeout and not self.inbox.connection.poll(timeout):
                raise RuntimeError(f"DataLoader timed out after {timeout} seconds, waiting for {self}")
            epoch, task, slot, content = self.inbox.receive()
        except (EOFError, OSError):
            raise self.death() from None
        self.free_slots.append(slot)
        self.unanswered.popleft()
        self._send_queued()
        return epoch, task, content

    def death(self) -> RuntimeError:
        """The error that says how the worker ended."""
        self.process.join(_PATIENCE)
        code = self.process.exitcode
        if code is not None and code < 0:
            name = _signal_name(-code)
            hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
            return RuntimeError(f"{self} is killed by signal: {name} (exit code {code}){hint}")
        return RuntimeError(
            f"{self} exited unexpectedly with exit code {code}; with num_workers=0 all runs in one process, "
            "which shows where"
        )

    def end(self) -> None:
        """Wait for the process, which has been told to stop; by force if it does not."""
        self.inbox.close()
        self.tasks.close()
        self.process.join(_PATIENCE)
        for force in (self.process.terminate, self.process.kill):
            if self.process.exitcode is None:
                force()
                self.process.join(_PATIENCE)

    def __str__(self) -> str:
        return f"DataLoader worker (pid {self.process.pid}, number {self.number})"


class Workers:
    """The worker processes of one iterator, and what they share."""

    def __init__(self, context: Any, job: Job) -> None:
        self.shared = SharedDirectory.make()
        self.stop_reader, self.stop_writer = context.Pipe(duplex=False)
        _parents_ends.add(self.stop_writer)
        self.members: list[Worker] = []
        try:
            for number in range(job.num_workers):
                self.members.append(Worker(context, job, number, self.stop_reader, self.shared))
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Stop all workers, wait for them and free what they used; once is enough."""
        if self.stop_writer.closed:
            return
        # One byte that nobody reads tells all of them.
        self.stop_writer.send_bytes(b"stop")
        for worker in self.members:
            worker.end()
        self.stop_writer.close()
        self.stop_reader.close()
        self.shared.remove()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
