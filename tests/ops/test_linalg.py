"""Products of matrices, einsum and tensordot against NumPy, and their errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorcore as tc


def array(*shape, dtype="float64", seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def check(ours, theirs):
    assert ours.shape == np.shape(theirs)
    np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-12, atol=1e-13)


SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2,), (2, 3)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3,)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((0,), (0,)),
    ((4, 0, 3), (3, 2)),
]


@pytest.mark.parametrize(("first", "second"), SHAPES)
@pytest.mark.parametrize(
    "layout",
    [lambda x: x, lambda x: np.asfortranarray(x), lambda x: np.repeat(x, 2, -1)[..., ::2]],
    ids=["rows", "columns", "steps"],
)
def test_matmul(first, second, layout):
    a, b = layout(array(*first)), layout(array(*second, seed=1))
    check(tc.from_numpy(a) @ tc.from_numpy(b), a @ b)


@pytest.mark.parametrize("dtype", ["int64", "int8", "complex128", "float32", "float16", "bool"])
def test_dtypes(dtype):
    a, b = (array(3, 4) * 3).astype(dtype), (array(4, 2) * 3).astype(dtype)
    got = tc.tensor(a) @ tc.tensor(b)
    assert got.dtype.name == dtype
    np.testing.assert_allclose(
        np.asarray(got), a @ b, rtol=1e-2 if dtype == "float16" else 1e-6, atol=1e-2 if dtype == "float16" else 1e-6
    )


NAMED = {
    "tc.mm(a, b)": "a @ b", "tc.mv(a, v)": "a @ v", "tc.dot(v, v)": "v @ v", "tc.outer(v, w)": "np.outer(v, w)",
    "tc.inner(a, a)": "np.inner(a, a)", "tc.inner(v, v)": "v @ v", "tc.bmm(s, t)": "s @ t",
    "tc.addmm(w[:4], a, b, beta=0.5, alpha=2)": "0.5 * w[:4] + 2 * (a @ b)",
    "tc.addmv(w[:2], a, v, alpha=2)": "w[:2] + 2 * (a @ v)",
    "tc.baddbmm(a[:, :1], s, t, beta=0.5)": "0.5 * a[:, :1] + s @ t",
    "tc.addbmm(tc.zeros(2, 4, dtype=tc.float64), s, t)": "(s @ t).sum(0)",
    "tc.addr(a, w[:2], v, beta=2)": "2 * a + np.outer(w[:2], v)", "tc.vdot(z, z)": "np.vdot(z, z)",
    "tc.kron(a, b)": "np.kron(a, b)", "tc.cross(v, v + 1, 0)": "np.cross(v, v + 1)",
    "tc.cross(a, a[:1], 1)": "np.cross(a, a[:1])",
    "tc.chain_matmul(a, b, b.T)": "a @ b @ b.T", "tc.tensordot(s, t[0], 1)": "np.tensordot(s, t[0], 1)",
    "tc.tensordot(a, b, 0)": "np.tensordot(a, b, 0)",
    "tc.tensordot(s, t, ([0, 2], [0, 1]))": "np.tensordot(s, t, ([0, 2], [0, 1]))", "a.trace()": "np.trace(a)",
    "tc.tensordot(a, a, 2)": "np.tensordot(a, a, 2)",
}  # fmt: skip
DATA = {
    "a": array(2, 3),
    "b": array(3, 4),
    "v": array(3),
    "w": array(5),
    "s": array(2, 2, 3),
    "t": array(2, 3, 4),
    "z": array(3) + 1j * array(3, seed=1),
}


@pytest.mark.parametrize("ours", NAMED)
def test_named_products(ours):
    check(
        eval(ours, {"tc": tc, **{name: tc.tensor(x) for name, x in DATA.items()}}),
        eval(NAMED[ours], {"np": np, **DATA}),
    )


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,kj", (2, 3), (4, 3)), ("ii", (3, 3)), ("ii->i", (3, 3)), ("ij->ji", (2, 3)),
    ("ij->", (2, 3)), ("i,j->ij", (2,), (3,)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 4)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)), ("bhqd,bhkd->bhqk", (1, 2, 3, 4), (1, 2, 5, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("b n h d, b m h d -> b h n m", (1, 2, 3, 4), (1, 5, 3, 4)), ("...,...->...", (3,), (3,)), ("i...->...", (2, 3, 4)),
    ("ij,ij->ij", (2, 3), (2, 3)), ("ij,ij->", (2, 3), (2, 3)), ("ijk,ilm,njm,nlk,abc->", *[(2, 2, 2)] * 5),
    ("ij,k->ijk", (2, 3), (4,)), ("ab,b,bc->c", (2, 3), (3,), (3, 4)), ("iij->j", (2, 2, 3)),
    ("ij,jk->ik", (0, 3), (3, 2)), ("ij,jk->ik", (2, 0), (0, 2)), ("i,i", (1,), (3,)), ("bi,bi->b", (3, 1), (1, 4)),
    ("zyx,xy", (2, 3, 4), (4, 3)), ("...a,a->...", (2, 3), (3,)), ("iji->j", (2, 3, 2)), (",i->i", (), (3,)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda case: f"{case[0]} {case[1:]}")
def test_einsum(case):
    equation, *shapes = case
    arrays = [array(*shape, seed=i) for i, shape in enumerate(shapes)]
    # NumPy takes no spread of sides of 1 by a label: they are spread before.
    sides = {}
    wide = arrays
    if "..." not in equation:
        terms = equation.replace(" ", "").split("->")[0].split(",")
        for term, x in zip(terms, arrays, strict=True):
            for label, side in zip(term, x.shape, strict=True):
                sides[label] = side if side != 1 else sides.get(label, 1)
        wide = [np.broadcast_to(x, [sides[label] for label in term]) for term, x in zip(terms, arrays, strict=True)]
    check(tc.einsum(equation, *map(tc.tensor, arrays)), np.einsum(equation, *wide))
    check(tc.einsum(equation, list(map(tc.tensor, arrays))), np.einsum(equation, *wide))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tc.ones(2, 3) @ tc.ones(2, 3), r"matmul: shapes \[2, 3\] and \[2, 3\].*\(3\).*\(2|2\)"),
        (lambda: tc.ones(()) @ tc.ones(2), "0-d"), (lambda: tc.ones(2, 2, 3) @ tc.ones(3, 3, 2),
        "matmul: .*do not broadcast"), (lambda: tc.mm(tc.ones(3), tc.ones(3, 2)),
        r"mm: expected tensors of 2 and 2 dimensions, got shapes \[3\]"),
        (lambda: tc.bmm(tc.ones(2, 2, 3), tc.ones(3, 3, 2)), "2 and 3 matrices"),
        (lambda: tc.dot(tc.ones(2), tc.ones(3)), r"\[2\] and \[3\]"),
        (lambda: tc.addmm(tc.ones(3), tc.ones(2, 3), tc.ones(3, 2)), r"addmm: input of shape \[3\].*\[2, 2\]"),
        (lambda: tc.tensordot(tc.ones(2, 3), tc.ones(4, 3), 1), r"tensordot: sides \[3\].*\[4\]"),
        (lambda: tc.einsum("ij,jk", tc.ones(2, 3), tc.ones(4, 4)), "einsum: 'ij,jk': 'j' stands for sides 3 and 4"),
        (lambda: tc.einsum("ij->ijk", tc.ones(2, 3)), "'k' of the result is in no operand"),
        (lambda: tc.einsum("ij", tc.ones(2)), r"names 2 dimensions of shape \[2\]"),
        (lambda: tc.einsum("i,j", tc.ones(2)), "names 2 operands, 1"),
        (lambda: tc.einsum("ij->ii", tc.ones(2, 2)), "twice"), (lambda: tc.einsum("i1", tc.ones(2, 2)), "letters"),
        (lambda: tc.einsum("ii", tc.ones(2, 3)), "'i' stands for sides 2 and 3"),
        (lambda: tc.cross(tc.ones(2), tc.ones(2), 0), "side of 3"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit(call, says):
    with pytest.raises(RuntimeError, match=says):
        call()


@pytest.mark.parametrize("other", [2, [1.0], "a", None])
def test_what_is_no_matrix(other):
    with pytest.raises(TypeError, match="matmul: expected two tensors"):
        tc.matmul(tc.ones(2, 2), other)
    with pytest.raises(TypeError, match=r"matmul: expected two tensors|unsupported operand"):
        tc.ones(2, 2) @ other


@pytest.mark.parametrize("operator", ["matmul", "pow", "add"])
def test_operators_leave_foreign_operands_to_their_own(operator):
    foreign = type("Foreign", (), {f"__r{operator}__": lambda self, other: "theirs"})()
    assert getattr(__import__("operator"), operator)(tc.ones(2, 2), foreign) == "theirs"


@pytest.mark.parametrize(("first", "second"), [s for s in SHAPES if 0 not in s[0]])
def test_gradients(first, second):
    a, b = tc.tensor(array(*first), requires_grad=True), tc.tensor(array(*second, seed=1), requires_grad=True)
    out = a @ b
    g = array(*out.shape, seed=2)
    out.backward(tc.tensor(g))
    step = 1e-6
    for x in (a, b):
        flat = x.detach().clone()
        direction = array(*x.shape, seed=3)
        up, down = flat + step * tc.tensor(direction), flat - step * tc.tensor(direction)
        moved = ((up @ b if x is a else a @ up) - (down @ b if x is a else a @ down)).detach().numpy()
        assert math.isclose(
            float((moved * g).sum() / (2 * step)), float((x.grad.numpy() * direction).sum()), rel_tol=1e-6, abs_tol=1e-8
        )


def test_beta_zero_reads_no_nan():
    assert tc.addmm(tc.full((2, 2), math.nan), tc.ones(2, 3), tc.ones(3, 2), beta=0).tolist() == [[3, 3], [3, 3]]
