"""Composites that join, split, repeat and turn tensors, over those of `movement`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import INTEGER, int64
from tensorcore.errors import DimensionError, DTypeError, ShapeError
from tensorcore.ops.creation import tensor
from tensorcore.ops.movement import cat, flip, reshape, stack
from tensorcore.ops.parts import narrow
from tensorcore.ops.ranges import arange
from tensorcore.ops.record import REGISTRY, composite
from tensorcore.ops.searching import searchsorted
from tensorcore.shapes import normalize_dim, normalize_dims, normalize_shape, whole_number

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

    Raises:
        ShapeError: for a tensor that is no vector.

    Example:
        >>> tc.cartesian_prod(tc.tensor([1, 2]), tc.tensor([3, 4]))
        tensor([[1, 3],
                [1, 4],
                [2, 3],
                [2, 4]])
    """
    from tensorcore.ops.ranges import meshgrid

    for place, x in enumerate(tensors):
        if x.ndim != 1:
            raise ShapeError(f"cartesian_prod: expected vectors, got shape {list(x.shape)} at place {place}")
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


@composite(samples=({"shapes": ((3, 4),), "args": (2,)}, {"shapes": ((3, 4),), "args": (2, 1)}), by_example="values")
def repeat_interleave(
    input: Tensor | None = None, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each slice along ``dim`` (each element by default) repeated ``repeats`` times, an int or an int for each.

    Given ``repeats`` alone, the places 0, 1, ..., each repeated so many times. ``output_size`` is how many slices that
    makes, which is checked.

    Raises:
        DTypeError: for ``repeats`` that are no integers.
        ShapeError: for fewer or more repeats than slices, negative ones, or another ``output_size``.

    Example:
        >>> x = tc.tensor([[1, 2], [3, 4]])
        >>> tc.repeat_interleave(x, 2)
        tensor([1, 1, 2, 2, 3, 3, 4, 4])
        >>> tc.repeat_interleave(x, tc.tensor([1, 2]), dim=0)
        tensor([[1, 2],
                [3, 4],
                [3, 4]])
        >>> tc.repeat_interleave(tc.tensor([1, 0, 2]))
        tensor([0, 2, 2])
    """
    if repeats is None or input is None:
        counts = input if repeats is None else repeats
        if counts is None:
            raise TypeError("repeat_interleave: expected a tensor and repeats, or repeats alone; got neither")
        if counts.ndim != 1:
            raise ShapeError(f"repeat_interleave: expected repeats of 1 dimension, got shape {list(counts.shape)}")
        return _repeated_places(counts, output_size).to(counts.dtype)
    if dim is None:
        input, dim = input.reshape(-1), 0
    place = normalize_dim(dim, input.ndim, "repeat_interleave")
    if input.ndim == 0:
        raise DimensionError("repeat_interleave: a 0-d tensor has no dimension to repeat along; leave dim out")
    side = input.shape[place]
    if not hasattr(repeats, "_array") and hasattr(repeats, "__len__"):
        repeats = tensor([whole_number(each, "repeat_interleave", "repeats") for each in repeats], dtype=int64)
        repeats = repeats.to(input.device)
    if hasattr(repeats, "_array") and repeats.numel() != 1:
        if repeats.ndim != 1 or len(repeats) != side:
            raise ShapeError(
                f"repeat_interleave: {repeats.numel()} repeats, of shape {list(repeats.shape)}, for dimension {place} "
                f"of shape {list(input.shape)}"
            )
        return input.index_select(place, _repeated_places(repeats, output_size))
    _check_counts(repeats)
    count = int(repeats)
    if count < 0:
        raise ShapeError(f"repeat_interleave: repeats must not be negative, got {count}")
    _check_size(side * count, output_size)
    wide = [*input.shape[: place + 1], count, *input.shape[place + 1 :]]
    joined = [*input.shape[:place], side * count, *input.shape[place + 1 :]]
    return REGISTRY["copy"].emit(input.unsqueeze(place + 1).expand(wide)).reshape(joined)


def _repeated_places(counts: Any, output_size: int | None) -> Any:
    """The places of ``counts``, each as often as its count says."""
    _check_counts(counts)
    if len(counts) and (least := int(counts.min().item())) < 0:
        raise ShapeError(f"repeat_interleave: repeats must not be negative, got {least}")
    ends = counts.cumsum(0)
    total = int(ends[-1].item()) if len(counts) else 0
    _check_size(total, output_size)
    return searchsorted(ends, arange(total, device=counts.device), right=True)


def _check_counts(counts: Any) -> None:
    if hasattr(counts, "_array") and counts.dtype.category != INTEGER:
        raise DTypeError(f"repeat_interleave: repeats must be integers, got {counts.dtype}")
    if not hasattr(counts, "__index__"):
        raise TypeError(
            f"repeat_interleave: repeats must be an int or a tensor, got {type(counts).__name__} {counts!r:.60}"
        )


def _check_size(size: int, output_size: int | None) -> None:
    if output_size not in (None, size):
        raise ShapeError(f"repeat_interleave: output_size={output_size}, the repeats make {size}")


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
    wanted = normalize_shape(size, "sum_to_size")
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
    return input.mH if input.ndim else input.conj()
