"""Settings of checkpoints, devices of other packages, mapped files and files without elements."""

from __future__ import annotations

import io
import mmap
import subprocess
import sys
import zipfile

import pytest

import tensorcore as tc
from tensorcore.errors import CheckpointError, RangeError
from tensorcore.serialization import (
    LoadEndianness,
    load,
    locations,
    register_package,
    save,
    set_default_load_endianness,
    set_default_mmap_options,
    skip_data,
)
from tensorcore.serialization.safetensors import load_file, safe_open, save_file


@pytest.fixture
def packages(monkeypatch):
    """No packages but those that the test registers."""
    monkeypatch.setattr(locations, "_packages", [])


def test_checksums_can_be_left_out(tmp_path):
    tc.serialization.set_crc32_options(False)
    try:
        assert not tc.serialization.get_crc32_options()
        save({"x": tc.ones(3)}, tmp_path / "a.pt")
    finally:
        tc.serialization.set_crc32_options(True)
    assert {info.CRC for info in zipfile.ZipFile(tmp_path / "a.pt").infolist()} == {0}
    assert load(tmp_path / "a.pt")["x"].tolist() == [1, 1, 1]


def test_the_byte_order_that_is_not_said():
    save(tc.tensor([1], dtype=tc.int16), file := io.BytesIO(), _disable_byteorder_record=True)
    try:
        set_default_load_endianness(LoadEndianness.BIG)
        file.seek(0)
        assert load(file).tolist() == [256]
    finally:
        set_default_load_endianness(None)
    file.seek(0)
    assert load(file).tolist() == [1]
    with pytest.raises(TypeError, match="LoadEndianness"):
        set_default_load_endianness("big")


def test_data_left_out_is_zero_and_takes_no_room(tmp_path):
    with skip_data():
        save({"x": tc.ones(1_000_000), "y": tc.ones(2)}, tmp_path / "a.pt")
    found = load(tmp_path / "a.pt")
    assert not found["x"].any()
    assert found["y"].tolist() == [0, 0]
    status = (tmp_path / "a.pt").stat()
    assert status.st_size > 4_000_000
    assert not hasattr(status, "st_blocks") or status.st_blocks * 512 < 1_000_000


def test_data_left_out_of_a_stream():
    class Stream:
        data = b""

        def write(self, piece):
            self.data += bytes(piece)

    with skip_data():
        save(tc.ones(5), stream := Stream())
    assert load(io.BytesIO(stream.data)).tolist() == [0] * 5


@pytest.mark.parametrize("writer", ["zip", "safetensors"])
def test_a_shared_mapping_writes_to_the_file(tmp_path, writer):
    path = tmp_path / "a"
    save(tc.ones(2), path)
    with set_default_mmap_options(mmap.MAP_SHARED):
        load(path, mmap=True).fill_(5)
    assert load(path, mmap=True).tolist() == [5, 5]
    with pytest.raises(RangeError, match="MAP_PRIVATE or"):
        set_default_mmap_options(77)
    assert tc.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE


def test_mapped_safetensors(tmp_path):
    save_file({"x": tc.arange(5), "h": tc.ones(3).half()}, tmp_path / "a")
    for found in (load(tmp_path / "a", mmap=True), load_file(tmp_path / "a", mmap=True)):
        assert found["x"].tolist() == [0, 1, 2, 3, 4]
        found["x"].zero_()
    assert load_file(tmp_path / "a")["x"].tolist() == [0, 1, 2, 3, 4]


_BEYOND_MEMORY = """
import json, os, resource, struct, sys
import tensorcore as tc
from tensorcore.serialization.safetensors import load_file, safe_open

folder, total = sys.argv[1], int(sys.argv[2])

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

# As large as the memory of the machine and as much again, and the end of it not zero.
count = total // 4 * 2
with open(folder + "/a.safetensors", "wb") as file:
    entry = {"dtype": "F32", "shape": [count // 1024, 1024], "data_offsets": [0, count // 1024 * 4096]}
    header = json.dumps({"x": entry}).encode()
    header += b" " * (-len(header) % 8)
    file.write(struct.pack("<Q", len(header)) + header)
    file.truncate(8 + len(header) + count // 1024 * 4096)
    file.seek(-4, 2)
    file.write(struct.pack("<f", 3.5))
before = peak()
x = load_file(folder + "/a.safetensors", mmap=True)["x"]
assert x[-1, -1] == 3.5 and x[0, :4].tolist() == [0, 0, 0, 0]
x[5, 5] = 1
with safe_open(folder + "/a.safetensors") as opened:
    assert opened.get_slice("x")[-1, -2:].tolist() == [0, 3.5]
assert tc.load(folder + "/a.safetensors", mmap=True)["x"][-1, -1] == 3.5
os.remove(folder + "/a.safetensors")

# A zip file of half a gigabyte.
with tc.serialization.skip_data():
    tc.save({"x": tc.empty(1 << 27), "y": tc.ones(3)}, folder + "/a.pt")
y = tc.load(folder + "/a.pt", mmap=True)
assert y["x"][1 << 26] == 0
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the sizes of memory")
def test_files_larger_than_memory(tmp_path):
    import os

    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    command = [sys.executable, "-c", _BEYOND_MEMORY, str(tmp_path), str(total)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Of all that hardly anything was read.
    assert int(done.stdout) < 100_000_000


@pytest.mark.usefixtures("packages")
def test_devices_of_other_packages():
    def tag(storage):
        return "abacus:3" if storage.device.type == "reference" else None

    def restore(storage, location):
        return storage.to(device="reference") if location.startswith("abacus") else None

    register_package(5, tag, restore)
    file = io.BytesIO()
    save([tc.ones(2, device="reference"), tc.ones(1)], file)
    assert b"abacus:3" in file.getvalue()
    file.seek(0)
    assert [x.device.type for x in load(file)] == ["reference", "cpu"]
    file.seek(0)
    assert [x.device.type for x in load(file, map_location={"abacus:3": "cpu"})] == ["cpu", "cpu"]
    assert tc.serialization.location_tag(tc.ones(1, device="reference")) == "abacus:3"


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("priority", [1, 100])
def test_packages_are_asked_in_turn(priority):
    asked = []
    register_package(priority, lambda storage: None, lambda storage, location: asked.append(location))
    save(tc.ones(1), file := io.BytesIO())
    file.seek(0)
    load(file)
    assert asked == (["cpu"] if priority == 1 else [])


@pytest.mark.usefixtures("packages")
def test_a_callable_that_calls_default_restore_location():
    save(tc.ones(1), file := io.BytesIO())
    file.seek(0)
    restore = tc.serialization.default_restore_location
    assert load(file, map_location=lambda storage, place: restore(storage, "reference")).device.type == "reference"


def test_parts_of_a_file(tmp_path):
    save_file({"x": tc.arange(6).reshape(2, 3)}, tmp_path / "a")
    with safe_open(tmp_path / "a", device="reference") as file:
        assert file.metadata() is None
        assert file.get_tensor("x").device.type == "reference"
        assert file.get_slice("x")[1, 1:].tolist() == [4, 5]
        with pytest.raises(CheckpointError, match="no tensor 'y'"):
            file.get_tensor("y")
        x = file.get_tensor("x")
        x.zero_()
        assert file.get_tensor("x").any()
    with pytest.raises(CheckpointError, match="no tensor"):
        file.get_tensor("x")
    with pytest.raises(ValueError, match="framework"):
        safe_open(tmp_path / "a", "jax")
