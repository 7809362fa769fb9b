"""Data sets of a user's own files, sorted into one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from tensorcore_vision.datasets.vision import VisionDataset
from tensorcore_vision.transforms.functional.images import pillow

__all__ = [
    "IMG_EXTENSIONS",
    "DatasetFolder",
    "ImageFolder",
    "default_loader",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
    "pil_loader",
]

StrPath = str | os.PathLike[str]
IMG_EXTENSIONS: Final = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a file's name ends with one of these, in any case."""
    return filename.lower().endswith(extensions)


def is_image_file(filename: str) -> bool:
    """Whether a file's name is that of an image."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def pil_loader(path: StrPath) -> Any:
    """The image in a file as a Pillow image of mode RGB."""
    with open(path, "rb") as file:
        return pillow("Image", "pil_loader").open(file).convert("RGB")


def default_loader(path: StrPath) -> Any:
    """The image in a file as a Pillow image of mode RGB."""
    return pil_loader(path)


def find_classes(directory: StrPath) -> tuple[list[str], dict[str, int]]:
    """The names of the folders in a folder, in order, and their numbers.

    Raises:
        FileNotFoundError: where there is none.
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"found no folder of a class in {os.fspath(directory)}")
    return classes, {name: number for number, name in enumerate(classes)}


def make_dataset(
    directory: StrPath,
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """The files below the folders of the classes, in order, each with the number of its class.

    Raises:
        ValueError: unless one of ``extensions`` and ``is_valid_file`` is given, or without classes.
        FileNotFoundError: where a class has no file, unless ``allow_empty``.
    """
    top = os.path.expanduser(os.fspath(directory))
    numbers = find_classes(top)[1] if class_to_idx is None else class_to_idx
    if not numbers:
        raise ValueError("make_dataset: class_to_idx has no class")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("make_dataset: give extensions or is_valid_file, one of them")
    found: list[tuple[str, int]] = []
    empty = []
    for name in sorted(numbers):
        before = len(found)
        for folder, _, files in sorted(os.walk(os.path.join(top, name), followlinks=True)):
            for path in (os.path.join(folder, file) for file in sorted(files)):
                wanted = is_valid_file(path) if is_valid_file else has_file_allowed_extension(path, extensions or ())
                if wanted:
                    found.append((path, numbers[name]))
        if len(found) == before:
            empty.append(name)
    if empty and not allow_empty:
        kinds = f"; files end with {', '.join((extensions,) if isinstance(extensions, str) else extensions or ())}"
        raise FileNotFoundError(f"found no file of {', '.join(empty)} in {top}{kinds if extensions else ''}")
    return found


class DatasetFolder(VisionDataset):
    """Files sorted into one folder for each class: ``root/dog/1.npy``, ``root/cat/any/2.npy``.

    Args:
        root: the folder with the folders of the classes.
        loader: reads a file; what it gives is the sample's first part.
        extensions: endings of the files that count; or
        is_valid_file: says which files count, from their paths.
        transform: called with what was read.
        target_transform: called with the number of the class.
        allow_empty: whether a class may have no file.

    Attributes:
        classes: the names of the classes, in order.
        class_to_idx: their numbers.
        samples: (path, number of the class) of each file.
        targets: the numbers alone.

    Raises:
        FileNotFoundError: where there are no classes, or one has no file.
    """

    def __init__(
        self,
        root: StrPath,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes, self.class_to_idx = self.find_classes(str(self.root))
        self.samples = self.make_dataset(
            str(self.root), self.class_to_idx, extensions, is_valid_file, allow_empty=allow_empty
        )
        self.loader = loader
        self.extensions = extensions
        self.targets = [number for _, number in self.samples]

    def find_classes(self, directory: StrPath) -> tuple[list[str], dict[str, int]]:
        """The names of the classes and their numbers; a subclass may choose others."""
        return find_classes(directory)

    @staticmethod
    def make_dataset(
        directory: StrPath,
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """The files with the numbers of their classes; a subclass may choose others."""
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Image files sorted into one folder for each class: ``root/dog/1.png``, ``root/cat/any/2.jpg``.

    A sample is the image, a Pillow image of mode RGB, and the number of its class.

    Args:
        root: the folder with the folders of the classes.
        transform: called with each image.
        target_transform: called with the number of the class.
        loader: reads a file.
        is_valid_file: says which files count, from their paths; by default those with an image's ending.
        allow_empty: whether a class may have no file.

    Raises:
        FileNotFoundError: where there are no classes, or one has no file.

    Example:
        >>> import os
        >>> import tensorcore as tc
        >>> from tensorcore_vision.datasets import ImageFolder
        >>> from tensorcore_vision.io import write_png
        >>> for name in ("cat", "dog"):
        ...     os.makedirs(f"pets/{name}")
        ...     write_png(tc.zeros(3, 4, 5, dtype=tc.uint8), f"pets/{name}/1.png")
        >>> pets = ImageFolder("pets")
        >>> len(pets), pets.classes, pets[1][1]
        (2, ['cat', 'dog'], 1)
    """

    def __init__(
        self,
        root: StrPath,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
