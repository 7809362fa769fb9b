"""Apple's Metal, which is no device here."""

from __future__ import annotations

__all__ = ["is_available", "is_built"]


def is_available() -> bool:
    """Whether it is used: no.

    Example:
        >>> import tensorcore as tc
        >>> tc.backends.mps.is_available()
        False
    """
    return False


def is_built() -> bool:
    """Whether it is installed: no."""
    return False
