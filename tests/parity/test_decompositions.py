"""Decompositions and spectra against PyTorch: values, gradients of what is free of signs and phases, errors, names."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")
agree = pytest.importorskip("programs").agree

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

DTYPES = ("float32", "float64", "complex64", "complex128")


def drawn(kind, shape, dtype, seed=0):
    """A matrix, or a stack of them, with what ``kind`` asks for."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if dtype.startswith("complex"):
        x = x + 1j * rng.standard_normal(shape)
    turned = np.conj(np.swapaxes(x, -1, -2))
    if kind == "definite":
        x = x @ turned + np.eye(shape[-1])
    elif kind == "hermitian":
        x = x + turned
    elif kind == "symmetric":
        x = x + np.swapaxes(x, -1, -2)
    elif kind == "apart":
        x = x + np.eye(*shape[-2:]) * (4 * np.arange(1, shape[-1] + 1))
    return x.astype(dtype)


def flat(result):
    return list(result) if isinstance(result, tuple) else [result]


def close(ours, theirs, what, loss=1.0):
    assert tuple(ours.shape) == tuple(theirs.shape), what
    assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1], what
    a, b = ours.detach().numpy(), theirs.detach().resolve_conj().numpy()
    if b.dtype.kind == "i":
        assert (a == b).all(), what
        return
    eps = np.finfo(b.dtype).eps
    assert np.allclose(a, b, rtol=0, atol=loss * 200 * eps * max(1.0, float(np.abs(b).max(initial=0)))), what


#: Shapes of square matrices, and of others.
SQUARE = ((3, 3), (2, 5, 5), (1, 1), (0, 0), (2, 0, 0), (0, 3, 3))
OTHER = ((5, 3), (3, 5), (2, 4, 2), (2, 2, 2, 4), (0, 3), (3, 0), (2, 0, 3))

#: Name: (function of the library and a matrix, its kind, shapes).
UNIQUE = {
    "cholesky": (lambda t, A: t.linalg.cholesky(A), "definite", SQUARE),
    "cholesky upper": (lambda t, A: t.linalg.cholesky_ex(A, upper=True), "definite", SQUARE),
    "old cholesky": (lambda t, A: A.cholesky(True), "definite", SQUARE[:2]),
    "lu": (lambda t, A: t.linalg.lu(A), "any", SQUARE + OTHER),
    "lu_factor": (lambda t, A: t.linalg.lu_factor(A), "any", SQUARE + OTHER),
    "old lu": (lambda t, A: t.lu(A, get_infos=True), "any", SQUARE + OTHER),
    "old lu method": (lambda t, A: A.lu(), "any", SQUARE[:2]),
    "lu_unpack": (lambda t, A: t.lu_unpack(*t.linalg.lu_factor(A)), "any", SQUARE + OTHER),
    "lu_unpack half": (lambda t, A: t.lu_unpack(*A.lu(), unpack_pivots=False), "any", SQUARE[:2]),
    "lu_unpack none": (lambda t, A: t.lu_unpack(*A.lu(), False, False), "any", SQUARE[:2]),
    "geqrf": (lambda t, A: t.geqrf(A), "any", SQUARE + OTHER),
    "qr": (lambda t, A: t.linalg.qr(A), "any", SQUARE + OTHER),
    "qr complete": (lambda t, A: t.linalg.qr(A, "complete"), "any", SQUARE + OTHER),
    "qr r": (lambda t, A: t.linalg.qr(A, mode="r"), "any", SQUARE + OTHER),
    "old qr": (lambda t, A: A.qr(some=False), "any", SQUARE[:2] + OTHER[:2]),
    "householder_product": (lambda t, A: t.linalg.householder_product(*t.geqrf(A)), "any", SQUARE + OTHER[:1]),
    "householder fewer": (lambda t, A: t.orgqr(A, t.geqrf(A)[1][..., :2]), "any", ((4, 3), (2, 3, 3))),
    **{
        f"ormqr {left} {turned}": (
            lambda t, A, left=left, turned=turned: t.ormqr(*t.geqrf(A), A if left else A.mT.contiguous(), left, turned),
            "any", SQUARE[:3] + OTHER[:3],
        )
        for left in (True, False)
        for turned in (True, False)
    },
    "ldl_factor": (lambda t, A: t.linalg.ldl_factor_ex(A), "symmetric", ((6, 6), (9, 5, 5), *SQUARE)),
    "ldl_factor hermitian": (
        lambda t, A: t.linalg.ldl_factor_ex(A, hermitian=True), "hermitian", ((6, 6), (9, 5, 5), *SQUARE),
    ),
    "ldl_solve": (lambda t, A: t.linalg.ldl_solve(*t.linalg.ldl_factor(A), A[..., :2]), "symmetric", SQUARE[:3]),
    "ldl_solve hermitian": (
        lambda t, A: t.linalg.ldl_solve(*t.linalg.ldl_factor(A, hermitian=True), A[..., :2], hermitian=True),
        "hermitian", SQUARE[:3],
    ),
    "eigvalsh": (lambda t, A: t.linalg.eigvalsh(A), "any", SQUARE),
    "eigvalsh U": (lambda t, A: t.linalg.eigvalsh(A, "U"), "any", SQUARE),
    "eigh": (lambda t, A: abs(t.linalg.eigh(A, "u")[1]), "any", SQUARE),
    "svdvals": (lambda t, A: t.linalg.svdvals(A), "any", SQUARE + OTHER),
    "svd": (lambda t, A: tuple(map(abs, t.linalg.svd(A, full_matrices=False))), "any", SQUARE + OTHER),
    "svd full": (lambda t, A: tuple(map(abs, t.linalg.svd(A))), "any", SQUARE + OTHER[5:]),
    "svd full shapes": (lambda t, A: tuple(x * 0 for x in t.linalg.svd(A)), "any", OTHER),
    "old svd": (lambda t, A: tuple(map(abs, A.svd())), "any", SQUARE + OTHER),
    "old svd values": (lambda t, A: t.svd(A, compute_uv=False), "any", SQUARE + OTHER),
    "svd product": (lambda t, A: (lambda U, S, V: (U * S.unsqueeze(-2)) @ V.mH)(*t.svd(A)), "any", SQUARE + OTHER),
    "eigvals": (lambda t, A: t.linalg.eigvals(A).real.sort().values, "apart", SQUARE),
    "eig": (lambda t, A: (lambda w, v: (v * w.unsqueeze(-2)) @ t.linalg.inv(v))(*t.linalg.eig(A)), "apart", SQUARE[:3]),
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNIQUE)
def test_values(name, dtype):
    function, kind, shapes = UNIQUE[name]
    for shape in shapes:
        array = drawn(kind, shape, dtype)
        ours, theirs = flat(function(tc, tc.tensor(array))), flat(function(torch, torch.tensor(array)))
        assert len(ours) == len(theirs)
        for place, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            close(a, b, f"{name} of {shape}, output {place}", 50.0 if "ldl" in name else 1.0)


