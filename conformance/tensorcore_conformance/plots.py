"""What a report draws: how the errors of ops are spread, as bars without words; the words stand beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorcore_conformance.outcomes import Profile, SubjectReport

__all__ = ["HOT", "INEXACT", "budget_bars", "number", "profile_table", "proportions", "share"]

#: Dtypes whose errors are spread out in the profile, narrow ones first.
INEXACT = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
#: Share of the budget from which an error is shown in another colour.
HOT = 0.5

#: Ends of the scale of errors, in powers of ten of an ulp, and the bins of a decade and of the scale of shares.
_LOW, _HIGH, _DECADE, _SHARES = -2, 5, 8, 40
#: Width of a bar with its gap, height above and below the line.
_STEP, _UP, _DOWN = 7, 24, 14


def number(value: float) -> str:
    """Three digits, as short as they go."""
    if value >= 1e308:
        return "∞"
    if value >= 1e6 or 0 < value < 0.001:
        return f"{value:.1e}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def share(value: float) -> str:
    """A share in percent."""
    return "0" if value <= 0 else "<1%" if value < 0.01 else f"{value:.0%}"


def proportions(parts: Sequence[tuple[str, int, str]]) -> str:
    """A bar of parts of a whole, (name, count, CSS class), with its legend; parts of 0 are left out."""
    met = [each for each in parts if each[1]]
    bar = "".join(f'<i class="{kind}" style="flex-grow:{count}"></i>' for _, count, kind in met)
    legend = "".join(f'<li><i class="{kind}"></i><b>{count:,}</b> {escape(name)}</li>' for name, count, kind in met)
    return f'<div class="parts" aria-hidden="true">{bar}</div><ul class="legend">{legend}</ul>'


def budget_bars(profiles: dict[str, Profile]) -> str:
    """A bar for each of the dtypes whose errors were measured: the share of the budget that the largest takes."""
    paths = {"": "", " class=h": ""}
    for place, dtype in enumerate(INEXACT):
        profile = profiles.get(dtype)
        if profile is not None:
            height = max(1, round(16 * min(1.0, profile.budget)))
            paths[" class=h" if profile.budget > HOT else ""] += f"M{7 * place + 3} 16v-{height}"
    drawn = "".join(f"<path{kind} d='{path}'/>" for kind, path in paths.items() if path)
    return f"<svg>{drawn}</svg>" if drawn else ""


def _bin(ulp: float) -> int:
    """The place of an error on the logarithmic scale; what is beyond its ends is at them."""
    exponent = math.log10(ulp) if ulp > 0 else _LOW
    return min(max(math.floor((exponent - _LOW) * _DECADE), 0), (_HIGH - _LOW) * _DECADE - 1)


def _bars(bins: Sequence[int], height: int, most: int, kind: str) -> str:
    """Bars upwards from the line for a positive height, else downwards; the root of the count, so that one op shows."""
    counts = {place: bins.count(place) for place in sorted(set(bins))}
    path = "".join(
        f"M{_STEP * place + 3} {_UP + 1}v{-round(height * math.sqrt(count / most) + math.copysign(1, height))}"
        for place, count in counts.items()
    )
    return f"<path class='{kind}' d='{path}'/>" if path else ""


def _errors(profiles: Sequence[Profile]) -> str:
    largest, means = (
        [_bin(each) for each in of if each > 0] for of in ((p.ulp for p in profiles), (p.mean for p in profiles))
    )
    most = max((of.count(place) for of in (largest, means) for place in of), default=1)
    return _plot(
        (_HIGH - _LOW) * _DECADE, [_STEP * _DECADE * power for power in range(_HIGH - _LOW + 1)],
        _STEP * (math.log10(0.5) - _LOW) * _DECADE,
        _bars(largest, _UP - 2, most, "max") + _bars(means, -(_DOWN - 2), most, "mean"), _DOWN,
    )  # fmt: skip


def _budgets(profiles: Sequence[Profile]) -> str:
    bins = [min(int(each.budget * _SHARES), _SHARES - 1) for each in profiles if each.budget > 0]
    most = max(map(bins.count, bins), default=1)
    hot = [place for place in bins if place >= HOT * _SHARES]
    cool = [place for place in bins if place < HOT * _SHARES]
    return _plot(
        _SHARES, [_STEP * _SHARES * quarter / 4 for quarter in range(5)], _STEP * _SHARES,
        _bars(cool, _UP - 2, most, "max") + _bars(hot, _UP - 2, most, "hot"), _DOWN,
    )  # fmt: skip


def _plot(bins: int, grid: Sequence[float], limit: float, bars: str, below: int) -> str:
    width, height = _STEP * bins, _UP + 2 + below
    lines = "".join(f"M{x:g} 0v{height}" for x in grid)
    return (
        f"<svg class=plot viewBox='0 0 {width} {height}' height={height} preserveAspectRatio=none aria-hidden=true>"
        f"<path class=grid d='{lines}'/>"
        f"<path class=grid d='M0 {_UP + 1}h{width}'/>{bars}<path class=limit d='M{limit:.0f} 0v{height}'/></svg>"
    )


def _axis(labels: Sequence[str]) -> str:
    """Labels at the lines of a plot's grid."""
    spans = "".join(f"<span>{each}</span>" for each in labels)
    return f'<span class="axis" aria-hidden="true">{spans}</span>'


def _median(errors: Sequence[float]) -> str:
    return number(median(errors)) if errors else "–"


def profile_table(ops: Sequence[SubjectReport]) -> str:
    """Errors of ops, a row for each dtype: how they and their shares of the budget are spread; empty where none are."""
    rows = []
    for dtype in INEXACT:
        met = [(each.profiles[dtype], each.name) for each in ops if dtype in each.profiles]
        if not met:
            continue
        profiles = [profile for profile, _ in met]
        inexact = [each for each in profiles if each.ulp > 0]
        closest, name = max(met, key=lambda each: each[0].budget)
        worst = f'{share(closest.budget)} <a href="#{escape(name)}">{escape(name)}</a>' if closest.budget else "–"
        rows.append(
            f"<tr><th scope=row><code>{dtype}</code><td class=r>{len(met)}<td class=r>{len(met) - len(inexact)}"
            f"<td>{_errors(profiles)}<td class=r>{_median([each.ulp for each in inexact])}"
            f"<td class=r>{_median([each.mean for each in inexact])}<td>{_budgets(profiles)}<td>{worst}"
        )
    if not rows:
        return ""
    powers = ["0.01", "0.1", "1", "10", "100", "1000", "10⁴", "≥10⁵"]
    errors, budgets = _axis(powers), _axis(["0", "25", "50", "75", "100 %"])
    return f"""<div class="wrap" tabindex="0" role="region" aria-label="Error profile"><table class="profile">
<caption class="hidden">Errors of ops by dtype, in units in the last place and as shares of their budgets</caption>
<thead><tr><th scope=col>dtype<th scope=col class=r>ops<th scope=col class=r>exact
<th scope=col>errors in ulp: <i class="key max"></i>largest, <i class="key mean"></i>mean, of each op{errors}
<th scope=col class=r title="of the ops that are not exact">median<br>largest
<th scope=col class=r title="of the ops that are not exact">median<br>mean
<th scope=col>largest share of each op's budget{budgets}<th scope=col>closest to its budget
</thead><tbody>{"".join(rows)}</tbody></table></div>"""
