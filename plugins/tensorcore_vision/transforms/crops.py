"""Transforms of the size of images: resizing, padding, crops."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from tensorcore_vision.transforms.draws import integer, log_uniform, uniform
from tensorcore_vision.transforms.functional.geometry import PADDING_MODES, pair, sides
from tensorcore_vision.transforms.functional.images import InterpolationMode, get_dimensions, interpolation_mode
from tensorcore_vision.transforms.transform import Transform, check_fill, filled

__all__ = ["CenterCrop", "FiveCrop", "Pad", "RandomCrop", "RandomResizedCrop", "Resize", "TenCrop"]


class Resize(Transform):
    """Images of another size.

    Args:
        size: (height, width), or one number for the shorter side, which keeps the proportions.
        interpolation: tensors take ``NEAREST``, ``NEAREST_EXACT``, ``BILINEAR`` and ``BICUBIC``.
        max_size: the longest the longer side may become.
        antialias: average over the pixels that fall together when an image shrinks; Pillow always does.

    Raises:
        TypeError: for a size of another kind.
        ValueError: for a size of more than two numbers, or one that is not positive.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Resize
        >>> Resize((2, 2))(tc.ones(3, 8, 4)).shape
        tensorcore.Size([3, 2, 2])
    """

    shown = ("size", "interpolation", "max_size", "antialias")

    def __init__(
        self,
        size: int | Sequence[int] | None,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, int | Sequence) and (size is not None or max_size is None):
            raise TypeError(f"Resize: size is a number or (height, width), got {size!r}")
        sizes = [size] if isinstance(size, int) else size or [1]
        if len(sizes) not in (1, 2) or any(each < 1 for each in sizes):
            raise ValueError(f"Resize: expected a positive int or (height, width), got {size!r}")
        self.size = size
        self.max_size = max_size
        self.interpolation = interpolation_mode(interpolation, "Resize")
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, resized."""
        return self.F.resize(inpt, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """The middle of images; a side that is too short is padded with black."""

    shown = ("size",)

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size, "CenterCrop")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The middle of one image."""
        return self.F.center_crop(inpt, self.size)


class Pad(Transform):
    """Images with margins.

    Args:
        padding: one number, ``(left and right, top and bottom)``, or ``(left, top, right, bottom)``.
        fill: the colour of a constant margin, one number or one per channel.
        padding_mode: ``"constant"``, ``"edge"``, ``"reflect"`` or ``"symmetric"``.

    Raises:
        TypeError: for a padding or fill of another kind.
        ValueError: for an unknown mode or another number of elements.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Pad
        >>> Pad(1, fill=9)(tc.zeros(1, 1, 1))
        tensor([[[9., 9., 9.],
                 [9., 0., 9.],
                 [9., 9., 9.]]])
    """

    shown = ("padding", "fill", "padding_mode")

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        sides(padding, "Pad")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"Pad: padding_mode is one of {', '.join(PADDING_MODES)}, got {padding_mode!r}")
        self.padding = padding
        self.fill = check_fill(fill, "Pad")
        self.padding_mode = padding_mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, padded."""
        return self.F.pad(inpt, self.padding, filled(self.fill, inpt), self.padding_mode)


class FiveCrop(Transform):
    """The four corners of images and their middle, as a tuple of five."""

    shown = ("size",)

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size, "FiveCrop")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The crops of one image."""
        return self.F.five_crop(inpt, self.size)


class TenCrop(Transform):
    """The five crops of images and those of their mirror images, as a tuple of ten."""

    shown = ("size", "vertical_flip")

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size, "TenCrop")
        self.vertical_flip = vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The crops of one image."""
        return self.F.ten_crop(inpt, self.size, self.vertical_flip)


