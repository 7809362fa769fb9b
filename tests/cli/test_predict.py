"""``tensorcore predict``: images of all kinds, and files that are not what they should be."""

from __future__ import annotations

import json
import os
import pickle

import pytest
from process import fails

import tensorcore as tc
from tensorcore.serialization.safetensors import load_file, save_file
from tensorcore_vision.datasets import FashionMNIST
from tensorcore_vision.io import write_png
from tensorcore_zoo.classifier import Classifier

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def test_set() -> FashionMNIST:
    return FashionMNIST(train=False)


@pytest.fixture
def boot(tmp_path, test_set) -> str:
    write_png(test_set.data[:1], tmp_path / "boot.png")
    return "boot.png"


@pytest.fixture
def checkpoint(trained) -> str:
    return str(trained / "model.safetensors")


def test_a_test_image_gets_the_models_own_probabilities(tensorcore, checkpoint, boot, test_set):
    (found,) = json.loads(tensorcore("predict", checkpoint, boot, "--json").stdout)
    model = Classifier()
    model.load_state_dict(load_file(checkpoint))
    expected = model(test_set[0][0].unsqueeze(0)).softmax(1)[0].tolist()
    assert list(found["probabilities"]) == test_set.classes
    assert list(found["probabilities"].values()) == pytest.approx(expected, rel=1e-5)
    assert (found["image"], found["label"], found["index"]) == (boot, "Ankle boot", 9)


def test_the_table_begins_with_the_likeliest(tensorcore, checkpoint, boot):
    lines = tensorcore("predict", checkpoint, boot).stdout.splitlines()
    assert lines[0] == "boot.png: Ankle boot"
    assert lines[2].startswith("Ankle boot") and len(lines) == 12
    values = [float(line.split("%")[0].split()[-1]) for line in lines[2:]]
    assert values == sorted(values, reverse=True) and sum(values) == pytest.approx(100, abs=0.1)


def test_any_size_and_colour_and_dark_on_bright(tensorcore, checkpoint, tmp_path, test_set):
    pixels = Image.fromarray(test_set.data[0].numpy())
    pixels.resize((280, 280)).convert("RGB").save(tmp_path / "big.jpg", quality=95)
    pixels.convert("RGBA").save(tmp_path / "alpha.png")
    pixels.point(lambda value: 255 - value).save(tmp_path / "dark.bmp")
    done = tensorcore("predict", checkpoint, "big.jpg", "alpha.png", "--json")
    assert [each["label"] for each in json.loads(done.stdout)] == ["Ankle boot"] * 2
    (turned,) = json.loads(tensorcore("predict", checkpoint, "dark.bmp", "--invert", "--json").stdout)
    (alpha,) = json.loads(done.stdout)[1:]
    assert turned["probabilities"] == pytest.approx(alpha["probabilities"])
    (plain,) = json.loads(tensorcore("predict", checkpoint, "dark.bmp", "--json").stdout)
    assert plain["probabilities"] != pytest.approx(alpha["probabilities"])


@pytest.mark.parametrize("device", ["reference", "array_api_strict"])
def test_other_devices_predict_alike(tensorcore, checkpoint, boot, device):
    (here,) = json.loads(tensorcore("predict", checkpoint, boot, "--json", "--device", "cpu").stdout)
    (there,) = json.loads(tensorcore("predict", checkpoint, boot, "--json", "--device", device).stdout)
    assert there["probabilities"] == pytest.approx(here["probabilities"], rel=1e-4, abs=1e-7)


def test_a_state_dict_by_save_needs_the_models_name(tensorcore, checkpoint, boot, tmp_path):
    tc.save(load_file(checkpoint), tmp_path / "model.pt")
    assert "give --model, one of: classifier" in fails(tensorcore("predict", "model.pt", boot), 1)
    (found,) = json.loads(tensorcore("predict", "model.pt", boot, "--model", "classifier", "--json").stdout)
    assert found["label"] == "Ankle boot"


