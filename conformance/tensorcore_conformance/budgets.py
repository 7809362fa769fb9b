"""Error budgets: how far from the oracle a result may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorcore import dtypes
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType
from tensorcore_conformance.arrays import names, rounded_to, wide_dtype
from tensorcore_conformance.samples import is_on_matrices

__all__ = ["MULTILINEAR", "RUNNING", "ZERO_SIGN_IS_FREE", "Comparison", "compare", "spacing", "tolerance_of"]

#: Sums of products of the operands: the forward error bound is that of the same sum of absolute values. Its factor
#: grows with the root of the length, as for any blocked order; a naive float32 accumulation grows with the length.
MULTILINEAR = names(
    "sum mean nansum nanmean matmul mm bmm mv dot vdot inner outer tensordot addmm baddbmm addmv addr linear "
    "bilinear einsum conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d avg_pool1d "
    "avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d index_put index_add scatter scatter_add "
    "trace kron"
)
#: Running totals, which are sequential by nature: the factor is the length.
RUNNING = names("cumsum cumprod prod logcumsumexp")

#: Which zero they return is nobody's promise: IEEE 754 leaves it open.
ZERO_SIGN_IS_FREE = names(
    "maximum minimum fmax fmin amax amin clamp clamp_min clamp_max relu relu6 hardtanh max min sort sign logsigmoid "
    "cumsum"
)

#: How often operands are nudged by half a unit in the last place to learn how the result depends on them.
NUDGES = 3
#: Steps of two operands: half a unit may lead to the next one, which only nudges in opposite directions tell for sure.
STEPS = names("truncated_divide")


@dataclass(frozen=True)
class Comparison:
    """What comparing a result with the oracle gave.

    Attributes:
        passed: whether every element is within its budget.
        ulp: the largest error, in units in the last place of the expected value.
        mean_ulp: the mean of the same.
        ratio: the largest error over its budget.
        message: where, what was expected and what was met; empty if passed.
    """

    passed: bool
    ulp: float = 0.0
    mean_ulp: float = 0.0
    ratio: float = 0.0
    message: str = ""


def spacing(values: Any, dtype: DType) -> Any:
    """The distance between neighbouring numbers of ``dtype`` at each of ``values`` (at the modulus, for complex)."""
    limits = dtypes.finfo(dtype)
    size = np.abs(values)
    with np.errstate(all="ignore"):
        clean = np.where(np.isfinite(size), np.maximum(size, limits.tiny), limits.tiny)
        return np.ldexp(np.asarray(limits.eps, size.dtype), np.frexp(clean)[1] - 1)


def tolerance_of(
    op: Any,
    oracle: Callable[[list[Any]], list[Any]],
    operands: list[Any],
    expected: list[Any],
    dtype: DType,
    given: list[DType],
    exact: bool,
) -> list[Any]:
    """The budget of each output, as an absolute error per element.

    Elementwise primitives have units in the last place of the result; sums and products a forward error bound.
    Composites add what half a unit in each operand changes, and that of an operand itself, as their intermediate
    results are rounded too. ``given`` are the dtypes of the operands: the coarsest of them and the result's counts.
    """
    if dtype.category in (BOOL, INTEGER):
        return [0 for _ in expected]
    if not exact:
        dtype = max(
            [dtype, *(each for each in given if each.category >= FLOATING)], key=lambda each: dtypes.finfo(each).eps
        )
    # Half a unit is what correct rounding of the exact value costs; the slack is the oracle's own.
    ulps = max(op.ulp, 0.5) * (1 + 1e-3)
    if dtype.category == COMPLEX:
        ulps = 4 * max(ulps, 1.0)  # a product of complex numbers is four of real ones
    base = [ulps * spacing(each, dtype) for each in expected]
    if exact:
        return base
    floats = [x for x in operands if x is not None and x.dtype.kind in "fc"]
    unit = dtypes.finfo(dtype).eps / 2
    length = max((x.size for x in floats), default=1)
    if op.name in MULTILINEAR or op.name in RUNNING:
        absolute = [np.abs(x).astype(x.dtype) if x is not None and x.dtype.kind in "fc" else x for x in operands]
        factor = length if op.name in RUNNING else 2 * math.sqrt(length) + 4
        return [a + unit * factor * np.abs(bound) for a, bound in zip(base, oracle(absolute), strict=True)]
    if op.primitive:
        return base
    if not floats:
        whole = max([float(np.max(np.abs(x.astype(float)))) for x in operands if x is not None and x.size], default=0.0)
        return [a + 4 * ulps * unit * whole for a in base]
    rng = np.random.default_rng(length)
    change = [np.zeros_like(np.abs(each)) for each in expected]
    for turn in range(NUDGES):
        sided = op.name in STEPS and turn < 2
        nudged = list(operands)
        for place, x in enumerate(operands):
            if x is not None and x.dtype.kind in "fc":
                signs = rng.choice([(-1.0) ** (turn + place)] if sided else [-1.0, 1.0], x.shape)
                nudged[place] = x * (1 + unit * signs.astype(np.abs(x).dtype))
        with np.errstate(all="ignore"):
            for place, (old, new) in enumerate(zip(expected, oracle(nudged), strict=True)):
                gap = np.abs(new - old)
                change[place] = np.maximum(change[place], np.where(np.isfinite(gap), gap, 0))
    # Intermediate results err independently, in each element; a nudge of all shows a part of it.
    mixed = is_on_matrices(op)
    scales = [_scale(floats, each, mixed) for each in expected]
    return [a + 4 * ulps * (c + unit * scale) for a, c, scale in zip(base, change, scales, strict=True)]


def _scale(floats: list[Any], result: Any, mixed: bool) -> Any:
    """The size of the operands at each element of the result where shapes agree, else (or if mixed) the largest."""
    # An infinity or NaN among the operands must not open (or close) the budget of the other elements.
    sizes = [np.where(np.isfinite(size), size, 0) for size in map(np.abs, floats)]
    if not mixed and all(x.shape == np.shape(result) for x in sizes):
        return np.max(sizes, axis=0)
    return max([float(np.max(x)) for x in sizes if x.size], default=0.0)


def compare(got: Any, expected: Any, tolerance: Any, flushes: bool = False, zero_signs: bool = True) -> Comparison:
    """Compare an output with what the oracle says, element by element; NaN equals NaN.

    ``flushes`` accepts zeros where subnormal numbers are expected; without ``zero_signs``, -0.0 equals 0.0 even where
    the budget is that of exact results.
    """
    dtype = dtypes.by_name(got.dtype.name)
    if dtype.category in (BOOL, INTEGER):
        same = np.asarray(got == np.asarray(expected).astype(got.dtype))
        if same.all():
            return Comparison(True)
        return Comparison(False, math.inf, math.inf, math.inf, _shown(got, expected, np.argmin(same), None, same))
    if got.size == 0:
        return Comparison(True)
    with np.errstate(all="ignore"):
        # What the dtype cannot hold is its infinity.
        rounded = rounded_to(expected, got.dtype).astype(wide_dtype(got.dtype.name))
        wide = got.astype(rounded.dtype)
        expected = np.asarray(expected).astype(rounded.dtype)
        alike = (wide == rounded) | (np.isnan(wide) & np.isnan(rounded))
        if dtype.category != COMPLEX:
            alike &= np.isnan(wide) | (wide != 0) | (rounded != 0) | (np.signbit(wide) == np.signbit(rounded))
        gap = np.where(alike, 0, np.abs(wide - expected))
        units = spacing(expected, dtype)
        # -0.0 for 0.0 is an error of its own kind; elsewhere NaN and infinities that differ are.
        wrong_zero = (wide == 0) & (rounded == 0) & ~alike
        gap = np.where(np.isnan(gap) | (~alike & ~(np.isfinite(wide) & np.isfinite(rounded))), np.inf, gap)
        if np.any(np.isinf(gap)):
            gap = np.where(_near_overflow(wide, rounded, expected, tolerance, dtype), 0, gap)
        wrong_zero &= zero_signs
        if flushes:
            gap = np.where((np.abs(rounded) <= 2 * dtypes.finfo(dtype).tiny) & (wide == 0), 0, gap)
            wrong_zero &= False
        allowed = np.broadcast_to(np.asarray(tolerance), gap.shape)
        ratio = np.where(gap == 0, 0, gap / np.where(allowed > 0, allowed, dtypes.finfo(dtype).tiny))
        ratio = np.where(wrong_zero & (np.asarray(allowed) <= 8 * units), np.inf, ratio)
        ulps = np.where(np.isfinite(gap), gap / units, np.inf)
    worst = int(np.argmax(ratio))
    largest = float(np.max(ulps))
    finite = ulps[np.isfinite(ulps)]
    mean = float(finite.mean()) if finite.size else math.inf
    top = float(ratio.reshape(-1)[worst])
    if top <= 1:
        return Comparison(True, largest, mean, top)
    return Comparison(False, largest, mean, top, _shown(got, expected, worst, allowed, ratio <= 1))


def _near_overflow(wide: Any, rounded: Any, exact: Any, tolerance: Any, dtype: DType) -> Any:
    """Where one side is infinite, the other not, and the exact value within the budget of the largest number."""
    if dtype.category == COMPLEX:
        return np.zeros(wide.shape, bool)
    top = dtypes.finfo(dtype).max
    slack = np.broadcast_to(np.asarray(tolerance), wide.shape)
    differ = (np.isinf(wide) ^ np.isinf(rounded)) & (np.sign(wide) == np.sign(rounded))
    finite = np.abs(np.where(np.isinf(wide), rounded, wide))
    return differ & np.isfinite(exact) & (np.abs(np.abs(exact) - top) <= slack) & (finite >= top - slack)


def _shown(got: Any, expected: Any, worst: Any, allowed: Any, fine: Any) -> str:
    place = tuple(int(i) for i in np.unravel_index(worst, got.shape))
    bad = int(np.size(fine) - np.count_nonzero(fine))
    met, wanted = got[place], np.asarray(expected)[place]
    text = f"{bad} of {got.size} elements differ; the worst, at {list(place)}: expected {wanted!s}, got {met!s}"
    if allowed is not None:
        gap = abs(complex(wanted) - complex(met)) if got.dtype.kind == "c" else abs(float(wanted) - float(met))
        units = float(spacing(np.asarray(wanted), dtypes.by_name(got.dtype.name)))
        budget = float(allowed[place])
        text += f"; error {gap:.3g} = {gap / units:.3g} ulp, budget {budget:.3g} = {budget / units:.3g} ulp"
    return text
