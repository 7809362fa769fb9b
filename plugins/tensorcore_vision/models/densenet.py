"""DenseNet."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore import nn
from tensorcore.utils.checkpoint import checkpoint
from tensorcore_vision.models.initialization import initialize
from tensorcore_vision.models.registry import WeightsEnum, imagenet, published

__all__ = [
    "DenseNet",
    "DenseNet121_Weights",
    "DenseNet161_Weights",
    "DenseNet169_Weights",
    "DenseNet201_Weights",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
]


class _DenseLayer(nn.Module):
    def __init__(
        self, inputs: int, growth_rate: int, bn_size: int, drop_rate: float, memory_efficient: bool = False
    ) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(inputs, bn_size * growth_rate, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def _narrowed(self, *features: tc.Tensor) -> tc.Tensor:
        return self.conv1(self.relu1(self.norm1(tc.cat(features, 1))))

    def forward(self, features: Sequence[tc.Tensor]) -> tc.Tensor:
        if self.memory_efficient and any(each.requires_grad for each in features):
            narrowed = checkpoint(self._narrowed, *features, use_reentrant=False)
        else:
            narrowed = self._narrowed(*features)
        new = self.conv2(self.relu2(self.norm2(narrowed)))
        return nn.functional.dropout(new, self.drop_rate, self.training) if self.drop_rate > 0 else new


class _DenseBlock(nn.ModuleDict):
    def forward(self, x: tc.Tensor) -> tc.Tensor:
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return tc.cat(features, 1)


class _Transition(nn.Sequential):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(inputs, outputs, kernel_size=1, stride=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """A network in which layers see all earlier ones, for images of shape (N, 3, H, W); logits of shape (N, classes).

    Args:
        growth_rate: channels that each layer adds.
        block_config: how many layers each of the four blocks has.
        num_init_features: channels after the first convolution.
        bn_size: how many times ``growth_rate`` a layer's 1×1 convolution gives.
        drop_rate: dropout after each layer.
        num_classes: how many classes.
        memory_efficient: compute what layers see again in the backward pass, in place of keeping it.

    Source: Huang et al.: Densely connected convolutional networks, arXiv:1608.06993.
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False),
                norm0=nn.BatchNorm2d(num_init_features),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            )
        )
        channels = num_init_features
        for number, layers in enumerate(block_config, 1):
            block = _DenseBlock()
            for layer in range(1, layers + 1):
                made = _DenseLayer(channels, growth_rate, bn_size, drop_rate, memory_efficient)
                block.add_module(f"denselayer{layer}", made)
                channels += growth_rate
            self.features.add_module(f"denseblock{number}", block)
            if number != len(block_config):
                self.features.add_module(f"transition{number}", _Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        initialize(self, mode="fan_in")
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        features = nn.functional.relu(self.features(x))
        return self.classifier(nn.functional.adaptive_avg_pool2d(features, (1, 1)).flatten(1))


def _renamed(state: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the published files, whose names are older: ``norm.1`` is ``norm1``."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2", name): value for name, value in state.items()
    }


class DenseNet121_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("densenet121-a639ec97.pth", 7_978_856, 74.434, 91.972, min_size=29)


class DenseNet161_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("densenet161-8d451a50.pth", 28_681_000, 77.138, 93.56, min_size=29)


class DenseNet169_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("densenet169-b2777c0a.pth", 14_149_480, 75.6, 92.806, min_size=29)


class DenseNet201_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("densenet201-c1103571.pth", 20_013_928, 76.896, 93.37, min_size=29)


densenet121 = published(DenseNet121_Weights, "DenseNet-121.", DenseNet, 32, (6, 12, 24, 16), 64, convert=_renamed)
densenet161 = published(DenseNet161_Weights, "DenseNet-161.", DenseNet, 48, (6, 12, 36, 24), 96, convert=_renamed)
densenet169 = published(DenseNet169_Weights, "DenseNet-169.", DenseNet, 32, (6, 12, 32, 32), 64, convert=_renamed)
densenet201 = published(DenseNet201_Weights, "DenseNet-201.", DenseNet, 32, (6, 12, 48, 32), 64, convert=_renamed)
