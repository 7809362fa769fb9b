"""Averages, spreads and norms over dimensions."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, float16, float32, int64
from tensorcore.errors import DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.conversion import require_floating
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.reduction import accumulator, amax, amin, spread, sum
from tensorcore.ops.rules import attribute, floating, inexact, same
from tensorcore.shapes import normalize_dim, normalize_dims

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_SAMPLES: Final = (
    {"shapes": ((3, 4),)},
    {"shapes": ((3, 4),), "dim": 0},
    {"shapes": ((2, 3, 4),), "dim": (0, 2), "keepdim": True},
)


def count_along(shape: Any, dim: tuple[int, ...]) -> int:
    """How many elements a reduction over the dimensions ``dim`` joins."""
    return math.prod([shape[place] for place in dim])


# ------------------------------------------------------------------ mean


def _mean_rule(g: Any, input_shape: tuple[int, ...], dim: tuple[int, ...], keepdim: bool) -> Any:
    count = count_along(input_shape, dim)
    return spread(g if count == 1 else g / count, input_shape, dim, keepdim)


@composite(rule=same, vjp=_mean_rule, samples=_SAMPLES, ulp=4)
def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Average of the elements over the dimensions ``dim`` (all by default).

    Example:
        >>> tc.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(1)
        tensor([1.5000, 3.5000])
    """
    if dtype is not None:
        input = input.to(dtype=dtype)
    require_floating("mean", input.dtype)
    dims = normalize_dims(None if dim == () or dim == [] else dim, input.ndim, "mean")
    return mean.emit(input, dim=dims, keepdim=keepdim)


