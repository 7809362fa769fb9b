"""Plots of a report, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorcore_conformance.outcomes import SubjectReport

__all__ = ["profile_plot"]

_LEFT, _WIDTH, _ROW = 90, 1180, 46
#: Ends of the scale, in powers of ten of an ulp; what is below the lower one is exact.
_LOW, _HIGH = -2.0, 5.0
#: Share of the budget from which a dot is shown in another colour.
_HOT = 0.5


def _at(ulp: float) -> float:
    """The place of an error on the logarithmic scale."""
    exponent = math.log10(ulp) if ulp > 0 else _LOW
    return _LEFT + (_WIDTH - _LEFT - 20) * (min(max(exponent, _LOW), _HIGH) - _LOW) / (_HIGH - _LOW)


def profile_plot(ops: Sequence[SubjectReport], dtypes: Sequence[str]) -> str:
    """Largest and mean errors of ops, a row for each dtype; empty where none were measured."""
    met = [dtype for dtype in dtypes if any(dtype in each.profiles for each in ops)]
    if not met:
        return ""
    height = _ROW * len(met) + 34
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="100%" role="img" '
        'aria-label="Largest and mean errors of ops by dtype">'
    ]
    for power in range(int(_LOW), int(_HIGH) + 1):
        x = _at(10.0**power)
        label = "≤ 0.01" if power == _LOW else f"{10.0**power:g}" if power < _HIGH else "≥ 10⁵"
        parts.append(f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="6" y2="{height - 24}"/>')
        parts.append(
            f'<text x="{x:.0f}" y="{height - 8}" text-anchor="middle">{label}{" ulp" if power == 0 else ""}</text>'
        )
    half = _at(0.5)
    parts.append(f'<line class="limit" x1="{half:.0f}" x2="{half:.0f}" y1="6" y2="{height - 24}"/>')
    parts.append(f'<text x="{half - 4:.0f}" y="16" text-anchor="end">correct rounding</text>')
    for row, dtype in enumerate(met):
        parts += _row(ops, dtype, 6 + _ROW * row)
    return "".join([*parts, "</svg>"])


def _row(ops: Sequence[SubjectReport], dtype: str, top: int) -> list[str]:
    parts = [f'<text x="0" y="{top + _ROW / 2 + 4:.0f}">{dtype}</text>']
    means, dots = [], []
    for number, each in enumerate(each for each in ops if dtype in each.profiles):
        profile = each.profiles[dtype]
        # Spread over the height of the row, so that equal errors do not hide each other.
        y = top + 5 + (_ROW - 12) * ((number * 0.618034) % 1)
        means.append(f"M{_at(profile.mean):.0f} {y:.0f}h0")
        kind = "hot" if profile.budget > _HOT else "largest"
        title = f"{each.name}: {profile.ulp:.3g} ulp, {profile.budget:.0%} of its budget"
        dots.append(
            f'<circle class="{kind}" cx="{_at(profile.ulp):.1f}" cy="{y:.1f}" r="3">'
            f"<title>{escape(title)}</title></circle>"
        )
    return [*parts, f'<path class="mean" d="{"".join(means)}"/>', *dots]
