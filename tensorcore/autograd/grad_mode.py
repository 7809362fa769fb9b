"""Grad mode under the module path that PyTorch has it."""

from __future__ import annotations

from typing import Any, Self

from tensorcore.autograd.mode import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "enable_grad", "inference_mode", "is_multithreading_enabled", "no_grad", "set_grad_enabled",
    "set_multithreading_enabled",
]  # fmt: skip


class _Multithreading:
    enabled = True


def is_multithreading_enabled() -> bool:
    """What `set_multithreading_enabled` said last.

    Example:
        >>> import tensorcore as tc
        >>> tc.autograd.is_multithreading_enabled()
        True
    """
    return _Multithreading.enabled


class set_multithreading_enabled:  # noqa: N801 - PyTorch's name
    """Accepted, at once as a call or for a block: backward runs in the thread that calls it, whatever is said here.

    Example:
        >>> import tensorcore as tc
        >>> with tc.autograd.set_multithreading_enabled(False):
        ...     tc.autograd.is_multithreading_enabled()
        False
    """

    def __init__(self, mode: bool) -> None:
        self.before = _Multithreading.enabled
        self.mode = _Multithreading.enabled = bool(mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: Any) -> None:
        _Multithreading.enabled = self.before
