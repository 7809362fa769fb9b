"""Backends as objects: registered for a while, and judged in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tensorcore.backend import Backend, BackendSpec
from tensorcore.plugins import hookimpl
from tensorcore.plugins.host import host
from tensorcore_conformance.judge import Judge
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.report import Report, examine_device

__all__ = ["judge_backend", "registered", "registered_backend"]

_BACKENDS: dict[str, Backend] = {}


def registered_backend(name: str) -> Backend:
    """The backend that `registered` holds under a name; what its specification points at."""
    return _BACKENDS[name]


@contextmanager
def registered(backend: Backend) -> Iterator[str]:
    """The backend as a device of its name, as long as the block lasts.

    Raises:
        PluginError: where another backend has the name.

    Example:
        >>> from tensorcore_conformance import registered
        >>> from tensorcore_cpu.backend import CpuBackend
        >>> backend = CpuBackend()
        >>> backend.name = "mine"
        >>> with registered(backend) as device:
        ...     tc.ones(2, device=device).device
        device(type='mine')
    """
    name = backend.name

    class Plugin:
        @hookimpl
        def tensorcore_backends(self) -> list[BackendSpec]:
            """The one backend."""
            target = "tensorcore_conformance.in_process:registered_backend"
            return [BackendSpec(name, target, backend.contract, argument=name)]

    host.register(Plugin(), name)
    _BACKENDS[name] = backend
    try:
        yield name
    finally:
        del _BACKENDS[name]
        host.unregister(name)


def judge_backend(backend: Backend, ops: Sequence[str] = (), limits: Limits | None = None) -> Report:
    """Examine a backend object in this process; what it does to the process is done to yours.

    Example:
        >>> from tensorcore_conformance import judge_backend
        >>> from tensorcore_cpu.backend import CpuBackend
        >>> backend = CpuBackend()
        >>> backend.name = "mine"
        >>> judge_backend(backend, ["neg"]).passed
        True
    """
    with registered(backend) as device:
        return examine_device(Judge(device, ops, limits))
