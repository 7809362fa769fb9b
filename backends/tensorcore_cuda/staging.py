"""Copies between host and device by way of pinned host memory, which the device reads and writes by itself.

From pageable memory the driver copies to pinned memory of its own, and waits. Here the host's share is one copy into
a pinned block, after which it goes on; the block is kept until the device has read it. What is larger than a block goes
in pieces through two blocks, one being filled while the other is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = ["PIECE", "Staging"]

#: Most bytes of one pinned block.
PIECE: Final = 32 * 2**20


class Staging:
    """Moves bytes through pinned blocks.

    Args:
        allocate: gives a pinned block of at least as many bytes, with the buffer protocol and an address ``ptr``.
        piece: most bytes of one block.
    """

    def __init__(self, allocate: Callable[[int], Any], piece: int = PIECE) -> None:
        self._allocate = allocate
        self._piece = piece
        self._busy: deque[tuple[Any, Any]] = deque()

    def upload(self, data: memoryview, send: Callable[[int, int, int], None], mark: Callable[[], Any]) -> None:
        """Send ``data``; it may change as soon as this returns.

        Args:
            send: ``send(offset, address, size)`` queues the copy of a block to the place ``offset`` on the device.
            mark: queues an event and returns it; ``done`` tells whether it happened, ``synchronize()`` waits for it.
        """
        self.release()
        total = len(data)
        size = min(total, self._piece)
        blocks = [self._allocate(size) for _ in range(1 if total <= self._piece else 2)]
        events: list[Any] = [None] * len(blocks)
        for number, offset in enumerate(range(0, total, self._piece)):
            turn = number % len(blocks)
            if events[turn] is not None:
                events[turn].synchronize()
            count = min(self._piece, total - offset)
            np.frombuffer(blocks[turn], np.uint8, count)[:] = np.frombuffer(data, np.uint8, count, offset)
            send(offset, blocks[turn].ptr, count)
            events[turn] = mark()
        self._busy.extend(zip(events, blocks, strict=True))

    def download(self, total: int, receive: Callable[[int, int, int], None], mark: Callable[[], Any]) -> memoryview:
        """The bytes that ``receive(offset, address, size)``, which queues a copy to a block, brings from the device."""
        if total <= self._piece:
            block = self._allocate(total)
            receive(0, block.ptr, total)
            mark().synchronize()
            # The view keeps the block.
            return memoryview(np.frombuffer(block, np.uint8, total))
        out = np.empty(total, np.uint8)
        blocks = [self._allocate(self._piece) for _ in range(2)]
        queued: deque[tuple[Any, Any, int, int]] = deque()
        for number, offset in enumerate(range(0, total, self._piece)):
            if len(queued) == 2:
                _fetch(out, queued.popleft())
            block, count = blocks[number % 2], min(self._piece, total - offset)
            receive(offset, block.ptr, count)
            queued.append((mark(), block, offset, count))
        while queued:
            _fetch(out, queued.popleft())
        return memoryview(out)

    def release(self) -> None:
        """Let go of the blocks that the device has read, in the order of their use."""
        while self._busy and self._busy[0][0].done:
            self._busy.popleft()

    @property
    def busy(self) -> int:
        """Number of blocks that the device may still be reading."""
        return len(self._busy)


def _fetch(out: Any, arrived: tuple[Any, Any, int, int]) -> None:
    event, block, offset, count = arrived
    event.synchronize()
    out[offset : offset + count] = np.frombuffer(block, np.uint8, count)
