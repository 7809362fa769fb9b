"""What every draw goes through: words of a generator as a tensor, and numbers made of them.

The ticket is an attribute, so the door and what records behind it see each draw; a replay renews the ticket.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import DType, finfo, float32, float64, int32, int64
from tensorcore.levels import running
from tensorcore.ops.creation import ramp
from tensorcore.ops.elementwise import cos, ge, log, log1p, sin, sqrt, where
from tensorcore.ops.movement import cat, stack
from tensorcore.ops.record import composite, primitive
from tensorcore.ops.rules import same
from tensorcore.random import philox

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.random.ticket import Ticket
    from tensorcore.tensor import Tensor

__all__ = [
    "BLOCK",
    "WIDE_RANGE",
    "digits",
    "exponential_by_ticket",
    "integers_by_ticket",
    "modulo",
    "normal_by_ticket",
    "philox_uniform",
    "random_words",
    "uniform_by_ticket",
    "unit",
    "unsigned",
    "widest",
]

#: Numbers from which on PyTorch fills blocks of 16 with normal ones instead of drawing one by one.
BLOCK: Final = 16
#: From this range on PyTorch takes 64 bits for an integer (its skew is then below 5 %).
WIDE_RANGE: Final = 1 << 28
_INT64_MIN: Final = -(1 << 63)
#: Largest factor that Veltkamp's splitting takes without overflow.
_SPLITTABLE: Final = 2.0**996


@primitive(rule=same, namespaces=(), random=True, ulp=0)
def random_words(ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    """The numbers of ``ticket`` under ``shape``, in the dtype of ``kind``, which has the width of the ticket's numbers.

    Its kernel is `Backend.random_words`, the same for all.
    """
    return random_words.emit(kind=kind, ticket=ticket, shape=shape)


def widest(kind: Kind) -> DType:
    """float64, or float32 on a device without."""
    return float64 if float64 in kind.device.capabilities.dtypes else float32


@cache
def digits(dtype: DType) -> int:
    """Bits of the significand, the hidden one included."""
    return 1 - int(math.log2(finfo(dtype).eps))


# ------------------------------------------------------------------ uniform numbers


@composite(rule=same, namespaces=(), random=True, ulp=0)
def uniform_by_ticket(ticket: Ticket, shape: tuple[int, ...], low: float, span: float, kind: Kind) -> Tensor:
    """Fractions times ``span`` plus ``low``, rounded once, as PyTorch's fused multiply-add does.

    float32: of the lower 24 bits of a ticket for words; float64: of the lower 53 bits of one for words of 64 bits.
    """
    return uniform_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, low=low, span=span)


@uniform_by_ticket.expression
def _uniform_by_ticket(*, ticket: Ticket, shape: tuple[int, ...], low: float, span: float, kind: Kind) -> Tensor:
    bits = random_words(ticket, shape, kind.sibling(int64 if kind.dtype is float64 else int32))
    if low == 0.0 and span == 1.0:
        return _fraction(bits, kind.dtype)
    return _scaled(bits, kind.dtype, span, low, kind)


def _fraction(bits: Tensor, dtype: DType) -> Tensor:
    """Numbers in [0, 1) from the lower 24 bits of words (float32) or 53 bits of 64-bit words (float64)."""
    size = digits(dtype)
    return (bits & ((1 << size) - 1)).to(dtype) * 2.0**-size


def _scaled(bits: Tensor, inner: DType, span: float, low: float, kind: Kind) -> Tensor:
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


def unit(ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    """Numbers in [0, 1) of 53 bits, in float64; of their upper 24 bits on a device without it."""
    wide = kind.sibling(widest(kind))
    if wide.dtype is float64:
        return uniform_by_ticket.emit(kind=wide, ticket=ticket, shape=shape, low=0.0, span=1.0)
    bits = random_words(ticket, shape, kind.sibling(int64))
    return ((bits >> 29) & 0xFFFFFF).to(float32) * 2.0**-24


@composite(rule=same, namespaces=(), random=True, ulp=4)
def exponential_by_ticket(ticket: Ticket, shape: tuple[int, ...], rate: float, kind: Kind) -> Tensor:
    """Waiting times at ``rate``, of a ticket for words of 64 bits."""
    return exponential_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, rate=rate)


@exponential_by_ticket.expression
def _exponential_by_ticket(*, ticket: Ticket, shape: tuple[int, ...], rate: float, kind: Kind) -> Tensor:
    return (log1p(-unit(ticket, shape, kind)) * (-1.0 / rate)).to(kind.dtype)


@composite(rule=same, namespaces=(), random=True, ulp=0)
def philox_uniform(ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    """float32 numbers in [0, 1) of 24 bits: element i is word i % 4 of Philox block ``ticket.offset + i // 4``.

    ``kind`` is float32 on some device. A backend's kernel of this name takes ``ticket`` and ``shape``, and reads
    ``ticket.key`` and ``ticket.offset``.
    """
    if running.levels:
        from tensorcore.func.drawing import philox_drawn

        return philox_drawn(ticket, shape, kind)
    return philox_uniform.emit(kind=kind, ticket=ticket, shape=shape)


@philox_uniform.expression
def _philox_uniform(*, ticket: Ticket, shape: tuple[int, ...], kind: Kind) -> Tensor:
    count = math.prod(shape)
    blocks = philox.blocks_for(count)
    # The key comes as data, so that a recorded program draws afresh.
    first, *keys = random_words(ticket, (21, 1), kind.sibling(int64)).unbind(0)
    counter = ramp(0, 1, blocks, int64, kind.device) + first
    low, high = counter & 0xFFFFFFFF, (counter >> 32) & 0xFFFFFFFF
    zero: Any = counter & 0
    out = philox.rounds((low, high, zero, zero), list(zip(keys[0::2], keys[1::2], strict=True)))
    bits = stack([word & 0xFFFFFF for word in out], 1).reshape(-1).narrow(0, 0, count)
    return (bits.to(float32) * 2.0**-24).reshape(shape)


# ------------------------------------------------------------------ normal numbers


@composite(rule=same, namespaces=(), random=True, ulp=4)
def normal_by_ticket(ticket: Ticket, shape: tuple[int, ...], mean: float, std: float, kind: Kind) -> Tensor:
    """Normal float32 or float64 numbers of a ticket for such, or of one for words of 32 or 64 bits.

    Words make at least 16 numbers, in blocks of 16; a last partial block is the last 16 numbers. The words are those of
    the whole blocks, some that are not used, and the 16 of the last block, if the count is no multiple.
    """
    return normal_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, mean=mean, std=std)


@normal_by_ticket.expression
def _normal_by_ticket(*, ticket: Ticket, shape: tuple[int, ...], mean: float, std: float, kind: Kind) -> Tensor:
    count, drawn = math.prod(shape), ticket.count
    inner = kind.dtype
    if ticket.kind == "normal":
        value = random_words(ticket, shape, kind.sibling(widest(kind)))
        value = value * std if std != 1.0 else value
        return (value + mean if mean != 0.0 else value).to(inner)
    bits = random_words(ticket, (drawn,), kind.sibling(int64 if inner is float64 else int32))
    if count % BLOCK:
        head = _box_muller(bits.narrow(0, 0, count - count % BLOCK), inner)
        tail = _box_muller(bits.narrow(0, drawn - BLOCK, BLOCK), inner)
        value = cat([head.narrow(0, 0, count - BLOCK), tail])
    else:
        value = _box_muller(bits, inner)
    # Multiplied even by 1, so that the result is no view.
    value = value.reshape(shape) * std
    return value + mean if mean != 0.0 else value


def _box_muller(bits: Tensor, dtype: DType) -> Tensor:
    """Blocks of 16 normal numbers: the first eight uniform numbers give radii, the last eight angles."""
    half = BLOCK // 2
    # Radii and angles side by side in memory, so that each op runs over one long row.
    halves = _fraction(bits.reshape(-1, 2, half).permute(1, 0, 2).contiguous(), dtype)
    radius = sqrt(log(1.0 - halves[0]) * -2.0)
    theta = halves[1] * (2.0 * math.pi)
    pairs = stack([radius * cos(theta), radius * sin(theta)])
    return pairs.permute(1, 0, 2).reshape(-1)


# ------------------------------------------------------------------ integers


@composite(rule=same, namespaces=(), random=True, ulp=0)
def integers_by_ticket(ticket: Ticket, shape: tuple[int, ...], low: int, span: int, kind: Kind) -> Tensor:
    """int64 numbers in [low, low + span) for a span of at most 2**64; of 64 bits each from a span of 2**28 on."""
    return integers_by_ticket.emit(kind=kind, ticket=ticket, shape=shape, low=low, span=span)


@integers_by_ticket.expression
def _integers_by_ticket(*, ticket: Ticket, shape: tuple[int, ...], low: int, span: int, kind: Kind) -> Tensor:
    if span >= WIDE_RANGE:
        value = random_words(ticket, shape, kind)
        if span == 1 << 64:
            return value
        value = modulo(value, span)
    else:
        value = unsigned(random_words(ticket, shape, kind.sibling(int32)))
        value = value & (span - 1) if span & (span - 1) == 0 else value % span
    # What int64 holds of the sum is right even where the sum wraps.
    return value + low if low else value


def unsigned(bits: Tensor) -> Tensor:
    """The words as int64 in [0, 2**32)."""
    return bits.to(int64) & 0xFFFFFFFF


def modulo(bits: Tensor, span: int) -> Tensor:
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
