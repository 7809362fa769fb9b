"""The page of judged devices, written from the reports that are committed beside it.

Run as a program, it writes the page; `make conformance` judges the devices first.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tensorcore_conformance import stored

FOLDER = Path(__file__).parent / "conformance"
#: The judged devices, and what they are.
DEVICES = {
    "cpu": "NumPy's arrays, with machine code of the backend's own",
    "reference": "pure Python, the specification of every primitive",
    "array_api_strict": "the Array API standard's strict test engine",
    "torch": "PyTorch's CPU tensors, outside its autograd",
    "jax": "JAX's arrays, compiled by XLA for the CPU",
    "mlx": "Apple's MLX, computing on the CPU",
}
#: What follows where a device does not claim something.
CLAIMS = {
    "mutable": "its arrays cannot be written: what writes in place makes a new array and brings it into the tensor and "
    "into those it is a view of",
    "views": "its views are copies: a write reaches the tensors a view was taken from, not views taken earlier",
    "deterministic": "the same call may give other bits",
    "subnormals": "it takes subnormal numbers for zero and returns zero for them",
}
#: Formats that a device may lack.
DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip


def reports() -> dict[str, dict[str, Any]]:
    """The committed reports, by device."""
    return {name: stored.read(FOLDER / name) for name in DEVICES}


def page() -> str:
    """The page of the judged devices."""
    found = reports()
    return "\n".join([_INTRODUCTION, *_overview(found), "", *_claims(found), "", *_deviations(found), _HOW])


_INTRODUCTION = """# Judged devices

What the [conformance suite](../guides/conformance.md) says of the devices that come along: every op and every check at
the level `--full` (`--quick` on jax, where each shape of each op is compiled), and every deviation with its reason. A
report's page holds the matrix of ops and checks, the errors of each op and dtype, and what was judged where.
"""

_HOW = """
## How these reports are made

`make conformance` judges the six devices, writes their reports into `docs/conformance` and this page from them.
`tensorcore conformance diff docs/conformance/jax out/` compares one with a report of your own: what newly fails, what
became less exact, what is no longer examined.
"""


def _overview(found: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "| device | | libraries | level | cases | fail | as declared | kernels | composed | budget at most |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, report in found.items():
        how = Counter(each["runs_as"] for each in report["subjects"])
        share, dtype, op = max(
            (profile["budget"], dtype, each["name"])
            for each in report["subjects"]
            for dtype, profile in each["errors"].items()
        )
        lines.append(
            f'| [`{name}`](#{name.replace("_", "-")}) | <a href="{name}/index.html"><img src="{name}/badge.svg" '
            f'alt="the report of {name}"></a> | {_libraries(report)} | {report["level"]} | {report["cases"]:,} | '
            f"{report['failures']:,} | "
            f"{report['expected_failures']:,} | {how['native']} | {how['composed']} | "
            f"{share:.0%} (`{op}` in {dtype}) |"
        )
    return lines


def _libraries(report: dict[str, Any]) -> str:
    own = {"tensorcore", "tensorcore-framework", "hypothesis", "python", "system"}
    return ", ".join(f"{name} {version}" for name, version in report["versions"].items() if name not in own)


def _claims(found: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "## What a device does not claim",
        "",
        "The suite holds a device to what its backend says of it, and examines it in the formats it has.",
        "",
        "| device | does not claim | what follows |",
        "| --- | --- | --- |",
    ]
    for name, report in found.items():
        able = report["capabilities"]
        absent = [dtype for dtype in DTYPES if dtype not in able["dtypes"]]
        if absent:
            names = ", ".join(f"`{dtype}`" for dtype in absent)
            lines.append(f"| `{name}` | {names} | making a tensor of them is refused, with the formats it has |")
        lines += [f"| `{name}` | `{claim}` | {text} |" for claim, text in CLAIMS.items() if not able[claim]]
    return lines


def _deviations(found: dict[str, dict[str, Any]]) -> list[str]:
    lines = ["## Deviations", ""]
    for name, report in found.items():
        lines += [f"### {name}", "", f"{DEVICES[name][0].upper()}{DEVICES[name][1:]}.", ""]
        rows = [_deviation(each) for each in report["exceptions"]]
        rows += [
            f"| `{each['name']}` | `{failure['case']}` | **not declared**: {failure['message']} | 1 |"
            for each in report["subjects"]
            for failure in each["failures"]
        ]
        if rows:
            lines += ["| op | cases | reason | cases that fail |", "| --- | --- | --- | --- |", *rows, ""]
        else:
            lines += ["None.", ""]
    return lines[:-1]


def _deviation(stated: dict[str, Any]) -> str:
    scope = [f"`{stated['cases']}`"]
    scope += [f"{word} {', '.join(stated[of])}" for word, of in (("in", "dtypes"), ("of", "shapes")) if stated[of]]
    return f"| `{stated['op']}` | {' '.join(scope)} | {stated['reason']} | {stated['failed']} |"


if __name__ == "__main__":
    (FOLDER / "index.md").write_text(page(), "utf-8")
