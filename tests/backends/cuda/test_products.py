"""How matrix products are described to cuBLAS, checked by a BLAS written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tensorcore_cuda.products import Matrices, described


def blas(a, b, out_shape, left, right):
    """What ``gemm_strided_batched_ex`` does with the call in `Cublas.product`, column by column."""
    (rows, inner), columns = a.shape[-2:], b.shape[-1]
    stack = int(np.prod(out_shape[:-2]))
    out = np.empty(out_shape, a.dtype)
    flat = out.reshape(stack, columns * rows)

    def matrix(array, number, each, sides):
        """A column-major operand, transposed if BLAS is told so."""
        start = number * each.step
        memory = np.lib.stride_tricks.as_strided(array, (1 << 12,), (array.itemsize,), writeable=False)
        shape = sides[::-1] if each.transposed else sides
        stored = np.empty(shape, array.dtype)
        for i in range(shape[0]):
            for j in range(shape[1]):
                stored[i, j] = memory[start + i + j * each.leading]
        return stored.T if each.transposed else stored

    for number in range(stack):
        # The product of the other order, with columns for rows.
        product = matrix(b, number, right, (columns, inner)) @ matrix(a, number, left, (inner, rows))
        flat[number] = product.T.reshape(-1)
    return out


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
def test_blas_told_so_gives_the_product(a_shape, b_shape, first, second):
    random = np.random.default_rng(0)
    a = operand(random.standard_normal(1 << 14), a_shape, first)
    b = operand(random.standard_normal(1 << 14), b_shape, second)
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    left, right = (described(x.shape, [step // 8 for step in x.strides], stack) for x in (a, b))
    assert left is not None and right is not None
    expected = a @ b
    np.testing.assert_allclose(blas(a, b, expected.shape, left, right), expected, rtol=1e-12)


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
