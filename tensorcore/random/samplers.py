"""Distributions: words of a generator made into numbers, by PyTorch's conversions, in ops of the tensor's device.

Each sampler returns a tensor of ``shape`` and ``kind``. Uniform and integer draws have the bits of PyTorch's CPU
results, normal ones are within a few units in the last place.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, bool_, finfo, float32, float64, int32, int64
from tensorcore.host_data import round_to
from tensorcore.ops.complex import complex as complex_of
from tensorcore.ops.drawing import random_words
from tensorcore.ops.elementwise import cos, ge, log, log1p, lt, sin, sqrt, where
from tensorcore.ops.movement import cat, stack

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.random.generator import Generator
    from tensorcore.tensor import Tensor

__all__ = [
    "bernoulli",
    "cauchy",
    "digits",
    "exponential",
    "geometric",
    "integers",
    "log_normal",
    "normal",
    "uniform",
    "unit",
    "whole",
]

#: Numbers from which on PyTorch fills blocks of 16 instead of drawing one by one.
_BLOCK = 16
#: From this range on PyTorch takes 64 bits for an integer (its skew is then below 5 %).
_WIDE_RANGE = 1 << 28
_INT64_MIN = -(1 << 63)
#: Largest factor that Veltkamp's splitting takes without overflow.
_SPLITTABLE = 2.0**996

Shape = tuple[int, ...]


def words(shape: Shape, kind: Kind, generator: Generator) -> Tensor:
    """32-bit words as int32, negative where the upper bit is set."""
    ticket = generator.ticket("words", math.prod(shape))
    return random_words(ticket, shape, kind.sibling(int32))


def words64(shape: Shape, kind: Kind, generator: Generator) -> Tensor:
    """64-bit words as int64, negative where the upper bit is set."""
    ticket = generator.ticket("words64", math.prod(shape))
    return random_words(ticket, shape, kind.sibling(int64))


def widest(kind: Kind) -> DType:
    """float64, or float32 on a device without."""
    return float64 if float64 in kind.device.capabilities.dtypes else float32


def _fraction(bits: Tensor, dtype: DType) -> Tensor:
    """Numbers in [0, 1) from the lower 24 bits of words (float32) or 53 bits of 64-bit words (float64)."""
    size = digits(dtype)
    return (bits & ((1 << size) - 1)).to(dtype) * 2.0**-size


@cache
def digits(dtype: DType) -> int:
    """Bits of the significand, the hidden one included."""
    return 1 - int(math.log2(finfo(dtype).eps))


def unit(shape: Shape, kind: Kind, generator: Generator) -> Tensor:
    """Numbers in [0, 1) of 53 bits, in float64; of their upper 24 bits on a device without it."""
    bits = words64(shape, kind, generator)
    if widest(kind) is float64:
        return _fraction(bits, float64)
    return _fraction((bits & ((1 << 53) - 1)) >> 29, float32)


def _opmath(dtype: DType) -> DType:
    """The dtype in which numbers of ``dtype`` are drawn before they are rounded to it."""
    return float64 if dtype is float64 else float32


def _paired(draw: Any, shape: Shape, kind: Kind, *args: Any) -> Tensor:
    """Complex numbers whose parts are drawn in turn."""
    parts = draw((*shape, 2), kind.sibling(kind.dtype.to_real()), *args)
    return complex_of(parts.select(-1, 0), parts.select(-1, 1))


# ------------------------------------------------------------------ uniform


def uniform(shape: Shape, kind: Kind, low: float, high: float, generator: Generator) -> Tensor:
    """Numbers in [low, high)."""
    dtype = kind.dtype
    if dtype.category == COMPLEX:
        return _paired(uniform, shape, kind, low, high, generator)
    inner = _opmath(dtype)
    bits = words64(shape, kind, generator) if inner is float64 else words(shape, kind, generator)
    if low == 0.0 and high == 1.0 and dtype is inner:
        return _fraction(bits, inner)
    start = rounded_to(low, inner)
    span = rounded_to(rounded_to(high, inner) - start, inner)
    value = _scaled(bits, inner, span, start, kind).to(dtype)
    # Rounding can reach the upper bound, which the interval leaves out; the next number covers the rounding of `most`.
    most = rounded_to(math.nextafter(span * (1.0 - 2.0 ** -digits(inner)) + start, math.inf), dtype)
    bound = rounded_to(high, dtype)
    return value if most < bound else where(value == bound, rounded_to(low, dtype), value)


def rounded_to(value: float, dtype: DType) -> float:
    """A number as ``dtype`` holds it."""
    return value if dtype is float64 else round_to(value, dtype)


def _scaled(bits: Tensor, inner: DType, span: float, low: float, kind: Kind) -> Tensor:
    """Fractions times ``span`` plus ``low``, rounded once to ``inner``, as PyTorch's fused multiply-add does."""
    if inner is float32:
        wide = widest(kind)
        # The product of two 24-bit numbers is exact in float64.
        value = (bits & 0xFFFFFF).to(wide) * (span * 2.0**-24)
        return (value + low if low else value).to(float32)
    x = _fraction(bits, float64)
    if low == 0.0 or span > _SPLITTABLE:
        return x * span + low if low else x * span
    product, error = _exact_product(x, span)
    total = product + low
    virtual = total - product
    return total + (((product - (total - virtual)) + (low - virtual)) + error)


