"""The report on a device: what was examined, with versions, as JSON, JUnit XML, HTML and a badge."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorcore.devices import Device
from tensorcore_conformance.judge import Failure, Judge, SubjectReport

__all__ = ["Report", "examine_device", "versions"]


@dataclass
class Report:
    """The reports on all subjects of a device.

    Attributes:
        device: name of the device.
        versions: name and version of everything the result depends on.
        subjects: the reports, in the order of the registry.
    """

    device: str
    versions: dict[str, str]
    subjects: list[SubjectReport] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing failed that was not declared."""
        return all(each.passed for each in self.subjects)

    @property
    def cases(self) -> int:
        """Number of cases."""
        return sum(each.cases for each in self.subjects)

    @property
    def failures(self) -> list[Failure]:
        """All failures."""
        return [failure for each in self.subjects for failure in each.failures]

    @property
    def expected(self) -> int:
        """Number of cases that failed as declared."""
        return sum(len(each.expected) for each in self.subjects)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "device": self.device,
            "passed": self.passed,
            "versions": self.versions,
            "cases": self.cases,
            "failures": len(self.failures),
            "expected_failures": self.expected,
            "subjects": [subject_as_dict(each) for each in self.subjects],
        }

    def write(self, folder: Path) -> list[Path]:
        """Write ``conformance.json``, ``junit.xml``, ``index.html`` and ``badge.svg`` into a folder, which is made."""
        from tensorcore_conformance.pages import badge, html, junit

        folder.mkdir(parents=True, exist_ok=True)
        texts = {
            "conformance.json": json.dumps(self.as_dict(), indent=1) + "\n",
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
            f"{'op':{width}}  {'kind':9}  {'runs as':8}  {'cases':>6}  {'failed':>6}  {'max ulp':>9}  {'mean ulp':>9}"
        ]
        for each in self.subjects:
            known = f" (+{len(each.expected)} as declared)" if each.expected else ""
            errors = (
                f"{each.largest:9.3g}  {each.mean:9.3g}" if each.kind != "area" and each.cases else f"{'':9}  {'':9}"
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
        yield "  ".join(f"{name} {version}" for name, version in self.versions.items())
        failed = [each.name for each in self.subjects if not each.passed]
        total = f"{self.cases} cases on device {self.device!r}: "
        declared = f", {self.expected} failures as declared" if self.expected else ""
        yield total + ("all pass" if not failed else f"{len(self.failures)} fail, in {', '.join(failed)}") + declared


def subject_as_dict(report: SubjectReport) -> dict[str, Any]:
    """A subject's report as JSON values."""
    return {
        "name": report.name,
        "kind": report.kind,
        "runs_as": report.runs_as,
        "cases": report.cases,
        "groups": dict(report.groups),
        "failures": [vars(failure).copy() for failure in report.failures],
        "expected_failures": [{**vars(failure), "reason": reason} for failure, reason in report.expected],
        "oracles": dict(report.oracles),
        # JSON has no infinity.
        "largest_ulp": report.largest if report.largest < float("inf") else None,
        "mean_ulp": report.mean if report.mean < float("inf") else None,
        "seconds": round(report.seconds, 3),
        "note": report.note,
    }


def subject_from_dict(values: dict[str, Any]) -> SubjectReport:
    """The inverse of `subject_as_dict`, for reports that come from another process."""
    from collections import Counter

    expected = []
    for each in values["expected_failures"]:
        facts = dict(each)
        reason = facts.pop("reason")
        expected.append((Failure(**facts), reason))
    return SubjectReport(
        values["name"], values["kind"], values["runs_as"], values["cases"], Counter(values["groups"]),
        [Failure(**each) for each in values["failures"]], expected, Counter(values["oracles"]),
        _number(values["largest_ulp"]), _number(values["mean_ulp"]), values["seconds"], values["note"],
    )  # fmt: skip


def _number(value: float | None) -> float:
    return float("inf") if value is None else value


def versions(device: str) -> dict[str, str]:
    """Versions of the library, the backend's distribution and array library, NumPy and Python."""
    import numpy

    import tensorcore
    from tensorcore.plugins.host import host

    place = Device(device)
    found = {"tensorcore": tensorcore.__version__}
    for state in host.states(load=False):
        if state.name == place.type and state.version:
            found[state.distribution] = state.version
    library: Any = getattr(place.backend, "xp", None)
    if getattr(library, "__version__", None):
        found[library.__name__.rpartition(".")[2]] = str(library.__version__)
    found["numpy"] = numpy.__version__
    found["python"] = platform.python_version()
    found["system"] = f"{platform.system()} {platform.machine()}"
    return found


def examine_device(judge: Judge, progress: Callable[[int, int, SubjectReport], None] | None = None) -> Report:
    """Examine all subjects of a judge; ``progress(number, total, report)`` is called after each."""
    report = Report(judge.device, versions(judge.device))
    for number, subject in enumerate(judge.subjects, 1):
        found = judge.examine(subject)
        report.subjects.append(found)
        if progress is not None:
            progress(number, len(judge.subjects), found)
    return report


def show_progress(number: int, total: int, report: SubjectReport) -> None:
    """One line on standard error, rewritten on a terminal; elsewhere only what failed."""
    mark = "ok" if report.passed else f"{len(report.failures)} FAILED"
    if sys.stderr.isatty():
        sys.stderr.write(
            f"\r\x1b[K[{number}/{total}] {report.name}: {mark}" + ("\n" if not report.passed or number == total else "")
        )
    elif not report.passed:
        sys.stderr.write(f"[{number}/{total}] {report.name}: {mark}\n")
    sys.stderr.flush()
