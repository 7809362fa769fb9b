"""Resampling to another size."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """The spatial dimensions resampled to ``size``, or scaled by ``scale_factor``; see `functional.interpolate`.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Upsample(scale_factor=2)(tc.ones(1, 1, 2, 2)).shape
        tensorcore.Size([1, 1, 4, 4])
    """

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor: Any = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        by_factor = self.scale_factor is not None
        size = f"scale_factor={self.scale_factor!r}" if by_factor else f"size={self.size!r}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Each pixel of (N, C, H, W) repeated.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.UpsamplingNearest2d(scale_factor=2)(tc.ones(1, 1, 1, 1)).shape
        tensorcore.Size([1, 1, 2, 2])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Bilinear interpolation of (N, C, H, W), the corners kept.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.UpsamplingBilinear2d(size=(3, 3))(tc.ones(1, 1, 2, 2)).shape
        tensorcore.Size([1, 1, 3, 3])
    """

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
