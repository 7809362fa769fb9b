"""Transforms between kinds of parts of samples, and of boxes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorcore as tc
from tensorcore.func.pytree import flatten, unflatten
from tensorcore_vision.transforms.functional.images import is_picture
from tensorcore_vision.transforms.v2.functional import boxes as kernels
from tensorcore_vision.transforms.v2.sample import Transform, is_array, is_pure_tensor
from tensorcore_vision.tv_tensors import BoundingBoxes, Image, Mask, TVTensor, Video, wrap

__all__ = [
    "RGB",
    "ClampBoundingBoxes",
    "ConvertBoundingBoxFormat",
    "Identity",
    "Lambda",
    "SanitizeBoundingBoxes",
    "ToDtype",
    "ToImage",
    "ToPureTensor",
]


class Identity(Transform):
    """Samples as they are."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part, as it is."""
        return inpt


class Lambda(Transform):
    """A function of the parts of samples that are of one of the given types.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import v2
        >>> v2.Lambda(lambda x: x + 1, int)((tc.tensor(1), 5))
        (tensor(1), 6)
    """

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        if not callable(lambd):
            raise TypeError(f"Lambda: expected a function, got {type(lambd).__name__}")
        self.lambd = lambd
        self.types = types

    def chosen(self, leaves: list[Any]) -> list[bool]:
        """Which parts are transformed."""
        wanted: Any = self.types or (tc.Tensor,)
        return [isinstance(leaf, wanted) or (not self.types and is_picture(leaf)) for leaf in leaves]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The function of one part."""
        return self.lambd(inpt)

    def extra_repr(self) -> str:
        """The name of the function, and the types."""
        name = getattr(self.lambd, "__name__", None)
        types = [each.__name__ for each in self.types] or ["Tensor", "Image"]
        return ", ".join([*([name] if name else []), f"types={types}"])


class ToImage(Transform):
    """Pillow images, arrays of shape (H, W) or (H, W, C), and tensors as images, with the pixels as they are.

    Example:
        >>> import numpy
        >>> from tensorcore_vision.transforms import v2
        >>> v2.ToImage()(numpy.zeros((4, 5, 3), numpy.uint8)).shape
        tensorcore.Size([3, 4, 5])
    """

    _transformed_types = (is_pure_tensor, is_picture, is_array)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image."""
        return self.F.to_image(inpt)