class Attack:
    def __reduce__(self):
        return (os.system, ("touch executed",))


def damaged(kind: str, whole: bytes) -> bytes:
    if kind == "pickle":
        return pickle.dumps(Attack())
    return {
        "empty": b"",
        "text": b"weights, honestly",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "cut": whole[: len(whole) // 2],
        "header cut": whole[:100],
        "longer": whole + b"\0",
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "text", "png", "cut", "header cut", "longer", "pickle"])
def test_a_checkpoint_that_is_none(tensorcore, checkpoint, boot, tmp_path, kind):
    with open(checkpoint, "rb") as file:
        (tmp_path / "bad.safetensors").write_bytes(damaged(kind, file.read()))
    message = fails(tensorcore("predict", "bad.safetensors", boot), 1)
    assert message.startswith("tensorcore: bad.safetensors: ")
    assert not (tmp_path / "executed").exists()


def test_a_pytorch_file_that_tries_to_run_code(tensorcore, boot, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "bad.pt", "w") as archive:
        archive.writestr("bad/data.pkl", pickle.dumps({"w": Attack()}, protocol=2))
        archive.writestr("bad/version", "3\n")
    message = fails(tensorcore("predict", "bad.pt", boot, "--model", "classifier"), 1)
    assert "bad.pt" in message and "system" in message
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("tensors", "metadata", "message"),
    [
        ({}, {}, "the file does not say which model it is of; give --model"),
        ({}, {"model": "nonsense"}, "unknown model 'nonsense'"),
        ({}, {"model": "classifier"}, "no checkpoint of the model 'classifier': .* Missing key"),
        ({"linear_relu_stack.0.bias": (3,)}, {"model": "classifier"}, "size mismatch"),
        (None, {"model": "classifier", "classes": "[1, 2]"}, "JSON list of strings"),
        (None, {"model": "classifier", "classes": '["a", "b"]'}, "10 classes apart, but 2 have names"),
        (None, {"model": "classifier", "dataset": "nonsense"}, "unknown data set 'nonsense'"),
    ],
)
def test_a_checkpoint_of_something_else(tensorcore, boot, tmp_path, tensors, metadata, message):
    import re

    state = Classifier().state_dict() if tensors is None else {k: tc.zeros(*shape) for k, shape in tensors.items()}
    save_file(state, tmp_path / "other.safetensors", metadata)
    assert re.search(message, fails(tensorcore("predict", "other.safetensors", boot), 1))


def test_what_is_no_state_dict(tensorcore, boot, tmp_path):
    tc.save([tc.zeros(1)], tmp_path / "list.pt")
    message = fails(tensorcore("predict", "list.pt", boot, "--model", "classifier"), 1)
    assert "expected a state_dict, parameters by name, got a list" in message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.png", None, "none.png: No such file"),
        (".", None, "Is a directory"),
        ("text.png", b"a boot", "text.png: no image; expected one of PNG, JPEG"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "cut.png: "),
    ],
)
def test_an_image_that_is_none(tensorcore, checkpoint, boot, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = tensorcore("predict", checkpoint, boot, name)
    assert message in fails(done, 1)
    assert not done.stdout, "half a result was printed"


def test_unknown_names(tensorcore, checkpoint, boot):
    assert "unknown model 'x'; known: classifier" in fails(tensorcore("predict", checkpoint, boot, "--model", "x"), 2)
    assert "unknown data set 'x'" in fails(tensorcore("predict", checkpoint, boot, "--data", "x"), 2)
    assert "unknown device 'x'" in fails(tensorcore("predict", checkpoint, boot, "--device", "x"), 2)
    assert "Missing argument" in fails(tensorcore("predict", checkpoint), 2)
    assert "none.safetensors: No such file" in fails(tensorcore("predict", "none.safetensors", boot), 1)
