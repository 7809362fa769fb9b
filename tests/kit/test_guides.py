"""The guides for authors of backends and models, followed to the letter."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("hypothesis")

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from process import environment, run_in

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"


def blocks(name: str) -> list[tuple[str, str]]:
    text = (GUIDES / name).read_text("utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


class Followed:
    """The project that a guide's first command writes, and the guide's code."""

    def __init__(self, folder: Path, guide: str, *words: str) -> None:
        self.folder = folder
        self.blocks = blocks(guide)
        self.python = [text for language, text in self.blocks if language == "python"]
        (command,) = [text.split() for language, text in self.blocks if language == "sh" and " new-" in text]
        self.printed = run_in(folder, *command[1:], *words).stdout
        (self.project,) = folder.iterdir()
        (self.package,) = [path for path in (self.project / "src").iterdir() if path.is_dir()]
        # What pip would write: the package beside its metadata.
        self.site = folder / "site"
        shutil.copytree(self.package, self.site / self.package.name)
        info = self.site / f"{self.package.name}-0.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {self.project.name}\nVersion: 0.1.0\n")
        (info / "entry_points.txt").write_text(f"[tensorcore]\n{self.project.name} = {self.package.name}.plugin\n")

    def starting(self, line: str) -> list[str]:
        """The blocks of code that begin with a line, without it, as the code it stands for."""
        found = [text.partition("\n") for text in self.python]
        return [textwrap.dedent(rest) for first, _, rest in found if first.strip() == line]

    def run(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=self.folder, env=environment(self.site), capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def promised(self, program: str) -> None:
        """Runs a program, and compares what it prints with the comment behind its ``print``."""
        assert self.run(program) == re.search(r"print\(.*\)  # (.*)", program)[1]


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    return Followed(tmp_path_factory.mktemp("backend"), "write-a-backend.md")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return Followed(tmp_path_factory.mktemp("scratch"), "write-a-backend.md", "--style", "from-scratch")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return Followed(tmp_path_factory.mktemp("model"), "write-a-model-plugin.md")


@pytest.mark.parametrize("which", ["backend", "model"])
def test_the_guide_shows_what_is_written(request, which):
    followed = request.getfixturevalue(which)
    (promised,) = [text for language, text in followed.blocks if language == "text"]
    assert followed.printed == promised
    shown = [re.match(r"# (src/\S+)\n", text) for text in followed.python]
    assert len([each for each in shown if each]) == {"backend": 2, "model": 1}[which]
    for name, text in ((each[1], text) for each, text in zip(shown, followed.python, strict=True) if each):
        assert text == f"# {name}\n{(followed.project / name).read_text('utf-8')}"
    metadata = (followed.project / "pyproject.toml").read_text("utf-8")
    lines = [line for language, text in followed.blocks if language == "toml" for line in text.splitlines()]
    assert [line for line in lines if line not in metadata] == []


def test_every_option_is_in_the_guide(tmp_path):
    text = (GUIDES / "write-a-backend.md").read_text("utf-8")
    options = set(re.findall(r"--[a-z]+", run_in(tmp_path, "new-backend", "--help").stdout)) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z]+)", text, re.MULTILINE))


def test_the_device_computes(backend):
    (program,) = [text for text in backend.python if 'device="simple", requires_grad' in text]
    backend.promised(program)


IMPORTS = """
from dataclasses import replace
from tensorcore import dtypes
import array_api_compat.numpy as xp
import tensorcore as tc
import tensorcore_simple.backend as home
from tensorcore_simple.backend import SimpleBackend
"""


def with_method(backend, name: str) -> str:
    """A program in which the backend has the guide's method of a name."""
    (method,) = [text for text in backend.starting("# in SimpleBackend") if f"def {name}(" in text]
    body = textwrap.indent(method.replace("super()", "super(Extended, self)"), "    ")
    return f"{IMPORTS}\nclass Extended(SimpleBackend):\n{body}\nhome.SimpleBackend = Extended\n"


