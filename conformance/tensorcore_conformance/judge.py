"""The judge: the subjects of a device, and what examining each gives."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from tensorcore.devices import Device
from tensorcore.ops.record import REGISTRY
from tensorcore.random import manual_seed
from tensorcore_conformance.areas import AREAS
from tensorcore_conformance.checks import Check
from tensorcore_conformance.exemptions import Exemption, declared
from tensorcore_conformance.forward import ConformanceError, Measured, described
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.op_checks import CHECKS, OpChecks, runs_as
from tensorcore_conformance.outcomes import Failure, Outcome, SubjectReport, plain
from tensorcore_conformance.recipes import Recipe
from tensorcore_conformance.samples import ELSEWHERE

__all__ = ["CHECKS", "Failure", "Judge", "SubjectReport", "chosen_subjects", "replay", "replay_area"]


def chosen_subjects(patterns: Sequence[str]) -> list[str]:
    """The ops and areas that names or patterns mean, in the order of the registry; all if there are none.

    Raises:
        ValueError: for one that matches nothing.
    """
    known = [*REGISTRY, *AREAS]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            from difflib import get_close_matches

            near = get_close_matches(pattern, known, n=1, cutoff=0.7)
            guess = f" (did you mean {near[0]!r}?)" if near else ""
            raise ValueError(f"conformance: no op or area is called {pattern!r}{guess}; areas: {', '.join(AREAS)}")
    return [name for name in known if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)]


class Judge:
    """Examines one device.

    Args:
        device: name of the device.
        ops: names or patterns of ops and areas; all if empty.
        limits: how much is tried. An op with declared exceptions is always tried in full, so that one that passes or
            matches nothing is found at every level.
        isolated: whether this process is here to be lost, so that even ``KeyboardInterrupt`` is the backend's doing.

    Raises:
        DeviceError: for an unknown or unavailable device.
        ValueError: for a name in ``ops`` that matches nothing, a dtype the device has not, or an exception that
            is declared for an unknown op.

    Example:
        >>> from tensorcore_conformance import Judge
        >>> Judge("cpu", ["tanh"]).examine("tanh").passed
        True
    """

    def __init__(
        self, device: str, ops: Sequence[str] = (), limits: Limits | None = None, isolated: bool = False
    ) -> None:
        self.device = str(Device(device))
        self.limits = limits or Limits()
        self.isolated = isolated
        self.subjects = chosen_subjects(ops)
        able = Device(device).capabilities.dtypes
        unknown = set(self.limits.dtypes) - {each.name for each in able}
        if unknown:
            raise ValueError(f"conformance: device {self.device!r} has no dtype {', '.join(sorted(unknown))}")
        self.able = frozenset(each for each in able if not self.limits.dtypes or each.name in self.limits.dtypes)
        self.exemptions, self.extra = declared(self.device)
        strangers = [each for each in self.exemptions if each.op not in REGISTRY and each.op not in AREAS]
        if strangers:
            raise ValueError(f"conformance: an exception is declared for an unknown op: {strangers[0]}")
        self.contract = Device(device).backend.contract

    def exemptions_of(self, subject: str) -> list[Exemption]:
        """What is declared for an op or area, as far as the dtypes tried go."""
        tried = {each.name for each in self.able}
        return [each for each in self.exemptions if each.op == subject and (not each.dtypes or tried & {*each.dtypes})]

    def begin(self, subject: str) -> SubjectReport:
        """The report on an op or area, without cases yet."""
        op = REGISTRY.get(subject)
        report = SubjectReport(subject, "area" if op is None else "primitive" if op.primitive else "composite")
        if op is not None:
            report.runs_as = runs_as(op, self.device, self.able)
            report.note = "random area" if op.random else ELSEWHERE.get(subject, "")
            if subject.endswith("_") and subject[:-1] in REGISTRY:
                report.note = f"in-place cases of {subject[:-1]}"
        return report

    def examine(self, subject: str) -> SubjectReport:
        """Run all cases of an op or area."""
        report = self.begin(subject)
        met: dict[Exemption, list[bool]] = {each: [] for each in self.exemptions_of(subject)}
        for check in self.checks(subject):
            outcome = self.run(check)
            for exemption in report.add(outcome, self.device, list(met)):
                met[exemption].append(bool(outcome.kind))
        report.settle(self.device, met, self.contract)
        return report

    def checks(self, subject: str) -> Iterator[Check]:
        """The checks of an op or area, edge cases with fixed names first; the same ones in each process."""
        if subject in AREAS:
            yield from AREAS[subject](self.device, self.limits)
            return
        exemptions = self.exemptions_of(subject)
        limits = self.limits
        if exemptions:
            limits = Limits.level("full", dtypes=limits.dtypes, seed=limits.seed, examples=limits.examples)
        yield from OpChecks(self.device, self.able, limits, self.extra, exemptions).of(REGISTRY[subject])

    def run(self, check: Check) -> Outcome:
        """What running one check gives."""
        facts: dict[str, Any] = {"case": check.name, "dtype": check.dtype, "shapes": check.shapes}
        start = time.perf_counter()
        manual_seed(self.limits.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                measured = check.run()
            except ConformanceError as error:
                facts.update(kind="wrong", message=str(error), program=getattr(error, "program", check.program))
            except KeyboardInterrupt as error:
                if not self.isolated:
                    raise
                facts.update(kind="raised", message=described(error), program=check.program)
            except BaseException as error:  # SystemExit and the like are no reason to stop
                facts.update(kind="raised", message=described(error), program=check.program)
            else:
                if isinstance(measured, Measured):
                    facts.update(
                        ulp=measured.ulp, mean=measured.mean_ulp, budget=measured.budget, oracle=measured.oracle
                    )
        if "message" in facts:
            facts["message"] = plain(facts["message"])
        return Outcome(**facts, seconds=time.perf_counter() - start)


def replay(device: str, check: str, op: str, **recipe: Any) -> None:
    """Repeat one case, as the program in a failure's message does: operands and verdict are printed.

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
    """Repeat one case of an area, as the program in a failure's message does.

    Raises:
        ConformanceError: if it fails again.
        ValueError: if there is no such case.

    Example:
        >>> from tensorcore_conformance import replay_area
        >>> replay_area("cpu", "indexing", "get/float32/::2")
        passed
    """
    for check in AREAS[area](device, Limits.level("full")):
        if check.name == name:
            manual_seed(0)
            check.run()
            print("passed")
            return
    raise ValueError(f"area {area!r} has no case {name!r} on {device!r}")
