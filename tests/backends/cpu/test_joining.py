"""Kernels of cpu that join, repeat and turn, against NumPy's functions."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore_cpu.backend import CpuBackend

BACKEND = CpuBackend()
ARRAYS = [np.arange(24).reshape(2, 3, 4), np.arange(24).reshape(4, 3, 2).T, np.zeros((2, 0, 4)), np.arange(3)]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.shape))
def test_against_numpy(array):
    for dim in range(-1, array.ndim):
        dims = () if dim < 0 else (dim,)
        axis = None if dim < 0 else dim
        for shift in (0, 1, -2, 7):
            made = BACKEND.roll(array, shifts=(shift,), dims=dims)
            np.testing.assert_array_equal(made, np.roll(array, shift, axis))
            assert made.flags.c_contiguous and not np.shares_memory(made, array)
        made = BACKEND.flip(array, dims=dims)
        np.testing.assert_array_equal(made, np.flip(array, dims))
        assert made.flags.c_contiguous
        if dim >= 0:
            np.testing.assert_array_equal(BACKEND.cat(array, array, dim=dim), np.concatenate((array, array), dim))
        np.testing.assert_array_equal(BACKEND.stack(array, array, dim=dim + 1), np.stack((array, array), dim + 1))
    for times in ((2,) * array.ndim, (3, *(1,) * array.ndim), (0,) * array.ndim):
        np.testing.assert_array_equal(BACKEND.repeat(array, times=times), np.tile(array, times))


@pytest.mark.parametrize(("mode", "theirs"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (0, 2), (3, 3)])
@pytest.mark.parametrize("dim", [0, 1])
def test_padding_against_numpy(mode, theirs, counts, dim):
    array = np.arange(20).reshape(4, 5)
    made = BACKEND.extended(array, dim=dim, before=counts[0], after=counts[1], crop=(0, 0), mode=mode)
    np.testing.assert_array_equal(made, np.pad(array, [counts if d == dim else (0, 0) for d in (0, 1)], theirs))
    made = BACKEND.extended(array, dim=dim, before=counts[0], after=0, crop=(0, 1), mode=mode)
    wanted = np.pad(array, [(counts[0], 0) if d == dim else (0, 0) for d in (0, 1)], theirs)
    np.testing.assert_array_equal(made, wanted.take(range(wanted.shape[dim] - 1), dim))
