"""Fractional max pooling: windows at steps drawn at random."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


def _each(value: Any, count: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,) * count


class _FractionalMaxPool(Module):
    _ndim: int

    def __init__(
        self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        of, ndim = type(self).__name__, self._ndim
        if (output_size is None) == (output_ratio is None):
            raise ValueError(f"{of}: expected one of output_size and output_ratio, got {output_size}, {output_ratio}")
        self.kernel_size = _each(kernel_size, ndim)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else _each(output_size, ndim)
        self.output_ratio = None if output_ratio is None else _each(output_ratio, ndim)
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"{of}: output_ratio must be between 0 and 1, got {output_ratio}")

    def _settings(self) -> tuple[Any, ...]:
        return self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples


class FractionalMaxPool2d(_FractionalMaxPool):
    """Largest element of each of the windows of (N, C, H, W) or (C, H, W), which start at random (Graham 2014).

    Args:
        kernel_size: sides of a window.
        output_size: sides of the output; or ``output_ratio``, in (0, 1), of the input's sides.
        return_indices: whether the places in the flattened sides come, too.

    Raises:
        ValueError: unless one of ``output_size`` and ``output_ratio`` is given, the ratio in (0, 1).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.FractionalMaxPool2d(2, output_ratio=0.5)(tc.ones(1, 1, 6, 6)).shape
        tensorcore.Size([1, 1, 3, 3])
    """

    _ndim = 2

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool2d(input, *self._settings())


class FractionalMaxPool3d(_FractionalMaxPool):
    """Largest element of each of the windows of (N, C, D, H, W) or (C, D, H, W); see `FractionalMaxPool2d`.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.FractionalMaxPool3d(2, output_size=2)(tc.ones(1, 1, 4, 4, 4)).shape
        tensorcore.Size([1, 1, 2, 2, 2])
    """

    _ndim = 3

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool3d(input, *self._settings())
