"""Diagonals: reading, writing and making them."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.devices import EXPRESSION
from tensorcore.dtypes import DType, int64, promote_types
from tensorcore.errors import ArgumentError, DimensionError, RangeError, ShapeError
from tensorcore.ops.creation import ramp
from tensorcore.ops.indexing import index_put
from tensorcore.ops.movement import reshape
from tensorcore.ops.parts import basic_index, zeros_of
from tensorcore.ops.record import composite
from tensorcore.ops.rules import same
from tensorcore.ops.strided import as_strided
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _extent(rows: int, columns: int, offset: int) -> tuple[int, int, int]:
    """(first row, first column, length) of diagonal number ``offset``."""
    row, column = (0, offset) if offset >= 0 else (-offset, 0)
    return row, column, max(min(rows - row, columns - column), 0)


def _two_dims(op: str, ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    first, second = normalize_dim(dim1, ndim, op), normalize_dim(dim2, ndim, op)
    if first == second:
        raise ShapeError(f"{op}: the two dimensions must differ, both are {first}")
    return first, second


def _diagonal_put(base: Any, value: Any, offset: int, dim1: int, dim2: int) -> Any:
    """A copy of ``base`` with ``value`` on its diagonal."""
    shape = tuple(base.shape)
    row, column, count = _extent(shape[dim1], shape[dim2], offset)
    rest = [d for d in range(len(shape)) if d not in (dim1, dim2)]
    steps = ramp(0, 1, count, int64, base.device)
    moved = index_put.emit(
        base.permute(dim1, dim2, *rest), value.movedim(-1, 0), steps + row, steps + column, accumulate=False
    )
    back = sorted(range(len(shape)), key=[dim1, dim2, *rest].__getitem__)
    return moved.permute(back)


@composite(
    rule=same,
    view=True,
    put=_diagonal_put,
    vjp=lambda g, input_shape, offset, dim1, dim2: _diagonal_put(zeros_of(input_shape, g), g, offset, dim1, dim2),
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "offset": 1}, {"shapes": ((2, 4, 3),), "args": (-1, 1, 2)}),
    ulp=0,
)
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of diagonal number ``offset`` of the matrices in two dimensions, as a new last dimension.

    Example:
        >>> x = tc.arange(9).reshape(3, 3)
        >>> tc.diagonal(x), x.diagonal(1), tc.zeros(2, 3, 4).diagonal(0, 1, 2).shape
        (tensor([0, 4, 8]), tensor([1, 5]), tensorcore.Size([2, 3]))
    """
    first, second = _two_dims("diagonal", input.ndim, dim1, dim2)
    return diagonal.emit(input, offset=operator.index(offset), dim1=first, dim2=second)


