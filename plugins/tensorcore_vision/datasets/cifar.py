"""CIFAR-10 and CIFAR-100: 32×32 colour images in pickles, which are read without executing anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tensorcore.errors import CheckpointError
from tensorcore.serialization.pickle_reader import Global, PickleReader
from tensorcore_vision.datasets.archives import check_integrity, download_and_extract_archive
from tensorcore_vision.datasets.vision import VisionDataset, place
from tensorcore_vision.errors import FileFormatError, MissingFilesError
from tensorcore_vision.transforms.functional.images import pillow

__all__ = ["CIFAR10", "CIFAR100", "read_batch"]


class _Bytes:
    """An array of bytes in a pickle, with NumPy's way of restoring it."""

    shape: tuple[int, ...] = ()
    data: bytes = b""

    def __setstate__(self, state: Any) -> None:
        _version, shape, kind, fortran, data = state
        content = data.encode("latin1") if isinstance(data, str) else bytes(data)
        sides = tuple(int(side) for side in shape)
        if not isinstance(kind, _Kind) or kind.code not in ("u1", "|u1") or fortran:
            raise CheckpointError("an array is not made of bytes in rows")
        if any(side < 0 for side in sides) or len(content) != _product(sides):
            raise CheckpointError(f"an array of shape {sides} has {len(content)} bytes")
        self.shape, self.data = sides, content


class _Kind:
    """A dtype in a pickle; only its code matters."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        # Byte order and alignment, which single bytes do not have.
        pass


def _product(sides: Sequence[int]) -> int:
    count = 1
    for side in sides:
        count *= side
    return count


def _reconstruct(*_: Any) -> _Bytes:
    return _Bytes()


def _kind(code: Any, *_: Any) -> _Kind:
    return _Kind(str(code))


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise CheckpointError("a pickle encodes something else than latin1 text")
    return text.encode("latin1")


#: All that the pickles of the two data sets name, and what stands for it here.
_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "dtype"): _kind,
    ("_codecs", "encode"): _encode,
}


def _find(module: str, name: str) -> Global:
    if (module, name) == ("numpy", "ndarray"):
        return Global("numpy.ndarray", value=_Bytes)
    if (module, name) not in _KNOWN:
        raise CheckpointError(f"the pickle names {module}.{name}, which images do not need; nothing was executed")
    return Global(f"{module}.{name}", call=_KNOWN[module, name])


def _no_outside(_: Any) -> Any:
    raise CheckpointError("the pickle refers to something outside of it")


def read_batch(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A batch of CIFAR's: a dict, with arrays of bytes as NumPy arrays of dtype uint8.

    Raises:
        FileFormatError: for a file that is damaged, or a pickle that needs anything but plain data.
    """
    import numpy as np

    try:
        reader = PickleReader(
            Path(path).read_bytes(), _find, _no_outside, lambda kind: kind in (_Bytes, _Kind), encoding="latin1"
        )
        found = reader.load()
    except CheckpointError as error:
        raise FileFormatError(f"{os.fspath(path)}: {error}") from None
    if type(found) is not dict:
        raise FileFormatError(f"{os.fspath(path)}: expected a dict, the file has a {type(found).__name__}")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): np.frombuffer(value.data, np.uint8)
        .reshape(value.shape)
        .copy()
        if isinstance(value, _Bytes)
        else value
        for key, value in found.items()
    }


