"""Between dense tensors and the sparse layouts, and from one sparse layout to another."""

from __future__ import annotations

from typing import Any

from tensorcore.compile.capture import reading
from tensorcore.dtypes import BOOL, bool_, int64
from tensorcore.errors import DimensionError, LayoutError, ShapeError
from tensorcore.memory_format import layout as Layout
from tensorcore.memory_format import sparse_coo, sparse_csc, sparse_csr, strided
from tensorcore.sparse.arrays import Compressed, Coordinates, flattened, unflattened, wrapped
from tensorcore.sparse.graph import from_values, recorded, values_at, values_of, without_graph
from tensorcore.tensor import Tensor

__all__ = ["as_coordinates", "coalesced", "from_dense", "to_compressed", "to_coo", "to_dense", "to_sparse"]


def gathered(values: Tensor, groups: Tensor, count: int) -> Tensor:
    """Sums of the rows of ``values`` that have the same number in ``groups``; for booleans, whether any is true."""
    if values.dtype.category == BOOL:
        return gathered(values.to(int64), groups, count).to(bool_)
    return values.new_zeros((count, *values.shape[1:])).index_add(0, groups, values)


def coalesced(x: Tensor, shown: str = "CoalesceBackward0") -> Tensor:
    """A COO tensor with sorted, distinct coordinates; itself where they are."""
    array: Any = x._array
    reading(x, "coalesce")
    if array.coalesced:
        return x
    with without_graph():
        sides = array.sides
        places, groups = flattened(array.indices, sides).unique(return_inverse=True)
        values = gathered(array.values, groups, places.shape[0])
        out = wrapped(Coordinates(unflattened(places, sides), values, array.shape, True))
    return recorded(shown, (x,), out, lambda g: g)


