"""The report as one HTML page that needs no network: verdict, failures, error profile, op × check matrix, and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from tensorcore_conformance.check_texts import AREA_TEXTS, CHECK_TEXTS
from tensorcore_conformance.matrix import GIVEN_UP, RUNS_AS, check_of, details, matrix
from tensorcore_conformance.outcomes import KINDS
from tensorcore_conformance.plots import HOT, INEXACT, number, profile_table, proportions, share

if TYPE_CHECKING:
    from tensorcore_conformance.outcomes import Failure, SubjectReport
    from tensorcore_conformance.report import Report

__all__ = ["html"]

#: Failures that are shown in full, in all and of one op or area; the others are counted.
SHOWN, SHOWN_EACH = 400, 20
#: Lines of the lists of ops that stand out.
RANKED = 8


def html(report: Report) -> str:
    """A page that needs no network: the verdict, plots, a matrix that sorts and filters, and every failure."""
    assets = files("tensorcore_conformance") / "assets"
    style, script = (assets.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    ops = [each for each in report.subjects if each.kind != "area"]
    areas = [each for each in report.subjects if each.kind == "area"]
    sections = {
        "Failures": _failures(report), "Declared": _declared(report), "Errors": _profile(ops), "Ops": matrix(ops),
        "Beside ops": _areas(areas), "Checks": _checks(ops), "How it was made": _facts(report),
    }  # fmt: skip
    title = f"{escape(report.device)}: {_verdict(report)}"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – tensorcore conformance</title>
<meta name="description" content="Conformance of the tensorcore device {title}.">
<style>{style}</style></head><body>
{_head(report, sections)}<main>
{_tiles(report, ops)}{"".join(sections.values())}</main>
{_footer(report)}
<script type="application/json" id="details">{details(ops)}</script><script>{script}</script></body></html>
"""


def _verdict(report: Report) -> str:
    declared = f", {report.expected:,} fail as declared" if report.expected else ""
    failed = len(report.failures)
    return (
        f"{failed:,} fail, {report.passing:,} cases pass{declared}"
        if failed
        else (f"{report.passing:,} cases pass{declared}" if declared else f"all {report.cases:,} cases pass")
    )


def _head(report: Report, sections: dict[str, str]) -> str:
    word, said = ("good", "✓ Conforms") if report.passed else ("bad", "✗ Does not conform")
    own = {name: text for name, text in report.versions.items() if name not in ("hypothesis", "tensorcore-framework")}
    facts = [f"level {report.level}", f"seed {report.limits.seed}", report.started[:10]]
    facts += [f"{name} {text}" for name, text in own.items()]
    links = "".join(
        f'<a href="#{text.partition(chr(34))[2].partition(chr(34))[0]}">{name}</a>'
        for name, text in sections.items() if text
    )  # fmt: skip
    return f"""<header><div class="inner"><p class="dim">tensorcore conformance</p>
<h1>{escape(report.device)}</h1>
<p class="verdict {word}"><b>{said}</b> {_verdict(report)}</p>
<p class="dim facts">{"".join(f"<span>{escape(each)}</span>" for each in facts)}</p>
</div><nav aria-label="Sections"><div class="inner">{links}</div></nav></header>
"""


