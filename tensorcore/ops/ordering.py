"""Order: extremes with their places, the largest few, medians, distinct elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import int64
from tensorcore.errors import DimensionError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import amax, amin, any, argmax, argmin, sort
from tensorcore.ops.returns import chosen
from tensorcore.ops.rules import real, real_number
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ALONG: Final = ({"shapes": ((3, 4),), "dim": 1}, {"shapes": ((2, 3, 4),), "dim": 0, "keepdim": True})


def placed_rule(g: Any, y: Any, input_shape: tuple[int, ...], dim: int, keepdim: bool) -> Any:
    """The cotangent of elements picked along ``dim``, brought to the places they came from."""
    grad, places = (g[0], y[1]) if keepdim else (g[0].unsqueeze(dim), y[1].unsqueeze(dim))
    return placed(grad, places, input_shape, dim)


def placed(grad: Any, places: Any, shape: tuple[int, ...], dim: int, reduce: str = "set") -> Any:
    """Zeros of ``shape`` with ``grad`` written, or with ``"sum"`` added, at ``places`` along ``dim``."""
    from tensorcore.ops.creation import zeros
    from tensorcore.ops.indexing import scatter

    return scatter.emit(zeros(shape, dtype=grad.dtype, device=grad.device), places, grad, dim=dim, reduce=reduce)


def flat_if_scalar(op: Any, input: Any, dim: int, **attributes: Any) -> Any:
    """``op.emit`` along ``dim``, a 0-d tensor taken as one of one element."""
    place = normalize_dim(dim, input.ndim, op.name)
    if input.ndim == 0:
        values, indices = op.emit(input.reshape((1,)), dim=0, **attributes)
        return values.reshape(()), indices.reshape(())
    return op.emit(input, dim=place, **attributes)


# ------------------------------------------------------------------ largest and smallest


@composite(rule=real, vjp=placed_rule, outputs=2, namespaces=(), samples=_ALONG, ulp=0)
def max_along(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Largest element along ``dim`` and its place, the first of equals."""
    return flat_if_scalar(max_along, input, dim, keepdim=keepdim)


