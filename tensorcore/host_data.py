"""Elements as bytes in host memory, and as Python numbers.

The format is that of `Backend.from_host`: row-major, native byte order, one byte a bool, bfloat16 as the upper 16 bits
of a float32, complex as pairs.
"""

from __future__ import annotations

import itertools
import struct
from array import array
from collections.abc import Sequence
from typing import Any

from tensorcore.dtypes import BOOL, COMPLEX, INTEGER, DType, bfloat16, float16
from tensorcore.errors import DTypeError, RangeError

__all__ = ["decode", "encode", "nest", "round_to"]

_ARRAY_CODES = {
    "bool": "B", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "int8": "b", "int16": "h",
    "int32": "i", "int64": "q", "float32": "f", "float64": "d", "complex64": "f", "complex128": "d",
}  # fmt: skip


def encode(values: Sequence[Any], dtype: DType, strict: bool = False) -> bytes | array[Any]:
    """``values``, Python numbers, as bytes; floats round to nearest, integers wrap, or with ``strict`` must fit.

    Negative numbers fit into unsigned dtypes, from above, as in PyTorch.
    """
    if dtype.category == BOOL:
        return bytes(map(bool, values))
    if dtype.category == INTEGER:
        return _encode_integers(values, dtype, strict)
    if dtype.category == COMPLEX:
        parts = itertools.chain.from_iterable((v.real, v.imag) for v in map(complex, values))
        return _encode_floats(list(parts), dtype.to_real())
    return _encode_floats(values, dtype)


def _encode_integers(values: Sequence[Any], dtype: DType, strict: bool) -> array[Any]:
    code = _ARRAY_CODES[dtype.name]
    try:
        return array(code, values)
    except (OverflowError, TypeError):
        return array(code, [wrapped(v, dtype, strict) for v in values])


def wrapped(value: Any, dtype: DType, strict: bool) -> int:
    """``value`` without its fraction, modulo the range of an integer dtype.

    Raises:
        RangeError: for infinity and NaN; with ``strict`` also for what does not fit.
        DTypeError: for a complex number.
        OverflowError: for an int beyond 64 bits.
    """
    if isinstance(value, complex):
        raise DTypeError(f"a complex number, {value!r}, does not fit into {dtype}; take its .real")
    try:
        whole = int(value)
    except (OverflowError, ValueError):
        raise RangeError(f"{value!r} does not fit into {dtype}") from None
    bits = dtype.bits
    top = 1 << (bits - 1) if dtype.is_signed else 0
    span = 1 << bits
    if strict and not (-(top or span - 1) <= whole < span - top):
        raise RangeError(f"{whole} does not fit into {dtype}, whose numbers go from {-top} to {span - top - 1}")
    if abs(whole) >= 1 << 64:
        raise OverflowError(f"{whole} does not fit into {dtype}")
    return ((whole + top) & (span - 1)) - top


def _encode_floats(values: Sequence[Any], dtype: DType) -> bytes | array[Any]:
    if dtype is float16:
        return struct.pack(f"={len(values)}e", *map(_to_float16_range, values))
    try:
        if dtype is bfloat16:
            return array("H", map(_to_bfloat16, array("f", values)))
        return array(_ARRAY_CODES[dtype.name], values)
    except OverflowError:
        # Python ints beyond the largest float.
        return _encode_floats([_saturate(v) for v in values], dtype)
    except TypeError:
        odd = next((v for v in values if isinstance(v, complex)), None)
        if odd is None:
            raise
        raise DTypeError(f"a complex number, {odd!r}, does not fit into {dtype}; take its .real") from None


def _saturate(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _to_float16_range(value: Any) -> float:
    # struct refuses what rounds beyond the largest float16; IEEE 754 rounds it to infinity.
    value = _saturate(value)
    if abs(value) >= 65520.0:
        return float("inf") if value > 0 else float("-inf")
    return value


def _to_bfloat16(value: float) -> int:
    (word,) = struct.unpack("=I", struct.pack("=f", value))
    if value != value:
        return int(word >> 16 | 0x40)
    return int((word + 0x7FFF + (word >> 16 & 1)) >> 16)


def decode(data: Any, dtype: DType) -> list[Any]:
    """The Python numbers in ``data``."""
    view = memoryview(data).cast("B")
    if dtype.category == BOOL:
        return [byte != 0 for byte in view]
    if dtype is bfloat16:
        words = array("I", [word << 16 for word in view.cast("H")])
        return memoryview(words.tobytes()).cast("f").tolist()
    if dtype is float16:
        return list(struct.unpack(f"={len(view) // 2}e", view))
    numbers = view.cast(_ARRAY_CODES[dtype.name]).tolist()  # type: ignore[call-overload]
    if dtype.category == COMPLEX:
        return list(map(complex, numbers[::2], numbers[1::2]))
    return numbers


def nest(flat: Sequence[Any], shape: Sequence[int]) -> Any:
    """Nested lists of ``shape`` from row-major elements."""
    if not shape:
        return flat[0]
    level: Sequence[Any] = flat
    for place in range(len(shape) - 1, 0, -1):
        side = shape[place]
        count = 1
        for outer in shape[:place]:
            count *= outer
        level = [list(level[i * side : (i + 1) * side]) for i in range(count)]
    return list(level)


def round_to(value: float, dtype: DType) -> float:
    """``value`` rounded to a floating dtype."""
    return float(decode(encode([value], dtype), dtype)[0])