def _exact_product(x: Tensor, y: float) -> tuple[Tensor, Tensor]:
    """Product and rounding error in float64 (Dekker's product, by Veltkamp's splitting)."""
    split = 134217729.0
    x_high = x * split - (x * split - x)
    x_low = x - x_high
    y_high = y * split - (y * split - y)
    y_low = y - y_high
    product = x * y
    return product, x_low * y_low - (((product - x_high * y_high) - x_low * y_high) - x_high * y_low)


# ------------------------------------------------------------------ normal


def normal(shape: Shape, kind: Kind, mean: float, std: float, generator: Generator, *, dense: bool = True) -> Tensor:
    """Normal numbers; ``dense`` says that they are for contiguous memory, which PyTorch fills by another method."""
    dtype = kind.dtype
    if dtype.category == COMPLEX:
        # Half of the variance to each part.
        return _paired(normal, shape, kind, mean, std / math.sqrt(2.0), generator)
    count = math.prod(shape)
    if dense and count >= _BLOCK:
        # Multiplied even by 1, so that the result is no view.
        value = _filled(count, kind, generator).reshape(shape) * std
    else:
        value = random_words(generator.ticket("normal", count), shape, kind.sibling(widest(kind)))
        value = value * std if std != 1.0 else value
    if mean != 0.0:
        value = value + mean
    return value.to(dtype)


def _filled(count: int, kind: Kind, generator: Generator) -> Tensor:
    """Standard normal numbers in blocks of 16; a last partial block is drawn again as the last 16 numbers."""
    inner = _opmath(kind.dtype)
    draw = words64 if inner is float64 else words
    rest = count % _BLOCK
    whole_blocks = count - rest
    if not rest:
        return _box_muller(draw((count,), kind, generator), inner)
    # float32 and float64 draw the partial block before it is drawn again; the 16-bit formats do not.
    wasted = rest if kind.dtype is inner else 0
    bits = draw((whole_blocks + wasted + _BLOCK,), kind, generator)
    head = _box_muller(bits.narrow(0, 0, whole_blocks), inner)
    tail = _box_muller(bits.narrow(0, whole_blocks + wasted, _BLOCK), inner)
    return cat([head.narrow(0, 0, count - _BLOCK), tail])


def _box_muller(bits: Tensor, dtype: DType) -> Tensor:
    """Blocks of 16 normal numbers: the first eight uniform numbers give radii, the last eight angles."""
    half = _BLOCK // 2
    # Radii and angles side by side in memory, so that each op runs over one long row.
    halves = _fraction(bits.reshape(-1, 2, half).permute(1, 0, 2).contiguous(), dtype)
    radius = sqrt(log(1.0 - halves[0]) * -2.0)
    theta = halves[1] * (2.0 * math.pi)
    pairs = stack([radius * cos(theta), radius * sin(theta)])
    return pairs.permute(1, 0, 2).reshape(-1)


def log_normal(shape: Shape, kind: Kind, mean: float, std: float, generator: Generator) -> Tensor:
    """Numbers whose logarithm is normal."""
    wide = kind.sibling(widest(kind))
    return normal(shape, wide, mean, std, generator, dense=False).exp().to(kind.dtype)


# ------------------------------------------------------------------ other real distributions


