"""Cases at the edges of an op's meaning that no sample states: magnitudes, no elements, equal operands, flags turned.

They are derived from the samples, so that each op has them; whether an op takes what a case makes is the reference
device's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tensorcore import dtypes
from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import FLOATING, INTEGER, DType
from tensorcore.ops.record import Op
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import dtype_named, names, to_numpy
from tensorcore_conformance.cases import Case, recipe_from, tested_dtypes
from tensorcore_conformance.forward import (
    ConformanceError,
    Measured,
    check_forward,
    check_refused,
    oracle_device,
    refusal_there,
)
from tensorcore_conformance.recipes import Recipe, flat_outputs, seed_of, shape_name
from tensorcore_conformance.samples import broadcasts, is_elementwise, samples_of

__all__ = ["check_alike", "check_edge", "edge_cases", "form_cases"]

#: Numbers near 0, of both signs and many magnitudes: what loses digits there, or is 0 too early.
NEAR = (1e-2, -1e-3, 3e-5, -1e-7, 1e-10, -1e-15, 3e-22, -1e-30, 1e-36)
#: How much wider than the record's domain operands are drawn: exp overflows float32 from 89 on.
WIDE = 50.0
#: How far from 0, for the same spread: what subtracts squares loses its digits there.
FAR = 1000.0
#: Integer sums and products that leave the operand's dtype.
_COUNTING = names("sum prod cumsum cumprod nansum")
#: Sums of differences, whose digits far from 0 are lost with the operands' last ones; jumps; and conversions to
#: integers that cannot hold the number, which nobody promises.
_LOSES_DIGITS = names("cross linalg_cross truncated_divide byte char short int long")
#: Units in the last place, of the largest element, within which two devices agree.
_ROUGH = 64
#: Whose first operand is any integer, and the second a number of bits.
_SHIFTS = names("bitwise_left_shift bitwise_right_shift")
#: Flags that change no element, or what is drawn.
_OTHER_FLAGS = names("requires_grad pin_memory inplace training track_running_stats sparse non_blocking copy out_int32")


def check_edge(recipe: Recipe, device: str) -> Measured:
    """As `check_forward`, but what the reference device refuses must be refused."""
    refusal = refusal_there(recipe, device)
    return check_forward(recipe, device) if refusal is None else check_refused(recipe, device, refusal)


def check_alike(recipe: Recipe, device: str) -> Measured:
    """What the reference device gives, or its refusal: where formulas for values say nothing of form and refusals."""
    refusal = refusal_there(recipe, device)
    if refusal is not None:
        return check_refused(recipe, device, refusal)
    there = oracle_device(device)
    with no_grad():
        got, wanted = (flat_outputs(recipe.call(recipe.tensors(place), place)) for place in (device, there))
    if len(got) != len(wanted):
        raise ConformanceError(f"expected {len(wanted)} outputs as on {there!r}, got {len(got)}")
    for place, (a, b) in enumerate(zip(got, wanted, strict=True)):
        if not isinstance(a, Tensor) or not isinstance(b, Tensor):
            if a != b:
                raise ConformanceError(f"output {place}: expected {b!r} as on {there!r}, got {a!r}")
            continue
        _same_elements(f"output {place}", to_numpy(a), to_numpy(b), there)
    return Measured(oracle=f"the device {there}")


def _same_elements(what: str, got: Any, wanted: Any, there: str) -> None:
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        form = f"{wanted.dtype} {list(wanted.shape)} as on {there!r}"
        raise ConformanceError(f"{what}: expected {form}, got {got.dtype} {list(got.shape)}")
    if wanted.dtype.kind in "iub":
        same = np.array_equal(got, wanted)
    else:
        a, b = (x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in (got, wanted))
        rough = _ROUGH * dtypes.finfo(dtype_named(wanted.dtype.name)).eps
        finite = np.abs(b[np.isfinite(b)])
        same = np.allclose(a, b, rtol=rough, atol=rough * finite.max(initial=0.0), equal_nan=True)
    if not same:
        raise ConformanceError(f"{what}: expected {wanted.tolist()} as on {there!r}, got {got.tolist()}")


def edge_cases(op: Op, able: Iterable[DType]) -> Iterator[Case]:
    """The cases, by fixed names."""
    samples = samples_of(op)
    taken = [dtype for dtype, fine in tested_dtypes(op, able) if fine]
    if not samples or not op.operands or not taken or op.random:
        return
    usual = dtypes.float32 if dtypes.float32 in taken else taken[0]
    yield from _magnitudes(op, usual, samples)
    yield from _counts(op, taken, samples)
    if op.name == "pow":
        yield from _powers(op, taken)
    if op.name == "cast":
        yield from _conversions(op, taken)


def form_cases(op: Op, able: Iterable[DType]) -> Iterator[Case]:
    """Cases for `check_alike`, by fixed names."""
    samples = samples_of(op)
    taken = [dtype for dtype, fine in tested_dtypes(op, able) if fine]
    if samples and op.operands and taken and not op.random:
        usual = dtypes.float32 if dtypes.float32 in taken else taken[0]
        yield from _without_elements(op, usual, samples[0])
        yield from _flags(op, usual, samples[0])


def _case(op: Op, group: str, dtype: DType, sample: dict[str, Any], **changes: Any) -> Case:
    name = f"{group}/{dtype.name}"
    recipe = recipe_from(op, sample, dtype.name, "").replaced(seed=seed_of(f"{op.name}/{name}"), **changes)
    return Case(name, recipe, dtype.name)


def _magnitudes(op: Op, dtype: DType, samples: tuple[dict[str, Any], ...]) -> Iterator[Case]:
    if dtype.category != FLOATING or op.name in _LOSES_DIGITS:
        return
    if any(samples[0].get(key) for key in ("prepare", "domains", "distinct")):
        return
    low, high = op.domain
    if broadcasts(op):
        if low <= 0 <= high:
            # Each number with each: a dimension for each operand.
            count = len(op.operands)
            shapes = tuple((len(NEAR), *(1,) * (count - 1 - place)) for place in range(count))
            yield _case(op, "near", dtype, {"shapes": shapes}, fill="values", values=NEAR)
        return
    count = len(samples[0]["shapes"])
    if low < 0 < high:
        yield _case(op, "wide", dtype, samples[0], domains=((low * WIDE, high * WIDE),) * count)
        yield _case(op, "far", dtype, samples[0], domains=((FAR + low, FAR + high),) * count)


def _without_elements(op: Op, dtype: DType, sample: dict[str, Any]) -> Iterator[Case]:
    """One side of the only operand is 0."""
    if not op.paths or len(sample["shapes"]) != 1 or is_elementwise(op) or sample.get("order"):
        return
    (shape,) = sample["shapes"]
    for place in sorted({0, len(shape) - 1}) if shape else ():
        empty = tuple(0 if d == place else side for d, side in enumerate(shape))
        case = _case(op, "empty", dtype, {**sample, "shapes": (empty,)})
        yield Case(f"empty/{dtype.name}/{shape_name(empty)}", case.recipe, dtype.name)


def _flags(op: Op, dtype: DType, sample: dict[str, Any]) -> Iterator[Case]:
    """Each flag of the signature the other way round than in the first sample."""
    for name, parameter in op.signature.parameters.items():
        if type(parameter.default) is bool and name not in _OTHER_FLAGS and name not in sample.get("order", ()):
            if parameter.kind is not parameter.KEYWORD_ONLY and sample.get("args"):
                continue  # it may be among them
            turned = not sample.get(name, parameter.default)
            case = _case(op, "flag", dtype, {**sample, name: turned})
            yield Case(f"flag/{dtype.name}/{name}={turned}", case.recipe, dtype.name)


def _counts(op: Op, taken: list[DType], samples: tuple[dict[str, Any], ...]) -> Iterator[Case]:
    for dtype in taken:
        if dtype.category == INTEGER and op.name in _COUNTING:
            yield _case(op, "wrap", dtype, samples[0], fill="extreme")
        elif dtype.category == INTEGER and op.name in _SHIFTS:
            yield _case(
                op, "wrap", dtype, {"shapes": ((5, 8), (5, 8)), "domains": ((-128, 128), (0, 8 * dtype.itemsize + 3))}
            )


def _powers(op: Op, taken: list[DType]) -> Iterator[Case]:
    """Powers of integers, which wrap beyond what a float counts exactly."""
    for dtype in taken:
        if dtype.category == INTEGER:
            low = 0 if dtypes.iinfo(dtype).min == 0 else -13
            yield _case(op, "wrap", dtype, {"shapes": ((60,), (60,)), "domains": ((low, 14), (0, 23))})


def _conversions(op: Op, taken: list[DType]) -> Iterator[Case]:
    """Every dtype to every other; integers at their limits, which wrap."""
    for source in taken:
        for target in taken:
            whole = source.category == INTEGER and target.category in (INTEGER, FLOATING)
            sample = {"shapes": ((5, 8),), "args": (target,), "domains": None if whole else ((0, 100),)}
            sample = {key: value for key, value in sample.items() if value is not None}
            case = _case(op, "convert", source, sample, fill="extreme" if whole else "random")
            yield Case(f"convert/{source.name}/{target.name}", case.recipe, source.name)
