"""``tensorcore conformance DEVICE``: the subcommand that the plugin registers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tensorcore_conformance.session import run

__all__ = ["conformance"]


def conformance(
    device: Annotated[str, typer.Argument(help="The device to examine; see `tensorcore backends`. Or: diff OLD NEW.")],
    files: Annotated[list[Path] | None, typer.Argument(help="For diff: two files conformance.json.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Every op and check, a minute at most; the default.")] = False,
    full: Annotated[bool, typer.Option("--full", help="All samples in all dtypes, compiled ops, many draws.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for the report: JSON, JUnit XML, HTML and a badge.")
    ] = None,
    ops: Annotated[
        str, typer.Option(help="Names or patterns of ops and areas, separated by commas; all by default.")
    ] = "",
    dtypes: Annotated[str, typer.Option(help="Dtypes to try ops in, separated by commas; all by default.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other operands and draws.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON instead of the table.")] = False,
    jobs: Annotated[
        int | None, typer.Option(min=0, help="Worker processes; 0 runs all in this one. As many as cores by default.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds a case may take; then its process is ended.")] = 60.0,
    examples: Annotated[
        int | None, typer.Option(min=0, help="Random calls per op beyond the fixed cases; the level's by default.")
    ] = None,
) -> int:
    """Examine a device op by op against NumPy: values, dtypes, gradients, views, indexing, random numbers, training.

    Cases run in worker processes, so that a backend may crash, hang and print. `conformance diff OLD NEW` compares two
    reports. Exit codes: 0 all pass, 1 a case fails (or, for diff, something got worse), 2 wrong names or files.
    """
    if device == "diff":
        if files is None or len(files) != 2:
            raise typer.BadParameter("diff takes two files: the older report and the newer one")
        from tensorcore_conformance.diff import compare_files

        return compare_files(files[0], files[1], json=json)
    if files:
        raise typer.BadParameter(f"unexpected {files[0]}; several devices are examined one by one")
    if quick and full:
        raise typer.BadParameter("--quick and --full are two levels; give one")
    return run(
        device, level="full" if full else "quick", report=report, ops=ops, dtypes=dtypes, seed=seed, json=json,
        jobs=jobs, timeout=timeout, examples=examples,
    )  # fmt: skip
