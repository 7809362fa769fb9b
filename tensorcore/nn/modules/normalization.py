"""Normalisation within a sample: over its last dimensions, over groups of channels, over neighbouring channels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty
from tensorcore.tensor import Tensor

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Affine(Module):
    """What has a scale (1 at first) and perhaps a shift (0 at first)."""

    def _make_parameters(self, shape: tuple[int, ...], scale: bool, shift: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", scale), ("bias", scale and shift)):
            self.register_parameter(name, Parameter(empty(*shape, device=device, dtype=dtype)) if wanted else None)

    def reset_parameters(self) -> None:
        """Set scale 1 and shift 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self._parameters.get("bias") is not None:
            init.zeros_(self.bias)


def _shape(normalized_shape: Any) -> tuple[int, ...]:
    return tuple(normalized_shape) if isinstance(normalized_shape, Iterable) else (int(normalized_shape),)


class LayerNorm(_Affine):
    """The last dimensions, of shape ``normalized_shape``, to mean 0 and variance 1, then scaled (Ba et al. 2016).

    Attributes:
        weight, bias: of ``normalized_shape``; ``None`` unless ``elementwise_affine`` (and ``bias``).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LayerNorm(2)(tc.tensor([1.0, 3.0])).detach()
        tensor([-1.0000,  1.0000])
    """

    def __init__(
        self, normalized_shape: Any, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make_parameters(self.normalized_shape, elementwise_affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """The last dimensions, of shape ``normalized_shape``, over their root mean square, then scaled.

    ``eps=None`` means the smallest step of the dtype above 1. Source: Zhang and Sennrich 2019.

    Attributes:
        weight: of ``normalized_shape``; ``None`` unless ``elementwise_affine``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.RMSNorm(2)(tc.tensor([3.0, 3.0])).detach()
        tensor([1., 1.])
    """

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(empty(*self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Affine):
    """Each group of channels of each sample to mean 0 and variance 1, then each channel scaled (Wu and He 2018).

    Attributes:
        weight, bias: (num_channels); ``None`` unless ``affine`` (and ``bias``).

    Raises:
        ValueError: if ``num_groups`` does not divide ``num_channels``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.GroupNorm(3, 6)(tc.ones(2, 6, 4)).shape
        tensorcore.Size([2, 6, 4])
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
        device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make_parameters((num_channels,), affine, bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Each channel over ``(k + alpha * mean of squares of the size channels around it) ** beta``.

    Source: Krizhevsky et al. 2012.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LocalResponseNorm(2)(tc.ones(1, 4, 3)).shape
        tensorcore.Size([1, 4, 3])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images (N, C, H, W) under the name Torch 7 gave it, as many channels on either side.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.CrossMapLRN2d(3)(tc.ones(1, 4, 2, 2)).shape
        tensorcore.Size([1, 4, 2, 2])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        # As many channels on either side, one fewer in all where size is even; the mean is over size.
        width = (self.size + 1) // 2 * 2 - 1
        return F.local_response_norm(input, width, self.alpha * width / self.size, self.beta, self.k)
