"""The transforms as functions of images, masks, boxes and videos: each kind by its own rule, and the kind is kept.

Masks are moved without mixing their values and keep their colours; boxes are moved, and colours do not touch them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import tensorcore as tc
from tensorcore_vision.transforms import functional as F
from tensorcore_vision.transforms.functional import filters
from tensorcore_vision.transforms.functional.images import InterpolationMode, get_dimensions, is_picture
from tensorcore_vision.transforms.v2.functional import boxes
from tensorcore_vision.transforms.v2.functional.boxes import clamp_bounding_boxes, convert_bounding_box_format
from tensorcore_vision.tv_tensors import BoundingBoxes, Image, Mask, TVTensor, wrap

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "clamp_bounding_boxes",
    "convert_bounding_box_format",
    "crop",
    "elastic",
    "elastic_transform",
    "equalize",
    "erase",
    "five_crop",
    "gaussian_blur",
    "gaussian_noise",
    "get_dimensions",
    "get_size",
    "grayscale_to_rgb",
    "hflip",
    "horizontal_flip",
    "invert",
    "jpeg",
    "normalize",
    "pad",
    "permute_channels",
    "perspective",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_dtype",
    "to_grayscale",
    "to_image",
    "to_pil_image",
    "vertical_flip",
    "vflip",
]

_NEAREST = InterpolationMode.NEAREST


def _by_kind(
    image: Callable[..., Any], mask: Callable[..., Any] | None = None, boxes: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """A function of images as one of all kinds; where a kind has no rule it is left alone."""

    @wraps(image)
    def call(inpt: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inpt, BoundingBoxes):
            return inpt if boxes is None else boxes(inpt, *args, **kwargs)
        if not isinstance(inpt, TVTensor):
            return image(inpt, *args, **kwargs)
        if isinstance(inpt, Mask) and mask is None:
            return inpt
        rule = mask if isinstance(inpt, Mask) and mask is not None else image
        done = rule(inpt.as_subclass(tc.Tensor), *args, **kwargs)
        if isinstance(done, tuple):
            return tuple(wrap(each, like=inpt) for each in done)
        return wrap(done, like=inpt) if isinstance(done, tc.Tensor) else done

    return call


def _mask_resize(mask: Any, size: Any, interpolation: Any = None, max_size: Any = None, antialias: Any = None) -> Any:
    plain = F.resize(mask.to(tc.float64), size, _NEAREST, max_size)
    return plain.to(mask.dtype)


def _mask_resized_crop(mask: Any, top: int, left: int, height: int, width: int, size: Any, **options: Any) -> Any:
    return _mask_resize(F.crop(mask, top, left, height, width), size)


def _mask_pad(mask: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    return F.pad(mask, padding, fill or 0, padding_mode)


def _mask_rotate(
    mask: Any, angle: float, interpolation: Any = None, expand: bool = False, center: Any = None, fill: Any = None
) -> Any:
    return F.rotate(mask, angle, _NEAREST, expand, center, fill)


def _mask_affine(
    mask: Any,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    interpolation: Any = None,
    fill: Any = None,
    center: Any = None,
) -> Any:
    return F.affine(mask, angle, translate, scale, shear, _NEAREST, fill, center)


def _mask_perspective(
    mask: Any, startpoints: Any, endpoints: Any, interpolation: Any = None, fill: Any = None, coefficients: Any = None
) -> Any:
    return F.perspective(mask, startpoints, endpoints, _NEAREST, fill, coefficients)


def _mask_elastic(mask: Any, displacement: tc.Tensor, interpolation: Any = None, fill: Any = None) -> Any:
    return F.elastic_transform(mask, displacement, _NEAREST, fill)


hflip = horizontal_flip = _by_kind(F.hflip, F.hflip, boxes.horizontal_flip)
vflip = vertical_flip = _by_kind(F.vflip, F.vflip, boxes.vertical_flip)
crop = _by_kind(F.crop, F.crop, boxes.crop)
center_crop = _by_kind(F.center_crop, F.center_crop, boxes.center_crop)
five_crop = _by_kind(F.five_crop)
ten_crop = _by_kind(F.ten_crop)
pad = _by_kind(F.pad, _mask_pad, boxes.pad)
resize = _by_kind(F.resize, _mask_resize, boxes.resize)
resized_crop = _by_kind(F.resized_crop, _mask_resized_crop, boxes.resized_crop)
rotate = _by_kind(F.rotate, _mask_rotate, boxes.rotate)
affine = _by_kind(F.affine, _mask_affine, boxes.affine)
perspective = _by_kind(F.perspective, _mask_perspective, boxes.perspective)
elastic = elastic_transform = _by_kind(F.elastic_transform, _mask_elastic, boxes.elastic)

adjust_brightness = _by_kind(F.adjust_brightness)
adjust_contrast = _by_kind(F.adjust_contrast)
adjust_saturation = _by_kind(F.adjust_saturation)
adjust_hue = _by_kind(F.adjust_hue)
adjust_gamma = _by_kind(F.adjust_gamma)
adjust_sharpness = _by_kind(F.adjust_sharpness)
autocontrast = _by_kind(F.autocontrast)
invert = _by_kind(F.invert)
solarize = _by_kind(F.solarize)
rgb_to_grayscale = _by_kind(F.rgb_to_grayscale)
to_grayscale = rgb_to_grayscale
gaussian_blur = _by_kind(F.gaussian_blur)
gaussian_noise = _by_kind(filters.gaussian_noise)
jpeg = _by_kind(filters.jpeg)
normalize = _by_kind(F.normalize)
pil_to_tensor = F.pil_to_tensor
to_pil_image = F.to_pil_image


def _image_posterize(img: Any, bits: int) -> Any:
    """An image with ``bits`` bits for each channel, from 0 to 8; floating images have as many levels."""
    if not isinstance(img, tc.Tensor) or not img.is_floating_point():
        return F.posterize(img, bits)
    levels = 1 << bits
    return (img * levels).floor().clamp(0, levels - 1) / levels


def _image_equalize(img: Any) -> Any:
    """An image in which every brightness is about as frequent, in each channel; Pillow's method."""
    if not isinstance(img, tc.Tensor) or not img.is_floating_point():
        return F.equalize(img)
    return F.convert_image_dtype(F.equalize(F.convert_image_dtype(img, tc.uint8)), img.dtype)


