"""`tensorcore.func`, `autograd.functional` and `autograd.forward_ad` against PyTorch's: programs run in both."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.autograd.forward_ad  # noqa: E402, F811
from programs import CLASSES, run  # noqa: E402

import tensorcore as tc  # noqa: E402

X = (
    "f = t.func; x = t.arange(12.0, dtype=t.float64).reshape(3, 4) / 7; "
    "w = t.cos(t.arange(8.0, dtype=t.float64)).reshape(4, 2); "
)

VMAP = (
    "t.vmap(t.dot)(x, x)", "t.vmap(lambda a: a @ w)(x)", "t.vmap(lambda a, b: a @ b, (0, None))(x, w)",
    "t.vmap(lambda a: a.sum(), in_dims=1)(x)", "t.vmap(lambda a: a * 2, in_dims=1, out_dims=1)(x)",
    "t.vmap(lambda a: a * 2, in_dims=-1, out_dims=-1)(x)", "t.vmap(lambda a: (a, a.sum()))(x)",
    "t.vmap(lambda a: (a, a.sum()), out_dims=(1, 0))(x)", "t.vmap(lambda a: {'s': a.sum(), 'l': [a, a + 1]})(x)",
    "t.vmap(lambda d: d['a'] + d['b'], in_dims=({'a': 0, 'b': None},))({'a': x, 'b': x[0]})",
    "t.vmap(lambda p: p[0] * p[1], in_dims=((0, 1),))((x, x.T))", "t.vmap(lambda a, k=None: a + k)(x, k=x)",
    "t.vmap(lambda a: t.ones(2, dtype=t.float64))(x)", "t.vmap(lambda a: w.sum(), out_dims=None)(x)",
    "t.vmap(t.vmap(lambda a, b: a * b))(x, x)",
    "t.vmap(t.vmap(lambda a, b: a * b, (None, 0)), (0, None))(x[0], x[:, 0])",
    "t.vmap(lambda a: a.softmax(0), chunk_size=2)(x)",
    "t.vmap(lambda a: (a, a.sum()), out_dims=(1, 0), chunk_size=2)(x)",
    "t.vmap(lambda a, i: a[i], (0, 0))(x, t.tensor([0, 3, 1]))", "t.vmap(lambda i: x[i])(t.tensor([[0, 2], [1, 1]]))",
    "t.vmap(lambda i: x[:, i])(t.tensor([0, 2]))", "t.vmap(lambda a: a[t.tensor([0, 2])])(x)",
    "t.vmap(lambda a, i: a.gather(0, i))(x, t.tensor([[0], [1], [3]]))",
    "t.vmap(lambda i: x[0].gather(0, i))(t.tensor([[0], [1], [3]]))",
    "t.vmap(lambda a, i: t.zeros(4, dtype=t.float64).scatter(0, i, a[:2]))(x, t.tensor([[0, 1], [3, 2], "
        "[1, 0]]))",
    "t.vmap(lambda a, i: a.index_add(0, i, a[:2]))(x, t.tensor([[0, 1], [3, 2], [1, 1]]))",
    "t.vmap(lambda a: a.reshape(2, 2).T.flatten())(x)", "t.vmap(lambda a: a.unsqueeze(0).expand(3, 4))(x)",
    "t.vmap(lambda a: t.stack([a, a * 2], -1))(x)", "t.vmap(lambda a: t.cat([a, w[:, 0]]))(x)",
    "t.vmap(lambda a: a.flip(0).roll(1))(x)", "t.vmap(lambda a: t.where(a > 0.5, a, -a))(x)",
    "t.vmap(lambda a: a.sort(descending=True))(x)", "t.vmap(lambda a: a.topk(2))(x)", "t.vmap(lambda a: a.max(0))(x)",
    "t.vmap(lambda a: a.argmax())(x)", "t.vmap(lambda a: a.cumsum(0))(x)", "t.vmap(lambda a: a.std())(x)",
    "t.vmap(lambda a: a.norm())(x)", "t.vmap(lambda a: t.einsum('i,ij->j', a, w))(x)",
    "t.vmap(lambda a: t.outer(a, a).trace())(x)", "t.vmap(lambda a: t.linalg.det(t.outer(a, a) + t.eye(4)))(x)",
    "t.vmap(lambda a: t.linalg.solve(t.outer(a, a) + t.eye(4, dtype=t.float64), a))(x)",
    "t.vmap(lambda a: t.linalg.inv(t.outer(a, a) + t.eye(4, dtype=t.float64)))(x)",
    "t.vmap(lambda a: t.nn.functional.linear(a, w.T, w[0]))(x)",
    "t.vmap(lambda a, v: t.nn.functional.linear(a, v), (None, 0))(x, t.stack([w.T, w.T * 2]))",
    "t.vmap(lambda a: t.nn.functional.layer_norm(a, (4,), w[:, 0], w[:, 1]))(x)",
    "t.vmap(lambda a: t.nn.functional.conv1d(a[None, None], w.T[:, None, :3]))(x)",
    "t.vmap(lambda v: t.nn.functional.conv1d(x[:, None], v))(t.stack([w.T[:, None, :3], w.T[:, None, 1:]]))",
    "t.vmap(lambda a, v: t.nn.functional.conv1d(a, v))(t.stack([x[:, None]] * 2), t.stack([w.T[:, None, "
        ":3]] * 2))",
    "t.vmap(lambda a: t.nn.functional.max_pool1d(a[None], 2))(x)", "t.vmap(lambda a: t.nn.functional.gelu(a))(x)",
    "t.vmap(lambda v: t.nn.functional.embedding(t.tensor([0, 2]), v))(t.stack([w, w * 2]))",
    "t.vmap(lambda i: t.nn.functional.embedding(i, w))(t.tensor([[0, 2], [1, 3]]))",
    "t.vmap(lambda a, b: t.nn.functional.cross_entropy(a, b))(x, t.tensor([0, 3, 1]))",
    "t.vmap(lambda a: t.nn.functional.mse_loss(a, w[:, 0]))(x)", "t.vmap(lambda a: t.fft.fft(a))(x)",
    "t.vmap(lambda a: t.nn.functional.scaled_dot_product_attention(a[None, :, None], a[None, :, None], "
        "a[None, :, None]))(x)",
    "t.vmap(lambda a: a.clone().add_(1))(x)", "t.vmap(lambda a: a.new_zeros(4).add_(a))(x)",
    "y = x.clone(); t.vmap(lambda a: a.mul_(2))(y); y", "y = x.clone(); t.vmap(lambda a: a[1:3].zero_())(y); y",
    "y = x.clone(); t.vmap(lambda a: a.copy_(w[:, 0]), in_dims=0)(y); y",
    "t.vmap(lambda a: t.zeros_like(a).index_put_((t.tensor([1]),), a[:1]))(x)",
    "t.vmap(lambda a: t.zeros(4, dtype=t.float64).add_(a))(x)", "t.vmap(lambda a: a.item())(x)",
    "t.vmap(lambda a: a if a.sum() > 0 else -a)(x)", "t.vmap(lambda a: a.nonzero())(x)",
    "t.vmap(lambda a: a[a > 1])(x)", "t.vmap(lambda a: 1.0)(x)", "t.vmap(lambda a: a, in_dims=2)(x)",
    "t.vmap(lambda a: a, in_dims=None)(x)", "t.vmap(lambda a, b: a, in_dims=(0, 0))(x, w)",
    "t.vmap(lambda a, b: a, in_dims=(0,))(x, w)", "t.vmap(lambda a: a, out_dims=3)(x)",
    "t.vmap(lambda a: a, out_dims=(0, 0))(x)", "t.vmap(lambda a: a)(1.0)", "t.vmap(lambda a: a, out_dims=None)(x)",
    "t.vmap(lambda a: a, randomness='no')(x)", "t.vmap(lambda a: a, chunk_size=0)(x)",
    "t.vmap(lambda a: t.rand(2))(x)", "t.vmap(lambda a: t.nn.functional.dropout(a))(x)",
    "t.vmap(lambda a: t.nn.functional.dropout(a, 0.5, False))(x)",
    "t.manual_seed(0); t.vmap(lambda a: t.rand(3), randomness='different')(x)",
    "t.manual_seed(0); t.vmap(lambda a: t.rand(3), randomness='same')(x)",
    "t.manual_seed(0); t.vmap(lambda a: t.randint(0, 9, (3,)), randomness='different')(x)",
    "t.manual_seed(0); t.vmap(t.vmap(lambda a: t.rand(2), randomness='different'), randomness='same')(x)",
    "t.vmap(lambda a: a.to(t.float32))(x)", "t.vmap(lambda a: a + t.tensor(1, dtype=t.int32))(x[0].to(t.int64))",
    "t.vmap(lambda a: a + 1.5)(t.arange(3))",
    "t.vmap(lambda a: t.histc(a, 4))(x)", "t.vmap(lambda a: t.histc(a, 4, 0, 1))(x)",
    "t.vmap(lambda a: t.histogram(a, 3))(x)", "t.vmap(lambda a: t.histogram(a, 3, range=(0.0, 1.0)).hist)(x)",
    "t.vmap(lambda a: t.bincount(a, minlength=14))(t.arange(12).reshape(3, 4))",
    "t.vmap(lambda a: t.bincount(a))(t.arange(12).reshape(3, 4))", "t.vmap(t.argwhere)(x + 1)", "t.vmap(t.argwhere)(x)",
    "t.vmap(lambda a: t.nonzero_static(a, size=3))(x)", "t.vmap(lambda a, m: a.masked_scatter(m, a + 9))(x, x > 1)",
    "y = x.clone(); t.vmap(lambda a, m: a.masked_scatter_(m, a + 9))(y, x > 1); y",
    "t.vmap(t.vmap(lambda a: t.histc(a, 2)), in_dims=1)(x.reshape(3, 2, 2))",
    "t.vmap(f.grad(lambda a, m: (a.masked_scatter(m, a * 3) ** 2).sum()))(x, x > 1)",
    "t.vmap(f.grad(lambda a, s, m: (a.masked_scatter(m, s) ** 2).sum(), argnums=(0, 1)))(x, x + 1, x > 1)",
    "t.vmap(lambda a, m: f.jvp(lambda b: b.masked_scatter(m, b * 3) ** 2, (a,), (a,)))(x, x > 1)",
    "f.jvp(lambda a: t.vmap(lambda b, m: b.masked_scatter(m, b * 3) ** 2)(a, x > 1), (x,), (x,))",
    "t.vmap(lambda a, m: f.hessian(lambda b: (b.masked_scatter(m, b * 3) ** 3).sum())(a))(x[:, :2], x[:, :2] > 1)",
    "y = x.clone().requires_grad_(); "
        "t.vmap(lambda a, m: a.masked_scatter(m, a * 3))(y, x > 1).sum().backward(); y.grad",
    "t.vmap(lambda a, r: t.repeat_interleave(a, r))(x, t.tensor([[1, 2, 3, 0], [0, 3, 3, 0], [1, 1, 1, 3]]))",
    "t.vmap(lambda r: t.repeat_interleave(x, r, dim=1))(t.tensor([[1, 2, 3, 0], [0, 3, 3, 0]]))",
    "t.vmap(lambda a, r: t.repeat_interleave(a, r))(x, t.tensor([[1, 2, 3, 0], [0, 3, 3, 1], [1, 1, 1, 3]]))",
    "t.vmap(t.nonzero)(x)", "t.vmap(lambda a: a[a > 1])(x)", "t.vmap(t.unique)(x)", "t.vmap(t.equal)(x, x)",
    "t.vmap(lambda a: t.poisson(a))(x)", "t.vmap(lambda a: t.poisson(a), randomness='different')(x).shape",
    "t.vmap(lambda a: t.binomial(a.round(), a / 9), randomness='different')(x).shape",
    "t.vmap(lambda a, b: a + b)(t.arange(3), t.ones(3, 2, dtype=t.float32))",
    "t.vmap(lambda a, b: a + b)(t.ones(3, dtype=t.float64), t.ones(3, 2, dtype=t.float32))",
)  # fmt: skip

DERIVATIVES = (
    "f.grad(lambda a: (a ** 3).sum())(x)", "f.grad(f.grad(lambda a: a ** 3))(x[0, 1])",
    "f.grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x)",
    "f.grad(lambda a, b: (a * b).sum(), argnums=1)(x, x + 1)",
    "f.grad(lambda d: (d['a'] * d['b'][0]).sum())({'a': x, 'b': [x + 1]})",
    "f.grad(lambda a: (a.sum(), {'aux': a}), has_aux=True)(x)", "f.grad_and_value(lambda a: a.sin().sum())(x)",
    "f.grad_and_value(lambda a: (a.sin().sum(), a), has_aux=True)(x)", "f.grad(lambda a: a)(x)",
    "f.grad(lambda a: 1.0)(x)", "f.grad(lambda a: a.sum(), argnums=2)(x)", "f.grad(lambda a: a.sum())(t.arange(3))",
    "f.grad(lambda a: w.sum())(x)", "f.grad(lambda a: (a * a.detach()).sum())(x)",
    "f.grad(lambda a: a.sum() + x.sum())(x)", "f.grad(lambda a: f.grad(lambda b: (a * b).sum())(a).sum())(x)",
    "f.grad(lambda a: f.grad(lambda b: a * b)(t.ones((), dtype=t.float64)))(x[0, 1])",
    "p, pull = f.vjp(lambda a: a.sin(), x); (p, pull(x))",
    "p, pull = f.vjp(lambda a: (a.sin(), a.sum()), x); pull((x, x[0, 0]))",
    "p, pull = f.vjp(lambda a, b: a @ b, x, w); pull(t.ones(3, 2, dtype=t.float64))",
    "p, pull, aux = f.vjp(lambda a: (a.sin(), a), x, has_aux=True); (p, aux)", "f.vjp(lambda a: a, x)[1](w)",
    "f.jvp(lambda a: a.sin(), (x,), (x,))", "f.jvp(lambda a, b: a @ b, (x, w), (x, w))",
    "f.jvp(lambda a: (a.sin(), a.sum()), (x,), (x,), has_aux=True)", "f.jvp(lambda a: a, (x,), (w,))",
    "f.jvp(lambda a: a, x, x)", "f.jvp(lambda a: f.jvp(lambda b: b ** 3, (a,), (x,))[1], (x,), (x,))",
    "f.jvp(lambda a: w, (x,), (x,))", "f.jvp(lambda a: w, (x,), (x,), strict=True)",
    "f.jvp(f.grad(lambda a: (a ** 3).sum()), (x,), (x,))",
    "f.grad(lambda a: f.jvp(lambda b: (b ** 3).sum(), (a,), (x,))[1])(x)", "f.linearize(lambda a: a.sin(), x)[0]",
    "f.linearize(lambda a: a.sin(), x)[1](x)", "f.linearize(lambda a: (a.sin(), a @ w), x)[1](x + 1)",
    *(
        f"f.{mode}({call}"
        for mode in ("jacrev", "jacfwd")
        for call in (
            "lambda a: a.sin())(x[0])", "lambda a: a @ w)(x)", "lambda a, b: a @ b, argnums=1)(x, w)",
            "lambda a, b: a @ b, argnums=(0, 1))(x, w)", "lambda a: (a.sum(), {'k': a * 2}))(x[0])",
            "lambda d: d['a'] * d['b'])({'a': x[0], 'b': x[1]})", "lambda a: (a.sin(), a), has_aux=True)(x[0])",
            "lambda a: a.sum())(x)", "lambda a: w)(x)",
            "lambda a: a.prod())(x[0])", "lambda a: a.sort().values)(x[0])", "lambda a: a.softmax(0))(x[0])",
        )
    ),
    "f.hessian(lambda a: (a ** 3).sum())(x[0])",
    "f.hessian(lambda a, b: (a * b).sum() ** 2, argnums=(0, 1))(x[0], x[1])",
    "f.hessian(lambda a: a.softmax(0).prod())(x[0])", "f.hessian(lambda a: a.sin())(x[0, :2])",
    "f.jacrev(f.jacrev(lambda a: (a ** 3).sum()))(x[0])", "f.jacfwd(f.jacfwd(lambda a: (a ** 3).sum()))(x[0])",
    "f.jacrev(f.jacfwd(lambda a: (a ** 3).sum()))(x[0])", "t.vmap(f.grad(lambda a: (a ** 3).sum()))(x)",
    "t.vmap(f.grad(lambda v, a: (a @ v).sin().sum()), (None, 0))(w, x)", "t.vmap(f.jacrev(lambda a: a.sin()))(x)",
    "t.vmap(f.jacfwd(lambda a: a.sin()))(x)", "t.vmap(f.hessian(lambda a: (a ** 3).sum()))(x)",
    "f.grad(lambda a: t.vmap(lambda b: (b ** 2).sum())(a).sum())(x)",
    "f.jvp(t.vmap(lambda a: a.sin().sum()), (x,), (x,))", "f.jacrev(t.vmap(lambda a: a.sin().sum()))(x)",
    "t.vmap(lambda a: f.vjp(lambda b: b.sin(), a)[1](a)[0])(x)",
    "t.vmap(lambda a: f.jvp(lambda b: b.sin(), (a,), (a,))[1])(x)",
    "t.vmap(lambda v: f.jvp(lambda b: b.sin(), (x[0],), (v,))[1])(x)",
    "t.vmap(f.grad(f.grad(lambda a: a ** 3)))(x[0])",
    "y = w.clone().requires_grad_(); t.vmap(lambda a: (a @ y).sum())(x).sum().backward(); y.grad",
    "y = x.clone().requires_grad_(); t.vmap(f.grad(lambda a: (a ** 3).sum()))(y).sum().backward(); y.grad",
    "y = x.clone().requires_grad_(); f.grad(lambda a: (a ** 3).sum())(y).sum().backward(); y.grad",
    "y = x.clone().requires_grad_(); f.jvp(lambda a: a ** 3, (y,), (x,))[1].sum().backward(); y.grad",
    "f.grad(lambda a: a ** 2)(x[0, 1]).requires_grad", "f.vjp(lambda a: a ** 2, x)[0].requires_grad",
    "y = x.clone().requires_grad_(); "
        "(f.grad(lambda a: (a ** 2).sum())(y).requires_grad, f.grad(lambda a: a.sum())(x).requires_grad)",
    "y = x.clone().requires_grad_(); f.vjp(lambda a: (a * y).sum(), x)[0].requires_grad",
    "y = x.clone().requires_grad_()\nwith t.no_grad():\n    r = f.grad(lambda a: (a ** 2).sum())(y)\n"
        "r.requires_grad, r",
    "def g(a):\n    with t.no_grad():\n        c = a ** 2\n    return (a - c).sum()\nf.grad(g)(x)",
    "f.grad(lambda a: t.abs(a * (1 + 2j)).sum())(x)", "f.jacrev(lambda a: (a * (1 + 2j)).abs())(x[0])",
    "m = t.nn.Linear(4, 2).double(); f.functional_call(m, {'weight': w.T, 'bias': w[0]}, x)",
    "m = t.nn.Linear(4, 2).double(); f.functional_call(m, ({'weight': w.T}, {'bias': w[0]}), (x,))",
    "m = t.nn.Linear(4, 2).double(); f.functional_call(m, {'weight': w.T}, x, strict=True)",
    "m = t.nn.Linear(4, 2).double(); f.functional_call(m, {'other': w.T}, x).shape",
    "m = t.nn.Linear(4, 2).double(); f.functional_call(m, ({'weight': w.T}, {'weight': w.T}), x)",
    "m = t.nn.Linear(4, 2).double(); "
        "t.vmap(f.grad(lambda p, a: f.functional_call(m, p, a).sin().sum()), (None, 0))({'weight': w.T, "
        "'bias': w[0]}, x)",
    "m = t.nn.BatchNorm1d(4).double(); b = dict(m.named_buffers()); "
        "f.functional_call(m, {**dict(m.named_parameters()), **b}, x); (m.running_mean, b['running_mean'])",
    "ms = [t.nn.Linear(4, 2) for _ in range(3)]; p, b = f.stack_module_state(ms); "
        "({k: v.shape for k, v in p.items()}, b, p['weight'].requires_grad, p['weight'].is_leaf)",
    "f.grad(lambda a: a.long().sum())(x)", "f.jvp(lambda a, b: a * b, (x, 3), (x, 3))",
    "f.jvp(lambda a: a, (t.arange(3),), (t.arange(3),))", "f.linearize(lambda a: a ** 2, x)[1](x.float())",
    "f.linearize(lambda a: a ** 2, x)[1](x[0])", "f.linearize(lambda a: a ** 2, x)[1](x, x)", "f.debug_unwrap(3)",
    "f.debug_unwrap(x)", "t.vmap(lambda a: a.storage())(x)", "t.vmap(lambda a: a.numpy())(x)",
    "f.replace_all_batch_norm_modules_(t.nn.InstanceNorm1d(2, track_running_stats=True)).running_mean",
    "m = f.replace_all_batch_norm_modules_(t.nn.Sequential(t.nn.BatchNorm2d(2), t.nn.Linear(2, 2))); m[0].running_var",
    "t.vmap(t.nn.BatchNorm1d(4).double())(x.reshape(3, 1, 4).expand(3, 2, 4))",
    "a, b = t.nn.Linear(2, 2), t.nn.Linear(2, 2); b.eval(); f.stack_module_state([a, b])",
    "f.stack_module_state([t.nn.Linear(2, 2), t.nn.Linear(3, 2)])", "f.functional_call(t.nn.Linear(2, 2), 3, x)",
    "f.functional_call(t.nn.Linear(2, 2), {'weight': 3}, x)", "f.grad(lambda a: (a.sum(), 3))(x)",
    "f.jacrev(lambda a: a, argnums=(0, 0))(x[0])", "f.jacrev(lambda a: a ** 2, chunk_size=0)(x[0])",
    "f.stack_module_state([])", "f.stack_module_state([t.nn.Linear(1, 1), t.nn.ReLU()])",
    "f.grad(lambda a: (a * (1 + 2j)).sum())(x)", "f.jacrev(lambda a: a * a)(x.to(t.complex128))",
    "f.jacfwd(lambda a: a * a)(x.to(t.complex128))", "f.jacfwd(lambda a: a * (1 + 2j))(x)",
    "f.jacrev(lambda a: a * (1 + 2j))(x)", "f.grad(lambda a: a.abs().sum())(x.to(t.complex128) * (1 + 1j) + 1)",
    "f.jvp(lambda a: t.fft.fft(a), (x,), (x,))", "f.hessian(lambda a: t.fft.fft(a).abs().sum())(x[0])",
    "t.vmap(f.grad(lambda a: a.cumprod(0).sum()))(x)", "t.vmap(f.grad(lambda a: a.prod()))(x)",
    "y = x.clone().requires_grad_(); t.autograd.grad(y ** 2, y, t.stack([x, x + 1]), is_grads_batched=True)",
)  # fmt: skip

A = "F = t.autograd.functional; x = t.arange(4.0, dtype=t.float64) / 3; y = t.cos(x); "
FUNCTIONAL = (
    "F.vjp(lambda a: a * 2, x, y)", "F.vjp(lambda a, b: (a * b, a.sum()), (x, y), (x, x[0]))",
    "F.vjp(lambda a: a.sum(), x)", "F.vjp(lambda a: a, x)", "F.vjp(lambda a: a, x, y[:2])",
    "F.vjp(lambda a: y, x, y)", "F.vjp(lambda a: y, x, y, strict=True)", "F.jvp(lambda a: a ** 2, x, y)",
    "F.jvp(lambda a, b: (a * b, a.sum()), (x, y), (y, x))", "F.jvp(lambda a: y, x, y, strict=True)",
    "F.jvp(lambda a: a, x)", "F.jacobian(lambda a: a.sin(), x)", "F.jacobian(lambda a, b: (a * b, a.sum()), (x, y))",
    "F.jacobian(lambda a: a.sin(), x, vectorize=True)",
    "F.jacobian(lambda a: a.sin(), x, vectorize=True, strategy='forward-mode')",
    "F.jacobian(lambda a, b: a * b, (x, y), vectorize=True, strategy='forward-mode')",
    "F.jacobian(lambda a: y, x, strict=True)", "F.jacobian(lambda a: a, x, strict=True, vectorize=True)",
    "F.jacobian(lambda a: a, x, strategy='sideways')", "F.hessian(lambda a: (a ** 3).sum(), x)",
    "F.hessian(lambda a, b: (a * b).sum() ** 2, (x, y))", "F.hessian(lambda a: a, x)",
    "F.hessian(lambda a: (a ** 3).sum(), x, vectorize=True, outer_jacobian_strategy='forward-mode')",
    "F.hvp(lambda a: (a ** 3).sum(), x, y)", "F.vhp(lambda a: (a ** 3).sum(), x, y)",
    "F.hvp(lambda a, b: (a * b).sum() ** 2, (x, y), (y, x))",
    "F.vhp(lambda a, b: (a * b).sum() ** 2, (x, y), (y, x))",
    "F.vjp(lambda a: a * 2, x.clone().requires_grad_(), y)[1].requires_grad",
    "z = x.clone().requires_grad_(); F.jacobian(lambda a: a ** 3, z, create_graph=True).sum().backward(); "
        "z.grad",
    "z = x.clone().requires_grad_(); "
        "F.hessian(lambda a: (a ** 4).sum(), z, create_graph=True).sum().backward(); z.grad",
    "z = x.clone().requires_grad_(); "
        "F.hvp(lambda a: (a ** 4).sum(), z, y, create_graph=True)[1].sum().backward(); z.grad",
    "z = x.clone().requires_grad_(); F.jvp(lambda a: a ** 4, z, y, create_graph=True)[1].sum().backward(); "
        "z.grad",
    "F.hessian(lambda a: a.sum(), x, strict=True)", "F.hvp(lambda a: a.sum(), x, y, strict=True)",
    "F.vhp(lambda a: (a * y).sum(), x, y, strict=True)", "F.hessian(lambda a: (a ** 3).sum(), x, strict=True)",
    "F.hessian(lambda a: (a[0], a), x)", "F.vjp(1, x)", "F.vjp(lambda a: 1, x)", "F.jacobian(lambda a: a, 3)",
)  # fmt: skip

B = (
    "x = t.arange(4.0, dtype=t.float64) / 3; v = t.cos(x)\n"
    "import importlib; fw = importlib.import_module(t.__name__ + '.autograd.forward_ad')\n"
)
FORWARD = (
    "with fw.dual_level():\n    r = fw.unpack_dual(fw.make_dual(x, v).sin())\n(r.primal, r.tangent)",
    "with fw.dual_level():\n    r = fw.unpack_dual(x)\nr.tangent is None",
    "with fw.dual_level():\n    d = fw.make_dual(x, v)\n    r = fw.unpack_dual(d.detach())\nr.tangent is None",
    "with fw.dual_level():\n    d = fw.make_dual(x, v)\n    y = t.zeros(4, dtype=t.float64)\n"
        "    y[1:3] = d[:2] * 3\n    r = fw.unpack_dual(y * y)\n(r.primal, r.tangent)",
    "with fw.dual_level():\n    d = fw.make_dual(x.clone(), v)\n    d.mul_(2)\n    r = fw.unpack_dual(d)\n"
        "(r.primal, r.tangent)",
    "with fw.dual_level():\n    with t.no_grad():\n        r = fw.unpack_dual(fw.make_dual(x, v) ** 2)\n"
        "r.tangent",
    "z = x.clone().requires_grad_()\nwith fw.dual_level():\n    r = fw.unpack_dual(fw.make_dual(z, v) ** 3)\n"
        "    r.tangent.sum().backward()\nz.grad",
    "fw.make_dual(x, v)", "with fw.dual_level():\n    fw.make_dual(x, v[:2])\n1",
    "with fw.dual_level():\n    fw.make_dual(t.arange(3), t.arange(3))\n1",
    "with fw.dual_level():\n    with fw.dual_level():\n        pass\n1", "fw.exit_dual_level()",
    "with fw.dual_level():\n    r = fw.unpack_dual(fw.make_dual(x, v).argmax())\nr.tangent is None",
    "m = t.nn.Linear(4, 2).double()\nwith fw.dual_level():\n    r = fw.unpack_dual(m(fw.make_dual(x, v)))\n"
        "t.allclose(r.tangent, m.weight @ v)",
)  # fmt: skip


def numbers(value):
    """The tensors in a value as arrays, everything else as it is."""
    if isinstance(value, (tc.Tensor, torch.Tensor)):
        return np.asarray(value.detach().numpy())
    if isinstance(value, (tc.Size, torch.Size)):
        return tuple(value)
    if isinstance(value, dict):
        return {key: numbers(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [numbers(each) for each in value]
    return value


def assert_same(ours, theirs):
    if isinstance(theirs, np.ndarray):
        assert isinstance(ours, np.ndarray)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-9 if theirs.dtype.itemsize >= 8 else 1e-5, atol=1e-12)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key, each in theirs.items():
            assert_same(ours[key], each)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    else:
        assert ours == theirs


def compare(source):
    try:
        theirs = numbers(run(torch, source))
    except Exception as error:
        expected = next((kind for kind in CLASSES if isinstance(error, kind)), Exception)
        with pytest.raises(expected):
            run(tc, source)
        return
    assert_same(numbers(run(tc, source)), theirs)


@pytest.mark.parametrize("call", VMAP)
def test_vmap(call):
    compare(X + call)


@pytest.mark.parametrize("call", DERIVATIVES)
def test_derivatives(call):
    compare(X + "\n" + call)


REARRANGED = (
    ("a b c -> c (a b)", {}), ("a b c -> (a b c)", {}), ("... c -> c ...", {}), ("a ... -> ... a", {}),
    ("(a x) b c -> a x b c", {"a": 2}), ("(a x) b c -> a x b c", {}), ("a b -> b a", {}), ("a b c -> a b", {}),
    ("a b c -> a b b", {}), ("a b c -> a 1 b c", {}), ("a b c -> a () b c", {}), ("a b c -> a b 2 c", {}),
    ("a b c", {}), ("a b c -> c b a -> a", {}), ("a b (c->c b a", {}), ("a b ((c)) -> c b a", {}),
    ("A b _c -> b A _c", {}), ("a b c -> ... a b c", {}), ("a b c -> a b c", {"z": 3}), ("... -> (...)", {}),
    ("a (b ...) -> a b ...", {"b": 1}), ("a ... -> (a ...)", {}), ("(...) -> ...", {}), ("a b c -> ", {}),
    ("a.b c -> c", {}), ("a b c -> c b a", {"a": 2.0}), ("a (b d) (c e) -> (a d) e b c", {"d": 3, "e": 2}),
)  # fmt: skip


@pytest.mark.parametrize(("pattern", "sizes"), REARRANGED)
def test_rearrange(pattern, sizes):
    compare(f"t.func.rearrange(t.arange(24.).reshape(2, 3, 4), {pattern!r}, **{sizes!r})")


@pytest.mark.parametrize("sizes", [{"a": 3}, {"a": 0}, {"x": 5}])
def test_rearrange_refuses_sizes_that_do_not_fit(sizes):
    with pytest.raises(tc.errors.ShapeError, match=r"\(a x\) of .* does not fit dimension 0 of the shape \[2, 3, 4\]"):
        tc.func.rearrange(tc.zeros(2, 3, 4), "(a x) b c -> a x b c", **sizes)


@pytest.mark.parametrize("remove", ["mutations", "mutations_and_views", "all"])
def test_functionalize(remove):
    compare(
        "def f(a):\n    b = a * 1\n    b.view(-1).add_(1)\n    a.mul_(2)\n    return b\n"
        f"x = t.ones(2, 2)\ny = t.func.functionalize(f, remove={remove!r})(x)\nx, y"
    )


@pytest.mark.parametrize("call", FUNCTIONAL)
def test_functional(call):
    compare(A + call)


@pytest.mark.parametrize("call", FORWARD)
def test_forward_ad(call):
    compare(B + call)
