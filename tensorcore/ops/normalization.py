"""Normalisation by the statistics of a batch, a layer, a group or an instance.

The records return the statistics beside the result, for their gradients. Where a second derivative is asked for
the rules compute the statistics anew from the input, so that they are in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.dtypes import finfo
from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.inplace import write
from tensorcore.ops.pooling import avg_pool
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.rules import inexact
from tensorcore.ops.statistics import count_along, mean
from tensorcore.ops.windows import embedded

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_BOTH: Final = ("", "nn.functional")


def _centered(x: Any, dims: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """``x`` less its mean over ``dims``; the mean; the variance (both with sides of 1)."""
    middle = mean.emit(x, dim=dims, keepdim=True)
    centered = e.sub.emit(x, middle)
    return centered, middle, mean.emit(e.mul.emit(centered, centered), dim=dims, keepdim=True)


def _inverse_root(variance: Any, eps: float) -> Any:
    kind = variance._kind
    return e.div.emit(kind.scalar(1.0), e.sqrt.emit(e.add.emit(variance, kind.scalar(eps))))


def _input_gradient(grad: Any, unit: Any, rstd: Any, dims: tuple[int, ...]) -> Any:
    """Gradient of ``unit = (x - mean) * rstd`` to x: the part of ``grad`` along neither 1 nor ``unit``, scaled."""
    along = mean.emit(e.mul.emit(grad, unit), dim=dims, keepdim=True)
    level = mean.emit(grad, dim=dims, keepdim=True)
    return e.mul.emit(e.sub.emit(e.sub.emit(grad, level), e.mul.emit(unit, along)), rstd)


# ------------------------------------------------------------------ over a batch


def _channels(ndim: int) -> tuple[int, ...]:
    return (0, *range(2, ndim))


def _per_channel(x: Any, ndim: int) -> Any:
    return x.reshape((1, -1) + (1,) * (ndim - 2))


def _batch_rule(g: Any, y: Any, input: Any, weight: Any, bias_shape: Any, eps: float) -> tuple[Any, Any, Any]:
    middle, variance = y[1], y[2]
    if mode.grad:
        _, middle, variance = _centered(input, _channels(input.ndim))
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
    centered, middle, variance = _centered(input, _channels(ndim))
    scale = _inverse_root(variance, eps)
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
    rstd = _inverse_root(_per_channel(variance, ndim), eps)
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


def _check_channels(op: str, input: Any, **given: Any) -> None:
    channels = input.shape[1]
    for name, x in given.items():
        if x is not None and x.numel() != channels:
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
    """(N, C, *sides) normalised per channel: by the batch, moving the running statistics, or by those."""
    inexact(input.dtype, "batch_norm")
    if input.ndim < 2:
        raise ShapeError(f"batch_norm: expected at least 2 dimensions, got shape {list(input.shape)}")
    _check_channels("batch_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    if eps <= 0 and training:
        raise RangeError(f"batch_norm: eps must be positive, got {eps}")
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: running_mean and running_var must be given when not training")
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    count = count_along(input.shape, _channels(input.ndim))
    if count == 1:
        raise ShapeError(
            f"batch_norm: expected more than 1 value per channel when training, got shape {list(input.shape)}"
        )
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
    return out if out.dtype is input.dtype else out.to(input.dtype)


def _by_running(input: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any, eps: float) -> Any:
    scale = _inverse_root(running_var, float(eps))
    if weight is not None:
        scale = scale * weight
    shift = -running_mean * scale
    if bias is not None:
        shift = shift + bias
    out = input * _per_channel(scale, input.ndim) + _per_channel(shift, input.ndim)
    return out if out.dtype is input.dtype else out.to(input.dtype)


# ------------------------------------------------------------------ over the last dimensions


def _layer_rule(
    g: Any, y: Any, input: Any, weight: Any, bias_shape: Any, ndim: int, eps: float
) -> tuple[Any, Any, Any]:
    middle, rstd = y[1], y[2]
    if mode.grad:
        _, middle, variance = _centered(input, _last(input, ndim))
        rstd = _inverse_root(variance, eps)
    grads = layer_norm_gradient.emit(g[0], input, middle, rstd, weight, ndim=ndim)
    return grads[0], None if weight is None else grads[1], None if bias_shape is None else grads[2]


def _last(x: Any, ndim: int) -> tuple[int, ...]:
    total = len(x._array.shape)
    return tuple(range(total - ndim, total))


_NORMED: Final = (
    {
        "shapes": ((3, 4), (4,), (4,)),
        "order": (0, "normalized_shape", 1, 2, "eps"),
        "normalized_shape": (4,),
        "eps": 1e-5,
    },
    {
        "shapes": ((2, 3, 4), (3, 4), (3, 4)),
        "order": (0, "normalized_shape", 1, 2, "eps"),
        "normalized_shape": (3, 4),
        "eps": 1e-5,
    },
)


@composite(rule=inexact, vjp=_layer_rule, joint=True, outputs=3, namespaces=("",), ulp=64, samples=_NORMED)
def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """`layer_norm`, the means, and the inverse roots of the variances plus ``eps``."""
    sides = _normalized("layer_norm", input, normalized_shape, weight, bias)
    return native_layer_norm.emit(input, weight, bias, ndim=len(sides), eps=float(eps))


@native_layer_norm.expression
@widened
def _native_layer_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, *, ndim: int, eps: float) -> Any:
    centered, middle, variance = _centered(input, _last(input, ndim))
    rstd = _inverse_root(variance, eps)
    out = e.mul.emit(centered, rstd)
    if weight is not None:
        out = e.mul.emit(out, weight)
    if bias is not None:
        out = e.add.emit(out, bias)
    return out, middle, rstd


@composite(
    namespaces=(),
    outputs=3,
    ulp=128,
    rule=inexact,
    samples=(
        {"shapes": ((3, 4), (3, 4), (3, 1), (3, 1), (4,)), "domains": (None, None, None, (0.5, 2), None), "ndim": 1},
    ),
)
def layer_norm_gradient(
    grad: Tensor, input: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor | None, *, ndim: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `native_layer_norm` with respect to input, weight and bias."""
    return layer_norm_gradient.emit(grad, input, mean, rstd, weight, ndim=ndim)