#: Functions whose results no free sign or phase changes.
SMOOTH = {
    "cholesky": (lambda t, A: t.linalg.cholesky(A), "definite", ((3, 3), (2, 2, 2))),
    "cholesky upper": (lambda t, A: t.linalg.cholesky(A, upper=True), "definite", ((3, 3),)),
    "lu": (lambda t, A: t.linalg.lu(A), "any", ((3, 3), (4, 2), (2, 2, 4))),
    "lu_factor": (lambda t, A: t.linalg.lu_factor(A)[0], "any", ((3, 3),)),
    "qr": (lambda t, A: t.linalg.qr(A), "any", ((3, 3), (4, 2), (2, 2, 4))),
    "qr complete": (lambda t, A: t.linalg.qr(A, "complete"), "any", ((3, 3), (2, 4))),
    "qr R": (lambda t, A: t.linalg.qr(A).R, "any", ((3, 3), (4, 2), (2, 4))),
    "householder_product": (lambda t, A: t.linalg.householder_product(A * 0.3, A[..., 0, :] * 0.5), "any", ((4, 3),)),
    "ormqr": (lambda t, A: t.ormqr(A * 0.3, A[..., 0, :] * 0.5, A), "any", ((4, 3),)),
    "eigvalsh": (lambda t, A: t.linalg.eigvalsh(A), "hermitian", ((3, 3), (2, 2, 2))),
    "eigh": (lambda t, A: (lambda w, v: (w, v.abs()))(*t.linalg.eigh(A)), "hermitian", ((3, 3), (2, 2, 2))),
    "eigh U": (lambda t, A: t.linalg.eigh(A, "U")[1].abs(), "any", ((3, 3),)),
    "svdvals": (lambda t, A: t.linalg.svdvals(A), "any", ((3, 3), (4, 2), (2, 2, 4))),
    "svd": (lambda t, A: tuple(x.abs() for x in t.linalg.svd(A, False)), "any", ((3, 3), (4, 2), (2, 2, 4))),
    "svd full": (lambda t, A: t.linalg.svd(A).S, "any", ((3, 3), (4, 2))),
    "svd U": (lambda t, A: t.linalg.svd(A, False).U.abs(), "any", ((3, 3), (4, 2), (2, 4))),
    "old svd": (lambda t, A: A.svd()[2].abs(), "any", ((3, 3), (4, 2))),
    "eig": (lambda t, A: (lambda w, v: (w, v.abs()))(*t.linalg.eig(A)), "apart", ((3, 3), (2, 2, 2))),
    "eigvals": (lambda t, A: t.linalg.eigvals(A), "apart", ((3, 3),)),
}


