"""Pooling over any number of dimensions: largest elements and averages of sliding windows.

Both poolings go dimension by dimension, from the last: the sides of the kernel add up instead of multiplying.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, float32, iinfo, int64
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import full, ramp, tensor
from tensorcore.ops.indexing import gather, scatter
from tensorcore.ops.movement import reshape
from tensorcore.ops.parts import basic_index
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import argmax
from tensorcore.ops.rules import inexact, real_number
from tensorcore.ops.windows import Ints, embedded, fold_along, windows

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_BOTH: Final = ("", "nn.functional")
_CASE: Final = {"kernel": (3, 2), "stride": (2, 1), "padding": (1, 1), "dilation": (1, 2), "counts": (3, 5)}
_MEAN: Final = {
    "kernel": (3, 2),
    "stride": (2, 1),
    "padding": (1, 1),
    "counts": (3, 6),
    "include_pad": False,
    "divisor": None,
}


def _pads(sides: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints) -> list[tuple[int, int]]:
    """What is added before and after each side so that exactly ``counts`` windows fit."""
    each = zip(sides, kernel, stride, padding, dilation, counts, strict=True)
    return [(p, (n - 1) * s + (k - 1) * d + 1 - side - p) for side, k, s, p, d, n in each]


def _cropped(x: Any, pads: list[tuple[int, int]]) -> Any:
    return embedded(x, [(-before, -after) for before, after in pads], (1,) * len(pads))


def _slices(x: Any, dim: int, size: int, stride: int, dilation: int, count: int) -> list[Any]:
    """For each place of a window along ``dim``, what all windows see there."""
    whole = [slice(0, side, 1) for side in x._array.shape]
    parts = []
    for k in range(size):
        start = k * dilation
        index = list(whole)
        index[dim] = slice(start, start + (count - 1) * stride + 1, stride)
        parts.append(basic_index.emit(x, index=tuple(index)))
    return parts


def _combined(op: Any, parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = op(total, part)
    return total


# ------------------------------------------------------------------ largest elements


def _lowest(x: Any) -> Any:
    dtype = x._kind.dtype
    return -math.inf if dtype.category == FLOATING else iinfo(dtype).min


def _max_stages(padded: Any, kernel: Ints, stride: Ints, dilation: Ints, counts: Ints, last: bool) -> list[Any]:
    """The padded input and what each dimension, from the last, leaves; the final result only if ``last``."""
    stages = [padded]
    for place in reversed(range(0 if last else 1, len(kernel))):
        parts = _slices(stages[-1], 2 + place, kernel[place], stride[place], dilation[place], counts[place])
        stages.append(_combined(e.maximum.emit, parts))
    return stages


@composite(
    rule=real_number, namespaces=(), ulp=0, samples=({"shapes": ((2, 3, 6, 5),), **_CASE},),
    # In the order of `max_pool_gradient`, by whose name the rule is known to transforms.
    vjp=lambda g, input, y, kernel, stride, padding, dilation, counts: max_pool_gradient.emit(
        g, input, y, kernel=kernel, stride=stride, padding=padding, dilation=dilation, counts=counts),
)  # fmt: skip
def max_pool(input: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints) -> Tensor:
    """Largest element of each of ``counts`` windows of (N, C, *sides); ``padding`` never is."""
    return max_pool.emit(input, kernel=kernel, stride=stride, padding=padding, dilation=dilation, counts=counts)


@max_pool.expression
def _max_pool(input: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints) -> Tensor:
    pads = _pads(input._array.shape[2:], kernel, stride, padding, dilation, counts)
    padded = embedded(input, pads, (1,) * len(pads), _lowest(input))
    return _max_stages(padded, kernel, stride, dilation, counts, True)[-1]


@composite(
    namespaces=(), ulp=8, samples=({"shapes": ((2, 3, 3, 5), (2, 3, 6, 5), (2, 3, 3, 5)), **_CASE},),
)  # fmt: skip
def max_pool_gradient(
    grad: Tensor,
    input: Tensor,
    output: Tensor,
    *,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    counts: Ints,
) -> Tensor:
    """``grad`` at the place of each window's largest element, the first of equals."""
    return max_pool_gradient.emit(
        grad, input, output, kernel=kernel, stride=stride, padding=padding, dilation=dilation, counts=counts
    )


