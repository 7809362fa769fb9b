"""Composites of elementwise arithmetic, comparison and logic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, FLOATING, DType, int64, promote_types
from tensorcore.errors import ArgumentError, DTypeError, RangeError, ShapeError
from tensorcore.ops import elementwise as e
from tensorcore.ops.record import composite
from tensorcore.ops.rules import comparison, floating, inexact, number, ordering, real_floating, same

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ONE = ({"shapes": ((3, 4),)},)
_TWO = ({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 1), (4,))})


@composite(rule=number, samples=_TWO, inplace=True)
def truncated_divide(input: Tensor, other: Tensor) -> Tensor:
    """Quotient rounded toward zero; integers are kept.

    Example:
        >>> tc.truncated_divide(tc.tensor([7, -7]), 2), tc.truncated_divide(tc.tensor([-7.5]), 2)
        (tensor([ 3, -3]), tensor([-3.]))
    """
    quotient = e.floor_divide(input, other)
    dtype = quotient.dtype
    if dtype.category >= FLOATING:
        return e.trunc(e.div(input, other))
    inexact = e.ne(e.mul(quotient, other), input)
    return e.where(inexact & e.lt(quotient, 0), quotient + 1, quotient)


@composite(
    rule=number,
    samples=_TWO,
    inplace=True,
    ulp=1,
    vjp=(lambda g: g, lambda g, input, other: -g * e.div(input, other, rounding_mode="trunc")),
)
def fmod(input: Tensor, other: Tensor) -> Tensor:
    """Remainder with the sign of the dividend, element by element.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.fmod(tc.tensor([-3.0, 3.0]), 2), tc.fmod(tc.tensor([-3, 3]), -2)
        (tensor([-1.,  1.]), tensor([-1,  1]))
    """
    size = e.remainder(e.abs(input), e.abs(other))
    if size.dtype.category < FLOATING:
        return e.where(e.lt(input, 0), e.neg(size), size)
    size = e.where(isinf(other) & isfinite(input), e.abs(input), size)
    return e.where(signbit(input), e.neg(size), size)


def _counted(dtype: DType, op: str) -> tuple[DType, DType]:
    return (int64, int64) if dtype.category == BOOL else (dtype, dtype)


@composite(rule=_counted, samples=_ONE, inplace=True, ulp=1, vjp=lambda g, input: g * e.conj(input) * 2)
def square(input: Tensor) -> Tensor:
    """Each element times itself; bool counts as int64.

    Example:
        >>> tc.square(tc.tensor([-2.0, 3.0])), tc.square(tc.tensor([1 + 1j]))
        (tensor([4., 9.]), tensor([0.+2.j]))
    """
    return e.mul(input, input) if input.dtype.category != BOOL else input.to(int64)


@composite(
    rule=floating, samples=_ONE, inplace=True, domain=(0.1, 8), ulp=3, vjp=lambda g, y: g * e.conj(y * y * y) * -0.5
)
def rsqrt(input: Tensor) -> Tensor:
    """One over the square root of each element.

    Example:
        >>> tc.rsqrt(tc.tensor([4.0, 0.0, -1.0]))
        tensor([0.5000,    inf,    nan])
    """
    return 1 / e.sqrt(input)


@composite(rule=floating, samples=_ONE, inplace=True, domain=(0.1, 8), ulp=1, vjp=lambda g, y: -g * e.conj(y * y))
def reciprocal(input: Tensor) -> Tensor:
    """One over each element; integers give the default dtype.

    Example:
        >>> tc.reciprocal(tc.tensor([4, -2, 0]))
        tensor([ 0.2500, -0.5000,     inf])
    """
    return 1 / input


@composite(rule=floating, samples=_ONE, inplace=True, domain=(0.1, 8), ulp=4)
def log2(input: Tensor) -> Tensor:
    """Logarithm to base 2 of each element.

    Example:
        >>> tc.log2(tc.tensor([8.0, 1.0, 0.0, -1.0]))
        tensor([3., 0., -inf, nan])
    """
    return e.log(input) * (1 / math.log(2))


@composite(rule=floating, samples=_ONE, inplace=True, domain=(0.1, 8), ulp=4)
def log10(input: Tensor) -> Tensor:
    """Logarithm to base 10 of each element.

    Example:
        >>> tc.log10(tc.tensor([1000, 1, 0]))
        tensor([3., 0., -inf])
    """
    return e.log(input) * (1 / math.log(10))


@composite(rule=floating, samples=_ONE, inplace=True, ulp=8, aliases=("special.exp2",))
def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element.

    Example:
        >>> tc.exp2(tc.tensor([0.0, 3.0, -1.0, 0.5]))
        tensor([1.0000, 8.0000, 0.5000, 1.4142])
    """
    return e.exp(input * math.log(2))


