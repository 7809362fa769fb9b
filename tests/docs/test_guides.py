"""The examples of the guides: they run in the order of the page, and print what it says."""

from __future__ import annotations

import doctest
import re
import warnings
from pathlib import Path

import pytest

import tensorcore as tc

GUIDES = Path(__file__).resolve().parent.parent.parent / "docs" / "guides"
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
#: The examples of each guide that has any, as one session.
SESSIONS = {
    path.stem: session
    for path in sorted(GUIDES.glob("*.md"))
    if (session := "\n".join(re.findall(r"```python\n(>>>.*?)```", path.read_text("utf-8"), re.DOTALL)))
}
#: Libraries that a guide shows and that need not be installed.
NEEDED = {"vision": "PIL", "onnx": "onnxruntime"}


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_every_guide_is_found_from_the(page):
    text = (GUIDES.parent.parent / page).read_text("utf-8")
    assert not [path.stem for path in GUIDES.glob("*.md") if f"guides/{path.stem}" not in text]


def test_there_are_examples_to_run():
    assert len(SESSIONS) >= 10


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions(name, tmp_path, monkeypatch):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    monkeypatch.chdir(tmp_path)
    tc.manual_seed(0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    with warnings.catch_warnings():
        runner.run(doctest.DocTestParser().get_doctest(SESSIONS[name], {}, name, None, 0), out=report.append)
    assert runner.tries and not runner.failures, "".join(report)
