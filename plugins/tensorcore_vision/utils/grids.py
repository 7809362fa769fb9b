"""Many images in one."""

from __future__ import annotations

import math
import os
from typing import Any

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore_vision.transforms.functional.images import pillow

__all__ = ["make_grid", "save_image"]


@tc.no_grad()
def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> tc.Tensor:
    """A batch of images as one image of rows and columns, of shape (C, H, W) with three channels for grey ones.

    Args:
        tensor: of shape (N, C, H, W), (C, H, W) or (H, W), or a list of images of one size.
        nrow: images in a row.
        padding: pixels between images.
        normalize: bring values to 0 to 1, from ``value_range`` or from the smallest and largest.
        value_range: (smallest, largest).
        scale_each: take each image's own smallest and largest.
        pad_value: of the pixels between images.

    Raises:
        TypeError: for what is neither a tensor nor a list of them, or a range that is no tuple.
        ShapeError: for other shapes.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.utils import make_grid
        >>> make_grid(tc.ones(3, 1, 2, 2), nrow=2, padding=1)[0]
        tensor([[0., 0., 0., 0., 0., 0., 0.],
                [0., 1., 1., 0., 1., 1., 0.],
                [0., 1., 1., 0., 1., 1., 0.],
                [0., 0., 0., 0., 0., 0., 0.],
                [0., 1., 1., 0., 0., 0., 0.],
                [0., 1., 1., 0., 0., 0., 0.],
                [0., 0., 0., 0., 0., 0., 0.]])
    """
    batch = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(f"make_grid: value_range is (smallest, largest), got {value_range!r}")
        batch = _normalized(batch, value_range, scale_each)
    count, channels, height, width = (int(side) for side in batch.shape)
    if count == 1:
        return batch[0]
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    if count < rows * columns:
        rest = batch.new_full((rows * columns - count, channels, height, width), pad_value)
        batch = tc.cat([batch, rest])
    # Each image gets a margin above and to the left, the whole one below and to the right.
    framed = tc.nn.functional.pad(batch, [padding, 0, padding, 0], value=pad_value)
    rowwise = framed.reshape(rows, columns, channels, height + padding, width + padding).permute(2, 0, 3, 1, 4)
    grid = rowwise.reshape(channels, rows * (height + padding), columns * (width + padding))
    return tc.nn.functional.pad(grid, [0, padding, 0, padding], value=pad_value)


def _batch(tensor: Any) -> tc.Tensor:
    if isinstance(tensor, list | tuple):
        for each in tensor:
            if not isinstance(each, tc.Tensor):
                raise TypeError(f"make_grid: expected tensors in the list, got {type(each).__name__}")
        tensor = tc.stack(list(tensor))
    if not isinstance(tensor, tc.Tensor):
        raise TypeError(f"make_grid: expected a tensor or a list of tensors, got {type(tensor).__name__}")
    if not 2 <= tensor.ndim <= 4 or not tensor.numel():
        raise ShapeError(f"make_grid: expected shape (N, C, H, W), (C, H, W) or (H, W), got {tuple(tensor.shape)}")
    batch = tensor.reshape((1,) * (4 - tensor.ndim) + tuple(tensor.shape))
    return tc.cat([batch] * 3, dim=1) if batch.shape[1] == 1 else batch


def _normalized(batch: tc.Tensor, value_range: tuple[float, float] | None, each: bool) -> tc.Tensor:
    if value_range is not None:
        low, high = (tc.tensor(end, dtype=batch.dtype, device=batch.device) for end in value_range)
    else:
        dims = (1, 2, 3) if each else (0, 1, 2, 3)
        low, high = batch.amin(dims, keepdim=True), batch.amax(dims, keepdim=True)
    return (tc.minimum(tc.maximum(batch, low), high) - low) / (high - low).clamp(min=1e-5)


@tc.no_grad()
def save_image(tensor: Any, fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Write an image, or the grid of a batch, with values from 0 to 1, to a file.

    Args:
        tensor: as for `make_grid`.
        fp: the name of the file, or a file.
        format: Pillow's name of the format; by default what the name of the file says.
        kwargs: further arguments of `make_grid`.

    Raises:
        ValueError: for an unknown format.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.io import read_image
        >>> from tensorcore_vision.utils import save_image
        >>> save_image(tc.rand(4, 3, 8, 8), "grid.png", nrow=2)
        >>> read_image("grid.png").shape
        tensorcore.Size([3, 22, 22])
    """
    grid = make_grid(tensor, **kwargs)
    pixels = (grid * 255 + 0.5).clamp(0, 255).to(tc.uint8).permute(1, 2, 0).contiguous()
    image = pillow("Image", "save_image").fromarray(pixels.numpy(force=True))
    image.save(fp if hasattr(fp, "write") else os.fspath(fp), format=format)
