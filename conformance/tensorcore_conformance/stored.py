"""``conformance.json`` as it lies in a folder: written without what is usual, read back whole, refused if none."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from tensorcore_conformance.schema import FORMAT, LEFT_OUT, violation

__all__ = ["NAME", "read", "text"]

#: The file's name in the folder of a report.
NAME = "conformance.json"
#: Bytes that are read at most; a report of all ops has a hundredth.
LARGEST = 200_000_000


def text(values: dict[str, Any]) -> str:
    """A report's values as JSON with a line for each op or area, so that a history shows whose result has changed."""
    head = json.dumps({**values, "subjects": []}, indent=1, allow_nan=False)
    lines = (json.dumps(_short(each), allow_nan=False, separators=(",", ":")) for each in values["subjects"])
    return head.removesuffix("[]\n}") + "[\n" + ",\n".join(lines) + "\n]}\n"


def _short(subject: dict[str, Any]) -> dict[str, Any]:
    """A subject without the fields that `LEFT_OUT` has a value for, its errors in four digits."""
    found = {name: each for name, each in subject.items() if name not in LEFT_OUT or each != LEFT_OUT[name]}
    if "gradient_budget" in found:
        found["gradient_budget"] = float(f"{subject['gradient_budget']:.4g}")
    found["checks"] = {check: _counted(counts) for check, counts in subject["checks"].items()}
    found["errors"] = {dtype: _measured(errors) for dtype, errors in subject["errors"].items()}
    return found


def _measured(errors: dict[str, Any]) -> dict[str, Any]:
    return {name: float(f"{each:.4g}") if name != "cases" else each for name, each in errors.items() if each}


def _counted(counts: dict[str, int]) -> dict[str, int]:
    usual = {"compared": counts["cases"], "failed": 0, "declared": 0}
    return {name: count for name, count in counts.items() if count != usual.get(name)}


def _whole(subject: dict[str, Any]) -> dict[str, Any]:
    """The inverse of `_short`, but for the digits."""
    checks = {
        check: {"cases": each["cases"], "compared": each["cases"], "failed": 0, "declared": 0, **each}
        for check, each in subject["checks"].items()
    }
    errors = {
        dtype: {"cases": 0, "ulp": 0.0, "mean": 0.0, "budget": 0.0, **each} for dtype, each in subject["errors"].items()
    }
    return {**copy.deepcopy(LEFT_OUT), **subject, "checks": checks, "errors": errors}


def read(path: Path) -> dict[str, Any]:
    """The values of a report, in the form of `Report.as_dict`, from its file or from the folder that holds it.

    Raises:
        OSError: for a file that cannot be read.
        ValueError: for one that is no report, or of another version; the message says which field is wrong.
    """
    if path.is_dir():
        path = path / NAME
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise OSError(f"{path}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise ValueError(f"{path}: longer than {LARGEST // 1_000_000} MB; expected a file {NAME} of `--report`")
    try:
        values = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(values, dict) or "subjects" not in values or "format" not in values:
        raise ValueError(f"{path}: not a conformance report; expected a file {NAME} of `--report`")
    if values["format"] != FORMAT:
        raise ValueError(f"{path}: format {values['format']!r}, and this version reads {FORMAT}; make the report anew")
    wrong = violation(values)
    if wrong:
        raise ValueError(f"{path}: not a conformance report: {wrong}")
    return {**values, "subjects": [_whole(each) for each in values["subjects"]]}


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")