@mean.expression
def _mean(input: Tensor, *, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    kind = input._kind
    count = count_along(input._array.shape, dim)
    if kind.dtype is float16:
        # The sum may lie beyond the largest float16 where the mean does not.
        wide = sum.emit(input, dim=dim, keepdim=keepdim, dtype=float32)
        return e.div.emit(wide, wide._kind.scalar(count)).to(float16)
    total = sum.emit(input, dim=dim, keepdim=keepdim, dtype=kind.dtype)
    return e.div.emit(total, kind.scalar(count))


def _nansum_rule(g: Any, input: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    return e.where(e.ne(input, input), 0, spread(g, tuple(input._array.shape), dim, keepdim))


@composite(rule=attribute, vjp=_nansum_rule, samples=_SAMPLES)
def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Sum of the elements that are not NaN over the dimensions ``dim`` (all by default); integers count in int64.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.nansum(tc.tensor([1.0, float("nan"), 2.0]))
        tensor(3.)
    """
    if input.dtype.category == COMPLEX:
        raise DTypeError(f"nansum: expected a real tensor, got {input.dtype}")
    dims = normalize_dims(None if dim == () or dim == [] else dim, input.ndim, "nansum")
    return nansum.emit(input, dim=dims, keepdim=keepdim, dtype=accumulator(dtype, input))


@nansum.expression
def _nansum(input: Tensor, *, dim: tuple[int, ...], keepdim: bool, dtype: DType) -> Tensor:
    held = e.where(e.ne(input, input), 0, input) if input.dtype.category == FLOATING else input
    return sum.emit(held, dim=dim, keepdim=keepdim, dtype=dtype)


@composite(samples=_SAMPLES)
def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: DType | None = None) -> Tensor:
    """Average of the elements that are not NaN.

    Example:
        >>> tc.nanmean(tc.tensor([1.0, float("nan"), 2.0]))
        tensor(1.5000)
    """
    require_floating("nanmean", input.dtype if dtype is None else dtype)
    held = e.eq(input, input).sum(dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / held


@composite(samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "dim": 1}), ulp=0)
def count_nonzero(input: Tensor, dim: Any = None, *more: int) -> Tensor:
    """How many elements are not zero over the dimensions ``dim`` (all by default; also one by one), as int64.

    Example:
        >>> tc.count_nonzero(tc.tensor([[0, 1], [2, 3]]), 1)
        tensor([1, 2])
    """
    held = input if input.dtype.category == BOOL else e.ne(input, 0)
    return held.sum((dim, *more) if more else dim, dtype=int64)


# ------------------------------------------------------------------ variance


def _spread_arguments(op: str, input: Any, dim: Any, unbiased: Any, correction: Any) -> tuple[tuple[int, ...], float]:
    # torch.var(x, False) and torch.var(x, dim, unbiased) are the older forms.
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{op}: unbiased and correction were both given; unbiased=True is correction=1")
    require_floating(op, input.dtype)
    dims = normalize_dims(None if dim == () or dim == [] else dim, input.ndim, op)
    taken = (1 if unbiased is None else int(unbiased)) if correction is None else correction
    if count_along(input._array.shape, dims) <= taken:
        warnings.warn(
            f"{op}: no degrees of freedom: {count_along(input.shape, dims)} elements and a correction of {taken}",
            UserWarning,
            stacklevel=3,
        )
    return dims, taken


def _freedom(shape: Any, dim: tuple[int, ...], correction: float) -> float:
    return max(count_along(shape, dim) - correction, 0)


def _var_rule(g: Any, input: Any, dim: tuple[int, ...], keepdim: bool, correction: float) -> Any:
    shape = tuple(input._array.shape)
    scale = _freedom(shape, dim, correction)
    factor = 2 / scale if scale else math.nan if scale == 0 and not math.prod(shape) else math.inf
    return spread(g * factor, shape, dim, keepdim) * (input - mean.emit(input, dim=dim, keepdim=True))


def _std_rule(g: Any, y: Any, input: Any, dim: tuple[int, ...], keepdim: bool, correction: float) -> Any:
    still = e.eq(y, 0)
    scaled = e.where(still, 0, g / (e.where(still, 1, y) * 2))
    return _var_rule(scaled, input, dim, keepdim, correction)


@composite(rule=inexact, vjp=_var_rule, samples=(*_SAMPLES, {"shapes": ((3, 4),), "dim": 0, "correction": 0}), ulp=16)
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Variance over the dimensions ``dim`` (all by default), divided by the number of elements less ``correction``.

    Example:
        >>> tc.tensor([1.0, 2.0, 3.0]).var()
        tensor(1.)
    """
    dims, taken = _spread_arguments("var", input, dim, unbiased, correction)
    if input.dtype.category == COMPLEX:
        parts = (input.real, input.imag)
        real, imag = (var.emit(part, dim=dims, keepdim=keepdim, correction=taken) for part in parts)
        return real + imag
    return var.emit(input, dim=dims, keepdim=keepdim, correction=taken)


@var.expression
@widened
def _var(input: Tensor, *, dim: tuple[int, ...], keepdim: bool, correction: float) -> Tensor:
    kind = input._kind
    centered = e.sub.emit(input, mean.emit(input, dim=dim, keepdim=True))
    total = sum.emit(e.mul.emit(centered, centered), dim=dim, keepdim=keepdim, dtype=kind.dtype)
    return e.div.emit(total, kind.scalar(_freedom(input._array.shape, dim, correction)))


@composite(rule=inexact, vjp=_std_rule, samples=(*_SAMPLES, {"shapes": ((3, 4),), "dim": 0, "correction": 0}), ulp=16)
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Standard deviation over the dimensions ``dim``: the square root of `var`.

    Example:
        >>> tc.tensor([1.0, 2.0, 3.0]).std(correction=0)
        tensor(0.8165)
    """
    dims, taken = _spread_arguments("std", input, dim, unbiased, correction)
    if input.dtype.category == COMPLEX:
        return e.sqrt(var(input, dims, keepdim=keepdim, correction=taken))
    return std.emit(input, dim=dims, keepdim=keepdim, correction=taken)


@std.expression
@widened
def _std(input: Tensor, *, dim: tuple[int, ...], keepdim: bool, correction: float) -> Tensor:
    return e.sqrt.emit(_var(input, dim=dim, keepdim=keepdim, correction=correction))


@composite(namespaces=("",), samples=_SAMPLES)
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Variance and mean over the dimensions ``dim``, as a pair.

    Example:
        >>> tc.var_mean(tc.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return var(input, dim, unbiased, keepdim, correction=correction), mean(
        input, None if isinstance(dim, bool) else dim, keepdim
    )


@composite(namespaces=("",), samples=_SAMPLES)
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean over the dimensions ``dim``, as a pair.

    Example:
        >>> tc.std_mean(tc.tensor([1.0, 2.0, 3.0]))
        (tensor(1.), tensor(2.))
    """
    return std(input, dim, unbiased, keepdim, correction=correction), mean(
        input, None if isinstance(dim, bool) else dim, keepdim
    )


# ------------------------------------------------------------------ logarithm of a sum


def _logsumexp_rule(g: Any, y: Any, input: Any, dim: tuple[int, ...], keepdim: bool) -> Any:
    shape = tuple(input._array.shape)
    return spread(g, shape, dim, keepdim) * e.conj(e.exp(input - spread(y, shape, dim, keepdim)))


@composite(
    rule=floating, vjp=_logsumexp_rule, namespaces=("", "Tensor", "special"), ulp=8,
    samples=({"shapes": ((3, 4),), "dim": 1}, {"shapes": ((2, 3, 4),), "dim": (0, 2), "keepdim": True}),
)  # fmt: skip
def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """Logarithm of the sum of the exponentials over the dimensions ``dim``, without overflow.

    Example:
        >>> tc.logsumexp(tc.tensor([1000.0, 1000.0]), 0)
        tensor(1000.6932)
    """
    dims = normalize_dims(None if dim == () or dim == [] else dim, input.ndim, "logsumexp")
    return logsumexp.emit(input, dim=dims, keepdim=keepdim)


@logsumexp.expression
@widened
def _logsumexp(input: Tensor, *, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    if count_along(input.shape, dim) == 0:
        return e.log(e.exp(input).sum(dim, keepdim))
    # Of complex numbers the real part decides how large the exponential is.
    top = amax.emit(input.real if input.dtype.category == COMPLEX else input, dim=dim, keepdim=True)
    top = e.where(e.eq(e.abs(top), math.inf), 0, top)
    total = e.exp(input - top).sum(dim, True)
    out = e.log(total) + top
    return out if keepdim else out.reshape([s for d, s in enumerate(out.shape) if d not in dim])


# ------------------------------------------------------------------ differences


@composite(
    samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "n": 2, "dim": 0}), operands=("input",), ulp=4
)  # fmt: skip
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Differences of neighbours along ``dim``, taken ``n`` times; ``prepend`` and ``append`` are joined on first.

    Example:
        >>> tc.diff(tc.tensor([1, 3, 6]), prepend=tc.tensor([0]))
        tensor([1, 2, 3])
    """
    from tensorcore.ops.movement import cat

    if input.ndim == 0:
        raise ShapeError("diff: expected at least 1 dimension, got a 0-d tensor")
    if n < 0:
        raise RangeError(f"diff: n must not be negative, got {n}")
    place = normalize_dim(dim, input.ndim, "diff")
    if prepend is not None or append is not None:
        input = cat([x for x in (prepend, input, append) if x is not None], place)
    for _ in range(min(n, input.shape[place])):
        side = input.shape[place]
        late, early = input.narrow(place, 1, side - 1), input.narrow(place, 0, side - 1)
        input = e.ne(late, early) if input.dtype.category == BOOL else late - early
    return input


@composite(samples=({"shapes": ((3, 4),)}, {"shapes": ((3, 4),), "dim": 1}), ulp=0)
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Smallest and largest element along ``dim`` (of all by default), as (min, max).

    Example:
        >>> tc.aminmax(tc.tensor([3, 1, 2])).max
        tensor(3)
    """
    from tensorcore.ops.returns import named

    if input.dtype.category == COMPLEX:
        raise DTypeError(f"aminmax: expected a real tensor, got {input.dtype}")
    dims = () if dim is None else dim
    return named("aminmax", min=amin(input, dims, keepdim), max=amax(input, dims, keepdim))