class RandomCrop(Transform):
    """A part of images of a given size, anywhere.

    Args:
        size: of the part, one number or (height, width).
        padding: margins given before, as in `Pad`.
        pad_if_needed: give smaller images margins, else they are refused.
        fill: the colour of constant margins.
        padding_mode: as in `Pad`.

    Raises:
        ValueError: for an image smaller than the part.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import RandomCrop
        >>> RandomCrop(32, padding=4)(tc.zeros(3, 32, 32)).shape
        tensorcore.Size([3, 32, 32])
    """

    shown = ("size", "padding")

    def __init__(
        self,
        size: int | Sequence[int],
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = pair(size, "RandomCrop")
        if padding is not None:
            sides(padding, "RandomCrop")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"RandomCrop: padding_mode is one of {', '.join(PADDING_MODES)}, got {padding_mode!r}")
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = check_fill(fill, "RandomCrop")
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: Sequence[int]) -> tuple[int, int, int, int]:
        """(top, left, height, width) of a part, drawn."""
        _, rows, columns = get_dimensions(img)
        height, width = output_size
        if rows < height or columns < width:
            raise ValueError(f"RandomCrop: a crop of {height}×{width} is larger than the image of {rows}×{columns}")
        if (rows, columns) == (height, width):
            return 0, 0, height, width
        return integer(0, rows - height + 1), integer(0, columns - width + 1), height, width

    def forward(self, img: Any) -> Any:
        """A part of the image."""
        if self.padding is not None:
            img = self._padded(img, self.padding)
        if self.pad_if_needed:
            _, rows, columns = get_dimensions(img)
            if columns < self.size[1]:
                img = self._padded(img, [self.size[1] - columns, 0])
            if rows < self.size[0]:
                img = self._padded(img, [0, self.size[0] - rows])
        return self.F.crop(img, *self.get_params(img, self.size))

    def _padded(self, img: Any, padding: Any) -> Any:
        return self.F.pad(img, padding, filled(self.fill, img), self.padding_mode)


class RandomResizedCrop(Transform):
    """A part of images of random size and proportions, resized.

    Args:
        size: of the result, one number or (height, width).
        scale: smallest and largest share of the image's area.
        ratio: smallest and largest ratio of width to height.
        interpolation: as in `Resize`.
        antialias: as in `Resize`.

    Source: Szegedy et al.: Going deeper with convolutions, 2015.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import RandomResizedCrop
        >>> RandomResizedCrop(24)(tc.zeros(3, 40, 32)).shape
        tensorcore.Size([3, 24, 24])
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size, "RandomResizedCrop")
        for name, value in (("scale", scale), ("ratio", ratio)):
            if not isinstance(value, Sequence):
                raise TypeError(f"RandomResizedCrop: {name} is (smallest, largest), got {value!r}")
            if value[0] > value[1]:
                warnings.warn(f"RandomResizedCrop: {name} is (smallest, largest), got {value!r}", stacklevel=2)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = interpolation_mode(interpolation, "RandomResizedCrop")
        self.antialias = antialias

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """(top, left, height, width) of a part, drawn; after ten misfits the largest part in the middle."""
        _, rows, columns = get_dimensions(img)
        area = rows * columns
        for _ in range(10):
            target = area * uniform(scale[0], scale[1])
            aspect = log_uniform(ratio[0], ratio[1])
            width, height = round(math.sqrt(target * aspect)), round(math.sqrt(target / aspect))
            if 0 < width <= columns and 0 < height <= rows:
                return integer(0, rows - height + 1), integer(0, columns - width + 1), height, width
        nearest = min(max(columns / rows, min(ratio)), max(ratio))
        height, width = rows, columns
        if columns / rows < nearest:
            height = round(columns / nearest)
        elif columns / rows > nearest:
            width = round(rows * nearest)
        return (rows - height) // 2, (columns - width) // 2, height, width

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The part, drawn."""
        names = ("top", "left", "height", "width")
        return dict(zip(names, self.get_params(flat_inputs[0], self.scale, self.ratio), strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The part of one image, resized."""
        return self.F.resized_crop(
            inpt, **params, size=self.size, interpolation=self.interpolation, antialias=self.antialias
        )

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(each, 4) for each in ends) for ends in (self.scale, self.ratio))
        return (
            f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )
