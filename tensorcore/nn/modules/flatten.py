"""Joining and splitting dimensions."""

from __future__ import annotations

from typing import Any

from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins the dimensions from ``start_dim`` to ``end_dim``; by default all but the batch.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Flatten()(tc.ones(2, 1, 28, 28)).shape
        tensorcore.Size([2, 784])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits dimension ``dim`` into dimensions of the sizes ``unflattened_size``, of which one may be -1.

    Raises:
        TypeError: for a dimension that is no int, or sizes that are no ints.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Unflatten(1, (3, 4))(tc.ones(2, 12)).shape
        tensorcore.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an int (dimensions have no names here), got {type(dim).__name__}")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(f"Unflatten: expected a tuple of ints, got {type(unflattened_size).__name__}")
        for place, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(f"Unflatten: sizes must be ints, found {type(size).__name__} at place {place}")
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
