"""What surrounds training, as in ``torch.utils``."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from tensorcore.utils import data

if _TYPE_CHECKING:
    from tensorcore.utils import checkpoint as checkpoint

__all__ = ["checkpoint", "data"]


def __getattr__(name: str) -> object:
    if name == "checkpoint":
        import importlib

        return importlib.import_module("tensorcore.utils.checkpoint")
    raise AttributeError(f"module 'tensorcore.utils' has no attribute {name!r}")
