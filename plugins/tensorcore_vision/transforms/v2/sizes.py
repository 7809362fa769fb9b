"""Random sizes, crops about boxes, noise and distortions that only samples know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore_vision.ops.boxes import box_iou
from tensorcore_vision.transforms.draws import chance, integer, permutation, uniform
from tensorcore_vision.transforms.functional.images import InterpolationMode, interpolation_mode
from tensorcore_vision.transforms.transform import check_fill, check_length, filled
from tensorcore_vision.transforms.v2.functional.boxes import convert_bounding_box_format
from tensorcore_vision.transforms.v2.sample import RandomTransform, Transform, query_chw, query_size
from tensorcore_vision.tv_tensors import BoundingBoxes, Mask, wrap

__all__ = [
    "JPEG",
    "GaussianNoise",
    "RandomChannelPermutation",
    "RandomIoUCrop",
    "RandomPhotometricDistort",
    "RandomResize",
    "RandomShortestSize",
    "RandomZoomOut",
    "ScaleJitter",
    "UniformTemporalSubsample",
]


def _draw_two() -> list[float]:
    drawn: list[float] = tc.rand(2, device="cpu").tolist()
    return drawn


class _Resizing(Transform):
    def __init__(self, interpolation: Any, antialias: bool | None) -> None:
        super().__init__()
        self.interpolation = interpolation_mode(interpolation, type(self).__name__)
        self.antialias = antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part, resized."""
        return self.F.resize(inpt, params["size"], self.interpolation, antialias=self.antialias)


class RandomResize(_Resizing):
    """Samples whose shorter side is from ``min_size`` to below ``max_size``."""

    def __init__(
        self,
        min_size: int,
        max_size: int,
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(interpolation, antialias)
        self.min_size = min_size
        self.max_size = max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The shorter side, drawn."""
        return {"size": [integer(self.min_size, self.max_size)]}


class RandomShortestSize(_Resizing):
    """Samples whose shorter side is one of ``min_size``, the longer one at most ``max_size``."""

    def __init__(
        self,
        min_size: int | Sequence[int],
        max_size: int | None = None,
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(interpolation, antialias)
        self.min_size = [min_size] if isinstance(min_size, int) else list(min_size)
        self.max_size = max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The size, drawn."""
        height, width = query_size(flat_inputs)
        factor = self.min_size[integer(0, len(self.min_size))] / min(height, width)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(height, width))
        return {"size": (int(height * factor), int(width * factor))}


