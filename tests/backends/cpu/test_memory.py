"""What freed arrays leave to the next ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")
from tensorcore_cpu.memory import keep_freed_memory  # noqa: E402

STEPS = """
import resource
import tensorcore as tc
x, y = tc.ones(1 << 20), tc.ones(1 << 20)
def step():
    return x * y + y
for _ in range(5): step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20): step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_a_step_reuses_the_memory_of_the_step_before():
    if not keep_freed_memory():
        pytest.skip("the C library is not glibc, or the environment sets its thresholds")
    run = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    # The arrays of one step alone cover 2048 pages.
    assert int(run.stdout) < 2048


@pytest.mark.parametrize("name, value", [
    ("MALLOC_TRIM_THRESHOLD_", "131072"), ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072"),
])  # fmt: skip
def test_the_users_own_thresholds_stay(name, value, monkeypatch):
    monkeypatch.setitem(os.environ, name, value)
    assert keep_freed_memory() is False
