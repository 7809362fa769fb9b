"""Data sets of images, with torchvision's names, attributes and samples."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import tensorcore as tc
from tensorcore.utils.data import Dataset
from tensorcore.utils.data.dataset import Rows
from tensorcore_vision.errors import FileFormatError
from tensorcore_vision.idx import read_idx

__all__ = ["MNIST", "FashionMNIST"]

_CARRIED: Final = Path(__file__).parent / "data"
_SIDE: Final = 28


class MNIST(Dataset[tuple[Any, Any]]):
    """28×28 grey images of handwritten digits, from the four IDX files in a folder of yours.

    A sample is the image, a float tensor of shape (1, 28, 28) in [0, 1], and the label, an int. The tensors are on
    the device that is the default when the data set is made.

    Args:
        root: the folder with the files, or the one above torchvision's ``MNIST/raw``; plain or compressed with gzip.
        train: the training images, else the test images.
        transform: called with each image; what it returns is the sample's first part.
        target_transform: called with each label.
        download: accepted for torchvision's sake; the files must be there, nothing is downloaded.

    Attributes:
        data: the images as stored, a uint8 tensor of shape (N, 28, 28).
        targets: the labels, an int64 tensor of shape (N,).
        classes: the names of the classes by label.

    Raises:
        FileNotFoundError: where a file is missing; the message says which names were tried.
        FileFormatError: for a file that is truncated, damaged or of another kind.

    Example:
        >>> from tensorcore_vision.datasets import MNIST
        >>> MNIST("nowhere")
        Traceback (most recent call last):
        FileNotFoundError: MNIST: found no train-images-idx3-ubyte or train-images-idx3-ubyte.gz in nowhere...
    """

    classes: ClassVar[list[str]] = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = False,
    ) -> None:
        self.root = os.fspath(root)
        self.train = train
        self.transform = transform
        self.target_transform = target_transform
        split = "train" if train else "t10k"
        images = self._find(f"{split}-images-idx3-ubyte")
        labels = self._find(f"{split}-labels-idx1-ubyte")
        self.data = read_idx(images, (None, _SIDE, _SIDE))
        self.targets = read_idx(labels, (None,)).to(tc.int64)
        _check(self.data, self.targets, images, labels, len(self.classes))

    def _find(self, name: str) -> Path:
        folders = [Path(self.root), Path(self.root) / type(self).__name__ / "raw"]
        for folder in folders:
            for candidate in (folder / name, folder / f"{name}.gz"):
                if candidate.is_file():
                    return candidate
        raise FileNotFoundError(
            f"{type(self).__name__}: found no {name} or {name}.gz in {folders[0]} or {folders[1]}; "
            "nothing is downloaded"
        )

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The labels by name of the class."""
        return {name: label for label, name in enumerate(self.classes)}

    @cached_property
    def tensors(self) -> tuple[tc.Tensor, tc.Tensor]:
        """All images, a float tensor of shape (N, 1, 28, 28) in [0, 1], and all labels, an int64 tensor of shape (N,).

        Transforms are not applied. ``TensorDataset(*dataset.tensors)`` is a data set of them.
        """
        return _scaled(self.data).unsqueeze(1), self.targets

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"{type(self).__name__}: index {place} is out of range for {len(self)} samples")
        image: Any = _scaled(self.data[place]).unsqueeze(0)
        label: Any = int(self.targets[place])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def __getitems__(self, indices: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """The samples of a batch, which a `DataLoader` collates with one op per tensor where nothing is transformed."""
        changed = type(self).__getitem__ is not MNIST.__getitem__
        if changed or self.transform is not None or self.target_transform is not None:
            return [self[index] for index in indices]
        source: Any = self  # of a TensorDataset it needs the length, `tensors`, and samples by index
        return Rows(source, [operator.index(index) for index in indices])

    def __len__(self) -> int:
        return int(self.data.shape[0])

    def __repr__(self) -> str:
        split = "Train" if self.train else "Test"
        return (
            f"Dataset {type(self).__name__}\n    Number of datapoints: {len(self)}\n"
            f"    Root location: {self.root}\n    Split: {split}"
        )

    @staticmethod
    def read_image(path: str | os.PathLike[str], invert: bool = False) -> tc.Tensor:
        """A picture of any size and colour as an image like those of the data set, (1, 28, 28) in [0, 1].

        It is made grey, scaled to fit with its proportions kept, and centred on black. The images of the data set are
        bright on dark; ``invert`` is for pictures that are dark on bright. Needs pillow.

        Raises:
            FileNotFoundError: where there is no such file.
            FileFormatError: for a file that is no image, or a damaged one.
        """
        from tensorcore_vision.io import read_fitted

        return read_fitted(path, _SIDE, invert)


class FashionMNIST(MNIST):
    """28×28 grey images of ten kinds of clothing: by default the 14,000 + 2,000 that the package carries.

    A sample is the image, a float tensor of shape (1, 28, 28) in [0, 1], and the label, an int. The tensors are on
    the device that is the default when the data set is made.

    Args:
        root: a folder with the four IDX files of the complete set, or the one above torchvision's
            ``FashionMNIST/raw``; ``None`` for the package's own files, the first images of the complete ones.
        train: the training images, else the test images.
        transform: called with each image; what it returns is the sample's first part.
        target_transform: called with each label.
        download: accepted for torchvision's sake; nothing is downloaded.

    Attributes:
        data: the images as stored, a uint8 tensor of shape (N, 28, 28).
        targets: the labels, an int64 tensor of shape (N,).
        classes: the names of the classes by label.

    Raises:
        FileNotFoundError: where a file is missing; the message says which names were tried.
        FileFormatError: for a file that is truncated, damaged or of another kind.

    Source: Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms, arXiv:1708.07747.

    Example:
        >>> from tensorcore_vision.datasets import FashionMNIST
        >>> test = FashionMNIST(train=False)
        >>> image, label = test[0]
        >>> image.shape, test.classes[label]
        (tensorcore.Size([1, 28, 28]), 'Ankle boot')
    """

    classes: ClassVar[list[str]] = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(_CARRIED if root is None else root, train, transform, target_transform, download)


def _scaled(pixels: tc.Tensor) -> tc.Tensor:
    return pixels.to(tc.get_default_dtype()) / 255


def _check(data: tc.Tensor, targets: tc.Tensor, images: Path, labels: Path, classes: int) -> None:
    if data.dtype != tc.uint8:
        raise FileFormatError(f"{images}: expected uint8 pixels, the file has {data.dtype}")
    if data.shape[0] != targets.shape[0]:
        raise FileFormatError(f"{labels}: it has {targets.shape[0]} labels, but {images} has {data.shape[0]} images")
    if targets.shape[0] and (int(targets.max()) >= classes or int(targets.min()) < 0):
        raise FileFormatError(f"{labels}: labels go from 0 to {classes - 1}, the file has {int(targets.max())}")
