"""Windows of images as columns, and back."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["Fold", "Unfold"]


class Unfold(Module):
    """The windows of (N, C, H, W) as columns: (N, C times the elements of a window, number of windows).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Unfold(2)(tc.ones(1, 3, 4, 4)).shape
        tensorcore.Size([1, 12, 9])
    """

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Columns, as `Unfold` makes them, summed where windows overlap into (N, C, *output_size).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Fold((4, 4), 2)(tc.ones(1, 12, 9)).shape
        tensorcore.Size([1, 3, 4, 4])
    """

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