def _tiles(report: Report, ops: list[SubjectReport]) -> str:
    areas = len(report.subjects) - len(ops)
    compared = sum(sum(each.compared.values()) for each in report.subjects)
    failed = len(report.failures)
    tiles = [(
        f"{report.passing:,}", f"of {report.cases:,} cases pass",
        proportions([("pass", report.passing, "good"), ("fail as declared", report.expected, "known"),
                     ("fail", failed, "bad")])
        + f'<p class="dim">{compared:,} had something to compare; the op rightly refused the others, say.</p>',
    )]  # fmt: skip
    if ops:
        runs = Counter(each.runs_as for each in ops)
        beside = f", and {areas} area{'s' if areas > 1 else ''} beside them" if areas else ""
        tiles.append((
            f"{len(ops):,}", f"op{'s' if len(ops) > 1 else ''} examined{beside}",
            proportions([(name or "unknown", runs[name], name or "missing") for name in RUNS_AS])
            + '<p class="dim">Native ops have a kernel of the backend, composed ones are made of other ops'
            + (", and fallbacks run on the host." if runs["fallback"] else ".") + "</p>",
        ))  # fmt: skip
    measured = [(each.profiles[dtype], dtype, each.name) for each in ops for dtype in INEXACT if dtype in each.profiles]
    if measured:
        profile, dtype, name = max(measured, key=lambda each: each[0].budget)
        rounded = sum(each.ulp <= 0.5 for each, _, _ in measured)
        tiles.append((
            share(profile.budget), "of an error budget is taken at most",
            f'<div class="parts" aria-hidden="true"><i class="{"hot" if profile.budget > HOT else "native"}" '
            f'style="flex-grow:{profile.budget:.3f}"></i>'
            f'<i style="flex-grow:{max(0, 1 - profile.budget):.3f}"></i></div>'
            f'<p>by <a href="#{escape(name)}"><code>{escape(name)}</code></a> in {dtype}</p>'
            f'<p class="dim">Of {len(measured):,} pairs of op and dtype, {share(rounded / len(measured))} are'
            " correctly rounded in every case.</p>",
        ))  # fmt: skip
    inner = "".join(
        f'<section class="card tile"><h2><b>{value}</b> {escape(text)}</h2>{more}</section>'
        for value, text, more in tiles
    )
    return f'<div class="tiles">{inner}</div>'


# ------------------------------------------------------------------ failures


