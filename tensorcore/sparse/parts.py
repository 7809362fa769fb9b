"""Parts of tensors at sparse places, sizes changed in place, diagonals, and sparse tensors written out and copied."""

from __future__ import annotations

from typing import Any

from tensorcore.autograd.graph import LEAF, Node
from tensorcore.autograd.inplace import check_inplace
from tensorcore.dtypes import int64
from tensorcore.errors import LayoutError, ShapeError
from tensorcore.memory_format import sparse_coo
from tensorcore.ops.conversion import transfer
from tensorcore.sparse.arrays import Compressed, Coordinates, wrapped
from tensorcore.sparse.graph import recorded, values_at, with_values
from tensorcore.tensor import Tensor

__all__ = ["sparse_mask", "sparse_resize_", "spdiags"]


def sparse_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``input`` at the places of the sparse tensor ``mask``, in its layout.

    Raises:
        LayoutError: if ``mask`` is dense.
        ShapeError: if the shapes differ.
    """
    if not isinstance(mask, Tensor) or not mask._kind.sparse:
        raise LayoutError(f"sparse_mask: expected a sparse mask, got {getattr(mask, 'layout', type(mask).__name__)}")
    if input.shape != mask.shape:
        raise ShapeError(f"sparse_mask: input of shape {list(input.shape)}, mask of shape {list(mask.shape)}")
    pattern = mask.detach()
    return with_values(pattern, values_at(input, pattern), "SparseMaskBackward0")


def sparse_resize_(input: Tensor, size: Any, sparse_dim: int, dense_dim: int, clear: bool = False) -> Tensor:
    """Another size for a COO tensor in place; see `Tensor.sparse_resize_`."""
    name = "sparse_resize_and_clear_" if clear else "sparse_resize_"
    array = input._require(name, sparse_coo)
    check_inplace(input, name)
    shape = tuple(int(side) for side in size)
    if len(shape) != sparse_dim + dense_dim:
        raise ShapeError(f"{name}: size {list(shape)} must have {sparse_dim} sparse and {dense_dim} dense sides")
    count = 0 if clear else array.values.shape[0]
    if count:
        old, dims = array.shape, array.indices.shape[0]
        if dims != sparse_dim or len(old) - dims != dense_dim:
            raise ShapeError(
                f"{name}: a tensor that stores elements keeps its {dims} sparse and {len(old) - dims} dense dimensions"
            )
        if any(new < before for new, before in zip(shape, old, strict=True)):
            raise ShapeError(f"{name}: a tensor that stores elements cannot shrink, from {list(old)} to {list(shape)}")
        values = array.values
        if shape[dims:] != tuple(old[dims:]):
            values = values.new_zeros((count, *shape[dims:]))
            values[(slice(None), *(slice(0, side) for side in old[dims:]))] = array.values
        array.become(Coordinates(array.indices, values, shape, array.coalesced))
        return input
    indices = array.indices.new_zeros((sparse_dim, 0))
    array.become(Coordinates(indices, array.values.new_zeros((0, *shape[sparse_dim:])), shape, True))
    return input


def spdiags(diagonals: Tensor, offsets: Tensor, shape: Any, layout: Any = None) -> Tensor:
    """A sparse matrix whose diagonal ``offsets[i]`` is row ``i`` of ``diagonals``, read by column.

    Raises:
        ShapeError, DTypeError: for parts that do not fit one another; an offset may come once.

    Example:
        >>> tc.sparse.spdiags(tc.tensor([[1.0, 2.0], [3.0, 4.0]]), tc.tensor([0, 1]), (2, 2)).to_dense()
        tensor([[1., 4.],
                [0., 2.]])
    """
    from tensorcore.ops.movement import stack
    from tensorcore.ops.ranges import arange
    from tensorcore.sparse.conversion import coalesced, to_sparse
    from tensorcore.sparse.graph import from_values

    rows = diagonals.unsqueeze(0) if diagonals.ndim == 1 else diagonals
    places = offsets.reshape(1) if offsets.ndim == 0 else offsets
    if rows.ndim != 2 or places.ndim != 1 or rows.shape[0] != places.shape[0] or len(shape) != 2:
        raise ShapeError(
            f"spdiags: expected a row of diagonals for each offset and a size of 2 sides, got diagonals "
            f"{list(diagonals.shape)}, offsets {list(offsets.shape)} and shape {list(shape)}"
        )
    if places.dtype is not int64:
        raise ShapeError(f"spdiags: offsets must be int64, got {places.dtype}")
    if places.unique().shape[0] != places.shape[0]:
        raise ShapeError(f"spdiags: an offset comes twice in {places.tolist()}")
    height, width = int(shape[0]), int(shape[1])
    columns = arange(rows.shape[1], device=rows.device).expand(rows.shape)
    lines = columns - places.unsqueeze(1)
    keep = ((lines >= 0) & (lines < height) & (columns < width)).reshape(-1).nonzero()[:, 0]
    indices = stack([lines.reshape(-1).index_select(0, keep), columns.reshape(-1).index_select(0, keep)])
    made = from_values(indices, rows.reshape(-1).index_select(0, keep), (height, width))
    return made if layout in (None, sparse_coo) else to_sparse(coalesced(made), layout=layout)


# ------------------------------------------------------------------ elsewhere, and again


def moved(x: Tensor, device: Any, non_blocking: bool) -> Tensor:
    """A sparse tensor on another device."""

    def bring(part: Tensor) -> Tensor:
        return transfer(part.detach(), device, non_blocking)

    array: Any = x._array
    if array.layout is sparse_coo:
        made: Any = Coordinates(bring(array.indices), bring(array.values), array.shape, array.coalesced)
    else:
        made = Compressed(array.layout, bring(array.compressed), bring(array.plain), bring(array.values), array.shape)
    source = x.device
    return recorded("ToCopyBackward0", (x,), wrapped(made), lambda g: g.to(source))


def rebuild(cls: type, parts: tuple[Any, ...], facts: tuple[Any, ...], leaf: bool) -> Tensor:
    """A pickled sparse tensor."""
    from tensorcore.tensor import wrap

    if facts[0] is sparse_coo:
        array: Any = Coordinates(*parts, *facts[1:])
    else:
        array = Compressed(facts[0], *parts, *facts[1:])
    found = wrapped(array)
    made = wrap(array, found._kind, cls)
    made._node = LEAF if leaf else None
    return made


def reduced(x: Tensor) -> Any:
    """What pickling a sparse tensor keeps."""
    if isinstance(x._node, Node):
        raise RuntimeError("pickle: only leaf tensors are pickled; use .detach() for others")
    array: Any = x._array
    facts = (array.layout, array.shape, *((array.coalesced,) if array.layout is sparse_coo else ()))
    return (rebuild, (type(x), array.parts(), facts, x._node is LEAF))
