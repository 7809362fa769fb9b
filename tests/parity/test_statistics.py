"""Statistics, norms and order against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare

M = T(3, 4)
STATISTICS = [
    *(
        case(f"{name}", T(3, 4), *args, **kw)
        for name in ("mean", "var", "std", "nansum", "nanmean")
        for args, kw in (((), {}), ((0,), {}), ((-1,), {"keepdim": True}), (((0, 1),), {}))
    ),
    case("mean", T(3, 4), ()),
    *(
        case(name, x)
        for name in ("mean", "var", "std")
        for x in (
            T(),
            T(0),
            T(1),
            I(3, high=4),
            T(3, dtype="bool"),
            T(4, dtype="float16"),
            V([1.0, NAN, 2.0]),
            V([1.0, INF]),
            T(2, 0, 3),
        )
    ),
    case("mean", I(3, high=4), dtype="dtype:float32"),
    case("mean", T(2, 3), 2),
    case("mean", T(2, 3), (0, 0)),
    case("x.mean", T(2, 3), 1, True),
    case("var", T(3, 4), False),
    case("var", T(3, 4), 1, False),
    case("var", T(3, 4), 1, True, True),
    case("var", T(3, 4), 1, correction=2),
    case("std", T(3, 4), dim=1, unbiased=False),
    case("std", V([2.0, 2.0, 2.0])),
    case("var", T(3, 4), correction=0),
    case("x.std", T(4), 0),
    case("var_mean", T(3, 4), 1),
    case("std_mean", T(3, 4), dim=(0, 1), keepdim=True),
    case("var_mean", T(3, 4), False),
    case("logsumexp", T(3, 4), 1),
    case("logsumexp", T(2, 3, 4), (0, 2), True),
    case("logsumexp", V([-INF, -INF]), 0),
    case("logsumexp", V([INF, 1.0], grad=False), 0),
    case("logsumexp", V([1e4, 1e4], "float32"), 0),
    case("logsumexp", I(3, high=3), 0),
    case("logsumexp", T(), 0),
    case("logsumexp", T(3, 0), 1),
    case("logsumexp", V([-INF, 0.0, 1.0]), 0),
    *(
        case("norm", T(3, 4), ord, dim, second=ord != 1)
        for ord in (2, 1, 3, 0.5, INF, -INF, 0, -1.5)
        for dim in (None, 1)
    ),
    case("norm", T(3, 4)),
    case("norm", T(3, 4), 1, second=False),
    case("norm", T(3, 4), 2, 1, True),
    case("x.norm", T(3, 4), dim=0),
    case("norm", I(3, high=3)),
    case("norm", V([0.0, 0.0]), second=False),
    case("norm", V([0.0, 1.0]), 3),
    case("norm", V([NAN, 1.0])),
    case("norm", T(0)),
    case("norm", T(0), INF),
    case("dist", T(3), T(3, seed=1), 3),
    case("count_nonzero", I(3, 4, high=2)),
    case("count_nonzero", I(3, 4, high=2), 1),
    case("count_nonzero", T(3, dtype="bool")),
    case("diff", T(3, 4)),
    case("diff", T(3, 4), 2, 0),
    case("diff", T(3), prepend=T(1), append=T(2)),
    case("diff", T(3, dtype="bool")),
    case("diff", T()),
    case("diff", T(3), 5),
    case("nansum", V([1.0, NAN, 2.0])),
    case("nanmean", V([1.0, NAN, 2.0])),
    case("nansum", I(3, high=3)),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), STATISTICS)
def test_statistics(path, args, kwargs):
    compare(path, *args, **kwargs)


ORDER = [
    *(
        case(name, *args, **kw)
        for name in ("max", "min")
        for args, kw in (
            ((M,), {}),
            ((M, 1), {}),
            ((M, 0, True), {}),
            ((M, T(3, 4, seed=1)), {}),
            ((I(3, 4, high=3),), {}),
            ((I(3, 4, high=3), 1), {}),
            ((T(),), {}),
            ((T(), 0), {}),
            ((T(0),), {}),
            ((T(0, 3), 0), {}),
            ((T(0, 3), 1), {}),
            ((V([1.0, NAN, 2.0], grad=False), 0), {}),
            ((T(3, dtype="bool"),), {}),
            ((M,), {"dim": -1}),
            ((V([1.0, 1.0, 0.0]),), {}),
            ((V([[1.0, 1.0, 0.0]]), 1), {}),
            ((M, 2), {}),
            ((T(3, dtype="bool"), 0), {}),
            ((M,), {"other": T(4)}),
        )
    ),
    case("aminmax", M),
    case("aminmax", M, dim=1, keepdim=True),
    case("argsort", M),
    case("argsort", M, 0, True),
    case("x.argsort", T(4)),
    case("msort", M),
    case("topk", M, 2),
    case("topk", M, 1, 0, False),
    case("topk", T(), 1),
    case("topk", M, 5),
    case("topk", I(5, high=50), 3),
    case("topk", M, 0),
    case("topk", T(2), -1),
    case("kthvalue", M, 2),
    case("kthvalue", M, 1, 0, True),
    case("kthvalue", M, 9),
    case("kthvalue", T(), 1),
    case("median", M),
    case("median", M, 1),
    case("median", V([1.0, NAN, 2.0], grad=False)),
    case("median", V([[1.0, NAN, 2.0]], grad=False), 1),
    case("median", I(4, high=90)),
    case("nanmedian", V([1.0, NAN, 2.0, 3.0], grad=False)),
    case("nanmedian", V([[NAN, NAN], [1.0, NAN]], grad=False), 1),
    case("median", T(0, grad=False)),
    case("median", T(5), 0, True),
    case("unique", I(10, high=4)),
    case("unique", I(3, 4, high=4), return_inverse=True, return_counts=True),
    case("unique", I(6, 2, high=2), dim=0, return_inverse=True, return_counts=True),
    case("unique", I(2, 6, high=2), dim=1),
    case("unique", I(0, high=2)),
    case("unique_consecutive", I(10, high=2)),
    case("unique", V([1.0, 1.0, -2.0], grad=False)),
    case("unique_consecutive", I(10, 1, high=2), True, True),
    case("unique_consecutive", I(8, 1, high=2), return_counts=True, dim=0),
    case("x.unique", T(4, dtype="bool")),
    case("bincount", I(10, high=4)),
    case("bincount", I(10, high=4), minlength=7),
    case("x.bincount", I(4, high=4), T(4, dtype="float32", grad=False)),
    case("bincount", I(4, high=4), I(4, high=9)),
    case("bincount", I(0, high=4)),
    case("bincount", I(0, high=4), minlength=2),
    case("bincount", I(4, low=-4, high=-1)),
    case("bincount", I(2, 2, high=4)),
    case("bincount", I(2, high=4), T(3)),
    case("bincount", I(2, high=4), minlength=-1),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), ORDER)
def test_order(path, args, kwargs):
    compare(path, *args, **kwargs)
