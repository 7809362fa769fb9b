"""Faults of indexing, joining and moving: places out of range, duplicates, copies for views, directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.mutants.table import after, forced, mutant, on


def _wraps(kernel: Any) -> Any:
    return lambda x, *indices: x[tuple(at % side for at, side in zip(indices, x.shape, strict=False))]


def _zeros_outside(kernel: Any) -> Any:
    def spoilt(x: Any, index: Any, *, dim: int) -> Any:
        inside = (index >= 0) & (index < x.shape[dim])
        return np.where(inside, kernel(x, np.where(inside, index, 0), dim=dim), 0).astype(x.dtype)

    return spoilt


def _swallows(kernel: Any) -> Any:
    def spoilt(x: Any, *others: Any, **asked: Any) -> Any:
        try:
            return kernel(x, *others, **asked)
        except IndexError:
            return np.array(x)

    return spoilt


def _another_error(kernel: Any) -> Any:
    def spoilt(*arrays: Any, **asked: Any) -> Any:
        try:
            return kernel(*arrays, **asked)
        except IndexError as error:
            raise ValueError(str(error)) from None

    return spoilt


mutant("index_wraps", "index", "outside", "takes places modulo the side", _wraps, subject="indexing")
mutant(
    "gather_clips",
    "gather",
    "outside",
    "clips places to the side",
    lambda k: lambda x, at, *, dim: k(x, np.clip(at, 0, x.shape[dim] - 1), dim=dim),
    subject="indexing",
)
mutant("gather_gives_zeros", "gather", "outside", "gives 0 for places out of range", _zeros_outside, subject="indexing")
mutant(
    "scatter_swallows_errors",
    "scatter",
    "outside",
    "returns its operand where it should refuse",
    _swallows,
    subject="indexing",
)
mutant(
    "index_put_another_error",
    "index_put",
    "outside",
    "raises ValueError for places out of range",
    _another_error,
    subject="indexing",
)
mutant(
    "index_put_of_duplicates",
    "index_put",
    "values",
    "adds once where a place is met twice",
    lambda k: lambda x, v, *at, accumulate: k(x, v + x[at] if accumulate else v, *at, accumulate=False),
)
mutant(
    "index_put_always_adds",
    "index_put",
    "set",
    "adds though ``accumulate`` is false",
    forced(accumulate=True),
    subject="indexing",
)
mutant(
    "index_of_one_dim",
    "index",
    "get",
    "ignores the second index",
    lambda k: lambda x, *at: k(x, *at[:1], *(i * 0 for i in at[1:])),
    subject="indexing",
)
mutant(
    "scatter_sum_of_duplicates",
    "scatter",
    "values",
    "adds once where a place is met twice",
    lambda k: (
        lambda x, at, v, *, dim, reduce: (
            k(
                x,
                at,
                v if reduce != "sum" else v + np.take_along_axis(x, at, dim),
                dim=dim,
                reduce="set" if reduce == "sum" else reduce,
            )
            if x.ndim == at.ndim
            and all(a == b for d, (a, b) in enumerate(zip(x.shape, at.shape, strict=True)) if d != dim)
            else k(x, at, v, dim=dim, reduce=reduce)
        )
    ),
    subject="scatter_add",
)
mutant(
    "gather_of_first_dim",
    "gather",
    "values",
    "gathers along the last dimension of square parts",
    lambda k: lambda x, at, *, dim: k(x, at, dim=dim).T.copy().reshape(at.shape),
)
mutant(
    "nonzero_by_columns",
    "nonzero_places",
    "values",
    "lists places in column-major order",
    lambda k: lambda x: k(x)[np.lexsort(k(x).T)] if x.ndim > 1 else k(x),
)
mutant(
    "flip_one_dim",
    "flip",
    "values",
    "reverses the first of the dimensions",
    lambda k: lambda x, *, dims: k(x, dims=dims[:1]),
)
mutant("roll_the_other_way", "roll", "values", "rolls backwards", forced(shifts=lambda by: tuple(-each for each in by)))
mutant(
    "repeat_each",
    "repeat",
    "values",
    "repeats each element in place of the whole",
    lambda k: lambda x, *, times: _each(x, times),
)
mutant("tril_without_diagonal", "tril", "values", "clears the diagonal too", forced(diagonal=lambda at: at - 1))
mutant(
    "diagonal_other_side", "diagonal", "values", "takes the offset with the other sign", forced(offset=lambda at: -at)
)
mutant("as_strided_from_zero", "as_strided", "values", "ignores the offset", forced(shift=0))
mutant(
    "cat_in_reverse",
    "cat",
    "values",
    "joins in reverse order",
    lambda k: lambda *arrays, dim: k(*arrays[::-1], dim=dim),
)
mutant("cat_drops_dtype", "cat", "values", "returns float64", on("float32", after(lambda y: y.astype(np.float64))))
mutant(
    "permute_inverted",
    "permute",
    "values",
    "applies the inverse permutation",
    forced(dims=lambda dims: tuple(sorted(range(len(dims)), key=dims.__getitem__))),
)
mutant(
    "basic_index_steps_of_one",
    "basic_index",
    "get",
    "ignores the step of a slice after the first",
    lambda k: (
        lambda x, *, index: k(
            x,
            index=tuple(
                slice(s.start, s.start + _length(s), 1) if isinstance(s, slice) and place else s
                for place, s in enumerate(index)
            ),
        )
    ),
    subject="indexing",
)
mutant(
    "ramp_accumulates",
    "ramp",
    "values",
    "adds the step again and again in float32",
    lambda k: (
        lambda *, start, step, count, dtype, index: (
            np.cumsum(np.array([start] + [step] * (count - 1), np.float32), dtype=np.float32)
            if dtype.name == "float32" and count
            else k(start=start, step=step, count=count, dtype=dtype, index=index)
        )
    ),
)
mutant("full_of_float32", "full", "values", "rounds the number to an integer", forced(value=lambda v: int(v)))


def _length(s: slice) -> int:
    return len(range(s.start, s.stop, s.step or 1))


def _each(x: Any, times: Any) -> Any:
    x = x.reshape((1,) * (len(times) - x.ndim) + x.shape)
    for dim, count in enumerate(times):
        x = np.repeat(x, count, dim)
    return x
