"""The command as users run it: another process, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def environment(*first: Path) -> dict[str, str]:
    """This process's import path, so that it works installed, editable or from a source tree alike."""
    path = os.pathsep.join([*map(str, first), *(entry for entry in sys.path if entry)])
    # Wide and plain: what is printed must not depend on who runs the tests.
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}


def run_in(folder: Path, *words: object, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tensorcore.cli", *map(str, words)],
        cwd=folder,
        env=environment(*path),
        capture_output=True,
        text=True,
        timeout=300,
    )


def fails(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The message of a command that failed as it should: one line, no traceback."""
    assert done.returncode == code, done.stderr + done.stdout
    assert done.stderr.startswith("tensorcore: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr
