"""Wrong gradient rules, each in the record of an op of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorcore as tc
from tensorcore import Tensor
from tensorcore.ops.record import composite
from tests.conformance.mutants.table import MUTANTS, Mutant

_ONE = ({"shapes": ((3, 4),)},)
_TWO = ({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,))}, {"shapes": ((), (3, 1))})


def rule(check: str, wrong: str, vjp: Any, samples: Any = _ONE) -> Callable[[Any], Any]:
    """Plant an op with the rule ``vjp``; it is recorded for its test alone."""

    def plant(function: Any) -> Any:
        def record() -> None:
            composite(vjp=vjp, samples=samples)(function)

        name = function.__name__
        MUTANTS[name] = Mutant(name, name, check, wrong, lambda kernel: kernel, name, record=record)
        return function

    return plant


def _part(g: Any, shape: tuple[int, ...]) -> Any:
    """A cotangent brought to an operand's shape by taking a part where it must be summed."""
    while g.ndim > len(shape):
        g = g[0]
    for dim, side in enumerate(shape):
        if side == 1:
            g = g.narrow(dim, 0, 1)
    return g


def _in_float32(g: Any, input: Any) -> Any:
    return (g.to(tc.float32) * input.cos().to(tc.float32)).to(g.dtype)


@rule("gradient/float64", "is off by 0.05 %", lambda g, y: g * (1 - y * y) * 1.0005)
def rule_slightly_off(input: Tensor) -> Tensor:
    """tanh."""
    return tc.tanh(input)


@rule("second/float64", "is right in first order and cut from the graph", lambda g, y: g * (1 - (y * y).detach()))
def rule_without_second_order(input: Tensor) -> Tensor:
    """tanh."""
    return tc.tanh(input)


@rule(
    "gradient/float64",
    "takes a part of the cotangent where operands were broadcast",
    (
        lambda g, other, input_shape: _part(g * other, input_shape),
        lambda g, input, other_shape: _part(g * input, other_shape),
    ),
    _TWO,
)
def rule_not_summed_over_broadcast(input: Tensor, other: Tensor) -> Tensor:
    """The product."""
    return input * other


@rule("gradient/float64", "has none for the second operand", (lambda g, other: g * other, None), _TWO)
def rule_missing(input: Tensor, other: Tensor) -> Tensor:
    """The product."""
    return input * other


@rule("gradient/float64", "gives the operands each other's gradient", (lambda g: -g, lambda g: g), _TWO)
def rule_swapped(input: Tensor, other: Tensor) -> Tensor:
    """The difference."""
    return input - other


@rule("gradient/float64", "computes in float32", _in_float32)
def rule_in_float32(input: Tensor) -> Tensor:
    """sin."""
    return tc.sin(input)


@rule(
    "gradient/complex128",
    "does not conjugate, which real numbers do not show",
    (lambda g, other: g * other, lambda g, input: g * input),
    _TWO,
)
def rule_unconjugated(input: Tensor, other: Tensor) -> Tensor:
    """The product."""
    return input * other


@rule("gradient/float64", "is that of the cube", lambda g, input: g * input * 3)
def rule_of_another_function(input: Tensor) -> Tensor:
    """The square."""
    return input * input


@rule("gradient/float64", "ignores the cotangent", lambda g, input: g * 0 + input.cos())
def rule_without_cotangent(input: Tensor) -> Tensor:
    """sin."""
    return tc.sin(input)


@rule("gradient/float64", "is that of the sum", lambda g, input_shape: g.expand(input_shape))
def rule_of_the_sum(input: Tensor) -> Tensor:
    """The mean of all elements."""
    return input.sum() / input.numel()


@rule("gradient/float64", "runs in the forward direction", lambda g: g.cumsum(0))
def rule_of_scan_forward(input: Tensor) -> Tensor:
    """Running sums along the first dimension."""
    return input.cumsum(0)


@rule("gradient/float64", "loses the sign of the cotangent", lambda g, y: (g * y.sign()).abs())
def rule_without_sign(input: Tensor) -> Tensor:
    """The absolute value, its sign kept."""
    return input.abs() * input.sign()


@rule("direction/complex64", "is off by 1 % in complex64 alone", lambda g, y: g * y.conj() * _one_percent(y))
def rule_in_one_dtype(input: Tensor) -> Tensor:
    """exp."""
    return tc.exp(input)


def _one_percent(y: Any) -> float:
    return 1.01 if y.dtype is tc.complex64 else 1.0
