"""What all transforms are: modules that draw their parameters, then apply a function with them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, ClassVar

from tensorcore import nn
from tensorcore_vision.transforms import functional
from tensorcore_vision.transforms.draws import chance

__all__ = ["RandomTransform", "Transform"]


class Transform(nn.Module):
    """A transform of an image: `make_params` looks at the image and draws, `transform` applies what was drawn."""

    #: Where the functions come from that the transform applies.
    F: ClassVar[Any] = functional
    #: Names of the attributes that `repr` shows.
    shown: ClassVar[tuple[str, ...]] = ()
    #: What stands between them.
    between: ClassVar[str] = ", "

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What the transform of these images needs to know, drawn at random where it is random."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, transformed."""
        raise NotImplementedError(f"{type(self).__name__}: define transform(inpt, params)")

    def forward(self, img: Any) -> Any:
        """The image, transformed."""
        return self.transform(img, self.make_params([img]))

    def __repr__(self) -> str:
        shown = self.between.join(f"{name}={self.show(getattr(self, name))}" for name in self.shown)
        return f"{type(self).__name__}({shown})"

    def show(self, value: Any) -> Any:
        """An attribute as `repr` shows it."""
        return value.value if isinstance(value, Enum) else value


class RandomTransform(Transform):
    """A transform that is applied with the probability ``p``."""

    shown = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{type(self).__name__}: p is a probability, from 0 to 1, got {p}")
        self.p = p

    def forward(self, img: Any) -> Any:
        """The image, transformed or not."""
        return super().forward(img) if chance() < self.p else img


def check_range(name: str, owner: str, value: Any) -> None:
    """Refuse what is not (smallest, largest)."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise TypeError(f"{owner}: {name} is (smallest, largest), got {value!r}")
    if len(value) != 2 or value[0] > value[1]:
        raise ValueError(f"{owner}: {name} is (smallest, largest), got {value!r}")


def angles(value: Any, name: str, owner: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """A range of degrees of what users write: one number for both directions, or the ends."""
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"{owner}: {name} as one number must not be negative, got {value}")
        return [-float(value), float(value)]
    check_length(value, name, owner, lengths)
    return [float(each) for each in value]


def check_length(value: Any, name: str, owner: str, lengths: tuple[int, ...] = (2,)) -> None:
    """Refuse what is no sequence of one of these lengths."""
    wanted = " or ".join(map(str, lengths))
    if not isinstance(value, Sequence):
        raise TypeError(f"{owner}: {name} is a sequence of length {wanted}, got {value!r}")
    if len(value) not in lengths:
        raise ValueError(f"{owner}: {name} is a sequence of length {wanted}, got {value!r}")


def check_fill(fill: Any, owner: str) -> Any:
    """A fill colour as it is kept; ``None`` is black."""
    if fill is not None and not isinstance(fill, int | float | Sequence | dict):
        raise TypeError(f"{owner}: fill is a number or a sequence of numbers, got {fill!r}")
    return 0 if fill is None else fill


def filled(fill: Any, img: Any) -> Any:
    """The fill for this kind of input, where a dict gives several."""
    return fill.get(type(img), fill.get("others", 0)) if isinstance(fill, dict) else fill