@composite(rule=same, samples=_ONE, inplace=True, ulp=1)
def positive(input: Tensor) -> Tensor:
    """The tensor itself; bool is refused.

    Example:
        >>> tc.positive(tc.tensor([1.0, -2.0])), +tc.tensor([3])
        (tensor([ 1., -2.]), tensor([3]))
    """
    if input.dtype.category == BOOL:
        raise DTypeError("positive: got a bool tensor, expected a number")
    return input


@composite(rule=inexact, samples=_ONE, inplace=True, ulp=1)
def frac(input: Tensor) -> Tensor:
    """Each element without its integer part, with its sign.

    Raises:
        DTypeError: for integers, bool and complex numbers.

    Example:
        >>> tc.frac(tc.tensor([2.5, -2.5, 3.0]))
        tensor([ 0.5000, -0.5000,  0.0000])
    """
    return input - e.trunc(input)


@composite(
    rule=floating,
    inplace=True,
    samples=({"shapes": ((3, 4), (3, 4), ()), "args": ()},),
    operands=("input", "end", "weight"),
    ulp=2,
)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``, exact at both ends.

    Example:
        >>> tc.lerp(tc.tensor([0.0, 10.0]), tc.tensor([1.0, 20.0]), 0.25)
        tensor([ 0.2500, 12.5000])
        >>> tc.lerp(tc.zeros(2), tc.ones(2), tc.tensor([0.5, 2.0]))
        tensor([0.5000, 2.0000])
    """
    step = end - input
    if not hasattr(weight, "_array"):
        return input + step * weight if abs(weight) < 0.5 else end - step * (1 - weight)
    return e.where(e.abs(weight) < 0.5, input + step * weight, end - step * (1 - weight))


@composite(samples=({"shapes": ((3,), (3,), (3,))},), inplace=True, ulp=2)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``.

    Example:
        >>> tc.addcmul(tc.tensor([1.0, 2.0]), tc.tensor([[1.0], [2.0]]), tc.tensor([3.0, 4.0]), value=0.1)
        tensor([[1.3000, 2.4000],
                [1.6000, 2.8000]])
    """
    product = tensor1 * tensor2
    return input + (product if value == 1 else product * value)


