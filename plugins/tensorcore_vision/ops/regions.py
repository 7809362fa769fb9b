"""Features of regions of interest: averaged at exact places (RoIAlign), or the largest of whole bins (RoIPool)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import tensorcore as tc
from tensorcore import nn
from tensorcore.errors import ShapeError

__all__ = ["RoIAlign", "RoIPool", "roi_align", "roi_pool"]

#: Values gathered at once, which bounds the memory that many regions take.
_AT_ONCE: Final = 1 << 24


def _regions(boxes: Any, like: tc.Tensor, op: str) -> tc.Tensor:
    """Rows of (number of the image, x1, y1, x2, y2)."""
    if isinstance(boxes, tc.Tensor):
        if boxes.ndim != 2 or boxes.shape[1] != 5:
            raise ShapeError(f"{op}: expected boxes of shape (K, 5), the first the image, got {tuple(boxes.shape)}")
        return boxes
    if not isinstance(boxes, list | tuple):
        raise TypeError(f"{op}: expected a tensor or a list of tensors, got {type(boxes).__name__}")
    rows = []
    for number, each in enumerate(boxes):
        if each.ndim != 2 or each.shape[1] != 4:
            raise ShapeError(f"{op}: expected boxes of shape (L, 4) for each image, got {tuple(each.shape)}")
        rows.append(tc.cat([tc.full_like(each[:, :1], number), each], dim=1))
    return tc.cat(rows) if rows else tc.zeros((0, 5), dtype=like.dtype, device=like.device)


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


def _weights(start: tc.Tensor, length: tc.Tensor, bins: int, samples: tc.Tensor, most: int, size: int) -> tc.Tensor:
    """How much each row of the image counts in each bin, of shape (K, bins, size).

    A bin averages ``samples`` places at equal distances, each interpolated linearly between two pixels; what lies more
    than a pixel outside of the image counts nothing.
    """
    dtype, device = start.dtype, start.device
    place = tc.arange(most, dtype=dtype, device=device)
    counts = samples.clamp(min=1)
    step = length / bins / counts
    within = tc.arange(bins, dtype=dtype, device=device)
    at = start[:, None, None] + within[None, :, None] * (length / bins)[:, None, None]
    at = at + (place + 0.5) * step[:, None, None]  # (K, bins, most)
    counted = (place < samples[:, None])[:, None, :] & (at >= -1.0) & (at <= size)
    at = at.clamp(0, size - 1)
    pixels = tc.arange(size, dtype=dtype, device=device)
    # The share of a pixel falls from 1 to 0 over the distance to its neighbour.
    shares = (1.0 - (at[..., None] - pixels).abs()).clamp(min=0)
    shares = tc.where(counted[..., None], shares, tc.zeros_like(shares))
    return shares.sum(2) / counts[:, None, None]


def roi_align(
    input: tc.Tensor,
    boxes: Any,
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> tc.Tensor:
    """Features of regions, averaged over places that are interpolated, of shape (K, C, height, width).

    Args:
        input: features of shape (N, C, H, W).
        boxes: corners in a tensor of shape (K, 5), the first number the image, or for each image one of shape (L, 4).
        output_size: (height, width) of each region's features, or one number for both.
        spatial_scale: from the coordinates of boxes to those of features.
        sampling_ratio: places in a bin and direction; -1 takes one for each pixel.
        aligned: whether the middle of the first pixel is at 0.5, which is exact; else at 0.

    Raises:
        ShapeError: for other shapes.

    Source: He et al.: Mask R-CNN, arXiv:1703.06870.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import roi_align
        >>> features = tc.arange(16.0).reshape(1, 1, 4, 4)
        >>> roi_align(features, [tc.tensor([[0.0, 0, 4, 4]])], 2, aligned=True)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
    """
    if input.ndim != 4:
        raise ShapeError(f"roi_align: expected features of shape (N, C, H, W), got {tuple(input.shape)}")
    regions = _regions(boxes, input, "roi_align").to(input.dtype)
    height, width = _pair(output_size)
    rows, columns = int(input.shape[2]), int(input.shape[3])
    if not regions.shape[0]:
        return input.new_zeros((0, input.shape[1], height, width))
    corners = regions[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    left, top, right, bottom = corners.unbind(1)
    wide, tall = right - left, bottom - top
    if not aligned:
        wide, tall = wide.clamp(min=1.0), tall.clamp(min=1.0)
    detached = [(length.detach() / bins).ceil() for length, bins in ((tall, height), (wide, width))]
    samples = [tc.full_like(each, sampling_ratio) if sampling_ratio > 0 else each for each in detached]
    most = [max(1, int(each.max().item())) for each in samples]
    images = regions[:, 0].to(tc.int64)
    largest = max(input[0].numel(), most[0] * height * rows, most[1] * width * columns, 1)
    parts = []
    for at in range(0, regions.shape[0], max(1, _AT_ONCE // largest)):
        part = slice(at, at + max(1, _AT_ONCE // largest))
        down = _weights(top[part], tall[part], height, samples[0][part], most[0], rows)
        across = _weights(left[part], wide[part], width, samples[1][part], most[1], columns)
        # Bilinear interpolation and averaging are products with the shares of rows and of columns.
        parts.append(down[:, None] @ input[images[part]] @ across[:, None].transpose(-1, -2))
    return tc.cat(parts) if len(parts) > 1 else parts[0]


def roi_pool(input: tc.Tensor, boxes: Any, output_size: int | Sequence[int], spatial_scale: float = 1.0) -> tc.Tensor:
    """The largest features in the bins of regions, of shape (K, C, height, width); empty bins give 0.

    Args:
        input: features of shape (N, C, H, W).
        boxes: corners in a tensor of shape (K, 5), the first number the image, or for each image one of shape (L, 4).
        output_size: (height, width) of each region's features, or one number for both.
        spatial_scale: from the coordinates of boxes to those of features.

    Raises:
        ShapeError: for other shapes.

    Source: Girshick: Fast R-CNN, arXiv:1504.08083.
    """
    if input.ndim != 4:
        raise ShapeError(f"roi_pool: expected features of shape (N, C, H, W), got {tuple(input.shape)}")
    regions = _regions(boxes, input, "roi_pool")
    height, width = _pair(output_size)
    rows, columns = int(input.shape[2]), int(input.shape[3])
    done = []
    for image, *corners in regions.tolist():
        left, top, right, bottom = (math.floor(each * spatial_scale + 0.5) for each in corners)
        tall, wide = max(bottom - top + 1, 1), max(right - left + 1, 1)
        down, across = (
            [
                (
                    min(max(math.floor(at * length / bins) + start, 0), size),
                    min(max(math.ceil((at + 1) * length / bins) + start, 0), size),
                )
                for at in range(bins)
            ]
            for start, length, bins, size in ((top, tall, height, rows), (left, wide, width, columns))
        )
        features = input[int(image)]
        zero = features.new_zeros(features.shape[0])
        cells = [features[:, a:b, c:d].amax((1, 2)) if b > a and d > c else zero for a, b in down for c, d in across]
        done.append(tc.stack(cells, dim=1).reshape(-1, height, width))
    return tc.stack(done) if done else input.new_zeros((0, input.shape[1], height, width))


class RoIAlign(nn.Module):
    """`roi_align` as a layer."""

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float, sampling_ratio: int, aligned: bool = False
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: tc.Tensor, rois: Any) -> tc.Tensor:
        """Features of the regions."""
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def extra_repr(self) -> str:
        """The arguments."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned}"
        )


class RoIPool(nn.Module):
    """`roi_pool` as a layer."""

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: tc.Tensor, rois: Any) -> tc.Tensor:
        """Features of the regions."""
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        """The arguments."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"
