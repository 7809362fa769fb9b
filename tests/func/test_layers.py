"""Gradients of single examples, ensembles and forward derivatives of layers, against a loop and reverse mode."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore import nn
from tensorcore.func import functional_call, grad, jacfwd, jacrev, jvp, stack_module_state, vmap

LAYERS = {
    "conv": (lambda: nn.Conv2d(2, 4, 3, padding=1, stride=2, groups=2), (2, 2, 6, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(2, 4, 3, stride=2), (2, 2, 4, 4)),
    "batch norm": (lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).eval(), (2, 2, 5, 5)),
    "batch statistics": (lambda: nn.BatchNorm2d(3, track_running_stats=False), (4, 3, 5, 5)),
    "layer norm": (lambda: nn.LayerNorm(5), (2, 5)),
    "group norm": (lambda: nn.GroupNorm(2, 4), (2, 4, 3)),
    "rms norm": (lambda: nn.RMSNorm(5), (2, 5)),
    "lstm": (lambda: nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), (2, 5, 3)),
    "gru": (lambda: nn.GRU(3, 4), (5, 2, 3)),
    "rnn": (lambda: nn.RNN(3, 4), (5, 2, 3)),
    "encoder": (lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), (2, 5, 8)),
    "prelu": (lambda: nn.PReLU(4), (2, 4, 3)),
    "classifier": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5), nn.LogSoftmax(1)
        ),
        (2, 1, 8, 8),
    ),
    "embedding": (lambda: nn.Embedding(7, 4, padding_idx=0), (5,)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name):
    tc.manual_seed(0)
    make, shape = LAYERS[name]
    module = make().double()
    params = {name: p.detach() for name, p in module.named_parameters()}
    x = tc.randint(0, 7, (3, *shape)) if name == "embedding" else tc.randn(3, *shape, dtype=tc.float64)

    def loss(params, x):
        out = functional_call(module, params, (x,))
        out = out[0] if isinstance(out, tuple) else out
        return (out * out).sin().sum()

    wanted = [grad(loss)(params, x[i]) for i in range(3)]
    each = vmap(grad(loss), (None, 0))(params, x)
    stacked = {key: tc.stack([p, p * 1.1]) for key, p in params.items()}
    of_models = vmap(grad(loss), (0, None))(stacked, x[0])
    second = grad(loss)({key: p[1] for key, p in stacked.items()}, x[0])
    for key in params:
        assert tc.allclose(each[key], tc.stack([w[key] for w in wanted]), atol=1e-12)
        assert tc.allclose(of_models[key][0], wanted[0][key], atol=1e-12)
        assert tc.allclose(of_models[key][1], second[key], atol=1e-12)
    along = jvp(lambda params: loss(params, x[0]), (params,), (params,))[1]
    assert along.item() == pytest.approx(sum((wanted[0][key] * params[key]).sum().item() for key in params))


def test_running_statistics_take_no_values_that_differ():
    module = nn.BatchNorm1d(4)
    with pytest.raises(RuntimeError, match="all examples share"):
        vmap(module)(tc.randn(3, 5, 4))


def test_buffers_of_an_ensemble_are_its_own():
    models = [nn.BatchNorm1d(4) for _ in range(3)]
    params, buffers = stack_module_state(models)
    before = buffers["running_mean"].clone()
    x = tc.randn(3, 5, 4)
    vmap(lambda p, b, x: functional_call(models[0], (p, b), (x,)))(params, buffers, x)
    assert tc.allclose(buffers["running_mean"], 0.9 * before + 0.1 * x.mean(1), atol=1e-6)
    assert buffers["num_batches_tracked"].tolist() == [1, 1, 1]
    assert models[0].running_mean.tolist() == [0.0] * 4


@pytest.mark.parametrize("device", ["reference", "array_api_strict", "jax", "torch"])
def test_devices(device):
    pytest.importorskip(device if device != "reference" else "pytest")
    x = tc.arange(12.0, device=device).reshape(3, 4)

    def function(a):
        b = a.clone()
        b[1:].mul_(2)
        c = tc.zeros_like(a)
        c[0] = b.sum()
        return b + c

    assert tc.allclose(vmap(function)(x), tc.stack([function(row) for row in x]))
    assert tc.allclose(jacfwd(lambda a: function(a) * a)(x[0]), jacrev(lambda a: function(a) * a)(x[0]))
    z = x.clone()
    vmap(lambda a: a.mul_(2))(z)
    assert tc.equal(z, x * 2)
