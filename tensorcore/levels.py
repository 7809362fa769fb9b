"""Which transforms of `tensorcore.func` are running in this thread, outermost first.

It stands apart from them because random draws and reads of values ask it, and importing it must cost nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tensorcore.func.levels import Level

__all__ = ["everywhere", "innermost", "resumed", "running", "running_vmap", "suspended"]


class _Running(threading.local):
    levels: tuple[Level, ...] = ()


running: Final = _Running()


def innermost() -> Level | None:
    """The innermost transform that runs, or ``None``."""
    levels = running.levels
    return levels[-1] if levels else None


def running_vmap() -> Any:
    """The innermost `vmap` that runs, or ``None``."""
    levels = running.levels
    if levels:
        for level in reversed(levels):
            if level.maps:
                return level
    return None


class resumed:  # noqa: N801 - reads as what it does: ``with resumed(levels):``
    """Inside of ``levels`` again, as backward needs for what was recorded there."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self.levels = levels

    def __enter__(self) -> None:
        self.before = running.levels
        running.levels = self.levels

    def __exit__(self, *exc: object) -> None:
        running.levels = self.before


class suspended:  # noqa: N801 - reads as what it does: ``with suspended(level):``
    """Outside of ``level`` and all that run within it."""

    def __init__(self, level: Level) -> None:
        self.level = level

    def __enter__(self) -> None:
        self.before = running.levels
        running.levels = self.before[: self.before.index(self.level)]

    def __exit__(self, *exc: object) -> None:
        running.levels = self.before


def everywhere(tensor: Any) -> Any:
    """A tensor's values outside of all transforms: those of every example under `vmap`, for checks of them all."""
    while tensor._kind.level is not None:
        tensor = tensor._array.outer
    return tensor
