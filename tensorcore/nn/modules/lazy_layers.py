"""The layers whose number of input features or channels is known from the first input."""

from __future__ import annotations

from typing import Any

from tensorcore.errors import ShapeError
from tensorcore.nn.modules import batchnorm as norms
from tensorcore.nn.modules import conv as convs
from tensorcore.nn.modules.lazy import LazyModuleMixin
from tensorcore.nn.modules.linear import Linear
from tensorcore.nn.parameter import UninitializedBuffer, UninitializedParameter
from tensorcore.ops.creation import tensor
from tensorcore.tensor import Tensor

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` whose ``in_features`` is the last side of the first input.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.LazyLinear(3)
        >>> layer(tc.ones(2, 5)).shape, layer.in_features
        (tensorcore.Size([2, 3]), 5)
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, once they have shapes."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the number of features from ``input``."""
        # A state_dict may have given the parameters their shapes before.
        self.in_features = self.in_features or input.shape[-1]
        if self.has_uninitialized_params():
            self.weight.materialize((self.out_features, self.in_features))  # type: ignore[attr-defined]
            if self.bias is not None:
                self.bias.materialize((self.out_features,))  # type: ignore[attr-defined]
            self.reset_parameters()


# ------------------------------------------------------------------ convolutions


class _LazyConv(LazyModuleMixin, convs._ConvNd):
    def _become_lazy(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, once they have shapes."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Take the number of channels from ``input``."""
        of, ndim = type(self).__name__, len(self.kernel_size)
        if input.dim() not in (ndim + 1, ndim + 2):
            raise ShapeError(
                f"{of}: expected an input of {ndim + 2} dimensions, or {ndim + 1} without a batch, got shape "
                f"{list(input.shape)}"
            )
        channels = input.shape[-ndim - 1]
        if channels % self.groups:
            raise ValueError(f"{of}: in_channels {channels} must be divisible by groups {self.groups}")
        self.in_channels = self.in_channels or channels
        if not self.has_uninitialized_params():
            return
        sides = (channels, self.out_channels) if self.transposed else (self.out_channels, channels)
        self.weight.materialize((sides[0], sides[1] // self.groups, *self.kernel_size))  # type: ignore[attr-defined]
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))  # type: ignore[attr-defined]
        self.reset_parameters()


class _LazyPlainConv(_LazyConv):
    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        # The layer's own arguments, less the channels.
        super().__init__(
            0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype
        )  # fmt: skip
        self._become_lazy(out_channels, bias, device, dtype)


class _LazyTransposedConv(_LazyConv):
    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        # The layer's own arguments, less the channels.
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype
        )  # fmt: skip
        self._become_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyPlainConv, convs.Conv1d):
    """A `Conv1d` whose ``in_channels`` come of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyConv1d(3, 2)(tc.ones(1, 4, 5)).shape
        tensorcore.Size([1, 3, 4])
    """

    cls_to_become = convs.Conv1d


class LazyConv2d(_LazyPlainConv, convs.Conv2d):
    """A `Conv2d` whose ``in_channels`` come of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyConv2d(3, 2)(tc.ones(1, 4, 5, 5)).shape
        tensorcore.Size([1, 3, 4, 4])
    """

    cls_to_become = convs.Conv2d


class LazyConv3d(_LazyPlainConv, convs.Conv3d):
    """A `Conv3d` whose ``in_channels`` come of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyConv3d(3, 2)(tc.ones(1, 4, 3, 3, 3)).shape
        tensorcore.Size([1, 3, 2, 2, 2])
    """

    cls_to_become = convs.Conv3d


class LazyConvTranspose1d(_LazyTransposedConv, convs.ConvTranspose1d):
    """A `ConvTranspose1d` whose ``in_channels`` come of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyConvTranspose1d(3, 2)(tc.ones(1, 4, 5)).shape
        tensorcore.Size([1, 3, 6])
    """

    cls_to_become = convs.ConvTranspose1d


class LazyConvTranspose2d(_LazyTransposedConv, convs.ConvTranspose2d):
    """A `ConvTranspose2d` whose ``in_channels`` come of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyConvTranspose2d(3, 2)(tc.ones(1, 4, 5, 5)).shape
        tensorcore.Size([1, 3, 6, 6])
    """

    cls_to_become = convs.ConvTranspose2d


class LazyConvTranspose3d(_LazyTransposedConv, convs.ConvTranspose3d):
    """A `ConvTranspose3d` whose ``in_channels`` come of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyConvTranspose3d(3, 2)(tc.ones(1, 4, 3, 3, 3)).shape
        tensorcore.Size([1, 3, 4, 4, 4])
    """

    cls_to_become = convs.ConvTranspose3d


# ------------------------------------------------------------------ normalisations


class _LazyNorm(LazyModuleMixin, norms._NormBase):
    def __init__(
        self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = tensor(0, device=device)

    def reset_parameters(self) -> None:
        """Forget the running statistics, and set scale 1 and shift 0, once they have shapes."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take the number of channels from ``input``."""
        self.num_features = self.num_features or input.shape[1]
        if self.has_uninitialized_params():
            for x in (self.weight, self.bias, self.running_mean, self.running_var):
                if x is not None:
                    x.materialize((self.num_features,))
            self.reset_parameters()


class _LazyInstanceNorm(_LazyNorm):
    def __init__(
        self, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True, track_running_stats: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(eps, momentum, affine, track_running_stats, device, dtype, bias=bias)


class LazyBatchNorm1d(_LazyNorm, norms.BatchNorm1d):
    """A `BatchNorm1d` whose ``num_features`` comes of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyBatchNorm1d()(tc.ones(4, 3)).shape
        tensorcore.Size([4, 3])
    """

    cls_to_become = norms.BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, norms.BatchNorm2d):
    """A `BatchNorm2d` whose ``num_features`` comes of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyBatchNorm2d()(tc.ones(4, 3, 2, 2)).shape
        tensorcore.Size([4, 3, 2, 2])
    """

    cls_to_become = norms.BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, norms.BatchNorm3d):
    """A `BatchNorm3d` whose ``num_features`` comes of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyBatchNorm3d()(tc.ones(4, 3, 2, 2, 2)).shape
        tensorcore.Size([4, 3, 2, 2, 2])
    """

    cls_to_become = norms.BatchNorm3d


class LazyInstanceNorm1d(_LazyInstanceNorm, norms.InstanceNorm1d):
    """An `InstanceNorm1d` whose ``num_features`` comes of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyInstanceNorm1d()(tc.ones(4, 3, 5)).shape
        tensorcore.Size([4, 3, 5])
    """

    cls_to_become = norms.InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, norms.InstanceNorm2d):
    """An `InstanceNorm2d` whose ``num_features`` comes of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyInstanceNorm2d()(tc.ones(4, 3, 5, 5)).shape
        tensorcore.Size([4, 3, 5, 5])
    """

    cls_to_become = norms.InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, norms.InstanceNorm3d):
    """An `InstanceNorm3d` whose ``num_features`` comes of the first input.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LazyInstanceNorm3d()(tc.ones(1, 3, 2, 2, 2)).shape
        tensorcore.Size([1, 3, 2, 2, 2])
    """

    cls_to_become = norms.InstanceNorm3d
