"""The tester tested: each deliberately wrong gradient rule must be caught, with the op named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tensorcore as tc
from tensorcore import Tensor
from tensorcore.ops.record import REGISTRY, composite
from tensorcore_conformance import Judge, Limits

_ONE = ({"shapes": ((3, 4),)},)
_TWO = ({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 4), (4,))}, {"shapes": ((), (3, 1))})


def _reshaped(g: Any, shape: tuple[int, ...]) -> Any:
    """A cotangent brought to an operand's shape by taking a part where it must be summed."""
    while g.ndim > len(shape):
        g = g[0]
    for dim, side in enumerate(shape):
        if side == 1:
            g = g.narrow(dim, 0, 1)
    return g


@pytest.fixture
def ops() -> Iterator[None]:
    """Ops with wrong rules, recorded for one test."""

    @composite(vjp=lambda g, y: g * (1 - y * y) * 1.0005, samples=_ONE)
    def planted_slightly_off(input: Tensor) -> Tensor:
        """tanh, with a rule off by 0.05 %."""
        return tc.tanh(input)

    @composite(vjp=lambda g, y: g * (1 - (y * y).detach()), samples=_ONE)
    def planted_second_order(input: Tensor) -> Tensor:
        """tanh, right in first order, cut from the graph in second."""
        return tc.tanh(input)

    @composite(
        vjp=(lambda g, other, input_shape: _reshaped(g * other, input_shape),
             lambda g, input, other_shape: _reshaped(g * input, other_shape)),
        samples=_TWO
    )  # fmt: skip
    def planted_broadcast(input: Tensor, other: Tensor) -> Tensor:
        """The product, with a rule that forgets to sum over broadcast dimensions."""
        return input * other

    @composite(vjp=(lambda g, other: g * other, None), samples=_TWO)
    def planted_missing_rule(input: Tensor, other: Tensor) -> Tensor:
        """The product, without a rule for the second operand."""
        return input * other

    @composite(vjp=lambda g, input: (g.to(tc.float32) * input.cos().to(tc.float32)).to(g.dtype), samples=_ONE)
    def planted_rounded(input: Tensor) -> Tensor:
        """sin, with a rule that computes in float32."""
        return tc.sin(input)

    @composite(vjp=(lambda g, other: g * other, lambda g, input: g * input), samples=_TWO)
    def planted_unconjugated(input: Tensor, other: Tensor) -> Tensor:
        """The product, right for real numbers and wrong for complex ones."""
        return input * other

    @composite(vjp=lambda g, input: g * input * 3, samples=_ONE)
    def planted_wrong(input: Tensor) -> Tensor:
        """The square, with the gradient of something else."""
        return input * input

    yield
    for name in [name for name in REGISTRY if name.startswith("planted_")]:
        del REGISTRY[name]


@pytest.mark.parametrize(
    ("op", "case"),
    [
        ("planted_slightly_off", "gradient/float64"),
        ("planted_second_order", "second/float64"),
        ("planted_broadcast", "gradient/float64"),
        ("planted_missing_rule", "gradient/float64"),
        ("planted_rounded", "gradient/float64"),
        ("planted_unconjugated", "gradient/complex128"),
        ("planted_wrong", "gradient/float64"),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_a_wrong_rule_is_caught(op, case, device, ops):
    report = Judge(device, [op], Limits(examples=0)).examine(op)
    caught = [failure.case for failure in report.failures]
    assert any(each.startswith(case) for each in caught)
    assert op in report.explained()


def test_only_the_second_derivative_is_wrong(ops):
    report = Judge("cpu", ["planted_second_order"], Limits(examples=0)).examine("planted_second_order")
    assert {failure.case.partition("/")[0] for failure in report.failures if failure.dtype == "float64"} == {"second"}


def test_an_unconjugated_rule_is_right_for_real_numbers(ops):
    report = Judge("cpu", ["planted_unconjugated"], Limits(examples=0)).examine("planted_unconjugated")
    assert {failure.dtype for failure in report.failures} == {"complex128"}
