"""Transforms of samples made of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorcore as tc
from tensorcore import nn
from tensorcore_vision.transforms.draws import chance, permutation
from tensorcore_vision.transforms.v2.sample import Transform

__all__ = ["Compose", "RandomApply", "RandomChoice", "RandomOrder"]


class _Container(Transform):
    def __init__(self, transforms: Sequence[Callable[..., Any]] | nn.ModuleList) -> None:
        super().__init__()
        if not isinstance(transforms, Sequence | nn.ModuleList):
            raise TypeError(f"{type(self).__name__}: expected a sequence of transforms, got {transforms!r}")
        if not transforms:
            raise ValueError(f"{type(self).__name__}: expected at least one transform")
        self.transforms = transforms

    def chain(self, inputs: tuple[Any, ...], places: Sequence[int]) -> Any:
        """The sample after the transforms at these places."""
        outputs: Any = inputs if len(inputs) > 1 else inputs[0]
        for place in places:
            outputs = self.transforms[place](*inputs)
            inputs = outputs if len(inputs) > 1 else (outputs,)
        return outputs

    def __repr__(self) -> str:
        lines = "".join(f"\n      {transform}" for transform in self.transforms)
        return f"{type(self).__name__}({lines}\n)"


class Compose(_Container):
    """Transforms applied one after the other.

    Raises:
        TypeError: for what is no sequence.
        ValueError: for an empty one.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import v2
        >>> steps = v2.Compose([v2.ToImage(), v2.ToDtype(tc.float32, scale=True)])
        >>> steps(tc.tensor([[[0, 255]]], dtype=tc.uint8), 7)
        (Image([[[0., 1.]]]), 7)
    """

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed."""
        return self.chain(inputs, range(len(self.transforms)))


class RandomApply(_Container):
    """Transforms applied one after the other, all or none of them, with the probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[..., Any]] | nn.ModuleList, p: float = 0.5) -> None:
        super().__init__(transforms)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"RandomApply: p is a probability, from 0 to 1, got {p}")
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed or not."""
        return self.chain(inputs, () if chance() >= self.p else range(len(self.transforms)))


class RandomChoice(_Container):
    """One of several transforms, drawn with the probabilities ``p``, by default equal ones."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        weights = [1.0] * len(transforms) if p is None else list(p)
        if len(weights) != len(transforms):
            raise ValueError(f"RandomChoice: {len(weights)} probabilities for {len(transforms)} transforms")
        self.p = [weight / sum(weights) for weight in weights]

    def forward(self, *inputs: Any) -> Any:
        """The sample after one of the transforms."""
        return self.chain(inputs, [int(tc.multinomial(tc.tensor(self.p, device="cpu"), 1).item())])


class RandomOrder(_Container):
    """Transforms applied one after the other in random order."""

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed."""
        return self.chain(inputs, permutation(len(self.transforms)))
