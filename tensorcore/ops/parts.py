"""Regular parts of a tensor: primitives of basic indices, views made of them, and copies with a part replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.errors import DimensionError, ShapeError
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import same
from tensorcore.shapes import kept, normalize_dim, whole_number

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def zeros_of(shape: tuple[int, ...], like: Any) -> Any:
    """Zeros of a shape, of the dtype and device of ``like``."""
    from tensorcore.ops.creation import zeros

    return zeros(shape, dtype=like.dtype, device=like.device)


@primitive(
    rule=same,
    vjp=lambda g, input_shape, index: basic_index_put.emit(zeros_of(input_shape, g), g, index=index),
    view=True,
    put=lambda base, value, index: basic_index_put.emit(base, value, index=index),
    namespaces=(),
    ulp=0,
    shown="SliceBackward0",
    samples=(
        {"shapes": ((3, 4),), "args": ((1, slice(0, 4, 2)),)},
        {"shapes": ((3, 4),), "args": ((slice(1, 3, 1), slice(0, 0, 1)),)},
    ),
)
def basic_index(input: Tensor, index: tuple[Any, ...]) -> Tensor:
    """A view of a regular part: per dimension an int from 0, which drops it, or a slice of three ints with step > 0."""
    return basic_index.emit(input, index=index)


@primitive(
    rule=same,
    promotes=("input", "value"),
    vjp=(
        lambda g, value_shape, index: basic_index_put.emit(g, zeros_of(value_shape, g), index=index),
        lambda g, index: basic_index.emit(g, index=index),
    ),
    namespaces=(),
    ulp=0,
    samples=({"shapes": ((3, 4), (2,)), "args": ((1, slice(0, 4, 2)),)},),
)
def basic_index_put(input: Tensor, value: Tensor, index: tuple[Any, ...]) -> Tensor:
    """A copy of ``input`` whose part at ``index`` (as `basic_index` takes it) is ``value``, of exactly its shape."""
    return basic_index_put.emit(input, value, index=index)


# ------------------------------------------------------------------ views

#: `basic_index` under the names that PyTorch's graph gives its steps.
selected = basic_index.face("SelectBackward0").emit
_unbound = basic_index.face("UnbindBackward0").emit
_split = basic_index.face("SplitBackward0").emit
_split_by_sizes = basic_index.face("SplitWithSizesBackward0").emit


@kept
def index_at(shape: tuple[int, ...], dim: Any, index: Any) -> tuple[Any, ...]:
    """What `basic_index` takes for the place ``index`` of dimension ``dim``."""
    if not shape:
        raise DimensionError("select: a 0-d tensor has no dimension to select from")
    place = normalize_dim(dim, len(shape), "select")
    side = shape[place]
    index = whole_number(index, "select", "index")
    if not -side <= index < side:
        raise DimensionError(f"select: index {index} is out of range for dimension {place} of shape {list(shape)}")
    before, after = _whole(shape, place)
    return (*before, index % side, *after)


def _whole(shape: tuple[int, ...], place: int) -> Any:
    """Slices that leave nothing out, of the dimensions before ``place`` and of those after it."""
    return [tuple([slice(0, side, 1) for side in sides]) for sides in (shape[:place], shape[place + 1 :])]


@kept
def _each(shape: tuple[int, ...], dim: Any) -> list[tuple[Any, ...]]:
    """The indices of `unbind`."""
    if not shape:
        raise DimensionError("unbind: a 0-d tensor has no dimension to unbind")
    place = normalize_dim(dim, len(shape), "unbind")
    before, after = _whole(shape, place)
    return [(*before, i, *after) for i in range(shape[place])]


@kept
def _runs(shape: tuple[int, ...], place: int, *sizes: int) -> list[tuple[Any, ...]]:
    """The indices of consecutive parts of these sizes."""
    before, after = _whole(shape, place)
    parts, start = [], 0
    for size in sizes:
        parts.append((*before, slice(start, start + size, 1), *after))
        start += size
    return parts


@kept
def _equal_runs(shape: tuple[int, ...], dim: Any, size: int) -> list[tuple[Any, ...]]:
    """The indices of consecutive parts of one size, the last smaller."""
    if not shape:
        raise ShapeError("split: a 0-d tensor has no dimension to split")
    place = normalize_dim(dim, len(shape), "split")
    side = shape[place]
    if size < 0 or (size == 0 and side > 0):
        raise ShapeError(f"split: split_size must be positive, got {size}")
    sizes = [size] * (side // size) + ([side % size] if side % size else []) if size else [0]
    parts: list[tuple[Any, ...]] = _runs(shape, place, *(sizes or [0]))
    return parts


def _basic(door: Any, input: Any, place: int, item: int | slice) -> Any:
    index: list[Any] = [slice(0, side, 1) for side in input._array.shape]
    index[place] = item
    return door(input, index=tuple(index))


@composite(samples=({"shapes": ((3, 4),), "args": (1, 1, 2)},))
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """A view of ``length`` elements from ``start`` along ``dim``.

    Raises:
        DimensionError: for a dimension or start that is not there.

    Example:
        >>> x = tc.tensor([[1, 2, 3], [4, 5, 6]])
        >>> tc.narrow(x, 1, 1, 2)
        tensor([[2, 3],
                [5, 6]])
        >>> x.narrow(0, -1, 1)
        tensor([[4, 5, 6]])
    """
    if input.ndim == 0:
        raise DimensionError("narrow: a 0-d tensor has no dimension to narrow")
    place = normalize_dim(dim, input.ndim, "narrow")
    side = input._array.shape[place]
    start, length = whole_number(start, "narrow", "start"), whole_number(length, "narrow", "length")
    begin = start + side if start < 0 else start
    if length < 0 or begin < 0 or begin + length > side:
        raise DimensionError(
            f"narrow: {length} elements from {start} do not lie within dimension {place} of shape {list(input.shape)}"
        )
    return _basic(basic_index.emit, input, place, slice(begin, begin + length, 1))


def sliced(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """A view of the slice ``start:end:step`` along ``dim``."""
    return _basic(basic_index.emit, input, *_slice("slice", input, dim, start, end, step))


def _slice(op: str, input: Any, dim: int, start: int | None, end: int | None, step: int) -> tuple[int, slice]:
    if input.ndim == 0:
        raise DimensionError(f"{op}: a 0-d tensor has no dimension to slice")
    if step < 1:
        raise ShapeError(f"{op}: step must be positive, got {step}")
    place = normalize_dim(dim, input.ndim, op)
    first, last, pace = slice(start, end, step).indices(input._array.shape[place])
    return place, slice(first, max(first, last), pace)


@composite(samples=({"shapes": ((3, 4),), "args": (1, -1)},))
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """A view of the tensor at place ``index`` of dimension ``dim``, which goes away.

    Raises:
        DimensionError: for an index outside the dimension.

    Example:
        >>> x = tc.tensor([[1, 2, 3], [4, 5, 6]])
        >>> tc.select(x, 0, 1), x.select(1, -1)
        (tensor([4, 5, 6]), tensor([3, 6]))
    """
    return selected(input, index=index_at(input._array.shape, dim, index))


@composite(samples=({"shapes": ((3, 4),), "dim": 1},))
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views at each place of dimension ``dim``, which goes away.

    Example:
        >>> tc.unbind(tc.tensor([[1, 2], [3, 4]])), tc.unbind(tc.tensor([[1, 2], [3, 4]]), dim=1)
        ((tensor([1, 2]), tensor([3, 4])), (tensor([1, 3]), tensor([2, 4])))
    """
    return tuple([_unbound(input, index=index) for index in _each(input._array.shape, dim)])


