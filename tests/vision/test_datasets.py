"""The image data sets: what the package carries, folders of the user's, samples and batches."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

import tensorcore as tc
import tensorcore_vision
from tensorcore.utils.data import DataLoader, Subset
from tensorcore_vision.datasets import EMNIST, KMNIST, MNIST, FashionMNIST
from tensorcore_vision.errors import FileFormatError, MissingFilesError

CARRIED = Path(tensorcore_vision.__file__).parent / "data"


@pytest.fixture(scope="module")
def fashion() -> FashionMNIST:
    return FashionMNIST(train=False)


# What the package carries


@pytest.mark.parametrize(
    ("train", "count", "images", "labels"),
    [
        # SHA-256 of the first pixels and labels of the complete files, whose MD5 sums the authors publish.
        (
            True,
            14_000,
            "75601c9c635763ebbed77ea15ad858ddcd6d1071a1c0d8d2d6bf97809169a918",
            "a39db68e4338cd3dfac53c9576a42fe5c40b3c8edc266f4c405b5592d68ca319",
        ),
        (
            False,
            2_000,
            "09bbac78738f0229a68f7ca74e62665d7fb34f45ea7a3509ab5c4a202c1370de",
            "a86243d2b2400909bc0a82f5fd5c9df83bf827852a1543e3dc70af890035a9d4",
        ),
    ],
)
def test_the_carried_subset_is_the_beginning_of_the_complete_set(train, count, images, labels):
    data = FashionMNIST(train=train)
    assert len(data) == count
    assert tuple(data.data.shape) == (count, 28, 28) and data.data.dtype == tc.uint8
    assert tuple(data.targets.shape) == (count,) and data.targets.dtype == tc.int64
    assert hashlib.sha256(data.data.numpy().tobytes()).hexdigest() == images
    assert hashlib.sha256(data.targets.to(tc.uint8).numpy().tobytes()).hexdigest() == labels


def test_the_carried_files_are_small_and_have_their_licence():
    assert sum(path.stat().st_size for path in CARRIED.iterdir()) < 8_000_000
    licence = (CARRIED / "LICENSE").read_text("utf-8")
    assert "The MIT License (MIT)" in licence and "Copyright (c) 2017 Zalando SE" in licence


def test_every_class_is_there_about_as_often(fashion):
    counts = [int((fashion.targets == label).sum()) for label in range(10)]
    assert sum(counts) == 2_000 and min(counts) > 150


# Samples


def test_a_sample(fashion):
    image, label = fashion[0]
    assert (image.dtype, tuple(image.shape)) == (tc.float32, (1, 28, 28))
    assert float(image.min()) == 0 and float(image.max()) <= 1
    assert tc.equal(image[0], fashion.data[0] / 255)
    assert type(label) is int and fashion.classes[label] == "Ankle boot"
    assert fashion.class_to_idx["Ankle boot"] == label


def test_indices_are_ints_of_any_kind(fashion):
    assert tc.equal(fashion[-1][0], fashion[1999][0])
    assert tc.equal(fashion[tc.tensor(3)][0], fashion[3][0])
    for index in (2000, -2001):
        with pytest.raises(IndexError, match=f"index {index} is out of range for 2000 samples"):
            fashion[index]
    with pytest.raises(TypeError):
        fashion["first"]


def test_iteration_ends(idx_folder):
    assert [label for _, label in FashionMNIST(idx_folder())] == [0, 1, 2]


def test_all_samples_as_tensors(fashion):
    images, labels = fashion.tensors
    assert (images.dtype, tuple(images.shape)) == (tc.float32, (2000, 1, 28, 28))
    assert labels.dtype == tc.int64
    for index in (0, 7, 1999):
        assert tc.equal(images[index], fashion[index][0]) and int(labels[index]) == fashion[index][1]


def test_transforms_see_image_and_label(idx_folder):
    def first(image):
        assert (image.mode, image.size) == ("L", (28, 28))
        return image.getpixel((0, 0))

    data = FashionMNIST(idx_folder(), transform=first, target_transform=lambda label: -label)
    assert data[2] == (2, -2)
    data.transform, data.target_transform = None, None  # as programs do after random_split
    assert data[2][0].size == (28, 28) and data[2][1] == 2


def test_a_folder_gives_pillow_images_and_loaders_tensors(idx_folder):
    data = MNIST(idx_folder())
    assert data[1][0].getpixel((0, 0)) == 1
    images, labels = next(iter(DataLoader(data, batch_size=3)))
    assert tc.equal(images, data.tensors[0]) and labels.tolist() == [0, 1, 2]
    samples = next(iter(DataLoader(data, batch_size=2, collate_fn=list)))
    assert [image.mode for image, _ in samples] == ["L", "L"]


@pytest.mark.parametrize("transform", [None, lambda image: image * 2], ids=["plain", "transformed"])
@pytest.mark.parametrize("indices", [[0, 1, 2, 3], [5, 1, 1]])
def test_a_loader_collates_what_the_samples_are(fashion, transform, indices):
    data = FashionMNIST(train=False, transform=transform)
    (images, labels) = next(iter(DataLoader(Subset(data, indices), batch_size=4)))
    assert labels.dtype == tc.int64 and labels.tolist() == [data[index][1] for index in indices]
    assert tc.equal(images, tc.stack([data[index][0] for index in indices]))


def test_a_collate_function_sees_the_samples(fashion):
    loader = DataLoader(fashion, batch_size=3, collate_fn=lambda samples: [label for _, label in samples])
    assert next(iter(loader)) == [fashion[index][1] for index in range(3)]


def test_a_subclass_that_changes_its_samples_is_asked_for_each():
    class Labels(FashionMNIST):
        def __getitem__(self, index):
            return super().__getitem__(index)[1]

    assert next(iter(DataLoader(Labels(train=False), batch_size=2))).tolist() == [9, 2]


def test_the_default_dtype_and_device_decide(idx_folder):
    root = idx_folder()
    with tc.device("reference"):
        data = FashionMNIST(root)
    assert str(data.data.device) == "reference" and str(data.tensors[1].device) == "reference"
    assert data[1][0].getpixel((0, 0)) == 1
    tc.set_default_dtype(tc.float64)
    assert FashionMNIST(root).tensors[0].dtype == tc.float64 and FashionMNIST(train=False)[0][0].dtype == tc.float64


def test_repr_is_torchvisions(idx_folder):
    root = idx_folder()
    assert repr(MNIST(root, train=False)) == (
        f"Dataset MNIST\n    Number of datapoints: 3\n    Root location: {root}\n    Split: Test"
    )


# Folders of the user's


@pytest.mark.parametrize("packed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("under", ["", "FashionMNIST/raw"], ids=["root", "torchvision"])
def test_a_folder_of_files(idx_folder, packed, under):
    data = FashionMNIST(idx_folder(packed=packed, under=under), download=True)  # nothing is missing
    assert len(data) == 3 and data[1][1] == 1 and data.data[2, 0, 0].item() == 2


def test_a_folder_without_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"FashionMNIST: found no t10k-images-idx3-ubyte .*raw or .*by hand"):
        FashionMNIST(tmp_path, train=False)
    assert issubclass(MissingFilesError, RuntimeError)  # which torchvision raises


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [0, 1]}, "labels-idx1-ubyte.gz: it has 2 labels, but .*images-idx3-ubyte.gz has 3 images"),
        ({"labels": [0, 1, 10]}, "labels go from 0 to 9, the file has 10"),
        ({"side": 32}, r"expected elements of shape \[N, 28, 28\], the file has \[3, 32, 32\]"),
    ],
)
def test_files_that_do_not_fit(idx_folder, options, message):
    with pytest.raises(FileFormatError, match=message):
        FashionMNIST(idx_folder(**options))


def test_labels_where_images_should_be(idx_folder):
    root = idx_folder()
    (root / "train-images-idx3-ubyte.gz").write_bytes((root / "train-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(FileFormatError, match=r"train-images-idx3-ubyte.gz: expected elements of shape \[N, 28, 28\]"):
        FashionMNIST(root)


def test_an_empty_data_set(idx_folder):
    data = FashionMNIST(idx_folder(count=0))
    assert len(data) == 0 and tuple(data.tensors[0].shape) == (0, 1, 28, 28)


def test_other_sets_of_the_form(idx_folder, tmp_path):
    assert KMNIST(idx_folder(under="KMNIST/raw")).classes[1] == "ki"
    raw = tmp_path / "e" / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("images-idx3", "labels-idx1"):
        source = tmp_path / "root" / "KMNIST" / "raw" / f"t10k-{name}-ubyte.gz"
        (raw / f"emnist-letters-test-{name}-ubyte.gz").write_bytes(source.read_bytes())
    letters = EMNIST(tmp_path / "e", "letters", train=False)
    assert len(letters) == 3 and letters.classes[letters[1][1]] == "a" and len(letters.classes) == 27
    with pytest.raises(ValueError, match=r"EMNIST: split is one of byclass, .* got 'words'"):
        EMNIST(tmp_path, "words")


@pytest.mark.skipif("TENSORCORE_DATA" not in os.environ, reason="TENSORCORE_DATA names no folder of data sets")
@pytest.mark.parametrize(("kind", "folder"), [(MNIST, "mnist"), (FashionMNIST, "fashion_mnist")])
def test_the_complete_sets(kind, folder):
    root = Path(os.environ["TENSORCORE_DATA"]) / folder
    train, test = kind(root), kind(root, train=False)
    assert (len(train), len(test)) == (60_000, 10_000)
    assert [int((train.targets == label).sum()) > 5_000 for label in range(10)] == [True] * 10
    if kind is MNIST:
        pixels = train.tensors[0]
        assert float(pixels.mean()) == pytest.approx(0.1307, abs=1e-4)
        assert float(pixels.std()) == pytest.approx(0.3081, abs=1e-4)
        assert [train[index][1] for index in range(5)] == [5, 0, 4, 1, 9]
