"""The report's small files: JUnit XML and an SVG badge."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from tensorcore_conformance.judge import Failure, SubjectReport
    from tensorcore_conformance.report import Report

__all__ = ["badge", "junit"]


def _clean(text: str) -> str:
    """Text without what XML 1.0 does not allow: control characters, half pairs of UTF-16 and the two after them."""
    return "".join(c for c in text if (" " <= c < "\ud800") or c in "\n\t" or "\ue000" <= c < "\ufffe" or c > "\uffff")


# ------------------------------------------------------------------ JUnit

#: Kinds of failures that JUnit calls errors: no check said anything.
_ERRORS = frozenset(("raised", "crashed", "hung", "not run"))


def junit(report: Report) -> str:
    """JUnit XML: a suite per op or area, a test case per check, failures and errors with the cases."""
    suites = [_suite(each, report) for each in report.subjects]
    totals = {name: sum(counts[name] for counts, _ in suites) for name in ("tests", "failures", "errors", "skipped")}
    name = _quoted(f"conformance {report.device}")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites name={name} {_attributes(totals)} time="{report.seconds:.3f}">',
    ]
    for _, suite in suites:
        lines += suite
    return "\n".join([*lines, "</testsuites>", ""])


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _attributes(counts: dict[str, int]) -> str:
    return " ".join(f'{name}="{count}"' for name, count in counts.items())


def _suite(subject: SubjectReport, report: Report) -> tuple[dict[str, int], list[str]]:
    by_group: dict[str, list[Failure]] = {}
    for failure in subject.failures:
        by_group.setdefault(failure.case.partition("/")[0], []).append(failure)
    declared = Counter(failure.case.partition("/")[0] for failure, _ in subject.expected)
    groups = list(dict.fromkeys([*subject.groups, *by_group]))
    counts = {"tests": len(groups), "failures": 0, "errors": 0, "skipped": 0}
    cases = []
    for group in groups:
        name = f"{group} ({subject.groups[group]} cases)"
        known = f"conformance.{report.device}.{subject.name}"
        cases.append(f"    <testcase classname={_quoted(known)} name={_quoted(name)}>")
        failures = by_group.get(group)
        if failures:
            word = "error" if all(each.kind in _ERRORS for each in failures) else "failure"
            counts["errors" if word == "error" else "failures"] += 1
            text = "\n".join(str(each) for each in failures[:20])
            message, kind = _quoted(failures[0].message[:300]), _quoted(failures[0].kind)
            cases.append(f"      <{word} type={kind} message={message}>{escape(_clean(text))}</{word}>")
        elif declared[group]:
            counts["skipped"] += 1
            cases.append(f'      <skipped message="{declared[group]} cases fail as the backend declares"/>')
        cases.append("    </testcase>")
    if subject.printed[0]:
        cases.append(f"    <system-out>{escape(_clean(subject.printed[1]))}</system-out>")
    head = f'  <testsuite name={_quoted(subject.name)} {_attributes(counts)} time="{subject.seconds:.3f}">'
    return counts, [head, *cases, "  </testsuite>"]


# ------------------------------------------------------------------ badge


def badge(report: Report) -> str:
    """An SVG badge: the device, and how many cases pass."""
    label = f"tensorcore {report.device}"
    failed = len(report.failures)
    value = f"{report.cases:,} cases pass" if not failed else f"{failed:,} of {report.cases:,} fail"
    color = "#2e7d32" if not failed else "#c62828"
    left, right = 7 * len(label) + 12, 7 * len(value) + 12
    title = escape(f"{label}: {value}")
    width = left + right
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<rect width="{width}" height="20" rx="3" fill="#555"/>
<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z" fill="{color}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{left / 2}" y="14">{escape(label)}</text><text x="{left + right / 2}" y="14">{escape(value)}</text></g>
</svg>
"""
