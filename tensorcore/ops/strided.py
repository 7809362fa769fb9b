"""Views by strides: any regular part of a tensor's memory, and what is made of such views."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import int64
from tensorcore.errors import DimensionError, ShapeError
from tensorcore.ops.creation import ramp, zeros
from tensorcore.ops.indexing import index as pick
from tensorcore.ops.indexing import index_put
from tensorcore.ops.movement import reshape
from tensorcore.ops.record import composite
from tensorcore.ops.rules import same
from tensorcore.shapes import contiguous_strides, normalize_dim
from tensorcore.tensor import root_of, wrap

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def reach(shape: Sequence[int], strides: Sequence[int]) -> int:
    """Elements from the first to the last of a tensor of these strides; 0 for an empty one."""
    return (
        0 if 0 in shape else 1 + sum((side - 1) * step for side, step in zip(shape, strides, strict=True) if step > 0)
    )


def lowest(shape: Sequence[int], strides: Sequence[int]) -> int:
    """Where the first element in memory lies, counted from the first by index: below 0 with negative strides."""
    return 0 if 0 in shape else sum((side - 1) * step for side, step in zip(shape, strides, strict=True) if step < 0)


def overlapping(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether several elements may lie in one place."""
    last = 0
    for step, side in sorted((abs(step), side) for side, step in zip(shape, strides, strict=True) if side > 1):
        if step <= last:
            return True
        last += (side - 1) * step
    return False


def _places(shape: Sequence[int], strides: Sequence[int], start: int, like: Any) -> Any:
    """Where each element lies, counted from some place of the memory: one dimension, in row-major order."""
    out = ramp(start, 0, 1, int64, like.device)
    for side, step in zip(shape, strides, strict=True):
        out = reshape.emit(out.unsqueeze(-1) + ramp(0, step, side, int64, like.device), shape=(out.numel() * side,))
    return out


class _Layout:
    """Where the elements of a tensor and of a view of it lie, counted from the first place that either reaches."""

    def __init__(
        self,
        shape: Sequence[int],
        own: Sequence[int],
        size: Sequence[int],
        stride: Sequence[int],
        shift: int,
        like: Any,
    ) -> None:
        low = min(lowest(shape, own), shift)
        self.extent = max(reach(shape, own), reach(size, stride) + shift) - low
        self.shape = tuple(shape)
        self.overlaps = overlapping(shape, own)
        self.input = _places(shape, own, -low, like)
        self.view = _places(size, stride, shift - low, like)

    def memory(self, like: Any) -> Any:
        return zeros((self.extent,), dtype=like.dtype, device=like.device)

    def seen(self, memory: Any) -> Any:
        """What the tensor holds when its memory is this."""
        return reshape.emit(pick.emit(memory, self.input), shape=self.shape)

    def written(self, memory: Any, value: Any, places: Any, add: bool = False) -> Any:
        flat = reshape.emit(value.contiguous(), shape=(value.numel(),))
        return index_put.emit(memory, flat, places, accumulate=add)


def _rule(g: Any, input_shape: Any, size: Any, stride: Any, shift: int, own: Any) -> Any:
    at = _Layout(input_shape, own, size, stride, shift, g)
    memory = at.written(at.memory(g), g.expand(size), at.view, add=True)
    if at.overlaps:
        # Elements in one place share what comes to it.
        memory = memory / at.written(at.memory(g), at.seen(at.memory(g)) + 1, at.input, add=True).clamp(min=1)
    return at.seen(memory)


def _replaced(base: Any, value: Any, size: Any, stride: Any, shift: int, own: Any) -> Any:
    at = _Layout(tuple(base.shape), own, size, stride, shift, base)
    memory = at.written(at.memory(base), base, at.input)
    return at.seen(at.written(memory, value, at.view))