@composite(samples=({"shapes": ((3,), (3,), (3,)), "domains": (None, None, (0.5, 4))},), inplace=True, ulp=2)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``.

    Example:
        >>> tc.addcdiv(tc.tensor([1.0, 2.0]), tc.tensor([1.0, 3.0]), tc.tensor([2.0, 0.0]), value=10)
        tensor([6., inf])
    """
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else quotient * value)


# ------------------------------------------------------------------ bounds


@composite(
    vjp=lambda g, input, min, max: e.where(_outside(input, min, max), 0.0, g),
    namespaces=(),
    samples=({"shapes": ((3, 4),), "min": -1.0, "max": 1.0}, {"shapes": ((3, 4),), "min": None, "max": 0.5}),
    rule=real_floating,
    ulp=0,
    shown="ClampBackward1",
)
def clamp_between(input: Tensor, *, min: float | None, max: float | None) -> Tensor:
    """`clamp` of a floating-point tensor to numbers, of which one may be missing and none is NaN."""
    return clamp_between.emit(input, min=min, max=max)


@clamp_between.expression
def _clamp_between(input: Tensor, *, min: float | None, max: float | None) -> Tensor:
    out = input
    if min is not None:
        out = e.where(e.lt(out, min), min, out)
    if max is not None:
        out = e.where(e.gt(out, max), max, out)
    return out


def _outside(x: Any, min: float | None, max: float | None) -> Any:
    if min is None or max is None:
        return e.gt(x, max) if min is None else e.lt(x, min)
    return e.lt(x, min) | e.gt(x, max)


def _number(bound: Any) -> bool:
    return bound is None or (type(bound) in (float, int) and bound == bound)


@composite(
    inplace=True,
    aliases=("clip",),
    samples=({"shapes": ((3, 4),), "args": (-1.0, 1.0)}, {"shapes": ((3, 4),), "min": 0.5}),
    ulp=0,
)
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Elements below ``min`` raised to it, those above ``max`` lowered to it; the gradient is 1 within the bounds.

    Raises:
        RangeError: if neither bound is given.

    Example:
        >>> tc.clamp(tc.tensor([-2.0, 0.5, float("nan"), 3.0]), min=-1, max=1)
        tensor([-1.0000,  0.5000,     nan,  1.0000])
        >>> tc.tensor([1, 5, 9]).clamp(max=tc.tensor([0, 6, 6]))
        tensor([0, 5, 6])
    """
    if min is None and max is None:
        raise RangeError("clamp: at least one of min and max must be given")
    if input._kind.dtype.category == FLOATING and _number(min) and _number(max):
        return clamp_between.emit(
            input, min=None if min is None else float(min), max=None if max is None else float(max)
        )
    out = input
    try:
        if min is not None:
            out = e.where(_beyond(out, min, e.lt), min, out)
        if max is not None:
            out = e.where(_beyond(out, max, e.gt), max, out)
    except ShapeError:
        shapes = " and ".join(f"{name} {list(x.shape)}" for name, x in (("min", min), ("max", max)) if not _number(x))
        raise ArgumentError(f"clamp: input of shape {list(input.shape)} does not broadcast with {shapes}") from None
    return out


def _beyond(x: Any, bound: Any, outside: Any) -> Any:
    """Where ``x`` lies outside the bound, or the bound is NaN, which spreads as in PyTorch."""
    if not hasattr(bound, "_array"):
        return outside(x, bound) if bound == bound else isnan(x) | True
    found = outside(x, bound)
    return found | isnan(bound) if bound.dtype.category >= FLOATING else found


@composite(inplace=True, samples=({"shapes": ((3, 4),), "args": (0.5,)},), ulp=0)
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Elements below ``min`` raised to it.

    Example:
        >>> tc.clamp_min(tc.tensor([-2, 0, 3]), 1)
        tensor([1, 1, 3])
    """
    return clamp(input, min=min)


@composite(inplace=True, samples=({"shapes": ((3, 4),), "args": (0.5,)},), ulp=0)
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Elements above ``max`` lowered to it.

    Example:
        >>> tc.clamp_max(tc.tensor([-2, 0, 3]), 1)
        tensor([-2,  0,  1])
    """
    return clamp(input, max=max)


# ------------------------------------------------------------------ kinds of number


@composite(rule=comparison, samples=_ONE, ulp=0)
def isnan(input: Tensor) -> Tensor:
    """Whether each element is NaN.

    Example:
        >>> tc.isnan(tc.tensor([1.0, float("nan"), float("inf")])), tc.isnan(tc.tensor([3]))
        (tensor([False,  True, False]), tensor([False]))
    """
    return e.ne(input, input)


@composite(rule=comparison, samples=_ONE, ulp=0)
def isinf(input: Tensor) -> Tensor:
    """Whether each element is infinite.

    Example:
        >>> tc.isinf(tc.tensor([1.0, float("nan"), -float("inf")])), tc.isinf(tc.tensor([complex(0, float("inf"))]))
        (tensor([False, False,  True]), tensor([True]))
    """
    if input.dtype.category < FLOATING:
        return e.ne(input, input)
    return e.eq(e.abs(input), math.inf)


@composite(rule=comparison, samples=_ONE, ulp=0)
def isfinite(input: Tensor) -> Tensor:
    """Whether each element is neither infinite nor NaN.

    Example:
        >>> tc.isfinite(tc.tensor([1.0, float("nan"), -float("inf")])), tc.isfinite(tc.tensor([3]))
        (tensor([ True, False, False]), tensor([True]))
    """
    if input.dtype.category < FLOATING:
        return e.eq(input, input)
    return e.lt(e.abs(input), math.inf)


