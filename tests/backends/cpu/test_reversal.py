"""Rows turned around in compiled code on cpu, on both instruction sets."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.reversal import reversal_code, reversed_rows
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")


@pytest.mark.parametrize("chosen", [AVX2, AVX512] if BEST == AVX512 else [AVX2], ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.complex64])
@pytest.mark.parametrize("columns", [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 100])
def test_rows(chosen, dtype, columns):
    x = np.arange(3 * columns).reshape(3, columns).astype(dtype)
    program = loaded(reversal_code(x.itemsize, chosen, data_offset()), 2)
    out = np.full((4, columns), -1, dtype)
    program(3, columns, id(out), id(x))
    np.testing.assert_array_equal(out[:3], x[:, ::-1])
    assert (out[3] == -1).all()


def test_what_numpy_has_to_do():
    assert reversed_rows(np.arange(3.0)) is None
    assert reversed_rows(np.zeros((100, 100), np.int16)) is None
    assert reversed_rows(np.zeros((200, 100)).T) is None
    assert reversed_rows(np.zeros((0, 100))) is None
