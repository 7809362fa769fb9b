"""The report as one HTML page that needs no network: verdict, error profile, op × check matrix, failures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from tensorcore_conformance.check_texts import AREA_TEXTS, CHECK_TEXTS
from tensorcore_conformance.outcomes import KINDS
from tensorcore_conformance.plots import profile_plot

if TYPE_CHECKING:
    from tensorcore_conformance.outcomes import Failure, SubjectReport
    from tensorcore_conformance.report import Report

__all__ = ["html"]

#: Dtypes whose errors are measured, narrow ones first.
INEXACT = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
#: Share of the budget from which an error is shown in another colour.
HOT = 0.5


def html(report: Report) -> str:
    """A page that needs no network: the verdict, plots, a matrix that sorts and filters, and every failure."""
    assets = files("tensorcore_conformance") / "assets"
    style, script = (assets.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    ops = [each for each in report.subjects if each.kind != "area"]
    areas = [each for each in report.subjects if each.kind == "area"]
    device = escape(report.device)
    parts = [
        _head(report), _tiles(report, ops), _cards(report), _profile(ops), _failures(report), _matrix(ops),
        _areas(areas), _checks(ops), _declared(report), _footer(report),
    ]  # fmt: skip
    # "</" would end the script element.
    details = json.dumps({each.name: _details(each) for each in ops}, separators=(",", ":")).replace("</", "<\\/")
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{device}: {_verdict(report)} – tensorcore conformance</title>
<meta name="description" content="Conformance of the tensorcore device {device}: {_verdict(report)}.">
<style>{style}</style></head><body><main>
{"".join(parts)}
</main><script type="application/json" id="details">{details}</script><script>{script}</script></body></html>
"""


def _verdict(report: Report) -> str:
    failed = len(report.failures)
    return f"{failed:,} of {report.cases:,} cases fail" if failed else f"all {report.cases:,} cases pass"


def _head(report: Report) -> str:
    word = "good" if report.passed else "bad"
    return f"""<p class="dim">tensorcore conformance</p>
<h1>Device <code>{escape(report.device)}</code></h1>
<p class="verdict {word}">{"✓" if report.passed else "✗"} {_verdict(report)}</p>
<p class="dim">Each op and check was judged against an independent oracle: NumPy in float64 (in longdouble for float64),
within an error budget that follows from the op and its shapes.</p>
"""


def _tiles(report: Report, ops: list[SubjectReport]) -> str:
    native = sum(each.runs_as == "native" for each in ops)
    composed = sum(each.runs_as == "composed" for each in ops)
    compared = sum(sum(each.compared.values()) for each in report.subjects)
    worst = max(ops, key=lambda each: each.budget, default=None)
    tiles = [
        (f"{report.cases:,}", "cases", ""),
        (f"{compared:,}", "of them with something to compare", ""),
        (f"{len(report.failures):,}", "failures", "bad" if report.failures else ""),
        (f"{report.expected:,}", "failures declared by the backend", "known" if report.expected else ""),
        (f"{native:,}", "ops with kernels of its own", ""),
        (f"{composed:,}", "ops composed of others", ""),
        ("0" if not report.lost else f"{len(report.lost)}", "crashes and time limits", "bad" if report.lost else ""),
    ]
    if worst is not None and worst.budget:
        tiles.append((f"{worst.budget:.0%}", f"largest share of an error budget, in {worst.name}", ""))
    inner = "".join(
        f'<div class="tile {kind}"><b>{value}</b><span>{escape(text)}</span></div>' for value, text, kind in tiles
    )
    return f'<section class="tiles" aria-label="Totals">{inner}</section>'


def _pairs(pairs: dict[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs.items()) + "</dl>"


def _cards(report: Report) -> str:
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
        "says it is": ", ".join(name for name, value in able.items() if value is True),
        "and not": ", ".join(name for name, value in able.items() if value is False) or "–",
    }
    judge = {
        "oracle": f"NumPy {report.versions.get('numpy', '')}",
        "on": f"{oracle['processor']}, {oracle['cores']} cores",
        "widest format": f"{oracle['longdouble_digits']} bits of significand",
    }
    cards = [
        ("Examined", examined),
        ("What the backend claims", claims),
        ("Versions", report.versions),
        ("Judged by", judge),
    ]
    inner = "".join(f'<div class="card"><h3>{title}</h3>{_pairs(pairs)}</div>' for title, pairs in cards)
    return f'<section class="cards">{inner}</section>'


def _profile(ops: list[SubjectReport]) -> str:
    plot = profile_plot(ops, INEXACT)
    if not plot:
        return ""
    return f"""<h2 id="errors">Error profile</h2>
<figure class="card">{plot}<figcaption>Each dot is the largest error of an op in a dtype, each pale mark behind it the
mean, in units in the last place (ulp; 0.5 is correct rounding). Orange dots take more than half of their budget.
Budgets differ: elementwise ops have a few ulp, sums and products a bound that grows with the root of their length.
</figcaption></figure>
"""


