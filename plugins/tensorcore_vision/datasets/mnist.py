"""MNIST and the data sets of its form: 28×28 grey images in IDX files."""

from __future__ import annotations

import os
import string
import zipfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Final

import tensorcore as tc
from tensorcore.utils.data.dataset import Rows
from tensorcore_vision.datasets.archives import download_url, unpack_gzip, verify_str_arg
from tensorcore_vision.datasets.vision import VisionDataset, place
from tensorcore_vision.errors import FileFormatError, MissingFilesError
from tensorcore_vision.idx import read_idx
from tensorcore_vision.transforms.functional.images import pillow

__all__ = ["EMNIST", "KMNIST", "MNIST", "FashionMNIST"]

_CARRIED: Final = Path(__file__).parent.parent / "data"
_SIDE: Final = 28


class MNIST(VisionDataset):
    """28×28 grey images of handwritten digits: 60,000 to train with and 10,000 to test.

    A sample is the image, a Pillow image of mode L, and the label, an int. A `DataLoader` makes batches of float
    tensors of shape (N, 1, 28, 28) in [0, 1] where the data set has no transform.

    Args:
        root: the folder above ``MNIST/raw``, where torchvision keeps the four IDX files, or the folder of the files
            themselves; plain or compressed with gzip.
        train: the training images, else the test images.
        transform: called with each image; what it returns is the sample's first part.
        target_transform: called with each label.
        download: bring files that are missing into ``root/MNIST/raw``.

    Attributes:
        data: the images as stored, a uint8 tensor of shape (N, 28, 28).
        targets: the labels, an int64 tensor of shape (N,).
        classes: the names of the classes by label.

    Raises:
        MissingFilesError: where a file is missing; the message says where it is looked for.
        FileFormatError: for a file that is truncated, damaged or of another kind.
        DownloadError: where a file cannot be had; the message says where to put it by hand.

    Source: LeCun, Cortes, Burges: the MNIST database of handwritten digits, yann.lecun.com/exdb/mnist.

    Example:
        >>> from tensorcore_vision.datasets import MNIST
        >>> MNIST("nowhere")
        Traceback (most recent call last):
        tensorcore_vision.errors.MissingFilesError: MNIST: found no train-images-idx3-ubyte...
    """

    mirrors: ClassVar[Sequence[str]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    #: Files and their MD5 sums, as published.
    resources: ClassVar[Sequence[tuple[str, str]]] = (
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    )
    classes: Sequence[str] = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip
    #: Whether samples without a transform are tensors, as they are where no folder is named.
    _plain: bool = False

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download and not self._plain:
            self.download()
        self.data, self.targets = self._load_data()

    @property
    def raw_folder(self) -> str:
        """Where downloads go."""
        return os.path.join(str(self.root), type(self).__name__, "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The labels by name of the class."""
        return {name: label for label, name in enumerate(self.classes)}

    def file_names(self) -> tuple[str, str]:
        """The files of the images and of the labels."""
        split = "train" if self.train else "t10k"
        return f"{split}-images-idx3-ubyte", f"{split}-labels-idx1-ubyte"

    def _found(self, name: str) -> Path | None:
        for where in (Path(self.raw_folder), Path(str(self.root))):
            for candidate in (where / name, where / f"{name}.gz"):
                if candidate.is_file():
                    return candidate
        return None

    def download(self) -> None:
        """Bring the files that are missing, from the first mirror that has them, and unpack them.

        Raises:
            DownloadError: where a file cannot be had; the message says where to put it by hand.
        """
        for packed, md5 in self.resources:
            if self._found(packed.removesuffix(".gz")) is None:
                unpack_gzip(download_url([mirror + packed for mirror in self.mirrors], self.raw_folder, packed, md5))

    def _load_data(self) -> tuple[tc.Tensor, tc.Tensor]:
        found = {name: self._found(name) for name in self.file_names()}
        missing = [name for name, path in found.items() if path is None]
        if missing:
            raise MissingFilesError(
                f"{type(self).__name__}: found no {' and no '.join(missing)}, plain or .gz, in {self.raw_folder} "
                f"or {self.root}; download=True brings them, or put them there by hand"
            )
        images, labels = (path for path in found.values() if path is not None)
        data, targets = read_idx(images, (None, _SIDE, _SIDE)), read_idx(labels, (None,)).to(tc.int64)
        _check(data, targets, images, labels, len(self.classes))
        return data, targets

    @cached_property
    def tensors(self) -> tuple[tc.Tensor, tc.Tensor]:
        """All images, a float tensor of shape (N, 1, 28, 28) in [0, 1], and all labels, an int64 tensor of shape (N,).

        Transforms are not applied. ``TensorDataset(*dataset.tensors)`` is a data set of them.
        """
        return _scaled(self.data).unsqueeze(1), self.targets

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        at = place(index, len(self), type(self).__name__)
        label = int(self.targets[at])
        if self._plain:
            return self.transformed(_scaled(self.data[at]).unsqueeze(0), label)
        Image = pillow("Image", type(self).__name__)
        pixels = self.data[at].numpy(force=True)
        return self.transformed(Image.fromarray(pixels), label)

    def __getitems__(self, indices: Sequence[Any]) -> Sequence[tuple[Any, Any]]:
        """The samples of a batch, which a `DataLoader` collates with one op per tensor where nothing is transformed."""
        changed = type(self).__getitem__ is not MNIST.__getitem__
        if changed or self.transform is not None or self.target_transform is not None:
            return [self[index] for index in indices]
        source: Any = self  # of a TensorDataset it needs the length, `tensors`, and samples by index
        return Rows(source, [place(index, len(self), type(self).__name__) for index in indices])

    def __len__(self) -> int:
        return int(self.data.shape[0])

    def extra_repr(self) -> str:
        """Which part it is."""
        return f"Split: {'Train' if self.train else 'Test'}"

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

    A sample is the image and the label, an int. Without a ``root`` the image is a float tensor of shape (1, 28, 28) in
    [0, 1], which needs no Pillow; with one it is a Pillow image, as in torchvision. The tensors are on the device that
    is the default when the data set is made.

    Args:
        root: the folder above ``FashionMNIST/raw`` for the complete set of 60,000 + 10,000, or the folder of its four
            IDX files; ``None`` for the package's own files, the first images of the complete ones.

    The other arguments, attributes and errors are those of `MNIST`.

    Source: Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms, arXiv:1708.07747.

    Example:
        >>> from tensorcore_vision.datasets import FashionMNIST
        >>> test = FashionMNIST(train=False)
        >>> image, label = test[0]
        >>> image.shape, test.classes[label]
        (tensorcore.Size([1, 28, 28]), 'Ankle boot')
    """

    mirrors = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    resources = (
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    )
    classes: Sequence[str] = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        self._plain = root is None
        super().__init__(_CARRIED if root is None else root, train, transform, target_transform, download)


class KMNIST(MNIST):
    """28×28 grey images of ten cursive Japanese characters: 60,000 to train with and 10,000 to test.

    Arguments, samples and errors are those of `MNIST`.

    Source: Clanuwat et al.: Deep learning for classical Japanese literature, arXiv:1812.01718.
    """

    mirrors = ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",)
    resources = (
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    )
    classes: Sequence[str] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


_DIGITS: Final = list(string.digits)
_MERGED: Final = sorted(set(string.digits + string.ascii_letters) - set("cijklmopsuvwxyz"))


class EMNIST(MNIST):
    """28×28 grey images of handwritten letters and digits, in six splits; images lie on their side, as published.

    Args:
        root: the folder above ``EMNIST/raw``.
        split: ``"byclass"``, ``"bymerge"``, ``"balanced"``, ``"letters"``, ``"digits"`` or ``"mnist"``.
        kwargs: the other arguments of `MNIST`.

    Raises:
        ValueError: for an unknown split.
        MissingFilesError: where a file is missing; the message says where it is looked for.

    Source: Cohen et al.: EMNIST: an extension of MNIST to handwritten letters, arXiv:1702.05373.
    """

    url: ClassVar[str] = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5: ClassVar[str] = "58c8d27c78d21e728a6bc7b3cc06412e"
    classes_split_dict: ClassVar[dict[str, list[str]]] = {
        "byclass": sorted(string.digits + string.ascii_letters),
        "bymerge": _MERGED,
        "balanced": _MERGED,
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": _DIGITS,
        "mnist": _DIGITS,
    }
    splits: ClassVar[tuple[str, ...]] = tuple(classes_split_dict)

    def __init__(self, root: str | os.PathLike[str], split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "EMNIST: split", self.splits)
        self.classes = self.classes_split_dict[self.split]
        super().__init__(root, **kwargs)

    def file_names(self) -> tuple[str, str]:
        """The files of the images and of the labels."""
        stem = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return f"{stem}-images-idx3-ubyte", f"{stem}-labels-idx1-ubyte"

    def download(self) -> None:
        """Bring the archive of all splits, and unpack the files of this one.

        Raises:
            DownloadError: where it cannot be had; the message says where to put it by hand.
        """
        if all(self._found(name) for name in self.file_names()):
            return
        archive = download_url(self.url, self.raw_folder, md5=self.md5)
        with zipfile.ZipFile(archive) as packed:
            for member in packed.namelist():
                name = os.path.basename(member)
                if name.startswith(f"emnist-{self.split}-") and name.endswith("-ubyte.gz"):
                    target = Path(self.raw_folder) / name
                    target.write_bytes(packed.read(member))
                    unpack_gzip(target)
                    target.unlink()


def _scaled(pixels: tc.Tensor) -> tc.Tensor:
    return pixels.to(tc.get_default_dtype()) / 255


def _check(data: tc.Tensor, targets: tc.Tensor, images: Path, labels: Path, classes: int) -> None:
    if data.dtype != tc.uint8:
        raise FileFormatError(f"{images}: expected uint8 pixels, the file has {data.dtype}")
    if data.shape[0] != targets.shape[0]:
        raise FileFormatError(f"{labels}: it has {targets.shape[0]} labels, but {images} has {data.shape[0]} images")
    if targets.shape[0] and (int(targets.max()) >= classes or int(targets.min()) < 0):
        raise FileFormatError(f"{labels}: labels go from 0 to {classes - 1}, the file has {int(targets.max())}")
