"""The examples of the guide to profiling, memory and graphs: they run, and print what the page says."""

from __future__ import annotations

import doctest
import re
import warnings
from pathlib import Path

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "guides" / "inside.md"


def test_sessions():
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, verbose=False)
    source = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL))
    with warnings.catch_warnings():
        runner.run(doctest.DocTestParser().get_doctest(source, {}, "inside", str(GUIDE), 0), out=report.append)
    assert not runner.failures, "".join(report)