@layer_norm_gradient.expression
@widened
def _layer_norm_gradient(grad: Any, input: Any, middle: Any, rstd: Any, weight: Any, *, ndim: int) -> Any:
    dims = _last(input, ndim)
    rows = tuple(range(len(input._array.shape) - ndim))
    dtype = grad._kind.dtype
    unit = e.mul.emit(e.sub.emit(input, middle), rstd)
    slope = sum.emit(e.mul.emit(grad, unit), dim=rows, keepdim=False, dtype=dtype)
    shift = sum.emit(grad, dim=rows, keepdim=False, dtype=dtype)
    inner = grad if weight is None else e.mul.emit(grad, weight)
    return _input_gradient(inner, unit, rstd, dims), slope, shift


def _normalized(op: str, input: Any, normalized_shape: Any, weight: Any, bias: Any) -> tuple[int, ...]:
    sides = (normalized_shape,) if hasattr(normalized_shape, "__index__") else tuple(normalized_shape)
    if not sides:
        raise ShapeError(f"{op}: normalized_shape must have at least one side")
    if tuple(input._array.shape[-len(sides) :]) != sides:
        raise ShapeError(f"{op}: input of shape {list(input.shape)} does not end with normalized_shape {list(sides)}")
    for name, x in (("weight", weight), ("bias", bias)):
        if x is not None and tuple(x._array.shape) != sides:
            raise ShapeError(f"{op}: {name} must have the shape {list(sides)}, got {list(x.shape)}")
    return sides


@composite(
    namespaces=_BOTH,
    ulp=64,
    samples=tuple(
        {**{k: v for k, v in case.items() if k != "eps"}, "order": (0, "normalized_shape", 1, 2)} for case in _NORMED
    ),
)
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """``input`` normalised over its last dimensions, of shape ``normalized_shape``, then scaled and shifted."""
    sides = _normalized("layer_norm", input, normalized_shape, weight, bias)
    out = native_layer_norm.emit(input, weight, bias, ndim=len(sides), eps=float(eps))[0]
    return out if out._kind is input._kind else out.to(input.dtype)


# ------------------------------------------------------------------ by the root of the mean square


def _rms_rule(g: Any, y: Any, input: Any, weight: Any, ndim: int, eps: float) -> tuple[Any, Any]:
    rstd = y[1]
    if mode.grad:
        rstd = _inverse_root(mean.emit(input * input, dim=_last(input, ndim), keepdim=True), eps)
    unit = input * rstd
    inner = g[0] if weight is None else g[0] * weight
    along = mean.emit(inner * unit, dim=_last(input, ndim), keepdim=True)
    # The engine sums the weight's cotangent over the rows.
    return (inner - unit * along) * rstd, None if weight is None else g[0] * unit


@composite(
    rule=inexact, vjp=_rms_rule, joint=True, outputs=2, namespaces=(), ulp=64,
    samples=({"shapes": ((3, 4), (4,)), "ndim": 1, "eps": 1e-5},),
)  # fmt: skip
def rms_norm_with_scale(input: Tensor, weight: Tensor | None = None, *, ndim: int, eps: float) -> tuple[Tensor, Tensor]:
    """`rms_norm`, and the inverse roots of the mean squares plus ``eps``."""
    return rms_norm_with_scale.emit(input, weight, ndim=ndim, eps=eps)


