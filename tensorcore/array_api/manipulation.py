"""Manipulation functions of the Array API standard."""

from __future__ import annotations

from collections.abc import Sequence

from tensorcore import functions, shapes
from tensorcore.array_api.spelling import agreed
from tensorcore.errors import DimensionError, ShapeError
from tensorcore.ops import movement, views
from tensorcore.tensor import Tensor

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "tile",
    "unstack",
]


def broadcast_arrays(*arrays: Tensor) -> tuple[Tensor, ...]:
    """The tensors stretched to their common shape."""
    return views.broadcast_tensors(*arrays)


def broadcast_shapes(*shapes_: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to which all shapes broadcast.

    Raises:
        ShapeError: where they do not; it is a ValueError.
    """
    return tuple(shapes.broadcast_shapes(*shapes_))


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """``x`` stretched to ``shape``."""
    return movement.expand(x, tuple(shape))


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """The tensors joined along an existing dimension; with ``axis=None``, all flattened first.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.concat([tc.zeros(1, 2), tc.ones(2, 1)], axis=None)
        tensor([0., 0., 1., 1.])
    """
    parts = agreed(*arrays)
    if axis is None:
        return movement.cat([x.reshape(-1) for x in parts])
    return movement.cat(parts, axis)


def expand_dims(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """A view with new dimensions of side 1 at the places ``axis`` of the result.

    Raises:
        DimensionError: for a place that the result has not; it is an IndexError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.expand_dims(tc.zeros(3), (0, 2)).shape
        tensorcore.Size([1, 3, 1])
    """
    given = axis if isinstance(axis, tuple) else (axis,)
    ndim = x.ndim + len(given)
    places = shapes.normalize_dims(given, ndim, "expand_dims")
    sides = iter(x.shape)
    return movement.reshaped(x, tuple([1 if d in places else next(sides) for d in range(ndim)]))


def flip(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """The elements in reverse order along ``axis`` (all by default), as a copy."""
    dims = shapes.normalize_dims(axis, x.ndim, "flip")
    return movement.flip.emit(x, dims=dims) if dims else x.clone()


def moveaxis(x: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Tensor:
    """A view with the dimensions ``source`` moved to the places ``destination``."""
    return views.movedim(x, source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """A view with the dimensions in the order ``axes``."""
    return movement.permute(x, tuple(axes))


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each slice along ``axis`` (each element of the flattened tensor by default) ``repeats`` times in a row.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.repeat(tc.tensor([1, 2]), tc.tensor([1, 3]))
        tensor([1, 2, 2, 2])
    """
    return functions.repeat_interleave(x, repeats, axis)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """The elements in row-major order under another shape: a copy, a view with ``copy=False``, or what can be.

    Raises:
        ShapeError: with ``copy=False`` where the strides allow no view; it is a ValueError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.reshape(tc.arange(4), (2, -1))
        tensor([[0, 1],
                [2, 3]])
    """
    if copy is False:
        return views.view(x, tuple(shape))
    return movement.reshape(x.clone() if copy else x, tuple(shape))


def roll(x: Tensor, /, shift: int | tuple[int, ...], *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Elements shifted along ``axis``, those pushed over the end coming back at the start."""
    if isinstance(axis, tuple) and isinstance(shift, int):
        shift = (shift,) * len(axis)
    return movement.roll(x, shift, axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """A view without the dimensions ``axis``, which are of side 1.

    Raises:
        ShapeError: for a dimension of another side; it is a ValueError.
        DimensionError: for a dimension that ``x`` has not; it is an IndexError and a ValueError.

    Example:
        >>> import tensorcore as tc
        >>> tc.array_api.squeeze(tc.zeros(1, 3, 1), 0).shape
        tensorcore.Size([3, 1])
    """
    if x.ndim == 0 and axis != ():
        raise DimensionError(f"squeeze: axis {axis} of a 0-d tensor")
    places = shapes.normalize_dims(axis, x.ndim, "squeeze")
    for place in places:
        if x.shape[place] != 1:
            raise ShapeError(f"squeeze: dimension {place} of shape {list(x.shape)} has side {x.shape[place]}, not 1")
    return views.squeeze(x, places)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension ``axis``."""
    return movement.stack(agreed(*arrays), axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """The tensor repeated along each dimension, missing ones of the two in front counting 1."""
    times = tuple(repetitions)
    return movement.repeat(x, (1,) * (x.ndim - len(times)) + times)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Views at each place of dimension ``axis``, which goes away."""
    return x.unbind(axis)
