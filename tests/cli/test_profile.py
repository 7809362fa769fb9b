"""``tensorcore profile``: a program run under the profiler."""

from __future__ import annotations

import json

from process import fails

PROGRAM = """
import sys
import tensorcore as tc

print("arguments", sys.argv[1:], __name__)
net = tc.nn.Linear(3, 2)
net(tc.ones(4, 3)).exp().sum().backward()
if "--fail" in sys.argv:
    sys.exit(3)
"""


def test_tables_and_a_trace(tensorcore, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    trace = tmp_path / "trace.json"
    done = tensorcore("profile", "--out", str(trace), str(tmp_path / "program.py"), "one", "--two")
    assert "arguments ['one', '--two'] __main__" in done.stdout
    assert "Self CPU time total" in done.stdout and "Self forward" in done.stdout and "Linear" in done.stdout
    assert "ExpBackward0" in {event["name"] for event in json.loads(trace.read_text("utf-8"))["traceEvents"]}


def test_json(tensorcore, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    done = tensorcore("profile", "--json", "--sort-by", "count", "--limit", "4", str(tmp_path / "program.py"))
    found = json.loads(done.stdout)
    counts = [row["count"] for row in found["ops"]]
    assert len(counts) == 4 and counts == sorted(counts, reverse=True)
    assert [row["name"] for row in found["modules"]] == ["Linear"] and "arguments []" in done.stderr


def test_what_goes_wrong(tensorcore, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    program = str(tmp_path / "program.py")
    done = tensorcore("profile", program, "--fail")
    assert done.returncode == 3 and "Self CPU time total" in done.stdout
    assert "no program" in fails(tensorcore("profile", "absent.py"), 1)
    assert "--sort-by must be one of" in fails(tensorcore("profile", "--sort-by", "colour", program), 1)
