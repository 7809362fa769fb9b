"""The colours of images: brightness, contrast, saturation, hue, and the operations of Pillow's ImageOps."""

from __future__ import annotations

from typing import Any

import tensorcore as tc
from tensorcore.errors import DTypeError
from tensorcore.nn import functional as nnf
from tensorcore_vision.transforms.functional.conversion import convert_image_dtype
from tensorcore_vision.transforms.functional.images import (
    back_to,
    check_image,
    check_picture,
    largest_value,
    pillow,
    working_dtype,
)

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "autocontrast",
    "equalize",
    "invert",
    "posterize",
    "rgb_to_grayscale",
    "solarize",
    "to_grayscale",
]

_COLOURS = (1, 3)


def _factor(value: float, op: str, name: str) -> float:
    if value < 0:
        raise ValueError(f"{op}: {name} must not be negative, got {value}")
    return float(value)


def _blend(img: tc.Tensor, other: Any, share: float) -> tc.Tensor:
    """``share`` of the image and the rest of the other one; shares above 1 lead away from it."""
    mixed = img * share + other * (1.0 - share)
    return mixed.clamp(0, largest_value(img.dtype)).to(img.dtype)


def _enhanced(img: Any, kind: str, factor: float, op: str) -> Any:
    return getattr(pillow("ImageEnhance", op), kind)(check_picture(img, op)).enhance(factor)


