"""Convolution over any number of dimensions, and its transpose.

`convolution` and its two gradients are bilinear, and each one's gradients are the other two, so second derivatives
follow. Each expression is one matrix product over windows laid out as columns; a backend overrides what it does better.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.ops import elementwise as e
from tensorcore.ops.linalg import matmul
from tensorcore.ops.movement import flip, permute, reshape
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.rules import number
from tensorcore.ops.windows import Ints, embedded, window_count, windows

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_BOTH: Final = ("", "nn.functional")
_PLAIN: Final = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
_RICH: Final = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}


def _columns(x: Any, kernel: Ints, stride: Ints, dilation: Ints, groups: int) -> Any:
    """Windows of a padded input as (N, groups, channels of a group * kernel, windows)."""
    batch, channels, *sides = x._array.shape
    if all(size == 1 for size in kernel) and all(step == 1 for step in stride):
        return reshape.emit(x, shape=(batch, groups, channels // groups, math.prod(sides)))
    laid = windows.emit(x, kernel=kernel, stride=stride, dilation=dilation)
    counts = laid._array.shape[2 + len(kernel) :]
    return reshape.emit(laid, shape=(batch, groups, channels // groups * math.prod(kernel), math.prod(counts)))


def _bias_rule(g: Any) -> Any:
    dims = (0, *range(2, len(g._array.shape)))
    return sum.emit(g, dim=dims, keepdim=False, dtype=g._kind.dtype)


@composite(
    rule=number,
    namespaces=(),
    ulp=64,
    vjp=(
        lambda g, input_shape, weight, stride, padding, dilation, groups: convolution_input_gradient.emit(
            g,
            e.conj(weight),
            size=tuple(input_shape[2:]),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        ),
        lambda g, input, weight_shape, stride, padding, dilation, groups: convolution_weight_gradient.emit(
            e.conj(input),
            g,
            kernel=tuple(weight_shape[2:]),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        ),
        _bias_rule,
    ),
    samples=(
        {"shapes": ((2, 3, 6, 5), (4, 3, 3, 2), (4,)), **_PLAIN},
        {"shapes": ((2, 4, 6, 5), (6, 2, 3, 2)), **_RICH},
    ),
)
def convolution_of(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> Tensor:
    """Cross-correlation of (N, C, *sides) with (O, C / groups, *kernel), zeros around; plus ``bias`` (O)."""
    return convolution_of.emit(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


@convolution_of.expression
def _convolution_of(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    groups: int,
) -> Tensor:
    out_channels, per_group, *kernel = weight._array.shape
    padded = embedded(input, [(p, p) for p in padding], (1,) * len(kernel))
    counts = [window_count(*each) for each in zip(padded._array.shape[2:], kernel, stride, dilation, strict=True)]
    batch = input._array.shape[0]
    if math.prod(counts) * batch == 0 or input._array.shape[1] == 0:
        product = e.mul(input.sum() * weight.sum(), input.new_zeros((batch, out_channels, *counts)))
    else:
        columns = _columns(padded, tuple(kernel), stride, dilation, groups)
        matrix = reshape.emit(weight, shape=(groups, out_channels // groups, per_group * math.prod(kernel)))
        product = reshape.emit(matmul.emit(matrix, columns), shape=(batch, out_channels, *counts))
    if bias is None:
        return product
    return e.add.emit(product, reshape.emit(bias, shape=(out_channels, *(1,) * len(kernel))))


def _windows_there(out: Any, shape: Ints) -> Any:
    """``out`` with as many windows as ``shape`` has.

    An output_padding as wide as the stride, which a dilation allows, leaves room for windows that were not there.
    """
    more = [(0, wanted - side) for side, wanted in zip(out._array.shape[2:], shape[2:], strict=True)]
    return embedded(out, more, (1,) * len(more)) if any(after for _, after in more) else out


@composite(
    rule=number,
    namespaces=(),
    ulp=64,
    vjp=(
        lambda g, weight, grad_shape, stride, padding, dilation, groups: _windows_there(
            convolution_of.emit(
                g, e.conj(weight), None, stride=stride, padding=padding, dilation=dilation, groups=groups
            ),
            grad_shape,
        ),
        lambda g, grad, weight_shape, stride, padding, dilation, groups: convolution_weight_gradient.emit(
            g,
            e.conj(grad),
            kernel=tuple(weight_shape[2:]),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        ),
    ),
    samples=(
        {"shapes": ((2, 4, 4, 4), (4, 3, 3, 2)), "size": (6, 5), **_PLAIN},
        {"shapes": ((2, 6, 3, 7), (6, 2, 3, 2)), "size": (6, 5), **_RICH},
    ),
)
def convolution_input_gradient(
    grad: Tensor, weight: Tensor, *, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Tensor:
    """Gradient of `convolution_of` with respect to an input of sides ``size``: the transposed convolution."""
    return convolution_input_gradient.emit(
        grad, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@convolution_input_gradient.expression
def _convolution_input_gradient(
    grad: Tensor, weight: Tensor, *, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Tensor:
    # A convolution of the gradient, zeros put between its elements, with the kernel turned round.
    out_channels, per_group, *kernel = weight._array.shape
    ndim = len(kernel)
    pads = []
    for side, count, k, s, p, d in zip(size, grad._array.shape[2:], kernel, stride, padding, dilation, strict=True):
        reach = (k - 1) * d
        pads.append((reach - p, side - 1 + p - (count - 1) * s))
    if 0 in grad._array.shape:
        return grad.sum() * weight.sum() * grad.new_zeros((grad._array.shape[0], per_group * groups, *size))
    spread = embedded(grad, pads, stride)
    turned = weight if all(k == 1 for k in kernel) else flip.emit(weight, dims=tuple(range(2, 2 + ndim)))
    turned = reshape.emit(turned, shape=(groups, out_channels // groups, per_group, math.prod(kernel)))
    turned = permute.emit(turned, dims=(0, 2, 1, 3))
    matrix = reshape.emit(turned, shape=(groups, per_group, out_channels // groups * math.prod(kernel)))
    columns = _columns(spread, tuple(kernel), (1,) * ndim, dilation, groups)
    return reshape.emit(matmul.emit(matrix, columns), shape=(grad._array.shape[0], groups * per_group, *size))


@composite(
    rule=number,
    namespaces=(),
    ulp=64,
    vjp=(
        lambda g, grad, input_shape, stride, padding, dilation, groups: convolution_input_gradient.emit(
            e.conj(grad),
            g,
            size=tuple(input_shape[2:]),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        ),
        lambda g, input, grad_shape, stride, padding, dilation, groups: _windows_there(
            convolution_of.emit(
                e.conj(input), g, None, stride=stride, padding=padding, dilation=dilation, groups=groups
            ),
            grad_shape,
        ),
    ),
    samples=(
        {"shapes": ((2, 3, 6, 5), (2, 4, 4, 4)), "kernel": (3, 2), **_PLAIN},
        {"shapes": ((2, 4, 6, 5), (2, 6, 3, 7)), "kernel": (3, 2), **_RICH},
    ),
)
def convolution_weight_gradient(
    input: Tensor, grad: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Tensor:
    """Gradient of `convolution_of` with respect to a weight of ``kernel``, summed over the batch."""
    return convolution_weight_gradient.emit(
        input, grad, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@convolution_weight_gradient.expression
def _convolution_weight_gradient(
    input: Tensor, grad: Tensor, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Tensor:
    batch, out_channels, *counts = grad._array.shape
    channels = input._array.shape[1]
    shape = (out_channels, channels // groups, *kernel)
    if 0 in grad._array.shape or channels == 0:
        return input.sum() * grad.sum() * grad.new_zeros(shape)
    padded = embedded(input, [(p, p) for p in padding], (1,) * len(kernel))
    # Rows and columns that no window reached must not be laid out.
    padded = embedded(padded, _overhang(padded, counts, kernel, stride, dilation), (1,) * len(kernel))
    columns = permute.emit(_columns(padded, kernel, stride, dilation, groups), dims=(0, 1, 3, 2))
    rows = reshape.emit(grad, shape=(batch, groups, out_channels // groups, math.prod(counts)))
    each = matmul.emit(rows, columns)
    total = sum.emit(each, dim=(0,), keepdim=False, dtype=each._kind.dtype) if batch > 1 else each
    return reshape.emit(total, shape=shape)


def _overhang(padded: Any, counts: Any, kernel: Ints, stride: Ints, dilation: Ints) -> list[tuple[int, int]]:
    used = [(n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zip(counts, kernel, stride, dilation, strict=True)]
    return [(0, min(0, need - side)) for side, need in zip(padded._array.shape[2:], used, strict=True)]
