"""The programs and the table of the guide to the Array API standard; `test_guides` runs its sessions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import tensorcore as tc

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "guides" / "array-api.md"
PROGRAMS = re.findall(r"```python\n((?!>>>).*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=["scikit-learn", "SciPy"])
def test_programs(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == re.findall(r"^print\(.*?\)  # (.*)$", program, re.MULTILINE)


def test_the_table_tells_what_differs():
    xp, x = tc.array_api, tc.tensor([[2.0, 1.0], [float("nan"), 3.0]])
    assert len(tc.sort(x)) == 2 and xp.sort(x).shape == (2, 2)
    assert len(tc.max(x, axis=0)) == 2 and xp.max(x, axis=0).shape == (2,)
    assert tc.nonzero(x).shape == (4, 2) and len(xp.nonzero(x)) == 2
    assert tc.equal(x, x) is False and xp.equal(x, x).shape == (2, 2)
    assert tc.squeeze(x, 0).shape == (2, 2)
    with pytest.raises(ValueError, match="side 2, not 1"):
        xp.squeeze(x, 0)
    assert tc.meshgrid(x[0], xp.ones(3))[0].shape == (2, 3) and xp.meshgrid(x[0], xp.ones(3))[0].shape == (3, 2)
    assert (
        tc.tensor([1], dtype=tc.uint8).sum().dtype is tc.int64
        and xp.sum(tc.zeros(1, dtype=tc.uint8)).dtype is tc.uint64
    )
    assert tc.sign(x)[1, 0] == 0 and xp.isnan(xp.sign(x)[1, 0])
    assert tc.sum(x, dim=()).ndim == 0 and xp.sum(x, axis=()).ndim == 2
