"""One examination from the command line: progress, table, files, exit code."""

from __future__ import annotations

import argparse
import json as json_format
import sys
from collections.abc import Sequence
from pathlib import Path

from tensorcore.errors import DeviceError
from tensorcore_conformance.cases import Limits
from tensorcore_conformance.judge import Judge
from tensorcore_conformance.report import examine_device, show_progress

__all__ = ["listed", "main", "run"]


def run(
    device: str, *, report: Path | None = None, ops: str = "", dtypes: str = "", json: bool = False, examples: int = 8
) -> int:
    """Examine ``device``, print the verdict and write the report; 0 if all passes, 1 if not, 2 for wrong names."""
    try:
        judge = Judge(device, listed(ops), Limits(examples=examples, dtypes=tuple(listed(dtypes))))
    except (DeviceError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found = examine_device(judge, show_progress)
    print(json_format.dumps(found.as_dict(), indent=1) if json else found.table())
    if report is not None:
        files = found.write(report)
        print(f"report: {', '.join(str(path) for path in files)}", file=sys.stderr)
    return 0 if found.passed else 1


def listed(names: str) -> list[str]:
    """The names in a list separated by commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m tensorcore_conformance``, which needs no command-line library."""
    parser = argparse.ArgumentParser("python -m tensorcore_conformance", description="Examine a device against NumPy.")
    parser.add_argument("device", help="the device to examine, such as cpu or jax")
    parser.add_argument("--report", type=Path, help="folder for the report: JSON, JUnit XML, HTML and a badge")
    parser.add_argument("--ops", default="", help="names or patterns of ops and areas, separated by commas")
    parser.add_argument("--dtypes", default="", help="names of the dtypes to try ops in, separated by commas")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the table")
    parser.add_argument("--examples", type=int, default=8, help="random calls per op beyond the fixed cases")
    options = parser.parse_args(argv)
    return run(**vars(options))
