"""Augmentation by operations drawn at random: AutoAugment, RandAugment, TrivialAugment and AugMix."""

from __future__ import annotations

import math
import struct
from enum import Enum
from typing import Any, Final

import tensorcore as tc
from tensorcore_vision.transforms.draws import integer
from tensorcore_vision.transforms.functional import pil_to_tensor, to_pil_image
from tensorcore_vision.transforms.functional.images import (
    InterpolationMode,
    get_dimensions,
    interpolation_mode,
    is_picture,
)
from tensorcore_vision.transforms.policies import POLICIES
from tensorcore_vision.transforms.transform import Transform, filled

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]


class AutoAugmentPolicy(Enum):
    """The data sets for which policies were found."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


#: Operations that change an image by a number, whose strength has a sign.
_SIGNED: Final = frozenset(
    ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness")
)
_GEOMETRIC: Final = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
_ENHANCING: Final = ("Brightness", "Color", "Contrast", "Sharpness")
_REST: Final = ("Posterize", "Solarize", "AutoContrast", "Equalize")


def _single(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def on_scale(first: float, last: float, place: int, bins: int) -> float:
    """One of ``bins`` equal steps in float32, counted from the nearer end, as PyTorch's ``linspace`` computes them."""
    step = _single((_single(last) - _single(first)) / (bins - 1)) if bins > 1 else 0.0
    from_first = place < bins // 2 or bins == 1
    return _single(_single(first) + step * place if from_first else _single(last) - step * (bins - 1 - place))


class Augmentation(Transform):
    """Operations by name and strength.

    Raises:
        ValueError: for an unknown interpolation.
    """

    #: The strongest shear, rotation and change of colour, and the numbers of bits at the ends of the scale.
    SHEAR = 0.3
    ROTATION = 30.0
    COLOUR = 0.9
    BITS = (8, 4)

    def __init__(self, interpolation: Any, fill: Any) -> None:
        super().__init__()
        self.interpolation = interpolation_mode(interpolation, type(self).__name__)
        self.fill = fill

    def forward(self, img: Any) -> Any:
        """The image, augmented."""
        return self.augment(img)

    def augment(self, img: Any) -> Any:
        """One image, augmented."""
        raise NotImplementedError(f"{type(self).__name__}: define augment(img)")

    def show(self, value: Any) -> Any:
        """An attribute as `repr` shows it."""
        return value

    def negative(self) -> bool:
        """Whether a strength is turned round, drawn."""
        return bool(integer(0, 2))

    def longest(self, side: int) -> float:
        """The longest move along a side of this length."""
        return 150.0 / 331.0 * side

    def strength(self, name: str, place: int, bins: int, height: int, width: int) -> float:
        """The strength of an operation at one of ``bins`` places of its scale; 0 where it has none."""
        if name == "Posterize":
            most, least = self.BITS
            steps = tc.arange(bins, device="cpu") / ((bins - 1) / (most - least))
            return float(most - int(steps.round()[place].item()))
        if name == "Solarize":
            return on_scale(255.0, 0.0, place, bins)
        top = {"ShearX": self.SHEAR, "ShearY": self.SHEAR, "Rotate": self.ROTATION}.get(name)
        if name.startswith("Translate"):
            top = self.longest(width if name == "TranslateX" else height)
        elif name in _ENHANCING:
            top = self.COLOUR
        return 0.0 if top is None else on_scale(0.0, top, place, bins)

    def signed(self, name: str, strength: float) -> float:
        """A strength with a sign drawn where the operation has one."""
        return -strength if name in _SIGNED and self.negative() else strength

    def apply_operation(self, img: Any, name: str, strength: float) -> Any:
        """The image after an operation."""
        F, fill = self.F, filled(self.fill, img)
        if name in ("ShearX", "ShearY"):
            # The scale is that of the tangent; the shear goes about the upper left corner.
            degrees = math.degrees(math.atan(strength))
            shear = [degrees, 0.0] if name == "ShearX" else [0.0, degrees]
            return F.affine(img, 0.0, [0, 0], 1.0, shear, self.interpolation, fill, [0, 0])
        if name in ("TranslateX", "TranslateY"):
            move = [int(strength), 0] if name == "TranslateX" else [0, int(strength)]
            return F.affine(img, 0.0, move, 1.0, [0.0, 0.0], self.interpolation, fill)
        if name == "Rotate":
            return F.rotate(img, strength, self.interpolation, fill=fill)
        changes = {
            "Brightness": F.adjust_brightness,
            "Color": F.adjust_saturation,
            "Contrast": F.adjust_contrast,
            "Sharpness": F.adjust_sharpness,
        }
        if name in changes:
            return changes[name](img, 1.0 + strength)
        if name == "Posterize":
            return F.posterize(img, int(strength))
        if name == "Solarize":
            return F.solarize(img, strength)
        plain = {"AutoContrast": F.autocontrast, "Equalize": F.equalize, "Invert": F.invert}
        return plain[name](img) if name in plain else img


