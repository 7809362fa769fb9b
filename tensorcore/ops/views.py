"""Views: the same elements under other shapes and orders of dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType
from tensorcore.errors import ShapeError
from tensorcore.ops.movement import expand, ints, permute, reshape, reshaped, sides_for, viewable
from tensorcore.ops.record import composite
from tensorcore.shapes import broadcast_shapes, infer_reshape, kept, normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_transposed = permute.face("TransposeBackward0").emit
_turned = permute.face("TBackward0").emit
_unsqueezed = reshape.face("UnsqueezeBackward0").emit
_squeezed = tuple([reshape.face(f"SqueezeBackward{number}").emit for number in range(3)])


@composite(namespaces=("Tensor",))
def view(input: Tensor, *shape: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """The same memory under another shape (or, given a dtype, read as another dtype); never a copy.

    Raises:
        ShapeError: if the shape cannot be laid over the memory.

    Example:
        >>> x = tc.arange(4)
        >>> x.view(2, 2)
        tensor([[0, 1],
                [2, 3]])
        >>> tc.tensor([1.0]).view(tc.int32)
        tensor([1065353216], dtype=tensorcore.int32)
        >>> x.view(2, -1)[0, 0] = 9
        >>> x
        tensor([9, 1, 2, 3])
    """
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], (DType, type))):
        from tensorcore.ops.conversion import parse_to, reinterpret

        return reinterpret(input, parse_to(dtype=shape[0] if dtype is None else dtype)[1])  # type: ignore[arg-type]
    if size is not None:
        shape = ints(shape, "view", size)
    elif len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    sides = sides_for(input._array.shape, "view", *shape)
    if not input._kind.backend.is_contiguous(input._array) and not viewable(input, sides):
        raise ShapeError(
            f"view: shape {list(sides)} cannot be laid over a tensor of shape {list(input.shape)} and strides "
            f"{input.stride()} without copying; use .reshape(...)"
        )
    return reshape.emit(input, shape=sides)


@composite(namespaces=("Tensor",))
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """The same memory under the shape of ``other``; never a copy.

    Raises:
        ShapeError: if the shape cannot be laid over the memory.

    Example:
        >>> tc.arange(4).view_as(tc.zeros(2, 2))
        tensor([[0, 1],
                [2, 3]])
    """
    return view(input, other.shape)


@composite(namespaces=("Tensor",))
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` under the shape of ``other``.

    Raises:
        ShapeError: if the elements do not fill the shape.

    Example:
        >>> tc.ones(2, 3).t().reshape_as(tc.zeros(6)).shape
        tensorcore.Size([6])
    """
    return reshape(input, other.shape)


