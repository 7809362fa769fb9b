"""Data sets brought from a web server on this machine: whole, cut, damaged, missing, forbidden."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import zipfile

import pytest

import tensorcore as tc
from tensorcore.errors import DownloadError
from tensorcore_vision.datasets import CIFAR10, CIFAR100, EMNIST, MNIST, ImageFolder
from tensorcore_vision.datasets.cifar import read_batch
from tensorcore_vision.datasets.utils import check_integrity, download_and_extract_archive, extract_archive
from tensorcore_vision.errors import FileFormatError, MissingFilesError

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def digits(site, idx_folder):
    """MNIST from the server's first mirror that has a file; the real one's names, three images."""
    folder = idx_folder()
    files = {path.name: path.read_bytes() for path in folder.iterdir()}

    class Digits(MNIST):
        mirrors = (f"{site.url}/gone/", f"{site.url}/")
        resources = tuple((name, md5(content)) for name, content in sorted(files.items()))

    for name, content in files.items():
        site.add(name, content, etag='"1"')
    return Digits, files


def test_a_set_is_downloaded_once(site, digits, tmp_path):
    kind, files = digits
    data = kind(tmp_path / "new", download=True)
    assert len(data) == 3 and sorted(path.name for path in (tmp_path / "new/Digits/raw").iterdir()) == sorted(
        [*files, *(name.removesuffix(".gz") for name in files)]
    )
    before = len(site.requests)
    kind(tmp_path / "new", train=False, download=True)
    assert len(site.requests) == before


def test_a_cut_connection_is_resumed(site, digits, tmp_path):
    kind, _ = digits
    name = "train-images-idx3-ubyte.gz"
    site.page(f"{site.url}/{name}").cuts += [20, 10]
    assert len(kind(tmp_path, download=True)) == 3
    asked = [wanted for path, wanted in site.requests if path == f"/{name}"]
    assert asked == ["", "bytes=20-", "bytes=30-"]


def test_a_damaged_file_is_refused_and_removed(site, digits, tmp_path):
    kind, _ = digits
    site.add("t10k-labels-idx1-ubyte.gz", b"<html>not found</html>")
    with pytest.raises(DownloadError, match=r"md5 is .*removed; the server sent a web page[\s\S]*by hand as .*raw"):
        kind(tmp_path, download=True)
    raw = tmp_path / "Digits" / "raw"
    assert not [path for path in raw.iterdir() if "t10k-labels" in path.name]


def test_without_a_network_the_folder_is_named(site, digits, tmp_path, monkeypatch):
    kind, files = digits
    monkeypatch.setenv("TENSORCORE_OFFLINE", "1")
    with pytest.raises(DownloadError, match=r"TENSORCORE_OFFLINE is set[\s\S]*by hand as .*Digits.raw"):
        kind(tmp_path, download=True)
    raw = tmp_path / "Digits" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():  # so they are put there, unpacked or not
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    assert len(kind(tmp_path, download=True)) == 3


def test_letters_come_in_an_archive(site, digits, tmp_path):
    _, files = digits
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(f"gzip/emnist-mnist-{name.replace('t10k', 'test')}", content)
        packed = buffer.getvalue()

    class Letters(EMNIST):
        url, md5 = site.add("gzip.zip", packed), hashlib.md5(packed, usedforsecurity=False).hexdigest()

    assert len(Letters(tmp_path, "mnist", download=True)) == 3


# CIFAR


def batch(count: int, key: str = "labels") -> bytes:
    """As the published files: a dict of bytes by Python 2, with a NumPy array."""
    data = np.arange(count * 3072, dtype=np.uint64).astype(np.uint8).reshape(count, 3072)
    return pickle.dumps({"data": data, key: list(range(count)), "filenames": ["a.png"] * count}, protocol=2)


@pytest.fixture
def colours(site):
    files = {f"data_batch_{number}": batch(number) for number in (1, 2)}
    files |= {"test_batch": batch(3), "batches.meta": pickle.dumps({"label_names": ["a", "b", "c"]}, protocol=2)}
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        packed = buffer.getvalue()

    class Colours(CIFAR10):
        url, tgz_md5 = site.add("cifar-10-python.tar.gz", packed), md5(packed)
        train_list = tuple((name, md5(files[name])) for name in ("data_batch_1", "data_batch_2"))
        test_list = (("test_batch", md5(files["test_batch"])),)
        meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(files["batches.meta"])}  # noqa: RUF012

    return Colours


def test_cifar(colours, tmp_path):
    data = colours(tmp_path, download=True, transform=np.asarray)
    assert data.data.shape == (3, 32, 32, 3) and data.targets == [0, 0, 1] and data.classes == ["a", "b", "c"]
    image, label = data[2]
    assert label == 1 and image[0, 1].tolist() == [(3072 + 1) % 256, (3072 + 1025) % 256, (3072 + 2049) % 256]
    test = colours(tmp_path, train=False)
    assert len(test) == 3 and test[0][0].mode == "RGB" and test.class_to_idx["c"] == 2
    assert repr(test).splitlines()[1:] == [
        "    Number of datapoints: 3",
        f"    Root location: {tmp_path}",
        "    Split: Test",
    ]


def test_damaged_cifar_is_brought_anew(colours, tmp_path):
    colours(tmp_path, download=True)
    path = tmp_path / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(MissingFilesError, match=r"test_batch is missing or damaged in .*cifar-10-batches-py"):
        colours(tmp_path)
    assert len(colours(tmp_path, train=False, download=True)) == 3


def test_a_pickle_executes_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    for content, message in [
        (pickle.dumps({"data": Evil()}, protocol=2), r"names .*open, which images do not need; nothing was executed"),
        (pickle.dumps([1]), "expected a dict, the file has a list"),
        (batch(1)[:-20], "the pickle ends early|damaged"),
        (pickle.dumps({"data": np.zeros(3)}, protocol=2), "an array is not made of bytes"),
    ]:
        (tmp_path / "batch").write_bytes(content)
        with pytest.raises(FileFormatError, match=message):
            read_batch(tmp_path / "batch")
    assert not (tmp_path / "made").exists()
    assert CIFAR100.base_folder == "cifar-100-python"


# Archives and folders


def test_archives_stay_in_their_folder(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("../outside")
        archive.addfile(member, io.BytesIO())
    with pytest.raises(FileFormatError, match=r"the archive is damaged: .*outside"):
        extract_archive(tmp_path / "a.tar", tmp_path / "in")
    assert not (tmp_path / "outside").exists()
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"hello")[:-3])
    with pytest.raises(FileFormatError, match="is damaged: Compressed file ended"):
        extract_archive(tmp_path / "b.gz")
    assert not (tmp_path / "b").exists()
    with pytest.raises(FileFormatError, match="no archive of a known kind"):
        extract_archive(__file__)


def test_download_and_extract(site, tmp_path):
    url = site.add("note.txt.gz", gzip.compress(b"hello"))
    download_and_extract_archive(url, tmp_path, remove_finished=True)
    assert (tmp_path / "note.txt").read_bytes() == b"hello" and not check_integrity(tmp_path / "note.txt.gz")


def test_folders_of_images(tmp_path):
    for name, count in (("dog", 2), ("cat", 1)):
        (tmp_path / name / "deep").mkdir(parents=True)
        for number in range(count):
            Image.new("L", (4, 3), 9 * number).save(tmp_path / name / "deep" / f"{number}.PNG")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    data = ImageFolder(tmp_path, transform=lambda image: (image.mode, image.getpixel((0, 0))[0]))
    assert data.classes == ["cat", "dog"] and data.targets == [0, 1, 1] and data.imgs is data.samples
    assert [data[index] for index in range(3)] == [(("RGB", 0), 0), (("RGB", 0), 1), (("RGB", 9), 1)]
    (tmp_path / "eel").mkdir()
    with pytest.raises(FileNotFoundError, match=r"found no file of eel in .*; files end with \.jpg"):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 3
    with pytest.raises(FileNotFoundError, match="found no folder of a class"):
        ImageFolder(tmp_path / "eel")


def test_weights_come_from_the_hub(site, tmp_path, monkeypatch):
    from tensorcore_vision import models

    monkeypatch.setenv("TENSORCORE_HOME", str(tmp_path))
    model = models.squeezenet1_1()
    with io.BytesIO() as buffer:
        tc.save(model.state_dict(), buffer)
        content = buffer.getvalue()
    name = f"tiny-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    url = site.add(name, content)
    known = models.SqueezeNet1_1_Weights
    monkeypatch.setattr(known, "url", property(lambda self: url))
    loaded = models.get_model("squeezenet1_1", weights="DEFAULT", progress=False)
    for key, value in model.state_dict().items():
        assert tc.equal(loaded.state_dict()[key], value)
    with pytest.raises(ValueError, match="the weights are for 1000 classes, num_classes is 3"):
        models.squeezenet1_1(weights=known.DEFAULT, num_classes=3)
    with pytest.warns(UserWarning, match=r"use weights=SqueezeNet1_1_Weights\.IMAGENET1K_V1"):
        models.squeezenet1_1(pretrained=True, progress=False)
    bad = site.add("bad-00000000.pth", content)
    monkeypatch.setattr(known, "url", property(lambda self: bad))
    with pytest.raises(DownloadError, match=r"sha256 is .*, expected 00000000; removed"):
        known.DEFAULT.get_state_dict(progress=False)
