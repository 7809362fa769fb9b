"""Planted backends as plugins, registered for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tensorcore.plugins import BackendSpec, hookimpl
from tensorcore.plugins.host import host


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """A function that registers a class of ``planted_backends`` as a device and returns the device's name."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    planted: list[str] = []

    def register(name: str, cls: str = "SpoiltBackend") -> str:
        class Plugin:
            @hookimpl
            def tensorcore_backends(self) -> list[BackendSpec]:
                return [BackendSpec(name, f"planted_backends:{cls}", argument=name)]

        host.register(Plugin(), name)
        planted.append(name)
        return name

    yield register
    for name in planted:
        host.unregister(name)
