"""What stands at a place of the order: k-th values, medians, quantiles; and the most frequent element."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.autograd.mode import mode as mode_of_gradients
from tensorcore.dtypes import BOOL, FLOATING, float32, float64, iinfo, int64
from tensorcore.errors import DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.levels import everywhere
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import full, ramp
from tensorcore.ops.cumulative import cummax
from tensorcore.ops.indexing import gather
from tensorcore.ops.movement import cat
from tensorcore.ops.ordering import placed_rule, values_in_order
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import argmax, sort
from tensorcore.ops.returns import named
from tensorcore.ops.rules import real, real_number
from tensorcore.random.samplers import rounded_to
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ALONG: Final = ({"shapes": ((3, 5),), "args": (1,)}, {"shapes": ((4, 3, 2),), "args": (0,), "keepdim": True})


def _picked(input: Any, dim: int, rank: Any, keepdim: bool) -> tuple[Any, Any]:
    """The elements at ``rank`` of the order along ``dim`` (a number, or a tensor of one rank per row), with places."""
    ordered = sort.emit(input, dim=dim, descending=False)
    if hasattr(rank, "_array"):
        values, indices = (gather.emit(part, rank, dim=dim) for part in ordered)
    else:
        values, indices = (part.narrow(dim, rank, 1) for part in ordered)
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def _place(op: str, input: Any, dim: int) -> int:
    """``dim`` counted from the front, along which there must be elements."""
    place = normalize_dim(dim, input.ndim, op)
    if input.ndim and input.shape[place] == 0:
        raise DimensionError(f"{op}: no elements along dimension {place} of shape {list(input.shape)}")
    return place


def _emitted(op: Any, name: str, input: Any, place: int, keepdim: bool, **attributes: Any) -> Any:
    """The named result of ``op.emit``, a 0-d tensor taken as one of one element."""
    if input.ndim == 0:
        values, indices = op.emit(input.reshape((1,)), dim=0, keepdim=False, **attributes)
    else:
        values, indices = op.emit(input, dim=place, keepdim=keepdim, **attributes)
    return named(name, values=values, indices=indices)


# ------------------------------------------------------------------ k-th values and medians


@composite(
    rule=real_number, vjp=placed_rule, outputs=2, ulp=0,
    samples=({"shapes": ((3, 4),), "args": (2,)}, {"shapes": ((3, 4),), "args": (1,), "dim": 0, "keepdim": True}),
)  # fmt: skip
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The ``k``-th smallest element along ``dim``, counted from 1, as (values, indices); NaN counts as largest.

    Of equal elements the one whose place a stable sort gives.

    Raises:
        RangeError: if ``k`` is not between 1 and the side.
        DTypeError: for bool and complex.

    Example:
        >>> tc.kthvalue(tc.tensor([3, 1, 2]), 2).values
        tensor(2)
    """
    place = _place("kthvalue", input, dim)
    side = input.shape[place] if input.ndim else 1
    if not 1 <= k <= side:
        raise RangeError(
            f"kthvalue: k={k} is out of range for the side {side} of dimension {place} of shape {list(input.shape)}"
        )
    return _emitted(kthvalue, "kthvalue", input, place, keepdim, k=int(k))


