"""Each op as a compiled function: values and gradients as in eager execution."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

import tensorcore as tc
from tensorcore import autograd, dtypes
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, to_numpy
from tensorcore_conformance.forward import ConformanceError, Measured, check_forward, expected_dtypes
from tensorcore_conformance.gradients import Point
from tensorcore_conformance.recipes import Recipe, flat_outputs

__all__ = ["check_compiled"]

#: Calls: one is recorded, the next are replayed with other elements.
TURNS = 3


def check_compiled(recipe: Recipe, device: str) -> Measured:
    """What ``tc.compile`` of the op gives is within the op's budget, and its gradients are the eager ones."""
    if expected_dtypes(recipe, device)[1] is not None:
        return Measured(oracle="refusal")
    compiled = tc.compile(lambda *args, **kwargs: recipe.record(*args, **kwargs))
    with warnings.catch_warnings():
        # An op that reads values is not recorded, and says so; it must give the same all the same.
        warnings.simplefilter("ignore")
        for turn in range(TURNS):
            measured = check_forward(recipe.replaced(seed=recipe.seed + turn), device, compiled)
        if not recipe.record.random:
            _same_gradients(recipe, device)
    return measured


def _same_gradients(recipe: Recipe, device: str) -> None:
    """A compiled function of the op and its gradient against the same function called as it is."""
    point = Point(recipe, device)
    if not point.places:
        return

    def step(*given: Any) -> list[Any]:
        tensors = list(given[: len(point.operands)])
        weights = given[len(point.operands) :]
        for place in point.places:
            tensors[place] = tensors[place].detach().requires_grad_()
        result = recipe.call(recipe.prepared(tensors), device)
        outs = [x for x in flat_outputs(result) if isinstance(x, Tensor) and x.requires_grad]
        wanted = [tensors[place] for place in point.places]
        # Some ops have further outputs that no gradient is defined by; `Point` knows which.
        found = autograd.grad(outs[: len(weights)], wanted, list(weights), allow_unused=True)
        return [x for x in found if x is not None]

    operands = [None if x is None else from_numpy(x, device) for x in point.operands]
    outs = [x for x in point.outputs(point.operands, True)[1] if x.requires_grad]
    if not outs:
        return
    weights = [from_numpy(np.ones(tuple(x.shape)).astype(to_numpy(x.detach()).dtype), device) for x in outs]
    eager = [to_numpy(x) for x in step(*operands, *weights)]
    compiled = tc.compile(step)
    for _ in range(2):
        replayed = [to_numpy(x) for x in compiled(*operands, *weights)]
    for place, (got, wanted) in enumerate(zip(replayed, eager, strict=True)):
        finite = np.abs(wanted[np.isfinite(wanted)]).astype(np.float64)
        scale = float(finite.max(initial=0.0))
        rough = 64 * dtypes.finfo(dtypes.by_name(wanted.dtype.name)).eps
        if got.shape != wanted.shape or got.dtype != wanted.dtype:
            form = f"{got.dtype} {list(got.shape)}, expected {wanted.dtype} {list(wanted.shape)}"
            raise ConformanceError(f"gradient {place} of the compiled op: {form}")
        kind = np.complex128 if wanted.dtype.kind == "c" else np.float64
        if not np.allclose(got.astype(kind), wanted.astype(kind), rtol=rough, atol=rough * scale, equal_nan=True):
            raise ConformanceError(
                f"gradient {place} of the compiled op: expected {wanted.tolist()} as in eager execution, "
                f"got {got.tolist()}"
            )
