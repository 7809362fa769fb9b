"""`tensorcore profile`: a program run under the profiler."""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from tensorcore.profiler import profile

__all__ = ["show_profile"]

_COLUMNS = (
    "cpu_time_total", "self_cpu_time_total", "device_time_total", "self_device_time_total", "cpu_memory_usage",
    "self_cpu_memory_usage", "device_memory_usage", "self_device_memory_usage", "flops", "count",
)  # fmt: skip


def show_profile(
    script: Path, arguments: Sequence[str], *, out: Path | None, sort_by: str, limit: int, as_json: bool
) -> None:
    """Run ``script`` with ``arguments`` as a main program, and print tables of its ops and modules.

    With ``as_json`` what it prints goes to the standard error stream, so that the output is JSON alone. Where it exits
    with a status, so does the command.

    Raises:
        FileNotFoundError: where there is no such program.
        ValueError: for a column that is none.
    """
    if not script.is_file():
        raise FileNotFoundError(f"profile: there is no program {script}")
    if sort_by not in _COLUMNS:
        raise ValueError(f"profile: --sort-by must be one of {', '.join(_COLUMNS)}, got {sort_by!r}")
    before, path = sys.argv, sys.path[0]
    sys.argv, sys.path[0] = [str(script), *arguments], str(script.resolve().parent)
    recorded = profile(profile_memory=True, with_modules=True, with_flops=True)
    status: Any = None
    try:
        redirected = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
        with recorded, redirected:
            try:
                runpy.run_path(str(script), run_name="__main__")
            except SystemExit as end:
                status = end.code
    finally:
        sys.argv, sys.path[0] = before, path
    if out is not None:
        recorded.export_chrome_trace(out)
    averages, modules = recorded.key_averages(), recorded.module_averages()
    if as_json:
        ops = [{"name": row.key, **{name: getattr(row, name) for name in _COLUMNS}} for row in averages]
        found: dict[str, Any] = {
            "ops": sorted(ops, key=lambda row: row[sort_by], reverse=True)[:limit],
            "modules": [vars(row) for row in modules[:limit]],
        }
        typer.echo(json.dumps(found, indent=2))
    else:
        typer.echo(averages.table(sort_by=sort_by, row_limit=limit))
        if modules:
            typer.echo(modules.table(row_limit=limit))
        if out is not None:
            typer.echo(f"trace written to {out}")
    if status:
        raise typer.Exit(status if isinstance(status, int) else 1)
