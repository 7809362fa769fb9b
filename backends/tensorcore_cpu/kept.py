"""Memory that outlives a call: new arrays cost more in page faults and zeros than what is laid out in them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

import numpy as np

from tensorcore.backend.contract import Array

__all__ = ["Kept"]

#: Bytes that each thread keeps in each store.
_MOST: Final = 1 << 23


class Kept(threading.local):
    """Arrays by what they are for; each thread has its own."""

    def __init__(self) -> None:
        self._held: OrderedDict[Any, Array] = OrderedDict()
        self._bytes = 0

    def zeros(self, purpose: Any, size: int, native: Any) -> Array:
        """``size`` zeros, but where the same purpose has written before: it is to write to the same places again."""
        found = self._held.get(purpose)
        if found is not None and found.size == size:
            self._held.move_to_end(purpose)
            return found
        made: Array = np.zeros(size, native)
        if made.nbytes > _MOST:
            return made
        if found is not None:
            self._bytes -= found.nbytes
        self._held[purpose] = made
        self._held.move_to_end(purpose)
        self._bytes += made.nbytes
        while self._bytes > _MOST:
            _, oldest = self._held.popitem(last=False)
            self._bytes -= oldest.nbytes
        return made
