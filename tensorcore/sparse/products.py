"""Matrix products with sparse operands."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import promote_types
from tensorcore.errors import LayoutError, ShapeError
from tensorcore.memory_format import sparse_coo, sparse_csr
from tensorcore.ops.node_names import renamed
from tensorcore.sparse.arrays import Coordinates, unflattened, wrapped
from tensorcore.sparse.conversion import as_coordinates, coalesced, from_dense, gathered, masked, to_compressed, to_coo
from tensorcore.sparse.door import refuse, ruled
from tensorcore.sparse.graph import from_values, recorded, values_of, with_values, without_graph
from tensorcore.tensor import Tensor

__all__ = ["addmm", "hspmm", "mm", "smm", "spmm", "sspaddmm"]


@ruled("matmul")
def _matmul(op: Any, x: Any, y: Any) -> Tensor:
    return _product(op, x, y)


def _product(op: Any, x: Tensor, y: Tensor) -> Tensor:
    for each in (x, y):
        if each._kind.sparse and each._array.values.ndim != 1:
            refuse(op, (x, y), "sparse factors must have no dense dimensions")
    dtype = promote_types(x.dtype, y.dtype)
    if x.ndim == 2 and y.ndim == 2:
        if x._kind.sparse and y._kind.sparse:
            out = _sparse_by_sparse(x.to(dtype), y.to(dtype))
            both_rows = x._array.layout is y._array.layout is sparse_csr
            return to_compressed(out, sparse_csr) if both_rows else out
        if x._kind.sparse:
            return _sparse_by_dense(as_coordinates(x)._array, y.to(dtype), dtype)
        return _sparse_by_dense(as_coordinates(y.transpose(0, 1))._array, x.to(dtype).transpose(0, 1), dtype).t()
    if x.ndim == 3 and y.ndim == 3 and x.shape[0] == y.shape[0] and x._kind.sparse != y._kind.sparse:
        if x._kind.sparse:
            return _batched(x._array, y.to(dtype), dtype)
        turned = y.permute(0, 2, 1)._array
        return _batched(turned, x.to(dtype).transpose(1, 2), dtype).transpose(1, 2)
    refuse(op, (x, y), "of stacks, one of three dimensions times another is taken, one of them sparse")


def _sparse_by_dense(array: Any, dense: Tensor, dtype: Any) -> Tensor:
    """Each element times the row of ``dense`` that it meets, added up by the row it stands in."""
    rows, columns = array.indices[0], array.indices[1]
    return gathered(array.values.to(dtype).unsqueeze(1) * dense.index_select(0, columns), rows, array.shape[0])


def _batched(array: Any, dense: Tensor, dtype: Any) -> Tensor:
    batch, rows, columns = array.indices[0], array.indices[1], array.indices[2]
    length, height, width = array.shape
    met = dense.reshape((length * width, dense.shape[2])).index_select(0, batch * width + columns)
    product = gathered(array.values.to(dtype).unsqueeze(1) * met, batch * height + rows, length * height)
    return product.reshape((length, height, dense.shape[2]))


def _sparse_by_sparse(x: Tensor, y: Tensor) -> Tensor:
    """Each element of ``x`` in column k times every element in row k of ``y``; equal places added up."""
    from tensorcore.ops.movement import stack
    from tensorcore.ops.ranges import arange

    a: Any = coalesced(to_coo(x))._array
    b: Any = coalesced(to_coo(y))._array
    counts = b.indices.new_zeros((b.shape[0],)).index_add(0, b.indices[0], b.indices.new_ones((b.indices.shape[1],)))
    starts = counts.cumsum(0) - counts
    lengths = counts.index_select(0, a.indices[1])
    left = arange(lengths.shape[0], device=x.device).repeat_interleave(lengths)
    firsts = (lengths.cumsum(0) - lengths).index_select(0, left)
    within = arange(left.shape[0], device=x.device) - firsts
    right = starts.index_select(0, a.indices[1]).index_select(0, left) + within
    indices = stack([a.indices[0].index_select(0, left), b.indices[1].index_select(0, right)])
    values = a.values.index_select(0, left) * b.values.index_select(0, right)
    return coalesced(wrapped(Coordinates(indices, values, (a.shape[0], b.shape[1]), False)))


def _check(op: str, x: Any, y: Any) -> None:
    for name, each in (("mat1", x), ("mat2", y)):
        if not isinstance(each, Tensor):
            raise TypeError(f"{op}: {name} must be a tensor, got {type(each).__name__}")
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[0]:
        raise ShapeError(f"{op}: matrices of shapes {list(x.shape)} and {list(y.shape)} do not multiply")


def mm(mat1: Tensor, mat2: Tensor, reduce: str | None = None) -> Tensor:
    """Product of two matrices, one of them sparse; the gradient of a sparse one is taken at its own places.

    Two sparse matrices give a sparse one. With ``reduce`` (``"sum"``, ``"mean"``, ``"amax"`` or ``"amin"``) and a CSR
    matrix times a dense one, the products that meet in an element are brought together that way.

    Example:
        >>> a = tc.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
        >>> tc.sparse.mm(a, tc.ones(3, 2))
        tensor([[3., 3.],
                [4., 4.]])
    """
    _check("sparse.mm", mat1, mat2)
    if not mat1._kind.sparse and not mat2._kind.sparse:
        raise LayoutError("sparse.mm: expected a sparse matrix, got two dense ones; use tc.mm")
    if reduce is not None and reduce != "sum":
        return _reduced(mat1, mat2, reduce)
    if mat1._kind.sparse and mat2._kind.sparse:
        with without_graph():
            out = mat1 @ mat2
        return recorded("SparseSparseMatmulBackward0", (mat1, mat2), out, lambda g: _pair_rule(g, mat1, mat2))
    if not mat1._kind.sparse:
        return mm(mat2.transpose(0, 1), mat1.transpose(0, 1)).t()
    if mat1._array.values.ndim != 1:
        refuse("sparse.mm", (mat1, mat2), "sparse factors must have no dense dimensions")
    with without_graph():
        out = _product("sparse.mm", mat1, mat2)
    return recorded("SparseAddmmBackward0", (mat1, mat2), out, lambda g: _mm_rule(g, mat1, mat2))


def _mm_rule(g: Tensor, sparse: Tensor, dense: Tensor) -> tuple[Any, Any]:
    pattern = coalesced(sparse.detach()) if sparse._array.layout is sparse_coo else sparse.detach()
    array: Any = as_coordinates(pattern)._array
    left = right = None
    if sparse._node is not None:
        met = g.index_select(0, array.indices[0]) * dense.conj().index_select(0, array.indices[1])
        left = with_values(pattern, met.sum(1))
    if dense._node is not None:
        right = sparse.conj().transpose(0, 1) @ g
    return left, right


def _pair_rule(g: Tensor, left: Tensor, right: Tensor) -> tuple[Any, Any]:
    g = g if g._kind.sparse else from_dense(g)
    return (
        None if left._node is None else masked(g @ right.conj().transpose(0, 1), left),
        None if right._node is None else masked(left.conj().transpose(0, 1) @ g, right),
    )


def _reduced(sparse: Tensor, dense: Tensor, reduce: str) -> Tensor:
    if reduce not in ("mean", "amax", "amin"):
        raise ValueError(f"sparse.mm: reduce must be 'sum', 'mean', 'amax' or 'amin', got {reduce!r}")
    if not sparse._kind.sparse or dense._kind.sparse or sparse._array.layout is not sparse_csr:
        refuse("sparse.mm", (sparse, dense), "reduce= takes a CSR matrix times a dense one")
    array: Any = as_coordinates(sparse)._array
    rows, columns = array.indices[0], array.indices[1]
    products = values_of(sparse).unsqueeze(1) * dense.index_select(0, columns)
    # Rows without elements are 0, whatever the reduction.
    zeros = products.new_zeros((array.shape[0], dense.shape[1]))
    return zeros.index_reduce(0, rows, products, reduce, include_self=False)


def addmm(mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1.0, alpha: float = 1.0) -> Tensor:
    """``beta * mat + alpha * (mat1 @ mat2)`` with a sparse ``mat1``, whose gradient is taken at its own places.

    Example:
        >>> tc.sparse.addmm(tc.ones(2, 2), tc.eye(2).to_sparse(), tc.ones(2, 2), alpha=10.0)
        tensor([[11., 11.],
                [11., 11.]])
    """
    product = mm(mat1, mat2)
    out = (mat if beta == 1 else beta * mat) + (product if alpha == 1 else alpha * product)
    renamed(out, "SparseAddmmBackward0")
    return out


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """`mm`, PyTorch's older name for a sparse matrix times another."""
    from tensorcore.ops.linalg import mm as product

    return product(input, mat2)


