"""Cases from the op records: recipes with fixed names, edge cases first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tensorcore import dtypes
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType
from tensorcore.errors import DTypeError
from tensorcore.ops.record import Op
from tensorcore_conformance.arrays import LAYOUTS, REPEATING, names
from tensorcore_conformance.limits import Limits
from tensorcore_conformance.recipes import Recipe, seed_of, shape_name
from tensorcore_conformance.samples import LAID_OUT, broadcasts, is_elementwise, may_repeat, samples_of

__all__ = ["Case", "Limits", "forward_cases", "gradient_recipes", "is_ordering", "recipe_from", "tested_dtypes"]

#: Keys of a sample that are not keyword arguments of the op.
_RESERVED = frozenset(("shapes", "dtypes", "domains", "args", "order", "distinct", "prepare", "observe"))

#: Whose integer results wrap, so that the limits of the dtype are cases.
_WRAPPING = names(
    "add sub mul neg abs bitwise_and bitwise_or bitwise_xor bitwise_not maximum minimum eq lt le gt ge ne"
)
#: Whose results tell equal elements apart, or 0 from others.
_ORDERING = names(
    "argmax argmin sort argsort msort amax amin max min topk median kthvalue mode cummax cummin unique search "
    "searchsorted bucketize any all count_nonzero nonzero argwhere linalg_vector_norm cdist grid_sample grid_values"
)
#: Which choose elements, and have gradients at equal ones.
_CHOOSING = names(
    "sort msort amax amin max min topk median kthvalue mode cummax cummin max_along min_along median_along nanmedian "
    "maximum minimum fmax fmin aminmax values_in_order quantile max_pool1d max_pool2d max_pool3d max_pool"
)
#: Sums over many elements: what a naive float32 accumulation gets wrong, with the shape and the attributes.
_LONG: dict[str, tuple[tuple[tuple[int, ...], ...], dict[str, Any]]] = {
    "sum": (((1 << 16,),), {}),
    "mean": (((1 << 16,),), {}),
    "matmul": (((1, 1 << 16), (1 << 16, 1)), {}),
    "sum/first": (((1 << 16, 2),), {"dim": 0}),
}


#: Shapes beyond the width of vectors, the sides of blocks and the size of a small batch, none of them a multiple.
_LARGE: dict[str, tuple[tuple[tuple[tuple[int, ...], ...], dict[str, Any]], ...]] = {
    **dict.fromkeys(("sum", "mean", "amax", "amin", "argmax", "argmin", "logsumexp"), (
        (((1031,),), {}), (((67, 129),), {"dim": 0}), (((67, 129),), {"dim": 1}),
    )),
    **dict.fromkeys(("cumsum", "sort", "argsort", "softmax", "log_softmax"), (
        (((67, 129),), {"dim": 0}), (((67, 129),), {"dim": 1}),
    )),
    "matmul": ((((67, 129), (129, 35)), {}), (((9, 33, 17), (17, 5)), {}), (((1, 257), (257, 1)), {})),
    "mm": ((((67, 129), (129, 35)), {}),),
    "bmm": ((((9, 33, 17), (9, 17, 5)), {}),),
    "linear": ((((67, 129), (35, 129), (35,)), {}),),
    "layer_norm": ((((67, 129),), {"normalized_shape": (129,)}),),
    "conv1d": ((((9, 5, 67), (7, 5, 3), (7,)), {"padding": 1}),),
    "conv2d": ((((9, 3, 19, 23), (5, 3, 3, 3), (5,)), {"padding": 1}),),
    "max_pool2d": ((((9, 3, 19, 23),), {"kernel_size": 2}),),
    "avg_pool2d": ((((9, 3, 19, 23),), {"kernel_size": 2}),),
}  # fmt: skip


#: Layouts in which primitives alone are tried: what composites are made of.
_FOR_KERNELS = names("rows backwards inner outer")
#: Layouts in which they are also tried on operands of more dimensions, and along others.
_RICHER = names("transposed negative outer")


@dataclass(frozen=True)
class Case:
    """A recipe under its fixed name, ``group/...``; its dtype is what exceptions are scoped by."""

    name: str
    recipe: Recipe
    dtype: str


def is_ordering(op: Op) -> bool:
    """Whether the op chooses among elements, of which some may be equal."""
    return op.name in _CHOOSING


def recipe_from(op: Op, sample: dict[str, Any], dtype: str, name: str) -> Recipe:
    """The recipe of a record's sample in a dtype."""
    shapes = tuple(sample["shapes"])
    given = sample.get("dtypes") or (None,) * len(shapes)
    chosen = tuple(_named(each) or dtype for each in given)
    order = sample.get("order", ())
    return Recipe(
        op.name, shapes, chosen, tuple(sample.get("domains", ())), tuple(sample.get("args", ())),
        {key: value for key, value in sample.items() if key not in _RESERVED}, tuple(order),
        prepare=tuple(sample.get("prepare", ())), observe=sample.get("observe", ""),
        distinct=bool(sample.get("distinct")), seed=seed_of(f"{op.name}/{name}"),
    )  # fmt: skip


