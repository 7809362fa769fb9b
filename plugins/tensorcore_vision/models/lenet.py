"""LeNet-5, the first convolutional network in use."""

from __future__ import annotations

import tensorcore as tc
from tensorcore import nn

__all__ = ["LeNet", "lenet"]


class LeNet(nn.Module):
    """Two convolutions and three linear layers, for images of 28×28 or 32×32.

    Takes float images of shape (N, channels, 28, 28) or (N, channels, 32, 32), gives logits of shape (N, classes).

    Args:
        num_classes: how many classes.
        in_channels: of the images.

    Raises:
        ShapeError: for images of another size.

    Source: LeCun et al.: Gradient-based learning applied to document recognition, 1998; with ReLU and maximum pooling
    in place of hyperbolic tangents and averages.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.models import LeNet
        >>> LeNet()(tc.zeros(2, 1, 28, 28)).shape
        tensorcore.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120),
            nn.ReLU(inplace=True),
            nn.Linear(120, 84),
            nn.ReLU(inplace=True),
            nn.Linear(84, num_classes),
        )

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        if x.shape[-1] == 28:
            x = nn.functional.pad(x, [2, 2, 2, 2])
        return self.classifier(self.features(x).flatten(1))


def lenet(num_classes: int = 10, in_channels: int = 1) -> LeNet:
    """LeNet-5 for images of 28×28 or 32×32."""
    return LeNet(num_classes, in_channels)
