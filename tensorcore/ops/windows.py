"""Windows that slide over the last dimensions: what convolution and pooling are made of.

`windows` lays the windows out, `fold_windows` adds them back; each is the other's gradient. A *pad* is a pair of counts
per dimension, before and after; negative counts crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING
from tensorcore.errors import ShapeError
from tensorcore.ops.creation import full
from tensorcore.ops.elementwise import add
from tensorcore.ops.inplace import update_at
from tensorcore.ops.movement import cat, reshape
from tensorcore.ops.parts import basic_index, basic_index_put
from tensorcore.ops.record import composite
from tensorcore.ops.rules import same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

Ints = tuple[int, ...]
_INTS: Final = {int}


def spatial(op: str, name: str, value: Any, count: int) -> Ints:
    """An argument given as one int or one per dimension, as a tuple."""
    if type(value) is int:
        return (value,) * count
    if type(value) is tuple and len(value) == count and set(map(type, value)) == _INTS:
        return value
    if hasattr(value, "__index__"):
        return (value.__index__(),) * count
    given = tuple(value)
    if not all(hasattr(each, "__index__") for each in given):
        raise TypeError(f"{op}: {name} must be ints, got {value!r}")
    if len(given) == 1:
        given = given * count
    if len(given) != count:
        raise ShapeError(f"{op}: {name} must be one int or {count}, got {list(given)}")
    return tuple(each.__index__() for each in given)


def window_count(side: int, size: int, stride: int, dilation: int) -> int:
    """How many windows of ``size`` fit into a side."""
    return (side - (size - 1) * dilation - 1) // stride + 1


def embedded(x: Any, pads: Sequence[tuple[int, int]], steps: Sequence[int], value: Any = 0.0) -> Any:
    """``x`` with ``steps - 1`` fills between neighbours in the last dimensions, then padded by ``pads``."""
    source, target, sides = _placement(tuple(x._array.shape), tuple(pads), tuple(steps))
    inner = x if source is None else basic_index.emit(x, index=source)
    return inner if target is None else placed_in.emit(inner, index=target, shape=sides, value=value)


@lru_cache(maxsize=1024)
def _placement(
    shape: Ints, pads: tuple[tuple[int, int], ...], steps: Ints
) -> tuple[tuple[slice, ...] | None, tuple[slice, ...] | None, Ints]:
    """The part that is taken of a tensor, where it comes to lie, and the sides; ``None`` is everything, everywhere."""
    lead = len(shape) - len(pads)
    source: list[slice] = [slice(0, side, 1) for side in shape[:lead]]
    target = list(source)
    sides = list(shape[:lead])
    for side, (before, after), step in zip(shape[lead:], pads, steps, strict=True):
        total = (side - 1) * step + 1 + before + after if side else before + after
        # The elements that fall inside after cropping.
        first = max(0, -(before // step)) if before < 0 else 0
        last = min(side, (total - 1 - before) // step + 1)
        source.append(slice(first, max(last, first), 1))
        start = before + first * step
        target.append(
            slice(start, max(start + (last - first - 1) * step + 1, start), step) if last > first else slice(0, 0, 1)
        )
        sides.append(max(total, 0))
    inner = tuple(part.stop - part.start for part in source)
    taken = None if inner == shape else tuple(source)
    filled = any(step != 1 for step in steps) or tuple(sides) != inner
    if all(pad == (0, 0) for pad in pads):
        filled = filled and any(step != 1 for step in steps)
    return taken, tuple(target) if filled else None, tuple(sides)


@composite(
    namespaces=(), vjp=lambda g, index: basic_index.emit(g, index=index), ulp=0,
    samples=({"shapes": ((2, 3),), "index": (slice(1, 3, 1), slice(0, 5, 2)), "shape": (4, 6), "value": 1.5},),
)  # fmt: skip
def placed_in(input: Tensor, index: tuple[Any, ...], shape: Ints, value: Any) -> Tensor:
    """A tensor of ``shape`` with ``input`` in the regular part ``index`` and the number ``value`` elsewhere."""
    return placed_in.emit(input, index=index, shape=shape, value=value)


@placed_in.expression
def _placed_in(input: Any, *, index: tuple[Any, ...], shape: Ints, value: Any) -> Any:
    base = _filled(input._kind, shape, value)
    # The base is new: without a graph the part is written straight into it.
    if update_at(basic_index_put, base, (input,), "embedded", index=index):
        return base
    return basic_index_put.emit(base, input, index=index)


def _filled(kind: Any, shape: tuple[int, ...], value: float) -> Any:
    """A tensor of one number, which integers are given as an integer."""
    return full.emit(kind=kind, shape=shape, value=value if kind.dtype.category >= FLOATING else int(value))


def taps(x: Any, kernel: Ints, stride: Ints, dilation: Ints) -> list[Any]:
    """For each place of the window, in row-major order, the view of what all windows see there."""
    shape = tuple(x._array.shape)
    lead = len(shape) - len(kernel)
    places: list[tuple[slice, ...]] = [tuple(slice(0, side, 1) for side in shape[:lead])]
    for side, size, step, spread in zip(shape[lead:], kernel, stride, dilation, strict=True):
        count = window_count(side, size, step, spread)
        stop = (count - 1) * step + 1
        places = [(*place, slice(k * spread, k * spread + stop, step)) for place in places for k in range(size)]
    return [basic_index.emit(x, index=place) for place in places]


_SAMPLE = {"shapes": ((2, 3, 6, 5),), "kernel": (3, 2), "stride": (2, 1), "dilation": (1, 2)}


@composite(
    rule=same, namespaces=(), ulp=0, samples=(_SAMPLE,),
    vjp=lambda g, input_shape, kernel, stride, dilation: fold_windows.emit(
        g, size=tuple(input_shape[-len(kernel):]), kernel=kernel, stride=stride, dilation=dilation
    ),
)  # fmt: skip
def windows(input: Tensor, *, kernel: Ints, stride: Ints, dilation: Ints) -> Tensor:
    """Windows of (N, C, *sides) as (N, C, *kernel, *counts), as a copy or a view."""
    return windows.emit(input, kernel=kernel, stride=stride, dilation=dilation)


@windows.expression
def _windows(input: Tensor, *, kernel: Ints, stride: Ints, dilation: Ints) -> Tensor:
    parts = taps(input, kernel, stride, dilation)
    shape = tuple(parts[0]._array.shape)
    lead, counts = shape[: len(shape) - len(kernel)], shape[len(shape) - len(kernel) :]
    one = (*lead, 1, *counts)
    joined = cat.emit(*[reshape.emit(part, shape=one) for part in parts], dim=len(lead))
    return reshape.emit(joined, shape=(*lead, *kernel, *counts))


@composite(
    rule=same,
    namespaces=(),
    ulp=8,
    samples=(
        {"shapes": ((2, 3, 3, 2, 2, 3),), "size": (6, 5), "kernel": (3, 2), "stride": (2, 1), "dilation": (1, 2)},
    ),
    vjp=lambda g, kernel, stride, dilation: windows.emit(g, kernel=kernel, stride=stride, dilation=dilation),
)
def fold_windows(input: Tensor, *, size: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Tensor:
    """The sum of windows (N, C, *kernel, *counts) where they lie in (N, C, *size)."""
    return fold_windows.emit(input, size=size, kernel=kernel, stride=stride, dilation=dilation)


@fold_windows.expression
def _fold_windows(input: Tensor, *, size: Ints, kernel: Ints, stride: Ints, dilation: Ints) -> Tensor:
    # One dimension at a time, from the last, so that as many additions are made as the kernel's sides add up to.
    out = input
    for place in reversed(range(len(kernel))):
        shape = tuple(out._array.shape)
        at = 2 + place
        # Dimension `at` is the window's, and its count is the last but those already folded.
        counts_at = len(shape) - (len(kernel) - place)
        parts = []
        for k in range(kernel[place]):
            index = [slice(0, side, 1) for side in shape]
            index[at] = k  # type: ignore[call-overload]
            parts.append(basic_index.emit(out, index=tuple(index)))
        out = fold_along(parts, counts_at - 1, size[place], stride[place], dilation[place])
    return out


def fold_along(parts: Sequence[Any], dim: int, size: int, stride: int, dilation: int) -> Any:
    """The sum of ``parts[k]``, element i of ``dim`` lying at ``i * stride + k * dilation`` of a side of ``size``."""
    shape = tuple(parts[0]._array.shape)
    count = shape[dim]
    if stride == len(parts) and dilation == 1:
        return _interleaved(parts, dim, size)
    total = None
    whole = (*shape[:dim], size, *shape[dim + 1 :])
    empty = _filled(parts[0]._kind, whole, 0.0)
    for k, part in enumerate(parts):
        start = k * dilation
        index = tuple(
            slice(start, start + (count - 1) * stride + 1, stride) if d == dim else slice(0, side, 1)
            for d, side in enumerate(shape)
        )
        laid = basic_index_put.emit(empty, part, index=index)
        total = laid if total is None else add.emit(total, laid)
    return total


def _interleaved(parts: Sequence[Any], dim: int, size: int) -> Any:
    """`fold_along` of windows that do not overlap: nothing is added, so they are only put in order."""
    shape = tuple(parts[0]._array.shape)
    if len(parts) == 1:
        out = parts[0]
    else:
        one = (*shape[: dim + 1], 1, *shape[dim + 1 :])
        out = cat.emit(*[reshape.emit(part, shape=one) for part in parts], dim=dim + 1)
        out = reshape.emit(out, shape=(*shape[:dim], shape[dim] * len(parts), *shape[dim + 1 :]))
    short = size - shape[dim] * len(parts)
    if short == 0:
        return out
    pads = [(0, short if d == dim else 0) for d in range(len(shape))]
    return embedded(out, pads, (1,) * len(shape))
