"""Boxes, masks and points drawn on images."""

from __future__ import annotations

import colorsys
import warnings
from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.errors import DTypeError, ShapeError
from tensorcore_vision.transforms.functional import convert_image_dtype, pil_to_tensor, to_pil_image
from tensorcore_vision.transforms.functional.images import pillow

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks"]

Colour = str | tuple[int, int, int]


def _checked(image: Any, op: str, channels: tuple[int, ...] = (3,)) -> tc.Tensor:
    if not isinstance(image, tc.Tensor):
        raise TypeError(f"{op}: expected a tensor, got {type(image).__name__}")
    if image.dtype != tc.uint8 and not image.is_floating_point():
        raise DTypeError(f"{op}: expected uint8 or a floating dtype, got {image.dtype}")
    if image.ndim != 3 or image.shape[0] not in channels:
        wanted = " or ".join(map(str, channels))
        raise ShapeError(f"{op}: expected one image of shape ({wanted}, H, W), got {tuple(image.shape)}")
    return image


def _colours(colours: Any, count: int, op: str) -> list[tuple[int, int, int]]:
    """One colour for each object; by default hues as far from one another as possible."""
    if colours is None:
        hues = ((number * 0.618033988749895) % 1.0 for number in range(count))  # the golden ratio's fraction
        return [tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.85, 1.0)) for hue in hues]  # type: ignore[misc]
    listed: Sequence[Any] = colours if isinstance(colours, list) else [colours] * count
    if len(listed) < count:
        raise ValueError(f"{op}: {len(listed)} colours for {count} objects")
    parse = pillow("ImageColor", op).getrgb
    return [parse(each) if isinstance(each, str) else tuple(each) for each in listed[:count]]


def _drawn(image: tc.Tensor) -> Any:
    whole = image if image.shape[0] == 3 else image.expand(3, -1, -1)
    return to_pil_image(convert_image_dtype(whole, tc.uint8))


def _back(picture: Any, like: tc.Tensor) -> tc.Tensor:
    return convert_image_dtype(pil_to_tensor(picture).to(like.device), like.dtype)


@tc.no_grad()
def draw_bounding_boxes(
    image: tc.Tensor,
    boxes: tc.Tensor,
    labels: Sequence[str | None] | None = None,
    colors: list[Colour] | Colour | None = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: list[Colour] | Colour | None = None,
    label_background_colors: list[Colour] | Colour | None = None,
    fill_labels: bool = False,
) -> tc.Tensor:
    """An image with boxes drawn on it, of shape (3, H, W) and the image's dtype.

    Args:
        image: of shape (1 or 3, H, W), uint8, or floating from 0 to 1.
        boxes: of shape (N, 4), corners.
        labels: a text for each box.
        colors: one for all or one for each, as names, ``"#rrggbb"`` or (red, green, blue).
        fill: fill boxes with a veil of their colour.
        width: of the lines.
        font: a TrueType file; by default Pillow's font.
        font_size: in points.
        label_colors: of the texts; by default those of the boxes.
        label_background_colors: behind the texts; by default those of the boxes.
        fill_labels: put a background behind the texts.

    Raises:
        TypeError: for what is no tensor.
        ShapeError: for other shapes.
        ValueError: for boxes that are no corners, or labels or colours of another number.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.utils import draw_bounding_boxes
        >>> draw_bounding_boxes(tc.zeros(1, 5, 5, dtype=tc.uint8), tc.tensor([[1, 1, 3, 3]]), colors="white")[0]
        tensor([[  0,   0,   0,   0,   0],
                [  0, 255, 255, 255,   0],
                [  0, 255,   0, 255,   0],
                [  0, 255, 255, 255,   0],
                [  0,   0,   0,   0,   0]], dtype=tensorcore.uint8)
    """
    op = "draw_bounding_boxes"
    _checked(image, op, (1, 3))
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"{op}: expected boxes of shape (N, 4), got {tuple(boxes.shape)}")
    count = int(boxes.shape[0])
    if not count:
        warnings.warn(f"{op}: there is no box to draw", stacklevel=2)
        return image
    if bool((boxes[:, :2] > boxes[:, 2:]).any()):
        raise ValueError(f"{op}: boxes are (x1, y1, x2, y2); tensorcore_vision.ops.box_convert makes them so")
    if labels is not None and len(labels) != count:
        raise ValueError(f"{op}: {len(labels)} labels for {count} boxes")
    outlines = _colours(colors, count, op)
    texts = (
        _colours(label_colors or ("black" if fill_labels else None), count, op)
        if (label_colors or fill_labels)
        else outlines
    )
    backgrounds = _colours(label_background_colors, count, op) if label_background_colors else outlines
    fonts = pillow("ImageFont", op)
    if font is None and font_size is not None:
        warnings.warn(f"{op}: font_size has no effect without a font", stacklevel=2)
    face = fonts.load_default() if font is None else fonts.truetype(font, font_size or 10)
    picture = _drawn(image)
    pen = pillow("ImageDraw", op).Draw(picture, "RGBA" if fill else None)
    for number, corners in enumerate(boxes.to(tc.int64).tolist()):
        veil = (*outlines[number], 100) if fill else None
        pen.rectangle(corners, width=width, outline=outlines[number], fill=veil)
        if labels is not None and labels[number] is not None:
            at = (corners[0] + width + 1, corners[1] + width + 1)
            if fill_labels:
                left, top, right, bottom = pen.textbbox(at, labels[number], font=face)
                pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=backgrounds[number])
            pen.text(at, labels[number], fill=texts[number], font=face)
    return _back(picture, image)


