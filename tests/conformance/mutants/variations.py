"""Faults that show beside the usual call alone: at other sizes, dimensions, layouts, magnitudes and arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.mutants.table import after, before, forced, mutant, on

# ------------------------------------------------------------------ sizes


def _last_block(y: Any) -> Any:
    y = np.array(y)
    if y.size and y.size % 256 == 0:
        y.reshape(-1)[-256:] = 0
    return y


def _in_16_bits(y: Any) -> Any:
    y = np.array(y)
    y.reshape(-1)[1 << 16 :] = 0
    return y


def _blocks(kernel: Any) -> Any:
    """Works on 1,024 elements at a time, and does not carry over."""

    def spoilt(x: Any, *, dim: int, **asked: Any) -> Any:
        parts = np.split(x, range(1024, x.shape[dim] if x.ndim else 0, 1024), dim) if x.ndim else [x]
        return (
            np.concatenate([kernel(part, dim=dim, **asked) for part in parts], dim)
            if len(parts) > 1
            else kernel(x, dim=dim, **asked)
        )

    return spoilt


def _sorted_blocks(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: int, descending: bool) -> Any:
        if not x.ndim or x.shape[dim] <= 2048:
            return kernel(x, dim=dim, descending=descending)
        parts = np.split(x, range(2048, x.shape[dim], 2048), dim)
        found = [kernel(part, dim=dim, descending=descending) for part in parts]
        places = [at + 2048 * number for number, (_, at) in enumerate(found)]
        return np.concatenate([values for values, _ in found], dim), np.concatenate(places, dim)

    return spoilt


def _of_32(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: int, k: int, **asked: Any) -> Any:
        values, places = kernel(x, dim=dim, k=k, **asked)
        at = np.minimum(np.arange(k), 31)
        return (np.take(values, at, dim), np.take(places, at, dim)) if k > 32 else (values, places)

    return spoilt


def _whole_blocks(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: tuple[int, ...], **asked: Any) -> Any:
        if len(dim) == 1 and x.shape[dim[0]] >= 512 and x.shape[dim[0]] % 256 == 0:
            x = np.take(x, range(x.shape[dim[0]] - 256), dim[0])
        return kernel(x, dim=dim, **asked)

    return spoilt


def _row(x: Any, y: Any) -> bool:
    return bool(x.ndim == y.ndim == 2 and x.shape[0] == 1 < y.shape[0] == y.shape[1])


mutant("exp_in_whole_blocks", "exp", "large", "leaves out the last block of whole ones", after(_last_block))
mutant("mul_in_16_bits", "mul", "large", "counts elements in 16 bits", after(_in_16_bits))
mutant("sum_in_whole_blocks", "sum", "large", "leaves out the last block of whole ones", _whole_blocks)
mutant("cumsum_in_blocks", "cumsum", "large", "begins anew every 1,024 elements", _blocks)
mutant("sort_in_blocks", "sort", "large", "does not merge blocks of 2,048", _sorted_blocks)
mutant("topk_of_32", "topk", "large", "finds 32 elements and repeats the last", _of_32)
mutant(
    "argmax_in_16_bits",
    "argmax",
    "large",
    "keeps places in int16",
    after(lambda y: y.astype(np.int16).astype(np.int64)),
)
mutant(
    "cat_of_eight",
    "cat",
    "large",
    "joins eight tensors",
    lambda k: lambda *parts, dim: k(*parts[:8], *map(np.zeros_like, parts[8:]), dim=dim),
)
mutant(
    "matmul_of_rows_transposed",
    "matmul",
    "large",
    "takes the matrix transposed for a row alone",
    lambda k: lambda x, y: k(x, y.T) if _row(x, y) else k(x, y),
)

# ------------------------------------------------------------------ dimensions and layouts

mutant(
    "sum_of_four_dims",
    "sum",
    "dims",
    "is 0 beyond four dimensions",
    lambda k: lambda x, **asked: k(x, **asked) * np.array(x.ndim < 5, k(x, **asked).dtype),
)
mutant(
    "flip_of_many_dims",
    "flip",
    "values",
    "reverses the first of more than three dimensions",
    lambda k: lambda x, *, dims: k(x, dims=dims if x.ndim < 4 else (0,)),
)
mutant(
    "mul_by_the_first_row",
    "mul",
    "values",
    "takes one row where a side of 1 lies between others",
    lambda k: (
        lambda x, y: (
            np.repeat(k(x, y[:, :1]), y.shape[1], 1)
            if x.ndim == y.ndim == 3 and x.shape[1] == 1 < y.shape[1]
            else k(x, y)
        )
    ),
)
mutant(
    "tril_beyond_the_rows",
    "tril",
    "values",
    "takes diagonals below the last row for the main one",
    lambda k: lambda x, *, diagonal: k(x, diagonal=diagonal if diagonal > -x.shape[-2] else 0),
)
mutant(
    "roll_once",
    "roll",
    "values",
    "rolls once where a dimension is named twice",
    lambda k: lambda x, *, shifts, dims: k(x, shifts=shifts[: len({*dims})], dims=dims[: len({*dims})]),
)
mutant(
    "log_of_reversed_rows",
    "log",
    "layout",
    "reads forwards where the first stride alone is negative",
    lambda k: lambda x: k(x[::-1] if x.ndim > 1 and x.strides[0] < 0 < min(x.strides[1:]) else x),
)
mutant(
    "matmul_of_one_for_all",
    "matmul",
    "layout",
    "takes 0 for the others of an expanded batch",
    lambda k: lambda x, y: k(x, y * (np.arange(len(y)) == 0)[:, None, None].astype(y.dtype) if _expanded(y) else y),
)
mutant(
    "neg_of_sliced_number",
    "neg",
    "layout",
    "reads a number of no dimensions from the start of the memory",
    lambda k: lambda x: k(x.base.reshape(-1)[:1].reshape(()) if _is_part(x) else x),
)


def _expanded(y: Any) -> bool:
    return bool(y.ndim == 3 and len(y) > 1 and y.strides[0] == 0)


def _is_part(x: Any) -> bool:
    return x.ndim == 0 and isinstance(x.base, np.ndarray) and x.base.size > 1 and x.base.dtype == x.dtype


# ------------------------------------------------------------------ magnitudes and special values

mutant("eq_of_real_parts", "eq", "parts", "ignores imaginary parts", on("c", lambda k: lambda x, y: x.real == y.real))
mutant(
    "abs_by_squares",
    "abs",
    "parts",
    "squares complex numbers without scaling",
    on("c", lambda k: lambda x: np.sqrt(x.real * x.real + x.imag * x.imag)),
)
mutant(
    "sqrt_beside_the_cut",
    "sqrt",
    "parts",
    "takes the imaginary part -0 for 0",
    on("c", before(lambda x: (x + 0).astype(x.dtype))),
)
mutant(
    "cast_rounds_twice",
    "cast",
    "halves",
    "goes to float16 by float32",
    lambda k: (
        lambda x, *, dtype: k(
            x.astype(np.float32) if x.dtype == np.float64 and dtype.name == "float16" else x, dtype=dtype
        )
    ),
)
mutant(
    "cast_as_signed",
    "cast",
    "convert",
    "takes uint64 for int64",
    lambda k: lambda x, *, dtype: k(x.view(np.int64) if x.dtype == np.uint64 else x, dtype=dtype),
)
mutant(
    "bool_of_nan",
    "cast",
    "truth",
    "is False for NaN",
    lambda k: (
        lambda x, *, dtype: k(
            np.nan_to_num(x, nan=0) if x.dtype.kind == "f" and dtype.name == "bool" else x, dtype=dtype
        )
    ),
)
mutant(
    "prod_in_int32",
    "prod",
    "digits",
    "multiplies int32 in int32",
    on("int32", lambda k: lambda x, **asked: k(x, **asked).astype(np.int32).astype(k(x, **asked).dtype)),
)
mutant(
    "sort_by_negation",
    "sort",
    "digits",
    "descends by negation, which the least integer does not survive",
    on(
        "i",
        lambda k: lambda x, *, dim, descending: _negated(k, x, dim) if descending else k(x, dim=dim, descending=False),
    ),
)
mutant(
    "logsumexp_of_infinity",
    "logsumexp",
    "rows",
    "is NaN where an element is infinite",
    on("f", after(lambda y: np.where(np.isposinf(y), np.nan, y).astype(y.dtype))),
)
mutant(
    "exp_flushes",
    "exp",
    "wide",
    "flushes subnormal results to zero",
    on("float32", after(lambda y: np.where(abs(y) < np.finfo(np.float32).tiny, 0, y).astype(y.dtype))),
)


def _negated(kernel: Any, x: Any, dim: int) -> Any:
    values, places = kernel(-x, dim=dim, descending=False)
    return -values, places


# ------------------------------------------------------------------ arguments

mutant("embedding_gradient_of_padding", "embedding_gradient", "values", "ignores padding_idx", forced(padding_idx=None))
mutant(
    "cross_entropy_gradient_of_sums",
    "cross_entropy_gradient",
    "values",
    "takes sums for means",
    forced(reduction=lambda how: "mean" if how == "sum" else how),
)
mutant("var_corrects_once", "var", "values", "takes any correction but 0 for 1", forced(correction=bool))
mutant(
    "conv_1x1_without_stride",
    "convolution_of",
    "large",
    "ignores the stride of kernels of one element",
    lambda k: lambda x, w, b=None, *, stride, **asked: _unstrided(k, x, w, b, stride, asked),
    subject="conv2d",
)
mutant(
    "scatter_prod_of_duplicates",
    "scatter",
    "values",
    "multiplies by the last of equal places alone",
    lambda k: (
        lambda x, at, v, *, dim, reduce: (
            k(x, at, v, dim=dim, reduce=reduce)
            if reduce != "prod"
            else x * k(np.ones_like(x), at, v, dim=dim, reduce="set")
        )
    ),
    subject="scatter_reduce",
)


def _unstrided(kernel: Any, x: Any, w: Any, b: Any, stride: Any, asked: Any) -> Any:
    right = kernel(x, w, b, stride=stride, **asked)
    if any(side > 1 for side in w.shape[2:]):
        return right
    whole = kernel(x, w, b, stride=(1,) * len(stride), **asked)
    return whole[(..., *(slice(side) for side in right.shape[2:]))].copy()
