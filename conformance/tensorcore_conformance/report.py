"""The report on a device: what was examined, where, and how it went; as JSON values, files and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tensorcore_conformance import stored
from tensorcore_conformance.host_facts import facts_of, versions
from tensorcore_conformance.judge import Judge
from tensorcore_conformance.limits import LEVELS, Limits
from tensorcore_conformance.outcomes import Failure, Profile, SubjectReport
from tensorcore_conformance.schema import FORMAT
from tensorcore_conformance.workers import Lost, Workers

__all__ = ["FORMAT", "Report", "examine_device", "examine_isolated", "subject_as_dict", "subject_from_dict", "versions"]


@dataclass
class Report:
    """The reports on all subjects of a device.

    Attributes:
        device: name of the device.
        limits: how much was tried.
        facts: versions, capabilities, the oracle's processor and declared exceptions, as `host_facts.facts_of` gives.
        subjects: the reports, in the order of the registry.
        lost: worker processes that crashed or hung.
        jobs: how many processes worked at once; 0 for this one.
        started: when, in UTC.
        seconds: how long it took.
    """

    device: str
    limits: Limits
    facts: dict[str, Any]
    subjects: list[SubjectReport] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    jobs: int = 0
    started: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing failed that was not declared."""
        return all(each.passed for each in self.subjects)

    @property
    def cases(self) -> int:
        """Number of cases."""
        return sum(each.cases for each in self.subjects)

    @property
    def passing(self) -> int:
        """Number of cases that pass; what fails as declared does not, and a stale declaration is no case."""
        failed = sum(
            failure.case.partition("/")[0] in each.groups for each in self.subjects for failure in each.failures
        )
        return max(0, self.cases - failed - self.expected)

    @property
    def failures(self) -> list[Failure]:
        """All failures."""
        return [failure for each in self.subjects for failure in each.failures]

    @property
    def expected(self) -> int:
        """Number of cases that failed as declared."""
        return sum(len(each.expected) for each in self.subjects)

    @property
    def versions(self) -> dict[str, str]:
        """Name and version of everything the result depends on."""
        return dict(self.facts["versions"])

    @property
    def level(self) -> str:
        """``"quick"`` or ``"full"`` where the limits are that level's, whatever the seed; else ``"custom"``."""
        for name in LEVELS:
            if Limits.level(name, seed=self.limits.seed) == self.limits:
                return name
        return "custom"

    def declared(self) -> list[dict[str, Any]]:
        """The declared exceptions of what was examined, each with the cases that failed within its scope."""
        from tensorcore_conformance.exemptions import Exemption

        examined = {each.name: each for each in self.subjects}
        found = []
        for stated in self.facts["exceptions"]:
            if stated["op"] in examined:
                scope = Exemption(
                    **{k: tuple(v) if isinstance(v, list) else v for k, v in stated.items() if k != "failed"}
                )
                expected = examined[stated["op"]].expected
                met = [
                    f.case for f, reason in expected if reason == scope.reason and scope.covers(f.case, f.dtype, ["*"])
                ]
                found.append({**stated, "failed": len(met)})
        return found

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values, in the form that `schema.SCHEMA` describes."""
        kinds = Counter(failure.kind for failure in self.failures)
        return {
            "format": FORMAT,
            "device": self.device,
            "passed": self.passed,
            "level": self.level,
            "seed": self.limits.seed,
            "limits": self.limits.as_dict(),
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "jobs": self.jobs,
            "contract": self.facts.get("contract"),
            "capabilities": self.facts["capabilities"],
            "versions": self.versions,
            "oracle": self.facts["oracle"],
            "cases": self.cases,
            "failures": len(self.failures),
            "failures_by_kind": dict(sorted(kinds.items())),
            "expected_failures": self.expected,
            "exceptions": self.declared(),
            "lost_workers": [asdict(each) for each in self.lost],
            "subjects": [subject_as_dict(each) for each in self.subjects],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """The inverse of `as_dict`."""
        return cls(
            values["device"], Limits.from_dict(values["limits"]),
            {name: values[name] for name in ("contract", "capabilities", "versions", "oracle", "exceptions")},
            [subject_from_dict(each) for each in values["subjects"]],
            [Lost(**each) for each in values["lost_workers"]], values["jobs"], values["started"], values["seconds"],
        )  # fmt: skip

    @classmethod
    def read(cls, path: Path) -> Report:
        """The report of a file ``conformance.json``, or of the folder that holds it; `write` draws its page anew.

        Raises:
            OSError: for a file that cannot be read.
            ValueError: for one that is no report, or of another version.
        """
        return cls.from_dict(stored.read(path))

    def write(self, folder: Path) -> list[Path]:
        """Write ``conformance.json``, ``junit.xml``, ``index.html`` and ``badge.svg`` into a folder, which is made."""
        from tensorcore_conformance.files import badge, junit
        from tensorcore_conformance.page import html

        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            stored.NAME: stored.text(self.as_dict()),
            "junit.xml": junit(self),
            "index.html": html(self),
            "badge.svg": badge(self),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, "utf-8")
        return [folder / name for name in texts]

    def table(self) -> str:
        """The summary as text: a line per subject, what failed, and the totals."""
        width = max([len(each.name) for each in self.subjects], default=4)
        lines = [
            f"{'op':{width}}  {'kind':9}  {'runs as':8}  {'cases':>6}  {'failed':>6}  {'max ulp':>9}  {'mean ulp':>9}  "
            f"{'budget':>6}"
        ]
        for each in self.subjects:
            known = f" (+{len(each.expected)} as declared)" if each.expected else ""
            errors = (
                f"{each.largest:9.3g}  {each.mean:9.3g}  {each.budget:6.0%}"
                if each.profiles
                else f"{'':9}  {'':9}  {'':6}"
            )
            note = f"  {each.note}" if each.note and not each.groups["values"] else ""
            lines.append(
                f"{each.name:{width}}  {each.kind:9}  {each.runs_as:8}  {each.cases:6}  {len(each.failures):6}  "
                f"{errors}{known}{note}".rstrip()
            )
        return "\n".join([*lines, "", *self._verdict()])

    def _verdict(self) -> Iterable[str]:
        for each in self.subjects:
            if not each.passed:
                yield each.explained()
                yield ""
        for lost in self.lost:
            yield f"a worker process was lost in {lost.subject}, case {lost.case}: {lost.kind} ({lost.how})"
        for each in self.subjects:
            if each.printed[0]:
                yield f"{each.name} printed in {each.printed[0]} cases, as in {each.printed[1][:80]!r}"
        yield "  ".join(f"{name} {version}" for name, version in self.versions.items())
        failed = [each.name for each in self.subjects if not each.passed]
        total = f"{self.cases} cases on device {self.device!r}: "
        declared = f", {self.expected} failures as declared" if self.expected else ""
        yield total + ("all pass" if not failed else f"{len(self.failures)} fail, in {', '.join(failed)}") + declared


# ------------------------------------------------------------------ subjects as JSON values


def subject_as_dict(report: SubjectReport) -> dict[str, Any]:
    """A subject's report as JSON values."""
    failed = Counter(failure.case.partition("/")[0] for failure in report.failures)
    declared = Counter(failure.case.partition("/")[0] for failure, _ in report.expected)
    groups = dict.fromkeys([*report.groups, *failed])
    return {
        "name": report.name,
        "kind": report.kind,
        "runs_as": report.runs_as,
        "cases": report.cases,
        "checks": {
            group: {
                "cases": report.groups[group],
                "compared": report.compared[group],
                "failed": failed[group],
                "declared": declared[group],
            }
            for group in groups
        },
        "failures": [vars(failure).copy() for failure in report.failures],
        "expected_failures": [{**vars(failure), "reason": reason} for failure, reason in report.expected],
        "oracles": dict(report.oracles),
        "errors": {dtype: asdict(profile) for dtype, profile in report.profiles.items()},
        "gradient_budget": report.gradient,
        "seconds": round(report.seconds, 3),
        "note": report.note,
        "printed": {"cases": report.printed[0], "text": report.printed[1]},
    }


