"""MobileNetV2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.models.initialization import initialize
from tensorcore_vision.models.registry import WeightsEnum, imagenet, published
from tensorcore_vision.ops.layers import Conv2dNormActivation

__all__ = [
    "MobileNetV2",
    "MobileNet_V2_Weights",
    "mobilenet_v2",
]


def divisible(value: float, divisor: int = 8, least: int | None = None) -> int:
    """The nearest multiple of ``divisor``, at least ``least``, and never below nine tenths of ``value``."""
    nearest = max(divisor if least is None else least, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest


class InvertedResidual(nn.Module):
    """A 1×1 convolution to more channels, a 3×3 one in each channel, and a 1×1 one back, and what goes past them."""

    def __init__(
        self,
        inp: int,
        oup: int,
        stride: int,
        expand_ratio: int,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"InvertedResidual: the stride is 1 or 2, got {stride}")
        norm = norm_layer or nn.BatchNorm2d
        hidden = round(inp * expand_ratio)
        layers: list[nn.Module] = []
        if expand_ratio != 1:
            layers.append(Conv2dNormActivation(inp, hidden, 1, norm_layer=norm, activation_layer=nn.ReLU6))
        layers += [
            Conv2dNormActivation(hidden, hidden, 3, stride, groups=hidden, norm_layer=norm, activation_layer=nn.ReLU6),
            nn.Conv2d(hidden, oup, 1, 1, 0, bias=False),
            norm(oup),
        ]
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """Features of the same or half the size."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """A network for small devices, for images of shape (N, 3, H, W); logits of shape (N, classes).

    Args:
        num_classes: how many classes.
        width_mult: a factor on the number of channels.
        inverted_residual_setting: rows of (expansion, channels, blocks, stride).
        round_nearest: numbers of channels are multiples of this.
        block: by default `InvertedResidual`.
        norm_layer: by default batch normalisation.
        dropout: before the linear layer.

    Raises:
        ValueError: for rows of another length.

    Source: Sandler et al.: MobileNetV2: inverted residuals and linear bottlenecks, arXiv:1801.04381.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        block, norm = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        rows = inverted_residual_setting or _ROWS
        if not rows or any(len(row) != 4 for row in rows):
            raise ValueError(f"MobileNetV2: expected rows of (expansion, channels, blocks, stride), got {rows!r}")
        channels = divisible(32 * width_mult, round_nearest)
        self.last_channel = divisible(1280 * max(1.0, width_mult), round_nearest)
        layers: list[nn.Module] = [
            Conv2dNormActivation(3, channels, stride=2, norm_layer=norm, activation_layer=nn.ReLU6)
        ]
        for expansion, width, count, stride in rows:
            outputs = divisible(width * width_mult, round_nearest)
            for place in range(count):
                layers.append(block(channels, outputs, 1 if place else stride, expand_ratio=expansion, norm_layer=norm))
                channels = outputs
        layers.append(Conv2dNormActivation(channels, self.last_channel, 1, norm_layer=norm, activation_layer=nn.ReLU6))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        initialize(self, linear_std=0.01)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(x.flatten(1))


_ROWS: Final = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class MobileNet_V2_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("mobilenet_v2-b0353104.pth", 3_504_872, 71.878, 90.286)
    IMAGENET1K_V2 = DEFAULT = imagenet("mobilenet_v2-7ebf99e0.pth", 3_504_872, 72.154, 90.822, resize=232)


mobilenet_v2 = published(MobileNet_V2_Weights, "MobileNetV2.", MobileNetV2)
