"""The transforms of images as transforms of samples, with the same arguments."""

from __future__ import annotations

from typing import Any

import tensorcore as tc
from tensorcore.func.pytree import flatten, unflatten
from tensorcore_vision.transforms import autoaugment, colors, crops, pixels, warps
from tensorcore_vision.transforms.draws import chance, integer
from tensorcore_vision.transforms.functional.geometry import sides
from tensorcore_vision.transforms.functional.images import is_picture, largest_value
from tensorcore_vision.transforms.transform import filled
from tensorcore_vision.transforms.v2.sample import (
    RandomTransform,
    Sampling,
    is_array,
    is_pure_tensor,
    query_size,
)
from tensorcore_vision.tv_tensors import BoundingBoxes, Image, Mask, Video

__all__ = [
    "AugMix",
    "AutoAugment",
    "CenterCrop",
    "ColorJitter",
    "ConvertImageDtype",
    "ElasticTransform",
    "FiveCrop",
    "GaussianBlur",
    "Grayscale",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandAugment",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomAutocontrast",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToPILImage",
    "ToTensor",
    "TrivialAugmentWide",
]

_TENSORS = (is_pure_tensor, Image, Video)


class Resize(Sampling, crops.Resize):
    """Samples of another size."""


class CenterCrop(Sampling, crops.CenterCrop):
    """The middle of samples."""


class Pad(Sampling, crops.Pad):
    """Samples with margins."""


class FiveCrop(Sampling, crops.FiveCrop):
    """The four corners of images and their middle, as a tuple of five."""

    _transformed_types = (*_TENSORS, is_picture)


class TenCrop(Sampling, crops.TenCrop):
    """The five crops of images and those of their mirror images, as a tuple of ten."""

    _transformed_types = (*_TENSORS, is_picture)


