"""Transforms made of others: in sequence, with a probability, one of several, in random order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from tensorcore import nn
from tensorcore_vision.transforms.draws import chance

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder", "RandomTransforms"]


def _listed(transforms: Any, *before: str) -> str:
    lines = [*before, *map(str, transforms)]
    return "".join(f"\n    {line}" for line in lines) + "\n"


class Compose:
    """Transforms applied one after the other.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Compose, Lambda
        >>> Compose([Lambda(lambda x: x + 1), Lambda(lambda x: x * 2)])(tc.tensor([1, 2]))
        tensor([4, 6])
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self.transforms)})"


class Lambda:
    """A function as a transform.

    Raises:
        TypeError: for what cannot be called.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Lambda
        >>> Lambda(lambda x: 1 - x)(tc.tensor([0.25]))
        tensor([0.7500])
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: expected a function, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomTransforms:
    """Several transforms, of which a subclass says how they are applied.

    Raises:
        TypeError: for what is no sequence.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError(f"{type(self).__name__}: expected a sequence of transforms, got {transforms!r}")
        self.transforms = transforms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __call__")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self.transforms)})"


class RandomApply(nn.Module):
    """Transforms applied one after the other, all or none of them, with the probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]] | nn.ModuleList, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, transformed or not."""
        if self.p < chance():
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_listed(self.transforms, f'p={self.p}')})"


class RandomOrder(RandomTransforms):
    """Transforms applied one after the other, in an order drawn by Python's ``random``, as in torchvision."""

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for place in order:
            img = self.transforms[place](img)
        return img


class RandomChoice(RandomTransforms):
    """One of several transforms, drawn by Python's ``random`` with the weights ``p``, as in torchvision."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError(f"RandomChoice: p is a sequence of weights, got {p!r}")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
