"""What cases give: outcomes, and the report on an op or area that they add up to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tensorcore_conformance.exemptions import Exemption

__all__ = ["KINDS", "Failure", "Outcome", "Profile", "SubjectReport", "failure_of", "plain"]

#: The ways in which a case fails.
KINDS = {
    "wrong": "a check found something wrong",
    "raised": "an exception that no check expects",
    "crashed": "the interpreter ended while the case ran",
    "hung": "the case ran into its time limit",
    "not run": "given up, after crashes or time limits",
    "exception": "a declared exception that passes, matches nothing, or is of another contract",
}


#: How much of a text of the backend's is kept.
LONGEST = 2000


def plain(text: str) -> str:
    """A text of the backend's, cut and with what terminals and XML do not take written out."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}... ({len(text)} characters)"
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode() for each in text
    )


@dataclass(frozen=True)
class Outcome:
    """What running one case gave, as values that travel between processes.

    Attributes:
        case: name of the case; up to the first ``/`` its check.
        dtype: name of the dtype the case is about; empty for none.
        shapes: shapes of the operands, as exceptions are scoped by.
        kind: empty if passed, else one of `KINDS`.
        message: what was expected and met; empty if passed.
        program: three lines of Python that show the failure again.
        ulp: largest error in units in the last place.
        mean: mean of the same.
        budget: largest error over what is allowed.
        oracle: whose word the result was compared with; a reason where nothing was to be compared.
        seconds: how long it took.
        printed: what the backend wrote to standard output and error meanwhile, the beginning of it.
    """

    case: str
    dtype: str = ""
    shapes: tuple[str, ...] = ()
    kind: str = ""
    message: str = ""
    program: str = ""
    ulp: float = 0.0
    mean: float = 0.0
    budget: float = 0.0
    oracle: str = ""
    seconds: float = 0.0
    printed: str = ""

    @property
    def check(self) -> str:
        """The check that the case belongs to."""
        return self.case.partition("/")[0]


@dataclass(frozen=True)
class Failure:
    """A case that failed: where, why, and three lines of Python that show it again."""

    subject: str
    case: str
    dtype: str
    device: str
    message: str
    program: str
    kind: str = "wrong"

    def __str__(self) -> str:
        shown = "\n".join(f"    {line}" for line in self.program.splitlines())
        return f"{self.subject} on {self.device!r}, case {self.case}: {self.message}" + (f"\n{shown}" if shown else "")


def failure_of(subject: str, device: str, outcome: Outcome) -> Failure:
    """The failure that an outcome is."""
    return Failure(
        subject, outcome.case, outcome.dtype, device, outcome.message, outcome.program, outcome.kind or "wrong"
    )


