"""Images seen through a map of the plane: rotation, affine maps, perspective, elastic deformation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import tensorcore as tc
from tensorcore.nn import functional as nnf
from tensorcore_vision.transforms.functional.conversion import pil_to_tensor, to_pil_image
from tensorcore_vision.transforms.functional.geometry import colour_of
from tensorcore_vision.transforms.functional.images import (
    InterpolationMode,
    back_to,
    check_image,
    check_picture,
    get_dimensions,
    interpolation_mode,
    is_picture,
    pillow,
    resampling,
    working_dtype,
)

__all__ = ["affine", "elastic_transform", "perspective", "rotate"]

_TENSOR_MODES: Final = (InterpolationMode.NEAREST, InterpolationMode.BILINEAR)


def inverse_affine_matrix(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """The first two rows of the matrix that takes a pixel of the result to where it comes from.

    The map goes by T(translate) · C · R(angle) · S(shear) · scale · C⁻¹ with C the move of the origin to ``center``,
    where R·S = [[a, b], [c, d]] with determinant 1; angles are in degrees, clockwise.
    """
    rotation, across, down = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    a = math.cos(rotation - down) / math.cos(down)
    c = math.sin(rotation - down) / math.cos(down)
    b = -a * math.tan(across) - math.sin(rotation)
    d = -c * math.tan(across) + math.cos(rotation)
    inverse = [[d / scale, -b / scale], [-c / scale, a / scale]]
    x, y = (-centre - move for centre, move in zip(center, translate, strict=True))
    return [
        value
        for row, centre in zip(inverse, center, strict=True)
        for value in (row[0], row[1], row[0] * x + row[1] * y + centre)
    ]


def _grid(matrix: Sequence[float], image: tuple[int, int], out: tuple[int, int], like: tc.Tensor) -> tc.Tensor:
    """Where each pixel of the result comes from, from -1 to 1 over the image; (0, 0) is the middle of both."""
    dtype = working_dtype(like)
    height, width = out
    x = tc.linspace(-width * 0.5 + 0.5, width * 0.5 - 0.5, width, dtype=dtype, device=like.device)
    y = tc.linspace(-height * 0.5 + 0.5, height * 0.5 - 0.5, height, dtype=dtype, device=like.device)
    ones = tc.ones((height, width), dtype=dtype, device=like.device)
    base = tc.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width), ones], dim=-1)
    rows = tc.tensor(matrix, dtype=dtype, device=like.device).reshape(2, 3)
    half = tc.tensor([0.5 * image[1], 0.5 * image[0]], dtype=dtype, device=like.device)
    return (base.reshape(-1, 3) @ (rows.t() / half)).reshape(1, height, width, 2)


def _sampled(img: tc.Tensor, grid: tc.Tensor, mode: InterpolationMode, fill: Any, op: str) -> tc.Tensor:
    """The image at the places of ``grid``, outside of it the colour ``fill``."""
    if mode not in _TENSOR_MODES:
        known = ", ".join(each.value for each in _TENSOR_MODES)
        raise ValueError(f"{op}: tensors take the interpolation {known}, got {mode.value!r}; use a Pillow image")
    batch = img.reshape(-1, *img.shape[-3:]) if img.ndim >= 3 else img[None, None]
    if batch.dtype not in (tc.float32, tc.float64):
        batch = batch.to(grid.dtype)
    places = grid.to(batch.dtype).expand(batch.shape[0], *grid.shape[1:])
    done = nnf.grid_sample(batch, places, mode=mode.value, padding_mode="zeros", align_corners=False)
    if fill is not None:
        colour = [float(fill)] if isinstance(fill, int | float) else [float(value) for value in fill]
        if len(colour) not in (1, batch.shape[1]):
            raise ValueError(f"{op}: {len(colour)} fill values for an image of {batch.shape[1]} channel(s)")
        if any(colour) or mode is InterpolationMode.BILINEAR:
            # A white mask sampled alike says how much of each pixel is image.
            white = tc.ones_like(batch[:1, :1])
            share = nnf.grid_sample(white, places[:1], mode=mode.value, padding_mode="zeros", align_corners=False)
            outside = tc.tensor(colour, dtype=done.dtype, device=done.device).reshape(1, -1, 1, 1)
            if mode is InterpolationMode.NEAREST:
                done = tc.where(share < 0.5, outside, done)
            else:
                done = done * share + (1.0 - share) * outside
    return back_to(done, img.dtype).reshape(*img.shape[:-2], *done.shape[-2:])


def expanded_size(matrix: Sequence[float], height: int, width: int) -> tuple[int, int]:
    """The size that holds the whole rotated image, as Pillow computes it but for the rounding of 1e-4."""
    corners = [(x * width * 0.5, y * height * 0.5) for x in (-1, 1) for y in (-1, 1)]
    lengths = []
    for row, side in ((matrix[:3], width), (matrix[3:], height)):
        places = [row[0] * x + row[1] * y + row[2] + side * 0.5 for x, y in corners]
        low, high = (math.trunc(place / 1e-4) * 1e-4 for place in (min(places), max(places)))
        lengths.append(math.ceil(high) - math.floor(low))
    return lengths[1], lengths[0]


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Any = None,
) -> Any:
    """An image turned by ``angle`` degrees, counter-clockwise.

    Args:
        img: a tensor of shape (..., C, H, W) or a Pillow image.
        angle: in degrees.
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        expand: make the result large enough for all of the turned image; needs the middle as centre.
        center: (x, y) in pixels from the upper left corner; by default the middle.
        fill: the colour of what the image does not cover, one number or one per channel.

    Raises:
        TypeError: for an angle or a centre that are none.
        ValueError: for a fill that does not fit the channels, or a mode that tensors do not take.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import rotate
        >>> rotate(tc.arange(4).reshape(1, 2, 2), 90)
        tensor([[[1, 3],
                 [0, 2]]])
    """
    if not isinstance(angle, int | float):
        raise TypeError(f"rotate: the angle is a number, got {type(angle).__name__}")
    mode = interpolation_mode(interpolation, "rotate")
    origin = _center(center, "rotate")
    if not isinstance(img, tc.Tensor):
        colour = colour_of(fill, check_picture(img, "rotate"), "rotate")
        return img.rotate(angle, resampling(mode), expand, origin, fillcolor=colour)
    check_image(img, "rotate")
    _, height, width = get_dimensions(img)
    matrix = inverse_affine_matrix(_from_middle(origin, height, width), -angle, (0.0, 0.0), 1.0, (0.0, 0.0))
    out = expanded_size(matrix, height, width) if expand else (height, width)
    return _sampled(img, _grid(matrix, (height, width), out, img), mode, fill, "rotate")


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Sequence[float] | None = None,
) -> Any:
    """An image rotated, moved, scaled and sheared about its middle.

    Args:
        img: a tensor of shape (..., C, H, W) or a Pillow image.
        angle: in degrees, clockwise.
        translate: pixels to the right and down.
        scale: a positive factor.
        shear: degrees along x, or along x and y.
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover, one number or one per channel.
        center: (x, y) in pixels from the upper left corner; by default the middle.

    Raises:
        TypeError: for an angle, translation, shear or centre of another kind.
        ValueError: for a scale that is not positive, or a translation or shear of another length.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms.functional import affine
        >>> affine(tc.tensor([[[1, 2, 3]]]), angle=0, translate=(1, 0), scale=1.0, shear=0, fill=9)
        tensor([[[9, 1, 2]]])
    """
    if not isinstance(angle, int | float):
        raise TypeError(f"affine: the angle is a number, got {type(angle).__name__}")
    if not isinstance(translate, list | tuple):
        raise TypeError(f"affine: translate is (right, down), got {type(translate).__name__}")
    if len(translate) != 2:
        raise ValueError(f"affine: translate is (right, down), got {translate!r}")
    if scale <= 0:
        raise ValueError(f"affine: the scale must be positive, got {scale}")
    if not isinstance(shear, int | float | list | tuple):
        raise TypeError(f"affine: shear is one number or (x, y), got {type(shear).__name__}")
    shears = [shear, 0.0] if isinstance(shear, int | float) else list(shear) * (2 if len(shear) == 1 else 1)
    if len(shears) != 2:
        raise ValueError(f"affine: shear is one number or (x, y), got {shear!r}")
    mode = interpolation_mode(interpolation, "affine")
    origin = _center(center, "affine")
    _, height, width = get_dimensions(img)
    if not isinstance(img, tc.Tensor):
        matrix = inverse_affine_matrix(origin or [width * 0.5, height * 0.5], angle, translate, scale, shears)
        kind = pillow("Image", "affine").Transform.AFFINE
        return img.transform(img.size, kind, matrix, resampling(mode), fillcolor=colour_of(fill, img, "affine"))
    matrix = inverse_affine_matrix(_from_middle(origin, height, width), angle, translate, scale, shears)
    return _sampled(img, _grid(matrix, (height, width), (height, width), img), mode, fill, "affine")


def perspective_coefficients(startpoints: Any, endpoints: Any) -> list[float]:
    """The eight numbers of the map that takes ``endpoints`` back to ``startpoints``.

    A point (x, y) comes from ((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1)).

    Raises:
        ValueError: for other than four points.
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(f"perspective: expected four corners each, got {len(startpoints)} and {len(endpoints)}")
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    system = tc.tensor(rows, dtype=tc.float64, device="cpu")
    goal = tc.tensor(startpoints, dtype=tc.float64, device="cpu").reshape(8, 1)
    found: list[float] = tc.linalg.lstsq(system, goal).solution.reshape(8).to(tc.float32).tolist()
    return found


