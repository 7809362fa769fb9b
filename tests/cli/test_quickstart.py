"""``tensorcore quickstart``, whole."""

from __future__ import annotations

import json

import pytest
from process import fails, run_in

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("quickstart")


def test_it_trains_saves_reloads_and_draws(folder):
    done = run_in(folder, "quickstart")
    assert done.returncode == 0, done.stderr
    assert "loaded back, its test accuracy is the same" in done.stdout
    written = folder / "runs" / "quickstart"
    assert {path.name for path in written.iterdir()} == {"model.safetensors", "metrics.json", "predictions.png"}
    metrics = json.loads((written / "metrics.json").read_text("utf-8"))
    assert metrics["test"]["accuracy"] >= 0.84 and metrics["test"]["count"] == 2000
    assert len(metrics["history"]) == 5
    with Image.open(written / "predictions.png") as picture:
        picture.load()
        assert picture.format == "PNG" and min(picture.size) >= 500
        colours = picture.convert("RGB").quantize(64).getcolors()
        assert colours is not None and len(colours) > 20


def test_it_may_be_run_again_in_its_own_folder_only(tensorcore, tmp_path):
    short = ("quickstart", "--limit", 64, "--epochs", 1)
    (tmp_path / "runs" / "quickstart").mkdir(parents=True)
    (tmp_path / "runs" / "quickstart" / "metrics.json").write_text("earlier")
    assert tensorcore(*short).returncode == 0
    (tmp_path / "runs").rename(tmp_path / "mine")
    assert "earlier run" in fails(tensorcore(*short, "--out", "mine/quickstart"), 1)
    assert tensorcore(*short, "--out", "mine/quickstart", "--force").returncode == 0


def test_an_unknown_device_leaves_no_folder(tensorcore, tmp_path):
    assert "unknown device 'tpu'" in fails(tensorcore("quickstart", "--device", "tpu"), 2)
    assert not list(tmp_path.iterdir())
