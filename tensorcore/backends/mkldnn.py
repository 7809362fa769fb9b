"""oneDNN, which no kernel here uses."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """Whether it is used: no.

    Example:
        >>> import tensorcore as tc
        >>> tc.backends.mkldnn.is_available()
        False
    """
    return False


#: Kept for programs that set them.
enabled: bool = False
deterministic: bool = False
allow_tf32: bool = False
