"""Activation functions. (Gradients that backends speed up are records of their own, named ``<op>_gradient``.)"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, INTEGER, DType
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.inplace import write
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.rules import floating, inexact, number, real_number
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_PUBLIC: Final = ("", "Tensor", "nn.functional")
_ONE: Final = ({"shapes": ((3, 4),)}, {"shapes": ((),)}, {"shapes": ((0, 2),)})
_PAIR: Final = ({"shapes": ((3, 4), (3, 4))},)


def _from_number(dtype: DType, op: str) -> tuple[DType, DType]:
    """As the rule `floating`, without bool."""
    return floating(number(dtype, op)[0], op)


def _done(input: Any, result: Any, inplace: bool, op: str) -> Any:
    return write(input, result, op) if inplace else result


# ------------------------------------------------------------------ piecewise linear


@composite(
    rule=real_number, vjp=lambda g, y: relu_gradient.emit(g, y), namespaces=_PUBLIC, inplace=True, samples=_ONE, ulp=0
)
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The larger of each element and 0."""
    return _done(input, relu.emit(input), inplace, "relu_")


@relu.expression
def _relu(input: Tensor) -> Tensor:
    return e.maximum.emit(input, input._kind.scalar(0))


@composite(namespaces=(), samples=_PAIR, ulp=0)
def relu_gradient(grad: Tensor, output: Tensor) -> Tensor:
    """``grad`` where ``output`` is above 0, else 0."""
    return relu_gradient.emit(grad, output)


@relu_gradient.expression
def _relu_gradient(grad: Tensor, output: Tensor) -> Tensor:
    return e.where.emit(e.le.emit(output, output._kind.scalar(0)), 0, grad)


def _hardtanh_rule(g: Any, y: Any, min_val: float, max_val: float) -> Any:
    return e.where(e.gt(y, min_val) & e.lt(y, max_val), g, 0)


@composite(
    rule=real_number, vjp=_hardtanh_rule, namespaces=_F, inplace=True, ulp=0,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (-2.0, 0.5)}),
)  # fmt: skip
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element brought into [``min_val``, ``max_val``]."""
    if min_val > max_val:
        raise RangeError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    if min_val < 0 and input.dtype.category == INTEGER and not input.dtype.is_signed:
        raise DTypeError(f"hardtanh: {input.dtype} has no numbers below 0, and min_val is {min_val}")
    out = hardtanh.emit(input, min_val=min_val, max_val=max_val)
    return _done(input, out, inplace, "hardtanh_")


@hardtanh.expression
def _hardtanh(input: Tensor, *, min_val: float, max_val: float) -> Tensor:
    low, high = (min_val, max_val) if input.dtype.category == FLOATING else (int(min_val), int(max_val))
    return e.minimum(e.maximum(input, low), high)


@composite(namespaces=_F, samples=_ONE, ulp=0)
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element brought into [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


@composite(
    rule=inexact, vjp=lambda g, y, negative_slope: e.where(e.gt(y, 0), g, g * negative_slope), namespaces=_F,
    inplace=True, ulp=1, samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (0.3,)}),
)  # fmt: skip
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Each element; those below 0 times ``negative_slope``."""
    if negative_slope < 0:
        # The sign of the result does not tell that of the input: differentiated as written.
        return _done(input, e.where(e.gt(input, 0), input, input * negative_slope), inplace, "leaky_relu_")
    return _done(input, leaky_relu.emit(input, negative_slope=float(negative_slope)), inplace, "leaky_relu_")


@leaky_relu.expression
def _leaky_relu(input: Tensor, *, negative_slope: float) -> Tensor:
    return e.where(e.gt(input, 0), input, input * negative_slope)


