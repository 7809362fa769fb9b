"""Sparse tensors transposed, reshaped, joined, and parts of them."""

from __future__ import annotations

import math
from typing import Any

from tensorcore.dtypes import int64
from tensorcore.memory_format import sparse_coo, sparse_csc, sparse_csr
from tensorcore.ops.node_names import renamed
from tensorcore.sparse.arrays import Compressed, Coordinates, flattened, unflattened, wrapped
from tensorcore.sparse.conversion import as_coordinates, coalesced, to_coo
from tensorcore.sparse.door import form, refuse, ruled
from tensorcore.sparse.graph import from_values, values_of
from tensorcore.tensor import Tensor

__all__ = ["transposed"]


@ruled("permute")
def _permute(op: Any, x: Tensor, *, dims: tuple[int, ...]) -> Tensor:
    array: Any = x._array
    if array.layout is not sparse_coo:
        if tuple(dims) == (0, 1):
            return wrapped(array)
        other = sparse_csc if array.layout is sparse_csr else sparse_csr
        return wrapped(Compressed(other, array.compressed, array.plain, array.values, array.shape[::-1]))
    count = array.indices.shape[0]
    if sorted(dims[:count]) != list(range(count)):
        refuse(op, (x,), f"sparse dimensions stay before the dense ones; there are {count} of them, got dims {dims}")
    order = list(dims[:count])
    indices = array.indices if order == list(range(count)) else array.indices[order]
    values = array.values.permute((0, *(place - count + 1 for place in dims[count:])))
    shape = tuple(array.shape[place] for place in dims)
    return wrapped(Coordinates(indices, values, shape, array.coalesced and order == list(range(count))))


def transposed(x: Tensor) -> Tensor:
    """A sparse matrix with its dimensions exchanged."""
    return x.transpose(0, 1)


@ruled("reshape")
def _reshape(op: Any, x: Tensor, *, shape: tuple[int, ...]) -> Tensor:
    """Row-major order stays, so sorted coordinates do; new sides split where the sparse dimensions ended."""
    array: Any = to_coo(x)._array
    sides, rest = array.sides, array.shape[array.indices.shape[0] :]
    whole, count = math.prod(sides), None
    for place in range(len(shape) + 1):
        if math.prod(shape[:place]) == whole and math.prod(shape[place:]) == math.prod(rest):
            count = place
            # A side of 1 at the border belongs to the dense part unless there is none.
            if place >= len(sides) and rest:
                break
    if count is None:
        refuse(op, (x,), f"shape {list(shape)} would mix its {len(sides)} sparse dimensions with the dense ones")
    assert count is not None
    indices = unflattened(flattened(array.indices, sides), shape[:count]) if sides else array.indices
    values = array.values.reshape((array.values.shape[0], *shape[count:]))
    return wrapped(Coordinates(indices, values, tuple(shape), array.coalesced))


@form("cat")
def _cat(op: Any, *tensors: Tensor, dim: int) -> Tensor:
    if not all(x._kind.sparse for x in tensors):
        refuse(op, tensors, "sparse and dense tensors are not joined; call .to_dense() on the sparse ones")
    parts = [as_coordinates(x) for x in tensors]
    arrays: list[Any] = [x._array for x in parts]
    count = arrays[0].indices.shape[0]
    if any(array.indices.shape[0] != count for array in arrays):
        refuse(op, tensors, "they have different numbers of sparse dimensions")
    from tensorcore.ops.creation import tensor
    from tensorcore.ops.movement import cat

    start, indices, values = 0, [], []
    total = sum(array.shape[dim] for array in arrays)
    for x, array in zip(parts, arrays, strict=True):
        own, side = values_of(x), array.shape[dim]
        if dim < count:
            moves = [[start if place == dim else 0] for place in range(count)]
            indices.append(array.indices + tensor(moves, dtype=int64, device=x.device))
            values.append(own)
        else:
            indices.append(array.indices)
            inner = list(own.shape)
            place = dim - count + 1
            before, after = list(inner), list(inner)
            before[place], after[place] = start, total - start - side
            values.append(cat([own.new_zeros(before), own, own.new_zeros(after)], place))
        start += side
    shape = tuple(total if place == dim else side for place, side in enumerate(arrays[0].shape))
    in_order = dim == 0 and all(array.coalesced for array in arrays)
    out = from_values(cat(indices, 1), cat(values), shape, False, "CatBackward0")
    out._array.coalesced = out._array.coalesced or (in_order and len(arrays) == 1)
    layout: Any = tensors[0]._array.layout
    if layout is sparse_coo:
        return out
    from tensorcore.sparse.conversion import to_compressed

    return to_compressed(out, layout)


