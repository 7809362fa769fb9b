"""What PyTorch documents is here, or docs/differences.md says why not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

import coverage_of_pytorch as coverage  # noqa: E402 - lies in docs


def test_the_names_noted_are_those_of_pytorch():
    noted = json.loads(coverage.NAMES.read_text("utf-8"))
    assert noted["names"] == coverage.documented(torch), "run python docs/coverage_of_pytorch.py"


def test_what_is_missing_is_explained():
    assert not coverage.unexplained(), "build these, or say in docs/differences.md why not"


@pytest.mark.parametrize("pattern", coverage.left_out())
def test_what_is_left_out_is_missing(pattern):
    names = [f"{namespace}.{name}" for namespace, names in coverage.missing().items() for name in names]
    assert any(coverage.matches(name, pattern) for name in names)
