"""Faults of reductions, scans and ordering: axes, accumulation, empty and equal elements, NaN."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.mutants.table import after, before, forced, mutant, on, replaced

# ------------------------------------------------------------------ sums


def _one_by_one(native: Any) -> Any:
    """Adds one element after the other in ``native``."""

    def spoilt(x: Any, *, dim: tuple[int, ...], keepdim: bool, dtype: Any) -> Any:
        moved = np.moveaxis(x, dim, range(len(dim))).astype(native)
        sides = (int(np.prod(moved.shape[: len(dim)])), *moved.shape[len(dim) :])
        total = np.add.accumulate(moved.reshape(sides), 0)[-1] if x.size else np.zeros(sides[1:])
        return (np.expand_dims(total, dim) if keepdim else total).astype(x.dtype)

    return lambda kernel: lambda x, **asked: spoilt(x, **asked) if asked["dim"] else kernel(x, **asked)


def _other_dim(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: Any, **asked: Any) -> Any:
        return kernel(x, dim=tuple(x.ndim - 1 - d for d in dim), **asked)

    return spoilt


def _fails_on_empty(kernel: Any) -> Any:
    def spoilt(x: Any, **asked: Any) -> Any:
        if not x.size:
            raise ValueError("zero-size array to reduction operation")
        return kernel(x, **asked)

    return spoilt


mutant("sum_one_by_one", "sum", "long", "adds one float32 after the other", on("float32", _one_by_one(np.float32)))
mutant("sum_in_float16", "sum", "values", "adds float16 in float16", on("float16", _one_by_one(np.float16)))
mutant("sum_of_other_dim", "sum", "values", "counts dimensions from the wrong end", _other_dim)
mutant(
    "sum_counts_in_int8",
    "sum",
    "wrap",
    "adds int8 in int8",
    on("int8", lambda k: lambda x, **asked: k(x, **asked).astype(np.int8).astype(np.int64)),
)
mutant("sum_keeps_int32", "sum", "values", "returns int32 for int32", on("int32", after(lambda y: y.astype(np.int32))))
mutant("sum_fails_on_empty", "sum", "empty", "raises for no elements", _fails_on_empty)
mutant(
    "prod_of_nothing",
    "prod",
    "empty",
    "is 0 for no elements",
    lambda k: lambda x, **asked: k(x, **asked) * bool(x.size),
)
mutant(
    "all_of_nothing",
    "all",
    "empty",
    "is False for no elements",
    lambda k: lambda x, **asked: k(x, **asked) & bool(x.size),
)
mutant(
    "mean_of_rows",
    "mean",
    "values",
    "divides by the first side, not by the number of elements",
    lambda k: (
        lambda x, **asked: k(x, **asked) * (x.size / max(np.size(k(x, **asked)), 1) / (x.shape[0] if x.ndim else 1))
    ),
)
mutant(
    "nansum_of_infinities",
    "nansum",
    "special",
    "leaves infinities out too",
    on("f", before(lambda x: np.where(np.isfinite(x), x, 0).astype(x.dtype))),
)

# ------------------------------------------------------------------ moments


def _one_pass(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: Any, **asked: Any) -> Any:
        correction = asked.get("correction", 1)
        dim = tuple(range(x.ndim)) if dim is None else dim
        count = np.prod([x.shape[d] for d in np.atleast_1d(dim)], dtype=int)
        square, mean = (np.mean(y, dim, keepdims=asked["keepdim"], dtype=x.dtype) for y in (x * x, x))
        return ((square - mean * mean) * count / max(count - correction, 0)).astype(x.dtype)

    return spoilt


mutant("var_without_correction", "var", "values", "ignores ``correction``", forced(correction=0))
mutant("std_is_variance", "std", "values", "forgets the root", lambda k: lambda x, **asked: k(x, **asked) ** 2)
mutant("var_in_one_pass", "var", "far", "subtracts the squared mean, without digits far from 0", on("f", _one_pass))

# ------------------------------------------------------------------ extremes

mutant("amax_forgets_keepdim", "amax", "values", "drops the dimension though ``keepdim``", forced(keepdim=False))
mutant(
    "amin_drops_nan",
    "amin",
    "special",
    "ignores NaN",
    on("f", lambda k: lambda x, *, dim, keepdim: np.fmin.reduce(x, dim, keepdims=keepdim)),
)
mutant(
    "argmax_last_of_equals",
    "argmax",
    "ties",
    "is the place of the last of equal elements",
    lambda k: lambda x, *, dim, keepdim: x.shape[dim] - 1 - k(np.flip(x, dim), dim=dim, keepdim=keepdim),
)
mutant("argmax_narrow", "argmax", "values", "returns int32", after(lambda y: y.astype(np.int32)))
mutant(
    "argmin_passes_nan",
    "argmin",
    "special",
    "is the place of the least number beside NaN",
    on("f", before(lambda x: np.where(x != x, np.inf, x))),
)
mutant("argmin_of_abs", "argmin", "values", "orders by absolute value", on("f", before(np.abs)))
mutant(
    "any_of_the_first",
    "any",
    "ties",
    "looks at the first element of a row",
    lambda k: (
        lambda x, *, dim, keepdim: k(
            np.take(x, range(min(x.shape[dim[0]], 1)), dim[0]) if dim else x, dim=dim, keepdim=keepdim
        )
    ),
)
mutant("argmax_of_few", "argmax", "large", "keeps places in eight bits", after(lambda y: y & 0x7F))

# ------------------------------------------------------------------ scans

mutant(
    "cumsum_backwards",
    "cumsum",
    "values",
    "adds from the end",
    lambda k: lambda x, *, dim, dtype: np.flip(k(np.flip(x, dim), dim=dim, dtype=dtype), dim).copy(),
)
mutant(
    "cumsum_exclusive",
    "cumsum",
    "values",
    "leaves out the element itself",
    lambda k: lambda x, *, dim, dtype: (lambda y: y - x.astype(y.dtype))(k(x, dim=dim, dtype=dtype)),
)
mutant("cumprod_of_first_dim", "cumprod", "values", "runs along the first dimension", forced(dim=0))
mutant(
    "cummax_first_of_equals",
    "cummax",
    "ties",
    "keeps the place of the first of equal elements",
    lambda k: lambda x, *, dim: (lambda y: (y[0], _first_places(y[0], y[1], dim)))(k(x, dim=dim)),
)
mutant(
    "logcumsumexp_overflows",
    "logcumsumexp",
    "wide",
    "takes exp before the maximum is subtracted",
    on("f", replaced(lambda x, *, dim: np.log(np.cumsum(np.exp(x), dim)))),
)
mutant(
    "logsumexp_overflows",
    "logsumexp",
    "wide",
    "takes exp before the maximum is subtracted",
    on("f", lambda k: lambda x, *, dim, keepdim: np.log(np.sum(np.exp(x), dim, keepdims=keepdim)).astype(x.dtype)),
)


def _first_places(values: Any, places: Any, dim: int) -> Any:
    values, found = np.moveaxis(values, dim, 0), np.moveaxis(np.array(places), dim, 0)
    for i in range(1, len(found)):
        found[i] = np.where(values[i] == values[i - 1], found[i - 1], found[i])
    return np.moveaxis(found, 0, dim).copy()


# ------------------------------------------------------------------ ordering


def _unstable(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: int, descending: bool) -> Any:
        values, places = kernel(np.flip(x, dim), dim=dim, descending=descending)
        return values, x.shape[dim] - 1 - places

    return spoilt


def _nan_first(kernel: Any) -> Any:
    def spoilt(x: Any, *, dim: int, descending: bool) -> Any:
        places = np.argsort(np.where(x != x, -np.inf, -x if descending else x), dim, kind="stable")
        return np.take_along_axis(x, places, dim), places

    return spoilt


mutant("sort_unstable", "sort", "ties", "turns equal elements round", _unstable)
mutant("sort_nan_first", "sort", "special", "takes NaN for the least", on("f", _nan_first))
mutant("sort_never_descends", "sort", "flag", "ignores ``descending``", forced(descending=False))
mutant(
    "sort_of_rows_only",
    "sort",
    "values",
    "sorts along the last dimension",
    lambda k: lambda x, *, dim, descending: k(x, dim=x.ndim - 1, descending=descending),
)
mutant("topk_never_smallest", "topk", "values", "ignores ``largest``", forced(largest=True))
mutant(
    "topk_unsorted",
    "topk",
    "values",
    "returns the last of its elements first",
    lambda k: lambda x, *, dim, **asked: tuple(np.flip(y, dim).copy() for y in k(x, dim=dim, **asked)),
)
mutant(
    "median_is_upper",
    "median_along",
    "values",
    "is the upper of the two middle elements",
    lambda k: lambda x, *, dim, keepdim, skip: _upper(x, dim, keepdim),
    subject="median",
)
mutant("kthvalue_from_zero", "kthvalue", "values", "counts from 0", forced(k=lambda k: k + 1))
mutant("search_always_left", "search", "ties", "ignores ``right``", forced(right=False))


def _upper(x: Any, dim: int, keepdim: bool) -> Any:
    at = np.take(np.argsort(x, dim, kind="stable"), [x.shape[dim] // 2], dim)
    values = np.take_along_axis(x, at, dim)
    return (values, at) if keepdim else (values.squeeze(dim), at.squeeze(dim))