@kthvalue.expression
def _kthvalue(input: Tensor, *, k: int, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    return _picked(input, dim, k - 1, keepdim)


@composite(rule=real_number, vjp=placed_rule, outputs=2, namespaces=(), samples=_ALONG, ulp=0)
def median_along(input: Tensor, dim: int, keepdim: bool = False, skip: bool = False) -> tuple[Tensor, Tensor]:
    """The lower of the middle elements along ``dim`` and its place; NaN if there is one, or ``skip`` leaves NaN out."""
    return median_along.emit(input, dim=dim % input.ndim, keepdim=keepdim, skip=skip)


@median_along.expression
def _median_along(input: Tensor, *, dim: int, keepdim: bool, skip: bool) -> tuple[Tensor, Tensor]:
    side = input.shape[dim]
    if input.dtype.category != FLOATING:
        return _picked(input, dim, (side - 1) // 2, keepdim)
    # Sorting puts NaN last: skipped, the middle is that of the others; else one NaN is the median.
    held = e.eq(input, input).sum(dim, True)
    middle = e.floor_divide(e.maximum(held - 1, 0), 2)
    if not skip:
        middle = e.where(e.lt(held, side), held, middle)
    return _picked(input, dim, middle, keepdim)


def _median(op: str, input: Any, dim: int | None, keepdim: bool, skip: bool) -> Any:
    if input.dtype.category == BOOL or input.is_complex():
        raise DTypeError(f"{op}: expected real numbers, got {input.dtype}")
    if dim is not None:
        return _emitted(median_along, op, input, _place(op, input, dim), keepdim, skip=skip)
    if input.numel() == 0:
        return input.new_full((), math.nan if input.dtype.category == FLOATING else iinfo(input.dtype).min)
    return median_along.emit(input.reshape((-1,)), dim=0, keepdim=False, skip=skip)[0]


@composite(samples=({"shapes": ((3, 5),)}, {"shapes": ((3, 4),), "dim": 1}), ulp=0)
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element in order, the lower of two; along ``dim``, as (values, indices); NaN if there is one.

    Raises:
        DTypeError: for bool and complex.
        DimensionError: if there are no elements along ``dim``.

    Example:
        >>> tc.median(tc.tensor([5.0, 1.0, 3.0, 2.0]))
        tensor(2.)
    """
    return _median("median", input, dim, keepdim, False)


@composite(samples=({"shapes": ((3, 5),)}, {"shapes": ((3, 4),), "dim": 1}), ulp=0)
def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """`median` of the elements that are not NaN.

    Example:
        >>> tc.nanmedian(tc.tensor([5.0, float("nan"), 3.0]))
        tensor(3.)
    """
    return _median("nanmedian", input, dim, keepdim, True)


# ------------------------------------------------------------------ the most frequent element


@composite(rule=real, vjp=placed_rule, outputs=2, samples=_ALONG, ulp=0)
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along ``dim``, the smallest of several, and its last place, as (values, indices).

    Raises:
        DTypeError: for complex numbers, which have no order.
        DimensionError: if there are no elements along ``dim``.

    Example:
        >>> tc.mode(tc.tensor([2, 1, 1, 3])).values
        tensor(1)
    """
    return _emitted(mode, "mode", input, _place("mode", input, dim), keepdim)


@mode.expression
def _mode(input: Tensor, *, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    ordered, origin = sort.emit(input, dim=dim, descending=False)
    side = input.shape[dim]
    number = ramp(0, 1, side, int64, input.device).reshape([side if d == dim else 1 for d in range(input.ndim)])
    number = number.expand(input.shape)
    change = e.ne(ordered.narrow(dim, 1, side - 1), ordered.narrow(dim, 0, side - 1))
    starts = e.where(change, number.narrow(dim, 1, side - 1), 0)
    starts = cat([number.narrow(dim, 0, 1), starts], dim)
    # How long the run of equals is up to each place: largest first at the end of the longest run.
    best = argmax.emit(number - cummax.emit(starts, dim=dim)[0], dim=dim, keepdim=True)
    values, indices = (gather.emit(part, best, dim=dim) for part in (ordered, origin))
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


# ------------------------------------------------------------------ quantiles

_BETWEEN: Final = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(op: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, skip: bool) -> Any:
    _check_quantile(op, input, q, interpolation)
    place = normalize_dim(0 if dim is None else dim, 1 if dim is None else input.ndim, op)
    if dim is None:
        kept: tuple[int, ...] = (1,) * input.ndim
        rows = input.reshape(-1)
    else:
        rows = input.reshape(1) if input.ndim == 0 else input.movedim(place, -1)
        kept = tuple(1 if d == place else side for d, side in enumerate(input.shape))
    if input.numel() == 0:
        raise ShapeError(f"{op}: expected at least one element, got shape {list(input.shape)}")
    # Places are for the gradient alone.
    along = rows.ndim - 1
    if mode_of_gradients.grad and rows.requires_grad:
        ordered = sort.emit(rows, dim=along, descending=False)[0]
    else:
        ordered = values_in_order.emit(rows, dim=along)
    if not hasattr(q, "_array"):
        if not skip:
            result = _one_quantile(ordered, float(q), interpolation)
            return result.reshape(kept) if keepdim else result
        q = full((), float(q), dtype=input.dtype, device=input.device)
    result = _quantiles(ordered, q, interpolation, skip).movedim(-1, 0)
    if keepdim:
        result = result.reshape((-1, *kept))
    return result.squeeze(0) if q.ndim == 0 else result


def _one_quantile(ordered: Any, q: float, interpolation: str) -> Any:
    """The quantile of each row, whose rank is the same for all and known here."""
    last = ordered.shape[-1] - 1
    # Rounded as the elements are, so that ranks are whole where PyTorch's are.
    rank = rounded_to(rounded_to(q, ordered.dtype) * last, ordered.dtype)
    below, above = math.floor(rank), math.ceil(rank)
    if interpolation in ("linear", "midpoint"):
        result = ordered.select(-1, below).lerp(
            ordered.select(-1, above), rank - below if interpolation == "linear" else 0.5
        )
    else:
        result = ordered.select(-1, {"lower": below, "higher": above, "nearest": round(rank)}[interpolation])
    # A row with NaN, which sorting puts last, has that for its quantile.
    most = ordered.select(-1, last)
    return e.where(e.ne(most, most), most, result)


def _quantiles(ordered: Any, q: Any, interpolation: str, skip: bool) -> Any:
    """The quantiles of each row, along the last dimension."""
    side = ordered.shape[-1]
    lined = q.reshape((*[1] * (ordered.ndim - 1), -1))
    if skip:
        held = e.eq(ordered, ordered).sum(-1, True)
        rank = lined * e.maximum(held - 1, 0).to(ordered.dtype)
    else:
        last = ordered.narrow(-1, side - 1, 1)
        rank = e.where(e.ne(last, last), float(side - 1), lined * (side - 1))
    if interpolation in ("lower", "higher", "nearest"):
        rank = {"lower": e.floor, "higher": e.ceil, "nearest": e.round}[interpolation](rank)
    floor = e.floor(rank.detach())
    result = gather(ordered, -1, floor.to(int64))
    if interpolation in ("linear", "midpoint"):
        above = gather(ordered, -1, e.ceil(rank.detach()).to(int64))
        result = result.lerp(above, rank - floor if interpolation == "linear" else 0.5)
    return result


def _check_quantile(op: str, input: Any, q: Any, interpolation: str) -> None:
    if input.dtype not in (float32, float64):
        raise DTypeError(f"{op}: expected an input of float32 or float64, got {input.dtype}")
    if interpolation not in _BETWEEN:
        raise RangeError(f"{op}: interpolation must be one of {', '.join(_BETWEEN)}, got {interpolation!r}")
    if not hasattr(q, "_array"):
        if isinstance(q, bool) or not isinstance(q, (int, float)):
            raise TypeError(f"{op}: q must be a number or a tensor, got {type(q).__name__}")
        if not 0 <= q <= 1:
            raise RangeError(f"{op}: q must lie in [0, 1], got {q}")
        return
    if q.ndim > 1:
        raise ShapeError(f"{op}: q must be a number or a tensor of at most 1 dimension, got shape {list(q.shape)}")
    if q.dtype is not input.dtype:
        raise DTypeError(f"{op}: q must have the dtype of the input, got {q.dtype} and {input.dtype}")
    if not bool(everywhere((q >= 0) & (q <= 1)).all()):
        raise RangeError(f"{op}: q must lie in [0, 1], got {q.detach().tolist()}")


_QUANTILES: Final = (
    {"shapes": ((3, 5),), "args": (0.4,)},
    {"shapes": ((3, 5),), "args": (0.25, 1), "keepdim": True},
    *({"shapes": ((3, 4),), "args": (0.6, 0), "interpolation": each} for each in _BETWEEN[1:]),
)


@composite(operands=("input",), samples=_QUANTILES, ulp=8)
def quantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The ``q``-th quantiles along ``dim`` (of all elements by default); NaN where there is one.

    Args:
        input: float32 or float64.
        q: a number in [0, 1], or a 1-d tensor of them, which gives the result a first dimension.
        interpolation: between the two nearest elements ``"linear"``, ``"midpoint"``, ``"lower"``, ``"higher"`` or
            ``"nearest"``.

    Raises:
        RangeError: for another ``q`` or ``interpolation``.
        DTypeError: for another dtype, or a ``q`` of another one.
        ShapeError: if there are no elements.

    Example:
        >>> tc.quantile(tc.tensor([1.0, 2.0, 4.0]), tc.tensor([0.25, 0.5]))
        tensor([1.5000, 2.0000])
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@composite(operands=("input",), samples=_QUANTILES, ulp=8)
def nanquantile(
    input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where there are none.

    Example:
        >>> tc.nanquantile(tc.tensor([1.0, float("nan"), 2.0]), 0.5)
        tensor(1.5000)
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


__all__ = ["kthvalue", "median", "mode", "nanmedian", "nanquantile", "quantile"]
