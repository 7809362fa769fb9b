"""Plugins: what they register, and the host that finds them.

A plugin is a module of functions marked `hookimpl`, named in the entry-point group ``tensorcore`` of an installed
distribution. `tensorcore.plugins.hookspecs` lists the hooks; ``docs/guides/write-a-backend.md`` is the guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.backend.spec import BackendSpec
from tensorcore.plugins.specs import CommandSpec, ConformanceSpec, DatasetSpec, ModelSpec

if TYPE_CHECKING:
    from tensorcore.plugins.hookspecs import hookimpl

__all__ = ["BackendSpec", "CommandSpec", "ConformanceSpec", "DatasetSpec", "ModelSpec", "hookimpl"]


def __getattr__(name: str) -> Any:
    # The marker needs pluggy, which `import tensorcore` does not pay for.
    if name == "hookimpl":
        from tensorcore.plugins.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