class ToPureTensor(Transform):
    """Images, masks and boxes as plain tensors."""

    _transformed_types = (TVTensor,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part as a plain tensor."""
        return inpt.as_subclass(tc.Tensor)


class ToDtype(Transform):
    """Parts of samples in another dtype.

    Args:
        dtype: of images and videos; or a dict from types to dtypes, where ``"others"`` is all the rest and ``None``
            leaves a dtype as it is.
        scale: whether black and white of images stay where they belong: 0 and 1, or 0 and the largest integer.

    Raises:
        TypeError: for what is neither a dtype nor a dict.
        ValueError: for a type that the dict does not have.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import v2
        >>> v2.ToDtype(tc.float32, scale=True)(tc.tensor([[[0, 51]]], dtype=tc.uint8))
        tensor([[[0.0000, 0.2000]]])
    """

    _transformed_types = (tc.Tensor,)

    def __init__(self, dtype: tc.dtype | Mapping[Any, tc.dtype | None], scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, tc.dtype | Mapping):
            raise TypeError(f"ToDtype: expected a dtype or a dict of dtypes, got {dtype!r}")
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part in another dtype."""
        wanted: Any = self.dtype
        if isinstance(wanted, Mapping):
            if type(inpt) not in wanted and "others" not in wanted:
                raise ValueError(f"ToDtype: no dtype was given for {type(inpt).__name__}, nor one for 'others'")
            wanted = wanted.get(type(inpt), wanted.get("others"))
        elif not is_pure_tensor(inpt) and not isinstance(inpt, Image | Video):
            return inpt
        return inpt if wanted is None else self.F.to_dtype(inpt, wanted, scale=self.scale)


class RGB(Transform):
    """Images of three channels, which are equal where there was one."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image of three channels."""
        return self.F.grayscale_to_rgb(inpt)


class ConvertBoundingBoxFormat(Transform):
    """Boxes in another format, such as ``"CXCYWH"``."""

    _transformed_types = (BoundingBoxes,)

    def __init__(self, format: Any) -> None:
        super().__init__()
        self.format = format

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Boxes in the format."""
        return self.F.convert_bounding_box_format(inpt, new_format=self.format)


class ClampBoundingBoxes(Transform):
    """Boxes cut off at the edges of their image."""

    _transformed_types = (BoundingBoxes,)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Boxes cut off."""
        return self.F.clamp_bounding_boxes(inpt)


def find_labels(sample: Any) -> Any:
    """The labels in a sample: its second part, or what a dict has under ``labels`` or a name like it.

    Raises:
        ValueError: where there are none.
    """
    place = sample[1] if isinstance(sample, tuple | list) and len(sample) > 1 else sample
    if is_pure_tensor(place):
        return place
    if isinstance(place, Mapping):
        names = [name for name in place if isinstance(name, str)]
        for match in (lambda name: name.lower() == "labels", lambda name: "label" in name.lower()):
            for name in filter(match, names):
                return place[name]
    raise ValueError("found no labels in the sample; say where they are by labels_getter")


def labels_of(sample: Any, getter: Any) -> Any:
    """The labels in a sample by ``"default"``, a function, or ``None``."""
    if getter == "default":
        return find_labels(sample)
    if getter is not None and not callable(getter):
        raise ValueError(f"labels_getter is 'default', a function or None, got {getter!r}")
    return None if getter is None else getter(sample)


class SanitizeBoundingBoxes(Transform):
    """Samples without boxes that are too small or lie outside the image, nor the labels and masks of these.

    Args:
        min_size: shortest side.
        min_area: smallest area.
        labels_getter: where the labels are: ``"default"`` looks for a key ``labels``; a function of the sample; or
            ``None`` for samples without labels.

    Raises:
        ValueError: for sizes below 1, samples without boxes, and labels of another number.
    """

    def __init__(self, min_size: float = 1.0, min_area: float = 1.0, labels_getter: Any = "default") -> None:
        super().__init__()
        if min_size < 1 or min_area < 1:
            raise ValueError(f"SanitizeBoundingBoxes: sizes are at least 1, got {min_size} and {min_area}")
        self.min_size = min_size
        self.min_area = min_area
        self.labels_getter = labels_getter

    def forward(self, *inputs: Any) -> Any:
        """The sample without these boxes."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        found = labels_of(sample, self.labels_getter)
        labels = list(found) if isinstance(found, tuple | list) else [] if found is None else [found]
        leaves, spec = flatten(sample)
        boxes = [leaf for leaf in leaves if isinstance(leaf, BoundingBoxes)]
        if len(boxes) != 1:
            raise ValueError(f"SanitizeBoundingBoxes: expected boxes once in the sample, found them {len(boxes)} times")
        count = boxes[0].shape[0]
        for each in labels:
            if not isinstance(each, tc.Tensor) or each.shape[0] != count:
                raise ValueError(f"SanitizeBoundingBoxes: expected a tensor of {count} labels, got {each!r}")
        valid = kernels.sanitized(boxes[0], self.min_size, self.min_area)

        def cleaned(leaf: Any) -> Any:
            if any(leaf is each for each in labels):
                return leaf[valid]
            if isinstance(leaf, BoundingBoxes) or (isinstance(leaf, Mask) and leaf.shape[0] == count):
                return wrap(leaf.as_subclass(tc.Tensor)[valid], like=leaf)
            return leaf

        return unflatten(map(cleaned, leaves), spec)
