"""Reductions and softmax of sparse tensors."""

from __future__ import annotations

import math
from typing import Any

from tensorcore.dtypes import INTEGER, int64
from tensorcore.errors import LayoutError
from tensorcore.memory_format import sparse_coo
from tensorcore.ops.node_names import renamed
from tensorcore.shapes import normalize_dim, normalize_dims
from tensorcore.sparse.arrays import flattened
from tensorcore.sparse.conversion import coalesced, to_compressed, to_coo
from tensorcore.sparse.door import form, refuse
from tensorcore.sparse.graph import from_values, recorded, values_of, with_values, without_graph
from tensorcore.tensor import Tensor

__all__ = ["log_softmax", "softmax", "sum"]


def _required(op: str, x: Any) -> Any:
    if not isinstance(x, Tensor) or not x._kind.sparse:
        raise LayoutError(f"sparse.{op}: expected a sparse tensor, got {getattr(x, 'layout', type(x).__name__)}")
    return coalesced(to_coo(x))


def _over(x: Tensor, dims: tuple[int, ...], keepdim: bool, dtype: Any, shown: str) -> Tensor:
    """Sums over ``dims``: sparse while a sparse dimension is left, else dense."""
    array: Any = x._array
    count = array.indices.shape[0]
    values = values_of(x) if dtype is None else values_of(x).to(dtype)
    inner = tuple(place - count + 1 for place in dims if place >= count)
    if inner:
        values = values.sum(inner, keepdim=keepdim)
    gone = [place for place in dims if place < count]
    kept = [place for place in range(count) if place not in gone]
    if not kept and not keepdim:
        out = values.sum(0)
        renamed(out, shown)
        return out
    from tensorcore.ops.movement import stack

    rows, sides = [], []
    for place in range(count):
        if place not in gone:
            rows.append(array.indices[place])
            sides.append(array.shape[place])
        elif keepdim:
            rows.append(array.indices[place] * 0)
            sides.append(1)
    shape = (*sides, *values.shape[1:])
    return coalesced(from_values(stack(rows), values, shape, not gone, shown), shown)


def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """Sum of a sparse tensor over the dimensions ``dim``, all by default; its gradient is sparse.

    The result is sparse while a sparse dimension is left, else dense.

    Example:
        >>> tc.sparse.sum(tc.sparse_coo_tensor([[0, 1], [2, 2]], [3.0, 4.0], (2, 3)), 0).to_dense()
        tensor([0., 0., 7.])
    """
    x = _required("sum", input)
    dims = tuple(range(x.ndim)) if dim is None else normalize_dims(dim, x.ndim, "sparse.sum")
    if dtype is None and x.dtype.category <= INTEGER and len(dims) == x.ndim:
        dtype = int64
    return _over(x, dims, False, dtype, "SparseSumBackward0")


@form("sum")
def _sum(op: Any, x: Tensor, *, dim: tuple[int, ...], keepdim: bool, dtype: Any) -> Tensor:
    if len(dim) == x.ndim and not keepdim:
        # Of all elements: the gradient is that of a dense tensor, the same everywhere.
        with without_graph():
            out = x._array.values.sum(dtype=dtype)
        return recorded("SumBackward0", (x,), out, lambda g: g.expand(x.shape))
    out = _over(coalesced(to_coo(x)), dim, keepdim, dtype, "SumBackward1")
    layout: Any = x._array.layout
    return out if layout is sparse_coo or out.ndim != 2 else to_compressed(out, layout)


@form("any")
def _any(op: Any, x: Tensor, *, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    if len(dim) != x.ndim or keepdim:
        refuse(op, (x,), "of a sparse tensor, only whether any element of all is true is told")
    return coalesced(to_coo(x))._array.values.any()


@form("linalg_vector_norm")
def _norm(op: Any, x: Tensor, *, ord: float, dim: tuple[int, ...], keepdim: bool, **more: Any) -> Tensor:
    if len(dim) != x.ndim or keepdim:
        refuse(op, (x,), "of a sparse tensor, only the norm of all elements is taken")
    if ord <= 0 and math.prod(x.shape) != x._array.values.numel():
        refuse(op, (x,), f"the norm of order {ord} depends on the zeros; call .to_dense() first")
    from tensorcore.ops.reduction import sum as total

    values = values_of(coalesced(to_coo(x))).reshape(-1)
    if not values.shape[0]:
        return total(values.abs())
    out = op.emit(values, ord=ord, dim=(0,), keepdim=False, **more)
    renamed(out, "NormBackward1")
    return out


# ------------------------------------------------------------------ softmax


def _normalised(op: str, input: Tensor, dim: int, dtype: Any, logarithm: bool) -> Tensor:
    x = _required(op, input)
    if dtype is not None:
        x = x.to(dtype)
    if not x.dtype.is_floating_point:
        raise LayoutError(f"sparse.{op}: expected a floating-point tensor, got {x.dtype}; give dtype=")
    place = normalize_dim(dim, x.ndim, f"sparse.{op}")
    array: Any = x._array
    count = array.indices.shape[0]
    values = values_of(x)
    shown = "SparseLogSoftmaxBackward0" if logarithm else "SparseSoftmaxBackward0"
    if place >= count:
        inner = place - count + 1
        return with_values(x, values.log_softmax(inner) if logarithm else values.softmax(inner), shown)
    with without_graph():
        others = [each for each in range(count) if each != place]
        if others:
            sides = tuple(array.shape[each] for each in others)
            groups = flattened(array.indices[others], sides).unique(return_inverse=True)[1]
        else:
            groups = array.indices[0] * 0
        number = int(groups.max().item()) + 1 if groups.shape[0] else 0
        held = values.detach()
        empty = held.new_full((number, *held.shape[1:]), -math.inf)
        top = empty.index_reduce(0, groups, held, "amax")
    shifted = values - top.index_select(0, groups)
    powers = shifted.exp()
    totals = powers.new_zeros(top.shape).index_add(0, groups, powers)
    if logarithm:
        return with_values(x, shifted - totals.log().index_select(0, groups), shown)
    return with_values(x, powers / totals.index_select(0, groups), shown)


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Softmax along ``dim`` of the elements that are stored; the others count as minus infinity and stay out.

    Example:
        >>> tc.sparse.softmax(tc.sparse_coo_tensor([[0, 0], [0, 2]], [1.0, 1.0], (2, 3)), 1).to_dense()
        tensor([[0.5000, 0.0000, 0.5000],
                [0.0000, 0.0000, 0.0000]])
    """
    return _normalised("softmax", input, dim, dtype, False)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Logarithm of `softmax` at the elements that are stored.

    Example:
        >>> tc.sparse.log_softmax(tc.sparse_coo_tensor([[0, 0], [0, 2]], [1.0, 1.0], (2, 3)), 1).values()
        tensor([-0.6931, -0.6931])
    """
    return _normalised("log_softmax", input, dim, dtype, True)
