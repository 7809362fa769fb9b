"""``tensorcore train``: the files of a run, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from process import environment, fails

import tensorcore as tc
from tensorcore.serialization.safetensors import load_metadata
from tensorcore_zoo.classifier import Classifier

SHORT = ("--limit", 128, "--epochs", 1)


def test_the_files_of_a_run(trained):
    assert sorted(path.name for path in trained.iterdir()) == ["metrics.json", "model.safetensors"]
    metadata = load_metadata(trained / "model.safetensors")
    assert (metadata["model"], metadata["dataset"]) == ("classifier", "fashion-mnist")
    assert json.loads(metadata["classes"])[9] == "Ankle boot"
    assert set(tc.load(trained / "model.safetensors")) == set(Classifier().state_dict())
    metrics = json.loads((trained / "metrics.json").read_text("utf-8"))
    assert (metrics["model"], metrics["device"], metrics["settings"]["epochs"]) == ("classifier", "cpu", 2)
    first, second = metrics["history"]
    assert (first["epoch"], second["epoch"]) == (1, 2)
    assert second["loss"] < first["loss"] and second["accuracy"] > first["accuracy"]
    assert metrics["test"]["count"] == 2000 and 0.6 < metrics["test"]["accuracy"] < 0.95


def test_a_line_for_each_epoch(tensorcore):
    done = tensorcore(
        "train", "classifier", "--data", "fashion-mnist", "--limit", 100, "--epochs", 3, "--out", "runs/x"
    )
    assert done.returncode == 0 and not done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("classifier, 669,706 parameters, on cpu; fashion-mnist, 100 training and 2,000 test")
    assert [line.split("  ")[0] for line in lines[1:4]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert all("loss" in line and "accuracy" in line for line in lines[1:5])
    assert lines[4].startswith("test accuracy")


def test_the_seed_decides(tensorcore, tmp_path):
    def history(out: str, *words: object) -> list[float]:
        done = tensorcore("train", "classifier", *SHORT, "--out", out, *words)
        assert done.returncode == 0, done.stderr
        return [epoch["loss"] for epoch in json.loads((tmp_path / out / "metrics.json").read_text())["history"]]

    assert history("a") == history("b", "--seed", 0)
    assert history("c", "--seed", 1) != history("a", "--force")
    assert history("d", "--device", "array_api_strict") == pytest.approx(history("a", "--force"), rel=1e-5)


def test_the_learning_rate_and_its_schedule(tensorcore, tmp_path):
    for out, words in {
        "a": (),
        "b": ("--schedule", "constant"),
        "c": ("--lr", "1e-4"),
        "d": ("--batch-size", 16),
    }.items():
        assert tensorcore("train", "classifier", *SHORT, "--out", out, *words).returncode == 0
    tests = [json.loads((tmp_path / out / "metrics.json").read_text())["test"]["loss"] for out in "abcd"]
    assert len(set(tests)) == 4


def test_the_default_folder(tensorcore, tmp_path):
    assert tensorcore("train", "classifier", *SHORT).returncode == 0
    assert (tmp_path / "runs" / "classifier" / "model.safetensors").is_file()


def test_an_earlier_run_is_kept_unless_forced(tensorcore, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "metrics.json").write_text("mine")
    message = fails(tensorcore("train", "classifier", *SHORT, "--out", "x"), 1)
    assert "x has metrics.json of an earlier run; choose another --out, or --force" in message
    assert (tmp_path / "x" / "metrics.json").read_text() == "mine"
    assert tensorcore("train", "classifier", *SHORT, "--out", "x", "--force").returncode == 0
    assert (tmp_path / "x" / "metrics.json").read_text().startswith("{")


def test_a_folder_with_other_files_is_used(tensorcore, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "notes.txt").write_text("mine")
    assert tensorcore("train", "classifier", *SHORT, "--out", "x").returncode == 0
    assert (tmp_path / "x" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "code", "messages"),
    [
        (["nonsense"], 2, ["unknown model 'nonsense'", "known: classifier"]),
        (["classifier", "--data", "nonsense"], 2, ["unknown data set 'nonsense'", "fashion-mnist"]),
        (["classifier", "--data", "mnist"], 2, ["does not fit the data set 'mnist'", "fashion-mnist"]),
        (["classifier", "--device", "gpu"], 2, ["unknown device 'gpu'", "available: ", "cpu", "reference"]),
        (["classifier", "--device", "cpu:x"], 2, ["expected NAME or NAME:INDEX"]),
        (["classifier", "--device", "cpu:7"], 2, ["'cpu:7' does not exist", "1 device"]),
        (["classifier", "--lr", "0"], 2, ["--lr must be a positive number"]),
        (["classifier", "--lr", "nan"], 2, ["--lr must be a positive number"]),
        (["classifier", "--data-root", "nowhere"], 1, ["found no train-images-idx3-ubyte", "nowhere"]),
        (["classifier", "--lr", "1e30", "--limit", "200"], 1, ["the loss became", "lower --lr"]),
        (["classifier", "--out", "file"], 1, ["file: "]),
    ],
)
def test_what_cannot_be_trained(tensorcore, tmp_path, words, code, messages):
    (tmp_path / "file").write_text("not a folder")
    message = fails(tensorcore("train", *words), code)
    for part in messages:
        assert part in message
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_cuda_that_is_absent_says_why(tensorcore):
    states = {state["name"]: state for state in json.loads(tensorcore("backends", "--json").stdout)}
    if states["cuda"]["state"] == "loaded":
        pytest.skip("there is a GPU")
    message = fails(tensorcore("train", "classifier", "--device", "cuda"), 1)
    assert "device 'cuda' is not available" in message and " ".join(states["cuda"]["reason"].split()) in message


def test_a_data_file_that_is_damaged(tensorcore, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03\0\0\0\x09")
    (tmp_path / "data" / "train-labels-idx1-ubyte").write_bytes(b"")
    message = fails(tensorcore("train", "classifier", "--data-root", "data"), 1)
    assert "data/train-images-idx3-ubyte: truncated" in message


def test_a_folder_that_cannot_be_made(tensorcore, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file/x" in fails(tensorcore("train", "classifier", "--out", "file/x"), 1)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupted_it_leaves_nothing_half_written(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "tensorcore.cli", "train", "classifier", "--epochs", "1000", "--out", "runs/x"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 1/1000"):
            break
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and stderr.strip() == "tensorcore: interrupted"
    assert not list(tmp_path.iterdir())