@diagonal.expression
def _diagonal(input: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    shape, own = tuple(input._array.shape), input.stride()
    row, column, count = _extent(shape[dim1], shape[dim2], offset)
    rest = [d for d in range(len(shape)) if d not in (dim1, dim2)]
    if input._kind.table[as_strided] is EXPRESSION and dim2 == dim1 + 1 and input.is_contiguous():
        # Without strides: in a row-major matrix the elements of a diagonal are columns + 1 apart.
        columns = shape[dim2]
        begin = row * columns + column if count else 0
        stop = begin + count * (columns + 1) - columns if count else begin
        flat = reshape.emit(input, shape=(*shape[:dim1], math.prod(shape[dim1 : dim2 + 1]), *shape[dim2 + 1 :]))
        index = [slice(0, side, 1) for side in flat.shape]
        index[dim1] = slice(begin, stop, columns + 1)
        return basic_index.emit(flat, index=tuple(index)).movedim(dim1, -1)
    return as_strided.emit(
        input,
        size=(*[shape[d] for d in rest], count),
        stride=(*[own[d] for d in rest], own[dim1] + own[dim2]),
        shift=row * own[dim1] + column * own[dim2] if count else 0,
        own=own,
    )


@composite(samples=({"shapes": ((3, 4), (3,))},), ulp=0)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src``, of the shape of the diagonal, on diagonal number ``offset``.

    Raises:
        ShapeError: if ``src`` is not of the diagonal's shape.

    Example:
        >>> tc.diagonal_scatter(tc.zeros(3, 3), tc.tensor([1.0, 2.0]), 1)
        tensor([[0., 1., 0.],
                [0., 0., 2.],
                [0., 0., 0.]])
    """
    first, second = _two_dims("diagonal_scatter", input.ndim, dim1, dim2)
    shape = tuple(input.shape)
    count = _extent(shape[first], shape[second], offset)[2]
    wanted = (*[side for d, side in enumerate(shape) if d not in (first, second)], count)
    if tuple(src.shape) != wanted:
        raise ShapeError(
            f"diagonal_scatter: src has shape {list(src.shape)}, diagonal {offset} of {list(shape)} has {list(wanted)}"
        )
    return _diagonal_put(input, src.to(input.dtype), offset, first, second)


@composite(
    samples=({"shapes": ((3,),)}, {"shapes": ((2, 3),), "args": (1, 0, 2)}), ulp=0,
    vjp=lambda g, offset, dim1, dim2: diagonal.emit(g, offset=offset, dim1=dim1, dim2=dim2),
)  # fmt: skip
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last dimension of ``input`` on diagonal number ``offset`` and zeros elsewhere.

    Example:
        >>> tc.diag_embed(tc.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
        >>> tc.diag_embed(tc.ones(4, 2)).shape
        tensorcore.Size([4, 2, 2])
        >>> tc.diag_embed(tc.tensor([1]), offset=1)
        tensor([[0, 1],
                [0, 0]])
    """
    if input.ndim == 0:
        raise DimensionError("diag_embed: expected at least 1 dimension, got a 0-d tensor")
    first, second = _two_dims("diag_embed", input.ndim + 1, dim1, dim2)
    return diag_embed.emit(input, offset=operator.index(offset), dim1=first, dim2=second)


@diag_embed.expression
def _diag_embed(input: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    side = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    shape = tuple(side if d in (dim1, dim2) else next(rest) for d in range(input.ndim + 1))
    return _diagonal_put(zeros_of(shape, input), input, offset, dim1, dim2)


#: The op `diagonal`, for functions whose argument has that name.
_main = diagonal


@composite(samples=({"shapes": ((3,),)}, {"shapes": ((3, 4),), "diagonal": 1}), ulp=0)
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A square matrix with a vector on diagonal number ``diagonal``, or a copy of that diagonal of a matrix.

    Raises:
        ShapeError: for anything but a vector or a matrix.

    Example:
        >>> tc.diag(tc.tensor([1, 2]))
        tensor([[1, 0],
                [0, 2]])
        >>> tc.diag(tc.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
        >>> tc.diag(tc.tensor([[1, 2], [3, 4]]), 1)
        tensor([2])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim != 2:
        raise ShapeError(f"diag: expected 1 or 2 dimensions, got shape {list(input.shape)}")
    return _main(input, diagonal).clone()


@composite(samples=({"shapes": ((2, 3),)},), ulp=0)
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A square matrix with all elements of ``input`` on diagonal number ``offset``.

    Example:
        >>> tc.diagflat(tc.tensor([[1], [2]]), offset=-1)
        tensor([[0, 0, 0],
                [1, 0, 0],
                [0, 2, 0]])
    """
    return diag_embed(input.reshape(-1), offset)


@composite(samples=({"shapes": ((3, 4),)},))
def trace(input: Tensor) -> Tensor:
    """Sum of the diagonal of a matrix.

    Raises:
        ShapeError: for anything but a matrix.

    Example:
        >>> tc.trace(tc.tensor([[1, 2, 3], [4, 5, 6]]))
        tensor(6)
    """
    if input.ndim != 2:
        raise ShapeError(f"trace: expected a matrix, got shape {list(input.shape)}")
    return diagonal(input).sum()


@composite(namespaces=("Tensor",))
def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the main diagonal to ``fill_value``, in place; ``wrap`` starts anew below the square of a tall matrix.

    Example:
        >>> tc.zeros(2, 3).fill_diagonal_(5)
        tensor([[5., 0., 0.],
                [0., 5., 0.]])
        >>> tc.zeros(5, 2).fill_diagonal_(1, wrap=True)
        tensor([[1., 0.],
                [0., 1.],
                [0., 0.],
                [1., 0.],
                [0., 1.]])
    """
    from tensorcore.ops.inplace import write

    if hasattr(fill_value, "_array") and fill_value.ndim:
        raise ArgumentError(
            f"fill_diagonal_: fill_value must be a number, got a tensor of shape {list(fill_value.shape)}"
        )
    shape = tuple(input.shape)
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(f"fill_diagonal_: expected a matrix or equal sides, got shape {list(shape)}")
    from tensorcore.ops.elementwise import where

    count = input.numel()
    stride = sum(math.prod(shape[d + 1 :]) for d in range(len(shape)))
    tall = shape[0] if wrap and len(shape) == 2 else min(shape)
    if input.is_contiguous() and input._kind.table[as_strided] is not EXPRESSION:
        length = -(-count // stride) if wrap and len(shape) == 2 and tall > shape[1] else min(shape)
        as_strided(input, (length,), (stride,), input.storage_offset()).fill_(fill_value)
        return input
    places = ramp(0, 1, count, int64, input.device)
    chosen = places % stride == 0
    if not wrap and len(shape) == 2:
        chosen = chosen & (places < shape[1] * (shape[1] + 1))
    return write(input, where(chosen.reshape(shape), fill_value, input).to(input.dtype), "fill_diagonal_")


@composite(namespaces=("",))
def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given matrices along its diagonal and zeros elsewhere; vectors count as rows.

    Raises:
        ShapeError: for more than 2 dimensions.

    Example:
        >>> tc.block_diag(tc.tensor([[1, 2]]), tc.tensor([3]), tc.tensor([[4], [5]]))
        tensor([[1, 2, 0, 0],
                [0, 0, 3, 0],
                [0, 0, 0, 4],
                [0, 0, 0, 5]])
    """
    from tensorcore.ops.creation import zeros
    from tensorcore.ops.movement import cat

    blocks = [x.reshape((1, -1)) if x.ndim < 2 else x for x in tensors] or [zeros(1, 0)]
    for x in blocks:
        if x.ndim > 2:
            raise ShapeError(f"block_diag: expected at most 2 dimensions, got shape {list(x.shape)}")
    dtype, width = _common(blocks), sum(x.shape[1] for x in blocks)
    rows, column = [], 0
    for x in blocks:
        beyond = column + x.shape[1]
        sides = [zeros(x.shape[0], side, dtype=dtype, device=x.device) for side in (column, width - beyond)]
        rows.append(cat([sides[0], x.to(dtype), sides[1]], 1))
        column = beyond
    return cat(rows, 0)


def _common(tensors: Sequence[Any]) -> DType:
    found = tensors[0].dtype
    for x in tensors[1:]:
        found = promote_types(found, x.dtype)
    return found


def _indices(row: int, col: int, offset: int, lower: bool, dtype: DType | None, device: Any) -> Any:
    name = "tril_indices" if lower else "triu_indices"
    for side, given in (("row", row), ("col", col)):
        if given < 0:
            raise RangeError(f"{name}: {side} must not be negative, got {given}")
    rows, columns = ramp(0, 1, row, int64, device).unsqueeze(1), ramp(0, 1, col, int64, device)
    inside = columns - rows <= offset if lower else columns - rows >= offset
    return inside.nonzero().t().contiguous().to(dtype or int64)


@composite(namespaces=("",))
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Rows and columns, shape (2, count), of places on and below diagonal ``offset`` of a ``row`` by ``col`` matrix.

    Example:
        >>> rows, columns = tc.tril_indices(2, 3)
        >>> rows, columns
        (tensor([0, 1, 1]), tensor([0, 0, 1]))
    """
    return _indices(row, col, offset, True, dtype, device)


@composite(namespaces=("",))
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DType | None = None, device: Any = None) -> Tensor:
    """Rows and columns, shape (2, count), of places on and above diagonal ``offset`` of a ``row`` by ``col`` matrix.

    Example:
        >>> tc.triu_indices(2, 3, offset=1)
        tensor([[0, 0, 1],
                [1, 2, 2]])
    """
    return _indices(row, col, offset, False, dtype, device)
