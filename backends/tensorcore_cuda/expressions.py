"""C expressions of the elementwise ops, per category of dtype: ``x0``, ``x1``, ``x2`` are the operands.

Expressions of 16-bit floats are computed in float. What C leaves undefined or does otherwise (integer overflow,
division by zero, shifts by too much, the sign of a remainder) is written out, as the reference backend defines it.
"""

from __future__ import annotations

from typing import Final

from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType, bfloat16, bool_, by_name, float16, float64

__all__ = ["COMPARISONS", "C_TYPES", "compute_type", "converted", "expression", "result_dtype", "wide_unsigned"]

#: How elements lie in memory.
C_TYPES: Final[dict[DType, str]] = {
    by_name(name): c_type
    for name, c_type in (
        ("bool", "bool"), ("uint8", "unsigned char"), ("uint16", "unsigned short"), ("uint32", "unsigned int"),
        ("uint64", "unsigned long long"), ("int8", "signed char"), ("int16", "short"), ("int32", "int"),
        ("int64", "long long"), ("float16", "half_bits"), ("bfloat16", "bfloat_bits"), ("float32", "float"),
        ("float64", "double"),
    )
}  # fmt: skip

_UNARY_FUNCTIONS = [
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "floor",
    "ceil",
    "trunc",
    "log2",
    "log10",
    "exp2",
    "erf",
    "erfc",
    "lgamma",
    "rsqrt",
]
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_LOGIC = {"logical_and": "({0}) && ({1})", "logical_or": "({0}) || ({1})", "logical_xor": "({0}) != ({1})"}

#: Ops whose result is bool whatever they compare.
COMPARISONS: Final = frozenset(_COMPARISONS) | frozenset(_LOGIC) | {"logical_not", "isnan", "isinf", "isfinite"}

_FLOATS = {
    "add": "x0 + x1",
    "sub": "x0 - x1",
    "mul": "x0 * x1",
    "div": "x0 / x1",
    "truncated_divide": "trunc{f}(x0 / x1)",
    "floor_divide": "floor_quotient(x0, x1)",
    "remainder": "floor_remainder(x0, x1)",
    "fmod": "fmod{f}(x0, x1)",
    "pow": "pow{f}(x0, x1)",
    "atan2": "atan2{f}(x0, x1)",
    "maximum": "(x0 >= x1 || x0 != x0) ? x0 : x1",
    "minimum": "(x0 <= x1 || x0 != x0) ? x0 : x1",
    "neg": "-x0",
    "abs": "fabs{f}(x0)",
    "sign": "({c})((x0 > 0) - (x0 < 0))",
    "round": "rint{f}(x0)",
    "square": "x0 * x0",
    "reciprocal": "1 / x0",
    "frac": "x0 - trunc{f}(x0)",
    "isnan": "x0 != x0",
    "isinf": "fabs{f}(x0) == infinity<{c}>()",
    "isfinite": "fabs{f}(x0) < infinity<{c}>()",
    # Composites that matter for speed, in one pass.
    "relu": "(x0 >= 0 || x0 != x0) ? x0 : ({c})0",
    "relu_gradient": "x1 <= 0 ? ({c})0 : x0",
    "sigmoid": "1 / (1 + exp{f}(-x0))",
    "sigmoid_gradient": "x0 * (x1 * (1 - x1))",
    "silu": "x0 / (1 + exp{f}(-x0))",
    "silu_gradient": "silu_slope(x0, x1, 1 / (1 + exp{f}(-x1)))",
    "hardsigmoid": "within(x0 + 3, ({c})6) / 6",
    "hardswish": "x0 * within(x0 + 3, ({c})6) / 6",
    "mish": "x0 * tanh{f}(x0 > 20 ? x0 : log1p{f}(exp{f}(x0)))",
    "gelu_none": "x0 * ({c})0.5 * erfc{f}(x0 * ({c})-0.70710678118654752)",
    "gelu_tanh": "x0 * ({c})0.5 * (tanh{f}((x0 + x0 * x0 * x0 * ({c})0.044715) * ({c})0.79788456080286536) + 1)",
    "gelu_gradient_none": (
        "x0 * (erfc{f}(x1 * ({c})-0.70710678118654752) * ({c})0.5 "
        "+ x1 * (exp{f}(x1 * x1 * ({c})-0.5) * ({c})0.39894228040143268))"
    ),
    "gelu_gradient_tanh": (
        "gelu_slope(x0, x1, tanh{f}((x1 + x1 * x1 * x1 * ({c})0.044715) * ({c})0.79788456080286536))"
    ),
    "logsigmoid": "(x0 < 0 ? x0 : ({c})0) - log1p{f}(exp{f}(-fabs{f}(x0)))",
    "softsign": "x0 / (1 + fabs{f}(x0))",
    "tanhshrink": "x0 - tanh{f}(x0)",
    # An integer whose order is the floats': -0 equals 0, NaN is above or below all others.
    "order_high": "order_key(x0, true)",
    "order_low": "order_key(x0, false)",
} | {name: name + "{f}(x0)" for name in _UNARY_FUNCTIONS}

