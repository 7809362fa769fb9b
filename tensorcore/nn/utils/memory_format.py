"""Orders of elements that programs ask for the weights of convolutions."""

from __future__ import annotations

from tensorcore.memory_format import check_format, memory_format
from tensorcore.nn.modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]

# The kernels lay weights out as suits them, and what a program sees is row-major: nothing is to be converted.


def convert_conv2d_weight_memory_format(module: Module, memory_format: memory_format) -> Module:
    """The module itself: kernels choose the order of the weights of `Conv2d` that suits them.

    Raises:
        TypeError: unless ``memory_format`` is one.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.convert_conv2d_weight_memory_format(tc.nn.Conv2d(1, 2, 3), tc.channels_last).weight.shape
        tensorcore.Size([2, 1, 3, 3])
    """
    check_format("convert_conv2d_weight_memory_format", memory_format)
    return module


def convert_conv3d_weight_memory_format(module: Module, memory_format: memory_format) -> Module:
    """The module itself: kernels choose the order of the weights of `Conv3d` that suits them.

    Raises:
        TypeError: unless ``memory_format`` is one.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.convert_conv3d_weight_memory_format(tc.nn.Conv3d(1, 2, 3), tc.channels_last_3d).weight.shape
        tensorcore.Size([2, 1, 3, 3, 3])
    """
    check_format("convert_conv3d_weight_memory_format", memory_format)
    return module
