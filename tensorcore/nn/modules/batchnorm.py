"""Batch normalisation and instance normalisation: per channel, with running statistics."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import int64
from tensorcore.errors import ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn import init
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.ops.creation import empty, ones, tensor, zeros
from tensorcore.tensor import Tensor

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Module):
    """Scale, shift and running statistics of ``num_features`` channels."""

    _version = 2

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(
                name, Parameter(empty(num_features, device=device, dtype=dtype)) if wanted else None
            )
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=int64, device=device) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the running statistics: mean 0, variance 1, no batches."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the running statistics, and set scale 1 and shift 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *lists: Any) -> None:
        key = prefix + "num_batches_tracked"
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            # Version 1 of the format did not have it.
            known = self.num_batches_tracked
            state_dict[key] = known if known is not None else tensor(0, dtype=int64)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *lists)


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                # No momentum: the running statistics are plain averages over all batches.
                momentum = 1.0 / float(self.num_batches_tracked)
        use_batch = self.training or (self.running_mean is None and self.running_var is None)
        tracked = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if tracked else None,
            self.running_var if tracked else None,
            self.weight,
            self.bias,
            use_batch,
            momentum,
            self.eps,
        )


def _require_dims(module: Module, input: Tensor, *allowed: int) -> None:
    if input.dim() not in allowed:
        wanted = " or ".join(f"{count}D" for count in allowed)
        raise ShapeError(
            f"{type(module).__name__}: expected {wanted} input (got {input.dim()}D input of shape {list(input.shape)})"
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L): each channel to mean 0 and variance 1 over the batch, then scaled.

    In evaluation mode the running statistics stand in for those of the batch (Ioffe and Szegedy 2015).

    Attributes:
        weight, bias: (C), 1 and 0 at first; ``None`` unless ``affine``.
        running_mean, running_var, num_batches_tracked: ``None`` unless ``track_running_stats``.

    Raises:
        ShapeError: for other numbers of dimensions.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.BatchNorm1d(3)(tc.ones(4, 3)).shape
        tensorcore.Size([4, 3])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dims(self, input, 2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W); see `BatchNorm1d`.

    Raises:
        ShapeError: for other numbers of dimensions.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.BatchNorm2d(3)(tc.ones(4, 3, 2, 2)).shape
        tensorcore.Size([4, 3, 2, 2])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dims(self, input, 4)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W); see `BatchNorm1d`.

    Raises:
        ShapeError: for other numbers of dimensions.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.BatchNorm3d(3)(tc.ones(4, 3, 2, 2, 2)).shape
        tensorcore.Size([4, 3, 2, 2, 2])
    """

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dims(self, input, 5)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation of (N, C, *sides) by the statistics of all processes, of which there is one here.

    Raises:
        ShapeError: for inputs of fewer than two dimensions.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.SyncBatchNorm(3)(tc.ones(4, 3, 2)).shape
        tensorcore.Size([4, 3, 2])
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, process_group: Any = None, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ShapeError(
                f"SyncBatchNorm: expected at least 2D input (got {input.dim()}D input of shape {list(input.shape)})"
            )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """``module`` with every batch normalisation in it replaced by one of this class with the same tensors.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.SyncBatchNorm.convert_sync_batchnorm(tc.nn.Sequential(tc.nn.BatchNorm1d(2)))
            Sequential(
              (0): SyncBatchNorm(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
            )
        """
        made = module
        if isinstance(module, _BatchNorm):
            made = cls(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group, bias=module.bias is not None,
            )  # fmt: skip
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(made, name, getattr(module, name))
            made.training = module.training
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made


# ------------------------------------------------------------------ instance normalisation


class _InstanceNorm(_NormBase):
    _plain_dims: int

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check_input_dim(self, input: Tensor) -> None:
        _require_dims(self, input, self._plain_dims, self._plain_dims + 1)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.dim() == self._plain_dims
        channels = input.shape[0 if single else 1]
        if channels != self.num_features and self.affine:
            raise ShapeError(
                f"{type(self).__name__}: expected {self.num_features} channels, got {channels} in shape "
                f"{list(input.shape)}"
            )
        out = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out.squeeze(0) if single else out


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of (N, C, L) or (C, L) to mean 0 and variance 1 (Ulyanov et al. 2016).

    Raises:
        ShapeError: for other numbers of dimensions, or of channels if ``affine``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.InstanceNorm1d(3)(tc.ones(4, 3, 5)).shape
        tensorcore.Size([4, 3, 5])
    """

    _plain_dims = 2


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W); see `InstanceNorm1d`.

    Raises:
        ShapeError: for other numbers of dimensions, or of channels if ``affine``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.InstanceNorm2d(3)(tc.ones(4, 3, 5, 5)).shape
        tensorcore.Size([4, 3, 5, 5])
    """

    _plain_dims = 3


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W); see `InstanceNorm1d`.

    Raises:
        ShapeError: for other numbers of dimensions, or of channels if ``affine``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.InstanceNorm3d(3)(tc.ones(1, 3, 2, 2, 2)).shape
        tensorcore.Size([1, 3, 2, 2, 2])
    """

    _plain_dims = 4
