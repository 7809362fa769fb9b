"""The image classifier of PyTorch's quickstart."""

from __future__ import annotations

import tensorcore as tc
from tensorcore import nn

__all__ = ["Classifier"]


class Classifier(nn.Module):
    """Multilayer perceptron 784-512-512-10 with ReLU, for images of 28×28.

    Takes float images of shape (N, 1, 28, 28), or any (N, ...) with 784 elements each; gives the logits of the
    classes, of shape (N, 10). The names of the parameters are those of PyTorch's quickstart, so that its checkpoints
    load.

    Raises:
        ShapeError: for images of another size.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_zoo.classifier import Classifier
        >>> Classifier()(tc.zeros(2, 1, 28, 28)).shape
        tensorcore.Size([2, 10])
    """

    def __init__(self) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(28 * 28, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, 10),
        )

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        """The logits of each class for each image."""
        return self.linear_relu_stack(self.flatten(x))