def _failures(report: Report) -> str:
    failing = [each for each in report.subjects if each.failures]
    printed = [each for each in report.subjects if each.printed[0]]
    if not failing and not report.lost and not printed:
        return ""
    kinds = Counter(failure.kind for failure in report.failures)
    parts = [f'<h2 id="the-failures">{"Failures" if failing or report.lost else "Output"}</h2>']
    if kinds:
        told = "".join(f"<li><b>{count:,}</b> {kind}: {escape(KINDS[kind])}" for kind, count in kinds.most_common())
        parts.append(f'<ul class="legend kinds">{told}</ul>')
    most = max(2, min(SHOWN_EACH, SHOWN // max(1, len(failing))))
    parts.append('<div class="joined">')
    for each in failing:
        shown = "".join(map(_failure, each.failures[:most]))
        rest = Counter(map(check_of, each.failures[most:]))
        if rest:
            counts = ", ".join(f"{count} of {check}" for check, count in rest.items())
            shown += f'<p class="dim">and {rest.total()} more: {counts}; all are in conformance.json</p>'
        told = ", ".join(f"{n} {kind}" for kind, n in Counter(failure.kind for failure in each.failures).most_common())
        opened = " open" if len(report.failures) <= SHOWN_EACH else ""
        parts.append(
            f'<details class="card" data-of="{escape(each.name)}"{opened}><summary>{_link(each)}'
            f' {len(each.failures):,} of {each.cases:,} cases <span class="dim">{told}</span></summary>'
            f"{shown}</details>"
        )
    parts.append("</div>")
    if report.lost:
        rows = ((f"<code>{escape(lost.subject)}</code>", f"<code>{escape(lost.case)}</code>", lost.kind,
                 escape(lost.how)) for lost in report.lost)  # fmt: skip
        parts.append("<h3>Worker processes that were lost</h3>" + _listed(("op", "case", "how", "by"), rows))
    if printed:
        rows = ((_link(each), str(each.printed[0]), f"<code>{escape(each.printed[1][:120])}</code>")
                for each in printed)  # fmt: skip
        parts.append("<h3>What the backend printed</h3>" + _listed(("op", "cases", "the first"), rows))
    return "".join(parts)


def _link(each: SubjectReport) -> str:
    return f'<a href="#{escape(each.name)}"><code>{escape(each.name)}</code></a>'


def _failure(failure: Failure, reason: str = "") -> str:
    program = f"<pre>{escape(failure.program)}</pre>" if failure.program else ""
    word = "declared" if reason else failure.kind
    why = f" {escape(reason)}" if reason else ""
    return (
        f'<div class="failure{" known" if reason else ""}"><p><b>{escape(word)}</b> '
        f"<code>{escape(failure.case)}</code>{why}"
        f"</p><p>{escape(failure.message)}</p>{program}</div>"
    )


def _declared(report: Report) -> str:
    stated = report.declared()
    if not stated:
        return ""
    rows = (
        (
            f'<a href="#{escape(each["op"])}"><code>{escape(each["op"])}</code></a>',
            f"<code>{escape(each['cases'])}</code>"
            + escape("".join(
                f" {word} {', '.join(each[of])}" for word, of in (("in", "dtypes"), ("of", "shapes")) if each[of]
            )),
            escape(each["reason"]),
            str(each["failed"]),
        )
        for each in stated
    )  # fmt: skip
    parts = ['<h2 id="the-declared">Declared by the backend</h2>',
             '<p class="dim">What the backend says it fails, and why. '
             "A declaration that passes, or matches nothing, is a failure.</p>",
             _listed(("op", "cases", "reason", "cases that fail"), rows)]  # fmt: skip
    groups = [_expected(each) for each in report.subjects if each.expected]
    if groups:
        said = f"The {report.expected:,} case{'s' if report.expected > 1 else ''}, with programs that show them"
        parts.append(f'<details class="card"><summary>{said}</summary>{"".join(groups)}</details>')
    return "".join(parts)


def _expected(each: SubjectReport) -> str:
    shown = "".join(_failure(failure, reason) for failure, reason in each.expected[:RANKED])
    more = len(each.expected) - RANKED
    shown += f'<p class="dim">and {more} more, in conformance.json</p>' if more > 0 else ""
    return f'<div data-of="{escape(each.name)}"><h3>{_link(each)}</h3>{shown}</div>'


# ------------------------------------------------------------------ errors, and ops that stand out


def _profile(ops: list[SubjectReport]) -> str:
    table = profile_table(ops)
    if not table:
        return ""
    measured = [(profile, dtype, each) for each in ops for dtype, profile in each.profiles.items() if profile.budget]
    closest = sorted(measured, key=lambda each: -each[0].budget)[:RANKED]
    slowest = sorted(ops, key=lambda each: -each.seconds)[:RANKED]
    longest = max(each.seconds for each in slowest) or 1.0
    lists = [
        _ranked("Closest to their budgets", ("op", "dtype", "share", "", "max ulp", "mean ulp"), [
            (_link(each), f"<code>{dtype}</code>", share(profile.budget), _bar(profile.budget), number(profile.ulp),
             number(profile.mean)) for profile, dtype, each in closest
        ]),
        _ranked("Took longest", ("op", "runs as", "cases", "", "seconds"), [
            (_link(each), each.runs_as or "unknown", f"{each.cases}", _bar(each.seconds / longest),
             f"{each.seconds:.2f}") for each in slowest
        ]),
    ]  # fmt: skip
    return f"""<h2 id="the-errors">Error profile</h2>
<p class="dim">Errors are measured in units in the last place (ulp) against NumPy in float64, or in longdouble for
float64; up to 0.5 is correct rounding, the dashed line. Budgets follow from the op and its shapes: elementwise ops have
a few ulp, sums and products a bound that grows with the root of their length. The heights of bars grow with the root
of the number of ops.</p>
{table}<div class="lists">{"".join(lists)}</div>
"""


def _bar(part: float) -> str:
    return f'<span class="track" aria-hidden="true"><i style="width:{min(1.0, part):.0%}"></i></span>'


def _ranked(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f'<div class="card"><h3>{title}</h3>{_table(head, rows)}</div>' if rows else ""


# ------------------------------------------------------------------ areas, checks, facts


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already, the first of each row its heading."""
    titles = "".join(f"<th scope=col>{name}" if name else "<td>" for name in head)
    lines = "".join(f"<tr><th scope=row>{row[0]}" + "".join(f"<td>{cell}" for cell in row[1:]) for row in rows)
    return f'<table class="list"><thead><tr>{titles}</thead><tbody>{lines}</tbody></table>'


def _listed(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    return f'<div class="wrap">{_table(head, rows)}</div>'


def _result(cases: int, failed: int, declared: int) -> str:
    if failed:
        return f'<b class="bad">✗ {failed:,} of {cases:,} fail</b>'
    return f"{cases:,} pass" if not declared else f"{cases - declared:,} pass, † {declared:,} fail as declared"


def _code(text: str) -> str:
    """Text whose words in backquotes are code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _areas(areas: list[SubjectReport]) -> str:
    if not areas:
        return ""
    rows = (
        (
            f'<code id="{escape(each.name)}">{escape(each.name)}</code>',
            _code(AREA_TEXTS.get(each.name, "")),
            _result(each.cases, len(each.failures), len(each.expected)),
            f"{each.seconds:.1f} s",
        )
        for each in areas
    )
    return '<h2 id="the-areas">Beside single ops</h2>' + _listed(("area", "what it tries", "result", "took"), rows)


def _checks(ops: list[SubjectReport]) -> str:
    failures = Counter(check_of(failure) for each in ops for failure in each.failures)
    expected = Counter(check_of(failure) for each in ops for failure, _ in each.expected)
    rows = [
        (f"<code>{name}</code>", _code(text), _result(cases, failures[name], expected[name]))
        for name, text in (CHECK_TEXTS | GIVEN_UP).items()
        if (cases := sum(each.groups[name] for each in ops)) or failures[name]
    ]
    return (
        '<h2 id="the-checks">What each check tries</h2>' + _listed(("check", "what it tries", "result"), iter(rows))
        if rows
        else ""
    )


def _facts(report: Report) -> str:
    limits, oracle, able = report.limits, report.facts["oracle"], report.facts["capabilities"]
    examined = {
        "level": report.level,
        "seed": str(limits.seed),
        "draws per op": str(limits.examples),
        "dtypes": ", ".join(limits.dtypes) or "all of the device's",
        "started": report.started.replace("T", " ").replace("Z", " UTC"),
        "took": f"{report.seconds:.0f} s, " + (f"{report.jobs} worker processes" if report.jobs else "in one process"),
    }
    claims = {
        "contract": f"version {report.facts.get('contract')}",
        "dtypes": ", ".join(able["dtypes"]),
        "says it is": ", ".join(name for name, value in able.items() if value is True) or "–",
        "and not": ", ".join(name for name, value in able.items() if value is False) or "–",
    }
    judge = {
        "oracle": f"NumPy {report.versions.get('numpy', '')}",
        "on": f"{oracle['processor']}, {oracle['cores']} cores",
        "widest format": f"{oracle['longdouble_digits']} bits of significand",
    }
    cards = {
        "Examined": examined, "What the backend claims": claims, "Versions": report.versions, "Judged by": judge,
    }  # fmt: skip
    inner = "".join(
        f'<div class="card"><h3>{title}</h3><dl>'
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs.items())
        + "</dl></div>"
        for title, pairs in cards.items()
    )
    return f'<h2 id="the-facts">How it was made</h2><div class="cards">{inner}</div>'


def _footer(report: Report) -> str:
    level = "" if report.level == "custom" else f" --{report.level}"
    command = f"tensorcore conformance {report.device}{level} --seed {report.limits.seed} --report out/"
    return f"<footer>Made by <code>{escape(command)}</code>; the same command gives the same cases again.</footer>"
