"""Layers that have kernels of their own on the CPU, or look at values, give the same on every device."""

from __future__ import annotations

import pytest

import tensorcore as tc

nn, rnn = tc.nn, tc.nn.utils.rnn


def attention(made):
    layer, x = nn.MultiheadAttention(8, 2, **made), tc.randn(4, 2, 8, **made)
    out, weights = layer(x, x, x, key_padding_mask=tc.tensor([[False] * 3 + [True]] * 2, **made))
    out.sum().backward()
    return out, weights, layer.in_proj_weight.grad


def packed_sequences(made):
    layer = nn.LSTM(3, 4, 2, bidirectional=True, **made)
    out, (_, cells) = layer(rnn.pack_sequence([tc.randn(n, 3, **made) for n in (2, 4)], enforce_sorted=False))
    (rnn.pad_packed_sequence(out)[0].sum() + cells.sum()).backward()
    return out.data, cells, layer.weight_hh_l0.grad


def gated_units(made):
    layer = nn.GRU(3, 4, **made)
    out, last = layer(tc.randn(5, 2, 3, **made))
    out.sum().backward()
    return out, last, layer.weight_hh_l0.grad


def bags(made):
    results = []
    for mode in ("sum", "mean", "max"):
        layer = nn.EmbeddingBag(5, 3, mode=mode, padding_idx=1, **made)
        out = layer(tc.tensor([1, 2, 3, 4, 2], **made), tc.tensor([0, 2], **made))
        out.sum().backward()
        results += [out, layer.weight.grad]
    return results


def others(made):
    transformer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, **made)
    classes = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 11], **made)
    samples = tc.full((2, 2, 2), 0.3, **made)
    part = nn.LinearCrossEntropyOptions(batch_chunk_size=2)
    return (
        transformer(tc.randn(4, 2, 8, **made), nn.Transformer.generate_square_subsequent_mask(4, **made)),
        classes(tc.randn(4, 16, **made), tc.tensor([0, 7, 12, 19], **made)).loss,
        nn.FractionalMaxPool2d(2, 3, _random_samples=samples)(tc.randn(2, 2, 7, 7, **made)),
        nn.LazyConv2d(3, 2, **made)(tc.randn(1, 2, 4, 4, **made)),
        nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4, **made))(tc.ones(2, 3, **made)),
        nn.LinearCrossEntropyLoss(3, 5, options=part, **made)(tc.randn(4, 3, **made), tc.tensor([0, 1, 2, 4], **made)),
    )


@pytest.mark.parametrize("program", [attention, packed_sequences, gated_units, bags, others])
@pytest.mark.parametrize("device", ["reference", "array_api_strict"])
def test_as_on_the_cpu(program, device):
    if device != "reference":
        pytest.importorskip(device)
    results = []
    for name in ("cpu", device):
        tc.manual_seed(0)
        results.append([x.detach().to("cpu") for x in program({"device": name})])
    for ours, there in zip(*results, strict=True):
        assert tc.allclose(ours, there, atol=1e-4)
