"""Distributions: words of a generator made into numbers, by PyTorch's conversions, in ops of the tensor's device.

Each sampler returns a tensor of ``shape`` and ``kind``. Uniform and integer draws have the bits of PyTorch's CPU
results, normal ones are within a few units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, bool_, float32, float64, int32, int64
from tensorcore.host_data import round_to
from tensorcore.levels import running, running_vmap
from tensorcore.ops import drawing
from tensorcore.ops.complex import complex as complex_of
from tensorcore.ops.conversion import cast
from tensorcore.ops.drawing import (
    BLOCK,
    WIDE_RANGE,
    digits,
    exponential_by_ticket,
    integers_by_ticket,
    modulo,
    normal_by_ticket,
    random_words,
    uniform_by_ticket,
    unsigned,
    widest,
)
from tensorcore.ops.elementwise import log, lt, where
from tensorcore.ops.movement import stack

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.random.generator import Generator
    from tensorcore.random.ticket import Ticket
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

_INT64_MIN = -(1 << 63)
Shape = tuple[int, ...]


def sampler(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorator: inside `tensorcore.vmap`, ``draw`` does what its ``randomness`` says."""

    @wraps(draw)
    def drawing(shape: Shape, kind: Kind, *args: Any, **kwargs: Any) -> Tensor:
        level = running_vmap() if running.levels else None
        if level is None:
            return draw(shape, kind, *args, **kwargs)
        from tensorcore.func.drawing import drawn

        return drawn(level, draw, shape, kind, args, kwargs)

    return drawing


@sampler
def unit(shape: Shape, kind: Kind, generator: Generator) -> Tensor:
    """Numbers in [0, 1) of 53 bits, in float64; of their upper 24 bits on a device without it."""
    return drawing.unit(generator.ticket("words64", math.prod(shape)), shape, kind)


def _drawn(kind: Kind, count: int, generator: Generator) -> tuple[Kind, Ticket]:
    """The kind in which numbers of ``kind`` are drawn before they are rounded to it, and a ticket for their words."""
    if kind.dtype is float64:
        return kind, generator.ticket("words64", count)
    return kind if kind.dtype is float32 else kind.sibling(float32), generator.ticket("words", count)


def _paired(draw: Any, shape: Shape, kind: Kind, *args: Any) -> Tensor:
    """Complex numbers whose parts are drawn in turn."""
    parts = draw((*shape, 2), kind.sibling(kind.dtype.to_real()), *args)
    return complex_of(parts.select(-1, 0), parts.select(-1, 1))


# ------------------------------------------------------------------ uniform


@sampler
def uniform(shape: Shape, kind: Kind, low: float, high: float, generator: Generator) -> Tensor:
    """Numbers in [low, high)."""
    dtype = kind.dtype
    if dtype.category == COMPLEX:
        return _paired(uniform, shape, kind, low, high, generator)
    inner, ticket = _drawn(kind, math.prod(shape), generator)
    if low == 0.0 and high == 1.0 and inner is kind:
        return uniform_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, low=low, span=high)
    start, span, reached = _interval(low, high, inner.dtype, dtype)
    value = uniform_by_ticket.emit(kind=inner, ticket=ticket, shape=shape, low=start, span=span)
    value = value if inner is kind else value.to(dtype)
    return where(value == rounded_to(high, dtype), rounded_to(low, dtype), value) if reached else value


@lru_cache(256)
def _interval(low: float, high: float, inner: DType, dtype: DType) -> tuple[float, float, bool]:
    """Lower bound and span in the dtype of drawing, and whether numbers rounded to ``dtype`` can reach ``high``.

    The interval leaves its upper bound out.
    """
    start = rounded_to(low, inner)
    span = rounded_to(rounded_to(high, inner) - start, inner)
    # The next number covers the rounding of this one.
    most = math.nextafter(span * (1.0 - 2.0 ** -digits(inner)) + start, math.inf)
    return start, span, not rounded_to(most, dtype) < rounded_to(high, dtype)


def rounded_to(value: float, dtype: DType) -> float:
    """A number as ``dtype`` holds it."""
    return value if dtype is float64 else round_to(value, dtype)


# ------------------------------------------------------------------ normal