def exponential(shape: Shape, kind: Kind, rate: float, generator: Generator) -> Tensor:
    """Waiting times at ``rate``."""
    return (log1p(-unit(shape, kind, generator)) * (-1.0 / rate)).to(kind.dtype)


def cauchy(shape: Shape, kind: Kind, median: float, sigma: float, generator: Generator) -> Tensor:
    """Cauchy numbers."""
    angle = (unit(shape, kind, generator) - 0.5) * math.pi
    return (angle.tan() * sigma + median).to(kind.dtype)


def geometric(shape: Shape, kind: Kind, p: float, generator: Generator) -> Tensor:
    """Number of trials up to the first success."""
    return (log(unit(shape, kind, generator)) / math.log1p(-p)).ceil().to(kind.dtype)


def bernoulli(shape: Shape, kind: Kind, p: float | Tensor, generator: Generator) -> Tensor:
    """1 with probability ``p``, else 0."""
    if isinstance(p, float) or p.dtype is float64:
        value = unit(shape, kind, generator)
    else:
        value = _fraction(words(shape, kind, generator), float32)
        p = p.to(float32)
    return lt(value, p).to(kind.dtype)


# ------------------------------------------------------------------ integers


def integers(shape: Shape, kind: Kind, low: int, span: int, generator: Generator) -> Tensor:
    """Integers in [low, low + span), for a span of at most 2**64 (all of int64), converted to the dtype."""
    if span == 1 << 64:
        return _cast(words64(shape, kind, generator), kind.dtype)
    if span >= _WIDE_RANGE:
        value = _modulo(words64(shape, kind, generator), span)
    else:
        value = _unsigned(words(shape, kind, generator))
        value = value & (span - 1) if span & (span - 1) == 0 else value % span
    # What int64 holds of the sum is right even where the sum wraps.
    return _cast(value + low if low else value, kind.dtype)


def whole(shape: Shape, kind: Kind, generator: Generator) -> Tensor:
    """Integers from 0 to the largest of an integer dtype, or that a floating dtype counts to without gaps."""
    dtype = kind.dtype
    if dtype.category == FLOATING:
        span = (1 << digits(dtype)) + 1
    elif dtype.category == BOOL:
        span = 2
    else:
        span = 1 << (dtype.bits - dtype.is_signed)
    if dtype.itemsize == 8:
        return _cast(_modulo(words64(shape, kind, generator), span), dtype)
    value = _unsigned(words(shape, kind, generator))
    return _cast(value & (span - 1) if span & (span - 1) == 0 else value % span, dtype)


def _unsigned(bits: Tensor) -> Tensor:
    """The words as int64 in [0, 2**32)."""
    return bits.to(int64) & 0xFFFFFFFF


def _cast(value: Tensor, dtype: DType) -> Tensor:
    return value.to(dtype) if dtype is not bool_ else value != 0


def _modulo(bits: Tensor, span: int) -> Tensor:
    """int64 words, read as unsigned, modulo ``span``; the result as int64 bits."""
    if span & (span - 1) == 0:
        return bits & (span - 1)
    if span > 1 << 63:
        # At most once: unsigned numbers compare as signed ones with the upper bit flipped.
        signed = span - (1 << 64)
        return where(ge(bits ^ _INT64_MIN, signed ^ _INT64_MIN), bits - signed, bits)
    # A negative word stands for itself plus 2**64; the sum of the two remainders is reduced without overflow.
    rest = bits % span
    lift = (1 << 64) % span
    return where(ge(bits, 0), rest, where(ge(rest, span - lift), rest - (span - lift), rest + lift))


def smallest_above(bound: int, dtype: DType) -> int:
    """``bound``, raised where the next integer would round below it in ``dtype``."""
    rounded = _whole_rounded(bound + 1, dtype)
    if rounded < bound:
        return rounded + (1 << (abs(bound + 1).bit_length() - digits(dtype)))
    return bound


def largest_below(bound: int, dtype: DType) -> int:
    """``bound``, lowered where the integer before it would round up to it in ``dtype``."""
    rounded = _whole_rounded(bound - 1, dtype)
    if rounded >= bound:
        return rounded - (1 << (abs(bound - 1).bit_length() - digits(dtype)))
    return bound


def _whole_rounded(value: int, dtype: DType) -> int:
    rounded = rounded_to(value, dtype)
    if math.isinf(rounded):
        return _INT64_MIN
    return int(rounded)
