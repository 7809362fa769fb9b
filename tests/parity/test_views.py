"""Shapes, strides, and which ops share memory, against PyTorch."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from programs import agree

X = "x = t.arange(24.0).reshape(2, 3, 4); "
#: Calls on a tensor of shape (2, 3, 4), row-major and permuted.
CALLS = (
    "x.view(6, 4)", "x.view(-1)", "x.view(2, -1, 2)", "x.view((24,))", "x.view(5, 5)", "x.view(-1, -1)",
    "x.view(-1, 5)", "x.view(2, 12)", "x.view(t.Size([24]))", "x.view([4, 6])", "x.view(0)", "x.view_as(t.zeros(4, 6))",
    "x.reshape(4, 6)", "x.reshape(-1)", "x.reshape(7, -1)", "x.reshape(-2)", "x.reshape((2, 3, 4))",
    "x.reshape(1, 24, 1)",
    "x.transpose(0, 1)", "x.transpose(-1, 0)", "x.transpose(0, 3)", "x.permute(2, 0, 1)", "x.permute((0, 2, 1))",
    "x.permute(0, 1)", "x.permute(0, 0, 1)", "x.permute(-1, -2, -3)", "x.T if x.dim() == 2 else x.mT", "x.mT",
    "x.swapaxes(0, 2)", "x.movedim(0, -1)", "x.movedim((0, 1), (1, 2))", "x.moveaxis(0, 1)", "x.t()", "x[0].t()",
    "x[0, 0].t()", "x[0].T", "x.swapdims(0, 1)",
    "x.expand(5, 2, 3, 4)", "x[:, :1].expand(2, 3, 4)", "x[:, :1].expand(-1, 7, -1)", "x.expand(2, 3, 5)",
    "x.expand(3, 4)", "x[0, 0, :1].expand(3, -1, 2)", "x[0, 0, :1].expand(-1, 3)", "x[0].expand_as(x)",
    "x.broadcast_to((2, 2, 3, 4))", "t.broadcast_to(x[0], (2, 3, 4))", "x.narrow(1, 1, 2)", "x.narrow(1, -2, 2)",
    "x.narrow(1, 2, 2)", "x.narrow(0, 0, 0)", "x.narrow(3, 0, 1)", "x.narrow(1, 0, -1)",
    "x.select(0, 1)", "x.select(2, -1)", "x.select(0, 2)", "x.select(5, 0)", "x.squeeze()", "x[:1].squeeze()",
    "x[:1].squeeze(0)", "x.squeeze(0)", "x[:1, :, :1].squeeze((0, 2))", "x.squeeze(4)", "x[:1].squeeze(1)",
    "x.unsqueeze(0)", "x.unsqueeze(-1)", "x.unsqueeze(3)", "x.unsqueeze(4)", "x.unsqueeze(-5)", "x.flatten()",
    "x.flatten(1)", "x.flatten(0, 1)", "x.flatten(2, 1)", "x.flatten(-2)", "x[0, 0, 0].flatten()",
    "x.unflatten(2, (2, 2))", "x.unflatten(-1, (-1, 2))", "x.unflatten(2, (3, 2))", "x.unflatten(1, (3,))", "x.ravel()",
    "x.detach()", "x.data", "x.unbind()", "x.unbind(-1)[3]", "x.unbind(3)", "x.split(2, 1)", "x.split([1, 2], 1)",
    "x.split([1, 1], 1)", "x.split(5)", "x.split(0)", "x.split(-1)", "x.chunk(2, 2)", "x.chunk(3, 2)", "x.chunk(5, 0)",
    "x.chunk(0)", "x.tensor_split(3, 2)", "x.tensor_split([1, 3], 2)", "x.tensor_split(0)", "t.split(x, 1)",
    "x.hsplit(3)", "x.vsplit(2)", "x.dsplit(2)", "x.hsplit([1])", "x.vsplit(3)", "x.diagonal()", "x.diagonal(1, 1, 2)",
    "x.diagonal(0, 0, 2)", "x.real", "x[..., 1]", "x[:, None]", "x[1, ::2]", "x[:, :, ::3]", "x.contiguous()",
    "x.clone()", "x.alias() if hasattr(x, 'alias') else x",
    "x.view(t.int32)[0, 0]", "x.view(t.float32)", "x.view(t.uint8).shape", "x.view(t.float64).shape",
    "x[..., :3].view(t.float64)", "x.repeat(2, 1, 1)", "x.repeat(2)", "x.repeat(2, 2, 1, 1)", "x.repeat(0, 1, 1)",
    "x.repeat(-1, 1, 1)", "x.tile(2)", "x.tile((2, 1))", "x.roll(1)", "x.roll(1, 0)", "x.roll((1, -1), (0, 2))",
    "x.roll(5, 2)", "x.roll((1, 2), 0)", "x.flip(0)", "x.flip((0, 2))", "x.flip(0, 0)", "x.flip(3)", "x.fliplr()",
    "x.flipud()", "x.rot90()", "x.rot90(2, (1, 2))", "x.rot90(-1, (0, 2))", "x.rot90(3, (2, 1))",
    "t.repeat_interleave(x, 2, dim=1)", "x.repeat_interleave(2)", "x.repeat_interleave(t.tensor([1, 0, 2]), 1)",
    "x.repeat_interleave(t.tensor([1]), 1)", "x.repeat_interleave(t.tensor([1, 2]), 1)",
    "x.unfold(2, 2, 1)", "x.unfold(1, 2, 2)", "x.unfold(2, 5, 1)", "x.unfold(0, 1, 1)", "x.unfold(2, 2, 0)",
    "x.sum_to_size(3, 1)", "x.sum_to_size(2, 1, 4)", "x.sum_to_size(5)", "t.cat([x, x])", "t.cat([x, x], 2)",
    "t.cat((x, x[:, :1]), dim=1)", "t.cat([x, x[0]])", "t.cat([x, x[:, :2]])", "t.cat([x, t.tensor([])])", "t.cat([])",
    "t.cat([x, x.int()])", "t.cat([x], 3)", "t.cat([x[0, 0, 0]])", "t.concat([x, x], -1)", "t.concatenate([x, x])",
    "t.stack([x, x])", "t.stack([x, x], -1)", "t.stack([x, x[:1]])", "t.stack([])", "t.stack([x, x], 4)",
    "t.stack([x, x.long()])", "t.stack(list(x))", "t.hstack([x, x])", "t.vstack([x, x])", "t.dstack([x, x])",
    "t.column_stack([x[0], x[0]])", "t.hstack([x[0, 0], x[0, 0]])", "t.vstack([x[0, 0], x[0, 0]])",
    "t.column_stack([x[0, 0], x[0]. t()[:, 0]])", "t.dstack([x[0, 0], x[0, 0]])", "t.row_stack([x[0], x[0]])",
    "t.atleast_1d(x[0, 0, 0])", "t.atleast_2d(x[0, 0])", "t.atleast_3d(x[0, 0], x[0])",
    "t.broadcast_tensors(x, x[0], x[0, 0, 0])", "t.broadcast_tensors(x, t.zeros(5))",
    "x.select_scatter(t.zeros(3, 4), 0, 1)", "x.slice_scatter(t.zeros(2, 3, 2), 2, 0, 4, 2)",
    "x.diagonal_scatter(t.zeros(4, 2))", "x.slice_scatter(t.zeros(2, 1, 4), 1, 2)", "x.reshape_as(t.zeros(4, 6))",
    "x.stride()", "x.stride(1)", "x.is_contiguous()", "x.storage_offset()", "x.numel()", "x.size(0)", "x.mH",
    "x.adjoint()", "x.split_with_sizes([1, 2], 1)", "x.ndim",
)  # fmt: skip
LAYOUTS = {
    "row-major": X,
    "permuted": "x = t.arange(24.0).reshape(4, 2, 3).permute(1, 2, 0); ",
    "sliced": "x = t.arange(96.0).reshape(4, 3, 8)[1:3, :, ::2]; ",
}
VALUES = [layout + call for layout in LAYOUTS.values() for call in CALLS]

#: Calls whose result may share memory: what is written to it shows in `x` where PyTorch's does.
SHARING = (
    "view(24)", "reshape(24)", "transpose(0, 1)", "permute(2, 0, 1)", "mT", "movedim(0, 1)", "narrow(1, 1, 2)",
    "select(1, 0)", "squeeze()", "unsqueeze(0)", "flatten()", "flatten(1)", "ravel()", "detach()", "data",
    "unbind()[0]", "split(1)[1]", "chunk(2)[0]", "contiguous()", "clone()", "real", "diagonal()", "diagonal(0, 1, 2)",
    "view_as(x)",
    "expand_as(x)", "expand(2, 3, 4)", "to(t.float32)", "to(t.float64)", "float()", "[0]", "[..., 1]", "[:, None]",
    "[:, t.tensor([0])]", "[x > 3]", "[:]", "[...]", "[::2]", "flip(0)", "roll(1)", "repeat(1, 1, 1)", "tile(1)",
    "unflatten(2, (2, 2))", "numpy()", "reshape(2, 3, 4)", "swapaxes(0, 1)", "tensor_split(2)[1]", "cpu()",
    "type(t.float32)", "requires_grad_(False)", "view(t.int32)", "positive()", "abs()", "hsplit(3)[0]",
)  # fmt: skip
WRITTEN = [f"{layout}y = x{'' if call[0] == '[' else '.'}{call}; y[...] = -5; x" for name,
    layout in LAYOUTS.items() for call in SHARING
           if not (name != "row-major" and call in ("diagonal()", "diagonal(0, 1, 2)", "view(t.int32)"))]  # fmt: skip
STRIDES = [
    f"{layout}x{'' if call[0] == '[' else '.'}{call}.stride()"
    for layout in LAYOUTS.values()
    for call in SHARING
    if call
    not in (
        "numpy()",
        "to(t.float64)",
        "diagonal()",
        "diagonal(0, 1, 2)",
        "repeat(1, 1, 1)",
        "abs()",
        "clone()",
        "flip(0)",
        "[:, t.tensor([0])]",
        "tile(1)",
        "positive()",
        "real",
    )
]
CHAINS = [
    f"{X}x.view(6, 4)[1].view(2, 2)[0] = 9; x", f"{X}x[0].t()[1].fill_(7); x", f"{X}y = x[1][2]; y += 1; x",
    f"{X}for_ = [v.mul_(2) for v in x]; x", f"{X}x.transpose(0, 2)[1:, 1].zero_(); x",
    f"{X}y = x.view(-1); x[0, 0, 0] = 50; y[0]", f"{X}y = x.flatten(); y.add_(1); x",
    f"{X}x.permute(2, 1, 0).flatten().zero_(); x",
    f"{X}x.unbind(1)[0].fill_(3); x", f"{X}a, b = x.split(1); a.copy_(b); x", f"{X}x.data.zero_(); x",
    f"{X}x.detach().fill_(2); x", f"{X}x.expand(2, 2, 3, 4)[0, 0, 0].sum()",
    f"{X}x.squeeze(0).unsqueeze(-1)[..., 0].zero_(); x", f"{X}x[:, 1:, ::2].zero_(); x",
    f"{X}x.diagonal(0, 1, 2).zero_(); x", f"{X}x.view(t.int32).zero_(); x",
    "x = t.zeros(3); y = x; x = x + 1; y", "x = t.zeros(3); y = x; x += 1; y",
    "x = t.zeros(2, 3); y = x.t_(); (y is x, x.shape)", "x = t.zeros(2, 3); y = x[0]; x.t_(); y.fill_(1); x",
    "x = t.zeros(3); y = x.unsqueeze_(0); y[0, 1] = 2; x", "x = t.zeros(1, 3)[0:1]; x.squeeze_(0); x.shape",
    "x = t.arange(6); x.resize_(2, 2)", "x = t.zeros(2); y = t.ones(3); x.set_(y); y[0] = 5; x",
    "x = t.zeros(2); x.data = t.ones(3); x",
    "x = t.ones(2, 3, requires_grad=True); (x.t() * t.arange(6.0).reshape(3, 2)).sum().backward(); x.grad",
    "x = t.ones(2, requires_grad=True); y = x.unsqueeze(0).expand(3, 2); (y * t.arange(6.0).reshape(3, "
        "2)).sum().backward(); x.grad",
        "x = t.arange(4.0).requires_grad_(); x.view(2, 2).t().reshape(-1).mul(t.arange(4.0)).sum().backward(); x.grad",
        "x = t.ones(3, requires_grad=True); y = (x * 2).t_(); y.sum().backward(); x.grad",
        "x = t.ones(3, requires_grad=True); y = (x * 2).unsqueeze_(0); (y * t.arange(3.0)).sum().backward(); x.grad",
        "x = t.ones(4, requires_grad=True); y = x * 1; y.unfold(0, 2, 1).sum().backward(); x.grad",
    "x = t.ones(2, 2, requires_grad=True); (x.repeat(2, 3) * t.arange(24.0).reshape(4, 6)).sum().backward(); x.grad",
    "x = t.ones(3, requires_grad=True); (x.repeat_interleave(t.tensor([2, 0, 1])) * t.arange(3.0)).sum().backward(); "
        "x.grad", "x = t.ones(3, requires_grad=True); (t.cat([x, x * 2]) * t.arange(6.0)).sum().backward(); x.grad",
        "x = t.ones(2, 3, requires_grad=True); (x.roll(1, 1) * t.arange(6.0).reshape(2, 3)).sum().backward(); x.grad",
        "x = t.ones(2, 3, requires_grad=True); (x.flip(1) * t.arange(6.0).reshape(2, 3)).sum().backward(); x.grad",
    "x = t.ones(2, 2, requires_grad=True); t.einsum('ij,jk->ik', x, t.arange(4.0).reshape(2, 2)).sum().backward(); "
        "x.grad", "x = t.ones(2, 2, requires_grad=True); t.einsum('ii->i', x).sum().backward(); x.grad",
        "x = t.ones(2, 3, requires_grad=True); t.tensordot(x, t.ones(3, 2), 1).sum().backward(); x.grad",
        "x = t.arange(6.0).reshape(2, 3).requires_grad_(); x.rot90().mul(t.arange(6.0).reshape(3, "
            "2)).sum().backward(); x.grad",
            "x = t.ones(3, requires_grad=True); x.diag_embed().mul(t.arange(9.0).reshape(3, 3)).sum().backward(); "
            "x.grad",
    "x = t.zeros(3); x._version", "x = t.zeros(3); x.add_(1); x[0] = 5; x._version",
    "x = t.zeros(3); y = x[1:]; y.add_(1); x._version == y._version", "x = t.zeros(3); x[1:]._base is x",
    "x = t.zeros(3); x._base", "x = t.zeros(3); x[1:]._is_view()", "x = t.zeros(3); x.detach()._version",
    "x = t.zeros(2, 2); x.view(4)[0].data_ptr() == x.data_ptr()", "x = t.zeros(2, 2); x[1].data_ptr() - x.data_ptr()",
    "t.zeros(0, 3).view(3, 0).shape", "t.zeros(0).view(-1)", "t.zeros(0, 2).view(-1, 2)", "t.zeros(0, 2).view(2, -1)",
    "t.zeros(0, 2).reshape(-1)", "t.tensor(1).view(1, 1)", "t.tensor(5).expand(2, 2)", "t.tensor([]).squeeze()",
    "t.zeros(1, 0).squeeze().shape",
]  # fmt: skip


@pytest.mark.parametrize("source", VALUES)
def test_values(source):
    agree(source)


@pytest.mark.parametrize("source", WRITTEN)
def test_sharing(source):
    agree(source)


@pytest.mark.parametrize("source", STRIDES)
def test_strides(source):
    agree(source)


@pytest.mark.parametrize("source", CHAINS)
def test_chains(source):
    agree(source)