def _rows_met(op: str, mat1: Tensor, mat2: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of ``mat1 @ mat2`` that have elements, and where they stand."""
    _check(op, mat1, mat2)
    if not mat1._kind.sparse or mat2._kind.sparse:
        refuse(op, (mat1, mat2), "expected a sparse matrix and a dense one")
    source = coalesced(to_coo(mat1))
    array: Any = source._array
    rows, groups = array.indices[0].unique(return_inverse=True)
    products = values_of(source).unsqueeze(1) * mat2.index_select(0, array.indices[1])
    return products.new_zeros((rows.shape[0], mat2.shape[1])).index_add(0, groups, products), rows


def hspmm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """A sparse matrix times a dense one as a hybrid tensor: rows are sparse, columns dense.

    Example:
        >>> tc.hspmm(tc.sparse_coo_tensor([[1], [0]], [2.0], (3, 2)), tc.ones(2, 2))
        tensor(indices=tensor([[1]]),
               values=tensor([[2., 2.]]),
               size=(3, 2), nnz=1, layout=tensorcore.sparse_coo)
    """
    values, rows = _rows_met("hspmm", mat1, mat2)
    return from_values(rows.unsqueeze(0), values, (mat1.shape[0], mat2.shape[1]))


def smm(input: Tensor, mat: Tensor) -> Tensor:
    """A sparse matrix times a dense one as a sparse matrix, with every element of the rows that have some.

    Example:
        >>> tc.smm(tc.sparse_coo_tensor([[1], [0]], [2.0], (3, 2)), tc.ones(2, 2)).to_dense()
        tensor([[0., 0.],
                [2., 2.],
                [0., 0.]])
    """
    values, rows = _rows_met("smm", input, mat)
    width = mat.shape[1]
    places = (rows.unsqueeze(1) * width + _columns(width, rows)).reshape(-1)
    shape = (input.shape[0], width)
    return from_values(unflattened(places, shape), values.reshape(-1), shape)


def _columns(width: int, like: Tensor) -> Tensor:
    from tensorcore.ops.ranges import arange

    return arange(width, device=like.device)


def sspaddmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` of sparse ``input`` and ``mat1``, as a sparse matrix.

    Example:
        >>> tc.sspaddmm(tc.eye(2).to_sparse(), tc.eye(2).to_sparse(), tc.ones(2, 2)).to_dense()
        tensor([[2., 1.],
                [1., 2.]])
    """
    from tensorcore.ops.movement import cat

    if not input._kind.sparse:
        refuse("sspaddmm", (input, mat1, mat2), "input must be sparse; use tc.sparse.addmm with a dense one")
    product = smm(mat1, mat2)
    if input.shape != product.shape:
        raise ShapeError(f"sspaddmm: input of shape {list(input.shape)} is not {list(product.shape)}")
    own, other = as_coordinates(input), product
    values = cat([values_of(own) * beta, values_of(other) * alpha])
    indices = cat([own._array.indices, other._array.indices], 1)
    return from_values(indices, values, tuple(input.shape))