class RandomCrop(Sampling, crops.RandomCrop):
    """A part of samples of a given size, anywhere; only sides that are too long draw where it begins."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Margins and the part, drawn."""
        height, width = query_size(flat_inputs)
        left, top, right, bottom = sides(self.padding) if self.padding is not None else [0] * 4
        tall, wide = self.size
        if self.pad_if_needed:
            down, across = max(tall - height - top - bottom, 0), max(wide - width - left - right, 0)
            left, top, right, bottom = left + across, top + down, right + across, bottom + down
        rows, columns = height + top + bottom, width + left + right
        if rows < tall or columns < wide:
            raise ValueError(f"RandomCrop: a crop of {tall}×{wide} is larger than the image of {rows}×{columns}")
        start = integer(0, rows - tall + 1) if rows > tall else 0
        begin = integer(0, columns - wide + 1) if columns > wide else 0
        return {"padding": [left, top, right, bottom], "crop": (start, begin, tall, wide)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The part of one image, of masks or of boxes."""
        if any(params["padding"]):
            inpt = self.F.pad(inpt, params["padding"], filled(self.fill, inpt), self.padding_mode)
        return self.F.crop(inpt, *params["crop"])

    def forward(self, *inputs: Any) -> Any:
        """A part of the sample."""
        return Sampling.forward(self, *inputs)


class RandomResizedCrop(Sampling, crops.RandomResizedCrop):
    """A part of samples of random size and proportions, resized."""

    __repr__ = Sampling.__repr__


class RandomHorizontalFlip(RandomTransform, warps.RandomHorizontalFlip):
    """Samples with left and right exchanged, with the probability ``p``."""


class RandomVerticalFlip(RandomTransform, warps.RandomVerticalFlip):
    """Samples with top and bottom exchanged, with the probability ``p``."""


class RandomRotation(Sampling, warps.RandomRotation):
    """Samples turned by a random angle."""

    __repr__ = Sampling.__repr__


class RandomAffine(Sampling, warps.RandomAffine):
    """Samples rotated, moved, scaled and sheared at random."""

    __repr__ = Sampling.__repr__


class RandomPerspective(RandomTransform, warps.RandomPerspective):
    """Samples seen from a random angle, with the probability ``p``."""


class ElasticTransform(Sampling, warps.ElasticTransform):
    """Samples deformed by a smooth random field."""


class ColorJitter(Sampling, colors.ColorJitter):
    """Images of random brightness, contrast, saturation and hue; ``None`` leaves one alone."""

    def __init__(self, brightness: Any = None, contrast: Any = None, saturation: Any = None, hue: Any = None) -> None:
        super().__init__(brightness, contrast, saturation, hue)


class Grayscale(Sampling, colors.Grayscale):
    """Images as brightness, in one channel or three equal ones."""


class RandomGrayscale(RandomTransform, colors.RandomGrayscale):
    """Images without colour, with the probability ``p``."""


class RandomInvert(RandomTransform, colors.RandomInvert):
    """Images with black and white exchanged, with the probability ``p``."""


class RandomPosterize(RandomTransform, colors.RandomPosterize):
    """Images with fewer bits, with the probability ``p``."""


class RandomSolarize(RandomTransform, colors.RandomSolarize):
    """Images with everything from a threshold up inverted, with the probability ``p``."""


class RandomAdjustSharpness(RandomTransform, colors.RandomAdjustSharpness):
    """Images of another sharpness, with the probability ``p``."""


class RandomAutocontrast(RandomTransform, colors.RandomAutocontrast):
    """Images of full contrast, with the probability ``p``."""


class RandomEqualize(RandomTransform, colors.RandomEqualize):
    """Images in which every brightness is about as frequent, with the probability ``p``."""


class GaussianBlur(Sampling, colors.GaussianBlur):
    """Images convolved with a Gaussian of random width."""


class RandomErasing(RandomTransform, colors.RandomErasing):
    """Images with a random rectangle erased, with the probability ``p``."""


class ToTensor(Sampling, pixels.ToTensor):
    """Pillow images and arrays as tensors from 0 to 1; `ToImage` and `ToDtype` do it in two steps."""

    _transformed_types = (is_picture, is_array)


class PILToTensor(Sampling, pixels.PILToTensor):
    """Pillow images as tensors with the pixels as they are stored."""

    _transformed_types = (is_picture,)


class ToPILImage(Sampling, pixels.ToPILImage):
    """Tensors and arrays as Pillow images."""

    _transformed_types = (is_pure_tensor, Image, is_array)
    __repr__ = Sampling.__repr__


class ConvertImageDtype(Sampling, pixels.ConvertImageDtype):
    """Pixels in another dtype, with black and white where they belong."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, converted."""
        return self.F.to_dtype(inpt, self.dtype, scale=True) if isinstance(inpt, tc.Tensor) else inpt


class Normalize(Sampling, pixels.Normalize):
    """Each channel of images shifted and scaled."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse Pillow images."""
        if any(map(is_picture, flat_inputs)):
            raise TypeError("Normalize: expected tensors, got a Pillow image; put ToImage() and ToDtype() before it")


class LinearTransformation(Sampling, pixels.LinearTransformation):
    """Whole images as vectors, shifted and multiplied by a square matrix."""

    _transformed_types = _TENSORS
    __repr__ = Sampling.__repr__


class _Augmenting(autoaugment.Augmentation):
    def forward(self, *inputs: Any) -> Any:
        """The sample with its image augmented."""
        leaves, spec = flatten(inputs if len(inputs) > 1 else inputs[0])
        for leaf in leaves:
            if isinstance(leaf, BoundingBoxes | Mask):
                raise TypeError(f"{type(self).__name__}: {type(leaf).__name__} cannot be augmented with the image")
        images = [place for place, wanted in enumerate(Sampling.chosen(self, leaves)) if wanted]  # type: ignore[arg-type]
        if len(images) != 1:
            raise TypeError(f"{type(self).__name__}: expected one image in the sample, found {len(images)}")
        leaves[images[0]] = self.augment(leaves[images[0]])
        return unflatten(leaves, spec)

    F = Sampling.F
    _transformed_types = Sampling._transformed_types
    extra_repr = Sampling.extra_repr
    __repr__ = Sampling.__repr__

    def negative(self) -> bool:
        """Whether a strength is turned round, drawn."""
        return chance() <= 0.5

    def strength(self, name: str, place: int, bins: int, height: int, width: int) -> float:
        """The strength of an operation at one of ``bins`` places of its scale; thresholds are shares of white."""
        if name == "Solarize":
            return autoaugment.on_scale(1.0, 0.0, place, bins)
        return super().strength(name, place, bins, height, width)

    def apply_operation(self, img: Any, name: str, strength: float) -> Any:
        """The image after an operation."""
        if name == "Solarize":
            strength *= largest_value(img.dtype) if isinstance(img, tc.Tensor) else 255.0
        return super().apply_operation(img, name, strength)


class AutoAugment(_Augmenting, autoaugment.AutoAugment):
    """A pair of operations, drawn from the 25 that were found best for a data set, each with its probability."""

    def augment(self, img: Any) -> Any:
        """One image, augmented."""
        height, width = self.F.get_size(img)
        for name, probability, place in self.policies[integer(0, len(self.policies))]:
            if chance() <= probability:
                strength = 0.0 if place is None else self.strength(name, place, 10, height, width)
                img = self.apply_operation(img, name, self.signed(name, strength))
        return img


class RandAugment(_Augmenting, autoaugment.RandAugment):
    """Some operations, drawn with equal probability, all of one strength."""


class TrivialAugmentWide(_Augmenting, autoaugment.TrivialAugmentWide):
    """One operation of one strength, both drawn with equal probability."""


class AugMix(_Augmenting, autoaugment.AugMix):
    """A mixture of several chains of operations with the image itself."""