def derivatives(lib, function, kind, array):
    A = lib.tensor(array, requires_grad=True)
    # Through a construction, as gradients may differ in what no perturbation within the set sees.
    within = {"definite": lambda x: x @ x.mH + lib.eye(x.shape[-1]), "hermitian": lambda x: x + x.mH}.get(kind)
    outs = [x for x in flat(function(lib, A if within is None else within(A))) if x.requires_grad]
    weights = [lib.tensor(np.cos(np.arange(x.numel())).reshape(tuple(x.shape))) for x in outs]
    total = sum((x.real * w).sum() for x, w in zip(outs, weights, strict=True))
    (first,) = lib.autograd.grad(total, A, create_graph=True)
    again = (first.real * lib.tensor(np.sin(np.arange(array.size)).reshape(array.shape))).sum()
    return [first, lib.autograd.grad(again, A)[0]]


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", SMOOTH)
def test_gradients(name, dtype):
    function, kind, shapes = SMOOTH[name]
    for shape in shapes:
        array = drawn("apart" if kind == "apart" else "any", shape, dtype, seed=3)
        for a, b in zip(*(derivatives(lib, function, kind, array) for lib in (tc, torch)), strict=True):
            a, b = a.detach().numpy(), b.detach().numpy()
            assert np.allclose(a, b, rtol=1e-6, atol=1e-8 * np.abs(b).max()), (shape, a, b)


PHASES = {
    "eigh": lambda t, A: t.linalg.eigh(A)[1].real.sum(),
    "eig": lambda t, A: t.linalg.eig(A)[1].real.sum(),
    "svd": lambda t, A: t.linalg.svd(A)[0].real.sum(),
    "qr r": lambda t, A: t.linalg.qr(A, "r")[1].real.sum(),
    "qr complete": lambda t, A: t.linalg.qr(A[:, :2], "complete")[0].real.sum(),
}


@pytest.mark.parametrize("name", PHASES)
def test_gradients_that_are_ill_defined_are_refused(name):
    array = drawn("hermitian", (3, 3), "complex128", seed=5)
    for lib in (torch, tc):
        A = lib.tensor(array, requires_grad=True)
        with pytest.raises(RuntimeError):
            PHASES[name](lib, A).backward()


