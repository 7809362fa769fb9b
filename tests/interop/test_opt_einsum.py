"""opt_einsum finds tensors' functions by the name of their package."""

from __future__ import annotations

import numpy as np
import opt_einsum
import pytest

import tensorcore as tc

RNG = np.random.default_rng(0)
CASES = [
    ("ij,jk,kl->il", [(3, 4), (4, 5), (5, 2)]),
    ("ij,jk,kl->li", [(3, 4), (4, 5), (5, 2)]),
    ("iij,jk->ik", [(3, 3, 4), (4, 5)]),
    ("ij,kl->", [(2, 3), (4, 5)]),
    ("...ij,...jk->...ik", [(2, 3, 4), (2, 4, 5)]),
    ("abc,cd,def,fa->eb", [(2, 3, 4), (4, 5), (5, 6, 2), (2, 2)]),
    ("a,b,c->cba", [(2,), (3,), (4,)]),
    ("ij,ij,ij->ij", [(2, 3)] * 3),
]


@pytest.mark.parametrize(("equation", "shapes"), CASES, ids=[case[0] for case in CASES])
def test_contract(equation, shapes):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    tensors = [tc.tensor(array, requires_grad=True) for array in arrays]
    got = opt_einsum.contract(equation, *tensors)
    assert isinstance(got, tc.Tensor)
    np.testing.assert_allclose(got.detach().numpy(), np.einsum(equation, *arrays), rtol=1e-12)
    assert tc.autograd.gradcheck(lambda *each: opt_einsum.contract(equation, *each), tensors)


def test_expressions_and_sharing():
    a, b, c = (tc.tensor(RNG.normal(size=(3, 3))) for _ in range(3))
    want = a @ b @ c
    expression = opt_einsum.contract_expression("ij,jk,kl->il", (3, 3), (3, 3), (3, 3))
    fixed = opt_einsum.contract_expression("ij,jk,kl->il", (3, 3), b, (3, 3), constants=[1])
    with opt_einsum.shared_intermediates():
        for got in (expression(a, b, c), fixed(a, c), opt_einsum.contract(a, (0, 1), b, (1, 2), c, (2, 3), (0, 3))):
            assert tc.allclose(got, want)
