"""Downloads of data sets, their checksums, and the archives they come in."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tensorcore.hub.download import download
from tensorcore_vision.errors import FileFormatError

__all__ = [
    "calculate_md5",
    "check_integrity",
    "download_and_extract_archive",
    "download_url",
    "extract_archive",
    "list_dir",
    "list_files",
    "unpack_gzip",
    "verify_str_arg",
]

StrPath = str | os.PathLike[str]


def calculate_md5(fpath: StrPath, chunk_size: int = 1024 * 1024) -> str:
    """The MD5 sum of a file."""
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_integrity(fpath: StrPath, md5: str | None = None) -> bool:
    """Whether a file is there, with this MD5 sum where one is given.

    Example:
        >>> from tensorcore_vision.datasets.utils import check_integrity
        >>> check_integrity("missing.gz")
        False
    """
    return os.path.isfile(fpath) and (md5 is None or calculate_md5(fpath) == md5)


def download_url(
    url: str | Sequence[str], root: StrPath, filename: str | None = None, md5: str | None = None, progress: bool = True
) -> Path:
    """Bring the file at a URL, or at the first of several that has it, into a folder.

    Raises:
        DownloadError: where it cannot be had, or has another checksum; the message says where to put it by hand.
    """
    first = url if isinstance(url, str) else url[0]
    name = filename or os.path.basename(urlparse(first).path)
    return download(url, Path(root).expanduser() / name, md5=md5, progress=progress)


def _apart(target: Path, fill: Callable[[Path], Any]) -> None:
    """Make a file or folder under another name, and give it its own when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target.parent) as work:
        made = Path(work) / target.name
        fill(made)
        os.replace(made, target)


def unpack_gzip(path: StrPath, target: StrPath | None = None) -> Path:
    """Unpack one file, beside itself by default; nothing partial ever has the name.

    Raises:
        FileFormatError: for a file that is damaged, truncated, or not compressed with gzip.
    """
    source = Path(path)
    goal = source.with_suffix("") if target is None else Path(target)

    def fill(made: Path) -> None:
        try:
            with gzip.open(source) as packed, open(made, "wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileFormatError(f"{source}: the compressed file is damaged: {error}") from None

    _apart(goal, fill)
    return goal


def extract_archive(from_path: StrPath, to_path: StrPath | None = None, remove_finished: bool = False) -> str:
    """Unpack a tar, zip or gzip file into a folder, by default its own; gives the folder, or the file for gzip.

    Members that would land outside the folder are refused.

    Raises:
        FileFormatError: for a file that is damaged, or no such archive.
    """
    source = Path(from_path)
    goal = source.parent if to_path is None else Path(to_path)
    goal.mkdir(parents=True, exist_ok=True)
    result = str(goal)
    try:
        if tarfile.is_tarfile(source):
            with tarfile.open(source) as archive:
                archive.extractall(goal, filter="data")
        elif zipfile.is_zipfile(source):
            # zipfile drops what would lead out of the folder.
            with zipfile.ZipFile(source) as archive:
                archive.extractall(goal)
        elif source.suffix == ".gz":
            result = str(unpack_gzip(source, goal / source.with_suffix("").name))
        else:
            raise FileFormatError(f"{source}: no archive of a known kind (tar, zip, gzip)")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileFormatError(f"{source}: the archive is damaged: {error}") from None
    if remove_finished:
        source.unlink()
    return result


def download_and_extract_archive(
    url: str | Sequence[str],
    download_root: StrPath,
    extract_root: StrPath | None = None,
    filename: str | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
    progress: bool = True,
) -> None:
    """Bring an archive into a folder and unpack it there, or into ``extract_root``.

    Raises:
        DownloadError: where it cannot be had, or has another checksum; the message says where to put it by hand.
        FileFormatError: for a file that is damaged, or no archive.
    """
    path = download_url(url, download_root, filename, md5, progress)
    extract_archive(path, extract_root or download_root, remove_finished)


def list_dir(root: StrPath, prefix: bool = False) -> list[str]:
    """The folders in a folder, with its path before their names where ``prefix`` is set."""
    names = [entry.name for entry in os.scandir(os.path.expanduser(root)) if entry.is_dir()]
    return [os.path.join(root, name) for name in names] if prefix else names


def list_files(root: StrPath, suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """The files in a folder whose names end with ``suffix``, with its path before them where ``prefix`` is set."""
    entries = os.scandir(os.path.expanduser(root))
    names = [entry.name for entry in entries if entry.is_file() and entry.name.endswith(suffix)]
    return [os.path.join(root, name) for name in names] if prefix else names


def verify_str_arg(
    value: Any, arg: str | None = None, valid_values: Sequence[str] | None = None, custom_msg: str | None = None
) -> str:
    """``value``, refused where it is no string or none of those that are known.

    Raises:
        ValueError: where it is refused.
    """
    if not isinstance(value, str):
        raise ValueError(f"{arg or 'the argument'} is a string, got {type(value).__name__}")
    if valid_values is not None and value not in valid_values:
        raise ValueError(custom_msg or f"{arg or 'the argument'} is one of {', '.join(valid_values)}, got {value!r}")
    return value