def _image_erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """An image with the rectangle of ``h`` by ``w`` pixels from (i, j) filled with ``v``."""
    if is_picture(img):
        return F.to_pil_image(F.erase(F.pil_to_tensor(img), i, j, h, w, v, inplace=True), img.mode)
    return F.erase(img, i, j, h, w, v, inplace)


erase = _by_kind(_image_erase)
posterize = _by_kind(_image_posterize)
equalize = _by_kind(_image_equalize)


def get_size(inpt: Any) -> list[int]:
    """``[height, width]`` of an image, masks, or the image that boxes belong to."""
    return list(inpt.canvas_size) if isinstance(inpt, BoundingBoxes) else get_dimensions(inpt)[1:]


def to_image(inpt: Any) -> Any:
    """A Pillow image, an array of shape (H, W) or (H, W, C), or a tensor as an `Image`.

    Raises:
        TypeError: for anything else.

    Example:
        >>> import numpy
        >>> from tensorcore_vision.transforms.v2.functional import to_image
        >>> to_image(numpy.zeros((4, 5, 3), numpy.uint8)).shape
        tensorcore.Size([3, 4, 5])
    """
    import numpy as np

    if isinstance(inpt, np.ndarray):
        planes = np.atleast_3d(inpt).transpose(2, 0, 1)
        return Image(tc.from_numpy(np.array(planes, order="C")))
    if isinstance(inpt, tc.Tensor) or is_picture(inpt):
        return Image(inpt)
    raise TypeError(f"to_image: expected a Pillow image, a NumPy array or a tensor, got {type(inpt).__name__}")


def to_dtype(inpt: Any, dtype: tc.dtype = tc.float32, scale: bool = False) -> Any:
    """A tensor in another dtype; ``scale`` keeps black and white of images where they belong.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.v2.functional import to_dtype
        >>> to_dtype(tc.tensor([0, 255], dtype=tc.uint8), tc.float32, scale=True)
        tensor([0., 1.])
    """
    if not isinstance(inpt, tc.Tensor):
        raise TypeError(f"to_dtype: expected a tensor, got {type(inpt).__name__}")
    plain = inpt.as_subclass(tc.Tensor)
    scaled = scale and not isinstance(inpt, BoundingBoxes | Mask)
    return wrap(F.convert_image_dtype(plain, dtype) if scaled else plain.to(dtype), like=inpt)


def _image_to_rgb(image: Any) -> Any:
    """An image of three channels, which are equal where there was one."""
    if is_picture(image):
        return image.convert("RGB")
    return image if image.shape[-3] == 3 else F.rgb_to_grayscale(image, 3)


def _image_permute(inpt: Any, permutation: Any) -> Any:
    """An image with its channels in another order."""
    if is_picture(inpt):
        return F.to_pil_image(_image_permute(F.pil_to_tensor(inpt), permutation))
    order = permutation.tolist() if isinstance(permutation, tc.Tensor) else list(permutation)
    if sorted(order) != list(range(inpt.shape[-3])):
        raise ValueError(f"permute_channels: {order} is no order of {inpt.shape[-3]} channels")
    return inpt[..., order, :, :]


grayscale_to_rgb = _by_kind(_image_to_rgb)
permute_channels = _by_kind(_image_permute)