class AutoAugment(Augmentation):
    """A pair of operations, drawn from the 25 that were found best for a data set, each with its probability.

    Tensors have dtype uint8 and 1 or 3 channels, Pillow images mode L or RGB.

    Args:
        policy: the data set.
        interpolation: of geometric operations; tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.

    Source: Cubuk et al.: AutoAugment: learning augmentation strategies from data, arXiv:1805.09501.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import AutoAugment, AutoAugmentPolicy
        >>> AutoAugment(AutoAugmentPolicy.CIFAR10)(tc.zeros(3, 32, 32, dtype=tc.uint8)).shape
        tensorcore.Size([3, 32, 32])
    """

    shown = ("policy", "fill")

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation, fill)
        self.policy = AutoAugmentPolicy(policy)
        self.policies = POLICIES[self.policy.value]

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, tc.Tensor, tc.Tensor]:
        """The number of a pair, and for both operations a probability and a sign, drawn."""
        return integer(0, transform_num), tc.rand(2, device="cpu"), tc.randint(2, (2,), device="cpu")

    def augment(self, img: Any) -> Any:
        """One image, augmented."""
        _, height, width = get_dimensions(img)
        number, chances, signs = self.get_params(len(self.policies))
        drawn = zip(self.policies[number], chances.tolist(), signs.tolist(), strict=True)
        for (name, probability, place), chance, sign in drawn:
            if chance <= tc.tensor(probability).item():
                strength = 0.0 if place is None else self.strength(name, place, 10, height, width)
                img = self.apply_operation(img, name, -strength if name in _SIGNED and not sign else strength)
        return img


class RandAugment(Augmentation):
    """Some operations, drawn with equal probability, all of one strength.

    Tensors have dtype uint8 and 1 or 3 channels, Pillow images mode L or RGB.

    Args:
        num_ops: how many operations follow one another.
        magnitude: their strength, a place on a scale of ``num_magnitude_bins``.
        num_magnitude_bins: how many strengths there are.
        interpolation: of geometric operations; tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.

    Source: Cubuk et al.: RandAugment: practical automated data augmentation, arXiv:1909.13719.
    """

    shown = ("num_ops", "magnitude", "num_magnitude_bins", "interpolation", "fill")
    OPERATIONS = ("Identity", *_GEOMETRIC, *_ENHANCING, *_REST)

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation, fill)
        if not isinstance(num_ops, int) or num_ops < 0:
            raise ValueError(f"{type(self).__name__}: num_ops must not be negative, got {num_ops!r}")
        if not 0 <= magnitude < num_magnitude_bins:
            raise ValueError(
                f"{type(self).__name__}: magnitude is one of {num_magnitude_bins} places from 0, got {magnitude}"
            )
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def augment(self, img: Any) -> Any:
        """One image, augmented."""
        _, height, width = get_dimensions(img)
        for _ in range(self.num_ops):
            name = self.OPERATIONS[integer(0, len(self.OPERATIONS))]
            strength = self.strength(name, self.magnitude, self.num_magnitude_bins, height, width)
            img = self.apply_operation(img, name, self.signed(name, strength))
        return img


