"""Launches with CuPy's own arrays in the host's memory: what they say of themselves is what the launcher expects."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore.dtypes import by_name, float32, int64
from tensorcore_cuda.codegen import cast_function, elementwise_function
from tensorcore_cuda.launch import Elementwise, Library
from tests.backends.cuda.on_host import COMPILER, HostKernel, HostKernels

cupy = pytest.importorskip("cupy")
pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="g++ is not installed"),
    pytest.mark.skipif(cupy.cuda.is_available(), reason="there is a GPU, whose memory is not the host's"),
]


class AddressKernels(HostKernels):
    """Passes the addresses of CuPy's arrays."""

    def __call__(self, source, name, options):
        kernel = super().__call__(source, name, options)
        return lambda grid, block, arguments: HostKernel.__call__(
            kernel,
            grid,
            block,
            tuple(address_of(each) if isinstance(each, cupy.ndarray) else each for each in arguments),
        )


def address_of(array):
    return np.lib.stride_tricks.as_strided(_memory[array.data.mem.ptr][array.data.ptr - array.data.mem.ptr :], (1,))


_memory = {}


def allocate(size):
    block = np.zeros(size + 16, np.uint8)
    # As CuPy's pool, 512 bytes apart.
    whole = np.zeros(size + 1024, np.uint8)
    start = -whole.ctypes.data % 512
    block = whole[start:]
    _memory[block.ctypes.data] = block
    return cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(block.ctypes.data, size, whole, 0), 0)


def sent(values):
    array = cupy.ndarray(values.shape, values.dtype)
    seen(array)[...] = values
    return array


def seen(array):
    """The elements of a CuPy array in host memory, as NumPy's view of them."""
    block = _memory[array.data.mem.ptr]
    offset = array.data.ptr - array.data.mem.ptr
    return np.ndarray(array.shape, array.dtype, block, offset, array.strides)


@pytest.fixture(autouse=True)
def host_memory():
    with cupy.cuda.using_allocator(allocate):
        yield
    _memory.clear()


LAYOUTS = {
    "plain": lambda a, b: (a, b),
    "transposed": lambda a, b: (a.T, b.T),
    "row": lambda a, b: (a, b[0]),
    "column": lambda a, b: (a, b[:, :1]),
    "number": lambda a, b: (a, b[1, 2]),
    "steps": lambda a, b: (a[::2, 1::3], b[::2, ::3]),
    "misaligned": lambda a, b: (a.reshape(-1)[1:], b.reshape(-1)[1:]),
    "broadcast": lambda a, b: (cupy.broadcast_to(a, (3, *a.shape)), b),
    "reshaped": lambda a, b: (a.reshape(2, 2, 12), b.reshape(2, 2, 12).transpose((0, 2, 1)).transpose((0, 2, 1))),
    "empty": lambda a, b: (a[:0], b[:0]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
def test_launches_see_the_layout(layout, dtype, tmp_path):
    random = np.random.default_rng(0)
    a, b = (random.integers(-50, 50, (4, 12)).astype(dtype) for _ in range(2))
    kernels = AddressKernels(tmp_path)
    for _ in range(2):
        add = Elementwise(Library(cupy, kernels), elementwise_function("sub", by_name(dtype)))
        x, y = LAYOUTS[layout](sent(a), sent(b))
        out = add(x, y)
        if kernels.library is None:
            kernels.build()
    assert np.array_equal(seen(out), seen(x) - seen(y))
    assert out._c_contiguous


def test_a_result_is_written_where_it_is_asked_for(tmp_path):
    kernels = AddressKernels(tmp_path)
    for _ in range(2):
        double = Elementwise(Library(cupy, kernels), elementwise_function("add", float32))
        x = sent(np.arange(10, dtype=np.float32))
        assert double(x, x, out=x) is x
        if kernels.library is None:
            kernels.build()
    assert seen(x).tolist() == [2.0 * i for i in range(10)]


def test_casts_cut_and_wrap(tmp_path):
    kernels = AddressKernels(tmp_path)
    values = np.array([1.9, -1.9, np.nan, np.inf, 3e9, -3e9], np.float32)
    for _ in range(2):
        cast = Elementwise(Library(cupy, kernels), cast_function(float32, int64))
        out = cast(sent(values))
        if kernels.library is None:
            kernels.build()
    assert seen(out).tolist() == [1, -1, -(2**63), -(2**63), 3000000000, -3000000000]
