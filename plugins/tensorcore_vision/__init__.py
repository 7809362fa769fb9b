"""torchvision's program for tensorcore: data sets, transforms, models, ops and image files, under the same names."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["datasets", "io", "models", "ops", "transforms", "tv_tensors", "utils"]


def __getattr__(name: str) -> Any:
    # Parts are imported when they are used: registering the plugin costs nothing.
    if name in __all__:
        return import_module(f"tensorcore_vision.{name}")
    if name == "__version__":
        return import_module("tensorcore").__version__
    raise AttributeError(f"module 'tensorcore_vision' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
