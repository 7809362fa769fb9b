"""What random ops ask of their arguments: the checks, and the errors they raise."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, DType, iinfo
from tensorcore.dtypes import finfo as limits_of
from tensorcore.errors import DTypeError, RangeError
from tensorcore.levels import everywhere
from tensorcore.random import samplers
from tensorcore.random.generator import Generator, default_generator
from tensorcore.tensor import Tensor


def source_of(generator: Any, op: str) -> Generator:
    """The generator given, or the default one."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{op}: generator must be a tensorcore.Generator, got {type(generator).__name__}")
    return generator


def require_dtype(op: str, dtype: DType, least: int = FLOATING, most: int = COMPLEX) -> None:
    """Raise DTypeError for a dtype outside the categories ``least`` to ``most``."""
    if not least <= dtype.category <= most:
        wanted = "a floating-point" + (" or complex" if most == COMPLEX else "") if least == FLOATING else "a real"
        raise DTypeError(f"{op}: expected {wanted} dtype, got {dtype}")


def bounds(op: str, low: Any, high: Any, dtype: DType) -> tuple[int, int]:
    """The integers [low, high) as ``dtype`` holds them: ends that would round outwards are moved inwards."""
    low, high = (x.item() if isinstance(x, Tensor) else x for x in (low, high))
    if not hasattr(low, "__index__") or not hasattr(high, "__index__"):
        raise TypeError(f"{op}: low and high must be ints, got {low!r} and {high!r}")
    first, last = low.__index__(), high.__index__()
    require_dtype(op, dtype, BOOL, FLOATING)
    if first < last and dtype.category == FLOATING:
        first, last = samplers.smallest_above(first, dtype), samplers.largest_below(last, dtype)
    if first >= last:
        raise RangeError(f"{op}: low must be below high, got low={low} and high={high} for {dtype}")
    require_held(op, "low", first, dtype)
    require_held(op, "high - 1", last - 1, dtype)
    return first, last


def lower_bound(op: str, low: Any, dtype: DType) -> tuple[int, int]:
    """The interval from ``low`` up to the largest integer of ``dtype``, or to which it counts without gaps."""
    if not hasattr(low, "__index__"):
        raise TypeError(f"{op}: from must be an int, got {low!r}")
    first = low.__index__()
    if dtype.category == FLOATING:
        first, last = samplers.smallest_above(first, dtype), 1 << samplers.digits(dtype)
    else:
        last = 1 if dtype.category == BOOL else iinfo(dtype).max
    if first > last:
        raise RangeError(f"{op}: from must not be above {last}, the largest for {dtype}, got {low}")
    require_held(op, "from", first, dtype)
    return first, last + 1


def require_held(op: str, name: str, value: int, dtype: DType, whole: bool = False) -> None:
    """Raise RangeError where ``dtype`` does not reach ``value``; warn (``whole``: raise) where it has gaps there."""
    if dtype.category == FLOATING:
        gapless = 1 << samplers.digits(dtype)
        if abs(value) > limits_of(dtype).max or (whole and value > gapless):
            raise RangeError(f"{op}: {name} = {value} is beyond what {dtype} holds")
        if abs(value) > gapless:
            warnings.warn(
                f"{op}: {name} = {value} lies outside [-{gapless}, {gapless}], where {dtype} holds every integer",
                stacklevel=4,
            )
        return
    least, most = _limits(dtype)
    if not least <= value <= most:
        raise RangeError(f"{op}: {name} = {value} is out of range for {dtype}, which holds {least} to {most}")


@cache
def _limits(dtype: DType) -> tuple[int, int]:
    return (0, 1) if dtype.category == BOOL else (iinfo(dtype).min, iinfo(dtype).max)


def require_std(op: str, std: Any) -> None:
    """Raise RangeError for a negative or NaN standard deviation."""
    if not std >= 0:
        raise RangeError(f"{op}: std must not be negative, got {std}")


def require_positive(op: str, name: str, value: Any) -> None:
    """Raise RangeError unless ``value`` is positive."""
    if not value > 0:
        raise RangeError(f"{op}: {name} must be positive, got {value}")


def require_chance(op: str, p: Any) -> None:
    """Raise RangeError for a number that is no probability."""
    if not 0 <= p <= 1:
        raise RangeError(f"{op}: p must lie in [0, 1], got {p}")


def require_chances(op: str, p: Tensor) -> None:
    """Raise for a tensor whose elements are no probabilities."""
    if not p.is_floating_point():
        raise DTypeError(f"{op}: probabilities must be a floating-point tensor, got {p.dtype}")
    from tensorcore.dispatch import intercepted

    # What is being recorded cannot be read; PyTorch's recorded programs do not check either.
    values = everywhere(p.detach())
    if not intercepted() and values.numel() and not 0 <= values.amin().item() <= values.amax().item() <= 1:
        raise RangeError(f"{op}: every element of p must lie in [0, 1]; shape {list(p.shape)}, {p.dtype}")


def require_all(op: str, name: str, x: Tensor, good: Tensor, wanted: str) -> None:
    """Raise RangeError unless ``good``, the check of all elements of ``x``, came out true."""
    from tensorcore.dispatch import intercepted

    # What is being recorded cannot be read; PyTorch's recorded programs do not check either.
    if not intercepted() and not everywhere(good).all().item():
        raise RangeError(f"{op}: every element of {name} must {wanted}; shape {list(x.shape)}, {x.dtype}")
