"""Random changes of colour, blurring and erasing."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore_vision.transforms.draws import integer, log_uniform, permutation, uniform
from tensorcore_vision.transforms.functional.geometry import pair
from tensorcore_vision.transforms.functional.images import get_dimensions, get_image_num_channels
from tensorcore_vision.transforms.transform import RandomTransform, Transform

__all__ = [
    "ColorJitter",
    "GaussianBlur",
    "Grayscale",
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]


class ColorJitter(Transform):
    """Images of random brightness, contrast, saturation and hue, changed in random order.

    Args:
        brightness: a number ``b`` for factors from ``max(0, 1 - b)`` to ``1 + b``, or (smallest, largest).
        contrast: likewise.
        saturation: likewise.
        hue: a number ``h`` up to 0.5 for turns from ``-h`` to ``h`` of the colour circle, or (smallest, largest).

    Raises:
        ValueError: for numbers outside what is possible.
        TypeError: for what is neither a number nor a pair.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import ColorJitter
        >>> ColorJitter(brightness=0.4, hue=0.1)
        ColorJitter(brightness=(0.6, 1.4), contrast=None, saturation=None, hue=(-0.1, 0.1))
    """

    shown = ("brightness", "contrast", "saturation", "hue")

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = self._range(brightness, "brightness")
        self.contrast = self._range(contrast, "contrast")
        self.saturation = self._range(saturation, "saturation")
        self.hue = self._range(hue, "hue", neutral=0.0, bounds=(-0.5, 0.5))

    @staticmethod
    def _range(
        value: Any, name: str, neutral: float = 1.0, bounds: tuple[float, float] = (0.0, math.inf)
    ) -> tuple[float, float] | None:
        if value is None:
            return None
        if isinstance(value, int | float):
            if value < 0:
                raise ValueError(f"ColorJitter: {name} as one number must not be negative, got {value}")
            ends = (neutral - float(value), neutral + float(value))
            if neutral:
                ends = (max(ends[0], 0.0), ends[1])
        elif isinstance(value, list | tuple) and len(value) == 2:
            ends = (float(value[0]), float(value[1]))
        else:
            raise TypeError(f"ColorJitter: {name} is a number or (smallest, largest), got {value!r}")
        if not bounds[0] <= ends[0] <= ends[1] <= bounds[1]:
            raise ValueError(f"ColorJitter: {name} goes from {bounds[0]} to {bounds[1]}, got {ends}")
        return None if ends[0] == ends[1] == neutral else ends

    @staticmethod
    def get_params(
        brightness: Any, contrast: Any, saturation: Any, hue: Any
    ) -> tuple[tc.Tensor, float | None, float | None, float | None, float | None]:
        """The order of the four changes, and the factor of each, drawn."""
        order = tc.tensor(permutation(4))
        drawn = [None if ends is None else uniform(*ends) for ends in (brightness, contrast, saturation, hue)]
        return order, drawn[0], drawn[1], drawn[2], drawn[3]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Order and factors, drawn."""
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        return {"order": order.tolist(), "factors": factors}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image with other colours."""
        changes = (self.F.adjust_brightness, self.F.adjust_contrast, self.F.adjust_saturation, self.F.adjust_hue)
        for place in params["order"]:
            factor = params["factors"][place]
            if factor is not None:
                inpt = changes[place](inpt, factor)
        return inpt


class Grayscale(Transform):
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

    shown = ("num_output_channels",)

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        if num_output_channels not in (1, 3):
            raise ValueError(f"Grayscale: num_output_channels is 1 or 3, got {num_output_channels}")
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image without colour."""
        return self.F.rgb_to_grayscale(inpt, self.num_output_channels)


class RandomGrayscale(RandomTransform):
    """Images without colour, in as many channels as they have, with the probability ``p``."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """How many channels there are."""
        return {"num_output_channels": get_image_num_channels(flat_inputs[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image without colour."""
        return self.F.rgb_to_grayscale(inpt, **params)


class RandomInvert(RandomTransform):
    """Images with black and white exchanged, with the probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, inverted."""
        return self.F.invert(inpt)


class RandomPosterize(RandomTransform):
    """Images with ``bits`` bits for each channel, with the probability ``p``."""

    shown = ("bits", "p")
    between = ","

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image with fewer levels."""
        return self.F.posterize(inpt, self.bits)


class RandomSolarize(RandomTransform):
    """Images with everything from ``threshold`` up inverted, with the probability ``p``."""

    shown = ("threshold", "p")
    between = ","

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, partly inverted."""
        return self.F.solarize(inpt, self.threshold)


