"""Cases that vary a sample along what it leaves open: dimensions, numbers, sizes, rows, parts of complex numbers.

A sample shows one call of an op. Backends fail where a call differs from the usual one in a single respect: dimensions
given backwards or several at once, another number on operands of a shape met before, a side that is a multiple of a
block, a row of infinities. Each is derived from the record, for every op that has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tensorcore import dtypes
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType
from tensorcore.ops.record import Op
from tensorcore_conformance.arrays import names
from tensorcore_conformance.cases import Case, recipe_from, tested_dtypes
from tensorcore_conformance.oracles import oracle_of
from tensorcore_conformance.recipes import HALVES, seed_of
from tensorcore_conformance.samples import broadcasts, is_elementwise, samples_of

__all__ = ["value_cases", "variations"]

#: A shape of five dimensions, whose neighbouring sides differ, and ways to name dimensions of it.
FIVE = (2, 3, 2, 3, 2)
DIMS: tuple[int | tuple[int, ...], ...] = (3, -5, (0, 2), (-1, 1), (4, 1, 0), (0, 1, 2, 3, 4))
#: Whose dimensions are of a length of its own, or that choose what is done with equal elements freely.
_OWN_DIMS = names("renorm unflatten unique unique_consecutive distinct")
#: How far a number is moved: near enough to stay where the op takes it.
MOVED = 0.75
#: Numbers that are no property of the result, or on which it hangs too finely to be moved.
_FINE = names("rtol atol rcond tol dropout_p")
#: Whose rows of infinities, NaN and zeros are compared with the reference device's.
_ROWS = names(
    "softmax log_softmax softmin logsumexp logcumsumexp cumsum cumprod cummax cummin sort argsort msort topk kthvalue "
    "median nanmedian mode amax amin max min argmax argmin aminmax any all count_nonzero sum nansum nanmean mean prod "
    "var std linalg_vector_norm max_along min_along median_along values_in_order unique std_mean var_mean "
    "quantile nanquantile"
)
#: Numbers of which functions are subnormal, overflow, or have gone round many times.
FAR_OUT = (-104.0, -95.0, -88.5, -17.0, -9.5, -3.25, 3.25, 9.5, 17.0, 44.0, 88.5, 95.0, 1000.0, 8388609.0, -2097153.5)
#: Whose truth of each element counts.
_TRUTH = names(
    "any all nonzero count_nonzero argwhere nonzero_places logical_not logical_and logical_or logical_xor eq ne where"
)
#: Zeros of both signs, halves, what is not finite, what is subnormal, and even numbers.
TRUTHS = (0.0, -0.0, 0.5, -0.25, float("nan"), float("inf"), 1e-40, 2.0, 64.0)
#: Sums and products of integers of every magnitude, which pass through nothing narrower.
_DIGITS = names("sum prod cumsum cumprod matmul mm bmm mv dot add sub mul floor_divide remainder maximum minimum")
#: Orders, whose integers must not be negated or taken for signed.
_ORDERED = names("sort argsort argmax argmin amax amin max min topk kthvalue median cummax cummin sign abs")
#: Whose complex results tell parts apart; others have branch cuts and overflows where libraries differ.
_CUTS = names("abs sqrt log")
_PARTS = names("eq ne add sub mul neg conj_physical abs real imag where sum prod cumsum cumprod any all nonzero isnan")


def variations(op: Op, able: Iterable[DType]) -> Iterator[Case]:
    """Cases that are compared with the reference device, refusals among them."""
    samples = samples_of(op)
    taken = [dtype for dtype, fine in tested_dtypes(op, able) if fine]
    if not samples or not op.operands or not taken or op.random:
        return
    usual = dtypes.float32 if dtypes.float32 in taken else taken[0]
    yield from _dimensions(op, usual, samples, DIMS)
    if dtypes.complex64 in taken and usual is not dtypes.complex64:
        yield from _dimensions(op, dtypes.complex64, samples, (-1, 1))
    yield from _numbers(op, usual, samples[0])
    if op.name in _ROWS:
        yield from _rows(op, taken, samples[0])


def value_cases(op: Op, able: Iterable[DType]) -> Iterator[Case]:
    """Cases that are compared with the oracle."""
    samples = samples_of(op)
    taken = [dtype for dtype, fine in tested_dtypes(op, able) if fine]
    if not samples or not op.operands or not taken or op.random:
        return
    yield from _sizes(op, dtypes.float32 if dtypes.float32 in taken else taken[0])
    for dtype in taken:
        if op.name in _TRUTH and dtype.category != BOOL:
            yield from _truths(op, dtype)
        if dtype.category == INTEGER and op.name in _DIGITS | _ORDERED:
            yield from _integers(op, dtype, samples[0])
        if op.name == "cast":
            yield from _roundings(op, dtype)
        if dtype.category == COMPLEX and op.name in _PARTS and is_elementwise(op):
            yield _case(op, "parts", dtype, {"shapes": ((36 ** len(op.operands),),) * len(op.operands)}, fill="parts")
        if dtype is dtypes.complex64 and op.name in _CUTS:
            yield _case(op, "parts", dtype, {"shapes": ((36,),)}, "cuts", fill="cuts")
        if dtype is dtypes.float32 and op.primitive and is_elementwise(op) and len(op.operands) == 1:
            endless = ((float("-inf"), float("inf")),)
            yield _case(
                op, "wide", dtype, {"shapes": ((len(FAR_OUT),),), "domains": endless}, fill="values", values=FAR_OUT
            )


def _case(op: Op, group: str, dtype: DType, sample: dict[str, Any], label: str = "", **changes: Any) -> Case:
    name = f"{group}/{dtype.name}" + (f"/{label}" if label else "")
    recipe = recipe_from(op, sample, dtype.name, "").replaced(seed=seed_of(f"{op.name}/{name}"), **changes)
    return Case(name, recipe, dtype.name)


def _written(value: Any) -> str:
    return str(value).replace(" ", "")


# ------------------------------------------------------------------ arguments


def _dimensions(op: Op, dtype: DType, samples: tuple[dict[str, Any], ...], dims: Iterable[Any]) -> Iterator[Case]:
    """Operands of five dimensions, each dimension counted from either end, several at once and in any order."""
    called = op.paths or op.primitive  # other kernels are promised what their fronts have checked
    if "dim" not in op.signature.parameters or op.name in _OWN_DIMS or op.variadic or not called:
        return
    sample = next((each for each in samples if "dim" in each), samples[0])
    free = not sample.keys() & {"prepare", "distinct", "dtypes", "domains", "order", "args", "observe"}
    if not free or len(set(sample["shapes"])) > 1 or not sample["shapes"][0]:
        return
    for number, dim in enumerate(dims):
        varied = {**sample, "shapes": (FIVE,) * len(sample["shapes"]), "dim": dim if op.paths else _canonical(dim)}
        if "keepdim" in op.signature.parameters:
            varied["keepdim"] = number % 2 == 1
        if not op.paths and type(dim) is not type(sample.get("dim")):
            continue
        yield _case(op, "dims", dtype, varied, f"dim={_written(dim)}")


def _canonical(dim: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """As kernels get them: from the start, in order."""
    if isinstance(dim, int):
        return dim % len(FIVE)
    return tuple(sorted(each % len(FIVE) for each in dim))


def _numbers(op: Op, dtype: DType, sample: dict[str, Any]) -> Iterator[Case]:
    """Each number that the first sample gives, or leaves at its default, moved: results must follow."""
    if sample.keys() & {"prepare", "distinct"}:
        return
    given = {
        name: sample.get(name, parameter.default)
        for name, parameter in op.signature.parameters.items()
        if name not in op.operands and name not in _FINE and name not in sample.get("order", ())
        and (parameter.kind is parameter.KEYWORD_ONLY or name in sample or not sample.get("args"))
    }  # fmt: skip
    for name, value in given.items():
        if type(value) is float or (type(value) is int and name != "dim" and op.paths):
            moved = _moved(value)
            yield _case(op, "number", dtype, {**sample, name: moved}, f"{name}={_written(moved)}")
    for place, value in enumerate(sample.get("args", ())):
        if type(value) is float:
            args = tuple(_moved(each) if i == place else each for i, each in enumerate(sample["args"]))
            yield _case(op, "number", dtype, {**sample, "args": args}, f"{place}={_written(_moved(value))}")


def _moved(value: float) -> float:
    if type(value) is int:
        return value + 1
    return value * MOVED if abs(value) > 0.01 else 0.125


# ------------------------------------------------------------------ elements


def _rows(op: Op, taken: list[DType], sample: dict[str, Any]) -> Iterator[Case]:
    """Rows of -inf alone, of both infinities, of NaN, with some of them, and of zeros of both signs."""
    kept = {key: value for key, value in sample.items() if key not in ("shapes", "dim", "order")}
    if len(sample["shapes"]) != 1 or kept.keys() & {"prepare", "dtypes"}:
        return
    dims = "dim" in op.signature.parameters and op.name not in _OWN_DIMS
    dim = {"dim": (1,) if type(sample.get("dim")) is tuple else 1} if dims else {}
    flags = [name for name in ("descending", "largest", "keepdim") if name in op.signature.parameters]
    for dtype in taken:
        if dtype.category == FLOATING and dtype.itemsize in (2, 4):
            rows = {**kept, "shapes": ((9, 5),), **dim}
            yield _case(op, "rows", dtype, rows, fill="rows")
            for flag in flags if dtype.itemsize == 4 else ():
                turned = not kept.get(flag, op.signature.parameters[flag].default)
                yield _case(op, "rows", dtype, {**rows, flag: turned}, f"{flag}={turned}", fill="rows")


def _truths(op: Op, dtype: DType) -> Iterator[Case]:
    """Each element in a row of its own: what is not 0 is true, however small, and NaN too."""
    fill = "parts" if dtype.category == COMPLEX else "values"
    count = 36 if dtype.category == COMPLEX else len(TRUTHS)
    changes: dict[str, Any] = {"fill": fill}
    endless = (0.0, 100.0) if dtype.category == INTEGER else (float("-inf"), float("inf"))
    sample: dict[str, Any] = {"shapes": ((count, 1),), "domains": (endless,)}
    if fill == "values":
        changes["values"] = TRUTHS if dtype.category == FLOATING else (0.0, 2.0, 4.0, 64.0, 1.0)
    if is_elementwise(op) or broadcasts(op):
        if len(op.operands) > 2:
            return
        sample = {"shapes": ((count, 1), (1, count))[: len(op.operands)], "domains": (endless,) * len(op.operands)}
    elif op.name in ("any", "all"):
        sample["dim"] = 1 if op.paths else (1,)
    elif op.name == "where":
        return
    yield _case(op, "truth", dtype, sample, **changes)


def _integers(op: Op, dtype: DType, sample: dict[str, Any]) -> Iterator[Case]:
    """Odd integers of every magnitude, of which no product is 0 and few are what a float can hold."""
    if is_elementwise(op):
        sample = {"shapes": ((60,),) * len(op.operands)}
    elif sample.keys() & {"dtypes", "prepare"}:
        return
    yield _case(op, "digits", dtype, sample, fill="digits")
    flags = [name for name in ("descending", "largest") if name in op.signature.parameters]
    for flag in flags if op.name in _ORDERED else ():
        turned = not sample.get(flag, op.signature.parameters[flag].default)
        yield _case(op, "digits", dtype, {**sample, flag: turned}, f"{flag}={turned}", fill="extreme")
    if op.name in _ORDERED:
        yield _case(op, "digits", dtype, sample, "limits", fill="extreme")


def _roundings(op: Op, dtype: DType) -> Iterator[Case]:
    """Numbers beside the midpoints of narrower formats, which a second rounding moves; truth of any number."""
    count = len(HALVES) if dtype.category in (INTEGER, FLOATING) else 36
    for target in (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.bool_):
        if target.category == BOOL and dtype.category in (FLOATING, COMPLEX):
            unbound = ((float("-inf"), float("inf")),)
            fill = "values" if dtype.category == FLOATING else "parts"
            sample = {"shapes": ((36,),), "domains": unbound, "args": (target,)}
            yield _case(op, "truth", dtype, sample, target.name, fill=fill, values=TRUTHS)
        elif target.category == FLOATING and dtype.category in (INTEGER, FLOATING):
            sample = {"shapes": ((count,),), "args": (target,)}
            yield _case(op, "halves", dtype, sample, target.name, fill="halves")


# ------------------------------------------------------------------ sizes

#: Multiples of vectors and blocks, and more than 16 bits count, by op: shapes and attributes.
_MANY: dict[str, tuple[tuple[tuple[tuple[int, ...], ...], dict[str, Any]], ...]] = {
    **dict.fromkeys(("sum", "mean", "amax", "amin", "argmax", "argmin", "prod"), (
        (((4096,),), {"dim": 0}), (((2, 70_001),), {"dim": 1}), (((2048, 3),), {"dim": 0}),
    )),
    **dict.fromkeys(("any", "all"), ((((4096,),), {"dim": 0}),)),
    **dict.fromkeys(("cumsum", "cummax", "cummin", "softmax", "log_softmax"), (
        (((3, 4096),), {"dim": 1}), (((2051, 2),), {"dim": 0}),
    )),
    **dict.fromkeys(("sort", "argsort"), ((((2, 8192),), {"dim": 1}), (((5003, 2),), {"dim": 0}))),
    "logsumexp": ((((3, 4096),), {"dim": 1}), (((2051, 2),), {"dim": 0})),
    "topk": ((((3, 1031),), {"k": 129}), (((4096,),), {"k": 1030})),
    "layer_norm": ((((3, 2051),), {"normalized_shape": (2051,)}),),
    "matmul": (
        (((64, 64), (64,)), {}), (((1, 64), (64, 64)), {}), (((64,), (64, 64)), {}), (((64, 64), (64, 1)), {}),
        (((35, 3, 2), (35, 2, 3)), {}), (((128, 64), (64, 32)), {}), (((3, 1), (1, 3)), {}),
    ),
    "linear": ((((1, 64), (64, 64), (64,)), {}), (((64,), (64, 64), (64,)), {})),
    "conv1d": ((((2, 67, 9), (5, 67, 3)), {}), (((1, 4, 64), (64, 4, 1)), {"stride": 2})),
    "conv2d": (
        (((2, 67, 5, 4), (3, 67, 2, 3)), {}), (((1, 16, 8, 8), (32, 16, 1, 1)), {"stride": 2}),
        (((1, 4, 8, 8), (12, 1, 3, 3)), {"groups": 4, "padding": (1, 0)}), (((2, 3, 4, 4), (5, 3, 4, 4)), {}),
    ),
    "cat": ((((2, 3),) * 19, {"dim": 1}),),
    "stack": ((((2, 3),) * 19, {"dim": 1}),),
}  # fmt: skip
#: Operands that are indices into a side that 16 bits do not count.
_PLACES: dict[str, dict[str, Any]] = {
    "gather": {"shapes": ((70_001,), (40,)), "dim": 0},
    "index_select": {"shapes": ((70_001,), (40,)), "dim": 0},
    "take": {"shapes": ((70_001,), (40,))},
    "index": {"shapes": ((70_001,), (40,))},
    "embedding": {"shapes": ((40,), (70_001, 1)), "dtypes": ("int64", None), "domains": ((0, 70_001), None)},
}
#: Composites that backends have kernels of.
_POPULAR = names("sigmoid relu silu gelu erf softplus rsqrt logsigmoid mish elu leaky_relu hardtanh fmax fmin hypot")
#: How many elements are too many to count in 16 bits, for ops that NumPy has.
_LONG = 65_549


def _sizes(op: Op, dtype: DType) -> Iterator[Case]:
    if (is_elementwise(op) or op.name in _POPULAR) and dtype.category >= FLOATING:
        count = len(op.operands)
        yield _case(op, "large", dtype, {"shapes": ((4096,),) * count}, "(4096)")
        if (op.primitive or op.name in _POPULAR) and oracle_of(op.name) is not None:
            yield _case(op, "large", dtype, {"shapes": ((_LONG,),) * count}, f"({_LONG})")
    if op.name.startswith("max_pool") and op.paths and not op.name.endswith("_with_indices"):
        sample = {"shapes": ((1, *(4,) * (int(op.name[8]) if op.name[8:9].isdigit() else 2)),), "kernel_size": 2}
        endless = float("-inf")
        sample["domains"] = ((endless, endless),)
        yield _case(op, "special", dtype, sample, "-inf", fill="values", values=(endless,))
    for shapes, kwargs in _MANY.get(op.name, ()):
        label = "x".join(_written(shape) for shape in shapes[:2])
        yield _case(op, "large", dtype, {"shapes": shapes, **kwargs}, label)
    if op.name in _PLACES:
        sample = _PLACES[op.name]
        indices = {"dtypes": (None, "int64"), "domains": (None, (0, 70_001))}
        yield _case(op, "large", dtype, {**indices, **sample}, "places")
