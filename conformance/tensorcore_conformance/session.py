"""One examination from the command line: progress, table, files, exit code."""

from __future__ import annotations

import argparse
import json as json_format
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from tensorcore.errors import DeviceError
from tensorcore_conformance.judge import Judge, chosen_subjects
from tensorcore_conformance.limits import LEVELS, Limits
from tensorcore_conformance.progress import Bar
from tensorcore_conformance.report import examine_device, examine_isolated
from tensorcore_conformance.workers import Workers

__all__ = ["listed", "main", "run"]


def run(
    device: str,
    *,
    level: str = "quick",
    report: Path | None = None,
    ops: str = "",
    dtypes: str = "",
    seed: int = 0,
    json: bool = False,
    jobs: int | None = None,
    timeout: float = 60.0,
    examples: int | None = None,
) -> int:
    """Examine ``device``, print the verdict and write the report.

    0 if all passes, 1 if not, 2 for wrong names or a device that cannot be loaded, 130 for Ctrl-C, 143 for SIGTERM.
    """
    limits = Limits.level(level, dtypes=tuple(listed(dtypes)), seed=seed)
    if examples is not None:
        limits = Limits.level(level, dtypes=limits.dtypes, seed=seed, examples=examples)
    try:
        with _ended_whole(), Bar() as bar:
            if jobs == 0:
                found = examine_device(Judge(device, listed(ops), limits), bar)
            else:
                subjects = chosen_subjects(listed(ops))
                workers = Workers(device, listed(ops), limits, jobs or _usual_jobs(), timeout)
                found = examine_isolated(workers, subjects, bar)
                if workers.printed:
                    print(f"the backend printed while it was loaded: {workers.printed!r}", file=sys.stderr)
    except (DeviceError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; no report was written", file=sys.stderr)
        return 130
    if report is not None:
        # First, so that a reader who closes the pipe early does not cost the report.
        files = found.write(report)
        print(f"report: {', '.join(str(path) for path in files)}", file=sys.stderr)
    print(json_format.dumps(found.as_dict(), indent=1, allow_nan=False) if json else found.table())
    return 0 if found.passed else 1


@contextmanager
def _ended_whole() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind as Ctrl-C does, so that the worker processes end as well."""
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            if signal.getsignal(number) == signal.SIG_DFL:
                replaced[number] = signal.signal(number, _unwind)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _unwind(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _usual_jobs() -> int:
    """As many processes as there are cores to run them on, up to eight."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not every system tells
        cores = os.cpu_count() or 1
    return max(1, min(8, cores))


def listed(names: str) -> list[str]:
    """The names in a list separated by commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m tensorcore_conformance``, which needs no command-line library."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["diff"]:
        return _diff(words[1:])
    parser = argparse.ArgumentParser("python -m tensorcore_conformance", description="Examine a device against NumPy.")
    parser.add_argument("device", help="the device to examine, such as cpu or jax; or: diff OLD.json NEW.json")
    group = parser.add_mutually_exclusive_group()
    for level in LEVELS:
        group.add_argument(f"--{level}", dest="level", action="store_const", const=level, default="quick")
    parser.add_argument("--report", type=Path, help="folder for the report: JSON, JUnit XML, HTML and a badge")
    parser.add_argument("--ops", default="", help="names or patterns of ops and areas, separated by commas")
    parser.add_argument("--dtypes", default="", help="names of the dtypes to try ops in, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other operands and draws")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--jobs", type=int, help="worker processes; 0 runs all in this one")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds a case may take")
    parser.add_argument("--examples", type=int, help="random calls per op beyond the fixed cases")
    options: dict[str, Any] = vars(parser.parse_args(words))
    return run(**options)


def _diff(words: Sequence[str]) -> int:
    from tensorcore_conformance.diff import compare_files

    parser = argparse.ArgumentParser("python -m tensorcore_conformance diff", description="Compare two reports.")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")
    options = parser.parse_args(words)
    return compare_files(options.old, options.new, json=options.json)
