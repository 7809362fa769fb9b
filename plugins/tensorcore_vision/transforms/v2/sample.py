"""How transforms treat samples: nests of images, masks, boxes, labels and anything else."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

import tensorcore as tc
from tensorcore import nn
from tensorcore.func.pytree import flatten, unflatten
from tensorcore_vision.transforms import transform as v1
from tensorcore_vision.transforms.draws import chance
from tensorcore_vision.transforms.functional.images import InterpolationMode, is_picture
from tensorcore_vision.transforms.v2 import functional
from tensorcore_vision.tv_tensors import BoundingBoxes, Image, TVTensor, Video

__all__ = ["Transform", "check_type", "has_any", "query_chw", "query_size"]

Kind = type | Callable[[Any], bool]


def is_pure_tensor(inpt: Any) -> bool:
    """Whether ``inpt`` is a tensor of no kind of `tensorcore_vision.tv_tensors`."""
    return isinstance(inpt, tc.Tensor) and not isinstance(inpt, TVTensor)


def is_array(inpt: Any) -> bool:
    """Whether ``inpt`` is a NumPy array."""
    return type(inpt).__module__ == "numpy" and hasattr(inpt, "ndim") and hasattr(inpt, "ctypes")


def check_type(obj: Any, types_or_checks: tuple[Kind, ...]) -> bool:
    """Whether ``obj`` is of one of these types or passes one of these checks."""
    return any(isinstance(obj, each) if isinstance(each, type) else each(obj) for each in types_or_checks)


def has_any(flat_inputs: list[Any], *types_or_checks: Kind) -> bool:
    """Whether any part of a sample is of one of these types."""
    return any(check_type(each, types_or_checks) for each in flat_inputs)


def query_chw(flat_inputs: list[Any]) -> tuple[int, int, int]:
    """(channels, height, width) of the images of a sample.

    Raises:
        TypeError: where there is none.
        ValueError: where they differ.
    """
    found = {
        tuple(functional.get_dimensions(each))
        for each in flat_inputs
        if check_type(each, (is_pure_tensor, Image, Video, is_picture))
    }
    return _only(found, "channels, height and width")


def query_size(flat_inputs: list[Any]) -> tuple[int, int]:
    """(height, width) of the images, masks and boxes of a sample.

    Raises:
        TypeError: where there is none.
        ValueError: where they differ.
    """
    found = {
        tuple(functional.get_size(each)) for each in flat_inputs if isinstance(each, tc.Tensor) or is_picture(each)
    }
    return _only(found, "height and width")


def _only(found: set[Any], what: str) -> Any:
    if not found:
        raise TypeError("the sample has no image")
    if len(found) > 1:
        raise ValueError(f"the images of the sample differ in {what}: {sorted(found)}")
    return found.pop()


class Sampling(nn.Module):
    """The walk through a sample, for transforms that know how to treat one part.

    Pillow images and the kinds of `tensorcore_vision.tv_tensors` are transformed. Plain tensors are left alone, but
    for the first one where the sample has no other image: so labels pass through.
    """

    F: ClassVar[Any] = functional
    #: What is transformed at all.
    _transformed_types: ClassVar[tuple[Kind, ...]] = (tc.Tensor, is_picture)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse samples that cannot be transformed."""

    def skip(self) -> bool:
        """Whether a sample is left as it is, drawn."""
        return False

    def forward(self, *inputs: Any) -> Any:
        """The sample, with the parts transformed that are to be."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves, spec = flatten(sample)
        self.check_inputs(leaves)
        if self.skip():
            return sample
        chosen = self.chosen(leaves)
        params = self.make_params([leaf for leaf, wanted in zip(leaves, chosen, strict=True) if wanted])
        done = (self.transform(leaf, params) if wanted else leaf for leaf, wanted in zip(leaves, chosen, strict=True))
        return unflatten(done, spec)

    def chosen(self, leaves: list[Any]) -> list[bool]:
        """Which parts are transformed."""
        plain_too = not has_any(leaves, Image, Video, is_picture)
        chosen = []
        for leaf in leaves:
            wanted = check_type(leaf, self._transformed_types)
            if wanted and is_pure_tensor(leaf):
                wanted, plain_too = plain_too, False
            chosen.append(wanted)
        return chosen

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What the transform of this sample needs to know, drawn at random where it is random."""
        # Transforms of one image look at the first part: let it be an image.
        ordered = sorted(flat_inputs, key=lambda each: isinstance(each, BoundingBoxes))
        parameters: dict[str, Any] = super().make_params(ordered) if ordered else {}  # type: ignore[misc]
        return parameters

    def extra_repr(self) -> str:
        """The attributes that were set."""
        shown = (
            f"{name}={value.value if isinstance(value, InterpolationMode) else value}"
            for name, value in vars(self).items()
            if not name.startswith("_") and name not in ("training", "policies") and isinstance(value, _SHOWN)
        )
        return ", ".join(shown)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"


class Transform(Sampling, v1.Transform):
    """A transform of samples; a subclass defines ``transform(inpt, params)`` and, if random, ``make_params``.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import v2
        >>> class Double(v2.Transform):
        ...     def transform(self, inpt, params):
        ...         return inpt * 2
        >>> Double()(tc.tensor([1, 2]), "label")
        (tensor([2, 4]), 'label')
    """


class RandomTransform(Sampling, v1.RandomTransform):
    """A transform of samples that is applied with the probability ``p``."""

    def skip(self) -> bool:
        """Whether the sample is left as it is, drawn."""
        return chance() >= self.p


_SHOWN = (bool, int, float, str, tuple, list, Enum)
