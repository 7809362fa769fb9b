"""What an image is: a tensor of shape (..., C, H, W) or a Pillow image, its size, its channels and its range."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum
from importlib import import_module
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError

__all__ = ["InterpolationMode", "get_dimensions", "get_image_num_channels", "get_image_size"]


class InterpolationMode(Enum):
    """How pixels between pixels are computed; ``BOX``, ``HAMMING`` and ``LANCZOS`` are for Pillow images."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


#: Pillow's numbers of the modes.
_RESAMPLING: Final = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}


def interpolation_mode(interpolation: Any, op: str) -> InterpolationMode:
    """The mode that a member, its name or Pillow's number stands for."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int):
        for mode, number in _RESAMPLING.items():
            if number == interpolation:
                return mode
    elif isinstance(interpolation, str):
        for mode in InterpolationMode:
            if mode.value == interpolation.lower():
                return mode
    known = ", ".join(mode.value for mode in InterpolationMode)
    error = ValueError if isinstance(interpolation, str | int) else TypeError
    raise error(f"{op}: interpolation is an InterpolationMode, one of {known}, got {interpolation!r}")


def resampling(mode: InterpolationMode) -> int:
    """Pillow's number of a mode."""
    return _RESAMPLING[mode]


def pillow(name: str, op: str) -> Any:
    """A module of Pillow, which is an extra."""
    try:
        return import_module(f"PIL.{name}")
    except ImportError:
        raise ImportError(f"{op}: needs Pillow; install tensorcore-framework[vision]") from None


def is_picture(img: Any) -> bool:
    """Whether ``img`` is a Pillow image; where Pillow was never imported there is none."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(img, module.Image)


def check_image(img: Any, op: str, channels: Sequence[int] = (), ndim: int = 2) -> tc.Tensor:
    """``img`` as it is, refused where it is no tensor, or one of too few dimensions or other channels."""
    if not isinstance(img, tc.Tensor):
        raise TypeError(f"{op}: expected a tensor or a Pillow image, got {type(img).__name__}")
    if img.ndim < max(ndim, 3 if channels else 2):
        wanted = "(..., C, H, W)" if channels or ndim > 2 else "(..., H, W)"
        raise ShapeError(f"{op}: expected shape {wanted}, got {tuple(img.shape)}")
    if channels and img.shape[-3] not in channels:
        wanted = " or ".join(map(str, channels))
        raise ShapeError(f"{op}: expected shape (..., {wanted}, H, W), got {tuple(img.shape)}")
    return img


def check_picture(img: Any, op: str) -> Any:
    """``img`` as it is, refused where it is no Pillow image."""
    if not is_picture(img):
        raise TypeError(f"{op}: expected a tensor or a Pillow image, got {type(img).__name__}")
    return img


def largest_value(dtype: tc.dtype) -> int:
    """White: 1 for floating dtypes, the largest value of integer ones.

    Raises:
        DTypeError: for a dtype that images do not have.
    """
    if dtype.is_floating_point or dtype == tc.bool:
        return 1
    if dtype.is_complex:
        raise DTypeError(f"images have real pixels, got {dtype}")
    return int(tc.iinfo(dtype).max)


def working_dtype(img: tc.Tensor) -> tc.dtype:
    """The dtype to compute in: that of floating images, else float32."""
    return img.dtype if img.is_floating_point() else tc.float32


def back_to(values: tc.Tensor, dtype: tc.dtype) -> tc.Tensor:
    """Floating values as pixels of ``dtype``; integers are rounded, half to even."""
    if values.dtype == dtype:
        return values
    if not dtype.is_floating_point:
        values = values.round()
    return values.to(dtype)


def get_dimensions(img: Any) -> list[int]:
    """``[channels, height, width]`` of a tensor or Pillow image.

    Raises:
        TypeError: for anything else.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import get_dimensions
        >>> get_dimensions(tc.zeros(3, 4, 5)), get_dimensions(tc.zeros(4, 5))
        ([3, 4, 5], [1, 4, 5])
    """
    if isinstance(img, tc.Tensor):
        check_image(img, "get_dimensions")
        return [1 if img.ndim == 2 else int(img.shape[-3]), int(img.shape[-2]), int(img.shape[-1])]
    check_picture(img, "get_dimensions")
    width, height = img.size
    return [len(img.getbands()), height, width]


def get_image_size(img: Any) -> list[int]:
    """``[width, height]`` of a tensor or Pillow image."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of a tensor or Pillow image."""
    return get_dimensions(img)[0]
