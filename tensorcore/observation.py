"""Looking at kernels as they run: the profiler and the memory ledger are observers, which cost nothing while absent.

An observer wraps kernels. While there is one, the kernel tables of all devices hold wrapped kernels, so every
thread and the fast lanes are seen, and programs take the paths they take without it. Compiled functions keep
kernels as they are, and are not looked into.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op

__all__ = ["Observer", "is_observed", "memory_owner", "nbytes", "observe", "plain_kernel", "stop_observing"]

Kernel = Callable[..., Any]


class Observer:
    """What looks at kernels; a subclass says how a kernel, and the expression of a composite, is wrapped."""

    def kernel(self, op: Op, kind: Kind, kernel: Kernel) -> Kernel:
        """A kernel that does what ``kernel`` does for operands of ``kind``, and is seen."""
        return kernel

    def expression(self, op: Op, body: Kernel) -> Kernel:
        """The expression of a composite, seen."""
        return body


_observers: list[Observer] = []
#: The profilers that are recording (`tensorcore.profiler.recorder`); here for those who note ranges of their own.
recorders: Final[list[Any]] = []
_lock: Final = threading.RLock()
_bodies: Final[dict[Op, Kernel]] = {}


def observe(observer: Observer) -> None:
    """Let ``observer`` see kernels from now on."""
    with _lock:
        _observers.append(observer)
        _refresh()


def stop_observing(observer: Observer) -> None:
    """Let ``observer`` see no more."""
    with _lock:
        if observer in _observers:
            _observers.remove(observer)
            _refresh()


def is_observed() -> bool:
    """Whether an observer sees kernels."""
    return bool(_observers)


def _refresh() -> None:
    """Wrap the kernels of all tables, or unwrap them; what a backend has compiled for them is kept."""
    from tensorcore import devices
    from tensorcore.ops.record import REGISTRY

    devices.wrap_kernel = _wrapped if _observers else None
    for device in list(devices._DEVICES.values()):
        for kind in list(device._kinds.values()):
            for op, entry in list(kind.table.items()):
                if entry is not None and entry[0] is not None:
                    kind.table[op] = (_wrapped(op, kind, entry[0]), entry[1])
            for op, kernel in list(kind.writers.items()):
                if kernel is not None:
                    kind.writers[op] = _wrapped(op, kind, kernel)
            kind.assign = _wrapped(REGISTRY["assign"], kind, kind.assign)
    for op, body in _bodies.items():
        op.body = body
    _bodies.clear()
    if _observers:
        for op in REGISTRY.values():
            for each in (op, op.gradient):
                if each is not None and each.body is not None and each not in _bodies:
                    _bodies[each] = body = each.body
                    for observer in _observers:
                        body = observer.expression(each, body)
                    each.body = body


def _wrapped(op: Op, kind: Kind, kernel: Kernel) -> Kernel:
    """A kernel seen by those who look now, and by no others."""
    kernel = plain = plain_kernel(kernel)
    for observer in _observers:
        kernel = observer.kernel(op, kind, kernel)
    if kernel is not plain:
        kernel.observed_kernel = plain  # type: ignore[attr-defined]
    return kernel


def plain_kernel(kernel: Kernel) -> Kernel:
    """A kernel past those who look, for programs that outlast them."""
    return getattr(kernel, "observed_kernel", kernel)


def memory_owner(array: Any) -> Any:
    """The array whose memory ``array`` shows: itself, or what it is a view of."""
    base = getattr(array, "base", None)
    while base is not None and hasattr(base, "shape"):
        array, base = base, getattr(base, "base", None)
    return array


def nbytes(array: Any, kind: Kind) -> int:
    """Bytes of the memory of a native array."""
    size = getattr(array, "nbytes", None)
    if isinstance(size, int):
        return size
    count = 1
    for side in array.shape:
        count *= side
    return count * kind.backend.dtype_of(array).itemsize
