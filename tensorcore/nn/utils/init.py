"""Modules made without drawing their first parameters."""

from __future__ import annotations

import inspect
from typing import Any

from tensorcore.nn.modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """A module whose parameters have arbitrary content; for those that are loaded or drawn otherwise afterwards.

    The generator is left as it was.

    Raises:
        RuntimeError: for a class that is no `Module`, or whose constructor takes no ``device``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.skip_init(tc.nn.Linear, 2, 3).weight.shape
        tensorcore.Size([3, 2])
    """
    from tensorcore.random import get_rng_state, set_rng_state

    if not issubclass(module_cls, Module):
        raise RuntimeError(f"skip_init: expected a Module class, got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError(f"skip_init: the constructor of {module_cls.__name__} takes no device")
    state = get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        set_rng_state(state)
