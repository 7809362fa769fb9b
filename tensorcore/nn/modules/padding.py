"""Padding: with a constant, or with what the tensor holds near or across the edge."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.nn.modules.sizes import per_dimension
from tensorcore.tensor import Tensor

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _PadNd(Module):
    """Pads ``_rank`` dimensions at the end: (left, right) of the last one first, or one size for all."""

    _rank: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = per_dimension(padding, 2 * self._rank)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPadNd(_PadNd):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pads the last dimension with ``value``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ConstantPad1d((1, 2), 9.0)(tc.zeros(1, 1))
        tensor([[9., 0., 9., 9.]])
    """

    _rank = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads the last two dimensions with ``value``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ConstantPad2d((1, 0, 0, 0), 9.0)(tc.zeros(1, 1, 1))
        tensor([[[9., 0.]]])
    """

    _rank = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads the last three dimensions with ``value``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ConstantPad3d(1, 9.0)(tc.zeros(1, 1, 1, 1)).shape
        tensorcore.Size([1, 3, 3, 3])
    """

    _rank = 3


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class ZeroPad1d(_ZeroPadNd):
    """Pads the last dimension with zeros.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ZeroPad1d(1)(tc.ones(1, 1))
        tensor([[0., 1., 0.]])
    """

    _rank = 1


class ZeroPad2d(_ZeroPadNd):
    """Pads the last two dimensions with zeros.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ZeroPad2d((1, 1, 0, 0))(tc.ones(1, 1, 1))
        tensor([[[0., 1., 0.]]])
    """

    _rank = 2


class ZeroPad3d(_ZeroPadNd):
    """Pads the last three dimensions with zeros.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ZeroPad3d(1)(tc.ones(1, 1, 1, 1)).shape
        tensorcore.Size([1, 3, 3, 3])
    """

    _rank = 3


class _ReflectionPadNd(_PadNd):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Pads the last dimension with its mirror image, the edge not repeated.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReflectionPad1d(1)(tc.tensor([[1.0, 2.0, 3.0]]))
        tensor([[2., 1., 2., 3., 2.]])
    """

    _rank = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pads the last two dimensions with their mirror images.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReflectionPad2d(1)(tc.ones(1, 2, 2)).shape
        tensorcore.Size([1, 4, 4])
    """

    _rank = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pads the last three dimensions with their mirror images.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReflectionPad3d(1)(tc.ones(1, 2, 2, 2)).shape
        tensorcore.Size([1, 4, 4, 4])
    """

    _rank = 3


class _ReplicationPadNd(_PadNd):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Pads the last dimension with its edges.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReplicationPad1d(1)(tc.tensor([[1.0, 2.0]]))
        tensor([[1., 1., 2., 2.]])
    """

    _rank = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pads the last two dimensions with their edges.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReplicationPad2d(1)(tc.ones(1, 1, 1)).shape
        tensorcore.Size([1, 3, 3])
    """

    _rank = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pads the last three dimensions with their edges.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ReplicationPad3d(1)(tc.ones(1, 1, 1, 1)).shape
        tensorcore.Size([1, 3, 3, 3])
    """

    _rank = 3


class _CircularPadNd(_PadNd):
    _mode = "circular"


class CircularPad1d(_CircularPadNd):
    """Pads the last dimension with what lies at its other end.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.CircularPad1d(1)(tc.tensor([[1.0, 2.0, 3.0]]))
        tensor([[3., 1., 2., 3., 1.]])
    """

    _rank = 1


class CircularPad2d(_CircularPadNd):
    """Pads the last two dimensions with what lies at their other ends.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.CircularPad2d(1)(tc.ones(1, 2, 2)).shape
        tensorcore.Size([1, 4, 4])
    """

    _rank = 2


class CircularPad3d(_CircularPadNd):
    """Pads the last three dimensions with what lies at their other ends.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.CircularPad3d(1)(tc.ones(1, 2, 2, 2)).shape
        tensorcore.Size([1, 4, 4, 4])
    """

    _rank = 3
