"""Composites that join, split, repeat and turn tensors, over those of `movement`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import INTEGER, int64
from tensorcore.errors import DimensionError, DTypeError, ShapeError
from tensorcore.ops.movement import cat, flip, reshape, stack
from tensorcore.ops.parts import narrow
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.shapes import normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ROWS = ({"shapes": ((2, 3), (2, 3))},)

# ------------------------------------------------------------------ at least so many dimensions


def _each(tensors: tuple[Any, ...], function: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        return tuple(map(function, tensors[0]))
    return function(tensors[0]) if len(tensors) == 1 else tuple(map(function, tensors))


def _row(x: Any) -> Any:
    if x.ndim == 0:
        return reshape(x, (1, 1))
    return x.unsqueeze(0) if x.ndim == 1 else x


def _block(x: Any) -> Any:
    if x.ndim == 0:
        return reshape(x, (1, 1, 1))
    return x.unsqueeze(0).unsqueeze(-1) if x.ndim == 1 else x.unsqueeze(-1) if x.ndim == 2 else x


@composite(namespaces=("",))
def atleast_1d(*tensors: Tensor) -> Any:
    """Tensors with 0-d ones made 1-d.

    Example:
        >>> tc.atleast_1d(tc.tensor(1.5)), tc.atleast_1d(tc.tensor(1), tc.tensor([2, 3]))
        (tensor([1.5000]), (tensor([1]), tensor([2, 3])))
    """
    return _each(tensors, lambda x: reshape(x, (1,)) if x.ndim == 0 else x)


@composite(namespaces=("",))
def atleast_2d(*tensors: Tensor) -> Any:
    """Tensors with those of fewer than 2 dimensions made a row.

    Example:
        >>> tc.atleast_2d(tc.tensor([1, 2])), tc.atleast_2d(tc.tensor(1), tc.ones(1, 2, 3))[1].shape
        (tensor([[1, 2]]), tensorcore.Size([1, 2, 3]))
    """
    return _each(tensors, _row)


@composite(namespaces=("",))
def atleast_3d(*tensors: Tensor) -> Any:
    """Tensors with those of fewer than 3 dimensions given a last one of side 1, and vectors a first one.

    Example:
        >>> tc.atleast_3d(tc.tensor([1, 2]))
        tensor([[[1],
                 [2]]])
        >>> tc.atleast_3d(tc.ones(2, 3)).shape
        tensorcore.Size([2, 3, 1])
    """
    return _each(tensors, _block)


# ------------------------------------------------------------------ joining


@composite(namespaces=("",), samples=_ROWS)
def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along the second dimension, vectors along the first.

    Raises:
        ShapeError: if the other sides differ.

    Example:
        >>> tc.hstack((tc.tensor([1, 2]), tc.tensor([3])))
        tensor([1, 2, 3])
        >>> tc.hstack((tc.tensor([[1], [2]]), tc.tensor([[3], [4]])))
        tensor([[1, 3],
                [2, 4]])
    """
    parts = [reshape(x, (1,)) if x.ndim == 0 else x for x in tensors]
    return cat(parts, 0 if parts and parts[0].ndim == 1 else 1)


@composite(namespaces=("",), aliases=("row_stack",), samples=_ROWS)
def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along the first dimension, vectors as rows.

    Raises:
        ShapeError: if the other sides differ.

    Example:
        >>> tc.vstack((tc.tensor([1, 2]), tc.tensor([[3, 4], [5, 6]])))
        tensor([[1, 2],
                [3, 4],
                [5, 6]])
    """
    return cat([_row(x) for x in tensors], 0)


@composite(namespaces=("",), samples=_ROWS)
def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along the third dimension.

    Raises:
        ShapeError: if the other sides differ.

    Example:
        >>> tc.dstack((tc.tensor([1, 2]), tc.tensor([3, 4])))
        tensor([[[1, 3],
                 [2, 4]]])
    """
    return cat([_block(x) for x in tensors], 2)


@composite(namespaces=("",), samples=_ROWS)
def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors joined along the second dimension, vectors as columns.

    Raises:
        ShapeError: if the other sides differ.

    Example:
        >>> tc.column_stack((tc.tensor([1, 2]), tc.tensor([[3, 4], [5, 6]])))
        tensor([[1, 3, 4],
                [2, 5, 6]])
    """
    return cat([reshape(x, (x.numel(), 1)) if x.ndim < 2 else x for x in tensors], 1)


@composite(namespaces=("",))
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All choices of one element of each vector, a row each.

    Example:
        >>> tc.cartesian_prod(tc.tensor([1, 2]), tc.tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])
    """
    from tensorcore.ops.ranges import meshgrid

    if len(tensors) == 1:
        return tensors[0]
    return stack([grid.reshape(-1) for grid in meshgrid(*tensors, indexing="ij")], 1)