# ------------------------------------------------------------------ failures


def _failures(report: Report) -> str:
    if not report.failures and not report.lost and not any(each.printed[0] for each in report.subjects):
        return ""
    parts = ['<h2 id="failures">Failures</h2>' if report.failures or report.lost else '<h2 id="failures">Output</h2>']
    for each in report.subjects:
        if each.failures:
            shown = "".join(_failure(failure) for failure in each.failures[:20])
            rest = f'<p class="dim">and {len(each.failures) - 20} more</p>' if len(each.failures) > 20 else ""
            parts.append(
                f'<details class="card"{" open" if len(report.failures) <= 20 else ""}><summary>'
                f"<code>{escape(each.name)}</code>: {len(each.failures)} of {each.cases} cases</summary>"
                f"{shown}{rest}</details>"
            )
    if report.lost:
        lines = "".join(
            f"<li><code>{escape(lost.subject)}</code>, case <code>{escape(lost.case)}</code>: {lost.kind} "
            f"({escape(lost.how)})</li>"
            for lost in report.lost
        )
        parts.append(f'<div class="card"><h3>Worker processes that were lost</h3><ul>{lines}</ul></div>')
    printed = [each for each in report.subjects if each.printed[0]]
    if printed:
        lines = "".join(
            f"<li><code>{escape(each.name)}</code>, in {each.printed[0]} cases: "
            f"<code>{escape(each.printed[1][:120])}</code></li>"
            for each in printed
        )
        parts.append(f'<div class="card"><h3>What the backend printed</h3><ul>{lines}</ul></div>')
    return "".join(parts)


def _failure(failure: Failure) -> str:
    program = f"<pre>{escape(failure.program)}</pre>" if failure.program else ""
    return (
        f'<div class="failure"><p><b title="{escape(KINDS[failure.kind])}">{escape(failure.kind)}</b> '
        f"<code>{escape(failure.case)}</code></p><p>{escape(failure.message)}</p>{program}</div>"
    )


# ------------------------------------------------------------------ matrix


def _matrix(ops: list[SubjectReport]) -> str:
    met = {group for each in ops for group in each.groups} | {
        failure.case.partition("/")[0] for each in ops for failure in each.failures
    }
    columns = [name for name in CHECK_TEXTS if name in met]
    head = "".join(
        f'<th scope="col" class="turned" title="{escape(CHECK_TEXTS[name])}"><button>{name}</button></th>'
        for name in columns
    )
    rows = "\n".join(_row(each, columns) for each in ops)
    states = {
        "failing": "failing",
        "declared": "declared",
        "native": "native",
        "composed": "composed",
        "hot": "over half a budget",
    }
    options = "".join(f'<option value="{value}">{text}</option>' for value, text in states.items())
    return f"""<h2 id="ops">Ops and checks</h2>
<div class="tools"><input type="search" placeholder="Filter ops" aria-label="Filter ops">
<select aria-label="Show"><option value="">all ops</option>{options}</select><span class="dim" id="count"></span>
<span class="key"><span><i style="background:var(--good-soft)"></i>cases that pass</span>
<span><i style="background:var(--bad-soft)"></i>fail</span>
<span><i style="background:var(--known-soft)"></i>fail as declared</span>
<span>· nothing to compare</span></span></div>
<div class="wrap"><table id="matrix"><thead><tr><th scope="col"><button>op</button></th>
<th scope="col"><button>runs as</button></th>
<th scope="col" title="share of the error budget by dtype: {", ".join(INEXACT)}"><button>budget</button></th>
<th scope="col"><button>max ulp</button></th>{head}</tr></thead><tbody>
{rows}
</tbody></table></div>
<p class="dim">Click an op for its errors by dtype, its oracle and its failures; the address then links to it.</p>
"""


