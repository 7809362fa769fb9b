"""Whole models: onnxruntime gives what they give, at other sizes of their dynamic dimensions, too."""

from __future__ import annotations

import numpy as np
import pytest

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore import nn
from tensorcore_vision import models

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
runtime.set_default_logger_severity(4)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.drop = nn.Linear(400, 84), nn.Linear(84, 10), nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 2)
        x = self.drop(F.relu(self.fc1(x.view(x.size(0), -1))))
        return F.log_softmax(self.fc2(x), dim=1)


class Classifier(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.embedding = nn.Embedding(50, 8)
        self.layers = getattr(nn, kind)(8, 6, batch_first=True, **options)
        self.head = nn.LazyLinear(3)

    def forward(self, tokens):
        out, state = self.layers(self.embedding(tokens))
        return self.head(out[:, -1]), state[-1] if isinstance(state, tuple) else state


class Encoder(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.embedding, self.places = nn.Embedding(50, 16), nn.Parameter(tc.randn(1, 64, 16))
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, **options)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(16, 3)

    def forward(self, tokens):
        mask = tokens == 0
        x = self.embedding(tokens) + self.places[:, : tokens.shape[1]]
        return self.head(self.encoder(x, src_key_padding_mask=mask).mean(1))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places, self.norm = nn.Embedding(50, 16), nn.Embedding(32, 16), nn.LayerNorm(16)
        self.parts, self.head = nn.Linear(16, 48), nn.Linear(16, 50, bias=False)
        self.head.weight = self.tokens.weight
        self.register_buffer("mask", tc.tril(tc.ones(32, 32)).view(1, 1, 32, 32))

    def forward(self, tokens):
        batch, count = tokens.shape
        x = self.tokens(tokens) + self.places(tc.arange(count))
        q, k, v = (part.view(batch, count, 4, 4).transpose(1, 2) for part in self.parts(self.norm(x)).split(16, dim=2))
        scores = (q @ k.transpose(-2, -1)) * (1.0 / 4**0.5)
        scores = scores.masked_fill(self.mask[:, :, :count, :count] == 0, float("-inf"))
        y = F.softmax(scores, -1) @ v + F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.head(x + y.transpose(1, 2).contiguous().view(batch, count, 16))


class UNet(nn.Module):
    def __init__(self, mode):
        super().__init__()
        self.mode = mode
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.middle = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.SiLU())
        self.up = nn.Sequential(nn.Conv2d(24, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.GELU(), nn.Conv2d(8, 1, 1))

    def forward(self, x):
        skip = self.down(x)
        x = self.middle(F.max_pool2d(skip, 2))
        if self.mode == "nearest":
            x = F.interpolate(x, size=skip.shape[-2:])
        else:
            x = F.interpolate(x, scale_factor=2, mode=self.mode, align_corners=self.mode == "bilinear")
        return self.up(tc.cat([x, skip], 1))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 256)
        self.rest = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.BatchNorm2d(32), nn.LeakyReLU(),
            nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ELU(), nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, z):
        return self.rest(self.first(z).view(-1, 64, 2, 2))


def vit():
    model = models.VisionTransformer(
        image_size=16, patch_size=8, num_layers=2, num_heads=4, hidden_dim=16, mlp_dim=32, num_classes=5
    )
    nn.init.normal_(model.heads[-1].weight)
    return model


def images(*shape):
    return tc.randn(shape)


def tokens(*shape):
    return tc.randint(0, 50, shape)


TEXT = {0: "batch", 1: "time"}
PICTURES = {0: "batch", 2: "height", 3: "width"}
CASES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), (1, 4), (7, 4), {0: "batch"}),
    "lenet": (LeNet, (1, 1, 28, 28), (5, 1, 28, 28), {0: "batch"}),
    "resnet18": (models.resnet18, (1, 3, 32, 32), (3, 3, 48, 40), PICTURES),
    "mobilenet_v2": (models.mobilenet_v2, (2, 3, 32, 32), (3, 3, 64, 32), PICTURES),
    "vit": (vit, (1, 3, 16, 16), (4, 3, 16, 16), {0: "batch"}),
    "lstm": (lambda: Classifier("LSTM", num_layers=2, bidirectional=True), (1, 7), (5, 11), TEXT),
    "lstm projected": (lambda: Classifier("LSTM", proj_size=4), (2, 4), (5, 4), {0: "batch"}),
    "gru": (lambda: Classifier("GRU", num_layers=2, bidirectional=True), (2, 7), (5, 3), TEXT),
    "rnn": (lambda: Classifier("RNN", nonlinearity="relu", bias=False), (2, 7), (1, 11), TEXT),
    "encoder": (Encoder, (2, 7), (5, 11), TEXT),
    "encoder, norm first": (lambda: Encoder(norm_first=True, activation="gelu"), (1, 7), (5, 11), TEXT),
    "gpt": (GPT, (1, 9), (3, 17), TEXT),
    "unet nearest": (lambda: UNet("nearest"), (1, 3, 16, 16), (2, 3, 24, 32), PICTURES),
    "unet bilinear": (lambda: UNet("bilinear"), (1, 3, 16, 16), (2, 3, 24, 32), PICTURES),
    "unet bicubic": (lambda: UNet("bicubic"), (1, 3, 16, 16), (2, 3, 24, 32), PICTURES),
    "vae decoder": (Decoder, (1, 8), (6, 8), {0: "batch"}),
}


@pytest.mark.parametrize("opset", [11, 20])
@pytest.mark.parametrize("name", CASES)
def test_model(name, opset):
    tc.manual_seed(0)
    build, shape, other, axes = CASES[name]
    make = images if len(shape) == 4 or (shape[-1] in (4, 8) and "lstm" not in name) else tokens
    model = build().eval()
    model(make(*shape))
    program = tc.onnx.export(
        model, make(*shape), input_names=["input"], output_names=["output"], dynamic_axes={"input": axes},
        opset_version=opset,
    )  # fmt: skip
    onnx.checker.check_model(program.model_proto, full_check=True)
    for size in (shape, other):
        x = make(*size)
        with tc.no_grad():
            ours = model(x)
        for mine, its in zip(ours if isinstance(ours, tuple) else (ours,), program(x), strict=True):
            scale = mine.abs().max().item()
            np.testing.assert_allclose(its.numpy(), mine.numpy(), rtol=1e-4, atol=1e-5 * max(scale, 1))


def test_parameters_keep_their_names():
    model = GPT()
    graph = tc.onnx.export(model, tokens(1, 4)).model_proto.graph
    names = {each.name for each in graph.initializer}
    # The head's weight is the embedding's.
    assert {name for name, _ in model.named_parameters()} <= names and "mask" in names


@pytest.mark.parametrize("device", ["reference", "array_api_strict"])
def test_one_graph_on_every_device(device):
    pytest.importorskip("array_api_strict")
    for model, x in ((UNet("nearest"), images(1, 3, 8, 8)), (Encoder(), tokens(1, 3))):
        model.eval()
        graphs = [
            [
                (node.op_type, list(node.input), list(node.output))
                for node in tc.onnx.export(
                    model.to(where), x.to(where), input_names=["x"], dynamic_axes={"x": {0: "batch"}}
                ).model_proto.graph.node
            ]
            for where in ("cpu", device)
        ]
        assert graphs[0] == graphs[1]