@composite(samples=({"shapes": ((4,),)},), namespaces=("",))
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All choices of ``r`` elements of a vector, a row each, in order.

    Example:
        >>> tc.combinations(tc.tensor([1, 2, 3]))
        tensor([[1, 2],
                [1, 3],
                [2, 3]])
        >>> tc.combinations(tc.tensor([1, 2]), with_replacement=True)
        tensor([[1, 1],
                [1, 2],
                [2, 2]])
    """
    from tensorcore.ops.creation import tensor

    if input.ndim != 1:
        raise ShapeError(f"combinations: expected a vector, got shape {list(input.shape)}")
    if r == 2:
        from tensorcore.ops.diagonal import triu_indices

        pairs = triu_indices(input.shape[0], input.shape[0], int(not with_replacement), device=input.device)
        return input[pairs.t()]
    chosen = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(chosen(range(input.shape[0]), r))
    return input[tensor(places, dtype=int64, device=input.device).reshape((len(places), r))]


# ------------------------------------------------------------------ splitting


@composite(samples=({"shapes": ((5, 4),), "args": (2,)}, {"shapes": ((5, 4),), "args": ((1, 3),)}))
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along ``dim``: so many of nearly equal size, the larger first, or cut at the places given.

    Example:
        >>> tc.tensor_split(tc.arange(7), 3), tc.tensor_split(tc.arange(4), (1, 3))
        ((tensor([0, 1, 2]), tensor([3, 4]), tensor([5, 6])), (tensor([0]), tensor([1, 2]), tensor([3])))
    """
    if input.ndim == 0:
        raise DimensionError("tensor_split: a 0-d tensor has no dimension to split")
    place = normalize_dim(dim, input.ndim, "tensor_split")
    side = input.shape[place]
    if hasattr(indices_or_sections, "tolist"):
        indices_or_sections = indices_or_sections.tolist()
    if hasattr(indices_or_sections, "__index__"):
        count = int(indices_or_sections)
        if count < 1:
            raise ShapeError(f"tensor_split: expected at least 1 part, got {count}")
        size, larger = divmod(side, count)
        cuts = [min(i, larger) + i * size for i in range(1, count)]
    else:
        cuts = [range(side)[:cut].stop for cut in indices_or_sections]
    edges = [0, *cuts, side]
    return tuple(narrow(input, place, start, max(stop - start, 0)) for start, stop in itertools.pairwise(edges))


def _split_along(op: str, input: Any, indices_or_sections: Any, dim: int) -> Any:
    if input.ndim <= dim and not (dim == 1 and input.ndim == 1):
        raise ShapeError(f"{op}: expected at least {dim + 1} dimensions, got shape {list(input.shape)}")
    place = 0 if input.ndim == 1 else dim
    if (
        hasattr(indices_or_sections, "__index__")
        and int(indices_or_sections)
        and input.shape[place] % int(indices_or_sections)
    ):
        raise ShapeError(f"{op}: side {input.shape[place]} does not divide into {indices_or_sections} equal parts")
    return tensor_split(input, indices_or_sections, place)