@max_pool_gradient.expression
def _max_pool_gradient(
    grad: Tensor,
    input: Tensor,
    output: Tensor,
    *,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    counts: Ints,
) -> Tensor:
    pads = _pads(input._array.shape[2:], kernel, stride, padding, dilation, counts)
    padded = embedded(input, pads, (1,) * len(pads), _lowest(input)).detach()
    stages = [*_max_stages(padded, kernel, stride, dilation, counts, False), output]
    zero = grad._kind.scalar(0.0)
    for place in range(len(kernel)):
        before, after = stages[len(kernel) - 1 - place], stages[len(kernel) - place]
        parts = _slices(before, 2 + place, kernel[place], stride[place], dilation[place], counts[place])
        shares = []
        rest = grad
        for part in parts[:-1]:
            hit = e.eq.emit(part, after)
            shares.append(e.where.emit(hit, rest, zero))
            rest = e.where.emit(hit, zero, rest)
        # What no other place took is the last one's, NaN among it.
        shares.append(rest)
        grad = fold_along(shares, 2 + place, before._array.shape[2 + place], stride[place], dilation[place])
    return _cropped(grad, pads)


def _places_rule(g: Any, y: Any, input_shape: tuple[int, ...]) -> Any:
    lead = tuple(input_shape[:2])
    grad, places = g[0].reshape((*lead, -1)), y[1].reshape((*lead, -1))
    zeros = full.emit(kind=grad._kind, shape=(*lead, math.prod(input_shape[2:])), value=0.0)
    return scatter.emit(zeros, places, grad, dim=2, reduce="sum").reshape(input_shape)


@composite(
    rule=real_number, namespaces=(), ulp=0, outputs=2, samples=({"shapes": ((2, 3, 6, 5),), **_CASE},), vjp=_places_rule
)
def max_pool_with_places(
    input: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints
) -> tuple[Tensor, Tensor]:
    """`max_pool`, and where in the flattened sides each largest element is, as int64."""
    return max_pool_with_places.emit(
        input, kernel=kernel, stride=stride, padding=padding, dilation=dilation, counts=counts
    )


@max_pool_with_places.expression
def _max_pool_with_places(
    input: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, counts: Ints
) -> tuple[Tensor, Tensor]:
    sides = input._array.shape[2:]
    pads = _pads(sides, kernel, stride, padding, dilation, counts)
    padded = embedded(input, pads, (1,) * len(pads), _lowest(input))
    laid = windows.emit(padded, kernel=kernel, stride=stride, dilation=dilation)
    flat = reshape.emit(laid, shape=(*input._array.shape[:2], math.prod(kernel), *counts))
    tap = argmax.emit(flat, dim=2, keepdim=True)
    values = gather.emit(flat, tap, dim=2).squeeze(2)
    tap = tap.squeeze(2)
    places = None
    for d, side in enumerate(sides):
        inner = math.prod(kernel[d + 1 :])
        at = e.remainder(e.floor_divide(tap, inner), kernel[d]) * dilation[d]
        starts = ramp(-padding[d], stride[d], counts[d], int64, input.device).reshape(
            (-1,) + (1,) * (len(sides) - d - 1)
        )
        places = at + starts if places is None else places * side + (at + starts)
    return values, places  # type: ignore[return-value]


# ------------------------------------------------------------------ averages


def window_lengths(
    sides: Ints, kernel: Ints, stride: Ints, padding: Ints, counts: Ints, include_pad: bool
) -> list[list[float]]:
    """For each dimension, how many elements each window holds; with those of the padding if ``include_pad``."""
    lengths = []
    for side, k, s, p, n in zip(sides, kernel, stride, padding, counts, strict=True):
        starts = [i * s - p for i in range(n)]
        ends = [min(start + k, side + p) for start in starts]
        if not include_pad:
            starts, ends = [max(start, 0) for start in starts], [min(end, side) for end in ends]
        lengths.append([float(end - start) for start, end in zip(starts, ends, strict=True)])
    return lengths


