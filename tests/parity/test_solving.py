"""Solves, inverses, determinants, least squares, functions of matrices and distances against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare


def R(*shape, **facts):  # noqa: N802 - as T: a regular matrix
    return T(*shape, diagonal=8.0, **facts)


COMPLEX = {"dtype": "complex128"}
SINGULAR = [[1.0, 2.0], [2.0, 4.0]]
#: Cholesky factors; PyTorch's gradients of them are not those of the triangle that is read (docs/differences.md).
L33 = R(3, 3, grad=False)
LC = V([[2.0, 0.0], [1 + 1j, 3.0]], "complex128", grad=False)
#: Pivots as LAPACK's, for LU factors of three rows.
P3 = V([2, 3, 3], "int32")

SYSTEMS = [
    *(
        case("linalg.solve", a, b, **more)
        for a, b, more in (
            (R(3, 3), T(3, 2), {}),
            (R(3, 3), T(3), {}),
            (R(2, 3, 3), T(2, 3), {}),
            (R(2, 3, 3), T(3), {}),
            (R(2, 3, 3), T(3, 3), {}),
            (R(3, 3), T(2, 3, 2), {}),
            (R(2, 1, 3, 3), T(4, 3, 2), {}),
            (R(3, 3), T(2, 3), {"left": False}),
            (R(2, 3, 3), T(2, 4, 3), {"left": False}),
            (R(3, 3), T(3), {"left": False}),
            (R(1, 1), T(1), {"left": False}),
            (R(3, 3, **COMPLEX), T(3, 2, **COMPLEX), {}),
            (R(3, 3, **COMPLEX), T(2, 3, **COMPLEX), {"left": False}),
            (R(3, 3, dtype="float32"), T(3, 2, dtype="float32"), {}),
            (R(3, 3, dtype="complex64"), T(3, 2, dtype="complex64"), {}),
            (T(0, 0), T(0, 2), {}),
            (T(2, 0, 0), T(2, 0, 2), {}),
            (R(0, 3, 3), T(0, 3, 2), {}),
            (R(3, 3), T(3, 0), {}),
            # refused
            (R(3, 3), T(4, 2), {}),
            (T(3, 4), T(3, 2), {}),
            (T(3), T(3), {}),
            (R(3, 3), T(), {}),
            (R(3, 3), 5, {}),
            (R(3, 3), T(3, 2, dtype="float32"), {}),
            (I(3, 3, high=4), I(3, 2, high=4), {}),
            (R(3, 3, dtype="float16"), T(3, 2, dtype="float16"), {}),
            (R(2, 3, 3), T(4, 3, 2), {}),
            (V(SINGULAR), V([1.0, 2.0]), {}),
        )
    ),
    case("linalg.solve_ex", R(2, 3, 3), T(2, 3, 2)),
    case("linalg.solve_ex", R(3, 3), T(2, 3, 2)),
    case("linalg.solve_ex", V(SINGULAR), V([1.0, 2.0]), check_errors=True),
    *(
        case(name, x)
        for name in (
            "linalg.inv",
            "inverse",
            "linalg.inv_ex",
            "linalg.det",
            "det",
            "linalg.slogdet",
            "slogdet",
            "logdet",
        )
        for x in (
            R(3, 3),
            R(2, 4, 4),
            R(3, 3, **COMPLEX),
            R(3, 3, dtype="float32"),
            T(0, 0),
            T(2, 0, 0),
            T(0, 3, 3, grad=False),
            T(3, 4),
            T(3),
            T(),
            I(3, 3, high=4),
            T(2, 2, dtype="float16"),
        )
    ),
    case("x.inverse", R(3, 3)),
    case("x.det", R(3, 3)),
    case("x.slogdet", R(3, 3)),
    case("x.logdet", V([[-1.0, 0.0], [0.0, 1.0]], grad=False)),
    case("linalg.inv", V(SINGULAR)),
    case("linalg.inv", V([[[1.0, 0.0], [0.0, 1.0]], SINGULAR])),
    case("linalg.inv_ex", V(SINGULAR), check_errors=True),
    case("linalg.slogdet", V(SINGULAR, grad=False)),
    case("linalg.det", V(SINGULAR, grad=False)),
    case("linalg.det", V([[0.0, 1.0], [1.0, 0.0]])),
    case("linalg.det", V([[NAN, 1.0], [1.0, 0.0]], grad=False)),
    case("logdet", V(SINGULAR, grad=False)),
    case("linalg.inv", V([[NAN, NAN], [NAN, NAN]], grad=False)),
]

TRIANGULAR = [
    *(
        case("linalg.solve_triangular", R(*shape, **facts), T(*right, **facts), upper=upper, **more)
        for facts in ({}, COMPLEX)
        for upper in (True, False)
        for shape, right, more in (
            ((3, 3), (3, 2), {}),
            ((2, 3, 3), (3, 2), {}),
            ((3, 3), (2, 3, 2), {"unitriangular": True}),
            ((3, 3), (2, 3), {"left": False}),
            ((2, 3, 3), (2, 4, 3), {"left": False, "unitriangular": True}),
        )
    ),
    case("linalg.solve_triangular", T(0, 0), T(0, 2), upper=True),
    case("linalg.solve_triangular", R(2, 3, 3), T(2, 3, 0), upper=True),
    case("linalg.solve_triangular", R(40, 40, dtype="float32"), T(40, 3, dtype="float32"), upper=False),
    case("linalg.solve_triangular", R(20, 5, 5), T(20, 5, 3), upper=False),
    case("linalg.solve_triangular", V([[0.0, 0.0], [0.0, 1.0]], grad=False), V([[1.0], [0.0]], grad=False), upper=True),
    case("linalg.solve_triangular", R(3, 3), T(3), upper=True),
    case("linalg.solve_triangular", R(3, 3), T(4, 3), upper=True),
    case("linalg.solve_triangular", R(3, 3), T(3, 3)),
    case("linalg.solve_triangular", T(3, 4), T(3, 3), upper=True),
    case("linalg.solve_triangular", T(3, 3, dtype="float16"), T(3, 3, dtype="float16"), upper=True),
    *(
        case("triangular_solve", T(3, 2), R(3, 3), *flags, second=False)
        for flags in ((), (False,), (True, True), (False, True, True))
    ),
    case("x.triangular_solve", T(2, 3, 2), R(3, 3)),
    case("triangular_solve", T(3), R(3, 3)),
    *(
        case(name, *args, **more)
        for name, args, more in (
            ("linalg.lu_solve", (R(3, 3), P3, T(3, 2)), {}),
            ("linalg.lu_solve", (R(3, 3), P3, T(3, 2)), {"adjoint": True}),
            ("linalg.lu_solve", (R(3, 3), P3, T(2, 3)), {"left": False}),
            ("linalg.lu_solve", (R(3, 3), P3, T(2, 3)), {"left": False, "adjoint": True}),
            ("linalg.lu_solve", (R(3, 3, **COMPLEX), P3, T(3, 2, **COMPLEX)), {"adjoint": True}),
            ("linalg.lu_solve", (R(3, 3), P3, T(2, 3, 2)), {}),
            ("linalg.lu_solve", (R(2, 3, 3), V([[2, 3, 3], [1, 2, 3]], "int32"), T(3, 2)), {}),
            ("linalg.lu_solve", (R(3, 3), P3, T(3)), {}),
            ("linalg.lu_solve", (R(3, 3), V([1, 2, 3]), T(3, 2)), {}),
            ("linalg.lu_solve", (R(3, 3), V([1, 2, 9], "int32"), T(3, 2)), {}),
            ("linalg.lu_solve", (R(2, 3, 3), P3, T(3, 2)), {}),
            ("lu_solve", (T(3, 2), R(3, 3), P3), {}),
            ("x.lu_solve", (T(3, 2), R(3, 3), P3), {}),
            ("cholesky_solve", (T(3, 2), L33), {}),
            ("cholesky_solve", (T(3, 2), L33, True), {}),
            ("cholesky_solve", (T(2, 3, 2), L33), {}),
            ("cholesky_solve", (T(2, 2, **COMPLEX), LC), {}),
            ("x.cholesky_solve", (T(3, 2), L33, True), {}),
            ("cholesky_solve", (T(3), R(3, 3)), {}),
            ("cholesky_solve", (T(4, 1), R(3, 3)), {}),
            ("cholesky_inverse", (L33,), {}),
            ("cholesky_inverse", (R(2, 3, 3, grad=False), True), {}),
            ("x.cholesky_inverse", (LC,), {}),
            ("cholesky_inverse", (V([[1.0, 0.0], [2.0, 0.0]]),), {}),
            ("cholesky_inverse", (T(3, 4),), {}),
            ("cholesky_inverse", (T(3),), {}),
            ("cholesky_inverse", (T(0, 0),), {}),
        )
    ),
    case("linalg.tensorsolve", T(2, 3, 6, low=0, high=1), T(2, 3)),
    case("linalg.tensorsolve", T(2, 6, 3), T(2, 3), dims=(1,)),
    case("linalg.tensorsolve", T(2, 3, 5), T(2, 3)),
    case("linalg.tensorinv", T(4, 6, 8, 3)),
    case("linalg.tensorinv", T(4, 6, 24)),
    case("linalg.tensorinv", T(6, 2, 3), ind=1),
    case("linalg.tensorinv", T(6, 2, 3), ind=0),
    case("linalg.tensorinv", T(6, 2, 2), ind=1),
    case("linalg.tensorinv", V([[0.0, 0.0], [0.0, 0.0]]), ind=1),
]

LEAST_SQUARES = [
    *(
        case("linalg.pinv", x, **more)
        for x, more in (
            (T(4, 3), {}),
            (T(3, 4), {}),
            (T(2, 3, 3), {}),
            (T(3, 3, **COMPLEX), {}),
            (V([[1.0, 1.0], [1.0, 1.0]]), {}),
            (V([[4.0, 1.0], [1.0, 3.0]], grad=False), {"hermitian": True}),
            (T(4, 3), {"rtol": 0.5}),
            (T(4, 3), {"atol": 1.0}),
            (T(4, 3), {"atol": 1.0, "rtol": 0.3}),
            (T(2, 4, 3), {"rtol": V([0.1, 0.9], grad=False)}),
            (T(4, 3), {"rcond": 0.5}),
            (T(0, 3), {}),
            (T(3, 0), {}),
            (T(2), {}),
            (I(3, 3, high=3), {}),
            (T(3, 3, dtype="float16"), {}),
            (T(3, 2), {"hermitian": True}),
        )
    ),
    case("linalg.pinv", T(4, 3), 0.1),
    case("pinverse", T(4, 3)),
    case("x.pinverse", T(4, 3), 0.5),
    *(
        case("linalg.lstsq", a, b, **more)
        for driver in (None, "gels", "gelsy", "gelsd", "gelss")
        for a, b, more in (
            (T(5, 3), T(5, 2), {"driver": driver}),
            (T(3, 5), T(3, 2), {"driver": driver}),
            (T(2, 5, 3), T(2, 5, 1), {"driver": driver}),
            (T(2, 5, 3), T(2, 5), {"driver": driver}),
            (T(5, 3, dtype="float32"), T(5, 2, dtype="float32"), {"driver": driver, "tolerance": 1e-3}),
        )
    ),
    case("linalg.lstsq", V([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]], grad=False), V([[1.0], [2.0], [4.0]], grad=False)),
    case("linalg.lstsq", T(4, 3, **COMPLEX), T(4, 2, **COMPLEX), driver="gelsd"),
    case("linalg.lstsq", T(4, 3), T(4)),
    case("linalg.lstsq", T(0, 3, grad=False), T(0, 2, grad=False)),
    case("linalg.lstsq", T(4, 3), T(3, 2)),
    case("linalg.lstsq", T(4), T(4, 2)),
    case("linalg.lstsq", T(2, 4, 3), T(4, 2)),
    case("linalg.lstsq", T(4, 3), T(4, 2), driver="gelx"),
    case("linalg.lstsq", T(4, 3), T(4, 2, dtype="float32")),
    case("linalg.lstsq", I(4, 3, high=3), I(4, 2, high=3)),
    *(
        case(f"linalg.{name}", x, *args, **more)
        for name, x, args, more in (
            ("matrix_rank", T(4, 3), (), {}),
            ("matrix_rank", V([[1.0, 1.0], [1.0, 1.0]]), (), {}),
            ("matrix_rank", V([[1.0, 1.0], [1.0, 1.0]]), (), {"hermitian": True}),
            ("matrix_rank", T(2, 3, 3), (1.0,), {}),
            ("matrix_rank", T(2, 3, 3), (), {"tol": V([1.0, 100.0])}),
            ("matrix_rank", T(2, 3, 3), (), {"rtol": 0.9}),
            ("matrix_rank", T(2, 3, 3), (), {"atol": 1.0, "rtol": 0.1}),
            ("matrix_rank", T(0, 3), (), {}),
            ("matrix_rank", T(2, 0, 3), (), {}),
            ("matrix_rank", T(3), (), {}),
            ("matrix_rank", I(3, 3, high=3), (), {}),
            *(("cond", R(3, 3), (p,), {}) for p in (None, 2, -2)),
            # PyTorch's own gradients of these fail by an in-place change
            *(("cond", R(3, 3, grad=False), (p,), {}) for p in ("fro", "nuc", 1, -1, INF, -INF)),
            ("cond", T(3, 4), (), {}),
            ("cond", T(3, 4), ("fro",), {}),
            ("cond", T(2, 3, 3, **COMPLEX), (), {}),
            ("cond", V([[0.0, 0.0], [0.0, 0.0]], grad=False), (1,), {}),
            ("cond", V([[0.0, 0.0], [0.0, 0.0]], grad=False), (), {}),
            ("cond", V([[1.0, NAN], [0.0, 0.0]], grad=False), (1,), {}),
            ("cond", T(0, 0), (), {}),
            ("cond", T(2, 0, 0), ("fro",), {}),
            ("cond", T(3, 3), (3,), {}),
            ("cond", T(3, 3), ("x",), {}),
        )
    ),
]

FUNCTIONS = [
    *(
        case("linalg.matrix_exp", T(*shape, low=-size, high=size, **facts))
        for shape in ((3, 3), (2, 4, 4), (1, 1), (2, 0, 0))
        for size, facts in ((0.01, {}), (0.5, {}), (4, {}), (1, COMPLEX), (1, {"dtype": "float32"}))
    ),
    case("matrix_exp", V([[INF, 1.0], [1.0, 1.0]], grad=False)),
    case("matrix_exp", V([[NAN, 1.0], [1.0, 1.0]], grad=False)),
    case("x.matrix_exp", T(3, 4)),
    case("matrix_exp", T(3)),
    case("matrix_exp", I(3, 3, high=3)),
    *(case("matrix_power", R(2, 3, 3), n) for n in (0, 1, 2, 5, -1, -3)),
    case("linalg.matrix_power", I(3, 3, high=4), 4),
    case("x.matrix_power", T(3, 3, **COMPLEX), 3),
    case("matrix_power", I(3, 3, high=4), 0),
    case("matrix_power", I(3, 3, high=4), -1),
    case("matrix_power", T(3, 3), 2.0),
    case("matrix_power", T(3, 4), 2),
    case("matrix_power", T(3), 0),
    case("matrix_power", V([[0.0, 0.0], [0.0, 0.0]]), -2),
    case("matrix_power", T(2, 0, 0), 3),
    *(
        case("linalg.multi_dot", [T(*shape) for shape in shapes])
        for shapes in (
            ((2, 3), (3, 4)),
            ((2, 3), (3, 4), (4, 5)),
            ((3,), (3, 4), (4,)),
            ((3,), (3,)),
            ((10, 2), (2, 8), (8, 1), (1, 6)),
            ((2, 3),),
            (),
            ((2, 3), (3,), (3, 2)),
            ((2, 3), (4, 2)),
            ((2, 3, 3), (3, 3)),
        )
    ),
    case("linalg.multi_dot", [T(2, 2), T(2, 2, dtype="float32")]),
    case("linalg.multi_dot", T(2, 2)),
    case("linalg.multi_dot", [I(2, 2, high=4), I(2, 2, high=4)]),
    case("chain_matmul", T(2, 3), T(3, 4), T(4, 1)),
    case("chain_matmul", T(2, 3)),
    case("chain_matmul"),
    case("chain_matmul", T(3), T(3, 3)),
    case("linalg.vander", T(3)),
    case("linalg.vander", T(2, 3), N=5),
    case("linalg.vander", I(3, high=4), N=2),
    case("linalg.vander", T(3), N=1),
    case("linalg.vander", T()),
    case("linalg.vander", T(3, dtype="bool")),
    case("linalg.vander", T(3, **COMPLEX)),
    case("linalg.vander", T(0), N=2),
    case("vander", T(3, grad=False), 4, True),
    case("vander", I(3, high=4)),
    case("vander", T(2, 2)),
    *(
        case("linalg.vecdot", x, y, **more)
        for x, y, more in (
            (T(3, 4), T(4), {}),
            (T(3, 4), T(3, 4), {"dim": 0}),
            (T(3, 4, **COMPLEX), T(4, **COMPLEX), {}),
            (T(2, 3), T(4, 1, 3), {}),
            (T(), T(), {}),
            (T(2, 3), T(2, 1), {"dim": 1}),
            (T(3), T(2), {}),
            (I(3, high=3), I(3, high=3), {}),
            (T(3), T(3, dtype="float32"), {}),
        )
    ),
    *(
        case(name, x, y, **more, second=False)  # which is rounding of zeros in PyTorch
        for name, x, y, more in (
            ("linalg.cross", T(4, 3), T(4, 3, seed=1), {}),
            ("linalg.cross", T(4, 3), T(1, 3, seed=1), {}),
            ("linalg.cross", T(3, 4), T(3, 4, seed=1), {"dim": 0}),
            ("linalg.cross", T(3, **COMPLEX), T(3, **COMPLEX), {}),
            ("linalg.cross", I(3, high=5), I(3, high=5), {}),
            ("linalg.cross", T(0, 3), T(1, 3, seed=1), {}),
            ("linalg.cross", T(3, 4), T(3, 4, seed=1), {}),
            ("linalg.cross", T(4, 3), T(3, seed=1), {}),
            ("linalg.cross", T(2), T(2, seed=1), {}),
            ("linalg.cross", T(), T(), {}),
            ("linalg.cross", T(3, dtype="bool"), T(3, dtype="bool"), {}),
            ("linalg.cross", T(3), T(3, dtype="float32"), {}),
            ("cross", T(3, 4), T(3, 4, seed=1), {"dim": 0}),
            ("x.cross", T(4, 3), T(4, 3, seed=1), {"dim": 1}),
            ("cross", T(4, 3), T(4, 3, seed=1), {}),
            ("cross", T(3, 3), T(3, 3, seed=1), {}),
            ("cross", T(4, 5), T(4, 5, seed=1), {}),
        )
    ),
    case("linalg.diagonal", T(2, 3, 4)),
    case("linalg.diagonal", T(2, 3, 4), offset=1, dim1=0, dim2=2),
    case("linalg.diagonal", T(3)),
    case("linalg.matmul", T(2, 3), T(3, 4)),
]

DISTANCES = [
    *(
        case("cdist", T(*a), T(*b, seed=1), p)
        for p in (2.0, 1.0, 0.0, 0.5, 1.5, 3.0, INF)
        for a, b in (((3, 4), (5, 4)), ((2, 3, 4), (5, 4)), ((2, 3, 4), (2, 1, 4)))
    ),
    case("cdist", T(30, 3), T(4, 3, seed=1), second=False),
    case("cdist", T(3, 3), T(4, 3, seed=1), compute_mode="use_mm_for_euclid_dist", second=False),
    case("cdist", T(30, 3), T(4, 3, seed=1), compute_mode="donot_use_mm_for_euclid_dist"),
    case("cdist", V([[1.0, 2.0], [1.0, 2.0]]), V([[1.0, 2.0], [0.0, 2.0]]), second=False),
    case("cdist", V([[1.0, 2.0], [1.0, 2.0]]), V([[1.0, 2.0], [0.0, 2.0]]), 1.5, second=False),
    case("cdist", T(3, 4, dtype="float32"), T(5, 4, dtype="float32")),
    *(case("cdist", T(*a), T(*b), second=False) for a, b in (((0, 2), (3, 2)), ((3, 2), (0, 2)), ((3, 0), (2, 0)))),
    case("cdist", T(3), T(4, 2)),
    case("cdist", T(3, 2), T(4, 3)),
    case("cdist", T(3, 2), T(4, 2), -1.0),
    case("cdist", T(3, 2), T(4, 2), compute_mode="x"),
    case("cdist", T(3, 2), T(4, 2, dtype="float32")),
    case("cdist", I(3, 2, high=3), I(3, 2, high=3)),
    case("cdist", T(3, 2, **COMPLEX), T(3, 2, **COMPLEX)),
    *(case("pdist", T(5, 3), p, second=False) for p in (2, 1.0, 0.0, 1.5, 3.0, INF)),
    *(case("F.pdist", T(*shape, grad=False)) for shape in ((1, 3), (0, 3), (4, 0))),
    case("pdist", T(4)),
    case("pdist", T(4, 2), -1),
    case("pdist", I(4, 2, high=3)),
    *(case("renorm", T(3, 4), p, dim, 2.0) for p, dim in ((2, 0), (1, 1), (INF, -1), (3, 0))),
    case("renorm", T(2, 3, 4), 2, 1, 3.0),
    case("renorm", T(3, 4, **COMPLEX), 2, 0, 1.0),
    case("renorm", T(3, 4, dtype="float16"), 2, 0, 1.0, tolerance=5e-2),
    case("renorm", T(3, 4), 0, 0, 1.0),
    case("renorm", T(3, 4), 2, 0, -1.0),
    case("renorm", T(3), 2, 0, 1.0),
    case("renorm", I(3, 4, high=9), 2, 0, 1.0),
    case("renorm", T(3, 4), 2, 5, 1.0),
    *(
        case("cov", x, **more)
        for x, more in (
            (T(3, 5), {}),
            (T(5), {}),
            (T(), {}),
            (T(3, 5), {"correction": 0}),
            (T(3, 5, **COMPLEX), {}),
            (I(3, 5, high=9), {}),
            (T(3, 5, dtype="float32"), {}),
            (T(3, 4), {"fweights": V([1, 2, 3, 4], "int64")}),
            (T(3, 4), {"aweights": V([0.5, 1.0, 2.0, 0.1], grad=False)}),
            (T(3, 4), {"fweights": V([1, 0, 3, 4], "int64"), "aweights": V([0.5, 1.0, 2.0, 0.1]), "correction": 2}),
            (I(3, 4, high=9), {"fweights": V([1, 2, 3, 4], "int64")}),
            (T(3, 1, grad=False), {}),
            (T(3, 0, grad=False), {}),
            (T(0, 3, grad=False), {}),
            (T(0, grad=False), {}),
            (T(2, 3, 4), {}),
            (T(3, 4, dtype="bool"), {}),
            (T(3, 4), {"fweights": T(4, low=1)}),
            (T(3, 4), {"fweights": V([1, 2, 3], "int64")}),
            (T(3, 4), {"fweights": V([1, 2, 3, -1], "int64")}),
            (T(3, 4), {"fweights": V([[1, 2, 3, 1]], "int64")}),
            (T(3, 4), {"fweights": V([0, 0, 0, 0], "int64")}),
            (T(3, 4), {"aweights": V([1, 2, 3, 1], "int64")}),
            (T(3, 4), {"aweights": V([1.0, 2.0, 3.0, -1.0])}),
        )
    ),
    *(
        case("corrcoef", x)
        for x in (T(3, 5), T(5, grad=False), T(grad=False), T(3, 5, **COMPLEX), T(0, 4, grad=False), T(2, 3, 4))
    ),
    case("x.corrcoef", T(2, 6)),
    case("x.cov", T(2, 6)),
]

ADDED = [
    *(
        case(name, *[T(*shape) for shape in shapes], **more)
        for name, shapes in (
            ("addmm", ((3, 5), (3, 4), (4, 5))),
            ("addmm", ((5,), (3, 4), (4, 5))),
            ("addmm", ((), (3, 4), (4, 5))),
            ("addmv", ((3,), (3, 4), (4,))),
            ("addr", ((3, 4), (3,), (4,))),
            ("addbmm", ((3, 5), (2, 3, 4), (2, 4, 5))),
            ("baddbmm", ((2, 3, 5), (2, 3, 4), (2, 4, 5))),
            ("baddbmm", ((3, 5), (2, 3, 4), (2, 4, 5))),
        )
        for more in ({}, {"beta": 0.5, "alpha": 2}, {"beta": 0})
    ),
    *(
        case(name, *[I(*shape, high=5) for shape in shapes], beta=2, alpha=3)
        for name, shapes in (
            ("addmm", ((5,), (3, 4), (4, 5))),
            ("addmv", ((3,), (3, 4), (4,))),
            ("addr", ((4,), (3,), (4,))),
            ("addbmm", ((3, 5), (2, 3, 4), (2, 4, 5))),
            ("baddbmm", ((2, 3, 5), (2, 3, 4), (2, 4, 5))),
        )
    ),
    case("addmm", T(3, 5), T(3, 4), T(5, 5)),
    case("addmm", T(2, 5), T(3, 4), T(4, 5)),
    case("addmm", T(3, 5), T(4), T(4, 5)),
    case("addmm", I(3, 5, high=4), I(3, 4, high=4), I(4, 5, high=4), beta=0.5),
    case("addmv", T(3), T(3, 4), T(3)),
    case("addmv", T(4), T(3, 4), T(4)),
    case("addr", T(2, 4), T(3), T(4)),
    case("addr", T(3, 4), T(3, 1), T(4)),
    case("addbmm", T(3, 5), T(2, 3, 4), T(3, 4, 5)),
    case("baddbmm", T(2, 3, 5), T(2, 3, 4), T(2, 5, 5)),
    case("baddbmm", T(4, 3, 5), T(2, 3, 4), T(2, 4, 5)),
]


@pytest.mark.parametrize(
    ("path", "args", "kwargs"), [*SYSTEMS, *TRIANGULAR, *LEAST_SQUARES, *FUNCTIONS, *DISTANCES, *ADDED]
)
@pytest.mark.filterwarnings("ignore:.*degrees of freedom", "ignore:cross:UserWarning")
def test_solving(path, args, kwargs):
    compare(path, *args, **kwargs)
