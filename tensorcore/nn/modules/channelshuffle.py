"""Layers of `pixelshuffle`, where PyTorch's programs import them from."""

from tensorcore.nn.modules.pixelshuffle import ChannelShuffle

__all__ = ["ChannelShuffle"]
