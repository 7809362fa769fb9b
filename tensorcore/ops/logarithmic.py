"""Products with logarithms that are 0 where the first factor is, and the logarithm of the odds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.ops import elementwise as e
from tensorcore.ops.arithmetic import clamp
from tensorcore.ops.record import composite
from tensorcore.ops.rules import real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_FACTORS: Final = (
    {"shapes": ((3, 4), (3, 4)), "domains": (None, (0.1, 8))},
    {"shapes": ((3, 1), (4,)), "domains": (None, (0.1, 8))},
)


def _times(factor: Any, other: Any, logarithm: Any, neutral: float) -> Any:
    """``factor * logarithm(other)``, and 0 where the factor is 0 and ``other`` no NaN."""
    zero = e.eq(factor, 0) & e.eq(other, other)
    return e.where(zero, 0.0, factor * logarithm(e.where(zero, neutral, other)))


@composite(
    rule=real_floating, aliases=("special.xlogy",), inplace=True, samples=_FACTORS,
    vjp=(
        lambda g, input, other: g * e.where(e.eq(input, 0) & e.le(other, 0), 0.0, e.log(other)),
        lambda g, input, other: g * input / other,
    ),
)  # fmt: skip
def xlogy(input: Tensor, other: Tensor) -> Tensor:
    """``input * log(other)``, and 0 where ``input`` is 0 and ``other`` no NaN.

    >>> tc.xlogy(tc.tensor([0.0, 1.0, 2.0]), tc.tensor([0.0, 0.0, 3.0]))
    tensor([0.0000,   -inf, 2.1972])
    """
    return xlogy.emit(input, other)


@xlogy.expression
def _xlogy(input: Tensor, other: Tensor) -> Tensor:
    return _times(input, other, e.log, 1.0)


@composite(
    rule=real_floating, namespaces=("special",), samples=_FACTORS,
    vjp=(
        lambda g, input, other: g * e.where(e.eq(input, 0) & e.le(other, -1), 0.0, e.log1p(other)),
        lambda g, input, other: g * input / (other + 1),
    ),
)  # fmt: skip
def special_xlog1py(input: Tensor, other: Tensor) -> Tensor:
    """``input * log1p(other)``, and 0 where ``input`` is 0 and ``other`` no NaN.

    >>> tc.special.xlog1py(tc.tensor([0.0, 1.0, 2.0]), tc.tensor([-1.0, -1.0, 3.0]))
    tensor([0.0000,   -inf, 2.7726])
    """
    return special_xlog1py.emit(input, other)


@special_xlog1py.expression
def _xlog1py(input: Tensor, other: Tensor) -> Tensor:
    return _times(input, other, e.log1p, 0.0)


@composite(
    rule=real_floating, namespaces=("special",), vjp=lambda g, input: -g * (e.log(input) + 1),
    samples=({"shapes": ((3, 4),), "domains": ((0.1, 4),)}, {"shapes": ((),), "domains": ((0.1, 4),)}), ulp=5,
)  # fmt: skip
def special_entr(input: Tensor) -> Tensor:
    """Entropy of each element, ``-x * log(x)``: 0 at 0, negative infinity below.

    >>> tc.special.entr(tc.tensor([-0.5, 0.0, 0.5]))
    tensor([  -inf, 0.0000, 0.3466])
    """
    return special_entr.emit(input)


@special_entr.expression
def _entr(input: Tensor) -> Tensor:
    size = e.where(e.gt(input, 0), input, 1.0)
    inner = e.where(e.gt(input, 0), -input * e.log(size), e.where(e.lt(input, 0), -math.inf, input * 0.0))
    return e.where(e.eq(input, 0), 0.0, inner)


def _logit_rule(g: Any, input: Any, eps: float | None) -> Any:
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    inside = e.ge(input, low) & e.le(input, high)
    return e.where(inside, g / (input * (1 - input)), math.nan if eps is None else 0.0)


@composite(
    rule=real_floating, vjp=_logit_rule, aliases=("special.logit",), inplace=True, ulp=8,
    samples=({"shapes": ((3, 4),), "domains": ((0.1, 0.9),)}, {"shapes": ((3, 4),), "domains": ((0, 1),), "eps": 0.2}),
)  # fmt: skip
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))``, NaN outside [0, 1]; with ``eps``, of x clamped to [eps, 1 - eps].

    >>> tc.logit(tc.tensor([0.0, 0.5, 0.9]))
    tensor([  -inf, 0.0000, 2.1972])
    """
    return logit.emit(input, eps=None if eps is None or eps < 0 else float(eps))


@logit.expression
def _logit(input: Tensor, *, eps: float | None) -> Tensor:
    x = input if eps is None else clamp(input, eps, 1 - eps)
    # The odds are rounded near 1, where their logarithm is small; what they exceed 1 by is not.
    return e.where(e.lt(e.abs(x - 0.5), 0.25), e.log1p((x * 2 - 1) / (1 - x)), e.log(x / (1 - x)))
