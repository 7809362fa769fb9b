"""Compiled conversions of bfloat16 on cpu against ml_dtypes', on both instruction sets."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from tensorcore_cpu.jit.conversions import conversion_code, converted
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
each_isa = pytest.mark.parametrize("chosen", [AVX2, AVX512] if BEST == AVX512 else [AVX2], ids=lambda isa: isa.name)


@each_isa
def test_to_bfloat16(chosen):
    # Every pattern of the upper bits, with lower ones that round down, to even, and up.
    upper = np.arange(1 << 16, dtype=np.uint32) << 16
    bits = np.concatenate([upper | low for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF)])
    source, out = bits.view(np.float32), np.empty(bits.size, ml_dtypes.bfloat16)
    loaded(conversion_code(("f", "E"), chosen, data_offset()), 2)(0, bits.size, id(out), id(source))
    number = source == source
    with np.errstate(all="ignore"):
        wanted = source.astype(ml_dtypes.bfloat16)
    np.testing.assert_array_equal(out.view(np.uint16)[number], wanted.view(np.uint16)[number])
    assert np.isnan(out[~number].astype(np.float32)).all()


@each_isa
def test_from_bfloat16(chosen):
    source = np.arange(1 << 16, dtype=np.uint16)
    out = np.empty(source.size, np.float32)
    loaded(conversion_code(("E", "f"), chosen, data_offset()), 2)(0, source.size, id(out), id(source))
    np.testing.assert_array_equal(out.view(np.uint32), source.astype(np.uint32) << 16)


@each_isa
@pytest.mark.parametrize("extra", [0, 1, 7, 8, 15])
@pytest.mark.parametrize("kinds", [("f", "e"), ("e", "f"), ("f", "E"), ("E", "f")], ids="".join)
def test_the_last_vector(chosen, extra, kinds):
    size = chosen.bytes // 4 + extra
    first, second = (np.dtype(ml_dtypes.bfloat16 if kind == "E" else kind) for kind in kinds)
    source, out = np.linspace(-3, 3, size).astype(first), np.zeros(size + 32, second)
    loaded(conversion_code(kinds, chosen, data_offset()), 2)(0, size, id(out), id(source))
    np.testing.assert_array_equal(out[:size], source.astype(second))
    assert not out[size:].any()


def test_what_numpy_has_to_do():
    x = np.zeros((300, 2), np.float32)
    assert converted(x[:10], np.dtype(np.float16)) is None
    assert converted(x[:, 0], np.dtype(np.float16)) is None
    assert converted(x, np.dtype(np.float64)) is None
    assert converted(x, np.dtype(np.float16)).dtype == np.float16
