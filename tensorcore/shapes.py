"""Shapes: the `Size` tuple, broadcasting, and dimension arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, update_wrapper
from operator import index
from typing import Any

from tensorcore.errors import ArgumentError, DimensionError, ShapeError

__all__ = ["Size", "broadcast_shapes"]


class Size(tuple[int, ...]):
    """Shape of a tensor: a tuple of ints that prints as PyTorch's.

    Example:
        >>> import tensorcore as tc
        >>> tc.zeros(2, 3).shape
        tensorcore.Size([2, 3])
    """

    __slots__ = ()

    def numel(self) -> int:
        """Number of elements of a tensor of this shape."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"tensorcore.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, index: Any) -> Any:
        picked = tuple.__getitem__(self, index)
        return Size(picked) if isinstance(index, slice) else picked

    def __new__(cls, sides: Iterable[Any] = ()) -> Size:
        try:
            return tuple.__new__(cls, [side.__index__() for side in sides])
        except AttributeError:
            raise TypeError(f"Size: expected an iterable of ints, got {sides!r}") from None

    def __add__(self, other: Any) -> Size:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))


def kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of shapes, ints and None, which computes what it gives for them once.

    Of what may equal an int and is none, such as a float or a tensor, it is computed anew.
    """

    @lru_cache(4096, typed=True)
    def known(*args: Any) -> Any:
        if not {type(each) for each in args} <= _KEPT:
            raise TypeError
        return function(*args)

    def call(*args: Any) -> Any:
        try:
            return known(*args)
        except TypeError:
            pass
        return function(*args)

    return update_wrapper(call, function)


_KEPT = {int, tuple, str, type(None)}


def broadcast_shapes(*shapes: Sequence[int]) -> Size:
    """Shape to which all ``shapes`` broadcast, by NumPy's rule.

    Raises:
        ShapeError: naming the first dimension that does not fit.

    Example:
        >>> import tensorcore as tc
        >>> tc.broadcast_shapes((2, 1), (3,))
        tensorcore.Size([2, 3])
    """
    ndim = max(map(len, shapes), default=0)
    result = [1] * ndim
    for shape in shapes:
        for place, side in enumerate(shape, ndim - len(shape)):
            if side != 1 and result[place] != side:
                if result[place] != 1:
                    listed = " and ".join(str(list(shape)) for shape in shapes)
                    raise ShapeError(
                        f"shapes {listed} do not broadcast: at dimension {place - ndim} (counted from the "
                        f"end) sides {result[place]} and {side} differ and neither is 1"
                    )
                result[place] = side
    return Size(result)


def normalize_dim(dim: int, ndim: int, op: str) -> int:
    """``dim`` counted from the front; 0-d tensors take 0 and -1, as in PyTorch."""
    span = ndim or 1
    try:
        place = dim.__index__()
    except AttributeError:
        raise TypeError(f"{op}: dim must be an int, got {type(dim).__name__}") from None
    if not -span <= place < span:
        raise DimensionError(
            f"{op}: dimension {place} is out of range for a tensor of {ndim} dimensions "
            f"(expected {-span} to {span - 1})"
        )
    return place % span


def whole_number(value: Any, op: str, name: str) -> int:
    """An argument that is an int, or stands for one as an integer tensor of one element does."""
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise ArgumentError(f"{op}: {name} must be an int, got {type(value).__name__} {value!r:.60}") from None


def normalize_dims(dim: Any, ndim: int, op: str) -> tuple[int, ...]:
    """Dimensions to reduce: ``None`` means all; duplicates are refused."""
    if dim is None:
        return tuple(range(ndim))
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim % ndim,)
    dims: list[Any] = [dim] if hasattr(dim, "__index__") else list(dim)
    places = tuple(normalize_dim(each, ndim, op) for each in dims)
    if len(set(places)) < len(places):
        raise ShapeError(f"{op}: a dimension appears twice in dim={tuple(dims)}")
    return places if ndim else ()


def normalize_shape(shape: Any, op: str) -> tuple[int, ...]:
    """A shape given as ints or as one sequence of ints, checked for negative sides."""
    if len(shape) == 1:
        (side,) = shape
        if type(side) is int and side >= 0:
            return (side,)
        if not hasattr(side, "__index__"):
            shape = side
    try:
        sides = tuple(map(index, shape))
    except TypeError:
        raise TypeError(f"{op}: a shape is ints, got {shape!r}") from None
    if sides and min(sides) < 0:
        raise ShapeError(f"{op}: negative side {min(sides)} in shape {list(sides)}")
    return sides


def infer_reshape(shape: tuple[int, ...], numel: int, old: Sequence[int], op: str) -> tuple[int, ...]:
    """``shape`` with its one -1 replaced so that it holds ``numel`` elements."""
    product = math.prod(shape)
    if product == numel and (not shape or min(shape) >= 0):
        return shape
    if product < 0 and min(shape) == -1 and shape.count(-1) == 1 and numel % product == 0:
        place = shape.index(-1)
        return (*shape[:place], -numel // product, *shape[place + 1 :])
    unknown = [place for place, side in enumerate(shape) if side == -1]
    known = math.prod(side for side in shape if side != -1)
    bad = len(unknown) > 1 or any(side < -1 for side in shape)
    if not bad and unknown:
        bad = known == 0 or numel % known != 0
    elif not bad:
        bad = known != numel
    if bad:
        raise ShapeError(
            f"{op}: shape {list(shape)} is invalid for {list(old)}, which holds {numel} elements"
            + ("; only one side can be -1" if len(unknown) > 1 else "")
        )
    if unknown:
        return (*shape[: unknown[0]], numel // known, *shape[unknown[0] + 1 :])
    return shape


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in elements, of a row-major array of this shape."""
    strides: list[int] = []
    step = 1
    for side in reversed(shape):
        strides.append(step)
        step *= max(side, 1)
    return tuple(reversed(strides))