def _named(dtype: Any) -> str | None:
    name: str | None = getattr(dtype, "name", dtype)
    return name


def tested_dtypes(op: Op, able: Iterable[DType]) -> Iterator[tuple[DType, bool]]:
    """The device's dtypes, each with whether the op's rule takes it."""
    internal = not op.primitive and not op.paths
    # What users cannot call, such as an optimiser's step, meets floating-point operands only, or else complex ones.
    met = FLOATING if _takes(op, dtypes.float32) else COMPLEX
    for dtype in dtypes.ALL:
        if dtype in able and (dtype.category == met or not internal):
            yield dtype, _takes(op, dtype)


def _takes(op: Op, dtype: DType) -> bool:
    try:
        op.rule(dtype, op.name)
    except DTypeError:
        return False
    return True


def _shape_name(recipe: Recipe) -> str:
    shapes = "x".join(map(shape_name, recipe.shapes))
    extra = [*map(_short, recipe.args), *(f"{key}={_short(value)}" for key, value in recipe.kwargs.items())]
    return ",".join([shapes or "-", *extra])


def _short(value: Any) -> str:
    return str(value).replace(" ", "").replace("tensorcore.", "").replace(",None)", ")")[:40]


def forward_cases(op: Op, able: frozenset[DType], limits: Limits) -> Iterator[Case]:
    """Cases of an op's values: dtypes, shapes, layouts, special values, integer limits, long sums, refusals."""
    samples = samples_of(op)
    if not samples:
        return
    main = dtypes.float32 if dtypes.float32 in able else dtypes.float64
    for dtype, taken in tested_dtypes(op, able):
        shown = samples if dtype is main or not op.operands else samples[: limits.samples]
        if not op.operands and dtype is not main:
            continue
        for sample in shown if taken else samples[:1]:
            recipe = recipe_from(op, sample, dtype.name, "")
            group = "values" if taken else "refused"
            name = f"{group}/{dtype.name}/{_shape_name(recipe)}"
            yield Case(name, recipe.replaced(seed=seed_of(f"{op.name}/{name}")), dtype.name)
    if op.operands:
        yield from _edge_cases(op, able, limits, main, samples)


def _edge_cases(op: Op, able: frozenset[DType], limits: Limits, main: DType, samples: Any) -> Iterator[Case]:
    taken = [dtype for dtype, fine in tested_dtypes(op, able) if fine]
    elementwise = is_elementwise(op)
    usual = main if main in taken else taken[0] if taken else None
    if usual is None:
        return
    if elementwise:
        for dtype in taken:
            if dtype.category in (INTEGER, BOOL) or dtype is dtypes.float64:
                for sample in samples[limits.samples :]:
                    recipe = recipe_from(op, sample, dtype.name, "shapes")
                    yield Case(f"shapes/{dtype.name}/{_shape_name(recipe)}", recipe, dtype.name)
                break
    yield from _layout_cases(op, usual, elementwise, samples)
    for number, sample in enumerate(samples if op.name in _ORDERING else ()):
        for turn in ("", ",again"):  # which of equals come first is chance
            recipe = recipe_from(op, sample, usual.name, f"ties/{number}{turn}").replaced(fill="ties")
            yield Case(f"ties/{usual.name}/{_shape_name(recipe)}{turn}", recipe, usual.name)
    yield from _special_cases(op, taken, broadcasts(op) and op.name != "sinc", samples)
    yield from _form_cases(op, usual, elementwise, samples)
    for half in (dtypes.float16, dtypes.bfloat16) if op.name in ("sum", "mean", "matmul") else ():
        shapes = ((1, 4096), (4096, 1)) if op.name == "matmul" else ((4096,),)
        if limits.long and half in taken:
            recipe = Recipe(op.name, shapes, (half.name,) * len(shapes), fill="tenth")
            yield Case(f"long/{half.name}/{_shape_name(recipe)}", recipe, half.name)
    for name, (shapes, kwargs) in _LONG.items():
        if limits.long and name.partition("/")[0] == op.name and main in taken:
            tenths = Recipe(op.name, shapes, (main.name,) * len(shapes), kwargs=kwargs, fill="tenth")
            yield Case(f"long/{main.name}/{_shape_name(tenths)}", tenths, main.name)


def _layout_cases(op: Op, usual: DType, elementwise: bool, samples: Any) -> Iterator[Case]:
    """Operands in every layout: of three dimensions, or of the sample with most of them, and along a dimension."""
    if op.name in LAID_OUT:
        return
    count = len(op.operands)
    usually = [layout for layout in LAYOUTS if op.primitive or layout not in _FOR_KERNELS]
    for layout in (*usually, "mixed"):
        shown = [samples[0], *(_richest(samples) if op.primitive and layout in _RICHER else ())]
        if elementwise:
            shown = [{"shapes": (shape,) * count} for shape in ((2, 3, 4), *([(3, 4)] if layout == "strided" else []))]
        if elementwise and layout == "offset":
            shown.append({"shapes": ((),) * count})
        for sample in shown:
            if (layout in REPEATING and not may_repeat(op, sample)) or (layout == "mixed" and count < 2):
                continue
            recipe = recipe_from(op, sample, usual.name, f"layout/{layout}").replaced(layout=layout)
            if any(recipe.shapes) or layout == "offset":
                more = "" if sample is shown[0] else f"/{_shape_name(recipe)}"
                yield Case(f"layout/{layout}/{usual.name}{more}", recipe, usual.name)


