"""Boxes: areas, overlaps, formats, and the removal of those that others cover."""

from __future__ import annotations

from typing import Any, Final

import tensorcore as tc
from tensorcore.errors import ShapeError

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]

_FORMATS: Final = ("xyxy", "xywh", "cxcywh")
#: Boxes compared with all others at once.
_BLOCK: Final = 1024


def _check(boxes: Any, op: str) -> tc.Tensor:
    if not isinstance(boxes, tc.Tensor):
        raise TypeError(f"{op}: expected a tensor of boxes, got {type(boxes).__name__}")
    if boxes.ndim < 1 or boxes.shape[-1] != 4:
        raise ShapeError(f"{op}: expected boxes of shape (..., 4), got {tuple(boxes.shape)}")
    return boxes


def _wide(values: tc.Tensor) -> tc.Tensor:
    """In a dtype in which areas do not overflow."""
    if values.is_floating_point():
        return values if values.dtype in (tc.float32, tc.float64) else values.to(tc.float32)
    return values if values.dtype in (tc.int32, tc.int64) else values.to(tc.int32)


def box_area(boxes: tc.Tensor, fmt: str = "xyxy") -> tc.Tensor:
    """The areas of boxes, of shape (...,) for boxes of shape (..., 4).

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import box_area
        >>> box_area(tc.tensor([[0.0, 0, 2, 3]]))
        tensor([6.])
    """
    wide = _wide(_check(boxes, "box_area"))
    if fmt not in _FORMATS:
        raise ValueError(f"box_area: fmt is one of {', '.join(_FORMATS)}, got {fmt!r}")
    if fmt != "xyxy":
        return wide[..., 2] * wide[..., 3]
    return (wide[..., 2] - wide[..., 0]) * (wide[..., 3] - wide[..., 1])


def box_convert(boxes: tc.Tensor, in_fmt: str, out_fmt: str) -> tc.Tensor:
    """Boxes in another format: ``xyxy`` corners, ``xywh`` corner and sides, ``cxcywh`` centre and sides.

    Raises:
        ValueError: for an unknown format.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import box_convert
        >>> box_convert(tc.tensor([[1.0, 2, 3, 6]]), "xyxy", "cxcywh")
        tensor([[2., 4., 2., 4.]])
    """
    for name in (in_fmt, out_fmt):
        if name not in _FORMATS:
            raise ValueError(f"box_convert: a format is one of {', '.join(_FORMATS)}, got {name!r}")
    if in_fmt == out_fmt:
        return _check(boxes, "box_convert").clone()
    a, b, c, d = _check(boxes, "box_convert").unbind(-1)
    if in_fmt == "xywh":
        c, d = a + c, b + d
    elif in_fmt == "cxcywh":
        a, b, c, d = a - c / 2, b - d / 2, a + c / 2, b + d / 2
    if out_fmt == "xywh":
        c, d = c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return tc.stack([each.to(a.dtype) for each in (a, b, c, d)], dim=-1)


def _overlap(boxes1: tc.Tensor, boxes2: tc.Tensor, op: str) -> tuple[tc.Tensor, tc.Tensor]:
    """Areas of the intersection and of the union of each pair, of shape (N, M)."""
    first, second = _wide(_check(boxes1, op)), _wide(_check(boxes2, op))
    corner = tc.maximum(first[:, None, :2], second[None, :, :2])
    other = tc.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = (other - corner).clamp(min=0)
    common = sides[..., 0] * sides[..., 1]
    return common, box_area(first)[:, None] + box_area(second)[None, :] - common


def box_iou(boxes1: tc.Tensor, boxes2: tc.Tensor, fmt: str = "xyxy") -> tc.Tensor:
    """The intersection over the union of each pair of boxes, of shape (N, M).

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import box_iou
        >>> box_iou(tc.tensor([[0.0, 0, 2, 2]]), tc.tensor([[1.0, 0, 3, 2], [5, 5, 6, 6]]))
        tensor([[0.3333, 0.0000]])
    """
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    common, union = _overlap(boxes1, boxes2, "box_iou")
    return common / union


def _hull(boxes1: tc.Tensor, boxes2: tc.Tensor) -> tc.Tensor:
    """The sides of the smallest box about each pair, of shape (N, M, 2)."""
    corner = tc.minimum(boxes1[:, None, :2], boxes2[None, :, :2])
    return (tc.maximum(boxes1[:, None, 2:], boxes2[None, :, 2:]) - corner).clamp(min=0)


def generalized_box_iou(boxes1: tc.Tensor, boxes2: tc.Tensor) -> tc.Tensor:
    """The intersection over the union less the share of the hull that neither covers, of shape (N, M).

    Source: Rezatofighi et al.: Generalized intersection over union, arXiv:1902.09630.
    """
    common, union = _overlap(boxes1, boxes2, "generalized_box_iou")
    sides = _hull(_wide(boxes1), _wide(boxes2))
    hull = sides[..., 0] * sides[..., 1]
    return common / union - (hull - union) / hull


def _distance(boxes1: tc.Tensor, boxes2: tc.Tensor, eps: float) -> tc.Tensor:
    """The squared distance of the centres over the squared diagonal of the hull."""
    sides = _hull(boxes1, boxes2)
    diagonal = (sides**2).sum(-1) + eps
    centres = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (boxes1, boxes2)]
    return ((centres[0][:, None] - centres[1][None, :]) ** 2).sum(-1) / diagonal