def _divisor(
    kind: Any,
    sides: Any,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    counts: Ints,
    include_pad: bool,
    divisor: int | None,
) -> Any:
    """What each window's sum is divided by: a number, or a tensor where windows hold differently many elements."""
    if divisor is not None:
        return kind.scalar(float(divisor))
    total: Any = 1.0
    rest = len(sides)
    for held in window_lengths(tuple(sides), kernel, stride, padding, counts, include_pad):
        rest -= 1
        same = len(set(held)) <= 1
        each = (
            (held[0] if held else 1.0)
            if same
            else tensor(held, dtype=kind.dtype, device=kind.device).reshape((-1,) + (1,) * rest)
        )
        total = each * total
    return total if hasattr(total, "_array") else kind.scalar(total)


@composite(
    rule=inexact, namespaces=(), ulp=8,
    samples=({"shapes": ((2, 3, 6, 5),), **_MEAN}, {"shapes": ((2, 3, 6, 5),), **_MEAN, "divisor": 5}),
    vjp=lambda g, input_shape, kernel, stride, padding, counts, include_pad, divisor: avg_pool_gradient.emit(
        g, size=tuple(input_shape[2:]), kernel=kernel, stride=stride, padding=padding, counts=counts,
        include_pad=include_pad, divisor=divisor),
)  # fmt: skip
def avg_pool(
    input: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, counts: Ints, include_pad: bool, divisor: int | None
) -> Tensor:
    """Average of each of ``counts`` windows of (N, C, *sides), over their elements or over ``divisor``."""
    return avg_pool.emit(
        input, kernel=kernel, stride=stride, padding=padding, counts=counts, include_pad=include_pad, divisor=divisor
    )


@avg_pool.expression
@widened
def _avg_pool(
    input: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, counts: Ints, include_pad: bool, divisor: int | None
) -> Tensor:
    total = _totals(input, kernel, stride, padding, counts)
    sides = input._array.shape[2:]
    return e.div.emit(total, _divisor(input._kind, sides, kernel, stride, padding, counts, include_pad, divisor))


def _totals(x: Any, kernel: Ints, stride: Ints, padding: Ints, counts: Ints) -> Any:
    ones = (1,) * len(kernel)
    x = embedded(x, _pads(x._array.shape[2:], kernel, stride, padding, ones, counts), ones)
    for place in reversed(range(len(kernel))):
        x = _combined(e.add.emit, _slices(x, 2 + place, kernel[place], stride[place], 1, counts[place]))
    return x


def whole_averages(
    input: Any, *, kernel: Ints, stride: Ints, padding: Ints, counts: Ints, include_pad: bool, divisor: int | None
) -> Any:
    """`avg_pool` of integers, rounded towards zero."""
    total = _totals(input, kernel, stride, padding, counts)
    sides = input._array.shape[2:]
    over = _divisor(input._kind.sibling(float32), sides, kernel, stride, padding, counts, include_pad, divisor)
    return e.div(total, over.to(int64), rounding_mode="trunc")


@composite(
    rule=inexact, namespaces=(), ulp=8, samples=({"shapes": ((2, 3, 3, 6),), "size": (6, 5), **_MEAN},),
    vjp=lambda g, kernel, stride, padding, counts, include_pad, divisor: avg_pool.emit(
        g, kernel=kernel, stride=stride, padding=padding, counts=counts, include_pad=include_pad, divisor=divisor),
)  # fmt: skip
def avg_pool_gradient(
    grad: Tensor,
    *,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    counts: Ints,
    include_pad: bool,
    divisor: int | None,
) -> Tensor:
    """Each window's share of ``grad``, added up over the windows an element lies in."""
    return avg_pool_gradient.emit(
        grad,
        size=size,
        kernel=kernel,
        stride=stride,
        padding=padding,
        counts=counts,
        include_pad=include_pad,
        divisor=divisor,
    )


@avg_pool_gradient.expression
@widened
def _avg_pool_gradient(
    grad: Tensor,
    *,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    counts: Ints,
    include_pad: bool,
    divisor: int | None,
) -> Tensor:
    ones = (1,) * len(kernel)
    pads = _pads(size, kernel, stride, padding, ones, counts)
    grad = e.div.emit(grad, _divisor(grad._kind, size, kernel, stride, padding, counts, include_pad, divisor))
    for place, (before, after) in enumerate(pads):
        side = size[place] + before + after
        grad = fold_along([grad] * kernel[place], 2 + place, side, stride[place], 1)
    return _cropped(grad, pads)
