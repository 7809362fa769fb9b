"""Floating-point numbers taken apart: mantissa and exponent, neighbours, powers of two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import finfo, float32, int32
from tensorcore.ops import elementwise as e
from tensorcore.ops.approximation import tensors_only
from tensorcore.ops.precision import widened
from tensorcore.ops.record import composite
from tensorcore.ops.returns import named
from tensorcore.ops.rules import floating, inexact

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_ONE: Final = ({"shapes": ((3, 4),)}, {"shapes": ((),)}, {"shapes": ((0, 2),)})


def _wide(x: Any) -> Any:
    """``x``, of 16 bits as float32: the steps below would leave the range of float16."""
    return x if x.dtype.itemsize > 2 else x.to(float32)


def _frexp_rule(g: Any, y: Any) -> Any:
    # d mantissa / d input is a power of two, 1 over that of the exponent.
    return ldexp(g[0], -y[1])


@composite(rule=inexact, vjp=_frexp_rule, outputs=2, samples=_ONE, ulp=0)
def frexp(input: Tensor, *, out: Any = None) -> Any:
    """Each element as a mantissa in [0.5, 1) with its sign, and an int32 exponent of two; 0 for what is not finite.

    >>> tc.frexp(tc.tensor([5.0, -0.375, 0.0]))
    tensorcore.return_types.frexp(
    mantissa=tensor([ 0.6250, -0.7500,  0.0000]),
    exponent=tensor([ 3, -1,  0], dtype=tensorcore.int32))
    """
    mantissa, exponent = frexp.emit(input)
    if out is not None:
        from tensorcore.ops.inplace import write_out

        mantissa, exponent = (write_out(*pair) for pair in zip(out, (mantissa, exponent), strict=True))
    return named("frexp", mantissa=mantissa, exponent=exponent)


@frexp.expression
def _frexp(input: Tensor) -> tuple[Tensor, Tensor]:
    x = _wide(input)
    limits = finfo(x.dtype)
    size = e.abs(x)
    plain = e.gt(size, 0) & e.lt(size, math.inf)
    size = e.where(plain, size, 0.5)
    exponent = size * 0.0
    # By halves of the range of exponents, each step exact: below 2 ** power after one, not below 2 ** -power.
    half = math.frexp(limits.max)[1] // 2
    powers = [half >> place for place in range(half.bit_length())]
    for power in powers:
        large = e.ge(size, math.ldexp(1.0, power))
        size = e.where(large, size * math.ldexp(1.0, -power), size)
        exponent = e.where(large, exponent + power, exponent)
    large = e.ge(size, 1.0)
    size, exponent = e.where(large, size * 0.5, size), e.where(large, exponent + 1, exponent)
    # Subnormal numbers lie up to one more half below.
    for power in [half, *powers]:
        small = e.lt(size, math.ldexp(1.0, -power))
        size = e.where(small, size * math.ldexp(1.0, power), size)
        exponent = e.where(small, exponent - power, exponent)
    mantissa = e.where(plain, e.where(e.lt(x, 0), -size, size), x)
    return mantissa.to(input.dtype), e.where(plain, exponent, 0.0).to(int32)


@composite(
    rule=inexact,
    vjp=(lambda g, input, other: e.where(e.eq(input, other), 0.0, g), lambda g: g * 0),
    inplace=True,
    ulp=1,
    samples=({"shapes": ((3, 4), (3, 4))}, {"shapes": ((3, 1), (4,))}),
)
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The neighbour of each element of ``input`` towards ``other`` among the numbers of the dtype.

    Found by arithmetic rounded to nearest: Rump, Zimmermann, Boldo, Melquiond, Computing predecessor and successor in
    rounding to nearest, BIT 49 (2009), 419-431.

    >>> tc.nextafter(tc.tensor([1.0]), tc.tensor([2.0])) - 1
    tensor([1.1921e-07])

    Raises:
        DTypeError: for operands that are no real floating-point tensors.
    """
    return nextafter.emit(*tensors_only("nextafter", input=input, other=other))


@nextafter.expression
def _nextafter(input: Tensor, other: Tensor) -> Tensor:
    limits = finfo(input.dtype)
    # 16-bit numbers are stepped in float32, which rounds to the neighbour on the way back.
    x, target = _wide(input), _wide(other)
    unit, least = limits.eps / 2, limits.tiny * limits.eps
    size = e.abs(x)
    # Where the step would be subnormal it is the least number, or the step of a multiple out of that range.
    raised = e.minimum(size, limits.tiny / unit) * (1 / unit)
    step = e.where(e.ge(size, limits.tiny / unit), size * (unit * (1 + 2 * unit)), least)
    scaled = raised * (unit * (1 + 2 * unit))
    middle = e.ge(size, 2 * limits.tiny) & e.lt(size, limits.tiny / unit)
    up = e.gt(target, x)
    away = e.where(e.ge(x, 0), up, e.bitwise_not(up))
    grown = e.where(middle, (raised + scaled) * unit, size + step)
    shrunk = e.where(middle, (raised - scaled) * unit, size - step)
    shrunk = e.where(e.eq(size, math.inf), limits.max, shrunk)
    moved = e.where(away, grown, shrunk)
    moved = e.where(e.eq(size, 0), e.where(up, step, -step), e.where(e.lt(x, 0), -moved, moved))
    moved = e.where(e.eq(x, target), target, moved)
    return e.where(e.eq(x, x) & e.eq(target, target), moved, math.nan).to(input.dtype)


@composite(
    rule=floating,
    vjp=(lambda g, other: g * e.conj(e.pow(2.0, other)), lambda g, y: g * e.conj(y) * math.log(2)),
    inplace=True,
    samples=(
        {"shapes": ((3, 4), (3, 4))},
        {"shapes": ((3, 1), (4,))},
        {"shapes": ((3, 4), (4,)), "dtypes": (None, "int64"), "domains": (None, (-20, 20))},
    ),
    ulp=4,
)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2 ** other``, without overflow on the way.

    >>> tc.ldexp(tc.tensor([0.75, 1.0]), tc.tensor([2, -1]))
    tensor([3.0000, 0.5000])
    """
    return ldexp.emit(input, other)


@ldexp.expression
@widened
def _ldexp(input: Tensor, other: Tensor) -> Tensor:
    if other.is_complex():
        return input * e.pow(2.0, other)
    half = e.trunc(other * 0.5)
    return input * e.pow(2.0, half) * e.pow(2.0, other - half)