@composite(
    namespaces=("", "Tensor"), aliases=("unsafe_split",),
    samples=({"shapes": ((5, 4),), "args": (2,)}, {"shapes": ((5, 4),), "args": ((1, 4),)}),
)  # fmt: skip
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive parts along ``dim``: parts of one size, the last smaller, or of the sizes given.

    Raises:
        ShapeError: if the sizes given do not make up the side.

    Example:
        >>> x = tc.arange(5)
        >>> tc.split(x, 2), tc.split(x, [1, 4])
        ((tensor([0, 1]), tensor([2, 3]), tensor([4])), (tensor([0]), tensor([1, 2, 3, 4])))
    """
    if not hasattr(split_size_or_sections, "__index__"):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    indices = _equal_runs(tensor._array.shape, dim, int(split_size_or_sections))
    return tuple([_split(tensor, index=index) for index in indices])


@composite(
    namespaces=("", "Tensor"), aliases=("unsafe_split_with_sizes",), samples=({"shapes": ((5, 4),), "args": ((1, 4),)},)
)
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive parts of these sizes along ``dim``.

    Raises:
        ShapeError: if the sizes do not make up the side.

    Example:
        >>> tc.split_with_sizes(tc.arange(5), [2, 3])
        (tensor([0, 1]), tensor([2, 3, 4]))
    """
    if input.ndim == 0:
        raise ShapeError("split_with_sizes: a 0-d tensor has no dimension to split")
    place = normalize_dim(dim, input.ndim, "split")
    side, sizes = input._array.shape[place], [whole_number(each, "split", "each size") for each in split_sizes]
    if sum(sizes) != side or min(sizes, default=0) < 0:
        raise ShapeError(
            f"split: sizes {sizes} must add up to {side}, the side of dimension {place} of shape {list(input.shape)}"
        )
    return tuple([_split_by_sizes(input, index=index) for index in _runs(input._array.shape, place, *sizes)])