def subject_from_dict(values: dict[str, Any]) -> SubjectReport:
    """The inverse of `subject_as_dict`, for reports that come from another process or a file."""
    expected = []
    for each in values["expected_failures"]:
        facts = dict(each)
        reason = facts.pop("reason")
        expected.append((Failure(**facts), reason))
    checks = values["checks"]
    return SubjectReport(
        values["name"], values["kind"], values["runs_as"], values["cases"],
        Counter({name: each["cases"] for name, each in checks.items() if each["cases"]}),
        Counter({name: each["compared"] for name, each in checks.items() if each["compared"]}),
        [Failure(**each) for each in values["failures"]], expected, Counter(values["oracles"]),
        {dtype: Profile(**each) for dtype, each in values["errors"].items()}, values["gradient_budget"],
        values["seconds"], values["note"], (values["printed"]["cases"], values["printed"]["text"]),
    )  # fmt: skip


# ------------------------------------------------------------------ examining

#: Called after each subject with its number, their number and its report.
Progress = Callable[[int, int, SubjectReport], None]


def examine_device(judge: Judge, progress: Progress | None = None) -> Report:
    """Examine all subjects of a judge in this process."""
    import time

    start = time.perf_counter()
    report = Report(judge.device, judge.limits, {"contract": judge.contract, **facts_of(judge)})
    for number, subject in enumerate(judge.subjects, 1):
        found = judge.examine(subject)
        report.subjects.append(found)
        if progress is not None:
            progress(number, len(judge.subjects), found)
    report.seconds = time.perf_counter() - start
    return report


def examine_isolated(workers: Workers, subjects: list[str], progress: Progress | None = None) -> Report:
    """Examine subjects in worker processes, which may crash and hang.

    Raises:
        DeviceError: where the device is unknown or cannot be loaded.
        ValueError: for names that the judge refuses.
    """
    import time

    start = time.perf_counter()
    done = 0

    def completed(found: SubjectReport) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(subjects), found)

    try:
        facts = workers.facts()
        report = Report(facts.pop("device"), workers.limits, facts, jobs=workers.jobs, lost=workers.lost)
        report.subjects = workers.examine(subjects, completed)
    finally:
        workers.close()
    report.seconds = time.perf_counter() - start
    return report