def _row(each: SubjectReport, columns: list[str]) -> str:
    failed = [failure.case.partition("/")[0] for failure in each.failures]
    declared = [failure.case.partition("/")[0] for failure, _ in each.expected]
    states = [each.runs_as]
    states += ["failing"] if failed else []
    states += ["declared"] if declared else []
    states += ["hot"] if each.budget > HOT else []
    cells = []
    for name in columns:
        cases, bad, known = each.groups[name], failed.count(name), declared.count(name)
        if bad:
            cells.append(
                f'<td class="f" data-value="{1000 * bad}" title="{bad} of {cases} {name} cases fail">{bad}</td>'
            )
        elif known:
            cells.append(f'<td class="k" title="{known} of {cases} {name} cases fail as declared">{known}</td>')
        elif not cases:
            cells.append('<td class="n"></td>')
        elif not each.compared[name]:
            cells.append('<td class="i" data-value="0">·</td>')
        else:
            cells.append(f'<td class="p">{cases}</td>')
    if each.note and not each.groups["values"] and not failed:
        cells = [f'<td class="note" colspan="{len(columns)}">{escape(each.note)}</td>']
    ulp = f"{each.largest:.3g}" if each.profiles else ""
    return (
        f'<tr class="op" tabindex="0" aria-expanded="false" data-name="{escape(each.name)}" '
        f'data-status="{" ".join(states)}">'
        f'<th scope="row"><code>{escape(each.name)}</code></th>'
        f'<td><span class="chip {each.runs_as}">{each.runs_as or "?"}</span></td>'
        f'<td class="n" data-value="{each.budget:.4g}">{_bars(each)}</td><td class="number">{ulp}</td>'
        f"{''.join(cells)}</tr>"
    )


def _bars(each: SubjectReport) -> str:
    """A bar for each dtype whose errors were measured: the share of the budget that the largest takes."""
    bars = [
        f'<i{" class=hot" if profile.budget > HOT else ""} style="height:{min(100, round(100 * profile.budget))}%" '
        f'title="{dtype}: {profile.budget:.0%}"></i>'
        for dtype in INEXACT
        if (profile := each.profiles.get(dtype)) is not None
    ]
    return f'<span class="bars">{"".join(bars)}</span>' if bars else ""


def _details(each: SubjectReport) -> list[object]:
    """What the page shows of an op when it is opened."""
    errors = [
        [dtype, profile.cases, round(profile.budget, 4), float(f"{profile.mean:.4g}"), float(f"{profile.ulp:.4g}")]
        for dtype in INEXACT
        if (profile := each.profiles.get(dtype)) is not None
    ]
    oracles = ", ".join(f"{name} ({count})" for name, count in each.oracles.most_common(4))
    judged = any(group in each.compared for group in ("gradient", "second", "direction"))
    failures = [[f.kind, f.case, f.message, f.program] for f in each.failures[:8]]
    failures += [["declared", f.case, reason, f.program] for f, reason in each.expected[:8]]
    return [errors, oracles, round(each.gradient, 4) if judged else None, each.note, failures, each.printed[1][:120]]


# ------------------------------------------------------------------ areas, checks, exceptions


def _listed(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already."""
    titles = "".join(f'<th scope="col">{name}</th>' for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wrap"><table class="list"><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>'


def _result(cases: int, failed: int, declared: int) -> str:
    if failed:
        return f'<b style="color:var(--bad)">{failed} of {cases} fail</b>'
    return f"{cases} pass" if not declared else f"{cases - declared} pass, {declared} fail as declared"


def _areas(areas: list[SubjectReport]) -> str:
    if not areas:
        return ""
    rows = (
        (
            f"<code>{escape(each.name)}</code>",
            escape(AREA_TEXTS.get(each.name, "")).replace("`", ""),
            _result(each.cases, len(each.failures), len(each.expected)),
        )
        for each in areas
    )
    return '<h2 id="areas">Beside single ops</h2>' + _listed(("area", "what it tries", "result"), rows)


def _checks(ops: list[SubjectReport]) -> str:
    rows = []
    for name, text in CHECK_TEXTS.items():
        cases = sum(each.groups[name] for each in ops)
        failed = sum(failure.case.partition("/")[0] == name for each in ops for failure in each.failures)
        declared = sum(failure.case.partition("/")[0] == name for each in ops for failure, _ in each.expected)
        if cases or failed:
            rows.append((f"<code>{name}</code>", escape(text).replace("`", ""), _result(cases, failed, declared)))
    return '<h2 id="checks">What each check tries</h2>' + _listed(("check", "what it tries", "result"), iter(rows))


def _declared(report: Report) -> str:
    stated = report.declared()
    if not stated:
        return ""
    rows = (
        (
            f"<code>{escape(each['op'])}</code>",
            f"<code>{escape(each['cases'])}</code>"
            + escape(
                "".join(
                    f" {word} {', '.join(each[of])}" for word, of in (("in", "dtypes"), ("of", "shapes")) if each[of]
                )
            ),
            escape(each["reason"]),
            str(each["failed"]),
        )
        for each in stated
    )
    return '<h2 id="declared">Declared by the backend</h2>' + _listed(
        ("op", "scope", "reason", "cases that fail"), rows
    )


def _footer(report: Report) -> str:
    level = "" if report.level == "custom" else f" --{report.level}"
    command = f"tensorcore conformance {report.device}{level} --seed {report.limits.seed} --report out/"
    return f"<footer>Made by <code>{escape(command)}</code>; the same command gives the same cases again.</footer>"
