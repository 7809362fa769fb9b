"""Hypothesis draws: shapes, dtypes, layouts and elements beyond the fixed cases, shrunk where one fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tensorcore.dtypes import DType
from tensorcore.ops.record import Op
from tensorcore_conformance.arrays import LAYOUTS, REPEATING
from tensorcore_conformance.cases import recipe_from, tested_dtypes
from tensorcore_conformance.checks import pulse
from tensorcore_conformance.forward import ConformanceError, DrawError, Measured, check_forward, described
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.recipes import Recipe, seed_of
from tensorcore_conformance.samples import LAID_OUT, is_elementwise, may_repeat, samples_of

__all__ = ["check_draws"]


@st.composite
def _recipes(draw: Any, op: Op, taken: list[DType]) -> Recipe:
    """An op call: elementwise ops at any shapes that broadcast, others at the shapes of their samples."""
    dtype = draw(st.sampled_from(taken)).name
    layout = "contiguous" if op.name in LAID_OUT else draw(st.sampled_from(("contiguous", *LAYOUTS, "mixed")))
    number = draw(st.integers(0, 2**16))
    if not is_elementwise(op):
        sample = draw(st.sampled_from(samples_of(op)))
        if layout in REPEATING and not may_repeat(op, sample):
            layout = "contiguous"
        return recipe_from(op, sample, dtype, "").replaced(layout=layout, seed=number)
    whole = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
    shapes = []
    for _ in op.operands:
        lead = draw(st.integers(0, len(whole)))
        shapes.append(tuple(1 if draw(st.booleans()) else side for side in whole[lead:]))
    low, high = op.domain
    values = draw(
        st.lists(
            st.floats(low, high, width=32 if float(low).is_integer() and float(high).is_integer() else 64),
            min_size=1,
            max_size=4,
        )
    )
    names = (dtype,) * len(shapes)
    return Recipe(op.name, tuple(shapes), names, layout=layout, fill="values", values=tuple(values), seed=number)


def check_draws(
    op: Op, device: str, able: frozenset[DType], limits: Limits, declared: Callable[[Recipe], bool]
) -> Measured:
    """``limits.examples`` calls of ``op``, the same each time; the smallest that fails is reported.

    Calls that the backend declares to fail are left out.
    """
    taken = [dtype for dtype, fine in tested_dtypes(op, able) if fine]
    if not taken:
        return Measured(oracle="refusal")
    measured = [Measured()]

    @seed(seed_of(op.name) + limits.seed)
    @settings(
        max_examples=limits.examples, database=None, deadline=None, report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_recipes(op, taken))
    def each(recipe: Recipe) -> None:
        if declared(recipe):
            return
        pulse()
        try:
            measured.append(check_forward(recipe, device))
        except KeyboardInterrupt:  # the user's, or the backend's: who runs the case knows
            raise
        except BaseException as error:
            text = str(error) if isinstance(error, ConformanceError) else described(error)
            raise DrawError(text, recipe.written(device, "values")) from error

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each()
    worst = max(measured, key=lambda m: m.budget)
    return Measured(max(m.ulp for m in measured), max(m.mean_ulp for m in measured), measured[-1].oracle, worst.budget)
