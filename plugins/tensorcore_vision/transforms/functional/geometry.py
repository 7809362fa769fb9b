"""Where pixels go without being mixed, and images of another size: crops, flips, padding, resizing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore.nn import functional as nnf
from tensorcore_vision.transforms.functional.images import (
    InterpolationMode,
    back_to,
    check_image,
    check_picture,
    get_dimensions,
    interpolation_mode,
    pillow,
    resampling,
)

__all__ = ["center_crop", "crop", "five_crop", "hflip", "pad", "resize", "resized_crop", "ten_crop", "vflip"]

PADDING_MODES: Final = ("constant", "edge", "reflect", "symmetric")
_TENSOR_MODES: Final = ("nearest", "nearest-exact", "bilinear", "bicubic")


def hflip(img: Any) -> Any:
    """An image with left and right exchanged."""
    if isinstance(img, tc.Tensor):
        return check_image(img, "hflip").flip(-1)
    return check_picture(img, "hflip").transpose(pillow("Image", "hflip").Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Any) -> Any:
    """An image with top and bottom exchanged."""
    if isinstance(img, tc.Tensor):
        return check_image(img, "vflip").flip(-2)
    return check_picture(img, "vflip").transpose(pillow("Image", "vflip").Transpose.FLIP_TOP_BOTTOM)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of an image from (top, left); what lies outside the image is black.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import crop
        >>> crop(tc.arange(4).reshape(1, 2, 2), 0, 1, 2, 2)
        tensor([[[1, 0],
                 [3, 0]]])
    """
    if not isinstance(img, tc.Tensor):
        return check_picture(img, "crop").crop((left, top, left + width, top + height))
    _, rows, columns = get_dimensions(img)
    bottom, right = top + height, left + width
    inside = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= columns and bottom <= rows:
        return inside
    before = [min(max(-left, 0), width), min(max(-top, 0), height)]
    after = [width - before[0] - inside.shape[-1], height - before[1] - inside.shape[-2]]
    return pad(inside, [*before, *after])


