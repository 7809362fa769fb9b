"""Solves, inverses and norms against NumPy; errors, singular matrices, gradients where PyTorch has none to compare."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.errors import DTypeError, LinAlgError, RangeError, ShapeError

DEVICES = ("cpu", "reference")
SINGULAR = [[[1.0, 2.0], [2.0, 4.0]], [[2.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]


def drawn(*shape, dtype=np.float64, diagonal=0.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    if diagonal:
        x = x + diagonal * np.eye(shape[-1])
    return x.astype(dtype)


def like(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(
        ours.detach().cpu().numpy(), theirs, tolerance, tolerance * np.abs(theirs).max(initial=1)
    )


# ------------------------------------------------------------------ triangular systems on cpu


@pytest.mark.parametrize("blas", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(("shape", "right"), [((0, 0), (0, 2)), ((5, 5), (5, 3)), ((130, 130), (130, 2)),
                                              ((20, 6, 6), (6, 2)), ((2, 70, 70), (3, 1, 70, 2))])  # fmt: skip
@pytest.mark.parametrize("layout", ["rows", "columns", "steps"])
def test_triangular_systems(monkeypatch, blas, dtype, shape, right, layout):
    if not blas:
        monkeypatch.setattr("tensorcore_cpu.blas.has_trsm", lambda dtype: False)
    A, B = drawn(*shape, dtype=dtype, diagonal=4 * max(shape[-1], 1) ** 0.5), drawn(*right, dtype=dtype, seed=1)
    given = tc.from_numpy(A)
    if layout == "columns":
        given = tc.from_numpy(np.ascontiguousarray(A.swapaxes(-1, -2))).mT
    elif layout == "steps":
        given = tc.from_numpy(np.repeat(A, 2, -1))[..., ::2]
    for upper in (True, False):
        for unit in (True, False):
            # Small elements beside a diagonal of ones, lest the solution grow.
            part = given / 40 if unit else given
            half = (np.triu if upper else np.tril)(part.numpy())
            if unit:
                steps = np.arange(shape[-1])
                half[..., steps, steps] = 1
            X = tc.linalg.solve_triangular(part, tc.from_numpy(B), upper=upper, unitriangular=unit)
            like(tc.from_numpy(half) @ X, np.broadcast_to(B, X.shape), 1e-3 if A.real.itemsize == 4 else 1e-9)


# ------------------------------------------------------------------ singular matrices


@pytest.mark.parametrize("device", DEVICES)
def test_singular_matrices_leave_the_others_alone(device):
    A = tc.tensor(SINGULAR, device=device)
    found = tc.linalg.inv_ex(A)
    assert found.info.tolist() == [2, 0, 1] and found.info.dtype is tc.int32
    assert found.inverse[1].tolist() == [[0.5, 0.0], [0.0, 1.0]]
    assert not bool(found.inverse[0].isfinite().all()) and not bool(found.inverse[2].isfinite().all())
    assert tc.linalg.solve_ex(A, tc.ones(2, device=device)).result[1].tolist() == [0.5, 1.0]
    assert tc.linalg.solve_ex(A[:1], tc.ones(4, 2, 1, device=device)).info.tolist() == [2]
    assert tc.linalg.det(A).tolist() == [0.0, 2.0, 0.0]
    assert tc.linalg.slogdet(A).logabsdet.tolist()[::2] == [-float("inf")] * 2


@pytest.mark.parametrize("device", DEVICES)
def test_the_gradient_of_the_determinant_of_singular_matrices(device):
    A = tc.tensor([[[1.0, 2.0], [2.0, 4.0]], [[2.0, 1.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]], dtype=tc.float64,
                  device=device, requires_grad=True)  # fmt: skip
    tc.linalg.det(A).sum().backward()
    like(A.grad, np.array([[[4, -2], [-2, 1]], [[1, 0], [-1, 2]], [[0, 0], [0, 0]]]), 1e-12)


# ------------------------------------------------------------------ errors

a, v, half, whole = tc.rand(3, 3), tc.rand(3), tc.rand(3, 3).half(), tc.ones(3, 3, dtype=tc.int64)
REFUSED = {
    "tc.linalg.solve(tc.tensor(SINGULAR), tc.ones(2))":
        (LinAlgError, r"linalg.solve: \(Batch element 0\): A is singular: diagonal element 2"),
    "tc.linalg.inv(tc.zeros(2, 2))": (LinAlgError, "linalg.inv: A is singular: diagonal element 1"),
    "tc.linalg.inv_ex(tc.zeros(2, 2), check_errors=True)": (LinAlgError, "linalg.inv_ex: A is singular"),
    "tc.cholesky_inverse(tc.tensor([[1.0, 0.0], [1.0, 0.0]]))": (LinAlgError, "cholesky_inverse: input is singular"),
    "tc.linalg.solve(a, tc.ones(4, 2))": (ShapeError, r"A of shape \[3, 3\], B must have 3 rows, got shape \[4, 2\]"),
    "tc.linalg.solve(a, tc.ones(4, 2), left=False)": (ShapeError, "B must have 3 columns"),
    "tc.linalg.solve(a, v, left=False)": (ShapeError, "give it as a row"),
    "tc.linalg.solve(tc.ones(3, 4), v)": (ShapeError, "A must be a square matrix or a stack of them"),
    "tc.linalg.solve(v, v)": (ShapeError, "A must have at least 2 dimensions"),
    "tc.linalg.solve(a, 5)": (TypeError, "B must be a tensor, got int"),
    "tc.linalg.solve(tc.ones(2, 3, 3), tc.ones(4, 3, 1))": (ShapeError, "do not broadcast"),
    "tc.linalg.solve(a, v.double())": (DTypeError, "A of tensorcore.float32, B of tensorcore.float64"),
    "tc.linalg.inv(half)": (DTypeError, "expected float32, float64, complex64 or complex128, got .*float16"),
    "tc.linalg.det(whole)": (DTypeError, "got a tensor of dtype tensorcore.int64"),
    "tc.linalg.solve_triangular(a, v, upper=True)": (ShapeError, "B must have at least 2 dimensions"),
    "tc.linalg.lu_solve(a, tc.tensor([1, 2, 3]), a)": (DTypeError, "pivots must be int32, got tensorcore.int64"),
    "tc.linalg.lu_solve(a, tc.tensor([1, 2, 9], dtype=tc.int32), a)": (RangeError, "rows from 1 to 3, got 1 to 9"),
    "tc.linalg.lu_solve(a, tc.tensor([1, 2], dtype=tc.int32), a)": (ShapeError, r"takes pivots of shape \[3\]"),
    "tc.linalg.lstsq(a, tc.ones(2, 2))": (ShapeError, r"takes b of shape \[3, 'k'\], or \[3\], got \[2, 2\]"),
    "tc.linalg.lstsq(a, a, driver='x')": (RangeError, "driver must be one of 'gels', .*, got 'x'"),
    "tc.linalg.pinv(a, 0.1, rtol=0.1)": (TypeError, "rcond is the older name of rtol"),
    "tc.linalg.pinv(a, rtol=tc.tensor(1j))": (DTypeError, "rtol must be real"),
    "tc.linalg.matrix_rank(a, 0.1, atol=0.1)": (TypeError, "tol is the older name of atol"),
    "tc.linalg.tensorsolve(tc.ones(2, 3, 5), tc.ones(2, 3))": (ShapeError, "hold 6 and 5 elements"),
    "tc.linalg.tensorinv(tc.ones(6, 2, 2), ind=1)": (ShapeError, "at ind=1"),
    "tc.linalg.tensorinv(a, ind=0)": (RangeError, "ind must be positive"),
    "tc.addmm(a, a, tc.ones(4, 2))": (ShapeError, r"^addmm: shapes \[3, 3\] and \[4, 2\] do not multiply"),
    "tc.baddbmm(a, a, a)": (ShapeError, "^baddbmm: expected tensors of 3 and 3 dimensions"),
    "tc.addmv(tc.ones(2), a, v)": (ShapeError, "^addmv: input of shape .* does not broadcast"),
    "tc.linalg.norm(tc.ones(2, 2, 2), 2)": (ShapeError, "takes a vector or a matrix"),
    "tc.linalg.norm(tc.ones(2, 2, 2), dim=(0, 1, 2))": (ShapeError, "one or two dimensions"),
    "tc.linalg.matrix_norm(a, 3)": (RangeError, "ord must be 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, got 3"),
    "tc.linalg.matrix_norm(a, dim=(0, 0))": (ShapeError, "two dimensions must differ"),
    "tc.linalg.vector_norm(tc.ones(0), -1)": (ShapeError, "no elements to take the norm -1 of"),
    "tc.linalg.vector_norm(v, dtype=tc.float16)": (DTypeError, "narrower than the input's"),
    "tc.linalg.cond(a, 'x')": (RangeError, "p must be None, 'fro'"),
    "tc.matrix_power(a, 0.5)": (TypeError, "n must be an int"),
    "tc.matrix_exp(whole)": (DTypeError, "matrix_exp: expected a floating-point or complex tensor"),
    "tc.linalg.multi_dot([a])": (ShapeError, "at least 2 tensors, got 1"),
    "tc.linalg.multi_dot([a, v, a])": (ShapeError, r"tensors\[1\] must have 2 dimensions"),
    "tc.linalg.multi_dot([a, tc.ones(4, 2)])": (ShapeError, r"tensors\[0\] and tensors\[1\], of shapes"),
    "tc.linalg.vander(v, N=1)": (RangeError, "N must be greater than 1"),
    "tc.linalg.vecdot(v, tc.ones(2))": (ShapeError, r"vecdot: shapes \[3\] and \[2\] do not broadcast"),
    "tc.linalg.cross(tc.ones(2), tc.ones(2))": (ShapeError, "side of 3 in dimension -1"),
    "tc.cdist(a, tc.ones(2, 4))": (ShapeError, "differ in length"),
    "tc.cdist(a, a, p=-1)": (RangeError, "p must not be negative"),
    "tc.cdist(a, a, compute_mode='x')": (RangeError, "compute_mode must be one of"),
    "tc.pdist(v)": (ShapeError, "pdist: expected a matrix"),
    "tc.renorm(a, 2, 0, -1)": (RangeError, "maxnorm must not be negative"),
    "tc.renorm(v, 2, 0, 1)": (ShapeError, "at least 2 dimensions"),
    "tc.cov(a, fweights=v)": (DTypeError, "fweights must be of an integer dtype"),
    "tc.cov(a, aweights=-v - 1)": (RangeError, "aweights must not be negative"),
    "tc.cov(a, fweights=tc.tensor([0, 0, 0]))": (RangeError, "sum to zero"),
    "tc.corrcoef(tc.ones(2, 2, 2))": (ShapeError, "corrcoef: expected at most 2 dimensions"),
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSED)
def test_refusals(source):
    kind, words = REFUSED[source]
    with pytest.raises(kind, match=words):
        eval(source)


# ------------------------------------------------------------------ forms of the call


def test_out_and_named_tuples():
    A, B = tc.eye(2) * 2, tc.ones(2, 1)
    out = tc.empty(2, 1)
    assert tc.linalg.solve(A, B, out=out) is out and out.tolist() == [[0.5], [0.5]]
    pair = (tc.empty(()), tc.empty(()))
    assert tc.linalg.slogdet(A, out=pair).sign is pair[0]
    assert repr(tc.slogdet(A)).startswith("tensorcore.return_types.slogdet(\nsign=tensor(1.),\nlogabsdet=")
    solution, residuals, rank, values = tc.linalg.lstsq(A, B)
    assert (solution.tolist(), residuals.shape, rank.item(), values.shape) == ([[0.5], [0.5]], (0,), 2, (0,))


def test_matrix_exp_in_half_precision_is_rounded_once():
    x = drawn(4, 4) / 4
    for dtype, eps in ((tc.float16, 1e-3), (tc.bfloat16, 1e-2)):
        ours = tc.matrix_exp(tc.tensor(x.tolist(), dtype=dtype))
        like(ours.double(), tc.matrix_exp(tc.tensor(x.tolist(), dtype=dtype).double()).numpy(), eps)


@pytest.mark.parametrize("size", [1e-3, 0.1, 0.7, 1.5, 4, 30, 300])
def test_matrix_exp_of_rotations(size):
    angle = tc.tensor([[0.0, -size], [size, 0.0]], dtype=tc.float64)
    stack = tc.stack([angle, angle / 7, angle * 0])
    sines, cosines = np.sin([size, size / 7, 0]), np.cos([size, size / 7, 0])
    expected = np.stack([np.stack([cosines, -sines], -1), np.stack([sines, cosines], -1)], -2)
    like(tc.matrix_exp(stack), expected, 1e-12)
    like(tc.matrix_exp(angle), expected[0], 1e-12)


def test_distances_in_runs_are_those_at_once(monkeypatch):
    x, y = tc.from_numpy(drawn(7, 3)), tc.from_numpy(drawn(5, 3, seed=1))
    whole = [tc.cdist(x, y, p=p) for p in (1.0, 3.0)] + [tc.pdist(x)]
    monkeypatch.setattr("tensorcore.ops.distance._AT_ONCE", 20)
    for ours, theirs in zip([tc.cdist(x, y, p=p) for p in (1.0, 3.0)] + [tc.pdist(x)], whole, strict=True):
        assert bool((ours == theirs).all())
    x.requires_grad_(True)
    tc.cdist(x, y, p=3.0).sum().backward()
    found = x.grad
    monkeypatch.undo()
    x.grad = None
    tc.cdist(x, y, p=3.0).sum().backward()
    like(x.grad, found.numpy(), 1e-14)


def test_solves_in_a_recorded_function():
    step = tc.compile(lambda A, B: tc.linalg.solve_ex(A, B).result + tc.linalg.inv_ex(A).inverse @ B)
    for seed in (0, 1, 2):
        A, B = tc.from_numpy(drawn(3, 3, diagonal=4.0, seed=seed)), tc.from_numpy(drawn(3, 2, seed=seed))
        like(step(A, B), 2 * np.linalg.solve(A.numpy(), B.numpy()))


# ------------------------------------------------------------------ kernels on cpu


@pytest.mark.parametrize("lapack", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize(("shape", "width"), [((7, 3), 2), ((3, 7), 1), ((4, 6, 2), 3), ((2, 2, 5), 1), ((30, 20), 40)])
def test_least_squares(monkeypatch, lapack, dtype, shape, width):
    if not lapack:
        monkeypatch.setattr("tensorcore_cpu.least_squares._gelsy", lambda dtype: None)
    A, B = drawn(*shape, dtype=dtype), drawn(*shape[:-1], width, dtype=dtype, seed=1)
    A[..., -1, :] = A[..., 0, :]  # of less than full rank where there are few rows
    found = tc.linalg.lstsq(tc.from_numpy(A), tc.from_numpy(B))
    like(
        found.solution,
        np.linalg.pinv(A.astype(np.result_type(A, np.float64)), 1e-5) @ B,
        1e-3 if A.real.itemsize == 4 else 1e-9,
    )
    assert (found.rank == tc.linalg.matrix_rank(tc.from_numpy(A))).all()


def test_least_squares_of_what_is_not_finite():
    for bad in (float("nan"), float("inf")):
        assert tc.linalg.lstsq(tc.tensor([[bad, 1.0], [1.0, 2.0], [0.0, 1.0]]), tc.ones(3, 1)).solution.isnan().all()


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 0.0, float("inf")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_of_near_rows(p, dtype):
    x = np.repeat(drawn(6, 70, dtype=dtype) + 100, 2, 0)
    x[1::4] += dtype(3e-5)
    x[3::4, :1] += dtype(1e-3)
    wide = x.astype(np.longdouble)
    gap = np.abs(wide[:, None] - wide[None])
    expected = gap.max(-1) if p == np.inf else (gap != 0).sum(-1) if p == 0 else (gap**p).sum(-1) ** (1 / p)
    found = tc.cdist(tc.from_numpy(x), tc.from_numpy(x), p=p, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    np.testing.assert_allclose(found, expected.astype(np.float64), 1e-5 if dtype is np.float32 else 1e-13)
    assert (np.diagonal(found) == 0).all()


@pytest.mark.parametrize("device", DEVICES)
def test_distances_of_what_is_not_finite(device):
    x = tc.tensor([[0.0, 1.0], [float("inf"), 1.0], [float("nan"), 1.0]], device=device)
    y = tc.tensor([[1.0, 1.0], [float("inf"), 1.0]], device=device)
    found = tc.cdist(x, y)
    assert found[0].tolist() == [1.0, float("inf")] and found[1, 0].item() == float("inf")
    assert found[1, 1].isnan() and found[2].isnan().all()
