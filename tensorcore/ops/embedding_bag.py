"""Sums, means and maxima of bags of embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import int32, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import full
from tensorcore.ops.embedding import embedding
from tensorcore.ops.indexing import gather, index, index_put
from tensorcore.ops.movement import cat
from tensorcore.ops.ranges import arange
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import argmax
from tensorcore.ops.rules import inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_NAME = "embedding_bag"


def _check(input: Any, weight: Any, offsets: Any, mode: str, samples: Any, by_frequency: bool, sparse: bool) -> None:
    if mode not in ("sum", "mean", "max"):
        raise RangeError(f"{_NAME}: mode must be 'sum', 'mean' or 'max', got {mode!r}")
    if mode == "max" and (by_frequency or sparse):
        raise RangeError(f"{_NAME}: mode 'max' goes with neither scale_grad_by_freq nor sparse")
    if weight.ndim != 2:
        raise ShapeError(f"{_NAME}: weight must have 2 dimensions, got shape {list(weight.shape)}")
    inexact(weight.dtype, _NAME)
    if input.dtype not in (int64, int32):
        raise DTypeError(f"{_NAME}: expected indices of dtype int64 or int32, got {input.dtype}")
    if input.ndim not in (1, 2):
        raise ShapeError(
            f"{_NAME}: expected indices (bags, length), or (indices) with offsets; got shape {list(input.shape)}"
        )
    if input.ndim == 2 and offsets is not None:
        raise RangeError(f"{_NAME}: offsets go with indices of 1 dimension; input has shape {list(input.shape)}")
    if input.ndim == 1 and (offsets is None or offsets.ndim != 1):
        raise ShapeError(
            f"{_NAME}: indices of shape {list(input.shape)} need offsets of 1 dimension, got "
            f"{None if offsets is None else list(offsets.shape)}"
        )
    if samples is None:
        return
    if samples.shape != input.shape:
        raise ShapeError(
            f"{_NAME}: per_sample_weights must have the shape of input, {list(input.shape)}, got {list(samples.shape)}"
        )
    if mode != "sum":
        raise NotImplementedError(f"{_NAME}: per_sample_weights go with mode 'sum', got {mode!r}")
    if samples.dtype is not weight.dtype:
        raise DTypeError(f"{_NAME}: per_sample_weights must have weight's dtype {weight.dtype}, got {samples.dtype}")


def _bag_of(count: int, offsets: Any, include_last: bool) -> tuple[Any, int]:
    """The bag each of ``count`` indices lies in, and how many bags there are."""
    starts = offsets.tolist()
    if include_last and not starts:
        raise ShapeError(f"{_NAME}: include_last_offset=True needs at least one offset")
    if starts and (starts[0] != 0 or starts[-1] > count):
        raise ShapeError(
            f"{_NAME}: offsets must begin with 0 and end at most at {count}, the number of indices; they go from "
            f"{starts[0]} to {starts[-1]}"
        )
    kind = offsets._kind.sibling(int64)
    if not starts:
        return full.emit(kind=kind, shape=(count,), value=0), 0
    marks = full.emit(kind=kind, shape=(count + 1,), value=0)
    one = kind.scalar(1).expand(offsets.shape)
    places = index_put.emit(marks, one, offsets.to(int64), accumulate=True).cumsum(0)[:count] - 1
    return places, len(starts) - include_last


@composite(
    namespaces=("nn.functional",),
    ulp=16,
    operands=("input", "weight", "offsets"),
    samples=tuple(
        {
            "shapes": ((2, 3), (5, 4)), "dtypes": ("int64", None), "domains": ((0, 5), None), "mode": mode,
            "padding_idx": 1,
        }
        for mode in ("sum", "mean", "max")
    ),
)  # fmt: skip
def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:  # fmt: skip
    """Sum, mean or maximum of the rows of ``weight`` at the indices of each bag: (bags, width).

    The bags are the rows of ``input`` (bags, length); or parts of ``input`` (indices), each from its place in
    ``offsets`` to the next one, of which the last is an end only with ``include_last_offset``. ``padding_idx`` takes no
    part and gets no gradient; an empty bag gives 0. With ``sparse`` the gradient of ``weight`` is a COO tensor of the
    rows looked up.

    >>> table = tc.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> tc.nn.functional.embedding_bag(tc.tensor([0, 1, 2]), table, tc.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [5., 6.]])
    """
    _check(input, weight, offsets, mode, per_sample_weights, scale_grad_by_freq, sparse)
    count, width = weight.shape
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise RangeError(f"{_NAME}: padding_idx {padding_idx} is out of range for {count} embeddings")
        padding_idx %= count
    # In a sparse gradient the padding has no row.
    padding = padding_idx if sparse else None
    rows = embedding(input, weight, padding, max_norm, norm_type, scale_grad_by_freq, sparse)
    kept = None if padding_idx is None else e.ne(input, padding_idx)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(-1)
    if kept is not None and mode != "max":
        rows = e.where(kept.unsqueeze(-1), rows, 0)
    if input.ndim == 2:
        return _of_rows(rows, kept, mode)
    bags, number = _bag_of(len(input), offsets, include_last_offset)
    if mode == "max":
        return _largest(rows, kept, bags, number)
    kind = weight._kind
    # One row more, for what comes after the last offset.
    sums = index_put.emit(full.emit(kind=kind, shape=(number + 1, width), value=0.0), rows, bags, accumulate=True)
    if mode == "mean":
        held = kind.scalar(1.0).expand(input.shape) if kept is None else kept.to(kind.dtype)
        sizes = index_put.emit(full.emit(kind=kind, shape=(number + 1,), value=0.0), held, bags, accumulate=True)
        sums = sums / sizes.clamp(1).unsqueeze(-1)
    return sums[:number]


def _of_rows(rows: Any, kept: Any, mode: str) -> Any:
    """Bags of one length: (bags, length, width) reduced over the length."""
    bags, length, width = rows.shape
    if bags * length * width == 0:
        return rows.sum(1)
    if mode == "sum" or (mode == "mean" and kept is None):
        return rows.sum(1) if mode == "sum" else rows.mean(1)
    if mode == "mean":
        return rows.sum(1) / kept.sum(1, keepdim=True).clamp(1).to(rows.dtype)
    low = rows if kept is None else e.where(kept.unsqueeze(-1), rows, -float("inf"))
    found = gather.emit(rows, argmax.emit(low, dim=1, keepdim=True), dim=1).squeeze(1)
    return found if kept is None else e.where(kept.any(1).unsqueeze(-1), found, 0)


def _largest(rows: Any, kept: Any, bags: Any, number: int) -> Any:
    """The largest of each column in each bag."""
    if kept is not None:
        places = kept.nonzero().squeeze(1)
        rows, bags = index.emit(rows, places), index.emit(bags, places)
    # What no element reached, an empty bag, reads the row of zeros behind the others.
    return gather.emit(cat((rows, rows.new_zeros((1, rows.shape[1])))), _places(rows, bags, number), dim=0)


def _places(rows: Any, bags: Any, number: int) -> Any:
    """Where in ``rows`` the largest of each column is in each bag, of equals the first; beyond them for empty bags."""
    count, width = rows.shape
    to = bags.unsqueeze(1).expand(count, width)
    top = rows.detach().new_full((number + 1, width), -float("inf")).scatter_reduce(0, to, rows.detach(), "amax")
    order = arange(count, device=rows.device).unsqueeze(1)
    equal = e.where(e.eq(rows, index.emit(top, bags)), order, count)
    return order.new_full((number + 1, width), count).scatter_reduce(0, to, equal, "amin")[:number]


def made_of(
    weight: Any, indices: Any, offsets: Any, largest: bool, include_last: bool, padding_idx: int | None
) -> tuple[Any, Any, Any]:
    """The bag of each index, how many indices each bag has, and the rows that the ``largest`` elements come from."""
    bag_of, number = _bag_of(len(indices), offsets, include_last)
    kept = arange(len(indices), device=indices.device)
    if padding_idx is not None:
        kept = e.ne(indices, padding_idx % weight.shape[0]).nonzero().squeeze(1)
    bags, rows = index.emit(bag_of, kept), index.emit(indices.to(int64), kept)
    sizes = bags.new_zeros(number + 1).index_add(0, bags, e.eq(bags, bags).to(int64))[:number]
    if not largest:
        return bag_of, sizes, sizes.clone()
    return bag_of, sizes, cat((rows, rows.new_zeros(1)))[_places(index.emit(weight, rows), bags, number)]


__all__ = ["embedding_bag"]
