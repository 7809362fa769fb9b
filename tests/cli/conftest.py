"""The command, and a model that it trained."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

# Test files are not a package, so what they share is found by its folder.
sys.path.insert(0, str(Path(__file__).parent))

from process import run_in

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tensorcore(tmp_path: Path) -> Run:
    """Runs ``tensorcore`` with some words in ``tmp_path``; ``path`` comes first on the import path."""
    return lambda *words, path=(): run_in(tmp_path, *words, path=path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short run of the classifier."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_in(folder, "train", "classifier", "--device", "cpu", "--limit", 2000, "--epochs", 2, "--out", "x")
    assert done.returncode == 0, done.stderr
    return folder / "x"
