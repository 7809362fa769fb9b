"""``tensor.size``: the Array API standard's int, and PyTorch's method, in one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast, overload

from tensorcore.errors import DimensionError
from tensorcore.shapes import Size, normalize_dim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorcore.tensor import Tensor

__all__ = ["Sides", "SizeProperty"]


class Sides(int):
    """The number of elements of a tensor, which can be called for its shape.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.zeros(2, 3)
        >>> x.size, x.size(), x.size(-1)
        (6, tensorcore.Size([2, 3]), 3)
    """

    shape: Size
    #: The same as a plain tuple, which is read three times as fast.
    plain: tuple[int, ...]

    @overload
    def __call__(self, dim: None = None) -> Size: ...

    @overload
    def __call__(self, dim: int) -> int: ...

    def __call__(self, dim: int | None = None) -> Any:
        """The shape, or the length of dimension ``dim``."""
        if dim is None:
            return self.shape
        try:
            return self.plain[dim]
        except (IndexError, TypeError):
            normalize_dim(dim, len(self.plain), "size")
            raise DimensionError("size: a 0-d tensor has no dimensions") from None

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return (int, (int(self),))


#: Those made so far: programs have few shapes, and finding one costs a fifth of making one.
KNOWN: Final[dict[Sequence[int], Sides]] = {}


def sides(shape: Sequence[int]) -> Sides:
    """The `Sides` of a shape, which is kept."""
    made = Sides(math.prod(shape))
    made.shape = Size(shape)
    made.plain = tuple(shape)
    if len(KNOWN) >= 4096:
        KNOWN.clear()
    return KNOWN.setdefault(made.plain, made)


class SizeProperty(property):
    """A property that can be called on the class, as PyTorch's method: ``Tensor.size(x, 0)``."""

    def __call__(self, tensor: Tensor, dim: int | None = None) -> Any:
        return cast(Any, tensor.size)(dim)
