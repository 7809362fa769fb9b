"""What a process has in one place for all who run in it: seen when a case changes it, and put back."""

from __future__ import annotations

import gc
import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy

__all__ = ["ProcessState"]


def _handlers() -> list[Any]:
    return [signal.getsignal(number) for number in _SIGNALS]


def _handle(handlers: list[Any]) -> None:
    for number, handler in zip(_SIGNALS, handlers, strict=True):
        if handler is not None:  # one that was not installed from Python
            signal.signal(number, handler)


def _take_modules(modules: dict[str, Any]) -> None:
    for name, module in modules.items():
        sys.modules.setdefault(name, module)


def _environ(values: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(values)


def _filter(filters: list[Any]) -> None:
    warnings.resetwarnings()
    for place in filters:
        warnings.filters.append(place)  # type: ignore[attr-defined]


_SIGNALS = [number for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGALRM", None)) if number]

#: What is looked at: how it is read, and how it is put back.
_PLACES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "signal handlers": (_handlers, _handle),
    "locale": (lambda: locale.setlocale(locale.LC_ALL), lambda value: locale.setlocale(locale.LC_ALL, value)),
    "numpy.seterr": (numpy.geterr, lambda value: numpy.seterr(**value)),
    "random": (random.getstate, random.setstate),
    "recursion limit": (sys.getrecursionlimit, sys.setrecursionlimit),
    "working directory": (os.getcwd, os.chdir),
    "garbage collection": (gc.isenabled, lambda value: gc.enable() if value else gc.disable()),
    "environment": (lambda: dict(os.environ), _environ),
    "import path": (lambda: list(sys.path), lambda value: sys.path.__setitem__(slice(None), value)),
    "warnings filters": (lambda: list(warnings.filters), _filter),
}


class ProcessState:
    """The state of this process, to which it can be brought back.

    What is imported in between stays. NumPy's generator is not looked at: reading it would make it.
    """

    def __init__(self) -> None:
        self._modules = dict(sys.modules)
        self._values = {name: read() for name, (read, _) in _PLACES.items()}

    def restore(self) -> list[str]:
        """Put back what has changed since, and name it."""
        changed = []
        for name, (read, write) in _PLACES.items():
            try:
                if read() == self._values[name]:
                    continue
                write(self._values[name])
            except Exception as error:  # a directory that is gone, say
                changed.append(f"{name} (for good: {type(error).__name__})")
            else:
                changed.append(name)
        if not self._modules.keys() <= sys.modules.keys():
            _take_modules(self._modules)
            changed.append("imported modules")
        if getattr(signal, "alarm", lambda seconds: 0)(0):
            changed.append("an alarm")
        return changed
