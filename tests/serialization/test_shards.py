"""Checkpoints in several files, and tensors that share memory."""

from __future__ import annotations

import json
import os

import pytest

import tensorcore as tc
from tensorcore.errors import CheckpointError
from tensorcore.serialization.safetensors import (
    load_file,
    load_metadata,
    load_model,
    load_sharded,
    save_file,
    save_model,
    save_sharded,
)

TENSORS = {f"w{i}": tc.full((10,), float(i)) for i in range(5)}
INDEX = "model.safetensors.index.json"


def files(folder):
    return sorted(os.listdir(folder))


def same(a, b):
    return list(a) == list(b) and all(a[name].tolist() == b[name].tolist() for name in a)


@pytest.mark.parametrize(("size", "count"), [(40, 5), (80, 3), ("119B", 3), ("0.16kB", 2), ("1KiB", 1), ("5GB", 1)])
def test_as_many_files_as_needed(tmp_path, size, count):
    paths = save_sharded(TENSORS, tmp_path / "new", max_shard_size=size, metadata={"format": "pt"})
    assert len(paths) == count
    assert files(tmp_path / "new") == sorted([path.name for path in paths] + [INDEX] * (count > 1))
    assert same(load_sharded(tmp_path / "new"), TENSORS)
    assert all(load_metadata(path) == {"format": "pt"} for path in paths)


def test_the_index(tmp_path):
    save_sharded(TENSORS, tmp_path, max_shard_size=120, name="x")
    index = json.loads((tmp_path / "x.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_size": 200}
    assert index["weight_map"]["w3"] == "x-00002-of-00002.safetensors"
    assert same(load_sharded(tmp_path, name="x"), TENSORS)
    assert same(load_sharded(tmp_path / "x.safetensors.index.json", "reference", mmap=True), TENSORS)


def test_larger_than_the_limit(tmp_path):
    tensors = {"a": tc.ones(1), "big": tc.ones(100), "b": tc.ones(1)}
    assert len(save_sharded(tensors, tmp_path, max_shard_size=8)) == 3
    assert same(load_sharded(tmp_path), tensors)


def test_no_tensors(tmp_path):
    save_sharded({}, tmp_path)
    assert load_sharded(tmp_path) == {}


@pytest.mark.parametrize("sizes", [(40, 80, 1000, 40), (1000, 40), (80, 80)])
def test_files_of_an_earlier_checkpoint_go(tmp_path, sizes):
    (tmp_path / "model-card.md").write_text("kept")
    for number, size in enumerate(sizes):
        tensors = {name: value + number for name, value in TENSORS.items()}
        paths = save_sharded(tensors, tmp_path, max_shard_size=size)
        assert same(load_sharded(tmp_path), tensors)
        assert len(files(tmp_path)) == len(paths) + 1 + (len(paths) > 1)


class Failing(tc.Tensor):
    """A tensor whose elements cannot be fetched."""

    def numel(self):
        raise OSError("the device is gone")


def test_a_failure_leaves_the_old_checkpoint(tmp_path):
    save_sharded(TENSORS, tmp_path, max_shard_size=80)
    before = files(tmp_path)
    with pytest.raises(OSError, match="gone"):
        save_sharded({**TENSORS, "w0": tc.zeros(10), "w5": Failing([1.0])}, tmp_path, max_shard_size=80)
    assert files(tmp_path) == before
    assert same(load_sharded(tmp_path), TENSORS)


@pytest.mark.parametrize("size", [0, -1, "", "5XB", "GB", None, 1.5, True])
def test_sizes_that_are_none(tmp_path, size):
    with pytest.raises(ValueError, match="max_shard_size"):
        save_sharded(TENSORS, tmp_path, max_shard_size=size)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "model-00002-of-00005.safetensors").unlink(), "1 of 5 files are missing: model-0"),
        (lambda folder: (folder / INDEX).write_text("{"), "no index of shards: JSONDecodeError"),
        (lambda folder: (folder / INDEX).write_text("[]"), "no index of shards: TypeError"),
        (lambda folder: (folder / INDEX).write_text("[" * 100_000), "no index of shards"),
        (lambda folder: (folder / INDEX).write_text('{"weight_map": {"a": 1}}'), "must map names"),
        (lambda folder: (folder / INDEX).unlink(), "holds no checkpoint"),
        (lambda folder: save_file({}, folder / "model-00001-of-00005.safetensors"), "'w0' in model-00001"),
        (lambda folder: (folder / "model-00001-of-00005.safetensors").write_bytes(b"12345678{"), "announced"),
    ],
)  # fmt: skip
def test_damage_is_told(tmp_path, change, message):
    save_sharded(TENSORS, tmp_path, max_shard_size=40)
    change(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        load_sharded(tmp_path)


@pytest.mark.parametrize("name", ["../a.safetensors", "/etc/passwd", "a/b", "..", "", "c:a", "a\\b", "a\0"])
def test_an_index_names_no_other_folder(tmp_path, name):
    save_file({"w": tc.ones(1)}, tmp_path / "a.safetensors")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / INDEX).write_text(json.dumps({"weight_map": {"w": name}}))
    with pytest.raises(CheckpointError, match="no name of a file beside the index"):
        load_sharded(tmp_path / "in")


