"""DLPack both ways: every dtype, shared or copied, with the options of the protocol."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.dtypes import ALL

CPU = (1, 0)


class Producer:
    """An object of another library: the protocol and nothing else, of a version before options, or a later one."""

    def __init__(self, tensor: tc.Tensor, old: bool) -> None:
        self.tensor = tensor
        self.old = old

    def __dlpack__(self, **options):
        if self.old and options:
            raise TypeError("__dlpack__() got an unexpected keyword argument")
        return self.tensor.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


@pytest.mark.parametrize("dtype", ALL, ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("old", [False, True], ids=["options", "bare"])
@pytest.mark.parametrize("view", [lambda x: x, lambda x: x.T, lambda x: x[1:, ::2], lambda x: x[0, 0], lambda x: x[:0]])
def test_every_dtype_and_layout(dtype, old, view):
    if dtype is tc.bool and old:
        pytest.skip("DLPack has booleans since version 1")
    x = view(tc.arange(12).reshape(3, 4).to(dtype))
    made = tc.from_dlpack(Producer(x, old))
    assert made.dtype is dtype and made.shape == x.shape and made.tolist() == x.tolist()
    if made.numel() and not old:
        # Memory that a producer of before version 1 shares may be read-only, so it is copied.
        x.fill_(0)
        assert not made.any()


@pytest.mark.parametrize("dtype", [tc.float32, tc.bfloat16, tc.bool], ids=lambda dtype: dtype.name)
def test_options(dtype):
    x = tc.ones(3, dtype=dtype)
    for options in (
        {},
        {"max_version": (0, 0)},
        {"max_version": (1, 0)},
        {"dl_device": CPU},
        {"copy": True},
        {"stream": None},
    ):
        assert "dltensor" in repr(x.__dlpack__(**options))
    assert x.__dlpack_device__() == CPU
    assert "dltensor_versioned" in repr(x.__dlpack__(max_version=(1, 0)))
    copied = tc.from_dlpack(Producer(x, False), copy=True)
    shared = tc.from_dlpack(Producer(x, False), copy=False)
    x.fill_(0)
    assert copied.all() and not shared.any()


def test_numpy_reads_and_is_read():
    x = tc.arange(3.0)
    np.from_dlpack(x)[0] = 7
    assert x[0] == 7
    assert tc.from_dlpack(np.arange(3, dtype="uint16")).dtype is tc.uint16
    frozen = np.broadcast_to(np.arange(3.0), (2, 3))
    assert tc.from_dlpack(frozen).add_(1).tolist() == [[1, 2, 3]] * 2 and frozen[0, 0] == 0


@pytest.mark.parametrize(
    "dtype", [tc.float32, tc.bfloat16, tc.int64, tc.bool, tc.complex64], ids=lambda dtype: dtype.name
)
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_other_libraries(dtype, library):
    if library == "torch":
        from_dlpack = pytest.importorskip("torch").from_dlpack
    else:
        from_dlpack = pytest.importorskip("jax.numpy").from_dlpack
    x = tc.tensor([[1, 0], [2, 3]]).to(dtype)
    theirs = from_dlpack(x)
    assert str(theirs.dtype).removeprefix("torch.") == dtype.name and theirs.tolist() == x.tolist()
    back = tc.from_dlpack(theirs)
    assert back.dtype is dtype and back.tolist() == x.tolist()
    there = tc.from_dlpack(theirs, device=library)
    assert there.device.type == library and tc.from_dlpack(there).device == there.device


def test_what_is_refused():
    with pytest.raises(BufferError, match=r"requires grad, which the receiver would lose; use \.detach\(\)"):
        np.from_dlpack(tc.ones(1, requires_grad=True))
    with pytest.raises(BufferError, match="requires grad"):
        tc.from_dlpack(tc.ones(1, requires_grad=True))
    with pytest.raises(TypeError, match="expected an object with __dlpack__, got list"):
        tc.from_dlpack([1, 2])
    with pytest.raises((BufferError, RuntimeError)):
        tc.from_dlpack(np.asarray(["a"]))
    with pytest.raises((BufferError, ValueError)):
        tc.ones(1).__dlpack__(dl_device=(2, 0))