@composite(aliases=("unsafe_chunk",), samples=({"shapes": ((5, 4),), "args": (3,)},))
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` views of consecutive equal parts along ``dim``, the last smaller.

    Raises:
        ShapeError: for less than one chunk.

    Example:
        >>> tc.chunk(tc.arange(5), 3), len(tc.chunk(tc.arange(6), 4))
        ((tensor([0, 1]), tensor([2, 3]), tensor([4])), 3)
    """
    if chunks <= 0:
        raise ShapeError(f"chunk: expected at least 1 chunk, got {chunks}")
    shape = input._array.shape
    if not shape:
        raise ShapeError("chunk: a 0-d tensor has no dimension to split")
    place = normalize_dim(dim, len(shape), "chunk")
    side = shape[place]
    if side == 0:
        return tuple([_split(input, index=index) for index in _runs(input._array.shape, place, *[0] * chunks)])
    return split(input, -(-side // chunks), place)


# ------------------------------------------------------------------ a part replaced


def _replaced(op: str, input: Any, src: Any, place: int, item: int | slice) -> Any:
    """A copy of ``input`` with ``src``, of exactly the shape of the part, in place of the part."""
    index: list[Any] = [slice(0, side, 1) for side in input._array.shape]
    index[place] = item
    sides = list(input._array.shape)
    if isinstance(item, int):
        del sides[place]
    else:
        sides[place] = len(range(item.start, item.stop, item.step))
    if list(src.shape) != sides:
        raise ShapeError(f"{op}: src has shape {list(src.shape)}, the part of {list(input.shape)} has {sides}")
    return basic_index_put.emit(input, src.to(input.dtype), index=tuple(index))


@composite(samples=({"shapes": ((3, 4), (3,)), "args": (1, 2)},), ulp=0)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` at place ``index`` of dimension ``dim``.

    Raises:
        ShapeError: if ``src`` is not of the shape of what it replaces.

    Example:
        >>> tc.select_scatter(tc.zeros(2, 3), tc.tensor([1.0, 2.0, 3.0]), 0, 1)
        tensor([[0., 0., 0.],
                [1., 2., 3.]])
    """
    place = normalize_dim(dim, input.ndim, "select_scatter")
    side = input._array.shape[place] if input.ndim else 0
    if not -side <= index < side:
        raise DimensionError(
            f"select_scatter: index {index} is out of range for dimension {place} of shape {list(input.shape)}"
        )
    return _replaced("select_scatter", input, src, place, index % side)


@composite(samples=({"shapes": ((3, 4), (3, 2)), "args": (1, 0, 4, 2)},), ulp=0)
def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """A copy of ``input`` with ``src`` in the slice ``start:end:step`` of dimension ``dim``.

    Raises:
        ShapeError: if ``src`` is not of the shape of what it replaces.

    Example:
        >>> tc.slice_scatter(tc.zeros(2, 4), tc.ones(2, 2), dim=1, start=1, step=2)
        tensor([[0., 1., 0., 1.],
                [0., 1., 0., 1.]])
    """
    return _replaced("slice_scatter", input, src, *_slice("slice_scatter", input, dim, start, end, step))
