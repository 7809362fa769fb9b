"""Projects installed by pip into virtual environments of their own, without the network."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path


class Environment:
    """A fresh virtual environment that sees what the tests see, and what is installed into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        self.python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        # The path of this process, so that it works installed, editable or from a source tree alike.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.environ = {
            **os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb",
            "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TENSORCORE_HOME": str(folder / "home"),
        }  # fmt: skip

    def install(self, project: Path) -> None:
        """Build the project's wheel and install it."""
        options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", *options, str(project)],
            env=self.environ, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def run(self, folder: Path, *words: str) -> str:
        """What ``python words`` prints in ``folder``."""
        done = subprocess.run(
            [self.python, *words], cwd=folder, env=self.environ, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