@dataclass
class Profile:
    """Errors of the passed cases of an op in a dtype.

    Attributes:
        cases: how many cases were measured.
        ulp: the largest error, in units in the last place.
        mean: mean over the cases of their mean errors, in the same.
        budget: the largest error over its budget.
    """

    cases: int = 0
    ulp: float = 0.0
    mean: float = 0.0
    budget: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Take a case in."""
        self.mean += (_finite(outcome.mean) - self.mean) / (self.cases + 1)
        self.cases += 1
        self.ulp = max(self.ulp, _finite(outcome.ulp))
        self.budget = max(self.budget, _finite(outcome.budget))


def _finite(value: float) -> float:
    """JSON has no infinities; errors without bound pass only where none is promised."""
    return value if math.isfinite(value) else 1e308


#: Checks whose measured errors are those of gradients.
GRADIENTS = ("gradient", "second", "direction", "complex_step")
#: Checks whose measured errors are those of values.
VALUES = (
    "values", "shapes", "layout", "special", "wrap", "ties", "long", "large", "near", "wide", "far", "convert", "same",
    "extra", "draws", "subnormal",
)  # fmt: skip


@dataclass
class SubjectReport:
    """What examining one op or area gave.

    Attributes:
        name: name of the op or area.
        kind: ``"primitive"``, ``"composite"`` or ``"area"``.
        runs_as: ``"native"`` (the backend has a kernel), ``"composed"`` (its expression runs), ``"missing"``, or
            ``"fallback"`` where what is missing runs on the host by policy.
        cases: how many cases ran.
        groups: the number of cases by check, the first part of their names.
        compared: of those, how many had something to compare; the others were refused by the op, say.
        failures: the cases that failed.
        expected: the cases that failed as the backend declares, with the exception's reason.
        oracles: whose word the results were compared with, and how often.
        profiles: errors of values by dtype.
        gradient: largest error of a gradient over its budget.
        seconds: how long it took.
        note: where an op without cases of its own is checked.
        printed: how many cases wrote to standard output or error, and what the first of them wrote.
    """

    name: str
    kind: str
    runs_as: str = ""
    cases: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    expected: list[tuple[Failure, str]] = field(default_factory=list)
    oracles: Counter[str] = field(default_factory=Counter)
    profiles: dict[str, Profile] = field(default_factory=dict)
    gradient: float = 0.0
    seconds: float = 0.0
    note: str = ""
    printed: tuple[int, str] = (0, "")

    @property
    def passed(self) -> bool:
        """Whether nothing failed that was not declared."""
        return not self.failures

    @property
    def largest(self) -> float:
        """Largest error of a value, in units in the last place."""
        return max((each.ulp for each in self.profiles.values()), default=0.0)

    @property
    def mean(self) -> float:
        """Mean error of the values, in units in the last place."""
        cases = sum(each.cases for each in self.profiles.values())
        return sum(each.mean * each.cases for each in self.profiles.values()) / cases if cases else 0.0

    @property
    def budget(self) -> float:
        """Largest error of a value over its budget."""
        return max((each.budget for each in self.profiles.values()), default=0.0)

    def explained(self, most: int = 5) -> str:
        """The failures as text, the first ``most`` of them in full."""
        lines = [str(failure) for failure in self.failures[:most]]
        if len(self.failures) > most:
            rest = Counter(failure.case.partition("/")[0] for failure in self.failures[most:])
            lines.append(
                f"and {len(self.failures) - most} more: " + ", ".join(f"{n} of {group}" for group, n in rest.items())
            )
        return "\n".join(lines)

    def add(self, outcome: Outcome, device: str, exemptions: Sequence[Exemption]) -> list[Exemption]:
        """Take a case in; the exceptions that cover it, which are told what they met."""
        self.cases += 1
        self.groups[outcome.check] += 1
        self.seconds += outcome.seconds
        if outcome.printed:
            self.printed = (self.printed[0] + 1, self.printed[1] or outcome.printed)
        covering = [each for each in exemptions if each.covers(outcome.case, outcome.dtype, outcome.shapes)]
        if outcome.kind:
            self.compared[outcome.check] += 1
            failure = failure_of(self.name, device, outcome)
            if covering:
                self.expected.append((failure, covering[0].reason))
            else:
                self.failures.append(failure)
            return covering
        self._measure(outcome)
        return covering

    def _measure(self, outcome: Outcome) -> None:
        if outcome.oracle not in IDLE or outcome.check == "refused":
            self.compared[outcome.check] += 1
        if outcome.oracle:
            self.oracles[outcome.oracle] += 1
        if outcome.check in VALUES and outcome.oracle not in IDLE and outcome.dtype:
            self.profiles.setdefault(outcome.dtype, Profile()).add(outcome)
        if outcome.check in GRADIENTS:
            self.gradient = max(self.gradient, _finite(outcome.budget))

    def settle(self, device: str, met: dict[Exemption, list[bool]], contract: int) -> None:
        """Fail the exceptions that pass, match nothing, or were declared for another contract."""
        for exemption, failed in met.items():
            wrong = ""
            if exemption.contract not in (None, contract):
                wrong = f"for contract {exemption.contract}, and the backend is written for {contract}; judge it anew"
            elif not any(failed):
                what = f"its {len(failed)} cases pass" if failed else "no case is within its scope"
                wrong = f"as failing ({exemption.reason}), and {what}; remove the declaration"
            if wrong:
                name = f"exception {exemption.cases}"
                self.failures.append(Failure(self.name, name, "", device, f"declared {wrong}", "", "exception"))


#: What stands in the oracle's place where there was nothing to compare.
IDLE: frozenset[Any] = frozenset((
    "refusal", "no gradient", "not smooth", "a copy", "another dtype", "another shape", "a narrower dtype",
    "the tensor is not the first argument", "deliberately not the derivative", "not recorded", "not offered",
    "registered by hand", "not analytic", "declared",
))  # fmt: skip
