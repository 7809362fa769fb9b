"""Normalisation by the statistics of a batch, a group or an instance.

The records return the statistics beside the result, for their gradients. Where a second derivative is asked for
the rules compute the statistics anew from the input, so that they are in the graph.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.dtypes import float32, int64
from tensorcore.errors import DimensionError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.inplace import write
from tensorcore.ops.layer_normalization import inverse_root, moments, native_layer_norm
from tensorcore.ops.pooling_expressions import avg_pool, whole_averages
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.rules import inexact
from tensorcore.ops.statistics import count_along
from tensorcore.ops.windows import embedded

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_BOTH: Final = ("", "nn.functional")


# ------------------------------------------------------------------ over a batch


def _channels(ndim: int) -> tuple[int, ...]:
    return (0, *range(2, ndim))


def _per_channel(x: Any, ndim: int) -> Any:
    return x.reshape((1, -1) + (1,) * (ndim - 2))


def _batch_rule(g: Any, y: Any, input: Any, weight: Any, bias_shape: Any, eps: float) -> tuple[Any, Any, Any]:
    middle, variance = y[1], y[2]
    if mode.grad:
        _, middle, variance = moments(input, _channels(input.ndim))
        middle, variance = middle.reshape(-1), variance.reshape(-1)
    grads = batch_norm_gradient.emit(g[0], input, middle, variance, weight, eps=eps)
    return grads[0], None if weight is None else grads[1], None if bias_shape is None else grads[2]


@composite(
    rule=inexact, vjp=_batch_rule, joint=True, outputs=3, namespaces=(), ulp=64,
    samples=({"shapes": ((3, 4, 2), (4,), (4,)), "eps": 1e-5}, {"shapes": ((5, 3), (3,), (3,)), "eps": 1e-3}),
)  # fmt: skip
def batch_norm_training(
    input: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """(N, C, *sides) normalised over all but the channels, scaled and shifted; the means and variances (C)."""
    return batch_norm_training.emit(input, weight, bias, eps=eps)


@batch_norm_training.expression
@widened
def _batch_norm_training(input: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *, eps: float) -> Any:
    ndim = len(input._array.shape)
    centered, middle, variance = moments(input, _channels(ndim))
    scale = inverse_root(variance, eps)
    if weight is not None:
        scale = scale * _per_channel(weight, ndim)
    out = e.mul.emit(centered, scale)
    if bias is not None:
        out = e.add.emit(out, _per_channel(bias, ndim))
    return out, middle.reshape((-1,)), variance.reshape((-1,))


@composite(
    namespaces=(),
    outputs=3,
    ulp=128,
    rule=inexact,
    samples=(
        {
            "shapes": ((3, 4, 2), (3, 4, 2), (4,), (4,), (4,)),
            "domains": (None, None, None, (0.5, 2), None),
            "eps": 1e-5,
        },
    ),
)
def batch_norm_gradient(
    grad: Tensor, input: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None, *, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `batch_norm_training` with respect to input, weight and bias."""
    return batch_norm_gradient.emit(grad, input, mean, variance, weight, eps=eps)


@batch_norm_gradient.expression
@widened
def _batch_norm_gradient(grad: Any, input: Any, middle: Any, variance: Any, weight: Any, *, eps: float) -> Any:
    ndim = len(input._array.shape)
    dims = _channels(ndim)
    count = count_along(input._array.shape, dims)
    rstd = inverse_root(_per_channel(variance, ndim), eps)
    unit = e.mul.emit(e.sub.emit(input, _per_channel(middle, ndim)), rstd)
    dtype = grad._kind.dtype
    along = sum.emit(e.mul.emit(grad, unit), dim=dims, keepdim=True, dtype=dtype)
    level = sum.emit(grad, dim=dims, keepdim=True, dtype=dtype)
    scale = rstd if weight is None else rstd * _per_channel(weight, ndim)
    rest = e.sub.emit(e.sub.emit(grad, level / count), e.mul.emit(unit, along / count))
    return e.mul.emit(rest, scale), along.reshape((-1,)), level.reshape((-1,))


def _blend(running: Any, new: Any, momentum: float, op: str) -> None:
    """``running`` moved towards ``new``, in place and outside the graph."""
    recorded = mode.grad
    mode.grad = False
    try:
        new = new.to(running.dtype)
        write(running, running * (1 - momentum) + new * momentum, op)
    finally:
        mode.grad = recorded


def _check_channels(op: str, input: Any, *vectors: str, **given: Any) -> None:
    """Raise ShapeError unless what is given holds an element for each channel; ``vectors`` have no more dimensions."""
    channels = input.shape[1]
    for name, x in given.items():
        if x is not None and (x.numel() != channels or (name in vectors and x.ndim != 1)):
            raise ShapeError(
                f"{op}: input of shape {list(input.shape)} has {channels} channels, in dimension 1; {name} of shape "
                f"{list(x.shape)} must hold an element for each"
            )