class CIFAR10(VisionDataset):
    """32×32 colour images of ten kinds of things: 50,000 to train with and 10,000 to test.

    A sample is the image, a Pillow image of mode RGB, and the label, an int.

    Args:
        root: the folder above ``cifar-10-batches-py``.
        train: the training images, else the test images.
        transform: called with each image; what it returns is the sample's first part.
        target_transform: called with each label.
        download: bring the archive to ``root`` and unpack it, where files are missing or damaged.

    Attributes:
        data: the images as stored, a NumPy array of uint8 and shape (N, 32, 32, 3).
        targets: the labels, a list of ints.
        classes: the names of the classes by label.
        class_to_idx: the labels by name of the class.

    Raises:
        MissingFilesError: where a file is missing or has another checksum; the message names it.
        FileFormatError: for a file of another kind.
        DownloadError: where the archive cannot be had; the message says where to put it by hand.

    Source: Krizhevsky: Learning multiple layers of features from tiny images, 2009.

    Example:
        >>> from tensorcore_vision.datasets import CIFAR10
        >>> CIFAR10("nowhere")
        Traceback (most recent call last):
        tensorcore_vision.errors.MissingFilesError: CIFAR10: data_batch_1 is missing or damaged in nowhere...
    """

    base_folder: ClassVar[str] = "cifar-10-batches-py"
    url: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename: ClassVar[str] = "cifar-10-python.tar.gz"
    #: MD5 sums as published.
    tgz_md5: ClassVar[str] = "c58f30108f718f92721af3b95e74349a"
    train_list: ClassVar[Sequence[Sequence[str]]] = (
        ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
        ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        ("data_batch_4", "634d18415352ddfa80567beed471001a"),
        ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
    )
    test_list: ClassVar[Sequence[Sequence[str]]] = (("test_batch", "40351d587109b95175f43aff81a1287e"),)
    meta: ClassVar[dict[str, str]] = {
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

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
        if download:
            self.download()
        faulty = self._faulty()
        if faulty:
            raise MissingFilesError(
                f"{type(self).__name__}: {faulty} is missing or damaged in {self._path('')}; download=True brings it, "
                f"or unpack {self.filename} there by hand"
            )
        self.data, self.targets = self._load()
        names = read_batch(self._path(self.meta["filename"]))[self.meta["key"]]
        self.classes: list[str] = [each.decode() if isinstance(each, bytes) else each for each in names]
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}

    def _path(self, name: str) -> Path:
        return Path(str(self.root), self.base_folder, name)

    def _faulty(self) -> str:
        """The first file that is missing or has another checksum, or nothing."""
        files = [*self.train_list, *self.test_list, (self.meta["filename"], self.meta["md5"])]
        return next((name for name, md5 in files if not check_integrity(self._path(name), md5)), "")

    def download(self) -> None:
        """Bring the archive and unpack it, where files are missing or damaged.

        Raises:
            DownloadError: where it cannot be had; the message says where to put it by hand.
        """
        if self._faulty():
            download_and_extract_archive(self.url, str(self.root), filename=self.filename, md5=self.tgz_md5)

    def _load(self) -> tuple[Any, list[int]]:
        import numpy as np

        images, targets = [], []
        for name, _ in self.train_list if self.train else self.test_list:
            batch = read_batch(self._path(name))
            labels = batch.get("labels", batch.get("fine_labels"))
            data = batch.get("data")
            if not isinstance(data, np.ndarray) or data.shape[1:] != (3072,) or not isinstance(labels, list):
                raise FileFormatError(f"{self._path(name)}: no batch of images with labels")
            if len(labels) != len(data):
                raise FileFormatError(f"{self._path(name)}: {len(labels)} labels for {len(data)} images")
            images.append(data)
            targets += [int(label) for label in labels]
        pixels = np.concatenate(images).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(pixels), targets

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        at = place(index, len(self), type(self).__name__)
        image = pillow("Image", type(self).__name__).fromarray(self.data[at])
        return self.transformed(image, self.targets[at])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Which part it is."""
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """32×32 colour images of a hundred kinds of things: 50,000 to train with and 10,000 to test.

    Arguments, samples and errors are those of `CIFAR10`; the folder is ``cifar-100-python``.
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = (("train", "16019d7e3df5f24257cddd939b257f8d"),)
    test_list = (("test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),)
    meta: ClassVar[dict[str, str]] = {
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