@composite(rule=ordering, samples=_ONE, ulp=0)
def signbit(input: Tensor) -> Tensor:
    """Whether the sign bit is set: below zero, or -0.0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> tc.signbit(tc.tensor([-1.0, -0.0, 0.0, 2.0])), tc.signbit(tc.tensor([-3, 3]))
        (tensor([ True,  True, False, False]), tensor([ True, False]))
    """
    if input.dtype.category < FLOATING:
        return e.lt(input, 0)
    # atan2 tells -0.0 from 0.0, and keeps NaN out.
    return e.lt(e.atan2(input, -1.0), 0)


@composite(samples=_TWO, ulp=0, namespaces=("", "Tensor"))
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether ``|input - other| <= atol + rtol * |other|``, element by element.

    Example:
        >>> x, y = tc.tensor([1.0, 1e-9, float("nan")]), tc.tensor([1.000005, 0.0, float("nan")])
        >>> tc.isclose(x, y), tc.isclose(x, y, equal_nan=True)
        (tensor([ True,  True, False]), tensor([True, True, True]))
    """
    if input.dtype is not other.dtype:
        raise DTypeError(f"isclose: expected tensors of one dtype, got {input.dtype} and {other.dtype}")
    close = e.eq(input, other)
    if equal_nan:
        close = close | (isnan(input) & isnan(other))
    if input.dtype.category == BOOL or (rtol == 0 and atol == 0):
        return close
    gap = e.abs(input - other)
    return close | (isfinite(gap) & e.le(gap, atol + e.abs(other * rtol)))


@composite(namespaces=("", "Tensor"))
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as a Python bool.

    Example:
        >>> tc.allclose(tc.tensor([1.0, 1e-9]), tc.tensor([1.000005, 0.0])), tc.allclose(tc.ones(2), tc.full((2,), 1.1))
        (True, False)
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all().item())


@composite(namespaces=("", "Tensor"))
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are equal, as a Python bool.

    Example:
        >>> tc.equal(tc.tensor([1, 2]), tc.tensor([1, 2])), tc.equal(tc.tensor([1]), tc.tensor([1, 1]))
        (True, False)
    """
    return input.shape == other.shape and bool(e.eq(input, other).all().item())


# ------------------------------------------------------------------ logic


def _truth(x: Any) -> Any:
    return x if x.dtype.category == BOOL else e.ne(x, 0)


@composite(rule=comparison, samples=_TWO, inplace=True, ulp=0)
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both are true (not zero), element by element.

    Example:
        >>> tc.logical_and(tc.tensor([0, 1, 2]), tc.tensor([0.0, 0.5, 0.0]))
        tensor([False,  True, False])
    """
    return _truth(input) & _truth(other)


@composite(rule=comparison, samples=_TWO, inplace=True, ulp=0)
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether either is true (not zero), element by element.

    Example:
        >>> tc.logical_or(tc.tensor([0, 1, 2]), tc.tensor([0.0, 0.5, 0.0]))
        tensor([False,  True,  True])
    """
    return _truth(input) | _truth(other)


@composite(rule=comparison, samples=_TWO, inplace=True, ulp=0)
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one is true (not zero), element by element.

    Example:
        >>> tc.logical_xor(tc.tensor([0, 1, 2]), tc.tensor([0.0, 0.5, 0.0]))
        tensor([False, False,  True])
    """
    return _truth(input) ^ _truth(other)


@composite(rule=comparison, samples=_ONE, inplace=True, ulp=0)
def logical_not(input: Tensor) -> Tensor:
    """Whether each element is false (zero).

    Example:
        >>> tc.logical_not(tc.tensor([0.0, -1.5, float("nan")])), tc.logical_not(tc.tensor([True]))
        (tensor([ True, False, False]), tensor([False]))
    """
    return e.bitwise_not(_truth(input))


def common_dtype(*tensors: Any) -> Any:
    """The dtype to which all promote."""
    dtype = tensors[0].dtype
    for x in tensors[1:]:
        dtype = promote_types(dtype, x.dtype)
    return dtype


def same_shape(op: str, first: Any, second: Any) -> None:
    """Raise ShapeError unless the two shapes are equal."""
    if first.shape != second.shape:
        raise ShapeError(f"{op}: expected equal shapes, got {list(first.shape)} and {list(second.shape)}")


__all__ = ["allclose", "clamp", "equal", "isclose"]