def perspective(
    img: Any,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Any = None,
    coefficients: Sequence[float] | None = None,
) -> Any:
    """An image seen at an angle: its four ``startpoints`` come to lie at ``endpoints``.

    Args:
        img: a tensor of shape (..., C, H, W) or a Pillow image.
        startpoints: the corners (x, y) upper left, upper right, lower right, lower left.
        endpoints: where they go.
        interpolation: tensors take ``NEAREST`` and ``BILINEAR``.
        fill: the colour of what the image does not cover, one number or one per channel.
        coefficients: the map itself, in place of the points.

    Raises:
        ValueError: for other than four points or eight coefficients.
    """
    if coefficients is None:
        coefficients = perspective_coefficients(startpoints, endpoints)
    if len(coefficients) != 8:
        raise ValueError(f"perspective: expected eight coefficients, got {len(coefficients)}")
    mode = interpolation_mode(interpolation, "perspective")
    if not isinstance(img, tc.Tensor):
        colour = colour_of(fill, check_picture(img, "perspective"), "perspective")
        kind = pillow("Image", "perspective").Transform.PERSPECTIVE
        return img.transform(img.size, kind, list(coefficients), resampling(mode), fillcolor=colour)
    check_image(img, "perspective")
    _, height, width = get_dimensions(img)
    dtype = working_dtype(img)
    x = tc.linspace(0.5, width - 0.5, width, dtype=dtype, device=img.device)
    y = tc.linspace(0.5, height - 0.5, height, dtype=dtype, device=img.device)
    ones = tc.ones((height, width), dtype=dtype, device=img.device)
    base = tc.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width), ones], dim=-1).reshape(-1, 3)
    rows = tc.tensor([*coefficients, 1.0], dtype=dtype, device=img.device).reshape(3, 3)
    half = tc.tensor([0.5 * width, 0.5 * height], dtype=dtype, device=img.device)
    above, below = base @ (rows[:2].t() / half), base @ rows[2:].t()
    grid = (above / below - 1.0).reshape(1, height, width, 2)
    return _sampled(img, grid, mode, fill, "perspective")


