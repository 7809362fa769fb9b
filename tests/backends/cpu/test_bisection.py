"""Compiled bisection on cpu against NumPy's, on both instruction sets."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore_cpu.jit.bisection import bisected, bisection_code
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")


@pytest.mark.parametrize("chosen", [AVX2, AVX512] if BEST == AVX512 else [AVX2], ids=lambda isa: isa.name)
@pytest.mark.parametrize("right", [False, True], ids=["left", "right"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("side", [1, 2, 3, 7, 8, 9, 100])
def test_places(chosen, right, dtype, side):
    rng = np.random.default_rng(side)
    row = np.sort(rng.integers(-20, 20, side).astype(dtype))
    wanted = rng.integers(-25, 25, 77).astype(dtype)
    if dtype != "int64":
        wanted[:5] = np.nan, np.inf, -np.inf, 0.0, -0.0
    floating = row.dtype.kind == "f"
    program = loaded(bisection_code(floating, row.itemsize, right, chosen, data_offset()), 3)
    for count in (1, 2, 3, 4, 5, 77):
        places = np.full(count + 1, -9)
        program(count, side, id(row), id(wanted), id(places))
        np.testing.assert_array_equal(places[:-1], np.searchsorted(row, wanted[:count], "right" if right else "left"))
        assert places[-1] == -9


def test_what_numpy_has_to_do():
    row, wanted = np.arange(4.0), np.arange(3.0)
    assert bisected(row[::2], wanted, False) is None
    assert bisected(np.array([0, np.nan]), wanted, False) is None
    assert bisected(row.astype(np.int16), wanted.astype(np.int16), False) is None