def _richest(samples: Any) -> list[dict[str, Any]]:
    """The sample whose operands have most dimensions and that names one, if that is not the first."""
    if any("dim" in sample for sample in samples):
        return list(samples[1:3])
    best = max(samples[:4], key=lambda sample: (sum(map(len, filter(None, sample["shapes"]))), "dim" in sample))
    return [] if best is samples[0] else [best]


def _form_cases(op: Op, usual: DType, elementwise: bool, samples: Any) -> Iterator[Case]:
    """One tensor in the place of several, sizes beyond vectors and blocks, shapes and dimensions that do not fit."""
    for sample in samples[:1]:
        recipe = recipe_from(op, sample, usual.name, "same").replaced(fill="same")
        forms = [*zip(recipe.shapes, recipe.dtypes, strict=True)]
        if len(set(forms)) < len(forms) and not sample.get("prepare") and not sample.get("distinct"):
            yield Case(f"same/{usual.name}/{_shape_name(recipe)}", recipe, usual.name)
    large = ((((4099,),) * len(op.operands), {}),) if elementwise else _LARGE.get(op.name, ())
    for shapes, kwargs in large:
        named = {key: value for key, value in kwargs.items() if key in op.signature.parameters}
        if len(named) == len(kwargs):
            dtypes_of = (usual.name,) * len(shapes)
            recipe = Recipe(op.name, shapes, dtypes_of, kwargs=kwargs, seed=seed_of(f"{op.name}/large"))
            yield Case(f"large/{usual.name}/{_shape_name(recipe)}", recipe, usual.name)
    if elementwise and len(op.operands) > 1:
        shapes = ((3, 4), *((3, 5),) * (len(op.operands) - 1))
        yield Case("refused/shapes", Recipe(op.name, shapes, (usual.name,) * len(shapes)), usual.name)
    for sample in samples:
        if type(sample.get("dim")) is int and not sample.get("prepare"):
            recipe = recipe_from(op, {**sample, "dim": 17}, usual.name, "dim")
            if not recipe.distinct:
                yield Case("refused/dim=17", recipe, usual.name)
            break


#: Whose results at infinities and NaN are nobody's promise, or whose operands must be in order.
_UNSPECIAL = names(
    "bucketize searchsorted search nan_to_num complex view_as_complex_copy cast byte char short int long"
)
#: Sums of what special values make of themselves; those of products may add infinities of either sign in any order.
_SPECIAL_SUMS = names("mean nansum nanmean var std softmax log_softmax logsumexp softmin norm linalg_vector_norm")


def _takes_specials(op: Op) -> bool:
    exact = op.primitive or (op.ulp == 0 and bool(op.paths))
    return (exact and op.name not in _UNSPECIAL) or op.name in _SPECIAL_SUMS


def _special_cases(op: Op, taken: list[DType], elementwise: bool, samples: Any) -> Iterator[Case]:
    for dtype in taken:
        if dtype.category == FLOATING:
            if elementwise and len(op.operands) <= 2:
                shapes = ((17 ** len(op.operands),),) * len(op.operands)
                recipe = Recipe(op.name, shapes, (dtype.name,) * len(op.operands), fill="special")
                yield Case(f"special/{dtype.name}", recipe, dtype.name)
            elif _takes_specials(op) and dtype.itemsize == 4:
                for number, sample in enumerate(samples[:2]):
                    recipe = recipe_from(op, sample, dtype.name, f"special/{number}").replaced(fill="sprinkled")
                    yield Case(f"special/{dtype.name}/{_shape_name(recipe)}", recipe, dtype.name)
        elif dtype.category == INTEGER and op.name in _WRAPPING:
            recipe = recipe_from(op, {"shapes": ((40,),) * len(op.operands)}, dtype.name, "wrap").replaced(
                fill="extreme"
            )
            yield Case(f"wrap/{dtype.name}", recipe, dtype.name)


def gradient_recipes(op: Op, able: frozenset[DType]) -> Iterator[tuple[str, Recipe]]:
    """Recipes in float64 (and complex128) for gradient checks."""
    for dtype in (dtypes.float64, dtypes.complex128):
        if dtype not in able:
            continue
        # Expressions of differentiable ops are differentiable in the complex numbers where those are.
        if dtype.category == COMPLEX and op.vjp is None:
            continue
        try:
            op.rule(dtype, op.name)
        except DTypeError:
            continue
        seen = set()
        for sample in samples_of(op):
            recipe = recipe_from(op, sample, dtype.name, f"gradient/{dtype.name}")
            name = f"{dtype.name}/{_shape_name(recipe)}"
            if name not in seen and not any(shape and 0 in shape for shape in recipe.shapes):
                seen.add(name)
                yield name, recipe.replaced(seed=seed_of(f"{op.name}/gradient/{name}"))