class RandomAdjustSharpness(RandomTransform):
    """Images of ``sharpness_factor`` times the sharpness, with the probability ``p``."""

    shown = ("sharpness_factor", "p")
    between = ","

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image of another sharpness."""
        return self.F.adjust_sharpness(inpt, self.sharpness_factor)


class RandomAutocontrast(RandomTransform):
    """Images that use all values from black to white in each channel, with the probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image of full contrast."""
        return self.F.autocontrast(inpt)


class RandomEqualize(RandomTransform):
    """Images in which every brightness is about as frequent, with the probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, equalised."""
        return self.F.equalize(inpt)


class GaussianBlur(Transform):
    """Images convolved with a Gaussian of random width.

    Args:
        kernel_size: the odd size of the kernel, or (along x, along y).
        sigma: (smallest, largest) standard deviation in pixels, or one number.

    Raises:
        ValueError: for a size that is even or not positive, or deviations that are not positive or not in order.
    """

    shown = ("kernel_size", "sigma")

    def __init__(self, kernel_size: int | Sequence[int], sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "GaussianBlur")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"GaussianBlur: kernel_size is odd and positive, got {kernel_size!r}")
        ends = (sigma, sigma) if isinstance(sigma, int | float) else sigma
        if not isinstance(ends, Sequence) or len(ends) != 2 or not 0 < ends[0] <= ends[1]:
            raise ValueError(f"GaussianBlur: sigma is positive, one number or (smallest, largest), got {sigma!r}")
        self.sigma = ends

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """A standard deviation, drawn."""
        return uniform(sigma_min, sigma_max)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The standard deviation, drawn."""
        return {"sigma": [self.get_params(self.sigma[0], self.sigma[1])] * 2}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, blurred."""
        return self.F.gaussian_blur(inpt, list(self.kernel_size), **params)


class RandomErasing(RandomTransform):
    """Tensors with a random rectangle erased, with the probability ``p``.

    Args:
        p: probability.
        scale: smallest and largest share of the image's area.
        ratio: smallest and largest ratio of the rectangle's sides.
        value: what is put there: a number, one per channel, or ``"random"`` for normal noise.
        inplace: change the image itself.

    Raises:
        TypeError: for arguments of another kind.
        ValueError: for a word other than ``"random"``, shares or probabilities outside 0 to 1, or values that do not
            fit the channels.

    Source: Zhong et al.: Random erasing data augmentation, arXiv:1708.04896.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import RandomErasing
        >>> bool((RandomErasing(p=1.0)(tc.ones(3, 32, 32)) == 0).any())
        True
    """

    shown = ("p", "scale", "ratio", "value", "inplace")

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__(p)
        if not isinstance(value, int | float | str | tuple | list):
            raise TypeError(f"RandomErasing: value is a number, numbers or 'random', got {value!r}")
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value is a number, numbers or 'random', got {value!r}")
        for name, ends in (("scale", scale), ("ratio", ratio)):
            if not isinstance(ends, Sequence):
                raise TypeError(f"RandomErasing: {name} is (smallest, largest), got {ends!r}")
            if ends[0] > ends[1]:
                warnings.warn(f"RandomErasing: {name} is (smallest, largest), got {ends!r}", stacklevel=2)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"RandomErasing: scale has shares from 0 to 1, got {scale!r}")
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: tc.Tensor, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, tc.Tensor]:
        """(top, left, height, width, values) of a rectangle, drawn; after ten misfits the image as it is."""
        channels, rows, columns = get_dimensions(img)
        for _ in range(10):
            area = rows * columns * uniform(scale[0], scale[1])
            aspect = log_uniform(ratio[0], ratio[1])
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if height < rows and width < columns:
                if value is None:
                    values = tc.empty([channels, height, width], dtype=tc.float32, device="cpu").normal_()
                else:
                    values = tc.tensor(value, dtype=tc.float32)[:, None, None]
                place = integer(0, rows - height + 1), integer(0, columns - width + 1)
                return *place, height, width, values
        return 0, 0, rows, columns, img

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle and what is put there, drawn."""
        img, value = flat_inputs[0], self.value
        channels = get_image_num_channels(img)
        if isinstance(value, int | float):
            value = [float(value)]
        elif isinstance(value, str):
            value = None
        if value is not None and len(value) not in (1, channels):
            raise ValueError(f"RandomErasing: {len(value)} values for an image of {channels} channel(s)")
        return dict(zip("ijhwv", self.get_params(img, self.scale, self.ratio, value), strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image with a rectangle erased."""
        if params["v"] is inpt:
            return inpt
        return self.F.erase(inpt, **params, inplace=self.inplace)
