"""The quickstart program: it runs, and the README and the guide show it as it is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.plugins.host import host

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "docs" / "examples" / "quickstart.py"
README = (ROOT / "README.md").read_text("utf-8")
GUIDE = ROOT / "docs" / "guides" / "quickstart.md"


def test_it_trains_and_saves(tmp_path, monkeypatch, capsys):
    # Two epochs of the five: enough to see it learn.
    source = PROGRAM.read_text("utf-8")
    assert "range(5)" in source
    (tmp_path / "short.py").write_text(source.replace("range(5)", "range(2)"), "utf-8")
    monkeypatch.chdir(tmp_path)
    variables = runpy.run_path("short.py")
    assert variables["accuracy"] > 0.75
    printed = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in printed[:2]] == ["epoch 1", "epoch 2"]
    assert printed[2] == f"test accuracy {variables['accuracy']:.1%}"
    again = nn.Sequential(*[type(layer)(*sizes(layer)) for layer in variables["model"]])
    again.load_state_dict(tc.load("classifier.pt"))
    images, labels = variables["test"].tensors
    assert (again(images).argmax(1) == labels).float().mean().item() == variables["accuracy"]


def sizes(layer: nn.Module) -> tuple[int, ...]:
    return (layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else ()


def test_the_readme_shows_the_program():
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert block == PROGRAM.read_text("utf-8")


def test_the_guide_includes_the_program():
    (name,) = re.findall(r"```\{literalinclude\} (.*)", GUIDE.read_text("utf-8"))
    assert (GUIDE.parent / name).resolve() == PROGRAM


def test_it_is_about_twenty_lines_long():
    assert sum(bool(line.strip()) for line in PROGRAM.read_text("utf-8").splitlines()) <= 25


def test_the_readme_lists_every_device_of_the_package():
    listed = set(re.findall(r"^\| `(\w+)`", README, re.MULTILINE))
    own = {state.name for state in host.states(load=False) if state.distribution == "tensorcore-framework"}
    if not own:
        pytest.skip("the package is not installed")
    assert listed == own


@pytest.mark.parametrize("page", [ROOT / "README.md", GUIDE], ids=["README", "guide"])
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), link
