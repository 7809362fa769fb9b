"""The kernel of cpu that writes at places in the memory it is given."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc


@pytest.fixture(scope="module")
def put():
    return tc.device("cpu").backend.inplace_kernel("index_put", tc.float32, 0)


@pytest.mark.parametrize(("accumulate", "expected"), [(False, [2, 0, 3]), (True, [3, 0, 3])])
def test_writes_and_adds(put, accumulate, expected):
    places, values = np.array([0, 0, 2]), np.array([1, 2, 3], np.float32)
    own = np.zeros(3, np.float32)
    put(own, values, places, accumulate=accumulate, out=own)
    given, out = np.zeros(3, np.float32), np.full(3, np.nan, np.float32)
    put(given, values, places, accumulate=accumulate, out=out)
    assert own.tolist() == out.tolist() == expected
    assert not given.any()


def test_refuses_before_writing(put):
    out = np.zeros(3, np.float32)
    for places in (np.array([0, -1]), np.array([0, 3])):
        with pytest.raises(IndexError):
            put(out, np.ones(2, np.float32), places, accumulate=False, out=out)
    assert not out.any()
