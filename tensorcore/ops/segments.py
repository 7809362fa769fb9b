"""Elements combined in groups: consecutive segments, and slices written to places that repeat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import INTEGER, int64
from tensorcore.errors import ArgumentError, DimensionError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.creation import full, ramp
from tensorcore.ops.indexing import gather, scatter
from tensorcore.ops.movement import cat
from tensorcore.ops.record import composite
from tensorcore.ops.rules import inexact
from tensorcore.ops.searching import search
from tensorcore.ops.selection import scatter_reduce
from tensorcore.shapes import normalize_dim

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

#: What an empty segment gives, and the kernel's name of the reduction.
_NEUTRAL: Final = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -math.inf, "min": math.inf}
_KERNELS: Final = {"sum": "sum", "mean": "sum", "prod": "prod", "max": "amax", "min": "amin"}


def _segment_of(lengths: Any, data_shape: tuple[int, ...], axis: int) -> Any:
    """The number of each element's segment; that after the last for elements in none."""
    side = data_shape[axis]
    number = ramp(0, 1, side, int64, lengths.device).expand((*data_shape[:axis], side))
    ids = search.emit(lengths.cumsum(-1), number, right=True)
    return ids.reshape((*ids.shape, *[1] * (len(data_shape) - axis - 1))).expand(data_shape)


def _column(lengths: Any, ndim: int) -> Any:
    return lengths.reshape((*lengths.shape, *[1] * (ndim - lengths.ndim)))


def _segment_rule(g: Any, y: Any, data: Any, lengths: Any, reduce: str, axis: int, initial: float | None) -> Any:
    ids = _segment_of(lengths, tuple(data.shape), axis)

    def per_element(x: Any) -> Any:
        """What a tensor of the result's shape holds for each element's segment; zero for those in none."""
        none = x.narrow(axis, 0, 1) * 0 if x.shape[axis] else x.new_zeros([s or 1 for s in x.shape])
        return gather.emit(cat([x, none], axis), ids, dim=axis)

    def per_segment(x: Any, how: str = "sum") -> Any:
        sides = [lengths.shape[-1] + 1 if d == axis else side for d, side in enumerate(data.shape)]
        start = full(sides, 1.0 if how == "prod" else 0.0, dtype=x.dtype, device=x.device)
        return scatter.emit(start, ids, x, dim=axis, reduce=how).narrow(axis, 0, lengths.shape[-1])

    if reduce == "sum":
        return per_element(g), None
    if reduce == "mean":
        return per_element(g / e.maximum(_column(lengths, g.ndim), 1).to(g.dtype)), None
    if reduce in ("max", "min"):
        # Ties share the cotangent equally, as in `amax`.
        held = e.eq(data, per_element(y)) | (e.ne(data, data) & e.ne(per_element(y), per_element(y)))
        hits = held.to(g.dtype)
        return per_element(g / e.maximum(per_segment(hits), 1)) * hits, None
    # The product of the others: that of all that are not zero, unless another one is zero.
    zero = e.eq(data, 0)
    rest = e.where(zero, 1, data)
    others = per_element(per_segment(rest, "prod") * (1.0 if initial is None else initial)) / rest
    zeros_elsewhere = per_element(per_segment(zero.to(g.dtype))) - zero.to(g.dtype)
    return per_element(g) * e.where(e.gt(zeros_elsewhere, 0), 0, others), None


@composite(
    rule=inexact, operands=("data", "lengths"), promotes=("data",), vjp=_segment_rule, joint=True, namespaces=(),
    ulp=16,
    samples=tuple(
        {"shapes": ((6, 2), (3,)), "dtypes": (None, "int64"), "domains": (None, (0, 3)), "reduce": reduce, "axis": 0,
         "initial": None}
        for reduce in _NEUTRAL
    ),
)  # fmt: skip
def reduce_segments(data: Tensor, lengths: Tensor, *, reduce: str, axis: int, initial: float | None) -> Tensor:
    """`segment_reduce` after its checks: ``lengths`` int64 of the sides of ``data`` before ``axis``, and segments."""
    return reduce_segments.emit(data, lengths, reduce=reduce, axis=axis, initial=initial)


@reduce_segments.expression
def _reduce_segments(data: Tensor, lengths: Tensor, *, reduce: str, axis: int, initial: float | None) -> Tensor:
    ids = _segment_of(lengths, tuple(data.shape), axis)
    count = lengths.shape[-1]
    start = _NEUTRAL[reduce] if initial is None else initial
    sides = [count + 1 if d == axis else side for d, side in enumerate(data.shape)]
    totals = full(sides, start, dtype=data.dtype, device=data.device)
    out = scatter.emit(totals, ids, data, dim=axis, reduce=_KERNELS[reduce]).narrow(axis, 0, count)
    if reduce != "mean":
        return out.clone()
    held = _column(lengths, out.ndim)
    divided = out / e.maximum(held, 1).to(out.dtype)
    return e.where(e.eq(held, 0), math.nan, divided) if initial is None else divided


