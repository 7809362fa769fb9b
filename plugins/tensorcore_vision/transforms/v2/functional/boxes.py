"""Boxes under the maps of images: their corners are mapped, and the smallest box about them is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore_vision.ops.boxes import box_convert
from tensorcore_vision.transforms.functional.geometry import output_size, pair, sides
from tensorcore_vision.transforms.functional.warping import (
    expanded_size,
    inverse_affine_matrix,
    perspective_coefficients,
)
from tensorcore_vision.tv_tensors import BoundingBoxes, BoundingBoxFormat

__all__ = ["clamp_bounding_boxes", "convert_bounding_box_format", "sanitized"]


def convert_bounding_box_format(
    inpt: Any, old_format: Any = None, new_format: Any = None, inplace: bool = False
) -> Any:
    """Boxes in another format; plain tensors need ``old_format`` too.

    Raises:
        TypeError: where a format is missing.

    Example:
        >>> from tensorcore_vision.tv_tensors import BoundingBoxes
        >>> from tensorcore_vision.transforms.v2.functional import convert_bounding_box_format
        >>> boxes = BoundingBoxes([[1, 2, 3, 5]], format="XYXY", canvas_size=(8, 8))
        >>> convert_bounding_box_format(boxes, new_format="XYWH").tolist()
        [[1, 2, 2, 3]]
    """
    known = isinstance(inpt, BoundingBoxes)
    old = inpt.format if known else old_format
    if old is None or new_format is None:
        raise TypeError("convert_bounding_box_format: new_format, and old_format for plain tensors, are needed")
    names = [each.value if isinstance(each, BoundingBoxFormat) else str(each).upper() for each in (old, new_format)]
    plain = inpt.as_subclass(tc.Tensor) if known else inpt
    done = box_convert(plain, names[0].lower(), names[1].lower())
    if done.dtype != plain.dtype:
        done = done.floor().to(plain.dtype)  # halves of whole numbers are rounded down
    if inplace:
        done = inpt.copy_(done)
    return BoundingBoxes(done, format=names[1], canvas_size=inpt.canvas_size) if known else done


def _corners(boxes: BoundingBoxes) -> tc.Tensor:
    plain = boxes.as_subclass(tc.Tensor)
    return box_convert(plain if plain.is_floating_point() else plain.to(tc.float32), boxes.format.value.lower(), "xyxy")


def _rebuilt(corners: tc.Tensor, like: BoundingBoxes, canvas: Sequence[int], clamp: bool = True) -> BoundingBoxes:
    """Boxes of these corners, cut off at the canvas, in the format and dtype of ``like``."""
    height, width = (int(side) for side in canvas)
    if clamp:
        x, y = corners[:, 0::2].clamp(0, width), corners[:, 1::2].clamp(0, height)
        corners = tc.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], dim=1)
    done = box_convert(corners, "xyxy", like.format.value.lower()).to(like.dtype)
    return BoundingBoxes(done, format=like.format, canvas_size=(height, width))


def clamp_bounding_boxes(inpt: BoundingBoxes) -> BoundingBoxes:
    """Boxes cut off at the edges of the image."""
    return _rebuilt(_corners(inpt), inpt, inpt.canvas_size)


def horizontal_flip(inpt: BoundingBoxes) -> BoundingBoxes:
    """Boxes of the image with left and right exchanged."""
    left, top, right, bottom = _corners(inpt).unbind(1)
    width = inpt.canvas_size[1]
    return _rebuilt(tc.stack([width - right, top, width - left, bottom], dim=1), inpt, inpt.canvas_size, clamp=False)


def vertical_flip(inpt: BoundingBoxes) -> BoundingBoxes:
    """Boxes of the image with top and bottom exchanged."""
    left, top, right, bottom = _corners(inpt).unbind(1)
    height = inpt.canvas_size[0]
    return _rebuilt(tc.stack([left, height - bottom, right, height - top], dim=1), inpt, inpt.canvas_size, clamp=False)


def _moved(corners: tc.Tensor, right: int, down: int) -> tc.Tensor:
    return corners + tc.tensor([right, down, right, down], dtype=corners.dtype, device=corners.device)


def crop(inpt: BoundingBoxes, top: int, left: int, height: int, width: int) -> BoundingBoxes:
    """Boxes of a part of the image."""
    return _rebuilt(_moved(_corners(inpt), -left, -top), inpt, (height, width))


def center_crop(inpt: BoundingBoxes, output_size: Any) -> BoundingBoxes:
    """Boxes of the middle of the image."""
    height, width = pair(output_size, "center_crop")
    top, left = round((inpt.canvas_size[0] - height) / 2), round((inpt.canvas_size[1] - width) / 2)
    return crop(inpt, top, left, height, width)


def pad(inpt: BoundingBoxes, padding: Any, fill: Any = None, padding_mode: str = "constant") -> BoundingBoxes:
    """Boxes of the image with margins, which must be constant."""
    if padding_mode != "constant":
        raise ValueError(f"pad: boxes have no {padding_mode!r} padding, only 'constant'")
    left, top, right, bottom = sides(padding)
    height, width = inpt.canvas_size
    return _rebuilt(_moved(_corners(inpt), left, top), inpt, (height + top + bottom, width + left + right))


def resize(
    inpt: BoundingBoxes, size: Any, interpolation: Any = None, max_size: int | None = None, antialias: Any = None
) -> BoundingBoxes:
    """Boxes of the resized image."""
    height, width = inpt.canvas_size
    new = output_size(height, width, size, max_size)
    across, down = new[1] / width, new[0] / height
    corners = _corners(inpt)
    scale = tc.tensor([across, down, across, down], dtype=corners.dtype, device=inpt.device)
    return _rebuilt(corners * scale, inpt, new)


def resized_crop(
    inpt: BoundingBoxes, top: int, left: int, height: int, width: int, size: Any, **options: Any
) -> BoundingBoxes:
    """Boxes of a part of the image, resized."""
    return resize(crop(inpt, top, left, height, width), pair(size, "resized_crop"))


def _points(corners: tc.Tensor) -> tc.Tensor:
    """The four corners of each box, of shape (N, 4, 2)."""
    left, top, right, bottom = corners.unbind(1)
    pairs = ((left, top), (right, top), (right, bottom), (left, bottom))
    return tc.stack([tc.stack(each, dim=1) for each in pairs], dim=1)


def _about(points: tc.Tensor) -> tc.Tensor:
    return tc.cat([points.amin(1), points.amax(1)], dim=1)


def affine(
    inpt: BoundingBoxes,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Any,
    interpolation: Any = None,
    fill: Any = None,
    center: Any = None,
    expand: bool = False,
) -> BoundingBoxes:
    """Boxes of the image rotated, moved, scaled and sheared."""
    height, width = inpt.canvas_size
    shears = [shear, 0.0] if isinstance(shear, int | float) else [shear[0], shear[-1]]
    middle = [width * 0.5, height * 0.5] if center is None else center
    a, b, c, d, e, f = inverse_affine_matrix(middle, angle, translate, scale, shears)
    area = a * e - b * d
    matrix = tc.tensor([[e / area, -b / area], [-d / area, a / area]], dtype=tc.float32, device=inpt.device)
    origin = tc.tensor([c, f], dtype=tc.float32, device=inpt.device)
    points = (_points(_corners(inpt).to(tc.float32)) - origin) @ matrix.t()
    canvas = (height, width)
    if expand:
        frame = tc.tensor([[0.0, 0.0, width, height]], device=inpt.device)
        ends = _about((_points(frame) - origin) @ matrix.t())[0]
        points = points - ends[:2]
        canvas = expanded_size(inverse_affine_matrix((0.0, 0.0), angle, translate, scale, shears), height, width)
    return _rebuilt(_about(points), inpt, canvas)


def rotate(
    inpt: BoundingBoxes,
    angle: float,
    interpolation: Any = None,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> BoundingBoxes:
    """Boxes of the turned image."""
    return affine(inpt, -angle, (0.0, 0.0), 1.0, (0.0, 0.0), center=None if expand else center, expand=expand)


def perspective(
    inpt: BoundingBoxes,
    startpoints: Any,
    endpoints: Any,
    interpolation: Any = None,
    fill: Any = None,
    coefficients: Sequence[float] | None = None,
) -> BoundingBoxes:
    """Boxes of the image in perspective."""
    found = perspective_coefficients(startpoints, endpoints) if coefficients is None else list(coefficients)
    # The coefficients lead from the result to the image; points go the other way.
    forward = tc.linalg.inv(tc.tensor([*found, 1.0], dtype=tc.float64, device=inpt.device).reshape(3, 3))
    points = _points(_corners(inpt).to(tc.float64))
    mapped = tc.cat([points, tc.ones_like(points[..., :1])], dim=-1) @ forward.t()
    return _rebuilt(_about((mapped[..., :2] / mapped[..., 2:]).to(tc.float32)), inpt, inpt.canvas_size)


def elastic(inpt: BoundingBoxes, displacement: tc.Tensor, interpolation: Any = None, fill: Any = None) -> BoundingBoxes:
    """Boxes of the deformed image: each corner goes against the move of the pixel that it lies on."""
    height, width = inpt.canvas_size
    points = _points(_corners(inpt).to(tc.float32))
    x = points[..., 0].ceil().clamp(0, width - 1).to(tc.int64)
    y = points[..., 1].ceil().clamp(0, height - 1).to(tc.int64)
    half = tc.tensor([width * 0.5, height * 0.5], device=inpt.device)
    moves = displacement.to(inpt.device)[0][y, x] * half
    # The pixel's own place, in the middle of the pixel.
    places = tc.stack([x, y], dim=-1) + 0.5
    return _rebuilt(_about(places - moves), inpt, inpt.canvas_size)


def sanitized(boxes: BoundingBoxes, min_size: float, min_area: float) -> tc.Tensor:
    """For each box whether it lies in the image and is large enough."""
    corners = _corners(boxes)
    height, width = boxes.canvas_size
    across, down = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    limits = tc.tensor([width, height, width, height], device=boxes.device)
    inside = ((corners >= 0) & (corners <= limits)).all(1)
    return inside & (across >= min_size) & (down >= min_size) & (across * down >= min_area)
