"""Faults of elementwise kernels: special values, rounding, overflow, dtypes."""

from __future__ import annotations

from typing import Any

import ml_dtypes  # noqa: F401 (registers the name of bfloat16 with NumPy)
import numpy as np

from tests.conformance.mutants.table import after, before, forced, mutant, on, replaced, through

# ------------------------------------------------------------------ accuracy

mutant("tanh_slightly_off", "tanh", "values", "is off by 0.05 %", replaced(lambda x: np.tanh(x) * 1.0005))
mutant("cosh_in_float32", "cosh", "values", "computes float64 in float32", on("float64", through("float32")))
mutant("sin_in_float16", "sin", "values", "computes float32 in float16", on("float32", through("float16")))
mutant(
    "expm1_naive", "expm1", "near", "is exp(x) - 1, without digits near 0", on("f", replaced(lambda x: np.exp(x) - 1))
)
mutant(
    "log1p_naive", "log1p", "near", "is log(1 + x), without digits near 0", on("f", replaced(lambda x: np.log(1 + x)))
)
mutant(
    "div_by_reciprocal",
    "div",
    "values",
    "multiplies by the rounded reciprocal",
    on("f", replaced(lambda x, y: x * (1 / y))),
)
mutant("gelu_by_tanh", "gelu", "values", "always takes the approximation by tanh", forced(approximate="tanh"))
mutant(
    "erf_five_terms", "erf", "values", "is a formula good to seven decimal places", on("f", replaced(lambda x: _erf(x)))
)
mutant("pow_by_logarithm", "pow", "special", "is exp(y log x)", on("f", replaced(lambda x, y: np.exp(y * np.log(x)))))