@composite(
    rule=inexact,
    namespaces=("", "Tensor", "nn.functional"),
    ulp=1,
    vjp=(
        lambda g, input, weight: e.where(e.gt(input, 0), g, g * weight),
        lambda g, input: e.where(e.gt(input, 0), 0, g * input),
    ),
    samples=({"shapes": ((2, 3, 4), (3,))}, {"shapes": ((5,), (1,))}),
)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Each element; those below 0 times ``weight``, one for all or one per place of dimension 1."""
    count = weight.numel()
    if weight.ndim > 1:
        raise ShapeError(f"prelu: weight must have at most 1 dimension, got shape {list(weight.shape)}")
    if input.dtype is not weight.dtype:
        raise DTypeError(f"prelu: input and weight must have one dtype, got {input.dtype} and {weight.dtype}")
    if count == 1:
        return prelu.emit(input, weight.reshape((1,) * input.ndim))
    channels = input.shape[1] if input.ndim > 1 else 1
    if input.ndim == 0 or count != channels:
        raise ShapeError(
            f"prelu: {count} weights for input of shape {list(input.shape)}; expected 1, or one per channel: {channels}"
        )
    return prelu.emit(input, weight.reshape((1, -1) + (1,) * (input.ndim - 2)))


@prelu.expression
def _prelu(input: Tensor, weight: Tensor) -> Tensor:
    return e.where(e.gt(input, 0), input, input * weight)


@composite(
    rule=inexact, vjp=lambda g, y: e.where(e.gt(y, 0) & e.lt(y, 1), g * (1 / 6), 0), namespaces=_F, inplace=True,
    samples=_ONE, ulp=4,
)  # fmt: skip
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``(x + 3) / 6`` brought into [0, 1]."""
    return _done(input, hardsigmoid.emit(input), inplace, "hardsigmoid_")


@hardsigmoid.expression
@widened
def _hardsigmoid(input: Tensor) -> Tensor:
    return e.minimum(e.maximum(input + 3, 0), 6) / 6


@composite(
    rule=inexact, namespaces=_F, inplace=True, samples=_ONE, ulp=4,
    vjp=lambda g, input: e.where(e.le(input, -3), 0, e.where(e.lt(input, 3), g * (input / 3 + 0.5), g)),
)  # fmt: skip
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times `hardsigmoid` of it."""
    return _done(input, hardswish.emit(input), inplace, "hardswish_")


@hardswish.expression
@widened
def _hardswish(input: Tensor) -> Tensor:
    return input * e.minimum(e.maximum(input + 3, 0), 6) / 6


@composite(
    rule=inexact,
    namespaces=("", "Tensor", "nn.functional"),
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (1.5,)}),
    vjp=lambda g, input, lambd: e.where(e.ge(input, -lambd) & e.le(input, lambd), 0, g),
    ulp=0,
)
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Each element outside [-``lambd``, ``lambd``]; 0 for those inside."""
    return hardshrink.emit(input, lambd=float(lambd))


@hardshrink.expression
def _hardshrink(input: Tensor, *, lambd: float) -> Tensor:
    return e.where(e.ge(input, -lambd) & e.le(input, lambd), 0, input)


@composite(
    rule=inexact, namespaces=_F, vjp=lambda g, y: e.where(e.eq(y, 0), 0, g), ulp=1,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (1.5,)}),
)  # fmt: skip
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Each element brought ``lambd`` nearer to 0, and to 0 from within [-``lambd``, ``lambd``]."""
    if lambd < 0:
        raise RangeError(f"softshrink: lambd must not be negative, got {lambd}")
    return softshrink.emit(input, lambd=float(lambd))


@softshrink.expression
def _softshrink(input: Tensor, *, lambd: float) -> Tensor:
    # Below the middle: 0, but NaN for NaN.
    return e.where(
        e.gt(input, lambd),
        input - lambd,
        e.where(e.lt(input, -lambd), input + lambd, e.where(e.eq(input, input), 0, input)),
    )


@composite(
    rule=real_number, vjp=lambda g, input, threshold: e.where(e.le(input, threshold), 0, g), ulp=0,
    namespaces=("", "nn.functional"), inplace=True, samples=({"shapes": ((3, 4),), "args": (0.5, 2.0)},),
)  # fmt: skip
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Each element above ``threshold``; ``value`` for the others."""
    out = _THRESHOLD.emit(input, threshold=threshold, value=value)
    return _done(input, out, inplace, "threshold_")


#: The record, for the function in which the argument hides it.
_THRESHOLD: Final = threshold


@threshold.expression
def _threshold(input: Tensor, *, threshold: float, value: float) -> Tensor:
    return e.where(e.le(input, threshold), value, input).to(input.dtype)


# ------------------------------------------------------------------ exponential


@composite(
    rule=floating,
    vjp=lambda g, y: sigmoid_gradient.emit(g, y),
    namespaces=_PUBLIC,
    aliases=("special.expit",),
    inplace=True,
    samples=_ONE,
    ulp=4,
)
def sigmoid(input: Tensor) -> Tensor:
    """Logistic function of each element, ``1 / (1 + exp(-x))``."""
    return sigmoid.emit(input)


