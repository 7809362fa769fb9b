"""DLPack capsules."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.errors import ArgumentError
from tensorcore.utils.dlpack import from_dlpack, to_dlpack


@pytest.mark.parametrize("dtype", [tc.float32, tc.int64, tc.uint8, tc.complex64, tc.bool])
def test_capsules_share_memory(dtype):
    x = tc.zeros(2, 3, dtype=dtype)
    y = from_dlpack(to_dlpack(x))
    y[0] = 1
    assert x.tolist() == y.tolist()
    assert y.dtype is dtype


def test_a_capsule_is_used_once():
    capsule = to_dlpack(tc.ones(1))
    from_dlpack(capsule)
    with pytest.raises(ArgumentError, match="used already"):
        from_dlpack(capsule)


def test_arrays_and_what_is_none():
    assert from_dlpack(np.ones(2)).tolist() == [1, 1]
    with pytest.raises(ArgumentError, match="got list"):
        from_dlpack([1])
    with pytest.raises(BufferError, match="requires grad"):
        to_dlpack(tc.ones(1, requires_grad=True))
