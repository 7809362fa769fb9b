"""Backends that crash, hang, print and raise what nobody expects: the examination goes on and the report says so.

They are installed as a distribution of their own, and each case runs in a real worker process.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from tensorcore_conformance import Limits, Workers
from tensorcore_conformance.process_state import ProcessState
from tensorcore_conformance.report import Report, examine_isolated
from tensorcore_conformance.session import main

QUICK = Limits(examples=0, dtypes=("float32",), gradients=0)

#: A backend whose ops do one bad thing each; the device ``bad_load`` never gets that far.
SOURCE = """
import ctypes, os, random, signal, statistics, sys, threading, time, warnings
import numpy
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
    def kernel(*arrays):
        raise error
    return kernel

def bad_print(x):
    print("computing", x.shape)
    os.write(2, b"from C\\n")
    import numpy
    return numpy.negative(x)

def bad_flood(x):
    os.write(1, b"x" * 3_000_000)
    return numpy.log(x)

def bad_last_words(x):
    os.write(2, b"assertion failed: \\x1b[31mrank < 8\\x00")
    os.abort()

def bad_fork(x):
    os.fork()  # both come back
    return numpy.sqrt(x)

def bad_leftover(x):
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", os.environ["LEFTOVER"]])
    return numpy.rint(x)

def bad_pipes(x):
    for number in range(3, 20):
        try:
            os.write(number, b"garbage\\n{'outcome': 1}")
        except OSError:
            pass
    return numpy.sign(x)

def bad_state(x):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    numpy.seterr(all="raise")
    random.seed(0)
    sys.setrecursionlimit(400)
    os.chdir("/")
    os.environ["NEW"] = "1"
    warnings.simplefilter("error")
    sys.modules.pop("statistics", None)
    signal.alarm(600)
    with numpy.errstate(all="ignore"):
        return numpy.trunc(x)

def bad_memory(x):
    kept = []
    while True:
        kept.append(bytearray(b"x" * 20_000_000))

class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")

class Odd(Exception):
    def __str__(self):
        return "\\ud800 \\x00 \\x1b[31m" + "y" * 5_000_000

def bad_streams(x):
    sys.stdout = sys.stderr = None
    os.close(1)
    import numpy
    return numpy.abs(x)

FAULTS = {
    "tanh": bad_exit, "exp": bad_fault, "sin": bad_sleep, "cos": bad_spin, "neg": bad_print, "abs": bad_streams,
    "sinh": raising(SystemExit(0)), "cosh": raising(KeyboardInterrupt()), "tan": raising(Strange()),
    "floor": raising(GeneratorExit()), "asin": lambda x: None, "acos": lambda x: x.tolist(), "atan": lambda x: "text",
    "acosh": raising(Odd()), "maximum": raising(Mute()),
    "log": bad_flood, "atanh": bad_last_words, "log1p": bad_fork, "round": bad_leftover,
    "sign": bad_pipes, "erf": bad_state, "expm1": bad_memory,
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
        if name == "bad_words":
            os.write(2, b"driver: no such card")
            os._exit(3)
        if name == "bad_wait":
            time.sleep(3600)
        if name == "bad_chatter":
            print("hello")

    def kernel(self, name, dtype, index):
        return FAULTS.get(name) or super().kernel(name, dtype, index)

    def inplace_kernel(self, name, dtype, index):
        return None

    def lower(self, graph):
        from tensorcore.compile.interpreter import Interpreter
        return Interpreter(graph)

    def tensorcore_conformance_exceptions(self):
        if self.name == "bad_list":
            raise OSError("no list")
        return [
            {"op": "trunc", "cases": "values/*", "reason": "passes, and so is stale"},
            {"op": "ceil", "reason": "rounds in float16"},
        ]

NAMES = ("bad", "bad_load", "bad_import", "bad_words", "bad_wait", "bad_chatter", "bad_list")

@hookimpl
def tensorcore_backends():
    return [BackendSpec(name, "badly:Bad", argument=name) for name in NAMES]
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
    return examined(
        "tanh exp sinh cosh tan floor asin acos atan asinh ceil neg abs trunc sqrt acosh log sign log1p erf maximum"
    )


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
        ("maximum", "raised", "float32): Mute: (its text cannot be made: RuntimeError)"),
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
    ("device", "words"),
    [
        ("bad_load", "ended: exit code 9"),
        ("bad_import", "SystemExit: needs a licence"),
        ("bad_words", "ended: exit code 3; it had printed 'driver: no such card'"),
        ("bad_wait", "ended: it took more than 4 s"),
        ("bad_list", "device 'bad_list': tensorcore_conformance_exceptions raised OSError: no list"),
    ],
)
def test_a_device_that_cannot_be_loaded_is_an_error_of_the_command(device, words, capsys, monkeypatch):
    monkeypatch.setattr("tensorcore_conformance.workers.STARTING", 4.0 if device == "bad_wait" else 300.0)
    assert main([device, "--ops", "neg"]) == 2
    assert words in capsys.readouterr().err


