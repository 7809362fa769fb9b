"""Every differentiable op in float64 passes `gradcheck` and `gradgradcheck`, which use all modes and vmap."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore import dtypes
from tensorcore.autograd import gradcheck, gradgradcheck
from tensorcore.autograd.gradcheck import GradcheckError
from tensorcore.autograd.graph import OpNode
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance.cases import gradient_recipes
from tensorcore_conformance.gradients import DELIBERATE, FIRST_ONLY, POINTS, Point
from tensorcore_conformance.recipes import flat_outputs
from tensorcore_conformance.samples import ELSEWHERE

#: Results rounded to fewer digits than differences need.
ROUNDED = frozenset(["cast", "float", "half", "bfloat16", "cfloat", "chalf", "istft"])
#: The gradient rule refuses a cotangent that depends on the phase of vectors, as a random one does.
PHASES = frozenset(["linalg_eig", "linalg_eigh", "linalg_svd", "svd"])
BATCHED = {"check_batched_grad": True, "fast_mode": True}


def names():
    for name, op in REGISTRY.items():
        if op.operands and not op.random and name not in {*ELSEWHERE, *PHASES, *ROUNDED}:
            yield name


def function_at(recipe):
    """The op as a function of its floating-point operands, and these as leaves."""
    point = Point(recipe, "cpu")
    operands = [None if x is None else tc.from_numpy(np.asarray(x)) for x in point.operands]

    def function(*xs):
        given = list(operands)
        for place, x in zip(point.places, xs, strict=True):
            given[place] = x
        record = recipe.record
        results = flat_outputs(recipe.call(recipe.prepared(given), "cpu"))
        alone = record.name in FIRST_ONLY or not (record.primitive or record.paths)
        return tuple(results[:1] if alone else results)

    return function, tuple(operands[place].clone().requires_grad_() for place in point.places)


def check(recipe):
    function, leaves = function_at(recipe)
    try:
        outputs = function(*leaves) if leaves else ()
    except (RuntimeError, TypeError, ValueError):
        return
    live = [y for y in outputs if isinstance(y, tc.Tensor) and y.requires_grad]
    if not live or not all(y.isfinite().all().item() for y in live):
        return
    gradcheck(
        function, leaves, atol=1e-4, check_forward_ad=True, check_batched_forward_grad=True, check_grad_dtypes=True,
        **BATCHED,
    )  # fmt: skip
    gradgradcheck(function, leaves, atol=1e-4, check_fwd_over_rev=True, **BATCHED)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", list(names()))
def test_gradcheck(name):
    for _, recipe in gradient_recipes(REGISTRY[name], frozenset(dtypes.ALL)):
        if any(recipe.kwargs.get(argument) for argument in DELIBERATE):
            continue
        for turn in range(POINTS):
            try:
                check(recipe.replaced(seed=recipe.seed + 1000 * turn))
                break
            except GradcheckError:
                # Perhaps a kink, from which another point is away.
                if turn == POINTS - 1:
                    raise


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", list(names()))
def test_backward_makes_new_memory(name, monkeypatch):
    """A rule returns its cotangent, a view that says so, or memory of its own, which the engine adds to in place."""
    seen = []

    def inspect(node, cotangent, results):
        if not isinstance(node, OpNode):
            return
        given = [cotangent] if isinstance(cotangent, tc.Tensor) else list(cotangent.arrived.values())
        held = [x._array for x in [*given, *(x for x in node.inputs or () if x is not None)]]
        held += node.output if isinstance(node.output, tuple) else [node.output] if node.output is not None else []
        for result in results:
            if result is None or result is cotangent or result._view is not None:
                continue
            array = result._array
            steps = [step for step, side in zip(array.strides, array.shape, strict=True) if side > 1]
            assert array.flags.writeable and (0 not in steps or not array.size)
            assert not any(np.shares_memory(array, other) for other in held), node
            held.append(array)
        seen.append(node)

    monkeypatch.setattr("tensorcore.autograd.graph.inspectors", [inspect])
    monkeypatch.setattr("tensorcore.autograd.engine.inspectors", [inspect])
    monkeypatch.setattr("tensorcore.autograd.run.inspectors", [inspect])
    for _, recipe in gradient_recipes(REGISTRY[name], frozenset(dtypes.ALL)):
        function, leaves = function_at(recipe)
        try:
            outputs = function(*leaves) if leaves else ()
        except (RuntimeError, TypeError, ValueError):
            continue
        live = [y for y in outputs if isinstance(y, tc.Tensor) and y.requires_grad]
        if live:
            seen.clear()
            tc.autograd.grad(live, leaves, [tc.rand_like(y) for y in live], allow_unused=True)
            assert seen or all(not isinstance(y._node, OpNode) for y in live)
