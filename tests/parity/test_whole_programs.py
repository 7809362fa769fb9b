"""Programs as people write them for PyTorch, run with only their import changed, give what PyTorch gives.

The programs are the files in `whole_programs`; each has a function ``main`` that returns a dict of numbers, strings,
and lists of them. Where a program drops out, it does so with probability 0, or returns what the mask does not change,
because the streams of the masks differ by design.
"""

from __future__ import annotations

import math
import random
import re
import sys
import types
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

PROGRAMS = sorted((Path(__file__).parent / "whole_programs").glob("*.py"))

IMPORTS = [
    (r"^import torch$", "import tensorcore as torch"),
    (r"^import torch\.([\w.]+) as ", r"import tensorcore.\1 as "),
    (r"^from torch(?=[ .])", "from tensorcore"),
]


def ported(source: str) -> str:
    """The program with its imports, and nothing else, changed."""
    for pattern, replacement in IMPORTS:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    return source


def outcome(source: str, path: Path, monkeypatch):
    module = types.ModuleType(f"whole_programs_{path.stem}")
    # dataclasses and compilers look a program's module up.
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    random.seed(0)
    return module.main()


def check(ours, theirs, where: str) -> None:
    """Equal strings, and numbers within the rounding of a few dozen training steps in float32."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), where
        for key in theirs:
            check(ours[key], theirs[key], f"{where}[{key!r}]")
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), f"{where}: {ours} in tensorcore, {theirs} in PyTorch"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            check(a, b, f"{where}[{i}]")
    elif isinstance(theirs, float):
        close = math.isclose(ours, theirs, rel_tol=1e-4, abs_tol=1e-6) or (math.isnan(ours) and math.isnan(theirs))
        assert close, f"{where}: {ours!r} in tensorcore, {theirs!r} in PyTorch"
    else:
        said = str(ours).replace("tensorcore.", "torch.")
        assert said == str(theirs), f"{where}:\n{said}\nin tensorcore,\n{theirs}\nin PyTorch"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_runs_with_only_its_import_changed(path, monkeypatch):
    source = path.read_text(encoding="utf-8")
    ours = outcome(ported(source), path, monkeypatch)
    # How PyTorch compiles is its own affair: a program gives the same numbers without.
    with torch.compiler.set_stance("force_eager"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(source, path, monkeypatch)
    check(ours, theirs, path.stem)
