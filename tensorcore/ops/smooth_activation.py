"""Smooth activations: the logistic function and what is made of exponentials and products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.errors import RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.inplace import finished
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.rules import floating, floating_number, inexact
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_PUBLIC: Final = ("", "Tensor", "nn.functional")
_ONE: Final = ({"shapes": ((3, 4),)}, {"shapes": ((),)}, {"shapes": ((0, 2),)})
_PAIR: Final = ({"shapes": ((3, 4), (3, 4))},)


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
    """Logistic function of each element, ``1 / (1 + exp(-x))``.

    Example:
        >>> tc.sigmoid(tc.tensor([-200.0, 0.0, 1.0])), tc.sigmoid(tc.tensor([2]))
        (tensor([0.0000, 0.5000, 0.7311]), tensor([0.8808]))
    """
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
    """Logarithm of the sigmoid of each element.

    Example:
        >>> F.logsigmoid(tc.tensor([-200.0, 0.0, 2.0]))
        tensor([-2.0000e+02, -6.9315e-01, -1.2693e-01])
    """
    return logsigmoid.emit(input)


@logsigmoid.expression
@widened
def _logsigmoid(input: Tensor) -> Tensor:
    return e.minimum(input, 0) - e.log1p(e.exp(-e.abs(input)))


@composite(
    rule=inexact, vjp=lambda g, input: silu_gradient.emit(g, input), namespaces=_F, inplace=True, samples=_ONE, ulp=4
)
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times its sigmoid.

    Example:
        >>> F.silu(tc.tensor([-1.0, 0.0, 2.0]))
        tensor([-0.2689,  0.0000,  1.7616])
    """
    return finished(input, silu.emit(input), inplace, "silu_")


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
    """``log(1 + exp(beta * x)) / beta`` of each element; itself where ``beta * x`` exceeds ``threshold``.

    Example:
        >>> F.softplus(tc.tensor([-1.0, 0.0, 30.0])), F.softplus(tc.tensor([0.0]), beta=2)
        (tensor([ 0.3133,  0.6931, 30.0000]), tensor([0.3466]))
    """
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
    """Each element times the tanh of its softplus.

    Example:
        >>> F.mish(tc.tensor([-1.0, 0.0, 2.0]))
        tensor([-0.3034,  0.0000,  1.9440])
    """
    return finished(input, mish.emit(input), inplace, "mish_")


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
    """Each element; ``alpha * (exp(x) - 1)`` for those below 0.

    Example:
        >>> F.elu(tc.tensor([-1.0, 0.0, 2.0])), F.elu(tc.tensor([-1.0]), alpha=0.5)
        (tensor([-0.6321,  0.0000,  2.0000]), tensor([-0.3161]))
    """
    return _elu_like(input, float(alpha), 1.0, 1.0, inplace, "elu_")


def _elu_like(input: Any, alpha: float, scale: float, input_scale: float, inplace: bool, op: str) -> Any:
    if alpha < 0:
        # The sign of the result does not tell that of the input: differentiated as written.
        low = e.minimum(input, 0) * input_scale
        return finished(input, e.where(e.gt(input, 0), input * scale, e.expm1(low) * (alpha * scale)), inplace, op)
    return finished(input, elu.emit(input, alpha=alpha, scale=scale, input_scale=input_scale), inplace, op)


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
    """`elu` with the scale and alpha under which activations normalise themselves.

    Klambauer et al., Self-Normalizing Neural Networks, 2017.

    Example:
        >>> F.selu(tc.tensor([-1.0, 0.0, 2.0]))
        tensor([-1.1113,  0.0000,  2.1014])
    """
    return _elu_like(input, SELU_ALPHA, SELU_SCALE, 1.0, inplace, "selu_")


@composite(
    namespaces=("", "nn.functional"),
    inplace=True,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (2.0,)}),
)
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Each element; ``alpha * (exp(x / alpha) - 1)`` for those below 0.

    Raises:
        RangeError: for an ``alpha`` of 0.

    Example:
        >>> F.celu(tc.tensor([-1.0, 0.0, 2.0]), alpha=2.0)
        tensor([-0.7869,  0.0000,  2.0000])
    """
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
    """Each element times the standard normal distribution function at it; with ``"tanh"``, approximated.

    Raises:
        RangeError: if ``approximate`` is neither ``"none"`` nor ``"tanh"``.

    Example:
        >>> F.gelu(tc.tensor([-1.0, 0.0, 2.0])), F.gelu(tc.tensor([2.0]), approximate="tanh")
        (tensor([-0.1587,  0.0000,  1.9545]), tensor([1.9546]))
    """
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


@composite(namespaces=_F, samples=_ONE, rule=floating_number)
def tanhshrink(input: Tensor) -> Tensor:
    """Each element less its tanh.

    Example:
        >>> F.tanhshrink(tc.tensor([-1.0, 0.0, 2.0]))
        tensor([-0.2384,  0.0000,  1.0360])
    """
    return input - e.tanh(input)


@composite(namespaces=_F, samples=_ONE, rule=floating_number)
def softsign(input: Tensor) -> Tensor:
    """Each element over 1 plus its absolute value.

    Example:
        >>> F.softsign(tc.tensor([-1.0, 0.0, 3.0]))
        tensor([-0.5000,  0.0000,  0.7500])
    """
    return input / (e.abs(input) + 1)


@composite(namespaces=_F, samples=({"shapes": ((3, 4),)}, {"shapes": ((4, 3),), "dim": 0}))
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim`` times the sigmoid of the second.

    Raises:
        ShapeError: if the side at ``dim`` is odd.

    Example:
        >>> F.glu(tc.tensor([1.0, 2.0, 0.0, 1.0]))
        tensor([0.5000, 1.4621])
    """
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
