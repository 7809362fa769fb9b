"""Index expressions, reading and writing, and the ops that index, against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from programs import agree

#: Keys for a tensor of shape (3, 4, 5).
KEYS = (
    "0", "-1", "2, 3", "1, 2, 3", "...", "..., 0", "0, ...", ":", "1:", ":-1", "::2", "1:10", "5:2", "-2:", "None",
    ":, None", "..., None", "None, 0, None", "0, :, None", "1:2, ..., 3", ":, ::2, 1::3", "True", "False", "None, None",
    "t.tensor(1)", "t.tensor([0, 2])", "t.tensor([[0, 1], [2, -1]])", "t.tensor([])", "t.tensor([], dtype=t.int64)",
    "t.tensor([1], dtype=t.int32)", "t.tensor([1], dtype=t.uint8)", ":, t.tensor([1, 3])", "..., t.tensor([1, 3])",
    "t.tensor([0, 1]), t.tensor([2, 3])", "t.tensor([0, 1]), :, t.tensor([2, 3])",
    "0, t.tensor([1, 2])", "t.tensor([1, 2]), 0", "0, :, t.tensor([1, 2])", "t.tensor([[0], [1]]), t.tensor([0, 2])",
    ":, t.tensor([0, 1]), t.tensor([0, 1])", "t.tensor([0, 1]), None, t.tensor([1, 2])", "t.tensor([0, 1]), 1:3, 0",
    "None, t.tensor([0, 1])", "t.tensor([0, 1]), ..., 1", "t.tensor([0, 2]), 1, t.tensor([1, 3])",
    "t.tensor(1), t.tensor([0, 1])", "t.tensor(1), :, t.tensor(2)",
    "t.tensor([0, 1]), t.tensor([0, 1]), t.tensor([0, 1])", "1:, t.tensor([0, 3]), ::2", "[0, 2]", "[[0, 1], [1, 2]]",
    "[0, 1], [1, 2]", "[True, False, True]", "[-1]", "(0, 1)", "[]", "np.array([0, 2])", "np.int64(1)",
    "np.array([True, False, True])", "range(2)", "slice(0, 2)", "t.tensor([0, 1])[None]",
    "t.tensor([True, False, True])", "t.ones(3, 4, dtype=t.bool)", "x > 30", "x[0] > 5",
    ":, t.tensor([True, False, True, False])", "..., x[0, 0] > 2", "t.tensor([True, False, True]), 0",
    "t.tensor([True, False, True]), t.tensor([1, 2])", "t.tensor([True, True, False]), :, t.tensor([1, 2])",
    "t.tensor(True)", "t.tensor(False)", "t.tensor([False, False, False])", "0, x[0] > 8",
    "t.tensor([True, False, True]), ..., 1:3", "None, x > 58",
    "3", "-4", "0, 4", "0, 0, 0, 0", "..., ...", "t.tensor([3])", "t.tensor([-4])", "t.tensor([0.5])", "1.5", "'a'",
    "t.tensor([True, False])", "t.tensor([[True, False]])", "t.tensor([0, 1]), t.tensor([0, 1, 2])", "{}", "1:2:0",
    "slice('a')", "t.tensor(1.0)", "1j", "t.tensor([1]).float()", "slice(t.tensor(0), t.tensor(2))", "t.tensor(0):2",
)  # fmt: skip
X = "x = t.arange(60).reshape(3, 4, 5)"
XF = "x = t.arange(60.0).reshape(3, 4, 5)"
GETITEM = [*(f"{X}; x[{key}]" for key in KEYS), "t.tensor(5)[...]", "t.tensor(5)[None]", "t.tensor(5)[0]",
    "t.tensor(5)[True]", "t.tensor(5)[()]", "t.tensor(5)[t.tensor(True)]", "t.tensor(5)[t.tensor(False)]",
    "t.zeros(0)[0]", "t.zeros(0, 3)[:, 1]", "t.zeros(3, 0)[t.tensor([0, 1])]", "t.zeros(0)[t.zeros(0, dtype=t.bool)]",
           "t.arange(5)[t.tensor([[]], dtype=t.int64)]", "t.zeros(0)[t.tensor([0])]", "t.arange(10)[t.tensor(3)]",
           "t.arange(10)[t.tensor(3, dtype=t.uint8)]", "[10, 20, 30][t.tensor(1)]",
           "list(range(10))[t.tensor(1):t.tensor(3)]", "t.arange(3)[t.tensor([0]):]", "t.arange(4).T[1]",
           "t.arange(12).reshape(3, 4).t()[1:, t.tensor([0, 2])]",
           "t.arange(12).reshape(3, 4)[:, [1, 0]].stride() is not None"]  # fmt: skip
#: (key, value) writes.
WRITES = [
    *((key, "-1") for key in KEYS if "> 30" not in key), ("0", "t.zeros(4, 5, dtype=t.int64)"), ("0", "t.zeros(5)"),
    ("0", "t.zeros(4)"), ("0", "t.zeros(1, 4, 5)"), ("0", "t.zeros(2, 4, 5)"), (":, 0", "t.arange(5)"),
    ("::2", "t.tensor(9)"), ("0, 0, 0", "t.tensor(7.9)"), ("0, 0, 0", "t.tensor([7])"), ("0, 0, 0", "t.tensor([7, 8])"),
    ("t.tensor([0, 2])", "t.zeros(2, 4, 5)"), ("t.tensor([0, 2])", "t.arange(5)"),
    ("t.tensor([0, 2])", "t.zeros(3, 4, 5)"), ("t.tensor([0, 2]), :, t.tensor([1, 3])", "t.zeros(2, 4)"),
    (":, t.tensor([0, 1]), t.tensor([0, 1])", "t.arange(6).reshape(3, 2)"), ("x > 30", "0"), ("x > 30", "t.tensor(5)"),
    ("x > 56", "t.tensor([1, 2, 3])"), ("x > 56", "t.tensor([1, 2])"),
    ("t.tensor([True, False, True])", "t.arange(40).reshape(2, 4, 5)"), ("x[0] > 17, ", "0"),
    ("0, x[0] > 17", "t.tensor([1, 2])"), ("0", "[[1] * 5] * 4"), ("0, 0", "[1, 2, 3, 4, 5]"), ("0, 0", "np.arange(5)"),
    ("0, 0", "(1, 2, 3, 4, 5)"), ("0, 0", "1.7"), ("0, 0", "True"), ("0, 0", "1j"), ("0, 0", "'a'"), ("0, 0", "None"),
    ("t.tensor([1, 1])", "t.tensor(5)"), ("...", "0"), ("None", "1"), ("1:1", "5"), ("1:1", "t.zeros(0, 4, 5)"),
    ("True", "2"), ("False", "2"), ("t.tensor(False)", "3"), ("..., 0", "x[..., 1]"),
    ("0", "x[1]"), (":2", "x[1:]"), ("1:", "x[:2].clone()"), ("[0, 1]", "x[[1, 0]]"),
    ("t.tensor([0, 1]), None", "t.zeros(2, 1, 4, 5)"),
]  # fmt: skip
SETITEM = [*(f"{X}; x[{key}] = {value}; x" for key, value in WRITES), "x = t.tensor(5); x[...] = 3; x",
    "x = t.tensor(5); x[None] = 3; x", "x = t.tensor(5); x[()] = 4; x", "x = t.tensor(5); x[0] = 3; x",
    "x = t.tensor(5); x[t.tensor(True)] = 3; x", "x = t.zeros(3); x[0] = t.tensor(2, dtype=t.float64); x",
    "x = t.zeros(3, dtype=t.int64); x[0] = 2.7; x", "x = t.zeros(3, dtype=t.int64); x[0:2] = t.tensor([2.7, 1.2]); x",
           "x = t.zeros(2, dtype=t.bool); x[0] = 5; x", "x = t.zeros(3); y = x[1:]; y[0] = 5; x",
           "x = t.zeros(2, 3).t(); x[0] = t.tensor([1.0, 2.0]); x", "x = t.zeros(4); x[[0, 1]][0] = 5; x",
           "x = t.zeros(4); x[::2][1] = 5; x",
           "x = t.zeros(3, 3); x[t.eye(3, dtype=t.bool)] = t.tensor([1.0, 2.0, 3.0]); x",
           "x = t.zeros(3, 3); x[range(3), range(3)] = 1; x", "x = t.arange(6); x[1:] = x[:-1].clone(); x",
           "x = t.zeros(3); x[0], x[1] = 1, 2; x", "x = t.zeros(3); x[1] += 5; x",
           "x = t.zeros(3); x[t.tensor([0, 0])] += 1; x",
           "x = t.zeros(2, 2); x[x == 0] = t.tensor([1.0, 2.0, 3.0, 4.0]); x",
           "x = t.zeros(3); x[t.tensor([0, 1])] = t.tensor([1.0, 2.0], dtype=t.float64); x",
           "x = t.zeros(3); x[t.tensor([True, False, True])] = t.tensor([1, 2]); x",
           "x = t.zeros(3); x[0] = np.float32(2); x", "x = t.zeros(2, 2); x[0] = np.ones(2); x",
           "x = t.zeros(3); del x[0]"]  # fmt: skip
GRADIENTS = [
    *(f"{XF}.requires_grad_(); y = x[{key}]; (y * t.arange(float(y.numel())).reshape(y.shape)).sum().backward(); x.grad"
      for key in KEYS if "'" not in key and key not in ("{}", "[[0, 1], [1, 2]]", "..., ...")),
    *(f"{XF}.requires_grad_(); z = x * 1; v = t.ones(()).requires_grad_(); z[{key}] = v; "
      "(z * x.detach()).sum().backward(); (x.grad, v.grad)"
      for key in ("0", "..., 1:3", "t.tensor([0, 2])", "t.tensor([0, 0]), :, t.tensor([1, 2])", "x > 30", "None",
      "::2, 1", "[True, False, True]")),
    "x = t.zeros(3); v = t.tensor([1.0, 2.0], requires_grad=True); x[:2] = v; (x * 2).sum().backward(); (v.grad, "
        "x.requires_grad)",
        "x = t.ones(3, requires_grad=True); y = x * 2; z = y[1:]; z[0] = 5; y.sum().backward(); x.grad",
        "x = t.ones(3, requires_grad=True); y = x * 2; z = y[1:]; y[1] = 7; z.sum().backward(); x.grad",
        "x = t.ones(3, requires_grad=True); y = x.clone(); y[0] *= 3; y.sum().backward(); x.grad",
    "x = t.ones(2, 3, requires_grad=True); t.stack([x[0], x[1]]).sum().backward(); x.grad",
    "x = t.ones(3, requires_grad=True); y = x * 2; y[0] = y[1]; y.sum().backward(); x.grad",
    "x = t.ones(3, requires_grad=True); [(v * i) for i, v in enumerate(x)][2].backward(); x.grad",
    "x = t.ones(2, 2, requires_grad=True); y = x * 1; y.t()[0] = 0; y.sum().backward(); x.grad",
    "x = t.ones(4, requires_grad=True); y = x * 1; y.view(2, 2)[0] = 0; y.sum().backward(); x.grad",
    "x = t.ones(3, requires_grad=True); y = x * 1; z = y[0]; z.mul_(4); y.sum().backward(); x.grad",
]  # fmt: skip
INDEX = "i = t.tensor([[0, 2], [1, 1]])"
OPS = [
    f"{INDEX}; t.arange(12.0).reshape(3, 4).gather(0, i)", f"{INDEX}; t.arange(12.0).reshape(3, 4).gather(1, i)",
    "t.arange(4.0).gather(0, t.tensor([4]))", "t.arange(4.0).gather(0, t.tensor([-1]))",
    "t.arange(4.0).gather(0, t.tensor([0.5]))", "t.arange(4.0).gather(0, t.tensor([[0]]))",
    "t.arange(4.0).gather(1, t.tensor([0]))", "t.tensor(3.0).gather(0, t.tensor(0))",
    "t.arange(4.0).gather(0, t.tensor([], dtype=t.int64))",
    "t.zeros(3, 4).scatter(0, t.tensor([[0, 1, 2, 0]]), t.arange(4.0)[None])",
    "t.zeros(3).scatter(0, t.tensor([0, 2]), 5)", "t.zeros(3).scatter(0, t.tensor([0, 0]), t.ones(2), reduce='add')",
    "t.ones(3).scatter(0, t.tensor([0, 0]), t.tensor([2.0, 3.0]), reduce='multiply')",
    "t.zeros(3).scatter_(0, t.tensor([1]), t.tensor([5.0]))", "t.zeros(2, 3).scatter_(1, t.tensor([[1], [2]]), 1.0)",
    "t.zeros(3).scatter(0, t.tensor([3]), 1.0)", "t.zeros(3).scatter(0, t.tensor([0]), t.tensor([1]))",
    "t.zeros(3).scatter_add(0, t.tensor([0, 0, 1]), t.ones(3))",
    "t.zeros(3).scatter_add_(0, t.tensor([0, 0, 1]), t.ones(2))",
    "t.zeros(3).scatter_reduce(0, t.tensor([0, 0, 1]), t.tensor([1.0, 5.0, 2.0]), 'amax')",
    "t.ones(3).scatter_reduce(0, t.tensor([0, 0, 1]), t.tensor([1.0, 5.0, 2.0]), 'sum', include_self=False)",
    "t.ones(3).scatter_reduce(0, t.tensor([0, 0, 1]), t.tensor([1.0, 5.0, 2.0]), 'mean')",
    "t.zeros(3).scatter(0, t.tensor([0]), value=2.0)", "t.zeros(3).scatter(0, index=t.tensor([0]), src=t.ones(1))",
    "t.arange(6).reshape(2, 3).index_select(1, t.tensor([2, 0, 0]))",
    "t.arange(6).reshape(2, 3).index_select(-1, t.tensor(1))",
    "t.arange(6).reshape(2, 3).index_select(0, t.tensor([2]))",
    "t.arange(6).reshape(2, 3).index_select(0, t.tensor([[0]]))",
    "t.index_select(t.arange(6), 0, t.tensor([1], dtype=t.int32))", "t.arange(6).index_select(0, t.tensor([1.0]))",
    "t.zeros(3).index_fill(0, t.tensor([0, 2]), 7)", "t.zeros(3).index_add(0, t.tensor([0, 0]), t.ones(2), alpha=2)",
    "t.zeros(3, 2).index_copy(0, t.tensor([2, 0]), t.ones(2, 2))",
    "t.zeros(3).index_put((t.tensor([0, 1]),), t.tensor([1.0, 2.0]))",
    "t.zeros(3).index_put_((t.tensor([0, 0]),), t.tensor(1.0), accumulate=True)",
    "t.zeros(2, 2).index_put((t.tensor([0, 1]), t.tensor([1, 0])), t.tensor([1.0, 2.0]))",
    "t.zeros(3, 3).index_put_((t.tensor([True, False, True]),), t.tensor(2.0))",
    "t.arange(6).reshape(2, 3).take(t.tensor([0, 5, -1]))", "t.take(t.arange(6), t.tensor([[1, 2]]))",
    "t.take(t.arange(6), t.tensor([6]))", "t.arange(6).reshape(2, 3).take_along_dim(t.tensor([[2], [0]]), 1)",
    "t.take_along_dim(t.arange(6), t.tensor([5, 0]))", "t.zeros(3).put_(t.tensor([0, 0]), t.ones(2), accumulate=True)",
    "t.arange(6.0).masked_select(t.tensor([True] * 3 + [False] * 3))",
    "t.masked_select(t.arange(6).reshape(2, 3), t.tensor([[True], [False]]))",
    "t.tensor([[0, 1], [2, 0]]).nonzero()", "t.tensor([0.0, NAN, -0.0]).nonzero()",
    "t.tensor([[0, 1], [2, 0]]).nonzero(as_tuple=True)", "t.tensor(1).nonzero()", "t.tensor(0).nonzero()",
    "t.tensor(1).nonzero(as_tuple=True)", "t.nonzero(t.tensor([False, True]))", "t.argwhere(t.tensor([0, 1, 1]))",
    "t.zeros(0, 2).nonzero()", "t.tensor([1j, 0j]).nonzero()",
    *(f"x = t.arange(3.0).requires_grad_(); {call}.pow(2).sum().backward(); x.grad" for call
    in ("x.gather(0, t.tensor([0, 0, 2]))", "x.scatter(0, t.tensor([1]), 5.0)",
    "t.ones(3).scatter(0, t.tensor([1, 2]), x[:2])", "t.ones(3).scatter_add(0, t.tensor([0, 0, 1]), x)",
    "x.index_select(0, t.tensor([1, 1]))", "x.masked_fill(x > 1, 7.0)", "x.masked_select(x > 0)",
    "x.take(t.tensor([2, 2]))", "x.index_fill(0, t.tensor([1]), 5.0)",
    "t.zeros(4).index_add(0, t.tensor([0, 0, 3]), x)", "t.zeros(4).index_copy(0, t.tensor([2, 0, 3]), x)",
    "t.zeros(4).index_put((t.tensor([0, 0, 3]),), x, accumulate=True)", "x.index_put((t.tensor([1]),), t.tensor(4.0))",
    "t.zeros(4).masked_scatter(t.tensor([True, False, True, True]), x)", "t.where(x > 0, x, 0.0)",
    "x.scatter_reduce(0, t.tensor([0, 0]), t.tensor([5.0, 6.0]), 'sum')")),
]  # fmt: skip


@pytest.mark.parametrize("source", GETITEM)
def test_getitem(source):
    agree(source)


@pytest.mark.parametrize("source", SETITEM)
def test_setitem(source):
    agree(source)


@pytest.mark.parametrize("source", GRADIENTS)
def test_gradients(source):
    agree(source)


@pytest.mark.parametrize("source", OPS)
def test_ops(source):
    agree(source)