def _sides(op: str, size: Any, stride: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    sides, steps = tuple(map(operator.index, size)), tuple(map(operator.index, stride))
    if len(sides) != len(steps):
        raise ShapeError(f"{op}: {len(sides)} sides but {len(steps)} strides: {list(sides)} and {list(steps)}")
    if min(sides, default=0) < 0 or min(steps, default=0) < 0:
        raise ShapeError(f"{op}: sides and strides must not be negative, got {list(sides)} and {list(steps)}")
    return sides, steps


def _geometry(op: str, input: Any, size: Any, stride: Any, storage_offset: int | None) -> dict[str, Any]:
    """The attributes of `as_strided`, after checking that the view lies within the tensor's memory."""
    sides, steps = _sides(op, size, stride)
    if input._view is None and input.is_contiguous():
        offset, held = 0, input.numel()
    else:
        offset, held = input.storage_offset(), extent(input)
    start = offset if storage_offset is None else operator.index(storage_offset)
    if start < 0:
        raise ShapeError(f"{op}: storage_offset must not be negative, got {start}")
    if start + reach(sides, steps) > held and 0 not in sides:
        raise ShapeError(
            f"{op}: shape {list(sides)} with strides {list(steps)} from element {start} on does not lie within the "
            f"{held} elements of the tensor's memory"
        )
    return {"size": sides, "stride": steps, "shift": start - offset, "own": input.stride()}


def extent(input: Any) -> int:
    """Elements of the memory that a tensor and its views share."""
    root = root_of(input)
    return reach(root._array.shape, root.stride()) * root.itemsize // input.itemsize


@composite(
    rule=same, view=True, vjp=_rule, put=_replaced, ulp=0,
    samples=(
        {"shapes": ((3, 4),), "args": ((2, 2), (1, 4), 1)},
        {"shapes": ((5,),), "args": ((3, 3), (1, 1))},
        {"shapes": ((4,),), "args": ((), (), 2)},
    ),
)  # fmt: skip
def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """A view of the tensor's memory with any shape and strides, from element ``storage_offset`` of the memory on.

    Devices without strides see the elements of ``input`` in row-major order as its memory.

    Raises:
        ShapeError: where the view would leave the memory.

    Example:
        >>> tc.as_strided(tc.arange(6), (2, 3), (1, 2))
        tensor([[0, 2, 4],
                [1, 3, 5]])
    """
    return as_strided.emit(input, **_geometry("as_strided", input, size, stride, storage_offset))


@as_strided.expression
def _as_strided(input: Any, *, size: Any, stride: Any, shift: int, own: Any) -> Any:
    shape = tuple(input._array.shape)
    if 0 not in size and (shift < lowest(shape, own) or shift + reach(size, stride) > reach(shape, own)):
        raise ShapeError(
            f"as_strided: {str(input.device)!r} does not see memory beyond the tensor's own elements, shape "
            f"{list(input.shape)}"
        )
    at = _Layout(shape, own, size, stride, shift, input)
    if input.is_contiguous():
        memory = reshape.emit(input, shape=(input.numel(),))
    else:
        memory = at.written(at.memory(input), input, at.input)
    return reshape.emit(pick.emit(memory, at.view), shape=tuple(size))


@composite(
    samples=({"shapes": ((3, 4), (2, 2)), "args": ((2, 2), (1, 4), 1)}, {"shapes": ((4,), ()), "args": ((), (), 2)}),
    ulp=0,
)  # fmt: skip
def as_strided_scatter(
    input: Tensor, src: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` written where ``input.as_strided(size, stride, storage_offset)`` looks.

    Example:
        >>> tc.as_strided_scatter(tc.zeros(2, 2), tc.ones(2), (2,), (3,))
        tensor([[1., 0.],
                [0., 1.]])
    """
    geometry = _geometry("as_strided_scatter", input, size, stride, storage_offset)
    if tuple(src.shape) != geometry["size"]:
        raise ShapeError(f"as_strided_scatter: src has shape {list(src.shape)}, the view {list(geometry['size'])}")
    return _replaced(input, src.to(input.dtype), **geometry)


@composite(namespaces=("", "Tensor"))
def slice_inverse(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Tensor:
    """The tensor of which ``input`` is the slice ``start:end:step`` along ``dim``, as a view.

    It has the shape, strides and place in memory of ``src``, as PyTorch's; the slice changes nothing.

    Raises:
        ShapeError: where the memory of ``input`` does not hold it.

    Example:
        >>> x = tc.arange(6).reshape(2, 3)
        >>> tc.slice_inverse(x[:, 1:], x, 1, 1)
        tensor([[0, 1, 2],
                [3, 4, 5]])
    """
    return as_strided(input, tuple(src.shape), src.stride(), src.storage_offset())


# ------------------------------------------------------------------ windows


# `unfold` is also a function of nn.functional, so the record has a name of its own.
@composite(
    rule=same, view=True, namespaces=("Tensor",), aliases=("unfold",), ulp=0, shown="UnfoldBackward0",
    # Of the elements by index, whichever share a place in memory.
    vjp=lambda g, input_shape, dimension, size, step: _rule(
        g, input_shape, *_windows(input_shape, contiguous_strides(input_shape), dimension, size, step), 0,
        contiguous_strides(input_shape),
    ),
    put=lambda base, value, dimension, size, step: _replaced(
        base.contiguous(), value, *_windows(base.shape, contiguous_strides(base.shape), dimension, size, step), 0,
        contiguous_strides(base.shape),
    ),
    samples=({"shapes": ((7,),), "args": (0, 3, 2)}, {"shapes": ((2, 5),), "args": (1, 2, 1)}),
)  # fmt: skip
def unfold_dimension(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """A view of windows of ``size`` elements, ``step`` apart, along a dimension, as a new last dimension.

    Example:
        >>> tc.arange(5).unfold(0, 3, 2)
        tensor([[0, 1, 2],
                [2, 3, 4]])
    """
    place = normalize_dim(dimension, input.ndim, "unfold")
    side = input._array.shape[place] if input.ndim else 1
    if size < 0 or size > side or step < 1:
        raise ShapeError(
            f"unfold: windows of {size}, {step} apart, do not lie within side {side} of shape {list(input.shape)}"
        )
    return unfold_dimension.emit(input, dimension=place, size=size, step=step)


@unfold_dimension.expression
def _unfold_dimension(input: Any, *, dimension: int, size: int, step: int) -> Any:
    own = input.stride()
    sides, steps = _windows(tuple(input._array.shape), own, dimension, size, step)
    return as_strided.emit(input, size=sides, stride=steps, shift=0, own=own)


def _windows(
    shape: Sequence[int], own: Sequence[int], place: int, size: int, step: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and strides of the windows."""
    if not shape:
        return (size,), (1,)
    count = (shape[place] - size) // step + 1
    sides = (*shape[:place], count, *shape[place + 1 :], size)
    return sides, (*own[:place], own[place] * step, *own[place + 1 :], own[place])


# ------------------------------------------------------------------ tensors made with strides


@composite(namespaces=("",))
def empty_strided(
    size: Sequence[int], stride: Sequence[int], *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of unspecified elements (zeros here) whose memory has these strides.

    Example:
        >>> tc.empty_strided((2, 3), (1, 2)).stride()
        (1, 2)
    """
    sides, steps = _sides("empty_strided", size, stride)
    memory = zeros((reach(sides, steps),), dtype=dtype, device=device)
    seen = as_strided.emit(memory, size=sides, stride=steps, shift=0, own=(1,))
    # Its memory is its own: it is no view of a tensor that anyone else holds.
    return wrap(seen._array, seen._kind).requires_grad_(requires_grad)


@composite(namespaces=("Tensor",))
def new_empty_strided(
    input: Tensor, size: Sequence[int], stride: Sequence[int], dtype: Any = None, layout: Any = None,
    device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`empty_strided` of the dtype and device of this tensor.

    Example:
        >>> tc.ones(1, dtype=tc.float64).new_empty_strided((2, 3), (1, 2)).stride()
        (1, 2)
    """
    return empty_strided(
        size, stride, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad
    )


@composite(namespaces=("",))
def empty_permuted(
    size: Sequence[int], physical_layout: Sequence[int], *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of unspecified elements (zeros here) whose dimensions lie in memory in the order ``physical_layout``.

    Example:
        >>> tc.empty_permuted((2, 3, 4), (0, 2, 1)).stride()
        (12, 1, 3)
    """
    sides, order = tuple(map(operator.index, size)), tuple(map(operator.index, physical_layout))
    if sorted(order) != list(range(len(sides))):
        raise DimensionError(
            f"empty_permuted: physical_layout must be an order of {len(sides)} dims, got {list(order)}"
        )
    steps, step = [0] * len(sides), 1
    for dim in reversed(order):
        steps[dim] = step
        step *= max(sides[dim], 1)
    return empty_strided(sides, steps, dtype=dtype, device=device, requires_grad=requires_grad)
