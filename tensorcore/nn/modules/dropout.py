"""Dropout: elements or channels zeroed at random in training."""

from __future__ import annotations

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    """What all dropouts share; raises ValueError for a probability outside [0, 1]."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Zeroes each element with probability ``p`` in training, and scales the others by ``1 / (1 - p)``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Dropout(0.2).eval()(tc.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """As `Dropout`, for whole channels of (N, C, L) or (C, L).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Dropout1d(0.2).eval()(tc.ones(1, 1, 2))
        tensor([[[1., 1.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """As `Dropout`, for whole channels of (N, C, H, W) or (C, H, W).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Dropout2d(0.2).eval()(tc.ones(1, 1, 1, 2))
        tensor([[[[1., 1.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """As `Dropout`, for whole channels of (N, C, D, H, W) or (C, D, H, W).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Dropout3d(0.2).eval()(tc.ones(1, 1, 1, 1, 2)).flatten()
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout to the saturation value of `SELU`, keeping mean and variance (Klambauer et al. 2017).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AlphaDropout(0.2).eval()(tc.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        # PyTorch's module passes no `inplace` on either.
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """As `AlphaDropout`, for whole channels.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.FeatureAlphaDropout(0.2).eval()(tc.ones(1, 1, 2))
        tensor([[[1., 1.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
