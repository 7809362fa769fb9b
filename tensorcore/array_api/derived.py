"""Elementwise functions of the standard that are an op under the standard's name (typed in ``derived.pyi``)."""

from __future__ import annotations

from typing import Final

from tensorcore.array_api.spelling import binary, unary

#: Functions whose op has the same name, of one array and of two.
_ONE: Final = (
    "abs acos acosh asin asinh atan atanh ceil conj cos cosh exp floor imag isfinite isinf isnan log log10 log1p "
    "log2 logical_not positive real reciprocal signbit sin sinh sqrt square tan tanh trunc"
)
_TWO: Final = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign floor_divide hypot "
    "logaddexp logical_and logical_or logical_xor maximum minimum nextafter pow remainder"
)
#: The others, with PyTorch's names.
_UNARY: Final = {"bitwise_invert": "bitwise_not", "negative": "neg"}
_BINARY: Final = {
    "divide": "div", "equal": "eq", "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le",
    "multiply": "mul", "not_equal": "ne", "subtract": "sub",
}  # fmt: skip

FUNCTIONS: Final = {
    **{name: unary(name, _UNARY.get(name, name)) for name in (*_ONE.split(), *_UNARY)},
    **{name: binary(name, _BINARY.get(name, name)) for name in (*_TWO.split(), *_BINARY)},
}
globals().update(FUNCTIONS)
# Their ops take an argument more, of which the records speak.
FUNCTIONS["add"].__doc__ = "Sum of ``x1`` and ``x2``, element by element; for booleans, or."
FUNCTIONS["divide"].__doc__ = "Quotient of ``x1`` and ``x2``, element by element; of integers a floating-point number."
FUNCTIONS["subtract"].__doc__ = "Difference of ``x1`` and ``x2``, element by element."

__all__ = list(FUNCTIONS)
