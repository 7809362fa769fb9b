"""Activation functions. (Gradients that backends speed up are records of their own, named ``<op>_gradient``.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import FLOATING, INTEGER
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.inplace import finished
from tensorcore.ops.outputs import stored
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact, real_number

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_PUBLIC: Final = ("", "Tensor", "nn.functional")
_ONE: Final = ({"shapes": ((3, 4),)}, {"shapes": ((),)}, {"shapes": ((0, 2),)})
_PAIR: Final = ({"shapes": ((3, 4), (3, 4))},)


# ------------------------------------------------------------------ piecewise linear


@composite(
    rule=real_number, vjp=lambda g, y: relu_gradient.emit(g, y), namespaces=_PUBLIC, inplace=True, samples=_ONE, ulp=0
)
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The larger of each element and 0.

    Example:
        >>> tc.relu(tc.tensor([-2.0, 0.0, 3.0])), F.relu(tc.tensor([-1, 1]))
        (tensor([0., 0., 3.]), tensor([0, 1]))
    """
    return finished(input, relu.emit(input), inplace, "relu_")


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
    """Each element brought into [``min_val``, ``max_val``].

    Example:
        >>> F.hardtanh(tc.tensor([-2.0, 0.5, 3.0])), F.hardtanh(tc.tensor([-2.0, 0.5, 3.0]), 0.0, 2.0)
        (tensor([-1.0000,  0.5000,  1.0000]), tensor([0.0000, 0.5000, 2.0000]))
    """
    if min_val > max_val:
        raise RangeError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    if min_val < 0 and input.dtype.category == INTEGER and not input.dtype.is_signed:
        raise DTypeError(f"hardtanh: {input.dtype} has no numbers below 0, and min_val is {min_val}")
    out = hardtanh.emit(input, min_val=min_val, max_val=max_val)
    return finished(input, out, inplace, "hardtanh_")


@hardtanh.expression
def _hardtanh(input: Tensor, *, min_val: float, max_val: float) -> Tensor:
    low, high = (min_val, max_val) if input.dtype.category == FLOATING else (int(min_val), int(max_val))
    return e.minimum(e.maximum(input, low), high)


@composite(namespaces=_F, samples=_ONE, ulp=0)
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element brought into [0, 6].

    Example:
        >>> F.relu6(tc.tensor([-1.0, 3.0, 8.0]))
        tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


@composite(
    rule=inexact, vjp=lambda g, y, negative_slope: e.where(e.gt(y, 0), g, g * negative_slope), namespaces=_F,
    inplace=True, ulp=1, samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (0.3,)}),
)  # fmt: skip
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Each element; those below 0 times ``negative_slope``.

    Example:
        >>> F.leaky_relu(tc.tensor([-2.0, 0.0, 3.0]), 0.1)
        tensor([-0.2000,  0.0000,  3.0000])
    """
    if negative_slope < 0:
        # The sign of the result does not tell that of the input: differentiated as written.
        return finished(input, e.where(e.gt(input, 0), input, input * negative_slope), inplace, "leaky_relu_")
    return finished(input, leaky_relu.emit(input, negative_slope=float(negative_slope)), inplace, "leaky_relu_")


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
    """Each element; those below 0 times ``weight``, one for all or one per place of dimension 1.

    Raises:
        ShapeError: if ``weight`` has neither one element nor one per place of dimension 1.

    Example:
        >>> F.prelu(tc.tensor([[-1.0, -1.0], [2.0, -3.0]]), tc.tensor([0.1, 0.5]))
        tensor([[-0.1000, -0.5000],
                [ 2.0000, -1.5000]])
    """
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
    """``(x + 3) / 6`` brought into [0, 1].

    Example:
        >>> F.hardsigmoid(tc.tensor([-4.0, 0.0, 1.5, 4.0]))
        tensor([0.0000, 0.5000, 0.7500, 1.0000])
    """
    return finished(input, hardsigmoid.emit(input), inplace, "hardsigmoid_")


@hardsigmoid.expression
@widened
def _hardsigmoid(input: Tensor) -> Tensor:
    return e.minimum(e.maximum(input + 3, 0), 6) / 6


@composite(
    rule=inexact, namespaces=_F, inplace=True, samples=_ONE, ulp=4,
    vjp=lambda g, input: e.where(e.le(input, -3), 0, e.where(e.lt(input, 3), g * (input / 3 + 0.5), g)),
)  # fmt: skip
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times `hardsigmoid` of it.

    Example:
        >>> F.hardswish(tc.tensor([-4.0, -1.0, 1.5, 4.0]))
        tensor([-0.0000, -0.3333,  1.1250,  4.0000])
    """
    return finished(input, hardswish.emit(input), inplace, "hardswish_")


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
    """Each element outside [-``lambd``, ``lambd``]; 0 for those inside.

    Example:
        >>> F.hardshrink(tc.tensor([-2.0, -0.5, 0.3, 0.6]))
        tensor([-2.0000,  0.0000,  0.0000,  0.6000])
    """
    return hardshrink.emit(input, lambd=float(lambd))


@hardshrink.expression
def _hardshrink(input: Tensor, *, lambd: float) -> Tensor:
    return e.where(e.ge(input, -lambd) & e.le(input, lambd), 0, input)


@composite(
    rule=inexact, namespaces=_F, vjp=lambda g, y: e.where(e.eq(y, 0), 0, g), ulp=1,
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "args": (1.5,)}),
)  # fmt: skip
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Each element brought ``lambd`` nearer to 0, and to 0 from within [-``lambd``, ``lambd``].

    Raises:
        RangeError: for a negative ``lambd``.

    Example:
        >>> F.softshrink(tc.tensor([-2.0, -0.4, 0.3, 0.6]))
        tensor([-1.5000,  0.0000,  0.0000,  0.1000])
    """
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
def threshold(
    input: Tensor, threshold: float, value: float, inplace: bool = False, *, out: Tensor | None = None
) -> Tensor:  # fmt: skip
    """Each element above ``threshold``; ``value`` for the others.

    Example:
        >>> F.threshold(tc.tensor([-1.0, 0.5, 2.0]), 0.5, 20.0)
        tensor([20., 20.,  2.])
    """
    result = _THRESHOLD.emit(input, threshold=threshold, value=value)
    return finished(input, result, inplace, "threshold_") if out is None else stored("threshold", result, out)


#: The record, for the function in which the argument hides it.
_THRESHOLD: Final = threshold


@threshold.expression
def _threshold(input: Tensor, *, threshold: float, value: float) -> Tensor:
    return e.where(e.le(input, threshold), value, input).to(input.dtype)
