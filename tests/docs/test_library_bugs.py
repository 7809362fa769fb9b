"""The programs of docs/guides/library-bugs.md still print what the page says, in the versions that it names.

The programs of a library run in one process of its own, which imports it once: JAX stays out of this one, and programs
that end their process do so in a copy of that one.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "guides" / "library-bugs.md").read_text("utf-8")
#: By section of the page: what is imported, and the distribution that has the version.
LIBRARIES = {
    "NumPy": ("numpy", "numpy"), "ml_dtypes": ("ml_dtypes", "ml_dtypes"), "PyTorch": ("torch", "torch"),
    "JAX": ("jax", "jax"), "MLX": ("mlx.core", "mlx"), "array-api-strict": ("array_api_strict", "array-api-strict"),
}  # fmt: skip
ENDS = re.compile(r"\[the process ends: (SIG\w+)\]\n")

#: Reads [program, signal it ends with or null] from standard input, and writes what each printed otherwise.
RUNNER = """
import doctest, importlib, json, os, resource, signal, sys, warnings

warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
try:
    importlib.import_module(sys.argv[1])
except ImportError as error:
    print(json.dumps(str(error)))
    sys.exit()
flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def differs(program):
    said = []
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    runner.run(doctest.DocTestParser().get_doctest(program, {}, "program", None, 0), out=said.append)
    return "".join(said)


def ends(program):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        differs(program)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "goes on"


programs = json.load(sys.stdin)
# Copies first: those of a process whose library has started threads would wait for them.
ended = [ends(program) if wanted else "" for program, wanted in programs]
print(json.dumps([
    ("" if met == wanted else f"expected {wanted}: {met}") if wanted else differs(program)
    for (program, wanted), met in zip(programs, ended)
]))
"""


class Bug(NamedTuple):
    library: str
    title: str
    text: str
    program: str
    version: str


def found() -> list[Bug]:
    bugs = []
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        library, _, rest = section.partition("\n")
        for entry in re.split(r"^### ", rest, flags=re.MULTILINE)[1:]:
            title, _, text = entry.partition("\n")
            programs = re.findall(r"```pycon\n(.*?)```", text, re.DOTALL)
            versions = re.findall(rf"\*Seen in {library} ([\w.]+)\.\*", text)
            assert len(programs) == len(versions) == 1, f"{library}, {title!r}: one program and one version, please"
            bugs.append(Bug(library, title, text, programs[0], versions[0]))
    return bugs


BUGS = found()


@functools.cache
def differences(library: str) -> dict[str, str]:
    """By title, what the program of each bug printed otherwise; empty where it is as the page says.

    Skips where the library is installed in part: MLX comes without the library that computes.
    """
    bugs = [bug for bug in BUGS if bug.library == library]
    programs = []
    for bug in bugs:
        signals = ENDS.findall(bug.program)
        programs.append((ENDS.sub("", bug.program), signals[0] if signals else None))
    command = [sys.executable, "-W", "ignore", "-c", RUNNER, LIBRARIES[library][0]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu", "JAX_TRACEBACK_FILTERING": "off"}
    done = subprocess.run(
        command, input=json.dumps(programs), capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout.splitlines()[-1])
    if isinstance(printed, str):
        pytest.skip(f"{library} cannot be imported: {printed}")
    return dict(zip([bug.title for bug in bugs], printed, strict=True))


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.library}: {bug.title}")
@pytest.mark.skipif(sys.platform != "linux", reason="the page was written under Linux; programs that crash are forked")
def test_the_program_shows_the_bug(bug):
    name, distribution = LIBRARIES[bug.library]
    if find_spec(name.partition(".")[0]) is None:
        pytest.skip(f"{bug.library} is not installed")
    difference = differences(bug.library)[bug.title]
    installed = metadata.version(distribution).partition("+")[0]
    if difference and installed != bug.version:
        pytest.skip(f"gone or changed in {bug.library} {installed}, seen in {bug.version}: {difference}")
    if difference and platform.machine() != "x86_64":
        pytest.skip(f"otherwise on {platform.machine()}: {difference}")
    assert not difference, difference


def test_there_are_programs_of_each_library():
    assert {bug.library for bug in BUGS} == set(LIBRARIES)
    assert len({(bug.library, bug.title) for bug in BUGS}) == len(BUGS) >= 40


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.library}: {bug.title}")
def test_programs_are_short_and_of_one_library(bug):
    lines = [line for line in bug.program.splitlines() if line.startswith((">>>", "..."))]
    assert len(lines) <= 8 and "tensorcore" not in bug.program
    # NumPy holds ml_dtypes' arrays; nothing else needs another library.
    allowed = {LIBRARIES[bug.library][0].partition(".")[0]} | ({"numpy"} if bug.library == "ml_dtypes" else set())
    assert set(re.findall(r">>> (?:import|from) (\w+)", bug.program)) <= allowed


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.library}: {bug.title}")
def test_entries_tell_what_is_done_and_where(bug):
    assert " Here: " in bug.text.replace("\n", " ")
    root = Path(__file__).resolve().parent.parent.parent
    for path in re.findall(r"`((?:backends|tensorcore)/[\w/]+\.py)`", bug.text):
        assert (root / path).is_file(), f"{bug.title}: {path}"
