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
    """JUnit XML as Jenkins and GitLab read it: a suite per op or area, a test case per check, failures with the cases.

    A check's time is its part of the op's by the number of cases. Cases that fail as declared are skipped.
    """
    suites = [_suite(each, report) for each in report.subjects]
    totals = {name: sum(counts[name] for counts, _ in suites) for name in ("tests", "failures", "errors")}
    name = _quoted(f"conformance {report.device}")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name={name} {_attributes(totals)} time="{report.seconds:.3f}">',
    ]
    for _, suite in suites:
        lines += suite
    return "\n".join([*lines, "</testsuites>", ""])


def _quoted(text: str) -> str:
    return quoteattr(_clean(text), {'"': "&quot;"})


def _attributes(counts: dict[str, int]) -> str:
    return " ".join(f'{name}="{count}"' for name, count in counts.items())


def _suite(subject: SubjectReport, report: Report) -> tuple[dict[str, int], list[str]]:
    by_group: dict[str, list[Failure]] = {}
    for failure in subject.failures:
        by_group.setdefault(failure.case.partition("/")[0], []).append(failure)
    declared = Counter(failure.case.partition("/")[0] for failure, _ in subject.expected)
    groups = list(dict.fromkeys([*subject.groups, *by_group]))
    counts = {"tests": len(groups), "failures": 0, "errors": 0, "skipped": 0}
    known = _quoted(f"conformance.{report.device}.{subject.name}")
    cases = []
    for group in groups:
        part = subject.groups[group] / max(1, subject.cases)
        # A name without counts, so that a history knows the check again.
        head = f'    <testcase classname={known} name={_quoted(group)} time="{part * subject.seconds:.3f}"'
        failures = by_group.get(group)
        if failures:
            word = "error" if all(each.kind in _ERRORS for each in failures) else "failure"
            counts["errors" if word == "error" else "failures"] += 1
            text = f"{len(failures)} of {subject.groups[group]} cases fail\n" + "\n".join(map(str, failures[:20]))
            message, kind = _quoted(failures[0].message[:300]), _quoted(failures[0].kind)
            cases.append(
                f"{head}><{word} type={kind} message={message}>{escape(_clean(text), quote=False)}</{word}></testcase>"
            )
        elif declared[group]:
            counts["skipped"] += 1
            said = f"{declared[group]} of {subject.groups[group]} cases fail as the backend declares"
            cases.append(f'{head}><skipped message="{said}"/></testcase>')
        else:
            cases.append(f"{head}/>")
    if subject.printed[0]:
        cases.append(f"    <system-out>{escape(_clean(subject.printed[1]), quote=False)}</system-out>")
    head = (
        f'  <testsuite name={_quoted(subject.name)} {_attributes(counts)} time="{subject.seconds:.3f}"'
        f' timestamp="{report.started.removesuffix("Z")}">'
    )
    return counts, [head, *cases, "  </testsuite>"]


# ------------------------------------------------------------------ badge

#: Widths of Verdana's characters in hundredths of their size, by width; what is not here is as wide as a capital.
_WIDTHS = {
    each: width
    for width, characters in {
        27: "il", 34: "j", 35: " f", 36: ".,", 39: "t", 43: "r", 45: "()-:", 52: "cs", 53: "z", 59: "kvxy", 60: "ae",
        61: "o", 62: "bdgpq", 63: "hnu", 64: "0123456789_", 82: "w", 97: "m",
    }.items()
    for each in characters
}  # fmt: skip
_CAPITAL, _SIZE, _MARGIN = 76, 11, 6


def _width(text: str) -> int:
    return round(sum(_WIDTHS.get(each, _CAPITAL if each < "\u2e80" else 100) for each in text) * _SIZE / 100)


def badge(report: Report) -> str:
    """An SVG badge in the flat style: the device, and how many cases pass, fail, and fail as declared."""
    failed = len(report.failures)
    counts = [(failed, "fail"), (report.passing, "pass"), (report.expected, "declared")]
    told = ", ".join(f"{count:,} {word}" for count, word in counts if count or word == "pass")
    label, value = "tensorcore conformance", _clean(f"{report.device}: {told}")
    color = "#c62828" if failed else "#2e7d32"
    wide, long = _width(label), _width(value)
    left, width = wide + 2 * _MARGIN, wide + long + 4 * _MARGIN
    title = escape(f"{label}: {value}")
    # The width of texts is stated, so that they fit whatever the font is.
    texts = "".join(
        f'<text x="{x:g}" y="{y}"{shade} textLength="{length}">{escape(text)}</text>'
        for text, x, length in ((label, left / 2, wide), (value, left + _MARGIN + long / 2, long))
        for y, shade in ((15, ' aria-hidden="true" fill="#010101" fill-opacity=".3"'), (14, ""))
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/>\
<stop offset="1" stop-opacity=".1"/></linearGradient>
<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)"><path fill="#555" d="M0 0h{left}v20H0z"/>\
<path fill="{color}" d="M{left} 0h{width - left}v20H{left}z"/><path fill="url(#s)" d="M0 0h{width}v20H0z"/></g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="{_SIZE}">{texts}</g>
</svg>
"""