@composite(samples=({"shapes": ((2, 4),), "args": (2,)},))
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along the second dimension, of a vector along the first; so many parts must be equal.

    Raises:
        ShapeError: for a 0-d tensor, or parts that would not be equal.

    Example:
        >>> tc.hsplit(tc.tensor([[1, 2, 3, 4]]), 2), tc.hsplit(tc.tensor([1, 2, 3]), (1,))
        ((tensor([[1, 2]]), tensor([[3, 4]])), (tensor([1]), tensor([2, 3])))
    """
    if input.ndim == 0:
        raise ShapeError("hsplit: a 0-d tensor has no dimension to split")
    return _split_along("hsplit", input, indices_or_sections, 1)


@composite(samples=({"shapes": ((4, 2),), "args": (2,)},))
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along the first dimension of a matrix or larger; so many parts must be equal.

    Raises:
        ShapeError: for fewer than 2 dimensions, or parts that would not be equal.

    Example:
        >>> tc.vsplit(tc.tensor([[1, 2], [3, 4]]), 2)
        (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    if input.ndim < 2:
        raise ShapeError(f"vsplit: expected at least 2 dimensions, got shape {list(input.shape)}")
    return _split_along("vsplit", input, indices_or_sections, 0)


@composite(samples=({"shapes": ((2, 2, 4),), "args": (2,)},))
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """`tensor_split` along the third dimension; so many parts must be equal.

    Raises:
        ShapeError: for fewer than 3 dimensions, or parts that would not be equal.

    Example:
        >>> tc.dsplit(tc.tensor([[[1, 2, 3]]]), (1, 2))
        (tensor([[[1]]]), tensor([[[2]]]), tensor([[[3]]]))
    """
    return _split_along("dsplit", input, indices_or_sections, 2)


# ------------------------------------------------------------------ repeating and turning


@composite(samples=({"shapes": ((3, 4),), "args": (2,)}, {"shapes": ((3, 4),), "args": (2, 1)}))
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
    """Each slice along ``dim`` (each element by default) repeated ``repeats`` times, an int or an int for each.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.repeat_interleave(x, 2)
        tensor([1, 1, 2, 2, 3, 3, 4, 4])
        >>> tc.repeat_interleave(x, tc.tensor([1, 2]), dim=0)
        tensor([[1, 2],
                [3, 4],
                [3, 4]])
    """
    if dim is None:
        return repeat_interleave(input.reshape(-1), repeats, 0)
    place = normalize_dim(dim, input.ndim, "repeat_interleave")
    side = input.shape[place]
    if hasattr(repeats, "_array"):
        if repeats.dtype.category != INTEGER:
            raise DTypeError(f"repeat_interleave: repeats must be integers, got {repeats.dtype}")
        counts = repeats.reshape(-1).tolist()
    else:
        counts = [repeats] if hasattr(repeats, "__index__") else list(repeats)
    counts = counts * side if len(counts) == 1 else counts
    if len(counts) != side:
        raise ShapeError(f"repeat_interleave: {len(counts)} repeats for dimension {place} of shape {list(input.shape)}")
    if min(counts, default=0) < 0:
        raise ShapeError(f"repeat_interleave: repeats must not be negative, got {min(counts)}")
    if len(set(counts)) == 1:
        wide = [*input.shape[: place + 1], counts[0], *input.shape[place + 1 :]]
        joined = [*input.shape[:place], side * counts[0], *input.shape[place + 1 :]]
        return REGISTRY["copy"].emit(input.unsqueeze(place + 1).expand(wide)).reshape(joined)
    from tensorcore.ops.creation import tensor

    places = [i for i, count in enumerate(counts) for _ in range(count)]
    return input.index_select(place, tensor(places, dtype=int64, device=input.device))


@composite(samples=({"shapes": ((3, 4),)},), ulp=0)
def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order, as a copy.

    Raises:
        ShapeError: for fewer than 2 dimensions.

    Example:
        >>> tc.fliplr(tc.tensor([[1, 2], [3, 4]]))
        tensor([[2, 1],
                [4, 3]])
    """
    if input.ndim < 2:
        raise ShapeError(f"fliplr: expected at least 2 dimensions, got shape {list(input.shape)}")
    return flip(input, 1)


@composite(samples=({"shapes": ((3, 4),)},), ulp=0)
def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order, as a copy.

    Raises:
        ShapeError: for a 0-d tensor.

    Example:
        >>> tc.flipud(tc.tensor([[1, 2], [3, 4]]))
        tensor([[3, 4],
                [1, 2]])
    """
    if input.ndim < 1:
        raise ShapeError("flipud: expected at least 1 dimension, got a 0-d tensor")
    return flip(input, 0)


@composite(samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "k": 2}), ulp=0)
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """The tensor turned ``k`` times by 90 degrees in the plane of two dimensions, from the first towards the second.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.rot90(x)
        tensor([[2, 4],
                [1, 3]])
        >>> tc.rot90(x, -1)
        tensor([[3, 1],
                [4, 2]])
    """
    first, second = normalize_dims(tuple(dims), input.ndim, "rot90")
    turns = k % 4
    if turns == 0:
        return input.clone()
    if turns == 2:
        return flip(input, (first, second))
    return flip(input, second).transpose(first, second) if turns == 1 else flip(input.transpose(first, second), second)


@composite(namespaces=("Tensor",), samples=({"shapes": ((3, 4),), "args": (3, 1)},))
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The tensor summed to a shape that broadcasts to its own: what a gradient needs where broadcasting is undone.

    Raises:
        ShapeError: if the shape does not broadcast to the tensor's.

    Example:
        >>> tc.ones(2, 3).sum_to_size(1, 3)
        tensor([[2., 2., 2.]])
        >>> tc.ones(2, 3).sum_to_size(2, 1)
        tensor([[3.],
                [3.]])
    """
    wanted = tuple(size[0]) if len(size) == 1 and not hasattr(size[0], "__index__") else tuple(size)
    lead = input.ndim - len(wanted)
    if lead < 0 or any(a not in (1, b) for a, b in zip(wanted, input.shape[lead:], strict=True)):
        raise ShapeError(f"sum_to_size: shape {list(wanted)} does not broadcast to {list(input.shape)}")
    dims = [d for d in range(input.ndim) if d < lead or (wanted[d - lead] == 1 and input.shape[d] != 1)]
    total = input.sum(dims, keepdim=True) if dims else input
    return total.reshape(wanted) if lead else total


@composite(samples=({"shapes": ((2, 3),)},))
def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged, and the conjugate taken.

    Example:
        >>> tc.adjoint(tc.tensor([[1 + 1j, 2], [3, 4 - 2j]]))
        tensor([[1.-1.j, 3.-0.j],
                [2.-0.j, 4.+2.j]])
    """
    return input.mH
