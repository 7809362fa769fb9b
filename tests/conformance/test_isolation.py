"""Backends that crash, hang, print and raise what nobody expects: the examination goes on and the report says so.

They are installed as a distribution of their own, and each case runs in a real worker process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tensorcore_conformance import Limits, Workers
from tensorcore_conformance.report import Report, examine_isolated
from tensorcore_conformance.session import main

QUICK = Limits(examples=0, dtypes=("float32",), gradients=0)

#: A backend whose ops do one bad thing each; the device ``bad_load`` never gets that far.
SOURCE = """
import ctypes, os, sys, threading, time
from tensorcore.backend import BackendSpec
from tensorcore.plugins import hookimpl
from tensorcore_cpu.backend import CpuBackend

class Strange(BaseException):
    def __str__(self):
        raise RuntimeError("no text")

def bad_exit(x):
    os._exit(7)

def bad_fault(x):
    ctypes.string_at(0)

def bad_sleep(x):
    time.sleep(3600)

def bad_spin(x):
    while True:
        pass

def raising(error):
    def kernel(x):
        raise error
    return kernel

def bad_print(x):
    print("computing", x.shape)
    os.write(2, b"from C\\n")
    import numpy
    return numpy.negative(x)

def bad_streams(x):
    sys.stdout = sys.stderr = None
    os.close(1)
    import numpy
    return numpy.abs(x)

FAULTS = {
    "tanh": bad_exit, "exp": bad_fault, "sin": bad_sleep, "cos": bad_spin, "neg": bad_print, "abs": bad_streams,
    "sinh": raising(SystemExit(0)), "cosh": raising(KeyboardInterrupt()), "tan": raising(Strange()),
    "floor": raising(GeneratorExit()), "asin": lambda x: None, "acos": lambda x: x.tolist(), "atan": lambda x: "text",
    "asinh": lambda x: (x, x), "ceil": lambda x: x.astype("float16"),
}

class Bad(CpuBackend):
    def __init__(self, name):
        super().__init__()
        self.name = name
        if name == "bad_load":
            os._exit(9)
        if name == "bad_import":
            sys.exit("needs a licence")

    def kernel(self, name, dtype, index):
        return FAULTS.get(name) or super().kernel(name, dtype, index)

    def inplace_kernel(self, name, dtype, index):
        return None

    def lower(self, graph):
        from tensorcore.compile.interpreter import Interpreter
        return Interpreter(graph)

    def tensorcore_conformance_exceptions(self):
        return [
            {"op": "trunc", "cases": "values/*", "reason": "passes, and so is stale"},
            {"op": "ceil", "reason": "rounds in float16"},
        ]

@hookimpl
def tensorcore_backends():
    return [BackendSpec(name, "badly:Bad", argument=name) for name in ("bad", "bad_load", "bad_import")]
"""


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The distribution, on the path that worker processes inherit."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "badly.py").write_text(SOURCE)
    info = folder / "badly-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: badly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tensorcore]\nbadly = badly\n")
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(folder))
    yield
    patch.undo()


def examined(ops: str, seconds: float = 60.0) -> Report:
    names = ops.split()
    return examine_isolated(Workers("bad", names, QUICK, 2, seconds), names)


@pytest.fixture(scope="module")
def report() -> Report:
    return examined("tanh exp sinh cosh tan floor asin acos atan asinh ceil neg abs trunc sqrt")


def subject(report: Report, name: str):
    return next(each for each in report.subjects if each.name == name)


@pytest.mark.parametrize(
    ("op", "kind", "words"),
    [
        ("tanh", "crashed", "exit code 7"),
        ("exp", "crashed", "signal SIGSEGV"),
        ("sinh", "raised", "SystemExit: 0"),
        ("cosh", "raised", "KeyboardInterrupt"),
        ("tan", "raised", "Strange: (its text cannot be made: RuntimeError)"),
        ("floor", "raised", "GeneratorExit"),
    ],
)
def test_what_a_backend_does_to_the_process_is_a_failure_of_the_case(report, op, kind, words):
    failures = subject(report, op).failures
    assert any(each.kind == kind and words in each.message for each in failures), failures[:2]
    first = next(each for each in failures if each.kind == kind)
    assert f"'{op}'" in first.program and len(first.program.splitlines()) == 3


def test_the_cases_after_a_crash_are_run_until_too_many_workers_are_lost(report):
    lost = [each for each in report.lost if each.subject == "tanh"]
    assert len(lost) == 3 and len({each.case for each in lost}) == 3
    last = subject(report, "tanh").failures[-1]
    assert last.kind == "not run" and "3 worker processes were lost" in last.message
    # The kernel exists, which is found without calling it: what ran before the crash counts.
    assert subject(report, "tanh").groups["kernel"] == 1


@pytest.mark.parametrize("op", ["asin", "acos", "atan", "asinh"])
def test_foreign_types_are_named(report, op):
    failures = subject(report, op).failures
    assert failures
    assert not any(each.kind in ("crashed", "hung") for each in failures)


def test_what_is_printed_is_reported_and_is_no_failure(report):
    printed = subject(report, "neg")
    assert printed.passed and printed.printed[0] > 3
    assert "computing" in printed.printed[1]
    assert "neg printed in" in report.table()
    assert subject(report, "abs").cases > 5


def test_the_others_are_examined_as_ever(report):
    assert subject(report, "sqrt").passed and subject(report, "sqrt").cases > 10


def test_exceptions_are_settled_outside_the_worker_too(report):
    stale = subject(report, "trunc").failures
    assert [each.kind for each in stale] == ["exception"] and "remove the declaration" in stale[0].message
    assert subject(report, "ceil").passed and subject(report, "ceil").expected
    assert {each["op"]: each["failed"] > 0 for each in report.declared()} == {"trunc": False, "ceil": True}


@pytest.mark.parametrize("op", ["sin", "cos"])
def test_a_case_that_never_ends_is_ended(op):
    found = examined(op, seconds=1.5)
    (hung, *_) = [each for each in found.failures if each.kind == "hung"]
    assert hung.subject == op and "took more than 1.5 s" in hung.message and "replay(" in hung.program
    assert all(each.kind == "hung" for each in found.lost)


@pytest.mark.parametrize(
    ("device", "words"), [("bad_load", "ended: exit code 9"), ("bad_import", "SystemExit: needs a licence")]
)
def test_a_device_that_cannot_be_loaded_is_an_error_of_the_command(device, words, capsys):
    assert main([device, "--ops", "neg"]) == 2
    assert words in capsys.readouterr().err


def test_the_files_say_so(report, tmp_path):
    report.write(tmp_path)
    values = json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    assert values["failures_by_kind"]["crashed"] >= 6 and values["failures_by_kind"]["not run"] >= 2
    assert {each["subject"] for each in values["lost_workers"]} == {"tanh", "exp"}
    assert 'type="crashed"' in (tmp_path / "junit.xml").read_text("utf-8")
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "Worker processes that were lost" in page and "What the backend printed" in page and "signal SIGSEGV" in page


def test_the_pytest_plugin_runs_in_a_worker_when_asked(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tensorcore_conformance.plugin", "-p", "no:cacheprovider",
         "--tensorcore-device", "bad", "--tensorcore-ops", "tanh,sqrt", "--tensorcore-isolate",
         "--tensorcore-dtypes", "float32", "--tensorcore-report", "out"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout and "exit code 7" in done.stdout
    assert json.loads((Path(tmp_path) / "out/conformance.json").read_text("utf-8"))["cases"] > 20
