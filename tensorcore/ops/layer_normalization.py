"""Normalisation over the last dimensions: by mean and variance, or by the root of the mean square.

The records return the statistics beside the result, as those of `normalization` do, and for the same reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode
from tensorcore.dtypes import finfo
from tensorcore.errors import ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import sum
from tensorcore.ops.rules import inexact
from tensorcore.ops.statistics import mean

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_BOTH: Final = ("", "nn.functional")


def moments(x: Any, dims: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """``x`` less its mean over ``dims``; the mean; the variance (both with sides of 1)."""
    middle = mean.emit(x, dim=dims, keepdim=True)
    centered = e.sub.emit(x, middle)
    return centered, middle, mean.emit(e.mul.emit(centered, centered), dim=dims, keepdim=True)


def inverse_root(variance: Any, eps: float) -> Any:
    kind = variance._kind
    return e.div.emit(kind.scalar(1.0), e.sqrt.emit(e.add.emit(variance, kind.scalar(eps))))


def input_gradient(grad: Any, unit: Any, rstd: Any, dims: tuple[int, ...]) -> Any:
    """Gradient of ``unit = (x - mean) * rstd`` to x: the part of ``grad`` along neither 1 nor ``unit``, scaled."""
    along = mean.emit(e.mul.emit(grad, unit), dim=dims, keepdim=True)
    level = mean.emit(grad, dim=dims, keepdim=True)
    return e.mul.emit(e.sub.emit(e.sub.emit(grad, level), e.mul.emit(unit, along)), rstd)


# ------------------------------------------------------------------ over the last dimensions


def _layer_rule(
    g: Any, y: Any, input: Any, weight: Any, bias_shape: Any, ndim: int, eps: float
) -> tuple[Any, Any, Any]:
    middle, rstd = y[1], y[2]
    if mode.grad:
        _, middle, variance = moments(input, _last(input, ndim))
        rstd = inverse_root(variance, eps)
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
    """`layer_norm`, the means, and the inverse roots of the variances plus ``eps``, through which no gradients flow.

    Raises:
        ShapeError: if ``input`` does not end with ``normalized_shape``, or weight or bias are not of it.

    Example:
        >>> tc.native_layer_norm(tc.tensor([[1.0, 3.0]]), (2,), None, None, 0.0)
        (tensor([[-1.,  1.]]), tensor([[2.]]), tensor([[1.]]))
    """
    sides = _normalized("native_layer_norm", input, normalized_shape, weight, bias)
    out, *statistics = native_layer_norm.emit(input, weight, bias, ndim=len(sides), eps=float(eps))
    # Statistics are of the dtype of what scales, or the input's, and no part of the graph.
    kind = next((x.dtype for x in (weight, bias) if x is not None), input.dtype)
    return (out.to(input.dtype), *(x.detach().to(kind) for x in statistics))


@native_layer_norm.expression
@widened
def _native_layer_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, *, ndim: int, eps: float) -> Any:
    centered, middle, variance = moments(input, _last(input, ndim))
    rstd = inverse_root(variance, eps)
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
    return input_gradient(inner, unit, rstd, dims), slope, shift


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
    """``input`` normalised over its last dimensions, of shape ``normalized_shape``, then scaled and shifted.

    Raises:
        ShapeError: if ``input`` does not end with ``normalized_shape``, or weight or bias are not of it.
        DTypeError: for anything but real floating-point numbers.

    Example:
        >>> F.layer_norm(tc.tensor([[1.0, 3.0], [10.0, 30.0]]), (2,), weight=tc.tensor([1.0, 2.0]))
        tensor([[-1.0000,  2.0000],
                [-1.0000,  2.0000]])
    """
    sides = _normalized("layer_norm", input, normalized_shape, weight, bias)
    out = native_layer_norm.emit(input, weight, bias, ndim=len(sides), eps=float(eps))[0]
    return out if out._kind is input._kind else out.to(input.dtype)


# ------------------------------------------------------------------ by the root of the mean square


def _rms_rule(g: Any, y: Any, input: Any, weight: Any, ndim: int, eps: float) -> tuple[Any, Any]:
    rstd = y[1]
    if mode.grad:
        rstd = inverse_root(mean.emit(input * input, dim=_last(input, ndim), keepdim=True), eps)
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
    rstd = inverse_root(mean.emit(e.mul.emit(input, input), dim=_last(input, ndim), keepdim=True), eps)
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
    """``input`` over the root of the mean square of its last dimensions, of shape ``normalized_shape``, then scaled.

    ``eps`` is by default the machine epsilon of the dtype.
    Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.

    Raises:
        ShapeError: if ``input`` does not end with ``normalized_shape``, or weight is not of it.

    Example:
        >>> F.rms_norm(tc.tensor([[3.0, 4.0], [0.0, 0.0]]), (2,))
        tensor([[0.8485, 1.1314],
                [0.0000, 0.0000]])
    """
    sides = _normalized("rms_norm", input, normalized_shape, weight, None)
    inexact(input.dtype, "rms_norm")
    small = finfo(input.dtype).eps if eps is None else float(eps)
    out = rms_norm_with_scale.emit(input, weight, ndim=len(sides), eps=small)[0]
    return out if out._kind is input._kind else out.to(input.dtype)
