"""Places found: in sorted rows by bisection, of elements that are not zero, of numbers in a shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import BOOL, COMPLEX, INTEGER, DType, bool_, int32, int64, uint8
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import full
from tensorcore.ops.indexing import gather, nonzero
from tensorcore.ops.indexing import index as pick
from tensorcore.ops.movement import cat
from tensorcore.ops.ordering import values_in_order
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import any as any_
from tensorcore.shapes import normalize_shape

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


def _found(dtype: DType, op: str) -> tuple[DType, DType]:
    if dtype.category in (BOOL, COMPLEX):
        raise DTypeError(f"{op}: got a tensor of dtype {dtype}, expected an integer or floating-point dtype")
    return dtype, int64


def _tensor(value: Any, device: Any) -> Any:
    """A number as a 0-d tensor, which promotes as numbers do."""
    return value if hasattr(value, "_array") else full((), value, device=device)


def _right(op: str, right: bool, side: str | None) -> bool:
    if side is None:
        return bool(right)
    if side not in ("left", "right"):
        raise RangeError(f"{op}: side must be 'left' or 'right', got {side!r}")
    if side == "left" and right:
        raise RangeError(f"{op}: side='left' and right=True contradict each other; give one")
    return side == "right"


_ROWS: Final = (
    {"shapes": ((5,), (3, 2)), "prepare": ("ascending",)},
    {"shapes": ((2, 5), (2, 3)), "prepare": ("ascending",), "right": True},
)


@composite(rule=_found, namespaces=(), samples=_ROWS, ulp=0)
def search(sequence: Tensor, input: Tensor, right: bool = False) -> Tensor:
    """How many elements of a row of ``sequence`` lie below those of ``input`` (or, ``right``, not above), by bisection.

    ``sequence`` has one row, or the dimensions of ``input`` with one row for each. Where it is not in order, what
    bisection finds; NaN lies above all.
    """
    return search.emit(sequence, input, right=right)


@search.expression
def _search(sequence: Tensor, input: Tensor, *, right: bool) -> Tensor:
    side = sequence.shape[-1]
    low = e.ne(input, input).to(int64) * 0
    if side == 0 or input.numel() == 0:
        return low
    high = low + side
    above = e.gt if right else e.ge
    for _ in range(side.bit_length()):
        middle = e.bitwise_right_shift(low + high, 1)
        at = e.minimum(middle, side - 1)
        value = pick.emit(sequence, at) if sequence.ndim == 1 else gather.emit(sequence, at, dim=sequence.ndim - 1)
        # Asked this way round, a comparison with NaN goes on to the right.
        on = e.bitwise_and(e.bitwise_not(above(value, input)), e.lt(low, high))
        low, high = e.where(on, middle + 1, low), e.where(on, high, middle)
    return low


@composite(
    namespaces=("",), operands=("sorted_sequence", "input"), ulp=0,
    samples=(
        *_ROWS,
        {"shapes": ((5,), (3,)), "prepare": ("ascending",), "side": "right"},
        {"shapes": ((5,), (3,)), "prepare": ("ascending",), "out_int32": True},
    ),
)  # fmt: skip
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Places in rows of ``sorted_sequence`` at which the elements of ``input`` keep the order.

    Args:
        sorted_sequence: (..., side), each row in rising order; NaN is largest.
        input: of the same leading sides, or of any shape where there is one row; or a number.
        out_int32: whether the result is int32, not int64.
        right: whether equal elements stay to the left of the place, and not to the right; ``side="right"`` as well.
        sorter: int64 of the shape of ``sorted_sequence``, the places that bring it into order.

    Raises:
        ShapeError: if the shapes do not fit.
        DTypeError: for complex, or for a ``sorter`` that is not int64.
        RangeError: for another ``side``, or places of ``sorter`` out of range.

    Example:
        >>> tc.searchsorted(tc.tensor([1, 3, 5]), tc.tensor([3, 6]))
        tensor([1, 3])
    """
    op = "searchsorted"
    taken = _right(op, right, side)
    input = _tensor(input, sorted_sequence.device)
    held, sought = sorted_sequence._array.shape, input._array.shape
    if not held:
        raise ShapeError(f"{op}: expected a sorted_sequence of at least 1 dimension, got a 0-d tensor")
    if len(held) > 1 and (len(sought) != len(held) or sought[:-1] != held[:-1]):
        raise ShapeError(
            f"{op}: expected an input with the leading sides {list(held[:-1])} of sorted_sequence, or a "
            f"sorted_sequence of 1 dimension; got shapes {list(input.shape)} and {list(sorted_sequence.shape)}"
        )
    if sorter is not None:
        sorted_sequence = _in_order(op, sorted_sequence, sorter)
    if sorted_sequence.dtype is bool_ and input.dtype is not bool_:
        sorted_sequence = sorted_sequence.to(uint8)
    places = search.emit(sorted_sequence.detach(), input.detach(), right=taken)
    return places.to(int32) if out_int32 else places


