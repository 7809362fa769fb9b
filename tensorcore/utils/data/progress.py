"""Progress: how far an epoch of a data loader has come, and how to go on from there in another process.

The order of an epoch is not stored. It is drawn again from the states that the generators had when the epoch began,
and passed over up to the first batch that the caller has not got; a sampler with ``state_dict`` and
``load_state_dict`` is asked for its state instead. What workers have made ahead is made again, by the same worker,
which begins with the random numbers, and with the state of its dataset, that it had after its last batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tensorcore.utils.data.sampler import BatchSampler, draw_seed

if TYPE_CHECKING:
    from tensorcore.random.generator import Generator
    from tensorcore.tensor import Tensor
    from tensorcore.utils.data.loader import DataLoader

__all__ = ["Progress", "Share", "is_stateful", "state_of", "take_up"]

_VERSION: Final = 1
_KEYS: Final = frozenset(("version", "num_workers", "generators", "sampler_epoch", "base_seed", "workers", "epoch"))


def is_stateful(value: Any) -> bool:
    """Whether ``value`` can tell its state and go on from one."""
    return callable(getattr(value, "state_dict", None)) and callable(getattr(value, "load_state_dict", None))


@dataclass(slots=True)
class Share:
    """What one worker has done, as far as the caller has got it.

    Attributes:
        batches: batches of this epoch.
        ended: whether its iterable dataset has no more samples.
        start: states of its generators of random numbers when the epoch began, ``None`` for as seeded.
        random: their states now.
        source: states of its dataset and the iterator over it, where they can tell.
    """

    batches: int = 0
    ended: bool = False
    start: bytes | None = None
    random: bytes | None = None
    source: dict[str, Any] | None = None


class Progress:
    """How far one epoch of ``loader`` has come.

    Args:
        loader: the loader.
        previous: the progress of the epoch before, of the same workers.
        saved: what `state_of` returned, checked by `take_up`; the epoch in it is gone on with.
    """

    def __init__(
        self, loader: DataLoader[Any], previous: Progress | None = None, saved: Mapping[str, Any] | None = None
    ) -> None:
        self.sampler = loader._index_sampler
        self._generators = generators_of(loader)
        epoch = None if saved is None else saved["epoch"]
        #: States to return to once the order has been drawn again.
        self._here = None if epoch is None else [each._dump() for each in self._generators]
        if epoch is not None:
            for generator, state in zip(self._generators, epoch["start"], strict=True):
                generator.set_state(state)
        self.start = [each._dump() for each in self._generators]
        self._replayed = epoch
        self._sampler_owner: Any = None
        self.indices = self._indices(epoch)
        # Workers that live on keep their seed. Drawn before most samplers draw, and also without workers, as in
        # PyTorch.
        self.seeded = epoch["seeded"] if epoch is not None else previous is None and not _lives_on(loader, saved)
        if self.seeded:
            self.base_seed = draw_seed(loader.generator)
        else:
            self.base_seed = saved["base_seed"] if previous is None else previous.base_seed  # type: ignore[index]

        self.drawn = 0 if epoch is None else epoch["drawn"]
        self.turn = 0 if epoch is None else epoch["turn"]
        #: The worker of each task that the caller has not got, in the order of the tasks.
        self.pending: dict[int, int] = {}
        #: States of the sampler before tasks, from the first on that the caller has not got.
        self._sampler_states: deque[tuple[int, Any]] = deque()
        self.exhausted = self.finished = False
        #: What fetches in this process, whose state is asked for only when it is wanted.
        self.fetcher: Any = None
        self.same_workers = True
        self.shares = [Share() for _ in range(max(loader.num_workers, 1))]
        if previous is not None:
            self.shares = [Share(start=each.random, random=each.random) for each in previous.shares]
        elif saved is not None:
            self.same_workers = saved["num_workers"] == loader.num_workers
            if self.same_workers and (epoch is not None or _lives_on(loader, saved)):
                self.shares = [_read_share(each) for each in saved["workers"]]
            elif epoch is not None:
                self.turn = 0

    def _indices(self, epoch: Mapping[str, Any] | None) -> Iterator[Any]:
        state = None if epoch is None else epoch["sampler"]
        # A batch sampler draws just the indices of its batch, so the state of the sampler within will do.
        owners = (self.sampler, getattr(self.sampler, "sampler", None))
        self._sampler_owner = next((each for each in owners if is_stateful(each)), None)
        if state is not None and self._sampler_owner is not None and not state["iterator"]:
            self._sampler_owner.load_state_dict(state["state"])
        indices: Any = iter(self.sampler)
        if is_stateful(indices):
            self._sampler_owner = indices
            if state is not None and state["iterator"]:
                indices.load_state_dict(state["state"])
        return indices

    def draw(self) -> tuple[int, Any]:
        """The next task, and the indices of its batch; raises StopIteration at the end."""
        if self.exhausted:
            # A sampler asked again might begin again.
            raise StopIteration
        if self._sampler_owner is not None:
            while len(self._sampler_states) > 1 and self._sampler_states[1][0] <= self._first():
                self._sampler_states.popleft()
            self._sampler_states.append((self.drawn, self._sampler_owner.state_dict()))
        try:
            index = next(self.indices)
        except StopIteration:
            self.exhausted = True
            if self._sampler_owner is not None:
                self._sampler_states[-1] = (self.drawn, self._sampler_owner.state_dict())
            raise
        sampler = self.sampler
        # A batch that is not full has met the end already.
        self.exhausted = isinstance(sampler, BatchSampler) and len(index) < sampler.batch_size
        task = self.drawn
        self.drawn += 1
        return task, index

    def _first(self) -> int:
        """The first task that the caller has not got."""
        return next(iter(self.pending), self.drawn)

    def replay(self) -> Iterator[tuple[int, Any, int]]:
        """Task, indices and worker of what a saved epoch had under way; to be iterated over to the end.

        Raises:
            RuntimeError: if the sampler does not come so far.
        """
        if (epoch := self._replayed) is None:
            return
        self._replayed = None
        pending = dict(epoch["pending"])
        goal = self.drawn
        at_end = epoch["sampler"] is not None and epoch["sampler"]["task"] == goal
        self.drawn = 0 if epoch["sampler"] is None else epoch["sampler"]["task"]
        while self.drawn < goal:
            try:
                task, index = self.draw()
            except StopIteration:
                raise RuntimeError(
                    f"DataLoader: the state loaded stands behind batch {goal}, but the sampler ends with batch "
                    f"{self.drawn}; its dataset or batch size is another"
                ) from None
            if task in pending:
                yield task, index, pending[task]
        if epoch["exhausted"] and not at_end and not self.exhausted:
            # At its end, too, a sampler may draw.
            for _ in self.indices:
                break
        self.exhausted = epoch["exhausted"]
        for generator, state in zip(self._generators, self._here or (), strict=True):
            generator._load(state)

    def epoch(self) -> dict[str, Any] | None:
        """What `Progress` needs to go on with the epoch; ``None`` after its end."""
        if self.finished:
            return None
        sampler = None
        if self._sampler_owner is not None:
            first = self._first()
            owner = self._sampler_owner
            task, state = next((each for each in self._sampler_states if each[0] == first), (self.drawn, None))
            state = owner.state_dict() if state is None else state
            sampler = {"task": task, "state": state, "iterator": owner is self.indices}
        return {
            "start": [_as_tensor(each) for each in self.start],
            "seeded": self.seeded,
            "drawn": self.drawn,
            "exhausted": self.exhausted,
            "turn": self.turn,
            "pending": [list(each) for each in self.pending.items()],
            "sampler": sampler,
        }

    def workers(self) -> list[dict[str, Any]]:
        """What each worker has done; without workers, this process."""
        if self.fetcher is not None:
            (share,) = self.shares
            self.shares = [replace(share, source=self.fetcher.state())]
        if self.finished:
            self.shares = [Share(start=each.random, random=each.random) for each in self.shares]
        return [
            {
                "batches": each.batches,
                "ended": each.ended,
                "start": None if each.start is None else _as_tensor(each.start),
                "random": None if each.random is None else _as_tensor(each.random),
                "source": each.source,
            }
            for each in self.shares
        ]


def generators_of(loader: DataLoader[Any]) -> list[Generator]:
    """Where the order of ``loader`` is drawn: the default generator, its own and those of its samplers."""
    from tensorcore.random.generator import Generator, default_generator

    found: list[Generator] = [default_generator]
    batches, samples = loader.batch_sampler, loader.sampler
    for owner in (loader, batches, getattr(batches, "sampler", None), samples):
        generator = getattr(owner, "generator", None)
        if isinstance(generator, Generator) and all(generator is not each for each in found):
            found.append(generator)
    return found


def _samplers(loader: DataLoader[Any]) -> list[Any]:
    batches = loader.batch_sampler
    return [each for each in (loader.sampler, batches, getattr(batches, "sampler", None)) if each is not None]


def _epoch_of_sampler(loader: DataLoader[Any]) -> int | None:
    return next(
        (each.epoch for each in _samplers(loader) if hasattr(each, "set_epoch") and hasattr(each, "epoch")), None
    )


def _lives_on(loader: DataLoader[Any], saved: Mapping[str, Any] | None) -> bool:
    """Whether the workers of a saved state were to begin another epoch."""
    if saved is None or not loader.persistent_workers:
        return False
    return bool(saved["workers"]) and saved["num_workers"] == loader.num_workers


def state_of(loader: DataLoader[Any], progress: Progress | None) -> dict[str, Any]:
    """The position of ``loader``, whose latest epoch has come as far as ``progress`` says."""
    running = progress is not None and not progress.finished
    kept = progress is not None and (running or loader.persistent_workers)
    return {
        "version": _VERSION,
        "num_workers": loader.num_workers,
        "generators": [each.get_state() for each in generators_of(loader)[1:]],
        "sampler_epoch": _epoch_of_sampler(loader),
        "base_seed": progress.base_seed if kept and progress is not None else None,
        "workers": progress.workers() if kept and progress is not None else [],
        "epoch": progress.epoch() if progress is not None else None,
    }


def take_up(loader: DataLoader[Any], state: Mapping[str, Any]) -> None:
    """Check that ``loader`` can go on from ``state``, and give its own generators the states in it.

    Raises:
        ValueError: if it is no state of a loader, or that of one with other generators or, for an iterable dataset,
            another number of workers.
    """
    from tensorcore.utils.data.dataset import IterableDataset

    if not isinstance(state, Mapping) or not set(state) >= _KEYS:
        got = sorted(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"DataLoader.load_state_dict: expected what state_dict returned, got {got}")
    if state["version"] != _VERSION:
        raise ValueError(f"DataLoader.load_state_dict: expected version {_VERSION}, got {state['version']}")
    iterable = isinstance(loader.dataset, IterableDataset)
    if iterable and state["epoch"] is not None and state["num_workers"] != loader.num_workers:
        raise ValueError(
            f"DataLoader.load_state_dict: the state is of {state['num_workers']} workers, this loader has "
            f"{loader.num_workers}; they divide an iterable dataset otherwise"
        )
    generators = generators_of(loader)[1:]
    if len(generators) != len(state["generators"]):
        raise ValueError(
            f"DataLoader.load_state_dict: the state is of a loader with {len(state['generators'])} generators of its "
            f"own, this one has {len(generators)}"
        )
    for generator, each in zip(generators, state["generators"], strict=True):
        generator.set_state(each)
    if state["sampler_epoch"] is not None:
        for sampler in _samplers(loader):
            if hasattr(sampler, "set_epoch"):
                sampler.set_epoch(state["sampler_epoch"])


def _as_tensor(data: bytes) -> Tensor:
    from tensorcore.dtypes import uint8
    from tensorcore.ops.creation import frombuffer

    return frombuffer(bytearray(data), dtype=uint8)


def _read_share(saved: Mapping[str, Any]) -> Share:
    start, random = (None if saved[name] is None else bytes(saved[name].tolist()) for name in ("start", "random"))
    return Share(saved["batches"], saved["ended"], start, random, saved["source"])
