"""The examples of the guides to checkpoints and the hub: they run, and print what the pages say."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

GUIDES = Path(__file__).resolve().parent.parent.parent / "docs" / "guides"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


@pytest.mark.parametrize("name", ["checkpoints", "hub"])
def test_sessions(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    source = (GUIDES / f"{name}.md").read_text("utf-8").replace("```python\n", "").replace("```", "")
    runner.run(doctest.DocTestParser().get_doctest(source, {}, name, None, 0), out=report.append)
    assert not runner.failures, "".join(report)