@composite(
    namespaces=("",), operands=("data",), ulp=16,
    samples=(),
)  # fmt: skip
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Tensor | None = None,
    indices: Tensor | None = None,
    offsets: Tensor | None = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> Tensor:
    """Consecutive segments of ``data`` along ``axis`` combined, each into one slice.

    Args:
        data: floating point.
        reduce: ``"sum"``, ``"mean"``, ``"prod"``, ``"max"`` or ``"min"``.
        lengths: how long each segment is: the sides of ``data`` before ``axis``, and one for the segments.
        offsets: where each begins, and the end of the last, in place of ``lengths``.
        axis: the last dimension that ``lengths`` or ``offsets`` has.
        unsafe: whether the lengths are taken without a look at their values.
        initial: what each segment starts from; without it an empty one gives 0, 1, NaN (mean) or an infinity.

    Raises:
        DTypeError: unless ``data`` is floating point and the lengths are integers.
        ShapeError: if the shapes do not fit, or the lengths do not add up to the side.
        RangeError: for another ``reduce``, or a negative length.

    Example:
        >>> tc.segment_reduce(tc.tensor([1.0, 2.0, 3.0]), "sum", lengths=tc.tensor([2, 0, 1]))
        tensor([3., 0., 3.])
    """
    op = "segment_reduce"
    if reduce not in _NEUTRAL:
        raise RangeError(f"{op}: reduce must be one of {', '.join(map(repr, _NEUTRAL))}, got {reduce!r}")
    if indices is not None:
        raise ArgumentError(f"{op}: indices are not supported, as in PyTorch; give lengths or offsets")
    for name, x in (("lengths", lengths), ("offsets", offsets)):
        if x is not None and not hasattr(x, "_array"):
            raise ArgumentError(f"{op}: {name} must be a tensor, got {type(x).__name__}")
    if (lengths is None) == (offsets is None):
        raise ShapeError(f"{op}: expected either lengths or offsets")
    given: Any = offsets if lengths is None else lengths
    place = normalize_dim(axis, data.ndim, op)
    if given.dtype.category != INTEGER:
        raise DTypeError(f"{op}: lengths and offsets must be of an integer dtype, got {given.dtype}")
    if given.ndim != place + 1 or given.shape[:-1] != data.shape[:place]:
        raise ShapeError(
            f"{op}: expected lengths or offsets with the sides {list(data.shape[:place])} of data before axis {place} "
            f"and one more, got shapes {list(given.shape)} and {list(data.shape)}"
        )
    spans = given.to(int64)
    if lengths is None:
        spans = spans.diff()
    if not unsafe:
        if bool((spans < 0).any()):
            raise RangeError(f"{op}: lengths must not be negative")
        if bool((spans.sum(-1) != data.shape[place]).any()):
            raise ShapeError(
                f"{op}: the lengths of each row must add up to the side {data.shape[place]} of dimension {place}, got "
                f"{spans.sum(-1).tolist()}"
            )
    start = None if initial is None else float(initial)
    return reduce_segments.emit(data, spans, reduce=reduce, axis=place, initial=start)


@composite(
    inplace=True, operands=("input", "index", "source"), ulp=16,
    samples=tuple(
        {
            "shapes": ((3, 4), (2,), (2, 4)), "dtypes": (None, "int64", None), "domains": (None, (0, 2), None),
            "order": (0, "dim", 1, 2, "reduce"), "dim": 0, "reduce": reduce, "include_self": keep, "distinct": True,
        }
        for reduce, keep in (("prod", True), ("mean", False), ("amax", True), ("amin", False))
    ),
)  # fmt: skip
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` with the slices of ``source`` reduced into its slices at ``index`` along ``dim``.

    Args:
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the old slice counts, too.

    Raises:
        RangeError: for another ``reduce``.
        ShapeError: if ``source`` has not the sides of ``input``, and along ``dim`` one for each index.
        DTypeError: unless ``index`` holds integers and ``source`` has the dtype of ``input``.

    Example:
        >>> tc.index_reduce(tc.ones(2), 0, tc.tensor([0, 0]), tc.tensor([2.0, 3.0]), "prod")
        tensor([6., 1.])
    """
    op = "index_reduce"
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RangeError(f"{op}: reduce must be 'prod', 'mean', 'amax' or 'amin', got {reduce!r}")
    place = normalize_dim(dim, input.ndim, op)
    if index.ndim > 1:
        raise DimensionError(f"{op}: index must have 1 dimension, got shape {list(index.shape)}")
    if index.dtype.category != INTEGER:
        raise DTypeError(f"{op}: index must be an integer tensor, got {index.dtype}")
    if input.ndim == 0:
        parts = (input.reshape(1), 0, index.reshape(-1), source.reshape(-1))
        return index_reduce(*parts, reduce, include_self=include_self).reshape(())
    wanted = tuple(index.numel() if d == place else side for d, side in enumerate(input.shape))
    if tuple(source.shape) != wanted:
        raise ShapeError(f"{op}: expected a source of shape {list(wanted)}, got {list(source.shape)}")
    lined = index.reshape([-1 if d == place else 1 for d in range(input.ndim)])
    return scatter_reduce(input, place, lined.expand(wanted), source, reduce, include_self=include_self).to(input.dtype)


__all__ = ["index_reduce", "segment_reduce"]
