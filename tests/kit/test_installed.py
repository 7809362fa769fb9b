"""What the kit writes, installed by pip into a fresh environment: its tests pass there, and the commands list it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("hatchling")
pytest.importorskip("hypothesis")
pytest.importorskip("typer")

sys.path.insert(0, str(Path(__file__).parent))

from installing import Environment

from tensorcore.cli import projects
from tensorcore.ops.record import REGISTRY

pytestmark = pytest.mark.slow

OPTIONS = {"license": "Apache-2.0", "author": "Ada"}

PRIMITIVES = [op.name for op in REGISTRY.values() if op.primitive]
AREAS = ["claims", "transfers", "indexing", "writing", "random", "compile", "training"]
#: Composites of which a backend has no kernel: one of each kind of expression.
COMPOSED = ["softmax", "conv2d", "layer_norm", "logsumexp", "linalg_solve", "var", "topk", "interpolate", "as_strided"]

#: The standard's own functions are judged on other devices; of what is written by hand, every primitive is.
EXAMINED = {
    "array-api": ["tanh", "sum", "sort", "scatter", "softmax", "linalg_slogdet", "claims", "transfers", "compile"],
    "from-scratch": [*PRIMITIVES, *AREAS, *COMPOSED],
}


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "venv")


def passed(printed: str) -> int:
    counts = dict((word, int(number)) for number, word in re.findall(r"(\d+) (\w+)", printed.splitlines()[-1]))
    assert not counts.keys() & {"failed", "error", "errors", "xfailed"}, printed
    return counts["passed"]


@pytest.mark.parametrize("style", ["array-api", "from-scratch"])
def test_a_backend(tmp_path, environment, style):
    made = projects.new_backend("simple", style=style, namespace=None, folder=tmp_path, options=OPTIONS)
    folder = Path(made["folder"])
    environment.install(folder)
    states = json.loads(environment.run(tmp_path, "-m", "tensorcore.cli", "backends", "--json"))
    (state,) = [each for each in states if each["name"] == "simple"]
    assert (state["state"], state["devices"], state["distribution"]) == ("loaded", ["simple"], "tensorcore-simple")
    # Where files are named, they alone are run; else the suite runs with them, as the configuration names the device.
    own = int(environment.run(folder, "-m", "pytest", "-q", "--collect-only", "tests").splitlines()[-1].split()[0])
    assert own >= 19
    words = [
        "--tensorcore-ops",
        ",".join(EXAMINED[style]),
        "--tensorcore-examples",
        "0",
        "--tensorcore-report",
        "report",
    ]
    assert passed(environment.run(folder, "-m", "pytest", "-q", *words)) >= own + len(EXAMINED[style]) - 3
    report = json.loads((folder / "report" / "conformance.json").read_text("utf-8"))
    assert report["device"] == "simple" and report["passed"]
    runs = {each["name"]: each["runs_as"] for each in report["subjects"]}
    assert {runs[name] for name in PRIMITIVES if name in runs} == {"native"}


def test_a_model(tmp_path, environment):
    made = projects.new_model("tiny-net", folder=tmp_path, options=OPTIONS)
    folder = Path(made["folder"])
    environment.install(folder)
    models = json.loads(environment.run(tmp_path, "-m", "tensorcore.cli", "models", "--json"))
    (model,) = [each for each in models if each["name"] == "tiny-net"]
    assert model["datasets"] == ["fashion-mnist", "mnist"] and model["weights"] == []
    assert passed(environment.run(folder, "-m", "pytest", "-q")) >= 15
    words = ["--limit", "512", "--epochs", "1", "--device", "cpu", "--out", "run"]
    environment.run(tmp_path, "-m", "tensorcore.cli", "train", "tiny-net", *words)
    # What was trained is what the weights hook takes.
    program = "from tensorcore_tiny_net.model import make; print(type(make(weights='run/model.safetensors')).__name__)"
    assert environment.run(tmp_path, "-c", program) == "TinyNet\n"


def test_the_listing_names_published_weights(tmp_path, environment):
    made = projects.new_model("tiny-net", folder=tmp_path, options=OPTIONS)
    weights = Path(made["folder"]) / "src" / "tensorcore_tiny_net" / "weights.py"
    source = weights.read_text("utf-8")
    assert "PUBLISHED: dict[str, str] = {}" in source
    url = "https://example.org/tiny-net-1a2b3c4d.safetensors"
    weights.write_text(source.replace("= {}", f"= {{'mnist-v1': '{url}'}}"), "utf-8")
    environment.install(Path(made["folder"]))
    table = environment.run(tmp_path, "-m", "tensorcore.cli", "models")
    assert re.search(r"^tiny-net +fashion-mnist, mnist +mnist-v1 +a convolutional", table, re.MULTILINE)
