"""Tensors that say what they are, so that `tensorcore_vision.transforms.v2` treats each part of a sample rightly."""

from __future__ import annotations

from enum import Enum
from typing import Any

import tensorcore as tc
from tensorcore.errors import ShapeError

__all__ = ["BoundingBoxFormat", "BoundingBoxes", "Image", "Mask", "TVTensor", "Video", "wrap"]


class TVTensor(tc.Tensor):
    """What the kinds share: operations on them give plain tensors, transforms give their kind."""

    def __new__(cls, data: Any, **options: Any) -> Any:
        """A tensor of this kind over the data, which is shared where it is a tensor of that dtype and device."""
        return _made(cls, data, **options)

    def __init__(self, data: Any, **options: Any) -> None:
        # Made whole by __new__.
        pass


def _made(cls: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool | None = None) -> Any:
    tensor = tc.as_tensor(data, dtype=dtype, device=device)
    made = tensor.as_subclass(tc.Tensor).as_subclass(cls)
    return made if requires_grad is None else made.requires_grad_(requires_grad)


class Image(TVTensor):
    """An image, of shape (..., C, H, W); Pillow images are converted, and one of shape (H, W) gets a channel.

    Raises:
        ShapeError: for a tensor of fewer than two dimensions.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.tv_tensors import Image
        >>> Image(tc.zeros(4, 5)).shape
        tensorcore.Size([1, 4, 5])
    """

    def __new__(cls, data: Any, **options: Any) -> Any:
        """An image over the data."""
        from tensorcore_vision.transforms.functional import pil_to_tensor
        from tensorcore_vision.transforms.functional.images import is_picture

        tensor = tc.as_tensor(pil_to_tensor(data) if is_picture(data) else data)
        if tensor.ndim < 2:
            raise ShapeError(f"Image: expected shape (..., C, H, W), got {tuple(tensor.shape)}")
        return _made(cls, tensor.unsqueeze(0) if tensor.ndim == 2 else tensor, **options)


class Video(TVTensor):
    """Frames, of shape (..., T, C, H, W).

    Raises:
        ShapeError: for a tensor of fewer than four dimensions.
    """

    def __new__(cls, data: Any, **options: Any) -> Any:
        """Frames over the data."""
        made = _made(cls, data, **options)
        if made.ndim < 4:
            raise ShapeError(f"Video: expected shape (..., T, C, H, W), got {tuple(made.shape)}")
        return made


class Mask(TVTensor):
    """Masks of segmentation or detection, of shape (..., H, W); Pillow images of one channel are converted."""

    def __new__(cls, data: Any, **options: Any) -> Any:
        """Masks over the data."""
        from tensorcore_vision.transforms.functional import pil_to_tensor
        from tensorcore_vision.transforms.functional.images import is_picture

        return _made(cls, pil_to_tensor(data) if is_picture(data) else data, **options)


class BoundingBoxFormat(Enum):
    """The four numbers of a box: two corners, a corner and the sides, or the centre and the sides."""

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"


class BoundingBoxes(TVTensor):
    """Boxes of one image, of shape (N, 4).

    Args:
        data: the boxes; one box may be of shape (4,).
        format: what the numbers are, a `BoundingBoxFormat` or its name.
        canvas_size: (height, width) of the image.

    Raises:
        ShapeError: for another shape.
        ValueError: for an unknown format.

    Example:
        >>> from tensorcore_vision.tv_tensors import BoundingBoxes
        >>> BoundingBoxes([[0, 0, 2, 3]], format="XYWH", canvas_size=(8, 8)).format.value
        'XYWH'
    """

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]

    def __new__(cls, data: Any, *, format: Any, canvas_size: tuple[int, int], **options: Any) -> Any:
        """Boxes over the data."""
        made = _made(cls, data, **options)
        if made.ndim == 1:
            made = _made(cls, made.unsqueeze(0))
        if made.ndim != 2 or made.shape[1] != 4:
            raise ShapeError(f"BoundingBoxes: expected shape (N, 4), got {tuple(made.shape)}")
        known = [each.value for each in BoundingBoxFormat]
        if not isinstance(format, BoundingBoxFormat) and str(format).upper() not in known:
            raise ValueError(f"BoundingBoxes: the format is one of {', '.join(known)}, got {format!r}")
        made.format = format if isinstance(format, BoundingBoxFormat) else BoundingBoxFormat[str(format).upper()]
        made.canvas_size = tuple(canvas_size)
        return made

    def __repr__(self, *args: Any, **options: Any) -> str:
        plain = repr(self.as_subclass(tc.Tensor)).removeprefix("tensor(").removesuffix(")")
        return f"BoundingBoxes({plain}, format={self.format}, canvas_size={self.canvas_size})"


def wrap(wrappee: tc.Tensor, *, like: Any, **kwargs: Any) -> Any:
    """A tensor as the kind that ``like`` is; for boxes ``format`` and ``canvas_size`` may be given anew."""
    if isinstance(like, BoundingBoxes):
        return BoundingBoxes(
            wrappee, format=kwargs.get("format", like.format), canvas_size=kwargs.get("canvas_size", like.canvas_size)
        )
    return _made(type(like), wrappee) if isinstance(like, TVTensor) else wrappee
