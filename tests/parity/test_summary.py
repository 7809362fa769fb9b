"""Multiply-adds of models beside those that PyTorch counts."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402

MODELS: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
    "linear": (lambda nn: nn.Linear(5, 7), [(2, 3, 5)]),
    "conv1d": (lambda nn: nn.Conv1d(4, 6, 3, stride=2, groups=2), [(2, 4, 9)]),
    "conv2d": (lambda nn: nn.Conv2d(4, 6, 3, dilation=2, padding=1), [(2, 4, 9, 8)]),
    "conv3d": (lambda nn: nn.Conv3d(1, 2, 3), [(1, 1, 5, 5, 5)]),
    "transposed": (lambda nn: nn.ConvTranspose2d(3, 4, 3, stride=2), [(2, 3, 5, 5)]),
    "attention": (lambda nn: nn.MultiheadAttention(8, 2, batch_first=True), [(2, 3, 8)] * 3),
    "transformer": (lambda nn: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), [(2, 3, 8), (2, 4, 8)]),
}


@pytest.mark.parametrize("name", MODELS)
def test_multiply_adds(name: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    make, sizes = MODELS[name]
    theirs = make(torch.nn)
    # Out of evaluation mode PyTorch has no fused kernels, which it does not count.
    with FlopCounterMode(display=False) as counter:
        theirs(*(torch.rand(size) for size in sizes))
    assert 2 * tc.summary(make(tc.nn), sizes if len(sizes) > 1 else sizes[0]).multiply_adds == counter.get_total_flops()


@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_recurrent_layers(kind: str, gates: int, device: str) -> None:
    model = getattr(tc.nn, kind)(4, 5, num_layers=2, bidirectional=True, device=device)
    steps = 3 * 2
    expected = steps * 2 * gates * 5 * (4 + 5) + steps * 2 * gates * 5 * (10 + 5)
    assert tc.summary(model, (3, 2, 4)).multiply_adds == expected
