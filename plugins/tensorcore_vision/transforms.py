"""Transforms of images, with torchvision's names: tensors of shape (..., channels, height, width) in, tensors out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError

__all__ = ["Compose", "Grayscale", "Lambda", "Normalize", "Resize", "ToTensor"]

_RESAMPLING: Final = ("nearest", "bilinear", "bicubic", "lanczos")


class Compose:
    """Transforms applied one after the other.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Compose, Lambda
        >>> Compose([Lambda(lambda x: x + 1), Lambda(lambda x: x * 2)])(tc.tensor([1, 2]))
        tensor([4, 6])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"Compose({lines}\n)"


class Lambda:
    """A function as a transform.

    Raises:
        TypeError: for what cannot be called.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Lambda
        >>> Lambda(lambda x: 1 - x)(tc.tensor([0.25]))
        tensor([0.7500])
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: expected a function, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"


class ToTensor:
    """Pixels as a float tensor of shape (C, H, W): integers from 0 to 255 become numbers from 0 to 1.

    Takes pillow images, NumPy arrays of shape (H, W) or (H, W, C), and tensors of shape (C, H, W), which keep their
    shape; floating-point values are kept as they are.

    Raises:
        TypeError: for anything else, and for integers other than uint8.

    Example:
        >>> import numpy
        >>> from tensorcore_vision.transforms import ToTensor
        >>> ToTensor()(numpy.array([[0, 51, 255]], dtype=numpy.uint8))
        tensor([[[0.0000, 0.2000, 1.0000]]])
    """

    def __call__(self, pic: Any) -> tc.Tensor:
        tensor = pic if isinstance(pic, tc.Tensor) else _from_pixels(pic)
        if tensor.is_floating_point():
            return tensor
        if tensor.dtype == tc.bool:
            return tensor.to(tc.get_default_dtype())
        if tensor.dtype != tc.uint8:
            raise TypeError(f"ToTensor: expected pixels of dtype uint8, or of a floating one, got {tensor.dtype}")
        return tensor.to(tc.get_default_dtype()) / 255

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """Each channel shifted and scaled: ``(channel - mean) / std``.

    Raises:
        ValueError: for a standard deviation of zero, or numbers that do not fit one another.
        DTypeError: for a tensor of no floating dtype.
        ShapeError: for a tensor of fewer than three dimensions or another number of channels.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Normalize
        >>> Normalize(mean=[0.5], std=[0.25])(tc.tensor([[[0.5, 1.0]]]))
        tensor([[[0., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean = mean
        self.std = std
        self.inplace = inplace
        if len(mean) != len(std):
            raise ValueError(f"Normalize: {len(mean)} means and {len(std)} standard deviations")
        if any(not value for value in std):
            raise ValueError(f"Normalize: a standard deviation of zero, in {list(std)}")

    def __call__(self, tensor: tc.Tensor) -> tc.Tensor:
        if not isinstance(tensor, tc.Tensor):
            raise TypeError(f"Normalize: expected a tensor, got {type(tensor).__name__}; put ToTensor() before it")
        if not tensor.is_floating_point():
            raise DTypeError(f"Normalize: expected a floating dtype, got {tensor.dtype}; put ToTensor() before it")
        channels = len(self.mean)
        if tensor.ndim < 3 or (channels != 1 and tensor.shape[-3] != channels):
            raise ShapeError(
                f"Normalize: expected shape (..., {channels}, H, W) for {channels} mean(s), got {tuple(tensor.shape)}"
            )
        mean = tc.tensor(self.mean, dtype=tensor.dtype, device=tensor.device).reshape(-1, 1, 1)
        std = tc.tensor(self.std, dtype=tensor.dtype, device=tensor.device).reshape(-1, 1, 1)
        if self.inplace:
            return tensor.sub_(mean).div_(std)
        return (tensor - mean) / std

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class Grayscale:
    """Colours as brightness, ``0.2989 R + 0.587 G + 0.114 B`` (ITU-R BT.601), in one channel or three equal ones.

    Raises:
        ValueError: for another number of output channels.
        ShapeError: for a tensor whose third dimension from the end is neither 1 nor 3.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Grayscale
        >>> Grayscale()(tc.tensor([[[1.0]], [[0.0]], [[0.0]]]))
        tensor([[[0.2989]]])
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        if num_output_channels not in (1, 3):
            raise ValueError(f"Grayscale: num_output_channels is 1 or 3, got {num_output_channels}")
        self.num_output_channels = num_output_channels

    def __call__(self, img: tc.Tensor) -> tc.Tensor:
        if img.ndim < 3 or img.shape[-3] not in (1, 3):
            raise ShapeError(f"Grayscale: expected shape (..., 1 or 3, H, W), got {tuple(img.shape)}")
        grey = img
        if img.shape[-3] == 3:
            red, green, blue = img.unbind(-3)
            grey = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
        if self.num_output_channels == 1:
            return grey
        return tc.cat([grey, grey, grey], dim=-3)

    def __repr__(self) -> str:
        return f"Grayscale(num_output_channels={self.num_output_channels})"


class Resize:
    """Images scaled by pillow, with antialiasing; uint8 stays uint8, floating dtypes stay as they are.

    Args:
        size: (height, width), or one int for the shorter side, which keeps the proportions.
        interpolation: ``"nearest"``, ``"bilinear"``, ``"bicubic"`` or ``"lanczos"``.

    Raises:
        ValueError: for a size that is not positive or an unknown interpolation.
        DTypeError: for a tensor that is neither uint8 nor of a floating dtype.
        ShapeError: for a tensor of fewer than two dimensions, or an image without pixels.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Resize
        >>> Resize((2, 2))(tc.ones(3, 8, 4)).shape
        tensorcore.Size([3, 2, 2])
    """

    def __init__(self, size: int | Sequence[int], interpolation: str = "bilinear") -> None:
        sides = (size,) if isinstance(size, int) else tuple(size)
        if len(sides) not in (1, 2) or any(side < 1 for side in sides):
            raise ValueError(f"Resize: expected a positive int or (height, width), got {size!r}")
        if interpolation not in _RESAMPLING:
            raise ValueError(f"Resize: interpolation is one of {', '.join(_RESAMPLING)}, got {interpolation!r}")
        self.size = size
        self.interpolation = interpolation

    def __call__(self, img: tc.Tensor) -> tc.Tensor:
        if img.dtype != tc.uint8 and not img.is_floating_point():
            raise DTypeError(f"Resize: expected uint8 or a floating dtype, got {img.dtype}")
        if img.ndim < 2 or 0 in img.shape:
            raise ShapeError(f"Resize: expected shape (..., H, W) with pixels, got {tuple(img.shape)}")
        height, width = self._target(img.shape[-2], img.shape[-1])
        return _resized(img, height, width, self.interpolation)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        sides = (self.size,) if isinstance(self.size, int) else tuple(self.size)
        if len(sides) == 2:
            return sides
        shorter, longer = sorted((height, width))
        scaled = max(1, int(sides[0] * longer / shorter))
        return (sides[0], scaled) if height <= width else (scaled, sides[0])

    def __repr__(self) -> str:
        return f"Resize(size={self.size}, interpolation={self.interpolation!r})"


def _from_pixels(pic: Any) -> tc.Tensor:
    """A pillow image or NumPy array with the channels first."""
    import numpy as np

    if not isinstance(pic, np.ndarray) and not hasattr(pic, "getbands"):
        raise TypeError(f"ToTensor: expected a pillow image, a NumPy array or a tensor, got {type(pic).__name__}")
    array = np.array(pic)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ShapeError(f"ToTensor: expected an array of shape (H, W) or (H, W, C), got {array.shape}")
    return tc.as_tensor(np.ascontiguousarray(array.transpose(2, 0, 1)))


def _resized(img: tc.Tensor, height: int, width: int, interpolation: str) -> tc.Tensor:
    import numpy as np
    from PIL import Image

    plain = img if img.dtype == tc.uint8 else img.to(tc.float32)
    planes = plain.reshape(-1, *img.shape[-2:]).numpy(force=True)
    resample = Image.Resampling[interpolation.upper()]
    done = np.stack([np.asarray(Image.fromarray(plane).resize((width, height), resample)) for plane in planes])
    shape = (*img.shape[:-2], height, width)
    return tc.as_tensor(done, device=img.device).reshape(shape).to(img.dtype)