@composite(namespaces=("Tensor",))
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` stretched to the shape of ``other``.

    Raises:
        ShapeError: if a side other than 1 would change.

    Example:
        >>> tc.tensor([[1], [2]]).expand_as(tc.zeros(2, 3))
        tensor([[1, 1, 1],
                [2, 2, 2]])
    """
    return expand(input, other.shape)


@composite(samples=({"shapes": ((3, 1),), "args": ((2, 3, 4),)},))
def broadcast_to(input: Tensor, shape: int | Sequence[int], *more: int) -> Tensor:
    """A view of ``input`` stretched to ``shape``, whose sides may come one by one.

    Raises:
        ShapeError: if a side other than 1 would change.

    Example:
        >>> tc.broadcast_to(tc.tensor([1, 2]), (3, 2))
        tensor([[1, 2],
                [1, 2],
                [1, 2]])
    """
    return expand(input, shape, *more)


@composite(namespaces=("",))
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Views of the tensors stretched to their common shape.

    Raises:
        ShapeError: if they have none.

    Example:
        >>> x, y = tc.broadcast_tensors(tc.tensor([[1], [2]]), tc.tensor([3, 4]))
        >>> x
        tensor([[1, 1],
                [2, 2]])
        >>> y
        tensor([[3, 4],
                [3, 4]])
    """
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return tuple(expand(x, shape) for x in tensors)


@composite(aliases=("swapaxes", "swapdims"), samples=({"shapes": ((2, 3, 4),), "args": (0, 2)},))
def transpose(input: Tensor, dim0: Any, dim1: int | None = None) -> Tensor:
    """A view with two dimensions exchanged; given one sequence, with all in that order, as in NumPy.

    Raises:
        DimensionError: for a dimension that is not there.

    Example:
        >>> x = tc.tensor([[1, 2, 3], [4, 5, 6]])
        >>> tc.transpose(x, 0, 1)
        tensor([[1, 4],
                [2, 5],
                [3, 6]])
        >>> tc.zeros(2, 3, 4).transpose(-1, 0).shape
        tensorcore.Size([4, 3, 2])
    """
    if dim1 is None:
        if not isinstance(dim0, (tuple, list)):
            raise TypeError(f"transpose: expected two dimensions, or a sequence of all, got {dim0!r}")
        return permute(input, *dim0)
    return _transposed(input, dims=_exchanged(len(input._array.shape), dim0, dim1))


@kept
def _exchanged(ndim: int, dim0: Any, dim1: Any) -> tuple[int, ...]:
    first, second = normalize_dim(dim0, ndim, "transpose"), normalize_dim(dim1, ndim, "transpose")
    order = list(range(ndim))
    if ndim:
        order[first], order[second] = second, first
    return tuple(order)


def turned(input: Any) -> Any:
    """A view with the dimensions reversed."""
    return permute.emit(input, dims=tuple(range(len(input._array.shape) - 1, -1, -1)))


_REVERSED: Final = ((), (0,), (1, 0))


@composite(samples=({"shapes": ((3, 4),)},))
def t(input: Tensor) -> Tensor:
    """A matrix transposed; tensors of fewer dimensions as they are.

    Raises:
        ShapeError: for more than 2 dimensions.

    Example:
        >>> tc.t(tc.tensor([[1, 2, 3], [4, 5, 6]]))
        tensor([[1, 4],
                [2, 5],
                [3, 6]])
        >>> tc.tensor([1, 2]).t()
        tensor([1, 2])
    """
    ndim = len(input._array.shape)
    if ndim > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got shape {list(input.shape)}; use .mT or .transpose")
    return _turned(input, dims=_REVERSED[ndim])


@composite(aliases=("moveaxis",), samples=({"shapes": ((2, 3, 4),), "args": (0, -1)},))
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """A view with the dimensions ``source`` moved to the places ``destination``.

    Raises:
        ShapeError: for lists of different lengths.

    Example:
        >>> x = tc.zeros(2, 3, 4)
        >>> tc.movedim(x, 0, -1).shape, tc.movedim(x, (0, 1), (1, 2)).shape
        (tensorcore.Size([3, 4, 2]), tensorcore.Size([4, 2, 3]))
    """
    sources = normalize_dims(source, input.ndim, "movedim")
    targets = normalize_dims(destination, input.ndim, "movedim")
    if len(sources) != len(targets):
        raise ShapeError(f"movedim: {len(sources)} source dims but {len(targets)} destination dims")
    rest = iter(d for d in range(input.ndim) if d not in sources)
    order = [sources[targets.index(d)] if d in targets else next(rest) for d in range(input.ndim)]
    return permute.emit(input, dims=tuple(order))


@composite(samples=({"shapes": ((3, 4),), "args": (1,)},))
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A view with a new dimension of side 1 at ``dim``.

    Raises:
        DimensionError: for a place that is not there.

    Example:
        >>> x = tc.tensor([1, 2])
        >>> x.unsqueeze(0)
        tensor([[1, 2]])
        >>> x.unsqueeze(-1)
        tensor([[1],
                [2]])
    """
    return _unsqueezed(input, shape=_widened(input._array.shape, dim))


@kept
def _widened(shape: tuple[int, ...], dim: Any) -> tuple[int, ...]:
    place = normalize_dim(dim, len(shape) + 1, "unsqueeze")
    return (*shape[:place], 1, *shape[place:])


@composite(samples=({"shapes": ((3, 1, 4, 1),)}, {"shapes": ((3, 1, 4),), "dim": 1}))
def squeeze(input: Tensor, dim: Any = None, *more: int) -> Tensor:
    """A view without the dimensions of side 1 (all, or those in ``dim``, which may come one by one).

    Example:
        >>> x = tc.zeros(1, 3, 1, 2)
        >>> x.squeeze().shape, x.squeeze(0).shape, x.squeeze(1).shape, x.squeeze((0, 2)).shape
        (tensorcore.Size([3, 2]), tensorcore.Size([3, 1, 2]), tensorcore.Size([1, 3, 1, 2]), tensorcore.Size([3, 2]))
    """
    if more:
        dim = (dim, *more)
    squeezed = _squeezed[0 if dim is None else 1 if hasattr(dim, "__index__") else 2]
    if type(dim) is tuple:
        return squeezed(input, shape=_narrowed(input._array.shape, *dim))
    return squeezed(input, shape=_narrowed(input._array.shape, dim))


@kept
def _narrowed(shape: tuple[int, ...], *dim: Any) -> tuple[int, ...]:
    dims = normalize_dims(dim[0] if len(dim) == 1 else dim, len(shape), "squeeze")
    return tuple([side for place, side in enumerate(shape) if side != 1 or place not in dims])


@composite(samples=({"shapes": ((2, 3, 4),)}, {"shapes": ((2, 3, 4),), "start_dim": 1}, {"shapes": ((),)}))
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` joined into one; a 0-d tensor gets one.

    Example:
        >>> x = tc.zeros(2, 3, 4)
        >>> x.flatten().shape, tc.flatten(x, 1).shape, tc.flatten(x, 0, 1).shape, tc.tensor(5).flatten()
        (tensorcore.Size([24]), tensorcore.Size([2, 12]), tensorcore.Size([6, 4]), tensor([5]))
    """
    return reshaped(input, _joined(input._array.shape, start_dim, end_dim))


@kept
def _joined(shape: tuple[int, ...], start_dim: Any, end_dim: Any) -> tuple[int, ...]:
    ndim = len(shape)
    start, end = normalize_dim(start_dim, ndim, "flatten"), normalize_dim(end_dim, ndim, "flatten")
    if start > end:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


@composite(samples=({"shapes": ((2, 12),), "args": (1, (3, -1))},))
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` split into ``sizes``, one of which may be -1.

    Raises:
        ShapeError: if the sizes do not make up the side.

    Example:
        >>> tc.unflatten(tc.arange(6), 0, (2, -1))
        tensor([[0, 1, 2],
                [3, 4, 5]])
    """
    place = normalize_dim(dim, input.ndim, "unflatten")
    shape = tuple(input._array.shape)
    inner = infer_reshape(tuple(sizes), shape[place], (shape[place],), "unflatten")
    return reshape.emit(input, shape=(*shape[:place], *inner, *shape[place + 1 :]))


@composite(samples=({"shapes": ((3, 4),)},))
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension, in row-major order; a view where memory allows.

    Example:
        >>> tc.ravel(tc.tensor([[1, 2], [3, 4]]).t())
        tensor([1, 3, 2, 4])
    """
    return reshape.emit(input.contiguous(), shape=(input.numel(),))
