"""Exchange with NumPy, buffers and DLPack: whose memory, which dtypes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.dtypes import ALL

NAMES = [dtype.name for dtype in ALL if dtype.name != "bfloat16"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "make",
    [lambda a: a, lambda a: a.T, lambda a: a[::2, 1:], lambda a: a[0, 0], lambda a: a[:0], lambda a: a[1]],
    ids=range(6),
)
def test_arrays_of_every_dtype_and_layout(name, make):
    array = make(np.arange(12).reshape(3, 4).astype(name))
    for tensor in (tc.from_numpy(np.asarray(array)), tc.tensor(array), tc.as_tensor(array), tc.asarray(array)):
        assert tensor.dtype.name == name and tensor.shape == array.shape and tensor.tolist() == array.tolist()
    back = tc.tensor(array).numpy()
    assert back.dtype == array.dtype and back.tolist() == array.tolist()


@pytest.mark.parametrize("share", [tc.from_numpy, tc.as_tensor, tc.asarray, tc.from_dlpack])
def test_memory_is_shared_both_ways(share):
    array = np.zeros((2, 3))
    tensor = share(array)
    array[0, 0] = 1
    tensor[1, 2] = 2
    assert tensor[0, 0] == 1 and array[1, 2] == 2
    for view in (tensor.numpy(), np.asarray(tensor), np.from_dlpack(tensor)):
        view[0, 1] += 5
    assert array[0, 1] == 15


@pytest.mark.parametrize(
    "copied",
    [
        tc.tensor,
        lambda a: tc.asarray(a, copy=True),
        lambda a: tc.from_numpy(a).clone(),
        lambda a: tc.as_tensor(a, dtype=tc.float16),
    ],
)
def test_or_copied(copied):
    array = np.zeros(3)
    copied(array)[0] = 5
    assert array[0] == 0


def test_arrays_that_cannot_be_written_are_copied():
    array = np.broadcast_to(np.arange(3.0), (2, 3))
    tensor = tc.from_numpy(array)
    tensor[0, 0] = 9
    assert array[0, 0] == 0 and tensor.tolist() == [[9, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tc.from_numpy([1]), TypeError, "numpy.ndarray, got list"),
        (lambda: tc.from_numpy(np.array(["a"])), TypeError, "format"),
        (lambda: tc.from_numpy(np.array([1], ">i4")), TypeError, "convert"),
        (lambda: tc.tensor(np.array([object()])), TypeError, "format"),
        (lambda: tc.from_dlpack([1]), TypeError, "__dlpack__"),
        (lambda: tc.ones(1, requires_grad=True).numpy(), RuntimeError, r"\.detach\(\)"),
        (lambda: np.asarray(tc.ones(1, requires_grad=True)), RuntimeError, "requires grad"),
        (lambda: np.from_dlpack(tc.ones(1, requires_grad=True)), BufferError, "requires grad"),
        (lambda: tc.asarray([1], copy=False), ValueError, "copy"),
        (lambda: tc.asarray(np.ones(1), dtype=tc.int8, copy=False), ValueError, "copy"),
        (lambda: np.array(tc.ones(1), dtype="int8", copy=False), ValueError, "copy"),
        (lambda: tc.frombuffer(bytearray(3), dtype=tc.float32), ValueError, "3 bytes"),
        (lambda: tc.frombuffer(bytearray(8), dtype=tc.float32, count=3), ValueError, "12 bytes, got 8"),
        (lambda: tc.frombuffer(bytearray(8), dtype=tc.int8, offset=9), ValueError, "offset 9"),
        (lambda: tc.frombuffer([1], dtype=tc.int8), TypeError, "bytes-like"),
    ],
)  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_numpy_functions_take_tensors():
    x = tc.tensor([1.0, 4.0])
    assert isinstance(np.sqrt(x), tc.Tensor) and np.sqrt(x).tolist() == [1, 2] and np.stack([x, x]).shape == (2, 2)
    assert (np.array([1.0, 2.0]) * x).tolist() == (x * np.array([1.0, 2.0])).tolist() == [1, 8] and (
        np.float64(2) * x
    ).dtype is tc.float32
    assert x.numpy(force=True) is not None and tc.ones(1, requires_grad=True).numpy(force=True).tolist() == [1]
    assert np.asarray(x, dtype="int64").tolist() == [1, 4] and np.array(x).flags.owndata


def test_devices_without_numpy_memory_copy():
    x = tc.tensor([1.5, 2.0], device="reference")
    array = x.numpy()
    array[0] = 0
    assert array.dtype == np.float32 and x.tolist() == [1.5, 2.0]
    assert tc.tensor([1.5], dtype=tc.bfloat16, device="reference").numpy().astype("float64").tolist() == [1.5]


def test_bfloat16_goes_by_way_of_ml_dtypes():
    import ml_dtypes

    array = tc.tensor([1.5, 2.0], dtype=tc.bfloat16).numpy()
    assert array.dtype == ml_dtypes.bfloat16 and array.astype("float32").tolist() == [1.5, 2.0]


def test_buffers():
    data = bytearray(np.arange(4, dtype="int16").tobytes())
    x = tc.frombuffer(data, dtype=tc.int16, offset=2, count=2)
    data[2] = 7
    assert (
        x.tolist() == [7, 2]
        and tc.frombuffer(b"\x01\x02", dtype=tc.int8).tolist() == [1, 2]
        and tc.frombuffer(b"", dtype=tc.float32).shape == (0,)
    )
    assert (
        tc.tensor(memoryview(b"ab")).tolist() == [97, 98]
        and tc.tensor(np.float32(1.5)).dtype is tc.float32
        and tc.tensor([np.int8(3), 2.5]).tolist() == [3, 2.5]
    )
