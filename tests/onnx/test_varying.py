"""Numbers that differ between runs: arithmetic, and how they follow from sides."""

from __future__ import annotations

import math

import pytest

from tensorcore.onnx.errors import SymbolicValueError
from tensorcore.onnx.varying import Repeated, Unlike, Varying, fit, fit_float, merge, vary

BATCH, TIME, WIDTH = (2, 3, 2, 2, 5), (8, 8, 9, 16, 16), (10, 10, 10, 10, 11)
SIDES = [BATCH, TIME, WIDTH]


def value(expression, run):
    kind, *rest = expression
    if kind == "side":
        return SIDES[rest[0]][run]
    if kind == "number":
        return rest[0]
    a, b = (value(each, run) for each in rest)
    return {"Add": a + b, "Sub": a - b, "Mul": a * b, "Div": a // b if b else 0}[kind]


@pytest.mark.parametrize(
    "follows",
    [
        lambda b, t, w: t, lambda b, t, w: 3 * b, lambda b, t, w: b * t, lambda b, t, w: t // 2,
        lambda b, t, w: (t + 1) // 2, lambda b, t, w: (t - 1) // 2 + 1, lambda b, t, w: 2 * t - 3,
        lambda b, t, w: b * t * w, lambda b, t, w: 16 * b * t, lambda b, t, w: b + t, lambda b, t, w: t - b,
        lambda b, t, w: t + w - 1, lambda b, t, w: 3 * t // 2, lambda b, t, w: -b, lambda b, t, w: b * b,
        lambda b, t, w: t // b,
    ],
)  # fmt: skip
def test_fit(follows):
    wanted = tuple(follows(*each) for each in zip(*SIDES, strict=True))
    found = fit(wanted, SIDES)
    assert found is not None and tuple(value(found, run) for run in range(len(BATCH))) == wanted


def test_what_does_not_follow():
    assert fit((7, 1, 90, 3, 4), SIDES) is None
    assert fit_float((0.3, 0.1, 7.7, 2.5, 1.1), SIDES) is None


@pytest.mark.parametrize("follows", [lambda b: 1 / b, lambda b: b**-0.5, lambda b: math.sqrt(3 * b), lambda b: b - 1.0])
def test_fit_of_floats(follows):
    wanted = tuple(map(follows, BATCH))
    inverted, rooted, found = fit_float(wanted, SIDES)
    for run, number in enumerate(wanted):
        made = value(found, run) ** (0.5 if rooted else 1)
        assert math.isclose(1 / made if inverted else made, number, rel_tol=1e-6)


def test_arithmetic():
    x = Varying((2, 3))
    assert (x * 2 + 1).values == (5, 7) and (10 - x).values == (8, 7) and (-x).values == (-2, -3)
    assert x - x == 0 and x // x == 1 and x / x == 1 and vary((4, 4)) == 4
    assert x < 5 and not x > 3
    with pytest.raises(SymbolicValueError, match="2 or 3 with 3"):
        bool(x < 3)


def test_merge():
    assert merge([(1, 2), (1, 2)]) == (1, 2)
    assert merge([(1, 2), (1, 3)]) == (1, Varying((2, 3)))
    assert merge([slice(0, 2, 1), slice(0, 3, 1)]) == slice(0, Varying((2, 3)), 1)
    assert merge([(4, 4), (5, 5, 5)]) == Repeated(Varying((4, 5)), Varying((2, 3)))
    assert merge(["a", "b"]) == Unlike(("a", "b"))
    assert math.isnan(merge([float("nan"), float("nan")]))
