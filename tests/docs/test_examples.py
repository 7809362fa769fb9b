"""The example programs run from the command line, learn, and are listed where people look for them."""

from __future__ import annotations

import ast
import math
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"
GUIDE = ROOT / "docs" / "guides" / "examples.md"

#: What makes a run short, and the part of the first loss that is left at most (of a policy's
#: loss, which measures surprise, only that it does not run away).
SHORT = {
    "autoencoder": ("--epochs 1 --steps 30 --batch-size 32", 0.8),
    "gan": ("--steps 40 --batch-size 64 --width 32", 0.9),
    "gpt": ("--steps 25 --batch-size 8 --context 32 --width 32", 0.95),
    "graph_attention": ("--steps 20 --dropout 0", 0.7),
    "image_classifier": ("--epochs 1 --steps 20 --width 4", 0.9),
    "policy_gradient": ("--episodes 20", 1.5),
    "recommender": ("--people 40 --films 30 --ratings 3000 --epochs 2", 0.999),
    "resnet_mixed_precision": ("--epochs 1 --steps 50 --width 4", 0.9),
    "text_lstm": ("--epochs 1 --steps 20 --width 32 --layers 1", 0.9),
    "translation": ("--steps 20 --batch-size 16 --width 32 --layers 1", 0.9),
}


def programs() -> list[Path]:
    return sorted(path for path in EXAMPLES.glob("*.py") if path.stem != "quickstart")


def test_every_program_is_run():
    assert [path.stem for path in programs()] == sorted(SHORT)


@pytest.mark.parametrize("name", sorted(SHORT))
def test_it_learns(name, capsys, tmp_path):
    arguments, fall = SHORT[name]
    losses = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"](arguments.split())
    assert all(map(math.isfinite, losses))
    assert sum(losses[-5:]) / 5 < fall * losses[0]
    assert re.search(r"\d", capsys.readouterr().out)


@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_other_precisions_learn(precision, capsys):
    program = runpy.run_path(str(EXAMPLES / "resnet_mixed_precision.py"))
    losses = program["main"](["--precision", precision, *SHORT["resnet_mixed_precision"][0].split()])
    assert sum(losses[-5:]) / 5 < 0.9 * losses[0]


def test_a_checkpoint_goes_on_where_it_stopped(tmp_path, capsys):
    program = runpy.run_path(str(EXAMPLES / "gpt.py"))
    arguments = ["--batch-size", "4", "--context", "16", "--width", "16", "--layers", "1"]
    whole = program["main"]([*arguments, "--steps", "4"])
    file = tmp_path / "gpt.pt"
    program["main"]([*arguments, "--steps", "4", "--checkpoint", str(file)])
    assert program["main"]([*arguments, "--steps", "4", "--checkpoint", str(file)]) == []
    further = program["main"]([*arguments, "--steps", "6", "--checkpoint", str(file)])
    assert len(whole) == 4 and len(further) == 2 and further[0] < whole[0]


@pytest.mark.parametrize("path", programs(), ids=lambda path: path.stem)
def test_it_is_documented(path):
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    assert (ast.get_docstring(tree) or "").count("\n") > 3
    assert f"    python {path.name}" in source
    # Pleasant to read in one sitting.
    assert 60 <= len(source.splitlines()) <= 160
    for page in (GUIDE, ROOT / "README.md"):
        assert f"examples/{path.name}" in page.read_text("utf-8"), page


@pytest.mark.parametrize("path", programs(), ids=lambda path: path.stem)
def test_it_explains_its_options(path, capsys):
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(path))["main"](["--help"])
    assert stopped.value.code == 0
    assert "--seed" in capsys.readouterr().out