@pytest.mark.parametrize("name", ["softmax", "kernel"])
def test_a_kernel_is_what_conformance_examines(backend, name):
    report = json.loads(
        backend.run(f"""{with_method(backend, name)}
import json
from tensorcore_conformance import Judge, Limits
from tensorcore_conformance.report import subject_as_dict
print(json.dumps(subject_as_dict(Judge("simple", ["softmax"], Limits(examples=0)).examine("softmax"))))
""")
    )
    assert report["cases"] > 30 and report["failures"] == []
    assert report["runs_as"] == {"softmax": "native", "kernel": "composed"}[name]


def test_a_device_without_float64(backend):
    program = with_method(backend, "capabilities")
    shown = backend.run(f"""{program}
print(tc.ones(2, device="simple").dtype, end=" ")
try:
    tc.ones(2, dtype=tc.float64, device="simple")
except tc.errors.DTypeError as error:
    print(error)
""")
    assert shown.startswith("tensorcore.float32 ") and "float64" in shown and "'simple'" in shown


def test_the_capability_record_is_shown_whole(backend):
    from tensorcore.backend import Capabilities

    (text,) = [text for text in backend.python if text.startswith("@dataclass")]
    fields = Capabilities.__dataclass_fields__
    assert re.findall(r"^    (\w+): ", text, re.MULTILINE) == list(fields)
    for name, default in re.findall(r"^    (\w+): bool = (\w+)", text, re.MULTILINE):
        assert str(fields[name].default) == default
    guide = (GUIDES / "write-a-backend.md").read_text("utf-8")
    table = guide.partition("## The capability record")[2].partition("## Kernels")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(fields)


def test_the_exception_is_one_that_holds(backend):
    (declared,) = [text for text in backend.starting("# in SimpleBackend") if "exceptions" in text]
    assert textwrap.indent(declared, "    ") in (backend.package / "backend.py").read_text("utf-8")
    assert backend.run("""
from tensorcore_conformance import Judge, Limits
report = Judge("simple", ["sum"], Limits(examples=0)).examine("sum")
print(report.passed, len(report.expected))
""").startswith("True 1")


def test_lowering_is_that_of_the_project_from_scratch(scratch):
    (method,) = scratch.starting("# in SimpleBackend, from scratch")
    assert textwrap.indent(method, "    ") in (scratch.package / "backend.py").read_text("utf-8")
    assert (
        scratch.run("""
import tensorcore as tc
def f(x):
    return (x / 0).exp().sum()
x = tc.tensor([-1.0, -2.0], device="simple")
run = tc.compile(f)
print(run(x).item(), run(x).item())
""")
        == "0.0 0.0"
    )


def test_a_plugin_object_is_registered_by_hand(backend):
    (program,) = [text for text in backend.python if "class Plugin:" in text]
    rest = 'import tensorcore as tc\nprint(tc.ones(2, device="trial"))\nhost.unregister("trial")'
    assert backend.run(program + rest) == "tensor([1., 1.], device='trial')"


def test_the_model(model):
    programs = [text for text in model.python if "print(" in text]
    assert len(programs) == 2
    for program in programs:
        model.promised(program)
    (make,) = [text for text in programs if "import make" in text]
    (save,) = [text for text in model.python if "tc.save" in text]
    assert model.run(f"{make}\n{save}\nprint(type(model).__name__)").endswith("TinyNet")
    (published,) = [text for text in model.python if text.startswith("PUBLISHED")]
    url = re.search(r'"(https://\S+)"', published)[1]
    assert re.search(r"-[0-9a-f]{8}\.safetensors$", url)


def test_the_guides_link_to_what_is_there():
    for name in ("write-a-backend.md", "write-a-model-plugin.md"):
        text = (GUIDES / name).read_text("utf-8")
        for target in re.findall(r"\]\(([^):#]+)\)", text):
            # The reference is generated.
            assert target.startswith("../reference/") or os.path.exists(GUIDES / target), target
