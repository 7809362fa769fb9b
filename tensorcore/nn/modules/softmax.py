"""The softmax family: activations normalised over one dimension."""

from __future__ import annotations

from tensorcore.errors import ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class _Normalised(Module):
    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Normalised):
    """``exp(x)`` divided by its sum over dimension ``dim``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Softmax(dim=0)(tc.tensor([0.0, 0.0]))
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim)


class Softmin(_Normalised):
    """`Softmax` of ``-x``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Softmin(dim=0)(tc.tensor([0.0, 0.0]))
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class LogSoftmax(_Normalised):
    """Logarithm of `Softmax`, without overflow.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LogSoftmax(dim=0)(tc.tensor([0.0, 0.0]))
        tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim)


class Softmax2d(Module):
    """`Softmax` over the channels of images (N, C, H, W) or (C, H, W).

    Raises:
        ShapeError: for other numbers of dimensions.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Softmax2d()(tc.zeros(2, 1, 1)).flatten()
        tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ShapeError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), got shape {list(input.shape)}")
        return F.softmax(input, -3)
