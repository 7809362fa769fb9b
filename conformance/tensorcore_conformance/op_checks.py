"""The checks of an op: from its record and the device's capabilities, edge cases with fixed names first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tensorcore import dtypes, fallback
from tensorcore.devices import Device
from tensorcore.dtypes import FLOATING, DType
from tensorcore.ops.record import REGISTRY, Op
from tensorcore_conformance.aliasing import VIEWS, check_inplace, check_view
from tensorcore_conformance.buffers import check_alone, check_poisoned, check_released
from tensorcore_conformance.cases import Case, forward_cases, gradient_recipes, is_ordering, recipe_from, tested_dtypes
from tensorcore_conformance.checks import Check
from tensorcore_conformance.compiled import check_compiled
from tensorcore_conformance.complex_step import check_complex_step
from tensorcore_conformance.edge_cases import check_alike, check_edge, edge_cases, form_cases
from tensorcore_conformance.exemptions import Exemption, ExtraCase
from tensorcore_conformance.forward import ConformanceError, Measured, check_forward, check_refused, check_repeat
from tensorcore_conformance.gradients import check_direction, check_gradient, check_second, check_tied
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.recipes import Recipe, seed_of
from tensorcore_conformance.samples import samples_of
from tensorcore_conformance.state import check_after, check_changed
from tensorcore_conformance.variations import value_cases, variations

__all__ = ["CHECKS", "CONTRACT_METHODS", "OpChecks", "runs_as"]

#: The checks that a recipe can be put to, by the name in the program that repeats one.
CHECKS: dict[str, Callable[[Recipe, str], Measured]] = {
    "values": check_forward,
    "edge": check_edge,
    "alike": check_alike,
    "refused": check_refused,
    "repeat": check_repeat,
    "view": check_view,
    "inplace": check_inplace,
    "after": check_after,
    "changed": check_changed,
    "alone": check_alone,
    "poisoned": check_poisoned,
    "released": check_released,
    "compiled": check_compiled,
    "gradient": check_gradient,
    "second": check_second,
    "complex_step": check_complex_step,
    "direction": check_direction,
    "tied": check_tied,
}

#: How many samples are tried for shared memory at least.
_ALONE = 4
_FLOATS = frozenset(each.name for each in dtypes.ALL if each.category == FLOATING)

#: Primitives that are methods of the contract, not kernels by name.
CONTRACT_METHODS = frozenset(("assign",))


class OpChecks:
    """Lists the checks of an op on a device.

    Args:
        device: name of the device.
        able: the dtypes to try.
        limits: how much is tried.
        extra: further samples, from plugins.
        exemptions: what the backend declares, which draws stay out of.
    """

    def __init__(
        self,
        device: str,
        able: frozenset[DType],
        limits: Limits,
        extra: Sequence[ExtraCase] = (),
        exemptions: Sequence[Exemption] = (),
    ) -> None:
        self.device, self.able, self.limits = device, able, limits
        self.extra, self.exemptions = extra, exemptions
        self.capabilities = Device(device).capabilities

    def of(self, op: Op) -> Iterator[Check]:
        """The checks of ``op``."""
        if op.primitive and op.name not in CONTRACT_METHODS:
            yield from self._kernels(op)
        if not samples_of(op):
            return
        for case in forward_cases(op, self.able, self.limits):
            case = self._able(case)
            yield self._check("refused" if case.name.startswith("refused") else "values", case)
        for case in edge_cases(op, self.able):
            yield self._check("edge", case)
        for case in value_cases(op, self.able):
            yield self._check("edge", self._able(case))
        for case in (*form_cases(op, self.able), *variations(op, self.able)):
            yield self._check("alike", case)
        yield from self._extra(op)
        if op.operands:
            yield from self._memory(op)
            yield from self._compiled(op)
            yield from self._gradients(op)
            if self.limits.examples:
                yield Check("draws", "", partial(self._draw, op), "")

    def _able(self, case: Case) -> Case:
        """The case without subnormal numbers, where the device does not claim to keep them."""
        recipe = case.recipe
        if self.capabilities.subnormals or recipe.fill not in ("special", "values"):
            return case
        if recipe.fill == "special":
            return replace(case, recipe=recipe.replaced(fill="normal"))
        least = float(np.finfo(np.float32).tiny)
        values = tuple(1.0 if 0 < abs(value) < least else value for value in recipe.values)
        return replace(case, recipe=recipe.replaced(values=values))

    def _check(self, check: str, case: Case) -> Check:
        recipe = case.recipe
        if self.limits.seed:
            recipe = recipe.replaced(seed=(recipe.seed + 0x9E3779B1 * self.limits.seed) % 2**32)
        run = partial(CHECKS[check], recipe, self.device)
        return Check(case.name, case.dtype, run, recipe.written(self.device, check), recipe.shape_names)

    def _kernels(self, op: Op) -> Iterator[Check]:
        for dtype, taken in tested_dtypes(op, self.able):
            if taken and op.rule(dtype, op.name)[0] is dtype:
                yield Check(f"kernel/{dtype.name}", dtype.name, partial(_has_kernel, op, self.device, dtype), "")

    def _extra(self, op: Op) -> Iterator[Check]:
        for number, extra in enumerate(each for each in self.extra if each.op == op.name):
            recipe = recipe_from(op, dict(extra.sample), extra.dtype, f"extra/{number}")
            yield self._check("values", Case(f"extra/{number}/{extra.dtype}", recipe, extra.dtype))

    def _usual(self, op: Op) -> str | None:
        """The dtype in which an op is tried where one is enough."""
        found = [dtype.name for dtype, fine in tested_dtypes(op, self.able) if fine]
        return "float32" if "float32" in found else found[-1] if found else None

    def _memory(self, op: Op) -> Iterator[Check]:
        usual = self._usual(op)
        if usual is None:
            return
        samples = samples_of(op)
        first = recipe_from(op, samples[0], usual, "repeat")
        if self.capabilities.deterministic:
            yield self._check("repeat", Case(f"repeat/{usual}", first, usual))
        for check in ("after", "changed"):
            yield self._check(check, Case(f"{check}/{usual}", first, usual))
        if op.paths:
            yield from self._identities(op, usual)
        # What users cannot call may give a view to the expression it is a step of.
        for check in ("alone", "poisoned", "released") if op.paths else ("poisoned", "released"):
            # Shortcuts that return an operand hang on sides and arguments, so that one sample says little.
            tried = max(self.limits.memory, _ALONE) if check == "alone" else self.limits.memory
            for number, sample in enumerate(samples[:tried]):
                recipe = recipe_from(op, sample, usual, f"memory/{number}")
                yield self._check(check, Case(f"{check}/{usual}/{number}", recipe, usual))
        yield from self._writes(op, usual)

    def _identities(self, op: Op, usual: str) -> Iterator[Check]:
        """Operands that ops leave as they are, where a kernel may be tempted to return them: 0, 1, sides of 1."""
        sample = samples_of(op)[0]
        if usual not in _FLOATS or sample.keys() & {"prepare", "distinct"}:
            return
        for name, value in (("zeros", 0.0), ("ones", 1.0)):
            recipe = recipe_from(op, sample, usual, name).replaced(fill="values", values=(value,))
            yield self._check("alone", Case(f"alone/{usual}/{name}", recipe, usual))
        if len(sample["shapes"]) == 1 and sample["shapes"][0]:
            recipe = recipe_from(op, {**sample, "shapes": ((1,) * len(sample["shapes"][0]),)}, usual, "single")
            yield self._check("alone", Case(f"alone/{usual}/single", recipe, usual))

    def _writes(self, op: Op, usual: str) -> Iterator[Check]:
        samples = samples_of(op)
        writes = op.inplace or (f"{op.name}_" in REGISTRY and op.name != "copy")
        for number, sample in enumerate(samples):
            recipe = recipe_from(op, sample, usual, f"memory/{number}")
            if recipe.shapes[0] is None:
                continue
            if op.name in VIEWS or op.view:
                yield self._check("view", Case(f"view/{usual}/{number}", recipe, usual))
            if writes:
                yield self._check("inplace", Case(f"inplace/{usual}/{number}", recipe, usual))
        if writes:
            for dtype, taken in tested_dtypes(op, self.able):
                if taken and dtype.name != usual:
                    recipe = recipe_from(op, samples[0], dtype.name, f"memory/{dtype.name}")
                    yield self._check("inplace", Case(f"inplace/{dtype.name}/0", recipe, dtype.name))

    def _compiled(self, op: Op) -> Iterator[Check]:
        usual = self._usual(op)
        if not self.limits.compiled or usual is None or not op.paths:
            return
        recipe = recipe_from(op, samples_of(op)[0], usual, "compiled")
        yield self._check("compiled", Case(f"compiled/{usual}", recipe, usual))

    def _gradients(self, op: Op) -> Iterator[Check]:
        tried: dict[str, int] = {}
        for name, recipe in gradient_recipes(op, self.able):
            dtype = name.partition("/")[0]
            tried[dtype] = tried.get(dtype, 0) + 1
            if tried[dtype] > self.limits.gradients:
                continue
            yield self._check("gradient", Case(f"gradient/{name}", recipe, dtype))
            if dtype == "float64" and is_ordering(op):
                yield self._check("tied", Case(f"tied/{name}", recipe, dtype))
            yield self._check("second", Case(f"second/{name}", recipe, dtype))
            if dtype == "float64":
                yield self._check("complex_step", Case(f"complex_step/{name}", recipe, dtype))
        for each, taken in tested_dtypes(op, self.able):
            if taken and each.category >= FLOATING and each not in (dtypes.float64, dtypes.complex128):
                sample = samples_of(op)[0]
                recipe = recipe_from(op, sample, each.name, "").replaced(seed=seed_of(f"{op.name}/direction"))
                if each.name in recipe.dtypes:
                    yield self._check("direction", Case(f"direction/{each.name}", recipe, each.name))

    def _draw(self, op: Op) -> Measured:
        from tensorcore_conformance.draws import check_draws

        def declared(recipe: Recipe) -> bool:
            dtype = recipe.dtypes[0] if recipe.dtypes else ""
            groups = ("values", "shapes", "special", "layout", "large", "draws")
            return any(
                each.op == op.name and each.covers(f"{group}/{dtype}/-", dtype, recipe.shape_names)
                for each in self.exemptions
                for group in groups
            )

        return check_draws(op, self.device, self.able, self.limits, declared)


def _has_kernel(op: Op, device: str, dtype: DType) -> None:
    kind = Device(device).kind(dtype)
    if kind.backend.kernel(op.name, dtype, kind.device.ordinal) is None:
        raise ConformanceError(f"{op.name}: backend {kind.backend.name!r} has no kernel for {dtype} on {device!r}")


def runs_as(op: Op, device: str, able: frozenset[DType]) -> str:
    """``"native"`` where the backend has a kernel, ``"composed"`` where an expression runs; else ``"missing"``.

    What is missing is ``"fallback"`` where the policy in force runs it on the host.
    """
    backend: Any = Device(device).backend
    for dtype in (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.int64, dtypes.bool_):
        if dtype in able and backend.kernel(op.name, dtype, Device(device).ordinal) is not None:
            return "native"
    if op.primitive and op.name not in CONTRACT_METHODS:
        return "missing" if fallback.get_policy() == "error" else "fallback"
    return "native" if op.primitive else "composed"