def distance_box_iou(boxes1: tc.Tensor, boxes2: tc.Tensor, eps: float = 1e-7) -> tc.Tensor:
    """The intersection over the union less the normalised distance of the centres, of shape (N, M).

    Source: Zheng et al.: Distance-IoU loss, arXiv:1911.08287.
    """
    return box_iou(boxes1, boxes2) - _distance(_wide(boxes1), _wide(boxes2), eps)


def complete_box_iou(boxes1: tc.Tensor, boxes2: tc.Tensor, eps: float = 1e-7) -> tc.Tensor:
    """The distance IoU less a term for different proportions, of shape (N, M).

    Source: Zheng et al.: Distance-IoU loss, arXiv:1911.08287.
    """
    iou = box_iou(boxes1, boxes2)
    angles = [tc.atan((b[:, 2] - b[:, 0]) / (b[:, 3] - b[:, 1])) for b in (_wide(boxes1), _wide(boxes2))]
    proportion = 0.4052847345693511 * (angles[0][:, None] - angles[1][None, :]) ** 2  # 4 / π²
    with tc.no_grad():
        weight = proportion / (1 - iou + proportion + eps)
    return iou - _distance(_wide(boxes1), _wide(boxes2), eps) - weight * proportion


def clip_boxes_to_image(boxes: tc.Tensor, size: tuple[int, int]) -> tc.Tensor:
    """Boxes cut off at the edges of an image of (height, width).

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import clip_boxes_to_image
        >>> clip_boxes_to_image(tc.tensor([[-1.0, 2, 9, 9]]), (4, 5))
        tensor([[0., 2., 5., 4.]])
    """
    height, width = size
    limits = tc.tensor([width, height, width, height], dtype=boxes.dtype, device=boxes.device)
    return tc.minimum(_check(boxes, "clip_boxes_to_image").clamp(min=0), limits)


def remove_small_boxes(boxes: tc.Tensor, min_size: float) -> tc.Tensor:
    """The indices of boxes with no side below ``min_size``."""
    sides = _check(boxes, "remove_small_boxes")[:, 2:] - boxes[:, :2]
    return (sides >= min_size).all(1).nonzero().squeeze(1)


def nms(boxes: tc.Tensor, scores: tc.Tensor, iou_threshold: float) -> tc.Tensor:
    """The indices of boxes that are kept, best score first, where each removes those it overlaps too much.

    Args:
        boxes: of shape (N, 4), corners.
        scores: of shape (N,).
        iou_threshold: a box goes where its intersection over union with a better one is above.

    Raises:
        ShapeError: for other shapes.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.ops import nms
        >>> boxes = tc.tensor([[0.0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 30, 30]])
        >>> nms(boxes, tc.tensor([0.8, 0.9, 0.7]), 0.5)
        tensor([1, 2])
    """
    import numpy as np

    _check(boxes, "nms")
    if boxes.ndim != 2 or scores.ndim != 1 or scores.shape[0] != boxes.shape[0]:
        raise ShapeError(f"nms: expected shapes (N, 4) and (N,), got {tuple(boxes.shape)} and {tuple(scores.shape)}")
    order = scores.argsort(descending=True, stable=True)
    ranked = boxes[order]
    removed, kept = 0, []
    # The boxes that a box covers are the bits of one integer: removing them is one operation, whatever their number.
    for start in range(0, ranked.shape[0], _BLOCK):
        common, union = _overlap(ranked[start : start + _BLOCK], ranked, "nms")
        covers = np.packbits((common / union > iou_threshold).numpy(force=True), axis=1, bitorder="little")
        for place, row in enumerate(covers, start):
            if not removed >> place & 1:
                kept.append(place)
                removed |= int.from_bytes(row.tobytes(), "little")
    return order[tc.tensor(kept, dtype=tc.int64, device=boxes.device)]


def batched_nms(boxes: tc.Tensor, scores: tc.Tensor, idxs: tc.Tensor, iou_threshold: float) -> tc.Tensor:
    """As `nms`, where boxes of different categories ``idxs`` do not remove one another."""
    if not boxes.numel():
        return tc.empty((0,), dtype=tc.int64, device=boxes.device)
    # Each category in a region of its own.
    shift = idxs.to(boxes) * (boxes.max() + 1)
    return nms(boxes + shift[:, None], scores, iou_threshold)


def masks_to_boxes(masks: tc.Tensor) -> tc.Tensor:
    """The smallest box about what is not zero in each mask, of shape (N, 4) for masks of shape (N, H, W).

    Raises:
        ShapeError: for another shape, or a mask of zeros only.
    """
    if masks.ndim != 3:
        raise ShapeError(f"masks_to_boxes: expected shape (N, H, W), got {tuple(masks.shape)}")
    ends = []
    filled = masks != 0
    if masks.shape[0] and not bool(filled.flatten(1).any(1).all()):
        raise ShapeError("masks_to_boxes: a mask has nothing in it")
    for dim in (1, 2):
        lines = filled.any(dim).to(tc.uint8)
        count = lines.shape[1]
        ends.append((lines.argmax(1), count - 1 - lines.flip(1).argmax(1)))
    (left, right), (top, bottom) = ends
    return tc.stack([left, top, right, bottom], dim=1).to(tc.float32)
