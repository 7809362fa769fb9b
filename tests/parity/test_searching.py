"""Searching, histograms, coordinates and segments next to PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from programs import agree

ROWS = "s = t.tensor([[1, 3, 5], [2, 4, 6]]); "
PROGRAMS = [
    # one row
    *(
        f"s = t.tensor({row}); t.searchsorted(s, {what}{more})"
        for row in ("[1, 3, 3, 5]", "[1.0, 3.0, 3.0, INF]", "[1.0, 3.0, NAN]", "[]")
        for what in ("3", "2.5", "t.tensor([NAN, -INF, INF, 3.0])", "t.tensor([[3, 6], [0, 1]])", "t.tensor(3)")
        for more in ("", ", right=True", ", side='right', out_int32=True")
    ),
    "t.searchsorted(t.tensor([1, 3]), t.zeros(0, 2))",
    "t.searchsorted(t.tensor([5, 1, 3, 2]), t.tensor([4, 1, 9]))",
    # rows
    ROWS + "t.searchsorted(s, t.tensor([[3, 6], [3, 6]]))",
    ROWS + "t.searchsorted(s, t.tensor([[3.0], [4.0]]), right=True)",
    ROWS + "t.searchsorted(s.t().contiguous(), s.t())",
    ROWS + "t.searchsorted(s.t(), s.t())",
    ROWS + "t.searchsorted(s[:, :0], s)",
    "x = t.arange(60.0).reshape(3, 4, 5) % 7; s = x.sort()[0]; t.searchsorted(s, x), t.searchsorted(s, x, right=True)",
    "x = t.arange(2000.0).sin().reshape(4, 500); s = x.sort()[0]; t.searchsorted(s, x)",
    "x = t.arange(2000.0).sin(); s = x.sort()[0]; t.searchsorted(s, x, right=True)",
    # dtypes
    *(f"t.searchsorted(t.tensor([1, 2], dtype=t.{d}), t.tensor([2, 0], dtype=t.{d}))" for d in (
        "float16", "bfloat16", "float64", "int8", "uint8", "int16", "int32", "bool", "complex64")),
    "t.searchsorted(t.tensor([1, 3]), t.tensor([2.5], dtype=t.float64))",
    # sorter, and what is refused
    "s = t.tensor([5, 1, 3]); t.searchsorted(s, t.tensor([3, 4]), sorter=t.argsort(s))",
    "t.searchsorted(t.tensor([5, 1, 3]), 3, sorter=t.tensor([1, 2, 9]))",
    "t.searchsorted(t.tensor([5, 1, 3]), 3, sorter=t.tensor([1, 2]))",
    "t.searchsorted(t.tensor([5, 1, 3]), 3, sorter=t.tensor([1.0, 2.0, 0.0]))",
    "t.searchsorted(t.tensor([1, 3]), 3, side='left', right=True)",
    "t.searchsorted(t.tensor([1, 3]), 3, side='middle')",
    "t.searchsorted(t.tensor(3.0), t.tensor([3.0]))",
    ROWS + "t.searchsorted(s, 3)",
    ROWS + "t.searchsorted(s, t.tensor([3, 6]))",
    "out = t.zeros(2, dtype=t.int64); t.searchsorted(t.tensor([1, 3]), t.tensor([2, 9]), out=out); out",
    # buckets
    "t.bucketize(t.tensor([[3, 6], [1, 0]]), t.tensor([1, 3, 5]))",
    "t.bucketize(t.tensor([3.0, 6.0]), t.tensor([1, 3, 5]), right=True, out_int32=True)",
    "t.bucketize(3, t.tensor([1, 3, 5]), right=True)",
    "t.bucketize(t.tensor([3]), t.tensor([[1, 3, 5]]))",
    "t.isin(t.tensor([[1, 2], [3, 4]]), t.tensor([2, 3])), t.isin(t.tensor([1, 2]), 2, invert=True)",
    "x = t.arange(60).reshape(3, 20) % 13; t.isin(x, t.arange(0, 40, 3)), t.isin(x.float() + 0.5, t.arange(0, 40, 3))",
    "t.isin(t.tensor([1.0, NAN, -0.0, 3.5]), t.tensor([NAN, 0.0, 3, 4, 5, 6, 7, 8, 9, 1]))",
    "t.isin(3, t.arange(10)), t.isin(t.tensor([1, 2]), t.tensor([]))",
    "t.isin(t.tensor([[300, 2]]), t.arange(20, dtype=t.uint8), assume_unique=True, invert=True)",
    # coordinates
    "t.nonzero_static(t.tensor([[0, 1], [1, 0]]), size=3)",
    "t.tensor([0, 1, 2]).nonzero_static(size=1, fill_value=7)",
    "t.nonzero_static(t.tensor(5), size=2).shape",
    "t.nonzero_static(t.tensor([0, 0]), size=2, fill_value=9), t.nonzero_static(t.tensor([1, 1]), size=0)",
    "t.nonzero_static(t.tensor([1]), size=-1)",
    "t.unravel_index(t.tensor([[3, 5], [0, 11]]), (2, 3, 2))",
    "t.unravel_index(t.tensor(3), (2, 3)), t.unravel_index(t.tensor([1]), 5), t.unravel_index(t.tensor([6]), (2, 3))",
    "t.unravel_index(t.tensor([-1]), (2, 3))",
    "t.unravel_index(t.tensor([1.0]), (2, 3))",
    "t.unravel_index(t.tensor([1]), (2, -3))",
    # counts
    "t.bincount(t.tensor([0, 2, 2], dtype=t.uint8)), t.bincount(t.tensor([1, 1]), t.tensor([0.5, 0.25]))",
    "t.bincount(t.tensor([1, 1]), t.tensor([2, 3], dtype=t.int32), minlength=4)",
    "t.bincount(t.tensor([1.0]))",
    # histograms
    *(
        f"t.histc(t.tensor({values}{dtype}), {args})"
        for values in ("[1.0, 2.0, 3.0]", "[1.0, 1.0]", "[]", "[NAN, 1.0]", "[INF, 1.0, -INF, 4.0]")
        for dtype in ("", ", dtype=t.float64")
        for args in ("4", "4, 0, 4", "4, min=-1, max=3", "3, 2, 2")
    ),
    *(f"t.histc(t.tensor([1, 2, 2, 5], dtype=t.{d}), 4)" for d in ("float16", "bfloat16", "int64", "bool")),
    "t.histc(t.tensor([1.0]), 0)", "t.histc(t.tensor([1.0]), 4, 3, 1)", "t.histc(t.tensor([1.0]), 4, 0, INF)",
    "t.arange(1000.0).sin().histc(7)", "(t.arange(1000.0) / 100).histc(10, 0, 10)",
    "t.arange(6.0).reshape(2, 3).requires_grad_().histc(3).requires_grad",
    *(
        f"tuple(t.histogram(t.tensor([1.0, 2.0, 1.0, 0.5]), {args}))"
        for args in (
            "4", "4, range=(0.0, 3.0)", "bins=4, weight=t.tensor([1.0, 2.0, 4.0, 8.0])", "4, density=True",
            "3, range=(0.0, 2.0), density=True, weight=t.tensor([1.0, 2.0, 4.0, 8.0])", "t.tensor([0.0, 1.0, 5.0])",
            "t.tensor([5.0, 1.0, 0.0])", "4, range=(3.0, 3.0)", "4, range=(3.0, 1.0)", "0",
            "t.tensor([0.0, 1.0], dtype=t.float64)", "4, weight=t.ones(3)", "4, weight=t.ones(4, dtype=t.float64)",
            "t.tensor([[0.0, 1.0]])", "t.tensor([0.0, 1.0, 1.0, 2.0])",
        )
    ),
    "h = t.histogram(t.tensor([1.0, 2.0]), 2); h.hist, h.bin_edges",
    "tuple(t.arange(12.0).reshape(3, 4).histogram(5))",
    "tuple(t.histogram(t.tensor([]), 4))", "t.histogram(t.tensor([1, 2]), 4)",
    "t.histogram(t.tensor([1.0, NAN]), 4)", "tuple(t.histogram(t.tensor([1.0, NAN]), 4, range=(0.0, 2.0)))",
    "h = t.histogramdd(t.tensor([[0.0, 1], [1, 0], [2, 0], [2, 2]]), [3, 2]); h.hist, h.bin_edges",
    "p = (t.arange(60.0) * 7 % 11).reshape(4, 5, 3); h = t.histogramdd(p, [3, 2, 4], weight=p[..., 0]); "
    "h.hist, h.bin_edges",
    "p = (t.arange(40.0) * 7 % 11).reshape(20, 2); h = t.histogramdd(p, 3, density=True); h.hist, h.bin_edges",
    "p = t.tensor([[0.0, 0], [1, 1]]); h = t.histogramdd(p, [2, 2], range=[0.0, 1, 0, 2]); h.hist, h.bin_edges",
    "p = t.tensor([[0.0, 0], [1, 1]]); h = t.histogramdd(p, [t.tensor([0.0, 1, 2]), t.tensor([0.0, 3])]); h.hist",
    "t.histogramdd(t.tensor([0.0, 1]), 3)", "t.histogramdd(t.tensor([[0.0, 1]]), [3])",
    # segments
    *(
        f"t.segment_reduce(t.tensor([3.0, 0.0, NAN, 2.0, -1.0, 4.0]), '{how}', lengths=t.tensor({lengths}){more})"
        for how in ("sum", "mean", "max", "min", "prod")
        for lengths in ("[2, 0, 4]", "[0, 0, 6]")
        for more in ("", ", initial=3")
    ),
    "t.segment_reduce(t.arange(6.0), 'sum', offsets=t.tensor([0, 2, 6]))",
    "t.segment_reduce(t.arange(6.0).reshape(2, 3), 'max', lengths=t.tensor([[2, 1], [0, 3]]), axis=1)",
    "t.segment_reduce(t.arange(12.0).reshape(2, 3, 2), 'mean', lengths=t.tensor([[2, 1], [0, 3]]), axis=1)",
    "t.segment_reduce(t.arange(6.0).reshape(3, 2), 'prod', lengths=t.tensor([2, 1], dtype=t.int32))",
    "t.segment_reduce(t.arange(6.0), 'sum', lengths=t.tensor([2, 0, 3]), unsafe=True)",
    "t.segment_reduce(t.arange(6.0), 'sum', lengths=t.tensor([2, 0, 3]))",
    "t.segment_reduce(t.arange(6.0), 'median', lengths=t.tensor([6]))",
    "t.segment_reduce(t.arange(6.0), 'sum')",
    "t.segment_reduce(t.arange(6.0), 'sum', lengths=t.tensor([2, -1, 5]))",
    "t.segment_reduce(t.arange(6), 'sum', lengths=t.tensor([6]))",
    "t.segment_reduce(t.arange(6.0), 'sum', lengths=t.tensor([6.0]))",
    *(
        f"x = t.tensor([3.0, {zero}, 2.0, 2.0, -1.0, 4.0], requires_grad=True); "
        f"y = t.segment_reduce(x, '{how}', lengths=t.tensor([2, 0, 4]), initial=1.5); "
        "(y * t.tensor([2.0, 3.0, 5.0])).sum().backward(); x.grad"
        for how in ("sum", "mean", "max", "min", "prod")
        for zero in ("1.0", "0.0")
        if (how, zero) != ("prod", "0.0")
    ),
    # slices reduced
    *(
        f"x = t.arange(6, dtype=t.{dtype}).reshape(3, 2) + 1; s = t.tensor([[2, 3], [4, 7], [5, 1]], dtype=t.{dtype}); "
        f"(x.index_reduce(0, t.tensor([2, 0, 2]), s, '{how}', include_self={keep}), "
        f"x.index_reduce_(0, t.tensor([1, 1, 1]), s, '{how}', include_self={keep}) is x, x)"
        for how in ("prod", "mean", "amax", "amin")
        for keep in (True, False)
        for dtype in ("float32", "int64")
    ),
    *(
        "x = t.tensor([[1.5, 2.0], [3.0, -1.0], [0.5, 4.0]], requires_grad=True); "
        "s = t.tensor([[2.0, 3.0], [4.0, 7.0], [5.0, 1.0]], requires_grad=True); "
        f"y = x.index_reduce(0, t.tensor([2, 0, 2]), s, '{how}', include_self={keep}); "
        "(y * t.tensor([1.0, 2.0])).sum().backward(); (x.grad, s.grad)"
        for how in ("prod", "mean", "amax", "amin")
        for keep in (True, False)
    ),
    "t.ones(3).index_reduce(0, t.tensor([0, 0, 2]), t.tensor([1.0, 2, 3]), 'sum')",
    "t.ones(3).index_reduce(0, t.tensor([0, 0, 3]), t.tensor([1.0, 2, 3]), 'prod')",
    "t.ones(3).index_reduce(0, t.tensor([0, -1]), t.tensor([1.0, 2]), 'prod')",
    "t.ones(3).index_reduce(0, t.tensor([0, 0]), t.tensor([1.0, 2, 3]), 'prod')",
    "t.ones(3).index_reduce(0, t.tensor([0.0]), t.tensor([1.0]), 'prod')",
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_searching(program):
    agree(program)
