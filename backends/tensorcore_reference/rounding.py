"""What a Python number becomes in each dtype: rounding, wrapping, and conversion between dtypes."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable
from typing import Any, Final

from tensorcore import dtypes
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType

__all__ = ["converted", "rounded"]


def rounded(values: list[Any], dtype: DType) -> list[Any]:
    """``values``, numbers of the dtype's category, as ``dtype`` holds them.

    Floats are rounded to the nearest, ties to even, beyond the largest to infinity; integers wrap modulo 2**bits.
    """
    return _ROUNDERS[dtype](values)


# ------------------------------------------------------------------ one function per format


def _to_bool(values: list[Any]) -> list[bool]:
    return list(map(bool, values))


def _wrapping(code: str, dtype: DType) -> Callable[[list[int]], list[int]]:
    low = -(1 << (dtype.bits - 1)) if dtype.is_signed else 0
    mask = (1 << dtype.bits) - 1

    def wrap(values: list[int]) -> list[int]:
        try:
            return array(code, values).tolist()
        except OverflowError:
            return [((value - low) & mask) + low for value in values]

    return wrap


def _to_float16(values: list[float]) -> list[float]:
    form = f"={len(values)}e"
    try:
        return list(struct.unpack(form, struct.pack(form, *values)))
    except (OverflowError, struct.error):
        # struct refuses what rounds beyond the largest float16, ints by the second exception; IEEE 754 rounds it
        # to infinity.
        inside = [math.copysign(math.inf, value) if abs(value) >= 65520.0 else value for value in values]
        return list(struct.unpack(form, struct.pack(form, *inside)))


def _to_bfloat16(values: list[float]) -> list[float]:
    # By way of float32, as conversions to bfloat16 do in all engines.
    words = array("I", array("f", values).tobytes())
    upper = [
        0x7FC00000 if word & 0x7FFFFFFF > 0x7F800000 else (word + 0x7FFF + (word >> 16 & 1)) & 0xFFFF0000
        for word in words
    ]
    return array("f", array("I", upper).tobytes()).tolist()


def _to_float32(values: list[float]) -> list[float]:
    return array("f", values).tolist()


def _to_float64(values: list[float]) -> list[float]:
    return array("d", values).tolist()


def _to_complex64(values: list[complex]) -> list[complex]:
    real = array("f", [value.real for value in values])
    imag = array("f", [value.imag for value in values])
    return list(map(complex, real, imag))


def _to_complex128(values: list[complex]) -> list[complex]:
    return list(map(complex, values))


_ROUNDERS: Final[dict[DType, Callable[[list[Any]], list[Any]]]] = {
    dtypes.bool_: _to_bool,
    dtypes.uint8: _wrapping("B", dtypes.uint8),
    dtypes.uint16: _wrapping("H", dtypes.uint16),
    dtypes.uint32: _wrapping("I", dtypes.uint32),
    dtypes.uint64: _wrapping("Q", dtypes.uint64),
    dtypes.int8: _wrapping("b", dtypes.int8),
    dtypes.int16: _wrapping("h", dtypes.int16),
    dtypes.int32: _wrapping("i", dtypes.int32),
    dtypes.int64: _wrapping("q", dtypes.int64),
    dtypes.float16: _to_float16,
    dtypes.bfloat16: _to_bfloat16,
    dtypes.float32: _to_float32,
    dtypes.float64: _to_float64,
    dtypes.complex64: _to_complex64,
    dtypes.complex128: _to_complex128,
}


# ------------------------------------------------------------------ conversion between categories


def converted(values: list[Any], source: int, dtype: DType) -> list[Any]:
    """Numbers of the category ``source`` converted to ``dtype``.

    To bool, whatever is not zero is true, NaN too. Complex numbers lose the imaginary part. Floats lose the fraction on
    their way to integers, and then wrap; `_cut` tells what becomes of NaN and of what is out of range.
    """
    if dtype.category == BOOL:
        return _to_bool(values)
    if dtype.category == COMPLEX:
        if source == COMPLEX:
            return rounded(values, dtype)
        return list(map(complex, converted(values, source, dtype.to_real())))
    if source == COMPLEX:
        values, source = [value.real for value in values], FLOATING
    if dtype.category == INTEGER:
        return rounded(_cut(values, dtype) if source == FLOATING else values, dtype)
    if source == INTEGER and dtype is not dtypes.float64:
        values = [value if -_EXACT <= value <= _EXACT else _sticky(value) for value in values]
    return rounded(values, dtype)


def _cut(values: list[float], dtype: DType) -> list[int]:
    """Floats without their fractions, as integers that may still have to wrap.

    The formats of up to 16 bits convert by way of int32. NaN and what is out of range on the way become the lowest
    value of the signed format of that width (2**31 or 2**63 once wrapped to uint32 or uint64), what lies above uint32
    or uint64 becomes 0: C leaves these undefined, and this is what NumPy gives on x86-64.
    """
    bits = max(dtype.bits, 32)
    wide = not dtype.is_signed and dtype.bits >= 32
    low = -(1 << (bits - 1))
    high = 1 << (bits if wide else bits - 1)
    above = 0 if wide else low
    return [math.trunc(value) if low <= value < high else above if value >= high else low for value in values]


#: Integers of at most this size are float64 numbers.
_EXACT: Final = 1 << 53


def _sticky(value: int) -> int:
    """A 64-bit integer that float64 holds and that rounds to the shorter formats as ``value`` does.

    Rounding twice, to float64 first, could make a tie of what is none: the bits that would be lost are kept as one.
    """
    return (value >> 12 | (value & 0xFFF != 0)) << 12