#: Programs run in both libraries: refused by both, or equal.
PROGRAMS = (
    *(
        f"t.{name}({x})"
        for name in ("linalg.cholesky", "linalg.qr", "linalg.lu", "linalg.eigh", "linalg.eigvalsh", "linalg.svd",
                     "linalg.svdvals", "linalg.ldl_factor", "linalg.lu_factor", "geqrf", "svd", "qr", "cholesky")
        for x in ("t.ones(3)", "t.ones(2, 3, dtype=t.int64)", "t.eye(2, dtype=t.float16)", "t.eye(2, dtype=t.bool)")
    ),
    *(f"t.linalg.{name}(t.ones(2, 3))" for name in ("cholesky", "eig", "eigvals", "eigh", "eigvalsh", "ldl_factor")),
    "t.linalg.qr(t.ones(2, 2), 'raw')", "t.linalg.eigh(t.eye(2), 'x')", "t.linalg.eigh(t.eye(2), UPLO='LU')",
    "t.linalg.svd(t.eye(2), driver='gesvd')", "t.linalg.svdvals(t.eye(2), driver='gesvd')",
    "t.linalg.eig(t.tensor([[INF, 1.0], [0.0, 1.0]]) * 0 + 1)[0].shape", "t.linalg.eig(t.full((2, 2), NAN))",
    "t.linalg.eigvalsh(t.full((2, 2), NAN))", "t.linalg.svd(t.full((2, 2), NAN))",
    "t.linalg.svdvals(t.full((2, 2), NAN))",
    "t.linalg.cholesky(-t.eye(3))", "t.linalg.cholesky(t.full((2, 2), NAN))", "t.linalg.cholesky_ex(-t.eye(3)).info",
    "t.linalg.cholesky_ex(t.stack([t.eye(3), -t.eye(3)])).info", "t.linalg.cholesky_ex(-t.eye(3), check_errors=True)",
    "t.linalg.cholesky_ex(t.tensor([[4.0, 2, 3], [2, 10, 5], [3, 5, -6]]))[:]",
    "t.linalg.cholesky_ex(t.tensor([[1.0, 2, 3], [2, 1, 5], [3, 5, 6]]), upper=True)[:]",
    "t.linalg.lu_factor(t.zeros(2, 2))", "t.linalg.lu_factor_ex(t.zeros(2, 2))[:]", "t.lu(t.zeros(2, 2))[:]",
    "t.linalg.lu_factor_ex(t.zeros(2, 2), check_errors=True)", "t.linalg.ldl_factor(t.zeros(2, 2))",
    "t.linalg.ldl_factor_ex(t.zeros(2, 2))[:]", "t.linalg.lu_factor_ex(t.tensor([[1.0, 2], [2, 4]])).info",
    "t.lu_unpack(t.ones(2, 2), t.tensor([1, 2]))", "t.lu_unpack(t.ones(2), t.tensor([1], dtype=t.int32))",
    "t.lu_unpack(t.ones(2, 2), t.tensor([0, 3], dtype=t.int32))",
    "t.lu_unpack(t.ones(3, 2), t.tensor([1, 2, 3], dtype=t.int32))[:]",
    "t.linalg.householder_product(t.ones(3, 2), t.ones(3))", "t.linalg.householder_product(t.ones(2, 3), t.ones(2))",
    "t.linalg.householder_product(t.ones(3), t.ones(1))", "t.orgqr(t.ones(2, 2), t.ones(2, dtype=t.float64))",
    "t.linalg.householder_product(t.ones(2, 3, 2), t.ones(2))", "t.orgqr(input=t.eye(2), input2=t.zeros(2)).abs()",
    "t.ormqr(t.ones(3, 2), t.ones(2), t.ones(4, 3))", "t.ormqr(t.ones(3, 2), t.ones(3), t.ones(3, 3))",
    "t.ormqr(t.ones(3, 3), t.ones(2), t.ones(3, 3))", "t.ormqr(t.ones(3, 2), t.ones(2), t.ones(3))",
    "t.ormqr(input=t.eye(2), input2=t.zeros(2), input3=t.ones(2, 2), transpose=True)",
    "t.linalg.ldl_solve(t.eye(3), t.tensor([1, 2, 3], dtype=t.int32), t.ones(2, 1))",
    "t.linalg.ldl_solve(t.eye(3), t.tensor([1, 2, 3], dtype=t.int32), t.ones(2, 3, 1))",
    "t.linalg.ldl_solve(t.eye(3), t.tensor([1, 2, 3], dtype=t.int32), t.ones(3, 1, dtype=t.float64))",
    "t.svd_lowrank(t.ones(3))", "t.pca_lowrank(t.ones(3, 4), q=4)", "t.lobpcg(t.eye(2))",
    "t.eye(2).symeig()", "t.eye(2).eig()", "t.eig(t.eye(2))", "t.lstsq(t.eye(2), t.eye(2))", "t.eye(2).solve(t.eye(2))",
    "t.matrix_rank(t.eye(2))", "t.symeig(t.eye(2), eigenvectors=True)",
    "issubclass(t.linalg.LinAlgError, RuntimeError)",
    "[t.linalg.svd(t.eye(2), out=(t.empty(0), t.empty(0), t.empty(0))).S]", "t.linalg.svd(t.eye(2), out=t.empty(0))",
    "t.linalg.svd(t.eye(2), out=(t.empty(0), t.empty(0)))",
    "t.linalg.svd(t.eye(2), out=(t.empty(0), t.empty(0, dtype=t.float64), t.empty(0)))",
    "Q, R = t.empty(0), t.empty(0); t.linalg.qr(t.eye(2), out=(Q, R)); (Q, R)",
    "v, i = t.empty(0), t.empty(0, dtype=t.int64); t.topk(t.arange(5.0), 2, out=(v, i)); (v, i)",
    "v, i = t.empty(0), t.empty(0, dtype=t.int64); t.sort(t.tensor([2.0, 1.0]), out=(v, i)).values is v",
    "v, i = t.empty(0), t.empty(0, dtype=t.int64); t.max(t.eye(2), 1, out=(v, i)); (v, i)",
    "a, b = t.empty(0), t.empty(0); t.aminmax(t.arange(3.0), out=(a, b)); (a, b)",
    "L = t.empty(0); t.linalg.cholesky(t.eye(2), out=L); L", "t.linalg.qr(A=t.eye(2)).Q",
    "t.linalg.cholesky(input=t.eye(2))",
    "t.svd(t.eye(2), compute_uv=False).U", "t.linalg.eigvalsh(t.tensor([[1.0, 5], [0, 3]]), UPLO='L')",
    "x = t.eye(2, requires_grad=True); [o.requires_grad for o in t.svd(x, compute_uv=False)]",
    "x = t.eye(2, requires_grad=True); [o.requires_grad for o in t.linalg.lu_factor_ex(x)]",
    "x = t.eye(2, requires_grad=True); [o.requires_grad for o in t.linalg.lu(x)]",
    *(
        f"[hasattr(t.{call}, name) for name in {names.split()!r}]"
        for call, names in (
            ("linalg.cholesky_ex(t.eye(2))", "L info"), ("linalg.qr(t.eye(2))", "Q R"),
            ("linalg.lu(t.eye(2))", "P L U"),
            ("linalg.lu_factor(t.eye(2))", "LU pivots"), ("linalg.lu_factor_ex(t.eye(2))", "LU pivots info"),
            ("linalg.ldl_factor(t.eye(2))", "LD pivots"), ("linalg.ldl_factor_ex(t.eye(2))", "LD pivots info"),
            ("linalg.eig(t.eye(2))", "eigenvalues eigenvectors"), ("linalg.eigh(t.eye(2))", "eigenvalues eigenvectors"),
            ("linalg.svd(t.eye(2))", "U S Vh"), ("svd(t.eye(2))", "U S V"), ("qr(t.eye(2))", "Q R"),
            ("geqrf(t.eye(2))", "a tau"), ("lu_unpack(*t.eye(2).lu())", "P L U"),
            ("lu(t.eye(2), get_infos=True)", "LU pivots infos"),
        )
    ),
)  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program):
    agree(program)


