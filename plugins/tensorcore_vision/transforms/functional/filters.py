"""Blurring, noise, erasing, and what JPEG leaves of an image."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.nn import functional as nnf
from tensorcore_vision.transforms.functional.conversion import pil_to_tensor, to_pil_image
from tensorcore_vision.transforms.functional.images import back_to, check_image, is_picture, pillow, working_dtype

__all__ = ["erase", "gaussian_blur", "gaussian_noise", "jpeg"]


def erase(img: tc.Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> tc.Tensor:
    """An image with the rectangle of ``h`` by ``w`` pixels from (i, j) filled with ``v``.

    Raises:
        TypeError: for what is no tensor.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import erase
        >>> erase(tc.ones(1, 2, 3), 0, 1, 2, 2, tc.tensor(0.0))
        tensor([[[1., 0., 0.],
                 [1., 0., 0.]]])
    """
    if not isinstance(img, tc.Tensor):
        raise TypeError(f"erase: expected a tensor, got {type(img).__name__}; put ToTensor() before it")
    changed = check_image(img, "erase") if inplace else img.clone()
    fill = v.to(device=img.device, dtype=img.dtype) if isinstance(v, tc.Tensor) else v
    changed[..., i : i + h, j : j + w] = fill
    return changed


def _gaussian(size: int, sigma: float, dtype: tc.dtype, device: Any) -> tc.Tensor:
    half = (size - 1) * 0.5
    places = tc.linspace(-half, half, size, dtype=dtype, device=device)
    weights = tc.exp(-0.5 * (places / sigma) ** 2)
    return weights / weights.sum()


def gaussian_blur(img: Any, kernel_size: int | Sequence[int], sigma: Any = None) -> Any:
    """An image convolved with a Gaussian, mirrored at its edges.

    Args:
        img: a tensor of shape (..., C, H, W) or a Pillow image.
        kernel_size: the odd size of the kernel, or (along x, along y).
        sigma: the standard deviation in pixels, or (along x, along y); by default 0.15 times the size plus 0.35.

    Raises:
        TypeError: for sizes or deviations that are no numbers.
        ValueError: for a size that is even or not positive, or a deviation that is not positive.
        ShapeError: for an image smaller than half the kernel.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import gaussian_blur
        >>> gaussian_blur(tc.tensor([[[0.0, 0, 1, 0, 0]] * 3]), 3, 1.0)[0, 0]
        tensor([0.0000, 0.2741, 0.4519, 0.2741, 0.0000])
    """
    sizes = _two(kernel_size, "kernel_size")
    if any(not isinstance(size, int) or size < 1 or size % 2 == 0 for size in sizes):
        raise ValueError(f"gaussian_blur: kernel_size is odd and positive, got {kernel_size!r}")
    sigmas = [size * 0.15 + 0.35 for size in sizes] if sigma is None else _two(sigma, "sigma")
    if any(each <= 0 for each in sigmas):
        raise ValueError(f"gaussian_blur: sigma is positive, got {sigma!r}")
    tensor = pil_to_tensor(img) if is_picture(img) else check_image(img, "gaussian_blur")
    if tensor.shape[-1] <= sizes[0] // 2 or tensor.shape[-2] <= sizes[1] // 2:
        raise ShapeError(f"gaussian_blur: a kernel of {sizes} needs a larger image, got {tuple(tensor.shape)}")
    dtype = working_dtype(tensor)
    across, down = (
        _gaussian(size, float(each), dtype, tensor.device) for size, each in zip(sizes, sigmas, strict=True)
    )
    planes = tensor.reshape(-1, 1, *tensor.shape[-2:]).to(dtype)
    margins = [sizes[0] // 2, sizes[0] // 2, sizes[1] // 2, sizes[1] // 2]
    # A Gaussian is the product of its two directions: two short convolutions in place of a square one.
    rows = nnf.conv2d(nnf.pad(planes, margins, mode="reflect"), across.reshape(1, 1, 1, -1))
    done = back_to(nnf.conv2d(rows, down.reshape(1, 1, -1, 1)), tensor.dtype).reshape(tensor.shape)
    return to_pil_image(done, img.mode) if is_picture(img) else done


def _two(value: Any, name: str) -> list[Any]:
    if isinstance(value, int | float):
        return [value, value]
    if not isinstance(value, list | tuple):
        raise TypeError(f"gaussian_blur: {name} is a number or a pair, got {type(value).__name__}")
    if len(value) not in (1, 2):
        raise ValueError(f"gaussian_blur: {name} is a number or a pair, got {value!r}")
    return [value[0], value[-1]]


def gaussian_noise(image: tc.Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> tc.Tensor:
    """An image with normal noise added, of the standard deviation ``sigma`` where white is 1.

    Raises:
        ValueError: for a negative deviation.
        DTypeError: for a dtype that is neither floating nor uint8.
    """
    check_image(image, "gaussian_noise")
    if sigma < 0:
        raise ValueError(f"gaussian_noise: sigma must not be negative, got {sigma}")
    if image.is_floating_point():
        noisy = image + (mean + tc.randn_like(image) * sigma)
        return noisy.clamp(0, 1) if clip else noisy
    if image.dtype != tc.uint8:
        raise DTypeError(f"gaussian_noise: expected uint8 or a floating dtype, got {image.dtype}")
    noise = (mean * 255 + tc.randn(*image.shape, device=image.device) * sigma * 255).to(tc.int32)
    noisy = image.to(tc.int32) + noise
    return (noisy.clamp(0, 255) if clip else noisy).to(tc.uint8)


def jpeg(image: Any, quality: int) -> Any:
    """What is left of an image of dtype uint8, or a Pillow image, after JPEG of the given quality, 1 to 100."""
    if not 1 <= quality <= 100:
        raise ValueError(f"jpeg: the quality goes from 1 to 100, got {quality}")
    if is_picture(image):
        with io.BytesIO() as buffer:
            image.save(buffer, format="JPEG", quality=quality)
            stored = pillow("Image", "jpeg").open(buffer, formats=("JPEG",))
            stored.load()
        return stored
    check_image(image, "jpeg", (1, 3))
    if image.dtype != tc.uint8:
        raise DTypeError(f"jpeg: expected uint8, got {image.dtype}")
    planes = image.reshape(-1, *image.shape[-3:])
    done = [pil_to_tensor(jpeg(to_pil_image(plane), quality)) for plane in planes.unbind(0)]
    return tc.stack(done).to(image.device).reshape(image.shape) if done else image
