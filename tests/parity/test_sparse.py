"""Sparse tensors against PyTorch: values, layouts, gradients and their text, and what is refused."""

from __future__ import annotations

import re
import warnings

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402

X = "x = t.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4, 5], (2, 3), requires_grad=True); "
U = "x = t.sparse_coo_tensor([[0, 1, 1, 0], [2, 0, 2, 2]], [3.0, 4, 5, 7], (2, 3), requires_grad=True); "
D = "d = t.arange(1.0, 7).reshape(2, 3).requires_grad_(); "
M = "m = t.arange(1.0, 7).reshape(3, 2).requires_grad_(); "
H = "h = t.arange(8.0).reshape(2, 2, 2).to_sparse(2); "
C = "c = t.sparse_csr_tensor([0, 1, 2], [1, 0], [3.0, 4], (2, 2), requires_grad=True); "
E = "e = t.eye(2).to_sparse(); "

#: Run on a coalesced and an uncoalesced tensor ``x``.
ON_BOTH = (
    "x", "x.coalesce()", "x.t()", "x * 2", "2 * x", "x / 2", "-x", "x + x", "x - x", "x * x", "x ** 2", "x.double()",
    "x.clone()", "x.detach()", "x.sum()", "x.sum(0)", "x.sum(1, keepdim=True)", "t.sparse.sum(x, (0, 1))",
    "t.sparse.sum(x, dim=[0])", "x[0]", "x[0, 1]", "x[:, 2]", "x.select(1, 2)", "[r for r in x]", "x.permute(1, 0)",
    "x.to_sparse_csr()", "x.to_sparse_csc()", "t.empty_like(x)", "t.zeros_like(x)", "t.stack([x, x])", "x @ x.t()",
    "t.add(t.ones(2, 3), x, alpha=2)", "t.ones(2, 3) - x", "x * t.ones(3)", "x * t.tensor(2.0)", "x.norm()",
    "x._indices(), x._values(), x._nnz(), x.sparse_dim(), x.dense_dim(), x.layout, x.is_sparse, x.is_sparse_csr",
    "x.shape, x.size(1), x.dim(), x.numel(), x.dtype, x.device, len(x), x.ndim, x.is_coalesced()",
    "x.detach().mul_(2)", "x.detach().add_(x.detach())", "t.ones(2, 3).add_(x.detach())", "x.detach().zero_()",
    "t.ones(2, 3).mul_(x.detach())", "x.detach().sparse_resize_((3, 4), 2, 0)", "y = x.detach(); y.neg_(); x",
    "x.detach().sparse_resize_and_clear_((3, 4), 1, 1)", "t.sparse.softmax(x, 0)", "t.sparse.log_softmax(x, 1)",
    "y = x.to_dense(); y.sum().backward(); (y, x.grad)", "y = x * 2; t.sparse.sum(y).backward(); (y, x.grad)",
    "y = x * 2; y.sum().backward(); (y, x.grad)", "y = x.coalesce(); y.values().sum().backward(); (y, x.grad)",
    D + "y = d + x; y.sum().backward(); (y, x.grad, d.grad)",
    D + "y = x * d; t.sparse.sum(y).backward(); (y, x.grad, d.grad)",
    M + "y = x @ m; y.sum().backward(); (y, x.grad, m.grad)",
    M + "y = t.sparse.mm(x, m); y.sum().backward(); (y, x.grad, m.grad)",
    M + "y = m @ x; y.sum().backward(); (y, x.grad, m.grad)",
    M + "y = t.mv(x, m[:, 0]); y.sum().backward(); (y, x.grad, m.grad)",
    M + "y = t.sparse.addmm(t.ones(2, 2), x, m); y.sum().backward(); (y, x.grad, m.grad)",
    M + "t.addmm(t.ones(2, 2), x, m)", M + "t.spmm(x, m)", M + "t.smm(x.detach(), m.detach())",
    M + "t.hspmm(x.detach(), m.detach())", M + "t.sspaddmm(t.eye(2).to_sparse(), x.detach(), m.detach(), beta=2)",
    "y = t.sparse.sum(x, 0); t.sparse.sum(y).backward(); (y, x.grad)",
    "y = t.sparse.softmax(x, 1); t.sparse.sum(y * y).backward(); (y, x.grad)",
    "y = x.t(); t.sparse.sum(y).backward(); (y, x.grad.coalesce())",
    "y = x.abs(); t.sparse.sum(y).backward(); (y, x.grad)",
    "y = x / 2; y.to_dense().sum().backward(); (y, x.grad)", "y = x.pow(2); t.sparse.sum(y).backward(); (y, x.grad)",
    "y = x.double(); y.to_dense().sum().backward(); (y, x.grad)",
    "y = t.sparse.mm(x, x.t()); t.sparse.sum(y).backward(); (y, x.grad.to_dense())",
    "y = x + x; t.sparse.sum(y).backward(); x.grad.to_dense()",
    D + "y = d.sparse_mask(x.detach().coalesce()); y.to_dense().sum().backward(); (y, d.grad)",
    "x.values()", "x.indices()", "x.exp()", "x.cos()", "x == x", "x + 1", "x / x", "x / t.ones(2, 3)", "x ** 0",
    "x.nonzero()", "x.sigmoid()", "x.max()", "x.argmax()", "x.numpy()", "x.tolist()", "x.log()", "x.unique()",
    "t.ones_like(x)", "x.sparse_resize_((3, 3), 2, 0)", "bool(x)", "x.item()", "x[t.tensor([0])]",
)  # fmt: skip
PROGRAMS = (
    *(first + call for first in (X, U) for call in ON_BOTH),
    *(E + f"e.{name}()" for name in (
        "sin", "tan", "tanh", "sinh", "asin", "asinh", "atan", "atanh", "sqrt", "square", "expm1", "log1p", "sign",
        "sgn", "ceil", "floor", "round", "trunc", "frac", "relu", "erf", "erfinv", "isnan", "isinf", "isposinf",
        "isneginf", "signbit", "deg2rad", "rad2deg", "positive", "conj", "conj_physical", "any", "half",
        "bool", "int", "fix", "arctan", "trunc_", "abs_", "sin_",
    )),
    *(E + call for call in (
        "e // 2", "e.int() // 2", "e.int() * 2.5", "e.int() / 2", "e.int().sum()", "t.sparse.sum(e.int())", "2 / e",
        "e % 2", "e.norm(1)", "e.T, e.mT, e.H", "e.copy_(e * 2)", "e.sparse_mask(t.ones(2, 2).to_sparse())",
        "[y.is_coalesced() for y in (e @ e, e.t(), e * 2, e + e, -e, e.sin(), e[0], t.cat([e, e]), e.sum(0), e * e)]",
        "e.index_select(0, t.tensor([1, 1]))", "e.index_select(1, t.tensor([1, 0, 1])).to_dense()",
        "e.index_select(0, t.tensor([2]))",
        "e.type(), e.stride(), e.is_contiguous(), e.is_leaf", "t.cat([e, e], 1)",
        "t.is_tensor(e), isinstance(e, t.Tensor)",
        "import copy; copy.deepcopy(e)", "import pickle; pickle.loads(pickle.dumps(e))",
        "import pickle; pickle.loads(pickle.dumps(e.to_sparse_csr()))", "e.to_sparse(1)", "e.to_sparse(2)",
        "y = t.eye(3).to_sparse() + t.tensor([[1.0, 2, 0], [0, 0, 3], [4, 0, 0]]).to_sparse(); y",
        "t.eye(3).to_sparse() - t.tensor([[1.0, 2, 0], [0, 0, 3], [4, 0, 0]]).to_sparse()",
        "t.eye(3).to_sparse() * t.tensor([[1.0, 2, 0], [0, 0, 3], [4, 0, 0]]).to_sparse()",
        "t.eye(3).to_sparse() @ t.tensor([[1.0, 2, 0], [0, 0, 3], [4, 0, 0]]).to_sparse()",
        "e + t.zeros(3, 3).to_sparse()", "e @ t.ones(3, 2)", "e.requires_grad_().int()", "e.unsqueeze(0)",
    )),
    *(H + call for call in (
        "h", "h.sum(2)", "t.sparse.sum(h, 2)", "t.sparse.sum(h, 0)", "h[0]", "h.select(2, 0)", "h.transpose(0, 1)",
        "h * h",
        "h + h", "t.sparse.softmax(h, 1)", "t.sparse.softmax(h, 2)", "t.cat([h, h], 2)", "t.cat([h, h], 0)", "h.abs()",
        "h.unsqueeze(3)", "h.transpose(1, 2)", "h * t.ones(2, 2, 2)", "h.to_dense()", "h @ t.ones(2, 2, 2)",
    )),
    *(C + call for call in (
        "c", "c.t()", "c.to_sparse()", "c * 2", "c + c", "c.sin()", "c.to_dense()", "c @ c", "c.values()", "c.sum()",
        "c._nnz(), c.sparse_dim(), c.dense_dim(), c.is_sparse, c.is_sparse_csr, c.layout", "c.coalesce()", "c * c",
        "c.crow_indices(), c.col_indices()", "c.indices()", "c.t().ccol_indices(), c.t().row_indices()", "c[0]",
        "c[0, 1]",
        "c.is_coalesced()", "c.detach().sum(0, keepdim=True)", "c * t.ones(2, 2)", "c.to(t.float64)",
        "t.ones(2, 2) + c",
        "c + t.ones(2, 2)", "y = c @ t.ones(2, 2); y.sum().backward(); (y, c.grad)", "t.mv(c, t.ones(2))",
        "y = t.sparse.mm(c, t.ones(2, 2)); y.sum().backward(); (y, c.grad)", "t.ones(2, 2) @ c",
        "y = c.to_dense(); y.sum().backward(); c.grad", "t.addmm(t.ones(2, 2), c, t.ones(2, 2))", "c.crow_indices(1)",
        "t.sparse.mm(c.detach(), t.ones(2, 2), 'mean')", "t.sparse.mm(c.detach(), t.ones(2, 2), 'amax')",
    )),
    "d = t.tensor([[0, 1.0, 2], [0, 0, 3.0]], requires_grad=True); "
    "y = d.to_sparse(); y.to_dense().sum().backward(); (y, d.grad)",
    "t.eye(2).to_sparse_csr()", "t.eye(2).to_sparse(layout=t.sparse_csr)", "t.eye(2).to_sparse_csc()",
    "t.eye(2).to_sparse(3)", "t.eye(2).to_sparse(0)", "t.eye(2).coalesce()", "t.eye(2).indices()", "t.eye(2).values()",
    "t.eye(2).sparse_dim(), t.eye(2).dense_dim(), t.eye(2).layout, t.eye(2).is_sparse", "t.eye(2)._nnz()",
    "d = t.eye(2); d.to_dense() is d", "t.zeros(2, 2).to_sparse()", "t.zeros(0, 2).to_sparse()",
    "t.tensor(3.0).to_sparse()",
    "t.zeros(3, 3, layout=t.sparse_coo)", "t.empty(3, 3, layout=t.sparse_coo)", "t.zeros(3, 3, layout=t.sparse_csr)",
    "v = t.tensor([1.0, 2, 3], requires_grad=True); y = t.sparse_coo_tensor([[0, 1, 1], [2, 0, 0]], v, (2, 3)); "
    "y.to_dense().pow(2).sum().backward(); (y, v.grad)",
    "v = t.tensor([3.0, 4], requires_grad=True); y = t.sparse_csr_tensor([0, 1, 2], [1, 0], v, (2, 2)); "
    "y.to_dense().sum().backward(); (y, v.grad)",
    "t.sparse_coo_tensor((2, 3))", "t.sparse_coo_tensor([[0, 1]], [1.0, 2])",
    "t.sparse_coo_tensor([[0, 1]], [1.0, 2, 3], (2,))",
    "t.sparse_coo_tensor([0, 1], [1.0, 2], (2,))", "t.sparse_coo_tensor([[0, 1], [0, 1]], [1.0, 2], (2,))",
    "t.sparse_coo_tensor([[0, 1]], [[1.0, 2], [3, 4]])", "t.sparse_coo_tensor([[0, 1]], [[1.0, 2], [3, 4]], (2, 3))",
    "t.sparse_coo_tensor(t.zeros(0, 1, dtype=t.long), 5.0, ())", "t.sparse_coo_tensor([[0, 1]], [True, False])",
    "t.sparse_coo_tensor(t.zeros(1, 0, dtype=t.long), [], (3,))",
    "t.sparse_coo_tensor([[0, 0]], [1, 2], dtype=t.float64)",
    "t.sparse_coo_tensor([[0, 0]], [1, 2], (2,), is_coalesced=True, check_invariants=True)",
    "t.sparse_coo_tensor([[0, 5]], [1, 2], (2,), check_invariants=True)",
    "t.sparse_coo_tensor([[0, -1]], [1, 2], (2,), check_invariants=True)",
    "t.sparse_coo_tensor([[0, 1]], [1, 2], (2,), is_coalesced=True).indices()",
    "t.sparse_coo_tensor([[0, 0]], [True, True], (2,)).coalesce()",
    "t.sparse_coo_tensor([[0, 0]], [1j, 2], (2,)).to_dense()",
    "t.sparse_csr_tensor([0, 1, 2], [1, 0], [3.0, 4])",
    "t.sparse_csr_tensor([0, 1, 2], [1, 5], [3.0, 4], (2, 2), check_invariants=True)",
    "t.sparse_csr_tensor([0, 1, 3], [1, 0], [3.0, 4], (2, 2), check_invariants=True)",
    "t.sparse_csc_tensor([0, 1, 2], [1, 0], [3.0, 4])",
    "t.sparse_compressed_tensor([0, 1, 2], [1, 0], [3.0, 4], layout=t.sparse_csr)",
    "t.bmm(t.arange(8.0).reshape(2, 2, 2).to_sparse(), t.ones(2, 2, 2))",
    "t.sparse.spdiags(t.arange(6.0).reshape(2, 3) + 1, t.tensor([0, 1]), (3, 3))",
    "t.sparse.spdiags(t.ones(2, 3), t.tensor([0, 0]), (3, 3))",
    "t.sparse.spdiags(t.ones(4), t.tensor(-1), (3, 3)).to_dense()",
    "t.ones(2, 2).sparse_mask(t.sparse_coo_tensor([[0, 0], [0, 0]], [1.0, 2], (2, 2)))",
    "t.ones(2).sparse_mask(t.ones(2))",
    "t.manual_seed(0); e = t.nn.Embedding(4, 2, padding_idx=1, sparse=True); "
    "e(t.tensor([[0, 1], [0, 3]])).sum().backward(); e.weight.grad",
    *(
        f"t.manual_seed(0); e = t.nn.EmbeddingBag(5, 2, sparse=True, {options}); "
        f"e({places}).pow(2).sum().backward(); e.weight.grad"
        for options in ("mode='mean'", "mode='sum'", "mode='sum', padding_idx=2", "mode='max'")
        for places in (
            "t.tensor([1, 2, 4, 1, 2]), t.tensor([0, 2, 4])", "t.tensor([[1, 2], [2, 2]])",
            "t.tensor([], dtype=t.int64), t.tensor([0, 0])",
        )
    ),
    "t.manual_seed(0); e = t.nn.EmbeddingBag(5, 2, mode='sum', sparse=True); "
    "e(t.tensor([[1, 2]]), per_sample_weights=t.tensor([[0.5, 2.0]])).sum().backward(); e.weight.grad",
)  # fmt: skip


