"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math
from typing import Any

from tensorcore.errors import ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.module import Module
from tensorcore.nn.modules.sizes import per_dimension
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty
from tensorcore.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all convolutions share: settings, weights and their initial values."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: tuple[int, ...], stride: tuple[int, ...],
        padding: str | tuple[int, ...], dilation: tuple[int, ...], transposed: bool, output_padding: tuple[int, ...],
        groups: int, bias: bool, padding_mode: str, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        name = type(self).__name__
        if groups <= 0:
            raise ValueError(f"{name}: groups must be a positive integer, got {groups}")
        if in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: in_channels ({in_channels}) and out_channels ({out_channels}) must be divisible by groups "
                f"({groups})"
            )
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"{name}: padding must be a number, 'same' or 'valid', got {padding!r}")
            if padding == "same" and any(step != 1 for step in stride):
                raise ValueError(f"{name}: padding='same' is not for strided convolutions, got stride {stride}")
        if padding_mode not in _MODES:
            raise ValueError(f"{name}: padding_mode must be one of {', '.join(_MODES)}, got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        #: What `F.pad` takes: (left, right) of the last dimension first.
        self._reversed_padding_repeated_twice = self._pads()
        shape = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty(*shape, *kernel_size, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _pads(self) -> list[int]:
        pads: list[int] = []
        for place in reversed(range(len(self.kernel_size))):
            if self.padding == "valid":
                pads += [0, 0]
            elif self.padding == "same":
                total = self.dilation[place] * (self.kernel_size[place] - 1)
                pads += [total // 2, total - total // 2]
            else:
                pads += [int(self.padding[place])] * 2
        return pads

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniformly from ±1 / sqrt(fan_in)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        rank = len(self.kernel_size)
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * rank:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * rank:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * rank:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """A convolution over ``_rank`` dimensions."""

    _rank: int

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        rank = self._rank
        super().__init__(
            in_channels, out_channels, per_dimension(kernel_size, rank), per_dimension(stride, rank),
            padding if isinstance(padding, str) else per_dimension(padding, rank), per_dimension(dilation, rank),
            False, (0,) * rank, groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        return self._convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        raise NotImplementedError


class Conv1d(_Conv):
    """Cross-correlation with learned kernels, from (N, C_in, L) to (N, C_out, L_out); N may be left out.

    Attributes:
        weight: (out_channels, in_channels / groups, kernel_size).
        bias: (out_channels), or ``None``.

    Raises:
        ValueError: for channels that groups does not divide, or an unknown padding.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Conv1d(16, 33, 3, stride=2)(tc.ones(2, 16, 50)).shape
        tensorcore.Size([2, 33, 24])
    """

    _rank = 1

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        return F.conv1d(*args)


class Conv2d(_Conv):
    """Cross-correlation with learned kernels, from (N, C_in, H, W) to (N, C_out, H_out, W_out); N may be left out.

    Attributes:
        weight: (out_channels, in_channels / groups, kernel_size[0], kernel_size[1]).
        bias: (out_channels), or ``None``.

    Raises:
        ValueError: for channels that groups does not divide, or an unknown padding.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Conv2d(3, 8, 3, padding=1)(tc.ones(2, 3, 8, 8)).shape
        tensorcore.Size([2, 8, 8, 8])
    """

    _rank = 2

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        return F.conv2d(*args)


class Conv3d(_Conv):
    """Cross-correlation with learned kernels, from (N, C_in, D, H, W) to (N, C_out, ...); N may be left out.

    Attributes:
        weight: (out_channels, in_channels / groups, *kernel_size).
        bias: (out_channels), or ``None``.

    Raises:
        ValueError: for channels that groups does not divide, or an unknown padding.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Conv3d(2, 4, 3)(tc.ones(1, 2, 5, 5, 5)).shape
        tensorcore.Size([1, 4, 3, 3, 3])
    """

    _rank = 3

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        return F.conv3d(*args)


class _ConvTransposeNd(_ConvNd):
    """A transposed convolution over ``_rank`` dimensions."""

    _rank: int

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        rank = self._rank
        if padding_mode != "zeros":
            raise ValueError(f"{type(self).__name__}: only padding_mode='zeros' is supported, got {padding_mode!r}")
        super().__init__(
            in_channels, out_channels, per_dimension(kernel_size, rank), per_dimension(stride, rank),
            per_dimension(padding, rank), per_dimension(dilation, rank), True,
            per_dimension(output_padding, rank), groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._output_padding(input, list(output_size))
        return self._convolve(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        raise NotImplementedError

    def _output_padding(self, input: Tensor, output_size: list[int]) -> tuple[int, ...]:
        """The output padding that gives ``output_size``, of the spatial dimensions or of all."""
        rank = self._rank
        if len(output_size) not in (rank, input.dim()):
            raise ShapeError(
                f"{type(self).__name__}: output_size must have {rank} or {input.dim()} entries, got {output_size}"
            )
        wanted = output_size[-rank:]
        least = [
            (side - 1) * self.stride[i] - 2 * int(self.padding[i]) + self.dilation[i] * (self.kernel_size[i] - 1) + 1
            for i, side in enumerate(input.shape[-rank:])
        ]
        most = [size + step - 1 for size, step in zip(least, self.stride, strict=True)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most, strict=True)):
            raise ShapeError(
                f"{type(self).__name__}: requested output_size {wanted} from input of shape {list(input.shape)}; "
                f"it must lie between {least} and {most}"
            )
        return tuple(size - low for size, low in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTransposeNd):
    """The gradient of `Conv1d` with respect to its input, as a layer: (N, C_in, L) to (N, C_out, L_out).

    Attributes:
        weight: (in_channels, out_channels / groups, kernel_size).
        bias: (out_channels), or ``None``.

    Raises:
        ValueError: for channels that groups does not divide.
        ShapeError: for an ``output_size`` that cannot be.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ConvTranspose1d(4, 2, 3, stride=2)(tc.ones(1, 4, 5)).shape
        tensorcore.Size([1, 2, 11])
    """

    _rank = 1

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        return F.conv_transpose1d(*args)


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of `Conv2d` with respect to its input, as a layer: (N, C_in, H, W) to (N, C_out, H_out, W_out).

    Attributes:
        weight: (in_channels, out_channels / groups, kernel_size[0], kernel_size[1]).
        bias: (out_channels), or ``None``.

    Raises:
        ValueError: for channels that groups does not divide.
        ShapeError: for an ``output_size`` that cannot be.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ConvTranspose2d(4, 2, 3, stride=2)(tc.ones(1, 4, 5, 5), output_size=(12, 12)).shape
        tensorcore.Size([1, 2, 12, 12])
    """

    _rank = 2

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        return F.conv_transpose2d(*args)


class ConvTranspose3d(_ConvTransposeNd):
    """The gradient of `Conv3d` with respect to its input, as a layer: (N, C_in, D, H, W) to (N, C_out, ...).

    Attributes:
        weight: (in_channels, out_channels / groups, *kernel_size).
        bias: (out_channels), or ``None``.

    Raises:
        ValueError: for channels that groups does not divide.
        ShapeError: for an ``output_size`` that cannot be.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ConvTranspose3d(2, 1, 2)(tc.ones(1, 2, 3, 3, 3)).shape
        tensorcore.Size([1, 1, 4, 4, 4])
    """

    _rank = 3

    @staticmethod
    def _convolve(*args: Any) -> Tensor:
        return F.conv_transpose3d(*args)
