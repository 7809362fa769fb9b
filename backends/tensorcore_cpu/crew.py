"""Threads that compute beside the caller's: each waits for parts of an array's work, which hold no lock."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from tensorcore.inquiry import get_num_threads

__all__ = ["LINE", "WIDE", "hands", "share", "split", "sweep"]

Part = Callable[[], None]
#: Products of numbers from which on threads share the work (float32, two threads: 256 each way 141 microseconds alone
#: and 156 shared, 384 456 and 292).
SHARED: Final = 1 << 25


class _Hand:
    """A thread that runs what it is given, and tells when it has."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Part] = queue.SimpleQueue()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._ended = True
        self._error: BaseException | None = None
        threading.Thread(target=self._work, name="tensorcore-cpu", daemon=True).start()

    def _work(self) -> None:
        while True:
            part = self._waiting.get()
            try:
                part()
            except BaseException as error:
                self._error = error
            del part
            self._ended = True
            self._bell.put(None)

    def give(self, part: Part) -> None:
        self._ended, self._error = False, None
        self._waiting.put(part)

    def wait(self) -> BaseException | None:
        """What the part raised, once it has ended; a Ctrl-C meanwhile comes after that, as arrays are still in use."""
        interrupted: BaseException | None = None
        # The bell wakes; whether the part has ended is read, for an interrupt may come between the two.
        while True:
            try:
                self._bell.get()
            except KeyboardInterrupt as error:
                interrupted = error
            if self._ended:
                return self._error or interrupted


_hands: Final[list[_Hand]] = []
#: One caller at a time has the hands; another one works alone meanwhile.
_taken = threading.Lock()


def _forget() -> None:
    """Threads do not live on in a forked process."""
    global _taken
    _hands.clear()
    _taken = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


#: Products of numbers in the time of an instruction for one element.
_ELEMENT: Final = 2
#: Elements that lie in one line of the cache: threads' parts meet between them.
LINE: Final = 64
#: Elements from which on loops over them ask whether to share.
WIDE: Final = 1 << 17


def hands(work: int) -> int:
    """How many threads are worth their while for so many products of numbers, the caller's among them."""
    return min(get_num_threads(), work // (SHARED // 2)) if work >= SHARED else 1


def split(side: int, work: int, step: int = 1) -> list[slice]:
    """The parts of ``side`` for threads to work on, whole multiples of ``step`` but for the last."""
    each = -(-side // (step * hands(work))) * step
    return [slice(start, min(start + each, side)) for start in range(0, side, each)]


def sweep(program: Callable[..., object], count: int, cost: int, *rest: int, apart: int = 1) -> None:
    """Run ``program(0, count, *rest)``, a loop that can begin anywhere, by threads where it pays.

    ``cost`` is what one of ``count`` takes, in instructions for each element; parts are multiples of ``apart``.
    """
    parts = split(count, count * cost * _ELEMENT, apart)
    if len(parts) == 1:
        program(0, count, *rest)
    else:
        share([partial(program, part.start, part.stop, *rest) for part in parts])


def share(parts: Sequence[Part]) -> None:
    """Run ``parts``, the first in this thread and the others beside it; all have ended when it returns."""
    if len(parts) == 1 or not _taken.acquire(blocking=False):
        for part in parts:
            part()
        return
    try:
        while len(_hands) < len(parts) - 1:
            _hands.append(_Hand())
        given = _hands[: len(parts) - 1]
        for hand, part in zip(given, parts[1:], strict=True):
            hand.give(part)
        error: BaseException | None = None
        try:
            parts[0]()
        except BaseException as met:
            error = met
        for hand in given:
            error = hand.wait() or error
        if error is not None:
            raise error
    finally:
        _taken.release()