def to_dense(x: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor with all its elements written out; a dense tensor itself.

    With ``masked_grad``, the default, the gradient of a sparse tensor is taken at its own places only.

    Example:
        >>> tc.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3)).to_dense()
        tensor([[0., 0., 3.],
                [4., 0., 0.]])
    """
    if not x._kind.sparse:
        return x if dtype is None else x.to(dtype)
    reading(x, "to_dense")
    with without_graph():
        array: Any = to_coo(x)._array
        count = 1
        for side in array.sides:
            count *= side
        rest = array.shape[len(array.sides) :]
        if array.sides:
            flat = gathered(array.values, flattened(array.indices, array.sides), count)
        else:
            flat = array.values.sum(0, keepdim=True).to(array.values.dtype)
        out = flat.reshape((*array.sides, *rest))
    out = recorded("ToDenseBackward0", (x,), out, lambda g: masked(g, x) if masked_grad is not False else g)
    return out if dtype is None else out.to(dtype)


def masked(source: Tensor, pattern: Tensor) -> Tensor:
    """The elements of ``source`` at the places of ``pattern``, each place once, in the layout of ``pattern``."""
    from tensorcore.sparse.graph import with_values

    if pattern._kind.layout is sparse_coo:
        with without_graph():
            pattern = coalesced(pattern.detach())
    return with_values(pattern, values_at(source, pattern))


def from_dense(x: Tensor, sparse_dim: int | None = None) -> Tensor:
    """The nonzero elements of a dense tensor as COO; beyond ``sparse_dim`` dimensions, slices that have one."""
    ndim = x.ndim
    dims = ndim if sparse_dim is None else sparse_dim
    if not 0 <= dims <= ndim:
        raise DimensionError(f"to_sparse: sparse_dim must lie in [0, {ndim}] for shape {list(x.shape)}, got {dims}")
    if dims == 0 and ndim:
        raise DimensionError(f"to_sparse: sparse_dim must be at least 1 for shape {list(x.shape)}")
    with without_graph():
        sides, rest = tuple(x.shape[:dims]), tuple(x.shape[dims:])
        flat = x.detach().reshape((-1, *rest)) if dims else x.detach().unsqueeze(0)
        there = flat != 0
        if rest:
            there = there.reshape((flat.shape[0], -1)).any(1) if flat.numel() else there.new_zeros((flat.shape[0],))
        places = there.nonzero()[:, 0]
        values = flat.index_select(0, places)
        out = wrapped(Coordinates(unflattened(places, sides), values, tuple(x.shape), True))
    shown = f"ToSparseBackward{int(sparse_dim is None)}"
    return recorded(shown, (x,), out, to_dense)


def as_coordinates(x: Tensor) -> Tensor:
    """A sparse tensor of any layout as COO, its elements in the order in which they are stored."""
    array: Any = x._array
    if array.layout is sparse_coo:
        return x
    from tensorcore.ops.movement import stack

    with without_graph():
        pair = (lines_of(array), array.plain.to(int64))
        by_rows = array.layout is sparse_csr
        indices = stack(pair if by_rows else pair[::-1])
    return from_values(indices, values_of(x, "ToSparseBackward1"), array.shape, by_rows, "ToSparseBackward1")


def to_coo(x: Tensor) -> Tensor:
    """A sparse tensor of any layout as COO; what was compressed comes coalesced."""
    return x if x._array.layout is sparse_coo else coalesced(as_coordinates(x), "ToSparseBackward1")


def lines_of(array: Any) -> Tensor:
    """The line of each element of a compressed array."""
    from tensorcore.ops.ranges import arange

    lengths = array.compressed[1:] - array.compressed[:-1]
    return arange(lengths.shape[0], device=lengths.device).repeat_interleave(lengths.to(int64))


def to_compressed(x: Tensor, layout: Any, shown: str = "ToSparseCsrBackward0") -> Tensor:
    """A matrix of any layout as ``sparse_csr`` or ``sparse_csc``."""
    if x._kind.sparse and x._array.layout is layout:
        return x
    name = layout.name.removeprefix("sparse_")
    if x.ndim != 2:
        raise ShapeError(f"to_sparse_{name}: expected a matrix, got shape {list(x.shape)}")
    from tensorcore.sparse.movement import transposed

    if layout is sparse_csc:
        # The columns of a matrix are the rows of the transposed one.
        with without_graph():
            source = to_coo(x) if x._kind.sparse else from_dense(x)
            out = transposed(to_compressed(transposed(source), sparse_csr))
        return recorded("ToSparseCscBackward0", (x,), out, lambda g: masked(g, x) if x._kind.sparse else to_dense(g))
    source = coalesced(to_coo(x)) if x._kind.sparse else from_dense(x)
    array: Any = source._array
    if array.indices.shape[0] != 2:
        raise LayoutError(f"to_sparse_{name}: expected 2 sparse dimensions, got {array.indices.shape[0]}")
    with without_graph():
        rows = array.indices[0]
        counts = rows.new_zeros((array.shape[0] + 1,)).index_add(0, rows + 1, rows.new_ones(rows.shape))
        compressed = counts.cumsum(0)
        plain = array.indices[1].clone()
    values = values_of(source)
    out = wrapped(Compressed(layout, compressed, plain, values.detach(), array.shape))
    return recorded(shown, (values,), out, lambda g: values_at(g, out))


def to_sparse(x: Tensor, sparse_dim: Any = None, *, layout: Any = None) -> Tensor:
    """The tensor in a sparse layout: COO, or ``layout``; ``sparse_dim`` is how many dimensions COO makes sparse.

    Raises:
        DimensionError: for a ``sparse_dim`` the tensor does not have.
        LayoutError: for a layout that is none of ``sparse_coo``, ``sparse_csr`` and ``sparse_csc``.

    Example:
        >>> tc.eye(2).to_sparse()
        tensor(indices=tensor([[0, 1],
                               [0, 1]]),
               values=tensor([1., 1.]),
               size=(2, 2), nnz=2, layout=tensorcore.sparse_coo)
    """
    if isinstance(sparse_dim, Layout):
        sparse_dim, layout = None, sparse_dim
    if layout is None or layout is sparse_coo:
        if not x._kind.sparse:
            return from_dense(x, sparse_dim)
        out = to_coo(x)
        if sparse_dim is not None and sparse_dim != out._array.indices.shape[0]:
            raise DimensionError(
                f"to_sparse: the tensor has {out._array.indices.shape[0]} sparse dimensions already, not {sparse_dim}; "
                "call .to_dense() first"
            )
        return out
    if layout is strided:
        raise LayoutError("to_sparse: strided is the layout of dense tensors; use .to_dense()")
    if layout not in (sparse_csr, sparse_csc):
        raise LayoutError(f"to_sparse: expected layout sparse_coo, sparse_csr or sparse_csc, got {layout!r}")
    if sparse_dim not in (None, 2):
        raise DimensionError(f"to_sparse: {layout!r} has 2 sparse dimensions, got sparse_dim {sparse_dim}")
    return to_compressed(x, layout, "ToSparseBackward1")
