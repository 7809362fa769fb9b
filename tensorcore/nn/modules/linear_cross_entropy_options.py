"""Layers of `linear_cross_entropy`, where PyTorch's programs import them from."""

from tensorcore.nn.modules.linear_cross_entropy import LinearCrossEntropyOptions

__all__ = ["LinearCrossEntropyOptions"]
