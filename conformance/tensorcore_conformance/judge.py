"""The judge: the subjects of a device, and what examining each gave."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.dtypes import FLOATING
from tensorcore.ops.record import REGISTRY, Op
from tensorcore.random import manual_seed
from tensorcore_conformance.aliasing import VIEWS, check_inplace, check_view
from tensorcore_conformance.areas import AREAS, Check
from tensorcore_conformance.cases import Case, Limits, forward_cases, gradient_recipes, recipe_from, tested_dtypes
from tensorcore_conformance.exemptions import Exemption, declared
from tensorcore_conformance.forward import ConformanceError, Measured, check_forward, check_refused, check_repeat
from tensorcore_conformance.gradients import check_direction, check_gradient, check_second
from tensorcore_conformance.recipes import Recipe, seed_of
from tensorcore_conformance.samples import ELSEWHERE, samples_of

__all__ = ["CHECKS", "Failure", "Judge", "SubjectReport"]

#: The checks that a recipe can be put to, by the name in the line that repeats one.
CHECKS = {
    "values": check_forward,
    "refused": check_refused,
    "repeat": check_repeat,
    "view": check_view,
    "inplace": check_inplace,
    "gradient": check_gradient,
    "second": check_second,
    "direction": check_direction,
}


@dataclass(frozen=True)
class Failure:
    """A case that failed: where, why, and the line of Python that shows it again."""

    subject: str
    case: str
    dtype: str
    device: str
    message: str
    line: str

    def __str__(self) -> str:
        return f"{self.subject} on {self.device!r}, case {self.case}: {self.message}\n    {self.line}"


@dataclass
class SubjectReport:
    """What examining one op or area gave.

    Attributes:
        name: name of the op or area.
        kind: ``"primitive"``, ``"composite"`` or ``"area"``.
        runs_as: ``"native"`` (the backend has a kernel), ``"composed"`` (its expression runs) or ``"missing"``.
        cases: how many cases ran.
        groups: the number of cases by the first part of their names.
        failures: the cases that failed.
        expected: the cases that failed as the backend declares, with the exception's reason.
        oracles: whose word the results were compared with, and how often.
        largest: largest error, in units in the last place.
        mean: mean over the cases of their mean errors, in the same.
        seconds: how long it took.
        note: where an op without cases of its own is checked.
    """

    name: str
    kind: str
    runs_as: str = ""
    cases: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    expected: list[tuple[Failure, str]] = field(default_factory=list)
    oracles: Counter[str] = field(default_factory=Counter)
    largest: float = 0.0
    mean: float = 0.0
    seconds: float = 0.0
    note: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing failed that was not declared."""
        return not self.failures

    def explained(self, most: int = 5) -> str:
        """The failures as text, the first ``most`` of them in full."""
        lines = [str(failure) for failure in self.failures[:most]]
        if len(self.failures) > most:
            rest = Counter(failure.case.partition("/")[0] for failure in self.failures[most:])
            lines.append(
                f"and {len(self.failures) - most} more: " + ", ".join(f"{n} of {group}" for group, n in rest.items())
            )
        return "\n".join(lines)


