"""Two reports compared: what got worse, what got better, what came and went."""

from __future__ import annotations

import json as json_format
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tensorcore_conformance.stored import read

__all__ = ["Change", "compare_files", "differences"]

#: How much larger an error's share of its budget must be to count, and below which share none does.
GROWTH, SMALL = 2.0, 0.25

#: What can change, and whether it is a regression.
KINDS = {
    "newly failing": True,
    "fixed": False,
    "gone": True,
    "new": False,
    "no longer native": True,
    "now native": False,
    "larger errors": True,
    "smaller errors": False,
    "newly declared": True,
    "no longer declared": False,
    "fewer cases": True,
}


@dataclass(frozen=True)
class Change:
    """One difference: an op or area, what changed, and how."""

    subject: str
    kind: str
    text: str

    @property
    def worse(self) -> bool:
        """Whether it is a regression."""
        return KINDS[self.kind]


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """The differences between two reports, as the JSON values of `Report.as_dict`."""
    before = {each["name"]: each for each in old["subjects"]}
    after = {each["name"]: each for each in new["subjects"]}
    same = all(old[name] == new[name] for name in ("device", "level", "seed"))
    found = [Change(name, "gone", "no longer examined") for name in before if name not in after]
    for name, subject in after.items():
        if name in before:
            found += _changes(name, before[name], subject, same)
        else:
            failed = {each["case"] for each in subject["failures"]}
            kind = "newly failing" if failed else "new"
            found.append(
                Change(name, kind, f"{subject['cases']} cases" + (f", fails {_some(failed)}" if failed else ""))
            )
    return found


def _changes(name: str, old: dict[str, Any], new: dict[str, Any], same: bool) -> Iterator[Change]:
    failed, fails = ({each["case"] for each in side["failures"]} for side in (old, new))
    known, knows = ({each["case"] for each in side["expected_failures"]} for side in (old, new))
    if fails - failed:
        yield Change(name, "newly failing", _some(fails - failed))
    if failed - fails - knows:
        yield Change(name, "fixed", _some(failed - fails - knows))
    if knows - known - failed:
        yield Change(name, "newly declared", _some(knows - known - failed))
    if known - knows - fails:
        yield Change(name, "no longer declared", _some(known - knows - fails))
    if old["runs_as"] != new["runs_as"] and "native" in (old["runs_as"], new["runs_as"]):
        kind = "no longer native" if old["runs_as"] == "native" else "now native"
        yield Change(name, kind, f"{old['runs_as'] or 'unknown'} -> {new['runs_as'] or 'unknown'}")
    for dtype in [each for each in old["errors"] if each in new["errors"]]:
        first, second = (side["errors"][dtype]["budget"] for side in (old, new))
        for low, high, kind in ((first, second, "larger errors"), (second, first, "smaller errors")):
            if high > SMALL and high > GROWTH * low:
                yield Change(name, kind, f"{dtype}: {first:.0%} -> {second:.0%} of the budget")
    if same:
        fewer = [f"{check} ({each['cases']} -> {new['checks'].get(check, {'cases': 0})['cases']})"
                 for check, each in old["checks"].items()
                 if new["checks"].get(check, {"cases": 0})["cases"] < each["cases"]]  # fmt: skip
        if fewer:
            yield Change(name, "fewer cases", ", ".join(fewer))


def _some(cases: set[str], most: int = 3) -> str:
    shown = sorted(cases)
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def compare_files(old: Path, new: Path, json: bool = False) -> int:
    """Print the differences between two files ``conformance.json``, or the folders that hold them.

    0 if nothing got worse, 1 if something did, 2 where a file cannot be read or is no report.
    """
    try:
        first, second = read(old), read(new)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found = differences(first, second)
    worse = [each for each in found if each.worse]
    if json:
        values = {
            "old": _head(first), "new": _head(second), "worse": bool(worse),
            "changes": [{**asdict(each), "worse": each.worse} for each in found],
        }  # fmt: skip
        text = json_format.dumps(values, indent=1)
    else:
        text = "\n".join(_lines(first, second, found))
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader has seen enough; the exit code still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if worse else 0


def _head(report: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in ("device", "level", "seed", "cases", "failures", "started", "versions")}


def _lines(old: dict[str, Any], new: dict[str, Any], found: list[Change]) -> Iterator[str]:
    for word, side in (("old", old), ("new", new)):
        yield (
            f"{word}: {side['device']}, {side['level']}, seed {side['seed']}, {side['started']}: "
            f"{side['cases']} cases, {side['failures']} failures"
        )
    for name in ("device", "level", "seed"):
        if old[name] != new[name]:
            yield f"note: the reports are of different {name}s, {old[name]!r} and {new[name]!r}"
    names = dict.fromkeys([*old["versions"], *new["versions"]])
    moved = [
        f"{name} {old['versions'].get(name, 'none')} -> {new['versions'].get(name, 'none')}"
        for name in names
        if old["versions"].get(name) != new["versions"].get(name)
    ]
    if moved:
        yield f"versions: {', '.join(moved)}"
    yield ""
    for worse, title in ((True, "worse"), (False, "better or new")):
        part = sorted((each for each in found if each.worse is worse), key=lambda each: list(KINDS).index(each.kind))
        if part:
            counts = Counter(each.kind for each in part)
            yield f"{title}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items())
            yield from (f"  {each.subject}: {each.kind}: {each.text}" for each in part)
    if not found:
        yield "no differences"
