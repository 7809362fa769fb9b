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


def test_capsules_of_numpy():
    x = np.arange(3.0)
    for capsule in (x.__dlpack__(), x.__dlpack__(max_version=(1, 0))):
        assert from_dlpack(capsule).tolist() == [0, 1, 2]


def test_capsules_of_pytorch():
    torch = pytest.importorskip("torch")
    x = torch.arange(3.0)
    assert from_dlpack(torch.utils.dlpack.to_dlpack(x)).tolist() == [0, 1, 2]
    y = tc.zeros(2)
    torch.utils.dlpack.from_dlpack(to_dlpack(y)).fill_(5)
    assert y.tolist() == [5, 5]