class ScaleJitter(_Resizing):
    """Samples that fit ``target_size``, then scaled by a factor from ``scale_range``.

    Source: Ghiasi et al.: Simple copy-paste is a strong data augmentation method, arXiv:2012.07177.
    """

    def __init__(
        self,
        target_size: tuple[int, int],
        scale_range: tuple[float, float] = (0.1, 2.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__(interpolation, antialias)
        self.target_size = target_size
        self.scale_range = scale_range

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The size, drawn."""
        height, width = query_size(flat_inputs)
        low, high = self.scale_range
        factor = min(self.target_size[1] / height, self.target_size[0] / width) * (low + chance() * (high - low))
        return {"size": (int(height * factor), int(width * factor))}


class RandomZoomOut(RandomTransform):
    """Samples somewhere on a larger canvas, with the probability ``p``.

    Args:
        fill: the colour of the canvas; a dict gives several by the type of the part.
        side_range: how many times larger its sides are, from 1.
        p: probability.

    Raises:
        ValueError: for factors below 1 or out of order.

    Source: Liu et al.: SSD: single shot multibox detector, arXiv:1512.02325.
    """

    def __init__(self, fill: Any = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5) -> None:
        super().__init__(p)
        check_length(side_range, "side_range", "RandomZoomOut")
        if not 1.0 <= side_range[0] <= side_range[1]:
            raise ValueError(f"RandomZoomOut: side_range is (smallest, largest) from 1, got {side_range!r}")
        self.fill = check_fill(fill, "RandomZoomOut")
        self.side_range = side_range

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Size of the canvas and place on it, drawn."""
        height, width = query_size(flat_inputs)
        low, high = self.side_range
        factor = low + chance() * (high - low)
        wide, tall = int(width * factor), int(height * factor)
        across, down = _draw_two()
        left, top = int((wide - width) * across), int((tall - height) * down)
        return {"padding": [left, top, wide - left - width, tall - top - height]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part on its canvas."""
        return self.F.pad(inpt, params["padding"], filled(self.fill, inpt))


class RandomIoUCrop(Transform):
    """A part of samples that overlaps a box by at least a share drawn from ``sampler_options``; other boxes stay.

    `SanitizeBoundingBoxes` after it removes boxes whose centres are outside.

    Args:
        min_scale: smallest share of the sides.
        max_scale: largest.
        min_aspect_ratio: smallest ratio of width to height.
        max_aspect_ratio: largest.
        sampler_options: shares of overlap; one of 1 and more leaves the sample as it is.
        trials: draws for one share.

    Raises:
        TypeError: for samples without an image or without boxes.

    Source: Liu et al.: SSD: single shot multibox detector, arXiv:1512.02325.
    """

    def __init__(
        self,
        min_scale: float = 0.3,
        max_scale: float = 1.0,
        min_aspect_ratio: float = 0.5,
        max_aspect_ratio: float = 2.0,
        sampler_options: Sequence[float] | None = None,
        trials: int = 40,
    ) -> None:
        super().__init__()
        self.min_scale = min_scale
        self.max_scale = max_scale
        self.min_aspect_ratio = min_aspect_ratio
        self.max_aspect_ratio = max_aspect_ratio
        self.options = list(sampler_options or [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
        self.trials = trials

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The part, drawn, and which boxes have their centre in it."""
        height, width = query_size(flat_inputs)
        found = [each for each in flat_inputs if isinstance(each, BoundingBoxes)]
        if not found:
            raise TypeError("RandomIoUCrop: the sample has no boxes")
        corners = convert_bounding_box_format(found[0], new_format="XYXY").as_subclass(tc.Tensor)
        centres = (corners[:, :2] + corners[:, 2:]) * 0.5
        while True:
            least = self.options[integer(0, len(self.options))]
            if least >= 1.0:
                return {}
            for _ in range(self.trials):
                part = self._part(height, width)
                if part is None:
                    continue
                left, top, right, bottom = part
                low, high = tc.tensor([left, top]), tc.tensor([right, bottom])
                inside = ((centres > low) & (centres < high)).all(1)
                if not bool(inside.any()):
                    continue
                if float(box_iou(corners[inside], tc.tensor([part]).to(corners.dtype)).max()) >= least:
                    return {"crop": (top, left, bottom - top, right - left), "inside": inside}

    def _part(self, height: int, width: int) -> tuple[int, int, int, int] | None:
        across, down = (self.min_scale + (self.max_scale - self.min_scale) * each for each in _draw_two())
        wide, tall = int(width * across), int(height * down)
        if not tall or not self.min_aspect_ratio <= wide / tall <= self.max_aspect_ratio:
            return None
        across, down = _draw_two()
        left, top = int((width - wide) * across), int((height - tall) * down)
        return (left, top, left + wide, top + tall) if wide and tall else None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part of the sample, cropped; boxes outside become empty."""
        if not params:
            return inpt
        done = self.F.crop(inpt, *params["crop"])
        if isinstance(done, BoundingBoxes):
            plain = done.as_subclass(tc.Tensor)
            return wrap(tc.where(params["inside"][:, None], plain, tc.zeros_like(plain)), like=done)
        return done


class RandomChannelPermutation(Transform):
    """Images with their channels in random order."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The order, drawn."""
        return {"permutation": permutation(query_chw(flat_inputs)[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image with its channels in this order."""
        return self.F.permute_channels(inpt, **params)


class RandomPhotometricDistort(Transform):
    """Images of other brightness, contrast, saturation, hue and order of channels, each with the probability ``p``.

    Source: Liu et al.: SSD: single shot multibox detector, arXiv:1512.02325.
    """

    def __init__(
        self,
        brightness: tuple[float, float] = (0.875, 1.125),
        contrast: tuple[float, float] = (0.5, 1.5),
        saturation: tuple[float, float] = (0.5, 1.5),
        hue: tuple[float, float] = (-0.05, 0.05),
        p: float = 0.5,
    ) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.hue = hue
        self.saturation = saturation
        self.p = p

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is changed, by how much, and when the contrast is, drawn."""
        channels, _, _ = query_chw(flat_inputs)
        names = ("brightness", "contrast", "saturation", "hue")
        params: dict[str, Any] = {name: uniform(*getattr(self, name)) if chance() < self.p else None for name in names}
        params["contrast_first"] = chance() < 0.5
        params["permutation"] = permutation(channels) if chance() < self.p else None
        return params

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, distorted."""
        F = self.F
        contrast = ("contrast", F.adjust_contrast)
        colours = [("saturation", F.adjust_saturation), ("hue", F.adjust_hue)]
        colours.insert(0 if params["contrast_first"] else 2, contrast)
        for name, change in (("brightness", F.adjust_brightness), *colours, ("permutation", F.permute_channels)):
            if params[name] is not None:
                inpt = change(inpt, params[name])
        return inpt


class GaussianNoise(Transform):
    """Images with normal noise added, of the standard deviation ``sigma`` where white is 1."""

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image with noise."""
        return self.F.gaussian_noise(inpt, self.mean, self.sigma, self.clip)


class JPEG(Transform):
    """What is left of images after JPEG of a quality from 1 to 100, one number or (lowest, highest)."""

    def __init__(self, quality: int | Sequence[int]) -> None:
        super().__init__()
        ends = [quality, quality] if isinstance(quality, int) else list(quality)
        if len(ends) != 2 or not 1 <= ends[0] <= ends[1] <= 100:
            raise ValueError(f"JPEG: the quality goes from 1 to 100, got {quality!r}")
        self.quality = ends

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The quality, drawn."""
        return {"quality": integer(self.quality[0], self.quality[1] + 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image after JPEG."""
        return self.F.jpeg(inpt, **params)


class UniformTemporalSubsample(Transform):
    """A number of frames of videos, equally far from one another."""

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The frames of one video."""
        if isinstance(inpt, Mask | BoundingBoxes) or inpt.ndim < 4:
            return inpt
        places = tc.linspace(0, inpt.shape[-4] - 1, self.num_samples, device=inpt.device).to(tc.int64)
        return wrap(inpt.as_subclass(tc.Tensor).index_select(-4, places), like=inpt)