def _in_order(op: str, sequence: Any, sorter: Any) -> Any:
    if sorter.dtype is not int64:
        raise DTypeError(f"{op}: sorter must be int64, got {sorter.dtype}")
    if sorter.shape != sequence.shape:
        raise ShapeError(
            f"{op}: sorter must have the shape of sorted_sequence, got {list(sorter.shape)} and {list(sequence.shape)}"
        )
    if sorter.numel() and not bool(everywhere((sorter >= 0) & (sorter < sequence.shape[-1])).all()):
        raise RangeError(f"{op}: sorter holds places out of range for a side of {sequence.shape[-1]}")
    return gather(sequence, -1, sorter)


@composite(
    namespaces=("",), operands=("input", "boundaries"), ulp=0,
    samples=(
        {"shapes": ((3, 2), (4,)), "prepare": (None, "ascending")},
        {"shapes": ((3,), (4,)), "prepare": (None, "ascending"), "right": True},
    ),
)  # fmt: skip
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Number of the bucket between the rising ``boundaries`` in which each element of ``input`` lies.

    Args:
        input: a tensor of any shape, or a number.
        boundaries: of 1 dimension. Bucket i ends with, and holds, its boundary i; with ``right`` it begins there.

    Raises:
        ShapeError: if ``boundaries`` has not 1 dimension.
        DTypeError: for complex.

    Example:
        >>> tc.bucketize(tc.tensor([3, 6]), tc.tensor([1, 3, 5]), right=True)
        tensor([2, 3])
    """
    if boundaries.ndim != 1:
        raise ShapeError(f"bucketize: expected boundaries of 1 dimension, got shape {list(boundaries.shape)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


#: Test elements up to which comparing with each of them costs less than sorting them.
_FEW: Final = 8


@composite(
    namespaces=("",), operands=("elements", "test_elements"), ulp=0,
    samples=({"shapes": ((3, 4), (5,)), "dtypes": ("int64", "int64")},),
)  # fmt: skip
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element is among ``test_elements``; ``invert`` asks whether it is not. One of them may be a number.

    Example:
        >>> tc.isin(tc.tensor([1, 2, 3]), tc.tensor([2, 5]))
        tensor([False,  True, False])
    """
    if not hasattr(test_elements, "_array"):
        return e.ne(elements, test_elements) if invert else e.eq(elements, test_elements)
    elements = _tensor(elements, test_elements.device).detach()
    wanted = test_elements.detach().reshape(-1)
    count = wanted.shape[0]
    if count <= _FEW or COMPLEX in (elements.dtype.category, wanted.dtype.category):
        found = any_(e.eq(elements.unsqueeze(-1), wanted), -1)
    else:
        from tensorcore.inquiry import result_type

        common = result_type(elements, wanted)
        elements, wanted = (x.to(uint8 if common is bool_ else common) for x in (elements, wanted))
        wanted = values_in_order.emit(wanted, dim=0)
        places = search.emit(wanted, elements, right=False)
        found = e.eq(pick.emit(wanted, e.minimum(places, count - 1)), elements)
    return e.bitwise_not(found) if invert else found


# ------------------------------------------------------------------ places in a shape


@composite(
    samples=({"shapes": ((3, 4),), "size": 20}, {"shapes": ((3, 4),), "size": 2, "fill_value": 7}), ulp=0,
    by_example="constant",
)  # fmt: skip
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """`nonzero` of ``size`` rows: the first ones, or followed by rows of ``fill_value``.

    Raises:
        RangeError: if ``size`` is negative.

    Example:
        >>> tc.nonzero_static(tc.tensor([0, 1, 2]), size=3)
        tensor([[ 1],
                [ 2],
                [-1]])
    """
    if size < 0:
        raise RangeError(f"nonzero_static: size must not be negative, got {size}")
    found = nonzero(input)
    held = found.shape[0]
    if held >= size:
        return found.narrow(0, 0, size)
    return cat([found, full((size - held, input.ndim), fill_value, dtype=int64, device=input.device)])


@composite(
    namespaces=("",), ulp=0,
    samples=({"shapes": ((5,),), "dtypes": ("int64",), "domains": ((0, 11),), "args": ((3, 4),)},),
)  # fmt: skip
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Coordinates in a tensor of ``shape`` of places in the flattened tensor, a tensor for each dimension.

    Raises:
        TypeError: unless ``indices`` holds integers.
        ValueError: if ``shape`` has a negative side.

    Example:
        >>> tc.unravel_index(tc.tensor([3, 5]), (2, 3))
        (tensor([1, 1]), tensor([0, 2]))
    """
    if indices.dtype.category != INTEGER:
        raise DTypeError(f"unravel_index: indices must be of an integer dtype, got {indices.dtype}")
    indices = indices.to(int64)
    sides = normalize_shape((shape,), "unravel_index") if hasattr(shape, "__len__") else (shape.__index__(),)
    if min(sides, default=0) < 0:
        raise ValueError(f"unravel_index: shape must not have negative sides, got {list(sides)}")
    steps = [math.prod(sides[d + 1 :]) for d in range(len(sides))]
    return tuple(
        e.remainder(indices if step == 1 else e.floor_divide(indices, step), side)
        for step, side in zip(steps, sides, strict=True)
    )


__all__ = ["bucketize", "isin", "nonzero_static", "searchsorted", "unravel_index"]