# ---------------------------------------------------------------- shared memory


@pytest.mark.parametrize("device", ["cpu", "reference"])
@pytest.mark.parametrize(
    "make",
    [
        lambda x: {"a": x, "b": x}, lambda x: {"a": x, "b": x[1:]}, lambda x: {"a": x[:2], "b": x[1:]},
        lambda x: {"a": x, "b": x.reshape(2, 2).t(), "c": tc.ones(1)},
    ],
)  # fmt: skip
def test_shared_memory_is_refused(tmp_path, make, device):
    tensors = make(tc.ones(4, device=device))
    if device == "reference" and len({id(x._array) for x in tensors.values()}) == len(tensors):
        pytest.skip("the device does not tell where elements lie")
    for save in (lambda: save_file(tensors, tmp_path / "a"), lambda: save_sharded(tensors, tmp_path)):
        with pytest.raises(CheckpointError, match=r"share memory.*'a', 'b'.*save_model"):
            save()
    assert not files(tmp_path)


def test_parts_that_do_not_overlap_are_saved(tmp_path):
    x = tc.arange(4)
    save_file({"a": x[:2], "b": x[2:], "e": x[:0], "f": x[:0]}, tmp_path / "a")
    assert load_file(tmp_path / "a")["b"].tolist() == [2, 3]


class Tied(tc.nn.Module):
    """Two layers with one weight."""

    def __init__(self):
        super().__init__()
        self.one, self.two = tc.nn.Linear(2, 2), tc.nn.Linear(2, 2)
        self.two.weight = self.one.weight


def test_tied_parameters(tmp_path):
    model, other = Tied(), Tied()
    save_model(model, tmp_path / "a", {"epoch": "1"})
    assert load_metadata(tmp_path / "a") == {"epoch": "1", "two.weight": "one.weight"}
    assert load_model(other, tmp_path / "a") == ([], [])
    assert other.two.weight is other.one.weight
    assert other.two.weight.tolist() == model.one.weight.tolist()


def test_what_is_missing_or_unexpected(tmp_path):
    save_file({"one.weight": tc.ones(2, 2), "one.bias": tc.ones(2), "extra": tc.ones(1)}, tmp_path / "a")
    with pytest.raises(RuntimeError, match=r"(?s)for Tied.*Missing.*'two.bias'.*Unexpected.*'extra'"):
        load_model(Tied(), tmp_path / "a")
    assert load_model(Tied(), tmp_path / "a", strict=False) == (["two.bias"], ["extra"])


def test_none_of_a_group_is_all_of_it(tmp_path):
    model = tc.nn.Module()
    x = tc.ones(4)
    model.register_buffer("a", x[:3])
    model.register_buffer("b", x[1:])
    with pytest.raises(CheckpointError, match="none of them is all of it"):
        save_model(model, tmp_path / "a")


def test_strided_parameters(tmp_path):
    model = tc.nn.Linear(2, 3)
    model.weight = tc.nn.Parameter(tc.ones(2, 3).t())
    save_model(model, tmp_path / "a")
    assert load_file(tmp_path / "a")["weight"].shape == (3, 2)
    with pytest.raises(CheckpointError, match="'weight' are not contiguous"):
        save_model(model, tmp_path / "a", force_contiguous=False)
