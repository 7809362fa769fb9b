"""Saving replaces a file by a whole one, or leaves it as it was."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

import tensorcore as tc
from tensorcore.errors import CheckpointError
from tensorcore.serialization import load, save
from tensorcore.serialization.files import atomic_write
from tensorcore.serialization.safetensors import load_file, save_file


class Failing(tc.Tensor):
    """A tensor whose elements cannot be fetched, as of a device that went away."""

    def numel(self) -> int:
        raise OSError("the device is gone")


def write_then_fail(path):
    with atomic_write(path, "save") as file:
        file.write(b"half of it")
        raise KeyboardInterrupt


def test_a_failure_midway_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.pt"
    save({"x": tc.ones(3)}, path)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_then_fail(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.pt"]


def test_a_failure_midway_leaves_no_new_file(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_then_fail(tmp_path / "a.pt")
    assert not os.listdir(tmp_path)


def test_elements_that_cannot_be_fetched_leave_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"x": tc.ones(3)}, path)
    with pytest.raises(OSError, match="gone"):
        save_file({"a": tc.zeros(3, dtype=tc.float64), "x": Failing([1.0, 2.0])}, path)
    assert load_file(path)["x"].tolist() == [1, 1, 1]
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_what_cannot_be_pickled_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.pt"
    save(1, path)
    with pytest.raises(TypeError, match="cannot be found by its name"):
        save({"f": lambda: 0}, path)
    assert load(path) == 1
    assert os.listdir(tmp_path) == ["a.pt"]


_KILLED = """
import os, signal, sys
import tensorcore as tc
from tensorcore.serialization import save
from tensorcore.serialization.zip_archive import ZipWriter

path, entries = sys.argv[1], int(sys.argv[2])
add = ZipWriter.add

def add_and_die(archive, name, data):
    add(archive, name, data)
    archive.file.flush()
    if len(archive.directory) == entries:
        os.kill(os.getpid(), signal.SIGKILL)

ZipWriter.add = add_and_die
save({"x": tc.zeros(100), "y": tc.zeros(7)}, path)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("entries", [1, 3, 5])
def test_a_process_killed_midway_leaves_the_old_file(tmp_path, entries):
    path = tmp_path / "a.pt"
    save({"x": tc.ones(3)}, path)
    done = subprocess.run([sys.executable, "-c", _KILLED, str(path), str(entries)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert load(path)["x"].tolist() == [1, 1, 1]


def test_the_permissions_are_kept(tmp_path):
    path = tmp_path / "a.pt"
    save(1, path)
    path.chmod(0o640)
    save(2, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert load(path) == 2


def test_a_new_file_gets_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    save(1, tmp_path / "a.pt")
    assert (tmp_path / "a.pt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_symbolic_link_stays_one(tmp_path):
    save(1, tmp_path / "target.pt")
    (tmp_path / "link.pt").symlink_to("target.pt")
    save(2, tmp_path / "link.pt")
    assert (tmp_path / "link.pt").is_symlink()
    assert load(tmp_path / "target.pt") == 2


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"the folder .*none.* does not exist"):
        save(1, tmp_path / "none" / "a.pt")


def test_what_is_no_regular_file_is_written_directly():
    save({"x": tc.ones(3)}, os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_long_name_is_no_problem(tmp_path):
    path = tmp_path / ("a" * 250 + ".pt")
    save(1, path)
    assert load(path) == 1


def test_a_file_being_read_stays_readable(tmp_path):
    path = tmp_path / "a.pt"
    save({"x": tc.arange(1000.0)}, path)
    mapped = load(path, mmap=True)["x"]
    save({"x": tc.zeros(1000)}, path)
    assert mapped.tolist() == list(range(1000))
