"""How matrix products are described to cuBLAS, checked by a BLAS written out in NumPy."""

from __future__ import annotations

import ctypes
import inspect
import sys
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from tensorcore.errors import BackendUnavailableError
from tensorcore_cuda.products import Cublas, Matrices, described
from tests.backends.cuda.on_host import HostArray, HostCuda, HostKernels


class HostBlas:
    """``cublasGemmStridedBatchedEx`` on the host: every matrix by columns, as its documentation says."""

    Operation = SimpleNamespace(N=0, T=1)
    ComputeType = SimpleNamespace(COMPUTE_32F=68, COMPUTE_64F=70)
    KINDS: ClassVar = {0: np.float32, 1: np.float64, 4: np.complex64, 5: np.complex128}

    def gemm_strided_batched_ex(
        self, handle, transa, transb, m, n, k, alpha, a, atype, lda, stride_a, b, btype, ldb, stride_b, beta, c, ctype,
        ldc, stride_c, batch_count, compute_type, algo,
    ):  # fmt: skip
        kind = np.dtype(self.KINDS[ctype])
        assert atype == btype == ctype and algo == -1
        assert compute_type == (70 if kind.itemsize == 8 * (2 if kind.kind == "c" else 1) else 68)
        assert lda >= (k if transa else m) and ldb >= (n if transb else k) and ldc >= m
        assert number_at(alpha, kind) == 1 and number_at(beta, kind) == 0
        for i in range(batch_count):
            left = columns_at(a + i * stride_a * kind.itemsize, (k, m) if transa else (m, k), lda, kind)
            right = columns_at(b + i * stride_b * kind.itemsize, (n, k) if transb else (k, n), ldb, kind)
            out = columns_at(c + i * stride_c * kind.itemsize, (m, n), ldc, kind)
            out[...] = (left.T if transa else left) @ (right.T if transb else right)


def columns_at(address, shape, leading, kind):
    size = (leading * (shape[1] - 1) + shape[0]) * kind.itemsize
    memory = (ctypes.c_char * size).from_address(address)
    return np.ndarray(shape, kind, memory, 0, (kind.itemsize, leading * kind.itemsize))


def number_at(address, kind):
    return columns_at(address, (1, 1), 1, kind)[0, 0]


def operand(memory, shape, layout):
    size = int(np.prod(shape))
    if layout == "rows":
        return memory[:size].reshape(shape)
    if layout == "columns":
        return np.swapaxes(memory[:size].reshape(*shape[:-2], shape[-1], shape[-2]), -1, -2)
    wide = memory[: size // shape[-1] * (shape[-1] + 3)].reshape(*shape[:-1], shape[-1] + 3)
    return wide[..., : shape[-1]]


@pytest.mark.parametrize("first", ["rows", "columns", "part"])
@pytest.mark.parametrize("second", ["rows", "columns", "part"])
@pytest.mark.parametrize(
    ("a_shape", "b_shape"),
    [
        ((3, 4), (4, 5)),
        ((1, 4), (4, 1)),
        ((3, 1), (1, 5)),
        ((1, 1), (1, 1)),
        ((2, 3, 4), (2, 4, 5)),
        ((2, 3, 4), (4, 5)),
        ((4, 3), (2, 3, 5)),
        ((2, 3, 4, 2), (2, 3, 2, 1)),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_blas_told_so_gives_the_product(a_shape, b_shape, first, second, dtype):
    random = np.random.default_rng(0)
    a = operand(random.standard_normal(1 << 10).astype(dtype), a_shape, first).view(HostArray)
    b = operand(random.standard_normal(1 << 10).astype(dtype), b_shape, second).view(HostArray)
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left, right = (described(x.shape, [step // x.itemsize for step in x.strides], stack) for x in (a, b))
    assert left is not None and right is not None
    expected = np.asarray(a) @ np.asarray(b)
    out = np.full(expected.shape, np.nan, dtype).view(HostArray)
    blas = object.__new__(Cublas)
    blas._cublas = HostBlas()
    blas.product(0, a, b, out, left, right)
    np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-5, atol=1e-6)


def test_nvmath_takes_the_arguments_in_this_order():
    pytest.importorskip("nvmath")
    from nvmath.bindings import cublas

    stated = cublas.gemm_strided_batched_ex.__doc__.split("(", 1)[1].split(")", 1)[0]
    names = [part.split()[-1] for part in stated.split(",")]
    assert names == list(inspect.signature(HostBlas.gemm_strided_batched_ex).parameters)[1:]


@pytest.mark.parametrize(
    ("shape", "strides", "stack", "expected"),
    [
        ((3, 4), (4, 1), (), Matrices(False, 4, 0)),
        ((3, 4), (1, 3), (), Matrices(True, 3, 0)),
        ((3, 4), (9, 1), (), Matrices(False, 9, 0)),
        ((3, 4), (8, 2), (), None),
        ((2, 3, 4), (12, 4, 1), (2,), Matrices(False, 4, 12)),
        ((2, 1, 3, 4), (12, 12, 4, 1), (2, 5), None),
        ((3, 4), (0, 1), (), None),
        # An overlapping layout, as of windows, whose rows are shorter than BLAS allows.
        ((3, 4), (1, 1), (), None),
    ],
)
def test_layouts(shape, strides, stack, expected):
    assert described(shape, strides, stack) == expected


@pytest.mark.parametrize(
    ("a_shape", "b_shape", "cut"),
    [((4, 6), (6, 8), 1), ((4, 6), (6, 8), 2), ((2, 1, 3, 4), (2, 5, 4, 2), 1), ((5, 3, 4), (2, 1, 4, 2), 2)],
)
def test_a_recording_takes_every_layout(a_shape, b_shape, cut, tmp_path):
    random = np.random.default_rng(0)
    a, b = random.standard_normal(a_shape), random.standard_normal(b_shape)
    a, b = a[..., ::cut].view(HostArray), b[..., ::cut, ::cut].view(HostArray)
    backend = HostCuda(HostKernels(tmp_path))
    backend.runtime.is_capturing = lambda: True
    backend.runtime.prepared = lambda: (0, None)
    backend.cublas = object.__new__(Cublas)
    backend.cublas._cublas = HostBlas()
    np.testing.assert_allclose(np.asarray(backend.matmul(a, b)), np.asarray(a) @ np.asarray(b), rtol=1e-12)


def test_a_recorded_product_without_nvmath_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nvmath.bindings", None)
    backend = HostCuda(HostKernels(tmp_path))
    backend.runtime.is_capturing = lambda: True
    assert backend.prepare_recording("stream") is None
    x = np.ones((2, 2)).view(HostArray)
    with pytest.raises(BackendUnavailableError, match="products need nvmath-python"):
        backend.matmul(x, x)
