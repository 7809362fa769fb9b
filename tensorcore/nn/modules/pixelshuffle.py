"""Rearrangement of channels: into space, and among groups."""

from __future__ import annotations

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """(..., C r², H, W) to (..., C, H r, W r), for the ``upscale_factor`` r (Shi et al. 2016).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.PixelShuffle(3)(tc.ones(1, 9, 4, 4)).shape
        tensorcore.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(..., C, H r, W r) to (..., C r², H, W), for the ``downscale_factor`` r: undoes `PixelShuffle`.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.PixelUnshuffle(3)(tc.ones(1, 1, 12, 12)).shape
        tensorcore.Size([1, 9, 4, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels of (N, C, ...) interleaved: channel j of group i goes to place j of the groups (Zhang et al. 2018).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ChannelShuffle(2)(tc.arange(4.0).reshape(1, 4, 1, 1)).flatten()
        tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