@sigmoid.expression
@widened
def _sigmoid(input: Tensor) -> Tensor:
    one = input._kind.scalar(1)
    return e.div.emit(one, e.add.emit(e.exp.emit(e.neg.emit(input)), one))


@composite(namespaces=(), samples=_PAIR)
def sigmoid_gradient(grad: Tensor, output: Tensor) -> Tensor:
    """``grad * output * (1 - output)``."""
    return grad * e.conj(output * (1 - output))


@composite(rule=inexact, vjp=lambda g, input: g * sigmoid.emit(-input), namespaces=_F, samples=_ONE, ulp=4)
def logsigmoid(input: Tensor) -> Tensor:
    """Logarithm of the sigmoid of each element."""
    return logsigmoid.emit(input)


@logsigmoid.expression
@widened
def _logsigmoid(input: Tensor) -> Tensor:
    return e.minimum(input, 0) - e.log1p(e.exp(-e.abs(input)))


@composite(
    rule=inexact, vjp=lambda g, input: silu_gradient.emit(g, input), namespaces=_F, inplace=True, samples=_ONE, ulp=4
)
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times its sigmoid."""
    return _done(input, silu.emit(input), inplace, "silu_")


@silu.expression
@widened
def _silu(input: Tensor) -> Tensor:
    return e.div.emit(input, e.add.emit(e.exp.emit(e.neg.emit(input)), input._kind.scalar(1)))


@composite(namespaces=(), samples=_PAIR)
def silu_gradient(grad: Tensor, input: Tensor) -> Tensor:
    """``grad`` times the derivative of `silu` at ``input``."""
    return silu_gradient.emit(grad, input)


@silu_gradient.expression
@widened
def _silu_gradient(grad: Tensor, input: Tensor) -> Tensor:
    s = sigmoid(input)
    return grad * (s * (1 + input * (1 - s)))


@composite(
    rule=inexact, namespaces=_F, ulp=4, samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (2.0, 1.0)}),
    vjp=lambda g, input, beta, threshold: e.where(e.gt(input * beta, threshold), g, g * sigmoid.emit(input * beta)),
)  # fmt: skip
def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """``log(1 + exp(beta * x)) / beta`` of each element; itself where ``beta * x`` exceeds ``threshold``."""
    return softplus.emit(input, beta=float(beta), threshold=float(threshold))


@softplus.expression
@widened
def _softplus(input: Tensor, *, beta: float, threshold: float) -> Tensor:
    scaled = input if beta == 1 else input * beta
    soft = e.log1p(e.exp(scaled))
    return e.where(e.gt(scaled, threshold), input, soft if beta == 1 else soft / beta)


def _mish_rule(g: Any, input: Any) -> Any:
    t = e.tanh(softplus(input))
    return g * (t + input * sigmoid(input) * (1 - t * t))


@composite(rule=inexact, vjp=_mish_rule, namespaces=_F, inplace=True, samples=_ONE, ulp=8)
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times the tanh of its softplus."""
    return _done(input, mish.emit(input), inplace, "mish_")


@mish.expression
@widened
def _mish(input: Tensor) -> Tensor:
    return input * e.tanh(softplus(input))


def _elu_rule(g: Any, y: Any, alpha: float, scale: float, input_scale: float) -> Any:
    bent = y * input_scale + alpha * scale * input_scale
    return g * e.where(e.gt(y, 0), scale, bent)


