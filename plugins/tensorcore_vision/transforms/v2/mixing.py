"""Batches in which each image is mixed with its neighbour, and labels with them: MixUp and CutMix."""

from __future__ import annotations

import math
from typing import Any

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore.func.pytree import flatten, unflatten
from tensorcore.nn import functional as nnf
from tensorcore_vision.transforms.draws import integer
from tensorcore_vision.transforms.functional.images import is_picture
from tensorcore_vision.transforms.v2.kinds import labels_of
from tensorcore_vision.transforms.v2.sample import Transform, is_pure_tensor, query_size
from tensorcore_vision.tv_tensors import BoundingBoxes, Image, Mask, Video, wrap

__all__ = ["CutMix", "MixUp"]


class _Mixing(Transform):
    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default") -> None:
        super().__init__()
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self._labels_getter = labels_getter

    def forward(self, *inputs: Any) -> Any:
        """The batch, mixed."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves, spec = flatten(sample)
        name = type(self).__name__
        for leaf in leaves:
            if is_picture(leaf) or isinstance(leaf, BoundingBoxes | Mask):
                raise ValueError(f"{name}: expected batches of tensors, got {type(leaf).__name__}")
        labels = self._checked(labels_of(sample, self._labels_getter))
        chosen = self.chosen(leaves)
        params = self.make_params([leaf for leaf, wanted in zip(leaves, chosen, strict=True) if wanted])

        def mixed(leaf: Any, wanted: bool) -> Any:
            if leaf is labels:
                return self._mixed_labels(leaf, params["share"])
            if not wanted or not (is_pure_tensor(leaf) or isinstance(leaf, Image | Video)):
                return leaf
            expected = 5 if isinstance(leaf, Video) else 4
            if leaf.ndim != expected or leaf.shape[0] != labels.shape[0]:
                raise ShapeError(
                    f"{name}: expected a batch of {labels.shape[0]} in {expected} dimensions, got {tuple(leaf.shape)}"
                )
            return wrap(self.transform(leaf.as_subclass(tc.Tensor), params), like=leaf)

        return unflatten(map(mixed, leaves, chosen), spec)

    def _checked(self, labels: Any) -> tc.Tensor:
        name = type(self).__name__
        if not isinstance(labels, tc.Tensor):
            raise ValueError(f"{name}: expected a tensor of labels, got {type(labels).__name__}")
        if labels.ndim not in (1, 2):
            raise ShapeError(f"{name}: expected labels of shape (N,) or (N, classes), got {tuple(labels.shape)}")
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError(f"{name}: num_classes is needed for labels that are numbers of classes")
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[1]):
            raise ValueError(f"{name}: labels of {labels.shape[1]} classes, but num_classes is {self.num_classes}")
        return labels

    def _share(self) -> float:
        ends = tc.tensor([self.alpha], device="cpu")
        return float(tc.distributions.Beta(ends, ends).sample().item())

    def _mixed_labels(self, labels: tc.Tensor, share: float) -> tc.Tensor:
        chances = nnf.one_hot(labels, self.num_classes) if labels.ndim == 1 else labels
        chances = chances if chances.is_floating_point() else chances.to(tc.get_default_dtype())
        return chances.roll(1, 0) * (1.0 - share) + chances * share


class MixUp(_Mixing):
    """Each image of a batch blended with the one before, by a share from Beta(alpha, alpha), and so the labels.

    Args:
        alpha: of the distribution of shares.
        num_classes: the number of classes, for labels that are numbers of classes.
        labels_getter: where the labels are, as in `SanitizeBoundingBoxes`.

    Raises:
        ValueError: for samples without labels, or labels that do not fit.

    Source: Zhang et al.: mixup: beyond empirical risk minimization, arXiv:1710.09412.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import v2
        >>> images, labels = v2.MixUp(num_classes=10)(tc.rand(4, 3, 8, 8), tc.tensor([3, 1, 4, 1]))
        >>> images.shape, labels.shape
        (tensorcore.Size([4, 3, 8, 8]), tensorcore.Size([4, 10]))
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The share, drawn."""
        return {"share": self._share()}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The images, blended."""
        share = params["share"]
        return inpt.roll(1, 0) * (1.0 - share) + inpt * share


class CutMix(_Mixing):
    """A rectangle of each image of a batch taken from the one before, and labels blended by its area.

    Args:
        alpha: of the distribution of areas.
        num_classes: the number of classes, for labels that are numbers of classes.
        labels_getter: where the labels are, as in `SanitizeBoundingBoxes`.

    Raises:
        ValueError: for samples without labels, or labels that do not fit.

    Source: Yun et al.: CutMix: regularization strategy to train strong classifiers, arXiv:1905.04899.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle, drawn, and the share of the image that stays."""
        share = self._share()
        height, width = query_size(flat_inputs)
        x, y = integer(0, width), integer(0, height)
        half = 0.5 * math.sqrt(1.0 - share)
        across, down = int(half * width), int(half * height)
        left, right = max(x - across, 0), min(x + across, width)
        top, bottom = max(y - down, 0), min(y + down, height)
        kept = 1.0 - (right - left) * (bottom - top) / (width * height)
        return {"box": (left, top, right, bottom), "share": kept}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The images with their rectangles."""
        left, top, right, bottom = params["box"]
        changed = inpt.clone()
        changed[..., top:bottom, left:right] = inpt.roll(1, 0)[..., top:bottom, left:right]
        return changed