def elastic_transform(
    img: Any, displacement: tc.Tensor, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None
) -> Any:
    """An image whose pixels come from their own place plus ``displacement``, of shape (1, H, W, 2), in half images.

    Raises:
        TypeError: for a displacement that is no tensor.
        ValueError: for one of another shape.
    """
    if not isinstance(displacement, tc.Tensor):
        raise TypeError(f"elastic_transform: the displacement is a tensor, got {type(displacement).__name__}")
    mode = interpolation_mode(interpolation, "elastic_transform")
    _, height, width = get_dimensions(img)
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ValueError(
            f"elastic_transform: expected a displacement of shape (1, {height}, {width}, 2), "
            f"got {tuple(displacement.shape)}"
        )
    tensor = pil_to_tensor(img) if is_picture(img) else check_image(img, "elastic_transform")
    moves = displacement.to(tensor.device)
    x = tc.linspace((1 - width) / width, (width - 1) / width, width, dtype=moves.dtype, device=moves.device)
    y = tc.linspace((1 - height) / height, (height - 1) / height, height, dtype=moves.dtype, device=moves.device)
    identity = tc.stack([x.expand(height, width), y.unsqueeze(1).expand(height, width)], dim=-1)
    done = _sampled(tensor, identity + moves, mode, fill, "elastic_transform")
    return to_pil_image(done, img.mode) if is_picture(img) else done


def _center(center: Any, op: str) -> Any:
    if center is not None and not isinstance(center, list | tuple):
        raise TypeError(f"{op}: the centre is (x, y), got {type(center).__name__}")
    if center is not None and len(center) != 2:
        raise ValueError(f"{op}: the centre is (x, y), got {center!r}")
    return center


def _from_middle(center: Any, height: int, width: int) -> list[float]:
    return [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
