"""AlexNet."""

from __future__ import annotations

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.models.registry import WeightsEnum, imagenet, published

__all__ = [
    "AlexNet",
    "AlexNet_Weights",
    "alexnet",
]


class AlexNet(nn.Module):
    """Five convolutions and three linear layers, for images of shape (N, 3, H, W); logits of shape (N, classes).

    Args:
        num_classes: how many classes.
        dropout: between the linear layers.

    Source: Krizhevsky: One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet_Weights(WeightsEnum):
    IMAGENET1K_V1 = DEFAULT = imagenet("alexnet-owt-7be5be79.pth", 61_100_840, 56.522, 79.066, min_size=63)


alexnet = published(AlexNet_Weights, "AlexNet.", AlexNet)
