"""Indexing functions of the Array API standard."""

from __future__ import annotations

from tensorcore import functions
from tensorcore.errors import ShapeError
from tensorcore.shapes import normalize_dim
from tensorcore.tensor import Tensor

__all__ = ["take", "take_along_axis"]


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Slices of ``x`` at ``indices`` along ``axis``, which only for a vector can be left out.

    Raises:
        ShapeError: without ``axis`` unless ``x`` has one dimension.
        DimensionError: for an index outside the dimension; it is an IndexError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.take(tc.tensor([[1, 2, 3], [4, 5, 6]]), tc.tensor([2, 0]), axis=1)
        tensor([[3, 1],
                [6, 4]])
    """
    if axis is None:
        if x.ndim != 1:
            raise ShapeError(f"take: axis is needed unless x has one dimension, got shape {list(x.shape)}")
        axis = 0
    place = normalize_dim(axis, x.ndim, "take")
    return x[(slice(None),) * place + (indices,)]


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Elements at ``indices`` along ``axis``, of which there is one for each element of the result; others broadcast.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.tensor([[3, 1, 2], [0, 5, 4]])
        >>> tc.array_api.take_along_axis(x, tc.array_api.argsort(x))
        tensor([[1, 2, 3],
                [0, 4, 5]])
    """
    return functions.take_along_dim(x, indices, axis)
