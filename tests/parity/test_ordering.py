"""Order, running extremes, quantiles, areas and slopes next to PyTorch, with their gradients."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from against_torch import INF, NAN, I, T, V, case, compare
from programs import agree

FLAWED = V([2.0, NAN, 1.0, 3.0, NAN, 5.0, -INF, INF], grad=False)
CASES = [
    # running extremes and sums
    *(
        case(name, x, dim)
        for name in ("cummax", "cummin", "logcumsumexp", "cumsum", "cumprod")
        for x, dim in (
            (T(3, 5), 1),
            (T(4, 3, 2), 0),
            (T(), 0),
            (T(), -1),
            (T(0), 0),
            (T(2, 0), 1),
            (FLAWED, 0),
            (T(3), 2),
            (I(3, 5, high=4), -1),
            (T(5, dtype="bool"), 0),
            (T(3, 4, dtype="float16", grad=False), 1),
            (T(40, dtype="float32", grad=False), 0),
            (V([1.0, 1.0, 3.0, 3.0, 2.0]), 0),
            (V([0.0, -0.0, 0.0], grad=False), 0),
        )
        if not (name == "logcumsumexp" and x is FLAWED)
    ),
    case("logcumsumexp", V([-INF, -INF, 1.0, INF, -INF], grad=False), 0),
    case("logcumsumexp", V([-INF, 1.0, 1e4, 3.0]), 0, second=False),
    case("logcumsumexp", V([NAN, 1.0], grad=False), 0),
    case("cumprod", V([[2.0, 0.0, 3.0, 0.0], [0.0, 1.0, 2.0, 3.0]]), 1),
    case("cumsum", T(3, dtype="int32"), 0, dtype="dtype:float64"),
    case("cumprod", T(3, dtype="bool"), 0, dtype="dtype:int32"),
    case("x.cummax", T(3, 4), dim=1),
    # places of the order
    *(
        case(name, x, *args, **kw)
        for name in ("mode", "median", "nanmedian")
        for x, args, kw in (
            (T(3, 5), (1,), {}),
            (T(3, 5), (0, True), {}),
            (T(), (0,), {}),
            (T(0, 3), (0,), {}),
            (T(3, 0), (0,), {}),
            (T(2, 5, dtype="int32", low=0, high=50), (), {"dim": -1}),
            (T(4, dtype="bool"), (0,), {}),
            (T(3, 7, dtype="float16", grad=False), (1,), {}),
        )
    ),
    case("mode", V([2.0, 1.0, 1.0, 2.0, 3.0])),
    case("mode", V([[1, 3, 3], [2, 2, 1]], "int64")),
    case("mode", T()),
    case("median", V([[1.0, NAN, 2.0], [3.0, 1.0, 2.0]], grad=False), 1, True),
    case("median", T(4, 0), 1),
    case("median", T(2, 51), 1),
    case("nanmedian", T(2, 50, dtype="float32"), 1),
    case("nanmedian", V([[1.0, NAN, 2.0], [NAN, NAN, 2.0]], grad=False), 1),
    case("kthvalue", T(2, 51), 30, 1),
    case("kthvalue", T(51, 2), 3, 0, True),
    case("kthvalue", T(3), 0),
    case("kthvalue", V([1.0, NAN, 0.0], grad=False), 3),
    case("kthvalue", T(3, dtype="bool"), 1),
    case("kthvalue", T(0, 3), 1),
    case("kthvalue", T(0), 1),
    # sorting
    *(
        case(name, x, **kw)
        for name in ("sort", "argsort")
        for x in (
            T(3, 5),
            T(5000, dtype="float32", grad=False),
            V([1.0, NAN, -0.0, 0.0, INF, NAN, -INF, 1.0], grad=False),
            V([2, 1, 2, 1, 0, 2], "int64"),
            T(6, dtype="bool"),
            T(),
            T(0),
            T(2, 0),
            T(3000, dtype="float16", grad=False),
            V([1.0, NAN, -0.0, 0.0, 1.0, NAN] * 500, "float32", grad=False),
            V([1.0, NAN, -0.0, 0.0, 1.0, NAN] * 500, "float64", grad=False),
            V([3, -1, 2**62, 3, -(2**63), 2**63 - 1] * 500, "int64"),
            V([3, -1, 2**31 - 1, 3, -(2**31)] * 500, "int32"),
            V([3, 255, 0, 3] * 600, "uint8"),
            T(30, 100, dtype="float32", grad=False),
        )
        for kw in ({"stable": True}, {"stable": True, "descending": True}, {"dim": 0, "stable": True})
    ),
    case("sort", T(4, 3), 0, True),
    case("sort", V([1j, 2], "complex64")),
    case("x.sort", T(4), descending=True),
    case("sort", T(3), stable=None, dim=0),
    case("msort", T(4, 3)),
    case("msort", T()),
    case("argsort", T(4, 3), 0, True),
    *(
        case("topk", x, k, **kw)
        for x, k in (
            (T(3, 7), 3),
            (T(5000, dtype="float32"), 5),
            (T(40, 200), 3),
            (T(300, 40, dtype="float32"), 10),
            (V([1.0, NAN, 5.0, 2.0] + [0.5 + i for i in range(3000)], "float32", grad=False), 3),
            (T(4000, dtype="int64", low=-9000000, high=9000000, seed=3), 4),
            (T(3000, dtype="float64"), 2900),
        )
        for kw in ({}, {"largest": False}, {"dim": 0})
        if k <= 3 or "dim" not in kw or len(x.shape) == 1 or x.shape[0] >= k
    ),
    # quantiles
    *(
        case(name, x, q, **kw, interpolation=way)
        for name in ("quantile", "nanquantile")
        for way in ("linear", "lower", "higher", "midpoint", "nearest")
        for x, q, kw in (
            (T(4, 5), 0.4, {}),
            (T(4, 5), 0.5, {"dim": 1, "keepdim": True}),
            (T(3, 4, 2), 0.3, {"dim": 0}),
            (V([1.0, NAN, 2.0, 4.0], grad=False), 0.5, {}),
            (V([[NAN, NAN], [1.0, 2.0]], grad=False), 0.5, {"dim": 1}),
            (V([INF, INF, 1.0], grad=False), 0.5, {}),
            (T(), 0.5, {"dim": 0, "keepdim": True}),
            (T(4, 5), V([0.1, 0.5, 1.0], grad=False), {"dim": 1, "keepdim": True}),
            (T(4, 5), V([0.1, 0.5], grad=False), {"keepdim": True}),
            (T(2, 3, 4), V([0.1, 0.5], grad=False), {"dim": 1}),
        )
    ),
    case("quantile", T(4), V([0.3], "float32", grad=False)),
    case("quantile", I(3, high=4), 0.5),
    case("quantile", T(4), 1.5),
    case("quantile", T(4), V([-0.1, 0.5], grad=False)),
    case("quantile", T(0), 0.5),
    case("quantile", T(4), V([[0.5]], grad=False)),
    case("quantile", T(4), 0.5, interpolation="cubic"),
    case("quantile", T(4, dtype="float16"), 0.5),
    case("quantile", T(3, 0), 0.5, dim=0),
    case("quantile", T(4), [0.5]),
    case("x.quantile", T(5), 0.25),
    case("x.nanquantile", T(5), 0.25),
    # areas and slopes
    *(
        case(name, *args, **kw)
        for name in ("trapezoid", "trapz", "cumulative_trapezoid")
        for args, kw in (
            ((T(5),), {}),
            ((T(3, 5),), {"dx": 0.5, "dim": 0}),
            ((T(3, 5), T(5, seed=1)), {}),
            ((T(3, 5), T(3, seed=1)), {"dim": 0}),
            ((T(3, 5), T(3, 5, seed=1)), {"dim": 0}),
            ((I(4, high=9),), {}),
            ((T(),), {}),
            ((T(1),), {}),
            ((T(0),), {}),
            ((T(5), T(4)), {}),
            ((T(5, dtype="bool"),), {}),
            ((T(5), T(5)), {"dx": 1}),
            ((T(3, 5),), {"dim": 2}),
        )
        if not (name == "trapz" and "dx" in kw and len(args) == 2)
        and not (name == "cumulative_trapezoid" and args[0].shape == (0,))
    ),
    *(
        case("gradient", x, **kw)
        for x, kw in (
            (T(5), {}),
            (T(4, 5), {}),
            (T(4, 5), {"spacing": 2.0}),
            (T(4, 5), {"spacing": [2.0, 3.0]}),
            (T(4, 5), {"dim": 1}),
            (T(4, 5), {"dim": (1, 0), "spacing": [2.0, 3.0]}),
            (T(4, 5), {"edge_order": 2}),
            (I(4, high=9), {}),
            (T(2), {}),
            (T(5), {"spacing": [V([0.0, 1.0, 3.0, 3.5, 6.0], grad=False)]}),
            (T(1), {}),
            (T(2), {"edge_order": 2}),
            (T(5), {"spacing": [V([0.0, 1.0, 3.0, 3.5, 6.0], grad=False)], "edge_order": 2}),
            (T(4), {"edge_order": 3}),
            (T(4, 3), {"dim": 0, "spacing": [V([0.0, 2.0, 3.0, 7.0], grad=False)], "edge_order": 2}),
            (T(4), {"spacing": [1.0, 2.0]}),
            (T(4, 4), {"spacing": [V([0.0, 1.0], grad=False)] * 2}),
            (T(), {}),
        )
    ),
    # differences and reductions
    *(
        case("diff", x, **kw)
        for x, kw in (
            (T(3, 4), {"prepend": T(3, 1), "append": T(3, 2)}),
            (T(3, 4), {"n": 0}),
            (I(5, high=9), {"n": 2}),
            (T(0), {}),
            (T(4), {"n": -1}),
            (T(5, dtype="bool"), {"n": 2}),
            (T(3, 4), {"dim": 0, "prepend": T(1, 4)}),
            (T(2), {"prepend": T()}),
        )
    ),
    *(
        case(name, x, *args, **kw)
        for name in ("amax", "amin")
        for x, args, kw in (
            (V([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]), (1,), {}),
            (V([[1.0, 3.0], [3.0, 1.0]]), ((0, 1),), {"keepdim": True}),
            (T(2, 3, 4), ((0, 2),), {}),
            (T(0, 3), (0,), {}),
            (T(0, 3), (1,), {}),
            (T(), (), {}),
            (V([NAN, 1.0], grad=False), (), {}),
            (T(3, dtype="bool"), (), {}),
            (T(2, 2), ((0, 0),), {}),
            (I(3, high=4), (0,), {}),
            (V([1j], "complex64"), (), {}),
        )
    ),
    *(
        case(name, x, *args, **kw)
        for name in ("max", "min", "aminmax")
        for x, args, kw in (
            (V([3.0, 1.0, 3.0, 1.0]), (), {}),
            (V([[3.0, 1.0], [3.0, 1.0]]), (), {"dim": 0}),
            (T(), (), {"dim": 0}),
            (T(0), (), {}),
            (T(0, 2), (), {"dim": 0}),
            (T(0, 2), (), {"dim": 1}),
            (T(3, dtype="bool"), (), {"dim": 0}),
            (V([NAN, 1.0], grad=False), (), {}),
            (V([1j], "complex64"), (), {}),
            (T(3, 4), (), {"dim": 1, "keepdim": True}),
        )
    ),
    *(
        case(name, x, *args, **kw)
        for name in ("argmax", "argmin")
        for x, args, kw in (
            (V([3.0, 1.0, 3.0, 1.0]), (), {}),
            (V([NAN, 1.0, NAN]), (), {}),
            (T(2, 3), (), {"keepdim": True}),
            (T(2, 3), (1, True), {}),
            (T(0), (), {}),
            (T(0, 3), (0,), {}),
            (T(), (0,), {}),
            (T(), (), {}),
            (V([1j], "complex64"), (), {}),
            (T(2, 0), (0,), {}),
        )
    ),
    *(
        case(name, x, *args, **kw)
        for name in ("sum", "prod", "nansum", "nanmean", "mean", "count_nonzero", "any", "all")
        for x, args, kw in (
            (T(2, 3, 4), ((0, 2),), {}),
            (T(3, 4), (1,), {}),
            (T(0, 3), (0,), {}),
            (T(0), (), {}),
            (T(), (0,), {}),
            (T(3, 4), (2,), {}),
            (T(3, dtype="bool"), (), {}),
            (T(3, 2, dtype="int32", low=0), (0,), {}),
            (T(2, 3), ([],), {}),
            (V([1j, 0], "complex64"), (), {}),
            (V([NAN, 1.0], grad=False), (), {}),
        )
        if not (name == "prod" and args and isinstance(args[0], (tuple, list)))
    ),
    case("prod", V([2.0, 0.0, 3.0])),
    case("prod", V([0.0, 0.0, 3.0])),
    case("prod", V([[2.0, 0.0], [1.0, 4.0]]), 1, True),
    case("prod", T(300, 3, dtype="float32", low=0.5, high=1.5), 0),
    case("prod", T(3, 300, low=0.9, high=1.1), 1),
    case("prod", I(3, high=4), dtype="dtype:float64"),
    case("sum", T(3, dtype="bool"), dtype="dtype:float32"),
    case("sum", I(3, high=4), dtype="dtype:int8"),
    case("nansum", V([1, 2], "int32"), dtype="dtype:float32"),
    *(
        case(name, x, *args, **kw)
        for name in ("var", "std", "var_mean", "std_mean")
        for x, args, kw in (
            (T(3, 4), (), {}),
            (T(3, 4), (0,), {}),
            (T(2, 3, 4), ((0, 2),), {"keepdim": True}),
            (T(3, 4), (1,), {"correction": 0}),
            (T(3, 4), (), {"unbiased": False}),
            (T(3, 4), (1, False), {}),
            (T(3, 4), (1, True, True), {}),
            (T(1), (), {}),
            (T(0), (), {}),
            (V([1j, 2.0, 3 - 1j], "complex128"), (), {}),
            (I(3, high=4), (), {}),
            (T(3, 4), (), {"correction": 2.5}),
            (T(4, dtype="float16", grad=False), (), {}),
            (T(3, 4), (1,), {"unbiased": True, "correction": 1}),
        )
    ),
    *(
        case("unique", x, **kw)
        for x in (
            I(10, high=4),
            V([1.0, NAN, NAN, 0.0], grad=False),
            T(6, dtype="bool"),
            T(0, grad=False),
            T(grad=False),
            I(3000, high=9),
        )
        for kw in ({}, {"return_inverse": True, "return_counts": True}, {"sorted": False})
    ),
    *(case("unique", I(6, 2, high=2), dim=d, return_inverse=True, return_counts=True) for d in (0, 1, -1)),
    case("unique_consecutive", I(8, 2, high=2), True, True, 0),
    case("unique_consecutive", I(0, high=2), True, True),
    case("unique_consecutive", I(3, 4, high=2), return_inverse=True),
    case("x.unique_consecutive", V([1, 1, 2, 1], "int64")),
]


@pytest.mark.parametrize(("path", "args", "kwargs"), CASES)
def test_ordering(path, args, kwargs):
    compare(path, *args, **kwargs)


PROGRAMS = [
    # out=, in place
    *(
        f"o = t.empty(0, dtype=t.float32), t.empty(0, dtype=t.int64); r = t.{call}, out=o); "
        "(tuple(r), o, r[0] is o[0], r[1] is o[1])"
        for call in (
            "sort(t.tensor([3.0, 1, 2])",
            "topk(t.tensor([3.0, 1, 2]), 2",
            "max(t.tensor([[3.0, 1], [2, 5]]), 1",
            "min(t.tensor([[3.0, 1], [2, 5]]), 0",
            "median(t.tensor([[3.0, 1], [2, 5]]), 0",
            "nanmedian(t.tensor([[3.0, 1], [2, 5]]), 0",
            "mode(t.tensor([[3.0, 1], [2, 5]]), 0",
            "kthvalue(t.tensor([[3.0, 1], [2, 5]]), 1",
            "cummax(t.tensor([3.0, 1, 5]), 0",
            "cummin(t.tensor([3.0, 1, 5]), 0",
        )
    ),
    "o = t.empty(0), t.empty(0); r = t.aminmax(t.tensor([3.0, 1, 2]), out=o); (tuple(r), o)",
    "o = t.empty(0), t.empty(0); r = t.histogram(t.tensor([3.0, 1, 2]), 2, out=o); (tuple(r), o)",
    "o = t.empty(0); t.quantile(t.tensor([3.0, 1, 2]), 0.5, out=o); o",
    "o = t.empty(2, dtype=t.int64); t.argmax(t.tensor([[3.0, 1], [2, 5]]), 1, out=o); o",
    "o = t.empty(3); t.cumsum(t.tensor([1.0, 2, 3]), 0, out=o); o",
    "o = t.empty(0); t.logcumsumexp(t.zeros(2), 0, out=o); o",
    "x = t.tensor([1.0, 2, 3]); y = x.cumsum_(0); (x, y is x)",
    "x = t.tensor([1, 2, 3]); x.cumprod_(0); x",
    "x = t.tensor([1.0, 2, 3]); v = x[1:]; v.cumsum_(0); x",
    "t.tensor([True, True]).cumsum(0), t.tensor([1, 2]).cumsum(0, dtype=t.int32)",
    # results are named
    "r = t.cummax(t.tensor([1, 2]), 0); r.values, r.indices",
    "r = t.mode(t.tensor([1, 2])); r.values, r.indices",
    "r = t.tensor([1.0, 2]).aminmax(); r.min, r.max",
    "r = t.histogram(t.tensor([1.0, 2]), 2); r.hist, r.bin_edges",
    # complex numbers
    "t.logcumsumexp(t.tensor([1 + 1j, 2 - 3j, 0.5j]), 0)",
    "x = t.tensor([1 + 1j, 2 - 3j, 0.5j], dtype=t.complex128, requires_grad=True); "
    "t.logcumsumexp(x, 0).abs().sum().backward(); x.grad",
    "t.gradient(t.tensor([4j, 1, 2 + 1j]))",
    "t.trapezoid(t.tensor([4j, 1, 2 + 1j]))",
    "t.tensor([4j, 1, 2 + 1j]).diff()",
    "t.sort(t.tensor([1j]))",
    "t.mode(t.tensor([1j]))",
    "t.topk(t.tensor([1j]), 1)",
    "t.cummax(t.tensor([1j]), 0)",
    "t.logsumexp(t.tensor([[1j, 2], [3 - 1j, 0]]), 1), t.logsumexp(t.tensor([1j, 2]), 0, True)",
    "x = t.tensor([1 + 1j, 2 - 3j, 0.5j], dtype=t.complex128, requires_grad=True); "
    "t.logsumexp(x, 0).abs().backward(); x.grad",
    # slices without elements
    "t.unique(t.zeros(0, 2), dim=0)",
    "t.unique(t.zeros(2, 0), dim=0)",
    "t.unique(t.zeros(0, 0), dim=0)",
    "t.unique_consecutive(t.zeros(2, 0), dim=0)",
    # views and strides
    "x = t.arange(12.0).sin().reshape(3, 4).t(); (x.cummax(0)[0], x.sort(0)[1], x.median(1)[0], x.topk(2, 0)[0])",
    "x = t.arange(12.0).sin()[::2]; (x.cummin(0)[1], x.argsort(), x.kthvalue(3)[0])",
    "t.tensor([1, 1, 0]).expand(2, 3).mode(0)",
    # unusual arguments
    "t.sort(t.tensor([2, 1]), -2)",
    "t.tensor([3, 1]).sort(axis=0)[0]",
    "t.tensor([[3.0, 1]]).max(axis=1, keepdims=True)[0]",
    "t.tensor([2.0, 1]).argsort(stable=True)",
    "t.sort(t.tensor([2.0, 1]), stable=True, dim=0, descending=True)",
    "t.tensor([1.0]).topk(2)",
    "t.tensor([1.0]).topk(-1)",
    "t.tensor([True]).topk(1)",
    "t.tensor([2.0, 1, 3]).topk(2, sorted=False)[0].sort()[0]",
    "t.max(t.tensor([1.0]), t.tensor([2.0, 0.0]))",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program):
    agree(program)
