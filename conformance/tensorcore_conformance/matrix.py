"""The report's matrix of ops and checks, with what an op shows when it is opened; in as few bytes as HTML allows.

End tags of cells and rows are optional in HTML, a cell without class holds cases that pass, an empty one none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from tensorcore_conformance.check_texts import CHECK_TEXTS
from tensorcore_conformance.plots import HOT, INEXACT, budget_bars, number, share

if TYPE_CHECKING:
    from tensorcore_conformance.outcomes import Failure, SubjectReport

__all__ = ["GIVEN_UP", "check_of", "details", "matrix"]

#: What fails beside checks, in the form of `CHECK_TEXTS`.
GIVEN_UP = {
    "given up": "cases that were not run, after crashes or time limits",
    "exception": "declared exceptions that pass, match nothing, or are of another contract",
}
#: Dtypes of what is opened, in its order.
_DTYPES = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", *INEXACT,
)  # fmt: skip
#: How ops run, and what that means.
RUNS_AS = {
    "native": "a kernel of the backend",
    "composed": "the op's expression in other ops",
    "fallback": "no kernel; copied to the host by policy",
    "missing": "no kernel",
    "": "unknown",
}


def check_of(failure: Failure) -> str:
    """The check that a failure belongs to, or a word of `GIVEN_UP`."""
    return "exception" if failure.kind == "exception" else failure.case.partition("/")[0]


def matrix(ops: Sequence[SubjectReport]) -> str:
    """The table, with its filters; empty without ops."""
    if not ops:
        return ""
    met = {group for each in ops for group in each.groups} | {check_of(f) for each in ops for f in each.failures}
    texts = {name: text for name, text in (CHECK_TEXTS | GIVEN_UP).items() if name in met}
    texts |= {name: "" for name in sorted(met) if name not in texts}
    head = "".join(
        f'<th scope=col class=turned title="{escape(text)}"><span>{escape(name)}</span>' for name, text in texts.items()
    )
    rows = "\n".join(_row(each, list(texts)) for each in ops)
    states = Counter(each.runs_as or "unknown" for each in ops)
    states["failing"] = sum(bool(each.failures) for each in ops)
    states["declared"] = sum(bool(each.expected) for each in ops)
    states["over half a budget"] = sum(each.budget > HOT for each in ops)
    order = ("failing", "declared", "over half a budget", *RUNS_AS, "unknown")
    options = "".join(f'<option value="{name}">{name} ({states[name]})' for name in order if states[name])
    width = len(texts) + 6
    return f"""<h2 id="the-ops">Ops and checks</h2>
<p class="dim">Each number counts the cases of a check that pass.
<span class="script">Open an op for its errors by dtype, its oracle and its failures; the address then links to it.
Click a heading to sort.</span></p>
<div class="tools"><span class="script"><input type="search" placeholder="Filter ops" aria-label="Filter ops">
<select aria-label="Show"><option value="">all ops ({len(ops)}){options}</select>
<span class="dim" id="the-count" role="status"></span></span>
<ul class="legend"><li><i class="good"></i>cases that pass<li><i class="bad"></i>✗ fail<li><i class="known"></i>†
fail as declared<li><i></i>· nothing to compare</ul></div>
<div class="wrap tall" tabindex="0" role="region" aria-label="Ops and checks"><table id="matrix">
<caption class="hidden">Ops, how they run, their errors, and the number of cases by check</caption>
<thead><tr><th scope=col>op<th scope=col>runs as
<th scope=col title="largest share of the error budget; bars: {", ".join(INEXACT)}">budget
<th scope=col class=r title="largest error in units in the last place">max ulp
<th scope=col class=r title="mean error in units in the last place">mean ulp
<th scope=col class=r title="milliseconds that the cases took">ms{head}</thead><tbody>
{rows}
</tbody><tbody id="the-none" hidden><tr><td colspan={width}>No op matches.
<button type="button">Show all</button></tbody></table></div>
"""


def _row(each: SubjectReport, columns: Sequence[str]) -> str:
    failed = Counter(check_of(failure) for failure in each.failures)
    declared = Counter(check_of(failure) for failure, _ in each.expected)
    cells = "".join(_cell(each, name, failed[name], declared[name]) for name in columns)
    if each.note and not each.groups["values"] and not failed:
        cells = f"<td class=t colspan={len(columns)}>{escape(each.note)}"
    name = escape(each.name)
    chip = "" if each.runs_as == "composed" else f" class={each.runs_as or 'missing'}"
    budget = number_cell = mean = ""
    if each.profiles:
        budget = f"{share(each.budget)}{budget_bars(each.profiles)}"
        number_cell, mean = number(each.largest), number(each.mean)
    return (
        f"<tr id={name}{' class=fails' if failed else ''}><th scope=row>{name}<td{chip}>{each.runs_as or 'unknown'}"
        f"<td>{budget}<td>{number_cell}<td>{mean}<td>{1000 * each.seconds:.0f}{cells}"
    )


def _cell(each: SubjectReport, name: str, failed: int, declared: int) -> str:
    cases = each.groups[name]
    if failed:
        told = f"{failed} of {cases} cases fail" if cases else f"{failed} fail"
        return f'<td class=f title="{name}: {told}">✗{failed}'
    if declared:
        return f'<td class=k title="{name}: {declared} of {cases} cases fail as declared">†{declared}'
    if cases and not each.compared[name]:
        return "<td class=i>·"
    return f"<td>{cases or ''}"


# ------------------------------------------------------------------ what is opened


def details(ops: Sequence[SubjectReport]) -> str:
    """The facts of opened ops for the script, an array in the order of rows, strings that it takes apart."""
    oracles = list(dict.fromkeys(name for each in ops for name in each.oracles))
    values = {
        "dtypes": _DTYPES,
        "oracles": oracles,
        "ops": [_opened(each, oracles) for each in ops],
    }
    # "</" would end the script element.
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False).replace("</", "<\\/")


def _opened(each: SubjectReport, oracles: Sequence[str]) -> list[object]:
    """Errors by dtype (cases, and unless exact share of the budget, mean and largest); oracles; and the rarer facts."""
    errors = ";".join(_errors(each, dtype) for dtype in _DTYPES).rstrip(";")
    compared = " ".join(f"{count}:{oracles.index(name)}" for name, count in each.oracles.most_common())
    judged = any(group in each.compared for group in ("gradient", "second", "direction"))
    found: list[object] = [
        errors,
        compared,
        round(each.gradient, 3) if judged else -1,
        each.note,
        each.printed[1][:120],
    ]
    while found and not found[-1]:
        found.pop()
    return found


def _errors(each: SubjectReport, dtype: str) -> str:
    profile = each.profiles.get(dtype)
    if profile is None:
        return ""
    if profile.ulp == 0:
        return str(profile.cases)
    return f"{profile.cases}," + ",".join(
        f"{value:.3g}".removeprefix("0") for value in (profile.budget, profile.mean, profile.ulp)
    )