@sampler
def normal(shape: Shape, kind: Kind, mean: float, std: float, generator: Generator, *, dense: bool = True) -> Tensor:
    """Normal numbers; ``dense`` says that they are for contiguous memory, which PyTorch fills by another method."""
    dtype = kind.dtype
    if dtype.category == COMPLEX:
        # Half of the variance to each part.
        return _paired(normal, shape, kind, mean, std / math.sqrt(2.0), generator)
    count = math.prod(shape)
    if dense and count >= BLOCK:
        rest = count % BLOCK
        # float32 and float64 draw a partial block before it is drawn again; the 16-bit formats do not.
        wasted = 0 if dtype.itemsize == 2 else rest
        inner, ticket = _drawn(kind, count - rest + (wasted + BLOCK) * (rest > 0), generator)
        made = normal_by_ticket.emit(kind=inner, ticket=ticket, shape=shape, mean=mean, std=std)
        return made if inner is kind else made.to(dtype)
    ticket = generator.ticket("normal", count)
    if dtype.itemsize == 2:
        # Rounded once, from the widest dtype.
        return normal_by_ticket.emit(
            kind=kind.sibling(widest(kind)), ticket=ticket, shape=shape, mean=mean, std=std
        ).to(dtype)
    return normal_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, mean=mean, std=std)


@sampler
def log_normal(shape: Shape, kind: Kind, mean: float, std: float, generator: Generator) -> Tensor:
    """Numbers whose logarithm is normal."""
    wide = kind.sibling(widest(kind))
    return normal(shape, wide, mean, std, generator, dense=False).exp().to(kind.dtype)


# ------------------------------------------------------------------ other real distributions


@sampler
def exponential(shape: Shape, kind: Kind, rate: float, generator: Generator) -> Tensor:
    """Waiting times at ``rate``."""
    ticket = generator.ticket("words64", math.prod(shape))
    return exponential_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, rate=rate)


@sampler
def cauchy(shape: Shape, kind: Kind, median: float, sigma: float, generator: Generator) -> Tensor:
    """Cauchy numbers."""
    angle = (unit(shape, kind, generator) - 0.5) * math.pi
    return (angle.tan() * sigma + median).to(kind.dtype)


@sampler
def geometric(shape: Shape, kind: Kind, p: float, generator: Generator) -> Tensor:
    """Number of trials up to the first success."""
    return (log(unit(shape, kind, generator)) / math.log1p(-p)).ceil().to(kind.dtype)


@sampler
def bernoulli(shape: Shape, kind: Kind, p: float | Tensor, generator: Generator) -> Tensor:
    """1 with probability ``p``, else 0."""
    if isinstance(p, float) or p.dtype is float64:
        value = unit(shape, kind, generator)
    else:
        single = kind.sibling(float32)
        value = uniform(shape, single, 0.0, 1.0, generator)
        p = p if p.dtype is float32 else p.to(float32)
    return cast.emit(lt(value, p), dtype=kind.dtype)


# ------------------------------------------------------------------ integers


@sampler
def integers(shape: Shape, kind: Kind, low: int, span: int, generator: Generator) -> Tensor:
    """Integers in [low, low + span), for a span of at most 2**64 (all of int64), converted to the dtype."""
    ticket = generator.ticket("words" if span < WIDE_RANGE else "words64", math.prod(shape))
    wide = kind if kind.dtype is int64 else kind.sibling(int64)
    made = integers_by_ticket.emit(kind=wide, ticket=ticket, shape=shape, low=low, span=span)
    return made if wide is kind else _cast(made, kind.dtype)


@sampler
def permutation(shape: Shape, kind: Kind, generator: Generator) -> Tensor:
    """Along the last dimension, the numbers from 0 in random order, as int64."""
    count = shape[-1]
    rows = math.prod(shape[:-1])
    made = [random_words(generator.ticket("permutation", count), (count,), kind) for _ in range(rows)]
    return made[0] if len(shape) == 1 else stack(made).reshape(shape)


@sampler
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
        ticket = generator.ticket("words64", math.prod(shape))
        return _cast(modulo(random_words(ticket, shape, kind.sibling(int64)), span), dtype)
    ticket = generator.ticket("words", math.prod(shape))
    value = unsigned(random_words(ticket, shape, kind.sibling(int32)))
    return _cast(value & (span - 1) if span & (span - 1) == 0 else value % span, dtype)


def _cast(value: Tensor, dtype: DType) -> Tensor:
    return value.to(dtype) if dtype is not bool_ else value != 0


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