def test_what_a_backend_prints_while_it_is_loaded_is_told(capsys):
    assert main(["bad_chatter", "--ops", "sub", "--dtypes", "float32"]) == 0
    assert "printed while it was loaded: 'hello\\n'" in capsys.readouterr().err


def test_what_is_raised_is_cut_and_can_be_printed(report):
    failure = subject(report, "acosh").failures[0]
    assert "\\ud800 \\x00 \\x1b[31myyy" in failure.message and len(failure.message) < 2100


def test_much_output_costs_no_memory_and_no_disk(report):
    assert subject(report, "log").passed and subject(report, "log").printed[1] == "x" * 300


def test_what_is_written_into_others_pipes_is_no_message(report):
    assert subject(report, "sign").cases > 20
    assert "garbage" in subject(report, "sign").printed[1] and "not its own" in subject(report, "sign").printed[1]


def test_what_a_kernel_changes_in_the_process_is_told_and_put_back(report):
    changed = subject(report, "erf")
    assert changed.cases > 20 and changed.printed[0] > 10
    for word in ("signal handlers", "numpy.seterr", "random", "recursion limit", "working directory", "environment"):
        assert word in changed.printed[1]
    assert "imported modules" in changed.printed[1] and "an alarm" in changed.printed[1]


def test_the_state_of_the_process_is_seen_and_put_back(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    state = ProcessState()
    assert state.restore() == []
    before = (list(warnings.filters), os.environ.get("NEW"), list(sys.path), gc.isenabled())
    gc.disable()
    os.environ["NEW"] = "1"
    sys.path.append("/nowhere")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert state.restore() == ["garbage collection", "environment", "import path", "warnings filters"]
        assert (list(warnings.filters), os.environ.get("NEW"), list(sys.path), gc.isenabled()) == before
    assert state.restore() == []


def test_a_process_that_a_kernel_forks_runs_no_cases(report):
    forked = subject(report, "log1p")
    assert forked.printed[0] > 3 and "forked came back" in forked.printed[1]
    assert len({*forked.groups}) > 3 and sum(forked.groups.values()) == forked.cases


def test_the_last_words_of_a_crash_are_told():
    (crash, *_) = examined("atanh").failures
    assert "signal SIGABRT" in crash.message and r"assertion failed: \x1b[31mrank < 8\x00" in crash.message.replace(
        "\\\\", "\\"
    )


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell what processes take")
def test_a_case_that_takes_too_much_memory_is_ended():
    found = examine_isolated(Workers("bad", ["expm1"], QUICK, 1, 60.0, 600_000_000), ["expm1"])
    (lost, *_) = [each for each in found.failures if each.kind == "crashed"]
    assert (
        "the process was ended while the case ran: it had taken 0." in lost.message and "GB of memory" in lost.message
    )


def _alive(word: str) -> list[str]:
    """The command lines of processes that have a word in them."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:  # it has ended meanwhile
            pass
    return [line for line in lines if word in line]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the system does not list processes")
def test_what_a_kernel_leaves_behind_ends_with_the_examination(monkeypatch, tmp_path):
    monkeypatch.setenv("LEFTOVER", str(tmp_path))
    assert subject(examined("round"), "round").cases > 5
    assert not _alive(str(tmp_path))


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="the system does not list processes")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", -9)])
def test_no_process_outlives_the_command(tmp_path, number, code):
    # The word is in the search path of the workers, which is in their environment, not in what they are called with.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = "from tensorcore_conformance.session import main; raise SystemExit(main())"
    command = [sys.executable, "-c", program, "bad", "--ops", "sin", "--jobs", "1"]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        children: list[int] = []
        while not children:
            time.sleep(0.2)
            text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            children = [int(each) for each in text.split()]
        time.sleep(1.5)
        process.send_signal(getattr(signal, number))
        said = process.communicate(timeout=30)[1].decode()
    assert process.returncode == code and "Traceback" not in said
    for _ in range(100):
        if not any(_lives(child) for child in children):
            return
        time.sleep(0.1)
    raise AssertionError(f"{children} live on")


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_files_say_so(report, tmp_path):
    report.write(tmp_path)
    values = json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    assert values["failures_by_kind"]["crashed"] >= 6 and values["failures_by_kind"]["not run"] >= 2
    assert {"tanh", "exp"} <= {each["subject"] for each in values["lost_workers"]}
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