_INTEGERS = {
    "add": "({t})(({u})x0 + ({u})x1)",
    "sub": "({t})(({u})x0 - ({u})x1)",
    "mul": "({t})(({u})x0 * ({u})x1)",
    "floor_divide": "integer_quotient<{t}, {u}>(x0, x1)",
    "remainder": "integer_remainder<{t}>(x0, x1)",
    "pow": "integer_power<{t}, {u}>(x0, x1)",
    "maximum": "x0 > x1 ? x0 : x1",
    "minimum": "x0 < x1 ? x0 : x1",
    "neg": "({t})(({u})0 - ({u})x0)",
    "abs": "x0 < 0 ? ({t})(({u})0 - ({u})x0) : x0",
    "sign": "({t})((x0 > 0) - (x0 < 0))",
    "square": "({t})(({u})x0 * ({u})x0)",
    "bitwise_and": "({t})(x0 & x1)",
    "bitwise_or": "({t})(x0 | x1)",
    "bitwise_xor": "({t})(x0 ^ x1)",
    "bitwise_not": "({t})~x0",
    "bitwise_left_shift": "shifted_left<{t}, {u}>(x0, x1)",
    "bitwise_right_shift": "shifted_right<{t}>(x0, x1)",
    "isnan": "false",
    "isinf": "false",
    "isfinite": "true",
    "relu": "x0 > 0 ? x0 : ({t})0",
    "relu_gradient": "x1 <= 0 ? ({t})0 : x0",
} | dict.fromkeys(["floor", "ceil", "trunc", "round", "conj_physical", "positive"], "x0")

_UNSIGNED = {"abs": "x0", "sign": "({t})(x0 != 0)"}

_BOOLEANS = {
    "add": "x0 || x1",
    "mul": "x0 && x1",
    "maximum": "x0 || x1",
    "minimum": "x0 && x1",
    "sign": "x0",
    "bitwise_and": "x0 && x1",
    "bitwise_or": "x0 || x1",
    "bitwise_xor": "x0 != x1",
    "bitwise_not": "!x0",
    "isnan": "false",
    "isinf": "false",
    "isfinite": "true",
}


def compute_type(dtype: DType) -> str:
    """The C type in which expressions of ``dtype`` are computed."""
    return "float" if dtype in (float16, bfloat16) else C_TYPES[dtype]


def wide_unsigned(dtype: DType) -> str:
    """The unsigned type in which integers of ``dtype`` are computed, where wrapping is defined."""
    return "unsigned long long" if dtype.itemsize == 8 else "unsigned int"


def expression(name: str, dtype: DType) -> str | None:
    """The expression of op ``name`` for operands of ``dtype``; ``None`` where there is none."""
    if dtype.category == COMPLEX:
        return None
    if name in _COMPARISONS:
        return f"x0 {_COMPARISONS[name]} x1"
    if name in _LOGIC:
        return _LOGIC[name].format("x0 != 0", "x1 != 0")
    if name == "logical_not":
        return "x0 == 0"
    if name == "where":
        return "x0 ? x1 : x2"
    if name == "conj_physical" or (name == "positive" and dtype.category != BOOL):
        return "x0"
    table = {BOOL: _BOOLEANS, INTEGER: _INTEGERS, FLOATING: _FLOATS}[dtype.category]
    found = table.get(name)
    if dtype.category == INTEGER and not dtype.is_signed:
        found = _UNSIGNED.get(name, found)
    if found is None:
        return None
    return found.format(
        f="" if dtype is float64 else "f", c=compute_type(dtype), t=C_TYPES[dtype], u=wide_unsigned(dtype)
    )


def result_dtype(name: str, dtype: DType) -> DType:
    """The dtype of the result of op ``name``."""
    if name in COMPARISONS:
        return bool_
    if name.startswith("order_"):
        return by_name("int64" if dtype is float64 else "int32")
    return dtype


def converted(source: DType, target: DType) -> str:
    """The expression of a conversion of ``x0``, of the compute type of ``source``, to that of ``target``."""
    if target is bool_:
        return "x0 != 0"
    if source.category == FLOATING and target.category == INTEGER:
        # By way of int32 for the short formats; NaN and what is out of range as the reference backend has it.
        if target.itemsize == 8:
            return f"cut_to_{'long' if target.is_signed else 'unsigned_long'}((double)x0)"
        if target.itemsize == 4 and not target.is_signed:
            return "cut_to_unsigned((double)x0)"
        return f"({C_TYPES[target]})cut_to_int((double)x0)"
    if source is float64 and target is float16:
        # Rounded once; by way of float it would be twice.
        return "x0"
    return f"({compute_type(target)})x0"