def sides(padding: Any, op: str = "pad") -> list[int]:
    """``[left, top, right, bottom]`` of what users write: one number, (horizontal, vertical), or all four."""
    if isinstance(padding, int):
        return [padding] * 4
    if not isinstance(padding, Sequence) or not all(isinstance(each, int) for each in padding):
        raise TypeError(f"{op}: padding is an int or a sequence of ints, got {padding!r}")
    if len(padding) not in (1, 2, 4):
        raise ValueError(f"{op}: padding is an int or has 1, 2 or 4 elements, got {len(padding)}")
    return list(padding) * (4 // len(padding))


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """An image with margins.

    Args:
        img: a tensor of shape (..., H, W) or a Pillow image.
        padding: one number, ``(left and right, top and bottom)``, or ``(left, top, right, bottom)``; negative ones
            crop.
        fill: the colour of a constant margin, one number or one per channel; ``None`` is black.
        padding_mode: ``"constant"``, ``"edge"`` (the outermost pixel again), ``"reflect"`` (mirrored, the outermost
            pixel once) or ``"symmetric"`` (mirrored, the outermost pixel twice).

    Raises:
        TypeError: for a padding or fill of another kind.
        ValueError: for an unknown mode, another number of elements, or a fill that does not fit the channels.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import pad
        >>> pad(tc.tensor([[[1, 2, 3]]]), (2, 0), padding_mode="symmetric")
        tensor([[[2, 1, 1, 2, 3, 3, 2]]])
    """
    if padding_mode not in PADDING_MODES:
        raise ValueError(f"pad: padding_mode is one of {', '.join(PADDING_MODES)}, got {padding_mode!r}")
    left, top, right, bottom = sides(padding)
    if not isinstance(img, tc.Tensor):
        return _padded_picture(check_picture(img, "pad"), (left, top, right, bottom), fill, padding_mode)
    check_image(img, "pad")
    margins = [left, right, top, bottom]
    if padding_mode in ("reflect", "edge") and min(margins) >= 0:
        planes = img.reshape(-1, 1, *img.shape[-2:])
        padded = nnf.pad(planes, margins, mode="reflect" if padding_mode == "reflect" else "replicate")
        return padded.reshape(*img.shape[:-2], *padded.shape[-2:])
    if padding_mode != "constant":
        rows = _source(int(img.shape[-2]), top, bottom, padding_mode)
        columns = _source(int(img.shape[-1]), left, right, padding_mode)
        return _taken(_taken(img, -2, rows), -1, columns)
    colour = [0] if fill is None else [fill] if isinstance(fill, int | float) else list(fill)
    if len(set(colour)) == 1:
        return nnf.pad(img, margins, value=colour[0])
    if img.ndim < 3 or len(colour) != img.shape[-3]:
        raise ValueError(f"pad: {len(colour)} fill values for an image of shape {tuple(img.shape)}")
    channels = zip(img.split(1, dim=-3), colour, strict=True)
    return tc.cat([nnf.pad(channel, margins, value=value) for channel, value in channels], dim=-3)


def _source(size: int, before: int, after: int, mode: str) -> list[int]:
    """For each pixel of a padded row, the pixel that it repeats."""
    if mode == "reflect" and max(before, after) >= size:
        raise ShapeError(f"pad: reflecting needs more pixels than padding, got {size} and {max(before, after)}")
    if size == 0:
        raise ShapeError("pad: an image without pixels has nothing to repeat")
    places = range(-before, size + after)
    if mode == "edge":
        return [min(max(place, 0), size - 1) for place in places]
    period = 2 * size if mode == "symmetric" else max(2 * size - 2, 1)
    last = period - 1 if mode == "symmetric" else period
    return [min(place % period, last - place % period) for place in places]


def _taken(img: tc.Tensor, dim: int, places: list[int]) -> tc.Tensor:
    if places == list(range(img.shape[dim])):
        return img
    return img.index_select(dim, tc.tensor(places, dtype=tc.int64, device=img.device))


def _padded_picture(img: Any, margins: tuple[int, int, int, int], fill: Any, mode: str) -> Any:
    import numpy as np

    left, top, right, bottom = margins
    if mode == "constant":
        expanded = pillow("ImageOps", "pad").expand(img, border=margins, fill=colour_of(fill, img, "pad"))
        if img.mode == "P":
            expanded.putpalette(img.getpalette())
        return expanded
    array = np.asarray(img)
    rows = _source(array.shape[0], top, bottom, mode)
    columns = _source(array.shape[1], left, right, mode)
    padded = pillow("Image", "pad").fromarray(np.ascontiguousarray(array[rows][:, columns]))
    if img.mode == "P":
        padded.putpalette(img.getpalette())
    return padded


def colour_of(fill: Any, img: Any, op: str) -> Any:
    """A fill as Pillow takes it for this image: a number, or one per channel."""
    channels = len(img.getbands())
    colour = [0 if fill is None else fill] if fill is None or isinstance(fill, int | float) else list(fill)
    if len(colour) not in (1, channels):
        raise ValueError(f"{op}: {len(colour)} fill values for an image of {channels} channel(s)")
    values = tuple(value if img.mode == "F" else int(value) for value in colour)
    return values[0] if channels == 1 else values * (channels // len(values))


def output_size(height: int, width: int, size: Any, max_size: int | None, op: str = "resize") -> tuple[int, int]:
    """The size an image is given: as said, or from the length of its shorter side with the proportions kept."""
    wanted = (size,) if isinstance(size, int) else tuple(size) if size is not None else ()
    if len(wanted) > 2 or (not wanted and max_size is None) or any(each < 1 for each in wanted):
        raise ValueError(f"{op}: expected a positive int or (height, width) for size, got {size!r}")
    if len(wanted) == 2:
        if max_size is not None:
            raise ValueError(f"{op}: max_size goes with a size that is one number, got {size!r}")
        return int(wanted[0]), int(wanted[1])
    shorter, longer = sorted((height, width))
    if not wanted:
        assert max_size is not None
        new = (int(max_size * shorter / longer), max_size)
    else:
        new = (int(wanted[0]), int(wanted[0] * longer / shorter))
        if max_size is not None:
            if max_size <= wanted[0]:
                raise ValueError(f"{op}: max_size must be larger than the size {wanted[0]}, got {max_size}")
            if new[1] > max_size:
                new = (int(max_size * new[0] / new[1]), max_size)
    return new if height <= width else (new[1], new[0])


def resize(
    img: Any,
    size: int | Sequence[int] | None,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """An image of another size.

    Args:
        img: a tensor of shape (..., H, W) or a Pillow image.
        size: (height, width), or one number for the shorter side, which keeps the proportions.
        interpolation: tensors take ``NEAREST``, ``NEAREST_EXACT``, ``BILINEAR`` and ``BICUBIC``.
        max_size: the longest the longer side may become.
        antialias: average over the pixels that fall together when an image shrinks; Pillow always does.

    Raises:
        ValueError: for a size that is not positive, or a mode that tensors do not take.
        ShapeError: for an image without pixels.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import resize
        >>> resize(tc.ones(3, 8, 4), 2).shape, resize(tc.ones(3, 8, 4), (5, 6)).shape
        (tensorcore.Size([3, 4, 2]), tensorcore.Size([3, 5, 6]))
    """
    mode = interpolation_mode(interpolation, "resize")
    _, rows, columns = get_dimensions(img)
    if not rows or not columns:
        raise ShapeError(f"resize: an image of {rows}×{columns} has no pixels")
    height, width = output_size(rows, columns, size, max_size)
    if (height, width) == (rows, columns):
        return img
    if not isinstance(img, tc.Tensor):
        return img.resize((width, height), resampling(mode))
    if mode.value not in _TENSOR_MODES:
        raise ValueError(f"resize: tensors take {', '.join(_TENSOR_MODES)}, got {mode.value!r}; use a Pillow image")
    smooth = mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
    planes = img.reshape(-1, 1, rows, columns)
    if planes.dtype not in (tc.float32, tc.float64) and smooth:
        planes = planes.to(tc.float32)
    options = {"align_corners": False, "antialias": bool(antialias)} if smooth else {}
    done = nnf.interpolate(planes, size=(height, width), mode=mode.value, **options)
    if mode is InterpolationMode.BICUBIC and img.dtype == tc.uint8:
        done = done.clamp(0, 255)  # a cubic overshoots at edges
    return back_to(done, img.dtype).reshape(*img.shape[:-2], height, width)


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle of an image; a side that is too short is padded with black."""
    height, width = pair(output_size, "center_crop")
    _, rows, columns = get_dimensions(img)
    if height > rows or width > columns:
        down, across = max(height - rows, 0), max(width - columns, 0)
        img = pad(img, [across // 2, down // 2, (across + 1) // 2, (down + 1) // 2])
        _, rows, columns = get_dimensions(img)
        if (height, width) == (rows, columns):
            return img
    return crop(img, round((rows - height) / 2), round((columns - width) / 2), height, width)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A part of an image, resized."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, Any, Any, Any, Any]:
    """The four corners of an image and its middle.

    Raises:
        ValueError: for a size larger than the image.
    """
    height, width = pair(size, "five_crop")
    _, rows, columns = get_dimensions(img)
    if height > rows or width > columns:
        raise ValueError(f"five_crop: a crop of {height}×{width} is larger than the image of {rows}×{columns}")
    top_left, top_right, bottom_left, bottom_right = (
        crop(img, top, left, height, width) for top in (0, rows - height) for left in (0, columns - width)
    )
    return top_left, top_right, bottom_left, bottom_right, center_crop(img, [height, width])


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """The five crops of an image and those of its mirror image."""
    flipped = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(flipped, size)


def pair(size: Any, op: str) -> tuple[int, int]:
    """(height, width) of what users write: one number, or one or two in a sequence."""
    if isinstance(size, int | float):
        return int(size), int(size)
    if not isinstance(size, Sequence) or len(size) not in (1, 2):
        raise ValueError(f"{op}: expected one number or (height, width), got {size!r}")
    return size[0], size[-1]
