"""``tensorcore conformance DEVICE``: the subcommand that the plugin registers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tensorcore_conformance.session import run

__all__ = ["conformance"]


def conformance(
    device: Annotated[str, typer.Argument(help="The device to examine; see `tensorcore backends`.")],
    report: Annotated[
        Path | None, typer.Option(help="Folder for the report: JSON, JUnit XML, HTML and a badge.")
    ] = None,
    ops: Annotated[
        str, typer.Option(help="Names or patterns of ops and areas, separated by commas; all by default.")
    ] = "",
    dtypes: Annotated[str, typer.Option(help="Dtypes to try ops in, separated by commas; all by default.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON instead of the table.")] = False,
    examples: Annotated[int, typer.Option(min=0, help="Random calls per op beyond the fixed cases.")] = 8,
) -> int:
    """Examine a device op by op against NumPy: values, dtypes, gradients, views, indexing, random numbers, training."""
    return run(device, report=report, ops=ops, dtypes=dtypes, json=json, examples=examples)