@form("index_select")
def _index_select(op: Any, x: Tensor, index: Tensor, *, dim: int) -> Tensor:
    source = coalesced(to_coo(x))
    array: Any = source._array
    count = array.indices.shape[0]
    values = values_of(source)
    shape = (*array.shape[:dim], index.shape[0], *array.shape[dim + 1 :])
    shown = "IndexSelectBackward0"
    if dim >= count:
        return from_values(array.indices, values.index_select(dim - count + 1, index), shape, array.coalesced, shown)
    from tensorcore.errors import DimensionError
    from tensorcore.ops.ranges import arange

    side = array.shape[dim]
    if index.numel() and (int(index.min().item()) < 0 or int(index.max().item()) >= side):
        raise DimensionError(f"index_select: an index is out of range for dimension {dim} of shape {list(array.shape)}")
    # The elements by line, and for each index asked for the run of its line.
    held, order = array.indices[dim].sort(stable=True)
    counts = index.new_zeros((side,), dtype=int64).index_add(0, held, held.new_ones(held.shape))
    starts = counts.cumsum(0) - counts
    lengths = counts.index_select(0, index)
    slots = arange(index.shape[0], device=x.device).repeat_interleave(lengths)
    total = slots.shape[0]
    firsts = (lengths.cumsum(0) - lengths).index_select(0, slots)
    within = arange(total, device=x.device) - firsts
    picked = order.index_select(0, starts.index_select(0, index).index_select(0, slots) + within)
    indices = array.indices.index_select(1, picked)
    rows = [slots if place == dim else indices[place] for place in range(count)]
    from tensorcore.ops.movement import stack

    return from_values(stack(rows), values.index_select(0, picked), shape, False, shown)


@form("basic_index")
def _basic_index(op: Any, x: Tensor, *, index: tuple[Any, ...]) -> Any:
    """Ints and slices: elements outside are left out, the others' coordinates are counted anew."""
    source = as_coordinates(x)
    array: Any = source._array
    count = array.indices.shape[0]
    shown = op.shown or "SliceBackward0"
    values = values_of(source)
    keep, rows, shape = None, [], []
    ordered = array.coalesced
    for place, item in enumerate(index[:count]):
        row = array.indices[place]
        if isinstance(item, slice):
            side = len(range(item.start, item.stop, item.step))
            shape.append(side)
            if (item.start, item.stop, item.step) == (0, array.shape[place], 1):
                rows.append(row)
                continue
            hit = (row >= item.start) & (row < item.stop)
            if item.step != 1:
                hit = hit & ((row - item.start) % item.step == 0)
            rows.append((row - item.start) // item.step)
        else:
            hit = row == item
        keep = hit if keep is None else keep & hit
    if keep is not None:
        kept = keep.nonzero()[:, 0]
        values = values.index_select(0, kept)
        rows = [row.index_select(0, kept) for row in rows]
    if len(index) > count:
        values = values[(slice(None), *index[count:])]
    if not rows:
        out = values.sum(0, dtype=values.dtype)
        renamed(out, shown)
        return out
    from tensorcore.ops.movement import stack

    return from_values(stack(rows), values, (*shape, *values.shape[1:]), ordered, shown)