def text(lib, program):
    *before, last = program.split("; ")
    scope = {"t": lib}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec("; ".join(before), scope)
        found = eval(last, scope)
    # The library's longer name breaks lines elsewhere.
    return re.sub(r"\s+", " ", re.sub(r"tensorcore\.|torch\.", "", repr(found)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_as_pytorch(program):
    try:
        theirs = text(torch, program)
    except Exception as error:
        kinds = (IndexError, TypeError, ValueError, AttributeError, RuntimeError)
        kind = next(each for each in kinds if isinstance(error, each))
        with pytest.raises((kind, RuntimeError)) as raised:
            text(tc, program)
        assert str(raised.value)
        return
    assert text(tc, program) == theirs


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "maximize": True}), ("SGD", {"lr": 0.1, "momentum": 0.9}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
        ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}), ("SparseAdam", {"lr": 0.1}),
        ("SparseAdam", {"lr": 0.1, "maximize": True}),
    ],
)  # fmt: skip
def test_steps_along_sparse_gradients(name, settings):
    weights = []
    for lib in (torch, tc):
        lib.manual_seed(0)
        table = lib.nn.Embedding(5, 3, sparse=True, padding_idx=1)
        optimizer = getattr(lib.optim, name)(table.parameters(), **settings)
        for places in ([[0, 1], [2, 2]], [[2, 3], [3, 0]], [[4, 1], [1, 2]]):
            optimizer.zero_grad()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                (table(lib.tensor(places)) ** 2).sum().backward()
                optimizer.step()
        weights.append(table.weight.detach().flatten().tolist())
    assert weights[1] == pytest.approx(weights[0], abs=2e-7)
