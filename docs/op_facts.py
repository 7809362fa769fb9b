"""What the ops' samples tell when called on the CPU: dtypes taken and given, and the backward nodes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

from tensorcore import dtypes
from tensorcore.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, DType
from tensorcore.ops.record import Op
from tensorcore.tensor import Tensor
from tensorcore_conformance.cases import gradient_recipes, recipe_from
from tensorcore_conformance.forward import flat_outputs
from tensorcore_conformance.gradients import Point
from tensorcore_conformance.samples import samples_of

_KINDS = {BOOL: "bool", INTEGER: "integers", FLOATING: "floating point", COMPLEX: "complex"}


def _results(op: Op) -> dict[DType, DType | None]:
    """The dtypes that the op's first sample can be called in, each with that of the first result."""
    found: dict[DType, DType | None] = {}
    sample = next(iter(samples_of(op)), None)
    if sample is None or not sample["shapes"]:
        return found
    for dtype in dtypes.ALL:
        recipe = recipe_from(op, sample, dtype.name, "page")
        if dtype.name not in recipe.dtypes:
            return {}
        try:
            outs = flat_outputs(recipe.replaced(observe="").call(recipe.tensors("cpu"), "cpu"))
        except Exception:
            continue
        found[dtype] = next((out.dtype for out in outs if isinstance(out, Tensor)), None)
    return found


def _grouped(chosen: set[DType], besides: DType | None = None) -> str:
    """The dtypes by category, those of a category by name where not all are there, ``besides`` left aside."""
    parts = []
    for category, name in _KINDS.items():
        whole = [dtype for dtype in dtypes.ALL if dtype.category == category]
        met = [dtype for dtype in whole if dtype in chosen]
        if met:
            all_there = {*met, besides} >= {*whole}
            parts.append(name if all_there else ", ".join(f"`{dtype.name}`" for dtype in met))
    return ", ".join(parts)


def dtypes_of(op: Op) -> tuple[str, str]:
    """Which dtypes an op takes, and which it gives; empty where its samples do not tell."""
    found = _results(op)
    results = set(found.values())
    if not found:
        return "", ""
    if all(result is dtype for dtype, result in found.items()):
        gives = "the same dtype"
    elif len(results) == 1:
        (only,) = results
        gives = "" if only is None else f"`{only.name}`"
    else:
        changed: dict[DType | None, set[DType]] = {}
        for dtype, result in found.items():
            if result is not dtype:
                changed.setdefault(result, set()).add(dtype)
        parts = [
            f"`{result.name}` for {_grouped(taken, result)}" for result, taken in changed.items() if result is not None
        ]
        gives = "; ".join([*parts, *(["others as they are"] if len(found) > sum(map(len, changed.values())) else [])])
    return _grouped(set(found)), gives


def _nodes(op: Op) -> Iterator[str]:
    for _, recipe in gradient_recipes(op, frozenset((dtypes.float64,))):
        try:
            point = Point(recipe.replaced(observe=""), "cpu")
            _, outs = point.outputs(point.operands, True)
        except Exception:
            continue
        yield from ["" if out.grad_fn is None else out.grad_fn.name() for out in outs] or [""]


def gradient_of(op: Op) -> str:
    """Whether and how an op is differentiated, with the names of its backward nodes; empty where no sample tells."""
    met = dict.fromkeys(_nodes(op))
    names = [name for name in met if name]
    if not names:
        return "own rule" if op.vjp is not None else "none" if met or not op.operands else ""
    kind = "own rule" if op.vjp is not None else "through its expression"
    return f"{kind}; {', '.join(f'`{name}`' for name in names)}"


def quietly(call: Any, *args: Any) -> Any:
    """The result of a call without the warnings of what it runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*args)
