"""OpenMP, which no kernel here uses."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether it is used: no.

    Example:
        >>> import tensorcore as tc
        >>> tc.backends.openmp.is_available()
        False
    """
    return False
