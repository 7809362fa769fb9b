"""Batching rules: every op with samples, mapped, against a loop over the examples."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore import dtypes
from tensorcore.errors import TransformError
from tensorcore.func import batching_rules
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance.cases import recipe_from
from tensorcore_conformance.cases import tested_dtypes as dtypes_of
from tensorcore_conformance.recipes import flat_outputs
from tensorcore_conformance.samples import ELSEWHERE, LAID_OUT, samples_of

SIZE = 3
#: Ops whose result has a shape that depends on values.
REFUSED = {"nonzero_places", "nonzero", "counts"}


def main_dtype(op):
    taken = [dtype for dtype, fine in dtypes_of(op, dtypes.ALL) if fine]
    return next((dtype for dtype in (dtypes.float64, dtypes.int64) if dtype in taken), taken[0] if taken else None)


def cases():
    for name, op in REGISTRY.items():
        if op.random or not op.operands or name in ELSEWHERE or main_dtype(op) is None:
            continue
        if any(sample["shapes"] for sample in samples_of(op) or ()):
            yield name


def recipes(name):
    op = REGISTRY[name]
    for sample in samples_of(op)[:4]:
        if sample["shapes"]:
            yield recipe_from(op, sample, main_dtype(op).name, "vmap")


def examples(recipe):
    """The operands of each example, or ``None`` where the recipe makes none."""
    made = [recipe.replaced(seed=recipe.seed + number).operands() for number in range(SIZE)]
    return [[None if x is None else tc.from_numpy(np.ascontiguousarray(x)) for x in each] for each in made]


def patterns(name, operands):
    places = tuple(i for i, x in enumerate(operands) if x is not None)
    yield places, 0
    if len(places) > 1:
        yield from (((place,), 0) for place in places)
    if name not in LAID_OUT:
        yield places, -1


def looped(recipe, rows):
    """What a loop gives, stacked; ``None`` where examples refuse or differ in shape."""
    try:
        columns = zip(*[flat_outputs(recipe.call(row, "cpu")) for row in rows], strict=True)
        return [tc.stack(list(column)) for column in columns]
    except (RuntimeError, TypeError, ValueError):
        return None


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", [name for name in cases() if name not in REFUSED])
def test_mapped_equals_a_loop(name):
    for recipe in recipes(name):
        each = examples(recipe)
        for batched, dim in patterns(name, each[0]):
            rows = [[x if i in batched else each[0][i] for i, x in enumerate(operands)] for operands in each]
            wanted = looped(recipe, rows)
            if wanted is None:
                continue
            operands = [tc.stack([row[i] for row in rows], dim) if i in batched else x for i, x in enumerate(rows[0])]
            dims = tuple(dim if i in batched else None for i in range(len(operands)))
            got = tc.vmap(lambda *xs, recipe=recipe: tuple(flat_outputs(recipe.call(list(xs), "cpu"))), dims)(*operands)
            for a, b in zip(got, wanted, strict=True):
                assert (a.shape, a.dtype) == (b.shape, b.dtype)
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(REFUSED & set(cases())))
def test_values_that_differ_between_examples_are_not_read(name):
    recipe = next(recipes(name))
    rows = examples(recipe)
    operands = [tc.stack([row[i] for row in rows]) for i in range(len(rows[0]))]
    with pytest.raises(TransformError, match="vmap"):
        tc.vmap(lambda *xs: flat_outputs(recipe.call(list(xs), "cpu"))[0])(*operands)


def test_every_kernel_has_a_rule_or_is_listed():
    found = batching_rules()
    # An op of its own gradient rule runs example by example until `func/batch_rules.py` says how to do better.
    assert {name for name, how in found.items() if how == "loop"} == {
        "argwhere", "bincount", "binomial", "histc", "histogram", "histogramdd", "masked_scatter", "nonzero_static",
        "poisson", "positional_embedding_bag", "repeat_interleave",
    }  # fmt: skip
    assert {name for name, how in found.items() if how == "refused"} == {"nonzero_places"}
    assert found["matmul"] == found["convolution_of"] == found["softmax"] == "rule"
    assert found["outer"] == "expression"
    assert found["ramp"] == "creation"


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: a * b, lambda a, b: a @ b, lambda a, b: a.sum(0) + b.amax(1), lambda a, b: tc.cat([a, b]),
        lambda a, b: a.softmax(0).sort(1).values, lambda a, b: a.reshape(-1)[::2], lambda a, b: tc.stack([a, b], 2),
    ],
)  # fmt: skip
def test_no_examples_and_one(call, size):
    a, b = tc.randn(size, 3, 3), tc.randn(size, 3, 3)
    got = tc.vmap(call)(a, b)
    one = call(tc.zeros(3, 3), tc.zeros(3, 3))
    assert got.shape == (size, *one.shape)
    if size:
        assert tc.equal(got[0], call(a[0], b[0]))


@pytest.mark.parametrize("dtype", [dtype for dtype in dtypes.ALL if dtype.name not in ("uint16", "uint32", "uint64")])
def test_dtypes_promote_as_for_one_example(dtype):
    x = tc.ones(3, 2).to(dtype)
    for other in (x, 2, 2.5, tc.ones(2, dtype=tc.float32), tc.tensor(1, dtype=tc.int64)):
        one = x[0] + other
        if isinstance(other, tc.Tensor) and other is x:
            one = x[0] + x[0]
        got = tc.vmap(lambda a, other=other: a + (a if other is x else other))(x)
        assert got.dtype is one.dtype


def test_numbers_of_examples_stay_weak_in_promotion():
    # A number for each example is 0-d, and gives way to the dtype of what has dimensions.
    got = tc.vmap(lambda a, b: a + b)(tc.ones(3, dtype=tc.float64), tc.ones(3, 2, dtype=tc.float32))
    assert got.dtype is tc.float32


@pytest.mark.parametrize("device", ["cpu", "reference", "array_api_strict"])
def test_backends(device):
    pytest.importorskip("array_api_strict")
    x = tc.arange(12.0, device=device).reshape(3, 4)
    w = tc.ones(4, 2, device=device)
    got = tc.vmap(lambda a: (a @ w).softmax(0) + a.sum())(x)
    assert got.device == x.device
    np.testing.assert_allclose(got.tolist(), ((x @ w).softmax(1) + x.sum(1, keepdim=True)).tolist(), rtol=1e-6)
    y = tc.vmap(lambda a: a.clone().mul_(2)[1:].add_(1))(x)
    assert y.tolist() == (x * 2)[:, 1:].add(1).tolist()
