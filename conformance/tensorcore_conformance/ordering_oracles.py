"""NumPy's words for order, searches, counts, running extremes, areas and slopes, with PyTorch's signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["ORDERING_ORACLES"]


def _picked(x: Any, dim: int, place: Any, keepdim: bool) -> tuple[Any, Any]:
    """Elements at ``place`` (with a side of 1 along ``dim``), and the places."""
    value = np.take_along_axis(x, place, dim)
    found = (value, place.astype(np.int64))
    return found if keepdim else tuple(np.squeeze(each, dim) for each in found)  # type: ignore[return-value]


def _median(skips: bool) -> Callable[..., Any]:
    """The lower middle element: of the others where NaN is skipped, else the first NaN if there is one."""

    def oracle(x: Any, dim: int | None = None, keepdim: bool = False, skip: bool = skips) -> Any:
        if dim is None:
            return oracle(x.reshape(-1), 0, False, skip)[0]
        order = np.argsort(x, dim, kind="stable")  # NaN last
        known = np.count_nonzero(x == x, dim, keepdims=True)
        middle = (np.where(skip, np.maximum(known, 1), x.shape[dim]) - 1) // 2
        place = np.where((known < x.shape[dim]) & (not skip), np.minimum(known, x.shape[dim] - 1), middle)
        return _picked(x, dim, np.take_along_axis(order, place, dim), keepdim)

    return oracle


def _mode(x: Any, dim: int = -1, keepdim: bool = False) -> Any:
    def last_of_commonest(row: Any) -> int:
        values, counts = np.unique(row, return_counts=True)
        return int(np.flatnonzero(row == values[np.argmax(counts)])[-1])

    return _picked(x, dim, np.expand_dims(np.apply_along_axis(last_of_commonest, dim, x), dim), keepdim)


def _running(ufunc: Any) -> Callable[..., Any]:
    """Running extremes by a look at each prefix."""

    def oracle(x: Any, dim: int) -> Any:
        rows = np.moveaxis(x, dim, 0)
        values, places = np.empty_like(rows), np.empty(rows.shape, np.int64)
        for end in range(rows.shape[0]):
            prefix = rows[: end + 1]
            values[end] = ufunc.reduce(prefix, 0)
            # The last of equals, and of NaN.
            same = (prefix == values[end]) | ((prefix != prefix) & (values[end] != values[end]))
            places[end] = end - np.argmax(np.flip(same, 0), 0)
        return np.moveaxis(values, 0, dim), np.moveaxis(places, 0, dim)

    return oracle


def _logcumsumexp(x: Any, dim: int) -> Any:
    if x.dtype.kind == "c":
        raise NotImplementedError("the imaginary part is not taken modulo 2 pi")
    top = np.max(x, dim, keepdims=True)
    return np.log(np.cumsum(np.exp(x - top), dim)) + top


def _trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    return np.trapezoid(_unwrapped(y), None if x is None else _unwrapped(x), dx, dim)


def _unwrapped(x: Any) -> Any:
    """Whole numbers as floats: NumPy's differences of unsigned ones wrap."""
    return x.astype(np.float64) if x.dtype.kind in "iu" else x


def _cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    y, x = _unwrapped(y), None if x is None else _unwrapped(x)
    prefixes = range(2, y.shape[dim] + 1)
    whole = x is None or x.ndim == 1
    parts = []
    for end in prefixes:
        at = None if x is None else x[:end] if whole else np.take(x, range(end), dim)
        parts.append(np.trapezoid(np.take(y, range(end), dim), at, dx, dim))
    return np.stack(parts, dim)


