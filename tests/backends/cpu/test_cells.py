"""Compiled steps of recurrent cells against the same written in NumPy, on both instruction sets."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore_cpu import recurrent
from tensorcore_cpu.jit import cells
from tensorcore_cpu.jit.executable import isa
from tensorcore_cpu.jit.x86 import AVX2, AVX512

BEST = isa()
pytestmark = pytest.mark.skipif(BEST is None, reason="the processor has no AVX2")
ISAS = [AVX2, AVX512] if BEST == AVX512 else [AVX2]


@pytest.mark.parametrize("chosen", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("count, width, length", [(1, 1, 1), (3, 5, 4), (2, 16, 3), (2, 33, 2)])
def test_lstm_over_sequences_of_one_length(monkeypatch, chosen, dtype, reverse, count, width, length):
    rng = np.random.default_rng(0)
    rows, sizes = count * length, (count,) * length
    shapes = ((rows, 4 * width), (count, width), (count, width), (4 * width, width), (rows, width), (rows, width))
    projected, hidden, cell, weight, grad, grad_cells = (rng.standard_normal(s).astype(dtype) for s in shapes)
    kernels, made = recurrent.RecurrentKernels(), {}
    for way in ("compiled", "plain"):
        if way == "compiled":
            monkeypatch.setattr(cells, "isa", lambda: chosen)
        else:
            monkeypatch.setattr(recurrent, "lstm_step", lambda char: None)
            monkeypatch.setattr(recurrent, "lstm_gradient_step", lambda char: None)
        cells._loaded.cache_clear()
        facts = {"sizes": sizes, "reverse": reverse}
        out, gates, inner = kernels.lstm_sequence(projected, hidden, cell, weight, **facts)
        kept = gates.copy()
        grads = kernels.lstm_sequence_gradient(
            grad, grad_cells, weight, None, hidden, cell, out, gates, inner, **facts
        )  # fmt: skip
        # What is kept for backward is as it was: it may run again.
        assert (gates == kept).all()
        made[way] = (out, gates, inner, *grads)
    cells._loaded.cache_clear()
    for found, wanted in zip(made["compiled"], made["plain"], strict=True):
        assert found.dtype == dtype and found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= 200 * np.finfo(dtype).eps * max(1, np.abs(wanted).max())
