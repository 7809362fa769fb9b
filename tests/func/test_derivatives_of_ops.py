"""Every differentiable op in float64: forward mode against reverse mode, inside `vmap`, and each over the other."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc
from tensorcore import dtypes
from tensorcore.func import jvp, vjp, vmap
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance.cases import gradient_recipes
from tensorcore_conformance.gradients import Point
from tensorcore_conformance.recipes import flat_outputs
from tensorcore_conformance.samples import ELSEWHERE

#: Results rounded to fewer digits, in which the two sums differ.
ROUNDED = frozenset(["cast", "float", "half", "bfloat16", "cfloat", "istft"])
#: The gradient rule is no transpose of the derivative: it is scaled by how often an index comes.
NO_TRANSPOSE = frozenset(("embedding",))
#: Whose rule refuses a cotangent that depends on the phase of vectors, as a random one does.
PHASES = frozenset(["linalg_eig", "linalg_eigh", "linalg_svd", "svd"])


#: Whose expression, which is what is differentiated, picks elements by their values.
UNMAPPED = frozenset(("gamma_slope",))


def names():
    for name, op in REGISTRY.items():
        if op.operands and not op.random and name not in ELSEWHERE and name not in PHASES | UNMAPPED:
            yield name


def random_like(rng, x):
    values = rng.uniform(0.5, 1.5, tuple(x.shape)) * rng.choice([-1.0, 1.0], tuple(x.shape))
    if x.dtype.is_complex:
        values = values + 1j * rng.uniform(-1, 1, tuple(x.shape))
    return tc.from_numpy(np.asarray(values)).to(x.dtype)


def dot(a, b):
    return math.fsum(
        float((x.conj() * y).real.sum()) for x, y in zip(map(complex_of, a), map(complex_of, b), strict=True)
    )


def complex_of(x):
    return x if x.is_complex() else x.to(x.dtype.to_complex())


def twice(tensors):
    return [tc.stack([x, x]) for x in tensors]


class Case:
    """An op at a point as a function of its floating-point operands, with tangents and cotangents."""

    def __init__(self, recipe):
        self.recipe, self.point = recipe, Point(recipe, "cpu")
        self.base = [None if x is None else tc.from_numpy(np.asarray(x)) for x in self.point.operands]
        self.xs = [self.base[place] for place in self.point.places]
        rng = np.random.default_rng(1)
        self.vs = [random_like(rng, x) for x in self.xs]
        self.ws = [random_like(rng, x) for x in self.xs]
        self.ys, self.pull = vjp(self, *self.xs)
        self.us = tuple(random_like(rng, y) for y in self.ys)

    def __call__(self, *xs):
        operands = list(self.base)
        for place, x in zip(self.point.places, xs, strict=True):
            operands[place] = x
        record = self.recipe.record
        results = flat_outputs(self.recipe.call(self.recipe.prepared(operands), "cpu"))
        # Records that users cannot call return statistics for their gradients beside the result.
        results = results if record.primitive or record.paths else results[:1]
        return tuple(y for y in results if y.is_floating_point() or y.is_complex())


def cases(name):
    for _, recipe in gradient_recipes(REGISTRY[name], frozenset(dtypes.ALL)):
        try:
            point = Point(recipe, "cpu")
            outputs = point.outputs(point.operands, True)[1] if point.places else []
        except (RuntimeError, TypeError, ValueError):
            continue
        if any(y.requires_grad for y in outputs):
            yield Case(recipe)


def close(a, b):
    assert abs(a - b) <= 1e-7 * max(1.0, abs(b)), (a, b)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", list(names()))
def test_modes_agree(name):
    for case in cases(name):
        back = case.pull(case.us)
        wanted = dot(back, case.vs)
        if not math.isfinite(wanted):
            continue
        # Reverse mode inside and outside of vmap.
        inner = vmap(lambda us, *xs, case=case: vjp(case, *xs)[1](us))(tuple(twice(case.us)), *twice(case.xs))
        leaves = [x.requires_grad_() for x in twice(case.xs)]
        mapped = [(y, u) for y, u in zip(vmap(case)(*leaves), twice(case.us), strict=True) if y.requires_grad]
        outputs, cotangents = zip(*mapped, strict=True)
        outer = tc.autograd.grad(outputs, leaves, cotangents, materialize_grads=True)
        for a, b, c in zip(inner, outer, back, strict=True):
            for each in (a[0], a[1], b[0], b[1]):
                np.testing.assert_allclose(each.numpy(), c.numpy(), rtol=1e-7, atol=1e-9)
        if name in NO_TRANSPOSE | ROUNDED:
            continue
        # Forward mode, alone and along several tangents at a time.
        close(dot(case.us, jvp(case, tuple(case.xs), tuple(case.vs))[1]), wanted)
        along = vmap(lambda *vs, case=case: jvp(case, tuple(case.xs), vs)[1])(*twice(case.vs))
        close(dot(case.us, [t[1] for t in along]), wanted)
        # Second derivatives: reverse over reverse, forward over reverse, forward over forward.
        gradient = lambda *xs, case=case: vjp(case, *xs)[1](case.us)  # noqa: E731
        second = dot(vjp(gradient, *case.xs)[1](tuple(case.vs)), case.ws)
        if math.isfinite(second):
            close(dot(case.vs, jvp(gradient, tuple(case.xs), tuple(case.ws))[1]), second)
            slope = lambda *xs, case=case: jvp(case, xs, tuple(case.vs))[1]  # noqa: E731
            close(dot(case.us, jvp(slope, tuple(case.xs), tuple(case.ws))[1]), second)
