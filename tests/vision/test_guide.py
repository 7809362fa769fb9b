"""The examples of the guide to vision: they run, and print what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import tensorcore as tc

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "guides" / "vision.md"


def test_the_guide(tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.chdir(tmp_path)
    tc.manual_seed(0)
    result = doctest.testfile(str(GUIDE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 20 and not result.failed