class Judge:
    """Examines one device.

    Args:
        device: name of the device.
        ops: names or patterns of ops and areas; all if empty.
        limits: how much is tried.

    Raises:
        DeviceError: for an unknown or unavailable device.
        ValueError: for a name in ``ops`` that matches nothing.

    Example:
        >>> from tensorcore_conformance import Judge
        >>> Judge("cpu", ["tanh"]).examine("tanh").passed
        True
    """

    def __init__(self, device: str, ops: Sequence[str] = (), limits: Limits | None = None) -> None:
        self.device = str(Device(device))
        self.limits = limits or Limits()
        able = Device(device).capabilities.dtypes
        unknown = set(self.limits.dtypes) - {each.name for each in able}
        if unknown:
            raise ValueError(f"conformance: device {self.device!r} has no dtype {', '.join(sorted(unknown))}")
        self.able = frozenset(each for each in able if not self.limits.dtypes or each.name in self.limits.dtypes)
        self.exemptions, self.extra = declared(self.device)
        known = [*REGISTRY, *AREAS]
        for pattern in ops:
            if not any(fnmatchcase(name, pattern) for name in known):
                raise ValueError(f"conformance: no op or area is called {pattern!r}; areas: {', '.join(AREAS)}")
        self.subjects = [name for name in known if not ops or any(fnmatchcase(name, pattern) for pattern in ops)]
        strangers = [each for each in self.exemptions if each.op not in known]
        if strangers:
            raise ValueError(f"conformance: an exception is declared for an unknown op: {strangers[0]}")

    def examine(self, subject: str) -> SubjectReport:
        """Run all cases of an op or area."""
        op = REGISTRY.get(subject)
        report = SubjectReport(subject, "area" if op is None else "primitive" if op.primitive else "composite")
        if op is not None:
            report.runs_as = self._runs_as(op)
            report.note = "random area" if op.random else ELSEWHERE.get(subject, "")
            if subject.endswith("_") and subject[:-1] in REGISTRY:
                report.note = f"in-place cases of {subject[:-1]}"
        start = time.perf_counter()
        means: list[float] = []
        met: dict[Exemption, list[bool]] = {each: [] for each in self.exemptions if each.op == subject}
        for check in self.checks(subject):
            self._run(check, report, means, met)
        for exemption, failed in met.items():
            if not any(failed):
                what = f"its {len(failed)} cases pass" if failed else "no case is within its scope"
                report.failures.append(
                    Failure(
                        subject,
                        f"exception {exemption.cases}",
                        "",
                        self.device,
                        f"declared as failing ({exemption.reason}), and {what}; remove the declaration",
                        "",
                    )
                )
        report.mean = sum(means) / len(means) if means else 0.0
        report.seconds = time.perf_counter() - start
        return report

    def _run(self, check: Check, report: SubjectReport, means: list[float], met: dict[Exemption, list[bool]]) -> None:
        report.cases += 1
        report.groups[check.name.partition("/")[0]] += 1
        covering = [each for each in met if each.covers(check.name, check.dtype)]
        failure = None
        manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                measured = check.run()
            except Exception as error:
                text = str(error) if isinstance(error, ConformanceError) else f"{type(error).__name__}: {error}"
                line = getattr(error, "line", check.line)
                failure = Failure(report.name, check.name, check.dtype, self.device, text, line)
        for exemption in covering:
            met[exemption].append(failure is not None)
        if failure is None:
            if isinstance(measured, Measured):
                report.largest = max(report.largest, measured.ulp)
                if measured.oracle:
                    report.oracles[measured.oracle] += 1
                if check.name.startswith("values/"):
                    means.append(measured.mean_ulp)
        elif covering:
            report.expected.append((failure, covering[0].reason))
        else:
            report.failures.append(failure)

    # ---------------------------------------------------------------- what is tried

    def _runs_as(self, op: Op) -> str:
        backend = Device(self.device).backend
        for dtype in (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.int64, dtypes.bool_):
            if dtype in self.able and backend.kernel(op.name, dtype, Device(self.device).ordinal) is not None:
                return "native"
        return "missing" if op.primitive and op.name not in _CONTRACT else "composed" if not op.primitive else "native"

    def checks(self, subject: str) -> Iterator[Check]:
        """The checks of an op or area, edge cases with fixed names first."""
        if subject in AREAS:
            yield from AREAS[subject](self.device)
            return
        op = REGISTRY[subject]
        if op.primitive and op.name not in _CONTRACT:
            yield from self._kernels(op)
        if not samples_of(op):
            return
        for case in forward_cases(op, self.able, self.limits):
            if case.recipe.fill == "special" and not Device(self.device).capabilities.subnormals:
                case = replace(case, recipe=case.recipe.replaced(fill="normal"))
            yield self._check("refused" if case.name.startswith("refused") else "values", case)
        yield from self._extra(op)
        if op.operands:
            yield from self._memory(op)
            yield from self._gradients(op)
            if self.limits.examples:
                yield Check("draws", "", partial(_draws, op, self.device, self.able, self.limits.examples), "")

    def _check(self, check: str, case: Case) -> Check:
        run = partial(CHECKS[check], case.recipe, self.device)
        return Check(case.name, case.dtype, run, case.recipe.written(self.device, check))

    def _kernels(self, op: Op) -> Iterator[Check]:
        for dtype, taken in tested_dtypes(op, self.able):
            if taken and op.rule(dtype, op.name)[0] is dtype:
                yield Check(f"kernel/{dtype.name}", dtype.name, partial(_has_kernel, op, self.device, dtype), "")

    def _extra(self, op: Op) -> Iterator[Check]:
        for number, extra in enumerate(each for each in self.extra if each.op == op.name):
            recipe = recipe_from(op, dict(extra.sample), extra.dtype, f"extra/{number}")
            yield self._check("values", Case(f"extra/{number}/{extra.dtype}", recipe, extra.dtype))

    def _usual(self, op: Op) -> str | None:
        taken = [dtype for dtype, fine in tested_dtypes(op, self.able) if fine]
        names = [dtype.name for dtype in taken]
        return "float32" if "float32" in names else names[-1] if names else None

    def _memory(self, op: Op) -> Iterator[Check]:
        usual = self._usual(op)
        if usual is None:
            return
        samples = samples_of(op)
        writes = op.inplace or (f"{op.name}_" in REGISTRY and op.name != "copy")
        first = recipe_from(op, samples[0], usual, "repeat")
        if Device(self.device).capabilities.deterministic:
            yield self._check("repeat", Case(f"repeat/{usual}", first, usual))
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

    def _gradients(self, op: Op) -> Iterator[Check]:
        for name, recipe in gradient_recipes(op, self.able):
            dtype = name.partition("/")[0]
            yield self._check("gradient", Case(f"gradient/{name}", recipe, dtype))
            yield self._check("second", Case(f"second/{name}", recipe, dtype))
        for each, taken in tested_dtypes(op, self.able):
            if taken and each.category == FLOATING and each is not dtypes.float64:
                sample = samples_of(op)[0]
                recipe = recipe_from(op, sample, each.name, "").replaced(seed=seed_of(f"{op.name}/direction"))
                if each.name in recipe.dtypes:
                    yield self._check("direction", Case(f"direction/{each.name}", recipe, each.name))


