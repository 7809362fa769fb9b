"""Composites that read and write elements chosen by places or masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dispatch import is_busy
from tensorcore.dtypes import BOOL, INTEGER, int64
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops.index_expressions import assign_at, from_zero
from tensorcore.ops.indexing import _sides, _source, as_places, combined, gather, nonzero, scatter
from tensorcore.ops.indexing import index as pick
from tensorcore.ops.indexing import index_put as put_rows
from tensorcore.ops.inplace import update_at
from tensorcore.ops.record import composite
from tensorcore.settings import check_deterministic
from tensorcore.settings import current as settings
from tensorcore.shapes import broadcast_shapes, normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = ["index_put", "index_put_"]

_ROWS = {
    "dtypes": (None, "int64", None),
    "domains": (None, (0, 3), None),
    "order": (0, "dim", 1, 2),
    "dim": 0,
    "distinct": True,
}


def _places(op: str, index: Any, what: str = "index") -> Any:
    if index._kind.dtype.category != INTEGER:
        raise DTypeError(f"{op}: {what} must be an integer tensor, got {index.dtype}")
    return as_places(index)


# ------------------------------------------------------------------ whole tensors as one row


@composite(samples=({"shapes": ((3, 4), (5,)), "dtypes": (None, "int64"), "domains": (None, (0, 11))},), ulp=0)
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened ``input`` at the places ``index``, in its shape.

    Raises:
        DTypeError: if ``index`` is not int64.

    Example:
        >>> tc.take(tc.tensor([[1, 2], [3, 4]]), tc.tensor([[3, 0, -1]]))
        tensor([[4, 1, 4]])
    """
    places = _places("take", index)
    flat = input if len(input._array.shape) == 1 else input.reshape(-1)
    if not is_busy():
        # Negative places are seldom: that a kernel refuses tells soon enough that there are some.
        try:
            return pick.emit(flat, places)
        except DimensionError:
            pass
    return pick.emit(flat, from_zero(places, flat._array.shape[0]))


@composite(
    samples=({"shapes": ((3, 4), (3, 4)), "dtypes": (None, "int64"), "domains": (None, (0, 3)), "dim": 1},), ulp=0
)
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements at ``indices`` along ``dim``, other dimensions broadcast; without ``dim``, of the flattened tensor.

    Example:
        >>> x = tc.tensor([[3, 1, 2], [1, 2, 0]])
        >>> tc.take_along_dim(x, x.argsort(dim=1), dim=1)
        tensor([[1, 2, 3],
                [0, 1, 2]])
        >>> tc.take_along_dim(x, tc.tensor([5]))
        tensor([0])
    """
    if dim is None:
        return take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    place = normalize_dim(dim, input.ndim, "take_along_dim")
    if indices.ndim != input.ndim:
        raise ShapeError(
            f"take_along_dim: indices has {indices.ndim} dimensions, input {input.ndim}: shapes "
            f"{list(indices.shape)} and {list(input.shape)}"
        )
    sides = [max(a, b) if min(a, b) else 0 for a, b in zip(input.shape, indices.shape, strict=True)]
    mine = [input.shape[d] if d == place else side for d, side in enumerate(sides)]
    its = [indices.shape[d] if d == place else side for d, side in enumerate(sides)]
    places = from_zero(_places("take_along_dim", indices, "indices"), input.shape[place])
    return gather(input.expand(mine), place, places.expand(its))


@composite(
    inplace=True,
    samples=(
        {
            "shapes": ((3, 4), (4,), (4,)),
            "dtypes": (None, "int64", None),
            "domains": (None, (0, 11), None),
            "distinct": True,
        },
    ),
    ulp=0,
)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``source`` written, or added, at the places ``index`` of the flattened tensor.

    Raises:
        ShapeError: if ``index`` and ``source`` differ in number.

    Example:
        >>> tc.put(tc.zeros(2, 2), tc.tensor([0, 3, 3]), tc.tensor([1.0, 2.0, 3.0]), accumulate=True)
        tensor([[1., 0.],
                [0., 5.]])
    """
    flat, places, values = _flat(input, index, source)
    if accumulate and settings.deterministic:
        check_deterministic("put", input._kind)
    return put_rows.emit(flat, values, places, accumulate=accumulate).reshape(input.shape)