class TrivialAugmentWide(Augmentation):
    """One operation of one strength, both drawn with equal probability.

    Tensors have dtype uint8 and 1 or 3 channels, Pillow images mode L or RGB.

    Args:
        num_magnitude_bins: how many strengths there are.
        interpolation: of geometric operations; tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.

    Source: Müller, Hutter: TrivialAugment: tuning-free yet state-of-the-art data augmentation, arXiv:2103.10158.
    """

    shown = ("num_magnitude_bins", "interpolation", "fill")
    OPERATIONS = RandAugment.OPERATIONS
    SHEAR = 0.99
    ROTATION = 135.0
    COLOUR = 0.99
    BITS = (8, 2)

    def __init__(
        self, num_magnitude_bins: int = 31, interpolation: Any = InterpolationMode.NEAREST, fill: Any = None
    ) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def longest(self, side: int) -> float:
        """The longest move, 32 pixels whatever the side."""
        return 32.0

    def augment(self, img: Any) -> Any:
        """One image, augmented."""
        _, height, width = get_dimensions(img)
        name = self.OPERATIONS[integer(0, len(self.OPERATIONS))]
        strength = 0.0
        if name in _SIGNED or name in ("Posterize", "Solarize"):
            place = integer(0, self.num_magnitude_bins)
            strength = self.strength(name, place, self.num_magnitude_bins, height, width)
        return self.apply_operation(img, name, self.signed(name, strength))


class AugMix(Augmentation):
    """A mixture of several chains of operations with the image itself, with weights from Dirichlet distributions.

    Tensors have dtype uint8 and 1 or 3 channels, Pillow images mode L or RGB.

    Args:
        severity: the strongest place on a scale of ten that is drawn, from 1 to 10.
        mixture_width: the number of chains.
        chain_depth: operations in a chain; negative draws from 1 to 3.
        alpha: concentration of the distributions of the weights.
        all_ops: brightness, contrast, colour and sharpness too.
        interpolation: of geometric operations; tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.

    Raises:
        ValueError: for a severity outside 1 to 10.

    Source: Hendrycks et al.: AugMix: a simple data processing method to improve robustness, arXiv:1912.02781.
    """

    shown = ("severity", "mixture_width", "chain_depth", "alpha", "all_ops", "interpolation", "fill")
    BITS = (4, 0)
    BINS = 10

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = None,
    ) -> None:
        super().__init__(interpolation, fill)
        if not 1 <= severity <= self.BINS:
            raise ValueError(f"AugMix: severity goes from 1 to {self.BINS}, got {severity}")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def longest(self, side: int) -> float:
        """The longest move, a third of the side."""
        return side / 3.0

    def _weights(self, batch: int, count: int) -> tc.Tensor:
        return tc.distributions.Dirichlet(tc.full((batch, count), float(self.alpha), device="cpu")).sample()

    def augment(self, img: Any) -> Any:
        """One image, augmented."""
        _, height, width = get_dimensions(img)
        tensor = pil_to_tensor(img) if is_picture(img) else img
        batch = tensor.reshape(-1, *tensor.shape[-3:])
        ends = self._weights(batch.shape[0], 2).to(batch.device)
        weights = self._weights(batch.shape[0], self.mixture_width).to(batch.device) * ends[:, 1:]
        mixed = ends[:, :1, None, None] * batch
        operations = (*_GEOMETRIC, *_REST, *(_ENHANCING if self.all_ops else ()))
        for chain in range(self.mixture_width):
            augmented = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else integer(1, 4)):
                name = operations[integer(0, len(operations))]
                strength = 0.0
                if name in _SIGNED or name in ("Posterize", "Solarize"):
                    strength = self.strength(name, integer(0, self.severity), self.BINS, height, width)
                augmented = self.apply_operation(augmented, name, self.signed(name, strength))
            mixed = mixed + weights[:, chain].reshape(-1, 1, 1, 1) * augmented
        done = mixed.to(tensor.dtype).reshape(tensor.shape)
        return to_pil_image(done, img.mode) if is_picture(img) else done