@composite(
    rule=inexact,
    vjp=_elu_rule,
    namespaces=_F,
    inplace=True,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (2.0,)}),
    ulp=4,
)
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element; ``alpha * (exp(x) - 1)`` for those below 0."""
    return _elu_like(input, float(alpha), 1.0, 1.0, inplace, "elu_")


def _elu_like(input: Any, alpha: float, scale: float, input_scale: float, inplace: bool, op: str) -> Any:
    if alpha < 0:
        # The sign of the result does not tell that of the input: differentiated as written.
        low = e.minimum(input, 0) * input_scale
        return _done(input, e.where(e.gt(input, 0), input * scale, e.expm1(low) * (alpha * scale)), inplace, op)
    return _done(input, elu.emit(input, alpha=alpha, scale=scale, input_scale=input_scale), inplace, op)


@elu.expression
@widened
def _elu(input: Tensor, *, alpha: float, scale: float, input_scale: float) -> Tensor:
    low = e.minimum(input, 0)
    bent = e.expm1(low if input_scale == 1 else low * input_scale)
    factor = alpha * scale
    return e.where(e.gt(input, 0), input if scale == 1 else input * scale, bent if factor == 1 else bent * factor)


#: Klambauer et al., Self-Normalizing Neural Networks, 2017, equation 14.
SELU_ALPHA: Final = 1.6732632423543772848170429916717
SELU_SCALE: Final = 1.0507009873554804934193349852946


@composite(namespaces=("", "nn.functional"), inplace=True, samples=_ONE)
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` with the scale and alpha under which activations normalise themselves."""
    return _elu_like(input, SELU_ALPHA, SELU_SCALE, 1.0, inplace, "selu_")


@composite(
    namespaces=("", "nn.functional"),
    inplace=True,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (2.0,)}),
)
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element; ``alpha * (exp(x / alpha) - 1)`` for those below 0."""
    if alpha == 0:
        raise RangeError("celu: alpha must not be 0")
    return _elu_like(input, float(alpha), 1.0, 1.0 / alpha, inplace, "celu_")


@composite(
    rule=inexact,
    vjp=lambda g, input, approximate: gelu_gradient.emit(g, input, approximate=approximate),
    namespaces=_F,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "approximate": "tanh"}),
    ulp=8,
)
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """Each element times the standard normal distribution function at it; with ``"tanh"``, approximated."""
    if approximate not in ("none", "tanh"):
        raise RangeError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return gelu.emit(input, approximate=approximate)


_ROOT_2_OVER_PI: Final = math.sqrt(2 / math.pi)


@gelu.expression
@widened
def _gelu(input: Tensor, *, approximate: str) -> Tensor:
    from tensorcore.ops.error_function import normal_share

    if approximate == "tanh":
        inner = (input + input * input * input * 0.044715) * _ROOT_2_OVER_PI
        return input * 0.5 * (e.tanh(inner) + 1)
    return input * normal_share(input)


@composite(
    namespaces=(),
    samples=({"shapes": ((3, 4), (3, 4)), "approximate": "none"}, {"shapes": ((3, 4), (3, 4)), "approximate": "tanh"}),
    ulp=8,
)
def gelu_gradient(grad: Tensor, input: Tensor, *, approximate: str) -> Tensor:
    """``grad`` times the derivative of `gelu` at ``input``."""
    return gelu_gradient.emit(grad, input, approximate=approximate)


@gelu_gradient.expression
@widened
def _gelu_gradient(grad: Tensor, input: Tensor, *, approximate: str) -> Tensor:
    from tensorcore.ops.error_function import normal_share

    square = input * input
    if approximate == "tanh":
        t = e.tanh((input + square * input * 0.044715) * _ROOT_2_OVER_PI)
        slope = (square * (3 * 0.044715) + 1) * _ROOT_2_OVER_PI
        return grad * ((t + 1) * 0.5 + input * 0.5 * (1 - t * t) * slope)
    density = e.exp(square * -0.5) * (1 / math.sqrt(2 * math.pi))
    return grad * (normal_share(input) + input * density)


@composite(namespaces=_F, samples=_ONE, rule=_from_number)
def tanhshrink(input: Tensor) -> Tensor:
    """Each element less its tanh."""
    return input - e.tanh(input)


@composite(namespaces=_F, samples=_ONE, rule=_from_number)
def softsign(input: Tensor) -> Tensor:
    """Each element over 1 plus its absolute value."""
    return input / (e.abs(input) + 1)


@composite(namespaces=_F, samples=({"shapes": ((3, 4),)}, {"shapes": ((4, 3),), "dim": 0}))
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim`` times the sigmoid of the second."""
    if input.ndim == 0:
        raise ShapeError("glu: expected at least 1 dimension, got a 0-d tensor")
    place = normalize_dim(dim, input.ndim, "glu")
    side = input.shape[place]
    if side % 2:
        raise ShapeError(
            f"glu: the side to halve must be even, got {side} at dimension {dim} of shape {list(input.shape)}"
        )
    inexact(input.dtype, "glu")
    first, second = input.narrow(place, 0, side // 2), input.narrow(place, side // 2, side // 2)
    return first * sigmoid(second)
