"""Decompositions and spectra: what LAPACK finds and what the expressions find, on hard matrices, on every path."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc

DEVICES = ("cpu", "reference")

HARD = {
    "zeros": np.zeros((3, 3)),
    "ones": np.ones((4, 4)),
    "a cycle": np.eye(4)[[1, 2, 3, 0]],
    "equal values": np.diag([1.0, 1.0, 2.0]),
    "a Jordan block": np.array([[1.0, 1.0], [0.0, 1.0]]),
    "far apart": np.diag([1.0, 1e-20]),
    "nearly of rank one": np.outer(np.arange(1.0, 5), np.arange(1.0, 5)) + 1e-12 * np.eye(4),
    "rotation": np.array([[0.0, -1.0], [1.0, 0.0]]),
    "large": np.array([[1e150, 2e150], [3e150, 4e150]]),
    "small": np.array([[1e-160, 2e-160], [3e-160, 4e-160]]),
}
RECTANGULAR = {
    "a column": np.array([[3.0], [4.0]]),
    "of rank one": np.outer(np.arange(1.0, 6), np.arange(1.0, 4)),
    "wide": np.arange(8.0).reshape(2, 4),
    "a stack": np.cos(np.arange(24.0)).reshape(2, 4, 3),
    "complex": np.exp(1j * np.arange(12.0)).reshape(3, 4),
}


def numpy_of(*tensors):
    return [x.cpu().numpy() for x in tensors]


def turned(x):
    return np.conj(np.swapaxes(x, -1, -2))


def near(a, b, scale):
    return np.abs(a - b).max(initial=0) <= 2e-14 * scale


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", [*HARD, *RECTANGULAR])
def test_factors_multiply_to_the_matrix(name, device):
    array = {**HARD, **RECTANGULAR}[name]
    A = tc.tensor(array, device=device)
    size = max(np.abs(array).max(), 1e-300)
    for full in (True, False):
        U, S, Vh = numpy_of(*tc.linalg.svd(A, full))
        k = S.shape[-1]
        assert near((U[..., :k] * S[..., None, :]) @ Vh[..., :k, :], array, size * 10)
        assert near(turned(U) @ U, np.eye(U.shape[-1]), 10)
        assert near(Vh @ turned(Vh), np.eye(Vh.shape[-2]), 10)
        assert (S >= 0).all() and (np.diff(S) <= 0).all()
    for mode in ("reduced", "complete"):
        Q, R = numpy_of(*tc.linalg.qr(A, mode))
        assert near(Q @ R, array, size * 10) and near(turned(Q) @ Q, np.eye(Q.shape[-1]), 10)
        assert (np.tril(R, -1) == 0).all()
    P, L, U = numpy_of(*tc.linalg.lu(A))
    assert near(P @ L @ U, array, size * 10) and (np.abs(L) <= 1 + 1e-15).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", HARD)
def test_eigenvectors_are_eigenvectors(name, device):
    array = HARD[name]
    size = max(np.abs(array).max(), 1e-300)
    values, vectors = numpy_of(*tc.linalg.eig(tc.tensor(array, device=device)))
    assert near(array @ vectors, vectors * values, size * 20)
    assert near(np.abs(turned(vectors) @ vectors).diagonal(), 1, 10)
    symmetric = array + array.T
    values, vectors = numpy_of(*tc.linalg.eigh(tc.tensor(symmetric, device=device)))
    assert near(symmetric @ vectors, vectors * values, size * 20)
    assert near(turned(vectors) @ vectors, np.eye(len(values)), 10) and (np.diff(values) >= 0).all()


@pytest.mark.parametrize("device", DEVICES)
def test_a_matrix_that_fails_leaves_the_others_of_its_stack(device):
    good = np.array([[4.0, 2.0], [2.0, 5.0]])
    stack = tc.tensor(np.stack([good, -good, good, np.full((2, 2), np.nan)]), device=device)
    L, info = tc.linalg.cholesky_ex(stack)
    assert info.tolist() == [0, 1, 0, 1]
    assert L[0].tolist() == L[2].tolist() == [[2.0, 0.0], [1.0, 2.0]]
    values = tc.linalg.eigvalsh(stack)
    assert values[:3].isfinite().all() and values[3].isnan().all()
    values, vectors = tc.linalg.eigh(stack)
    assert values[:3].isfinite().all() and vectors[3].isnan().all()
    with pytest.raises(tc.linalg.LinAlgError, match=r"Batch element 3"):
        tc.linalg.svd(stack)
    assert tc.linalg.lu_factor_ex(tc.zeros(2, 3, 3, device=device)).info.tolist() == [1, 1]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(30, 30), (3, 12, 9), (20, 4, 4), (26, 40), (40, 26)])
def test_elimination_with_and_without_exchanges(shape, device):
    if device == "reference" and np.prod(shape) > 400:
        pytest.skip("minutes in pure Python")
    array = np.random.default_rng(0).standard_normal(shape)
    packed, pivots, info = tc.linalg.lu_factor_ex(tc.tensor(array, device=device))
    P, L, U = numpy_of(*tc.lu_unpack(packed, pivots))
    assert near(P @ L @ U, array, 100) and not info.any()
    array = array + 50 * np.eye(*shape[-2:])
    packed, pivots, info = tc.linalg.lu_factor_ex(tc.tensor(array, device=device), pivot=False)
    assert (pivots == tc.arange(1, min(shape[-2:]) + 1, device=device)).all()
    P, L, U = numpy_of(*tc.linalg.lu(tc.tensor(array, device=device), pivot=False))
    assert P.size == 0 and near(L @ U, array, 1000)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("call", ["cholesky_ex", "lu_factor_ex"])
def test_cpu_without_lapacks_own_functions(call, dtype, monkeypatch):
    """A NumPy built on another library."""
    lapack = pytest.importorskip("tensorcore_cpu.lapack")
    x = np.random.default_rng(1).standard_normal((30, 30))
    A = tc.tensor((x @ x.T + 30 * np.eye(30)).astype(dtype))
    with_it = getattr(tc.linalg, call)(A)
    monkeypatch.setattr(lapack, "has", lambda name, dtype: False)
    without = getattr(tc.linalg, call)(A)
    for a, b in zip(with_it, without, strict=True):
        assert a.dtype is b.dtype and tc.allclose(a.real, b.real, atol=1e-3 if "64" not in dtype[-3:] else 1e-10)


@pytest.mark.parametrize("device", DEVICES)
def test_operands_may_lie_anyhow_and_stay_as_they_were(device):
    whole = tc.tensor(np.random.default_rng(3).standard_normal((8, 8)), device=device)
    for view in (whole.mT, whole[::2, ::2], whole[1:5, 2:6], whole.flip(0)):
        before = view.tolist()
        symmetric = view + view.mT
        for call in (tc.linalg.svdvals, tc.linalg.qr, tc.linalg.lu_factor, tc.linalg.eigvals, tc.geqrf):
            found, plain = call(view), call(view.clone())
            first = found if isinstance(found, tc.Tensor) else found[0]
            other = plain if isinstance(plain, tc.Tensor) else plain[0]
            assert tc.allclose(first.abs(), other.abs())
        tc.linalg.ldl_factor(symmetric), tc.linalg.eigh(symmetric)
        assert view.tolist() == before


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("hermitian", [False, True])
def test_symmetric_systems_with_zero_diagonals(device, hermitian):
    rng = np.random.default_rng(2)
    x = rng.standard_normal((5, 6, 6)) + 1j * rng.standard_normal((5, 6, 6))
    x = x + (turned(x) if hermitian else np.swapaxes(x, -1, -2))
    x[:, range(6), range(6)] = 0
    b = rng.standard_normal((6, 2)) + 0j
    LD, pivots = tc.linalg.ldl_factor(tc.tensor(x, device=device), hermitian=hermitian)
    assert (pivots < 0).any()
    (found,) = numpy_of(tc.linalg.ldl_solve(LD, pivots, tc.tensor(b, device=device), hermitian=hermitian))
    assert near(x @ found, b, 1000)


@pytest.mark.parametrize("device", DEVICES)
def test_gradients_flow_through_ldl_and_geqrf(device):
    x = tc.tensor(np.random.default_rng(4).standard_normal((3, 3)), device=device, requires_grad=True)

    def through_ldl(x):
        A = x + x.mT
        return tc.linalg.ldl_solve(*tc.linalg.ldl_factor(A), x[:, :2])

    assert tc.autograd.gradcheck(lambda x: tc.geqrf(x)[0], (x,))
    assert tc.autograd.gradcheck(through_ldl, (x,))


def test_a_search_tells_its_steps_and_can_be_stopped():
    seen = []

    def tracker(search):
        seen.append((search.ivars["istep"], search.E.shape, search.X.shape, search.tvars["rerr"].shape))
        search.bvars["force_stop"] = len(seen) == 3

    A = tc.diag(tc.arange(1.0, 31.0))
    tc.lobpcg(A, k=2, n=3, tracker=tracker)
    assert [step for step, *_ in seen] == [0, 1, 2] and seen[0][1:] == ((3,), (30, 3), (3,))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: tc.linalg.qr(tc.ones(2, 2), "raw"), ValueError, "'reduced', 'complete' or 'r', got 'raw'"),
        (lambda: tc.linalg.cholesky(tc.ones(2, 3)), ValueError, "linalg.cholesky: input must be a square matrix"),
        (lambda: tc.linalg.svd(tc.ones(2, 2).int()), TypeError, "linalg.svd: expected float32, float64"),
        (lambda: tc.linalg.eigh(tc.eye(2), "x"), ValueError, "linalg.eigh: UPLO must be 'L' or 'U'"),
        (lambda: tc.lu_unpack(tc.eye(2), tc.tensor([1, 2])), TypeError, "expected LU_pivots of dtype int32"),
        (lambda: tc.lu_unpack(tc.eye(2), [1, 2]), TypeError, "lu_unpack: LU_pivots must be a tensor, got list"),
        (lambda: tc.orgqr(tc.eye(2), 1.0), TypeError, "orgqr: tau must be a tensor, got float"),
        (lambda: tc.linalg.ldl_solve(tc.eye(2), [1, 2], tc.eye(2)), TypeError, "pivots must be a tensor, got list"),
        (lambda: tc.linalg.ldl_solve(tc.eye(2), tc.tensor([1, 3]), tc.eye(2)), ValueError, "must be from 1 to 2"),
        (lambda: tc.linalg.ldl_solve(tc.eye(2), tc.tensor([1, -2]), tc.eye(2)), ValueError, "negative pivots come in"),
        (lambda: tc.lobpcg(tc.eye(4), k=2), ValueError, "needs 3 rows for each of the 2 eigenpairs"),
        (lambda: tc.lobpcg(tc.eye(9), method="other"), ValueError, "method must be 'basic' or 'ortho'"),
        (lambda: tc.lobpcg(tc.eye(9), X=tc.ones(3, 1)), ValueError, r"expected X of shape \[9, 1\], got \[3, 1\]"),
        (lambda: tc.svd_lowrank(tc.eye(9), niter=-1), ValueError, "niter must not be negative"),
        (lambda: tc.eye(2).symeig(), NotImplementedError, "symeig: PyTorch has taken it out; use linalg.eigh"),
        (lambda: tc.linalg.ldl_factor(tc.zeros(2, 2)), tc.linalg.LinAlgError, r"D\[1,1\] is zero"),
        (lambda: tc.topk(tc.ones(3), 2, out=(tc.empty(0),)), TypeError, "out= must be a tuple of 2 tensors, got 1"),
    ],
)  # fmt: skip
def test_refusals_say_what_was_expected(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
