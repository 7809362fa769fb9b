"""Between Pillow images, NumPy arrays and tensors, and between the dtypes of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore_vision.transforms.functional.images import check_image, is_picture, largest_value, pillow

__all__ = ["convert_image_dtype", "normalize", "pil_to_tensor", "to_pil_image", "to_tensor"]

#: Modes of Pillow for pixels of a NumPy dtype, by the number of channels; the first is taken where none is said.
_MODES: Final = {
    1: {"uint8": ("L",), "int16": ("I;16",), "uint16": ("I;16",), "int32": ("I",), "float32": ("F",)},
    2: {"uint8": ("LA",)},
    3: {"uint8": ("RGB", "YCbCr", "HSV", "LAB")},
    4: {"uint8": ("RGBA", "CMYK", "RGBX")},
}


def to_tensor(pic: Any) -> tc.Tensor:
    """A Pillow image or NumPy array of shape (H, W) or (H, W, C) as a tensor of shape (C, H, W).

    8-bit pixels become numbers of the default dtype from 0 to 1; other dtypes keep their values. A tensor is taken as
    an image of shape (C, H, W) already, and only its values are converted.

    Raises:
        TypeError: for anything else.
        ShapeError: for an array of another number of dimensions.

    Example:
        >>> import numpy
        >>> from tensorcore_vision.transforms.functional import to_tensor
        >>> to_tensor(numpy.array([[0, 51, 255]], dtype=numpy.uint8))
        tensor([[[0.0000, 0.2000, 1.0000]]])
    """
    if isinstance(pic, tc.Tensor):
        tensor = pic
    elif is_picture(pic):
        tensor = _pixels(pic)
        if pic.mode == "1":
            tensor = tensor.to(tc.uint8) * 255
    else:
        tensor = _from_array(pic)
    return tensor.to(tc.get_default_dtype()) / 255 if tensor.dtype == tc.uint8 else tensor


def pil_to_tensor(pic: Any) -> tc.Tensor:
    """A Pillow image as a tensor of shape (C, H, W) with the pixels as they are stored.

    Raises:
        TypeError: for anything else.

    Example:
        >>> from PIL import Image
        >>> from tensorcore_vision.transforms.functional import pil_to_tensor
        >>> pil_to_tensor(Image.new("RGB", (1, 1), (1, 2, 3))).flatten()
        tensor([1, 2, 3], dtype=tensorcore.uint8)
    """
    if not is_picture(pic):
        raise TypeError(f"pil_to_tensor: expected a Pillow image, got {type(pic).__name__}")
    return _pixels(pic)


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor of shape (C, H, W) or (H, W), or an array of shape (H, W, C) or (H, W), as a Pillow image.

    Floating values from 0 to 1 become 8-bit pixels unless ``mode`` is ``"F"``. Without ``mode`` 1, 2, 3 and 4 channels
    are ``L``, ``LA``, ``RGB`` and ``RGBA``.

    Raises:
        TypeError: for anything else, and for a dtype that Pillow has no mode for.
        ValueError: for another shape, more than four channels, or a mode that does not fit.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import to_pil_image
        >>> to_pil_image(tc.ones(3, 2, 4)).size
        (4, 2)
    """
    import numpy as np

    Image = pillow("Image", "to_pil_image")
    if isinstance(pic, tc.Tensor):
        array = pic.numpy(force=True)
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(f"to_pil_image: expected a tensor or a NumPy array, got {type(pic).__name__}")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or not 1 <= array.shape[2] <= 4:
        raise ShapeError(f"to_pil_image: expected 1 to 4 channels in 2 or 3 dimensions, got shape {tuple(pic.shape)}")
    if array.dtype.kind == "f":
        array = (array * 255).astype(np.uint8) if mode != "F" else array.astype(np.float32)
    channels = array.shape[2]
    modes = _MODES[channels].get(array.dtype.name, ())
    if not modes:
        raise TypeError(f"to_pil_image: Pillow has no images of {channels} channel(s) of {array.dtype.name}")
    if mode is not None and mode not in modes:
        raise ValueError(
            f"to_pil_image: {channels} channel(s) of {array.dtype.name} make {' or '.join(modes)}, not {mode!r}"
        )
    wanted = mode or modes[0]
    height, width = array.shape[:2]
    data = np.ascontiguousarray(array[:, :, 0] if channels == 1 else array)
    return Image.frombytes(wanted, (width, height), data.tobytes())