@tc.no_grad()
def draw_segmentation_masks(
    image: tc.Tensor, masks: tc.Tensor, alpha: float = 0.8, colors: list[Colour] | Colour | None = None
) -> tc.Tensor:
    """An image with masks laid over it, each in its colour, and black where masks overlap.

    Args:
        image: of shape (3, H, W), uint8, or floating from 0 to 1.
        masks: of shape (N, H, W) or (H, W) and dtype bool.
        alpha: from 0, which shows no mask, to 1, which hides the image under masks.
        colors: one for all or one for each, as names, ``"#rrggbb"`` or (red, green, blue).

    Raises:
        TypeError: for what is no tensor.
        DTypeError: for masks of another dtype.
        ShapeError: for other shapes.
    """
    op = "draw_segmentation_masks"
    _checked(image, op)
    layers = masks[None] if masks.ndim == 2 else masks
    if layers.dtype != tc.bool:
        raise DTypeError(f"{op}: expected masks of dtype bool, got {layers.dtype}")
    if layers.ndim != 3 or layers.shape[1:] != image.shape[1:]:
        raise ShapeError(f"{op}: masks of shape {tuple(masks.shape)} do not fit an image of {tuple(image.shape)}")
    if not layers.shape[0]:
        warnings.warn(f"{op}: there is no mask to draw", stacklevel=2)
        return image
    white = 1.0 if image.is_floating_point() else 255.0
    covered = image.to(tc.float32)
    for layer, colour in zip(layers.unbind(0), _colours(colors, int(layers.shape[0]), op), strict=True):
        paint = tc.tensor(colour, dtype=tc.float32, device=image.device).reshape(3, 1, 1) * (white / 255.0)
        covered = tc.where(layer, paint, covered)
    covered = tc.where(layers.sum(0) > 1, tc.zeros_like(covered), covered)
    return (image * (1 - alpha) + covered * alpha).to(image.dtype)


@tc.no_grad()
def draw_keypoints(
    image: tc.Tensor,
    keypoints: tc.Tensor,
    connectivity: Sequence[tuple[int, int]] | None = None,
    colors: Colour | None = None,
    radius: int = 2,
    width: int = 3,
    visibility: tc.Tensor | None = None,
) -> tc.Tensor:
    """An image with points drawn on it, and lines between them.

    Args:
        image: of shape (3, H, W), uint8, or floating from 0 to 1.
        keypoints: of shape (instances, K, 2), (x, y).
        connectivity: pairs of numbers of points that lines join.
        colors: of the points.
        radius: of the points.
        width: of the lines.
        visibility: of shape (instances, K), which points are drawn; by default all.

    Raises:
        TypeError: for what is no tensor.
        ShapeError: for other shapes.
    """
    op = "draw_keypoints"
    _checked(image, op)
    if keypoints.ndim != 3 or keypoints.shape[2] != 2:
        raise ShapeError(f"{op}: expected points of shape (instances, K, 2), got {tuple(keypoints.shape)}")
    shown = tc.ones(keypoints.shape[:2], dtype=tc.bool) if visibility is None else visibility
    shown = shown.squeeze(-1) if shown.ndim == 3 else shown
    if tuple(shown.shape) != tuple(keypoints.shape[:2]):
        raise ShapeError(f"{op}: visibility of shape {tuple(shown.shape)} for points of {tuple(keypoints.shape)}")
    picture = _drawn(image)
    pen = pillow("ImageDraw", op).Draw(picture)
    for points, visible in zip(keypoints.to(tc.int64).tolist(), shown.to(tc.bool).tolist(), strict=True):
        for (x, y), seen in zip(points, visible, strict=True):
            if seen:
                pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colors, outline=None, width=0)
        for one, other in connectivity or ():
            if visible[one] and visible[other]:
                pen.line((*points[one], *points[other]), width=width)
    return _back(picture, image)
