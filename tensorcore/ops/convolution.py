"""Convolution as users call it, and its transpose, over one, two and three dimensions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops.convolution_expressions import convolution_input_gradient, convolution_of
from tensorcore.ops.linear import one_dtype
from tensorcore.ops.record import composite
from tensorcore.ops.windows import Ints, embedded, spatial

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_BOTH: Final = ("", "nn.functional")


def _batched(op: str, input: Any, weight: Any, ndim: int) -> tuple[Any, bool]:
    if weight.ndim != ndim + 2:
        raise ShapeError(f"{op}: expected a weight of {ndim + 2} dimensions, got shape {list(weight.shape)}")
    if input.ndim not in (ndim + 1, ndim + 2):
        raise ShapeError(
            f"{op}: expected an input of {ndim + 2} dimensions, or {ndim + 1} without a batch, "
            f"got shape {list(input.shape)}"
        )
    return (input, False) if input.ndim == ndim + 2 else (input.unsqueeze(0), True)


@lru_cache(maxsize=256)
def _require_fit(
    op: str, shape: Ints, weight: Ints, bias: Ints | None, stride: Ints, dilation: Ints, groups: int
) -> None:
    """Refuse operands whose channels do not fit one another; what fits once is not looked at again."""
    out_channels, per_group = weight[:2]
    _positive(op, groups, stride=stride, dilation=dilation)
    if shape[1] != per_group * groups:
        raise ShapeError(
            f"{op}: input of shape {list(shape)} has {shape[1]} channels; weight of shape "
            f"{list(weight)} with groups={groups} expects {per_group * groups}"
        )
    if out_channels % groups:
        raise ShapeError(f"{op}: {out_channels} output channels cannot be divided into groups={groups}")
    _bias_fits(op, bias, out_channels)


@lru_cache(maxsize=256)
def _require_windows(op: str, shape: Ints, kernel: Ints, padding: Ints, dilation: Ints) -> None:
    """Refuse an input that is smaller than the kernel."""
    if min(padding, default=0) < 0:
        raise RangeError(f"{op}: padding must not be negative, got {list(padding)}")
    for side, k, p, d in zip(shape[2:], kernel, padding, dilation, strict=True):
        if side + 2 * p < (k - 1) * d + 1:
            raise ShapeError(
                f"{op}: the kernel, {list(kernel)} with dilation {list(dilation)}, does not fit into input of shape "
                f"{list(shape)} with padding {list(padding)}"
            )


def _positive(op: str, groups: int, **given: Ints) -> None:
    for name, values in given.items():
        if any(value <= 0 for value in values):
            raise RangeError(f"{op}: {name} must be positive, got {list(values)}")
    if groups <= 0:
        raise RangeError(f"{op}: groups must be positive, got {groups}")


def _bias_fits(op: str, bias: Ints | None, channels: int) -> None:
    if bias is not None and bias != (channels,):
        raise ShapeError(f"{op}: expected a bias of shape [{channels}], one per output channel, got {list(bias)}")


def _forward(
    op: str, ndim: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    one_dtype(op, input=input, weight=weight, bias=bias)
    input, alone = _batched(op, input, weight, ndim)
    stride, dilation = spatial(op, "stride", stride, ndim), spatial(op, "dilation", dilation, ndim)
    shape = tuple(weight._array.shape)
    its = None if bias is None else tuple(bias._array.shape)
    _require_fit(op, tuple(input._array.shape), shape, its, stride, dilation, groups)
    if isinstance(padding, str):
        input, padding = _by_name(op, input, padding, shape[2:], stride, dilation)
    else:
        padding = spatial(op, "padding", padding, ndim)
    _require_windows(op, tuple(input._array.shape), shape[2:], padding, dilation)
    out = convolution_of.emit(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return out.squeeze(0) if alone else out


def _by_name(op: str, input: Any, padding: str, kernel: Any, stride: Ints, dilation: Ints) -> tuple[Any, Ints]:
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        raise RangeError(f"{op}: padding must be ints, 'valid' or 'same', got {padding!r}")
    if any(step != 1 for step in stride):
        raise RangeError(f"{op}: padding='same' is not defined for stride {list(stride)}")
    totals = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
    extra = [(0, total % 2) for total in totals]
    return embedded(input, extra, (1,) * len(kernel)), tuple(total // 2 for total in totals)


def _samples(ndim: int) -> Any:
    sides, kernel = (6, 5, 4)[:ndim], (3, 2, 2)[:ndim]
    return (
        {"shapes": ((2, 4, *sides), (6, 4, *kernel), (6,))},
        {"shapes": ((2, 4, *sides), (6, 2, *kernel), (6,)), "stride": 2, "padding": 1, "dilation": 1, "groups": 2},
        {"shapes": ((4, *sides), (6, 4, *kernel)), "padding": "same"},
    )


@composite(namespaces=_BOTH, samples=_samples(1), ulp=64)
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of (N, C, L) or (C, L) with (O, C / groups, K).

    Args:
        input: (N, C, L) or (C, L).
        weight: (O, C / groups, K).
        bias: (O,), added to each output channel.
        stride, dilation: steps between windows, and between the elements of one.
        padding: zeros on both sides, or ``"valid"`` for none, or ``"same"`` for an output as long as the
            input.
        groups: into how many groups channels are divided, each seeing its own.

    Raises:
        ShapeError: if channels, groups and bias do not fit, or the kernel does not fit into the padded input.

    Example:
        >>> x = tc.tensor([[1.0, 2.0, 4.0, 8.0]])
        >>> F.conv1d(x, tc.tensor([[[1.0, -1.0]]])), F.conv1d(x, tc.ones(1, 1, 3), padding="same")
        (tensor([[-1., -2., -4.]]), tensor([[ 3.,  7., 14., 12.]]))
    """
    return _forward("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@composite(namespaces=_BOTH, samples=_samples(2), ulp=64)
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of (N, C, H, W) or (C, H, W) with (O, C / groups, KH, KW).

    Args:
        input: (N, C, H, W) or (C, H, W).
        weight: (O, C / groups, KH, KW).
        bias: (O,), added to each output channel.
        stride, dilation: steps between windows, and between the elements of one; an int or one for each
            side.
        padding: zeros on both sides, or ``"valid"`` for none, or ``"same"`` for an output of the input's
            sides.
        groups: into how many groups channels are divided, each seeing its own.

    Raises:
        ShapeError: if channels, groups and bias do not fit, or the kernel does not fit into the padded input.
        RangeError: for a ``padding`` that is negative, or ``"same"`` with a stride.

    Example:
        >>> x = tc.arange(9.0).reshape(1, 1, 3, 3)
        >>> F.conv2d(x, tc.ones(1, 1, 2, 2), tc.tensor([0.5]))
        tensor([[[[ 8.5000, 12.5000],
                  [20.5000, 24.5000]]]])
        >>> F.conv2d(x, tc.ones(1, 1, 2, 2), stride=2, padding=1)
        tensor([[[[ 0.,  3.],
                  [ 9., 24.]]]])
        >>> F.conv2d(tc.ones(2, 4, 8, 8), tc.ones(6, 2, 3, 3), groups=2, dilation=2).shape
        tensorcore.Size([2, 6, 4, 4])
    """
    return _forward("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@composite(namespaces=_BOTH, samples=_samples(3), ulp=64)
def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of (N, C, D, H, W) or (C, D, H, W) with (O, C / groups, KD, KH, KW).

    Args:
        input: (N, C, D, H, W) or (C, D, H, W).
        weight: (O, C / groups, KD, KH, KW).
        bias: (O,), added to each output channel.
        stride, dilation: steps between windows, and between the elements of one; an int or one for each
            side.
        padding: zeros on both sides, or ``"valid"`` for none, or ``"same"`` for an output of the input's
            sides.
        groups: into how many groups channels are divided, each seeing its own.

    Raises:
        ShapeError: if channels, groups and bias do not fit, or the kernel does not fit into the padded input.

    Example:
        >>> F.conv3d(tc.ones(1, 2, 3, 3), tc.ones(1, 1, 2, 2, 2))
        tensor([[[[8., 8.],
                  [8., 8.]]]])
    """
    return _forward("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@lru_cache(maxsize=256)
def _transposed_sides(
    op: str, shape: Ints, weight: Ints, bias: Ints | None, stride: Ints, padding: Ints, extra: Ints, dilation: Ints,
    groups: int,
) -> Ints:  # fmt: skip
    """The sides of a transposed convolution of operands that fit one another."""
    in_channels, per_group, *kernel = weight
    _positive(op, groups, stride=stride, dilation=dilation)
    if min(padding, default=0) < 0 or min(extra, default=0) < 0:
        raise RangeError(
            f"{op}: padding and output_padding must not be negative, got {list(padding)} and {list(extra)}"
        )
    if shape[1] != in_channels or in_channels % groups:
        raise ShapeError(
            f"{op}: input of shape {list(shape)} does not fit weight of shape {list(weight)} "
            f"with groups={groups}: expected {in_channels} channels, in equal groups"
        )
    _bias_fits(op, bias, per_group * groups)
    if any(x >= s and x >= d for x, s, d in zip(extra, stride, dilation, strict=True)):
        raise RangeError(
            f"{op}: output_padding {list(extra)} must be smaller than stride {list(stride)} "
            f"or dilation {list(dilation)}"
        )
    size = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + x + 1
        for n, s, p, d, k, x in zip(shape[2:], stride, padding, dilation, kernel, extra, strict=True)
    )
    if min(size) <= 0:
        raise ShapeError(
            f"{op}: input of shape {list(shape)} with these arguments gives an output of sides {list(size)}"
        )
    return size


def _transposed(
    op: str,
    ndim: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    one_dtype(op, input=input, weight=weight, bias=bias)
    input, alone = _batched(op, input, weight, ndim)
    stride, dilation = spatial(op, "stride", stride, ndim), spatial(op, "dilation", dilation, ndim)
    padding, extra = spatial(op, "padding", padding, ndim), spatial(op, "output_padding", output_padding, ndim)
    shape, kernel = tuple(input._array.shape), tuple(weight._array.shape)
    its = None if bias is None else tuple(bias._array.shape)
    size = _transposed_sides(op, shape, kernel, its, stride, padding, extra, dilation, groups)
    out = convolution_input_gradient.emit(
        input, weight, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups
    )
    if bias is not None:
        out = out + bias.reshape((-1,) + (1,) * ndim)
    return out.squeeze(0) if alone else out


def _transposed_samples(ndim: int) -> Any:
    sides, kernel = (4, 3, 2)[:ndim], (3, 2, 2)[:ndim]
    return (
        {"shapes": ((2, 4, *sides), (4, 6, *kernel), (6,))},
        {
            "shapes": ((2, 4, *sides), (4, 3, *kernel), (6,)),
            "stride": 2,
            "padding": 1,
            "output_padding": 1,
            "groups": 2,
        },
    )


@composite(namespaces=_BOTH, samples=_transposed_samples(1), ulp=64)
def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution, the gradient of `conv1d`, of (N, C, L) or (C, L) with (C, O / groups, K).

    Args:
        stride, padding, dilation, groups: those of the convolution that it is the gradient of.
        output_padding: elements that the output is longer at its end, as several lengths give one input.

    Raises:
        RangeError: for an ``output_padding`` that is not smaller than stride or dilation.
        ShapeError: if channels, groups and bias do not fit.

    Example:
        >>> x, weight = tc.tensor([[1.0, 2.0]]), tc.tensor([[[1.0, 10.0, 100.0]]])
        >>> F.conv_transpose1d(x, weight), F.conv_transpose1d(x, weight, stride=2, padding=1, output_padding=1)
        (tensor([[  1.,  12., 120., 200.]]), tensor([[ 10., 102.,  20., 200.]]))
    """
    return _transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(namespaces=_BOTH, samples=_transposed_samples(2), ulp=64)
def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution, the gradient of `conv2d`, of (N, C, H, W) or (C, H, W) with (C, O / groups, KH, KW).

    Args:
        stride, padding, dilation, groups: those of the convolution that it is the gradient of.
        output_padding: elements that the output is longer at its ends, as several lengths give one input.

    Raises:
        ShapeError: if channels, groups and bias do not fit.

    Example:
        >>> F.conv_transpose2d(tc.tensor([[[1.0, 2.0]]]), tc.ones(1, 1, 2, 2))
        tensor([[[1., 3., 2.],
                 [1., 3., 2.]]])
        >>> F.conv_transpose2d(tc.ones(1, 4, 5, 5), tc.ones(4, 3, 4, 4), stride=2, padding=1).shape
        tensorcore.Size([1, 3, 10, 10])
    """
    return _transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(namespaces=_BOTH, samples=_transposed_samples(3), ulp=64)
def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution, the gradient of `conv3d`, of (N, C, D, H, W) or (C, D, H, W).

    ``weight`` has the shape (C, O / groups, KD, KH, KW).

    Args:
        stride, padding, dilation, groups: those of the convolution that it is the gradient of.
        output_padding: elements that the output is longer at its ends, as several lengths give one input.

    Raises:
        ShapeError: if channels, groups and bias do not fit.

    Example:
        >>> F.conv_transpose3d(tc.ones(1, 1, 1, 2), tc.ones(1, 1, 1, 1, 2))
        tensor([[[[1., 2., 1.]]]])
    """
    return _transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


@composite(namespaces=_BOTH, samples=({"shapes": ((5, 2, 3), (2, 3, 4), (4,)), "pad": 1},), ulp=64)
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Cross-correlation of (time, batch, C) with (K, C, O), over time padded by ``pad``: (time, batch, O).

    ``bias`` is converted to the dtype of ``input``.

    >>> tc.conv_tbc(tc.ones(3, 1, 2), tc.ones(2, 2, 1), tc.zeros(1)).shape
    tensorcore.Size([2, 1, 1])
    """
    if input.ndim != 3 or weight.ndim != 3 or input.shape[2] != weight.shape[1] or bias.ndim != 1:
        raise ShapeError(
            f"conv_tbc: expected (time, batch, C), (K, C, O) and (O), got shapes {list(input.shape)}, "
            f"{list(weight.shape)} and {list(bias.shape)}"
        )
    out = conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias.to(input.dtype), padding=max(pad, 0))
    out = out.permute(2, 0, 1)
    # Less than no padding leaves out so many steps at both ends.
    return out if pad >= 0 else out.narrow(0, -pad, len(out) + 2 * pad)
