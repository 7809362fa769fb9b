"""Where memory goes: a ledger of what ops make, and the largest tensors alive."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Self

from tensorcore.autograd.graph import OpNode
from tensorcore.observation import Observer, memory_owner, nbytes, observe, stop_observing
from tensorcore.profiler.tables import format_memory
from tensorcore.tensor import Tensor, user_line

__all__ = ["Entry", "Ledger", "describe_for_error", "largest_tensors", "ledger"]


class Entry(NamedTuple):
    """One piece of memory that is alive.

    Attributes:
        bytes: its size.
        shape, dtype, device: of the array that it was made as.
        op: what made it; ``""`` where that was not seen.
        line: the line of the user's program that called the op; ``""`` where that was not seen.
        number: counts what was made; 0 where that was not seen.
    """

    bytes: int
    shape: tuple[int, ...]
    dtype: str
    device: str
    op: str
    line: str
    number: int

    def __str__(self) -> str:
        where = f" by {self.op} at {self.line}" if self.op else ""
        return f"{format_memory(self.bytes)}: {list(self.shape)} {self.dtype} on {self.device}{where}"


class Ledger(Observer):
    """Notes the memory of what ops make, while its block lasts: size, shape, dtype, device, op and the user's line.

    Nothing is kept alive by it. Memory that was there before, and that of tensors made of Python's and the host's data,
    is found by looking at the tensors alive; it is listed without an op.

    Attributes:
        live: bytes in use of what was noted.
        peak: the most that `live` was.
        made: how many pieces of memory were noted.
    """

    def __init__(self) -> None:
        self.live = self.peak = self.made = 0
        self._entries: dict[int, tuple[Any, Entry]] = {}
        self._lock = threading.RLock()
        self._open = False

    def __enter__(self) -> Self:
        if self._open:
            raise RuntimeError("ledger: this ledger is open already")
        self._open = True
        _open.append(self)
        observe(self)
        return self

    def __exit__(self, *exc: object) -> None:
        self._open = False
        _open.remove(self)
        stop_observing(self)

    def kernel(self, op: Any, kind: Any, kernel: Callable[..., Any]) -> Callable[..., Any]:
        name, device = op.name, str(kind.device)
        entries = self._entries

        def noted(*arrays: Any, **attributes: Any) -> Any:
            result = kernel(*arrays, **attributes)
            if self._open and "out" not in attributes:
                for array in result if isinstance(result, (tuple, list)) else (result,):
                    owner = memory_owner(array)
                    # What is a view of an operand, or is known, is no new memory.
                    known = id(owner) in entries or any(owner is memory_owner(x) for x in arrays if x is not None)
                    if not known and hasattr(owner, "shape"):
                        self._note(owner, name, device, kind)
            return result

        return noted

    def _note(self, owner: Any, op: str, device: str, kind: Any) -> None:
        key, size = id(owner), nbytes(owner, kind)

        def freed(_: Any) -> None:
            with self._lock:
                if entries.pop(key, None) is not None:
                    self.live -= size

        entries = self._entries
        try:
            reference = weakref.ref(owner, freed)
        except TypeError:
            # A scalar of the engine's own: it becomes an array on the way.
            return
        with self._lock:
            self.made += 1
            dtype = kind.backend.dtype_of(owner).name
            entries[key] = (reference, Entry(size, tuple(owner.shape), dtype, device, op, user_line(), self.made))
            self.live += size
            self.peak = max(self.peak, self.live)

    def entries(self) -> list[Entry]:
        """What is alive of what was noted, in the order in which it was made."""
        with self._lock:
            return [entry for _, entry in self._entries.values()]

    def largest(self, n: int = 10) -> list[Entry]:
        """The ``n`` largest pieces of memory alive, those that were not noted among them.

        Example:
            >>> import tensorcore as tc
            >>> with tc.memory.ledger() as ledger:
            ...     x = tc.zeros(4_000_000)
            ...     y = x.exp()
            >>> [(entry.op, entry.bytes) for entry in ledger.largest(2)]
            [('full', 16000000), ('exp', 16000000)]
        """
        with self._lock:
            known = {key: entry for key, (_, entry) in self._entries.items()}
        return _sorted(_alive(known), n)

    def by_line(self) -> list[tuple[str, int, int]]:
        """(line, bytes, pieces) of what is alive of what was noted, by the lines that made it, the largest first."""
        found: dict[str, list[int]] = {}
        for entry in self.entries():
            sums = found.setdefault(entry.line, [0, 0])
            sums[0] += entry.bytes
            sums[1] += 1
        return sorted(((line, size, count) for line, (size, count) in found.items()), key=lambda row: -row[1])

    def table(self, n: int = 20) -> str:
        """The ``n`` largest pieces of memory alive, and the sums, as a table to print."""
        return _table(self.largest(n), f"live {format_memory(self.live)}, peak {format_memory(self.peak)}, "
                      f"{self.made} made since the ledger was opened")  # fmt: skip

    def __str__(self) -> str:
        return self.table()


_open: Final[list[Ledger]] = []


def ledger() -> Ledger:
    """A ledger of the memory of what ops make: a context manager.

    Example:
        >>> import tensorcore as tc
        >>> with tc.memory.ledger() as ledger:
        ...     x = tc.zeros(256, 4)
        ...     del x
        >>> ledger.live, ledger.peak
        (0, 4096)
    """
    return Ledger()


def _alive(known: dict[int, Entry]) -> list[Entry]:
    """The memory of all tensors alive, and of what nodes keep for backward: as known, or as it looks."""
    found = dict(known)
    for each in gc.get_objects():
        # By its type: what objects of other libraries answer to `isinstance` may run code of theirs.
        cls = type(each)
        if issubclass(cls, Tensor):
            arrays: tuple[Any, ...] = ((getattr(each, "_array", None), getattr(each, "_kind", None)),)
        elif issubclass(cls, OpNode):
            kept = each.output
            if kept is None or not hasattr(each, "kind"):
                continue
            arrays = tuple(zip(kept, each.kind, strict=False)) if isinstance(kept, tuple) else ((kept, each.kind),)
        else:
            continue
        for array, kind in arrays:
            if array is None or kind is None or kind.sparse or kind.level is not None:
                continue
            owner = memory_owner(array)
            if id(owner) not in found:
                backend = kind.backend
                dtype = backend.dtype_of(owner).name
                found[id(owner)] = Entry(nbytes(owner, kind), tuple(owner.shape), dtype, str(kind.device), "", "", 0)
    return list(found.values())


def _sorted(entries: list[Entry], n: int) -> list[Entry]:
    return sorted(entries, key=lambda entry: (-entry.bytes, entry.number))[:n]


def largest_tensors(n: int = 10) -> list[Entry]:
    """The ``n`` largest pieces of memory that tensors, and nodes for their backward, hold now.

    What made them is known where a ledger is open.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.zeros(1 << 20)
        >>> tc.memory.largest_tensors(1)[0].bytes >= 4194304
        True
    """
    known: dict[int, Entry] = {}
    for each in _open:
        with each._lock:
            known.update({key: entry for key, (_, entry) in each._entries.items()})
    return _sorted(_alive(known), n)


def describe_for_error(n: int = 5) -> str:
    """What an error for want of memory says about what is there."""
    try:
        lines = [f"  {entry}" for entry in largest_tensors(n)]
    except MemoryError:
        # None left to look with.
        return ""
    if not lines:
        return ""
    advice = "" if _open else "\n`with tensorcore.memory.ledger():` around the program tells which lines made them"
    return "\n".join(["", "the largest tensors alive:", *lines]) + advice


def _table(entries: list[Entry], total: str) -> str:
    head = ("Bytes", "Shape", "dtype", "Device", "Op", "Line")
    rows = [
        (format_memory(e.bytes), str(list(e.shape)), e.dtype, e.device, e.op or "-", e.line or "-") for e in entries
    ]
    wide = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = ["  ".join([row[0].rjust(wide[0]), *(c.ljust(w) for c, w in zip(row[1:], wide[1:], strict=True))]).rstrip()
             for row in (head, *rows)]  # fmt: skip
    rule = "-" * max(map(len, lines))
    return "\n".join([rule, lines[0], rule, *lines[1:], rule, total]) + "\n"
