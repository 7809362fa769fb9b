"""The report's files: JUnit XML, a self-contained HTML page, an SVG badge."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from tensorcore_conformance.judge import Failure, SubjectReport
    from tensorcore_conformance.report import Report

__all__ = ["badge", "html", "junit"]


def _clean(text: str) -> str:
    """Text without the control characters that XML 1.0 does not allow."""
    return "".join(c for c in text if c >= " " or c in "\n\t")


# ------------------------------------------------------------------ JUnit


def junit(report: Report) -> str:
    """JUnit XML: a suite per subject, a test case per group of cases."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(
        f'<testsuites name={_quoted("conformance " + report.device)} tests="{report.cases}" '
        f'failures="{len(report.failures)}">'
    )
    for each in report.subjects:
        lines += _suite(each, report.device)
    return "\n".join([*lines, "</testsuites>", ""])


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _suite(subject: SubjectReport, device: str) -> list[str]:
    by_group: dict[str, list[Failure]] = {}
    for failure in subject.failures:
        by_group.setdefault(failure.case.partition("/")[0], []).append(failure)
    declared = Counter(failure.case.partition("/")[0] for failure, _ in subject.expected)
    groups = list(dict.fromkeys([*subject.groups, *by_group]))
    lines = [
        f'  <testsuite name={_quoted(subject.name)} tests="{len(groups)}" failures="{len(by_group)}" '
        f'time="{subject.seconds:.3f}">'
    ]
    for group in groups:
        name = f"{group} ({subject.groups[group]} cases)"
        lines.append(f"    <testcase classname={_quoted(f'conformance.{device}.{subject.name}')} name={_quoted(name)}>")
        for failure in by_group.get(group, [])[:1]:
            text = "\n".join(str(each) for each in by_group[group][:20])
            lines.append(f"      <failure message={_quoted(failure.message[:300])}>{escape(_clean(text))}</failure>")
        if group in declared and group not in by_group and declared[group] == subject.groups[group]:
            lines.append('      <skipped message="fails as the backend declares"/>')
        lines.append("    </testcase>")
    return [*lines, "  </testsuite>"]


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


# ------------------------------------------------------------------ HTML

_STYLE = """
:root {
  color-scheme: light dark;
  --line: #d0d7de; --dim: #57606a; --bad: #c62828; --good: #2e7d32; --back: #fff; --head: #f6f8fa;
}
@media (prefers-color-scheme: dark) {
  :root { --line: #30363d; --dim: #8b949e; --bad: #ff7b72; --good: #56d364; --back: #0d1117; --head: #161b22; }
}
body {
  font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; background: var(--back);
}
h1 { font-size: 1.5rem; } h1 .good, td.good { color: var(--good); } h1 .bad, td.bad { color: var(--bad); }
p.versions, td.dim, .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: var(--head); position: sticky; top: 0; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid; }
th button::after { content: " ↕"; color: var(--dim); }
td.number, th.number { text-align: right; }
pre {
  white-space: pre-wrap; overflow-wrap: anywhere; background: var(--head); padding: .6rem; border-radius: 4px;
  font-size: 13px;
}
input { font: inherit; padding: .3rem .6rem; width: 20rem; max-width: 100%; margin-bottom: 1rem; }
"""

_SCRIPT = """
const table = document.querySelector("table"), body = table.tBodies[0];
const value = (row, i) => {
  const text = row.cells[i].dataset.value ?? row.cells[i].textContent;
  return text === "" || isNaN(text) ? text : Number(text);
};
const order = (x, y) => (x > y ? 1 : x < y ? -1 : 0);
table.tHead.querySelectorAll("button").forEach((button, i) => button.addEventListener("click", () => {
  const th = button.parentElement, up = th.getAttribute("aria-sort") !== "ascending";
  table.tHead.querySelectorAll("th").forEach(each => each.removeAttribute("aria-sort"));
  th.setAttribute("aria-sort", up ? "ascending" : "descending");
  [...body.rows].sort((a, b) => order(value(a, i), value(b, i)) * (up ? 1 : -1)).forEach(row => body.append(row));
}));
document.querySelector("input").addEventListener("input", event => {
  for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(event.target.value.toLowerCase());
});
"""

_COLUMNS = (
    "op",
    "kind",
    "runs as",
    "cases",
    "failed",
    "declared",
    "max error (ulp)",
    "mean error (ulp)",
    "compared with",
)


def html(report: Report) -> str:
    """A page that needs no network: the verdict, a table that sorts and filters, and every failure."""
    failed = len(report.failures)
    verdict = (
        '<span class="good">all cases pass</span>'
        if not failed
        else f'<span class="bad">{failed:,} of {report.cases:,} cases fail</span>'
    )
    versions = " · ".join(f"{escape(name)} {escape(version)}" for name, version in report.versions.items())
    head = "".join(f'<th scope="col"{_right(i)}><button>{name}</button></th>' for i, name in enumerate(_COLUMNS))
    rows = "\n".join(_row(each) for each in report.subjects)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Conformance of {escape(report.device)}</title><style>{_STYLE}</style></head><body>
<h1>Conformance of device <code>{escape(report.device)}</code>: {verdict}</h1>
<p>{report.cases:,} cases over {len(report.subjects)} ops and areas;
{report.expected} failures declared by the backend.</p>
<p class="versions">{versions}</p>
{_details(report)}
<h2>Ops and areas</h2>
<input type="search" placeholder="filter" aria-label="Filter the table">
<table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table><script>{_SCRIPT}</script></body></html>
"""


def _right(column: int) -> str:
    return ' class="number"' if 3 <= column <= 7 else ""


def _row(each: SubjectReport) -> str:
    number = each.kind != "area" and each.cases > 0
    errors = [(f"{value:.3g}", f"{value:.6g}") if number else ("", "-1") for value in (each.largest, each.mean)]
    told = (
        each.note
        if each.note and not each.groups["values"]
        else ", ".join(name for name, _ in each.oracles.most_common(3))
    )
    cells = [
        f"<td><code>{escape(each.name)}</code></td>",
        f"<td>{each.kind}</td>",
        f"<td>{each.runs_as}</td>",
        f'<td class="number">{each.cases}</td>',
        f'<td class="number {"good" if each.passed else "bad"}">{len(each.failures)}</td>',
        f'<td class="number">{len(each.expected)}</td>',
        *(f'<td class="number" data-value="{value}">{shown}</td>' for shown, value in errors),
        f'<td class="dim">{escape(told)}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _details(report: Report) -> str:
    parts = []
    for each in report.subjects:
        if each.failures:
            parts.append(
                f"<details open><summary><code>{escape(each.name)}</code>: {len(each.failures)} failed</summary>"
                f"<pre>{escape(each.explained(20))}</pre></details>"
            )
    if parts:
        parts.insert(0, "<h2>Failures</h2>")
    declared = [(failure, reason) for each in report.subjects for failure, reason in each.expected]
    if declared:
        lines = "\n".join(f"{failure.subject} {failure.case}: {reason}" for failure, reason in declared)
        parts.append(
            f"<h2>Declared by the backend</h2><details><summary>{len(declared)} cases</summary>"
            f"<pre>{escape(lines)}</pre></details>"
        )
    return "\n".join(parts)