@max_along.expression
def _max_along(input: Tensor, *, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    return amax.emit(input, dim=(dim,), keepdim=keepdim), argmax.emit(input, dim=dim, keepdim=keepdim)


@composite(rule=real, vjp=placed_rule, outputs=2, namespaces=(), samples=_ALONG, ulp=0)
def min_along(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Smallest element along ``dim`` and its place, the first of equals."""
    return flat_if_scalar(min_along, input, dim, keepdim=keepdim)


@min_along.expression
def _min_along(input: Tensor, *, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    return amin.emit(input, dim=(dim,), keepdim=keepdim), argmin.emit(input, dim=dim, keepdim=keepdim)


def _extreme(
    name: str, input: Any, dim: Any, keepdim: bool, other: Any, over_all: Any, along: Any, pairwise: Any
) -> Any:
    if other is not None or hasattr(dim, "_array"):
        if keepdim or (dim is not None and other is not None):
            raise TypeError(
                f"{name}: a second tensor, and dim or keepdim, were both given; one chooses element by element"
            )
        return pairwise(input, dim if other is None else other)
    if dim is None:
        if input.numel() == 0:
            raise ShapeError(f"{name}: no elements to choose from: shape {list(input.shape)}; give dim=")
        return over_all(input, (), True) if keepdim else over_all(input)
    shape = input._array.shape
    place = normalize_dim(dim, len(shape), name)
    if shape and shape[place] == 0:
        raise DimensionError(f"{name}: no elements to choose from along dimension {place} of shape {list(input.shape)}")
    return chosen(name, along.emit(input, dim=place, keepdim=keepdim) if shape else along(input, place, keepdim))


@composite(samples=({"shapes": ((3, 4),)}, *_ALONG), operands=("input",), ulp=0)
def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; along ``dim``, as (values, indices); given a tensor, the larger element by element.

    Example:
        >>> tc.tensor([[1, 5], [3, 4]]).max(1).indices
        tensor([1, 1])
    """
    return _extreme("max", input, dim, keepdim, other, amax, max_along, e.maximum)


@composite(samples=({"shapes": ((3, 4),)}, *_ALONG), operands=("input",), ulp=0)
def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; along ``dim``, as (values, indices); given a tensor, the smaller element by element.

    Example:
        >>> tc.tensor([[1, 5], [3, 4]]).min()
        tensor(1)
    """
    return _extreme("min", input, dim, keepdim, other, amin, min_along, e.minimum)


# ------------------------------------------------------------------ sorted places


@composite(samples=({"shapes": ((3, 4),), "dim": 0}, {"shapes": ((3, 4),), "descending": True}), ulp=0)
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Places of the elements in order along ``dim``; equal ones keep their order.

    Example:
        >>> tc.tensor([3, 1, 2]).argsort(descending=True)
        tensor([0, 2, 1])
    """
    return sort(input.detach(), dim, descending)[1]


@composite(rule=real, namespaces=(), samples=({"shapes": ((3, 4),), "dim": 1},), ulp=0)
def values_in_order(input: Tensor, dim: int) -> Tensor:
    """The elements in order along ``dim`` without their places, which cost more than the order."""
    return values_in_order.emit(input, dim=dim)


@values_in_order.expression
def _values_in_order(input: Tensor, *, dim: int) -> Tensor:
    return sort.emit(input, dim=dim, descending=False)[0]


@composite(samples=({"shapes": ((4, 3),)},), ulp=0)
def msort(input: Tensor) -> Tensor:
    """Elements in order along the first dimension.

    Example:
        >>> tc.tensor([[3, 1], [2, 4]]).msort()
        tensor([[2, 1],
                [3, 4]])
    """
    return sort(input, 0)[0]


def _topk_rule(g: Any, y: Any, input_shape: tuple[int, ...], dim: int) -> Any:
    return placed(g[0], y[1], input_shape, dim)


@composite(
    rule=real_number, vjp=_topk_rule, outputs=2, ulp=0,
    samples=({"shapes": ((3, 4),), "args": (2,)}, {"shapes": ((3, 4),), "args": (1,), "dim": 0, "largest": False}),
)  # fmt: skip
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The ``k`` largest (or smallest) elements along ``dim`` in order, as (values, indices).

    Example:
        >>> tc.tensor([3, 1, 4, 2]).topk(2).values
        tensor([4, 3])
    """
    shape = input._array.shape
    place = normalize_dim(dim, len(shape), "topk")
    side = shape[place] if shape else 1
    if not 0 <= k <= side:
        raise RangeError(f"topk: k={k} is out of range for the side {side} of dimension {dim} of shape {list(shape)}")
    if not shape and k == 0:
        raise RangeError("topk: a 0-d tensor has its one element; expected k=1")
    if not shape:
        return chosen("topk", flat_if_scalar(topk, input, dim, k=int(k), largest=largest, sorted=sorted))
    return chosen("topk", topk.emit(input, dim=place, k=int(k), largest=largest, sorted=sorted))


@topk.expression
def _topk(input: Tensor, *, dim: int, k: int, largest: bool, sorted: bool) -> tuple[Tensor, Tensor]:
    values, indices = sort.emit(input, dim=dim, descending=largest)
    return values.narrow(dim, 0, k), indices.narrow(dim, 0, k)


# ------------------------------------------------------------------ distinct elements


@composite(
    namespaces=(), ulp=0, samples=({"shapes": ((9,),), "dtypes": ("int64",), "domains": ((0, 3),)}, {"shapes": ((0,),)})
)
def distinct(row: Tensor) -> Tensor:
    """The first of each run of equal elements of a vector."""
    return distinct.emit(row)


@distinct.expression
def _distinct(row: Any) -> Any:
    from tensorcore.ops.indexing import index, nonzero
    from tensorcore.ops.movement import cat

    total = row.shape[0]
    if total < 2:
        return row.clone()
    change = e.ne(row.narrow(0, 1, total - 1), row.narrow(0, 0, total - 1))
    return index.emit(row, nonzero(cat([change.new_ones((1,)), change])).reshape(-1))


def _runs(rows: Any, inverse: bool, counts: bool) -> tuple[Any, Any, Any]:
    """Of consecutive equal rows the first; for each row its run; the length of each run."""
    from tensorcore.compile.capture import reading
    from tensorcore.ops.indexing import index, nonzero
    from tensorcore.ops.movement import cat, ones_like

    total = rows.shape[0]
    if rows.ndim == 1 and not inverse and not counts:
        reading(rows, "unique")
        return distinct.emit(rows), None, None
    change = e.ne(rows.narrow(0, 1, total - 1), rows.narrow(0, 0, total - 1)) if total else None
    if change is None:
        empty = rows.new_zeros((0,), dtype=int64)
        return rows, empty if inverse else None, empty if counts else None
    if change.ndim > 1:
        change = any(change.reshape(total - 1, -1), 1) if total > 1 else change.reshape(0, -1).sum(1).bool()
    starts = cat(
        [ones_like(rows.reshape(total, -1)[:1, 0].bool()) if rows.numel() else rows.new_ones((1,)).bool(), change]
    )
    firsts = nonzero(starts).reshape(-1)
    runs = None
    if inverse:
        runs = starts.to(int64).cumsum(0) - 1
    lengths = None
    if counts:
        ends = cat([firsts.narrow(0, 1, firsts.shape[0] - 1), firsts.new_tensor([total])])
        lengths = ends - firsts
    return index.emit(rows, firsts), runs, lengths


def _slices(op: str, input: Any, dim: int) -> tuple[Any, int]:
    """The slices of ``input`` along ``dim`` as rows, and the dimension."""
    place = normalize_dim(dim, input.ndim, op)
    if 0 in [side for d, side in enumerate(input.shape) if d != place]:
        raise ShapeError(
            f"{op}: slices along dimension {place} of shape {list(input.shape)} have no elements to compare"
        )
    return input.detach().movedim(place, 0), place


def _returned(values: Any, inverse: Any, counts: Any) -> Any:
    found = tuple(x for x in (values, inverse, counts) if x is not None)
    return found[0] if len(found) == 1 else found


@composite(samples=({"shapes": ((6,),), "dtypes": ("int64",), "domains": ((0, 3),)},), ulp=0)
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The first of each run of equal elements (or slices along ``dim``), each element's run, and the runs' lengths.

    Example:
        >>> tc.unique_consecutive(tc.tensor([1, 1, 2, 1]))
        tensor([1, 2, 1])
    """
    if dim is None:
        values, runs, counts = _runs(input.detach().reshape(-1), return_inverse, return_counts)
        return _returned(values, None if runs is None else runs.reshape(input.shape), counts)
    rows, place = _slices("unique_consecutive", input, dim)
    values, runs, counts = _runs(rows, return_inverse, return_counts)
    return _returned(values.movedim(0, place), runs, counts)


@composite(samples=({"shapes": ((6,),), "dtypes": ("int64",), "domains": ((0, 3),)},), ulp=0)
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (or slices along ``dim``) in order, each element's place among them, their counts.

    Example:
        >>> tc.unique(tc.tensor([3, 1, 3]))
        tensor([1, 3])
    """
    from tensorcore.ops.indexing import index, index_put

    if dim is None:
        rows = input.detach().reshape(-1)
        if not return_inverse:
            ordered = values_in_order.emit(rows, dim=0) if rows.numel() else rows
            values, _, counts = _runs(ordered, False, return_counts)
            return _returned(values, None, counts)
        order = sort.emit(rows, dim=0, descending=False)[1] if rows.numel() else rows.to(int64)
    else:
        rows, place = _slices("unique", input, dim)
        order = _lexicographic(rows)
    values, runs, counts = _runs(index.emit(rows, order), return_inverse, return_counts)
    if runs is not None:
        runs = index_put.emit(runs, runs, order, accumulate=False)
        runs = runs.reshape(input.shape) if dim is None else runs
    return _returned(values if dim is None else values.movedim(0, place), runs, counts)


def _lexicographic(rows: Any) -> Any:
    """Places of the rows in lexicographic order: stable sorts from the last column to the first."""
    from tensorcore.ops.creation import ramp
    from tensorcore.ops.indexing import index

    total = rows.shape[0]
    order = ramp(0, 1, total, int64, rows.device)
    if not rows.numel():
        return order
    columns = rows.reshape(total, -1)
    for column in reversed(range(columns.shape[1])):
        keys = index.emit(columns[:, column], order)
        order = index.emit(order, sort.emit(keys, dim=0, descending=False)[1])
    return order


__all__ = ["argsort", "max", "min", "msort", "topk", "unique", "unique_consecutive"]
