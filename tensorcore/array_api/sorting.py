"""Sorting functions of the Array API standard."""

from __future__ import annotations

from tensorcore.ops import reduction
from tensorcore.tensor import Tensor

__all__ = ["argsort", "sort"]

# Sorting is always stable here, so ``stable`` chooses nothing.


def argsort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Places of the elements in order along ``axis``; equal ones keep their order, descending too.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.argsort(tc.tensor([1, 2, 1, 2]), descending=True)
        tensor([1, 3, 0, 2])
    """
    return reduction.sort(x.detach(), axis, descending)[1]


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along ``axis``.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.sort(tc.tensor([3, 1, 2]))
        tensor([1, 2, 3])
    """
    return reduction.sort(x, axis, descending)[0]