def _gradient(x: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
    if x.dtype.kind == "u":
        raise NotImplementedError("differences of unsigned integers wrap")
    steps = spacing if isinstance(spacing, (tuple, list)) else [spacing]
    found = np.gradient(x, *steps, axis=dim, edge_order=edge_order)
    return tuple(found) if isinstance(found, (list, tuple)) else (found,)


def _search(sequence: Any, x: Any, right: bool = False) -> Any:
    if sequence.ndim == 1:
        return np.searchsorted(sequence, x, "right" if right else "left").astype(np.int64)
    # By the definition: how many elements lie before the place.
    before = np.less_equal if right else np.less
    return np.count_nonzero(before(sequence[..., None, :], x[..., None]), -1)


def _searchsorted(
    sequence: Any, x: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None
) -> Any:
    return _search(sequence, x, right or side == "right").astype(np.int32 if out_int32 else np.int64)


def _quantile(function: Callable[..., Any]) -> Callable[..., Any]:
    ways = {"midpoint": "midpoint", "nearest": "nearest", "lower": "lower", "higher": "higher", "linear": "linear"}

    def oracle(x: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
        return function(x, q, axis=dim, keepdims=keepdim, method=ways[interpolation]).astype(x.dtype)

    return oracle


def _histc(x: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    limits = (min, max) if min != max else (x.min(), x.max()) if x.size else (0, 1)
    return np.histogram(x, bins, limits)[0].astype(x.dtype)


def _histogram(x: Any, bins: Any, *, range: Any = None, density: bool = False) -> Any:
    counts, edges = np.histogram(x, bins, range, density)
    return counts.astype(x.dtype), edges.astype(x.dtype)


def _histogramdd(x: Any, bins: Any, range: Any = None) -> Any:
    counts, edges = np.histogramdd(x, bins, range)
    return counts.astype(x.dtype), tuple(edge.astype(x.dtype) for edge in edges)


def _segments(data: Any, lengths: Any, *, reduce: str, axis: int = 0, initial: Any = None) -> Any:
    function = {"sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min}[reduce]
    empty = {"sum": 0, "mean": np.nan, "prod": 1, "max": -np.inf, "min": np.inf}[reduce]
    parts, start = [], 0
    for length in lengths.tolist():
        part = data[start : start + length]
        parts.append(function(part, 0) if len(part) else np.full(data.shape[1:], empty, data.dtype))
        start += length
    return np.stack(parts)


def _index_reduce(x: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    rows, parts = np.moveaxis(np.array(x), dim, 0), np.moveaxis(source, dim, 0)
    function = {"prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    for place in set(index.tolist()):
        group = parts[index == place]
        group = np.concatenate((rows[place][None], group)) if include_self else group
        made = function(group.astype(np.float64) if reduce == "mean" and x.dtype.kind == "f" else group, 0)
        rows[place] = np.floor(made) if x.dtype.kind in "iu" else made
    return np.moveaxis(rows, 0, dim)


ORDERING_ORACLES: dict[str, Callable[..., Any]] = {
    "values_in_order": lambda x, dim: np.sort(x, dim),
    "median": _median(False),
    "nanmedian": _median(True),
    "median_along": _median(False),
    "mode": _mode,
    "cummax": _running(np.maximum),
    "cummin": _running(np.minimum),
    "logcumsumexp": _logcumsumexp,
    "trapezoid": _trapezoid,
    "cumulative_trapezoid": _cumulative_trapezoid,
    "gradient": _gradient,
    "search": _search,
    "searchsorted": _searchsorted,
    "bucketize": lambda x, boundaries, out_int32=False, right=False: _search(boundaries, x, right),
    "isin": lambda x, tests, assume_unique=False, invert=False: np.isin(x, tests, invert=invert),
    "unravel_index": lambda x, shape: tuple(np.unravel_index(x, shape)),
    "quantile": _quantile(np.quantile),
    "nanquantile": _quantile(np.nanquantile),
    "bincount": lambda x, weights=None, minlength=0: np.bincount(x, weights, minlength),
    "weigh": lambda places, weights, length: np.bincount(places, weights, length).astype(weights.dtype),
    "histc": _histc,
    "histogram_of_equal_bins": lambda x, bins, low, high: np.histogram(x, bins, (low, high))[0].astype(x.dtype),
    "histogram": _histogram,
    "histogramdd": _histogramdd,
    "reduce_segments": _segments,
    "index_reduce": _index_reduce,
}
