"""Operands that samples prepare, and outputs that they observe: alike for arrays and tensors, and what they promise."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore_conformance.arrays import from_numpy, to_numpy
from tensorcore_conformance.recipes import Recipe
from tensorcore_conformance.structure import PREPARATIONS, observed, prepared


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


HOLDS = {
    "positive_definite": lambda x: np.allclose(x, adjoint(x)) and np.linalg.eigvalsh(x).min() > 1,
    "well_conditioned": lambda x: np.linalg.cond(x).max() < 20 and np.diff(np.linalg.svd(x)[1]).max() < -1,
    "hermitian": lambda x: np.allclose(x, adjoint(x)) and np.diff(np.linalg.eigvalsh(x)).min() > 1,
    "closed_row": lambda x: (x[..., 0, :].real == -np.inf).all() and np.isfinite(x[..., 1:, :]).all(),
    "lower_triangular": lambda x: (np.triu(x, 1) == 0).all() and np.linalg.cond(x).max() < 20,
    "upper_triangular": lambda x: (np.tril(x, -1) == 0).all() and np.linalg.cond(x).max() < 20,
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", PREPARATIONS)
def test_operands_lie_in_their_set(name, dtype):
    drawn = Recipe("matmul", ((2, 3, 3),), (dtype,), seed=5).operands()[0]
    array = prepared(name, drawn)
    assert array.dtype == drawn.dtype and array.shape == drawn.shape
    assert HOLDS[name](array)
    tensor = to_numpy(prepared(name, from_numpy(drawn, "reference")))
    assert tensor.dtype == array.dtype and np.allclose(tensor, array, rtol=1e-5)


def test_integers_and_what_names_no_preparation_stay():
    whole = np.arange(4).reshape(2, 2)
    assert prepared("hermitian", whole) is whole and prepared(None, whole) is whole
    assert prepared("hermitian", None) is None


def test_a_recipe_prepares_each_operand_and_says_so_in_its_line():
    recipe = Recipe("matmul", ((2, 2), (2, 2)), ("float64",) * 2, prepare=("lower_triangular",), observe="magnitudes")
    first, second = recipe.operands()
    assert first[0, 1] == 0 and second[0, 1] != 0
    assert "prepare=('lower_triangular',), observe='magnitudes'" in recipe.written("cpu", "values")


@pytest.mark.parametrize("name", ["magnitudes", "ordered"])
@pytest.mark.parametrize("kind", ["arrays", "tensors"])
def test_observations_do_not_see_signs_phases_and_order(name, kind):
    values, vectors = np.array([2.0, 1.0, 3.0]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    order = [2, 0, 1] if name == "ordered" else [0, 1, 2]
    found = []
    for v, w in ((values, vectors), (values[order], -vectors[:, order])):
        parts = (v, w) if kind == "arrays" else (tc.tensor(v), tc.tensor(w))
        found.append([np.asarray(each) for each in observed(name, parts)])
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
