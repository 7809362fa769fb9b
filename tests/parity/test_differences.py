"""Every deliberate difference stands in docs/differences.md."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from programs import DELIBERATE, agree

PAGE = (Path(__file__).parents[2] / "docs" / "differences.md").read_text("utf-8")


@pytest.mark.parametrize("heading", DELIBERATE)
def test_headings(heading):
    assert f"# {heading}\n" in PAGE


@pytest.mark.parametrize("source", [source for sources in DELIBERATE.values() for source in sources])
def test_they_differ(source):
    agree(source)
