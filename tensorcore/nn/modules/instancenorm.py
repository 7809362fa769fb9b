"""Layers of `batchnorm`, where PyTorch's programs import them from."""

from tensorcore.nn.modules.batchnorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from tensorcore.nn.modules.batchnorm import _InstanceNorm as _InstanceNorm
from tensorcore.nn.modules.batchnorm import _NormBase as _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]
