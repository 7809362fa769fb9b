"""Sizes given as one number for all dimensions, or one for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def per_dimension(value: Any, count: int) -> tuple[Any, ...]:
    """``value`` once for each of ``count`` dimensions, or the values that it holds.

    Example:
        >>> per_dimension(3, 2), per_dimension([1, 2], 2)
        ((3, 3), (1, 2))
    """
    return tuple(value) if isinstance(value, Iterable) else (value,) * count
