"""Random flips, rotations, affine maps, perspectives and elastic deformations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore_vision.transforms.draws import integer, uniform
from tensorcore_vision.transforms.functional.filters import gaussian_blur
from tensorcore_vision.transforms.functional.images import InterpolationMode, get_dimensions, interpolation_mode
from tensorcore_vision.transforms.transform import (
    RandomTransform,
    Transform,
    angles,
    check_fill,
    check_length,
    filled,
)

__all__ = [
    "ElasticTransform",
    "RandomAffine",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomVerticalFlip",
]


class RandomHorizontalFlip(RandomTransform):
    """Images with left and right exchanged, with the probability ``p``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import RandomHorizontalFlip
        >>> RandomHorizontalFlip(p=1.0)(tc.tensor([[[1, 2, 3]]]))
        tensor([[[3, 2, 1]]])
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, flipped."""
        return self.F.hflip(inpt)


class RandomVerticalFlip(RandomTransform):
    """Images with top and bottom exchanged, with the probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, flipped."""
        return self.F.vflip(inpt)


class RandomRotation(Transform):
    """Images turned by a random angle.

    Args:
        degrees: (smallest, largest) angle, counter-clockwise, or one number for both directions.
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        expand: make results large enough for all of the turned image.
        center: (x, y) in pixels from the upper left corner; by default the middle.
        fill: the colour of what the image does not cover.

    Raises:
        ValueError: for a negative number of degrees.
        TypeError: for arguments of another kind.
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = angles(degrees, "degrees", "RandomRotation")
        if center is not None:
            check_length(center, "center", "RandomRotation")
        self.center = center
        self.interpolation = interpolation_mode(interpolation, "RandomRotation")
        self.expand = expand
        self.fill = check_fill(fill, "RandomRotation")

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """An angle, drawn."""
        return uniform(float(degrees[0]), float(degrees[1]))

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The angle, drawn."""
        return {"angle": self.get_params(self.degrees)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, turned."""
        fill = filled(self.fill, inpt)
        return self.F.rotate(inpt, params["angle"], self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        center = f", center={self.center}" if self.center is not None else ""
        return (
            f"{type(self).__name__}(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


class RandomAffine(Transform):
    """Images rotated, moved, scaled and sheared about their middle, at random.

    Args:
        degrees: (smallest, largest) angle, clockwise, or one number for both directions.
        translate: largest moves as shares of width and height.
        scale: (smallest, largest) factor.
        shear: degrees along x, or (smallest, largest) along x, or those of x and of y.
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.
        center: (x, y) in pixels from the upper left corner; by default the middle.

    Raises:
        ValueError: for a negative number of degrees, shares outside 0 to 1, or scales that are not positive.
        TypeError: for arguments of another kind.
    """

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        self.degrees = angles(degrees, "degrees", "RandomAffine")
        if translate is not None:
            check_length(translate, "translate", "RandomAffine")
            if any(not 0 <= each <= 1 for each in translate):
                raise ValueError(f"RandomAffine: translate has shares from 0 to 1, got {translate!r}")
        if scale is not None:
            check_length(scale, "scale", "RandomAffine")
            if any(each <= 0 for each in scale):
                raise ValueError(f"RandomAffine: scales are positive, got {scale!r}")
        if center is not None:
            check_length(center, "center", "RandomAffine")
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else angles(shear, "shear", "RandomAffine", (2, 4))
        self.interpolation = interpolation_mode(interpolation, "RandomAffine")
        self.fill = check_fill(fill, "RandomAffine")
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float], translate: Any, scale_ranges: Any, shears: Any, img_size: Sequence[int]
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, move, scale and shear for an image of (width, height), drawn."""
        angle = uniform(degrees[0], degrees[1])
        move = (0, 0)
        if translate is not None:
            most = [float(share * side) for share, side in zip(translate, img_size, strict=True)]
            move = (round(uniform(-most[0], most[0])), round(uniform(-most[1], most[1])))
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        across = down = 0.0
        if shears is not None:
            across = uniform(shears[0], shears[1])
            if len(shears) == 4:
                down = uniform(shears[2], shears[3])
        return angle, move, scale, (across, down)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The map, drawn."""
        _, height, width = get_dimensions(flat_inputs[0])
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return dict(zip(("angle", "translate", "scale", "shear"), drawn, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, mapped."""
        fill = filled(self.fill, inpt)
        return self.F.affine(inpt, **params, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [f"{name}={value}" for name in ("translate", "scale", "shear") if (value := getattr(self, name))]
        if self.interpolation is not InterpolationMode.NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            parts.append(f"fill={self.fill}")
        if self.center is not None:
            parts.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(RandomTransform):
    """Images seen from a random angle, with the probability ``p``.

    Args:
        distortion_scale: how far the corners may move, as a share of half the image, from 0 to 1.
        p: probability.
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.

    Raises:
        ValueError: for a share outside 0 to 1.
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__(p)
        if not 0 <= distortion_scale <= 1:
            raise ValueError(f"RandomPerspective: distortion_scale goes from 0 to 1, got {distortion_scale}")
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation_mode(interpolation, "RandomPerspective")
        self.fill = check_fill(fill, "RandomPerspective")

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """The corners of an image, and where they go, drawn."""
        across = int(distortion_scale * (width // 2)) + 1
        down = int(distortion_scale * (height // 2)) + 1
        left, right = (0, across), (width - across, width)
        top, bottom = (0, down), (height - down, height)
        start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        ranges = ((left, top), (right, top), (right, bottom), (left, bottom))
        return start, [[integer(*x), integer(*y)] for x, y in ranges]

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Where the corners go, drawn."""
        _, height, width = get_dimensions(flat_inputs[0])
        start, end = self.get_params(width, height, self.distortion_scale)
        return {"startpoints": start, "endpoints": end}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image in perspective."""
        return self.F.perspective(inpt, **params, interpolation=self.interpolation, fill=filled(self.fill, inpt))


class ElasticTransform(Transform):
    """Images deformed by a smooth random field.

    Args:
        alpha: how strongly, one number or (x, y).
        sigma: how smoothly: the standard deviation of the Gaussian in pixels, one number or (x, y).
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover.

    Source: Simard, Steinkraus, Platt: Best practices for convolutional neural networks, 2003.
    """

    shown = ("alpha", "sigma", "interpolation", "fill")

    def __init__(
        self, alpha: Any = 50.0, sigma: Any = 5.0, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = 0
    ) -> None:
        super().__init__()
        self.alpha = self._two(alpha, "alpha")
        self.sigma = self._two(sigma, "sigma")
        self.interpolation = interpolation_mode(interpolation, "ElasticTransform")
        colour = check_fill(fill, "ElasticTransform")
        self.fill = [float(colour)] if isinstance(colour, int | float) else colour

    def show(self, value: Any) -> Any:
        """An attribute as `repr` shows it."""
        return value

    @staticmethod
    def _two(value: Any, name: str) -> list[float]:
        if isinstance(value, int | float):
            return [float(value)] * 2
        check_length(value, name, "ElasticTransform", (1, 2))
        return [float(value[0]), float(value[-1])]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> tc.Tensor:
        """A field of moves for an image of (height, width), of shape (1, height, width, 2), drawn."""
        fields = []
        for strength, spread, side in zip(alpha, sigma, (size[1], size[0]), strict=True):
            field = tc.rand(1, 1, *size, device="cpu") * 2 - 1
            if spread > 0:
                kernel = int(8 * spread + 1) | 1
                field = gaussian_blur(field, [kernel, kernel], list(sigma))
            fields.append(field * strength / side)
        return tc.cat(fields, dim=1).permute(0, 2, 3, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The field, drawn."""
        _, height, width = get_dimensions(flat_inputs[0])
        return {"displacement": self.get_params(self.alpha, self.sigma, [height, width])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, deformed."""
        return self.F.elastic_transform(inpt, params["displacement"], self.interpolation, filled(self.fill, inpt))
