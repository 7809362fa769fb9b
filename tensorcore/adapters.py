"""Adapters for packages that must be told of tensors: each is imported when its package is, in whatever order.

einops finds the arrays it knows by subclasses of a class of its own, which a library that does not import einops cannot
make beforehand.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec

__all__ = ["ADAPTERS", "watch"]

#: The module whose import calls for an adapter, and the adapter.
ADAPTERS: Final = {"einops._backends": "tensorcore.einops_backend"}


class _Watcher:
    """A finder of `sys.meta_path` that has the others find, and lets the adapter follow."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if name not in ADAPTERS:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if finder is self or find is None else find(name, path, target)
            if spec is not None:
                _followed(spec.loader, ADAPTERS[name])
                return spec
        return None


def _followed(loader: Any, adapter: str) -> None:
    execute = loader.exec_module

    def exec_module(module: Any) -> None:
        # Loaders may be shared between modules.
        loader.exec_module = execute
        execute(module)
        import_module(adapter)

    loader.exec_module = exec_module


def watch() -> None:
    """Import the adapters of packages that are imported, and those of others when they are."""
    for name, adapter in ADAPTERS.items():
        if name in sys.modules:
            import_module(adapter)
    sys.meta_path.insert(0, _Watcher())
