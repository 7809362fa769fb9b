"""Gradients against the complex step: the derivative of an analytic function to the last digits.

For analytic ``f``, ``f(x + ihv) = f(x) + ih f'(x)v + O(h²)``, so that ``Im f(x + ihv) / h`` has no cancellation
and ``h`` may be tiny (Squire and Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM
Review 40, 1998). The function is the oracle's, NumPy, so that a rule is judged by nothing of its own. Whether it is
analytic is tried: a difference quotient along the real line must agree.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorcore_conformance.arrays import to_numpy
from tensorcore_conformance.forward import Measured, oracle_call
from tensorcore_conformance.gradients import (
    DELIBERATE,
    Point,
    along,
    gradients_at,
    judge_derivative,
    random_direction,
    refused,
)
from tensorcore_conformance.recipes import Recipe

__all__ = ["check_complex_step"]

#: The imaginary step; its square vanishes beside 1.
STEP = 1e-100
#: The real step of the differences that tell whether a function is analytic, and how well they must agree.
REAL_STEP, AGREE = 1e-5, 1e-6
#: Relative error allowed between a rule in float64 and the complex step.
BUDGET = 1e-11


def check_complex_step(recipe: Recipe, device: str) -> Measured:
    """Gradients of float64 operands against the complex step of the oracle."""
    call = oracle_call(recipe)
    if any(recipe.kwargs.get(name) for name in DELIBERATE):
        return Measured(oracle="deliberately not the derivative")
    if call is None or refused(recipe, device):
        return Measured(oracle="not analytic")
    point = Point(recipe, device)
    found = gradients_at(point)
    if found is None:
        return Measured(oracle="no gradient")
    gradients = found[2]
    with np.errstate(all="ignore"):
        weights = _weights(point)
        share, judged = 0.0, False
        for place, gradient in zip(point.places, gradients, strict=True):
            direction = random_direction(point.rng, point.operands[place].shape, point.operands[place].dtype)
            exact = _derivative(call, recipe, point.operands, place, direction, weights)
            if exact is None:
                continue
            judged = True
            analytic, size = (0.0, 0.0) if gradient is None else along(to_numpy(gradient), direction)
            what = f"gradient of operand {place}"
            share = max(share, judge_derivative(what, analytic, exact, size, BUDGET, "complex step of the oracle"))
    return Measured(oracle="complex step" if judged else "not analytic", budget=share)


def _weights(point: Point) -> list[Any]:
    return point.weights(point.outputs(point.operands, False)[1])


def _derivative(
    call: Any, recipe: Recipe, operands: list[Any], place: int, direction: Any, weights: list[Any]
) -> float | None:
    """The derivative of the weighted outputs along ``direction``, or ``None`` where the oracle is not analytic."""

    def at(step: complex) -> list[Any]:
        moved = list(operands)
        moved[place] = operands[place] + step * direction
        return [np.asarray(y) for y in call(recipe.prepared(moved))]

    try:
        stepped, up, down = at(1j * STEP), at(REAL_STEP), at(-REAL_STEP)
    except Exception:  # the oracle takes no complex numbers
        return None
    if not all(y.dtype.kind == "c" for y in stepped) or not _fit(stepped, weights):
        return None
    exact = math.fsum(float(np.sum(w * (y.imag / STEP))) for w, y in zip(weights, stepped, strict=True))
    pairs = zip(weights, up, down, strict=True)
    rough = math.fsum(float(np.sum((w * (u - d)).real)) / (2 * REAL_STEP) for w, u, d in pairs)
    return exact if math.isfinite(exact) and abs(exact - rough) <= AGREE * max(1.0, abs(rough)) else None


def _fit(outputs: list[Any], weights: list[Any]) -> bool:
    return [y.shape for y in outputs] == [w.shape for w in weights]
