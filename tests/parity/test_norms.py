"""Norms of vectors and matrices against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare

ORDERS = (2, 1, 3, 0.5, INF, -INF, 0, -1.5, -2)
COMPLEX = {"dtype": "complex128"}

VECTORS = [
    *(
        case(
            "linalg.vector_norm",
            x,
            2 if ord is None else ord,
            **more,
            second=ord not in (INF, -INF, 0, 1) and bool(x.shape),
        )
        for ord in ORDERS
        for x, more in (
            (T(5), {}),
            (T(3, 4), {"dim": 0}),
            (T(2, 3, 4), {"dim": (0, 2), "keepdim": True}),
            (T(3, 4, **COMPLEX), {"dim": 1}),
            (V([0.0, 0.0], grad=False), {}),
            (V([[3.0, -3.0], [0.0, 1.0]]), {"dim": 1}),
            (V([NAN, 1.0], grad=False), {}),
            (V([INF, 1.0], grad=False), {}),
            (T(0), {}),
            (T(2, 0), {"dim": 0}),
            (T(2, 0), {"dim": 1}),
            (T(), {}),
        )
    ),
    *(case("linalg.vector_norm", V([0.0, 0.0]), ord, second=False) for ord in (1, 2, 3, INF)),
    case("linalg.vector_norm", T(3), 2, (), True),
    case("linalg.vector_norm", T(3, 3), 2, []),
    case("linalg.vector_norm", T(3, 3), "fro"),
    case("linalg.vector_norm", I(3, high=4)),
    case("linalg.vector_norm", V([300.0, 300.0], "float16")),
    case("linalg.vector_norm", V([1.0, 2.0], "bfloat16"), dtype="dtype:float64"),
    case("linalg.vector_norm", T(3), dtype="dtype:float32"),
    case("linalg.vector_norm", T(3), dtype="dtype:int32"),
    case("linalg.vector_norm", T(3), dtype="dtype:complex128"),
    case("linalg.vector_norm", T(3, **COMPLEX), dtype="dtype:float64"),
    case("linalg.vector_norm", T(3, 4), 2, 5),
    case("linalg.vector_norm", T(3, 4), 2, (0, 0)),
]

MATRICES = [
    *(
        case("linalg.matrix_norm", x, ord, **more, second=False)
        for ord in ("fro", "nuc", 1, -1, INF, -INF, 2, -2)
        for x, more in (
            (T(3, 4), {}),
            (T(4, 3), {"keepdim": True}),
            (T(2, 3, 4), {"dim": (0, 2)}),
            (T(2, 3, 4), {"dim": (2, 0), "keepdim": True}),
            (T(3, 3, **COMPLEX), {}),
            (T(3, 3, dtype="float32"), {"dtype": "dtype:float64"}),
            (V([[0.0, 0.0], [0.0, 0.0]], grad=False), {}),
            (T(0, 3, grad=False), {}),
            (T(3, 0, grad=False), {}),
            (T(2, 0, 3, grad=False), {}),
            (T(3), {}),
            (I(3, 3, high=4), {}),
            (T(3, 3, dtype="float16"), {}),
        )
    ),
    *(case("linalg.matrix_norm", T(2, 3, 3), ord) for ord in (3, 0, "x")),
    *(case("linalg.matrix_norm", T(2, 3, 3), dim=dim) for dim in (1, (1,), (1, 1), (0, 1, 2), (0, 5))),
    case("linalg.matrix_norm", T(3, 4), 2),
    case("linalg.matrix_norm", V([[1.0, -1.0], [-1.0, 1.0]]), 1, second=False),
]

BOTH = [
    *(
        case("linalg.norm", x, ord, dim, keepdim, second=False)
        for ord in (None, "fro", "nuc", 2, 1, INF, -1, 3, 0)
        for x, dim in (
            (T(3), None),
            (T(3, 4), None),
            (T(2, 3, 4), None),
            (T(3, 4), 1),
            (T(2, 3, 4), (0, 2)),
            (T(2, 3, 4), (1,)),
            (T(2, 3, 4), (0, 1, 2)),
            (T(), None),
        )
        for keepdim in (False, True)
    ),
    case("linalg.norm", T(3, 3), "xx"),
    case("linalg.norm", T(3, 3), True),
    case("linalg.norm", T(3, dtype="float32"), dtype="dtype:float64"),
    case("linalg.norm", T(0)),
    case("linalg.norm", I(3, high=3)),
    *(
        case("norm", x, p, dim, second=False)
        for p in ("fro", "nuc", None, 2, 1, INF, 0, "x")
        for x, dim in (
            (T(3), None),
            (T(3, 4), None),
            (T(2, 3, 4), None),
            (T(2, 3, 4), 1),
            (T(2, 3, 4), (0, 1)),
            (T(2, 3, 4), (0, 1, 2)),
        )
    ),
    case("norm", T(3, 4), p=2, dim=0, keepdim=True),
    case("norm", T(3, 4, dtype="float16"), dtype="dtype:float32"),
    case("x.norm", T(3, 4), 1, 0),
    case("x.norm", T(3, 4), dim=0),
    case("nuclear_norm", T(3, 4)),
    case("nuclear_norm", T(2, 3, 4), (0, 1), True),
    case("frobenius_norm", T(3, 4), [0, 1]),
    case("frobenius_norm", T(3, 4), [1], True),
    case("norm_except_dim", T(2, 3, 4), 2, 1),
    case("norm_except_dim", T(2, 3, 4), 1, 0),
    case("norm_except_dim", T(2, 3), 2, -1),
    case("dist", T(3, 4), T(4, seed=1), 3),
    case("dist", T(3, 4), T(3, 4, seed=1)),
    case("x.dist", T(3), T(3, seed=1), INF, second=False),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), [*VECTORS, *MATRICES, *BOTH])
def test_norms(path, args, kwargs):
    compare(path, *args, **kwargs)
