"""The examples of the guide to mixed precision: they run, and print what the page says."""

from __future__ import annotations

import doctest
from pathlib import Path

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "guides" / "mixed-precision.md"


def test_sessions():
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    source = GUIDE.read_text("utf-8").replace("```python\n", "").replace("```", "")
    runner.run(doctest.DocTestParser().get_doctest(source, {}, "mixed precision", str(GUIDE), 0), out=report.append)
    assert not runner.failures, "".join(report)