#: Primitives that are methods of the contract, not kernels by name.
_CONTRACT = frozenset(("assign",))


def _draws(op: Op, device: str, able: Any, examples: int) -> Measured:
    from tensorcore_conformance.draws import check_draws

    return check_draws(op, device, able, examples)


def _has_kernel(op: Op, device: str, dtype: dtypes.DType) -> None:
    kind = Device(device).kind(dtype)
    if op.primitive and kind.backend.kernel(op.name, dtype, kind.device.ordinal) is None:
        raise ConformanceError(f"{op.name}: backend {kind.backend.name!r} has no kernel for {dtype} on {device!r}")


def replay(device: str, check: str, op: str, **recipe: Any) -> None:
    """Repeat one case, as the line in a failure's message does: operands and verdict are printed.

    Raises:
        ConformanceError: if it fails again.

    Example:
        >>> from tensorcore_conformance import replay
        >>> replay("cpu", "values", "tanh", shapes=((2,),), dtypes=("float32",), fill="values", values=(0.5, -1.0))
        tanh on cpu, check values
        operand 0: float32 [2] [ 0.5 -1. ]
        passed; largest error ... ulp (oracle: NumPy)
    """
    written = Recipe(op, **recipe)
    print(f"{op} on {device}, check {check}")
    for place, x in enumerate(written.operands()):
        if x is not None:
            print(f"operand {place}: {x.dtype} {list(x.shape)} {x}")
    measured = CHECKS[check](written, device)
    print(f"passed; largest error {measured.ulp:.2g} ulp (oracle: {measured.oracle})")


def replay_area(device: str, area: str, name: str) -> None:
    """Repeat one case of an area, as the line in a failure's message does.

    Raises:
        ConformanceError: if it fails again.
        ValueError: if there is no such case.

    Example:
        >>> from tensorcore_conformance import replay_area
        >>> replay_area("cpu", "indexing", "get/float32/::2")
        passed
    """
    for check in AREAS[area](device):
        if check.name == name:
            check.run()
            print("passed")
            return
    raise ValueError(f"area {area!r} has no case {name!r} on {device!r}")
