"""What data sets of images share: a folder, transforms, and a description."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorcore.utils.data import Dataset

__all__ = ["StandardTransform", "VisionDataset"]


def _described(transform: Any, head: str) -> list[str]:
    first, *rest = repr(transform).splitlines()
    return [head + first, *(" " * len(head) + line for line in rest)]


class StandardTransform:
    """A transform of the image and one of the target, as one of both."""

    def __init__(
        self, transform: Callable[[Any], Any] | None = None, target_transform: Callable[[Any], Any] | None = None
    ) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for transform, head in ((self.transform, "Transform: "), (self.target_transform, "Target transform: ")):
            if transform is not None:
                lines += _described(transform, head)
        return "\n".join(lines)


class VisionDataset(Dataset[Any]):
    """The base of data sets of images; a subclass defines ``__getitem__`` and ``__len__``.

    Args:
        root: the folder of the files.
        transforms: called with image and target, gives both.
        transform: called with the image.
        target_transform: called with the target.

    Raises:
        ValueError: for ``transforms`` together with one of the others.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        transforms: Callable[..., Any] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:
        single = transform is not None or target_transform is not None
        if transforms is not None and single:
            raise ValueError(f"{type(self).__name__}: give transforms, or transform and target_transform, not both")
        self.root = root if root is None else os.path.expanduser(os.fspath(root))
        self.transform = transform
        self.target_transform = target_transform
        self._joint = transforms
        self.transforms: Any = StandardTransform(transform, target_transform) if single else transforms

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}: define __getitem__")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__}: define __len__")

    def transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        """A sample after the transforms, which may have been replaced since the data set was made."""
        if self._joint is not None:
            return self._joint(image, target)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def extra_repr(self) -> str:
        """Lines for the description that only this data set has."""
        return ""

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if self.transforms is not None:
            lines += repr(self.transforms).splitlines()
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in lines)])


def place(index: Any, count: int, owner: str) -> int:
    """An index as an int from 0."""
    import operator

    found = operator.index(index)
    if not -count <= found < count:
        raise IndexError(f"{owner}: index {found} is out of range for {count} samples")
    return found % count


def folder(root: Any) -> Path:
    """A folder of the user's as a path."""
    return Path(os.fspath(root)).expanduser()