def convert_image_dtype(image: tc.Tensor, dtype: tc.dtype = tc.float32) -> tc.Tensor:
    """Pixels in another dtype, with black and white where they belong: 0 and 1, or 0 and the largest integer.

    Raises:
        TypeError: for what is no tensor.
        DTypeError: for a floating dtype too coarse for all values of the integer one.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import convert_image_dtype
        >>> convert_image_dtype(tc.tensor([0.0, 0.5, 1.0]), tc.uint8)
        tensor([  0, 127, 255], dtype=tensorcore.uint8)
    """
    if not isinstance(image, tc.Tensor):
        raise TypeError(f"convert_image_dtype: expected a tensor, got {type(image).__name__}")
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        if (image.dtype == tc.float32 and dtype in (tc.int32, tc.int64)) or dtype == tc.int64:
            raise DTypeError(f"convert_image_dtype: {image.dtype} cannot hold every value of {dtype}")
        # Each integer gets an equal share of [0, 1], of which 1 itself is the end.
        return (image * (largest_value(dtype) + 1 - 1e-3)).to(dtype)
    white = largest_value(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / white
    other = largest_value(dtype)
    if white > other:
        return (image // ((white + 1) // (other + 1))).to(dtype)
    return image.to(dtype) * ((other + 1) // (white + 1))


def normalize(tensor: tc.Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> tc.Tensor:
    """Each channel shifted and scaled: ``(channel - mean) / std``.

    Raises:
        TypeError: for what is no tensor, or one of no floating dtype.
        ShapeError: for a tensor of fewer than three dimensions or another number of channels.
        ValueError: for a standard deviation of zero.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import normalize
        >>> normalize(tc.tensor([[[0.5, 1.0]]]), [0.5], [0.25])
        tensor([[[0., 2.]]])
    """
    if not isinstance(tensor, tc.Tensor):
        raise TypeError(f"normalize: expected a tensor, got {type(tensor).__name__}; put ToTensor() before it")
    if not tensor.is_floating_point():
        raise DTypeError(f"normalize: expected a floating dtype, got {tensor.dtype}; put ToTensor() before it")
    check_image(tensor, "normalize", ndim=3)
    centre, spread = (tc.as_tensor(each, dtype=tensor.dtype, device=tensor.device) for each in (mean, std))
    if bool((spread == 0).any()):
        raise ValueError(f"normalize: a standard deviation is zero in {tensor.dtype}: {std}")
    for name, value in (("means", centre), ("standard deviations", spread)):
        if value.ndim == 1 and value.shape[0] not in (1, tensor.shape[-3]) and tensor.shape[-3] != 1:
            raise ShapeError(
                f"normalize: expected shape (..., {value.shape[0]}, H, W) for {value.shape[0]} {name}, "
                f"got {tuple(tensor.shape)}"
            )
    centre, spread = (value.reshape(-1, 1, 1) if value.ndim == 1 else value for value in (centre, spread))
    if inplace:
        return tensor.sub_(centre).div_(spread)
    return (tensor - centre) / spread


def _pixels(pic: Any) -> tc.Tensor:
    import numpy as np

    array = np.array(pic)
    if array.dtype == np.dtype(">u2"):
        array = array.astype(np.uint16)
    if array.ndim == 2:
        array = array[:, :, None]
    return tc.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _from_array(pic: Any) -> tc.Tensor:
    import numpy as np

    if not isinstance(pic, np.ndarray):
        raise TypeError(f"to_tensor: expected a Pillow image, a NumPy array or a tensor, got {type(pic).__name__}")
    if pic.ndim not in (2, 3):
        raise ShapeError(f"to_tensor: expected an array of shape (H, W) or (H, W, C), got {pic.shape}")
    array = pic[:, :, None] if pic.ndim == 2 else pic
    return tc.from_numpy(np.array(array.transpose(2, 0, 1), order="C"))
