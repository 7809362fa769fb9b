"""Progress of an examination on standard error: a bar on a terminal, elsewhere a line for what failed."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from tensorcore_conformance.outcomes import SubjectReport

__all__ = ["Bar"]


class Bar:
    """Shows how far an examination is; call it with ``(number, total, report)`` after each subject."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None
        self._failed = 0

    def __enter__(self) -> Bar:
        if sys.stderr.isatty():
            try:
                from rich.console import Console
                from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
            except ImportError:  # the extra that brings it is not needed for anything else
                return self
            self._progress = Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                TextColumn("{task.fields[verdict]}"), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self._progress.start()
            self._task = self._progress.add_task("conformance", total=None, verdict="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
        elif sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")

    def __call__(self, number: int, total: int, report: SubjectReport) -> None:
        self._failed += not report.passed
        line = f"[{number}/{total}] {report.name}: {len(report.failures)} FAILED"
        if self._progress is not None:
            verdict = f"[red]{self._failed} failed" if self._failed else "[green]all pass so far"
            self._progress.update(
                self._task, completed=number, total=total, verdict=verdict, description=f"{report.name[:24]:24}"
            )
            if not report.passed:
                self._progress.console.print(line, markup=False, highlight=False)
        elif sys.stderr.isatty():
            mark = "ok" if report.passed else f"{len(report.failures)} FAILED\n"
            sys.stderr.write(f"\r\x1b[K[{number}/{total}] {report.name}: {mark}")
            sys.stderr.flush()
        elif not report.passed:
            print(line, file=sys.stderr, flush=True)
