"""VGG: plain stacks of 3×3 convolutions."""

from __future__ import annotations

import math
from typing import Any, Final

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.models.initialization import initialize
from tensorcore_vision.models.registry import WeightsEnum, imagenet, published

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]


class VGG(nn.Module):
    """Convolutions of 3×3 and three linear layers, for images of shape (N, 3, H, W); logits of shape (N, classes).

    Args:
        features: the convolutions, whose result has 512 channels.
        num_classes: how many classes.
        init_weights: draw the published initial weights.
        dropout: between the linear layers.

    Source: Simonyan, Zisserman: Very deep convolutional networks, arXiv:1409.1556.
    """

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            initialize(self, linear_std=0.01)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


#: Output channels of each convolution; 0 is a pooling.
_PLANS: Final = {
    11: (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    13: (64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    16: (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0),
    19: (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0),
}


def _vgg(depth: int, norm: bool, **kwargs: Any) -> VGG:
    layers: list[nn.Module] = []
    channels = 3
    for width in _PLANS[depth]:
        if not width:
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(channels, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width)] if norm else []
        layers.append(nn.ReLU(inplace=True))
        channels = width
    return VGG(nn.Sequential(*layers), **kwargs)


class VGG11_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg11-8a719046.pth", 132_863_336, 69.02, 88.628, min_size=32)


class VGG11_BN_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg11_bn-6002323d.pth", 132_868_840, 70.37, 89.81, min_size=32)


class VGG13_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg13-19584684.pth", 133_047_848, 69.928, 89.246, min_size=32)


class VGG13_BN_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg13_bn-abd245e5.pth", 133_053_736, 71.586, 90.374, min_size=32)


class VGG16_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg16-397923af.pth", 138_357_544, 71.592, 90.382, min_size=32)
    IMAGENET1K_FEATURES = imagenet(
        "vgg16_features-amdegroot-88682ab5.pth",
        138_357_544,
        math.nan,
        math.nan,
        min_size=32,
        mean=(0.48235, 0.45882, 0.40784),
        std=(0.00392156862745098, 0.00392156862745098, 0.00392156862745098),
    )


class VGG16_BN_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg16_bn-6c64b313.pth", 138_365_992, 73.36, 91.516, min_size=32)


class VGG19_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg19-dcbb9e9d.pth", 143_667_240, 72.376, 90.876, min_size=32)


class VGG19_BN_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("vgg19_bn-c79401a0.pth", 143_678_248, 74.218, 91.842, min_size=32)


vgg11 = published(VGG11_Weights, "VGG of 11 layers.", _vgg, 11, False)
vgg11_bn = published(VGG11_BN_Weights, "VGG of 11 layers, with batch normalisation.", _vgg, 11, True)
vgg13 = published(VGG13_Weights, "VGG of 13 layers.", _vgg, 13, False)
vgg13_bn = published(VGG13_BN_Weights, "VGG of 13 layers, with batch normalisation.", _vgg, 13, True)
vgg16 = published(VGG16_Weights, "VGG of 16 layers.", _vgg, 16, False)
vgg16_bn = published(VGG16_BN_Weights, "VGG of 16 layers, with batch normalisation.", _vgg, 16, True)
vgg19 = published(VGG19_Weights, "VGG of 19 layers.", _vgg, 19, False)
vgg19_bn = published(VGG19_BN_Weights, "VGG of 19 layers, with batch normalisation.", _vgg, 19, True)
