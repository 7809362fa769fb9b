"""Models: sizes as published, and answers of the same architectures written in PyTorch's functions."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore_vision import models
from tensorcore_vision.models import resnet

np = pytest.importorskip("numpy")


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032), ("mobilenet_v2", 3_504_872),
        ("squeezenet1_0", 1_248_424), ("squeezenet1_1", 1_235_496), ("densenet121", 7_978_856),
    ],
)  # fmt: skip
def test_sizes_are_those_published(name, count):
    model = models.get_model(name)
    assert sum(parameter.numel() for parameter in model.parameters()) == count
    assert models.get_model_weights(name).DEFAULT.meta["num_params"] == count


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("alexnet", 61_100_840), ("vgg16", 138_357_544), ("vit_b_16", 86_567_656)])
def test_sizes_of_large_models(name, count):
    assert sum(parameter.numel() for parameter in models.get_model(name).parameters()) == count


class Written:
    """Layers of PyTorch's functions over a state dict."""

    def __init__(self, torch, model) -> None:
        self.torch, self.f = torch, torch.nn.functional
        self.state = {name: torch.from_numpy(value.numpy()) for name, value in model.state_dict().items()}

    def conv(self, x, name, stride=1, padding=0, groups=1):
        return self.f.conv2d(
            x, self.state[f"{name}.weight"], self.state.get(f"{name}.bias"), stride, padding, 1, groups
        )

    def norm(self, x, name):
        value = [self.state[f"{name}.{each}"] for each in ("running_mean", "running_var", "weight", "bias")]
        return self.f.batch_norm(x, *value)

    def linear(self, x, name):
        return self.f.linear(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def layer_norm(self, x, name):
        weight, bias = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return self.f.layer_norm(x, weight.shape, weight, bias, 1e-6)

    def block(self, x, name, stride, convs):
        out = x
        for number in range(1, convs + 1):
            strided = number == (1 if convs == 2 else 2)
            size = 3 if convs == 2 or number == 2 else 1
            out = self.conv(out, f"{name}.conv{number}", stride if strided else 1, size // 2)
            out = self.norm(out, f"{name}.bn{number}")
            out = self.f.relu(out) if number < convs else out
        if f"{name}.downsample.0.weight" in self.state:
            x = self.norm(self.conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
        return self.f.relu(out + x)

    def resnet18(self, x):
        x = self.f.relu(self.norm(self.conv(x, "conv1", 2, 3), "bn1"))
        x = self.f.max_pool2d(x, 3, 2, 1)
        for layer in range(1, 5):
            for place in range(2):
                x = self.block(x, f"layer{layer}.{place}", 2 if layer > 1 and not place else 1, 2)
        return self.linear(x.mean((2, 3)), "fc")

    def bottleneck(self, x):
        return self.block(x, "block", 2, 3)

    def mobilenet(self, x):
        def unit(x, name, stride=1, groups=1, size=1):
            return self.f.relu6(self.norm(self.conv(x, f"{name}.0", stride, size // 2, groups), f"{name}.1"))

        x = unit(x, "features.0", 2, size=3)
        place = 1
        for expansion, _, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                            (6, 160, 3, 2), (6, 320, 1, 1)):  # fmt: skip
            for number in range(count):
                name, out = f"features.{place}.conv", x
                if expansion > 1:
                    out = unit(out, f"{name}.0")
                deep = 1 if expansion > 1 else 0
                out = unit(out, f"{name}.{deep}", stride if not number else 1, out.shape[1], 3)
                out = self.norm(self.conv(out, f"{name}.{deep + 1}"), f"{name}.{deep + 2}")
                x, place = out + x if number else out, place + 1
        return self.linear(unit(x, "features.18").mean((2, 3)), "classifier.1")

    def transformer(self, x, layers, heads):
        x = self.conv(x, "conv_proj", self.state["conv_proj.weight"].shape[-1]).flatten(2).transpose(1, 2)
        x = (
            self.torch.cat([self.state["class_token"].expand(len(x), -1, -1), x], 1)
            + self.state["encoder.pos_embedding"]
        )
        for layer in range(layers):
            name = f"encoder.layers.encoder_layer_{layer}"
            y = self.layer_norm(x, f"{name}.ln_1")
            weight, bias = (self.state[f"{name}.self_attention.in_proj_{each}"] for each in ("weight", "bias"))
            q, k, v = (
                each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in self.f.linear(y, weight, bias).chunk(3, -1)
            )
            y = self.f.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
            x = x + self.linear(y, f"{name}.self_attention.out_proj")
            y = self.f.gelu(self.linear(self.layer_norm(x, f"{name}.ln_2"), f"{name}.mlp.0"))
            x = x + self.linear(y, f"{name}.mlp.3")
        return self.linear(self.layer_norm(x, "encoder.ln")[:, 0], "heads.head")


class Block(tc.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        past = tc.nn.Sequential(tc.nn.Conv2d(8, 16, 1, 2, bias=False), tc.nn.BatchNorm2d(16))
        self.block = resnet.Bottleneck(8, 4, 2, past)

    def forward(self, x):
        return self.block(x)


def stirred(model):
    """The model with parameters and statistics away from 0 and 1, so that each has an effect."""
    with tc.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point() and value.ndim == 1:
                value.uniform_(0.5, 1.5) if "var" in name or "weight" in name else value.uniform_(-0.3, 0.3)
    return model.eval()


@pytest.mark.parametrize(
    ("make", "write", "shape"),
    [
        (lambda: models.resnet18(num_classes=5), Written.resnet18, (2, 3, 40, 48)),
        (Block, Written.bottleneck, (2, 8, 9, 7)),
        (lambda: models.mobilenet_v2(num_classes=5), Written.mobilenet, (2, 3, 64, 64)),
        (
            lambda: models.vit_b_16(image_size=32, num_classes=5),
            lambda written, x: written.transformer(x, 12, 12),
            (1, 3, 32, 32),
        ),
        (
            lambda: models.VisionTransformer(24, 8, 2, 2, 12, 20, num_classes=5),
            lambda written, x: written.transformer(x, 2, 2),
            (3, 3, 24, 24),
        ),
    ],
    ids=["resnet18", "bottleneck of resnet50", "mobilenet_v2", "vit_b_16", "small vit"],
)
def test_answers_are_those_of_the_architecture(make, write, shape):
    torch = pytest.importorskip("torch")
    model = stirred(make())
    if hasattr(model, "heads"):
        tc.nn.init.normal_(model.heads.head.weight, std=0.05)
    images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    with tc.no_grad(), torch.no_grad():
        found = model(tc.from_numpy(images)).numpy()
        expected = write(Written(torch, model), torch.from_numpy(images)).numpy()
    assert np.abs(expected).max() > 1e-3
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_lenet_learns():
    tc.manual_seed(0)
    model = models.LeNet()
    assert sum(parameter.numel() for parameter in model.parameters()) == 61_706
    images, labels = tc.rand(16, 1, 28, 28), tc.arange(16) % 10
    optimizer = tc.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = tc.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert tuple(model(tc.zeros(1, 1, 32, 32)).shape) == (1, 10)


def test_all_parameters_get_gradients():
    for model in (
        models.resnet18(num_classes=3),
        models.squeezenet1_1(num_classes=3),
        models.densenet121(num_classes=3),
    ):
        model(tc.rand(2, 3, 64, 64)).sum().backward()
        assert not [name for name, value in model.named_parameters() if value.grad is None]


def test_names():
    assert models.list_models(include="vit*") == ["vit_b_16", "vit_b_32", "vit_h_14", "vit_l_16", "vit_l_32"]
    assert models.list_models(models.vgg, exclude=["*_bn", "vgg19"]) == ["vgg11", "vgg13", "vgg16"]
    assert models.get_weight("ResNet18_Weights.DEFAULT") is models.ResNet18_Weights.IMAGENET1K_V1
    assert repr(models.ResNet18_Weights.DEFAULT) == "ResNet18_Weights.IMAGENET1K_V1"
    assert len(models.ResNet18_Weights.DEFAULT.meta["categories"]) == 1000
    for call, message in [
        (lambda: models.get_model("resnet_18"), "unknown model 'resnet_18'; did you mean 'resnet18'"),
        (lambda: models.resnet18(weights="V9"), "ResNet18_Weights has IMAGENET1K_V1, .*not 'V9'"),
        (lambda: models.get_weight("ResNet18"), "unknown weights 'ResNet18'; expected a name such as"),
        (lambda: models.VisionTransformer(30, 8, 1, 1, 8, 8), "images of 30 cannot be cut in patches of 8"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ShapeError, match=r"expected images of shape \(N, 3, 24, 24\), got \(1, 3, 20, 24\)"):
        models.VisionTransformer(24, 8, 1, 1, 8, 8)(tc.zeros(1, 3, 20, 24))


def test_places_of_another_image_size():
    from tensorcore_vision.models.vision_transformer import interpolate_embeddings

    small, large = (models.VisionTransformer(size, 8, 1, 1, 8, 8, num_classes=2) for size in (16, 32))
    state = interpolate_embeddings(32, 8, small.state_dict())
    large.load_state_dict(state)
    assert tuple(state["encoder.pos_embedding"].shape) == (1, 17, 8)
