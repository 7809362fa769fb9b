"""SqueezeNet."""

from __future__ import annotations

from typing import Final

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.models.registry import WeightsEnum, imagenet, published

__all__ = [
    "SqueezeNet",
    "SqueezeNet1_0_Weights",
    "SqueezeNet1_1_Weights",
    "squeezenet1_0",
    "squeezenet1_1",
]


class Fire(nn.Module):
    """A 1×1 convolution to few channels, then a 1×1 and a 3×3 one side by side."""

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """Features of the same size."""
        x = self.squeeze_activation(self.squeeze(x))
        sides = self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))
        return tc.cat(sides, 1)


#: By version: the first convolution's channels and size, and the `Fire` layers; 0 is a pooling.
_PLANS: Final = {
    "1_0": (96, 7, (0, 16, 16, 32, 0, 32, 48, 48, 64, 0, 64)),
    "1_1": (64, 3, (0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64)),
}


class SqueezeNet(nn.Module):
    """A network of few parameters, for images of shape (N, 3, H, W); logits of shape (N, classes).

    Args:
        version: ``"1_0"`` or ``"1_1"``.
        num_classes: how many classes.
        dropout: before the last convolution.

    Raises:
        ValueError: for an unknown version.

    Source: Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, arXiv:1602.07360.
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in _PLANS:
            raise ValueError(f"SqueezeNet: version is {' or '.join(_PLANS)}, got {version!r}")
        self.num_classes = num_classes
        channels, size, plan = _PLANS[version]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, kernel_size=size, stride=2), nn.ReLU(inplace=True)]
        for squeeze in plan:
            if squeeze:
                layers.append(Fire(channels, squeeze, 4 * squeeze, 4 * squeeze))
                channels = 8 * squeeze
            else:
                layers.append(nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True))
        self.features = nn.Sequential(*layers)
        final = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), final, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                if module is final:
                    nn.init.normal_(module.weight, mean=0.0, std=0.01)
                else:
                    nn.init.kaiming_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        return self.classifier(self.features(x)).flatten(1)


class SqueezeNet1_0_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("squeezenet1_0-b66bff10.pth", 1_248_424, 58.092, 80.42, min_size=21)


class SqueezeNet1_1_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("squeezenet1_1-b8a52dc0.pth", 1_235_496, 58.178, 80.624, min_size=17)


squeezenet1_0 = published(SqueezeNet1_0_Weights, "SqueezeNet 1.0.", SqueezeNet, "1_0")
squeezenet1_1 = published(
    SqueezeNet1_1_Weights, "SqueezeNet 1.1, of 2.4 times fewer operations than 1.0.", SqueezeNet, "1_1"
)