def _erf(x: Any) -> Any:
    """Abramowitz and Stegun, 7.1.26."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    tail = sum(a * t ** (power + 1) for power, a in enumerate(terms)) * np.exp(-x * x)
    return np.copysign(1 - tail, x)


# ------------------------------------------------------------------ NaN, infinities, signed zeros, subnormal numbers

mutant(
    "maximum_drops_nan",
    "maximum",
    "special",
    "returns the number where the other operand is NaN",
    on("f", lambda k: np.fmax),
)
mutant("fmin_keeps_nan", "fmin", "special", "is NaN where one operand is", on("f", lambda k: np.minimum))
mutant(
    "clamp_drops_nan",
    "clamp_between",
    "special",
    "turns NaN into the lower bound",
    on(
        "f",
        lambda k: (
            lambda x, *, min, max: k(np.nan_to_num(x, nan=-np.inf, posinf=np.inf, neginf=-np.inf), min=min, max=max)
        ),
    ),
    subject="clamp",
)
mutant("neg_loses_zero_sign", "neg", "special", "is 0 - x, which has no -0", on("f", replaced(lambda x: 0 - x)))
mutant("sqrt_loses_zero_sign", "sqrt", "special", "makes 0 of -0", on("f", after(lambda y: y + 0)))
mutant("round_loses_zero_sign", "round", "special", "makes 0 of -0.5", on("f", after(lambda y: y + 0)))
mutant("signbit_by_comparison", "signbit", "special", "is x < 0, which does not see -0", lambda k: lambda x: x < 0)
mutant(
    "exp_saturates",
    "exp",
    "special",
    "overflows to the largest finite number",
    on("f", after(lambda y: np.where(np.isposinf(y), np.finfo(y.dtype).max, y).astype(y.dtype))),
)
mutant(
    "mul_flushes",
    "mul",
    "special",
    "flushes subnormal results to zero",
    on("f", after(lambda y: np.where(abs(y) < np.finfo(y.dtype).tiny, y * 0, y))),
)
mutant(
    "hypot_overflows",
    "hypot",
    "special",
    "squares without scaling",
    on("f", replaced(lambda x, y: np.sqrt(x * x + y * y))),
)
mutant(
    "logaddexp_overflows",
    "logaddexp",
    "special",
    "takes exp before the maximum is subtracted",
    on("f", replaced(lambda x, y: np.log(np.exp(x) + np.exp(y)))),
)
mutant(
    "softplus_overflows",
    "softplus",
    "wide",
    "is log(1 + exp(x)) everywhere",
    on("f", lambda k: lambda x, *, beta, threshold: (np.log1p(np.exp(x * beta)) / beta).astype(x.dtype)),
)
mutant(
    "sigmoid_overflows",
    "sigmoid",
    "special",
    "is exp(x) / (1 + exp(x))",
    on("f", replaced(lambda x: np.exp(x) / (1 + np.exp(x)))),
)
mutant("sign_of_nan", "sign", "special", "keeps NaN", on("f", lambda k: np.sign))
mutant(
    "eq_of_nan",
    "eq",
    "special",
    "calls NaN equal to itself",
    on("f", lambda k: lambda x, y: (x == y) | ((x != x) & (y != y))),
)
mutant(
    "where_by_arithmetic",
    "where",
    "special",
    "is c*x + (1-c)*y, which spreads NaN and infinities",
    lambda k: (
        lambda c, x, y: (c * x + (1 - c.astype(x.dtype)) * y).astype(x.dtype) if x.dtype.kind == "f" else k(c, x, y)
    ),
)
mutant(
    "atan2_of_quotient",
    "atan2",
    "values",
    "is atan(y/x), without the quadrant",
    on("f", replaced(lambda x, y: np.arctan(x / y))),
)
mutant(
    "xlogy_of_zero", "xlogy", "special", "is x*log(y), NaN for 0*log(0)", on("f", replaced(lambda x, y: x * np.log(y)))
)

# ------------------------------------------------------------------ rounding and division

mutant(
    "round_half_up", "round", "special", "rounds halves up, not to even", on("f", replaced(lambda x: np.floor(x + 0.5)))
)
mutant(
    "floor_divide_truncates",
    "floor_divide",
    "values",
    "rounds towards zero",
    replaced(lambda x, y: np.trunc(x.astype(np.longdouble) / np.where(y == 0, 1, y))),
)
mutant("remainder_of_dividend", "remainder", "values", "has the sign of the dividend", on("fi", lambda k: np.fmod))
mutant("frac_below_zero", "frac", "values", "is x - floor(x)", on("f", replaced(lambda x: x - np.floor(x))))
mutant(
    "cast_rounds",
    "cast",
    "values",
    "rounds floats to the nearest integer",
    lambda k: lambda x, *, dtype: k(np.rint(x) if x.dtype.kind == "f" and dtype.category == 1 else x, dtype=dtype),
)
mutant(
    "cast_rounds_to_zero",
    "cast",
    "convert",
    "drops bits of float64 for float32",
    lambda k: lambda x, *, dtype: _cut(k, x, dtype),
)
mutant(
    "cast_saturates",
    "cast",
    "convert",
    "clips integers to the narrower dtype",
    lambda k: (
        lambda x, *, dtype: k(np.clip(x, -128, 127) if dtype.name == "int8" and x.dtype.kind == "i" else x, dtype=dtype)
    ),
)
mutant(
    "bool_of_fraction",
    "cast",
    "values",
    "is False for 0.5",
    lambda k: lambda x, *, dtype: k(np.trunc(x) if x.dtype.kind == "f" and dtype.category == 0 else x, dtype=dtype),
)


def _cut(kernel: Any, x: Any, dtype: Any) -> Any:
    if x.dtype != np.float64 or dtype.name != "float32":
        return kernel(x, dtype=dtype)
    bits = np.ascontiguousarray(x).view(np.int64) & ~((1 << 29) - 1)
    return kernel(bits.view(np.float64), dtype=dtype)


# ------------------------------------------------------------------ integers and bool

mutant(
    "add_saturates",
    "add",
    "wrap",
    "saturates int8",
    on("int8", replaced(lambda x, y: np.clip(x.astype(int) + y.astype(int), -128, 127))),
)
mutant(
    "mul_through_float64",
    "mul",
    "wrap",
    "multiplies int64 in float64",
    on("int64", replaced(lambda x, y: x.astype(np.float64) * y.astype(np.float64))),
)
mutant(
    "abs_of_the_least",
    "abs",
    "wrap",
    "makes 127 of the int8 -128",
    on("int8", replaced(lambda x: np.minimum(np.abs(x.astype(int)), 127))),
)
mutant("neg_of_unsigned", "neg", "wrap", "gives 0 for unsigned integers", on("u", replaced(lambda x: x * 0)))
mutant(
    "lt_as_signed",
    "lt",
    "wrap",
    "compares unsigned integers as signed",
    on("u", lambda k: lambda x, y: x.view(f"i{x.itemsize}") < y.view(f"i{y.itemsize}")),
)
mutant(
    "ge_through_float", "ge", "wrap", "compares int64 in float64", on("int64", before(lambda x: x.astype(np.float64)))
)
mutant(
    "shift_without_sign",
    "bitwise_right_shift",
    "wrap",
    "shifts zeros into negative numbers",
    on("i", replaced(lambda x, y: x.view(f"u{x.itemsize}") >> y.astype(f"u{x.itemsize}"))),
)
mutant("add_of_bool", "add", "values", "adds bool as integers of one bit", on("b", lambda k: np.logical_xor))
mutant(
    "sub_in_int32",
    "sub",
    "wrap",
    "computes int64 in int32",
    on("int64", replaced(lambda x, y: x.astype(np.int32) - y.astype(np.int32))),
)

# ------------------------------------------------------------------ complex numbers and dtypes

mutant("conj_lost", "conj_physical", "values", "returns its operand", lambda k: lambda x: x.copy())
mutant("exp_of_the_real_part", "exp", "values", "drops the imaginary part", on("c", replaced(lambda x: np.exp(x.real))))
mutant(
    "sqrt_on_the_other_branch",
    "sqrt",
    "values",
    "returns the other root of complex numbers",
    on("c", after(np.negative)),
)
mutant(
    "exp_widens",
    "exp",
    "values",
    "returns float64 for float32",
    on("float32", lambda k: lambda x: np.exp(x.astype(np.float64))),
)
mutant(
    "cos_of_integers_in_float16",
    "cos",
    "values",
    "narrows its result to float16 and back",
    on("float32", after(lambda y: y.astype(np.float16).astype(y.dtype))),
)

# ------------------------------------------------------------------ memory layout and size


def _tail(kernel: Any) -> Any:
    """Only whole blocks of 16 are computed."""

    def spoilt(x: Any) -> Any:
        y = np.array(kernel(x))
        if y.size > 16 and y.size % 16:
            y.reshape(-1)[y.size - y.size % 16 :] = 0
        return y

    return spoilt


def _from_the_start(kernel: Any) -> Any:
    def spoilt(x: Any) -> Any:
        whole = x.base if isinstance(x.base, np.ndarray) and x.base.dtype == x.dtype else x
        return kernel(
            whole.reshape(-1)[: x.size].reshape(x.shape) if x.flags.c_contiguous and whole.size >= x.size else x
        )

    return spoilt


def _first_block(kernel: Any) -> Any:
    def spoilt(x: Any) -> Any:
        y = np.array(kernel(x))
        y.reshape(-1)[1024:] = kernel(x.reshape(-1)[:1]) if x.size > 1024 else 0
        return y

    return spoilt


mutant("asinh_without_tail", "asinh", "large", "leaves the elements after the last whole vector at 0", _tail)
mutant("acosh_one_block", "acosh", "large", "computes the first thousand elements", _first_block)
mutant(
    "cos_in_memory_order",
    "cos",
    "layout",
    "writes its result in the operand's memory order",
    lambda k: lambda x: k(x).ravel(order="K").reshape(x.shape),
)
mutant("atan_forgets_offset", "atan", "layout", "reads from the start of the memory", _from_the_start)
mutant(
    "sinh_of_expanded",
    "sinh",
    "layout",
    "computes one element for a side of stride 0",
    lambda k: lambda x: _one_for_all(k, x),
)
mutant(
    "asin_of_reversed",
    "asin",
    "layout",
    "takes strides without their sign",
    lambda k: lambda x: k(x[tuple(slice(None, None, -1 if step < 0 else 1) for step in x.strides)]),
)
mutant(
    "ceil_of_sliced", "ceil", "layout", "takes every stride for the element's size", lambda k: lambda x: k(_packed(x))
)
mutant(
    "sub_of_mixed_layouts",
    "sub",
    "layout",
    "reads the second operand in the order of the first",
    lambda k: (
        lambda x, y: k(
            x, y.T.copy().reshape(y.shape) if _transposed(x) and not _transposed(y) and x.shape == y.shape else y
        )
    ),
)


def _one_for_all(kernel: Any, x: Any) -> Any:
    y = np.array(kernel(x))
    if x.size > 1 and 0 in x.strides:
        y.reshape(-1)[1:] = 0
    return y


def _packed(x: Any) -> Any:
    if x.size < 2 or x.strides[-1] <= x.itemsize:
        return x
    return np.lib.stride_tricks.as_strided(x, x.shape, (*x.strides[:-1], x.itemsize))


def _transposed(x: Any) -> bool:
    return bool(x.ndim > 1 and x.flags.f_contiguous and not x.flags.c_contiguous)