@rms_norm_with_scale.expression
@widened
def _rms_norm_with_scale(input: Tensor, weight: Tensor | None = None, *, ndim: int, eps: float) -> Any:
    rstd = _inverse_root(mean.emit(e.mul.emit(input, input), dim=_last(input, ndim), keepdim=True), eps)
    out = e.mul.emit(input, rstd)
    return out if weight is None else e.mul.emit(out, weight), rstd


@composite(
    namespaces=_BOTH,
    ulp=64,
    samples=({"shapes": ((3, 4), (4,)), "order": (0, "normalized_shape", 1), "normalized_shape": (4,)},),
)
def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``input`` over the root of the mean square of its last dimensions, of shape ``normalized_shape``, then scaled."""
    sides = _normalized("rms_norm", input, normalized_shape, weight, None)
    inexact(input.dtype, "rms_norm")
    small = finfo(input.dtype).eps if eps is None else float(eps)
    out = rms_norm_with_scale.emit(input, weight, ndim=len(sides), eps=small)[0]
    return out if out._kind is input._kind else out.to(input.dtype)


# ------------------------------------------------------------------ over groups of channels


def _normalized_rows(rows: Any, eps: float) -> tuple[Any, Any, Any]:
    return native_layer_norm.emit(rows, None, None, ndim=1, eps=float(eps))


def _affine(x: Any, weight: Any, bias: Any) -> Any:
    if weight is not None:
        x = x * _per_channel(weight, x.ndim)
    return x if bias is None else x + _per_channel(bias, x.ndim)


@composite(
    namespaces=_BOTH,
    ulp=64,
    samples=({"shapes": ((2, 4, 3), (4,), (4,)), "order": (0, "num_groups", 1, 2), "num_groups": 2},),
)
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """(N, C, *sides) normalised over ``num_groups`` groups of channels per sample, then scaled and shifted."""
    if input.ndim < 2:
        raise ShapeError(f"group_norm: expected at least 2 dimensions, got shape {list(input.shape)}")
    batch, channels = input.shape[0], input.shape[1]
    if num_groups <= 0 or channels % num_groups:
        raise ShapeError(f"group_norm: {channels} channels cannot be divided into num_groups={num_groups}")
    _check_channels("group_norm", input, weight=weight, bias=bias)
    if input.numel() == num_groups:
        raise ShapeError(
            f"group_norm: expected more than 1 value per group, got shape {list(input.shape)} and {num_groups} groups"
        )
    rows = input.reshape((batch, num_groups, math.prod(input.shape[1:]) // num_groups))
    return _affine(_normalized_rows(rows, eps)[0].reshape(input.shape), weight, bias)


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
    """(N, C, *sides) normalised over the sides of each channel of each sample, or by the running statistics."""
    least = 3 if use_input_stats else 2
    if input.ndim < least:
        raise ShapeError(f"instance_norm: expected at least {least} dimensions, got shape {list(input.shape)}")
    batch, channels = input.shape[0], input.shape[1]
    _check_channels(
        "instance_norm", input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("instance_norm: running_mean and running_var must be given with use_input_stats=False")
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ShapeError(
            f"instance_norm: expected more than 1 element per channel when training, got shape {list(input.shape)}"
        )
    out, middle, rstd = _normalized_rows(input.reshape((batch * channels, count)), eps)
    if running_mean is not None:
        _blend(running_mean, middle.detach().reshape((batch, channels)).mean(0), momentum, "instance_norm")
    if running_var is not None:
        variance = 1 / (rstd.detach() * rstd.detach()) - eps
        _blend(
            running_var, variance.reshape((batch, channels)).mean(0) * (count / (count - 1)), momentum, "instance_norm"
        )
    return _affine(out.reshape(input.shape), weight, bias)


@composite(namespaces=_F, ulp=32, samples=({"shapes": ((2, 5, 3),), "size": 3},))
def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each element over ``(k + alpha * mean of the squares of size channels around) ** beta``."""
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: expected at least 3 dimensions, got shape {list(input.shape)}")
    if input.numel() == 0:
        return input
    batch, channels = input.shape[0], input.shape[1]
    squares = (input * input).reshape((batch, 1, channels, math.prod(input.shape[2:])))
    padded = embedded(squares, [(size // 2, (size - 1) // 2), (0, 0)], (1, 1))
    means = avg_pool.emit(
        padded,
        kernel=(size, 1),
        stride=(1, 1),
        padding=(0, 0),
        counts=tuple(squares._array.shape[2:]),
        include_pad=True,
        divisor=None,
    )
    return input / e.pow(means.reshape(input.shape) * alpha + k, beta)