@composite(
    namespaces=_F, ulp=64, operands=("input", "running_mean", "running_var", "weight", "bias"),
    samples=({"shapes": ((3, 4, 2), (4,), (4,), (4,), (4,)), "domains": (None, None, (0.5, 2), None, None)},),
)  # fmt: skip
def batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float | None = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """(N, C, *sides) normalised per channel: by the batch, moving the running statistics, or by those.

    In training the running statistics move by ``momentum`` towards the batch's, in place; their variance is
    the unbiased one.

    Args:
        input: (N, C, *sides) or (N, C).
        running_mean, running_var: (C,), moved in training and taken otherwise; None is for training alone.
        weight, bias: (C,), scale and shift.
        momentum: how far the running statistics move.
        eps: added to the variance.

    Example:
        >>> x = tc.tensor([[0.0, 1.0], [4.0, 3.0]])
        >>> mean, var = tc.zeros(2), tc.ones(2)
        >>> F.batch_norm(x, mean, var, training=True)
        tensor([[-1.0000, -1.0000],
                [ 1.0000,  1.0000]])
        >>> mean, var
        (tensor([0.2000, 0.2000]), tensor([1.7000, 1.1000]))
        >>> F.batch_norm(x, tc.tensor([2.0, 2.0]), tc.tensor([4.0, 1.0]), eps=0.0)
        tensor([[-1., -1.],
                [ 1.,  1.]])
    """
    if training and input.ndim > 1 and count_along(input.shape, _channels(input.ndim)) == 1:
        raise ShapeError(
            f"batch_norm: expected more than 1 value per channel when training, got shape {list(input.shape)}"
        )
    if training and eps <= 0:
        raise RangeError(f"batch_norm: eps must be positive, got {eps}")
    return by_batch(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


def by_batch(
    input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, momentum: float | None,
    eps: float,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """What `batch_norm` gives, and the means and variances of the batch, where it takes those."""
    inexact(input.dtype, "batch_norm")
    if input.ndim < 2:
        raise DimensionError(f"batch_norm: expected at least 2 dimensions, got shape {list(input.shape)}")
    _check_channels(
        "batch_norm", input, "running_mean", "running_var",
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: running_mean and running_var must be given when not training")
        return _by_running(input, running_mean, running_var, weight, bias, eps), None, None
    count = count_along(input.shape, _channels(input.ndim))
    out, middle, variance = batch_norm_training.emit(input, weight, bias, eps=float(eps))
    if running_mean is not None:
        _blend(running_mean, middle, momentum or 0.0, "batch_norm")
    if running_var is not None:
        _blend(
            running_var,
            variance.detach() * (count / (count - 1)) if count > 1 else variance,
            momentum or 0.0,
            "batch_norm",
        )
    return out if out.dtype is input.dtype else out.to(input.dtype), middle, variance


def _by_running(input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float) -> Any:
    out = batch_norm_inference.emit(input, running_mean, running_var, weight, bias, eps=float(eps))
    return out if out.dtype is input.dtype else out.to(input.dtype)


@composite(
    rule=inexact, namespaces=(), ulp=64,
    samples=(
        {"shapes": ((3, 4, 2), (4,), (4,), (4,), (4,)), "domains": (None, None, (0.5, 2), None, None), "eps": 1e-5},
        {"shapes": ((5, 3), (3,), (3,)), "domains": (None, None, (0.5, 2)), "eps": 1e-3},
    ),
)  # fmt: skip
def batch_norm_inference(
    input: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | None = None, bias: Tensor | None = None, *,
    eps: float,
) -> Tensor:  # fmt: skip
    """(N, C, *sides) normalised per channel by the given statistics (C), scaled and shifted."""
    return batch_norm_inference.emit(input, mean, variance, weight, bias, eps=eps)


@batch_norm_inference.expression
def _batch_norm_inference(
    input: Any, mean: Any, variance: Any, weight: Any = None, bias: Any = None, *, eps: float
) -> Any:
    scale = inverse_root(variance, eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    return input * _per_channel(scale, input.ndim) + _per_channel(shift, input.ndim)


# ------------------------------------------------------------------ over groups of channels


def _normalized_rows(rows: Any, eps: float) -> tuple[Any, Any, Any]:
    return native_layer_norm.emit(rows, None, None, ndim=1, eps=float(eps))


@composite(
    rule=inexact, namespaces=(), ulp=4,
    samples=({"shapes": ((2, 3, 4), (3,), (3,))}, {"shapes": ((3, 4, 1), (4,))}, {"shapes": ((2, 3), (3,), (3,))}),
)  # fmt: skip
def channel_affine(input: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """(N, C, *sides) times ``weight`` (C) plus ``bias`` (C)."""
    if weight is not None:
        input = input * _per_channel(weight, input.ndim)
    return input if bias is None else input + _per_channel(bias, input.ndim)


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    return x if weight is None and bias is None else channel_affine.emit(x, weight, bias)


@composite(
    namespaces=_BOTH,
    ulp=64,
    samples=({"shapes": ((2, 4, 3), (4,), (4,)), "order": (0, "num_groups", 1, 2), "num_groups": 2},),
)
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """(N, C, *sides) normalised over ``num_groups`` groups of channels per sample, then scaled and shifted.

    Wu and He, Group Normalization, 2018.

    Raises:
        ShapeError: if ``num_groups`` does not divide the channels.

    Example:
        >>> F.group_norm(tc.tensor([[0.0, 2.0, 10.0, 30.0]]), 2)
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    if input.ndim < 2:
        raise ShapeError(f"group_norm: expected at least 2 dimensions, got shape {list(input.shape)}")
    batch, channels = input.shape[0], input.shape[1]
    if num_groups <= 0 or channels % num_groups:
        raise ShapeError(f"group_norm: {channels} channels cannot be divided into num_groups={num_groups}")
    _check_channels("group_norm", input, "weight", "bias", weight=weight, bias=bias)
    if input.numel() == num_groups:
        raise ShapeError(
            f"group_norm: expected more than 1 value per group, got shape {list(input.shape)} and {num_groups} groups"
        )
    rows = input.reshape((batch, num_groups, math.prod(input.shape[1:]) // num_groups))
    out = _affine(_normalized_rows(rows, eps)[0].reshape(input.shape), weight, bias)
    # Weights of float32 go with an input of 16 bits, whose dtype the result has.
    return out.to(input.dtype) if input.dtype.itemsize == 2 and out.dtype is float32 else out


@composite(
    namespaces=_F,
    ulp=64,
    operands=("input", "running_mean", "running_var", "weight", "bias"),
    samples=(
        {
            "shapes": ((2, 3, 4), (3,), (3,), (3,), (3,)),
            "domains": (None, None, (0.5, 2), None, None),
            "use_input_stats": False,
        },
    ),
)
def instance_norm(
    input: Tensor, running_mean: Tensor | None = None, running_var: Tensor | None = None, weight: Tensor | None = None,
    bias: Tensor | None = None, use_input_stats: bool = True, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor:  # fmt: skip
    """(N, C, *sides) normalised over the sides of each channel of each sample, or by the running statistics.

    The running statistics, where given, move towards the means over the batch.
    Ulyanov et al., Instance Normalization, 2016.

    Example:
        >>> F.instance_norm(tc.tensor([[[1.0, 3.0], [10.0, 50.0]]]))
        tensor([[[-1.0000,  1.0000],
                 [-1.0000,  1.0000]]])
    """
    least = 3 if use_input_stats else 2
    if input.ndim < least:
        raise ShapeError(f"instance_norm: expected at least {least} dimensions, got shape {list(input.shape)}")
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ShapeError(
            f"instance_norm: expected more than 1 element per channel when training, got shape {list(input.shape)}"
        )
    return by_instance(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)


def by_instance(
    input: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, use_input_stats: bool, momentum: float,
    eps: float,
) -> Any:  # fmt: skip
    """What `instance_norm` gives, of any number of sides."""
    if input.ndim < 2:
        raise ShapeError(f"instance_norm: expected at least 2 dimensions, got shape {list(input.shape)}")
    batch, channels = input.shape[0], input.shape[1]
    _check_channels(
        "instance_norm", input, "running_mean", "running_var", "weight", "bias",
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("instance_norm: running_mean and running_var must be given with use_input_stats=False")
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    count = math.prod(input.shape[2:])
    out, middle, rstd = _normalized_rows(input.reshape((batch * channels, count)), eps)
    if running_mean is not None:
        _blend(running_mean, middle.detach().reshape((batch, channels)).mean(0), momentum, "instance_norm")
    if running_var is not None:
        variance = 1 / (rstd.detach() * rstd.detach()) - eps
        _blend(
            running_var,
            variance.reshape((batch, channels)).mean(0) * (count / max(count - 1, 1)),
            momentum,
            "instance_norm",
        )
    return _affine(out.reshape(input.shape), weight, bias)


@composite(namespaces=_F, ulp=32, samples=({"shapes": ((2, 5, 3),), "size": 3},))
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each element over ``(k + alpha * mean of the squares of size channels around) ** beta``.

    Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, 2012, section 3.3.

    Example:
        >>> F.local_response_norm(tc.tensor([[[1.0], [2.0], [3.0]]]), 3, alpha=3.0, beta=1.0)
        tensor([[[0.1667],
                 [0.1333],
                 [0.2143]]])
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: expected at least 3 dimensions, got shape {list(input.shape)}")
    if input.numel() == 0:
        return input
    batch, channels = input.shape[0], input.shape[1]
    squares = (input * input).reshape((batch, 1, channels, math.prod(input.shape[2:])))
    padded = embedded(squares, [(size // 2, (size - 1) // 2), (0, 0)], (1, 1))
    average: Any = whole_averages if input.dtype is int64 else avg_pool.emit
    means = average(
        padded,
        kernel=(size, 1),
        stride=(1, 1),
        padding=(0, 0),
        counts=tuple(squares._array.shape[2:]),
        include_pad=True,
        divisor=None,
    )
    return input / e.pow(means.reshape(input.shape) * alpha + k, beta)
