"""Linear algebra functions of the main namespace of the Array API standard."""

from __future__ import annotations

from collections.abc import Sequence

from tensorcore import functions
from tensorcore.array_api.spelling import agreed
from tensorcore.errors import ShapeError
from tensorcore.ops import linalg, reduction
from tensorcore.ops.complex import conj
from tensorcore.ops.views import broadcast_tensors
from tensorcore.shapes import normalize_dim
from tensorcore.tensor import Tensor

__all__ = ["matmul", "matrix_transpose", "tensordot", "vecdot"]


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Matrix product over the last two dimensions, the others broadcast; a 1-d operand is a row, or a column."""
    return linalg.matmul(*agreed(x1, x2))


def matrix_transpose(x: Tensor, /) -> Tensor:
    """A view with the last two dimensions exchanged."""
    return x.mT


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sum of products over ``axes``: the last of ``x1`` with the first of ``x2``, or a pair of lists of dimensions."""
    x1, x2 = agreed(x1, x2)
    return functions.tensordot(x1, x2, axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Sum along ``axis`` of the products of the conjugate of ``x1`` with ``x2``, which broadcast elsewhere.

    Raises:
        ShapeError: where the sides along ``axis`` differ; it is a ValueError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.vecdot(tc.tensor([[1, 2], [3, 4]]), tc.tensor([10, 1]))
        tensor([12, 34])
    """
    x1, x2 = agreed(x1, x2)
    sides = [x.shape[normalize_dim(axis, x.ndim, "vecdot")] if x.ndim else 0 for x in (x1, x2)]
    if sides[0] != sides[1] or 0 in (x1.ndim, x2.ndim):
        raise ShapeError(
            f"vecdot: the sides along axis {axis} of shapes {list(x1.shape)} and {list(x2.shape)} must be equal"
        )
    x1, x2 = broadcast_tensors(x1, x2)
    place = normalize_dim(axis, x1.ndim, "vecdot")
    return reduction.sum.emit(conj(x1) * x2, dim=(place,), keepdim=False, dtype=x1.dtype)