@put.in_place
def _put_into(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> bool:
    flat, places, values = _flat(input, index, source)
    if accumulate and settings.deterministic:
        check_deterministic("put", input._kind)
    return input.is_contiguous() and update_at(put_rows, flat, (values, places), "put_", accumulate=accumulate)


def _flat(input: Any, index: Any, source: Any) -> tuple[Any, Any, Any]:
    _same_dtype("put", input, source, "source")
    if source.numel() != index.numel():
        raise ShapeError(
            f"put: {source.numel()} elements for {index.numel()} places: shapes {list(source.shape)} and "
            f"{list(index.shape)}"
        )
    places = from_zero(_places("put", index), input.numel()).reshape(-1)
    return input.reshape(-1), places, source.reshape(-1)


@composite(
    inplace=True, by_example="values",
    samples=({"shapes": ((3, 4), (3, 4), (12,)), "dtypes": (None, "bool", None)},), ulp=0,
)  # fmt: skip
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with the elements of ``source``, in order, where ``mask`` is true.

    Raises:
        ShapeError: if ``source`` has too few elements.

    Example:
        >>> mask = tc.tensor([[True, False], [False, True]])
        >>> tc.masked_scatter(tc.zeros(2, 2), mask, tc.tensor([1.0, 2.0, 3.0]))
        tensor([[1., 0.],
                [0., 2.]])
    """
    if mask.dtype.category != BOOL:
        raise DTypeError(f"masked_scatter: mask must be a bool tensor, got {mask.dtype}")
    _same_dtype("masked_scatter", input, source, "source")
    input = input.expand(broadcast_shapes(input.shape, mask.shape))
    places = nonzero(mask.expand(input.shape).reshape(-1))[:, 0]
    if places.shape[0] > source.numel():
        raise ShapeError(
            f"masked_scatter: the mask is true at {places.shape[0]} places, source has {source.numel()} elements"
        )
    return put(input, places, source.reshape(-1)[: places.shape[0]])


# ------------------------------------------------------------------ slices along a dimension


def _same_dtype(op: str, input: Any, source: Any, what: str) -> None:
    if input._kind.dtype is not source._kind.dtype:
        raise DTypeError(f"{op}: {what} must have the dtype of input, got {source.dtype} and {input.dtype}")


def _slices(op: str, input: Any, dim: int, index: Any, source: Any) -> tuple[Any, Any, Any, int]:
    """The tensor and the source with the dimension in front, the places, and the dimension."""
    shape, its = input._array.shape, index._array.shape
    if len(its) > 1:
        raise DimensionError(f"{op}: index must be 1-d, got shape {list(its)}")
    place = normalize_dim(dim, len(shape), op)
    places = _places(op, index)
    if not its:
        places = places.reshape(1)
    if not shape:
        return input.reshape(1), source.reshape(1), places, 0
    count = places._array.shape[0]
    wanted = (*shape[:place], count, *shape[place + 1 :])
    if source._array.shape != wanted:
        raise ShapeError(
            f"{op}: source has shape {list(source.shape)}, expected {list(wanted)} for {count} places of dimension "
            f"{place}"
        )
    if place == 0:
        return input, source, places, 0
    return input.movedim(place, 0), source.movedim(place, 0), places, place


def _write_slices(op: str, input: Any, dim: int, index: Any, source: Any, accumulate: bool) -> Any:
    moved, source, places, place = _slices(op, input, dim, index, source)
    out = _put_anywhere(moved, source, places, accumulate)
    return out.reshape(()) if input.ndim == 0 else out.movedim(0, place) if place else out


def _put_anywhere(moved: Any, source: Any, places: Any, accumulate: bool) -> Any:
    """`index_put` at places that may be negative."""
    if not is_busy():
        # They seldom are: that a kernel refuses tells soon enough.
        try:
            return put_rows.emit(moved, source, places, accumulate=accumulate)
        except DimensionError:
            pass
    return put_rows.emit(moved, source, from_zero(places, moved.shape[0]), accumulate=accumulate)


def _slices_into(op: str, input: Any, dim: int, index: Any, source: Any, accumulate: bool) -> bool:
    moved, source, places, _ = _slices(op, input, dim, index, source)
    places = from_zero(places, moved.shape[0])
    return update_at(put_rows, moved, (source, places), f"{op}_", accumulate=accumulate)


def _scaled(source: Any, alpha: float) -> Any:
    """``source * alpha`` in the dtype of ``source``, also where that is bool."""
    if alpha == 1:
        return source
    return (source * alpha).to(source.dtype) if source.dtype.category == BOOL else source * alpha


@composite(inplace=True, samples=({"shapes": ((3, 4), (2,), (2, 4)), **_ROWS},), ulp=4)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of ``input`` with ``alpha * source`` added to the slices at ``index`` along ``dim``.

    Example:
        >>> tc.index_add(tc.zeros(2, 2), 0, tc.tensor([0, 0]), tc.tensor([[1.0, 2.0], [3.0, 4.0]]), alpha=10)
        tensor([[40., 60.],
                [ 0.,  0.]])
    """
    _same_dtype("index_add", input, source, "source")
    if settings.deterministic:
        check_deterministic("index_add", input._kind)
    return _write_slices("index_add", input, dim, index, _scaled(source, alpha), True)


@index_add.in_place
def _index_add_into(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> bool:
    _same_dtype("index_add", input, source, "source")
    if settings.deterministic:
        check_deterministic("index_add", input._kind)
    return _slices_into("index_add", input, dim, index, _scaled(source, alpha), True)


@composite(inplace=True, samples=({"shapes": ((3, 4), (2,), (2, 4)), **_ROWS},), ulp=0)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with ``source`` in place of the slices at ``index`` along ``dim``.

    Example:
        >>> tc.index_copy(tc.zeros(3), 0, tc.tensor([2, 0]), tc.tensor([1.0, 2.0]))
        tensor([2., 0., 1.])
    """
    _same_dtype("index_copy", input, source, "source")
    return _write_slices("index_copy", input, dim, index, source, False)


@index_copy.in_place
def _index_copy_into(input: Tensor, dim: int, index: Tensor, source: Tensor) -> bool:
    _same_dtype("index_copy", input, source, "source")
    return _slices_into("index_copy", input, dim, index, source, False)


@composite(
    inplace=True,
    samples=(
        {
            "shapes": ((3, 4), (2,)),
            "dtypes": (None, "int64"),
            "domains": (None, (0, 3)),
            "order": (0, "dim", 1, "value"),
            "dim": 0,
            "value": 1.5,
        },
    ),
    ulp=0,
)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with ``value`` in the slices at ``index`` along ``dim``.

    Example:
        >>> tc.index_fill(tc.zeros(2, 3), 1, tc.tensor([0, -1]), 7)
        tensor([[7., 0., 7.],
                [7., 0., 7.]])
    """
    return _write_slices("index_fill", input, dim, index, _filling(input, dim, index, value), False)


@index_fill.in_place
def _index_fill_into(input: Tensor, dim: int, index: Tensor, value: Any) -> bool:
    return _slices_into("index_fill", input, dim, index, _filling(input, dim, index, value), False)


def _filling(input: Any, dim: int, index: Any, value: Any) -> Any:
    """``value`` in the shape of the slices that it fills."""
    from tensorcore.ops.creation import full

    place = normalize_dim(dim, input.ndim, "index_fill")
    if not hasattr(value, "_array"):
        value = full((), value, dtype=input.dtype, device=input.device)
    elif value.ndim:
        raise ShapeError(f"index_fill: value must be a number or a 0-d tensor, got shape {list(value.shape)}")
    return value.to(input.dtype).expand([index.numel() if d == place else n for d, n in enumerate(input.shape)])


#: The kernel's name of each reduction of `scatter_reduce`.
_REDUCTIONS = {"sum": "sum", "prod": "prod", "amax": "amax", "amin": "amin", "mean": "sum"}


@composite(
    inplace=True,
    samples=({"shapes": ((3, 4), (2, 4), (2, 4)), **_ROWS, "order": (0, "dim", 1, 2, "reduce"), "reduce": "sum"},),
)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` with ``src`` reduced into the places ``index`` along ``dim``.

    ``reduce`` is ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``; without ``include_self`` the old element
    does not count. Gradients flow through all; extremes share theirs among equal elements.

    Args:
        dim, index: the places of ``src``: index[i, j] names the place along ``dim``, the other places are
            its own.

    Raises:
        RangeError: for another ``reduce``.

    Example:
        >>> index, src = tc.tensor([0, 1, 0]), tc.tensor([1.0, 2.0, 3.0])
        >>> tc.full((3,), 10.0).scatter_reduce(0, index, src, "amax")
        tensor([10., 10., 10.])
        >>> tc.full((3,), 10.0).scatter_reduce(0, index, src, "mean", include_self=False)
        tensor([ 2.,  2., 10.])
    """
    from tensorcore.ops.creation import ones_like, zeros_like
    from tensorcore.ops.elementwise import where

    if input.ndim == 0:
        flat = (input.reshape(1), 0, index.reshape(-1), src.reshape(-1), reduce)
        return scatter_reduce(*flat, include_self=include_self).reshape(())
    index, src, place = _reduced(input, dim, index, src, reduce)
    start = input
    counts: Any = None
    if not include_self or reduce == "mean":
        counts = scatter.emit(
            zeros_like(input, dtype=int64), index, ones_like(src, dtype=int64), dim=place, reduce="sum"
        )
    if not include_self:
        limits = {"prod": 1, "amax": -math.inf, "amin": math.inf}
        neutral = limits.get(reduce, 0)
        if math.isinf(neutral) and input.dtype.category <= INTEGER:
            from tensorcore.dtypes import iinfo

            info = iinfo(input.dtype)
            neutral = info.min if neutral < 0 else info.max
        start = where(counts > 0, neutral, input)
    out = combined(start, index, src, place, _REDUCTIONS[reduce])
    if reduce != "mean":
        return out
    total = (counts + 1 if include_self else counts).clamp(min=1)
    return out / total if input.is_floating_point() or input.is_complex() else out.floor_divide(total)


@scatter_reduce.in_place
def _scatter_reduce_into(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> bool:
    if reduce == "mean" or not include_self or input.ndim == 0:
        return False
    index, src, place = _reduced(input, dim, index, src, reduce)
    return update_at(scatter, input, (index, src), "scatter_reduce_", dim=place, reduce=_REDUCTIONS[reduce])


def _reduced(input: Any, dim: int, index: Any, src: Any, reduce: str) -> tuple[Any, Any, int]:
    if reduce not in _REDUCTIONS:
        raise RangeError(f"scatter_reduce: reduce must be one of {', '.join(map(repr, _REDUCTIONS))}, got {reduce!r}")
    _same_dtype("scatter_reduce", input, src, "src")
    place = _sides("scatter_reduce", input, index, dim)
    return as_places(index), _source("scatter_reduce", src, index), place


# ------------------------------------------------------------------ index expressions as functions


def index_put(input: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``values`` written, or added, at ``input[indices]``.

    Example:
        >>> import tensorcore as tc
        >>> tc.index_put(tc.zeros(3), (tc.tensor([0, 0]),), tc.tensor(1.0), accumulate=True)
        tensor([2., 0., 0.])
    """
    return index_put_(input.clone(), indices, values, accumulate)


def index_put_(input: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """Write ``values``, or with ``accumulate`` add them, at ``input[indices]``; returns ``input``.

    Example:
        >>> import tensorcore as tc
        >>> tc.zeros(2).index_put_((tc.tensor([1]),), tc.tensor(3.0))
        tensor([0., 3.])
    """
    kind = input._kind
    if not hasattr(values, "_array"):
        raise TypeError(f"index_put_: values must be a tensor, got {type(values).__name__}")
    if accumulate and settings.deterministic:
        check_deterministic("index_put_", kind)
    assign_at(input, tuple(indices), values.to(device=kind.device), "index_put_", accumulate)
    return input


@composite(samples=({"shapes": ((3, 4),)},), by_example="constant", ulp=0)
def argwhere(input: Tensor) -> Tensor:
    """Indices of the elements that are not zero, a row each.

    Example:
        >>> tc.argwhere(tc.tensor([[0, 2], [3, 0]]))
        tensor([[0, 1],
                [1, 0]])
    """
    return nonzero(input)