MESSAGES = {
    "cholesky": lambda t: t.linalg.cholesky(-t.eye(3)),
    "cholesky of a stack": lambda t: t.linalg.cholesky(t.stack([t.eye(2), t.tensor([[1.0, 2], [2, 1]])])),
    "cholesky_ex": lambda t: t.linalg.cholesky_ex(-t.eye(2), check_errors=True),
    "old cholesky": lambda t: t.cholesky(-t.eye(2)),
    "lu_factor": lambda t: t.linalg.lu_factor(t.stack([t.eye(2), t.zeros(2, 2)])),
    "svd": lambda t: t.linalg.svd(t.stack([t.eye(2), t.eye(2) * float("nan")])),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_of_failed_factorisations_are_pytorchs(name):
    with pytest.raises(RuntimeError) as theirs:
        MESSAGES[name](torch)
    with pytest.raises(tc.linalg.LinAlgError) as ours:
        MESSAGES[name](tc)
    assert str(ours.value) == str(theirs.value)


LOW_RANK = {
    "svd_lowrank": lambda t, A: t.svd_lowrank(A, q=2),
    "svd_lowrank wide": lambda t, A: t.svd_lowrank(A.mT, q=2, niter=1),
    "svd_lowrank less": lambda t, A: t.svd_lowrank(A, q=2, M=t.full((1, 1), 0.5, dtype=A.dtype)),
    "pca_lowrank": lambda t, A: t.pca_lowrank(A, q=3),
    "pca_lowrank of all": lambda t, A: t.pca_lowrank(A, center=False),
    "lobpcg": lambda t, A: t.lobpcg(A.mT @ A, k=1, largest=False, niter=200),
    "lobpcg of pairs": lambda t, A: t.lobpcg(A.mT @ A, k=2, B=t.eye(6, dtype=A.dtype) * 2),
    "lobpcg of a stack": lambda t, A: t.lobpcg(t.stack([A.mT @ A, A.mT @ A * 3])),
}


@pytest.mark.parametrize("name", LOW_RANK)
def test_the_same_seed_gives_the_same_extremes(name):
    array = drawn("any", (9, 6), "float64")
    tc.manual_seed(1), torch.manual_seed(1)
    for a, b in zip(LOW_RANK[name](tc, tc.tensor(array)), LOW_RANK[name](torch, torch.tensor(array)), strict=True):
        assert np.allclose(abs(a.numpy()), abs(b.numpy()), atol=1e-6), name


def test_gradients_of_extreme_eigenvalues():
    array = drawn("definite", (9, 9), "float64")
    found = []
    for lib in (tc, torch):
        A = lib.tensor(array, requires_grad=True)
        values, vectors = lib.lobpcg(A, k=2, tol=1e-10)
        total = (values**2).sum() + (vectors**2 * lib.tensor(np.arange(18.0).reshape(9, 2))).sum()
        found.append(lib.autograd.grad(total, A)[0].numpy())
    a, b = (x + x.T for x in found)
    assert np.allclose(a, b, rtol=1e-5, atol=1e-5)
