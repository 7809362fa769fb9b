"""What the tests of files share."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.dtypes import ALL

#: Values whose bytes differ from dtype to dtype and byte to byte, with the special ones.
_VALUES = {
    "bool": [True, False, True, True, False, True],
    "float": [0.0, -0.0, 1.5, float("inf"), float("-inf"), -2.75],
    "complex": [1 + 2j, -0.5j, complex("inf"), 3 - 4j, 0j, -1],
}


def sample(dtype: tc.dtype, device: str = "cpu") -> tc.Tensor:
    """A tensor of shape (2, 3) that uses the whole width of ``dtype``."""
    if dtype.is_integral:
        top = 2 ** (dtype.bits - dtype.is_signed) - 1
        values = [0, 1, top, top - 1, -top - 1 if dtype.is_signed else 2, 77]
    else:
        values = _VALUES["bool" if dtype is tc.bool else "complex" if dtype.is_complex else "float"]
    return tc.tensor(values, dtype=dtype, device=device).reshape(2, 3)


def raw(tensor: tc.Tensor) -> bytes:
    """The bytes of the elements, by which NaN and -0 are told apart."""
    return bytes(tensor._kind.backend.to_host(tensor._array))


def same(a: tc.Tensor, b: tc.Tensor) -> bool:
    """Whether two tensors have equal bits, shape, dtype and device."""
    return (a.shape, a.dtype, a.device, raw(a)) == (b.shape, b.dtype, b.device, raw(b))


@pytest.fixture(params=ALL, ids=lambda dtype: dtype.name)
def dtype(request):
    return request.param


@pytest.fixture(params=["cpu", "reference"])
def device(request):
    return request.param


@pytest.fixture(name="sample")
def sample_fixture():
    return sample


@pytest.fixture(name="raw")
def raw_fixture():
    return raw


@pytest.fixture(name="same")
def same_fixture():
    return same