def _grey(img: tc.Tensor) -> tc.Tensor:
    """Brightness in one channel, ``0.2989 R + 0.587 G + 0.114 B`` (ITU-R BT.601)."""
    if img.shape[-3] == 1:
        return img
    red, green, blue = img.unbind(-3)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Colours as brightness, ``0.2989 R + 0.587 G + 0.114 B`` (ITU-R BT.601), in one channel or three equal ones.

    Raises:
        ValueError: for another number of output channels.
        ShapeError: for a tensor whose third dimension from the end is neither 1 nor 3.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import rgb_to_grayscale
        >>> rgb_to_grayscale(tc.tensor([[[1.0]], [[0.0]], [[0.0]]]))
        tensor([[[0.2989]]])
    """
    if num_output_channels not in _COLOURS:
        raise ValueError(f"rgb_to_grayscale: num_output_channels is 1 or 3, got {num_output_channels}")
    if isinstance(img, tc.Tensor):
        grey = _grey(check_image(img, "rgb_to_grayscale", _COLOURS))
        return grey if num_output_channels == 1 else tc.cat([grey, grey, grey], dim=-3)
    grey = check_picture(img, "rgb_to_grayscale").convert("L")
    return grey if num_output_channels == 1 else pillow("Image", "rgb_to_grayscale").merge("RGB", (grey, grey, grey))


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A Pillow image as brightness, in one channel or three equal ones."""
    return rgb_to_grayscale(check_picture(img, "to_grayscale"), num_output_channels)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """An image of ``brightness_factor`` times the brightness; 0 is black, 1 the image itself.

    Raises:
        ValueError: for a negative factor, which only Pillow takes.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import adjust_brightness
        >>> adjust_brightness(tc.tensor([[[0.25, 0.75]]]), 2.0)
        tensor([[[0.5000, 1.0000]]])
    """
    if not isinstance(img, tc.Tensor):
        return _enhanced(img, "Brightness", brightness_factor, "adjust_brightness")
    factor = _factor(brightness_factor, "adjust_brightness", "brightness_factor")
    check_image(img, "adjust_brightness", _COLOURS)
    return (img * factor).clamp(0, largest_value(img.dtype)).to(img.dtype)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """An image of ``contrast_factor`` times the contrast about its mean brightness; 0 is grey, 1 the image itself."""
    if not isinstance(img, tc.Tensor):
        return _enhanced(img, "Contrast", contrast_factor, "adjust_contrast")
    factor = _factor(contrast_factor, "adjust_contrast", "contrast_factor")
    grey = _grey(check_image(img, "adjust_contrast", _COLOURS)).to(working_dtype(img))
    return _blend(img, grey.mean(dim=(-3, -2, -1), keepdim=True), factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """An image of ``saturation_factor`` times the saturation; 0 is without colour, 1 the image itself."""
    if not isinstance(img, tc.Tensor):
        return _enhanced(img, "Color", saturation_factor, "adjust_saturation")
    factor = _factor(saturation_factor, "adjust_saturation", "saturation_factor")
    check_image(img, "adjust_saturation", _COLOURS)
    return img if img.shape[-3] == 1 else _blend(img, _grey(img), factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """An image whose hues are turned by ``hue_factor`` of the colour circle.

    Raises:
        ValueError: for a factor outside -0.5 to 0.5.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import adjust_hue
        >>> adjust_hue(tc.tensor([[[1.0]], [[0.0]], [[0.0]]]), 0.5).flatten()
        tensor([0., 1., 1.])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"adjust_hue: hue_factor goes from -0.5 to 0.5, got {hue_factor}")
    if not isinstance(img, tc.Tensor):
        return _turned_picture(check_picture(img, "adjust_hue"), hue_factor)
    check_image(img, "adjust_hue", _COLOURS)
    if img.shape[-3] == 1:
        return img
    colours = convert_image_dtype(img, img.dtype if img.dtype == tc.float64 else tc.float32)
    return convert_image_dtype(_turned(colours, hue_factor), img.dtype)


def _turned(img: tc.Tensor, turn: float) -> tc.Tensor:
    """RGB to hue, saturation and value, the hue turned, and back (Smith: Color gamut transform pairs, 1978)."""
    red, green, blue = img.unbind(-3)
    value, least = img.amax(-3), img.amin(-3)
    chroma = value - least
    grey = chroma == 0
    divisor = tc.where(grey, 1.0, chroma)
    red, green, blue = ((value - each) / divisor for each in (red, green, blue))
    from_green, from_blue = 2.0 + red - blue, 4.0 + green - red
    sixths = tc.where(red == 0, blue - green, tc.where(green == 0, from_green, from_blue))
    hue = ((tc.where(grey, 0.0, sixths) / 6.0 + 1.0) % 1.0 + turn) % 1.0
    saturation = chroma / tc.where(grey, 1.0, value)
    sector = (hue * 6.0).floor()
    past = hue * 6.0 - sector
    rising = value * (1.0 - saturation * (1.0 - past))
    falling = value * (1.0 - saturation * past)
    least = value * (1.0 - saturation)
    levels = tc.stack([value, rising, falling, least], dim=-3).clamp(0.0, 1.0)
    # Which of the four levels red, green and blue have in each sixth of the circle.
    table = tc.tensor([[0, 2, 3, 3, 1, 0], [1, 0, 0, 2, 3, 3], [3, 3, 1, 0, 0, 2]], device=img.device)
    chosen = tc.stack([row[sector.to(tc.int64) % 6] for row in table.unbind(0)], dim=-3)
    return levels.gather(-3, chosen)


def _turned_picture(img: Any, turn: float) -> Any:
    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    # Pillow's hues are bytes, which go round.
    step = int(turn * 255)
    turned = hue.point([(each + step) % 256 for each in range(256)])
    return pillow("Image", "adjust_hue").merge("HSV", (turned, saturation, value)).convert(img.mode)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """An image after ``gain · value ** gamma`` of each value from 0 to 1; above 1 shadows are darker.

    Raises:
        ValueError: for a negative gamma.
    """
    if gamma < 0:
        raise ValueError(f"adjust_gamma: gamma must not be negative, got {gamma}")
    if isinstance(img, tc.Tensor):
        check_image(img, "adjust_gamma", _COLOURS)
        values = img if img.is_floating_point() else convert_image_dtype(img, tc.float32)
        return convert_image_dtype((gain * values**gamma).clamp(0, 1), img.dtype)
    table = [min(int(255.999 * gain * (each / 255) ** gamma), 255) for each in range(256)]
    return check_picture(img, "adjust_gamma").convert("RGB").point(table * 3).convert(img.mode)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """An image of ``sharpness_factor`` times the sharpness; 0 is smoothed by a 3×3 kernel, 1 the image itself."""
    if not isinstance(img, tc.Tensor):
        return _enhanced(img, "Sharpness", sharpness_factor, "adjust_sharpness")
    factor = _factor(sharpness_factor, "adjust_sharpness", "sharpness_factor")
    check_image(img, "adjust_sharpness", _COLOURS)
    if min(img.shape[-2:]) <= 2:
        return img
    dtype = working_dtype(img)
    kernel = tc.tensor([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]], dtype=dtype, device=img.device) / 13
    planes = img.reshape(-1, 1, *img.shape[-2:]).to(dtype)
    smooth = back_to(nnf.conv2d(planes, kernel[None, None]), img.dtype).to(dtype)
    # Pillow leaves the outermost pixels as they are.
    inner = planes[..., 1:-1, 1:-1]
    mixed = (inner * factor + smooth * (1.0 - factor)).clamp(0, largest_value(img.dtype))
    top, bottom = planes[..., :1, :], planes[..., -1:, :]
    middle = tc.cat([planes[..., 1:-1, :1], mixed, planes[..., 1:-1, -1:]], dim=-1)
    return tc.cat([top, middle, bottom], dim=-2).to(img.dtype).reshape(img.shape)


def invert(img: Any) -> Any:
    """An image with black and white exchanged, and each colour with its opposite."""
    if not isinstance(img, tc.Tensor):
        return pillow("ImageOps", "invert").invert(check_picture(img, "invert"))
    return largest_value(img.dtype) - check_image(img, "invert", _COLOURS)


def posterize(img: Any, bits: int) -> Any:
    """An image with ``bits`` bits for each channel, from 0 to 8.

    Raises:
        ValueError: for another number of bits.
        DTypeError: for a tensor of another dtype than uint8.
    """
    if not 0 <= bits <= 8:
        raise ValueError(f"posterize: bits goes from 0 to 8, got {bits}")
    if not isinstance(img, tc.Tensor):
        return pillow("ImageOps", "posterize").posterize(check_picture(img, "posterize"), bits)
    check_image(img, "posterize", _COLOURS)
    if img.dtype != tc.uint8:
        raise DTypeError(f"posterize: expected uint8, got {img.dtype}")
    return img & (256 - (1 << (8 - bits)))


def solarize(img: Any, threshold: float) -> Any:
    """An image with everything from ``threshold`` up inverted.

    Raises:
        TypeError: for a threshold above white.
    """
    if not isinstance(img, tc.Tensor):
        return pillow("ImageOps", "solarize").solarize(check_picture(img, "solarize"), threshold)
    check_image(img, "solarize", _COLOURS)
    if threshold > largest_value(img.dtype):
        raise TypeError(f"solarize: white is {largest_value(img.dtype)} in {img.dtype}, the threshold is {threshold}")
    return tc.where(img >= threshold, invert(img), img)


def autocontrast(img: Any) -> Any:
    """An image whose darkest value in each channel becomes black and whose brightest becomes white."""
    if not isinstance(img, tc.Tensor):
        return pillow("ImageOps", "autocontrast").autocontrast(check_picture(img, "autocontrast"))
    white = largest_value(check_image(img, "autocontrast", _COLOURS).dtype)
    dtype = working_dtype(img)
    low, high = img.amin((-2, -1), keepdim=True).to(dtype), img.amax((-2, -1), keepdim=True).to(dtype)
    flat = high == low
    scale = tc.where(flat, 1.0, white / tc.where(flat, 1.0, high - low))
    return ((img - tc.where(flat, 0.0, low)) * scale).clamp(0, white).to(img.dtype)


def equalize(img: Any) -> Any:
    """An image in which every brightness is about as frequent, in each channel; Pillow's method.

    Raises:
        DTypeError: for a tensor of another dtype than uint8.
    """
    if not isinstance(img, tc.Tensor):
        return pillow("ImageOps", "equalize").equalize(check_picture(img, "equalize"))
    check_image(img, "equalize", _COLOURS)
    if img.dtype != tc.uint8:
        raise DTypeError(f"equalize: expected uint8, got {img.dtype}")
    if not img.numel():
        return img
    planes = img.reshape(-1, img.shape[-2] * img.shape[-1]).to(tc.int64)
    # One histogram per plane by counting the values of all, each plane's 256 further up.
    offsets = tc.arange(planes.shape[0], device=img.device).unsqueeze(1) * 256
    counts = tc.bincount((planes + offsets).flatten(), minlength=256 * planes.shape[0]).reshape(-1, 256)
    total = counts.cumsum(1)
    # Pillow: of the pixels but those of the brightest value present, a 255th to each step.
    brightest = planes.amax(1, keepdim=True)
    step = (planes.shape[1] - counts.gather(1, brightest)) // 255
    table = ((total - counts + step // 2) // step.clamp(min=1)).clamp(0, 255)
    identity = tc.arange(256, device=img.device).expand(planes.shape[0], 256)
    table = tc.where(step == 0, identity, table)
    return table.gather(1, planes).to(tc.uint8).reshape(img.shape)
